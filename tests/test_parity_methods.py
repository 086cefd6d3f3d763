"""Operators, methods with signatures of their own, and in-place functions agree with PyTorch."""

from __future__ import annotations

import operator

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from parity import assert_same, theirs

import autograd
from autograd import Tensor, tensor

random = np.random.default_rng(7)
X = random.uniform(0.5, 2, (2, 3))
Y = random.uniform(0.5, 2, (2, 3))
ROW = random.uniform(0.5, 2, (3,))
WHOLE = np.array([[7, -7, 3], [-3, 1, 0]])
FLAGS = np.array([True, False, True])


def compare(function, *arrays):
    """A function of tensors does the same on tensors of either library, gradients included."""
    mine = [tensor(a) for a in arrays]
    reference = [theirs(a) for a in arrays]
    for t in (*mine, *reference):
        if t.is_floating_point():
            t.requires_grad_()
    found, expected = function(*mine), function(*reference)
    assert_same(found, expected, "result")
    if not isinstance(expected, torch.Tensor) or not expected.requires_grad:
        return
    incoming = np.random.default_rng(8).uniform(0.5, 1.5, tuple(expected.shape))
    found.backward(tensor(incoming))
    expected.backward(torch.as_tensor(incoming))
    for one, other in zip(mine, reference, strict=True):
        if other.grad is None:
            assert one.grad is None or not one.grad.any()
        else:
            assert_same(one.grad, other.grad, "gradient")


# Operators

BINARY = [
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
]
DIFFERENTIABLE = {"add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge", "eq", "ne"}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("number", [2, 1.5])
def test_operators_with_numbers_on_either_side(name, number):
    apply = getattr(operator, name)
    values = X if name in DIFFERENTIABLE else X.astype(np.float32).astype(np.float64)
    for left_to_right in (True, False):

        def function(x, left_to_right=left_to_right):
            x = x if name in DIFFERENTIABLE else x.detach()
            return apply(x, number) if left_to_right else apply(number, x)

        compare(function, values)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("arrays", [(X, Y), (X, ROW), (WHOLE, np.array([2, 3, 5]))], ids=len)
def test_operators_between_tensors(name, arrays):
    apply = getattr(operator, name)
    if name == "pow" and arrays[0] is WHOLE:
        arrays = (WHOLE, np.array([2, 0, 1]))
    compare(
        lambda x, y: apply(x, y) if name in DIFFERENTIABLE else apply(x.detach(), y.detach()),
        *arrays,
    )


@pytest.mark.parametrize("name", ["neg", "pos", "abs", "invert"])
def test_unary_operators(name):
    apply = getattr(operator, name)
    compare(apply, WHOLE if name == "invert" else X - 1)
    if name == "invert":
        compare(apply, FLAGS)


@pytest.mark.parametrize("name", ["and_", "or_", "xor"])
def test_bitwise_operators(name):
    apply = getattr(operator, name)
    compare(apply, FLAGS, ~FLAGS)
    compare(apply, WHOLE, WHOLE[0])
    compare(lambda x: apply(x, 3), WHOLE)
    compare(lambda x: apply(3, x), WHOLE)
    with pytest.raises(TypeError, match="integers or booleans"):
        apply(tensor(X), tensor(X))


@pytest.mark.parametrize(
    "name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior"]
)
def test_augmented_assignment(name):
    apply = getattr(operator, name)
    values, other = (WHOLE, WHOLE[0]) if name in ("iand", "ior") else (X, ROW)

    def function(x, y):
        x, y = (x, y) if name not in ("ifloordiv", "imod") else (x.detach(), y.detach())
        z = x.clone()
        same = z
        z = apply(z, y)
        assert z is same
        return z

    compare(function, values, other)


def test_matmul_operator():
    compare(lambda x, y: x @ y, X, Y.T)
    assert (tensor(X) @ Y.T).shape == (2, 2)
    assert (X @ tensor(Y).T).shape == (2, 2)


@pytest.mark.parametrize("thing", ["text", None, [1.0], object()])
def test_operators_leave_strangers_alone(thing):
    x = tensor(X)
    for apply in (operator.add, operator.mul, operator.lt, operator.matmul, operator.and_):
        with pytest.raises(TypeError):
            apply(x, thing)
        with pytest.raises(TypeError):
            apply(thing, x)
    assert (x == thing) is False
    assert (x != thing) is True


