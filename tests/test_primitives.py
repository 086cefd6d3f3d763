"""Every primitive in the registry is held against its definition, on the cases that it comes with.

The registry is the list of what is checked: a primitive that is registered is tested, and one
without cases fails.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes
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
    inputs,
    lacks,
    sample,
    with_empty_axes,
)

from autograd import OPS


def cases_where(holds):
    """Runs a test for every case of every primitive for which a condition holds."""
    subjects = [
        pytest.param(op, case, id=f"{op.name}-{number}")
        for op in OPS.values()
        for number, case in enumerate(op.cases)
        if holds(op, case)
    ]
    return pytest.mark.parametrize(("op", "case"), subjects)


every_case = cases_where(lambda op, case: True)


every_op = pytest.mark.parametrize("op", OPS.values(), ids=str)


few = settings(max_examples=max(3, settings.default.max_examples // 10))


@every_case
@few
@given(data=st.data())
def test_first_derivative(op, case, data):
    check_first_derivative(op, case, data.draw(inputs(case)))


@cases_where(lambda op, case: case.order >= 2)
@few
@given(data=st.data())
def test_second_derivative(op, case, data):
    check_second_derivative(op, case, data.draw(inputs(case)))


@pytest.mark.parametrize("name", ["prod", "cumprod"])
@pytest.mark.parametrize("zeros", [[0], [0, 2], [0, 1, 2]], ids=str)
def test_products_have_derivatives_where_values_are_zero(name, zeros):
    op, value = OPS[name], np.array([1.5, -2.0, 0.7, 3.0])
    value[zeros] = 0.0
    case = next(case for case in op.cases if len(case.shapes[0]) == 1)
    check_first_derivative(op, case, [value])
    check_second_derivative(op, case, [value])


def stretches(op, case):
    first = case is op.cases[0]
    return first and op.broadcasts and not op.attributes and op.name not in ("matmul", "where")


@cases_where(stretches)
@few
@given(data=st.data())
def test_broadcast(op, case, data):
    inputs = len(case.shapes)
    shapes = data.draw(mutually_broadcastable_shapes(num_shapes=inputs, max_dims=3, max_side=3))
    check_broadcast(op, case, shapes.input_shapes)


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_stays(op, case, dtype):
    check_dtype(op, case, sample(case), dtype)


@every_case
def test_layouts(op, case):
    check_layouts(op, case, sample(case))


def has_a_door(op, case):
    """Whether users' arguments reach an operation unseen by another one."""
    return not op.name.endswith("_grad") and "windows" not in case.attributes


@cases_where(has_a_door)
def test_empty(op, case):
    for empty in with_empty_axes(case):
        check_empty(op, empty)


@cases_where(lambda op, case: len(set(case.shapes)) == 1 < len(case.shapes))
def test_aliased(op, case):
    check_aliased(op, case, sample(case))


@every_case
def test_memory(op, case):
    check_nothing_overwritten(op, case, sample(case))
    check_gradients_unshared(op, case, sample(case))


LOUD = {"add", "sub", "mul", "sum"}
"""These are called most, and silencing NumPy would slow them down by a third; they warn as it does
where infinities cancel and results overflow."""


@cases_where(lambda op, case: op.name not in LOUD)
def test_quiet(op, case):
    check_quiet(op, case)


@every_case
def test_arrays_and_tensors_agree(op, case):
    check_arrays_and_tensors_agree(op, case, sample(case))
    check_unrecorded(op, case, sample(case))


@every_case
def test_freed(op, case):
    check_freed(op, case, sample(case))


@every_op
def test_every_primitive_can_be_tested(op):
    assert not lacks(op)
    assert inspect.getdoc(op), f"{op.name}: says nothing about itself"


@every_op
def test_cases_fit(op):
    for case in op.cases:
        given = len(case.shapes) + len(case.constants)
        assert op.variadic or given == len(op.inputs), f"{op.name}: {case}"
        assert set(case.attributes) <= set(op.attributes), f"{op.name}: {case}"
