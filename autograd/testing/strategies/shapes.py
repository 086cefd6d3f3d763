"""Shapes, data types and memory layouts."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from autograd.dtypes import float16, float32, float64
from autograd.testing.layouts import LAYOUTS

__all__ = ["broadcastable", "dtypes", "layouts", "shapes"]

Shape: TypeAlias = tuple[int, ...]


def shapes(
    min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> st.SearchStrategy[Shape]:
    """Shapes, 0-d and empty ones among them unless excluded.

    Example:
        >>> from autograd.testing.strategies import shapes
        >>> shapes(min_dims=2, max_dims=2, min_side=3, max_side=3).example()  # doctest: +SKIP
        (3, 3)
    """
    sides = st.integers(min_side, max_side)
    return st.lists(sides, min_size=min_dims, max_size=max_dims).map(tuple)


def dtypes(*choices: Any) -> st.SearchStrategy[np.dtype[Any]]:
    """Floating-point types: those given, or float64, float32 and float16."""
    return st.sampled_from([np.dtype(c) for c in choices] or [float64, float32, float16])


def layouts(*, broadcast: bool = False) -> st.SearchStrategy[str]:
    """Names of memory layouts, see `autograd.testing.with_layout`.

    Args:
        broadcast: also views that repeat one place, which change the values and cannot be written.
    """
    return st.sampled_from([name for name in LAYOUTS if broadcast or name != "broadcast"])


@st.composite
def broadcastable(
    draw: st.DrawFn,
    n: int,
    *,
    min_dims: int = 0,
    max_dims: int = 3,
    min_side: int = 0,
    max_side: int = 4,
) -> tuple[Shape, ...]:
    """N shapes that broadcast against each other.

    Each drops some leading axes of a common shape, and has size 1 where it will be stretched; any
    axis of the common shape is kept whole by at least one of them.
    """
    whole = draw(shapes(min_dims, max_dims, min_side, max_side))
    found = []
    for _ in range(n):
        dropped = draw(st.integers(0, len(whole) - min(min_dims, len(whole))))
        stretched = draw(
            st.lists(st.booleans(), min_size=len(whole) - dropped, max_size=len(whole) - dropped)
        )
        tail = whole[dropped:]
        found.append(tuple(1 if one else size for one, size in zip(stretched, tail, strict=True)))
    keeper = draw(st.integers(0, n - 1))
    found[keeper] = whole
    return tuple(found)
