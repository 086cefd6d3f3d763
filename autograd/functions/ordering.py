"""The largest, the smallest and the order of values, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import constant, one_dim, raw, tensor_of
from autograd.functions.indexing import gather
from autograd.functions.reduction import amax, amin, not_empty

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "max",
    "min",
    "sort",
    "topk",
]


class ValuesIndices(NamedTuple):
    """Chosen values and where they stood."""

    values: Tensor
    indices: Tensor


def max(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest value of all; along `dim`, values and indices; of two tensors, `maximum`.

    Without `dim` ties share the gradient evenly; with `dim` the first of them gets it.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[1.0, 4.0], [3.0, 2.0]])
        >>> autograd.max(x)
        tensor(4.)
        >>> autograd.max(x, dim=1).indices
        tensor([1, 0])
    """
    return extreme("max", input, dim, keepdim)


def min(input: Tensor, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest value of all; along `dim`, values and indices; of two tensors, `minimum`."""
    return extreme("min", input, dim, keepdim)


def extreme(name: str, input: Tensor, dim: Any, keepdim: bool) -> Any:
    x = tensor_of(name, input)
    if dim is None:
        return (amax if name == "max" else amin)(x)
    if hasattr(dim, "requires_grad"):
        return (ops.maximum if name == "max" else ops.minimum)(x, dim)
    axis = one_dim(name, dim, x.ndim)
    if x.ndim == 0:
        return ValuesIndices(ops.clone(x), constant(np.array(0)))
    not_empty(name, x, (axis,))
    choose = np.argmax if name == "max" else np.argmin
    places = np.expand_dims(choose(raw(x), axis=axis), axis)
    values = gather(x, axis, constant(places))
    if keepdim:
        return ValuesIndices(values, constant(places))
    shape = tuple(size for k, size in enumerate(x.shape) if k != axis)
    return ValuesIndices(ops.reshape(values, shape=shape), constant(places.reshape(shape)))


def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the largest value stands: the first of them, in the flat tensor or along `dim`.

    Example:
        >>> import autograd
        >>> autograd.argmax(autograd.tensor([1.0, 5.0, 2.0]))
        tensor(1)
    """
    return place_of(np.argmax, "argmax", input, dim, keepdim)


def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the smallest value stands: the first of them, in the flat tensor or along `dim`."""
    return place_of(np.argmin, "argmin", input, dim, keepdim)


def place_of(choose: Any, name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    x = tensor_of(name, input)
    axis = None if dim is None or x.ndim == 0 else one_dim(name, dim, x.ndim)
    not_empty(name, x, tuple(range(x.ndim)) if axis is None else (axis,))
    return constant(choose(raw(x), axis=axis, keepdims=keepdim and x.ndim > 0))


def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """The indices that sort along an axis; equal values keep their order, asked for or not.

    Example:
        >>> import autograd
        >>> autograd.argsort(autograd.tensor([3.0, 1.0, 2.0]))
        tensor([1, 2, 0])
    """
    x = raw(tensor_of("argsort", input))
    axis = one_dim("argsort", dim, x.ndim)
    if x.ndim == 0:
        return constant(np.array(0))
    if not descending:
        return constant(np.argsort(x, axis=axis, kind="stable"))
    backward = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return constant(np.flip(x.shape[axis] - 1 - backward, axis).copy())


def sort(
    input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False
) -> ValuesIndices:
    """Values in ascending or descending order along an axis, and where they stood.

    Example:
        >>> import autograd
        >>> autograd.sort(autograd.tensor([3.0, 1.0, 2.0])).values
        tensor([1., 2., 3.])
    """
    indices = argsort(input, dim, descending)
    return ValuesIndices(gather(input, dim, indices), indices)


def topk(
    input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> ValuesIndices:
    """The k largest (or smallest) values along an axis, in order, and where they stood.

    Raises:
        ValueError: there are fewer than k.

    Example:
        >>> import autograd
        >>> autograd.topk(autograd.tensor([3.0, 1.0, 2.0]), 2).values
        tensor([3., 2.])
    """
    x = tensor_of("topk", input)
    axis = one_dim("topk", dim, x.ndim)
    size = x.shape[axis] if x.ndim else 1
    if not 0 <= k <= size:
        raise ShapeError(f"topk: k={k} is out of range for an axis of size {size}")
    order = raw(argsort(x, axis, descending=largest))
    indices = np.take(order, np.arange(k), axis=axis) if x.ndim else order
    return ValuesIndices(gather(x, axis, constant(indices)), constant(indices))
