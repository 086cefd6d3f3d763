"""Choosing between arrays by a condition."""

from __future__ import annotations

from typing import Any

import numpy as np

BITS = {2: np.int16, 4: np.int32, 8: np.int64}


def select(condition: Any, x: Any, y: Any) -> Any:
    """X where the condition holds, else y.

    With 0.0 on one side, as in the gradients of `relu` and `clamp`, the bits of the other side are
    masked, which is several times faster than `numpy.where` on random conditions.
    """
    if y.__class__ is float and y == 0.0 and maskable(condition, x):
        return masked(x, condition)
    if x.__class__ is float and x == 0.0 and maskable(condition, y):
        return masked(y, np.logical_not(condition))
    return np.where(condition, x, y)


def maskable(condition: Any, values: Any) -> bool:
    return (
        isinstance(values, np.ndarray)
        and isinstance(condition, np.ndarray)
        and values.dtype.kind == "f"
        and values.dtype.itemsize in BITS
        and condition.dtype.kind == "b"
        and values.ndim > 0
        and values.shape == condition.shape
    )


def masked(values: Any, keep: Any) -> Any:
    """The values where `keep` is True, and 0, also for infinity and NaN, elsewhere."""
    bits = BITS[values.dtype.itemsize]
    mask = np.negative(keep.view(np.int8)).astype(bits)  # all bits set, or none
    mask &= values.view(bits)
    return mask.view(values.dtype)
