"""Gradients of convolutions whose channels have filters of their own, beside im2col."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autograd
from autograd.kernels import Windows, columns, numpy_conv, numpy_depthwise


@pytest.fixture(autouse=True, params=[1, 2])
def threads(request, monkeypatch):
    """Two threads share even small work here."""
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    monkeypatch.setattr("autograd.kernels.threads.WORTHWHILE", 64)
    yield
    autograd.set_num_threads(before)


@st.composite
def convolutions(draw):
    """Windows of one to three dimensions, images, channels and filters of each."""
    count = draw(st.integers(1, 3))
    numbers = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(count))
    kernel, stride, dilation, out = numbers(1, 4), numbers(1, 3), numbers(1, 2), numbers(1, 5)
    before = tuple(draw(st.integers(-1, k)) for k in kernel)
    spare = numbers(0, 2)
    sizes = tuple(
        max(1, (o - 1) * s + d * (k - 1) + 1 - 2 * b + more)
        for o, s, d, k, b, more in zip(out, stride, dilation, kernel, before, spare, strict=True)
    )
    windows = Windows(sizes, kernel, stride, before, dilation, out)
    return windows, draw(st.integers(0, 3)), draw(st.integers(2, 5)), draw(st.integers(1, 3))


@given(convolutions(), st.sampled_from([1 << 6, 1 << 21]))
def test_gradients(case, block):
    windows, images, groups, filters = case
    random = np.random.default_rng(0)
    x = random.standard_normal((images, groups, *windows.sizes))
    g = random.standard_normal((images, groups * filters, *windows.out))
    weight = random.standard_normal((groups * filters, 1, *windows.kernel))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numpy_depthwise, "BLOCK", block)
        weight_grad = numpy_depthwise.conv_weight_grad(x, g, windows)
        input_grad = numpy_depthwise.conv_input_grad(g, weight, windows, groups)
    expected = columns.conv_weight_grad(x, g, windows, groups)
    np.testing.assert_allclose(weight_grad, expected, rtol=1e-9, atol=1e-9)
    expected = columns.scatter_columns(g, weight, windows, groups)
    np.testing.assert_allclose(input_grad, expected, rtol=1e-9, atol=1e-9)


@given(convolutions())
def test_compiled_gradients(case):
    numba_depthwise = pytest.importorskip("autograd.kernels.numba_depthwise")
    windows, images, groups, filters = case
    assume(len(windows.sizes) < 3)
    random = np.random.default_rng(0)
    g = random.standard_normal((images, groups * filters, *windows.out))
    weight = random.standard_normal((groups * filters, 1, *windows.kernel))
    singles = g.astype(np.float32), weight.astype(np.float32)
    found = numba_depthwise.conv_input_grad(*singles, windows, groups)
    expected = columns.scatter_columns(g, weight, windows, groups)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    assert found.dtype == np.float32
    applies = numba_depthwise.applies(singles[0], singles[1], windows, groups)
    assert applies == (windows.stride[-1] > 1 and images > 0)


def test_where_it_is_used(monkeypatch):
    """For the gradient of the weight at any stride, for that of the input at strides above 1."""
    used = []
    for name in ("conv_weight_grad", "conv_input_grad"):
        function = getattr(numpy_depthwise, name)

        def spy(*values, function=function, name=name):
            used.append(name)
            return function(*values)

        monkeypatch.setattr(numpy_depthwise, name, spy)
    x = np.ones((1, 3, 8, 8), np.float32)
    weight = np.ones((3, 1, 3, 3), np.float32)
    for stride, out in ((1, 6), (2, 3)):
        windows = Windows((8, 8), (3, 3), (stride,) * 2, (0, 0), (1, 1), (out, out))
        g = np.ones((1, 3, out, out), np.float32)
        numpy_conv.conv_weight_grad(x, g, windows, 3)
        numpy_conv.conv_input_grad(g, weight, windows, 3)
    assert used == ["conv_weight_grad", "conv_weight_grad", "conv_input_grad"]
