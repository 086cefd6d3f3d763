"""Sums over axes and softmax of rows: each kernel against float64."""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import kernels
from autograd.kernels import numpy_loss, numpy_reduce, threads

KERNELS = ("numpy", *(["numba"] if find_spec("numba") else []))
SUMS = [numpy_reduce, *([import_module("autograd.kernels.numba_reduce")] if KERNELS[1:] else [])]
ROWS = [numpy_loss, *([import_module("autograd.kernels.numba_softmax")] if KERNELS[1:] else [])]
of_sums = pytest.mark.parametrize("module", SUMS, ids=KERNELS)
of_rows = pytest.mark.parametrize("module", ROWS, ids=KERNELS)


@pytest.fixture(autouse=True, params=[1, 2])
def several_threads(request, monkeypatch):
    before = threads.get_num_threads()
    threads.set_num_threads(request.param)
    monkeypatch.setattr(threads, "WORTHWHILE", 64)
    yield
    threads.set_num_threads(before)


@st.composite
def arrays_and_axes(draw):
    shape = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    place = draw(st.integers(0, len(shape) - 1))
    shape[place] *= draw(st.sampled_from([1, 5, 33, 600]))
    axes = draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    x = random.standard_normal(shape).astype(draw(st.sampled_from(["f4", "f4", "f8", "f2"])))
    if draw(st.booleans()):
        x = x.T
        axes = {x.ndim - 1 - axis for axis in axes}
    return x, tuple(sorted(axes)), draw(st.booleans())


@of_sums
@given(case=arrays_and_axes())
def test_sums(module, case):
    x, axes, keepdims = case
    with pytest.MonkeyPatch.context() as patch:
        for each in SUMS:
            patch.setattr(each, "LEAST", 1)
        found = module.add_up(x, axes, keepdims)
    wanted = np.add.reduce(x.astype(np.float64), axis=axes, keepdims=keepdims)
    assert found.shape == wanted.shape
    assert found.dtype == x.dtype
    size = np.add.reduce(np.abs(x.astype(np.float64)), axis=axes, keepdims=keepdims)
    assert (
        np.abs(found - wanted) <= {"f8": 1e-14, "f4": 2e-6, "f2": 5e-2}[x.dtype.str[1:]] * size
    ).all()


@of_sums
@pytest.mark.parametrize(
    "shape", [(1_000_001,), (3, 400_000), (300_000, 4), (70_000, 33), (2, 9, 70_000)]
)
def test_large_sums(module, shape):
    """All ways to cut them. NumPy's own sums of 300,000 rows round to 2e-5 of this size."""
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    for axis in range(len(shape)):
        wanted = np.add.reduce(x.astype(np.float64), axis=axis)
        size = np.sqrt(np.add.reduce(x.astype(np.float64) ** 2, axis=axis))
        lost = np.abs(module.add_up(x, (axis,), False) - wanted)
        assert (lost <= 3e-6 * size).all()
    assert module.add_up(x, tuple(range(len(shape))), True).shape == (1,) * len(shape)


@of_sums
@given(case=arrays_and_axes())
def test_running_sums(module, case):
    """Within one rounding of each: they are added in double precision."""
    x, axes, _ = case
    with pytest.MonkeyPatch.context() as patch:
        for each in SUMS:
            patch.setattr(each, "LEAST", 1)
        found = module.running_sum(x, axes[0])
    close_sums(found, x, axes[0])


def close_sums(found, x, axis):
    exact = x.astype(np.float64)
    wanted, size = (np.add.accumulate(values, axis=axis) for values in (exact, np.abs(exact)))
    assert found.dtype == x.dtype
    lost = {"f8": 1e-14, "f4": 1e-7, "f2": 5e-2}[x.dtype.str[1:]]
    assert (np.abs(found - wanted) <= lost * size).all()


@of_sums
@pytest.mark.parametrize("shape", [(3, 70_000), (70_000, 3), (1, 200, 999), (200_000,)])
def test_large_running_sums(module, shape):
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    for axis in range(len(shape)):
        close_sums(module.running_sum(x, axis), x, axis)


def test_what_may_not_be_written_to_is_summed_too():
    x = np.ones((300, 400), np.float32)
    x.flags.writeable = False
    for module in SUMS:
        assert (module.add_up(x, (0,), False) == 300).all()


