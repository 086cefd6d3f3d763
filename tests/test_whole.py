"""Convolutions whose kernels cover the input, at once or side by side, beside im2col."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from autograd.kernels import Windows, columns, whole

KERNELS = ["numpy_conv", *(["numba_conv"] if find_spec("numba") else [])]


def window(covered, **change):
    ones = (1,) * len(covered)
    plain = Windows(covered, covered, ones, (0,) * len(covered), ones, ones)
    return plain._replace(**change)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("sizes", [(5,), (4, 3), (2, 3, 4), (1, 1)])
@pytest.mark.parametrize(("images", "channels", "outputs"), [(3, 4, 5), (1, 1, 1), (64, 96, 80)])
@pytest.mark.parametrize("has_bias", [False, True])
def test_results_and_gradients(name, sizes, images, channels, outputs, has_bias):
    kernels, windows = import_module(f"autograd.kernels.{name}"), window(sizes)
    random = np.random.default_rng(0)
    x, weight, g, bias = (
        random.standard_normal(shape).astype(np.float32)
        for shape in (
            (images, channels, *sizes),
            (outputs, channels, *sizes),
            (images, outputs, *windows.out),
            (outputs,),
        )
    )
    bias = bias if has_bias else None
    assert whole.applies(windows, 1, x, weight)
    pairs = (
        (kernels.conv(x, weight, bias, windows, 1), columns.conv(x, weight, bias, windows, 1)),
        (
            kernels.conv_input_grad(g, weight, windows, 1),
            columns.scatter_columns(g, weight, windows, 1),
        ),
        (
            kernels.conv_weight_grad(x, g, windows, 1),
            columns.conv_weight_grad(x, g, windows, 1),
        ),
    )
    for ours, expected in pairs:
        assert (ours.shape, ours.dtype) == (expected.shape, expected.dtype)
        scale = max(1, np.abs(expected).max())
        np.testing.assert_allclose(ours / scale, expected / scale, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("windows", "groups"),
    [
        (window((4, 3), sizes=(5, 3)), 1),
        (window((4, 3), before=(1, 0), out=(3, 1)), 1),
        (window((4, 3)), 2),
    ],
    ids=["a larger input", "padding", "groups"],
)
def test_others(windows, groups):
    assert not whole.applies(windows, groups, np.ones(1))
    assert not whole.applies(window((4, 3)), 1, np.ones(0))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "out"), [((3,), (5,)), ((2, 2), (7, 6)), ((2, 3), (1, 4)), ((2, 1, 2), (3, 2, 2))]
)
def test_input_gradients_side_by_side(name, dtype, groups, kernel, out):
    ones, zeros = (1,) * len(out), (0,) * len(out)
    sizes = tuple(k * o for k, o in zip(kernel, out, strict=True))
    windows = Windows(sizes, kernel, kernel, zeros, ones, out)
    random = np.random.default_rng(0)
    g = random.standard_normal((5, 6, *out)).astype(dtype)
    weight = random.standard_normal((6, 4, *kernel)).astype(dtype)
    ours = import_module(f"autograd.kernels.{name}").conv_input_grad(g, weight, windows, groups)
    expected = columns.scatter_columns(g, weight, windows, groups)
    assert (ours.shape, ours.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-5)
