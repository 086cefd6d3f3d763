"""Comparison with PyTorch: the same model with the same weights must do the same."""

import numpy as np
import pytest

import autograd


def array_of(value):
    """The values of a tensor of either library."""
    return np.asarray(value.detach().numpy())


def to_torch(value, requires_grad=False):
    torch = pytest.importorskip("torch")
    return torch.tensor(np.array(value), requires_grad=requires_grad)


def assert_same(ours, theirs, tolerance=None, what=""):
    """Equal shapes and dtypes, and values up to rounding."""
    if theirs is None or ours is None:
        assert ours is theirs, what
        return
    ours, theirs = array_of(ours), array_of(theirs)
    assert ours.shape == theirs.shape, what
    assert ours.dtype == theirs.dtype, what
    if tolerance is None:
        tolerance = 1e-10 if ours.dtype == np.float64 else 2e-5
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=what)


def copy_state(ours, theirs):
    """Give a PyTorch module the state of ours; the keys must agree, in order."""
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    theirs.load_state_dict({name: to_torch(array_of(value)) for name, value in state.items()})


def compare_modules(ours, theirs, *inputs, tolerance=None):
    """Outputs, gradients of inputs and parameters, and buffers afterwards."""
    copy_state(ours, theirs)
    assert repr(ours) == repr(theirs)
    mine = [leaf(value) for value in inputs]
    yours = [to_torch(value, np.asarray(value).dtype.kind == "f") for value in inputs]
    out, expected = ours(*mine), theirs(*yours)
    assert_same(out, expected, tolerance, "output")
    cotangent = np.random.default_rng(7).standard_normal(expected.shape)
    cotangent = cotangent.astype(array_of(expected).dtype)
    if expected.requires_grad:
        assert out.requires_grad
        out.backward(autograd.tensor(cotangent))
        expected.backward(to_torch(cotangent))
    for place, (one, other) in enumerate(zip(mine, yours, strict=True)):
        assert_same(one.grad, other.grad, tolerance, f"gradient of input {place}")
    pairs = zip(ours.named_parameters(), theirs.named_parameters(), strict=True)
    for (name, one), (_, other) in pairs:
        assert_same(one.grad, other.grad, tolerance, f"gradient of {name}")
    for (name, one), (_, other) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        assert_same(one, other, tolerance, f"buffer {name}")


def leaf(value):
    array = np.array(value)
    return autograd.tensor(array, requires_grad=array.dtype.kind == "f")
