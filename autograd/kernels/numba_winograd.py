"""Minimal filtering, compiled as a whole: see `winograd` for the algebra and for the shapes.

Products take tiles in the panels into which they are spread, so that nothing is packed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import winograd
from autograd.kernels.compiled import Floats, compiled, in_order, inlined
from autograd.kernels.late_numba import intp
from autograd.kernels.numba_crew import parts_of, share, shared
from autograd.kernels.numba_filters import gather, gather_some, transform_kernels
from autograd.kernels.numba_product import DEPTH, WIDTH, strip
from autograd.kernels.numba_room import empty, release, zeros
from autograd.kernels.numba_tiles import collect, spread, spread_gradient
from autograd.kernels.numba_transform import transpose
from autograd.kernels.numba_vectors import LANES
from autograd.kernels.windows import Windows
from autograd.kernels.winograd import KERNELS
from autograd.kernels.winograd_tiles import TILE

FINISH = 4
"""Work of a value that leaves or enters a product, in multiplications."""
ADDENDS = 128
"""Products of a sum over tiles that are added up by themselves, so that sums round off less."""


def correlate(x: Any, weight: Any, turned: bool, bias: Any, windows: Windows, few: bool) -> Any:
    size = weight.shape[2]
    values = (size + TILE - 1) ** 2
    outputs, inputs = weight.shape[1::-1] if turned else weight.shape[:2]
    lines = winograd.cut(len(x), inputs + outputs, size, windows.out)
    count = outputs * inputs
    pitch = spaced(count)
    kernels = np.empty(values * pitch, x.dtype)
    work = values * count * FINISH
    share(transform_kernels, count, work, in_order(weight), kernels, size, pitch, turned)
    out = np.empty((len(x), outputs, *windows.out), x.dtype)
    share(
        correlate_blocks,
        -(-len(x) // lines.images) * -(-lines.rows // lines.depth),
        out.size * inputs * 9,
        x.reshape(-1),  # (N, C, H, W) -> (N * C * H * W,)
        kernels,
        bias,
        out.reshape(-1),  # (N, O, H, W) -> (N * O * H * W,)
        turned,
        *x.shape,
        *out.shape[1:],
        size,
        *windows.before,
        *lines,
    )
    return out


def weight_grad(x: Any, g: Any, size: int, before: tuple[int, int], few: bool) -> Any:
    inputs, outputs = x.shape[1], g.shape[1]
    values, count = (size + TILE - 1) ** 2, inputs * outputs
    grad = np.empty((outputs, inputs, size, size), x.dtype)
    work = g.size * inputs * 9
    if few:
        lines = winograd.whole(len(x), g.shape[2:])
        parts = parts_of(-(-outputs // KERNELS), work)
    else:
        lines = winograd.cut(-(-len(x) // 2), inputs + outputs, size, g.shape[2:])
        parts = parts_of(len(x), work)
    pitch = spaced(KERNELS * inputs if few else count)
    totals = np.zeros((parts, values * pitch), x.dtype)
    flat = grad.reshape(-1)
    share(
        gradient_parts,
        parts,
        work,
        x.reshape(-1),  # (N, C, H, W) -> (N * C * H * W,)
        g.reshape(-1),  # (N, O, H, W) -> (N * O * H * W,)
        totals.reshape(-1),
        flat,
        parts,
        *x.shape,
        *g.shape[1:],
        pitch,
        few,
        size,
        *before,
        *lines,
    )
    if not few:
        more = totals.size * FINISH
        share(gather, -(-count // LANES), more, totals.reshape(-1), flat, size, count, pitch)
    return grad


def spaced(size: int) -> int:
    """How far matrices of so many values begin from each other, in an odd number of cache lines.

    Lines that are a power of two apart would push each other out of the cache.
    """
    return (((size + 15) // 16) | 1) * 16


spaced_out = inlined(spaced)
"""The same in kernels."""


@compiled
def correlate_blocks(
    x: Floats,
    kernels: Floats,
    bias: Floats,
    out: Floats,
    turned: bool,
    number: int,
    inputs: int,
    height: int,
    width: int,
    outputs: int,
    high: int,
    wide: int,
    size: int,
    above: int,
    left: int,
    rows: int,
    columns: int,
    images: int,
    depth: int,
    length: int,
    first: int,
    last: int,
) -> None:
    """Some blocks of a correlation: `images` and `depth` rows of tiles each."""
    shared()
    n = size + TILE - 1
    values, places = n * n, depth * length
    shape, out_shape = (inputs, height, width), (outputs, high, wide)
    panels = (places + WIDTH - 1) // WIDTH
    between_kernels = spaced_out(outputs * inputs)
    between_tiles = spaced_out(inputs * panels * WIDTH)
    between_products = spaced_out(outputs * places)
    tiles = zeros(x, values * between_tiles)
    product = empty(x, values * between_products)
    nothing = zeros(x, WIDTH)
    pitch, skip = (1, outputs) if turned else (inputs, 1)
    above_each = (rows + depth - 1) // depth
    for block in range(first, last):
        image, row = block // above_each * images, block % above_each * depth
        several = min(images, number - image)
        spread(
            x, shape, image, several, tiles, size, above, left, row, columns, length, depth,
            intp(WIDTH), between_tiles,
        )  # fmt: skip
        for value in range(values):
            for panel in range(panels):
                for c in range(0, inputs, DEPTH):
                    target = value * between_products + panel * WIDTH
                    base, origin, between = (product, target, places) if c else (nothing, 0, 0)
                    strip(
                        kernels, value * between_kernels + c * skip, pitch, skip, outputs,
                        tiles, value * between_tiles + (panel * inputs + c) * WIDTH,
                        min(DEPTH, inputs - c),
                        base, origin, between, product, target, places, places - panel * WIDTH,
                    )  # fmt: skip
        collect(
            product, out, out_shape, image, several, bias, size, row, min(depth, rows - row),
            length, places, between_products,
        )  # fmt: skip
    release(tiles)
    release(product)
    release(nothing)


@compiled
def gradient_parts(
    x: Floats,
    g: Floats,
    totals: Floats,
    grad: Floats,
    count: int,
    number: int,
    inputs: int,
    height: int,
    width: int,
    outputs: int,
    high: int,
    broad: int,
    pitch: int,
    few: bool,
    size: int,
    above: int,
    left: int,
    rows: int,
    columns: int,
    images: int,
    depth: int,
    length: int,
    first: int,
    last: int,
) -> None:
    """What some parts of the images add to all transformed kernels.

    With few tiles, which are one block then: some parts of the kernels, `KERNELS` at a time, which
    are taken back at once, while they are in the cache.
    """
    shared()
    n = size + TILE - 1
    values, places = n * n, depth * length
    shape, g_shape = (inputs, height, width), (outputs, high, broad)
    together = KERNELS if few else outputs
    padded = (inputs + WIDTH - 1) // WIDTH * WIDTH
    between_tiles = spaced_out(inputs * places)
    between_gradients = spaced_out(together * places)
    between_panels = spaced_out(padded * places) if few else 0
    tiles = zeros(x, values * between_tiles + padded * places)
    gradients = empty(x, values * between_gradients)
    panels = empty(x, values * between_panels + padded * places)
    for part in range(first, last):
        total = part * values * pitch
        begin, end = number * part // count, number * (part + 1) // count
        output, final = 0, outputs
        if few:
            begin, end = 0, number
            blocks = (outputs + KERNELS - 1) // KERNELS
            output = blocks * part // count * KERNELS
            final = min(outputs, blocks * (part + 1) // count * KERNELS)
        for image in range(begin, end, images):
            several = min(images, end - image)
            for row in range(0, rows, depth):
                spread(
                    x, shape, image, several, tiles, size, above, left, row, columns, length,
                    depth, places, between_tiles,
                )  # fmt: skip
                for o in range(output, final, together):
                    wide = min(together, final - o)
                    spread_gradient(
                        g, g_shape, image, several, gradients, size, row, columns, length, depth,
                        between_gradients, o, o + wide,
                    )  # fmt: skip
                    for value in range(values):
                        if o == output:
                            turn_one(
                                tiles, value * between_tiles, inputs, places, panels,
                                value * between_panels,
                            )  # fmt: skip
                        for channel in range(0, inputs, WIDTH):
                            for place in range(0, places, ADDENDS):
                                target = total + value * pitch + channel
                                strip(
                                    gradients, value * between_gradients + place, places, 1, wide,
                                    panels,
                                    value * between_panels + channel * places + place * WIDTH,
                                    min(ADDENDS, places - place),
                                    totals, target, inputs, totals, target, inputs,
                                    inputs - channel,
                                )  # fmt: skip
                    if few:
                        start, stop = intp(0), wide * inputs
                        gather_some(
                            totals, total, intp(1), grad, o * inputs, size, start, stop, pitch
                        )
                        for k in range(total, total + values * pitch):
                            totals[k] = 0
    release(tiles)
    release(gradients)
    release(panels)


@inlined
def turn_one(tiles: Any, start: int, channels: int, places: int, panels: Any, place: int) -> None:
    """(C, P) -> (C / WIDTH, P, WIDTH); what is behind the last channel is turned as well."""
    for channel in range(0, channels, LANES):
        into = place + channel // WIDTH * WIDTH * places + channel % WIDTH
        for k in range(0, places, LANES):
            transpose(tiles, start + channel * places + k, places, panels, into + k * WIDTH, WIDTH)
