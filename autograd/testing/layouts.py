"""How values can lie in memory: the same array, contiguous, transposed, strided or reversed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

__all__ = ["LAYOUTS", "layout_of", "with_layout"]

Array: TypeAlias = np.ndarray[Any, Any]


def transposed(values: Array) -> Array:
    return np.array(values.T, order="C").T


def strided(values: Array) -> Array:
    """Every second element along the last axis of a wider array."""
    wide = np.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
    view = wide[..., ::2]
    view[...] = values
    return view


def reversed_(values: Array) -> Array:
    """Negative strides along all axes."""
    backwards = (slice(None, None, -1),) * values.ndim
    return np.array(values[backwards], order="C")[backwards]


def broadcast(values: Array) -> Array:
    """The first place of the first axis, repeated along it without copying."""
    return np.broadcast_to(np.array(values[:1]), values.shape)


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "contiguous": lambda values: np.array(values, order="C"),
    "transposed": transposed,
    "strided": strided,
    "reversed": reversed_,
    "broadcast": broadcast,
}


def with_layout(values: Any, layout: str) -> Array:
    """A copy of values that lies in memory in a certain way.

    Args:
        values: an array, or what NumPy makes one of.
        layout: "contiguous"; "transposed", column by column; "strided", with gaps; "reversed", by
            negative strides; "broadcast", the first place along the first axis repeated along it,
            which changes the other values and cannot be written to.

    Raises:
        ValueError: no such layout.

    Example:
        >>> import numpy as np
        >>> from autograd.testing import with_layout
        >>> with_layout(np.arange(6.0).reshape(2, 3), "reversed").strides
        (-24, -8)
    """
    array = np.asarray(values)
    if layout not in LAYOUTS:
        raise ValueError(f"with_layout: layout is {layout!r}, expected one of {', '.join(LAYOUTS)}")
    if array.ndim == 0:
        return np.array(array)
    return LAYOUTS[layout](array)


def layout_of(array: Array) -> str:
    """The name of the layout that an array has, or of the one that is nearest to it."""
    steps = [step for step, size in zip(array.strides, array.shape, strict=True) if size > 1]
    if array.size < 2 or array.flags.c_contiguous:
        return "contiguous"
    if 0 in steps:
        return "broadcast"
    if min(steps) < 0:
        return "reversed"
    return "transposed" if array.flags.f_contiguous or steps != sorted(steps)[::-1] else "strided"
