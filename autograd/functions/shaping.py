"""Changing the shape of a tensor and the order of its values, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod as product_of
from typing import TYPE_CHECKING, Any

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
    "flatten",
    "moveaxis",
    "movedim",
    "permute",
    "ravel",
    "reshape",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
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
    """All values in one axis.

    Example:
        >>> import autograd
        >>> autograd.ravel(autograd.tensor([[1, 2], [3, 4]]))
        tensor([1, 2, 3, 4])
    """
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
    """The transpose of a matrix; vectors and scalars stay as they are.

    Example:
        >>> import autograd
        >>> autograd.t(autograd.zeros(2, 3)).shape
        Size([3, 2])
    """
    count = raw(tensor_of("t", input)).ndim
    if count > 2:
        raise ShapeError(f"t: expected at most 2 dimensions, got {count}")
    return ops.permute(input, dims=tuple(reversed(range(count))))


def movedim(input: Tensor, source: Dims, destination: Dims) -> Tensor:
    """A view with axes moved to other places, the others keeping their order.

    Example:
        >>> import autograd
        >>> autograd.movedim(autograd.zeros(2, 3, 4), 0, -1).shape
        Size([3, 4, 2])
    """
    count = raw(tensor_of("movedim", input)).ndim
    sources = source if isinstance(source, Sequence) else (source,)
    targets = destination if isinstance(destination, Sequence) else (destination,)
    if len(sources) != len(targets):
        raise ValueError(f"movedim: {len(sources)} source axes but {len(targets)} destinations")
    start = [one_dim("movedim", dim, count) for dim in sources]
    end = [one_dim("movedim", dim, count) for dim in targets]
    if count == 0:
        return ops.permute(input, dims=())
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
    return expanded("broadcast_to", input, size)


def expanded(name: str, input: Tensor, size: Sequence[int]) -> Tensor:
    shape = raw(tensor_of(name, input)).shape
    lead = len(size) - len(shape)
    if lead < 0 or any(s == -1 for s in size[:lead]):
        raise ShapeError(f"{name}: a tensor of shape {shape} does not fit {tuple(size)}")
    wanted = tuple(shape[axis - lead] if s == -1 else int(s) for axis, s in enumerate(size))
    if any(came not in (1, s) for came, s in zip(shape, wanted[lead:], strict=True)):
        raise ShapeError(f"{name}: a tensor of shape {shape} does not fit {tuple(size)}")
    return ops.expand(input, shape=wanted)


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors expanded to their common shape.

    Example:
        >>> import autograd
        >>> x, y = autograd.broadcast_tensors(autograd.zeros(3), autograd.zeros(2, 1))
        >>> x.shape
        Size([2, 3])
    """
    try:
        shape = np.broadcast_shapes(*(raw(tensor).shape for tensor in tensors))
    except ValueError:
        shapes = ", ".join(str(raw(tensor).shape) for tensor in tensors)
        raise ShapeError(f"broadcast_tensors: shapes {shapes} do not broadcast") from None
    return tuple(ops.expand(tensor, shape=shape) for tensor in tensors)


def each(name: str, one: Callable[[Tensor], Tensor], tensors: tuple[Any, ...]) -> Any:
    """A function of one tensor; of several, or of a sequence of them, a tuple of its results."""
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        return tuple(one(tensor_of(name, tensor)) for tensor in tensors[0])
    results = tuple(one(tensor_of(name, tensor)) for tensor in tensors)
    return results[0] if len(results) == 1 else results


def atleast_1d(*tensors: Any) -> Any:
    """The tensor, a 0-d one with one axis; of several tensors a tuple.

    Example:
        >>> import autograd
        >>> autograd.atleast_1d(autograd.tensor(1.0))
        tensor([1.])
    """
    return each("atleast_1d", lambda x: x if raw(x).ndim else ravel(x), tensors)


def in_rows(input: Tensor) -> Tensor:
    shape = raw(input).shape
    # () -> (1, 1), (W,) -> (1, W)
    return input if len(shape) > 1 else ops.reshape(input, shape=(1, *(shape or (1,))))


def atleast_2d(*tensors: Any) -> Any:
    """The tensor with at least two axes: values are put into a row; of several tensors a tuple.

    Example:
        >>> import autograd
        >>> autograd.atleast_2d(autograd.tensor([1.0, 2.0]))
        tensor([[1., 2.]])
    """
    return each("atleast_2d", in_rows, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """The tensor with at least three axes: rows and columns come first; of several a tuple.

    Example:
        >>> import autograd
        >>> autograd.atleast_3d(autograd.zeros(2, 3)).shape
        Size([2, 3, 1])
    """
    return each(
        "atleast_3d", lambda x: x if raw(x).ndim > 2 else unsqueeze(in_rows(x), -1), tensors
    )


moveaxis = movedim
swapaxes = swapdims = transpose
