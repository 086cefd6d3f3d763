"""Compiled standardization: of channels (batch norm) and of rows (layer, group, instance norm).

Channels are x as (N, C, P) with the statistics of each c; rows are x as (R, D) with the statistics
of each r, and an affine map of G rows that repeats: row r has that of r modulo G. The map has one
value for S pieces of a row each, which are as long as all axes behind the last that it varies with:
single elements in layer norm, planes in group norm. Where the planes are single elements,
`numba_batch` does the work. Sums within a plane are in the precision of x, over planes in float64.
Everything else is left to NumPy.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numba_batch, numpy_norm
from autograd.kernels.compiled import in_order, writable
from autograd.kernels.numba_crew import parts_of, share
from autograd.kernels.numba_norm_channels import channel_moments, channels_back, scale_channels
from autograd.kernels.numba_norm_rows import rows_back, scale_rows
from autograd.kernels.numpy_norm import Axes, Pair

TYPES = (np.float32, np.float64)
ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""
SHORTEST = 8
"""Rows below this length are not worth a loop of their own."""


def scale_shift(x: Any, factor: Any, shift: Any) -> Any:
    """As `numpy_norm.scale_shift`; compiled for one factor and shift for each index of axis 1."""
    axes = (0, *range(2, np.ndim(x)))
    sizes = np.shape(x)[1:2] + (1,) * (np.ndim(x) - 2)
    maps = (factor, shift)
    if not (
        all(isinstance(each, np.ndarray) and each.shape == sizes for each in maps)
        and is_treated(x)
        and all(each.dtype == x.dtype for each in maps)
        and (is_columns(x, axes) or is_channels(x, axes))
    ):
        return numpy_norm.scale_shift(x, factor, shift)
    factor, shift = (each[None] for each in maps)  # (C, 1...) -> (1, C, 1...)
    known = np.zeros_like(factor), np.ones_like(factor)
    return standardize(x, factor, shift, axes, 0.0, known)[0]


def moments(x: Any, axes: Axes) -> Pair:
    """As `numpy_norm.moments`."""
    if is_treated(x) and is_columns(x, axes):
        return numba_batch.moments(x)
    if not (is_treated(x) and is_channels(x, axes)):
        return numpy_norm.moments(x, axes)
    planes = channels(writable(x))
    shape = (1, x.shape[1], *(1,) * (x.ndim - 2))
    mean, variance = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
    work = x.size * ELEMENT
    share(channel_moments, x.shape[1], work, planes, mean.reshape(-1), variance.reshape(-1))
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
    columns = is_columns(x, axes)
    if (columns or is_channels(x, axes)) and per_channel(x, weight) and per_channel(x, bias):
        mean, inverse = known = known or standard_moments(x, axes, eps)
        factor = inverse if weight is None else inverse * weight
        shift = np.zeros_like(mean) if bias is None else bias
        maps = (in_order(mean), in_order(factor), in_order(shift))
        if columns:
            return numba_batch.standardize(writable(x), *maps), known
        out = np.empty(x.shape, x.dtype)
        # (N, C, sizes...) -> (N * C * P,)
        planes, count = in_order(x), x.shape[0] * x.shape[1]
        share(scale_channels, count, x.size * ELEMENT, planes, out.reshape(-1), *maps, count)
        return out, known
    plan = row_plan(x.shape, axes, shape_of(weight), shape_of(bias))
    if plan is None:
        return numpy_norm.standardize(x, weight, bias, axes, eps, known)
    map_shape, ends = plan
    rows = writable(x).reshape(-1, map_shape[1])
    out = np.empty(x.shape, x.dtype)
    if known is None:
        lead = x.shape[: x.ndim - len(axes)]
        mean, inverse = (np.empty((*lead, *(1,) * len(axes)), x.dtype) for _ in range(2))
    else:
        mean, inverse = known
    share(
        scale_rows,
        len(rows),
        2 * x.size * ELEMENT,
        rows,
        out.reshape(rows.shape),
        in_order(mean),
        in_order(inverse),
        as_rows(x, weight, map_shape, ends, 1),
        as_rows(x, bias, map_shape, ends, 0),
        float(eps),
        known is None,
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
    g, x = writable(g), writable(x)
    if rest == axes and is_columns(x, axes):
        weights = np.ones_like(mean) if weight is None else weight
        maps = (in_order(mean), in_order(inverse), in_order(weights))
        x_grad, *sums = numba_batch.standardize_backward(g, x, *maps, need_x)
        weight_grad, bias_grad = (values[None] for values in sums)  # (C,) -> (1, C)
        return x_grad, weight_grad if need_weight else None, bias_grad if need_bias else None
    grad = np.empty(x.shape if need_x else 0, x.dtype)
    if rest == axes and is_channels(x, axes):
        weights = np.ones_like(mean) if weight is None else weight
        weight_grad, bias_grad = np.empty(mean.shape, x.dtype), np.empty(mean.shape, x.dtype)
        share(
            channels_back,
            x.shape[1],
            2 * x.size * ELEMENT,
            channels(g),
            channels(x),
            channels(grad) if need_x else np.empty((0, 0, 0), x.dtype),
            in_order(mean),
            in_order(inverse),
            in_order(weights),
            weight_grad.reshape(-1),
            bias_grad.reshape(-1),
        )
        return (
            grad if need_x else None,
            weight_grad if need_weight else None,
            bias_grad if need_bias else None,
        )
    shape = tuple(1 if axis in rest else size for axis, size in enumerate(x.shape))
    plan = row_plan(x.shape, axes, shape, shape_of(weight))
    if plan is None:
        return numpy_norm.standardize_backward(g, x, weight, axes, rest, known, needs)
    map_shape, ends = plan
    rows = x.reshape(-1, map_shape[1])
    work = 3 * x.size * ELEMENT
    parts = parts_of(len(rows), work)
    map_rows = as_rows(x, weight, map_shape, ends, 1)
    totals = np.zeros((2, parts, *map_rows.shape), x.dtype)
    share(
        rows_back,
        parts,
        work,
        g.reshape(rows.shape),
        rows,
        grad.reshape(rows.shape) if need_x else np.empty((0, 0), x.dtype),
        in_order(mean),
        in_order(inverse),
        map_rows,
        totals,
        need_weight or need_bias,
    )
    sums = totals[:, 0]
    for part in range(1, parts):
        sums += totals[:, part]
    full = shape[x.ndim - map_axes(x, map_shape) :]
    return (
        grad if need_x else None,
        fold(sums[0], x, full, ends).reshape(shape) if need_weight else None,
        fold(sums[1], x, full, ends).reshape(shape) if need_bias else None,
    )


def is_treated(x: Any) -> bool:
    return x.dtype in TYPES and x.flags.c_contiguous and x.size > 0 and x.ndim > 1


def is_columns(x: Any, axes: Axes) -> bool:
    """Whether each index of axis 1, the last, has its own statistics."""
    return axes == (0,) and x.ndim == 2


def is_channels(x: Any, axes: Axes) -> bool:
    """Whether each index of axis 1 has its own statistics, of planes that are long enough."""
    return axes == (0, *range(2, x.ndim)) and prod(x.shape[2:]) >= SHORTEST


def per_channel(x: Any, values: Any) -> bool:
    return values is None or values.shape == (1, x.shape[1], *(1,) * (x.ndim - 2))


def channels(x: Any) -> Any:
    return x.reshape(*x.shape[:2], prod(x.shape[2:]))  # (N, C, sizes...) -> (N, C, P)


def shape_of(values: Any) -> Any:
    return None if values is None else values.shape


@lru_cache(maxsize=256)
def row_plan(shape: Axes, axes: Axes, *maps: Axes | None) -> tuple[tuple[int, int], int] | None:
    """How rows of the last axes, with statistics of their own, meet an affine map.

    Args:
        shape: of x.
        axes: of the statistics.
        maps: the shapes of weight and bias, as far as there are any.

    Returns:
        (G, D), how many rows the map has before it repeats, and the length of a row; and the axis
        behind the last one that the map varies with, within a row or at its start: the last of all,
        where the pieces would be too short for loops of their own. None if the axes are others,
        rows are short, or the map never repeats.
    """
    start = len(shape) - len(axes)
    length = prod(shape[start:])
    if start < 1 or axes != tuple(range(start, len(shape))) or length < SHORTEST:
        return None
    varied = [
        axis for each in maps if each is not None for axis, size in enumerate(each) if size > 1
    ]
    first = min([*varied, start])
    if first == 0:
        return None
    end = max(max(varied, default=0) + 1, start)
    end = end if prod(shape[end:]) >= SHORTEST else len(shape)
    return (prod(shape[first:]) // length, length), end


def map_axes(x: Any, map_shape: tuple[int, int]) -> int:
    """How many of the last axes of x the affine map covers."""
    count, size = 0, 1
    while size < prod(map_shape):
        count += 1
        size *= x.shape[x.ndim - count]
    return count


def as_rows(x: Any, values: Any, map_shape: tuple[int, int], ends: int, default: int) -> Any:
    """An affine map as (G, S)."""
    count = map_axes(x, map_shape)
    shape = x.shape[x.ndim - count : ends]
    pieces = (map_shape[0], prod(shape) // map_shape[0])
    if values is None:
        return np.full(pieces, default, x.dtype)
    if values.size == prod(pieces):
        return writable(values).reshape(pieces)
    own = values.reshape(values.shape[x.ndim - count : ends])
    return writable(np.broadcast_to(own, shape)).reshape(pieces)


def fold(rows: Any, x: Any, shape: tuple[int, ...], ends: int) -> Any:
    """Sum gradients (G, S) over the axes along which the map was stretched to it."""
    lead = x.ndim - len(shape)
    full = rows.reshape(x.shape[lead:ends])
    axes = tuple(axis for axis, size in enumerate(shape[: ends - lead]) if size == 1)
    return full.sum(axis=axes, keepdims=True) if axes else full
