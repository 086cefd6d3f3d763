"""Every primitive in the registry is held against its definition, on the cases that it comes with.

A check is a function of an operation, one of its cases and input values; it raises AssertionError.
The registry is the list of what is checked: a primitive that is registered is tested, and one
without cases fails. At the end wrong primitives are planted to see each check catch them.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import itertools
import pkgutil
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autograd
from autograd import OPS, Case, Tensor, grad, graph, no_grad, ops, primitive, tensor
from autograd.graph import Node

for module in pkgutil.iter_modules(ops.__path__):
    importlib.import_module(f"{ops.__name__}.{module.name}")

SUBJECTS = [
    pytest.param(op, case, id=f"{op.name}-{number}")
    for op in OPS.values()
    for number, case in enumerate(op.cases)
]
every_case = pytest.mark.parametrize(("op", "case"), SUBJECTS)
every_op = pytest.mark.parametrize("op", OPS.values(), ids=str)
few = settings(max_examples=max(3, settings.default.max_examples // 10))

STEP = 6e-6
"""Half the width of a central difference: about the cube root of float64's precision."""

MARGIN = 0.02
"""How far drawn values stay from kinks and, where a case says distinct, from each other."""


# Values for a case


def domains(case):
    """The interval of each input."""
    per_input = isinstance(case.domain[0], tuple)
    return case.domain if per_input else (case.domain,) * len(case.shapes)


@st.composite
def inputs(draw, case):
    """Input values in float64, as a case asks for them."""
    if case.distinct:
        return draw(distinct_inputs(case))
    values = []
    for shape, (low, high) in zip(case.shapes, domains(case), strict=True):
        edge = (high - low) / 1000
        elements = st.floats(low + edge, high - edge).filter(
            lambda value: all(abs(value - kink) > MARGIN for kink in case.avoid)
        )
        values.append(draw(arrays(np.float64, shape, elements=elements)))
    return values


@st.composite
def distinct_inputs(draw, case):
    """Values from a grid, each point used once in all inputs together."""
    sizes = [int(np.prod(shape)) for shape in case.shapes]
    low, high = domains(case)[0]
    grid = np.linspace(low, high, 2 * sum(sizes) + 2)[1:-1]
    grid = [point for point in grid if all(abs(point - kink) > MARGIN for kink in case.avoid)]
    chosen = np.array(draw(st.permutations(grid))[: sum(sizes)])
    parts = np.split(chosen, np.cumsum(sizes)[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, case.shapes, strict=True)]


def sample(case):
    """Values for a check that does not depend on them."""
    random = np.random.default_rng(0)
    values = []
    for shape, (low, high) in zip(case.shapes, domains(case), strict=True):
        drawn = random.uniform(low, high, shape)
        while any(np.any(np.abs(drawn - kink) < MARGIN) for kink in case.avoid):
            drawn = random.uniform(low, high, shape)
        values.append(np.asarray(drawn))
    return values


# Calling an operation


def in_order(op, case, values):
    """The inputs of an operation: those that are given, and the constants of the case."""
    if op.variadic:
        return list(values)
    given = iter(values)
    return [case.constants[n] if n in case.constants else next(given) for n in op.inputs]


def apply(op, case, values):
    return op(*in_order(op, case, values), **case.attributes)


def leaves(values):
    return [tensor(value, requires_grad=True) for value in values]


def weights_like(array):
    """A gradient of an output: numbers without a pattern."""
    return np.asarray(np.random.default_rng(1).uniform(0.5, 1.5, array.shape)).astype(array.dtype)


def gradients(op, case, values, create_graph=False):
    """Of the weighted sum of the outputs, for each input."""
    given = leaves(values)
    out = apply(op, case, given)
    return grad(out, given, tensor(weights_like(out)), create_graph=create_graph)


