"""Jacobians, Hessians and their products: exact values, PyTorch's structures, and strictness."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import functional, tensor

NAMES = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")


def array(value):
    """Nested tuples of tensors, of either library, as nested tuples of arrays."""
    if isinstance(value, tuple):
        return tuple(map(array, value))
    return value.detach().numpy()


def assert_same(ours, theirs):
    assert type(ours) is type(theirs)
    if isinstance(ours, tuple):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
        return
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def pair(lib, x):
    return (x * x).exp().sum(0), x.sin()


def mixed(lib, x, y):
    return (x.sum() * y, (x * x)[0])


def number(lib, x, y):
    return (x.exp() * x).sum() * (y * y * y).sum() + y.sin().sum()


def flat(lib, x):
    return (x[:2] * x[1:]).sum().reshape(1)


def linear(lib, x):
    return x.sum() * 3


FUNCTIONS = {
    "jacobian": [(pair, [(2, 3)]), (mixed, [(3,), (2, 1)]), (number, [(2,), (3,)]), (flat, [(3,)])],
    "hessian": [(number, [(2,), (2, 2)]), (flat, [(3,)]), (linear, [(3,)])],
    "vjp": [(pair, [(2, 3)]), (mixed, [(3,), (2, 1)]), (flat, [(3,)])],
    "jvp": [(pair, [(2, 3)]), (mixed, [(3,), (2, 1)]), (flat, [(3,)])],
    "vhp": [(number, [(2,), (2, 2)]), (flat, [(3,)]), (linear, [(3,)])],
    "hvp": [(number, [(2,), (2, 2)]), (flat, [(3,)]), (linear, [(3,)])],
}
CASES = [
    pytest.param(name, func, shapes, in_tuple, id=f"{name}-{func.__name__}-{in_tuple}")
    for name, cases in FUNCTIONS.items()
    for func, shapes in cases
    for in_tuple in ((True, False) if len(shapes) == 1 else (True,))
]


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(("name", "func", "shapes", "in_tuple"), CASES)
def test_values_and_structures_are_pytorchs(name, func, shapes, in_tuple, create_graph):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in shapes]

    def run(lib, functional):
        inputs = tuple(lib.tensor(a) for a in arrays)
        extra = ()
        if name in ("jvp", "vhp", "hvp"):
            extra = (tuple(lib.tensor(a + 1) for a in arrays),)
        elif name == "vjp":
            outputs = func(lib, *inputs)
            if isinstance(outputs, tuple):
                extra = (tuple(o * 0.5 + 1 for o in outputs),)
            else:
                extra = (outputs * 0.5 + 1,)
        if not in_tuple:
            inputs = inputs[0]
            extra = tuple(e[0] if name != "vjp" else e for e in extra)
        result = getattr(functional, name)(
            lambda *x: func(lib, *x), inputs, *extra, create_graph=create_graph
        )
        return array(result)

    assert_same(run(autograd, functional), run(torch, torch.autograd.functional))


def test_jacobian_of_a_matrix_product():
    a = tensor(np.arange(6.0).reshape(2, 3))
    x = tensor([1.0, 2.0, 3.0], dtype=autograd.float64)
    np.testing.assert_array_equal(functional.jacobian(lambda x: a @ x, x).numpy(), a.numpy())


def test_hessian_of_a_quadratic_form():
    a = np.array([[2.0, 1.0], [1.0, 3.0]])
    x = tensor([0.3, -0.7], dtype=autograd.float64)
    hessian = functional.hessian(lambda x: x @ tensor(a) @ x / 2, x)
    np.testing.assert_allclose(hessian.numpy(), a)


def test_products_agree_with_the_matrices():
    rng = np.random.default_rng(1)
    x, v, w = (tensor(rng.normal(size=4)) for _ in range(3))

    def func(x):
        return x.exp() * x.flip(0)

    def total(x):
        return func(x).prod()

    jacobian, hessian = functional.jacobian(func, x).numpy(), functional.hessian(total, x).numpy()
    value, product = functional.jvp(func, x, v)
    np.testing.assert_allclose(value.numpy(), func(x).numpy())
    np.testing.assert_allclose(product.numpy(), jacobian @ v.numpy())
    np.testing.assert_allclose(functional.vjp(func, x, w)[1].numpy(), w.numpy() @ jacobian)
    for name in ("vhp", "hvp"):
        value, product = getattr(functional, name)(total, x, v)
        np.testing.assert_allclose(value.item(), total(x).item())
        np.testing.assert_allclose(product.numpy(), hessian @ v.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32(name):
    x = tensor([1.0, 2.0])
    extra = () if name in ("jacobian", "hessian") else (x if name != "vjp" else tensor(1.0),)
    func = (lambda x: (x**3).sum()) if name != "jacobian" else (lambda x: x * 2.0)
    results = getattr(functional, name)(func, x, *extra)
    for result in results if isinstance(results, tuple) else (results,):
        assert result.dtype == autograd.float32


def test_empty_outputs_give_empty_jacobians():
    assert functional.jacobian(lambda x: x[:0], tensor([1.0, 2.0])).shape == (0, 2)


def test_results_are_differentiable_only_where_asked():
    x = tensor([1.0, 2.0], requires_grad=True)
    assert not functional.jacobian(lambda x: x**3, x).requires_grad
    jacobian = functional.jacobian(lambda x: x**3, x, create_graph=True)
    jacobian.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6.0, 12.0])
    value, product = functional.vhp(lambda x: (x**3).sum(), x, x)
    assert not value.requires_grad
    assert not product.requires_grad


def test_inputs_and_their_gradients_are_left_alone():
    x = tensor([1.0, 2.0], requires_grad=True)
    fixed = tensor([1.0, 2.0])
    functional.hessian(lambda x, y: (x * y).sum(), (x, fixed))
    assert x.grad is None
    assert not fixed.requires_grad


def test_recording_is_on_inside_whatever_the_caller_switched_off():
    with autograd.no_grad():
        assert functional.jacobian(lambda x: x * x, tensor([3.0])).item() == 6.0
        hessian = functional.hessian(lambda x: (x**3).sum(), tensor([3.0]), create_graph=True)
        assert hessian.item() == 18.0
        assert functional.jvp(lambda x: x * x, tensor([3.0]))[1].item() == 6.0


@pytest.mark.parametrize(
    ("name", "func"),
    [
        ("jacobian", lambda x, y: x * x),
        ("jacobian", lambda x, y: (x * y).detach()),
        ("jacobian", lambda x, y: (x * y, tensor(1.0))),
        ("hessian", lambda x, y: (x * x).sum() + (y * y).sum()),
        ("hessian", lambda x, y: (x + y).sum()),
        ("vjp", lambda x, y: x.sum()),
        ("jvp", lambda x, y: x.detach()),
        ("vhp", lambda x, y: (x + y).sum()),
        ("hvp", lambda x, y: (x * x).sum()),
    ],
)
def test_strict_refuses_what_is_independent(name, func):
    x = tensor([1.0, 2.0])
    extra = ((x, x),) if name in ("jvp", "vhp", "hvp") else ()
    with pytest.raises(RuntimeError, match=f"^{name}: strict"):
        getattr(functional, name)(func, (x, x), *extra, strict=True)
    if name == "vjp" or extra:
        getattr(functional, name)(func, (x, x), *extra)


def test_constant_outputs_count_nothing_and_are_refused_by_strict():
    x, one = tensor([1.0, 2.0]), tensor(1.0)
    func, v = (lambda x: (x * x, tensor(3.0))), (x, one)
    values, product = functional.vjp(func, x, v)
    assert values[1].item() == 3.0
    np.testing.assert_array_equal(product.numpy(), [2.0, 8.0])
    assert functional.jvp(func, x, x)[1][1].item() == 0.0
    with pytest.raises(RuntimeError, match="^vjp: strict, but output 1 depends on no input"):
        functional.vjp(func, x, v, strict=True)


def test_strict_with_create_graph_refuses_constant_derivatives():
    x = tensor([1.0, 2.0])
    functional.jacobian(lambda x: x * 2, x, strict=True)
    with pytest.raises(RuntimeError, match="^jacobian: strict, but a derivative"):
        functional.jacobian(lambda x: x * 2, x, create_graph=True, strict=True)
    functional.jacobian(lambda x: x * x, x, create_graph=True, strict=True)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: functional.jacobian(lambda x: x, [x]), TypeError, "inputs must be .* got list"),
        (lambda x: functional.jacobian(lambda x: 3.0, x), TypeError, "returns must be .* float"),
        (lambda x: functional.jacobian(lambda x: (x, 1), x), TypeError, "got int in a tuple"),
        (lambda x: functional.jacobian(lambda x: x, tensor([1, 2])), RuntimeError, "int64"),
        (lambda x: functional.hessian(lambda x: x, x), RuntimeError, r"one element, got \(2,\)"),
        (lambda x: functional.vhp(lambda x: (x.sum(),), x, x), RuntimeError, "one tensor"),
        (lambda x: functional.vjp(lambda x: x, x), RuntimeError, "v may be left out only"),
        (lambda x: functional.jvp(lambda x: x, x), RuntimeError, "v may be left out only"),
        (lambda x: functional.vjp(lambda x: x, x, x[:1]), RuntimeError, r"\[\(1,\)\].*\[\(2,\)\]"),
        (lambda x: functional.jvp(lambda x: x, x, (x, x)), RuntimeError, "v has the shapes"),
    ],
)
def test_mistakes_are_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call(tensor([1.0, 2.0]))
