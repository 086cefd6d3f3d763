"""Products of matrices with few rows, compiled: the right one is packed once and used many times.

BLAS would pack it for each product anew, or not use the vector registers well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.compiled import compiled_exactly
from autograd.kernels.numba_conv import writable
from autograd.kernels.numba_vectors import (
    LANES,
    POINTER,
    ROWS,
    VECTOR,
    fused,
    lanes,
    load,
    move,
    splat,
    store,
    transpose,
)
from autograd.kernels.threads import share

__all__ = [
    "DEPTH",
    "ROWS",
    "WIDTH",
    "add_product",
    "add_transposed",
    "pack_rows",
    "packed",
    "packed_rows",
    "put",
    "room",
    "tile",
]


VECTORS = 4
WIDTH = VECTORS * LANES
"""Columns of a tile."""

ELEMENT = 4
"""Work of moving one element, in the multiplications that `share` counts."""

DEPTH = 96
"""Products that a tile sums at once: so many rows of `WIDTH` columns stay in the first cache."""


def packed(matrix: Any) -> Any:
    """A matrix (I, O) in panels (O / WIDTH, I, WIDTH), with zeros beyond its columns."""
    inner, columns = matrix.shape
    count = -(-columns // WIDTH)
    if columns % WIDTH:
        matrix = np.pad(matrix, ((0, 0), (0, count * WIDTH - columns)))
    # (I, O) -> (I, O / WIDTH, WIDTH) -> (O / WIDTH, I, WIDTH)
    return np.ascontiguousarray(matrix.reshape(inner, count, WIDTH).swapaxes(0, 1)).reshape(-1)


def packed_rows(matrix: Any) -> Any:
    """The transpose of a matrix (O, I), packed."""
    columns, inner = matrix.shape
    panels = room(inner, columns)
    flat = writable(matrix).reshape(-1)  # (O, I) -> (O * I,)

    def pack(part: slice) -> None:
        pack_rows(flat, inner, panels, part.start * WIDTH, min(part.stop * WIDTH, columns))

    share(pack, -(-columns // WIDTH), matrix.size * ELEMENT, blas=False)
    return panels


def room(capacity: int, columns: int) -> Any:
    """Memory for so many rows of so many columns, to be packed by `put`."""
    return np.empty(-(-columns // WIDTH) * WIDTH * capacity, np.float32)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def tile(
    _context: Any,
    x: Any,
    start: Any,
    pitch: Any,
    skip: Any,
    last: Any,
    panel: Any,
    place: Any,
    count: Any,
    out: Any,
    target: Any,
    apart: Any,
    left: Any,
) -> Any:
    """Add `ROWS` rows of x, `count` long, times a panel, to as many rows of the result.

    Element j of row k is at ``start + k * pitch + j * skip``, what it adds to at ``target + k *
    apart``, where `left` columns are. Rows after `last`, counted from the first, are the same one.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, start, pitch, skip, last, panel, place, count, out, target, apart, left = arguments
        kinds = signature.args
        x, panel, out = (
            context.make_array(kinds[k])(context, builder, arguments[k]).data for k in (0, 5, 8)
        )

        def constant(value: int) -> Any:
            return ir.Constant(start.type, value)

        rows = [
            builder.select(builder.icmp_signed("<", constant(k), last), constant(k), last)
            for k in range(ROWS)
        ]
        sources = [builder.gep(x, [builder.add(start, builder.mul(k, pitch))]) for k in rows]
        masks = [lanes(builder, left, skipped=v * LANES) for v in range(VECTORS)]
        targets = [
            (builder.add(builder.add(target, builder.mul(k, apart)), constant(v * LANES)), mask)
            for k in rows
            for v, mask in enumerate(masks)
        ]
        panel = builder.gep(panel, [place])
        first = [load(builder, out, offset, mask) for offset, mask in targets]

        outside, loop = builder.block, builder.append_basic_block("sum")
        after = builder.append_basic_block("summed")
        builder.branch(loop)
        builder.position_at_end(loop)
        k = builder.phi(start.type)
        k.add_incoming(constant(0), outside)
        totals = [builder.phi(VECTOR) for _ in first]
        for total, value in zip(totals, first, strict=True):
            total.add_incoming(value, outside)
        line = builder.mul(k, constant(WIDTH))
        columns = []
        for v in range(VECTORS):
            offset = builder.gep(panel, [builder.add(line, constant(v * LANES))])
            columns.append(builder.load(builder.bitcast(offset, POINTER), align=4))
        sums = []
        step = builder.mul(k, skip)
        for row, source in enumerate(sources):
            value = splat(builder, builder.load(builder.gep(source, [step])), VECTOR)
            for v, column in enumerate(columns):
                sums.append(fused(builder, value, column, totals[row * VECTORS + v]))
        following = builder.add(k, constant(1))
        k.add_incoming(following, loop)
        for total, value in zip(totals, sums, strict=True):
            total.add_incoming(value, loop)
        builder.cbranch(builder.icmp_signed("<", following, count), loop, after)
        builder.position_at_end(after)
        for value, (offset, mask) in zip(sums, targets, strict=True):
            store(builder, value, out, offset, mask)
        return context.get_dummy_value()

    number_of = types.intp
    return (
        types.void(
            x,
            *(number_of,) * 4,
            panel,
            *(number_of,) * 2,
            out,
            *(number_of,) * 3,
        ),
        generate,
    )


