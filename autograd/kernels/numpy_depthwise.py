"""Gradients of convolutions whose channels have filters of their own: a kernel position at a time.

Products of matrices that have a single row would be slow. Here planes are copied with their
padding into a buffer, at stride s as s planes per dimension, each with every s-th position. The
inputs of all results for one kernel position then are one run of neighbours in the buffer. Between
the rows of results lie places that belong to none, which are zero.

Shapes in comments: P planes (images times channels), O filters of each, K kernel positions, L
places from the first result to the last, Q places of a plane in the buffer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from autograd.kernels.threads import share
from autograd.kernels.windows import Windows

BLOCK = 1 << 21
"""Bytes that are worked on at a time: shorter calls would have threads wait for each other."""
FEW = 4
"""Filters of a channel above which a product of matrices is as fast."""

Phase = tuple[int, ...]


def applies(channels: int, weight_shape: tuple[int, ...], groups: int) -> bool:
    """Whether each of several channels has a few filters of its own."""
    return 1 < groups == channels and weight_shape[0] <= FEW * groups


class Buffers:
    """Room for some planes.

    Attributes:
        taps: of each kernel position the planes of the buffer, and where its run begins.
        length: of a run.
        sizes: of a plane in the buffer.
    """

    def __init__(self, windows: Windows, filters: int, dtype: Any) -> None:
        steps = tuple(zip(windows.extents, windows.stride, strict=True))
        self.windows = windows
        self.sizes = tuple(-(-extent // stride) for extent, stride in steps)
        pitches = [prod(self.sizes[axis + 1 :]) for axis in range(len(self.sizes))]
        ends = [(out - 1) * pitch for out, pitch in zip(windows.out, pitches, strict=True)]
        self.length = sum(ends) + 1
        self.taps: list[tuple[Phase, int]] = []
        for place in product(*(range(kernel) for kernel in windows.kernel)):
            offsets = [k * d for k, d in zip(place, windows.dilation, strict=True)]
            each = list(zip(offsets, windows.stride, pitches, strict=True))
            phase = tuple(offset % stride for offset, stride, _ in each)
            self.taps.append((phase, sum(o // stride * pitch for o, stride, pitch in each)))
        self.filters, self.dtype = filters, np.dtype(dtype)

    def blocks(self, part: slice) -> Iterator[slice]:
        """Planes that are worked on at a time."""
        size = prod(self.sizes) * (prod(self.windows.stride) + 2 * self.filters)
        step = max(1, BLOCK // (size * self.dtype.itemsize))
        for first in range(part.start, part.stop, step):
            yield slice(first, min(part.stop, first + step))

    def planes(self, count: int) -> Any:
        """Zeros (phases..., P, Q)."""
        return np.zeros((*self.windows.stride, count, prod(self.sizes)), self.dtype)

    def pieces(self, planes: Any) -> Iterator[tuple[Any, tuple[slice, ...]]]:
        """Of each phase what lies in the input, (P, sizes...), and where it lies there."""
        windows = self.windows
        for phase in product(*(range(stride) for stride in windows.stride)):
            inside, outside = [], []
            for f, s, before, n, room in zip(
                phase, windows.stride, windows.before, windows.sizes, self.sizes, strict=True
            ):
                first = max(0, -((f - before) // s))
                last = max(first, min(room, (n - 1 + before - f) // s + 1))
                inside.append(slice(first, last))
                start = first * s + f - before
                outside.append(slice(start, max(start, start + (last - first - 1) * s + 1), s))
            each = planes[phase].reshape(-1, *self.sizes)  # (P, Q) -> (P, sizes of the buffer...)
            if all(cut.stop > cut.start for cut in inside):
                yield each[(slice(None), *inside)], tuple(outside)

    def runs(self, count: int) -> Any:
        """Zeros (P, O, Q), of which the first L of Q are a run."""
        return np.zeros((count, self.filters, prod(self.sizes)), self.dtype)

    def results(self, runs: Any) -> Any:
        """The results among the places of runs: (P, O, Q) -> (P, O, out...)"""
        cut = tuple(slice(0, out) for out in self.windows.out)
        return runs.reshape(*runs.shape[:2], *self.sizes)[(slice(None), slice(None), *cut)]


def over_planes(
    shape: tuple[int, ...], windows: Windows, filters: int, dtype: Any, work: Callable[..., None]
) -> None:
    """Call a function on blocks of the planes of images (N, G, ...)."""
    count, groups = shape[:2]
    buffers = Buffers(windows, filters, dtype)

    def several(part: slice) -> None:
        rooms: tuple[Any, Any, Any] | None = None
        for block in buffers.blocks(part):
            size = block.stop - block.start
            if rooms is None:
                rooms = buffers.planes(size), buffers.runs(size), buffers.runs(size)
            planes, first, second = rooms
            work(
                buffers,
                block,
                np.arange(block.start, block.stop) % groups,
                planes[(slice(None),) * len(windows.stride) + (slice(0, size),)],
                first[:size],
                second[:size],
            )

    products = prod(shape[:2]) * filters * prod(windows.kernel) * prod(windows.out)
    share(several, count * groups, products)


def conv_weight_grad(x: Any, g: Any, windows: Windows) -> Any:
    """(N, G, sizes...), (N, G*O, out...) -> (G*O, 1, kernel...)"""
    count, groups = x.shape[:2]
    filters = g.shape[1] // groups
    source = x.reshape(count * groups, *windows.sizes)  # (N, G, sizes...) -> (P, sizes...)
    incoming = g.reshape(count * groups, filters, *windows.out)
    each = np.zeros((count * groups, filters, prod(windows.kernel)), x.dtype)  # (P, O, K)

    def work(buffers: Buffers, block: slice, _which: Any, planes: Any, runs: Any, _: Any) -> None:
        for inside, outside in buffers.pieces(planes):
            inside[...] = source[block][(slice(None), *outside)]
        buffers.results(runs)[...] = incoming[block]
        along = runs[..., : buffers.length]
        for k, (phase, start) in enumerate(buffers.taps):
            run = planes[phase][:, None, start : start + buffers.length]
            np.vecdot(along, run, out=each[block, :, k])

    over_planes(x.shape, windows, filters, x.dtype, work)
    total = each.reshape(count, groups, *each.shape[1:]).sum(0)
    return total.reshape(groups * filters, 1, *windows.kernel)  # (G, O, K) -> (G*O, 1, kernel...)


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*O, out...), (G*O, 1, kernel...) -> (N, G, sizes...)"""
    count, filters = len(g), len(weight) // groups
    incoming = g.reshape(count * groups, filters, *windows.out)
    grad = np.zeros((count, groups, *windows.sizes), g.dtype)
    target = grad.reshape(count * groups, *windows.sizes)  # (N, G, sizes...) -> (P, sizes...)
    rows = weight.reshape(groups, filters, -1)  # (G*O, 1, kernel...) -> (G, O, K)

    def work(
        buffers: Buffers, block: slice, which: Any, planes: Any, runs: Any, scratch: Any
    ) -> None:
        buffers.results(runs)[...] = incoming[block]
        planes[...] = 0
        factors = rows[which]  # (P, O, K)
        for o, (k, (phase, start)) in product(range(filters), enumerate(buffers.taps)):
            part = scratch[:, o, : buffers.length]
            np.multiply(runs[:, o, : buffers.length], factors[:, o, k : k + 1], out=part)
            run = planes[phase][:, start : start + buffers.length]
            run += part
        for inside, outside in buffers.pieces(planes):
            target[block][(slice(None), *outside)] = inside

    over_planes(grad.shape, windows, filters, g.dtype, work)
    return grad
