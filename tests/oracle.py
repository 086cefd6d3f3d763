"""Comparison with PyTorch: the same model with the same weights must do the same."""

import warnings
from types import FunctionType

import numpy as np
import pytest

import autograd
import nn


def namespaces():
    """Each namespace of the library, with those of PyTorch that have its names."""
    torch = pytest.importorskip("torch")
    collate = torch.utils.data._utils.collate  # where default_collate and default_convert live
    return [
        (autograd, (torch, torch.autograd)),
        (autograd.functional, (torch.autograd.functional,)),
        (nn, (torch.nn,)),
        (nn.functional, (torch.nn.functional,)),
        (nn.init, (torch.nn.init,)),
        (nn.utils, (torch.nn.utils, torch.utils.checkpoint)),
        (nn.utils.rnn, (torch.nn.utils.rnn,)),
        (nn.optim, (torch.optim,)),
        (nn.optim.lr_scheduler, (torch.optim.lr_scheduler,)),
        (nn.data, (torch.utils.data, collate)),
        (nn.amp, (torch.amp,)),
    ]


def shared(mine, yours):
    """The public names of a namespace that PyTorch has too, with what they stand for there."""
    return {
        name: getattr(library, name)
        for name in mine.__all__
        for library in reversed(yours)
        if hasattr(library, name)
    }


def in_torch(call):
    """The same function, run by PyTorch: what its file takes from here comes from there."""
    twins = {}
    for mine, yours in namespaces():
        twins[id(mine)] = yours[0]
        twins |= {id(getattr(mine, name)): twin for name, twin in shared(mine, yours).items()}
    names = {name: twins.get(id(value), value) for name, value in call.__globals__.items()}

    def rebuilt(function):
        rest = (function.__name__, function.__defaults__, function.__closure__)
        return FunctionType(function.__code__, names, *rest)

    for name, value in names.items():
        if isinstance(value, FunctionType) and value.__globals__ is call.__globals__:
            names[name] = rebuilt(value)
    return rebuilt(call)


def refused_in_torch(call):
    """Whether PyTorch raises, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            in_torch(call)()
        except Exception as error:  # PyTorch's are of many kinds
            if isinstance(error, (AttributeError, NameError)) and "module" in str(error):
                raise  # a name that PyTorch does not have
            return True
    return False


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
