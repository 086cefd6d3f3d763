"""Joining tensors and taking them apart, under PyTorch's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import one_dim, raw, tensor_of
from autograd.functions.indexing import along, select
from autograd.functions.shaping import atleast_3d, ravel, reshape, transpose, unsqueeze

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "cat",
    "chunk",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "meshgrid",
    "repeat_interleave",
    "split",
    "stack",
    "tensor_split",
    "tile",
    "unbind",
    "vstack",
]


def tile(input: Tensor, dims: Sequence[int]) -> Tensor:
    """The tensor repeated `dims` times along its axes, with new leading axes where needed.

    Example:
        >>> import autograd
        >>> autograd.tile(autograd.tensor([1, 2]), (2,))
        tensor([1, 2, 1, 2])
    """
    return repeated("tile", input, dims)


def repeated(name: str, input: Tensor, dims: Sequence[int]) -> Tensor:
    shape = raw(tensor_of(name, input)).shape
    repeats = tuple(dims)
    if any(count < 0 for count in repeats):
        raise ValueError(f"{name}: counts must not be negative, got {repeats}")
    rank = max(len(shape), len(repeats))
    shape = (1,) * (rank - len(shape)) + shape
    repeats = (1,) * (rank - len(repeats)) + repeats
    pairs = tuple(size for pair in zip(repeats, shape, strict=True) for size in pair)
    single = tuple(size for s in shape for size in (1, s))
    apart = ops.reshape(input, shape=single)  # (a, b) -> (1, a, 1, b)
    wide = ops.expand(apart, shape=pairs)  # (1, a, 1, b) -> (m, a, n, b)
    joined = tuple(count * size for count, size in zip(repeats, shape, strict=True))
    return ops.reshape(ops.clone(wide), shape=joined)


def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Each value (of the flat tensor, or along `dim`) repeated.

    Example:
        >>> import autograd
        >>> autograd.repeat_interleave(autograd.tensor([1, 2]), 2)
        tensor([1, 1, 2, 2])
    """
    x = ravel(input) if dim is None or raw(input).ndim == 0 else input
    axis = 0 if dim is None else one_dim("repeat_interleave", dim, x.ndim)
    size, counts = raw(x).shape[axis], np.asarray(raw(repeats))
    if counts.ndim > 1 or counts.dtype.kind not in "iu" or counts.size not in (1, size):
        raise ValueError(
            f"repeat_interleave: repeats must be a number or {size} integers, "
            f"got {counts.dtype} of shape {counts.shape}"
        )
    if counts.min(initial=0) < 0:
        raise ValueError(f"repeat_interleave: repeats must not be negative, got {counts.min()}")
    index = np.repeat(np.arange(size), counts)
    return ops.getitem(x, index=along(axis, index))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along an axis.

    Raises:
        ValueError: there are none, or their other axes differ.

    Example:
        >>> import autograd
        >>> autograd.cat([autograd.tensor([1.0]), autograd.tensor([2.0, 3.0])])
        tensor([1., 2., 3.])
    """
    parts = [tensor_of("cat", tensor, "each of tensors") for tensor in tensors]
    if not parts:
        raise ValueError("cat: expected at least one tensor")
    # as in PyTorch, an empty vector joins tensors of any shape
    parts = [part for part in parts if raw(part).shape != (0,)] or parts
    shapes = [raw(part).shape for part in parts]
    if not shapes[0]:
        raise ShapeError("cat: 0-d tensors cannot be joined; stack them")
    axis = one_dim("cat", dim, len(shapes[0]))
    for shape in shapes[1:]:
        if len(shape) != len(shapes[0]) or any(
            a != b for k, (a, b) in enumerate(zip(shape, shapes[0], strict=True)) if k != axis
        ):
            raise ShapeError(f"cat: shapes {shapes[0]} and {shape} differ off dim {axis}")
    return ops.cat(*parts, dim=axis)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis.

    Example:
        >>> import autograd
        >>> autograd.stack([autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0])])
        tensor([[1., 2.],
                [3., 4.]])
    """
    parts = list(tensors)
    if not parts:
        raise ValueError("stack: expected at least one tensor")
    first = raw(parts[0]).shape
    for part in parts:
        if raw(part).shape != first:
            raise ShapeError(f"stack: shapes {first} and {raw(part).shape} differ")
    axis = one_dim("stack", dim, len(first) + 1)
    return ops.cat(*(unsqueeze(part, axis) for part in parts), dim=axis)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side: along the second axis, or the first of vectors.

    Example:
        >>> import autograd
        >>> autograd.hstack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
        tensor([1, 2, 3, 4])
    """
    parts = [part if raw(part).ndim else unsqueeze(part, 0) for part in tensors]
    return cat(parts, 0 if raw(parts[0]).ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors one above the other; vectors become rows.

    Example:
        >>> import autograd
        >>> autograd.vstack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
        tensor([[1, 2],
                [3, 4]])
    """
    return cat([part if raw(part).ndim > 1 else reshape(part, (1, -1)) for part in tensors], 0)


