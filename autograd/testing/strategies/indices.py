"""Indices of every kind that NumPy knows."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograd.testing.strategies.shapes import Shape

__all__ = ["indices"]


@st.composite
def slices(draw: st.DrawFn, size: int) -> slice:
    bounds = st.none() | st.integers(-size - 1, size + 1)
    step = draw(st.sampled_from([None, 1, 2, 3, -1, -2]))
    return slice(draw(bounds), draw(bounds), step)


@st.composite
def masks(draw: st.DrawFn, size: int) -> Any:
    return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=bool)


@st.composite
def arrays(draw: st.DrawFn, size: int, shape: Shape) -> Any:
    """Integer arrays; places may repeat, and count from the end."""
    count = int(np.prod(shape))
    drawn = draw(st.lists(st.integers(-size, size - 1), min_size=count, max_size=count))
    return np.array(drawn, dtype=np.int64).reshape(shape)


@st.composite
def indices(  # noqa: D417 (Hypothesis passes draw)
    draw: st.DrawFn, shape: Shape, *, advanced: bool = True, newaxis: bool = True
) -> tuple[Any, ...]:
    """Tuples that index a tensor of a shape: numbers, slices, None, Ellipsis, arrays, masks.

    Args:
        shape: of the tensor to be indexed.
        advanced: also arrays and masks, which copy; without them the result is a view.
        newaxis: also None.

    Example:
        >>> import numpy as np
        >>> from hypothesis import given
        >>> from autograd.testing.strategies import indices
        >>> @given(indices((3, 0, 2)))
        ... def test(index):
        ...     np.zeros((3, 0, 2))[index]
        >>> test()
    """
    common = draw(st.sampled_from([(2,), (), (3, 1), (0,)]))
    parts: list[Any] = []
    used = draw(st.integers(0, len(shape)))
    gap = draw(st.integers(0, used))
    masked = False
    for axis in range(used):
        place = axis if axis < gap else axis + len(shape) - used
        size = shape[place]
        kinds = ["slice"]
        if size:
            kinds += ["number"]
        if advanced and size:
            kinds += ["array"]
        if advanced and not masked:
            kinds += ["mask"]
        kind = draw(st.sampled_from(kinds))
        if kind == "slice":
            parts.append(draw(slices(size)))
        elif kind == "number":
            parts.append(draw(st.integers(-size, size - 1)))
        elif kind == "array":
            parts.append(draw(arrays(size, common)))
        else:
            masked = True
            parts.append(draw(masks(size)))
    if any(isinstance(part, np.ndarray) for part in parts) and masked:
        # arrays broadcast against what a mask selects, so beside a mask only numbers stay
        parts = [
            part.flat[0]
            if isinstance(part, np.ndarray) and part.dtype != bool and part.size
            else slice(None)
            if isinstance(part, np.ndarray) and part.dtype != bool
            else part
            for part in parts
        ]
        parts = [int(part) if isinstance(part, np.integer) else part for part in parts]
    if used < len(shape) and (gap < used or draw(st.booleans())):
        parts.insert(gap, Ellipsis)
    if newaxis and draw(st.integers(0, 3)) == 3:
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)
