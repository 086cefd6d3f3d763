"""The transforms of `winograd`, compiled.

A transform along one dimension is a handful of sums of a few vector registers. `transform` writes
them out for the compiler with the coefficients as constants: as loops over arrays they would need
checks that nothing overlaps, which take longer than the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.compiled import compiled
from autograd.kernels.winograd import LANES, TILE, Lines, filters

FLAGS = ("reassoc", "contract", "nsz")
MATRICES = {
    (size, name): matrix
    for size in (3, 5)
    for name, matrix in (
        ("spread", filters(size).inputs),
        ("collect", filters(size).results),
        ("spread_gradient", filters(size).results.T),
    )
}


@intrinsic  # type: ignore[untyped-decorator]
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


@compiled
def lay_out(x: Any, channel: int, above: int, left: int, rows: int, width: int, out: Any) -> None:
    """Put the images of one channel side by side: row, column modulo 4, (tile, image)."""
    images, _, height, columns = x.shape
    pitch = out.shape[0] // (rows * TILE)
    for row in range(rows):
        y = row - above
        if y < 0 or y >= height:
            continue  # stays zero: padding is the same for every channel
        for image in range(images):
            line = x[image, channel, y]
            for column in range(columns):
                place = column + left
                tile = place >> 2
                if tile < width:
                    out[(row * TILE + (place & 3)) * pitch + tile * images + image] = line[column]


def make_spread(size: int) -> Callable[..., None]:
    n = size + TILE - 1

    @compiled
    def spread(
        x: Any, out: Any, above: int, left: int, row: int, columns: int, length: int
    ) -> None:
        images, channels = x.shape[:2]
        places = out.shape[2]
        depth = places // length
        pitch = length + images + LANES
        rows = TILE * depth + n - TILE
        lines = np.zeros(rows * TILE * pitch, x.dtype)
        partly = np.empty(n * TILE * pitch, x.dtype)
        flat = out.reshape(-1)
        for channel in range(channels):
            lay_out(x, channel, above - TILE * row, left, rows, columns + 1, lines)
            for line in range(depth):
                for phase in range(TILE):
                    start = (line * TILE * TILE + phase) * pitch
                    for q in range(0, length + images, LANES):
                        transform(
                            size,
                            "spread",
                            lines,
                            start + q,
                            TILE * pitch,
                            TILE * TILE * pitch,
                            partly,
                            phase * pitch + q,
                            TILE * pitch,
                        )
                for k in range(n):
                    place = (k * n * channels + channel) * places + line * length
                    for q in range(0, length, LANES):
                        transform(
                            size,
                            "spread",
                            partly,
                            k * TILE * pitch + q,
                            pitch,
                            images,
                            flat,
                            place + q,
                            channels * places,
                        )

    return spread


def make_spread_gradient(size: int) -> Callable[..., None]:
    n = size + TILE - 1

    @compiled
    def spread_gradient(g: Any, out: Any, row: int, columns: int, length: int) -> None:
        channels, places = g.shape[1], out.shape[2]
        depth = places // length
        rows = TILE * depth
        lines = np.zeros(rows * TILE * length, g.dtype)
        partly = np.empty(n * TILE * length, g.dtype)
        flat = out.reshape(-1)
        for channel in range(channels):
            lay_out(g, channel, -TILE * row, 0, rows, columns, lines)
            for line in range(depth):
                for phase in range(TILE):
                    start = (line * TILE * TILE + phase) * length
                    for q in range(0, length, LANES):
                        transform(
                            size,
                            "spread_gradient",
                            lines,
                            start + q,
                            TILE * length,
                            0,
                            partly,
                            phase * length + q,
                            TILE * length,
                        )
                for k in range(n):
                    place = (k * n * channels + channel) * places + line * length
                    for q in range(0, length, LANES):
                        transform(
                            size,
                            "spread_gradient",
                            partly,
                            k * TILE * length + q,
                            length,
                            0,
                            flat,
                            place + q,
                            channels * places,
                        )

    return spread_gradient


def make_collect(size: int) -> Callable[..., None]:
    n = size + TILE - 1

    @compiled
    def collect(tiles: Any, out: Any, bias: Any, row: int, rows: int, length: int) -> None:
        images, channels, height, width = out.shape
        places = tiles.shape[2]
        partly = np.empty(n * TILE * length, tiles.dtype)
        whole = np.empty(TILE * TILE * length, tiles.dtype)
        flat = tiles.reshape(-1)
        apart = channels * places
        for channel in range(channels):
            offset = bias[channel]
            for line in range(rows):
                for k in range(n):
                    start = (k * n * channels + channel) * places + line * length
                    for q in range(0, length, LANES):
                        transform(
                            size,
                            "collect",
                            flat,
                            start + q,
                            apart,
                            TILE * apart,
                            partly,
                            k * TILE * length + q,
                            length,
                        )
                for phase in range(TILE):
                    for q in range(0, length, LANES):
                        transform(
                            size,
                            "collect",
                            partly,
                            phase * length + q,
                            TILE * length,
                            TILE * TILE * length,
                            whole,
                            phase * length + q,
                            TILE * length,
                        )
                for inner in range(TILE):
                    y = TILE * (row + line) + inner
                    if y >= height:
                        break
                    for image in range(images):
                        results = out[image, channel, y]
                        for x in range(width):
                            place = (inner * TILE + (x & 3)) * length + (x >> 2) * images + image
                            results[x] = whole[place] + offset

    return collect


SPREAD = {size: make_spread(size) for size in (3, 5)}
SPREAD_GRADIENT = {size: make_spread_gradient(size) for size in (3, 5)}
COLLECT = {size: make_collect(size) for size in (3, 5)}


def spread(x: Any, out: Any, size: int, before: tuple[int, int], row: int, lines: Lines) -> None:
    SPREAD[size](x, out, *before, row, lines.columns, lines.length)


def spread_gradient(g: Any, out: Any, size: int, row: int, lines: Lines) -> None:
    SPREAD_GRADIENT[size](g, out, row, lines.columns, lines.length)


def collect(tiles: Any, out: Any, bias: Any, size: int, row: int, lines: Lines) -> None:
    COLLECT[size](tiles, out, bias, row, min(lines.depth, lines.rows - row), lines.length)
