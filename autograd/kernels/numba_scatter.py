"""Adding up rows that belong together, compiled: each thread adds some columns of all rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_rows
from autograd.kernels.compiled import Floats, Integers, compiled_exactly, in_order
from autograd.kernels.numba_crew import share, shared

PIECE = 32
"""Columns that a thread adds at least; rows that are shorter are left to NumPy."""
OFTEN = 1 << 10
"""How often a place may occur: longer sums would round off more than the reference's."""
ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""


def sum_rows(x: Any, places: Any, total: Any) -> Any:
    """As `numpy_rows.sum_rows`."""
    width = x.size // max(1, len(x))
    if (
        width < PIECE
        or x.dtype not in (np.float32, np.float64)
        or total.dtype != x.dtype
        or not total.flags.c_contiguous
        or np.bincount(places).max() > OFTEN
    ):
        return numpy_rows.sum_rows(x, places, total)
    arrays = in_order(x), in_order(places.astype(np.intp, copy=False)), total.reshape(-1)
    share(add_rows, -(-width // PIECE), x.size * ELEMENT, *arrays, width)
    return total


@compiled_exactly
def add_rows(
    x: Floats,
    places: Integers,
    total: Floats,
    width: int,
    first: int,
    last: int,
) -> None:
    """Some columns, `PIECE` at a time."""
    shared()
    begin, end = first * PIECE, min(width, last * PIECE)
    for k in range(len(places)):
        row, values = total[places[k] * width :][:width], x[k * width :][:width]
        for j in range(begin, end):
            row[j] += values[j]
