"""Convolution in any number of dimensions: im2col and a matrix product, a few images at a time.

Shapes in comments: N images, G groups, C and O channels of input and output per group, K kernel
positions times C, L windows. Products are laid out so that the output channel is a row, and a
result lands where it belongs in (N, G, O, L) without another copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.kernels.threads import share
from autograd.kernels.windows import BLOCK, Windows, blocks

NARROW = 100
"""With fewer windows per image, several images share one matrix product."""
WIDE = 256
"""How many windows a shared product should have at least."""


def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (G*O, C, kernel...), (G*O,) or None -> (N, G*O, out...)"""
    count, outputs = len(x), len(weight) // groups
    out = np.empty((count, len(weight), *windows.out), x.dtype)
    result = out.reshape(count, groups, outputs, -1) if out.size else out
    rows = weight.reshape(groups, outputs, -1)  # (G*O, C, kernel...) -> (G, O, K)

    def convolve(part: slice) -> None:
        into = result[part]
        for images, places, columns in column_blocks(x[part], windows, groups):
            target = into[images, :, :, places]
            if columns.ndim == 4:
                np.matmul(rows, columns, out=target)  # (G, O, K) @ (n, G, K, L)
            else:
                shared = np.matmul(rows, columns)  # (G, O, K) @ (G, K, n*L)
                shared = shared.reshape(groups, outputs, len(target), -1)  # (G, O, n, L)
                target[...] = shared.transpose(2, 0, 1, 3)
            if bias is not None:
                target += bias.reshape(groups, outputs, 1)

    share(convolve, count, products(count, weight, windows))
    return out


def products(count: int, weight: Any, windows: Windows) -> int:
    """How many multiplications a convolution of `count` images takes."""
    return int(count * weight.size * prod(windows.out))


def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (N, G*O, out...) -> (G*O, C, kernel...)"""
    channels, outputs = x.shape[1] // groups, g.shape[1] // groups
    weight_grad = np.empty((groups * outputs, channels, *windows.kernel), x.dtype)
    if not g.size:
        weight_grad[...] = 0
        return weight_grad
    g = np.ascontiguousarray(g).reshape(len(g), groups, outputs, -1)  # (N, G, O, L)

    def add_up(part: slice) -> Any:
        total = np.zeros((groups, channels * prod(windows.kernel), outputs), x.dtype)  # (G, K, O)
        incoming = g[part]
        for images, places, columns in column_blocks(x[part], windows, groups):
            block = incoming[images, :, :, places]
            if columns.ndim == 4:
                # (n, G, K, L) @ (n, G, L, O)
                each = np.matmul(columns, block.swapaxes(2, 3))
                total += each[0] if len(each) == 1 else each.sum(0)
            else:
                # (n, G, O, L) -> (G, O, n*L)
                block = block.transpose(1, 2, 0, 3).reshape(groups, outputs, -1)
                total += np.matmul(columns, block.swapaxes(1, 2))
        return total

    grad, *others = share(add_up, len(x), products(len(x), weight_grad, windows))
    for other in others:
        grad += other
    # (G, K, O) -> (G*O, C, kernel...)
    weight_grad.reshape(groups, outputs, grad.shape[1])[...] = grad.swapaxes(1, 2)
    return weight_grad


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*O, out...), (G*O, C, kernel...) -> (N, G*C, sizes...)"""
    outputs, channels = len(weight) // groups, weight.shape[1]
    if windows.side_by_side and g.size and not is_pointwise(windows):
        return spread_columns(g, weight, windows, groups)
    if all(stride == 1 for stride in windows.stride) and outputs < 4 * channels:
        return correlate(g, weight, windows, groups)
    return scatter_columns(g, weight, windows, groups)


