"""Sizes of windows and borders, and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor, ops
from autograd.errors import ShapeError

__all__ = ["pad", "per_dim"]

BORDERS: dict[str, Any] = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def per_dim(operation: str, name: str, value: Any, count: int) -> tuple[int, ...]:
    """A size as `count` numbers, from one number for all or one for each.

    Raises:
        TypeError: not integers.
        ValueError: another count.
    """
    sizes = tuple(value) if isinstance(value, Sequence) else (value,)
    if not all(hasattr(size, "__index__") for size in sizes):
        raise TypeError(f"{operation}: {name} is made of integers, got {value!r}")
    if len(sizes) == 1:
        sizes *= count
    if len(sizes) != count:
        raise ValueError(f"{operation}: {name} is one number or {count} of them, got {value!r}")
    return tuple(size.__index__() for size in sizes)


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """Add a border, or cut one off where a width is negative.

    Args:
        input: of any shape, with at least as many dimensions as there are pairs.
        pad: widths (before, after), the last dimension first.
        mode: ``"constant"``, ``"reflect"`` (without the edge), ``"replicate"`` or ``"circular"``.
        value: of the constant border, 0 unless given.

    Raises:
        ShapeError: the widths do not fit the input.
        ValueError: another mode.

    >>> from autograd import tensor
    >>> pad(tensor([[1.0, 2.0]]), (1, 0)).tolist()
    [[0.0, 1.0, 2.0]]
    >>> pad(tensor([[1.0, 2.0, 3.0]]), (2, 0), mode="reflect").tolist()
    [[3.0, 2.0, 1.0, 2.0, 3.0]]
    """
    shape = tuple(input.shape)
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise ShapeError(
            f"pad: expected pairs of widths for at most {len(shape)} dimensions, got {tuple(pad)} "
            f"(input {shape})"
        )
    pairs = [(0, 0)] * (len(shape) - len(pad) // 2)
    pairs += [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]
    for size, (before, after) in zip(shape, pairs, strict=True):
        if size + min(before, 0) + min(after, 0) < 0 or size + before + after < 0:
            raise ShapeError(f"pad: {tuple(pad)} cuts off more than there is (input {shape})")
    if mode == "constant":
        return pad_constant(input, pairs, 0.0 if value is None else value)
    if mode not in BORDERS:
        raise ValueError(f"pad: mode is one of {('constant', *BORDERS)}, got {mode!r}")
    if value is not None:
        raise ValueError(f"pad: mode {mode!r} takes no value, got {value}")
    return pad_copied(input, pairs, mode)


def cut(input: Tensor, pairs: Sequence[tuple[int, int]]) -> Tensor:
    """The input without what negative widths take away."""
    if all(width >= 0 for pair in pairs for width in pair):
        return input
    return input[
        tuple(
            slice(max(-before, 0), size - max(-after, 0))
            for size, (before, after) in zip(input.shape, pairs, strict=True)
        )
    ]


def pad_constant(input: Tensor, pairs: Sequence[tuple[int, int]], value: float) -> Tensor:
    inside = cut(input, pairs)
    widths = tuple((max(before, 0), max(after, 0)) for before, after in pairs)
    if not any(map(any, widths)):
        return inside.clone()
    return ops.pad(inside, widths=widths, value=value)


def pad_copied(input: Tensor, pairs: Sequence[tuple[int, int]], mode: str) -> Tensor:
    """Pad by reading the input at indices that continue beyond its edges."""
    inside = cut(input, pairs)
    for dim, pair in enumerate(pairs):
        before, after = max(pair[0], 0), max(pair[1], 0)
        if not before and not after:
            continue
        size = int(inside.shape[dim])
        room = {"reflect": size - 1, "circular": size, "replicate": before + after}[mode]
        if max(before, after) > room or size == 0:
            raise ShapeError(
                f"pad: {mode} padding of {pair} is too wide for size {size} of dimension {dim} "
                f"(input {tuple(input.shape)})"
            )
        places = np.pad(np.arange(size), (before, after), mode=BORDERS[mode])
        inside = ops.getitem(inside, index=(slice(None),) * dim + (places,))
    return inside
