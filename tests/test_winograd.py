"""Convolution by minimal filtering: the algebra, and both ways of computing the transforms."""

from importlib.util import find_spec
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.kernels import Windows, columns, numpy_winograd, threads, winograd, winograd_tiles

TILES = {"numpy": numpy_winograd}
if find_spec("numba") is not None:
    from autograd.kernels import numba_winograd

    TILES["numba"] = numba_winograd

both = pytest.mark.parametrize("tiles", TILES.values(), ids=TILES)


@pytest.mark.parametrize("size", [3, 5])
def test_the_matrices_correlate(size):
    """For every input and every weight, whatever the others: the map is bilinear."""
    inputs, kernels, results = winograd_tiles.filters(size)
    n = size + 3
    for k in range(n):
        for j in range(size):
            x, w = np.eye(n)[k], np.eye(size)[j]
            wanted = [float(out + j == k) for out in range(4)]
            np.testing.assert_allclose(results @ ((kernels @ w) * (inputs @ x)), wanted, atol=1e-13)


@st.composite
def convolutions(draw):
    size = draw(st.sampled_from([3, 5]))
    sizes = draw(st.tuples(st.integers(size, 17), st.integers(size, 17)))
    before = draw(st.tuples(st.integers(0, size + 1), st.integers(0, size + 1)))
    after = draw(st.tuples(st.integers(0, size + 1), st.integers(0, size + 1)))
    out = tuple(
        n + first + last - size + 1 for n, first, last in zip(sizes, before, after, strict=True)
    )
    images = draw(st.sampled_from([1, 2, 3, 17, 40]))
    inputs, outputs = draw(st.tuples(st.integers(8, 11), st.integers(8, 11)))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    x = random.standard_normal((images, inputs, *sizes), np.float32)
    weight = random.standard_normal((outputs, inputs, size, size), np.float32)
    g = random.standard_normal((images, outputs, *out), np.float32)
    bias = random.standard_normal(outputs, np.float32)
    return Drawn(x, weight, bias, g, Windows(sizes, (size, size), (1, 1), before, (1, 1), out))


class Drawn(NamedTuple):
    x: Any
    weight: Any
    bias: Any
    g: Any
    windows: Windows

    def __repr__(self):
        """Short: Hypothesis warns of arrays that take pages."""
        return f"x {self.x.shape}, weight {self.weight.shape}, {self.windows}"


def close(came, reference, *arrays):
    """Within 1e-5 of what the reference makes of the same in float64, as a whole (by the norm).

    Relative to the size that sums have whose terms are of random sign, the root of the sum of
    their squares: the sum of a few may happen to be almost 0.
    """
    exact = [array.astype(np.float64) for array in arrays]
    wanted = reference(*exact)
    size = np.sqrt(reference(*(array**2 for array in exact)))
    assert came.dtype == np.float32
    assert came.shape == wanted.shape
    assert np.linalg.norm(came - wanted) <= 1e-5 * np.linalg.norm(size)


@both
@pytest.mark.parametrize("few", [False, True], ids=["by images", "by kernels"])
@given(case=convolutions())
def test_convolutions_and_their_gradients(tiles, few, case):
    with mock.patch.object(winograd, "has_few", return_value=few):
        check_convolution(tiles, *case)


def check_convolution(tiles, x, weight, bias, g, windows):
    close(
        winograd.conv(x, weight, bias, windows, tiles),
        lambda x, weight, bias: columns.conv(x, weight, bias, windows, 1),
        *(x, weight, bias),
    )
    close(
        winograd.weight_grad(x, g, windows, tiles),
        lambda x, g: columns.conv_weight_grad(x, g, windows, 1),
        *(x, g),
    )
    if min(windows.turned().before) >= 0:
        close(
            winograd.conv_input_grad(g, weight, windows, tiles),
            lambda g, weight: columns.scatter_columns(g, weight, windows, 1),
            *(g, weight),
        )


