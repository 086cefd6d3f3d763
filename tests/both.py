"""The same lines run with PyTorch and with this library: equal results, or errors from both."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import autograd
import nn

ERRORS = (RuntimeError, ValueError, TypeError, LookupError, NotImplementedError, AssertionError)


class InPyTorchsLayout:
    """This library with its modules where PyTorch has them: `lib.optim`, `lib.utils.data`."""

    nn, optim, amp, autograd = nn, nn.optim, nn.amp, autograd
    utils = SimpleNamespace(data=nn.data, checkpoint=nn.utils.checkpoint)

    def __getattr__(self, name):
        return getattr(autograd, name)


def grad_of(lib):
    return autograd.grad if lib is autograd else lib.autograd.grad


def function_of(lib):
    return autograd.Function if lib is autograd else lib.autograd.Function


def plain(value):
    """Nested results with arrays in place of tensors."""
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return np.asarray(value.detach().numpy()) if hasattr(value, "detach") else value


def outcome(program, lib):
    try:
        return plain(program(lib)), None
    except ERRORS as error:
        return None, f"{type(error).__name__}: {error}"


def assert_same(ours, theirs):
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    elif isinstance(ours, dict):
        assert_same(list(ours), list(theirs))
        assert_same(list(ours.values()), list(theirs.values()))
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    else:
        assert repr(ours) == repr(theirs)


def agree(program, raises=None, lib=autograd):
    """Run a program, a function of the library, in both; say whether an error is expected."""
    torch = pytest.importorskip("torch")
    ours, error = outcome(program, lib)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's are not our concern
        theirs, their_error = outcome(program, torch)
    assert bool(error) == bool(their_error), f"ours: {error}\nPyTorch's: {their_error}"
    assert_same(ours, theirs)
    if raises is not None:
        assert bool(error) == raises, error
