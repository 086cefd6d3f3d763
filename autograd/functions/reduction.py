"""Sums, means, norms and other reductions, under PyTorch's names."""

from __future__ import annotations

from math import prod as product_of
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.dtypes import get_default_dtype
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import Dims, all_dims, constant, raw, tensor_of

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "all",
    "amax",
    "amin",
    "aminmax",
    "any",
    "bincount",
    "count_nonzero",
    "dist",
    "logsumexp",
    "mean",
    "nanmean",
    "nansum",
    "norm",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


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
    return converted(ops.sum(x, dim=all_dims("sum", dim, x.ndim), keepdim=keepdim), dtype)


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
    count = product_of(x.shape[axis] for axis in dims)
    if raw(x).dtype == np.float16:  # whose sum may be out of range where the mean is not
        return mean(x.to(np.float32), dims, keepdim).to(np.float16)
    return ops.div(ops.sum(x, dim=dims, keepdim=keepdim), count)


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
    """The variance, as `var`, and the mean.

    Example:
        >>> import autograd
        >>> autograd.var_mean(autograd.tensor([1.0, 3.0]), correction=0)
        (tensor(1.), tensor(2.))
    """
    if isinstance(dim, bool):  # PyTorch's short form var(x, unbiased)
        dim, unbiased = None, dim
    if unbiased is not None and correction is not None:
        raise ValueError("var: give unbiased or correction, not both")
    x = tensor_of("var", input)
    dims = all_dims("var", dim, x.ndim)
    bessel = correction if correction is not None else (1 if unbiased in (None, True) else 0)
    if raw(x).dtype == np.float16:  # as in `mean`
        wide = var_mean(x.to(np.float32), dims, keepdim=keepdim, correction=bessel)
        return wide[0].to(np.float16), wide[1].to(np.float16)
    centre = mean(x, dims, keepdim=True) if x.ndim else mean(x)
    squares = ops.deviation(x, dim=dims, keepdim=keepdim)
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
    """The standard deviation, as `std`, and the mean.

    Example:
        >>> import autograd
        >>> autograd.std_mean(autograd.tensor([1.0, 3.0]), correction=0)
        (tensor(1.), tensor(2.))
    """
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
    return converted(ops.prod(x, dim=all_dims("prod", dim, x.ndim), keepdim=keepdim), dtype)


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
    """The smallest value over axes; ties share the gradient evenly.

    Example:
        >>> import autograd
        >>> autograd.amin(autograd.tensor([[1.0, 4.0], [3.0, 2.0]]), dim=1)
        tensor([1., 2.])
    """
    x = tensor_of("amin", input)
    dims = all_dims("amin", dim, x.ndim)
    not_empty("amin", x, dims)
    return ops.amin(x, dim=dims, keepdim=keepdim)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> tuple[Any, Any]:
    """The smallest and the largest value.

    Example:
        >>> import autograd
        >>> autograd.aminmax(autograd.tensor([3, 1, 2]))[0]
        tensor(1)
    """
    return amin(input, dim, keepdim), amax(input, dim, keepdim)


def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether all elements, or all along `dim`, are nonzero.

    Example:
        >>> import autograd
        >>> autograd.all(autograd.tensor([[True, False], [True, True]]), dim=1)
        tensor([False,  True])
    """
    x = tensor_of("all", input)
    return truth(x, np.all(raw(x), axis=all_dims("all", dim, x.ndim), keepdims=keepdim))


def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element, or any along `dim`, is nonzero.

    Example:
        >>> import autograd
        >>> autograd.any(autograd.tensor([[True, False], [False, False]]), dim=1)
        tensor([ True, False])
    """
    x = tensor_of("any", input)
    return truth(x, np.any(raw(x), axis=all_dims("any", dim, x.ndim), keepdims=keepdim))


def truth(input: Tensor, result: Any) -> Tensor:
    """Booleans; of bytes, as in PyTorch, bytes."""
    return constant(np.asarray(result, np.uint8 if raw(input).dtype == np.uint8 else np.bool_))


def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """How many elements, of all or along `dim`, are nonzero.

    Example:
        >>> import autograd
        >>> autograd.count_nonzero(autograd.tensor([0, 3, 4]))
        tensor(2)
    """
    x = tensor_of("count_nonzero", input)
    return constant(np.count_nonzero(raw(x), axis=all_dims("count_nonzero", dim, x.ndim)))


def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each non-negative integer occurs in a 1-d tensor, or the sum of its weights.

    Example:
        >>> import autograd
        >>> autograd.bincount(autograd.tensor([0, 2, 2]))
        tensor([1, 0, 2])
    """
    array = raw(tensor_of("bincount", input))
    if array.ndim != 1 or array.dtype.kind not in "iub" or array.min(initial=0) < 0:
        raise ValueError(
            "bincount: expected a 1-d tensor of integers, none of them negative, "
            f"got {array.dtype} of shape {array.shape}"
        )
    if weights is not None and raw(weights).shape != array.shape:
        raise ShapeError(
            f"bincount: weights have shape {raw(weights).shape}, expected {array.shape}"
        )
    counts = np.bincount(raw(input), raw(weights), minlength)
    narrow = weights is not None and raw(weights).dtype == np.float32
    return constant(counts.astype(np.float32) if narrow else counts)


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
        return ops.sum(ops.abs(ops.sign(x)), dim=dims, keepdim=keepdim)
    if order == 1:
        return ops.sum(ops.abs(x), dim=dims, keepdim=keepdim)
    if order in (float("inf"), float("-inf")):
        return (ops.amax if order > 0 else ops.amin)(ops.abs(x), dim=dims, keepdim=keepdim)
    return ops.vector_norm(x, order=float(order), dim=dims, keepdim=keepdim)


def nansum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The sum of the values that are not NaN.

    Example:
        >>> import autograd
        >>> autograd.nansum(autograd.tensor([1.0, float("nan"), 2.0]))
        tensor(3.)
    """
    return sum(without_nan("nansum", input), dim, keepdim, dtype=dtype)


def nanmean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """The mean of the values that are not NaN.

    Raises:
        TypeError: the input is not floating-point.

    Example:
        >>> import autograd
        >>> autograd.nanmean(autograd.tensor([1.0, float("nan"), 2.0]))
        tensor(1.5000)
    """
    if dtype is None and raw(input).dtype.kind not in "fc":
        raise DtypeError(f"nanmean: input must be floating-point, got {raw(input).dtype}")
    total = nansum(input, dim, keepdim, dtype=dtype)
    dims = all_dims("nanmean", dim, raw(input).ndim)
    count = np.sum(~np.isnan(raw(input)), axis=dims, keepdims=keepdim)
    return ops.div(total, constant(count))


def without_nan(name: str, input: Tensor) -> Tensor:
    return ops.where(np.isnan(raw(tensor_of(name, input))), 0, input)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of ``input - other``.

    Example:
        >>> import autograd
        >>> autograd.dist(autograd.tensor([3.0, 0.0]), autograd.tensor([0.0, 4.0]))
        tensor(5.)
    """
    return norm(ops.sub(input, other), p)
