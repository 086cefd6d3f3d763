"""Running sums, products and extremes along an axis, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.functions.arguments import one_dim, tensor_of
from autograd.functions.reduction import converted

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "cumprod",
    "cumsum",
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
