"""The transforms of `winograd`, each a copy and a matrix product."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.kernels.winograd_tiles import TILE, Lines, filters


@cache
def both_ways(size: int, name: str, dtype: Any) -> Any:
    """A matrix of `filters` for rows and columns at once."""
    matrices = filters(size)
    matrix = {
        "spread": matrices.inputs,
        "collect": matrices.results,
        "spread_gradient": matrices.results.T,
    }[name]
    return np.kron(matrix, matrix).astype(dtype)


def spread(
    x: Any, out: Any, size: int, before: tuple[int, int], row: int, lines: Lines, part: slice
) -> None:
    view = windows(x[:, part], size + TILE - 1, before, row, lines)
    apply(both_ways(size, "spread", x.dtype), view, out[:, part], lines)


def spread_gradient(g: Any, out: Any, size: int, row: int, lines: Lines, part: slice) -> None:
    view = windows(g[:, part], TILE, (0, 0), row, lines)
    apply(both_ways(size, "spread_gradient", g.dtype), view, out[:, part], lines)


def windows(x: Any, n: int, before: tuple[int, int], row: int, lines: Lines) -> Any:
    """(images, C, H, W) -> windows of n x n, (n, n, C, rows of tiles, columns of tiles, images)"""
    images, channels, height, width = x.shape
    above, left = before
    top = TILE * row - above
    rows, columns = TILE * lines.depth + n - TILE, TILE * lines.columns + n - TILE
    first, last = max(0, top), min(height, top + rows)
    padded = np.zeros((channels, rows, columns, images), x.dtype)
    inside = padded[:, first - top : last - top, left : left + width]
    # (images, C, H, W) -> (C, H, W, images)
    inside[...] = x[:, :, first:last, : inside.shape[2]].transpose(1, 2, 3, 0)
    channel, down, right, image = padded.strides
    return as_strided(
        padded,
        (n, n, channels, lines.depth, lines.columns, images),
        (down, right, channel, TILE * down, TILE * right, image),
        writeable=False,
    )


def apply(matrix: Any, view: Any, out: Any, lines: Lines) -> None:
    """Copy windows in order, and take them to (values, C, places); lines are filled with zeros."""
    n, _, channels, depth, columns, images = view.shape
    used = columns * images
    straight = np.zeros((n * n, channels, depth, lines.length), view.dtype)
    target = straight[..., :used].reshape(n, n, channels, depth, columns, images)
    target[...] = view
    flat = straight.reshape(n * n, -1)  # (n*n, C, depth, length) -> (n*n, C*P)
    if out.flags.c_contiguous:
        np.matmul(matrix, flat, out=out.reshape(len(out), -1))  # (F, C, P) -> (F, C*P)
    else:
        out[...] = np.matmul(matrix, flat).reshape(out.shape)  # (F, C*P) -> (F, C, P)


def collect(tiles: Any, out: Any, bias: Any, size: int, row: int, lines: Lines, first: int) -> None:
    channels = tiles.shape[1]
    bias, out = bias[first : first + channels], out[:, first : first + channels]
    images, _, height, width = out.shape
    matrix = both_ways(size, "collect", tiles.dtype)
    # (F, O, P) -> (F, O*P) -> (4*4, O*P)
    whole = np.matmul(matrix, tiles.reshape(len(tiles), -1))
    whole = whole.reshape(TILE, TILE, channels, lines.depth, lines.length)
    whole = whole[..., : lines.columns * images]
    whole += bias[:, None, None]
    whole = whole.reshape(TILE, TILE, channels, lines.depth, lines.columns, images)
    side_by_side = np.empty((channels, lines.depth, TILE, lines.columns, TILE, images), tiles.dtype)
    # (4, 4, O, rows of tiles, columns of tiles, images) -> (O, rows, 4, columns, 4, images)
    side_by_side[...] = whole.transpose(2, 3, 0, 4, 1, 5)
    side_by_side = side_by_side.reshape(channels, lines.depth * TILE, lines.columns * TILE, images)
    top = TILE * row
    rows = min(height - top, lines.depth * TILE)
    # (O, H, W, images) -> (images, O, H, W)
    out[:, :, top : top + rows] = side_by_side[:, :rows, :width].transpose(3, 0, 1, 2)


@cache
def kernel_matrix(size: int, turned: bool = False) -> Any:
    """(F, r*r): the transform of kernels for rows and columns at once."""
    kernels = filters(size).kernels
    if turned:
        kernels = kernels[:, ::-1]
    return np.kron(kernels, kernels).astype(np.float32)


def kernels(weights: Any, out: Any, size: int, first: int, turned: bool) -> None:
    np.matmul(kernel_matrix(size, turned), weights.T, out=out[:, first : first + len(weights)])


def kernels_gradient(values: Any, out: Any, size: int) -> None:
    np.matmul(values.T, kernel_matrix(size), out=out)


def upright(tiles: Any, room: Any) -> Any:
    return tiles.swapaxes(1, 2)
