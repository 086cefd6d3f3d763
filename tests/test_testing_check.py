"""`check_gradients`: four verdicts, and bad input told apart by name."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Function, float32, float64, tensor
from autograd.errors import DtypeError
from autograd.testing import GradcheckError, Verdict, check_gradients, with_layout


def vector(*values):
    return tensor(values, dtype=float64)


def check(fn, *inputs, **options):
    return check_gradients(fn, *inputs, raise_exception=False, **options)


class Sine(Function):
    """Its gradient is off by a factor that a test sets."""

    error = 0.0

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return ag.sin(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ag.cos(ctx.saved_tensors[0]) * (1 + Sine.error)


CORRECT = {
    "product": (lambda x, y: x * y, vector(1, 2), vector(3, -1)),
    "two outputs": (lambda x: (x * x, ag.exp(x)), vector(1, 2)),
    "dictionary": (lambda x: {"a": x * x, "b": [x + 1]}, vector(1, 2)),
    "broadcast": (lambda x, y: x / y, vector(1, 2, 3), tensor(2.0, dtype=float64)),
    "0-d": (lambda x: ag.exp(x), tensor(0.3, dtype=float64)),
    "empty": (lambda x: x * x, tensor(np.zeros((0, 3)))),
    "empty output": (lambda x: x[:0], vector(1, 2)),
    "constant": (lambda x: tensor([1.0, 2.0], dtype=float64), vector(1, 2)),
    "linear": (lambda x: 3 * x, vector(1, 2)),
    "indices beside values": (lambda x: ag.max(x, 0), vector(1, 2)),
    "unused input": (lambda x, y: x * 2, vector(1.0), vector(1.0)),
    "large values": (lambda x: ag.sin(x), vector(1e6, -3e5)),
    "tiny values": (lambda x: ag.log(x), vector(1e-7, 3e-5)),
    "huge slopes": (lambda x: 1e12 * x**3, vector(1.5, 2)),
    "fast variation": (lambda x: ag.sin(300 * x), vector(0.5, 2)),
    "edge of the domain": (lambda x: (x * x * x).clamp(min=0) * ag.sqrt(x + 1), vector(-0.999999)),
    "kinks nearby": (lambda x: ag.relu(x), vector(1e-3, -1e-3, 2e-5)),
    "view and write": (lambda x: inplace(x), vector(1, 2, 3)),
}


def inplace(x):
    y = x * 2
    y[1:].mul_(x[:2])
    return y


@pytest.mark.parametrize("name", CORRECT)
def test_right_gradients_are_called_correct(name):
    fn, *inputs = CORRECT[name]
    result = check_gradients(fn, *inputs)
    assert result
    assert result.verdict is Verdict.CORRECT
    assert "CORRECT" in str(result)


def test_third_order():
    assert check_gradients(lambda x: ag.exp(x) * x, vector(0.3, 1.0), order=3)


@pytest.mark.parametrize("size", [3, 100])
@pytest.mark.parametrize("error", [1e-7, -3e-7, 1e-4, 1.0, np.nan])
def test_small_errors_are_found(size, error, monkeypatch):
    x = tensor(np.linspace(-2.0, 1.0, size))
    assert check_gradients(Sine.apply, x)
    monkeypatch.setattr(Sine, "error", error)
    result = check(Sine.apply, x)
    assert result.verdict is Verdict.WRONG
    with pytest.raises(GradcheckError) as caught:
        check_gradients(Sine.apply, x)
    assert str(caught.value) == result.report()
    assert caught.value.result.finding.index == result.finding.index


KINKS = {
    "abs": (lambda x: ag.abs(x), (vector(1, 0, -1),), (1,), -1, 1),
    "relu": (lambda x: ag.relu(x), (vector(1, -1, 0),), (2,), 0, 1),
    "maximum": (lambda x, y: ag.maximum(x, y), (vector(1, 3), vector(2, 3)), (1,), 0, 1),
    "amax": (lambda x: ag.amax(x, 0), (vector(1, 3, 3),), (1,), 0, 1),
    "ceil": (lambda x: ag.ceil(x), (vector(0.5, 2.0),), (1,), 0, 0),
    "sign": (lambda x: ag.sign(x) + x, (vector(0.5, 0.0),), (1,), 1, 1),
    "hard bend": (lambda x: ag.where(x > 1, 5 * x - 4, x), (vector(1.0),), (0,), 1, 5),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_are_told_with_their_place_and_slopes(name):
    fn, inputs, index, left, right = KINKS[name]
    result = check(fn, *inputs)
    assert result.verdict is Verdict.KINK, result.report()
    assert result.finding.index == index
    assert result.finding.left == pytest.approx(left)
    assert result.finding.right == pytest.approx(right)
    assert f"from the left  {left}" in result.report()


def test_at_a_jump_the_slopes_on_both_sides_decide():
    class Step(Function):
        slope = 0.0

        @staticmethod
        def forward(ctx, x):
            return ag.where(x < 0, 3 * x, 1 + 5 * x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * Step.slope

    verdicts = []
    for Step.slope in (2.0, 3.0, 4.0, 5.0, 6.0):
        verdicts.append(check(Step.apply, vector(0.0), order=1).verdict.value)
    assert verdicts == ["wrong", "kink", "kink", "kink", "wrong"]
    assert "and the values jump" in check(lambda x: ag.sign(x), vector(1, 0)).report()


def test_a_kink_of_the_first_derivative_is_found_at_the_second_order():
    result = check(lambda x: x * ag.relu(x), vector(1, 0))
    assert (result.verdict, result.order) == (Verdict.KINK, 2)
    assert check_gradients(lambda x: x * ag.relu(x), vector(1, 0), order=1)


def test_a_derivative_outside_both_slopes_of_a_kink_is_wrong():
    class Steep(Function):
        @staticmethod
        def forward(ctx, x):
            return ag.relu(x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 1.5

    result = check(Steep.apply, vector(0.0))
    assert result.verdict is Verdict.WRONG
    assert (result.finding.left, result.finding.right) == (0.0, 1.0)


def test_slopes_from_one_side_decide_at_the_edge_of_a_domain():
    class Edge(Function):
        factor = 1.0

        @staticmethod
        def forward(ctx, x):
            return ag.where(x < 0, np.nan, x * x + x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * Edge.factor

    assert check(Edge.apply, vector(0.0), order=1)
    Edge.factor = 2.0
    assert check(Edge.apply, vector(0.0), order=1).verdict is Verdict.WRONG


class Box:
    """State that changes from call to call."""

    calls = 0


def counting(x):
    Box.calls += 1
    return x * Box.calls


def negate(x):
    with ag.no_grad():
        x.mul_(-1)
    return x * x


def overwrite(x, y):
    with ag.no_grad():
        y[0] = y[0] + 1
    return x * y


class Shaky(Function):
    calls = 0

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        Shaky.calls += 1
        return gradient * (1 + 1 / Shaky.calls)


def layout_dependent(x):
    return x * float(x.is_contiguous())


BAD = {
    "no tensor": (lambda x: 3.0, "returned float, not a tensor"),
    "not differentiable": (lambda x: x > 0, "returned bool only"),
    "random": (lambda x: ag.rand(2) * x, "two calls with the same inputs gave different values"),
    "changes its inputs": (negate, "changed input 0 at [0] from 1.0 to -1.0"),
    "not finite": (lambda x: ag.log(-x), "returned nan at output 0[0]"),
    "random backward": (Shaky.apply, "two backward passes"),
    "unsettled": (lambda x: ag.sqrt(x - 1), "do not approach a limit"),
    "not finite nearby": (lambda x: ag.where(x == 1, 0.0, np.nan), "not finite on either side"),
    "noisy": (lambda x: (2 * x.to(float32)).to(float64), "in lower precision"),
    "recording changes it": (lambda x: x * 2.0 if ag.is_grad_enabled() else x, "gradients on"),
}


@pytest.mark.parametrize("reason", BAD)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_bad_functions_are_told_apart_by_name(reason):
    fn, text = BAD[reason]
    x = vector(1, 1)
    result = check(fn, x)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert result.reason == reason, result.report()
    assert text in result.report()
    assert x.tolist() == [1, 1]
    with pytest.raises(GradcheckError, match=reason):
        check_gradients(fn, x)


def test_what_is_random_in_its_slope_only_is_random():
    result = check(lambda x: x * ag.rand_like(x), vector(0, 0))
    assert result.reason == "random"
    assert "different gradients" in result.text


def test_functions_with_a_memory_are_random():
    assert check(counting, vector(1, 2)).reason == "random"


def test_constants_that_change_are_noticed_and_restored():
    y = vector(1, 2)
    x = vector(1, 2).requires_grad_()
    result = check(overwrite, x, y)
    assert result.reason == "changes its inputs"
    assert y.tolist() == [1, 2]


def test_a_value_that_depends_on_the_layout_is_noticed():
    x = ag.from_numpy(with_layout(np.ones((2, 3)), "transposed"))
    assert check(layout_dependent, x).reason == "recording changes it"
    assert check_gradients(layout_dependent, vector(1, 2))


def test_noise_is_not_called_wrong():
    def noisy(x):
        return (x * 1e8) - (x * 1e8 - 1e-3 * x)

    assert check(noisy, vector(0.1, 1.5)).reason == "unsettled"


def test_single_precision_is_warned_of():
    x = tensor([0.5, 1.0])
    with pytest.warns(UserWarning, match=r"input 0 is float32: .* mistakes below about 2e-03"):
        assert check_gradients(lambda x: ag.sin(x), x)
    with pytest.warns(UserWarning, match="input 0 is float16"):
        assert check(lambda x: 2 * x, x.half()).verdict is not Verdict.WRONG
    with pytest.warns(UserWarning, match="float32"):
        assert check(lambda x: Wrong.apply(x), x).verdict is Verdict.WRONG


class Wrong(Sine):
    @staticmethod
    def backward(ctx, gradient):
        return gradient * 1.01 * ag.cos(ctx.saved_tensors[0])


def test_without_anything_to_differentiate_by():
    with pytest.raises(ValueError, match="none of the inputs is a floating-point tensor"):
        check_gradients(lambda x: x, tensor([1, 2]))
    with pytest.raises(ValueError, match="order is 0"):
        check_gradients(lambda x: x, vector(1.0), order=0)
    with pytest.raises(DtypeError, match="input 0 is complex64"):
        check_gradients(lambda x: x, tensor([1j]))


def test_only_inputs_that_require_grad_are_differentiated_by():
    x, y = vector(1.0).requires_grad_(), vector(2.0)
    result = check(lambda x, y: x * ag.abs(y - 2), x, y)
    assert result
    assert check(lambda x, y: x * ag.abs(y - 2), x.detach(), y).verdict is Verdict.KINK


def test_errors_of_the_function_pass_through():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_gradients(broken, vector(1.0))


def test_nothing_is_left_changed():
    x = vector(0.5, 1.5).requires_grad_()
    before = ag.get_rng_state()
    check_gradients(lambda x: ag.sin(x) * x, x)
    assert x.grad is None
    assert x.tolist() == [0.5, 1.5]
    assert ag.is_grad_enabled()
    assert np.array_equal(before, ag.get_rng_state())


@pytest.mark.parametrize("full", [True, False])
def test_both_ways_of_comparing_can_be_asked_for(full, monkeypatch):
    x = vector(0.5, 1.0, 1.5)
    assert check_gradients(Sine.apply, x, full=full)
    monkeypatch.setattr(Sine, "error", 1e-5)
    result = check(Sine.apply, x, full=full)
    assert result.verdict is Verdict.WRONG
    assert f"full={full}" in result.reproduction


class Affine:
    """A stand-in for a module: parameters by name."""

    def __init__(self, grows=1.0):
        self.weight = vector(0.5, 2.0).requires_grad_()
        self.grows = grows

    def named_parameters(self):
        return [("weight", self.weight)]

    def __call__(self, x):
        return Scale.apply(x, self.weight, self.grows)


class Scale(Function):
    @staticmethod
    def forward(ctx, x, weight, grows):
        ctx.save_for_backward(x, weight)
        ctx.grows = grows
        return x * weight

    @staticmethod
    def backward(ctx, gradient):
        x, weight = ctx.saved_tensors
        return gradient * weight, gradient * x * ctx.grows, None


def test_the_parameters_of_a_module_are_checked_too():
    right, wrong = Affine(), Affine(2.0)
    x = vector(1.0, 3.0)
    assert check_gradients(right, x)
    result = check(wrong, x)
    assert result.verdict is Verdict.WRONG
    assert result.finding.variable.startswith("weight")
    assert wrong.weight.tolist() == [0.5, 2.0]
    assert 'named_parameters())["weight"].data = autograd.from_numpy' in result.reproduction


@pytest.mark.parametrize("value", [0.6, 0.7, -2.944137879423592, 1.0109882972466764])
def test_differences_of_equal_terms_are_nothing_but_rounding(value):
    """The gradient of x / x: no step size settles it, and its rounding jumps."""
    assert check(lambda x: x / x, vector(value)).verdict is Verdict.CORRECT
    wrong = check(lambda x: x / x + 1e-6 * x.detach() * x, vector(value))
    assert wrong.verdict is Verdict.WRONG