@both
@pytest.mark.parametrize("few", [False, True], ids=["by images", "by kernels"])
@pytest.mark.parametrize("size", [3, 5])
def test_gradients_of_large_batches_round_off_little(tiles, few, size):
    """Their sums have 6,272 terms."""
    random = np.random.default_rng(0)
    x, g = (random.standard_normal((128, 8, 28, 28), np.float32) for _ in range(2))
    windows = Windows((28, 28), (size, size), (1, 1), (size // 2, size // 2), (1, 1), (28, 28))
    with mock.patch.object(winograd, "has_few", return_value=few):
        came = winograd.weight_grad(x, g, windows, tiles)
    close(came, lambda x, g: columns.conv_weight_grad(x, g, windows, 1), x, g)


@both
@pytest.mark.parametrize("block", [1, 1 << 16, 1 << 30])
def test_blocks_of_any_size(tiles, block, monkeypatch):
    monkeypatch.setattr(winograd, "BLOCK", block)
    random = np.random.default_rng(0)
    x = random.standard_normal((37, 5, 19, 13), np.float32)
    weight = random.standard_normal((6, 5, 3, 3), np.float32)
    windows = Windows((19, 13), (3, 3), (1, 1), (1, 1), (1, 1), (19, 13))
    bias = np.zeros(6, np.float32)
    close(
        winograd.conv(x, weight, bias, windows, tiles),
        lambda x, weight, bias: columns.conv(x, weight, bias, windows, 1),
        *(x, weight, bias),
    )


@both
def test_infinity_and_nan_reach_only_their_tiles(tiles):
    x = np.ones((20, 3, 12, 12), np.float32)
    x[7, 1, 5, 5] = np.nan
    weight = np.ones((4, 3, 3, 3), np.float32)
    windows = Windows((12, 12), (3, 3), (1, 1), (1, 1), (1, 1), (12, 12))
    out = winograd.conv(x, weight, np.zeros(4, np.float32), windows, tiles)
    assert np.isnan(out[7, :, 4:7, 4:7]).all()
    assert np.isfinite(np.delete(out, 7, axis=0)).all()


@both
@pytest.mark.parametrize("few", [False, True], ids=["by images", "by kernels"])
def test_threads_do_not_write_into_each_other(tiles, few, monkeypatch):
    """The same bits from several threads, in blocks of any order, as from one."""
    monkeypatch.setattr(winograd, "has_few", lambda *_: few)
    monkeypatch.setattr(winograd, "KERNELS", 2)
    monkeypatch.setattr(threads, "WORTHWHILE", 1)
    monkeypatch.setattr(winograd, "BLOCK", 1 << 14)
    random = np.random.default_rng(0)
    before = threads.get_num_threads()
    try:
        for size, sizes in ((3, (21, 14)), (5, (14, 28)), (3, (9, 3)), (3, (40, 17))):
            x = random.standard_normal((48, 8, *sizes), np.float32)
            weight = random.standard_normal((9, 8, size, size), np.float32)
            pad = (size // 2, size // 2)
            windows = Windows(sizes, (size, size), (1, 1), pad, (1, 1), sizes)
            results = []
            for number in (1, 2, 3, 2, 3):
                threads.set_num_threads(number)
                results.append(winograd.conv(x, weight, np.zeros(9, np.float32), windows, tiles))
            assert all((result == results[0]).all() for result in results)
    finally:
        threads.set_num_threads(before)


def applies(
    dtype=np.float32, other=np.float32, images=32, inputs=32, outputs=32, groups=1, **changes
):
    settings = {
        "sizes": (16, 16),
        "kernel": (3, 3),
        "stride": (1, 1),
        "before": (1, 1),
        "dilation": (1, 1),
        "out": (16, 16),
        **changes,
    }
    x = np.zeros((images, inputs, 1, 1), dtype)
    return winograd.applies(x, (outputs, inputs), other, Windows(**settings), groups, 24)


def test_where_it_applies():
    assert applies()
    assert not applies(dtype=np.float64, other=np.float64)
    assert not applies(dtype=np.float16, other=np.float16)
    assert not applies(other=np.float64)
    assert not applies(groups=2)
    assert not applies(kernel=(3, 5))
    assert not applies(kernel=(7, 7))
    assert not applies(stride=(2, 1))
    assert not applies(dilation=(1, 2))
    assert not applies(before=(-1, 1))
    assert not applies(images=0)
    assert not applies(inputs=1)
    assert not applies(images=1, inputs=512, outputs=512, sizes=(4, 4), out=(4, 4))
