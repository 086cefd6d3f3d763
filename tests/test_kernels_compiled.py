"""Where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("numba")

from numba.core import event

import autograd
import nn
from autograd.kernels import ahead, machine_code, numba_select
from autograd.kernels.compiled import Floats, Kernel, compiled_exactly
from autograd.kernels.numba_crew import share, shared
from demos.networks import NETWORKS


def test_other_sources_have_another_folder(tmp_path, monkeypatch):
    """A function uses code of files that Numba does not look at."""
    monkeypatch.setattr(machine_code, "HERE", tmp_path)
    (tmp_path / "first.py").write_text("x = 1\n")
    (tmp_path / "second.py").write_text("y = 1\n")
    before = machine_code.folder()
    assert machine_code.folder() == before
    (tmp_path / "second.py").write_text("y = 2\n")
    assert machine_code.folder() != before


def test_the_folder_of_the_user_is_the_one(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert machine_code.folder().parent == tmp_path


def test_another_folder_where_nobody_may_write(tmp_path, monkeypatch):
    """As for a package that an administrator has installed."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(machine_code, "HERE", tmp_path)
    assert machine_code.folder().parent == tmp_path / "__pycache__"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert machine_code.folder().parent == Path.home() / ".cache" / "ndgrad"

    def homeless():
        raise RuntimeError("could not determine home directory")

    monkeypatch.setattr(Path, "home", homeless)
    assert machine_code.folder().parent == tmp_path / "__pycache__"


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """An empty folder."""
    monkeypatch.setattr(machine_code, "FOLDER", tmp_path / "a" / "b")
    return tmp_path / "a" / "b"


def relu(kernel):
    """What a kernel of this module makes of some numbers."""
    x = np.linspace(-1, 1, 64, dtype=np.float32)
    out = np.empty_like(x)
    share(kernel, len(x), 1, x, out)
    return out


def again(kernel):
    """The same kernel, as another program has it."""
    return Kernel(kernel.function, **kernel.options)


def test_code_is_kept_there(fresh):
    out = relu(again(numba_select.raise_to_zero))
    (file,) = fresh.iterdir()
    assert file.name.startswith("numba_select.raise_to_zero.")
    assert (out == np.linspace(-1, 1, 64, dtype=np.float32).clip(0)).all()


@pytest.mark.parametrize(
    ("damage", "compiles"),
    [
        (lambda content: content, False),
        (lambda content: content[:-1], True),
        (lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:], True),
        (lambda content: b"", True),
    ],
    ids=["whole", "cut", "another bit", "empty"],
)
def test_damaged_code_is_compiled_again(damage, compiles, fresh):
    first = relu(again(numba_select.raise_to_zero))
    (file,) = fresh.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with event.install_recorder("numba:compile") as recorder:
        second = relu(again(numba_select.raise_to_zero))
    assert bool(recorder.buffer) == compiles
    assert (first == second).all()
    assert len(list(fresh.iterdir())) == 1


def test_threads_that_meet_a_kernel_at_once_compile_it_once(fresh, monkeypatch):
    kernel, compiles = again(numba_select.raise_to_zero), []
    compile_it, start = kernel.compile, threading.Barrier(4)

    def slowly(*arguments):
        compiles.append(arguments)
        time.sleep(0.05)
        return compile_it(*arguments)

    def use():
        start.wait()
        assert relu(kernel).max() == 1

    monkeypatch.setattr(kernel, "compile", slowly)
    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(compiles) == 1


@compiled_exactly
def elsewhere(x: Floats, out: Floats, first: int, last: int) -> None:
    shared()
    for k in range(first, last):
        out[k] = x[k]


def test_code_of_other_sources_is_not_kept(fresh):
    """Nothing tells whether they have changed."""
    relu(again(elsewhere))
    assert not fresh.exists()


@pytest.mark.parametrize("refusing", ["mkdir", "write_bytes"])
def test_works_without_a_disk(refusing, fresh, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, refusing, refuse)
    assert relu(again(numba_select.raise_to_zero)).max() == 1
    assert not fresh.exists() or not list(fresh.iterdir())


PROGRAM = """
import sys
import numpy as np
import autograd
from autograd import Tensor
autograd.use_kernels("numba")
x = Tensor(np.linspace(-1, 1, 1 << 16, dtype=np.float32), requires_grad=True)
x.relu().sum().backward()
print(int(x.grad.numpy().sum()), "numba" in sys.modules)
"""


def test_code_from_the_disk_does_without_numba(tmp_path):
    """It takes longer to import than the code."""
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
        "numba_select: 9 kernels",
    ]
    assert said[-1].startswith("12 kernels in ")
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


def test_code_that_needs_numba_is_not_kept(fresh):
    """In another program nobody would be there to answer."""

    def library(*names):
        functions = [SimpleNamespace(name=name, is_declaration=True) for name in names]
        return SimpleNamespace(_final_module=SimpleNamespace(functions=functions))

    assert machine_code.stands_alone(library("malloc", "llvm.fma.f32"))
    needy = library("malloc", "numba_do_raise")
    assert not machine_code.stands_alone(needy)
    machine_code.keep(numba_select.raise_to_zero.function, "", needy, "entry")
    assert not fresh.exists()
