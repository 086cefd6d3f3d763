"""Tensors with values that suit an operation: inside a domain, away from kinks, without ties."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from autograd.creation import from_numpy
from autograd.dtypes import float64
from autograd.tensor import Tensor
from autograd.testing.grid import Domain, domains_of, grid, pick
from autograd.testing.layouts import with_layout
from autograd.testing.strategies.shapes import Shape, layouts, shapes

__all__ = ["tensor_tuples", "tensors", "values"]

Array: TypeAlias = np.ndarray[Any, Any]
ONE_BY_ONE = 64
"""Up to how many values are drawn, and shrunk, each for itself."""


def values(
    shape: Shape,
    *,
    domain: Domain = (-2.0, 2.0),
    avoid: Sequence[float] = (),
    distinct: bool = False,
) -> st.SearchStrategy[Array]:
    """float64 arrays of a shape.

    Args:
        shape: of the array.
        domain: the open interval that values come from.
        avoid: numbers that values keep a distance from.
        distinct: all values differ, by at least the distance that `avoid` is kept at.
    """
    size = prod(shape)
    choices = grid(domain, avoid, size + 3 * len(avoid) if distinct else 0)
    if size > ONE_BY_ONE:
        return st.integers(0, 2**32 - 1).map(
            lambda seed: pick(choices, shape, distinct, np.random.default_rng(seed))
        )
    return st.lists(st.sampled_from(choices), min_size=size, max_size=size, unique=distinct).map(
        lambda drawn: np.array(drawn, np.float64).reshape(shape)
    )


@st.composite
def tensor_tuples(  # noqa: D417 (Hypothesis passes draw)
    draw: st.DrawFn,
    shapes: Sequence[Shape],
    *,
    dtype: Any = float64,
    domain: Any = (-2.0, 2.0),
    avoid: Sequence[float] = (),
    distinct: bool = False,
    layout: Any = "contiguous",
    requires_grad: bool = False,
) -> tuple[Tensor, ...]:
    """Several tensors, such as the inputs of an operation; see `tensors`.

    Args:
        shapes: the shape of each.
        dtype: of all.
        domain: one interval for all, or one for each.
        avoid: numbers that values keep a distance from.
        distinct: the values of all tensors together differ from each other.
        layout: of all, or a strategy that draws one for each.
        requires_grad: of all.
    """
    domains = domains_of(domain, len(shapes))
    sizes = [prod(shape) for shape in shapes]
    arrays = []
    if distinct and len(set(domains)) == 1:
        joined = draw(values((sum(sizes),), domain=domains[0], avoid=avoid, distinct=True))
        parts = np.split(joined, np.cumsum(sizes)[:-1]) if shapes else []
        arrays = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
    else:
        for shape, interval in zip(shapes, domains, strict=True):
            arrays.append(draw(values(shape, domain=interval, avoid=avoid, distinct=distinct)))
    chosen = np.dtype(draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype)
    found = []
    for array in arrays:
        name = draw(layout) if isinstance(layout, st.SearchStrategy) else layout
        tensor = from_numpy(with_layout(array.astype(chosen), name))
        found.append(tensor.requires_grad_() if requires_grad else tensor)
    return tuple(found)


@st.composite
def tensors(  # noqa: D417 (Hypothesis passes draw)
    draw: st.DrawFn,
    shape: Any = None,
    *,
    dtype: Any = float64,
    domain: Domain = (-2.0, 2.0),
    avoid: Sequence[float] = (),
    distinct: bool = False,
    layout: Any = "contiguous",
    requires_grad: bool = False,
) -> Tensor:
    """Tensors of real numbers.

    Args:
        shape: a shape or a strategy for one; any of up to three axes when None.
        dtype: a floating-point type or a strategy for one.
        domain: the open interval that values come from.
        avoid: numbers that values keep a distance from, such as kinks.
        distinct: all values differ, so that there are no ties.
        layout: how the values lie in memory, see `autograd.testing.with_layout`: a name, a
            strategy, or "any".
        requires_grad: whether they require grad.

    Example:
        >>> from hypothesis import given
        >>> from autograd.testing.strategies import tensors
        >>> @given(tensors((2, 3), domain=(0.0, 1.0), avoid=[0.5]))
        ... def test(x):
        ...     assert ((x > 0) & (x < 1) & (x != 0.5)).all()
        >>> test()
    """
    if shape is None:
        shape = shapes()
    drawn = draw(shape) if isinstance(shape, st.SearchStrategy) else tuple(shape)
    found = draw(
        tensor_tuples(
            [drawn],
            dtype=dtype,
            domain=domain,
            avoid=avoid,
            distinct=distinct,
            layout=layouts() if layout == "any" else layout,
            requires_grad=requires_grad,
        )
    )
    return found[0]
