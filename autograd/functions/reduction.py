"""Reductions, cumulative operations and sorting, under PyTorch's names."""

from __future__ import annotations

from math import prod as product_of
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import ops
from autograd.dtypes import get_default_dtype
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import Dims, all_dims, constant, one_dim, raw, tensor_of
from autograd.functions.indexing import gather

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "aminmax",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "bincount",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "logsumexp",
    "max",
    "mean",
    "min",
    "norm",
    "prod",
    "sort",
    "std",
    "std_mean",
    "sum",
    "topk",
    "var",
    "var_mean",
]


class ValuesIndices(NamedTuple):
    """Chosen values and where they stood."""

    values: Tensor
    indices: Tensor


def converted(input: Tensor, dtype: Any) -> Tensor:
    return input if dtype is None else input.to(dtype)


def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum over all axes, or over those in `dim`.

    Args:
        input: of any shape.
        dim: the axes to sum over; all when None.
        keepdim: keep them, at size 1.
        dtype: convert to this first; integers and booleans sum to int64 otherwise.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> autograd.sum(x, dim=0)
        tensor([4., 6.])
    """
    x = converted(tensor_of("sum", input), dtype)
    return ops.sum(x, dim=all_dims("sum", dim, x.ndim), keepdim=keepdim)


def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The arithmetic mean over all axes, or over those in `dim`; NaN of nothing.

    Raises:
        TypeError: the input is not floating-point.

    Example:
        >>> import autograd
        >>> autograd.mean(autograd.tensor([1.0, 2.0, 6.0]))
        tensor(3.)
    """
    x = converted(tensor_of("mean", input), dtype)
    if raw(x).dtype.kind not in "fc":
        raise DtypeError(f"mean: input must be floating-point, got {raw(x).dtype}; pass a dtype")
    dims = all_dims("mean", dim, x.ndim)
    total = ops.sum(x, dim=dims, keepdim=keepdim)
    return ops.div(total, product_of(x.shape[axis] for axis in dims))


