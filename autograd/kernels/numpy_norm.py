"""Standardization over some axes, block by block, blocks shared among threads.

Blocks are cut along the first axis. Where that is not an axis of the standardization, as in layer
normalization, a block has all it needs; where it is, as in batch normalization, means are
collected from all blocks first. The mean, `inverse` (one over the standard deviation), weight and
bias keep all axes, at size 1 where they do not vary.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autograd.kernels.half import in_single
from autograd.kernels.threads import share
from autograd.kernels.windows import plane_blocks

BLOCK = 1 << 20
"""Bytes that are worked on at a time: shorter calls would have threads wait for each other."""
ELEMENT = 32
"""Work of one element, in the multiplications that `share` counts."""
SMALL = 1 << 12
"""Elements below which there are no blocks: the calls would take longer than the work."""
SHORT = 128
"""Elements below which rows are not worth a loop of their own."""

Axes = tuple[int, ...]
Pair = tuple[Any, Any]


def scale_shift(x: Any, factor: Any, shift: Any) -> Any:
    """``x * factor + shift``, which may broadcast."""
    return x * factor + shift


@in_single
def moments(x: Any, axes: Axes) -> Pair:
    """The mean and the (biased) variance over some axes, which stay, at size 1.

    The variance is taken around the mean, in a second pass: stable for any offset.
    """
    count = max(1, prod(x.shape[axis] for axis in axes))
    mean = collect(x, axes, lambda block: total(x[block], axes)) / count
    wide = spread(mean, x)

    def squares(block: slice) -> Any:
        centred = x[block] - part_of(wide, block)
        return dot(centred, centred, axes)

    return mean, collect(x, axes, squares) / count


@in_single
def standard_moments(x: Any, axes: Axes, eps: float) -> Pair:
    """The mean and ``1 / sqrt(variance + eps)``."""
    mean, variance = moments(x, axes)
    return mean, 1 / np.sqrt(variance + eps)


def standard_moments_of(x: Any, axes: Axes, eps: float) -> Pair:
    """The same of one block."""
    count = max(1, prod(x.shape[axis] for axis in axes))
    mean = total(x, axes) / count
    centred = x - mean
    return mean, 1 / np.sqrt(dot(centred, centred, axes) / count + eps)


@in_single
def standardize(
    x: Any, weight: Any, bias: Any, axes: Axes, eps: float, known: Pair | None
) -> tuple[Any, Pair]:
    """``(x - mean) * inverse * weight + bias``, and ``(mean, inverse)``, unless `known` already."""
    if x.size < SMALL:
        return standardize_small(x, weight, bias, axes, eps, known)
    out = np.empty(x.shape, x.dtype)
    if known is None and (0 in axes or not len(x)):
        known = standard_moments(x, axes, eps)
    weight, bias = spread(weight, x), spread(bias, x)
    ready = None if known is None else tuple(spread(values, x) for values in known)

    def work(block: slice) -> Pair | None:
        part = out[block]
        if ready is None:
            found = standard_moments_of(x[block], axes, eps)
            mean, inverse = found
        else:
            found, (mean, inverse) = None, (part_of(values, block) for values in ready)
        np.subtract(x[block], mean, out=part)
        if weight is None:
            part *= inverse
        else:
            multiply(part, inverse, part_of(weight, block))
        if bias is not None:
            part += part_of(bias, block)
        return found

    found = over_blocks(x, work)
    return out, known or joined(found)


def standardize_small(
    x: Any, weight: Any, bias: Any, axes: Axes, eps: float, known: Pair | None
) -> tuple[Any, Pair]:
    """`standardize` without blocks."""
    if known is None:
        scale = 1 / max(1, prod(x.shape[axis] for axis in axes))
        mean = np.add.reduce(x, axes, keepdims=True) * scale
        out = x - mean
        variance = np.add.reduce(out * out, axes, keepdims=True) * scale
        known = mean, 1 / np.sqrt(variance + eps)
    else:
        out = x - known[0]
    out *= known[1]
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out, known


@in_single
def standardize_grad(
    g: Any, x: Any, weight: Any, axes: Axes, known: Pair, sums: Pair | None
) -> Any:
    """``inverse * (h - mean(h) - z * mean(h * z))`` for ``h = g * weight``, z the standardized x.

    `sums` are those of h and of h * z over the axes, where the caller has them.
    """
    if sums is None and (0 in axes or not len(x)):
        sums = tuple(collect(x, axes, lambda block: sums_of(g, x, weight, axes, known, block), 1))
    grad = np.empty(x.shape, x.dtype)
    count = max(1, prod(x.shape[axis] for axis in axes))
    mean, inverse = known
    weight, mean, wide = spread(weight, x), spread(mean, x), spread(inverse, x)
    if sums is not None:
        slope, level = (
            spread(values, x)
            for values in (inverse * inverse * (sums[1] / -count), inverse * (sums[0] / -count))
        )

    def work(block: slice) -> None:
        part, factor = grad[block], part_of(wide, block)
        if sums is None:
            first, second = sums_of(g, x, weight, axes, known, block)
            steep, high = factor * factor * (second / -count), factor * (first / -count)
        else:
            steep, high = part_of(slope, block), part_of(level, block)
        np.subtract(x[block], part_of(mean, block), out=part)
        part *= steep
        part += high
        if weight is None:
            h = g[block] * factor
        else:
            h = np.array(g[block])
            multiply(h, factor, part_of(weight, block))
        part += h

    over_blocks(x, work)
    return grad


def sums_of(g: Any, x: Any, weight: Any, axes: Axes, known: Pair, block: slice) -> Any:
    """Over some axes of a block, the sums of h and of h * z, as above."""
    mean, inverse = (part_of(values, block) for values in known)
    h = g[block] if weight is None else g[block] * part_of(weight, block)
    z = x[block] - mean
    z *= inverse
    return np.stack((total(h, axes), dot(h, z, axes)))


def standardize_weight_grad(g: Any, x: Any, axes: Axes, known: Pair) -> Any:
    """The sum over `axes` of g times the standardized x."""

    def sums(block: slice) -> Any:
        mean, inverse = (part_of(values, block) for values in known)
        centred = x[block] - mean
        centred *= inverse
        return dot(g[block], centred, axes)

    return collect(x, axes, sums)


@in_single
def standardize_backward(
    g: Any,
    x: Any,
    weight: Any,
    axes: Axes,
    rest: Axes,
    known: Pair,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    """The gradients of `standardize` in x, weight and bias; None for what is not needed.

    Weight and bias do not vary along the axes `rest`, which their gradients keep, at size 1.
    """
    need_x, need_weight, need_bias = needs
    if x.size < SMALL:
        return standardize_backward_small(g, x, weight, axes, rest, known, needs)
    weight_grad = bias_grad = sums = None
    if need_weight and need_bias:
        both = collect(x, rest, lambda block: sums_of(g, x, None, rest, known, block), 1)
        bias_grad, weight_grad = both
        if rest == axes:
            sums = (bias_grad, weight_grad)
            if weight is not None:
                sums = (weight * bias_grad, weight * weight_grad)
    elif need_weight:
        weight_grad = standardize_weight_grad(g, x, rest, known)
    elif need_bias:
        bias_grad = collect(g, rest, lambda block: total(g[block], rest))
    x_grad = standardize_grad(g, x, weight, axes, known, sums) if need_x else None
    return x_grad, weight_grad, bias_grad


def standardize_backward_small(
    g: Any,
    x: Any,
    weight: Any,
    axes: Axes,
    rest: Axes,
    known: Pair,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    """`standardize_backward` without blocks."""
    need_x, need_weight, need_bias = needs
    mean, inverse = known
    z = x - mean
    z *= inverse
    weight_grad = np.add.reduce(g * z, rest, keepdims=True) if need_weight else None
    bias_grad = np.add.reduce(g, rest, keepdims=True) if need_bias else None
    if not need_x:
        return None, weight_grad, bias_grad
    scale = 1 / max(1, prod(x.shape[axis] for axis in axes))
    h = g if weight is None else g * weight
    level = np.add.reduce(h, axes, keepdims=True) * scale
    z *= np.add.reduce(h * z, axes, keepdims=True) * scale
    grad = h - level
    grad -= z
    grad *= inverse
    return grad, weight_grad, bias_grad


def over_blocks(x: Any, work: Callable[[slice], Any]) -> list[Any]:
    """Call a function on the blocks of x; its results in their order."""

    def several(part: slice) -> list[Any]:
        return [work(block) for block in plane_blocks(x, part, BLOCK)]

    shares = share(several, len(x), x.size * ELEMENT)
    return [result for results in shares for result in results]


def collect(x: Any, axes: Axes, reduce: Callable[[slice], Any], first: int = 0) -> Any:
    """Reduce the blocks of x over some axes; join the results, at axis `first`, or add them."""
    parts = over_blocks(x, reduce) or [reduce(slice(0, 0))]
    if 0 not in axes:
        return np.concatenate(parts, axis=first)
    sum_of_parts = parts[0]
    for part in parts[1:]:
        sum_of_parts += part
    return sum_of_parts


def spread(values: Any, x: Any) -> Any:
    """Stretched along short rows of x: then whole samples, not rows, are worked on at a time."""
    if values is None or len(values) != 1 or values.shape[-1] == x.shape[-1]:
        return values
    trail = 0
    while trail < x.ndim - 1 and values.shape[x.ndim - 1 - trail] == 1:
        trail += 1
    if prod(x.shape[x.ndim - trail :]) >= SHORT or trail == x.ndim - 1:
        return values
    return np.ascontiguousarray(np.broadcast_to(values, (1, *x.shape[1:])))


def joined(pairs: list[Pair]) -> Pair:
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def part_of(values: Any, block: slice) -> Any:
    """The part of something that broadcasts against x, for a block of x."""
    return values[block] if len(values) > 1 else values


def multiply(part: Any, first: Any, second: Any) -> None:
    """Multiply in place by two factors; by their product where that is much smaller than `part`."""
    if np.broadcast(first, second).size < part.size // 4:
        part *= first * second
    else:
        part *= first
        part *= second


def rows_of(x: Any, axes: Axes) -> tuple[Any, int]:
    """Join the last axes, as far as they are among `axes`; and how many they were."""
    count = 0
    while count < x.ndim and x.ndim - 1 - count in axes:
        count += 1
    lead = x.shape[: x.ndim - count]
    return x.reshape(*lead, prod(x.shape[x.ndim - count :])), count  # (..., a, b) -> (..., a*b)


def finish(rows: Any, axes: Axes, count: int) -> Any:
    """Sum what is left over the other axes, and put back the last ones, at size 1."""
    rest = tuple(axis for axis in axes if axis < rows.ndim)
    out = rows.sum(axis=rest, keepdims=True)
    return out.reshape(*out.shape, *(1,) * count)  # (...) -> (..., 1, 1)


def total(x: Any, axes: Axes) -> Any:
    """The sum over some axes, which stay, at size 1; along rows by BLAS, the fastest."""
    rows, count = rows_of(x, axes)
    if not count or (0 in axes and rows.shape[-1] < SHORT):
        return np.sum(
            np.sum(x, axis=0, keepdims=True) if 0 in axes else x, axis=axes, keepdims=True
        )
    return finish(np.matmul(rows, np.ones(rows.shape[-1], x.dtype)), axes, count)


def dot(x: Any, y: Any, axes: Axes) -> Any:
    """The sum of x * y over some axes, which stay, at size 1; along rows by BLAS."""
    rows, count = rows_of(x, axes)
    if not count or (0 in axes and rows.shape[-1] < SHORT):
        return total(x * y, axes)
    return finish(np.vecdot(rows, rows_of(y, axes)[0]), axes, count)
