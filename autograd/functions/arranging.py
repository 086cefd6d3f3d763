"""Reversing, rolling and turning values, triangles and diagonals, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import Dims, one_dim, raw, tensor_of
from autograd.functions.shaping import ravel, transpose

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "diag",
    "diag_embed",
    "diagonal",
    "flip",
    "fliplr",
    "flipud",
    "roll",
    "rot90",
    "tril",
    "triu",
]


def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes, up to a diagonal; zero elsewhere.

    Example:
        >>> import autograd
        >>> autograd.tril(autograd.ones(2, 2))
        tensor([[1., 0.],
                [1., 1.]])
    """
    matrix("tril", input)
    return ops.tril(input, k=diagonal)


def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes, from a diagonal on; zero elsewhere.

    Example:
        >>> import autograd
        >>> autograd.triu(autograd.ones(2, 2))
        tensor([[1., 1.],
                [0., 1.]])
    """
    matrix("triu", input)
    return ops.triu(input, k=diagonal)


def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """A view of the diagonal of two axes, which becomes the last axis.

    Example:
        >>> import autograd
        >>> autograd.diagonal(autograd.tensor([[1, 2], [3, 4]]))
        tensor([1, 4])
    """
    count = raw(tensor_of("diagonal", input)).ndim
    first, second = one_dim("diagonal", dim1, count), one_dim("diagonal", dim2, count)
    if first == second:
        raise ValueError("diagonal: dim1 and dim2 are the same axis")
    return ops.diagonal(input, offset=offset, dim1=first, dim2=second)


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    Example:
        >>> import autograd
        >>> autograd.diag(autograd.tensor([1.0, 2.0]))
        tensor([[1., 0.],
                [0., 2.]])
    """
    count = raw(tensor_of("diag", input)).ndim
    if count == 2:
        return ops.diagonal(input, offset=diagonal, dim1=0, dim2=1)
    if count != 1:
        raise ShapeError(f"diag: expected 1 or 2 dimensions, got {count}")
    size = raw(input).shape[0] + (diagonal if diagonal > 0 else -diagonal)
    return ops.diagonal_sum(input, shape=(size, size), offset=diagonal, dim1=0, dim2=1)


def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices with the last axis on their diagonal; the axes of the matrices are dim1 and dim2.

    Example:
        >>> import autograd
        >>> autograd.diag_embed(autograd.ones(5, 2)).shape
        Size([5, 2, 2])
    """
    shape = raw(tensor_of("diag_embed", input)).shape
    if not shape:
        raise ShapeError("diag_embed: expected at least 1 dimension, got a 0-d tensor")
    count = len(shape) + 1
    first, second = one_dim("diag_embed", dim1, count), one_dim("diag_embed", dim2, count)
    if first == second:
        raise ValueError("diag_embed: dim1 and dim2 are the same axis")
    size = shape[-1] + (offset if offset > 0 else -offset)
    rest = iter(shape[:-1])
    full = tuple(size if axis in (first, second) else next(rest) for axis in range(count))
    return ops.diagonal_sum(input, shape=full, offset=offset, dim1=first, dim2=second)


def matrix(name: str, input: Tensor) -> None:
    if raw(tensor_of(name, input)).ndim < 2:
        raise ShapeError(f"{name}: expected at least 2 dimensions, got {raw(input).ndim}")


def flip(input: Tensor, dims: Dims) -> Tensor:
    """A copy with the order along axes reversed.

    Example:
        >>> import autograd
        >>> autograd.flip(autograd.tensor([1, 2, 3]), (0,))
        tensor([3, 2, 1])
    """
    given = dims if isinstance(dims, Sequence) else (dims,)
    axes = tuple(one_dim("flip", dim, tensor_of("flip", input).ndim) for dim in given)
    return ops.flip(input, dims=axes if input.ndim else ())


def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order.

    Example:
        >>> import autograd
        >>> autograd.fliplr(autograd.tensor([[1, 2], [3, 4]]))
        tensor([[2, 1],
                [4, 3]])
    """
    matrix("fliplr", input)
    return ops.flip(input, dims=(1,))


def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order.

    Example:
        >>> import autograd
        >>> autograd.flipud(autograd.tensor([[1, 2], [3, 4]]))
        tensor([[3, 4],
                [1, 2]])
    """
    if raw(tensor_of("flipud", input)).ndim < 1:
        raise ShapeError("flipud: expected at least 1 dimension, got a 0-d tensor")
    return ops.flip(input, dims=(0,))


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """Turned by k quarters, from the first of two axes towards the second.

    Example:
        >>> import autograd
        >>> autograd.rot90(autograd.tensor([[1, 2], [3, 4]]))
        tensor([[2, 4],
                [1, 3]])
    """
    matrix("rot90", input)
    first, second = (one_dim("rot90", dim, raw(input).ndim) for dim in dims)
    if first == second:
        raise ValueError("rot90: dims name the same axis twice")
    if k % 4 == 0:
        return ops.clone(input)
    if k % 4 == 2:
        return ops.flip(input, dims=(first, second))
    turned = transpose(ops.flip(input, dims=((second if k % 4 == 1 else first),)), first, second)
    return ops.clone(turned)


def roll(input: Tensor, shifts: int | Sequence[int], dims: Dims = None) -> Tensor:
    """A copy with values moved along axes, those that fall off the end coming in at the start.

    Example:
        >>> import autograd
        >>> autograd.roll(autograd.tensor([1, 2, 3]), 1)
        tensor([3, 1, 2])
    """
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    if dims is None:
        if len(steps) != 1:
            raise ValueError(f"roll: {len(steps)} shifts need as many dims")
        flat = ops.roll(ravel(input), shifts=steps, dims=(0,))
        return ops.reshape(flat, shape=raw(input).shape)
    given = dims if isinstance(dims, Sequence) else (dims,)
    if len(given) != len(steps):
        raise ValueError(f"roll: {len(steps)} shifts but {len(given)} dims")
    axes = tuple(one_dim("roll", dim, input.ndim) for dim in given)
    return ops.roll(input, shifts=steps, dims=axes)
