"""The transforms of `winograd`, compiled: see `numba_transform` for what happens in registers.

The parts of one plane are laid side by side first, those of several images next to each other, so
that the same arithmetic is done on neighbours.
"""

from __future__ import annotations

from typing import Any

from autograd.kernels.compiled import inlined, inner
from autograd.kernels.numba_room import empty, release, zeros
from autograd.kernels.numba_transform import join_columns, part_columns, transform
from autograd.kernels.numba_vectors import LANES, move
from autograd.kernels.winograd_tiles import TILE

__all__ = ["collect", "spread", "spread_gradient"]


@inlined
def fits(y: int, height: int, width: int) -> Any:
    """Whether reading a row by whole vectors ends before the plane does."""
    return y * width + (width + LANES - 1) // LANES * LANES <= height * width


@inlined
def lay_out(
    x: Any,
    shape: tuple[int, int, int],
    begin: int,
    images: int,
    channel: int,
    above: int,
    left: int,
    rows: int,
    width: int,
    out: Any,
) -> None:
    """Put the images of one channel side by side: row, column modulo 4, (tile, image).

    Some images at a time are transposed in registers, except where that would read beyond the
    last row. The end of `out` takes what belongs nowhere.
    """
    channels, height, columns = shape
    dump = out.size - LANES
    pitch = dump // (rows * TILE)
    plane = height * columns
    base = (begin * channels + channel) * plane
    wide = min(columns, TILE * width - left)
    for row in range(max(0, above), min(rows, height + above)):  # the rest is padding, and zero
        y = row - above
        full = images // LANES * LANES if fits(y, height, columns) else 0
        for image in range(0, full, LANES):
            start = base + image * channels * plane + y * columns
            for column in range(0, wide, LANES):
                part_columns(
                    x, start + column, channels * plane, out,
                    row * TILE * pitch + image, column + left, wide - column, pitch, images, dump,
                )  # fmt: skip
        for image in range(full, images):
            start = base + image * channels * plane + y * columns
            for column in range(wide):
                place = column + left
                target = (row * TILE + (place & 3)) * pitch + (place >> 2) * images + image
                out[target] = x[start + column]


@inlined
def lay_back(
    whole: Any,
    line: int,
    length: int,
    out: Any,
    shape: tuple[int, int, int],
    begin: int,
    images: int,
    channel: int,
    y: int,
    last: int,
    room: Any,
) -> None:
    """The reverse, for a row of results; `whole` has (row modulo 4, column modulo 4, lines).

    Whole vectors may write beyond the end of row y, into rows that are computed after it: those up
    to `last`. Other threads may be at work on the rows from there on, so the last ones go by way
    of some room.
    """
    channels, height, width = shape
    full = images // LANES * LANES
    apart = channels * height * width
    first = ((begin * channels + channel) * height + y) * width
    for image in range(0, full, LANES):
        for column in range(0, width, LANES):
            start = first + image * apart + column
            base = line * TILE * length + image
            if y * width + column + LANES <= last * width:
                join_columns(whole, base, column, width - 1, length, images, out, start, apart)
                continue
            join_columns(whole, base, column, width - 1, length, images, room, 0, LANES)
            for k in range(min(LANES, images - image)):
                move(room, k * LANES, out, start + k * apart, width - column)
    for image in range(full, images):
        start = first + image * apart
        for x in range(width):
            place = (line * TILE + (x & 3)) * length + (x >> 2) * images + image
            out[start + x] = whole[place]


@inner
def spread(
    x: Any,
    shape: tuple[int, int, int],
    begin: int,
    images: int,
    out: Any,
    size: int,
    above: int,
    left: int,
    row: int,
    columns: int,
    length: int,
    depth: int,
    width: int,
    apart: int,
) -> None:
    """Some images (N, C, H, W) -> tiles (F, P / width, C, width), values of F `apart`.

    Not for literal numbers, for which Numba would compile it once more.
    """
    channels, n = shape[0], size + TILE - 1
    pitch = length + images + LANES
    rows = TILE * depth + n - TILE
    lines = zeros(x, rows * TILE * pitch + LANES)
    partly = empty(x, n * TILE * pitch)
    for channel in range(channels):
        above_row = above - TILE * row
        lay_out(x, shape, begin, images, channel, above_row, left, rows, columns + 1, lines)
        for line in range(depth):
            for phase in range(TILE):
                start = (line * TILE * TILE + phase) * pitch
                transform(
                    "spread", size, lines, start, TILE * pitch, TILE * TILE * pitch,
                    partly, phase * pitch, TILE * pitch, length + images, pitch, 0,
                )  # fmt: skip
            for k in range(n):
                panel, offset = line * length // width, line * length % width
                place = (panel * channels + channel) * width + offset
                transform(
                    "spread", size, partly, k * TILE * pitch, pitch, images,
                    out, k * n * apart + place, apart,
                    length, width - offset, (channels - 1) * width,
                )  # fmt: skip
    release(lines)
    release(partly)


@inlined
def spread_gradient(
    g: Any,
    shape: tuple[int, int, int],
    begin: int,
    images: int,
    out: Any,
    size: int,
    row: int,
    columns: int,
    length: int,
    depth: int,
    apart: int,
    first: int,
    last: int,
) -> None:
    """Some images (N, O, H, W) -> tiles (F, last - first, P), for some channels."""
    places, n = depth * length, size + TILE - 1
    rows = TILE * depth
    lines = zeros(g, rows * TILE * length + LANES)
    partly = empty(g, n * TILE * length)
    for channel in range(first, last):
        lay_out(g, shape, begin, images, channel, -TILE * row, 0, rows, columns, lines)
        for line in range(depth):
            for phase in range(TILE):
                start = (line * TILE * TILE + phase) * length
                transform(
                    "spread_gradient", size, lines, start, TILE * length, 0,
                    partly, phase * length, TILE * length, length, length, 0,
                )  # fmt: skip
            for k in range(n):
                place = k * n * apart + (channel - first) * places + line * length
                transform(
                    "spread_gradient", size, partly, k * TILE * length, length, 0,
                    out, place, apart, length, length, 0,
                )  # fmt: skip
    release(lines)
    release(partly)


@inlined
def collect(
    tiles: Any,
    out: Any,
    shape: tuple[int, int, int],
    begin: int,
    images: int,
    bias: Any,
    size: int,
    row: int,
    rows: int,
    length: int,
    places: int,
    apart: int,
) -> None:
    """Tiles (F, O, P) -> results (N, O, H, W) of some images."""
    channels, height, _ = shape
    n = size + TILE - 1
    partly = empty(tiles, n * TILE * length)
    whole = empty(tiles, TILE * TILE * length)
    room = empty(out, LANES * LANES)
    last = min(height, TILE * (row + rows))
    for channel in range(channels):
        offset = bias[channel]
        for line in range(rows):
            for k in range(n):
                start = k * n * apart + channel * places + line * length
                transform(
                    "collect", size, tiles, start, apart, TILE * apart,
                    partly, k * TILE * length, length, length, length, 0,
                )  # fmt: skip
            for phase in range(TILE):
                transform(
                    "collect", size, partly, phase * length, TILE * length, TILE * TILE * length,
                    whole, phase * length, TILE * length, length, length, 0,
                )  # fmt: skip
            for k in range(whole.size):
                whole[k] += offset
            for y in range(TILE * (row + line), min(TILE * (row + line + 1), last)):
                lay_back(whole, y % TILE, length, out, shape, begin, images, channel, y, last, room)
    release(partly)
    release(whole)
    release(room)
