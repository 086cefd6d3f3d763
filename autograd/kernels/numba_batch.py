"""Compiled standardization of columns: batch norm of x (N, C), whose channels are single numbers.

Sums are in float64: rows may be many, and are added one after the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compiled import Doubles, Floats, Floats2d, compiled, compiled_exactly
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_room import empty, release

ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""


def moments(x: Any) -> tuple[Any, Any]:
    """The mean and the (biased) variance (1, C) of x (N, C)."""
    mean, variance = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    share(column_moments, x.shape[1], 2 * x.size * ELEMENT, x, mean, variance)
    return mean.astype(x.dtype)[None], variance.astype(x.dtype)[None]  # (C,) -> (1, C)


def standardize(x: Any, mean: Any, factor: Any, shift: Any) -> Any:
    """``(x - mean) * factor + shift``, of x (N, C) and vectors (C,)."""
    out = np.empty(x.shape, x.dtype)
    share(scale_columns, len(x), x.size * ELEMENT, x, out, mean, factor, shift)
    return out


def standardize_backward(g: Any, x: Any, mean: Any, inverse: Any, weight: Any, need_x: bool) -> Any:
    """The gradients of ``(x - mean) * inverse * weight + bias``: (N, C), or None, and two (C,)."""
    grad = np.empty(x.shape if need_x else (0, 0), x.dtype)
    sums = np.zeros((2, x.shape[1]))
    share(columns_back, x.shape[1], 3 * x.size * ELEMENT, g, x, grad, mean, inverse, weight, *sums)
    weight_grad, bias_grad = sums.astype(x.dtype)
    return grad if need_x else None, weight_grad, bias_grad


@compiled
def column_moments(
    x: Floats2d,
    mean: Doubles,
    variance: Doubles,
    first: int,
    last: int,
) -> None:
    """Of some columns, in two passes."""
    shared()
    rows = len(x)
    means, squares = mean[first:last], variance[first:last]
    for r in range(rows):
        row = x[r, first:last]
        for k in range(row.size):
            means[k] += row[k]
    for k in range(means.size):
        means[k] /= rows
    for r in range(rows):
        row = x[r, first:last]
        for k in range(row.size):
            squares[k] += (row[k] - means[k]) * (row[k] - means[k])
    for k in range(means.size):
        squares[k] /= rows


@compiled_exactly
def scale_columns(
    x: Floats2d,
    out: Floats2d,
    mean: Floats,
    factor: Floats,
    shift: Floats,
    first: int,
    last: int,
) -> None:
    """Some rows."""
    shared()
    for r in range(first, last):
        values, row = x[r], out[r]
        for k in range(values.size):
            row[k] = (values[k] - mean[k]) * factor[k] + shift[k]


@compiled
def columns_back(
    g: Floats2d,
    x: Floats2d,
    grad: Floats2d,
    mean: Floats,
    inverse: Floats,
    weight: Floats,
    weight_grad: Doubles,
    bias_grad: Doubles,
    first: int,
    last: int,
) -> None:
    """Some columns: their sums, and what follows from them."""
    shared()
    rows, real = len(x), x.dtype.type
    middle, scale = mean[first:last], inverse[first:last]
    weights, biases = weight_grad[first:last], bias_grad[first:last]
    for r in range(rows):
        values, row = g[r, first:last], x[r, first:last]
        for k in range(row.size):
            biases[k] += values[k]
            weights[k] += values[k] * (row[k] - middle[k])
    for k in range(weights.size):
        weights[k] *= scale[k]
    if not grad.size:
        return
    slope, level, gain = (empty(x, weights.size), empty(x, weights.size), empty(x, weights.size))
    for k in range(weights.size):
        slope[k] = real(weights[k] / rows) * scale[k]
        level[k] = real(biases[k] / rows)
        gain[k] = scale[k] * weight[first + k]
    for r in range(rows):
        values, row, out = g[r, first:last], x[r, first:last], grad[r, first:last]
        for k in range(row.size):
            out[k] = (values[k] - level[k] - (row[k] - middle[k]) * slope[k]) * gain[k]
    release(slope)
    release(level)
    release(gain)
