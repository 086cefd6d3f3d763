"""Standardization over some axes, block by block, so that intermediate values stay in the cache.

`mean`, `inverse` (one over the standard deviation), `weight` and `bias` keep all axes, at size 1
where they do not vary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from autograd.kernels.windows import plane_blocks

Axes = tuple[int, ...]


def moments(x: Any, axes: Axes) -> tuple[Any, Any]:
    """The mean and the (biased) variance over some axes, which stay, at size 1.

    The variance is taken around the mean, in a second pass: stable for any offset.
    """
    count = prod(x.shape[axis] for axis in axes)
    mean = np.mean(x, axis=axes, keepdims=True)

    def squares(block: slice) -> Any:
        centred = x[block] - part_of(mean, block)
        return dot(centred, centred, axes)

    return mean, collect(x, axes, squares) / count


def standardize(x: Any, weight: Any, bias: Any, mean: Any, inverse: Any) -> Any:
    """``(x - mean) * inverse * weight + bias``"""
    out = np.empty(x.shape, x.dtype)
    for block in plane_blocks(x):
        part = out[block]
        np.subtract(x[block], part_of(mean, block), out=part)
        scale(part, block, inverse, weight)
        if bias is not None:
            part += part_of(bias, block)
    return out


def standardize_grad(
    g: Any, x: Any, weight: Any, mean: Any, inverse: Any, axes: Axes, sums: Any
) -> Any:
    """``inverse * (h - mean(h) - z * mean(h * z))`` for ``h = g * weight``, z the standardized x.

    `sums` are the sums of g and of g * z over the axes where the caller has them, and the weight
    does not vary along the axes.
    """
    count = prod(x.shape[axis] for axis in axes)
    first, second = sums or gradient_sums(g, x, weight, mean, inverse, axes)
    if sums and weight is not None:
        first, second = first * weight, second * weight
    shift = inverse * (first / -count)
    slope = inverse * inverse * (second / -count)
    grad = np.empty(x.shape, x.dtype)
    for block in plane_blocks(x):
        part = grad[block]
        np.subtract(x[block], part_of(mean, block), out=part)
        part *= part_of(slope, block)
        part += part_of(shift, block)
        h = g[block] * part_of(inverse, block)
        if weight is not None:
            h *= part_of(weight, block)
        part += h
    return grad


def gradient_sums(
    g: Any, x: Any, weight: Any, mean: Any, inverse: Any, axes: Axes
) -> Sequence[Any]:
    """The sums over the axes of ``h = g * weight`` and of ``h * z``, z the standardized x."""

    def sums(block: slice) -> Any:
        h = g[block] if weight is None else g[block] * part_of(weight, block)
        centred = x[block] - part_of(mean, block)
        return np.stack((h.sum(axis=axes, keepdims=True), dot(h, centred, axes)), axis=-1)

    both = collect(x, axes, sums)
    return both[..., 0], both[..., 1] * inverse


def standardize_weight_grad(g: Any, x: Any, mean: Any, inverse: Any, axes: Axes) -> Any:
    """The sum over `axes` of g times the standardized x."""

    def sums(block: slice) -> Any:
        centred = x[block] - part_of(mean, block)
        centred *= part_of(inverse, block)
        return dot(g[block], centred, axes)

    return collect(x, axes, sums)


def collect(x: Any, axes: Axes, reduce: Callable[[slice], Any]) -> Any:
    """Reduce the blocks of x over some axes; add or join the results."""
    parts = [reduce(block) for block in plane_blocks(x)] or [reduce(slice(0, 0))]
    if 0 not in axes:
        return np.concatenate(parts)
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def dot(x: Any, y: Any, axes: Axes) -> Any:
    """The sum of x * y over some axes, which stay, at size 1."""
    trailing = 0
    while x.ndim - 1 - trailing in axes:
        trailing += 1
    if not trailing:
        return np.sum(x * y, axis=axes, keepdims=True)
    lead = x.shape[: x.ndim - trailing]
    width = prod(x.shape[x.ndim - trailing :])
    rows = np.vecdot(x.reshape(*lead, width), y.reshape(*lead, width))  # (lead..., width) -> lead
    total = rows.sum(axis=tuple(axis for axis in axes if axis < len(lead)), keepdims=True)
    return total.reshape(*total.shape, *(1,) * trailing)


def scale(part: Any, block: slice, inverse: Any, weight: Any) -> None:
    """Multiply a block in place; by the product of both factors where that is the smaller work."""
    if weight is not None and np.broadcast(inverse, weight).size < part.size // 4:
        part *= part_of(inverse * weight, block)
        return
    part *= part_of(inverse, block)
    if weight is not None:
        part *= part_of(weight, block)


def part_of(values: Any, block: slice) -> Any:
    """The part of something that broadcasts against x, for a block of x."""
    return values[block] if values.shape[0] > 1 else values
