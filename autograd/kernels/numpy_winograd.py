"""The transforms of `winograd`, each a copy and a matrix product."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.kernels import winograd
from autograd.kernels.threads import share
from autograd.kernels.windows import Windows
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


def correlate(x: Any, weight: Any, turned: bool, bias: Any, windows: Windows, few: bool) -> Any:
    if few:
        return correlate_few(x, weight, turned, bias, windows)
    size = weight.shape[2]
    lines = winograd.cut(len(x), sum(weight.shape[:2]), size, windows.out)
    transformed = np.empty(((size + TILE - 1) ** 2, *weight.shape[:2]), x.dtype)
    # (O, C, r, r) -> (O*C, r*r), and (F, O, C) -> (F, O*C)
    flat = weight.reshape(-1, size * size)
    kernels(flat, transformed.reshape(len(transformed), -1), size, 0, turned)
    if turned:
        transformed = transformed.swapaxes(1, 2)
    values, outputs, inputs = transformed.shape
    out = np.empty((len(x), outputs, *windows.out), x.dtype)
    before = (windows.before[0], windows.before[1])
    blocks = [
        (slice(first, first + lines.images), row)
        for first in range(0, len(x), lines.images)
        for row in range(0, lines.rows, lines.depth)
    ]
    waiting = iter(blocks)  # each thread takes the next one, so that none waits for a slower one

    def convolve(_: slice) -> None:
        places = lines.depth * lines.length
        tiles = np.empty((values, inputs, places), x.dtype)
        product = np.empty((values, outputs, places), x.dtype)
        for images, row in waiting:
            spread(x[images], tiles, size, before, row, lines, slice(0, inputs))
            np.matmul(transformed, tiles, out=product)  # (F, O, C) @ (F, C, P)
            collect(product, out[images], bias, size, row, lines, 0)

    share(convolve, len(blocks), out.size * inputs * 9)
    return out


def some_of(part: slice, channels: int) -> Iterator[slice]:
    """Which channels are worked on at a time, of a part that is counted in `winograd.KERNELS`."""
    step = winograd.KERNELS
    for first in range(part.start * step, min(channels, part.stop * step), step):
        yield slice(first, min(channels, first + step))


def correlate_few(x: Any, weight: Any, turned: bool, bias: Any, windows: Windows) -> Any:
    """As `correlate`, with the kernels themselves: some are transformed, used and forgotten.

    With many channels and few tiles all transformed kernels together would not fit into any cache.
    """
    size = weight.shape[2]
    lines = winograd.whole(len(x), windows.out)
    inputs, outputs = x.shape[1], weight.shape[1 if turned else 0]
    values = (size + TILE - 1) ** 2
    before = (windows.before[0], windows.before[1])
    tiles = np.empty((values, inputs, winograd.places_in(lines)), x.dtype)
    out = np.empty((len(x), outputs, *windows.out), x.dtype)

    def spread_some(part: slice) -> None:
        for channels in some_of(part, inputs):
            spread(x, tiles, size, before, 0, lines, channels)

    def convolve(part: slice) -> None:
        for chosen in some_of(part, outputs):
            used = weight[:, chosen] if turned else weight[chosen]
            # (O, n, r, r) or (n, C, r, r) -> (F, O, n) or (F, n, C)
            some = np.empty((values, used.shape[0] * used.shape[1]), x.dtype)
            flat = np.ascontiguousarray(used).reshape(-1, size * size)
            kernels(flat, some, size, 0, turned)
            some = some.reshape(values, *used.shape[:2])
            if turned:
                some = some.swapaxes(1, 2)  # (F, O, n) -> (F, n, O)
            product = np.matmul(some, tiles)  # (F, n, C) @ (F, C, P)
            collect(product, out, bias, size, 0, lines, chosen.start)

    share(spread_some, -(-inputs // winograd.KERNELS), tiles.size * values)
    share(convolve, -(-outputs // winograd.KERNELS), tiles.size * outputs)
    return out


def weight_grad(x: Any, g: Any, size: int, before: tuple[int, int], few: bool) -> Any:
    if few:
        return weight_grad_few(x, g, size, before)
    inputs, outputs = x.shape[1], g.shape[1]
    lines = winograd.cut(-(-len(x) // 2), inputs + outputs, size, g.shape[2:])
    values = (size + TILE - 1) ** 2

    def add_up(part: slice) -> Any:
        source, incoming = x[part], g[part]
        places = lines.depth * lines.length
        tiles = np.empty((values, inputs, places), x.dtype)
        gradients = np.empty((values, outputs, places), x.dtype)
        total = np.zeros((values, outputs, inputs), x.dtype)
        product = np.empty_like(total)
        for first in range(0, len(source), lines.images):
            images, results = source[first:][: lines.images], incoming[first:][: lines.images]
            for row in range(0, lines.rows, lines.depth):
                spread(images, tiles, size, before, row, lines, slice(0, inputs))
                spread_gradient(results, gradients, size, row, lines, slice(0, outputs))
                # (F, O, P) @ (F, P, C)
                np.matmul(gradients, tiles.swapaxes(1, 2), out=product)
                total += product
        return total

    total, *others = share(add_up, len(x), g.size * inputs * 9)
    for other in others:
        total += other
    grad = np.empty((outputs * inputs, size * size), x.dtype)
    kernels_gradient(total.reshape(values, -1), grad, size)  # (F, O, C) -> (F, O*C)
    return grad.reshape(outputs, inputs, size, size)  # (O*C, r*r) -> (O, C, r, r)


def weight_grad_few(x: Any, g: Any, size: int, before: tuple[int, int]) -> Any:
    """As `weight_grad`, some kernels at a time: see `correlate_few`."""
    inputs, outputs = x.shape[1], g.shape[1]
    lines = winograd.whole(len(x), g.shape[2:])
    values, places = (size + TILE - 1) ** 2, winograd.places_in(lines)
    tiles = np.empty((values, inputs, places), x.dtype)
    gradients = np.empty((values, outputs, places), x.dtype)
    grad = np.empty((outputs * inputs, size * size), x.dtype)

    def spread_some(part: slice) -> None:
        for channels in some_of(part, inputs):
            spread(x, tiles, size, before, 0, lines, channels)

    def spread_gradients(part: slice) -> None:
        for channels in some_of(part, outputs):
            spread_gradient(g, gradients, size, 0, lines, channels)

    def add_up(part: slice) -> None:
        for chosen in some_of(part, outputs):
            # (F, n, P) @ (F, P, C)
            total = np.matmul(gradients[:, chosen], tiles.swapaxes(1, 2))
            # (F, n, C) -> (F, n*C) -> (n*C, r*r)
            some = grad[chosen.start * inputs : chosen.stop * inputs]
            kernels_gradient(total.reshape(values, -1), some, size)

    share(spread_some, -(-inputs // winograd.KERNELS), tiles.size * values)
    share(spread_gradients, -(-outputs // winograd.KERNELS), gradients.size * values)
    share(add_up, -(-outputs // winograd.KERNELS), tiles.size * outputs)
    return grad.reshape(outputs, inputs, size, size)  # (O*C, r*r) -> (O, C, r, r)
