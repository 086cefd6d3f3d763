"""Reading and writing by index, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import (
    Number,
    constant,
    index_array,
    one_dim,
    raw,
    scaled,
    tensor_of,
)
from autograd.functions.arithmetic import filled
from autograd.inplace import write
from autograd.ops.index import Place

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "argwhere",
    "gather",
    "index_add",
    "index_fill",
    "index_select",
    "masked_select",
    "narrow",
    "nonzero",
    "scatter",
    "scatter_add",
    "select",
    "take",
    "take_along_dim",
]


def normal_index(name: str, index: Any) -> tuple[Any, ...]:
    """An index in NumPy's form: a tuple with plain numbers, slices and arrays of its own."""
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(normal_part(name, part) for part in parts)


def normal_part(name: str, part: Any) -> Any:
    if part is None or part is Ellipsis or isinstance(part, slice):
        return part
    if isinstance(part, (bool, np.bool_)):
        return np.asarray(part)
    if isinstance(part, (int, np.integer)):
        return int(part)
    try:
        array = np.array(raw(part))
    except ValueError:
        raise IndexError(f"{name}: an index has rows of different lengths: {part!r}") from None
    if array.size == 0 and array.dtype.kind == "f" and not hasattr(part, "dtype"):
        array = array.astype(np.intp)  # an empty list
    if array.dtype.kind not in "iub":
        raise IndexError(f"{name}: an index must be of integers or booleans, got {array.dtype}")
    if array.ndim == 0 and array.dtype.kind != "b":
        return int(array)
    return array