def correlate(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """The gradient at stride 1: a convolution of g with the flipped kernel."""
    outputs, channels = len(weight) // groups, weight.shape[1]
    spatial = tuple(range(3, weight.ndim + 1))
    flipped = np.flip(weight.reshape(groups, outputs, *weight.shape[1:]), spatial)
    # (G, O, C, kernel...) -> (G*C, O, kernel...)
    flipped = flipped.swapaxes(1, 2).reshape(groups * channels, outputs, *windows.kernel)
    return conv(g, flipped, None, windows.turned(), groups)


def scatter_columns(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """The gradient at any stride: what every kernel position sends back, added up."""
    count, outputs, channels = len(g), len(weight) // groups, weight.shape[1]
    grad: Any = np.zeros((count, groups * channels, *windows.sizes), g.dtype)
    if not g.size:
        return grad
    g = np.ascontiguousarray(g).reshape(count, groups, outputs, -1)  # (N, G, O, L)
    rows = weight.reshape(groups, outputs, -1).swapaxes(1, 2)  # (G*O, C, kernel...) -> (G, K, O)
    rows = np.ascontiguousarray(rows)
    taps = list(windows.taps())
    width = g.shape[3]
    image_bytes = rows[..., 0].size * width * g.itemsize

    def scatter(share_of: slice) -> None:
        incoming, into = g[share_of], grad[share_of]
        least = -(-WIDE // width) if width < NARROW else 1
        for images in blocks(len(incoming), image_bytes, least):
            part = incoming[images]
            if width < NARROW:
                shared = part.transpose(1, 2, 0, 3).reshape(groups, outputs, -1)  # (G, O, n*L)
                # (G, K, n*L) -> (G, K, n, L) -> (n, G, K, L)
                columns = np.matmul(rows, shared).reshape(groups, -1, len(part), width)
                columns = columns.transpose(2, 0, 1, 3)
            else:
                columns = np.matmul(rows, part)  # (G, K, O) @ (n, G, O, L)
            # (n, G, K, L) -> (n, G, C, kernel positions, out...)
            columns = columns.reshape(len(part), groups, channels, -1, *windows.out)
            target = into[images].reshape(len(part), groups, channels, *windows.sizes)
            for place, (outs, ins) in enumerate(taps):
                target[(..., *ins)] += columns[:, :, :, place][(..., *outs)]

    share(scatter, count, products(count, weight, windows))
    return grad


def spread_columns(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """The gradient where windows lie side by side: each input comes from one product."""
    count, outputs, channels = len(g), len(weight) // groups, weight.shape[1]
    g = np.ascontiguousarray(g).reshape(count, groups, outputs, -1)  # (N, G, O, L)
    rows = weight.reshape(groups, outputs, -1).swapaxes(1, 2)  # (G*O, C, kernel...) -> (G, K, O)
    rows = np.ascontiguousarray(rows)
    dims = len(windows.out)
    pairs = [size for pair in zip(windows.out, windows.kernel, strict=True) for size in pair]
    grad = np.empty((count, groups * channels, *pairs), g.dtype)
    # (n, G*C, kernel..., out...) -> (n, G*C, out, kernel of each dimension in turn)
    order = (0, 1, *(2 + axis + half for axis in range(dims) for half in (dims, 0)))
    image_bytes = rows[..., 0].size * g.shape[3] * g.itemsize

    def spread(share_of: slice) -> None:
        incoming, into = g[share_of], grad[share_of]
        for images in blocks(len(incoming), image_bytes, 1):
            columns = np.matmul(rows, incoming[images])  # (G, K, O) @ (n, G, O, L)
            columns = columns.reshape(-1, groups * channels, *windows.kernel, *windows.out)
            into[images] = columns.transpose(order)

    share(spread, count, products(count, weight, windows))
    return grad.reshape(count, groups * channels, *windows.sizes)


def column_blocks(x: Any, windows: Windows, groups: int) -> Iterator[tuple[slice, slice, Any]]:
    """The input of every window as a column, block by block.

    Yields:
        which images, which windows, and columns (n, G, K, L); or (G, K, n*L) where an image has
        few windows. The memory is used again for the next block.
    """
    count, width = len(x), prod(windows.out)
    if count == 0 or width == 0:
        return
    channels = x.shape[1] // groups
    if is_pointwise(windows):
        yield slice(0, count), slice(0, width), x.reshape(count, groups, channels, width)
        return
    taps = channels * prod(windows.kernel)
    row = prod(windows.out[1:])
    image_bytes = groups * taps * width * x.itemsize
    step = max(1, 2 * BLOCK // max(1, image_bytes))
    if width < NARROW:
        step = max(step, -(-WIDE // width))
    step = min(step, count)
    lines = windows.out[0]
    if step == 1 and width >= NARROW:  # a large image is cut along its first dimension
        line_bytes = max(1, image_bytes // lines)
        lines = min(lines, max(2 * BLOCK // line_bytes, -(-WIDE // row)))
    buffer = np.empty(step * groups * taps * lines * row, x.dtype)
    positions, inputs = windows.overlaps()
    x = x[(slice(None), slice(None), *inputs)]
    padded = None
    if x.shape[2:] != windows.extents:
        padded = np.zeros((step, x.shape[1], *windows.extents), x.dtype)
        inside = padded[(slice(None), slice(None), *positions)]
    views = window_view(x if padded is None else padded, windows, groups)
    for first in range(0, count, step):
        images = slice(first, min(count, first + step))
        part = views[images]
        if padded is not None:
            size = images.stop - first
            inside[:size] = x[images]
            part = views[:size]
        if width < NARROW:
            shared = np.moveaxis(part, 0, 2 + len(windows.kernel))  # (G, C, kernel..., n, out...)
            columns = fill(buffer, shared).reshape(groups, taps, -1)  # (G, K, n*L)
            yield images, slice(0, width), columns
            continue
        for line in range(0, windows.out[0], lines):
            cut = (slice(line, line + lines), *(slice(None),) * (len(windows.out) - 1))
            columns = fill(buffer, part[(..., *cut)])
            columns = columns.reshape(len(part), groups, taps, -1)  # (n, G, K, L)
            yield images, slice(line * row, (line + lines) * row), columns


def is_pointwise(windows: Windows) -> bool:
    """Whether every window is one input, and every input one window."""
    ones = (1,) * len(windows.kernel)
    return (
        windows.kernel == ones
        and windows.stride == ones
        and not any(windows.before)
        and windows.out == windows.sizes
    )


def fill(buffer: Any, values: Any) -> Any:
    """Copy values to the start of a flat buffer."""
    target = buffer[: values.size].reshape(values.shape)
    np.copyto(target, values)
    return target


def window_view(x: Any, windows: Windows, groups: int) -> Any:
    """(n, G*C, extents...) -> (n, G, C, kernel..., out...), without a copy"""
    image, channel, *spatial = x.strides
    channels = x.shape[1] // groups
    steps = [stride * size for stride, size in zip(windows.stride, spatial, strict=True)]
    reach = [dilation * size for dilation, size in zip(windows.dilation, spatial, strict=True)]
    return as_strided(
        x,
        (len(x), groups, channels, *windows.kernel, *windows.out),
        (image, channels * channel, channel, *reach, *steps),
        writeable=False,
    )
