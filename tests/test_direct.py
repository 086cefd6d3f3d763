"""Convolution straight from the definition: compiled sums against the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

from autograd.kernels import Windows, columns, direct_ways, numba_conv, numba_direct, threads


@pytest.fixture(autouse=True, params=[1, 2])
def several_threads(request, monkeypatch):
    before = threads.get_num_threads()
    threads.set_num_threads(request.param)
    monkeypatch.setattr(threads, "WORTHWHILE", 64)
    yield
    threads.set_num_threads(before)


def layout(array, kind):
    """The same values, in another order in memory or not to be written to."""
    if kind == "transposed":
        return np.ascontiguousarray(array.T).T
    if kind == "reversed":
        return np.ascontiguousarray(array[:, ::-1])[:, ::-1]
    if kind == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


both = pytest.mark.parametrize("way", numba_direct.WAYS)


@st.composite
def convolutions(draw):
    """Of one to three dimensions: x, weight, bias or None, g, windows, groups."""
    count = draw(st.integers(1, 3))
    numbers = lambda low, high: draw(st.tuples(*[st.integers(low, high)] * count))
    kernel, stride, dilation = numbers(1, 5 if count < 3 else 3), numbers(1, 3), numbers(1, 3)
    before, after = numbers(-1, 4), numbers(-1, 4)
    least = [
        max(1, d * (k - 1) + 1 - b - a)
        for k, d, b, a in zip(kernel, dilation, before, after, strict=True)
    ]
    sizes = tuple(draw(st.integers(low, low + (37 if count < 3 else 4))) for low in least)
    out = tuple(
        (n + b + a - d * (k - 1) - 1) // s + 1
        for n, b, a, d, k, s in zip(sizes, before, after, dilation, kernel, stride, strict=True)
    )
    groups, images = draw(st.integers(1, 3)), draw(st.integers(0, 5))
    inputs, outputs = draw(st.integers(1, 4)), draw(st.integers(1, 34))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    normal = lambda *shape: random.standard_normal(shape, np.float32)
    kind = draw(st.sampled_from(["plain", "transposed", "reversed", "read-only"]))
    x = layout(normal(images, groups * inputs, *sizes), kind)
    weight = layout(normal(groups * outputs, inputs, *kernel), kind)
    g = layout(normal(images, groups * outputs, *out), kind)
    bias = normal(groups * outputs) if draw(st.booleans()) else None
    return x, weight, bias, g, Windows(sizes, kernel, stride, before, dilation, out), groups


def close(came, reference, *arrays):
    """Within 1e-5 of what the reference makes of the same in float64, as a whole (by the norm)."""
    exact = [None if array is None else array.astype(np.float64) for array in arrays]
    wanted = reference(*exact)
    size = np.sqrt(reference(*(None if array is None else array**2 for array in exact)))
    assert came.dtype == np.float32
    assert came.shape == wanted.shape
    assert np.linalg.norm(came - wanted) <= 1e-5 * np.linalg.norm(size)


def choose(way, monkeypatch):
    for name in ("for_results", "for_weight"):
        monkeypatch.setattr(direct_ways, name, lambda case: (-1, way))


def everywhere(way, monkeypatch):
    """Direct convolution for all that it can do, by one of its ways."""
    choose(way, monkeypatch)
    monkeypatch.setattr(numba_conv.winograd, "applies", lambda *_: False)
    for name in ("column_blocks", "conv_input_grad"):
        monkeypatch.setattr(columns, name, None)


@both
@given(case=convolutions())
def test_convolutions_and_their_gradients(way, case):
    x, weight, bias, g, windows, groups = case
    with pytest.MonkeyPatch.context() as patch:
        if x.size and g.size:
            everywhere(way, patch)
        out = numba_conv.conv(x, weight, bias, windows, groups)
        weight_grad = numba_conv.conv_weight_grad(x, g, windows, groups)
        input_grad = numba_conv.conv_input_grad(g, weight, windows, groups)
    close(out, lambda x, w, b: columns.conv(x, w, b, windows, groups), x, weight, bias)
    close(weight_grad, lambda x, g: columns.conv_weight_grad(x, g, windows, groups), x, g)
    close(input_grad, lambda g, w: columns.scatter_columns(g, w, windows, groups), g, weight)


@both
@pytest.mark.parametrize("value", [np.inf, np.nan])
@pytest.mark.parametrize("width", [7, 16, 19, 28])
def test_infinity_and_nan_reach_what_they_reach_in_the_reference(way, width, value, monkeypatch):
    choose(way, monkeypatch)
    windows = Windows((6, width), (3, 3), (1, 1), (1, 1), (1, 1), (6, width))
    ones = np.ones((2, 3, 6, width), np.float32), np.ones((2, 9, 6, width), np.float32)
    weight = np.ones((9, 3, 3, 3), np.float32)
    for row in (0, 3, 5):
        for column in {0, 1, min(15, width - 1), width - 2, width - 1}:
            x, g = (array.copy() for array in ones)
            x[1, 1, row, column] = g[1, 4, row, column] = value
            for ours, reference, *arrays in (
                (numba_direct.conv, columns.conv, x, weight, None),
                (numba_direct.conv_weight_grad, columns.conv_weight_grad, x, ones[1]),
                (numba_direct.conv_weight_grad, columns.conv_weight_grad, ones[0], g),
            ):
                with np.errstate(invalid="ignore"):
                    came, wanted = ours(*arrays, windows, 1), reference(*arrays, windows, 1)
                assert (np.isfinite(came) == np.isfinite(wanted)).all()


def test_windows_that_lie_in_the_padding_send_nothing_back():
    g, weight = np.ones((1, 1, 1, 1), np.float32), np.ones((1, 1, 1, 1), np.float32)
    windows = Windows((1, 1), (1, 1), (1, 2), (0, 1), (1, 1), (1, 1))
    assert (numba_direct.conv_input_grad(g, weight, windows, 1) == 0).all()


@both
def test_results_repeat_bit_for_bit(way, monkeypatch):
    choose(way, monkeypatch)
    random = np.random.default_rng(0)
    x = random.standard_normal((37, 3, 19, 28), np.float32)
    g = random.standard_normal((37, 11, 19, 28), np.float32)
    windows = Windows((19, 28), (5, 5), (1, 1), (2, 2), (1, 1), (19, 28))
    first = numba_direct.conv_weight_grad(x, g, windows, 1)
    assert all((numba_direct.conv_weight_grad(x, g, windows, 1) == first).all() for _ in range(5))


def applies(dtype=np.float32, other=np.float32, images=32, inputs=1, outputs=32, groups=1, **own):
    settings = {
        "sizes": (28, 28),
        "kernel": (5, 5),
        "stride": (1, 1),
        "before": (2, 2),
        "dilation": (1, 1),
        "out": (28, 28),
        **own,
    }
    windows = Windows(**settings)
    x = np.zeros((images, groups * inputs, *windows.sizes), dtype)
    weight = np.zeros((groups * outputs, inputs, *windows.kernel), other)
    g = np.zeros((images, groups * outputs, *windows.out), other)
    forward = direct_ways.applies(x, weight, windows, groups)
    assert direct_ways.applies_to_weight(x, g, windows, groups) == forward
    return forward


def test_where_it_is_faster():
    assert applies()
    assert applies(inputs=3, kernel=(3, 3), before=(1, 1))
    assert applies(inputs=64, outputs=256, sizes=(4, 4), out=(4, 4))
    assert applies(images=1, inputs=64, outputs=256, sizes=(4, 4), out=(4, 4))
    assert not applies(inputs=64, kernel=(1, 1), before=(0, 0))


def test_where_it_cannot_be_used():
    assert not applies(dtype=np.float64, other=np.float64)
    assert not applies(dtype=np.float16, other=np.float16)
    assert not applies(other=np.float64)
    assert not applies(images=0)