def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of consecutive parts along an axis, of one size or of the sizes given.

    Example:
        >>> import autograd
        >>> autograd.split(autograd.arange(5), 2)
        (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    axis = one_dim("split", dim, tensor_of("split", tensor).ndim)
    total = raw(tensor).shape[axis]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0:
            raise ValueError(f"split: split_size must be positive, got {step}")
        sizes = [min(step, total - start) for start in range(0, total, step)] or [0]
    else:
        sizes = [int(size) for size in split_size_or_sections]
        if sum(sizes) != total or any(size < 0 for size in sizes):
            raise ShapeError(f"split: sections {sizes} do not add up to the size {total}")
    ends = np.cumsum(sizes)
    return tuple(
        ops.getitem(tensor, index=along(axis, slice(int(end) - size, int(end))))
        for size, end in zip(sizes, ends, strict=True)
    )


def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of at most `chunks` consecutive parts of equal size, the last one smaller.

    Example:
        >>> import autograd
        >>> autograd.chunk(autograd.arange(5), 2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    if chunks <= 0:
        raise ValueError(f"chunk: chunks must be positive, got {chunks}")
    total = raw(input).shape[one_dim("chunk", dim, input.ndim)]
    if total == 0:
        return split(input, [0] * chunks, dim)
    return split(input, max(-(-total // chunks), 1), dim)


def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of each slice along an axis, without that axis.

    Example:
        >>> import autograd
        >>> autograd.unbind(autograd.tensor([[1, 2], [3, 4]]))
        (tensor([1, 2]), tensor([3, 4]))
    """
    axis = one_dim("unbind", dim, tensor_of("unbind", input).ndim)
    return tuple(select(input, axis, place) for place in range(raw(input).shape[axis]))


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Views of 1-d tensors as the coordinates of a grid.

    Args:
        tensors: one for each axis, or one sequence of them.
        indexing: "ij", or "xy", where the first two axes of the grid are exchanged.

    Example:
        >>> import autograd
        >>> rows, columns = autograd.meshgrid(autograd.arange(2), autograd.arange(3))
        >>> columns
        tensor([[0, 1, 2],
                [0, 1, 2]])
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', got {indexing!r}")
    parts = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    shape = tuple(raw(part).size for part in parts)
    grids = []
    for axis, part in enumerate(parts):
        if raw(part).ndim > 1:
            raise ShapeError(f"meshgrid: expected 1-d tensors, got shape {raw(part).shape}")
        apart = [1] * len(parts)
        apart[axis] = shape[axis]
        column = ops.reshape(part, shape=tuple(apart))  # (n,) -> (1, n, 1)
        grid = ops.expand(column, shape=shape)
        grids.append(transpose(grid, 0, 1) if indexing == "xy" and len(parts) > 1 else grid)
    return tuple(grids)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors behind each other: along the third axis.

    Example:
        >>> import autograd
        >>> autograd.dstack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
        tensor([[[1, 3],
                 [2, 4]]])
    """
    return cat([atleast_3d(part) for part in tensors], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """The tensors side by side; vectors become columns.

    Example:
        >>> import autograd
        >>> autograd.column_stack([autograd.tensor([1, 2]), autograd.tensor([3, 4])])
        tensor([[1, 3],
                [2, 4]])
    """
    columns = [part if raw(part).ndim > 1 else reshape(part, (-1, 1)) for part in tensors]
    return cat(columns, 1)


def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Views of parts along an axis: of nearly equal size, or between the indices given.

    Example:
        >>> import autograd
        >>> autograd.tensor_split(autograd.arange(5), 2)
        (tensor([0, 1, 2]), tensor([3, 4]))
    """
    axis = one_dim("tensor_split", dim, tensor_of("tensor_split", input).ndim)
    total = raw(input).shape[axis]
    if isinstance(indices_or_sections, int):
        if indices_or_sections < 1:
            raise ValueError(f"tensor_split: sections must be positive, got {indices_or_sections}")
        small, more = divmod(total, indices_or_sections)
        ends = [k * small + (k if k < more else more) for k in range(1, indices_or_sections)]
    else:
        ends = [int(index) for index in raw(indices_or_sections)]
    bounds = [slice(a, b) for a, b in zip([None, *ends], [*ends, None], strict=True)]
    return tuple(ops.getitem(input, index=along(axis, part)) for part in bounds)


concat = concatenate = cat
