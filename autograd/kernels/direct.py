"""Convolution straight from the definition: where things lie for it.

An image is copied once, with its padding, into a buffer. There the inputs of 16 neighbouring
results for one kernel position and channel (a tap) are 16 neighbours as well, at a distance that is
the same for all results: at stride 2 even and odd columns are kept apart for that. So nothing is
copied for each tap, as im2col does, which for few channels of output takes longer than the sums.

Shapes in comments: N images, G groups, C and O channels of input and output per group, L windows,
K taps (channels times kernel positions), B blocks of channels of output.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

import numpy as np

from autograd.kernels.numba_vectors import LANES
from autograd.kernels.windows import Windows, flat_grid

CHUNK = 48
"""How many vectors of 8 channels of gradients stay in the first-level cache, about."""


class Plan(NamedTuple):
    """Where things lie for images of one shape.

    Attributes:
        size: of the buffer for an image.
        channel: from one channel to the next in the buffer.
        lines: (rows * 2,) where each row of a channel, if any window has it, begins in the input
            and in the buffer.
        phases: (stride * 3,) for each phase of the columns: its place in a line of the buffer, the
            first input column, and how many.
        taps: (K,) the distance of each tap's input from that of the first.
        places: (vectors * 3,) for each vector of results where its inputs begin in the buffer,
            where it begins in the plane of results, and how many of its values are in the row.
            Vectors of a row overlap rather than run over its end.
        parts: the same for gradients, where nothing may be counted twice: the last vector of a row
            may be a part of one. Whole ones come first in a chunk.
        chunks: (chunks * 3,) where a chunk of `parts` begins, where its whole vectors end, and
            where it ends.
        points: (L,) where the inputs of each single result begin in the buffer.
    """

    size: int
    channel: int
    lines: Any
    phases: Any
    taps: Any
    places: Any
    parts: Any
    chunks: Any
    points: Any


@lru_cache(maxsize=64)
def plan(windows: Windows, channels: int, groups: int) -> Plan:
    """The plan of a convolution with so many channels of input per group."""
    *extents, columns = windows.extents
    stride = windows.stride[-1]
    pitch = -(-columns // stride)
    line = pitch * stride
    channel = prod(extents) * line
    taps = grid(windows.kernel[:-1], windows.dilation, extents) * line
    along = np.arange(windows.kernel[-1]) * windows.dilation[-1]
    taps = taps[:, None] + along % stride * pitch + along // stride
    taps = np.arange(channels)[:, None] * channel + taps.reshape(-1)  # (C, kernel positions)
    begins = grid(windows.out[:-1], windows.stride, extents) * line
    tables = (
        lines(windows, line),
        phases(windows, pitch),
        taps.reshape(-1),
        *vectors(begins, windows.out[-1]),
        (begins[:, None] + np.arange(windows.out[-1])).reshape(-1),
    )
    return Plan(
        groups * channels * channel + LANES,  # whole vectors are read at the end as well
        channel,
        *(np.ascontiguousarray(table, np.intp) for table in tables),
    )


def grid(counts: tuple[int, ...], steps: tuple[int, ...], sizes: list[int]) -> Any:
    """The flat positions of a grid that takes so many steps along each dimension."""
    along = [np.arange(n) * step for n, step in zip(counts, steps, strict=False)]
    return flat_grid(along, tuple(sizes)).reshape(-1)


def lines(windows: Windows, line: int) -> Any:
    """`Plan.lines`, where a row of the buffer takes `line` values."""
    positions, inputs = windows.overlaps()
    rows = [
        [k for k in range(cut.start, cut.stop) if reached(k, *axis)]
        for cut, axis in zip(positions[:-1], axes(windows), strict=False)
    ]
    moved = [
        [k - inside.start + source.start for k in along]
        for along, inside, source in zip(rows, positions, inputs, strict=False)
    ]
    sources, targets = (
        flat_grid([np.array(k, np.intp) for k in along], tuple(sizes)).reshape(-1)
        for along, sizes in ((moved, windows.sizes[:-1]), (rows, windows.extents[:-1]))
    )
    return np.stack((sources * windows.sizes[-1], targets * line), -1).reshape(-1)


def axes(windows: Windows) -> Iterator[tuple[int, int, int, int]]:
    """Of each dimension the kernel, stride, dilation and results."""
    return zip(windows.kernel, windows.stride, windows.dilation, windows.out, strict=True)


def reached(place: int, kernel: int, stride: int, dilation: int, out: int) -> bool:
    """Whether any window has this place of a padded dimension."""
    return any(
        (place - k * dilation) % stride == 0 and 0 <= place - k * dilation < out * stride
        for k in range(kernel)
    )


def phases(windows: Windows, pitch: int) -> Any:
    """`Plan.phases`, where a phase of a row takes `pitch` values; none where no window has any."""
    inside, stride = windows.overlaps()[0][-1], windows.stride[-1]
    table = []
    for phase in range(stride):
        start, stop = (-(-(edge - phase) // stride) for edge in (inside.start, inside.stop))
        first = start * stride + phase - windows.before[-1]
        used = any(k * windows.dilation[-1] % stride == phase for k in range(windows.kernel[-1]))
        table.append((phase * pitch + start, first, (stop - start) * used))
    return np.array(table).reshape(-1)  # (stride, 3) -> (stride * 3,)


def vectors(begins: Any, wide: int) -> tuple[Any, Any, Any]:
    """`Plan.places`, `Plan.parts` and `Plan.chunks`.

    Args:
        begins: where the inputs of each row of results begin.
        wide: results in a row.
    """
    rows = np.arange(len(begins)) * wide
    steps = np.arange(0, wide, LANES)

    def table(columns: Any, counts: Any) -> Any:
        entries = (begins[:, None] + columns, rows[:, None] + columns, counts)
        return np.stack(np.broadcast_arrays(*entries), -1).reshape(-1, 3)

    places = table(np.minimum(steps, max(0, wide - LANES)), min(wide, LANES))
    parts = table(steps, np.minimum(LANES, wide - steps))
    count = max(1, len(parts) // CHUNK)
    chunk = np.arange(len(parts)) * count // len(parts)
    parts = parts[np.lexsort((-parts[:, 2], chunk))]
    sizes = np.bincount(chunk)
    first = np.cumsum(sizes) - sizes
    whole = np.bincount(chunk, parts[:, 2] == LANES)
    chunks = np.stack((first, first + whole, first + sizes), 1)
    return places.reshape(-1), parts.reshape(-1), chunks.reshape(-1)


class Phase(NamedTuple):
    """The gradient of the inputs of one phase: those that are a stride apart.

    Attributes:
        windows: of the convolution of the results' gradient, at stride 1, that it is.
        kernel: the part of the kernel, turned around, as an index of (G*O, kernel..., C).
        places: (results,) where each of its results belongs in a plane of the input.
    """

    windows: Windows
    kernel: tuple[slice, ...]
    places: Any


@lru_cache(maxsize=64)
def turned(windows: Windows) -> tuple[Phase, ...]:
    """All phases that any window reaches."""
    return tuple(
        Phase(
            windows._replace(
                sizes=windows.out,
                kernel=tuple(axis.kernel for axis in axes),
                stride=(1,) * len(axes),
                before=tuple(axis.before for axis in axes),
                dilation=tuple(axis.dilation for axis in axes),
                out=tuple(axis.out for axis in axes),
            ),
            (slice(None), *(axis.taps for axis in axes)),
            flat_grid(
                [
                    np.arange(axis.first, size, stride)
                    for axis, size, stride in zip(axes, windows.sizes, windows.stride, strict=True)
                ],
                windows.sizes,
            ).reshape(-1),
        )
        for axes in product(*map(turned_axis, *windows[:5]))
    )


class Axis(NamedTuple):
    """One dimension of a `Phase`; `first` is its first input."""

    first: int
    kernel: int
    before: int
    dilation: int
    out: int
    taps: slice


def turned_axis(size: int, kernel: int, stride: int, before: int, dilation: int) -> list[Axis]:
    axes = []
    common = gcd(stride, dilation)
    for first in range(min(stride, size)):
        taps = [k for k in range(kernel) if (first + before - k * dilation) % stride == 0]
        if taps:
            axes.append(
                Axis(
                    first,
                    len(taps),
                    (taps[-1] * dilation - first - before) // stride,
                    dilation // common,
                    -(-(size - first) // stride),
                    slice(taps[-1], taps[0] - 1 if taps[0] else None, -(stride // common)),
                )
            )
    return axes