def numbers_first(index: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """An index as two, one after the other, where PyTorch and NumPy differ; None where not.

    In ``x[0, :, [1, 2]]`` a number stands apart from an array. NumPy takes both for arrays and
    puts the axis that they make first; PyTorch picks by the number, and then by the array.
    """
    if len(index) < 3:
        return None
    advanced = [k for k, part in enumerate(index) if isinstance(part, (int, np.ndarray))]
    apart = len(advanced) > 1 and advanced[-1] - advanced[0] >= len(advanced)
    if not apart or {type(index[k]) for k in advanced} != {int, np.ndarray}:
        return None
    basic: list[Any] = []
    rest: list[Any] = []
    for part in index:
        if isinstance(part, np.ndarray):
            basic += [slice(None)] * (part.ndim if part.dtype.kind == "b" else 1)
            rest.append(part)
        else:
            basic.append(part)
            if not isinstance(part, int):
                rest.append(part if part is Ellipsis else slice(None))
    return tuple(basic), tuple(rest)


def read(input: Tensor, index: Any) -> Tensor:
    """``input[index]`` by NumPy's rules, but for `numbers_first`.

    Raises:
        IndexError: the index does not fit.
    """
    given = normal_index("getitem", index)
    result = input
    for step in numbers_first(given) or (given,):
        try:
            result = ops.getitem(result, index=step)
        except IndexError as error:
            raise IndexError(f"getitem: {error} (tensor of shape {raw(result).shape})") from None
    return result


def assign(input: Tensor, index: Any, value: Any) -> None:
    """``input[index] = value`` by the same rules.

    Raises:
        IndexError: the index does not fit.
        ValueError: the value does not.
    """
    given = normal_index("setitem", index)
    steps = numbers_first(given)
    if steps is None:
        write("setitem", input, given, value)
        return
    try:
        part = ops.getitem(input, index=steps[0])
    except IndexError as error:
        raise IndexError(f"setitem: {error} (tensor of shape {raw(input).shape})") from None
    write("setitem", part, steps[1], value)


def counted(name: str, input: Tensor, dim: int, index: Any) -> Any:
    """The index of `gather` and `scatter` as an array of its own, which fits the input."""
    array = index_array(name, index)
    shape = raw(input).shape
    if array.ndim != len(shape):
        raise ShapeError(
            f"{name}: index has {array.ndim} dimensions, input {len(shape)} "
            f"(index {array.shape}, input {shape})"
        )
    if array.size and any(
        size > limit
        for axis, (size, limit) in enumerate(zip(array.shape, shape, strict=True))
        if axis != dim
    ):
        raise ShapeError(f"{name}: index {array.shape} is larger than input {shape} off dim {dim}")
    own = array.astype(np.int64)
    # without a sign, what is negative is large
    if shape and own.size and own.view(np.uint64).max() >= shape[dim]:
        raise IndexError(
            f"{name}: index {int(array.min() if array.min() < 0 else array.max())} is out of "
            f"range for dim {dim} of size {shape[dim]}"
        )
    return own


def mesh(name: str, input: Tensor, dim: int, index: Any) -> tuple[Any, ...]:
    """The full index of `scatter`: each axis by position, `dim` by the index."""
    array = counted(name, input, dim, index)
    if not array.ndim:
        return (Ellipsis,)
    grid = list(np.ogrid[tuple(slice(size) for size in array.shape)])
    grid[dim] = array
    return tuple(grid)


def gather(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The values at an index along one axis: ``out[i, j] = input[i, index[i, j]]`` for dim 1.

    Args:
        input: of n dimensions.
        dim: the axis that the index counts along.
        index: integers, n dimensions, no larger than the input off `dim`.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> autograd.gather(x, 1, autograd.tensor([[0], [1]]))
        tensor([[1.],
                [4.]])
    """
    axis = one_dim("gather", dim, tensor_of("gather", input).ndim)
    places = counted("gather", input, axis, index)
    return ops.gather(input, dim=axis, index=places) if places.ndim else ops.clone(input)


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """As `gather`, with `indices` and input broadcast; in the flat tensor when `dim` is None.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[3.0, 1.0], [2.0, 5.0]])
        >>> autograd.take_along_dim(x, x.argsort(1), 1)
        tensor([[1., 3.],
                [2., 5.]])
    """
    if dim is None:
        return gather(ops.reshape(input, shape=(-1,)), 0, constant(raw(indices).reshape(-1)))
    axis = one_dim("take_along_dim", dim, input.ndim)
    shape = np.broadcast_shapes(
        *(
            tuple(1 if k == axis else s for k, s in enumerate(raw(t).shape))
            for t in (input, indices)
        )
    )
    size = raw(indices).shape[axis]
    full = np.broadcast_to(raw(indices), (*shape[:axis], size, *shape[axis + 1 :]))
    wide = (*shape[:axis], raw(input).shape[axis], *shape[axis + 1 :])
    return gather(ops.expand(input, shape=wide), axis, constant(full))


def scatter_source(name: str, src: Any, index: Any) -> Any:
    """The part of the source that the index covers."""
    array = index_array(name, index)
    values = raw(src)
    if np.ndim(values) == 0 and not hasattr(src, "requires_grad"):
        return src
    if np.ndim(values) != array.ndim or any(
        size > limit for size, limit in zip(array.shape, values.shape, strict=True)
    ):
        raise ShapeError(f"{name}: index {array.shape} is larger than src {np.shape(values)}")
    if values.shape == array.shape:
        return src
    return ops.getitem(src, index=tuple(slice(size) for size in array.shape))


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
) -> Tensor:
    """The input with ``out[i, index[i, j]] = src[i, j]``, for dim 1; the last write stays.

    Args:
        input: of n dimensions.
        dim: the axis that the index counts along.
        index: integers, n dimensions.
        src: at least as large as the index; or one number, which may also be given as `value`.
        value: in place of `src`.

    Example:
        >>> import autograd
        >>> x = autograd.zeros(3)
        >>> autograd.scatter(x, 0, autograd.tensor([2, 0]), autograd.tensor([5.0, 7.0]))
        tensor([7., 0., 5.])
    """
    axis = one_dim("scatter", dim, tensor_of("scatter", input).ndim)
    if (src is None) == (value is None):
        raise TypeError("scatter: expected either src or value")
    source = scatter_source("scatter", value if src is None else src, index)
    same_dtype("scatter", input, source)
    return ops.overwrite(input, source, place=Place(mesh("scatter", input, axis, index)))


def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """The input with ``src[i, j]`` added at ``[i, index[i, j]]``, for dim 1.

    Example:
        >>> import autograd
        >>> x = autograd.zeros(3)
        >>> autograd.scatter_add(x, 0, autograd.tensor([2, 2]), autograd.tensor([5.0, 7.0]))
        tensor([ 0.,  0., 12.])
    """
    axis = one_dim("scatter_add", dim, tensor_of("scatter_add", input).ndim)
    source = scatter_source("scatter_add", tensor_of("scatter_add", src, "src"), index)
    same_dtype("scatter_add", input, source)
    places = counted("scatter_add", input, axis, index)
    if not places.ndim:
        return ops.add(input, source)
    added = ops.scatter_sum(source, shape=raw(input).shape, dim=axis, index=places)
    return ops.add(input, added)


def same_dtype(name: str, input: Tensor, source: Any) -> None:
    if hasattr(source, "requires_grad") and raw(source).dtype != raw(input).dtype:
        raise DtypeError(f"{name}: input is {raw(input).dtype}, the source {raw(source).dtype}")


def along(dim: int, part: Any) -> tuple[Any, ...]:
    """The index that applies `part` to one axis."""
    return (slice(None),) * dim + (part,)


def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices along an axis that a 1-d index names, in its order.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[1.0, 2.0, 3.0]])
        >>> autograd.index_select(x, 1, autograd.tensor([2, 0]))
        tensor([[3., 1.]])
    """
    axis = one_dim("index_select", dim, tensor_of("index_select", input).ndim)
    array = index_array("index_select", index)
    if array.ndim > 1:
        raise ShapeError(f"index_select: index must be 1-d, got shape {array.shape}")
    size = input.shape[axis] if input.ndim else 1
    if array.size and (array.min() < 0 or array.max() >= size):
        raise IndexError(f"index_select: an index is out of range for dim {axis} of size {size}")
    if input.ndim == 0:
        if array.size != 1:
            raise ShapeError(f"index_select: a 0-d input takes one index, got {array.size}")
        return ops.clone(input)
    return ops.getitem(input, index=along(axis, np.atleast_1d(array).copy()))


