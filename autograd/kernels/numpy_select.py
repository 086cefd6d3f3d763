"""Choosing between arrays by a condition."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from autograd.kernels.threads import share

BITS = {2: np.int16, 4: np.int32, 8: np.int64}
BLOCK = 1 << 19
"""Elements that are worked on at a time: shorter calls would have threads wait for each other."""
SPAN = 1 << 15
"""Elements that several steps go over in turn, while they are in the cache."""
LINE = 1 << 12
ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""


@cache
def zeros(dtype: Any) -> Any:
    return np.zeros(LINE, dtype)


def relu(x: Any) -> Any:
    """``max(x, 0)``"""
    lines = x.size // LINE
    if lines < 2 or x.dtype.kind != "f" or not x.flags.c_contiguous:
        return np.maximum(x, 0)
    out = np.empty(x.shape, x.dtype)
    # (d0, d1, ...) -> (lines, LINE): NumPy is several times slower with a number than with an array
    body = lines * LINE
    source, target = x.reshape(-1)[:body].reshape(lines, LINE), out.reshape(-1)
    results = target[:body].reshape(lines, LINE)
    zero = zeros(x.dtype)
    share(
        lambda part: np.maximum(source[part], zero, out=results[part]),
        lines,
        x.size * ELEMENT,
        blas=False,
    )
    np.maximum(x.reshape(-1)[body:], 0, out=target[body:])
    return out


def relu_grad(g: Any, out: Any) -> Any:
    """0 where `out` is at most 0, else g."""
    if g.size < BLOCK or not maskable(g, out):
        return select(out <= 0, 0.0, g)
    return in_blocks(
        g, out, lambda shown, keep: np.logical_not(np.less_equal(shown, 0, out=keep), out=keep)
    )


def clip(x: Any, low: float, high: float) -> Any:
    """``min(max(x, low), high)``"""
    return elementwise(lambda values, out: np.clip(values, low, high, out=out), x)


def clip_grad(g: Any, x: Any, low: float, high: float, closed: bool) -> Any:
    """G where x is between the bounds, or on one if they are closed, and 0 elsewhere.

    With open bounds g passes where x is NaN.
    """
    if closed:
        return select((x >= low) & (x <= high), g, 0.0)
    return select((x <= low) | (x >= high), 0.0, g)


def leak(y: Any, x: Any, slope: float) -> Any:
    """Y where x is above 0, ``slope * y`` elsewhere."""
    if not 0 <= slope <= 1 or y.dtype.kind != "f" or y.shape != x.shape:
        return np.where(x > 0, y, y * slope)
    # beside 1 - slope, as it is rounded, a slope of at most 1 adds up to 1
    if y is x and slope:
        return elementwise(
            lambda values, out: np.maximum(np.multiply(values, slope, out=out), values, out=out), x
        )
    least = y.dtype.type(slope)
    more = y.dtype.type(1) - least

    def work(values: Any, signs: Any, out: Any) -> None:
        np.multiply(signs > 0, more, out=out)
        np.add(out, least, out=out)
        np.multiply(out, values, out=out)

    return elementwise(work, y, x)


def elementwise(work: Callable[..., Any], *arrays: Any) -> Any:
    """What is worked out from arrays of one shape, in blocks that are shared among threads.

    `work` gets parts of the arrays, and one of the result, which is like the first of them.
    """
    first = arrays[0]
    out = np.empty(first.shape, first.dtype)
    if first.size < BLOCK or not all(array.flags.c_contiguous for array in arrays):
        work(*arrays, out)
        return out
    lines = [array.reshape(-1) for array in (*arrays, out)]  # (d0, d1, ...) -> (size,)

    def part(some: slice) -> None:
        for start in range(some.start, some.stop, SPAN):
            block = slice(start, min(start + SPAN, some.stop))
            work(*(line[block] for line in lines))

    share(part, out.size, out.size * ELEMENT, blas=False)
    return out


def drop(x: Any, keep: Any, scale: float) -> Any:
    """``x * keep * scale``, all of one shape."""
    out = np.empty(x.shape, x.dtype)
    if x.size < BLOCK or not (x.flags.c_contiguous and keep.flags.c_contiguous):
        np.copyto(out, keep)
        out *= scale
        out *= x
        return out
    # (d0, d1, ...) -> (size,)
    source, flags, target = (array.reshape(-1) for array in (x, keep, out))

    def work(part: slice) -> None:
        np.copyto(target[part], flags[part])
        np.multiply(target[part], scale, out=target[part])
        np.multiply(target[part], source[part], out=target[part])

    share(work, x.size, x.size * ELEMENT, blas=False)
    return out


def select(condition: Any, x: Any, y: Any) -> Any:
    """X where the condition holds, else y.

    With 0.0 on one side, as in the gradients of `relu` and `clamp`, the bits of the other side are
    masked, which is several times faster than `numpy.where` on random conditions.
    """
    if y.__class__ is float and y == 0.0 and maskable(x, condition) and condition.dtype == bool:
        return masked(x, condition)
    if x.__class__ is float and x == 0.0 and maskable(y, condition) and condition.dtype == bool:
        return masked(y, np.logical_not(condition))
    return np.where(condition, x, y)


def maskable(values: Any, other: Any) -> bool:
    """Whether values can be masked by bits, where another array says so."""
    return (
        isinstance(values, np.ndarray)
        and isinstance(other, np.ndarray)
        and values.dtype.kind == "f"
        and values.dtype.itemsize in BITS
        and values.ndim > 0
        and values.shape == other.shape
    )


def masked(values: Any, keep: Any) -> Any:
    """The values where `keep` is True, and 0, also for infinity and NaN, elsewhere."""
    if values.size < BLOCK:
        out = np.empty(values.shape, values.dtype)
        mask_into(out, values, keep)
        return out
    return in_blocks(values, keep, lambda part, spare: part)


def in_blocks(values: Any, shown: Any, find: Callable[[Any, Any], Any]) -> Any:
    """The values where what is found in `shown` is True, else 0, shared among threads.

    `find` gets a part of `shown` and booleans of its size to write to.
    """
    out = np.empty(values.shape, values.dtype)
    # (d0, d1, ...) -> (size,)
    source, flags, target = (array.reshape(-1) for array in (values, shown, out))

    def work(part: slice) -> None:
        spare = np.empty(min(BLOCK, part.stop - part.start), bool)
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            keep = find(flags[block], spare[: block.stop - start])
            mask_into(target[block], source[block], keep)

    share(work, out.size, out.size * ELEMENT, blas=False)
    return out


def mask_into(out: Any, values: Any, keep: Any) -> None:
    """As `masked`, into an array; the bits are multiplied by 0 or 1, as whole numbers."""
    bits = BITS[values.dtype.itemsize]
    whole = out.view(bits)
    np.copyto(whole, keep.view(np.int8))
    np.multiply(whole, values.view(bits), out=whole)
