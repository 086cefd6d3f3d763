"""`gradcheck` and `gradgradcheck`: PyTorch's calls run, and give PyTorch's answers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autograd as ag
from autograd import Function, float64, gradcheck, gradgradcheck, tensor
from autograd.testing import GradcheckError, with_layout


def leaf(*shape, seed=0):
    return tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


class Planted(Function):
    """``x**2`` with a gradient that a test sets."""

    rule = staticmethod(lambda g, x: 2 * g * x)

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        return Planted.rule(gradient, ctx.saved_tensors[0])


@pytest.fixture
def plant(monkeypatch):
    return lambda rule: monkeypatch.setattr(Planted, "rule", staticmethod(rule))


RIGHT = {
    "tensor": (lambda x: x * x, leaf(2, 3)),
    "tuple": (lambda x, y: x * y, (leaf(2, 3), leaf(3, seed=1))),
    "list": (lambda x: x * x, [leaf(3)]),
    "with a number": (lambda x, n: x * n, (leaf(3), 3)),
    "a constant tensor": (lambda x, y: x * ag.abs(y), (leaf(3), tensor(np.zeros(3)))),
    "several outputs": (lambda x: (ag.sin(x), (x > 0), x * 2), (leaf(3),)),
    "no floating output": (lambda x: (x > 0).long(), (leaf(3),)),
    "not a leaf": (lambda x: ag.exp(x), (leaf(3) * 2,)),
    "reading a closure": (lambda *_: ag.exp(CLOSED) * CLOSED, (leaf(2),)),
    "the same tensor twice": (lambda x, y: x * y, (leaf(3, seed=4),) * 2),
    "in place on a clone": (lambda x: x.clone().mul_(x), (leaf(3),)),
    "empty": (lambda x: x * x, (tensor(np.zeros((0, 2)), requires_grad=True),)),
    "0-d": (lambda x: x * x, (tensor(0.5, dtype=float64, requires_grad=True),)),
    "transposed memory": (
        lambda x: ag.cumsum(x, 1),
        (ag.from_numpy(with_layout(np.ones((2, 3)), "transposed")).requires_grad_(),),
    ),
}
CLOSED = leaf(3, seed=2)
RIGHT["reading a closure"] = (RIGHT["reading a closure"][0], (CLOSED,))


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name, fast_mode):
    fn, inputs = RIGHT[name]
    tensors = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    before = [np.array(t.array) for t in tensors if isinstance(t, ag.Tensor)]
    assert gradcheck(fn, inputs, fast_mode=fast_mode) is True
    after = [t.array for t in tensors if isinstance(t, ag.Tensor)]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert all(t.grad is None for t in tensors if isinstance(t, ag.Tensor) and t.is_leaf)


@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        (lambda g, x: g * x, "half of what it should be"),
        (lambda g, x: -2 * g * x, "sign"),
        (lambda g, x: g * 0, "zero everywhere"),
        (lambda g, x: (2 * g * x).flip(0), "reversed"),
        (lambda g, x: 2 * g * x * np.nan, "NaN"),
    ],
)
def test_wrong_gradients_raise_with_their_cause(rule, cause, fast_mode, plant):
    x = leaf(3)
    assert gradcheck(Planted.apply, x, fast_mode=fast_mode)
    plant(rule)
    with pytest.raises(GradcheckError, match=cause) as caught:
        gradcheck(Planted.apply, x, fast_mode=fast_mode)
    assert isinstance(caught.value, RuntimeError)
    assert gradcheck(Planted.apply, x, fast_mode=fast_mode, raise_exception=False) is False


def test_the_tolerance_is_the_one_given(plant):
    x = tensor([1.0, 2.0], dtype=float64, requires_grad=True)
    plant(lambda g, x: 2.001 * g * x)
    assert gradcheck(Planted.apply, x)
    with pytest.raises(GradcheckError, match="mismatch for output 0 with respect to input 0"):
        gradcheck(Planted.apply, x, rtol=1e-4)
    plant(lambda g, x: 2.1 * g * x)
    assert gradcheck(Planted.apply, x, atol=0.3)
    assert gradcheck(Planted.apply, x, rtol=0.06)


def test_the_step_is_the_one_given():
    x = tensor([1e-3], dtype=float64, requires_grad=True)
    assert gradcheck(lambda x: ag.abs(x), x)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: ag.abs(x), x, eps=1e-2)


def test_a_gradient_that_is_cut_off_is_wrong():
    with pytest.raises(GradcheckError, match="cut off"):
        gradcheck(lambda x: x.detach() * 2, leaf(3))


def test_a_gradient_of_the_wrong_shape_is_explained(plant):
    plant(lambda g, x: g.sum())
    with pytest.raises(GradcheckError, match=r"shape \(\), the input \(3,\)"):
        gradcheck(Planted.apply, leaf(3))


def test_bad_input():
    with pytest.raises(ValueError, match="no input requires grad"):
        gradcheck(lambda x: x, tensor([1.0], dtype=float64))
    with pytest.raises(RuntimeError, match="share memory"):
        gradcheck(lambda x: x, tensor(np.ones((1, 3))).expand(2, 3).requires_grad_())
    with pytest.raises(AssertionError, match="check_backward_ad"):
        gradcheck(lambda x: x, leaf(2), check_backward_ad=False)
    with pytest.raises(AssertionError, match="check_rev_over_rev"):
        gradgradcheck(lambda x: x, leaf(2), check_rev_over_rev=False)
    with pytest.raises(NotImplementedError, match="vmap"):
        gradcheck(lambda x: x, leaf(2), check_batched_grad=True)
    with pytest.raises(GradcheckError, match="no tensor"):
        gradcheck(lambda x: 3.0, leaf(2))
    with pytest.raises(GradcheckError, match="random: two calls"):
        gradcheck(lambda x: x * ag.rand(2), leaf(2))
    with pytest.raises(TypeError, match="complex64"):
        gradcheck(lambda x: x, tensor([1j], requires_grad=True))


def test_single_precision_is_warned_of():
    x = tensor([1.0, 2.0], requires_grad=True)
    with pytest.warns(UserWarning, match="input 0 is float32"):
        assert gradcheck(lambda x: x * x, x, eps=1e-2, atol=1e-2)


def test_gradients_must_be_repeatable(plant):
    calls = []

    def rule(g, x):
        calls.append(1)
        return 2 * g * x * (1 + 1e-9 * len(calls))

    plant(rule)
    with pytest.raises(GradcheckError, match="two backward passes differ"):
        gradcheck(Planted.apply, leaf(3))
    assert gradcheck(Planted.apply, leaf(3), nondet_tol=1e-6)


def test_a_gradient_must_be_multiplied_by_what_comes_in(plant):
    plant(lambda g, x: 2 * x)
    with pytest.raises(GradcheckError, match="gradient of 0 gives something other than 0"):
        gradcheck(Planted.apply, leaf(3))


def test_forward_products_are_checked_too():
    x = leaf(2, 3)
    assert gradcheck(lambda x: (ag.exp(x), x * 2), x, check_forward_ad=True)
    assert gradcheck(lambda x: ag.exp(x), x, check_forward_ad=True, check_backward_ad=False)
    with pytest.raises(GradcheckError, match="J u with respect to input 0"):
        gradcheck(Half.apply, x, check_forward_ad=True, check_backward_ad=False)


class Half(Planted):
    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0]


def test_data_types_of_gradients():
    assert gradcheck(lambda x: x.float().double() * 2, leaf(3), check_grad_dtypes=True, atol=0.1)


def test_second_order():
    x, y = leaf(3), leaf(2, 3, seed=1)
    assert gradgradcheck(lambda x: x**3, x)
    assert gradgradcheck(lambda x: 2 * x, x)
    assert gradgradcheck(
        lambda x, y: (x * y * y, (x > 0)), (x, y), gen_non_contig_grad_outputs=True
    )
    assert gradgradcheck(lambda x: x**3, x, leaf(3, seed=5))
    assert gradgradcheck(lambda x: x**3, x, tensor(np.ones(3)))
    assert gradgradcheck(lambda x: ag.exp(x), x, check_fwd_over_rev=True)


def test_a_wrong_second_derivative_raises(plant):
    x = leaf(3)
    assert gradgradcheck(Planted.apply, x)
    plant(lambda g, x: 2 * g * x.detach())
    assert gradcheck(Planted.apply, x)
    with pytest.raises(GradcheckError, match="with respect to input 0"):
        gradgradcheck(Planted.apply, x)
    assert gradgradcheck(Planted.apply, x, raise_exception=False) is False


@pytest.mark.parametrize("name", ["gradcheck", "gradgradcheck"])
def test_signatures_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.autograd, name)).parameters
    ours = inspect.signature(getattr(ag, name)).parameters
    assert [(p.name, p.kind, p.default) for p in ours.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]


CASES = {
    "exp": (lambda lib, x: lib.exp(x), [[0.5, -1.0]], {}),
    "relu at 0": (lambda lib, x: lib.relu(x), [[0.0, 1.0]], {}),
    "relu near 0": (lambda lib, x: lib.relu(x), [[5e-7, 1.0]], {}),
    "relu near 0, small step": (lambda lib, x: lib.relu(x), [[5e-7, 1.0]], {"eps": 1e-8}),
    "detached": (lambda lib, x: x.detach() + x, [[1.0]], {}),
    "loose": (lambda lib, x: x.detach() * 1e-6 + x, [[1.0]], {}),
    "nan": (lambda lib, x: lib.log(x), [[-1.0, 1.0]], {}),
    "integers": (lambda lib, x: (x * 2).long(), [[-1.0, 1.0]], {}),
    "fast": (lambda lib, x: x.detach() * x, [[-1.0, 1.0]], {"fast_mode": True}),
    "norm": (lambda lib, x: lib.sum(x * x) ** 0.5, [[3.0, 4.0]], {"fast_mode": True}),
}


@pytest.mark.parametrize("name", CASES)
def test_answers_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    fn, values, options = CASES[name]
    theirs = torch.autograd.gradcheck(
        lambda x: fn(torch, x),
        torch.tensor(values, dtype=torch.float64, requires_grad=True),
        raise_exception=False,
        **options,
    )
    x = tensor(values, dtype=float64, requires_grad=True)
    ours = gradcheck(lambda x: fn(ag, x), x, raise_exception=False, **options)
    assert ours is theirs