def var(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The variance, ``sum((x - mean(x)) ** 2) / (n - correction)``.

    Args:
        input: floating-point, of any shape.
        dim: the axes to reduce; all when None.
        unbiased: ``correction = 1`` if True (the default), 0 if False.
        keepdim: keep the reduced axes, at size 1.
        correction: Bessel's correction, in place of `unbiased`.

    Example:
        >>> import autograd
        >>> autograd.var(autograd.tensor([1.0, 2.0, 6.0]))
        tensor(7.)
    """
    return var_mean(input, dim, unbiased, keepdim, correction=correction)[0]


def var_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The variance, as `var`, and the mean."""
    if isinstance(dim, bool):  # PyTorch's short form var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ValueError("var: give unbiased or correction, not both")
    x = tensor_of("var", input)
    dims = all_dims("var", dim, x.ndim)
    bessel = correction if correction is not None else (1 if unbiased in (None, True) else 0)
    centre = mean(x, dims, keepdim=True) if x.ndim else mean(x)
    apart = ops.sub(x, centre)
    squares = ops.sum(ops.mul(apart, apart), dim=dims, keepdim=keepdim)
    count = product_of(x.shape[axis] for axis in dims)
    variance = ops.div(squares, float(np.maximum(count - bessel, 0)))
    shape = raw(variance).shape
    return variance, ops.reshape(centre, shape=shape)


def std(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Tensor:
    """The standard deviation, the square root of `var`; its derivative where it is 0 is 0.

    Example:
        >>> import autograd
        >>> autograd.std(autograd.tensor([1.0, 3.0]), correction=0)
        tensor(1.)
    """
    return root(var(input, dim, unbiased, keepdim, correction=correction))


def std_mean(
    input: Tensor,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Tensor, Tensor]:
    """The standard deviation, as `std`, and the mean."""
    variance, centre = var_mean(input, dim, unbiased, keepdim, correction=correction)
    return root(variance), centre


def root(variance: Tensor) -> Tensor:
    zero = raw(variance) == 0
    return ops.where(zero, 0.0, ops.sqrt(ops.where(zero, 1.0, variance)))


def prod(
    input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The product over all axes, or over one.

    Example:
        >>> import autograd
        >>> autograd.prod(autograd.tensor([2.0, 3.0, 4.0]))
        tensor(24.)
    """
    x = converted(tensor_of("prod", input), dtype)
    return ops.prod(x, dim=all_dims("prod", dim, x.ndim), keepdim=keepdim)


def not_empty(name: str, x: Tensor, dims: tuple[int, ...]) -> None:
    if any_zero(x.shape[axis] for axis in dims):
        raise ShapeError(f"{name}: nothing to choose from in a tensor of shape {tuple(x.shape)}")


def any_zero(sizes: Any) -> bool:
    return 0 in tuple(sizes)


def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The largest value over axes; ties share the gradient evenly.

    Example:
        >>> import autograd
        >>> autograd.amax(autograd.tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
        tensor([4., 3.])
    """
    x = tensor_of("amax", input)
    dims = all_dims("amax", dim, x.ndim)
    not_empty("amax", x, dims)
    return ops.amax(x, dim=dims, keepdim=keepdim)


def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """The smallest value over axes; ties share the gradient evenly."""
    x = tensor_of("amin", input)
    dims = all_dims("amin", dim, x.ndim)
    not_empty("amin", x, dims)
    return ops.amin(x, dim=dims, keepdim=keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Any, Any]:
    """The smallest and the largest value."""
    return amin(input, dim, keepdim), amax(input, dim, keepdim)


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


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements, or all along `dim`, are nonzero."""
    x = tensor_of("all", input)
    return constant(np.all(raw(x), axis=all_dims("all", dim, x.ndim), keepdims=keepdim))


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element, or any along `dim`, is nonzero."""
    x = tensor_of("any", input)
    return constant(np.any(raw(x), axis=all_dims("any", dim, x.ndim), keepdims=keepdim))


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements, of all or along `dim`, are nonzero."""
    x = tensor_of("count_nonzero", input)
    return constant(np.count_nonzero(raw(x), axis=all_dims("count_nonzero", dim, x.ndim)))


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs in a 1-d tensor, or the sum of its weights.

    Example:
        >>> import autograd
        >>> autograd.bincount(autograd.tensor([0, 2, 2]))
        tensor([1, 0, 2])
    """
    return constant(np.bincount(raw(input), raw(weights), minlength))


def logsumexp(input: Tensor, dim: Dims, keepdim: bool = False) -> Tensor:
    """``log(sum(exp(input)))`` over axes, without overflow.

    Example:
        >>> import autograd
        >>> autograd.logsumexp(autograd.tensor([1000.0, 1000.0]), dim=0)
        tensor(1000.6932)
    """
    x = tensor_of("logsumexp", input)
    if raw(x).dtype.kind not in "fc":
        x = x.to(get_default_dtype())
    return ops.logsumexp(x, dim=all_dims("logsumexp", dim, x.ndim), keepdim=keepdim)


def norm(
    input: Tensor,
    p: float | str = "fro",
    dim: Dims = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The vector norm, ``sum(|x| ** p) ** (1 / p)``, over all axes or over `dim`.

    Args:
        input: floating-point.
        p: the order; "fro" is 2; inf and -inf give the largest and smallest absolute value, 0
            the number of nonzero values.
        dim: the axes to reduce; all when None.
        keepdim: keep them, at size 1.
        dtype: convert to this first.

    Example:
        >>> import autograd
        >>> autograd.norm(autograd.tensor([3.0, 4.0]))
        tensor(5.)
    """
    x = converted(tensor_of("norm", input), dtype)
    dims = all_dims("norm", dim, x.ndim)
    order = 2.0 if p == "fro" else p
    if isinstance(order, str):
        raise ValueError(f"norm: p must be a number or 'fro', got {p!r}")
    if raw(x).dtype.kind not in "fc":
        raise DtypeError(f"norm: input must be floating-point, got {raw(x).dtype}")
    if order == 0:
        count = np.count_nonzero(raw(x), axis=dims, keepdims=keepdim)
        return constant(np.asarray(count).astype(raw(x).dtype))
    if order == 1:
        return ops.sum(ops.abs(x), dim=dims, keepdim=keepdim)
    if order in (float("inf"), float("-inf")):
        return (ops.amax if order > 0 else ops.amin)(ops.abs(x), dim=dims, keepdim=keepdim)
    return ops.vector_norm(x, order=float(order), dim=dims, keepdim=keepdim)


def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running sum along an axis.

    Example:
        >>> import autograd
        >>> autograd.cumsum(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 3., 6.])
    """
    x = converted(tensor_of("cumsum", input), dtype)
    axis = one_dim("cumsum", dim, x.ndim)
    return ops.cumsum(x, dim=axis) if x.ndim else ops.clone(x)


def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The running product along an axis.

    Example:
        >>> import autograd
        >>> autograd.cumprod(autograd.tensor([1.0, 2.0, 3.0]), dim=0)
        tensor([1., 2., 6.])
    """
    x = converted(tensor_of("cumprod", input), dtype)
    axis = one_dim("cumprod", dim, x.ndim)
    return ops.cumprod(x, dim=axis) if x.ndim else ops.clone(x)


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> Tensor:
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
    indices = np.ascontiguousarray(np.take(order, np.arange(k), axis=axis) if x.ndim else order)
    return ValuesIndices(gather(x, axis, constant(indices)), constant(indices))
