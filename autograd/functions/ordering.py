"""The largest, the smallest and the order of values, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import constant, one_dim, raw, tensor_of
from autograd.functions.indexing import along, gather
from autograd.functions.reduction import amax, amin, not_empty

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "argmax",
    "argmin",
    "argsort",
    "bucketize",
    "max",
    "median",
    "min",
    "quantile",
    "searchsorted",
    "sort",
    "topk",
    "unique",
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
    """The smallest value of all; along `dim`, values and indices; of two tensors, `minimum`.

    Example:
        >>> import autograd
        >>> autograd.min(autograd.tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1).values
        tensor([1., 2.])
    """
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
    return chosen(x, axis, np.expand_dims(choose(raw(x), axis=axis), axis), keepdim)


def chosen(x: Tensor, axis: int, places: Any, keepdim: bool) -> ValuesIndices:
    """One value along an axis, and its place; `places` has the axis at size 1."""
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
    """Where the smallest value stands: the first of them, in the flat tensor or along `dim`.

    Example:
        >>> import autograd
        >>> autograd.argmin(autograd.tensor([1.0, -5.0, 2.0]))
        tensor(1)
    """
    return place_of(np.argmin, "argmin", input, dim, keepdim)


def place_of(choose: Any, name: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    x = tensor_of(name, input)
    axis = None if dim is None else one_dim(name, dim, x.ndim)
    axis = axis if x.ndim else None
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


def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The value in the middle, of two the lower; along `dim`, values and indices; NaN if any is.

    Without `dim` equal values share the gradient evenly.

    Example:
        >>> import autograd
        >>> autograd.median(autograd.tensor([3.0, 1.0, 2.0, 10.0]))
        tensor(2.)
    """
    x = tensor_of("median", input)
    if dim is None:
        return middle_of_all(x)
    axis = one_dim("median", dim, x.ndim)
    if x.ndim == 0:
        return ValuesIndices(ops.clone(x), constant(np.array(0)))
    not_empty("median", x, (axis,))
    order = raw(argsort(x, axis))
    middle = np.full(1, (x.shape[axis] - 1) // 2)
    places = np.take(order, middle, axis=axis)
    last = np.take(order, np.array([x.shape[axis] - 1]), axis=axis)
    broken = np.isnan(np.take_along_axis(raw(x), last, axis))  # NaN sorts to the end
    first = np.expand_dims(np.argmax(np.isnan(raw(x)), axis=axis), axis)
    return chosen(x, axis, np.where(broken, first, places), keepdim)


def middle_of_all(x: Tensor) -> Tensor:
    """The median of the flat tensor, as the largest of the values that are equal to it."""
    floating = raw(x).dtype.kind == "f"
    if raw(x).size == 0 and floating:
        return constant(np.array(np.nan, raw(x).dtype))
    not_empty("median", x, tuple(range(x.ndim)))
    ordered = np.sort(raw(x), axis=None)
    middle = ordered[(ordered.size - 1) // 2]
    if not floating:
        return constant(middle)
    if np.isnan(ordered[-1]):
        return amax(x)
    return amax(ops.where(raw(x) == middle, x, -np.inf))


def quantile(
    input: Tensor,
    q: Tensor | float,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The value below which a share q of the values lies.

    Args:
        input: floating-point.
        q: a number from 0 to 1, or a 1-d tensor of such; then its axis comes first.
        dim: the axis; the flat tensor when None.
        keepdim: keep the axis, at size 1.
        interpolation: between neighbours: "linear", "lower", "higher", "nearest" or "midpoint".

    Raises:
        ValueError: q is out of range, there are no values, or the interpolation is unknown.

    Example:
        >>> import autograd
        >>> autograd.quantile(autograd.tensor([0.0, 1.0, 2.0, 4.0]), 0.75)
        tensor(2.5000)
    """
    x = tensor_of("quantile", input)
    if raw(x).dtype.kind != "f":
        raise DtypeError(f"quantile: input must be floating-point, got {raw(x).dtype}")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"quantile: interpolation is {interpolation!r}, expected one of "
            f"{', '.join(INTERPOLATIONS)}"
        )
    shares = np.asarray(raw(q), np.float64)
    if shares.ndim > 1 or np.any((shares < 0) | (shares > 1)):
        raise ValueError("quantile: q must be a number or a 1-d tensor, each from 0 to 1")
    rank = x.ndim
    if dim is None or rank == 0:
        x, axis = ops.reshape(x, shape=(raw(x).size,)), 0
    else:
        axis = one_dim("quantile", dim, rank)
    not_empty("quantile", x, (axis,))
    ordered = sort(x, axis).values
    broken = np.isnan(raw(ordered)).any(axis=axis, keepdims=True)
    position = shares.reshape(-1) * (x.shape[axis] - 1)
    lower, part = INTERPOLATIONS[interpolation](position)
    upper = np.minimum(lower + 1, x.shape[axis] - 1)
    sizes = [-1 if k == axis else 1 for k in range(x.ndim)]
    weight = part.reshape(sizes).astype(raw(x).dtype)  # (Q,) -> (1..., Q, 1...)
    low = ops.getitem(ordered, index=along(axis, lower))
    high = ops.getitem(ordered, index=along(axis, upper))
    found = ops.where(weight == 0, low, ops.add(low, ops.mul(ops.sub(high, low), weight)))
    found = ops.where(broken, np.nan, found)
    others = [size for k, size in enumerate(x.shape) if k != axis]
    count = shares.size
    order = (axis, *(k for k in range(x.ndim) if k != axis))
    found = ops.permute(found, dims=order)  # (..., Q, ...) -> (Q, ...)
    if keepdim:
        kept = [1] * rank if dim is None else [1 if k == axis else s for k, s in enumerate(x.shape)]
        others = kept if rank else []
    return ops.reshape(found, shape=(*([count] if shares.ndim else []), *others))


INTERPOLATIONS: dict[str, Any] = {
    "linear": lambda p: (np.floor(p).astype(np.intp), p - np.floor(p)),
    "lower": lambda p: (np.floor(p).astype(np.intp), np.zeros_like(p)),
    "higher": lambda p: (np.ceil(p).astype(np.intp), np.zeros_like(p)),
    "nearest": lambda p: (np.round(p).astype(np.intp), np.zeros_like(p)),
    "midpoint": lambda p: (np.floor(p).astype(np.intp), np.where(p == np.floor(p), 0.0, 0.5)),
}
"""From a fractional position: the index below it, and the weight of the next."""


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different values in ascending order; on request the place of each element among them,
    and how often each occurs. With `dim` the different slices along an axis.

    Example:
        >>> import autograd
        >>> autograd.unique(autograd.tensor([3, 1, 3]), return_counts=True)
        (tensor([1, 3]), tensor([1, 2]))
    """
    array = raw(tensor_of("unique", input))
    axis = None if dim is None else one_dim("unique", dim, array.ndim)
    values, inverse, counts = np.unique(
        array, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    results = [constant(values)]
    if return_inverse:
        # (n,) -> (...)
        results.append(constant(inverse.reshape(array.shape if axis is None else -1)))
    if return_counts:
        results.append(constant(counts))
    return tuple(results) if len(results) > 1 else results[0]


def searchsorted(
    sorted_sequence: Tensor, input: Any, *, right: bool = False, side: str | None = None
) -> Tensor:
    """Where values belong in a sorted 1-d sequence: before equal ones, or after with `right`.

    Args:
        sorted_sequence: in ascending order.
        input: the values, a tensor or a number.
        right: whether after equal ones.
        side: "left" or "right", another way to say that.

    Example:
        >>> import autograd
        >>> autograd.searchsorted(autograd.tensor([1, 3, 5]), autograd.tensor([3, 4]))
        tensor([1, 2])
    """
    if raw(sorted_sequence).ndim != 1:
        raise ShapeError(
            f"searchsorted: expected a 1-d sequence, got shape {raw(sorted_sequence).shape}"
        )
    if side not in (None, "left", "right") or (right and side == "left"):
        raise ValueError(f"searchsorted: side {side!r} is none, or contradicts right={right}")
    after: Any = side or ("right" if right else "left")
    return constant(np.searchsorted(raw(sorted_sequence), raw(input), after))


def bucketize(input: Any, boundaries: Tensor, *, right: bool = False) -> Tensor:
    """The number of the bucket of each value; bucket i ends with ``boundaries[i]``.

    Example:
        >>> import autograd
        >>> autograd.bucketize(autograd.tensor([0.5, 2.0]), autograd.tensor([1.0, 2.0]))
        tensor([0, 1])
    """
    return searchsorted(boundaries, input, right=right)
