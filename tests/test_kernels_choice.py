"""Choosing between NumPy's kernels and compiled ones."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

import autograd
from autograd import kernels

with_numba = pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_context_manager_restores_what_was():
    before = autograd.get_kernels(), kernels.conv
    with autograd.use_kernels("numpy"):
        assert autograd.get_kernels() == "numpy"
        assert kernels.conv.__module__ == "autograd.kernels.numpy_conv"
    assert (autograd.get_kernels(), kernels.conv) == before


@with_numba
def test_calling_it_switches():
    before = autograd.get_kernels()
    try:
        for name in ("numpy", "numba"):
            autograd.use_kernels(name)
            assert autograd.get_kernels() == name
    finally:
        autograd.use_kernels(before)


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="expected 'numpy' or 'numba', got 'cuda'"):
        autograd.use_kernels("cuda")


@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=with_numba)])
def test_the_environment_chooses(name):
    told = run("import autograd; print(autograd.get_kernels())", NDGRAD_KERNELS=name)
    assert told.stdout.strip() == name, told.stderr


def test_another_name_in_the_environment_is_refused():
    told = run("import autograd", NDGRAD_KERNELS="fortran")
    assert "NDGRAD_KERNELS: expected 'numpy' or 'numba', got 'fortran'" in told.stderr


def test_without_numba_numpy_is_chosen_and_the_other_says_what_to_install():
    hide = "import sys; sys.meta_path.insert(0, type('', (), {'find_spec': staticmethod("
    hide += "lambda name, path=None, target=None: exec('raise ImportError') "
    hide += "if name == 'numba' else None)})); import importlib.util as u; "
    hide += "u.find_spec = lambda name: None; "
    told = run(
        hide + "import autograd; print(autograd.get_kernels()); autograd.use_kernels('numba')",
        NDGRAD_KERNELS="",
    )
    assert told.stdout.strip() == "numpy"
    assert 'pip install "ndgrad[fast]"' in told.stderr


@with_numba
def test_small_work_loads_no_compiled_kernels():
    code = """
import sys, autograd, nn
x = autograd.rand(4, 1, 8, 8, requires_grad=True)
nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))(x).sum().backward()
print({"numba", "llvmlite"} & set(sys.modules))
"""
    assert run(code, NDGRAD_KERNELS="numba").stdout.strip() == "set()"


@with_numba
def test_a_small_call_is_the_same_before_and_after_kernels_are_loaded():
    """A seeded run repeats bit for bit, whatever ran before it in the process."""
    code = """
import autograd, nn

def run():
    autograd.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2))
    optimizer = nn.optim.Adam(net.parameters())
    for _ in range(3):
        net(autograd.rand(4, 1, 9, 9)).square().sum().backward()
        optimizer.step()
    return b"".join(value.numpy().tobytes() for value in net.state_dict().values())

first = run()
net = nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
net(autograd.rand(8, 8, 32, 32)).sum().backward()
nn.optim.Adam(net.parameters()).step()
x = autograd.rand(100, 100, requires_grad=True)
x.sum().backward()
nn.optim.Adam([x]).step()
import sys
print("llvmlite" in sys.modules, run() == first)
"""
    told = run(code, NDGRAD_KERNELS="numba")
    assert told.stdout.split() == ["True", "True"], told.stderr
