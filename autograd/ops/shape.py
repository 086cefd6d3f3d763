"""Operations that move values without changing them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dtypes import promote
from autograd.errors import ShapeError
from autograd.primitive import Case, primitive


def zeros_of(x: Any) -> Any:
    """Zeros of the shape and dtype of an array or a Tensor, without history."""
    array = getattr(x, "array", x)
    return np.zeros(np.shape(array), np.asarray(array).dtype)


@primitive(lambda g: g, case=Case())
def clone(x: Any) -> Any:
    """A copy in memory of its own."""
    return np.array(x)


@primitive(lambda g: g, case=Case(attributes={"dtype": np.dtype(np.float64)}))
@np.errstate(all="ignore")
def cast(x: Any, *, dtype: Any) -> Any:
    """The same values in another data type; the engine casts the gradient back."""
    return x.astype(dtype)


@primitive(
    lambda g, x_shape: reshape(g, shape=x_shape),
    case=(Case(attributes={"shape": (3, 2)}), Case(attributes={"shape": (1, 6)})),
)
def reshape(x: Any, *, shape: tuple[int, ...]) -> Any:
    """The same values, row by row, in another shape; a view where strides allow it."""
    return np.reshape(x, shape)


@primitive(
    lambda g, dims: permute(g, dims=inverse_permutation(dims)),
    case=Case(shapes=((2, 3, 4),), attributes={"dims": (2, 0, 1)}),
)
def permute(x: Any, *, dims: tuple[int, ...]) -> Any:
    """A view with the axes in another order."""
    return np.transpose(x, dims)


def inverse_permutation(dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(place) for place in np.argsort(dims))


@primitive(
    lambda g: g,
    broadcasts=True,
    case=(
        Case(shapes=((2, 1),), attributes={"shape": (4, 2, 3)}),
        Case(shapes=((1, 3),), attributes={"shape": (2, 3)}),
        Case(shapes=((),), attributes={"shape": (2,)}),
    ),
)
def expand(x: Any, *, shape: tuple[int, ...]) -> Any:
    """A view that repeats axes of size 1, and new leading axes, without copying."""
    try:
        return np.broadcast_to(x, shape)
    except ValueError:
        raise ShapeError(f"expand: a tensor of shape {np.shape(x)} does not fit {shape}") from None


@primitive(
    lambda g, dims: flip(g, dims=dims), case=Case(shapes=((2, 3),), attributes={"dims": (0, 1)})
)
def flip(x: Any, *, dims: tuple[int, ...]) -> Any:
    """The values in reverse order along some axes, in memory of their own."""
    return np.flip(x, dims).copy()


@primitive(
    lambda g, shifts, dims: roll(g, shifts=tuple(-s for s in shifts), dims=dims),
    case=Case(shapes=((3, 4),), attributes={"shifts": (1, -2), "dims": (0, 1)}),
)
def roll(x: Any, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
    """The values moved along axes, those that fall off the end coming in at the start."""
    return np.roll(x, shifts, dims)


def split_gradient(g: Any, needs: Any, tensors_shapes: Any, dim: int) -> list[Any]:
    parts = []
    start = 0
    for needed, shape in zip(needs, tensors_shapes, strict=True):
        index = (slice(None),) * dim + (slice(start, start + shape[dim]),)
        parts.append(g[index] if needed else None)
        start += shape[dim]
    return parts


@primitive(
    joint=split_gradient,
    promote=promote,
    case=(
        Case(shapes=((2, 3), (2, 1)), attributes={"dim": 1}),
        Case(shapes=((1, 2), (3, 2), (2, 2)), attributes={"dim": 0}),
    ),
)
def cat(*tensors: Any, dim: int) -> Any:
    """The tensors one after the other along an axis; `dim` is not negative."""
    return np.concatenate(tensors, axis=dim)


def unpad(g: Any, widths: tuple[tuple[int, int], ...], x_shape: tuple[int, ...]) -> Any:
    window = tuple(
        slice(before, before + size) for (before, _), size in zip(widths, x_shape, strict=True)
    )
    return g[window]


@primitive(
    lambda g, widths, x_shape: unpad(g, widths, x_shape),
    case=Case(attributes={"widths": ((1, 0), (0, 2)), "value": 0.5}),
)
def pad(x: Any, *, widths: tuple[tuple[int, int], ...], value: float) -> Any:
    """The values with a border of a constant; widths (before, after) for every axis."""
    return np.pad(x, widths, constant_values=value)


@primitive(
    lambda g, k: tril(g, k=k),
    case=(
        Case(shapes=((3, 4),), attributes={"k": 0}),
        Case(shapes=((3, 4),), attributes={"k": 1}),
        Case(shapes=((2, 3, 3),), attributes={"k": -1}),
    ),
)
def tril(x: Any, *, k: int) -> Any:
    """The lower triangle of the last two axes, up to the k-th diagonal; zero above."""
    return np.tril(x, k)


@primitive(
    lambda g, k: triu(g, k=k),
    case=(
        Case(shapes=((3, 4),), attributes={"k": 0}),
        Case(shapes=((2, 3, 3),), attributes={"k": 1}),
    ),
)
def triu(x: Any, *, k: int) -> Any:
    """The upper triangle of the last two axes, from the k-th diagonal; zero below."""
    return np.triu(x, k)
