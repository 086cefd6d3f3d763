"""Data types: how they combine, which come out of operations, and which may carry gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd
from autograd import Tensor, tensor

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
NUMBERS = {"bool": True, "int": 2, "float": 1.5}
FUNCTIONS = {
    "add": lambda lib, x, y: lib.add(x, y),
    "mul": lambda lib, x, y: x * y,
    "div": lambda lib, x, y: x / y,
    "maximum": lambda lib, x, y: lib.maximum(x, y),
    "where": lambda lib, x, y: lib.where(lib.tensor([True, False]), x, y),
    "eq": lambda lib, x, y: x == y,
}


@pytest.fixture
def float64_by_default():
    autograd.set_default_dtype(autograd.float64)
    yield
    autograd.set_default_dtype(autograd.float32)


# How types combine, against PyTorch


def in_torch(name):
    return getattr(pytest.importorskip("torch"), name)


def operand(library, name, ndim):
    """A tensor of ones with `ndim` axes, or a Python number."""
    if ndim is None:
        return NUMBERS[name]
    dtype = in_torch(name) if library is not autograd else np.dtype(name)
    return library.ones((2,) * ndim, dtype=dtype)


def same_dtype(mine, theirs):
    return in_torch(str(mine.dtype)) == theirs.dtype


RANKED = [*((name, 1) for name in NAMES), *((name, 0) for name in NAMES)]
RANKED += [(name, None) for name in NUMBERS]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("first", RANKED, ids=str)
def test_types_combine_as_in_torch(first, function):
    torch = pytest.importorskip("torch")
    for second in RANKED:
        if first[1] is None and second[1] is None:
            continue
        if function == "maximum" and None in (first[1], second[1]):
            continue
        call = FUNCTIONS[function]
        theirs = call(torch, operand(torch, *first), operand(torch, *second))
        mine = call(autograd, operand(autograd, *first), operand(autograd, *second))
        assert same_dtype(mine, theirs), f"{function}({first}, {second}): {mine.dtype}"


@pytest.mark.parametrize(("one", "other"), list(itertools.product(NAMES, NAMES)))
def test_promote_types_as_in_torch(one, other):
    torch = pytest.importorskip("torch")
    mine = autograd.promote_types(np.dtype(one), np.dtype(other))
    assert in_torch(str(mine)) == torch.promote_types(in_torch(one), in_torch(other))
    mine = autograd.result_type(operand(autograd, one, 1), operand(autograd, other, 0))
    theirs = torch.result_type(operand(torch, one, 1), operand(torch, other, 0))
    assert in_torch(str(mine)) == theirs
    mine = autograd.cat([operand(autograd, one, 1), operand(autograd, other, 1)]).dtype
    assert in_torch(str(mine)) == torch.promote_types(in_torch(one), in_torch(other))


@pytest.mark.parametrize(
    "name", ["exp", "sqrt", "sigmoid", "sin", "mean", "sum", "prod", "softmax"]
)
def test_results_of_one_tensor_as_in_torch(name):
    torch = pytest.importorskip("torch")
    options = {"dim": 0} if name == "softmax" else {}
    only_floats = name in ("mean", "softmax")
    for dtype in NAMES[6:] if only_floats else NAMES:
        mine = getattr(autograd, name)(operand(autograd, dtype, 1), **options)
        theirs = getattr(torch, name)(operand(torch, dtype, 1), **options)
        assert same_dtype(mine, theirs), f"{name}({dtype}): {mine.dtype}"


@pytest.mark.parametrize("number", [True, 2, 1.5, 2.0, np.float64(1.5), np.int64(3), np.float32(2)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_never_widen_a_tensor(dtype, number):
    """Nor do NumPy's scalars, from either side, forward or backward."""
    for function in (
        lambda x: x * number,
        lambda x: number * x,
        lambda x: x + number,
        lambda x: number - x,
        lambda x: x / number,
        lambda x: number / x,
        lambda x: x**number,
        lambda x: number**x,
        lambda x: autograd.clamp(x, min=number),
        lambda x: autograd.where(x > number, x, number),
        lambda x: autograd.maximum(x, tensor(number)),
    ):
        x = tensor([1.0, 2.0], dtype=dtype, requires_grad=True)
        y = function(x)
        assert y.dtype == np.dtype(dtype)
        (slope,) = autograd.grad(y.sum(), x, create_graph=True)
        assert slope.dtype == np.dtype(dtype)
        if slope.requires_grad:
            (curvature,) = autograd.grad(slope.sum(), x, materialize_grads=True)
            assert curvature.dtype == np.dtype(dtype)


def test_each_input_has_gradients_of_its_own_type():
    x = tensor([1.0, 2.0], dtype="float32", requires_grad=True)
    y = tensor([3.0, 4.0], dtype="float64", requires_grad=True)
    z = tensor([0.5, 0.5], dtype="float16", requires_grad=True)
    out = x * y + z
    assert out.dtype == autograd.float64
    out.sum().backward()
    assert [t.grad.dtype for t in (x, y, z)] == [t.dtype for t in (x, y, z)]


