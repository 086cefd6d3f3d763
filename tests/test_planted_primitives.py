"""Each check of primitives catches the error that it is for: wrong ones are planted here."""

from __future__ import annotations

import numpy as np
import pytest
from primitive_checks import (
    check_aliased,
    check_arrays_and_tensors_agree,
    check_broadcast,
    check_dtype,
    check_empty,
    check_first_derivative,
    check_freed,
    check_gradients_unshared,
    check_layouts,
    check_nothing_overwritten,
    check_quiet,
    check_second_derivative,
    check_unrecorded,
    lacks,
    sample,
    with_empty_axes,
)

import autograd
from autograd import OPS, Case, Tensor, graph, ops, primitive


@pytest.fixture
def planted():
    """Registers primitives for one test."""
    before = set(OPS)
    yield primitive
    for name in set(OPS) - before:
        del OPS[name]


def assert_caught(check, op, *arguments):
    case = op.cases[0]
    with pytest.raises(AssertionError):
        check(op, case, sample(case), *arguments)


def test_planted_wrong_rule(planted):
    @planted(lambda g, x: 2.001 * g * x, case=Case())
    def wrong(x):
        return x * x

    assert_caught(check_first_derivative, wrong)


def test_planted_rule_that_loses_the_second_derivative(planted):
    @planted(lambda g, x: 3 * g * getattr(x, "array", x) ** 2, case=Case())
    def wrong(x):
        return x**3

    check_first_derivative(wrong, wrong.cases[0], sample(wrong.cases[0]))
    assert_caught(check_second_derivative, wrong)


def test_planted_broadcast_forgotten(planted):
    @planted(
        lambda g, y: g * y,
        lambda g, x, y_shape: np.resize(g * x, y_shape),
        broadcasts=True,
        case=Case(shapes=((2, 3), (2, 3))),
    )
    def wrong(x, y):
        return x * y

    with pytest.raises(AssertionError):
        check_broadcast(wrong, wrong.cases[0], [(2, 3), (3,)])


def test_planted_float64_in_a_rule(planted):
    @planted(lambda g: g * np.float64(2), case=Case())
    def wrong(x):
        return x * 2

    check_dtype(wrong, wrong.cases[0], sample(wrong.cases[0]), np.float64)
    assert_caught(check_dtype, wrong, np.float32)


def test_planted_float64_in_forward(planted):
    @planted(lambda g: 2 * g, case=Case())
    def wrong(x):
        return x * np.float64(2)

    assert_caught(check_dtype, wrong, np.float32)


def test_planted_dependence_on_strides(planted):
    @planted(lambda g, x_shape: ops.reshape(g, shape=x_shape), case=Case())
    def wrong(x):
        return np.ravel(x, order="K")

    assert_caught(check_layouts, wrong)


def test_planted_crash_without_elements(planted):
    @planted(lambda g, x: g * (2 / x.size), case=Case())
    def wrong(x):
        return 2 * x

    with pytest.raises(ZeroDivisionError):
        check_empty(wrong, next(with_empty_axes(wrong.cases[0])))


def test_planted_gradient_lost_where_inputs_are_one(planted):
    @planted(joint=lambda g, x, y: [g, None if x is y else g], case=Case(shapes=((3,), (3,))))
    def wrong(x, y):
        return x + y

    assert_caught(check_aliased, wrong)


def test_planted_overwriting(planted):
    @planted(lambda g: np.multiply(g, 2, out=getattr(g, "array", g)), case=Case())
    def wrong(x):
        return 2 * x

    @planted(lambda g, x: np.add(x, g, out=x), case=Case())
    def wrong_in_an_input(x):
        return 2 * x

    assert_caught(check_nothing_overwritten, wrong)
    assert_caught(check_nothing_overwritten, wrong_in_an_input)


def test_planted_sharing(planted, monkeypatch):
    """The engine copies what a rule hands through; without that the check fails."""
    check_gradients_unshared(ops.add, ops.add.cases[0], sample(ops.add.cases[0]))
    monkeypatch.setattr(graph, "is_fresh", lambda *_: True)
    assert_caught(check_gradients_unshared, ops.add)


def test_planted_warning(planted):
    @planted(lambda g, x: -g / (x * x), case=Case())
    def loud(x):
        return 1 / x

    with pytest.raises(RuntimeWarning):
        check_quiet(loud, loud.cases[0])


def test_planted_rule_that_differs_on_tensors(planted):
    @planted(lambda g: g if isinstance(g, Tensor) else 2 * g, case=Case())
    def wrong(x):
        return 2 * x

    assert_caught(check_arrays_and_tensors_agree, wrong)


def test_planted_dependence_on_the_mode(planted):
    @planted(lambda g: g, case=Case())
    def wrong(x):
        return x + autograd.is_grad_enabled()

    assert_caught(check_unrecorded, wrong)


def test_planted_leak(planted):
    kept = []

    @planted(lambda g: kept.append(2 * g) or kept[-1], case=Case())
    def wrong(x):
        return 2 * x

    assert_caught(check_freed, wrong)


def test_planted_primitive_without_a_case(planted):
    @planted(lambda g: g)
    def untested(x):
        return x

    @planted(lambda g: g, lambda g: g, case=Case(shapes=((3,),), constants={"y": None}))
    def half_tested(x, y):
        return x

    assert lacks(untested) == "untested: no case"
    assert lacks(half_tested) == "half_tested: no case varies ['y']"
