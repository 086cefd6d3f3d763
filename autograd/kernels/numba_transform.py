"""Vectors of a transform, written out for the compiler: sums, transposition, copies.

A transform along one dimension is a handful of sums of a few vector registers. `transform` writes
them out with the coefficients as constants: as loops over arrays they would need checks that
nothing overlaps, which take longer than the sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.winograd_tiles import LANES, TILE, filters

__all__ = ["move", "transform", "transpose"]

FLAGS = ("reassoc", "contract", "nsz")
MATRICES = {
    (size, name): matrix
    for size in (3, 5)
    for name, matrix in (
        ("spread", filters(size).inputs),
        ("collect", filters(size).results),
        ("spread_gradient", filters(size).results.T),
        ("kernels", filters(size).kernels),
        ("kernels_gradient", filters(size).kernels.T),
    )
}


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def transform(
    _context: Any,
    size: Any,
    name: Any,
    source: Any,
    start: Any,
    step: Any,
    jump: Any,
    target: Any,
    place: Any,
    apart: Any,
) -> Any:
    """Apply one of `MATRICES` to vectors of `LANES` neighbours in a flat array.

    Vector k of the source begins at ``start + k % 4 * step + k // 4 * jump``, vector k of the
    target at ``place + k * apart``.
    """
    if not isinstance(size, types.IntegerLiteral) or not isinstance(name, types.StringLiteral):
        return None
    matrix = MATRICES[size.literal_value, name.literal_value]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, source, start, step, jump, target, place, apart = arguments
        memory = context.make_array(signature.args[2])(context, builder, source).data
        vector = ir.VectorType(memory.type.pointee, LANES)

        def pointer(data: Any, offset: Any) -> Any:
            return builder.bitcast(builder.gep(data, [offset]), vector.as_pointer())

        def number(value: int) -> Any:
            return ir.Constant(start.type, value)

        vectors = []
        for k in range(matrix.shape[1]):
            offset = builder.add(start, builder.mul(step, number(k % TILE)))
            offset = builder.add(offset, builder.mul(jump, number(k // TILE)))
            vectors.append(builder.load(pointer(memory, offset), align=4))
        into = context.make_array(signature.args[6])(context, builder, target).data
        for k, result in enumerate(sums(builder, vector, matrix, vectors)):
            offset = builder.add(place, builder.mul(apart, number(k)))
            builder.store(result, pointer(into, offset), align=4)
        return context.get_dummy_value()

    places = (types.intp,) * 3
    return types.void(size, name, source, *places, target, *places[:2]), generate


def sums(builder: Any, vector: Any, matrix: Any, vectors: list[Any]) -> list[Any]:
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
                factor = ir.Constant(vector, [float(abs(row[k]))] * LANES)
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


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def transpose(
    _context: Any, source: Any, start: Any, apart: Any, target: Any, place: Any, pitch: Any
) -> Any:
    """Write the columns of `LANES` vectors, which begin `apart` from each other, `pitch` apart."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, apart, target, place, pitch = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        vector = ir.VectorType(memory.type.pointee, LANES)
        rows = []
        for k in range(LANES):
            offset = builder.add(start, builder.mul(apart, ir.Constant(start.type, k)))
            address = builder.bitcast(builder.gep(memory, [offset]), vector.as_pointer())
            rows.append(builder.load(address, align=4))
        half = LANES // 2
        masks = [
            ir.Constant(
                ir.VectorType(ir.IntType(32), LANES),
                [first + k // 2 + k % 2 * LANES for k in range(LANES)],
            )
            for first in (0, half)
        ]
        for _ in range(LANES.bit_length() - 1):  # shuffle both halves into each other, as cards
            rows = [
                builder.shuffle_vector(rows[k], rows[k + half], mask)
                for k in range(half)
                for mask in masks
            ]
        into = context.make_array(signature.args[3])(context, builder, target).data
        for k, row in enumerate(rows):
            offset = builder.add(place, builder.mul(pitch, ir.Constant(start.type, k)))
            address = builder.gep(into, [offset])
            builder.store(row, builder.bitcast(address, vector.as_pointer()), align=4)
        return context.get_dummy_value()

    places = (types.intp,) * 2
    return types.void(source, *places, target, *places), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def move(_context: Any, source: Any, start: Any, target: Any, place: Any) -> Any:
    """Copy a vector of `LANES` values."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, place = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[2])(context, builder, target).data
        pointer = ir.VectorType(memory.type.pointee, LANES).as_pointer()
        value = builder.load(builder.bitcast(builder.gep(memory, [start]), pointer), align=4)
        builder.store(value, builder.bitcast(builder.gep(into, [place]), pointer), align=4)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp), generate
