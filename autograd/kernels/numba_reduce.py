"""Compiled sums over axes: of rows in vectors, or of rows onto each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_reduce
from autograd.kernels.compiled import Floats, compiled, compiled_exactly
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_room import empty, release
from autograd.kernels.numpy_reduce import LEAST, ROWS, folded, shaped

ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""
CHUNK = 1 << 12
"""Elements of a row that are summed by themselves, so that sums of sums round off less."""
COLUMNS = 512
"""Columns that are summed at a time; their sums stay in the first cache."""


def add_up(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """As `numpy_reduce.add_up`."""
    sizes = folded(x, axes) if x.size >= LEAST and x.flags.writeable else None
    if sizes is None or x.dtype != np.float32 or 1 < sizes[2] < 16:
        return numpy_reduce.add_up(x, axes, keepdims)
    outer, count, inner = sizes
    flat = x.reshape(-1)  # (d0, d1, ...) -> (size,)
    work = x.size * ELEMENT
    if inner > 1:
        several = -(-count // ROWS)
        out = np.empty((outer, several, inner), x.dtype)
        pieces = outer * several * -(-inner // COLUMNS)
        share(add_rows, pieces, work, flat, out.reshape(-1), count, inner)
        out = np.add.reduce(out, axis=1) if several > 1 else out
        return shaped(out, x.shape, axes, keepdims)
    pieces = -(-count // CHUNK)
    out = np.empty((outer, pieces), x.dtype)
    share(add_chunks, outer * pieces, work, flat, out.reshape(-1), count)
    if pieces > 1:
        out = np.add.reduce(out, axis=1)
    return shaped(out, x.shape, axes, keepdims)


def running_sum(x: Any, axis: int) -> Any:
    """As `numpy_reduce.running_sum`."""
    sizes = folded(x, (axis,)) if x.size >= LEAST and x.flags.writeable else None
    if sizes is None or x.dtype != np.float32:
        return numpy_reduce.running_sum(x, axis)
    outer, count, inner = sizes
    out = np.empty(x.shape, x.dtype)
    pieces = -(-inner // COLUMNS)
    flat = x.reshape(-1), out.reshape(-1)  # (d0, d1, ...) -> (size,)
    share(run_along, outer * pieces, x.size * ELEMENT, *flat, count, inner)
    return out


@compiled_exactly
def run_along(
    x: Floats,
    out: Floats,
    count: int,
    inner: int,
    first: int,
    last: int,
) -> None:
    """The sums so far in some columns, `COLUMNS` at a time, of (outer, count, inner)."""
    shared()
    pieces = (inner + COLUMNS - 1) // COLUMNS
    totals = empty(0.0, min(COLUMNS, inner))
    for number in range(first, last):
        start = number // pieces * count * inner + number % pieces * COLUMNS
        wide = min(COLUMNS, inner - number % pieces * COLUMNS)
        if inner == 1:
            total = 0.0
            for k in range(start, start + count):
                total += x[k]
                out[k] = total
            continue
        for j in range(wide):
            totals[j] = 0
        for row in range(count):
            place = start + row * inner
            values, results = x[place:][:wide], out[place:][:wide]
            for j in range(wide):
                totals[j] += values[j]
                results[j] = totals[j]
    release(totals)


@compiled
def add_chunks(x: Floats, out: Floats, count: int, first: int, last: int) -> None:
    """The sums of some chunks of rows of `count` elements."""
    shared()
    pieces = (count + CHUNK - 1) // CHUNK
    for number in range(first, last):
        start = number // pieces * count + number % pieces * CHUNK
        values = x[start : min(start + CHUNK, (number // pieces + 1) * count)]
        total = x.dtype.type(0)
        for k in range(values.size):
            total += values[k]
        out[number] = total


@compiled
def add_rows(
    x: Floats,
    out: Floats,
    count: int,
    inner: int,
    first: int,
    last: int,
) -> None:
    """The sums of up to `ROWS` rows, in up to `COLUMNS` columns, of (outer, count, inner)."""
    shared()
    pieces, several = (inner + COLUMNS - 1) // COLUMNS, (count + ROWS - 1) // ROWS
    for number in range(first, last):
        place, column = number // pieces, number % pieces * COLUMNS
        wide = min(COLUMNS, inner - column)
        totals = out[place * inner + column :][:wide]
        for k in range(wide):
            totals[k] = 0
        start = place % several * ROWS
        for row in range(start, min(count, start + ROWS)):
            values = x[(place // several * count + row) * inner + column :][:wide]
            for k in range(wide):
                totals[k] += values[k]
