"""Changing the shape of a tensor and the order of its values, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod as product_of
from typing import TYPE_CHECKING

import numpy as np

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import (
    Dims,
    all_dims,
    one_dim,
    raw,
    shape_argument,
    tensor_of,
)

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_tensors",
    "broadcast_to",
    "clone",
    "diag",
    "diag_embed",
    "diagonal",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "moveaxis",
    "movedim",
    "permute",
    "ravel",
    "reshape",
    "roll",
    "rot90",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "tril",
    "triu",
    "unflatten",
    "unsqueeze",
]


def clone(input: Tensor) -> Tensor:
    """A copy in memory of its own, through which gradients flow.

    Example:
        >>> import autograd
        >>> autograd.clone(autograd.tensor([1.0]))
        tensor([1.])
    """
    return ops.clone(input)


def reshape(input: Tensor, shape: Sequence[int]) -> Tensor:
    """The same values, row by row, in another shape; one size may be -1.

    A view where strides allow it, else a copy.

    Raises:
        ShapeError: the shape has room for another number of values.

    Example:
        >>> import autograd
        >>> autograd.reshape(autograd.arange(4), (2, 2))
        tensor([[0, 1],
                [2, 3]])
    """
    sizes = shape_argument("reshape", (shape,))
    return ops.reshape(input, shape=full_shape("reshape", raw(input).shape, sizes))


def full_shape(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with its -1 worked out."""
    count = product_of(shape)
    known = product_of(size for size in wanted if size != -1)
    unknown = wanted.count(-1)
    fits = known == count if unknown == 0 else unknown == 1 and known > 0 and count % known == 0
    if not fits or any(size < -1 for size in wanted):
        raise ShapeError(f"{name}: {count} values of shape {shape} do not fit the shape {wanted}")
    return tuple(count // known if size == -1 else size for size in wanted)


def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` joined to one.

    Example:
        >>> import autograd
        >>> autograd.flatten(autograd.zeros(2, 3, 4), 1).shape
        Size([2, 12])
    """
    shape = raw(tensor_of("flatten", input)).shape
    first, last = one_dim("flatten", start_dim, len(shape)), one_dim("flatten", end_dim, len(shape))
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    if not shape:
        return ops.reshape(input, shape=(1,))
    joined = product_of(shape[first : last + 1])
    return ops.reshape(input, shape=(*shape[:first], joined, *shape[last + 1 :]))


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis split into several; one size may be -1.

    Example:
        >>> import autograd
        >>> autograd.unflatten(autograd.zeros(2, 12), 1, (3, -1)).shape
        Size([2, 3, 4])
    """
    shape = raw(input).shape
    axis = one_dim("unflatten", dim, len(shape))
    parts = full_shape("unflatten", (shape[axis],), tuple(sizes))
    return ops.reshape(input, shape=(*shape[:axis], *parts, *shape[axis + 1 :]))


def ravel(input: Tensor) -> Tensor:
    """All values in one axis."""
    return ops.reshape(input, shape=(raw(input).size,))


def permute(input: Tensor, dims: Sequence[int]) -> Tensor:
    """A view with the axes in the order given.

    Example:
        >>> import autograd
        >>> autograd.permute(autograd.zeros(2, 3, 4), (2, 0, 1)).shape
        Size([4, 2, 3])
    """
    count = raw(tensor_of("permute", input)).ndim
    axes = tuple(one_dim("permute", dim, count) for dim in dims)
    if sorted(axes) != list(range(count)):
        raise ValueError(f"permute: dims {tuple(dims)} do not name each of {count} axes once")
    return ops.permute(input, dims=axes)


def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """A view with two axes exchanged.

    Example:
        >>> import autograd
        >>> autograd.transpose(autograd.tensor([[1.0, 2.0]]), 0, 1)
        tensor([[1.],
                [2.]])
    """
    count = raw(tensor_of("transpose", input)).ndim
    first, second = one_dim("transpose", dim0, count), one_dim("transpose", dim1, count)
    axes = list(range(count))
    if count:
        axes[first], axes[second] = second, first
    return ops.permute(input, dims=tuple(axes))


def t(input: Tensor) -> Tensor:
    """The transpose of a matrix; vectors and scalars stay as they are."""
    count = raw(tensor_of("t", input)).ndim
    if count > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got {count}")
    return ops.permute(input, dims=tuple(reversed(range(count))))


def movedim(input: Tensor, source: Dims, destination: Dims) -> Tensor:
    """A view with axes moved to other places, the others keeping their order."""
    count = raw(tensor_of("movedim", input)).ndim
    sources = source if isinstance(source, Sequence) else (source,)
    targets = destination if isinstance(destination, Sequence) else (destination,)
    if len(sources) != len(targets):
        raise ValueError(f"movedim: {len(sources)} source axes but {len(targets)} destinations")
    start = [one_dim("movedim", dim, count) for dim in sources]
    end = [one_dim("movedim", dim, count) for dim in targets]
    axes = [axis for axis in range(count) if axis not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        axes.insert(place, axis)
    return ops.permute(input, dims=tuple(axes))


def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Without the axes of size 1, or without those of them in `dim`.

    Example:
        >>> import autograd
        >>> autograd.squeeze(autograd.zeros(1, 3, 1), 0).shape
        Size([3, 1])
    """
    shape = raw(tensor_of("squeeze", input)).shape
    empty = dim is not None and not isinstance(dim, int) and not len(dim)
    dims = () if empty else all_dims("squeeze", dim, len(shape))
    kept = tuple(s for axis, s in enumerate(shape) if not (axis in dims and s == 1))
    return ops.reshape(input, shape=kept)


def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new axis of size 1 at `dim`.

    Example:
        >>> import autograd
        >>> autograd.unsqueeze(autograd.zeros(3), 0).shape
        Size([1, 3])
    """
    shape = raw(tensor_of("unsqueeze", input)).shape
    axis = one_dim("unsqueeze", dim, len(shape) + 1)
    return ops.reshape(input, shape=(*shape[:axis], 1, *shape[axis:]))


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """A view that repeats axes of size 1, and new leading axes, without copying; -1 keeps a size.

    Example:
        >>> import autograd
        >>> autograd.broadcast_to(autograd.tensor([1.0, 2.0]), (2, 2))
        tensor([[1., 2.],
                [1., 2.]])
    """
    shape = raw(tensor_of("expand", input)).shape
    lead = len(size) - len(shape)
    if lead < 0 or any(s == -1 for s in size[:lead]):
        raise ShapeError(f"expand: a tensor of shape {shape} does not fit {tuple(size)}")
    wanted = tuple(shape[axis - lead] if s == -1 else int(s) for axis, s in enumerate(size))
    return ops.expand(input, shape=wanted)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors expanded to their common shape."""
    try:
        shape = np.broadcast_shapes(*(raw(tensor).shape for tensor in tensors))
    except ValueError:
        shapes = ", ".join(str(raw(tensor).shape) for tensor in tensors)
        raise ShapeError(f"broadcast_tensors: shapes {shapes} do not broadcast") from None
    return tuple(ops.expand(tensor, shape=shape) for tensor in tensors)


def flip(input: Tensor, dims: Dims) -> Tensor:
    """A copy with the order along axes reversed.

    Example:
        >>> import autograd
        >>> autograd.flip(autograd.tensor([1, 2, 3]), (0,))
        tensor([3, 2, 1])
    """
    given = dims if isinstance(dims, Sequence) else (dims,)
    axes = tuple(one_dim("flip", dim, tensor_of("flip", input).ndim) for dim in given)
    return ops.flip(input, dims=axes)


def roll(input: Tensor, shifts: int | Sequence[int], dims: Dims = None) -> Tensor:
    """A copy with values moved along axes, those that fall off the end coming in at the start.

    Example:
        >>> import autograd
        >>> autograd.roll(autograd.tensor([1, 2, 3]), 1)
        tensor([3, 1, 2])
    """
    steps = tuple(shifts) if isinstance(shifts, Sequence) else (shifts,)
    if dims is None:
        flat = ops.roll(ravel(input), shifts=steps[:1], dims=(0,))
        return ops.reshape(flat, shape=raw(input).shape)
    given = dims if isinstance(dims, Sequence) else (dims,)
    if len(given) != len(steps):
        raise ValueError(f"roll: {len(steps)} shifts but {len(given)} dims")
    axes = tuple(one_dim("roll", dim, input.ndim) for dim in given)
    return ops.roll(input, shifts=steps, dims=axes)


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
    """The upper triangle of the last two axes, from a diagonal on; zero elsewhere."""
    matrix("triu", input)
    return ops.triu(input, k=diagonal)


def matrix(name: str, input: Tensor) -> None:
    if raw(tensor_of(name, input)).ndim < 2:
        raise ShapeError(f"{name}: expected at least 2 dimensions, got {raw(input).ndim}")


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


def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order."""
    matrix("fliplr", input)
    return ops.flip(input, dims=(1,))


def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order."""
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


def atleast_1d(input: Tensor) -> Tensor:
    """The tensor, a 0-d one with one axis."""
    return ravel(input) if raw(tensor_of("atleast_1d", input)).ndim == 0 else input


def atleast_2d(input: Tensor) -> Tensor:
    """The tensor with at least two axes: values are put into a row."""
    shape = raw(tensor_of("atleast_2d", input)).shape
    return input if len(shape) > 1 else ops.reshape(input, shape=(1, *(shape or (1,))))


def atleast_3d(input: Tensor) -> Tensor:
    """The tensor with at least three axes: rows and columns come first."""
    wide = atleast_2d(input)
    return wide if raw(wide).ndim > 2 else unsqueeze(wide, -1)


moveaxis = movedim
swapaxes = swapdims = transpose
