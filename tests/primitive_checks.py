"""What a primitive must fulfil: each check holds one operation against one of its cases.

A check takes an operation, a `Case` and input values, and raises AssertionError. `inputs` is the
Hypothesis strategy for the values that a case allows, `sample` one such draw where values do not
matter. The tests run them on the whole registry (`test_primitives`) and on planted errors
(`test_planted_primitives`).
"""

from __future__ import annotations

import gc
import importlib
import itertools
import pkgutil
import weakref

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import autograd
from autograd import Case, Tensor, grad, no_grad, ops, tensor
from autograd.graph import Node

for module in pkgutil.iter_modules(ops.__path__):
    importlib.import_module(f"{ops.__name__}.{module.name}")


STEP = 6e-6
"""Half the width of a central difference: about the cube root of float64's precision."""


MARGIN = 0.02
"""How far drawn values stay from kinks and, where a case says distinct, from each other."""


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


def check_broadcast(op, case, shapes):
    """The gradient of a stretched input is the sum over all places that it was stretched to."""
    random = np.random.default_rng(3)
    values = [
        np.asarray(random.uniform(low, high, shape))
        for shape, (low, high) in zip(shapes, domains(case), strict=True)
    ]
    full = [np.array(value) for value in np.broadcast_arrays(*values)]
    stretched = gradients(op, case, full)
    for found, wide, value in zip(gradients(op, case, values), stretched, values, strict=True):
        lead = tuple(range(wide.ndim - value.ndim))
        total = wide.numpy().sum(axis=lead)
        ones = tuple(k for k, size in enumerate(value.shape) if size == 1)
        expected = total.sum(axis=ones, keepdims=True)
        assert found.shape == value.shape, f"{op.name}: {found.shape} for {value.shape}"
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


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
    """Inputs without elements have gradients of their shape, or are refused."""
    given = leaves([np.zeros(shape) for shape in case.shapes])
    try:
        out = apply(op, case, given)
    except (ValueError, IndexError):
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


EDGES = np.array([0.0, np.inf, -np.inf, np.nan, 1e300, -1e-300, -1.0])


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