def test_casting_carries_gradients_back():
    x = tensor([1.0, 2.0], requires_grad=True)
    y = x.double() ** 2
    assert y.dtype == autograd.float64
    y.sum().backward()
    assert x.grad.dtype == autograd.float32
    assert x.grad.tolist() == [2.0, 4.0]


# Types of new tensors


@pytest.mark.parametrize(
    "data",
    [
        1,
        1.0,
        True,
        [1, 2],
        [1, 2.5],
        [True, False],
        [True, 2],
        [],
        [[]],
        1j,
        np.float64(1),
        [np.float64(1)],
        np.int32(1),
        np.array([1.0]),
        np.array([1], np.int16),
        [[1.0], [2.0]],
    ],
    ids=repr,
)
def test_data_gets_the_type_it_has_in_torch(data):
    torch = pytest.importorskip("torch")
    mine, theirs = tensor(data), torch.tensor(data)
    assert same_dtype(mine, theirs)
    assert mine.shape == tuple(theirs.shape)
    assert mine.tolist() == theirs.tolist()


def test_arrays_and_tensors_in_data():
    assert tensor([np.array([1.0]), np.array([2.0])]).dtype == autograd.float64
    inner = tensor([1.0, 2.0], dtype="float64")
    assert tensor([inner, inner]).dtype == autograd.float64
    assert tensor([tensor(1.0), tensor(2.0)]).dtype == autograd.float32
    assert tensor(inner).dtype == autograd.float64
    assert tensor([tensor(1), 2]).dtype == autograd.int64


def test_default_dtype(float64_by_default):
    assert autograd.get_default_dtype() == autograd.float64
    assert tensor(1.0).dtype == autograd.float64
    assert autograd.zeros(2).dtype == autograd.float64
    assert autograd.randn(2).dtype == autograd.float64
    assert (tensor([1, 2]) / 2).dtype == autograd.float64
    assert (tensor([1, 2]) * 1.5).dtype == autograd.float64
    assert tensor([1, 2]).exp().dtype == autograd.float64
    assert (tensor([1.0], dtype="float32") * 1.5).dtype == autograd.float32


@pytest.mark.parametrize("dtype", ["int32", "bool", "complex64"])
def test_default_dtype_is_a_float(dtype):
    with pytest.raises(TypeError, match=f"set_default_dtype: got {dtype}"):
        autograd.set_default_dtype(dtype)


def test_foreign_byte_order_is_turned():
    swapped = np.array([1.0, 2.0]).astype(np.dtype(np.float32).newbyteorder())
    assert tensor(swapped).dtype == autograd.float32
    assert tensor(swapped).tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="from_numpy: .*byte order"):
        autograd.from_numpy(swapped)


@pytest.mark.parametrize("data", ["text", ["a", "b"], [None], object(), {"a": 1}, 2**70])
def test_what_is_no_number_is_refused(data):
    with pytest.raises(TypeError, match="^tensor: "):
        tensor(data)


# Which types may carry gradients


@pytest.mark.parametrize("name", ["bool", "int64", "uint8", "complex64"])
def test_only_real_floats_require_gradients(name):
    dtype = np.dtype(name)
    with pytest.raises(TypeError, match=name):
        tensor([1, 0], dtype=dtype, requires_grad=True)
    with pytest.raises(TypeError, match=name):
        autograd.zeros(2, dtype=dtype, requires_grad=True)
    with pytest.raises(TypeError, match=name):
        tensor([1, 0], dtype=dtype).requires_grad_()


def test_no_gradient_passes_through_complex_numbers():
    x = tensor([1.0, 2.0], requires_grad=True)
    for function in (lambda: x * 1j, lambda: x.cfloat(), lambda: x + tensor([1j, 2j])):
        with pytest.raises(TypeError, match="complex"):
            function()
        with autograd.no_grad():
            assert function().dtype == autograd.complex64


def test_results_without_a_derivative_require_none():
    x = tensor([1.5, -2.0], requires_grad=True)
    for result in (
        x > 0,
        x == 1.5,
        x.argmax(),
        x.argsort(),
        x.int(),
        x.bool(),
        x.isnan(),
        x.logical_not(),
        x.nonzero(),
        x.sort().indices,
        x.max(0).indices,
        x.count_nonzero(),
    ):
        assert isinstance(result, Tensor)
        assert not result.requires_grad
        assert result.grad_fn is None


def test_types_of_methods():
    x = tensor([1.7, -1.7])
    kinds = {
        "float": "float32",
        "double": "float64",
        "half": "float16",
        "long": "int64",
        "int": "int32",
        "short": "int16",
        "char": "int8",
        "bool": "bool",
    }
    for method, name in kinds.items():
        assert getattr(x, method)().dtype == np.dtype(name)
    assert x.long().tolist() == [1, -1]
    assert x.to("float64").dtype == x.type(np.float64).dtype == autograd.float64
    assert x.to(x.double()).dtype == x.type_as(x.double()).dtype == autograd.float64
    assert x.to("cpu") is x
    assert x.to(autograd.float32) is x
