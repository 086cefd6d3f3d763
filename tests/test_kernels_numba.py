"""Every compiled kernel against its reference: values, dtypes, layouts, NaN and ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

import autograd
from autograd.kernels import (
    Windows,
    choice,
    numba_attention,
    numba_norm,
    numba_optim,
    numba_pool,
    numba_select,
    numba_special,
    numpy_attention,
    numpy_norm,
    numpy_optim,
    numpy_pool,
    numpy_select,
    special,
)
from autograd.ops.pool import pool_windows

DTYPES = (np.float32, np.float64)
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
LAYOUTS = ("plain", "transposed", "strided", "reversed")


@pytest.fixture(autouse=True, params=[1, 2])
def threads(request, monkeypatch):
    """Two threads share even small work here."""
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    monkeypatch.setattr("autograd.kernels.threads.WORTHWHILE", 64)
    monkeypatch.setattr(numba_select, "SMALL", 0)
    yield
    autograd.set_num_threads(before)


def laid_out(array, layout):
    """The same values in memory of another order."""
    if not array.ndim:
        return array
    if layout == "transposed":
        return np.ascontiguousarray(array.T).T
    if layout == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if layout == "reversed":
        return np.ascontiguousarray(array[::-1])[::-1]
    return array


@st.composite
def cases(draw, dims=(0, 4), largest=9):
    """A source of arrays of one shape, dtype and layout: a function of their kind."""
    shape = tuple(draw(st.lists(st.integers(0, largest), min_size=dims[0], max_size=dims[1])))
    dtype, layout = draw(st.sampled_from(DTYPES)), draw(st.sampled_from(LAYOUTS))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def make(kind="normal", shape=shape):
        if kind == "bool":
            return laid_out(np.asarray(random.random(shape) < 0.5), layout)
        values = random.standard_normal(shape)
        if kind == "few":  # ties, zeros of both signs, infinities and NaN
            values = random.choice([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan], shape)
        if kind == "tied":
            values = np.round(values)
        return laid_out(np.asarray(np.abs(values) if kind == "positive" else values, dtype), layout)

    make.shape, make.dtype, make.random = shape, dtype, random
    return make


def assert_same(ours, reference):
    """Equal, in shape and dtype too."""
    assert ours.dtype == reference.dtype
    np.testing.assert_array_equal(ours, reference)


def assert_close(ours, reference, exact=None):
    """Close to the reference; in float32 to the same computed in float64, if that is given."""
    assert (ours.shape, ours.dtype) == (reference.shape, reference.dtype)
    wanted = reference if exact is None else exact
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(
        ours / scale, wanted / scale, rtol=0, atol=TOLERANCE[ours.dtype.type]
    )


def wide(value):
    """The same in float64."""
    if isinstance(value, tuple):
        return tuple(wide(part) for part in value)
    return value.astype(np.float64) if getattr(value, "dtype", None) == np.float32 else value


def test_every_compiled_kernel_exists_and_has_the_parameters_of_its_reference():
    import inspect
    from importlib import import_module

    for name, module in choice.COMPILED.items():
        compiled = getattr(import_module(f"autograd.kernels.{module}"), name)
        parameters = inspect.signature(compiled).parameters
        assert list(parameters) == list(inspect.signature(choice._reference[name]).parameters)


@st.composite
def poolings(draw):
    """Windows of some dimensions, half of them 2 x 2 and side by side."""
    count = draw(st.integers(1, 3))
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(count))
    if draw(st.booleans()):
        count = 2
        sizes, kernel, stride = numbers(2, 21), (2, 2), (2, 2)
        padding, dilation = (0, 0), (1, 1)
    else:
        sizes, kernel, stride, dilation = (
            numbers(1, 8),
            numbers(1, 3),
            numbers(1, 3),
            numbers(1, 2),
        )
        padding = tuple(draw(st.integers(0, size // 2)) for size in kernel)
    try:
        return pool_windows("", sizes, kernel, stride, padding, dilation, draw(st.booleans()))
    except ValueError:
        return Windows(sizes, (1,) * count, (1,) * count, (0,) * count, (1,) * count, sizes)


@given(poolings(), cases((0, 2), 3), st.sampled_from(["normal", "tied", "few"]))
def test_maximum_pooling(windows, make, kind):
    x = make(kind, (*make.shape, *windows.sizes))
    out, places = numpy_pool.max_pool(x, windows)
    for ours, reference in zip(numba_pool.max_pool(x, windows), (out, places), strict=True):
        assert_same(ours, reference)
    g = make("normal", out.shape)
    assert_same(
        numba_pool.max_pool_grad(g, places, windows), numpy_pool.max_pool_grad(g, places, windows)
    )


@given(cases(), st.sampled_from(["normal", "few"]))
def test_relu(make, kind):
    x, g = make(kind), make("few")
    assert_same(numba_select.relu(x), numpy_select.relu(x))
    assert_same(numba_select.relu_grad(g, x), numpy_select.relu_grad(g, x))


BOUNDS = [(-0.5, 0.7), (0.0, 6.0), (0.3, 0.3), (1.0, -1.0), (-np.inf, 0.1)]


@given(cases(), st.sampled_from(["normal", "few", "tied"]), st.sampled_from(BOUNDS), st.booleans())
def test_bounds(make, kind, bounds, closed):
    x, g = make(kind), make("few")
    low, high = bounds
    assert_same(numba_select.clip(x, low, high), numpy_select.clip(x, low, high))
    assert_same(numpy_select.clip(x, low, high), np.minimum(np.maximum(x, low), high))
    inside = (x >= low) & (x <= high) if closed else ~((x <= low) | (x >= high))
    for kernels in (numba_select, numpy_select):
        assert_same(
            kernels.clip_grad(g, x, low, high, closed), np.where(inside, g, g.dtype.type(0))
        )


@given(cases(), st.sampled_from(["normal", "few"]), st.sampled_from([0.2, 0.0, 1.0, 3.0, -0.3]))
def test_leaks(make, kind, slope):
    x, g = make(kind), make("few")
    with np.errstate(invalid="ignore"):
        expected = np.where(x > 0, g, g * slope)
        for kernels in (numba_select, numpy_select):
            assert_same(kernels.leak(g, x, slope), expected)
            assert_same(kernels.leak(x, x, slope), np.where(x > 0, x, x * slope))


@given(cases())
def test_choices(make):
    condition, x, y = make("bool"), make("few"), make("few")
    for pair in ((x, 0.0), (0.0, x), (x, y), (x, 1.0), (x, y.astype(np.float16))):
        assert_same(
            np.asarray(numba_select.select(condition, *pair)), np.where(condition, *typed(pair, x))
        )


@given(cases(), st.sampled_from(["normal", "few"]), st.sampled_from([0.01, 1.0, 4.0]))
def test_error_function(make, kind, scale):
    x = make(kind) * make.dtype(scale)
    assert_same(numba_special.erf(x), special.erf(x))
    assert_close(special.erf(x), special.erf(x), special.erf(wide(x)))


@given(cases())
def test_dropping(make):
    x, keep = make("few"), make("bool")
    with np.errstate(invalid="ignore"):
        assert_same(numba_select.drop(x, keep, 1.25), numpy_select.drop(x, keep, 1.25))


def typed(pair, like):
    """Python numbers as arrays of a dtype, which `numpy.where` would not see in them."""
    return [like.dtype.type(part) if isinstance(part, float) else part for part in pair]


@pytest.mark.parametrize("dtype", DTYPES)
def test_bits_do_not_depend_on_where_an_element_lies(dtype):
    random = np.random.default_rng(0)
    arrays = [np.abs(random.standard_normal(1003)).astype(dtype) for _ in range(4)]
    numbers = (0.1, 0.9, 0.99, 1e-8, 0.99, 0.01, False)
    whole, parts = [a.copy() for a in arrays], [a.copy() for a in arrays]
    numba_optim.adam_step(*whole, None, *numbers)
    for start in range(0, 1003, 17):
        piece = slice(start, start + 17)
        numba_optim.adam_step(*[a[piece] for a in parts], None, *numbers)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)


@st.composite
def standardizations(draw):
    """Arrays and axes: of batch, layer, group or instance norm, or of none of them."""
    dims = draw(st.integers(2, 4))
    shape = tuple(draw(st.lists(st.integers(1, 12), min_size=dims, max_size=dims)))
    kind = draw(st.sampled_from(["batch", "layer", "group", "other"]))
    if kind == "batch":
        axes, affine = (0, *range(2, dims)), (1,)
    elif kind == "layer":
        axes = affine = tuple(range(draw(st.integers(1, dims - 1)), dims))
    elif kind == "group":
        shape = (*shape[:2], 3, draw(st.integers(1, 9)))
        axes, affine = (2, 3), (1, 2)
    else:
        axes, affine = (0,), (dims - 1,)
    return shape, axes, affine


@given(standardizations(), cases(), st.tuples(*[st.booleans()] * 6), st.sampled_from([0.0, 30.0]))
def test_standardization(case, make, chosen, offset):
    shape, axes, affine = case
    has_weight, has_bias, known, *needs = chosen
    needs[1] &= has_weight
    sizes = tuple(size if axis in affine else 1 for axis, size in enumerate(shape))
    rest = tuple(axis for axis in range(len(shape)) if axis not in affine)
    x = make("normal", shape) + make.dtype(offset)
    g = make("normal", shape)
    weight = make("normal", sizes) if has_weight else None
    bias = make("normal", sizes) if has_bias else None
    eps = 0.1
    exact = wide(x)
    for ours, reference, true in zip(
        numba_norm.moments(x, axes),
        numpy_norm.moments(x, axes),
        numpy_norm.moments(exact, axes),
        strict=True,
    ):
        assert_close(ours, reference, true)
    moments = numpy_norm.standard_moments(x, axes, eps) if known else None
    arguments = (x, weight, bias, axes, eps, moments)
    out, found = numba_norm.standardize(*arguments)
    reference, reference_found = numpy_norm.standardize(*arguments)
    true, true_found = numpy_norm.standardize(*(wide(value) for value in arguments))
    assert_close(out, reference, true)
    for ours, theirs, best in zip(found, reference_found, true_found, strict=True):
        assert_close(ours, theirs, best)
    arguments = (g, x, weight, axes, rest, reference_found, tuple(needs))
    for ours, theirs, best in zip(
        numba_norm.standardize_backward(*arguments),
        numpy_norm.standardize_backward(*arguments),
        numpy_norm.standardize_backward(*(wide(value) for value in arguments)),
        strict=True,
    ):
        if theirs is None:
            assert ours is None
        else:
            assert_close(ours, theirs, best)


@given(cases((0, 4), 9), st.sampled_from(["channels", "a number", "all"]))
def test_scale_and_shift(make, kind):
    """Of channels, and of anything that broadcasts otherwise."""
    x = make("few")
    sizes = {"channels": x.shape[1:2] + (1,) * (x.ndim - 2), "a number": (), "all": x.shape}[kind]
    factor, shift = make("normal", sizes), make("few", sizes)
    with np.errstate(invalid="ignore"):
        assert_same(
            np.asarray(numba_norm.scale_shift(x, factor, shift)),
            np.asarray(numpy_norm.scale_shift(x, factor, shift)),
        )


STEPS = {
    "sgd": (1, (0.1, 0.9, 0.7, True, False)),
    "adam": (3, (0.1, 0.9, 0.99, 1e-3, 0.99)),
    "adamax": (2, (0.1, 0.9, 0.99, 1e-3)),
    "nadam": (2, (0.1, 0.2, 0.9, 0.99, 1e-3, 0.99)),
    "radam": (2, (0.1, 0.9, 0.99, 1e-3, 0.99, True)),
    "rmsprop": (3, (0.1, 0.99, 1e-3, 0.9)),
    "adagrad": (1, (0.1, 1e-3)),
    "adadelta": (2, (0.1, 0.9, 1e-3)),
}
"""How many arrays of state a step has, and its numbers but the last two."""
OPTIONAL = {"sgd": 0, "adam": 2, "rmsprop": 1}
"""The first array of state that may be None."""


@pytest.mark.parametrize("name", STEPS)
@given(cases((0, 2), 60), st.data())
def test_steps_of_optimizers(name, make, data):
    count, numbers = STEPS[name]
    if name == "sgd":
        numbers = (*numbers[:3], data.draw(st.booleans()), data.draw(st.booleans()))
    if name == "radam":
        numbers = (*numbers[:-1], data.draw(st.booleans()))
    numbers = (*numbers, data.draw(st.sampled_from([0.0, 0.1])), data.draw(st.booleans()))
    arrays = [make(), make(), *(make("positive") for _ in range(count))]
    for place in range(OPTIONAL.get(name, count), count):
        if data.draw(st.booleans()):
            arrays[2 + place] = None
    if name == "rmsprop" and arrays[3] is not None:
        arrays[3] *= 0.1  # the mean of values is below the root of the mean of their squares
        arrays[2] += 2
    if name == "sgd" and arrays[2] is None:
        numbers = (numbers[0], 0.0, 1.0, False, False, *numbers[5:])
    results = []
    for step, kind in (
        (getattr(numba_optim, f"{name}_step"), lambda a: laid_out(a.copy(), "plain")),
        (getattr(numpy_optim, f"{name}_step"), np.copy),
        (getattr(numpy_optim, f"{name}_step"), wide),
    ):
        own = [None if a is None else np.array(kind(a)) for a in arrays]
        step(*own, *numbers)
        results.append(own)
    for ours, reference, true in zip(*results, strict=True):
        if reference is not None:
            assert_close(ours, reference, true)
        if reference is not None and f"{name}_step" in choice.EXACT:
            np.testing.assert_array_equal(ours, reference)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_reaches_memory_of_any_order(layout):
    random = np.random.default_rng(0)
    plain = [random.standard_normal((37, 41)) for _ in range(4)]
    plain[3] = np.abs(plain[3])
    turned = [laid_out(a.copy(), layout) for a in plain]
    numbers = (0.1, 0.9, 0.99, 1e-3, 0.99, 0.1, True)
    numba_optim.adam_step(*plain, None, *numbers)
    numba_optim.adam_step(*turned, None, *numbers)
    for one, other in zip(plain, turned, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", [np.float16, np.int64])
def test_other_dtypes_go_to_the_reference(dtype):
    x = np.arange(-32, 32).astype(dtype).reshape(1, 8, 8)
    windows = pool_windows("", (8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False)
    for ours, reference in zip(
        numba_pool.max_pool(x, windows), numpy_pool.max_pool(x, windows), strict=True
    ):
        assert_same(ours, reference)
    assert_same(numba_select.relu(x), numpy_select.relu(x))


@pytest.mark.parametrize("keys", [32, 37])
def test_attention_keeps_nan_and_closes_rows(keys):
    """Beside a mask too: what is not a number does not look like a row without any key."""
    random = np.random.default_rng(0)
    query, key, value = (
        random.standard_normal((2, 4, rows, 8)).astype(np.float32) for rows in (40, keys, keys)
    )
    query[0, 1, 2, 3] = np.nan
    mask = np.where(random.random((40, keys)) < 0.5, -np.inf, 0).astype(np.float32)
    mask[5] = -np.inf
    arguments = (query, key, value, mask, 0.5, None)
    pairs = zip(
        numba_attention.attention(*arguments), numpy_attention.attention(*arguments), strict=True
    )
    for ours, reference in pairs:
        np.testing.assert_allclose(ours, reference, rtol=0, atol=1e-5)
        assert np.isnan(ours[0, 1, 2]).all()
        assert not ours[:, :, 5].any()


@pytest.mark.parametrize("size", [1, 63, 64, 65, 100, 131])
def test_large_arrays_in_blocks(size, monkeypatch):
    monkeypatch.setattr(numpy_select, "BLOCK", 64)
    monkeypatch.setattr(numpy_select, "SPAN", 16)
    x, g = np.random.default_rng(0).normal(size=(2, size)).astype(np.float32)
    assert_same(numpy_select.clip(x, -0.5, 0.5), np.minimum(np.maximum(x, -0.5), 0.5))
    assert_same(numpy_select.leak(g, x, 0.2), np.where(x > 0, g, g * 0.2))
