"""Sums over axes, shared among threads where the array is large."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels.threads import get_num_threads, share

__all__ = ["ROWS", "add_up", "folded", "running_sum"]

reduce: Any = np.add.reduce
LEAST = 1 << 16
"""Elements below which one call is as fast."""
ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""
ROWS = 1 << 10
"""Rows that are added up by themselves: sums of sums round off less. Within a row NumPy does so."""


def add_up(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The sum over some axes, none of them negative, in the type of x."""
    sizes = folded(x, axes) if x.size >= LEAST else None
    if sizes is None:
        return reduce(x, axis=axes, keepdims=keepdims)
    outer, count, inner = sizes
    block = x.reshape(sizes)
    out = np.empty((outer, inner), x.dtype)
    work = x.size * ELEMENT
    if inner > 1 and count > ROWS:
        pieces = -(-count // ROWS)
        sums = np.empty((outer * pieces, inner), x.dtype)

        def some(part: slice) -> None:
            for k in range(part.start, part.stop):
                start = k % pieces * ROWS
                reduce(block[k // pieces, start : start + ROWS], axis=0, out=sums[k])

        share(some, len(sums), work, blas=False)
        reduce(sums.reshape(outer, pieces, inner), axis=1, out=out)
    elif outer > 1:
        share(lambda part: reduce(block[part], axis=1, out=out[part]), outer, work, blas=False)
    elif inner >= 16 * get_num_threads():
        share(
            lambda part: reduce(block[0, :, part], axis=0, out=out[0, part]),
            inner,
            work,
            blas=False,
        )
    else:
        parts = share(lambda part: reduce(block[0, part], axis=0), count, work, blas=False)
        reduce(parts, axis=0, out=out[0])
    return shaped(out, x.shape, axes, keepdims)


def running_sum(x: Any, axis: int) -> Any:
    """The sums of all elements so far along an axis, in the type of x.

    Long ones are added in double precision: rounding would go on from sum to sum.
    """
    if x.size < LEAST:
        return np.add.accumulate(x, axis=axis)
    sizes = folded(x, (axis,))
    wide = np.float64 if x.dtype == np.float32 else x.dtype
    if sizes is None:
        return np.add.accumulate(x, axis=axis, dtype=wide).astype(x.dtype, copy=False)
    outer, _, inner = sizes
    block, out = x.reshape(sizes), np.empty(sizes, x.dtype)

    def work(part: slice) -> None:
        where: Any = part if outer > 1 else (slice(None), slice(None), part)
        out[where] = np.add.accumulate(block[where], axis=1, dtype=wide)

    share(work, outer if outer > 1 else inner, x.size * ELEMENT, blas=False)
    return out.reshape(x.shape)


def folded(x: Any, axes: tuple[int, ...]) -> tuple[int, int, int] | None:
    """An array as three dimensions of which the middle one is summed, where it can be seen so."""
    if not axes or not x.flags.c_contiguous or x.dtype not in (np.float32, np.float64):
        return None
    first, last = min(axes), max(axes) + 1
    if last - first != len(axes) or not x.size:
        return None
    return prod(x.shape[:first]), prod(x.shape[first:last]), prod(x.shape[last:])


def shaped(out: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdims: bool) -> Any:
    """Sums (outer, inner) as those of an array of some shape."""
    if keepdims:
        return out.reshape([1 if axis in axes else size for axis, size in enumerate(shape)])
    return out.reshape([size for axis, size in enumerate(shape) if axis not in axes])
