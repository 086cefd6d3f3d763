"""Compiled maximum pooling over windows of 2 x 2 that lie side by side, the most frequent ones.

What NumPy does as fast is left to it: other windows, and sums. The gradient is compiled for all.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numpy_pool
from autograd.kernels.compiled import compiled_exactly
from autograd.kernels.threads import share
from autograd.kernels.windows import Windows

TYPES = (np.float32, np.float64)
ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""
NARROW = 8
"""Columns below which a loop over them is too short for vector registers."""


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    """As `numpy_pool.max_pool`."""
    if not (is_halving(windows) and x.size and x.dtype in TYPES):
        return numpy_pool.max_pool(x, windows)
    out: Any = np.empty((*x.shape[:-2], *windows.out), x.dtype)
    places: Any = np.empty(out.shape, np.uint8)
    # (..., H, W) -> (planes, H, W)
    planes = np.ascontiguousarray(x).reshape(-1, *windows.sizes)
    best, numbers = out.reshape(-1, *windows.out), places.reshape(-1, *windows.out)
    share(
        lambda part: halve(planes[part], best[part], numbers[part]),
        len(planes),
        x.size * ELEMENT,
        blas=False,
    )
    return out, places


def max_pool_grad(g: Any, places: Any, windows: Windows) -> Any:
    """As `numpy_pool.max_pool_grad`."""
    if places.dtype != np.uint8 or not g.size or g.dtype not in TYPES:
        return numpy_pool.max_pool_grad(g, places, windows)
    lead = g.shape[: g.ndim - len(windows.out)]
    grad: Any = np.empty((*lead, *windows.sizes), g.dtype)
    values, numbers = np.ascontiguousarray(g), np.ascontiguousarray(places)
    if is_halving(windows) and windows.out[1] >= NARROW:
        # (..., OH, OW) -> (planes, OH, OW)
        values, numbers = (array.reshape(-1, *windows.out) for array in (values, numbers))
        planes = grad.reshape(-1, *windows.sizes)
        share(
            lambda part: halve_back(values[part], numbers[part], planes[part]),
            len(planes),
            grad.size * ELEMENT,
            blas=False,
        )
        return grad
    # (..., out...) -> (planes, windows)
    values, numbers = (array.reshape(-1, prod(windows.out)) for array in (values, numbers))
    planes = grad.reshape(-1, prod(windows.sizes))
    starts = np.broadcast_to(windows.flat_starts(), windows.out).reshape(-1)
    steps = windows.flat_steps()
    share(
        lambda part: put_back(values[part], numbers[part], planes[part], starts, steps),
        len(planes),
        (grad.size + 4 * g.size) * ELEMENT,
        blas=False,
    )
    return grad


def is_halving(windows: Windows) -> bool:
    """Whether the windows are 2 x 2, side by side, all within the input."""
    return (
        windows.kernel == windows.stride == (2, 2)
        and windows.before == (0, 0)
        and windows.dilation == (1, 1)
        and 2 * windows.out[0] <= windows.sizes[0]
        and 2 * windows.out[1] <= windows.sizes[1]
    )


@compiled_exactly
def halve(x: Any, out: Any, places: Any) -> None:
    planes, rows, columns = out.shape
    for p in range(planes):
        for r in range(rows):
            top, low = x[p, 2 * r], x[p, 2 * r + 1]
            best, place = out[p, r], places[p, r]
            for c in range(columns):
                a, b, d, e = top[2 * c], top[2 * c + 1], low[2 * c], low[2 * c + 1]
                larger = (b > a) | (b != b)
                value = b if larger else a
                number = 1 if larger else 0
                larger = (d > value) | (d != d)
                value = d if larger else value
                number = 2 if larger else number
                larger = (e > value) | (e != e)
                best[c] = e if larger else value
                place[c] = 3 if larger else number


@compiled_exactly
def halve_back(g: Any, places: Any, grad: Any) -> None:
    planes, rows, columns = g.shape
    zero = g.dtype.type(0)
    if grad.shape[1] > 2 * rows or grad.shape[2] > 2 * columns:
        grad[:] = zero
    for p in range(planes):
        for r in range(rows):
            values, place = g[p, r], places[p, r]
            top, low = grad[p, 2 * r], grad[p, 2 * r + 1]
            for c in range(columns):
                top[2 * c] = values[c] if place[c] == 0 else zero
                top[2 * c + 1] = values[c] if place[c] == 1 else zero
            for c in range(columns):
                low[2 * c] = values[c] if place[c] == 2 else zero
                low[2 * c + 1] = values[c] if place[c] == 3 else zero


@compiled_exactly
def put_back(g: Any, places: Any, grad: Any, starts: Any, steps: Any) -> None:
    for p in range(len(g)):
        row = grad[p]
        for i in range(row.size):
            row[i] = 0
        for o in range(g.shape[1]):
            # unsigned: no check for a negative index
            row[np.uintp(starts[o] + steps[places[p, o]])] += g[p, o]
