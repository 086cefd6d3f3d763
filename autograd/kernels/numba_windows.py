"""Sums over windows that lie side by side, and the way back, compiled.

Each window is some rows of the input, and in each of them as many neighbours.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numpy_pool
from autograd.kernels.compiled import Floats, compiled, compiled_exactly, in_order
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_reduce import add_up
from autograd.kernels.numba_room import empty, release
from autograd.kernels.windows import Windows

ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""
LARGEST = 1 << 12
"""Elements of a window above which it is summed like any other array, with less rounding."""


def sum_pool(x: Any, windows: Windows) -> Any:
    """As `numpy_pool.sum_pool`."""
    if is_treated(x, windows) and prod(windows.kernel) <= LARGEST:
        out = np.empty((*x.shape[: x.ndim - len(windows.out)], *windows.out), x.dtype)
        height, width, columns = rows_of(windows)
        lines = in_order(x), out.reshape(-1)
        share(add_windows, out.size // columns, x.size * ELEMENT, *lines, height, width, columns)
        return out
    whole = windows.whole_axes()
    if len(whole) < len(windows.sizes):
        return numpy_pool.sum_pool(x, windows)
    return add_up(x, tuple(range(x.ndim - len(whole), x.ndim)), True)


def spread_pool(g: Any, windows: Windows) -> Any:
    """As `numpy_pool.spread_pool`."""
    if not is_treated(g, windows):
        return numpy_pool.spread_pool(g, windows)
    grad = np.empty((*g.shape[: g.ndim - len(windows.out)], *windows.sizes), g.dtype)
    height, width, columns = rows_of(windows)
    lines = in_order(g), grad.reshape(-1)
    share(fill_windows, g.size // columns, grad.size * ELEMENT, *lines, height, width, columns)
    return grad


def is_treated(values: Any, windows: Windows) -> bool:
    types = (np.float32, np.float64)
    return (
        values.dtype in types
        and values.size > 0
        and len(windows.sizes) < 3
        and windows.side_by_side
    )


def rows_of(windows: Windows) -> tuple[int, int, int]:
    """Of a window the height and width, and how many there are in a row."""
    height, width = (1, *windows.kernel)[-2:]
    columns = windows.out[-1]
    return (1, height * width, 1) if columns == 1 else (height, width, columns)


@compiled
def add_windows(
    x: Floats,
    out: Floats,
    height: int,
    width: int,
    columns: int,
    first: int,
    last: int,
) -> None:
    """Some rows of windows: lines are added first, then neighbours in their sum."""
    shared()
    length = columns * width
    sums = empty(x, length)
    for row in range(first, last):
        start = row * height * length
        line = x[start : start + length]
        if height > 1:
            for k in range(length):
                sums[k] = line[k]
            for y in range(1, height):
                other = x[start + y * length : start + (y + 1) * length]
                for k in range(length):
                    sums[k] += other[k]
            line = sums
        for column in range(columns):
            values, total = line[column * width : (column + 1) * width], x.dtype.type(0)
            for k in range(width):
                total += values[k]
            out[row * columns + column] = total
    release(sums)


@compiled_exactly
def fill_windows(
    g: Floats,
    grad: Floats,
    height: int,
    width: int,
    columns: int,
    first: int,
    last: int,
) -> None:
    """Some rows of windows: in each the first line, and then copies of it."""
    shared()
    length = columns * width
    for row in range(first, last):
        start = row * height * length
        line = grad[start : start + length]
        for column in range(columns):
            value, place = g[row * columns + column], column * width
            for k in range(width):
                line[place + k] = value
        for y in range(1, height):
            other = grad[start + y * length : start + (y + 1) * length]
            for k in range(length):
                other[k] = line[k]
