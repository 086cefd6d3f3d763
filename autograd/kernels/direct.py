"""Convolution straight from the definition: where things lie for it, and where it is faster.

An image is copied once, with its padding, into a buffer. There the inputs of 16 neighbouring
results for one kernel position and channel (a tap) are 16 neighbours as well, at a distance that is
the same for all results: at stride 2 even and odd columns are kept apart for that. So nothing is
copied for each tap, as im2col does, which for few channels of output takes longer than the sums.

Shapes in comments: N images, G groups, C and O channels of input and output per group, L windows,
K taps (channels times kernel positions), B blocks of channels of output.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple

import numpy as np

from autograd.kernels.columns import is_pointwise
from autograd.kernels.numba_vectors import LANES, ROWS
from autograd.kernels.windows import Windows, flat_grid

SUMS = ((2 * ROWS, 2), (1, 8))
"""Channels of output, and vectors of results for each, that are summed at once."""
GRADIENTS = ((2 * ROWS, ROWS - 1), (1, 9))
"""The same with taps, for the gradient of the weight."""
FEW = 4
"""Channels of output, per group, below which they are summed one by one."""
ALONE = 2
"""What a multiplication costs there, for which an input has to be loaded."""
CHUNK = 48
"""About how many vectors of gradients of some channels stay in the first-level cache."""
COPY = 20
"""What im2col takes to copy a value, in multiplications."""
LAY = (2, 16)
"""What it takes to copy an input into the buffer, without and with keeping phases apart."""
TOTAL = 48
"""What loading and storing a vector of sums takes."""
KEPT = 1 << 22
"""Bytes of sums that are kept for the gradient of the weight, by each thread, at most."""


class Plan(NamedTuple):
    """Where things lie for images of one shape.

    Attributes:
        size: of the buffer for an image.
        channel: from one channel to the next in the buffer.
        lines: (rows, 2) where each row of a channel begins in the input and in the buffer.
        phases: (stride, 3) for each phase of the columns: its place in a line of the buffer, the
            first input column, and how many.
        taps: (K,) the distance of each tap's input from that of the first.
        places: (vectors * 3,) for each vector of results where its inputs begin in the buffer,
            where it begins in the plane of results, and how many of its values are in the row.
            Vectors of a row overlap rather than run over its end.
        parts: the same for gradients, where nothing may be counted twice: the last vector of a row
            may be a part of one. Whole ones come first in a chunk.
        chunks: (chunks, 3) where a chunk of `parts` begins, where its whole vectors end, and where
            it ends.
    """

    size: int
    channel: int
    lines: Any
    phases: Any
    taps: Any
    places: Any
    parts: Any
    chunks: Any


@lru_cache(maxsize=256)
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
    sources, targets = (
        flat_grid([np.arange(cut.start, cut.stop) for cut in cuts[:-1]], tuple(sizes)).reshape(-1)
        for cuts, sizes in ((inputs, windows.sizes[:-1]), (positions, windows.extents[:-1]))
    )
    return np.stack((sources * windows.sizes[-1], targets * line), -1)


def phases(windows: Windows, pitch: int) -> Any:
    """`Plan.phases`, where a phase of a row takes `pitch` values."""
    inside, stride = windows.overlaps()[0][-1], windows.stride[-1]
    table = []
    for phase in range(stride):
        start, stop = (-(-(edge - phase) // stride) for edge in (inside.start, inside.stop))
        first = start * stride + phase - windows.before[-1]
        table.append((phase * pitch + start, first, stop - start))
    return np.array(table)


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
    return places.reshape(-1), parts.reshape(-1), np.stack((first, first + whole, first + sizes), 1)


class Phase(NamedTuple):
    """The gradient of the inputs of one phase: those that are a stride apart.

    Attributes:
        windows: of the convolution of the results' gradient, at stride 1, that it is.
        kernel: the part of the kernel, turned around, as an index of (G*C, O, kernel...).
        lines: (rows,) where each row of its results begins in a plane of the input.
    """

    windows: Windows
    kernel: tuple[slice, ...]
    lines: Any


@lru_cache(maxsize=256)
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
            (slice(None), slice(None), *(axis.taps for axis in axes)),
            axes[-1].first
            + windows.sizes[-1]
            * flat_grid(
                [
                    np.arange(axis.first, size, stride)
                    for axis, size, stride in zip(
                        axes[:-1], windows.sizes, windows.stride, strict=False
                    )
                ],
                windows.sizes[:-1],
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


def up(count: int, step: int) -> int:
    """To the next multiple."""
    return -(-count // step) * step


def sums(outputs: int) -> tuple[int, int]:
    """Which of `SUMS` serve so many channels of output per group."""
    return SUMS[outputs < FEW]


def gradients(outputs: int) -> tuple[int, int]:
    """Which of `GRADIENTS` do."""
    return GRADIENTS[outputs < FEW]


def rounded(taps: int, outputs: int) -> int:
    """How many weights of a group have their gradients summed, unnecessary ones included."""
    beside = gradients(outputs)
    return up(outputs, beside[0]) * up(taps, beside[1])


def fits(x: Any, dtype: Any, out: int) -> bool:
    return bool(x.dtype == np.float32 and dtype == x.dtype and x.size and out)


def im2col(taps: int, outputs: int, windows: Windows, passes: int = 1) -> int:
    """What im2col and its product take for an image and a group, in multiplications."""
    copies = 0 if is_pointwise(windows) else COPY * passes
    return prod(windows.out) * taps * (outputs + copies)


def lanes(windows: Windows) -> int:
    """How many results vectors have room for."""
    return prod(windows.out[:-1]) * up(windows.out[-1], LANES)


def cost(windows: Windows, channels: int, outputs: int) -> int:
    """What a convolution takes this way, for an image and a group."""
    each = ALONE if outputs < FEW else 1
    products = lanes(windows) * channels * prod(windows.kernel) * each
    return products * up(outputs, sums(outputs)[0]) + lay(channels, windows)


def lay(channels: int, windows: Windows) -> int:
    """What copying them into the buffer takes."""
    return channels * prod(windows.sizes) * LAY[windows.stride[-1] > 1]


def applies(x: Any, weight: Any, windows: Windows, groups: int) -> bool:
    """Whether a convolution is faster this way than by im2col."""
    if not fits(x, weight.dtype, prod(windows.out)):
        return False
    outputs, channels = len(weight) // groups, weight.shape[1]
    taps = channels * prod(windows.kernel)
    return cost(windows, channels, outputs) < im2col(taps, outputs, windows)


def applies_to_input(g: Any, weight: Any, windows: Windows, groups: int) -> bool:
    """Whether the gradient of the input is faster this way than by im2col."""
    if not fits(g, weight.dtype, prod(windows.sizes)):
        return False
    outputs, channels = len(weight) // groups, weight.shape[1]
    taps = channels * prod(windows.kernel)
    spent = sum(cost(phase.windows, outputs, channels) for phase in turned(windows))
    return spent < im2col(taps, outputs, windows)


def applies_to_weight(x: Any, g: Any, windows: Windows, groups: int) -> bool:
    """Whether the gradient of the weight is faster this way than by im2col."""
    if not fits(x, g.dtype, g.size):
        return False
    outputs, channels = g.shape[1] // groups, x.shape[1] // groups
    taps = channels * prod(windows.kernel)
    weights = rounded(taps, outputs)
    chunks = max(1, lanes(windows) // LANES // CHUNK)
    each = ALONE if outputs < FEW else 1
    spent = weights * (lanes(windows) * each + chunks * TOTAL) + lay(channels, windows)
    # its copies are read once more, by columns
    return spent < im2col(taps, outputs, windows, 2) and groups * weights * LANES * 4 <= KEPT