@compiled_exactly
def add_product(
    x: Any, inner: int, panels: Any, out: Any, columns: int, parts: Any, first: int, last: int
) -> None:
    """Add x (..., inner) times a packed matrix to the result (..., columns), for some rows.

    `parts` has three numbers for each range of rows: the first in x, that in the result, how many.
    """
    for column in range(0, columns, WIDTH):
        for k in range(0, inner, DEPTH):
            for part in range(first, last):
                source, target, rows = parts[3 * part], parts[3 * part + 1], parts[3 * part + 2]
                for row in range(0, rows, ROWS):
                    tile(
                        x,
                        (source + row) * inner + k,
                        inner,
                        1,
                        rows - 1 - row,
                        panels,
                        column * inner + k * WIDTH,
                        min(DEPTH, inner - k),
                        out,
                        (target + row) * columns + column,
                        columns,
                        columns - column,
                    )


@compiled_exactly
def add_transposed(
    x: Any, inner: int, rows: int, panels: Any, capacity: int, out: Any, columns: int
) -> None:
    """Add ``x.T @ y`` to the result (inner, columns): x (rows, inner), y packed by `put`."""
    for column in range(0, columns, WIDTH):
        for k in range(0, rows, DEPTH):
            for row in range(0, inner, ROWS):
                tile(
                    x,
                    k * inner + row,
                    1,
                    inner,
                    inner - 1 - row,
                    panels,
                    column * capacity + k * WIDTH,
                    min(DEPTH, rows - k),
                    out,
                    row * columns + column,
                    columns,
                    columns - column,
                )


@compiled_exactly
def pack_rows(matrix: Any, inner: int, panels: Any, first: int, last: int) -> None:
    """Some columns of the transpose of a matrix, packed."""
    for column in range(first, last, WIDTH):
        for start in range(0, inner, LANES):
            for place in range(column, min(column + WIDTH, last), LANES):
                transpose(
                    matrix,
                    place * inner + start,
                    inner,
                    last - 1 - place,
                    inner - start,
                    panels,
                    column * inner + start * WIDTH + place - column,
                    WIDTH,
                )


@compiled_exactly
def put(source: Any, start: int, columns: int, panels: Any, capacity: int, row: int) -> None:
    """Write a row of a matrix that is packed with room for `capacity` rows."""
    for column in range(0, columns, WIDTH):
        place = column * capacity + row * WIDTH
        for j in range(column, min(column + WIDTH, columns), LANES):
            move(source, start + j, panels, place + j - column, columns - j)
