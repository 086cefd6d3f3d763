"""Convolution with kernels of 3x3 and 5x5 by minimal filtering, with a fraction of the products.

A tile of 4x4 results needs n x n inputs, n = kernel + 3. Tiles, and the kernel, are taken to n x n
values each by small fixed matrices; there the convolution is a product for each of these values,
summed over the channels: n * n matrix products. For a kernel of 3x3 that is a quarter of the
multiplications, for 5x5 less than a sixth. The price is rounding: errors are some 1e-6 of the
largest result in float32, so float64 is not treated this way.

Source: Winograd, "Arithmetic complexity of computations" (1980), chapter 5; for convolution
networks Lavin and Gray, "Fast algorithms for convolutional neural networks" (2016).

Shapes in comments: N images, C and O channels of input and output, F = n * n, and P places: lines
of tiles, each line the tiles of a row with the images of a block side by side, so that the same
arithmetic is done on many neighbours at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.threads import share
from autograd.kernels.windows import Windows
from autograd.kernels.winograd_tiles import LANES, POINTS, TILE, Lines, Tiles

IMAGES = 16
"""Images side by side in a line, where there are as many."""
BLOCK = 1 << 20
"""Bytes of transformed values that are worked on at a time."""
UPRIGHT = 128
"""Input channels up to which turning tiles takes less time than it saves, used once."""
KERNELS = 16
"""Output channels whose kernels are worked on at a time where there are few tiles."""


def cut(images: int, channels: int, size: int, out: tuple[int, ...]) -> Lines:
    """Blocks whose transformed values, of so many channels, stay in the cache."""
    rows, columns = (-(-n // TILE) for n in out)
    beside = max(1, min(IMAGES, images))
    tile_bytes = 4 * channels * (size + TILE - 1) ** 2
    depth = max(1, min(rows, BLOCK // (tile_bytes * beside * columns)))
    if depth == rows:
        beside = max(beside, min(images, BLOCK // (tile_bytes * rows * columns)))
    length = -(-columns * beside // LANES) * LANES
    return Lines(rows, columns, beside, depth, length)


def applies(
    x: Any, pairs: tuple[int, ...], dtype: Any, windows: Windows, groups: int, passes: float
) -> bool:
    """Whether minimal filtering can do a convolution, and is the faster way.

    Args:
        x: the input.
        pairs: begins with the channels of output and input, or the other way round.
        dtype: of the other operand.
        windows: of the convolution.
        groups: of the convolution.
        passes: what the transforms cost for each value, in multiplications.
    """
    if x.dtype != np.float32 or dtype != x.dtype or groups != 1 or len(windows.kernel) != 2:
        return False
    size = windows.kernel[0]
    if (
        size not in POINTS
        or windows.kernel != (size, size)
        or windows.stride != (1, 1)
        or windows.dilation != (1, 1)
        or min(windows.before) < 0
    ):
        return False
    outputs, inputs = pairs[:2]
    if min(inputs, outputs) < 8 or len(x) == 0:
        return False
    places = places_in(whole(len(x), windows.out))
    values = (size + TILE - 1) ** 2
    products = inputs * outputs
    # the products, the passes over tiles, and those over kernels, which are far apart in memory
    # unless they are done in blocks
    of_kernels = 50 if has_few(places, inputs, outputs) else 120
    spent = places * (products + passes * (inputs + outputs)) + of_kernels * products
    spent *= values
    return bool(spent < len(x) * windows.out[0] * windows.out[1] * size * size * products)


def whole(images: int, out: tuple[int, ...]) -> Lines:
    """All tiles in one block."""
    rows, columns = (-(-n // TILE) for n in out)
    return Lines(rows, columns, images, rows, -(-columns * images // LANES) * LANES)


def places_in(lines: Lines) -> int:
    return lines.depth * lines.length


def has_few(places: int, inputs: int, outputs: int) -> bool:
    """Whether transformed tiles take less memory than transformed kernels."""
    return places < min(inputs, outputs)


def conv(x: Any, weight: Any, bias: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (O, C, r, r), (O,) -> (N, O, out...)"""
    lines = whole(len(x), windows.out)
    if has_few(places_in(lines), *weight.shape[:2]):
        return correlate_few(x, weight, False, bias, windows, tiles, lines)
    return correlate(x, kernel_values(weight, tiles, False), bias, weight.shape[2], windows, tiles)


