"""Convolution in any number of dimensions, with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import columns, numpy_depthwise, numpy_matmul, numpy_winograd, whole, winograd
from autograd.kernels.half import in_single
from autograd.kernels.windows import Windows

PASS = 70
"""What the transforms of `numpy_winograd` cost for each value, in multiplications."""


@in_single
def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (G*O, C, kernel...), (G*O,) or None -> (N, G*O, out...)"""
    if whole.applies(windows, groups, x, weight):
        return whole.conv(x, weight, bias, numpy_matmul.linear)
    if not winograd.applies(x, weight.shape, weight.dtype, windows, groups, PASS):
        return columns.conv(x, weight, bias, windows, groups)
    bias = np.zeros(len(weight), x.dtype) if bias is None else bias
    return winograd.conv(x, weight, bias, windows, numpy_winograd)


@in_single
def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*O, out...), (G*O, C, kernel...) -> (N, G*C, sizes...)"""
    if whole.applies(windows, groups, g, weight):
        return whole.conv_input_grad(g, weight, numpy_matmul.matmul)
    depthwise = numpy_depthwise.applies(weight.shape[1] * groups, weight.shape, groups)
    if depthwise and max(windows.stride) > 1:
        return numpy_depthwise.conv_input_grad(g, weight, windows, groups)
    turned = windows.turned()
    if not winograd.applies(g, weight.shape, weight.dtype, turned, groups, PASS):
        return columns.conv_input_grad(g, weight, windows, groups)
    return winograd.conv_input_grad(g, weight, windows, numpy_winograd)


@in_single
def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (N, G*O, out...) -> (G*O, C, kernel...)"""
    if whole.applies(windows, groups, x, g):
        return whole.conv_weight_grad(x, g, numpy_matmul.matmul)
    shape = (g.shape[1], x.shape[1])
    if numpy_depthwise.applies(x.shape[1], shape, groups):
        return numpy_depthwise.conv_weight_grad(x, g, windows)
    if not winograd.applies(x, shape, g.dtype, windows, groups, PASS):
        return columns.conv_weight_grad(x, g, windows, groups)
    return winograd.weight_grad(x, g, windows, numpy_winograd)