def cast(value, dtype):
    """Floating-point arrays, also inside constants and attributes, in another data type."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    if isinstance(value, dict):
        return {name: cast(item, dtype) for name, item in value.items()}
    return value


def case_in(case, dtype):
    return Case(attributes=cast(case.attributes, dtype), constants=cast(case.constants, dtype))


# Derivatives


def jacobian_by_differences(function, values):
    """The derivatives of an array-valued function: for each input (outputs, elements)."""
    columns = []
    for place, value in enumerate(values):
        column = np.zeros((function(*values).size, value.size))
        for k, index in enumerate(np.ndindex(value.shape)):
            ends = []
            for step in (STEP, -STEP):
                moved = [np.array(other) for other in values]
                moved[place][index] += step
                ends.append(function(*moved).reshape(-1))
            column[:, k] = (ends[0] - ends[1]) / (2 * STEP)
        columns.append(column)
    return columns


def jacobian_by_rules(function, values):
    """The same from a function of tensors, one output element after the other."""
    given = leaves(values)
    out = function(*given)
    rows = []
    for index in np.ndindex(out.shape):
        unit = np.zeros(out.shape)
        unit[index] = 1.0
        parts = grad(out, given, tensor(unit), retain_graph=True, materialize_grads=True)
        rows.append([part.numpy().reshape(-1) for part in parts])
    return [np.array(column) for column in zip(*rows, strict=True)]


def assert_close(found, expected, what):
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6 * scale, err_msg=what)


def check_first_derivative(op, case, values):
    """The whole Jacobian agrees with central differences."""
    found = jacobian_by_rules(lambda *given: apply(op, case, given), values)
    expected = jacobian_by_differences(lambda *given: np.asarray(apply(op, case, given)), values)
    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        assert_close(one, other, f"{op.name}: derivative in input {place}")


def check_second_derivative(op, case, values):
    """The gradient's own gradient agrees with differences, along a direction in each input.

    What is differentiated is the gradient, summed with weights, as a function of the inputs and of
    the incoming gradient.
    """
    out = np.asarray(apply(op, case, values))
    random = np.random.default_rng(2)
    summands = [random.uniform(0.5, 1.5, value.shape) for value in values]

    def slope(given, create_graph):
        *points, incoming = given
        parts = grad(apply(op, case, points), points, incoming, create_graph=create_graph)
        terms = [(part * tensor(each)).sum() for part, each in zip(parts, summands, strict=True)]
        return sum(terms[1:], terms[0])

    point = [*values, weights_like(out)]
    given = leaves(point)
    total = slope(given, create_graph=True)
    found = [np.zeros(value.shape) for value in point]
    if total.requires_grad:
        found = [part.numpy() for part in grad(total, given, materialize_grads=True)]
    for place, value in enumerate(point):
        direction = random.uniform(-1, 1, value.shape)
        ends = []
        for step in (STEP, -STEP):
            moved = [*point[:place], value + step * direction, *point[place + 1 :]]
            ends.append(slope(leaves(moved), create_graph=False).item())
        expected = (ends[0] - ends[1]) / (2 * STEP)
        assert_close(
            np.sum(found[place] * direction), expected, f"{op.name}: second order, {place}"
        )


@every_case
@few
@given(data=st.data())
def test_first_derivative(op, case, data):
    check_first_derivative(op, case, data.draw(inputs(case)))


@every_case
@few
@given(data=st.data())
def test_second_derivative(op, case, data):
    if case.order >= 2:
        check_second_derivative(op, case, data.draw(inputs(case)))


@pytest.mark.parametrize("name", ["prod", "cumprod"])
@pytest.mark.parametrize("zeros", [[0], [0, 2], [0, 1, 2]], ids=str)
def test_products_have_derivatives_where_values_are_zero(name, zeros):
    op, value = OPS[name], np.array([1.5, -2.0, 0.7, 3.0])
    value[zeros] = 0.0
    case = next(case for case in op.cases if len(case.shapes[0]) == 1)
    check_first_derivative(op, case, [value])
    check_second_derivative(op, case, [value])


# Data types


def check_dtype(op, case, values, dtype):
    """What comes out of forward, of the rules themselves and of a second pass has the input's type.

    The engine would cast a gradient that a rule returns in another type, at a cost; so the rules
    are asked directly.
    """
    given = leaves([value.astype(dtype) for value in values])
    case = case_in(case, dtype)
    out = apply(op, case, given)
    assert out.dtype == case.attributes.get("dtype", dtype), f"{op.name}: forward gives {out.dtype}"
    rule_results = out.grad_fn.op.gradients(out.grad_fn, weights_like(out), False)
    for result in rule_results:
        if result is not None:
            assert result.dtype == out.dtype, f"{op.name}: a rule gives {result.dtype}"
    weights = tensor(weights_like(out), requires_grad=True)
    first = grad(out, given, weights, create_graph=True)
    slopes = [part for part in first if part.requires_grad]
    second = grad(slopes, given, [part.detach() for part in slopes], materialize_grads=True)
    for part in (*first, *second):
        assert part.dtype == dtype, f"{op.name}: a gradient is {part.dtype}"


@every_case
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_stays(op, case, dtype):
    check_dtype(op, case, sample(case), dtype)


# Memory: how inputs lie in it, and who may see and write what


def layouts(value):
    """The same values column by column, with gaps, backwards, and read-only."""
    backwards = (slice(None, None, -1),) * value.ndim
    gaps = np.zeros((*value.shape, 2))[..., 1]
    gaps[...] = value
    frozen = np.array(value)
    frozen.flags.writeable = False
    yield np.array(value, order="F")
    yield gaps
    yield np.array(value[(..., *backwards)], order="C")[(..., *backwards)]
    yield frozen


def check_layouts(op, case, values):
    """Results do not depend on strides."""
    expected = np.asarray(apply(op, case, values))
    slopes = gradients(op, case, values)
    for laid_out in zip(*map(layouts, values), strict=True):
        given = [autograd.from_numpy(value).requires_grad_() for value in laid_out]
        out = apply(op, case, given)
        np.testing.assert_allclose(out.numpy(force=True), expected, rtol=1e-12, atol=1e-12)
        weights = np.array(weights_like(out), order="F")
        for one, other in zip(grad(out, given, tensor(weights)), slopes, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12, atol=1e-12)


def with_empty_axes(case):
    """The case again and again, each time with one of its sizes replaced by 0 everywhere."""

    def replaced(value, size):
        if isinstance(value, tuple):
            return tuple(replaced(item, size) for item in value)
        return 0 if value == size and value.__class__ is int else value

    for size in sorted({size for shape in case.shapes for size in shape}):
        attributes = {
            name: replaced(value, size) if name.endswith("shape") else value
            for name, value in case.attributes.items()
        }
        shapes = replaced(case.shapes, size)
        yield Case(shapes, attributes=attributes, constants=case.constants)


def check_empty(op, case):
    """Inputs without elements have gradients of their shape, or are refused in words."""
    given = leaves([np.zeros(shape) for shape in case.shapes])
    try:
        out = apply(op, case, given)
    except (ValueError, IndexError) as error:
        assert str(error), f"{op.name}: an error without words"
        return
    for part, value in zip(grad(out, given, tensor(weights_like(out))), given, strict=True):
        assert part.shape == value.shape


def check_aliased(op, case, values):
    """One tensor in several places gets the sum of what tensors of equal values would get."""
    same = [values[0]] * len(values)
    shared = tensor(values[0], requires_grad=True)
    out = apply(op, case, [shared] * len(values))
    (found,) = grad(out, [shared], tensor(weights_like(out)))
    parts = gradients(op, case, same)
    expected = sum(part.numpy() for part in parts)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


def check_nothing_overwritten(op, case, values):
    """Forward and backward change neither inputs nor constants, nor the gradient they are given."""
    given = leaves(values)
    out = apply(op, case, given)
    weights = tensor(weights_like(out))
    seen = [*(t.array for t in given), weights.array, out.array]
    held = (*case.constants.values(), *case.attributes.values())
    seen += [value for value in held if isinstance(value, np.ndarray)]
    before = [np.array(array) for array in seen]
    grad(out, given, weights)
    for array, copy in zip(seen, before, strict=True):
        assert np.array_equal(array, copy), f"{op.name}: something was overwritten"
    for one, copy in zip(given, values, strict=True):
        assert np.array_equal(one.array, copy), f"{op.name}: an input was overwritten"


def check_gradients_unshared(op, case, values):
    """Gradients lie in memory of their own: a user may write to them."""
    given = leaves(values)
    out = apply(op, case, given)
    weights = tensor(weights_like(out))
    out.backward(weights)
    found = [t.grad.array for t in given]
    others = [*(t.array for t in given), weights.array, out.array]
    for one, other in itertools.chain(
        itertools.combinations(found, 2), itertools.product(found, others)
    ):
        assert not np.shares_memory(one, other), f"{op.name}: a gradient shares memory"
    for array in found:
        assert array.flags.writeable, f"{op.name}: a gradient cannot be written to"


@every_case
def test_layouts(op, case):
    check_layouts(op, case, sample(case))


@every_case
def test_empty(op, case):
    if op.name.endswith("_grad") or "windows" in case.attributes:
        pytest.skip("sees only what another operation let pass")
    for empty in with_empty_axes(case):
        check_empty(op, empty)


@every_case
def test_aliased(op, case):
    if len(set(case.shapes)) == 1 < len(case.shapes):
        check_aliased(op, case, sample(case))


@every_case
def test_memory(op, case):
    check_nothing_overwritten(op, case, sample(case))
    check_gradients_unshared(op, case, sample(case))


# Numbers at the edge


EDGES = np.array([0.0, np.inf, -np.inf, np.nan, 1e300, -1e-300, -1.0])
LOUD = {"add", "sub", "mul", "sum"}
"""These are called most, and silencing NumPy would slow them down by a third; they warn as it does
where infinities cancel and results overflow."""


def check_quiet(op, case):
    """Infinity and NaN are results, not warnings, forward and backward."""
    for shift in range(len(EDGES)):
        values = [
            np.resize(np.roll(EDGES, shift + place), shape)
            for place, shape in enumerate(case.shapes)
        ]
        given = leaves(values)
        out = apply(op, case, given)
        grad(out, given, tensor(weights_like(out)))


@every_case
def test_quiet(op, case):
    if op.name in LOUD:
        pytest.skip("warns as NumPy does")
    check_quiet(op, case)


# Arrays or tensors, recorded or not


def check_arrays_and_tensors_agree(op, case, values):
    """An operation gives the same on arrays; and its rules the same gradients on tensors."""
    on_arrays = apply(op, case, values)
    assert not isinstance(on_arrays, Tensor)
    given = leaves(values)
    on_tensors = apply(op, case, given)
    np.testing.assert_array_equal(on_tensors.numpy(force=True), on_arrays)
    first = gradients(op, case, values)
    recorded = gradients(op, case, values, create_graph=True)
    for one, other in zip(first, recorded, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(force=True), rtol=1e-12, atol=1e-12)


def check_unrecorded(op, case, values):
    """The result is the same under `no_grad`, and has no history."""
    given = leaves(values)
    recorded = apply(op, case, given)
    with no_grad():
        plain = apply(op, case, given)
    np.testing.assert_array_equal(plain.numpy(), recorded.numpy(force=True))
    assert plain.grad_fn is None
    assert not plain.requires_grad


@every_case
def test_arrays_and_tensors_agree(op, case):
    check_arrays_and_tensors_agree(op, case, sample(case))
    check_unrecorded(op, case, sample(case))


# Life time


def check_freed(op, case, values):
    """Without the garbage collector, no node outlives the last tensor that leads to it."""
    born = []

    def birth(node, *arguments):
        init(node, *arguments)
        born.append(weakref.ref(node))

    init, Node.__init__ = Node.__init__, birth
    gc.disable()
    try:
        given = leaves(values)
        out = apply(op, case, given)
        weights = tensor(weights_like(out), requires_grad=True)
        first = grad(out, given, weights, create_graph=True)
        slopes = [part for part in first if part.requires_grad]
        if slopes:
            grad(slopes, given, [part.detach() for part in slopes], materialize_grads=True)
        assert any(ref() is not None for ref in born)
        del out, first, slopes
        alive = [ref() for ref in born if ref() is not None]
        assert not alive, f"{op.name}: still alive: {alive}"
    finally:
        gc.enable()
        Node.__init__ = init


@every_case
def test_freed(op, case):
    check_freed(op, case, sample(case))


# The registry


def lacks(op):
    """What keeps an operation from being tested: no case, or an input that no case varies."""
    if not op.cases:
        return f"{op.name}: no case"
    varied = {name for case in op.cases for name in op.inputs if name not in case.constants}
    rules = op.rules if op.joint is None else (op.joint,) * len(op.inputs)
    unseen = [
        name
        for name, rule in zip(op.inputs, rules, strict=True)
        if rule is not None and name not in varied
    ]
    return f"{op.name}: no case varies {unseen}" if unseen else ""


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


# Planted errors: each check catches the one that it is for


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


def test_planted_gradient_of_the_wrong_shape_for_nothing(planted):
    @planted(lambda g, x_shape: np.full(x_shape or (1,), g), case=Case())
    def wrong(x):
        if x.size == 0:
            raise ValueError
        return np.sum(x)

    with pytest.raises(AssertionError):
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