def conv_input_grad(g: Any, weight: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, O, out...), (O, C, r, r) -> (N, C, H, W): correlated with the kernels turned around."""
    bias = np.zeros(weight.shape[1], g.dtype)
    windows = windows.turned()
    lines = whole(len(g), windows.out)
    if has_few(places_in(lines), *weight.shape[:2]):
        return correlate_few(g, weight, True, bias, windows, tiles, lines)
    values = kernel_values(weight, tiles, True).swapaxes(1, 2)  # (F, O, C) -> (F, C, O)
    return correlate(g, values, bias, weight.shape[2], windows, tiles)


def kernel_values(weight: Any, tiles: Tiles, turned: bool) -> Any:
    """(O, C, r, r) -> (F, O, C)"""
    rows, columns, size, _ = weight.shape
    flat = np.ascontiguousarray(weight).reshape(-1, size * size)  # (O, C, r, r) -> (O*C, r*r)
    values = np.empty(((size + TILE - 1) ** 2, rows * columns), weight.dtype)

    def transform(part: slice) -> None:
        tiles.kernels(flat[part], values, size, part.start, turned)

    share(transform, rows * columns, values.size * size)
    return values.reshape(-1, rows, columns)


def correlate(x: Any, kernels: Any, bias: Any, size: int, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (F, O, C), (O,) -> (N, O, out...)"""
    values, outputs, inputs = kernels.shape
    out = np.empty((len(x), outputs, *windows.out), x.dtype)
    before = (windows.before[0], windows.before[1])
    lines = cut(len(x), inputs + outputs, size, windows.out)
    blocks = [
        (slice(first, first + lines.images), row)
        for first in range(0, len(x), lines.images)
        for row in range(0, lines.rows, lines.depth)
    ]
    waiting = iter(blocks)  # each thread takes the next one, so that none waits for a slower one

    def convolve(_: slice) -> None:
        places = lines.depth * lines.length
        spread = np.empty((values, inputs, places), x.dtype)
        product = np.empty((values, outputs, places), x.dtype)
        for images, row in waiting:
            tiles.spread(x[images], spread, size, before, row, lines, slice(0, inputs))
            np.matmul(kernels, spread, out=product)  # (F, O, C) @ (F, C, P)
            tiles.collect(product, out[images], bias, size, row, lines, 0)

    share(convolve, len(blocks), out.size * inputs * 9)
    return out


def correlate_few(
    x: Any, weight: Any, turned: bool, bias: Any, windows: Windows, tiles: Tiles, lines: Lines
) -> Any:
    """As `correlate`, with the kernels themselves: some are transformed, used and forgotten.

    With many channels and few tiles all transformed kernels together would not fit into any cache.
    """
    size = weight.shape[2]
    inputs, outputs = x.shape[1], weight.shape[1 if turned else 0]
    values = (size + TILE - 1) ** 2
    before = (windows.before[0], windows.before[1])
    spread = np.empty((values, inputs, places_in(lines)), x.dtype)
    out = np.empty((len(x), outputs, *windows.out), x.dtype)

    def spread_some(part: slice) -> None:
        tiles.spread(x, spread, size, before, 0, lines, part)

    def convolve(part: slice) -> None:
        for first in range(part.start, part.stop, KERNELS):
            chosen = slice(first, min(part.stop, first + KERNELS))
            kernels = weight[:, chosen] if turned else weight[chosen]
            # (O, n, r, r) or (n, C, r, r) -> (F, O, n) or (F, n, C)
            some = np.empty((values, kernels.shape[0] * kernels.shape[1]), x.dtype)
            flat = np.ascontiguousarray(kernels).reshape(-1, size * size)
            tiles.kernels(flat, some, size, 0, turned)
            some = some.reshape(values, *kernels.shape[:2])
            if turned:
                some = some.swapaxes(1, 2)  # (F, O, n) -> (F, n, O)
            product = np.matmul(some, spread)  # (F, n, C) @ (F, C, P)
            tiles.collect(product, out, bias, size, 0, lines, first)

    share(spread_some, inputs, spread.size * values)
    share(convolve, outputs, spread.size * outputs)
    return out