def test_an_operand_may_know_better():
    class Stranger:
        def __radd__(self, other):
            return "mine"

    assert tensor(1.0) + Stranger() == "mine"


# NumPy's functions and arrays


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "tanh", "square", "negative", "abs"])
def test_numpy_functions_are_recorded(name):
    x = tensor(X, requires_grad=True)
    y = getattr(np, name)(x)
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(y.detach().numpy(), getattr(np, name)(X))
    y.sum().backward()
    assert x.grad is not None


def test_arrays_on_either_side_are_recorded():
    x = tensor(X, requires_grad=True)
    for apply in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        for y, expected in ((apply(Y, x), apply(Y, X)), (apply(x, Y), apply(X, Y))):
            assert isinstance(y, Tensor)
            assert y.requires_grad
            np.testing.assert_allclose(y.detach().numpy(), expected)
    assert (np.float64(2) * x).requires_grad
    assert (np.array(2.0) * x).requires_grad
    assert np.asarray(x.detach()).dtype == np.float64
    with pytest.raises(TypeError):
        np.add(x, 1, out=np.zeros(3))
    with pytest.raises(TypeError):
        np.gcd(x, 1)


# Methods with signatures of their own

METHODS = [
    lambda x: x.reshape(3, 2),
    lambda x: x.reshape((3, 2)),
    lambda x: x.reshape(-1),
    lambda x: x.view(6),
    lambda x: x.view(-1, 2),
    lambda x: x.view([3, 2]),
    lambda x: x.reshape_as(x.t()),
    lambda x: x.view_as(x.reshape(3, 2)),
    lambda x: x.permute(1, 0),
    lambda x: x.permute((1, 0)),
    lambda x: x.expand(4, 2, 3),
    lambda x: x[:1].expand(5, -1),
    lambda x: x[0].expand((2, 3)),
    lambda x: x[:1].expand_as(x),
    lambda x: x.repeat(2, 1),
    lambda x: x.repeat(2, 3, 1),
    lambda x: x.repeat((1, 2)),
    lambda x: x.tile(2),
    lambda x: x.tile((2, 1)),
    lambda x: x.t(),
    lambda x: x.T,
    lambda x: x.mT,
    lambda x: x[None].mT,
    lambda x: x.where(x > 1, 0.0),
    lambda x: x.flatten(),
    lambda x: x.transpose(0, 1),
    lambda x: x.max(dim=1)[0],
    lambda x: x.max(1).values,
    lambda x: x.sum(-1, keepdim=True),
    lambda x: x.size(),
    lambda x: x.size(-1),
    lambda x: x.dim(),
    lambda x: x.ndim,
    lambda x: x.numel(),
    lambda x: x.shape,
    lambda x: x.stride(),
    lambda x: x.t().stride(),
    lambda x: x.t().is_contiguous(),
    lambda x: x.t().contiguous(),
    lambda x: x.element_size(),
    lambda x: x.tolist(),
    lambda x: x.sum().item(),
    lambda x: float(x.detach().sum()),
    lambda x: int(x.detach().sum()),
    lambda x: bool(x.sum() > 0),
    lambda x: len(x),
    lambda x: x.equal(x.clone()),
    lambda x: x.double().sum().item(),
    lambda x: x.detach(),
    lambda x: x.data * 2,
    lambda x: x.long(),
    lambda x: x.is_floating_point(),
    lambda x: x.shape.numel(),
    lambda x: tuple(x.size()),
]


@pytest.mark.parametrize("function", METHODS)
def test_methods(function):
    compare(function, X)


REFUSED = [
    (lambda x: x.t().view(6), ["view", "(3, 2)", "(6,)"]),
    (lambda x: x.view(5), ["view", "(2, 3)", "(5,)"]),
    (lambda x: x.reshape(4, -1), ["reshape", "(4, -1)"]),
    (lambda x: x.permute(0), ["permute", "(0,)"]),
    (lambda x: x.expand(2, 4), ["expand", "(2, 3)", "(2, 4)"]),
    (lambda x: x.expand(3), ["expand", "(2, 3)"]),
    (lambda x: x.repeat(2), ["repeat", "2 dimensions"]),
    (lambda x: x.repeat(-1, 2), ["repeat", "negative"]),
    (lambda x: x.item(), ["item", "(2, 3)"]),
    (lambda x: bool(x), ["bool", "(2, 3)"]),
    (lambda x: float(x), ["float", "(2, 3)"]),
    (lambda x: x.size(2), ["size", "dim 2"]),
    (lambda x: x.numpy(), ["numpy", "requires grad"]),
]


