"""Products of matrices with few rows, compiled: the right one is packed once and used many times.

BLAS would pack it for each product anew, or not use the vector registers well.
"""

from __future__ import annotations

from functools import partial
from math import gcd
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels.compiled import Floats, compiled_exactly, in_order, inlined, inner_exactly
from autograd.kernels.late_numba import intrinsic, types
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_vectors import (
    HIGH,
    LANES,
    POINTER,
    VECTOR,
    WIDTH,
    by_room,
    fused,
    lanes,
    load,
    move,
    outlined,
    splat,
    store,
    transpose,
    unpack,
)

__all__ = [
    "DEPTH",
    "ROWS",
    "STEP",
    "WIDTH",
    "add_product",
    "add_transposed",
    "pack_columns",
    "pack_rows",
    "packed",
    "packed_rows",
    "put",
    "room",
    "strip",
]


ROWS, VECTORS = HIGH, WIDTH // LANES
"""Of a tile; its sums stay in registers."""
FEWER = 4
"""Rows of a lower tile, where those that are left fill it better."""
STEP = gcd(ROWS, FEWER)
"""Any multiple of it, from `FEWER` on, is filled by tiles."""
ELEMENT = 4
"""Work of moving one element, in the multiplications that `share` counts."""

DEPTH = 6144 // WIDTH
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
    panels = np.empty(room(inner, columns), np.float32)
    share(pack_panels, -(-columns // WIDTH), matrix.size * ELEMENT, in_order(matrix), panels, inner)
    return panels


def room(capacity: int, columns: int) -> int:
    """How much memory so many rows of so many columns need, to be packed by `put`."""
    return -(-columns // WIDTH) * WIDTH * capacity


def write_tile(
    high: int,
    builder: Any,
    x: Any,
    start: Any,
    pitch: Any,
    skip: Any,
    last: Any,
    panel: Any,
    place: Any,
    count: Any,
    base: Any,
    origin: Any,
    between: Any,
    out: Any,
    target: Any,
    apart: Any,
    left: Any,
) -> None:
    """Code of `strip` for as many rows as a tile has; those after `last` are the same one."""

    def constant(value: int) -> Any:
        return ir.Constant(start.type, value)

    rows = [
        builder.select(builder.icmp_signed("<", constant(k), last), constant(k), last)
        for k in range(high)
    ]
    sources = [builder.gep(x, [builder.add(start, builder.mul(k, pitch))]) for k in rows]
    masks = [lanes(builder, left, skipped=v * LANES) for v in range(VECTORS)] * high
    origins, targets = (
        [
            builder.add(builder.add(first, builder.mul(k, step)), constant(v * LANES))
            for k in rows
            for v in range(VECTORS)
        ]
        for first, step in ((origin, between), (target, apart))
    )
    panel = builder.gep(panel, [place])

    outside, loop = builder.block, builder.append_basic_block("sum")
    after = builder.append_basic_block("summed")
    builder.branch(loop)
    builder.position_at_end(loop)
    k = builder.phi(start.type)
    k.add_incoming(constant(0), outside)
    totals = [builder.phi(VECTOR) for _ in masks]
    for total in totals:
        total.add_incoming(ir.Constant(VECTOR, None), outside)
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

    def write(whole: bool) -> None:
        used = [None if whole else mask for mask in masks]
        # at the end, since a sum of sums rounds off less, but before anything is stored: rows after
        # the last one are that one again
        results = [
            builder.fadd(value, load(builder, base, *where))
            for value, *where in zip(sums, origins, used, strict=True)
        ]
        for value, *where in zip(results, targets, used, strict=True):
            store(builder, value, out, *where)

    by_room(builder, left, WIDTH, write)


def write_strip(
    builder: Any,
    x: Any,
    start: Any,
    pitch: Any,
    skip: Any,
    rows: Any,
    panels: Any,
    place: Any,
    count: Any,
    base: Any,
    origin: Any,
    between: Any,
    out: Any,
    target: Any,
    apart: Any,
    left: Any,
) -> None:
    """The code of `strip`: tiles, lower ones where those fill the rows that are left better."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    before = builder.block
    check, body, after = (builder.append_basic_block(name) for name in ("check", "body", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    row = builder.phi(start.type)
    row.add_incoming(number(0), before)
    more = builder.sub(rows, row)
    builder.cbranch(builder.icmp_signed(">", more, number(0)), body, after)
    builder.position_at_end(body)
    two_lower = builder.and_(
        builder.icmp_signed(">", more, number(ROWS)),
        builder.icmp_signed("<=", more, number(2 * FEWER)),
    )
    lower = builder.or_(builder.icmp_signed("<=", more, number(FEWER)), two_lower)
    starts = [
        builder.add(first, builder.mul(row, step))
        for first, step in ((start, pitch), (origin, between), (target, apart))
    ]
    last = builder.sub(more, number(1))
    values = [
        x, starts[0], pitch, skip, last, panels, place, count,
        base, starts[1], between, out, starts[2], apart, left,
    ]  # fmt: skip
    with builder.if_else(lower) as branches:
        for high, branch in zip((FEWER, ROWS), branches, strict=True):
            with branch:
                outlined(builder, f"tile.{high}", values, partial(write_tile, high))
    row.add_incoming(
        builder.add(row, builder.select(lower, number(FEWER), number(ROWS))), builder.block
    )
    builder.branch(check)
    builder.position_at_end(after)


@intrinsic
def strip(
    _context: Any,
    x: Any,
    start: Any,
    pitch: Any,
    skip: Any,
    rows: Any,
    panels: Any,
    place: Any,
    count: Any,
    base: Any,
    origin: Any,
    between: Any,
    out: Any,
    target: Any,
    apart: Any,
    left: Any,
) -> Any:
    """Multiply some rows of x, `count` long, by a panel, and add as many rows of `base`.

    Element j of row k is at ``start + k * pitch + j * skip``, what is added to it at ``origin + k *
    between``, and the result at ``target + k * apart``, where `left` columns are.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = unpack(context, builder, signature, arguments)
        outlined(builder, "strip", values, write_strip)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, i, i, panels, i, i, base, i, i, out, i, i, i), generate


@inlined
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
                strip(
                    x, source * inner + k, inner, 1, rows,
                    panels, column * inner + k * WIDTH, min(DEPTH, inner - k),
                    out, target * columns + column, columns,
                    out, target * columns + column, columns, columns - column,
                )  # fmt: skip


@inlined
def add_transposed(
    x: Any, inner: int, rows: int, panels: Any, capacity: int, out: Any, columns: int
) -> None:
    """Add ``x.T @ y`` to the result (inner, columns): x (rows, inner), y packed by `put`."""
    for column in range(0, columns, WIDTH):
        for k in range(0, rows, DEPTH):
            strip(
                x, k * inner, 1, inner, inner,
                panels, column * capacity + k * WIDTH, min(DEPTH, rows - k),
                out, column, columns, out, column, columns, columns - column,
            )  # fmt: skip


@inlined
def pack_rows(
    matrix: Any, inner: int, begin: int, end: int, panels: Any, first: int, last: int
) -> None:
    """Some rows and columns of the transpose of a matrix (O, inner), packed from the start on."""
    height = end - begin
    for column in range(first, last, WIDTH):
        for row in range(0, height, LANES):
            for place in range(column, min(column + WIDTH, last), LANES):
                transpose(
                    matrix, place * inner + begin + row, inner, last - 1 - place, height - row,
                    panels, (column - first) * height + row * WIDTH + place - column, WIDTH,
                )  # fmt: skip


@compiled_exactly
def pack_panels(
    matrix: Floats,
    panels: Floats,
    inner: int,
    first: int,
    last: int,
) -> None:
    """Some panels of the transpose of a matrix (O, inner)."""
    shared()
    columns = matrix.size // inner
    start, end = first * WIDTH, min(last * WIDTH, columns)
    pack_rows(matrix, inner, 0, inner, panels[start * inner :], start, end)


@inlined
def pack_columns(
    matrix: Any, columns: int, begin: int, end: int, panels: Any, first: int, last: int
) -> None:
    """Some rows and columns of a matrix (I, columns), packed from the start on."""
    for row in range(begin, end):
        for column in range(first, last, WIDTH):
            place = (column - first) * (end - begin) + (row - begin) * WIDTH
            for j in range(column, min(column + WIDTH, last), LANES):
                move(matrix, row * columns + j, panels, place + j - column, last - j)


@inner_exactly
def put(source: Any, start: int, columns: int, panels: Any, capacity: int, row: int) -> None:
    """Write a row of a matrix that is packed with room for `capacity` rows."""
    for column in range(0, columns, WIDTH):
        place = column * capacity + row * WIDTH
        for j in range(column, min(column + WIDTH, columns), LANES):
            move(source, start + j, panels, place + j - column, columns - j)