def weight_grad(x: Any, g: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (N, O, out...) -> (O, C, r, r)"""
    inputs, outputs, size = x.shape[1], g.shape[1], windows.kernel[0]
    before = (windows.before[0], windows.before[1])
    values = (size + TILE - 1) ** 2
    lines = whole(len(x), g.shape[2:])
    if has_few(places_in(lines), inputs, outputs):
        return weight_grad_few(x, g, size, before, tiles, lines)
    lines = cut(-(-len(x) // 2), inputs + outputs, size, g.shape[2:])

    def add_up(part: slice) -> Any:
        source, incoming = x[part], g[part]
        places = lines.depth * lines.length
        spread = np.empty((values, inputs, places), x.dtype)
        gradients = np.empty((values, outputs, places), x.dtype)
        total = np.zeros((values, outputs, inputs), x.dtype)
        product = np.empty_like(total)
        room = np.empty(spread.size, x.dtype)
        for first in range(0, len(source), lines.images):
            images, results = source[first:][: lines.images], incoming[first:][: lines.images]
            for row in range(0, lines.rows, lines.depth):
                tiles.spread(images, spread, size, before, row, lines, slice(0, inputs))
                tiles.spread_gradient(results, gradients, size, row, lines, slice(0, outputs))
                # (F, C, P) -> (F, P, C)
                upright = (
                    tiles.upright(spread, room) if inputs <= UPRIGHT else spread.swapaxes(1, 2)
                )
                np.matmul(gradients, upright, out=product)  # (F, O, P) @ (F, P, C)
                total += product
        return total

    total, *others = share(add_up, len(x), g.size * inputs * 9)
    for other in others:
        total += other
    grad = np.empty((outputs * inputs, size * size), x.dtype)

    def finish(part: slice) -> None:
        # (F, O, C) -> (F, n*C) -> (n*C, r*r)
        some = np.ascontiguousarray(total[:, part]).reshape(values, -1)
        tiles.kernels_gradient(some, grad[part.start * inputs : part.stop * inputs], size)

    share(finish, outputs, total.size * size)
    return grad.reshape(outputs, inputs, size, size)  # (O*C, r*r) -> (O, C, r, r)


def weight_grad_few(
    x: Any, g: Any, size: int, before: tuple[int, int], tiles: Tiles, lines: Lines
) -> Any:
    """As `weight_grad`, some kernels at a time: see `correlate_few`."""
    inputs, outputs = x.shape[1], g.shape[1]
    values, places = (size + TILE - 1) ** 2, places_in(lines)
    spread = np.empty((values, inputs, places), x.dtype)
    gradients = np.empty((values, outputs, places), x.dtype)
    room = np.empty_like(spread)
    grad = np.empty((outputs * inputs, size * size), x.dtype)

    def spread_some(part: slice) -> None:
        tiles.spread(x, spread, size, before, 0, lines, part)

    def spread_gradients(part: slice) -> None:
        tiles.spread_gradient(g, gradients, size, 0, lines, part)

    def turn(part: slice) -> Any:
        return tiles.upright(spread[part], room[part].reshape(-1))

    def add_up(part: slice) -> None:
        for first in range(part.start, part.stop, KERNELS):
            last = min(part.stop, first + KERNELS)
            total = np.empty((values, last - first, inputs), x.dtype)
            for chosen, upright in turned:
                np.matmul(gradients[chosen, first:last], upright, out=total[chosen])
            # (F, n, C) -> (F, n*C) -> (n*C, r*r)
            some = total.reshape(values, -1)
            tiles.kernels_gradient(some, grad[first * inputs : last * inputs], size)

    share(spread_some, inputs, spread.size * values)
    share(spread_gradients, outputs, gradients.size * values)
    parts = share(turn, values, spread.size * values)
    ends = np.cumsum([len(part) for part in parts])
    turned = [(slice(end - len(part), end), part) for end, part in zip(ends, parts, strict=True)]
    share(add_up, outputs, spread.size * outputs)
    return grad.reshape(outputs, inputs, size, size)  # (O*C, r*r) -> (O, C, r, r)
