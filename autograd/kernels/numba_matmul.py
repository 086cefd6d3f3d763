"""Matrix products of two dimensions, compiled: one operand is packed in registers, once.

BLAS packs both, and takes longer for a transposed matrix of moderate size. Products are shared by
whole panels of columns, or by rows where there are few columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_matmul
from autograd.kernels.compiled import Floats, compiled_exactly, in_order, inlined
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_product import DEPTH, ROWS, WIDTH, pack_columns, pack_rows, strip
from autograd.kernels.numba_room import empty, release
from autograd.kernels.numba_vectors import LANES, transpose
from autograd.kernels.threads import get_num_threads

LEAST = 1 << 18
"""Multiplications below which a call of BLAS costs less."""
FEW = 8
"""Rows below which packing is not worth it."""
MOST = 1 << 20
"""Elements of a matrix above which BLAS is as fast."""
HEIGHT = 32 * ROWS
"""Rows that go through all panels before the next ones do: their part stays in the cache."""
STEEP, BROAD = 192, 128
"""Rows and columns from which a transposed operand is turned before it is used."""


def matmul(x: Any, y: Any) -> Any:
    """As `numpy_matmul.matmul`."""
    if y.ndim == 2 and x.ndim >= 2 and worth(x, *y.shape, y):
        # (..., rows, inner) -> (...*rows, inner), a copy where it has to be
        return product(x.reshape(-1, x.shape[-1]), y, None, x.shape[:-1])
    return numpy_matmul.matmul(x, y)


def linear(x: Any, weight: Any, bias: Any) -> Any:
    """As `numpy_matmul.linear`."""
    outputs, inputs = weight.shape
    more = (weight,) if bias is None else (weight, bias)
    if not worth(x, inputs, outputs, *more):
        return numpy_matmul.linear(x, weight, bias)
    # (..., in) -> (rows, in)
    return product(x.reshape(-1, inputs), weight.T, bias, x.shape[:-1])


def worth(x: Any, inner: int, columns: int, *others: Any) -> bool:
    """Whether compiled code is the faster one for x (..., inner) times a matrix, and fits."""
    rows = x.size // max(1, inner)
    return (
        rows >= FEW
        and rows * inner * columns >= LEAST
        and max(x.size, inner * columns, rows * columns) <= MOST
        and x.dtype == np.float32
        and all(other.dtype == np.float32 for other in others)
    )


def product(x: Any, y: Any, bias: Any, lead: tuple[int, ...]) -> Any:
    """``x @ y`` for two matrices, plus a row: (rows, columns) as (lead..., columns)."""
    (rows, inner), columns = x.shape, y.shape[1]
    upright, turned = x.flags.f_contiguous, y.flags.f_contiguous
    out = np.empty((*lead, columns), np.float32)
    arrays = (
        in_order(x.T if upright else x),
        in_order(y.T if turned else y),
        np.zeros(columns, np.float32) if bias is None else in_order(bias),
        out.reshape(-1),  # (lead..., columns) -> (rows * columns,)
    )
    sizes = (upright, turned, rows, inner, columns)
    panels, threads = -(-columns // WIDTH), get_num_threads()
    tall = upright and rows > columns  # its rows are turned by each thread that needs them
    by_rows = tall or (panels % threads != 0 and panels < 4 * threads)
    count = -(-rows // ROWS) if by_rows else panels
    share(multiply, count, rows * y.size, *arrays, *sizes, by_rows)
    return out


@compiled_exactly
def multiply(
    x: Floats,
    y: Floats,
    bias: Floats,
    out: Floats,
    upright: bool,
    turned: bool,
    rows: int,
    inner: int,
    columns: int,
    by_rows: bool,
    first: int,
    last: int,
) -> None:
    """Compute ``x @ y + bias`` for some tiles of rows, or for some panels of columns.

    `upright` and `turned` tell whether x, or y, lies in memory as its transpose.
    """
    shared()
    top, bottom, begin, end = 0, rows, 0, columns
    if by_rows:
        top, bottom = first * ROWS, min(rows, last * ROWS)
    else:
        begin, end = first * WIDTH, min(columns, last * WIDTH)
    turn = upright and inner >= STEEP and end - begin >= BROAD
    depth = min(inner, DEPTH // 2 if upright and not turn else DEPTH)
    panels = empty(out, (end - begin + WIDTH - 1) // WIDTH * WIDTH * depth)
    pitch, skip = (1, rows) if upright else (inner, 1)
    wide = (depth + LANES - 1) // LANES * LANES
    lines = empty(out, HEIGHT * wide if turn else 0)
    for k in range(0, inner, depth):
        stop = min(k + depth, inner)
        if turned:
            pack_rows(y, inner, k, stop, panels, begin, end)
        else:
            pack_columns(y, columns, k, stop, panels, begin, end)
        for row in range(top, bottom, HEIGHT):
            high = min(HEIGHT, bottom - row)
            source, start = x, row * pitch + k * skip
            if turn:
                turn_rows(x, start, rows, stop - k, high, lines, wide)
                source, start, pitch, skip = lines, 0, wide, 1
            for column in range(begin, end, WIDTH):
                target = row * columns + column
                base, origin, between = (out, target, columns) if k else (bias, column, 0)
                strip(
                    source, start, pitch, skip, high,
                    panels, (column - begin) * (stop - k), stop - k,
                    base, origin, between, out, target, columns, end - column,
                )  # fmt: skip
            if turn:
                pitch, skip = 1, rows
    release(panels)
    release(lines)


@inlined
def turn_rows(x: Any, start: int, apart: int, count: int, high: int, lines: Any, wide: int) -> None:
    """Write some columns of a matrix, `count` long, as rows that begin `wide` apart."""
    for row in range(0, high, LANES):
        for k in range(0, count, LANES):
            transpose(
                x, start + k * apart + row, apart, count - 1 - k, high - row,
                lines, row * wide + k, wide,
            )  # fmt: skip
