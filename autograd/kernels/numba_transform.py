"""Vectors of a transform, written out for the compiler: sums, transposition, copies.

A transform along one dimension is a handful of sums of a few vector registers. `transform` writes
them out with the coefficients as constants: as loops over arrays they would need checks that
nothing overlaps, which take longer than the sums.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.numba_vectors import LANES, VECTOR, WIDTH, load, outlined, store, turned
from autograd.kernels.winograd_tiles import POINTS, TILE, filters

__all__ = ["join_columns", "part_columns", "transform", "transpose"]

FLAGS = ("reassoc", "contract", "nsz")
MATRICES = {
    (size, name): matrix
    for size in POINTS
    for name, matrix in (
        ("spread", filters(size).inputs),
        ("collect", filters(size).results),
        ("spread_gradient", filters(size).results.T),
        ("kernels", filters(size).kernels),
        ("kernels_gradient", filters(size).kernels.T),
    )
}


@intrinsic
def transform(
    _context: Any,
    name: Any,
    size: Any,
    source: Any,
    start: Any,
    step: Any,
    jump: Any,
    target: Any,
    place: Any,
    apart: Any,
    count: Any,
    room: Any,
    hop: Any,
) -> Any:
    """Apply one of `MATRICES`, for kernels of a size, to `count` neighbours in a flat array.

    Number k of what the matrix is applied to begins at ``start + k % 4 * step + k // 4 * jump``,
    number k of the results at ``place + k * apart``. They are filled up to whole vectors. Where
    results lie in panels of `WIDTH`, the first of them has some room left, and the next one is a
    hop away from its end.
    """
    if not isinstance(name, types.StringLiteral):
        return None
    word = name.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args[2:], arguments[2:], strict=True)
        ]
        small = builder.icmp_signed("==", arguments[1], ir.Constant(arguments[1].type, min(POINTS)))
        with builder.if_else(small) as branches:
            for chosen, branch in zip((min(POINTS), max(POINTS)), branches, strict=True):
                with branch:
                    write = partial(write_transform, MATRICES[chosen, word])
                    outlined(builder, f"{word}.{chosen}", values, write)
        return context.get_dummy_value()

    places = (types.intp,) * 3
    return types.void(name, types.intp, source, *places, target, *places, *places[:2]), generate


def write_transform(
    matrix: Any,
    builder: Any,
    source: Any,
    start: Any,
    step: Any,
    jump: Any,
    target: Any,
    place: Any,
    apart: Any,
    count: Any,
    room: Any,
    hop: Any,
) -> None:
    """The code of `transform` for one matrix."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    def offset(first: Any, step: Any, k: int) -> Any:
        return builder.add(first, builder.mul(step, number(k)))

    here, left = cgutils.alloca_once_value(builder, place), cgutils.alloca_once_value(builder, room)
    with cgutils.for_range_slice(builder, number(0), count, number(LANES)) as (done, _):
        first, into = builder.add(start, done), builder.load(here)
        vectors = [
            load(builder, source, offset(offset(first, step, k % TILE), jump, k // TILE))
            for k in range(matrix.shape[1])
        ]
        for k, result in enumerate(sums(builder, matrix, vectors)):
            store(builder, result, target, offset(into, apart, k))
        rest = builder.sub(builder.load(left), number(LANES))
        full = builder.icmp_signed("==", rest, number(0))
        following = builder.add(into, number(LANES))
        builder.store(builder.select(full, builder.add(following, hop), following), here)
        builder.store(builder.select(full, number(WIDTH), rest), left)


def sums(builder: Any, matrix: Any, vectors: list[Any]) -> list[Any]:
    """Code for ``matrix @ vectors``.

    Points come in pairs p and -p, whose rows differ in the sign of every other entry: the sums over
    even and over odd entries are computed once for both.
    """

    def total(row: Any, which: range) -> Any:
        result = None
        for k in which:
            if row[k] == 0:
                continue
            term = vectors[k]
            if abs(row[k]) != 1:
                factor = ir.Constant(VECTOR, [float(abs(row[k]))] * LANES)
                term = builder.fmul(term, factor, flags=FLAGS)
            if result is None:
                result = term if row[k] > 0 else builder.fneg(term, flags=FLAGS)
            else:
                combine = builder.fadd if row[k] > 0 else builder.fsub
                result = combine(result, term, flags=FLAGS)
        return result

    columns = len(vectors)
    turned = np.where(np.arange(columns) % 2, -1, 1)
    results: list[Any] = [None] * len(matrix)
    for k, row in enumerate(matrix):
        if results[k] is not None:
            continue
        twins = [j for j in range(k + 1, len(matrix)) if (matrix[j] == row * turned).all()]
        if twins and row[::2].any() and row[1::2].any():
            even, odd = total(row, range(0, columns, 2)), total(row, range(1, columns, 2))
            results[k] = builder.fadd(even, odd, flags=FLAGS)
            results[twins[0]] = builder.fsub(even, odd, flags=FLAGS)
        else:
            results[k] = total(row, range(columns))
    return results


@intrinsic
def transpose(
    _context: Any, source: Any, start: Any, apart: Any, target: Any, place: Any, pitch: Any
) -> Any:
    """Write the columns of `LANES` vectors, which begin `apart` from each other, `pitch` apart."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, apart, target, place, pitch = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[3])(context, builder, target).data
        rows = []
        for k in range(LANES):
            offset = builder.add(start, builder.mul(apart, ir.Constant(start.type, k)))
            rows.append(load(builder, memory, offset))
        for k, row in enumerate(turned(builder, rows)):
            offset = builder.add(place, builder.mul(pitch, ir.Constant(start.type, k)))
            store(builder, row, into, offset)
        return context.get_dummy_value()

    places = (types.intp,) * 2
    return types.void(source, *places, target, *places), generate


@intrinsic
def part_columns(
    _context: Any,
    source: Any,
    start: Any,
    apart: Any,
    target: Any,
    base: Any,
    place: Any,
    count: Any,
    pitch: Any,
    images: Any,
    dump: Any,
) -> Any:
    """Lay columns of as many images as there are lanes next to each other, parted by tiles.

    Image i begins at ``start + i * apart``, and its column k goes to ``base + p % 4 * pitch + p //
    4 * images`` with ``p = place + k``; those from `count` on go to the dump.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, apart, target, base, place, count, pitch, images, dump = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[3])(context, builder, target).data

        def number(value: int) -> Any:
            return ir.Constant(start.type, value)

        rows = [
            load(builder, memory, builder.add(start, builder.mul(apart, number(k))))
            for k in range(LANES)
        ]
        for k, column in enumerate(turned(builder, rows)):
            p = builder.add(place, number(k))
            offset = builder.mul(builder.and_(p, number(TILE - 1)), pitch)
            offset = builder.add(offset, builder.mul(builder.ashr(p, number(2)), images))
            there = builder.icmp_signed("<", number(k), count)
            store(builder, column, into, builder.select(there, builder.add(base, offset), dump))
        return context.get_dummy_value()

    i = types.intp
    return types.void(source, i, i, target, *(i,) * 6), generate


@intrinsic
def join_columns(
    _context: Any,
    source: Any,
    base: Any,
    place: Any,
    last: Any,
    pitch: Any,
    images: Any,
    target: Any,
    start: Any,
    apart: Any,
) -> Any:
    """The reverse of `part_columns`; columns after the last are the last one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, base, place, last, pitch, images, target, start, apart = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[6])(context, builder, target).data

        def number(value: int) -> Any:
            return ir.Constant(start.type, value)

        columns = []
        for k in range(LANES):
            p = builder.add(place, number(k))
            p = builder.select(builder.icmp_signed("<", p, last), p, last)
            offset = builder.mul(builder.and_(p, number(TILE - 1)), pitch)
            offset = builder.add(offset, builder.mul(builder.ashr(p, number(2)), images))
            columns.append(load(builder, memory, builder.add(base, offset)))
        for k, row in enumerate(turned(builder, columns)):
            store(builder, row, into, builder.add(start, builder.mul(apart, number(k))))
        return context.get_dummy_value()

    i = types.intp
    return types.void(source, *(i,) * 5, target, i, i), generate
