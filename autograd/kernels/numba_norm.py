"""Compiled standardization: of channels (batch norm) and of rows (layer, group, instance norm).

Channels are x as (N, C, P) with the statistics of each c; rows are x as (R, D) with the statistics
of each r, and an affine map of G rows that repeats: row r has that of r modulo G. Sums within a
plane are in the precision of x, over planes in float64. Everything else is left to NumPy.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numpy_norm
from autograd.kernels.compiled import compiled, compiled_exactly
from autograd.kernels.numpy_norm import Axes, Pair
from autograd.kernels.threads import share

TYPES = (np.float32, np.float64)
ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""
SHORTEST = 8
"""Rows below this length are not worth a loop of their own."""


def moments(x: Any, axes: Axes) -> Pair:
    """As `numpy_norm.moments`."""
    if not (is_treated(x) and is_channels(x, axes)):
        return numpy_norm.moments(x, axes)
    planes = channels(x)
    shape = (1, x.shape[1], *(1,) * (x.ndim - 2))
    mean, variance = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
    share(
        lambda part: channel_moments(
            planes, mean.reshape(-1), variance.reshape(-1), part.start, part.stop
        ),
        x.shape[1],
        x.size * ELEMENT,
        blas=False,
    )
    return mean, variance


def standard_moments(x: Any, axes: Axes, eps: float) -> Pair:
    """As `numpy_norm.standard_moments`."""
    mean, variance = moments(x, axes)
    return mean, 1 / np.sqrt(variance + eps)


def standardize(
    x: Any, weight: Any, bias: Any, axes: Axes, eps: float, known: Pair | None
) -> tuple[Any, Pair]:
    """As `numpy_norm.standardize`."""
    if not is_treated(x):
        return numpy_norm.standardize(x, weight, bias, axes, eps, known)
    if is_channels(x, axes) and per_channel(x, weight) and per_channel(x, bias):
        mean, inverse = known = known or standard_moments(x, axes, eps)
        out = np.empty(x.shape, x.dtype)
        planes = x.reshape(-1, prod(x.shape[2:]))  # (N, C, sizes...) -> (N * C, P)
        outs = out.reshape(planes.shape)
        factor = inverse if weight is None else inverse * weight
        shift = np.zeros_like(mean) if bias is None else np.ascontiguousarray(bias)
        share(
            lambda part: scale_channels(
                planes[part],
                outs[part],
                mean.reshape(-1),
                factor.reshape(-1),
                shift.reshape(-1),
                part.start,
            ),
            len(planes),
            x.size * ELEMENT,
            blas=False,
        )
        return out, known
    map_shape = affine_rows(x, axes, weight, bias) if is_rows(x, axes) else None
    if map_shape is None:
        return numpy_norm.standardize(x, weight, bias, axes, eps, known)
    rows = x.reshape(-1, map_shape[1])
    out = np.empty(x.shape, x.dtype)
    outs = out.reshape(rows.shape)
    if known is None:
        lead = x.shape[: x.ndim - len(axes)]
        mean, inverse = (np.empty((*lead, *(1,) * len(axes)), x.dtype) for _ in range(2))
    else:
        mean, inverse = known
    weights, biases = as_rows(x, weight, map_shape, 1), as_rows(x, bias, map_shape, 0)
    means, inverses = mean.reshape(-1), inverse.reshape(-1)
    share(
        lambda part: scale_rows(
            rows[part],
            outs[part],
            means[part],
            inverses[part],
            weights,
            biases,
            part.start,
            float(eps),
            known is None,
        ),
        len(rows),
        2 * x.size * ELEMENT,
        blas=False,
    )
    return out, (mean, inverse)


def standardize_backward(
    g: Any,
    x: Any,
    weight: Any,
    axes: Axes,
    rest: Axes,
    known: Pair,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    """As `numpy_norm.standardize_backward`."""
    need_x, need_weight, need_bias = needs
    mean, inverse = known
    if not (is_treated(x) and g.dtype == x.dtype):
        return numpy_norm.standardize_backward(g, x, weight, axes, rest, known, needs)
    g = np.ascontiguousarray(g)
    grad = np.empty(x.shape if need_x else 0, x.dtype)
    if rest == axes and is_channels(x, axes):
        weights = np.ones_like(mean) if weight is None else np.ascontiguousarray(weight)
        weight_grad, bias_grad = np.empty(mean.shape, x.dtype), np.empty(mean.shape, x.dtype)
        values, planes = channels(g), channels(x)
        grads = channels(grad) if need_x else np.empty((0, 0, 0), x.dtype)
        share(
            lambda part: channels_back(
                values,
                planes,
                grads,
                mean.reshape(-1),
                inverse.reshape(-1),
                weights.reshape(-1),
                weight_grad.reshape(-1),
                bias_grad.reshape(-1),
                part.start,
                part.stop,
            ),
            x.shape[1],
            2 * x.size * ELEMENT,
            blas=False,
        )
        return (
            grad if need_x else None,
            weight_grad if need_weight else None,
            bias_grad if need_bias else None,
        )
    shape = tuple(1 if axis in rest else size for axis, size in enumerate(x.shape))
    like = np.broadcast_to(np.zeros((), x.dtype), shape)
    map_shape = affine_rows(x, axes, like) if is_rows(x, axes) else None
    if map_shape is None:
        return numpy_norm.standardize_backward(g, x, weight, axes, rest, known, needs)
    rows = x.reshape(-1, map_shape[1])
    values = g.reshape(rows.shape)
    grads = grad.reshape(rows.shape) if need_x else np.empty((0, 0), x.dtype)
    weights = as_rows(x, weight, map_shape, 1)
    means, inverses = mean.reshape(-1), inverse.reshape(-1)

    def back(part: slice) -> Any:
        totals = np.zeros((2, *map_shape), x.dtype)
        rows_back(
            values[part],
            rows[part],
            grads[part] if need_x else grads,
            means[part],
            inverses[part],
            weights,
            totals[0],
            totals[1],
            part.start,
            need_weight or need_bias,
        )
        return totals

    totals, *others = share(back, len(rows), 3 * x.size * ELEMENT, blas=False)
    for more in others:
        totals += more
    full = shape[x.ndim - map_axes(x, map_shape) :]
    return (
        grad if need_x else None,
        fold(totals[0], x, full).reshape(shape) if need_weight else None,
        fold(totals[1], x, full).reshape(shape) if need_bias else None,
    )


def is_treated(x: Any) -> bool:
    return x.dtype in TYPES and x.flags.c_contiguous and x.size > 0 and x.ndim > 1


def is_channels(x: Any, axes: Axes) -> bool:
    """Whether each index of axis 1 has its own statistics, of planes that are long enough."""
    return axes == (0, *range(2, x.ndim)) and prod(x.shape[2:]) >= SHORTEST


def is_rows(x: Any, axes: Axes) -> bool:
    """Whether each row, of the last axes, has its own statistics."""
    first = x.ndim - len(axes)
    return first > 0 and axes == tuple(range(first, x.ndim)) and prod(x.shape[first:]) >= SHORTEST


def per_channel(x: Any, values: Any) -> bool:
    return values is None or values.shape == (1, x.shape[1], *(1,) * (x.ndim - 2))


def channels(x: Any) -> Any:
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))  # (N, C, sizes...) -> (N, C, P)


def affine_rows(x: Any, axes: Axes, *maps: Any) -> tuple[int, int] | None:
    """(G, D): how many rows the affine map has before it repeats; None if it never does."""
    length = prod(x.shape[axis] for axis in axes)
    first = min(
        (axis for values in maps if values is not None for axis in varying(values)),
        default=x.ndim - len(axes),
    )
    first = min(first, x.ndim - len(axes))
    if first == 0:
        return None
    return prod(x.shape[first:]) // length, length


def varying(values: Any) -> list[int]:
    return [axis for axis, size in enumerate(values.shape) if size > 1]


def map_axes(x: Any, map_shape: tuple[int, int]) -> int:
    """How many of the last axes of x the affine map covers."""
    count, size = 0, 1
    while size < prod(map_shape):
        count += 1
        size *= x.shape[x.ndim - count]
    return count


def as_rows(x: Any, values: Any, map_shape: tuple[int, int], default: int) -> Any:
    """An affine map as (G, D)."""
    if values is None:
        return np.full(map_shape, default, x.dtype)
    count = map_axes(x, map_shape)
    own = values.reshape(values.shape[x.ndim - count :])
    full = np.broadcast_to(own, x.shape[x.ndim - count :])
    return np.ascontiguousarray(full).reshape(map_shape)


def fold(rows: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """Sum gradients (G, D) over the axes along which the map was stretched to it."""
    full = rows.reshape(x.shape[x.ndim - len(shape) :])
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return full.sum(axis=axes, keepdims=True) if axes else full


@compiled
def spread_of(row: Any) -> Any:
    """The mean of a row, and the sum of the squared distances from it."""
    total = row.dtype.type(0)
    for i in range(row.size):
        total += row[i]
    mean = total / row.dtype.type(row.size)
    square = row.dtype.type(0)
    for i in range(row.size):
        square += (row[i] - mean) * (row[i] - mean)
    return mean, square


@compiled
def channel_moments(x: Any, mean: Any, variance: Any, start: int, stop: int) -> None:
    """Planes are joined as in Chan, Golub and LeVeque 1983: as stable as two passes."""
    count, size = len(x), x.shape[2]
    for c in range(start, stop):
        middle, square = 0.0, 0.0
        for n in range(count):
            own, own_square = spread_of(x[n, c])
            change = own - middle
            middle += change / (n + 1)
            square += own_square + change * change * (size * n / (n + 1))
        mean[c] = middle
        variance[c] = square / (count * size)


@compiled_exactly
def scale_channels(x: Any, out: Any, mean: Any, factor: Any, shift: Any, start: int) -> None:
    for p in range(len(x)):
        c = (start + p) % mean.size
        values, row = x[p], out[p]
        middle, scale, base = mean[c], factor[c], shift[c]
        for i in range(values.size):
            row[i] = (values[i] - middle) * scale + base


@compiled
def channels_back(
    g: Any,
    x: Any,
    grad: Any,
    mean: Any,
    inverse: Any,
    weight: Any,
    weight_grad: Any,
    bias_grad: Any,
    start: int,
    stop: int,
) -> None:
    count, size = len(x), x.shape[2]
    real = x.dtype.type
    for c in range(start, stop):
        first, second = 0.0, 0.0
        middle = mean[c]
        for n in range(count):
            values, row = g[n, c], x[n, c]
            a, b = real(0), real(0)
            for i in range(size):
                a += values[i]
                b += values[i] * (row[i] - middle)
            first += a
            second += b
        bias_grad[c] = first
        weight_grad[c] = second * inverse[c]
        if not grad.size:
            continue
        scale = real(inverse[c] * weight[c])
        level = real(first / (count * size))
        slope = real(second * inverse[c] * inverse[c] / (count * size))
        for n in range(count):
            values, row, out = g[n, c], x[n, c], grad[n, c]
            for i in range(size):
                out[i] = (values[i] - level - (row[i] - middle) * slope) * scale


@compiled
def scale_rows(
    x: Any,
    out: Any,
    mean: Any,
    inverse: Any,
    weight: Any,
    bias: Any,
    start: int,
    eps: float,
    find: bool,
) -> None:
    size = x.shape[1]
    for r in range(len(x)):
        values, row = x[r], out[r]
        if find:
            middle, square = spread_of(values)
            mean[r] = middle
            inverse[r] = 1 / np.sqrt(square / size + eps)
        at = (start + r) % len(weight)
        factor, shift = weight[at], bias[at]
        middle, scale = mean[r], inverse[r]
        for i in range(size):
            row[i] = (values[i] - middle) * scale * factor[i] + shift[i]


@compiled
def rows_back(
    g: Any,
    x: Any,
    grad: Any,
    mean: Any,
    inverse: Any,
    weight: Any,
    weight_grad: Any,
    bias_grad: Any,
    start: int,
    affine: bool,
) -> None:
    size = x.shape[1]
    real = x.dtype.type
    for r in range(len(x)):
        values, row = g[r], x[r]
        middle, scale = mean[r], inverse[r]
        at = (start + r) % len(weight)
        factor, weights, biases = weight[at], weight_grad[at], bias_grad[at]
        first, second = real(0), real(0)
        for i in range(size):
            value, centred = values[i], row[i] - middle
            if affine:
                weights[i] += value * centred * scale
                biases[i] += value
            first += value * factor[i]
            second += value * factor[i] * centred
        if grad.size:
            out = grad[r]
            level = first / real(size)
            slope = second * scale * scale / real(size)
            for i in range(size):
                out[i] = (values[i] * factor[i] - level - (row[i] - middle) * slope) * scale
