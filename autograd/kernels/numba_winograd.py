"""The transforms of `winograd`, compiled: see `numba_transform` for what happens in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.compiled import compiled
from autograd.kernels.numba_transform import move, transform, transpose
from autograd.kernels.winograd_tiles import LANES, TILE, Lines


@compiled
def fits(y: int, height: int, width: int) -> Any:
    """Whether reading a row by whole vectors ends before the plane does."""
    return y * width + (width + LANES - 1) // LANES * LANES <= height * width


@compiled
def lay_out(
    x: Any, channel: int, above: int, left: int, rows: int, width: int, out: Any, square: Any
) -> None:
    """Put the images of one channel side by side: row, column modulo 4, (tile, image).

    Sixteen images at a time are transposed in registers, except where that would read beyond the
    last row.
    """
    images, channels, height, columns = x.shape
    pitch = out.shape[0] // (rows * TILE)
    flat = x.reshape(-1)
    for row in range(rows):
        y = row - above
        if y < 0 or y >= height:
            continue  # stays zero: padding is the same for every channel
        full = images // LANES * LANES if fits(y, height, columns) else 0
        for image in range(0, full, LANES):
            for column in range(0, columns, LANES):
                start = ((image * channels + channel) * height + y) * columns + column
                transpose(flat, start, channels * height * columns, square, 0, LANES)
                for k in range(min(LANES, columns - column)):
                    place = column + k + left
                    tile = place >> 2
                    if tile < width:
                        target = (row * TILE + (place & 3)) * pitch + tile * images + image
                        move(square, k * LANES, out, target)
        for image in range(full, images):
            line = x[image, channel, y]
            for column in range(columns):
                place = column + left
                tile = place >> 2
                if tile < width:
                    out[(row * TILE + (place & 3)) * pitch + tile * images + image] = line[column]


@compiled
def lay_back(
    whole: Any,
    inner: int,
    length: int,
    out: Any,
    channel: int,
    y: int,
    last: int,
    offset: Any,
    square: Any,
) -> None:
    """The reverse, for a row of results; `whole` has (row modulo 4, column modulo 4, lines).

    Whole vectors may write beyond the end of row y, into rows that are computed after it: those up
    to `last`. Other threads may be at work on the rows from there on.
    """
    images, channels, height, width = out.shape
    flat = out.reshape(-1)
    full = images // LANES * LANES
    turned = square[LANES * LANES :]
    for image in range(0, full, LANES):
        for column in range(0, width, LANES):
            for k in range(LANES):
                x = min(column + k, width - 1)
                start = (inner * TILE + (x & 3)) * length + (x >> 2) * images + image
                move(whole, start, square, k * LANES)
            for k in range(LANES * LANES):
                square[k] += offset
            transpose(square, 0, LANES, turned, 0, LANES)
            whole_vectors = y * width + column + LANES <= last * width
            for k in range(LANES):
                start = (((image + k) * channels + channel) * height + y) * width + column
                if whole_vectors:
                    move(turned, k * LANES, flat, start)
                else:
                    for j in range(width - column):
                        flat[start + j] = turned[k * LANES + j]
    for image in range(full, images):
        results = out[image, channel, y]
        for x in range(width):
            place = (inner * TILE + (x & 3)) * length + (x >> 2) * images + image
            results[x] = whole[place] + offset


def make_spread(size: int) -> Callable[..., None]:
    n = size + TILE - 1

    @compiled
    def spread(
        x: Any,
        out: Any,
        above: int,
        left: int,
        row: int,
        columns: int,
        length: int,
        first: int,
        last: int,
    ) -> None:
        images, channels = x.shape[:2]
        places = out.shape[2]
        depth = places // length
        pitch = length + images + LANES
        rows = TILE * depth + n - TILE
        lines = np.zeros(rows * TILE * pitch, x.dtype)
        partly = np.empty(n * TILE * pitch, x.dtype)
        square = np.empty(LANES * LANES, out.dtype)
        flat = out.reshape(-1)
        for channel in range(first, last):
            lay_out(x, channel, above - TILE * row, left, rows, columns + 1, lines, square)
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
    def spread_gradient(
        g: Any, out: Any, row: int, columns: int, length: int, first: int, last: int
    ) -> None:
        channels, places = g.shape[1], out.shape[2]
        depth = places // length
        rows = TILE * depth
        lines = np.zeros(rows * TILE * length, g.dtype)
        partly = np.empty(n * TILE * length, g.dtype)
        square = np.empty(LANES * LANES, out.dtype)
        flat = out.reshape(-1)
        for channel in range(first, last):
            lay_out(g, channel, -TILE * row, 0, rows, columns, lines, square)
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
    def collect(
        tiles: Any, out: Any, bias: Any, row: int, rows: int, length: int, first: int
    ) -> None:
        height = out.shape[2]
        channels, places = tiles.shape[1:]
        partly = np.empty(n * TILE * length, tiles.dtype)
        whole = np.empty(TILE * TILE * length, tiles.dtype)
        square = np.empty(2 * LANES * LANES, out.dtype)
        flat = tiles.reshape(-1)
        apart = channels * places
        last = min(height, TILE * (row + rows))
        for channel in range(channels):
            offset = bias[first + channel]
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
                    lay_back(whole, inner, length, out, first + channel, y, last, offset, square)

    return collect


@compiled
def turn(tiles: Any, out: Any) -> None:
    """(F, C, P) -> (F, P, C), both multiples of `LANES`."""
    values, channels, places = tiles.shape
    source, target = tiles.reshape(-1), out.reshape(-1)
    for value in range(values):
        for channel in range(0, channels, LANES):
            for place in range(0, places, LANES):
                start = (value * channels + channel) * places + place
                into = (value * places + place) * channels + channel
                transpose(source, start, places, target, into, channels)


def make_kernels(size: int) -> Callable[..., None]:
    n, elements = size + TILE - 1, size * size
    groups = (elements + LANES - 1) // LANES

    @compiled
    def kernels(weights: Any, out: Any, first: int, turned: bool) -> None:
        count, pitch = weights.shape[0], out.shape[1]
        source, flat = weights.reshape(-1), out.reshape(-1)
        square = np.empty(groups * LANES * LANES, out.dtype)
        partly = np.empty(n * size * LANES, out.dtype)
        rest = np.empty(n * n * LANES, out.dtype)
        corner, way = (elements - 1, -1) if turned else (0, 1)
        for kernel in range(0, count, LANES):
            start = kernel * elements
            if start + (LANES - 1) * elements + groups * LANES <= source.size:
                for group in range(groups):
                    place = group * LANES
                    transpose(source, start + place, elements, square, place * LANES, LANES)
            else:
                for j in range(min(LANES, count - kernel)):
                    for i in range(elements):
                        square[i * LANES + j] = source[start + j * elements + i]
            step = way * size * LANES
            for x in range(size):
                start = (corner + way * x) * LANES
                place = x * LANES
                transform(
                    size, "kernels", square, start, step, TILE * step, partly, place, size * LANES
                )
            whole = kernel + LANES <= count
            target, place, apart = (flat, first + kernel, pitch) if whole else (rest, 0, LANES)
            for k in range(n):
                start = k * size * LANES
                into = place + k * n * apart
                transform(size, "kernels", partly, start, LANES, TILE * LANES, target, into, apart)
            if not whole:
                for k in range(n * n):
                    for j in range(count - kernel):
                        flat[k * pitch + first + kernel + j] = rest[k * LANES + j]

    return kernels


def make_kernels_gradient(size: int) -> Callable[..., None]:
    n, elements = size + TILE - 1, size * size
    groups = (elements + LANES - 1) // LANES
    name = "kernels_gradient"

    @compiled
    def kernels_gradient(values: Any, out: Any) -> None:
        count = values.shape[1]
        flat, target = values.reshape(-1), out.reshape(-1)
        square = np.empty(groups * LANES * LANES, out.dtype)
        partly = np.empty(n * size * LANES, out.dtype)
        rest = np.empty(n * n * LANES, out.dtype)
        for kernel in range(0, count, LANES):
            source, start, apart = flat, kernel, count
            if kernel + LANES > count:
                for k in range(n * n):
                    for j in range(count - kernel):
                        rest[k * LANES + j] = flat[k * count + kernel + j]
                source, start, apart = rest, 0, LANES
            for k in range(n):
                place = k * size * LANES
                begin = start + k * n * apart
                transform(size, name, source, begin, apart, TILE * apart, partly, place, LANES)
            step = size * LANES
            for x in range(size):
                place = x * LANES
                transform(size, name, partly, place, step, TILE * step, square, place, step)
            start = kernel * elements
            if start + (LANES - 1) * elements + groups * LANES <= target.size:
                # rows overlap: the later ones, and the earlier groups, are the ones to stay
                for group in range(groups - 1, -1, -1):
                    place = group * LANES
                    transpose(square, place * LANES, LANES, target, start + place, elements)
            else:
                for j in range(min(LANES, count - kernel)):
                    for i in range(elements):
                        target[start + j * elements + i] = square[i * LANES + j]

    return kernels_gradient


SPREAD = {size: make_spread(size) for size in (3, 5)}
SPREAD_GRADIENT = {size: make_spread_gradient(size) for size in (3, 5)}
COLLECT = {size: make_collect(size) for size in (3, 5)}
KERNELS = {size: make_kernels(size) for size in (3, 5)}
KERNELS_GRADIENT = {size: make_kernels_gradient(size) for size in (3, 5)}


def spread(
    x: Any, out: Any, size: int, before: tuple[int, int], row: int, lines: Lines, part: slice
) -> None:
    SPREAD[size](x, out, *before, row, lines.columns, lines.length, part.start, part.stop)


def spread_gradient(g: Any, out: Any, size: int, row: int, lines: Lines, part: slice) -> None:
    SPREAD_GRADIENT[size](g, out, row, lines.columns, lines.length, part.start, part.stop)


def collect(tiles: Any, out: Any, bias: Any, size: int, row: int, lines: Lines, first: int) -> None:
    COLLECT[size](tiles, out, bias, row, min(lines.depth, lines.rows - row), lines.length, first)


def upright(tiles: Any, room: Any) -> Any:
    values, channels, places = tiles.shape
    if channels % LANES:
        return tiles.swapaxes(1, 2)
    out = room[: tiles.size].reshape(values, places, channels)
    turn(tiles, out)
    return out


def kernels(weights: Any, out: Any, size: int, first: int, turned: bool) -> None:
    if not weights.flags.writeable:  # or all would be compiled again for this kind of array
        weights = weights.copy()
    KERNELS[size](weights, out, first, turned)


def kernels_gradient(values: Any, out: Any, size: int) -> None:
    KERNELS_GRADIENT[size](values, out)
