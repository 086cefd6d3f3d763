"""Compiled maximum pooling over windows of 2 x 2 that lie side by side, the most frequent ones.

What NumPy does as fast is left to it: other windows. The gradient is compiled for all.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numpy_pool
from autograd.kernels.compiled import Bytes, Floats, Integers, compiled_exactly, in_order
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_halves import halve_vector, spread_vector
from autograd.kernels.numba_vectors import LANES
from autograd.kernels.windows import Windows

ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    """As `numpy_pool.max_pool`."""
    if not (is_halving(windows) and x.size and x.dtype == np.float32):
        return numpy_pool.max_pool(x, windows)
    out: Any = np.empty((*x.shape[:-2], *windows.out), x.dtype)
    places: Any = np.empty(out.shape, np.uint8)
    planes = x.size // prod(windows.sizes)
    arrays = in_order(x), out.reshape(-1), places.reshape(-1)
    share(halve, planes, x.size * ELEMENT, *arrays, *windows.sizes, *windows.out)
    return out, places


def max_pool_grad(g: Any, places: Any, windows: Windows) -> Any:
    """As `numpy_pool.max_pool_grad`."""
    if places.dtype != np.uint8 or not g.size or g.dtype not in (np.float32, np.float64):
        return numpy_pool.max_pool_grad(g, places, windows)
    lead = g.shape[: g.ndim - len(windows.out)]
    grad: Any = np.empty((*lead, *windows.sizes), g.dtype)
    planes = grad.size // prod(windows.sizes)
    arrays = in_order(g), in_order(places), grad.reshape(-1)
    if is_halving(windows) and g.dtype == np.float32:
        work = grad.size * ELEMENT
        share(spread, planes, work, *arrays, *windows.sizes, *windows.out)
        return grad
    starts = np.broadcast_to(windows.flat_starts(), windows.out).reshape(-1)
    work = (grad.size + 4 * g.size) * ELEMENT
    share(put_back, planes, work, *arrays, in_order(starts), windows.flat_steps())
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
def halve(
    x: Floats,
    out: Floats,
    places: Bytes,
    height: int,
    width: int,
    rows: int,
    columns: int,
    first: int,
    last: int,
) -> None:
    """The maxima of some planes.

    The last vector of a row runs over its end, into what is computed later, but not over the end
    of the last plane: there the rest goes one by one.
    """
    shared()
    source, end = last * height * width, last * rows * columns
    for row in range(first * rows, last * rows):
        top = (row // rows * height + row % rows * 2) * width
        low, place, c = top + width, row * columns, 0
        while c < columns and low + 2 * c + 2 * LANES <= source and place + c + LANES <= end:
            halve_vector(x, top + 2 * c, low + 2 * c, out, places, place + c)
            c += LANES
        for c in range(c, columns):  # noqa: B020 (goes on from there)
            value, number = x[top + 2 * c], 0
            for k in range(1, 4):
                other = x[(low if k > 1 else top) + 2 * c + k % 2]
                if other > value or other != other:
                    value, number = other, k
            out[place + c] = value
            places[place + c] = number


@compiled_exactly
def spread(
    g: Floats,
    places: Bytes,
    grad: Floats,
    height: int,
    width: int,
    rows: int,
    columns: int,
    first: int,
    last: int,
) -> None:
    """The gradients of some planes; vectors run over the ends of rows as in `halve`."""
    shared()
    source, end = last * rows * columns, last * height * width
    zero = g.dtype.type(0)
    exact = height == 2 * rows and width == 2 * columns
    if not exact:
        for k in range(first * height * width, end):
            grad[k] = zero
    for row in range(first * rows, last * rows):
        top, place = (row // rows * height + row % rows * 2) * width, row * columns
        for k in range(2):
            target, c = top + k * width, 0
            edge, limit = (end, source) if exact else (target + 2 * columns, place + columns)
            while c < columns and place + c + LANES <= limit and target + 2 * c + 2 * LANES <= edge:
                spread_vector(g, places, place + c, 2 * k, grad, target + 2 * c)
                c += LANES
            for c in range(c, columns):  # noqa: B020 (goes on from there)
                number = places[place + c]
                for j in range(2):
                    grad[target + 2 * c + j] = g[place + c] if number == 2 * k + j else zero


@compiled_exactly
def put_back(
    g: Floats,
    places: Bytes,
    grad: Floats,
    starts: Integers,
    steps: Integers,
    first: int,
    last: int,
) -> None:
    """The gradients of some planes for windows of any kind."""
    shared()
    windows = len(starts)
    plane = len(grad) // (len(g) // windows)
    for p in range(first, last):
        row = grad[p * plane : (p + 1) * plane]
        for i in range(plane):
            row[i] = 0
        for o in range(windows):
            # unsigned: no check for a negative index
            row[np.uintp(starts[o] + steps[places[p * windows + o]])] += g[p * windows + o]