def index_add(
    input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1
) -> Tensor:
    """The input with the slices of `source` added at the places that a 1-d index names.

    Example:
        >>> import autograd
        >>> places, values = autograd.tensor([2, 2]), autograd.tensor([1.0, 5.0])
        >>> autograd.index_add(autograd.zeros(3), 0, places, values)
        tensor([0., 0., 6.])
    """
    axis = one_dim("index_add", dim, tensor_of("index_add", input).ndim)
    array = np.atleast_1d(index_array("index_add", index)).copy()
    size = input.shape[axis] if input.ndim else 1
    if array.size and (array.min() < 0 or array.max() >= size):
        raise IndexError(f"index_add: an index is out of range for dim {axis} of size {size}")
    same_dtype("index_add", input, source)
    places = along(axis, array)
    wanted = raw(input)[places].shape
    if raw(source).shape != wanted:
        raise ShapeError(f"index_add: source has shape {raw(source).shape}, expected {wanted}")
    summed = ops.index_sum(
        scaled("index_add", "alpha", alpha, source, input), shape=raw(input).shape, index=places
    )
    return ops.add(input, summed)


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """The slice at one place of an axis, without that axis; a view.

    Example:
        >>> import autograd
        >>> autograd.select(autograd.tensor([[1, 2], [3, 4]]), 1, 0)
        tensor([1, 3])
    """
    axis = one_dim("select", dim, tensor_of("select", input).ndim)
    size = raw(input).shape[axis] if raw(input).ndim else 0
    if not -size <= index < size:
        raise IndexError(f"select: index {index} is out of range for dim {axis} of size {size}")
    return ops.getitem(input, index=along(axis, int(index)))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` places of an axis from `start` on; a view.

    Example:
        >>> import autograd
        >>> autograd.narrow(autograd.arange(5), 0, 1, 3)
        tensor([1, 2, 3])
    """
    axis = one_dim("narrow", dim, input.ndim)
    size = raw(input).shape[axis]
    first = int(start) + (size if start < 0 else 0)
    if not 0 <= first <= first + length <= size:
        raise IndexError(f"narrow: start {start}, length {length} exceed an axis of size {size}")
    return ops.getitem(input, index=along(axis, slice(first, first + length)))


def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The values where a boolean mask, which broadcasts, is True; 1-d.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([1.0, 2.0, 3.0])
        >>> autograd.masked_select(x, x > 1.5)
        tensor([2., 3.])
    """
    flags = raw(mask)
    if flags.dtype.kind != "b":
        raise DtypeError(f"masked_select: mask must be boolean, got {flags.dtype}")
    try:
        shape = np.broadcast_shapes(raw(input).shape, flags.shape)
    except ValueError:
        raise ShapeError(
            f"masked_select: shapes {raw(input).shape} and {flags.shape} do not broadcast"
        ) from None
    wide = ops.expand(input, shape=shape)
    return ops.getitem(wide, index=(np.array(np.broadcast_to(flags, shape)),))


def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The indices of nonzero elements: a row for each, or a tensor for each axis.

    Example:
        >>> import autograd
        >>> autograd.nonzero(autograd.tensor([0, 3, 4]))
        tensor([[1],
                [2]])
    """
    if as_tuple:
        return tuple(constant(part) for part in np.nonzero(np.atleast_1d(raw(input))))
    return constant(np.argwhere(raw(input)))


def argwhere(input: Tensor) -> Tensor:
    """The indices of nonzero elements, a row for each.

    Example:
        >>> import autograd
        >>> autograd.argwhere(autograd.tensor([0, 3, 4]))
        tensor([[1],
                [2]])
    """
    return constant(np.argwhere(raw(tensor_of("argwhere", input))))


def take(input: Tensor, index: Tensor) -> Tensor:
    """The values at places in the flat tensor, in the shape of the index.

    Example:
        >>> import autograd
        >>> autograd.take(autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([3, 0]))
        tensor([4., 1.])
    """
    places = np.array(index_array("take", index))
    size = raw(tensor_of("take", input)).size
    if places.size and (places.min() < -size or places.max() >= size):
        raise IndexError(f"take: an index is out of range for {size} values")
    flat = ops.reshape(input, shape=(size,))
    taken = ops.getitem(flat, index=(np.atleast_1d(places),))
    return ops.reshape(taken, shape=places.shape)


def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """The input with one value in the slices along an axis that a 1-d index names.

    Example:
        >>> import autograd
        >>> autograd.index_fill(autograd.zeros(3), 0, autograd.tensor([0, 2]), 7.0)
        tensor([7., 0., 7.])
    """
    axis = one_dim("index_fill", dim, tensor_of("index_fill", input).ndim)
    places = index_array("index_fill", index)
    size = input.shape[axis] if input.ndim else 1
    if places.size and (places.min() < -size or places.max() >= size):
        raise IndexError(f"index_fill: an index is out of range for dim {axis} of size {size}")
    named = np.zeros(size, dtype=bool)
    named[places] = True
    # (n,) -> (n, 1...)
    mask = named.reshape(-1, *(1,) * (input.ndim - axis - 1)) if input.ndim else named.any()
    return filled("index_fill", input, constant(mask), value)
