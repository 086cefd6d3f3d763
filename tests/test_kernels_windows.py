"""Sums over windows that lie side by side, and the way back: compiled and not, on all layouts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

import autograd
from autograd.kernels import Windows, numba_windows, numpy_pool


@pytest.fixture(autouse=True, params=[1, 2])
def threads(request, monkeypatch):
    """Two threads share even small work here."""
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    monkeypatch.setattr("autograd.kernels.threads.WORTHWHILE", 64)
    yield
    autograd.set_num_threads(before)


@st.composite
def side_by_side(draw):
    """Windows of one to three dimensions, and some sizes before those."""
    count = draw(st.integers(1, 3))
    out, kernel = (tuple(draw(st.integers(1, 9)) for _ in range(count)) for _ in range(2))
    sizes = tuple(o * k for o, k in zip(out, kernel, strict=True))
    windows = Windows(sizes, kernel, kernel, (0,) * count, (1,) * count, out)
    return windows, tuple(draw(st.lists(st.integers(0, 3), max_size=2)))


def split(x, windows):
    """Each window in two axes of its own, and the numbers of the second ones."""
    lead = x.ndim - len(windows.out)
    pairs = [part for pair in zip(windows.out, windows.kernel, strict=True) for part in pair]
    return x.reshape(*x.shape[:lead], *pairs), tuple(range(lead + 1, lead + len(pairs), 2))


@given(side_by_side(), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_sums(case, dtype, turned):
    windows, lead = case
    random = np.random.default_rng(0)
    x = random.standard_normal((*lead, *windows.sizes)).astype(dtype)
    if turned:
        x = np.ascontiguousarray(x.T).T
    parts, axes = split(x.astype(np.float64), windows)
    for kernels in (numba_windows, numpy_pool):
        sums = kernels.sum_pool(x, windows)
        assert sums.dtype == dtype
        np.testing.assert_allclose(sums, parts.sum(axes), rtol=1e-5, atol=1e-4)


@given(side_by_side(), st.sampled_from([np.float32, np.float64, np.float16]))
def test_values_go_to_their_windows(case, dtype):
    """With the sign of zeros."""
    windows, lead = case
    random = np.random.default_rng(0)
    values = [-np.inf, -1.0, -0.0, 0.0, 2.0, np.nan]
    g = random.choice(values, (*lead, *windows.out)).astype(dtype)
    for kernels in (numba_windows, numpy_pool):
        grad = kernels.spread_pool(g, windows)
        assert (grad.shape, grad.dtype) == ((*lead, *windows.sizes), dtype)
        assert grad.flags.c_contiguous
        parts, axes = split(grad, windows)
        expected = np.broadcast_to(np.expand_dims(g, axes), parts.shape)
        np.testing.assert_array_equal(parts, expected)
        np.testing.assert_array_equal(np.signbit(parts), np.signbit(expected))


def test_infinity_and_nan_stay_in_their_window():
    windows = Windows((4, 6), (2, 3), (2, 3), (0, 0), (1, 1), (2, 2))
    x = np.ones((4, 6), np.float32)
    x[0, 0], x[3, 5] = np.inf, np.nan
    for kernels in (numba_windows, numpy_pool):
        np.testing.assert_array_equal(kernels.sum_pool(x, windows), [[np.inf, 6], [6, np.nan]])


def test_large_windows_are_summed_like_any_array():
    """One after the other in float32 would be off by far more."""
    size = 1 << 21
    windows = Windows((size,), (size,), (size,), (0,), (1,), (1,))
    x = np.full((1, size), 0.1, np.float32)
    exact = x.astype(np.float64).sum()
    np.testing.assert_allclose(numba_windows.sum_pool(x, windows), [[exact]], rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"stride": (1, 2)},
        {"before": (1, 0)},
        {"dilation": (2, 1)},
        {"sizes": (5, 4), "out": (2, 2)},
    ],
    ids=str,
)
def test_other_windows_are_not_side_by_side(change):
    plain = Windows((4, 4), (2, 2), (2, 2), (0, 0), (1, 1), (2, 2))
    assert plain.side_by_side
    assert not plain._replace(**change).side_by_side
