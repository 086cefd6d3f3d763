"""Where compiled code is kept."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("numba")

import numba

from autograd.kernels import compiler, numba_select


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
