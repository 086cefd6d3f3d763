"""Running sums, products and extremes along an axis, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import constant, one_dim, raw, tensor_of
from autograd.functions.indexing import along, gather
from autograd.functions.joining import cat
from autograd.functions.ordering import ValuesIndices
from autograd.functions.reduction import converted

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "diff",
]


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along an axis.

    Example:
        >>> import autograd
        >>> autograd.cumsum(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    x = converted(tensor_of("cumsum", input), dtype)
    axis = one_dim("cumsum", dim, x.ndim)
    return converted(along_axis(ops.cumsum, x, axis), dtype)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along an axis.

    Example:
        >>> import autograd
        >>> autograd.cumprod(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 2., 6.])
    """
    x = converted(tensor_of("cumprod", input), dtype)
    axis = one_dim("cumprod", dim, x.ndim)
    return converted(along_axis(ops.cumprod, x, axis), dtype)


def along_axis(operation: Any, x: Tensor, axis: int) -> Tensor:
    """A cumulative operation; a 0-d tensor counts as one value along its axis."""
    if x.ndim:
        return operation(x, dim=axis)  # type: ignore[no-any-return]  # an Op gives a Tensor
    return ops.reshape(operation(ops.reshape(x, shape=(1,)), dim=0), shape=())


def cummax(input: Tensor, dim: int) -> ValuesIndices:
    """The largest value so far along an axis, and where it stands; of equal ones, the last.

    Example:
        >>> import autograd
        >>> autograd.cummax(autograd.tensor([1.0, 3.0, 2.0]), dim=0).values
        tensor([1., 3., 3.])
    """
    return extreme_so_far("cummax", np.maximum, input, dim)


def cummin(input: Tensor, dim: int) -> ValuesIndices:
    """The smallest value so far along an axis, and where it stands; of equal ones, the last.

    Example:
        >>> import autograd
        >>> autograd.cummin(autograd.tensor([3.0, 1.0, 2.0]), dim=0).values
        tensor([3., 1., 1.])
    """
    return extreme_so_far("cummin", np.minimum, input, dim)


def extreme_so_far(name: str, choose: Any, input: Tensor, dim: int) -> ValuesIndices:
    x = tensor_of(name, input)
    axis = one_dim(name, dim, x.ndim)
    if x.ndim == 0:
        return ValuesIndices(ops.clone(x), constant(np.array(0)))
    values = raw(x)
    best = choose.accumulate(values, axis=axis)
    reached = (values == best) | (values != values)  # NaN, once met, stays
    sizes = [-1 if k == axis else 1 for k in range(x.ndim)]
    steps = np.arange(values.shape[axis]).reshape(sizes)  # (n,) -> (1..., n, 1...)
    indices = constant(np.maximum.accumulate(np.where(reached, steps, 0), axis=axis))
    return ValuesIndices(gather(x, axis, indices), indices)


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours along an axis, taken n times; of booleans, whether they differ.

    Args:
        input: of at least one dimension.
        n: how often.
        dim: the axis.
        prepend: stands before the input along the axis.
        append: stands after it.

    Example:
        >>> import autograd
        >>> autograd.diff(autograd.tensor([1.0, 4.0, 9.0]))
        tensor([3., 5.])
    """
    x = tensor_of("diff", input)
    if x.ndim == 0:
        raise ShapeError("diff: expected at least 1 dimension, got a 0-d tensor")
    axis = one_dim("diff", dim, x.ndim)
    if prepend is not None or append is not None:
        x = cat([part for part in (prepend, x, append) if part is not None], axis)
    for _ in range(n):
        later = ops.getitem(x, index=along(axis, slice(1, None)))
        earlier = ops.getitem(x, index=along(axis, slice(None, -1)))
        if raw(x).dtype.kind == "b":
            x = constant(raw(later) ^ raw(earlier))
        else:
            x = ops.sub(later, earlier)
    return x
