"""The compiled gradient of the input of a depthwise convolution in steps of more than one.

`numba_rows` copies all gradients for each phase of the inputs, those that are a step apart, and
puts its results back one by one; for the few taps of such kernels that takes longer than the sums.
Here a plane is copied once, with padding, so that each tap of a phase is one pass over neighbours:
the inputs of one row, whatever lies between that row and the next, and so on. In one or two
dimensions; one is a plane of a single row.

Shapes in comments: N images, G channels, M results of each.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd.kernels.compiled import Floats, Integers, compiled
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_room import release, zeros
from autograd.kernels.windows import Windows

__all__ = ["applies", "conv_input_grad"]

RESULT = 8
"""What writing a result costs in multiplications."""


class Axis(NamedTuple):
    """One dimension of some `Windows`."""

    size: int
    kernel: int
    stride: int
    before: int
    dilation: int
    out: int


def applies(g: Any, weight: Any, windows: Windows, groups: int) -> bool:
    """Whether this is for such a convolution."""
    return bool(
        weight.shape[1] == 1
        and groups > 1
        and len(windows.sizes) <= 2
        and windows.stride[-1] > 1
        and g.dtype == weight.dtype == np.float32
        and g.size
    )


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*M, out...), (G*M, 1, kernel...) -> (N, G, sizes...)"""
    grad = np.empty((len(g), groups, *windows.sizes), np.float32)
    down, along = axes(windows)
    share(
        backward,
        len(g) * groups,
        g.size * (prod(windows.kernel) + RESULT) + grad.size * RESULT,
        g.reshape(-1),  # (N, G*M, out...) -> (N * G * M * L,)
        weight.reshape(-1),  # (G*M, 1, kernel...) -> (G * M * K,)
        grad.reshape(-1),
        *plan(windows),
        groups,
        len(weight) // groups,
        down.size,
        along.size,
        down.out,
        along.out,
        down.stride,
        along.stride,
    )
    return grad


def axes(windows: Windows) -> tuple[Axis, Axis]:
    """Of rows and of columns."""
    found = [Axis(*each) for each in zip(*windows[:6], strict=True)]
    first, second = [Axis(1, 1, 1, 0, 1, 1), *found][-2:]
    return first, second


@lru_cache(maxsize=64)
def plan(windows: Windows) -> tuple[Any, Any, int, int, int]:
    """How planes of gradients are laid out, with padding, and which taps a phase of inputs has.

    Returns:
        For each phase of rows and columns where its taps begin and end in what follows; for each
        tap its number in the kernel, and where the first gradient for it is in the buffer; where
        the first gradient of all is, the distance of rows, and the size of the buffer.
    """
    down, along = axes(windows)
    (rows, above, high), (columns, left, pitch) = shifts(down), shifts(along)
    bounds: list[tuple[int, int]] = []
    taps: list[tuple[int, int]] = []
    for vertical, horizontal in product(rows, columns):
        found = [
            (i * along.kernel + j, (above + y) * pitch + left + x)
            for (i, y), (j, x) in product(vertical, horizontal)
        ]
        bounds.append((len(taps), len(taps) + len(found)))
        taps += found
    return flat(bounds), flat(taps), above * pitch + left, pitch, high * pitch


def shifts(axis: Axis) -> tuple[list[list[tuple[int, int]]], int, int]:
    """Which results the inputs of each phase have a share in, along one dimension.

    Returns:
        For each phase the places in the kernel, each with the result for the first input; how much
        padding is before the results, and how long they are with all padding.
    """
    found = [
        [
            (k, (phase + axis.before - k * axis.dilation) // axis.stride)
            for k in range(axis.kernel)
            if (phase + axis.before - k * axis.dilation) % axis.stride == 0
        ]
        for phase in range(axis.stride)
    ]
    every = [shift for each in found for _, shift in each]
    before = max(0, -min(every))
    after = max(0, max(every) + -(-axis.size // axis.stride) - axis.out)
    return found, before, before + axis.out + after


def flat(table: Any) -> Any:
    return np.array(table, np.int64).reshape(-1)


@compiled
def backward(
    g: Floats,
    weights: Floats,
    grad: Floats,
    bounds: Integers,
    taps: Integers,
    origin: int,
    pitch: int,
    room: int,
    groups: int,
    several: int,
    height: int,
    width: int,
    high: int,
    wide: int,
    down: int,
    along: int,
    first: int,
    last: int,
) -> None:
    """The gradients of some planes."""
    shared()
    phases = down * along
    kernel = len(weights) // (groups * several)
    tall, broad = (height + down - 1) // down, (width + along - 1) // along
    long = (tall - 1) * pitch + broad
    buffer, sums = zeros(g, room), zeros(g, phases * long)
    for number in range(first, last):
        for p in range(sums.size):
            sums[p] = 0
        for k in range(several):
            channel = number % groups * several + k
            for y in range(high):
                target = buffer[origin + y * pitch :][:wide]
                source = g[((number * several + k) * high + y) * wide :][:wide]
                for p in range(wide):
                    target[p] = source[p]
            for phase in range(phases):
                total = sums[phase * long :][:long]
                for tap in range(bounds[2 * phase], bounds[2 * phase + 1]):
                    weight = weights[channel * kernel + taps[2 * tap]]
                    source = buffer[taps[2 * tap + 1] :][:long]
                    for p in range(long):
                        total[p] += weight * source[p]
        for y in range(height):
            line = grad[(number * height + y) * width :][:width]
            start = y % down * along * long + y // down * pitch
            if along == 2:
                even, odd = sums[start:], sums[start + long :]
                for p in range(width // 2):
                    line[2 * p] = even[p]
                    line[2 * p + 1] = odd[p]
                if width % 2:
                    line[width - 1] = even[width // 2]
            else:
                for phase in range(min(along, width)):
                    source = sums[start + phase * long :]
                    for p in range((width - phase + along - 1) // along):
                        line[phase + along * p] = source[p]
    release(buffer)
    release(sums)
