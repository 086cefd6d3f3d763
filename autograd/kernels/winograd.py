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

from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from autograd.kernels.threads import share
from autograd.kernels.windows import Windows

TILE = 4
"""Results along each side of a tile."""
POINTS = {
    3: ("0", "1", "-1", "1/2", "-2"),
    5: ("0", "1", "-1", "2", "-2", "1/2", "-1/2"),
}
"""Where polynomials are evaluated; these gave the smallest errors of those tried."""
LANES = 16
"""Lines are filled up to a multiple of this: values in a vector register."""
IMAGES = 16
"""Images side by side in a line, where there are as many."""
BLOCK = 1 << 20
"""Bytes of transformed values that are worked on at a time."""


class Filters(NamedTuple):
    """The matrices for one kernel size r, with n = r + 3.

    inputs (n, n), kernels (n, r) and results (4, n):
    ``results @ ((kernels @ w) * (inputs @ x))`` correlates n inputs with r weights.
    """

    inputs: Any
    kernels: Any
    results: Any


@cache
def filters(size: int) -> Filters:
    """The matrices of a kernel size, worked out without rounding.

    Polynomials are multiplied by evaluating both at n - 1 points and at infinity (their leading
    coefficients), multiplying the values, and interpolating; correlation is the transpose of it.
    """
    points = [Fraction(point) for point in POINTS[size]]
    n = size + TILE - 1
    kernels = np.zeros((n, size))
    results = np.zeros((TILE, n))
    inputs = np.zeros((n, n))
    for k, point in enumerate(points):
        others = [other for other in points if other != point]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        kernels[k] = [float(point**power / scale) for power in range(size)]
        results[:, k] = [float(point**power) for power in range(TILE)]
        inputs[k, : n - 1] = [float(c) for c in polynomial(others)]
    kernels[-1, -1] = results[-1, -1] = 1
    inputs[-1] = [float(c) for c in polynomial(points)]
    return Filters(inputs, kernels, results)


def polynomial(roots: list[Fraction]) -> list[Fraction]:
    """The coefficients, constant first, of the product of ``x - root``."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [
            above - root * c for above, c in zip(shifted, [*coefficients, Fraction(0)], strict=True)
        ]
    return coefficients


class Lines(NamedTuple):
    """How results of some sizes are cut into tiles, and tiles into blocks.

    Attributes:
        rows, columns: tiles along each dimension.
        images: how many lie side by side.
        depth: rows of tiles in a block.
        length: of a line, filled up.
    """

    rows: int
    columns: int
    images: int
    depth: int
    length: int


class Tiles(Protocol):
    """The parts that are written twice, for NumPy and for Numba."""

    def spread(
        self, x: Any, out: Any, size: int, before: tuple[int, int], row: int, lines: Lines
    ) -> None:
        """(images, C, H, W) -> transformed tiles (F, C, P), from a row of tiles on."""

    def spread_gradient(self, g: Any, out: Any, size: int, row: int, lines: Lines) -> None:
        """(images, O, H, W) -> tiles (F, O, P), transformed by the transpose of `results`."""

    def collect(self, tiles: Any, out: Any, bias: Any, size: int, row: int, lines: Lines) -> None:
        """(F, O, P) -> results (images, O, H, W), plus bias (O,), from a row of tiles on."""

    def upright(self, tiles: Any, room: Any) -> Any:
        """(F, C, P) -> (F, P, C), as a product takes it fastest; there is room for a copy."""


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
    places = len(x)
    for n in windows.out:
        places *= -(-n // TILE)
    values = (size + TILE - 1) ** 2
    products = inputs * outputs
    # the products, the passes over tiles, and those over kernels, which are far apart in memory
    spent = places * values * (products + passes * (inputs + outputs)) + 120 * values * products
    return bool(spent < len(x) * windows.out[0] * windows.out[1] * size * size * products)


def conv(x: Any, weight: Any, bias: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (O, C, r, r), (O,) -> (N, O, out...)"""
    return correlate(x, kernel_values(weight), bias, weight.shape[2], windows, tiles)


def conv_input_grad(g: Any, weight: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, O, out...), (O, C, r, r) -> (N, C, H, W): correlated with the kernels turned around."""
    values = kernel_values(weight, turned=True).swapaxes(1, 2)  # (F, O, C) -> (F, C, O)
    bias = np.zeros(weight.shape[1], g.dtype)
    return correlate(g, values, bias, weight.shape[2], windows.turned(), tiles)


@cache
def kernel_matrix(size: int, turned: bool = False) -> Any:
    """(F, r*r): the transform of kernels for rows and columns at once."""
    kernels = filters(size).kernels
    if turned:
        kernels = kernels[:, ::-1]
    return np.kron(kernels, kernels).astype(np.float32)


def kernel_values(weight: Any, turned: bool = False) -> Any:
    """(O, C, r, r) -> (F, O, C)"""
    rows, columns, size, _ = weight.shape
    both = kernel_matrix(size, turned)
    flat = weight.reshape(rows * columns, size * size)  # (O, C, r, r) -> (O*C, r*r)
    values = np.empty((len(both), rows * columns), weight.dtype)

    def transform(part: slice) -> None:
        np.matmul(both, flat[part].T, out=values[:, part])

    share(transform, rows * columns, flat.size * len(both))
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
            tiles.spread(x[images], spread, size, before, row, lines)
            np.matmul(kernels, spread, out=product)  # (F, O, C) @ (F, C, P)
            tiles.collect(product, out[images], bias, size, row, lines)

    share(convolve, len(blocks), out.size * inputs * 9)
    return out


def weight_grad(x: Any, g: Any, windows: Windows, tiles: Tiles) -> Any:
    """(N, C, H, W), (N, O, out...) -> (O, C, r, r)"""
    inputs, outputs, size = x.shape[1], g.shape[1], windows.kernel[0]
    before = (windows.before[0], windows.before[1])
    values = (size + TILE - 1) ** 2
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
                tiles.spread(images, spread, size, before, row, lines)
                tiles.spread_gradient(results, gradients, size, row, lines)
                # (F, O, P) @ (F, P, C)
                np.matmul(gradients, tiles.upright(spread, room), out=product)
                total += product
        return total

    total, *others = share(add_up, len(x), g.size * inputs * 9)
    for other in others:
        total += other
    both = kernel_matrix(size)
    flat = total.reshape(values, outputs * inputs)  # (F, O, C) -> (F, O*C)
    grad = np.empty((outputs * inputs, size * size), x.dtype)

    def finish(part: slice) -> None:
        np.matmul(flat[:, part].T, both, out=grad[part])

    share(finish, len(grad), flat.size * size * size)
    return grad.reshape(outputs, inputs, size, size)  # (O*C, r*r) -> (O, C, r, r)
