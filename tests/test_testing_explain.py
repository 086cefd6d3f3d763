"""The tester names the likely cause of a wrong gradient: each is planted, and must be found."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Function, float32, float64, tensor
from autograd.testing import Verdict, check_gradients


def operation(forward, backward):
    """A Function from plain functions: backward(gradient, *inputs) returns all gradients."""

    class Planted(Function):
        @staticmethod
        def forward(ctx, *inputs):
            ctx.save_for_backward(*inputs)
            return forward(*inputs)

        @staticmethod
        def backward(ctx, gradient):
            return backward(gradient, *ctx.saved_tensors)

    return Planted.apply


def values(*shape, seed=0):
    return tensor(np.random.default_rng(seed).uniform(0.5, 2.0, shape))


def windows(x, weight, stride=1):
    """A one-dimensional convolution without padding, from slices."""
    count = (x.shape[0] - weight.shape[0]) // stride + 1
    parts = [x[o * stride : o * stride + weight.shape[0]] * weight for o in range(count)]
    return ag.stack([part.sum() for part in parts])


def spread(gradient, x, weight, stride, start=0):
    out = ag.zeros_like(x)
    for o in range(gradient.shape[0]):
        for k in range(weight.shape[0]):
            place = start + o * stride + k
            if 0 <= place < x.shape[0]:
                out[place] = out[place] + gradient[o] * weight[k]
    return out


W = tensor([1.0, 2.0, 4.0], dtype=float64)
SQUARE = (values(3, 3),)
PAIR = (values(2, 3), values(2, 3, seed=1))

PLANTED = {
    "sign": (lambda x: ag.exp(x), lambda g, x: -g * ag.exp(x), (values(2, 3),)),
    "factor 2": (lambda x: x * x, lambda g, x: 4 * g * x, (values(3),)),
    "factor 1/2": (lambda x: x * x, lambda g, x: g * x, (values(3),)),
    "factor 6": (lambda x: x.mean(), lambda g, x: (g * ag.ones_like(x),), (values(2, 3),)),
    "zero": (lambda x: ag.sin(x), lambda g, x: g * 0, (values(3),)),
    "cut off": (lambda x: ag.sin(x), lambda g, x: None, (values(3),)),
    "nan": (lambda x: ag.sin(x), lambda g, x: g * np.nan, (values(3),)),
    "swapped": (lambda x, y: x * y, lambda g, x, y: (g * x, g * y), PAIR),
    "transposed": (
        lambda x: ag.exp(x.T),
        lambda g, x: g.reshape(*x.shape) * ag.exp(x),
        (tensor(np.full((2, 3), 0.5)),),
    ),
    "off by one": (
        lambda x: x[1:] * 2.0,
        lambda g, x: ag.cat([g * 2.0, ag.zeros(1, dtype=float64)]),
        (values(5),),
    ),
    "off by two": (
        lambda x: windows(x, W),
        lambda g, x: spread(g, x, W, 1, start=2),
        (values(8),),
    ),
    "off by one stride": (
        lambda x: windows(x, W, stride=2),
        lambda g, x: spread(g, x, W, 1),
        (values(9),),
    ),
    "missing sum": (
        lambda x, y: x + y,
        lambda g, x, y: (g, g[0]),
        (values(4, 3), values(3)),
    ),
    "extra sum": (
        lambda x: x * 3.0,
        lambda g, x: (g * 3.0).sum(0, keepdim=True).expand(2, 3),
        (values(2, 3),),
    ),
    "reversed": (lambda x: ag.flip(x, (0,)), lambda g, x: g, (values(4),)),
    "not transposed": (lambda x: ag.cumsum(x, 0), lambda g, x: ag.cumsum(g, 0), (values(4),)),
    "dropped term": (
        lambda x: x * 3.0,
        lambda g, x: ag.cat([g[:-1] * 3.0, ag.zeros(1, dtype=float64)]),
        (values(4),),
    ),
    "factor of a value": (lambda x: x**3, lambda g, x: 3 * g * x, (values(4),)),
    "wrong dtype": (
        lambda x: ag.sin(x),
        lambda g, x: (g * ag.cos(x)).to(float32).to(float64),
        (values(4),),
    ),
    "imprecise": (
        lambda x: ag.sin(x),
        lambda g, x: g * ag.cos(x) * (1 + 3e-7 * x),
        (values(4),),
    ),
    "not linear": (lambda x: ag.sin(x), lambda g, x: g * g * ag.cos(x), (values(4),)),
    "not multiplied": (lambda x: ag.sin(x), lambda g, x: ag.cos(x), (values(4),)),
    "missing term": (
        lambda x: x * ag.sin(x),
        lambda g, x: g * x * ag.cos(x),
        (values(4),),
    ),
    "one term": (
        lambda x: x**3 + ag.cos(x),
        lambda g, x: g * x**2,
        (values(4),),
    ),
    "exchanged": (
        lambda x, y: x**2 / y,
        lambda g, x, y: (2 * g * x / y, -g * y**2 / x**2),
        PAIR,
    ),
    "wrong axis": (
        lambda x: ag.softmax(x, 1),
        lambda g, x: ag.softmax(x, 1) * (g - (g * ag.softmax(x, 1)).sum(0, keepdim=True)),
        (values(2, 3),),
    ),
    "dilation": (
        lambda x: windows(x, tensor([1.0, 0.0, 3.0, 0.0, 2.0], dtype=float64)),
        lambda g, x: spread(g, x, tensor([1.0, 3.0, 2.0], dtype=float64), 1),
        (values(9),),
    ),
    "wrong places": (
        lambda x: x * tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=float64),
        lambda g, x: g * tensor([2.0, 5.0, 1.0, 3.0, 4.0], dtype=float64),
        (values(5),),
    ),
    "unknown": (lambda x: ag.sin(x), lambda g, x: g * ag.exp(-x * x), (values(4),)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_named(name):
    forward, backward, inputs = PLANTED[name]
    result = check_gradients(operation(forward, backward), *inputs, raise_exception=False)
    assert result.verdict is Verdict.WRONG
    assert result.order == 1
    assert result.cause.name == name, result.report()


@pytest.mark.parametrize(
    ("forward", "backward", "name", "words"),
    [
        (lambda x, y: x / y, lambda g, x, y: (g / y, -g * y / x**2), "exchanged", "input 0 and"),
        (lambda x, y: x * y, lambda g, x, y: (g * x, g * y), "swapped", "gradient of input 0"),
        (
            lambda x, y: x + y**3,
            lambda g, x, y: (g, 3 * g * y),
            "factor of a value",
            "a factor input 1 is missing",
        ),
        (
            lambda x, y: x * ag.sin(x) + y,
            lambda g, x, y: (g * x * ag.cos(x), g),
            "unknown",
            "no simple relation",
        ),
        (lambda x, y: x**2 + y, lambda g, x, y: (g * x * 3, g), "factor 1.5", "too large by"),
    ],
)
def test_a_single_derivative_is_looked_at_again_at_other_values(forward, backward, name, words):
    """One number fits any factor, and at 0 and 1 many things are equal."""
    x, y = tensor(1.0, dtype=float64), tensor(0.1, dtype=float64)
    result = check_gradients(operation(forward, backward), x, y, raise_exception=False)
    assert result.cause.name == name, result.report()
    assert words in result.cause.text


def padded(x, weight, padding, stride=1):
    edge = ag.zeros(padding, dtype=float64)
    return windows(ag.cat([edge, x, edge]), weight, stride)


@pytest.mark.parametrize(
    ("right", "wrong", "name"),
    [
        ({"padding": 1}, {"padding": 2}, "off by one"),
        ({"padding": 1, "stride": 2}, {"padding": 1}, "off by one stride"),
    ],
)
def test_what_padding_cuts_off_at_the_edges_does_not_hide_a_mistake(right, wrong, name):
    class Convolution(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return padded(x, W, **right)

        @staticmethod
        def backward(ctx, gradient):
            with ag.enable_grad():
                x = ctx.saved_tensors[0].detach().requires_grad_()
                y = padded(x, W, **wrong)[: gradient.shape[0]]
            return ag.grad(y, x, gradient)[0]

    result = check_gradients(Convolution.apply, values(9), order=1, raise_exception=False)
    assert result.cause.name == name, result.report()
    assert "at the edges aside" in result.cause.text


def test_the_block_that_can_be_explained_explains_the_others():
    right = tensor([[2.0, 0.5], [1.0, 3.0]], dtype=float64)
    wrong = tensor([[9.0, 0.1], [5.0, 7.0]], dtype=float64)
    fn = operation(lambda x, y: right @ x + y * 3, lambda g, x, y: (g @ wrong, g * -3))
    result = check_gradients(fn, values(2), values(2, seed=1), raise_exception=False)
    assert result.finding.variable.startswith("input 0")
    assert (result.cause.name, result.cause.text[:14]) == ("sign", "by input 1: si")


def test_a_slope_that_a_kink_does_not_allow_is_told_as_such():
    steep = operation(lambda x: ag.relu(x), lambda g, x: g * ((x > 0) + 1.5 * (x == 0)))
    x = tensor([0.0], dtype=float64)
    result = check_gradients(steep, x, raise_exception=False)
    assert (result.verdict, result.cause.name) == (Verdict.WRONG, "kink")


def test_what_stretched_an_input_shows_in_the_shape_of_its_gradient():
    add = operation(lambda x, y: x + y, lambda g, x, y: (g, g))
    result = check_gradients(add, values(4, 3), values(3), raise_exception=False)
    assert result.verdict is Verdict.WRONG
    assert result.cause.name == "missing sum"
    assert "shape (4, 3), the input (3,); sum it over axis 0" in result.cause.text


@pytest.mark.parametrize(
    ("came", "name"), [((3, 2), "transposed"), ((5,), "wrong shape"), ((7, 2, 3), "missing sum")]
)
def test_gradients_of_wrong_shapes_are_told_apart(came, name):
    fn = operation(lambda x: x * 1.0, lambda g, x: ag.ones(*came, dtype=float64))
    result = check_gradients(fn, values(2, 3), raise_exception=False)
    assert (result.verdict, result.cause.name) == (Verdict.WRONG, name)


def test_a_tie_that_counts_twice_is_named():
    def both(g, x, y):
        return g * (x >= y), g * (y >= x)

    greatest = operation(lambda x, y: ag.maximum(x, y), both)
    x = tensor([1.0, 2.0], dtype=float64)
    result = check_gradients(greatest, x, x.clone(), raise_exception=False)
    assert (result.verdict, result.cause.name) == (Verdict.WRONG, "tie")
    assert check_gradients(greatest, x, x - 0.5)


def test_a_mistake_in_the_second_derivative_is_found_there():
    class Inner(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return ag.cos(x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * ag.sin(ctx.saved_tensors[0])

    sine = operation(lambda x: ag.sin(x), lambda g, x: g * Inner.apply(x))
    result = check_gradients(sine, values(3), raise_exception=False)
    assert (result.verdict, result.order) == (Verdict.WRONG, 2)
    assert result.finding.output.startswith("(gradient of input 0)")
    assert check_gradients(sine, values(3), order=1)


def test_a_gradient_computed_outside_the_graph_is_found_at_the_second_order():
    cube = operation(lambda x: x**3, lambda g, x: g * tensor(3 * x.detach().numpy() ** 2))
    result = check_gradients(cube, values(3), raise_exception=False)
    assert (result.verdict, result.order) == (Verdict.WRONG, 2)
    assert result.cause.name == "cut off"


@pytest.mark.parametrize("name", ["sign", "factor 2", "zero", "wrong dtype", "off by one"])
def test_mistakes_in_large_functions_are_found_located_and_named(name):
    forward, backward, _ = PLANTED[name]
    result = check_gradients(operation(forward, backward), values(100), raise_exception=False)
    assert result.verdict is Verdict.WRONG
    assert result.cause.name == name, result.report()


def test_one_wrong_element_among_many_is_found_by_halving():
    wrong = 4321

    def backward(g, x):
        factor = np.ones(x.shape)
        factor[wrong] = 1.01
        return g * ag.cos(x) * tensor(factor)

    sine = operation(lambda x: ag.sin(x), backward)
    result = check_gradients(sine, values(6000), order=1, raise_exception=False)
    assert result.verdict is Verdict.WRONG
    assert result.finding.index == (wrong,)


def test_the_report_shows_the_place_the_numbers_and_a_program():
    cube = operation(lambda x: x**3, lambda g, x: 6 * g * x * x)
    x = tensor([[1.0, 2.0]], dtype=float64, requires_grad=True)
    report = check_gradients(cube, x, raise_exception=False).report()
    assert "WRONG (first derivative)" in report
    assert "d output[0, 1] / d input 0[0, 1]" in report
    assert "analytic      24" in report
    assert "numeric       12" in report
    assert "twice too large" in report
    assert 'x0 = autograd.from_numpy(np.array([[1.0, 2.0]], "float64")).requires_grad_()' in report
    assert "check_gradients(Planted.apply, x0)" in report


def faulty_sine(x):
    return operation(lambda x: ag.sin(x), lambda g, x: -g * ag.cos(x))(x)


@pytest.mark.parametrize("layout", ["contiguous", "transposed", "reversed", "strided"])
def test_the_program_in_a_report_fails_in_the_same_way(layout):
    from autograd.testing import GradcheckError, with_layout

    values_ = np.random.default_rng(3).normal(size=(2, 3))
    x = ag.from_numpy(with_layout(values_, layout))
    first = check_gradients(faulty_sine, x, order=1, seed=5, raise_exception=False)
    program = first.reproduction.replace(f"from {__name__} import faulty_sine", "")
    scope = {"faulty_sine": faulty_sine}
    with pytest.raises(GradcheckError) as caught:
        exec(program, scope)
    assert caught.value.result.finding == first.finding
    assert scope["x0"].array.strides == x.array.strides