@pytest.mark.parametrize(("function", "words"), REFUSED)
def test_refused(function, words):
    for x in (tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)):
        with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as caught:
            function(x)
        if isinstance(x, Tensor):
            for word in words:
                assert word in str(caught.value)


# In-place functions

INPLACE = {
    "add_": [(Y,), (2.0,), (ROW,)],
    "sub_": [(Y,), (2.0,)],
    "mul_": [(Y,), (2.0,), (ROW,)],
    "div_": [(Y,), (2.0,)],
    "pow_": [(2.0,), (Y,)],
    "clamp_": [(0.7, 1.2)],
    "clip_": [(0.7, 1.2)],
    "lerp_": [(Y, 0.3)],
    "addcmul_": [(Y, ROW)],
    "addcdiv_": [(Y, ROW)],
    "masked_fill_": [(FLAGS, 3.0)],
    "scatter_": [(1, np.array([[0], [2]]), 4.0), (1, np.array([[0], [2]]), Y[:, :1].copy())],
    "scatter_add_": [(1, np.array([[0, 0], [2, 1]]), Y[:, :2].copy())],
    "index_add_": [(0, np.array([1, 1]), Y)],
    "zero_": [()],
    "fill_": [(7.0,)],
    "copy_": [(Y,), (ROW,)],
    **{
        name: [()]
        for name in (
            *("abs_", "ceil_", "cos_", "erf_", "exp_", "expm1_", "floor_", "log1p_", "log_"),
            *("neg_", "reciprocal_", "relu_", "round_", "rsqrt_", "sigmoid_", "sign_", "sin_"),
            *("sqrt_", "square_", "tan_", "tanh_", "trunc_"),
        )
    },
}
WITHOUT_GRADIENT = {
    "floor_divide_": [(0.3,)],
    "remainder_": [(0.3,)],
    "bitwise_and_": [],
    "bitwise_or_": [],
    "bitwise_xor_": [],
    "detach_": [()],
    "requires_grad_": [()],
}
RANDOM = {"bernoulli_", "normal_", "random_", "uniform_"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [(name, arguments) for name, table in INPLACE.items() for arguments in table],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_inplace(name, arguments):
    arrays = [a for a in arguments if isinstance(a, np.ndarray)]

    def function(x, *rest):
        given = iter(rest)
        y = x * 1.0
        part = y[:, :]
        values = [next(given) if isinstance(a, np.ndarray) else a for a in arguments]
        assert getattr(part, name)(*values) is part
        return y * part

    compare(function, X, *arrays)


@pytest.mark.parametrize("name", [name for name, table in WITHOUT_GRADIENT.items() if table])
def test_inplace_without_gradient(name):
    for arguments in WITHOUT_GRADIENT[name]:
        compare(lambda x, a=arguments: getattr(x.detach().clone(), name)(*a).detach(), X)


def test_every_inplace_method_is_here():
    """Of those that PyTorch has too."""
    mine = {n for n in dir(Tensor) if n.endswith("_") and not n.startswith("_")}
    shared = {name for name in mine if hasattr(torch.Tensor, name)}
    assert shared <= {*INPLACE, *WITHOUT_GRADIENT, *RANDOM}


def test_every_method_is_known_to_torch():
    """What only we have is listed: nothing is invented where PyTorch has a name."""
    own = {n for n in dir(Tensor) if not n.startswith("_") and not hasattr(torch.Tensor, n)}
    assert own <= {"array"}


def test_every_name_is_known_to_torch():
    elsewhere = {
        # torch.autograd, torch.autograd.functional, torch.nn.functional
        *("Function", "backward", "grad", "gradcheck", "gradgradcheck", "functional"),
        # torch.testing, torchviz, torchview
        *("testing", "make_dot", "draw_graph"),
        # our own: errors, the registry and doors for libraries on top
        *("DtypeError", "GradientShapeError", "GraphError", "InplaceError", "ShapeError"),
        *("Case", "OPS", "Op", "primitive", "ops", "module_scope", "writable", "RemovableHandle"),
        *("get_kernels", "use_kernels", "recompute"),
    }
    unknown = {n for n in autograd.__all__ if not hasattr(torch, n)} - elsewhere
    assert not unknown
