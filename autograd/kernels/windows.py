"""Where the windows of a convolution or a pooling lie in their input."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

Slices = tuple[slice, ...]
BLOCK = 1 << 18
"""Bytes that are worked on at a time, so that they stay in the second-level cache."""


class Windows(NamedTuple):
    """One entry per dimension; window o starts at position ``o * stride - before`` of the input.

    Positions outside of the input are padding. Negative `before` skips inputs.
    """

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    dilation: tuple[int, ...]
    out: tuple[int, ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """How many positions lie between the first of the first window and the last of the last."""
        return tuple(
            (out - 1) * stride + dilation * (kernel - 1) + 1
            for out, stride, dilation, kernel in zip(
                self.out, self.stride, self.dilation, self.kernel, strict=True
            )
        )

    @property
    def overlapping(self) -> bool:
        """Whether an input can lie in more than one window."""
        return any(
            dilation * (kernel - 1) >= stride
            for dilation, kernel, stride in zip(
                self.dilation, self.kernel, self.stride, strict=True
            )
        )

    @property
    def side_by_side(self) -> bool:
        """Whether each input lies in one window, and nothing else does."""
        return (
            self.kernel == self.stride
            and not any(self.before)
            and all(dilation == 1 for dilation in self.dilation)
            and self.sizes == tuple(o * k for o, k in zip(self.out, self.kernel, strict=True))
        )

    def turned(self) -> Windows:
        """The windows of the convolution that takes gradients back to the input, at stride 1."""
        before = tuple(
            dilation * (kernel - 1) - before
            for dilation, kernel, before in zip(
                self.dilation, self.kernel, self.before, strict=True
            )
        )
        return self._replace(sizes=self.out, before=before, out=self.sizes)

    def whole_axes(self) -> tuple[int, ...]:
        """The axes that a single window covers exactly."""
        return tuple(
            axis
            for axis, size in enumerate(self.sizes)
            if self.out[axis] == 1 and self.kernel[axis] == size and self.before[axis] == 0
        )

    def overlaps(self) -> tuple[Slices, Slices]:
        """Where windows and input meet: as slices of the positions, and as slices of the input."""
        positions, inputs = [], []
        for extent, size, before in zip(self.extents, self.sizes, self.before, strict=True):
            start = max(0, before)
            stop = max(start, min(extent, before + size))
            positions.append(slice(start, stop))
            inputs.append(slice(start - before, stop - before))
        return tuple(positions), tuple(inputs)

    def reach(self, axis: int) -> list[tuple[slice, slice]]:
        """For each kernel position on an axis: windows where it meets an input, and which."""
        stride, out, size = self.stride[axis], self.out[axis], self.sizes[axis]
        slices = []
        for place in range(self.kernel[axis]):
            offset = place * self.dilation[axis] - self.before[axis]
            first = max(0, -(offset // stride))
            stop = max(first, min(out, (size - 1 - offset) // stride + 1))
            start = max(0, first * stride + offset)
            count = stop - first
            read = slice(start, start + (count - 1) * stride + 1, stride) if count else slice(0, 0)
            slices.append((slice(first, stop), read))
        return slices

    def miss(self) -> bool:
        """Whether some window lies in the padding only; with dilation it may."""
        for axis, out in enumerate(self.out):
            reached = np.zeros(out, bool)
            for outs, _ in self.reach(axis):
                reached[outs] = True
            if not reached.all():
                return True
        return False

    def taps(self) -> Iterator[tuple[Slices, Slices]]:
        """As `reach`, for all kernel positions in row-major order."""
        for pairs in product(*(self.reach(axis) for axis in range(len(self.kernel)))):
            yield tuple(outs for outs, _ in pairs), tuple(ins for _, ins in pairs)

    def first_places(self) -> Any:
        """For each window the number, in row-major order, of its first position in the input."""
        places: Any = np.zeros((), np.intp)
        for axis, kernel in enumerate(self.kernel):
            first = np.zeros(self.out[axis], np.intp)
            for place, (outs, _) in reversed(list(enumerate(self.reach(axis)))):
                first[outs] = place
            places = places[..., None] * kernel + first  # (out...) -> (out..., out[axis])
        return places

    def flat_starts(self) -> Any:
        """For each window the flat input index of its first position, negative in padding."""
        return flat_grid(
            [
                np.arange(out) * stride - before
                for out, stride, before in zip(self.out, self.stride, self.before, strict=True)
            ],
            self.sizes,
        )

    def flat_steps(self) -> Any:
        """For each kernel position, in row-major order, how far it is from its window's start."""
        return flat_grid(
            [
                np.arange(kernel) * dilation
                for kernel, dilation in zip(self.kernel, self.dilation, strict=True)
            ],
            self.sizes,
        ).reshape(-1)


def flat_grid(positions: list[Any], sizes: tuple[int, ...]) -> Any:
    """The flat indices of a grid of positions in an array of the given sizes."""
    flat: Any = np.zeros((), np.intp)
    for position, size in zip(positions, sizes, strict=True):
        flat = flat[..., None] * size + position  # (n...) -> (n..., len(position))
    return flat


def blocks(count: int, item_bytes: int, at_least: int = 1) -> Iterator[slice]:
    """Cut `count` items into slices of about `BLOCK` bytes."""
    step = max(at_least, BLOCK // max(1, item_bytes))
    for start in range(0, count, step):
        yield slice(start, min(count, start + step))


def plane_blocks(x: Any, part: slice | None = None, size: int | None = None) -> Iterator[slice]:
    """Cut the first axis of an array, or a part of it, into slices of about `size` bytes."""
    start, stop = (0, len(x)) if part is None else (part.start, part.stop)
    step = max(1, (size or BLOCK) // max(1, prod(x.shape[1:]) * x.itemsize))
    for first in range(start, stop, step):
        yield slice(first, min(stop, first + step))