def scores(draw, low, high):
    lead = draw(st.lists(st.integers(1, 6), max_size=2))
    shape = (*lead, draw(st.integers(low, high)))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    return random.standard_normal(shape, np.float32) * draw(st.sampled_from([0.1, 3.0, 60.0]))


@st.composite
def rows_of_scores(draw):
    x = scores(draw, 1, draw(st.sampled_from([3, 17, 40, 300])))
    axis = draw(st.integers(0, x.ndim - 1))
    return np.float32(x + draw(st.sampled_from([0.0, 1000.0, -1e5]))), axis


@of_rows
@given(case=rows_of_scores())
def test_softmax_and_its_gradients(module, case):
    x, axis = case
    exact = x.astype(np.float64)
    softmax, logarithms = numpy_loss.softmax(exact, axis), numpy_loss.log_softmax(exact, axis)
    g = np.random.default_rng(1).standard_normal(x.shape, np.float32)
    pairs = [
        (module.softmax(x, axis), softmax),
        (module.log_softmax(x, axis), logarithms),
        (
            module.softmax_grad(g, np.float32(softmax), axis),
            numpy_loss.softmax_grad(g.astype(np.float64), softmax, axis),
        ),
        (
            module.log_softmax_grad(g, np.float32(logarithms), axis),
            numpy_loss.log_softmax_grad(g.astype(np.float64), logarithms, axis),
        ),
        *zip(module.exponentiate(x, axis), numpy_loss.exponentiate(exact, axis), strict=True),
    ]
    for found, wanted in pairs:
        assert found.dtype == np.float32
        assert found.shape == wanted.shape
        size = np.maximum(np.abs(wanted), 0.1)  # differences of numbers around 1
        assert (np.abs(found - wanted) <= 1e-5 * size).all()


@of_rows
@pytest.mark.parametrize("width", [3, 8, 19, 64])
def test_infinity_and_nan_stay_in_their_row(module, width):
    for value in (np.inf, -np.inf, np.nan):
        x = np.random.default_rng(0).standard_normal((5, width), np.float32)
        x[2, width - 2] = value
        with np.errstate(all="ignore"):
            wanted = numpy_loss.softmax(x.astype(np.float64), 1)
            np.testing.assert_allclose(module.softmax(x, 1), wanted, 1e-5)
            wanted = numpy_loss.log_softmax(x.astype(np.float64), 1)
            np.testing.assert_allclose(module.log_softmax(x, 1), wanted, 1e-5, 1e-5)


@of_rows
@pytest.mark.parametrize("shape", [(64, 10), (50, 129), (7, 11, 3)])
def test_cross_entropy(module, shape):
    random = np.random.default_rng(0)
    x = random.standard_normal(shape, np.float32)
    classes = random.integers(0, shape[1], (shape[0], 1, *shape[2:]))
    rate, spread = random.random(classes.shape, np.float32), np.float32([[0.1]])
    for extra in (
        None,
        np.broadcast_to(spread.reshape((1,) * x.ndim), (1, shape[1], *(1,) * (x.ndim - 2))),
    ):
        found = module.cross_entropy(x, classes, rate, extra)
        wanted = numpy_loss.cross_entropy(x.astype(np.float64), classes, rate, extra)
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, 1e-5, 1e-6)


@pytest.mark.parametrize("name", KERNELS)
def test_threads_change_no_bit_of_rows(name):
    x = np.random.default_rng(0).standard_normal((999, 77), np.float32)
    results = []
    with autograd.use_kernels(name):
        for number in (1, 2, 3):
            threads.set_num_threads(number)
            y = kernels.softmax(x, 1)
            results.append((y, kernels.softmax_grad(x, y, 1), kernels.add_up(x, (1,), False)))
    for other in results[1:]:
        assert all((a == b).all() for a, b in zip(results[0], other, strict=True))


def test_rows_of_no_elements():
    for module in ROWS:
        for shape, axis in (((0, 4), 1), ((4, 0), 1), ((0,), 0)):
            x = np.zeros(shape, np.float32)
            assert module.softmax(x, axis).shape == shape
            assert module.log_softmax_grad(x, x, axis).shape == shape
