"""Where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

import autograd
import nn
from autograd.kernels import ahead, compiler, numba_select
from autograd.kernels.compiled import Kernel
from demos.networks import NETWORKS


def test_other_sources_have_another_folder(tmp_path, monkeypatch):
    """A function uses code of files that Numba does not look at."""
    monkeypatch.setattr(compiler, "HERE", tmp_path)
    (tmp_path / "first.py").write_text("x = 1\n")
    (tmp_path / "second.py").write_text("y = 1\n")
    before = compiler.folder()
    assert compiler.folder() == before
    (tmp_path / "second.py").write_text("y = 2\n")
    assert compiler.folder() != before


def test_the_folder_of_the_user_is_the_one(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiler.folder().parent == tmp_path


def test_functions_are_kept_there():
    assert str(compiler.FOLDER) in numba_select.raise_to_zero.function.stats.cache_path


PROGRAM = """
import sys
import numpy as np
import autograd
from autograd import Tensor
autograd.use_kernels("numba")
x = Tensor(np.linspace(-1, 1, 1 << 16, dtype=np.float32), requires_grad=True)
x.relu().sum().backward()
print(int(x.grad.numpy().sum()), "numba.np.arraymath" in sys.modules)
"""


def test_code_from_the_disk_needs_little_of_numba(tmp_path):
    """Its tables of functions take longer to import than the code, and SciPy with them."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    ]
    assert "compiling kernels" in runs[0].stderr
    assert [run.stdout for run in runs] == ["32768 True\n", "32768 False\n"]
    assert runs[1].stderr == ""


def kernels():
    for name in ahead.modules():
        for value in vars(import_module(f"autograd.kernels.{name}")).values():
            if isinstance(value, Kernel):
                yield value


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_what_is_compiled_ahead_is_what_networks_use(name):
    with autograd.use_kernels("numba"):
        model = NETWORKS[name].build(nn)
        shape = NETWORKS[name].shape
        model(autograd.randn(*shape)).square().mean().backward()
        nn.optim.Adam(model.parameters()).step()
    used = 0
    for kernel in kernels():
        ready = [np.dtype(np.float32 if each is None else each) for each, _ in kernel.elements]
        for dtypes in kernel.codes:
            if np.float32 in dtypes:
                assert list(dtypes) == ready
                used += 1
    assert used > 3


def test_all_are_compiled_ahead(tmp_path, monkeypatch, capsys):
    """A program finds them, and says nothing. (Here: those of two modules.)"""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(ahead, "modules", lambda: ["numba_select", "numba_reduce", "numba_room"])
    assert ahead.main(["--processes", "2"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert sorted(line.split(",")[0] for line in said[:-1]) == [
        "numba_reduce: 3 kernels",
        "numba_select: 6 kernels",
    ]
    assert said[-1].startswith("9 kernels in ")
    subprocess.run([sys.executable, "-c", "import autograd.kernels.numba_wait"], check=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("wrong", ["0", "many"])
def test_wrong_numbers_of_processes(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        ahead.main(["--processes", wrong])
    assert "--processes" in capsys.readouterr().err


def test_without_numba(monkeypatch, capsys):
    monkeypatch.setattr(ahead, "has_numba", lambda: False)
    with pytest.raises(SystemExit, match="1"):
        ahead.main([])
    assert 'pip install "ndgrad[fast]"' in capsys.readouterr().err
