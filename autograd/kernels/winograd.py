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

from autograd.kernels.windows import Windows
from autograd.kernels.winograd_tiles import LINE, POINTS, TILE, Lines, Tiles

IMAGES = 16
"""Images side by side in a line, where there are as many."""
BLOCK = 1 << 20
"""Bytes of transformed values that are worked on at a time."""
KERNELS = 16
"""Channels that are worked on at a time where there are few tiles, for any number of threads:
products of another size might round otherwise."""


def cut(images: int, channels: int, size: int, out: tuple[int, ...]) -> Lines:
    """Blocks whose transformed values, of so many channels, stay in the cache."""
    rows, columns = (-(-n // TILE) for n in out)
    beside = max(1, min(IMAGES, images))
    tile_bytes = 4 * channels * (size + TILE - 1) ** 2
    depth = max(1, min(rows, BLOCK // (tile_bytes * beside * columns)))
    if depth == rows:
        beside = max(beside, min(images, BLOCK // (tile_bytes * rows * columns)))
    length = -(-columns * beside // LINE) * LINE
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
    return Lines(rows, columns, images, rows, -(-columns * images // LINE) * LINE)


def places_in(lines: Lines) -> int:
    return lines.depth * lines.length


def has_few(places: int, inputs: int, outputs: int) -> bool:
    """Whether transformed tiles take less memory than transformed kernels."""
    return places < min(inputs, outputs)


def conv(x: Any, weight: Any, bias: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (O, C, r, r), (O,) -> (N, O, out...)"""
    few = has_few(places_in(whole(len(x), windows.out)), *weight.shape[:2])
    return tiles.correlate(x, weight, False, bias, windows, few)


def conv_input_grad(g: Any, weight: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, O, out...), (O, C, r, r) -> (N, C, H, W): correlated with the kernels turned around."""
    bias = np.zeros(weight.shape[1], g.dtype)
    windows = windows.turned()
    few = has_few(places_in(whole(len(g), windows.out)), *weight.shape[:2])
    return tiles.correlate(g, weight, True, bias, windows, few)


def weight_grad(x: Any, g: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (N, O, out...) -> (O, C, r, r)"""
    few = has_few(places_in(whole(len(x), g.shape[2:])), x.shape[1], g.shape[1])
    before = (windows.before[0], windows.before[1])
    return tiles.weight_grad(x, g, windows.kernel[0], before, few)
