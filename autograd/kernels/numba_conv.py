"""Convolution by minimal filtering with compiled transforms, or directly, where that is faster."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import (
    columns,
    direct_ways,
    numba_depthwise,
    numba_direct,
    numba_matmul,
    numba_winograd,
    numpy_conv,
    whole,
    winograd,
)
from autograd.kernels.compiled import writable
from autograd.kernels.windows import Windows

PASS = 24
"""What the transforms of `numba_winograd` cost for each value, in multiplications."""


def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """As `numpy_conv.conv`."""
    if whole.applies(windows, groups, x, weight):
        return whole.conv(x, weight, bias, numba_matmul.linear)
    if not winograd.applies(x, weight.shape, weight.dtype, windows, groups, PASS):
        if direct_ways.applies(x, weight, windows, groups):
            return numba_direct.conv(writable(x), weight, bias, windows, groups)
        return numpy_conv.conv(x, weight, bias, windows, groups)
    bias = np.zeros(len(weight), x.dtype) if bias is None else writable(bias)
    return winograd.conv(writable(x), weight, bias, windows, numba_winograd)


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """As `numpy_conv.conv_input_grad`."""
    if whole.applies(windows, groups, g, weight):
        return whole.conv_input_grad(g, weight, numba_matmul.matmul)
    if numba_depthwise.applies(g, weight, windows, groups):
        return numba_depthwise.conv_input_grad(writable(g), writable(weight), windows, groups)
    if groups == 1 and windows.side_by_side and not columns.is_pointwise(windows):
        return numpy_conv.conv_input_grad(g, weight, windows, groups)
    turned = windows.turned()
    if not winograd.applies(g, weight.shape, weight.dtype, turned, groups, PASS):
        if direct_ways.applies_to_input(g, weight, windows, groups):
            return numba_direct.conv_input_grad(writable(g), weight, windows, groups)
        return numpy_conv.conv_input_grad(g, weight, windows, groups)
    return winograd.conv_input_grad(writable(g), weight, windows, numba_winograd)


def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """As `numpy_conv.conv_weight_grad`."""
    if whole.applies(windows, groups, x, g):
        return whole.conv_weight_grad(x, g, numba_matmul.matmul)
    shape = (g.shape[1], x.shape[1])
    if not winograd.applies(x, shape, g.dtype, windows, groups, PASS):
        if direct_ways.applies_to_weight(x, g, windows, groups):
            return numba_direct.conv_weight_grad(writable(x), writable(g), windows, groups)
        return numpy_conv.conv_weight_grad(x, g, windows, groups)
    return winograd.weight_grad(writable(x), writable(g), windows, numba_winograd)
