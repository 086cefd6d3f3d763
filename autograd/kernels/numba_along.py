"""`numpy_along`, compiled: without an array of places."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import numpy_along
from autograd.kernels.compiled import Floats, Integers, compiled_exactly, in_order
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numpy_along import ELEMENT

OFTEN = 1 << 10
"""How often a place may occur: longer sums would round off more than the reference's."""
PIECE = 64
"""Columns that a thread adds at least, where there are no rows to share."""


def take_along(x: Any, index: Any, axis: int) -> Any:
    """As `numpy_along.take_along`."""
    if not fit(x, index, x.shape, axis):
        return numpy_along.take_along(x, index, axis)
    out = np.empty(index.shape, x.dtype)
    outer, inner = sizes(index, axis)
    arrays = in_order(x), in_order(index), out.reshape(-1)
    lines = outer * index.shape[axis]
    share(take, lines, index.size * ELEMENT, *arrays, index.shape[axis], x.shape[axis], inner)
    return out


def add_along(g: Any, index: Any, shape: tuple[int, ...], axis: int) -> Any:
    """As `numpy_along.add_along`."""
    if not fit(g, index, shape, axis) or index.shape[axis] > OFTEN:
        return numpy_along.add_along(g, index, shape, axis)
    total = np.zeros(shape, g.dtype)
    outer, inner = sizes(index, axis)
    pieces = -(-inner // PIECE) if outer == 1 else 1
    arrays = in_order(g), in_order(index), total.reshape(-1)
    share(
        add,
        outer * pieces,
        g.size * ELEMENT,
        *arrays,
        pieces,
        index.shape[axis],
        shape[axis],
        inner,
    )
    return total


def fit(values: Any, index: Any, shape: tuple[int, ...], axis: int) -> bool:
    """Whether the index is as large as the array on the other axes."""
    return (
        values.dtype in (np.float32, np.float64)
        and index.dtype == np.int64
        and all(
            k == axis or size == limit
            for k, (size, limit) in enumerate(zip(index.shape, shape, strict=True))
        )
    )


def sizes(index: Any, axis: int) -> tuple[int, int]:
    return prod(index.shape[:axis]), prod(index.shape[axis + 1 :])


@compiled_exactly
def take(
    x: Floats,
    index: Integers,
    out: Floats,
    count: int,
    size: int,
    inner: int,
    first: int,
    last: int,
) -> None:
    """Some lines of `inner` elements: x (outer, size, inner), the others (outer, count, inner)."""
    shared()
    line = first
    while line < last:  # those of one block after the other
        block = line // count
        stop = min(last, (block + 1) * count)
        source = x[block * size * inner :][: size * inner]
        if inner == 1:
            for place in range(line, stop):
                out[place] = source[np.uintp(index[place])]  # unsigned: no check for negative ones
        else:
            for place in range(line * inner, stop * inner, inner):
                for j in range(inner):
                    out[place + j] = source[np.uintp(index[place + j] * inner + j)]
        line = stop


@compiled_exactly
def add(
    g: Floats,
    index: Integers,
    total: Floats,
    pieces: int,
    count: int,
    size: int,
    inner: int,
    first: int,
    last: int,
) -> None:
    """Some blocks of (outer, count, inner), or some columns of one."""
    shared()
    for number in range(first, last):
        block, piece = number // pieces, number % pieces
        begin, end = inner * piece // pieces, inner * (piece + 1) // pieces
        target = total[block * size * inner :][: size * inner]
        if inner == 1:
            for place in range(block * count, (block + 1) * count):
                target[np.uintp(index[place])] += g[place]
        else:
            for place in range(block * count * inner, (block + 1) * count * inner, inner):
                for j in range(begin, end):
                    target[np.uintp(index[place + j] * inner + j)] += g[place + j]
