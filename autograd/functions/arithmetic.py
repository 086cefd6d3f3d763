"""Arithmetic, comparison and choice between tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.dtypes import RANK, check_fits, common_dtype
from autograd.errors import DtypeError
from autograd.functions.arguments import Number, constant, raw, scaled, tensor_of
from autograd.graph import TensorBase

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "add",
    "addcdiv",
    "addcmul",
    "atan2",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clip",
    "div",
    "divide",
    "float_power",
    "floor_divide",
    "fmod",
    "lerp",
    "logaddexp",
    "masked_fill",
    "maximum",
    "minimum",
    "mul",
    "multiply",
    "nan_to_num",
    "pow",
    "remainder",
    "rsub",
    "sub",
    "subtract",
    "true_divide",
    "where",
    "xlogy",
]


def add(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input + alpha * other``, broadcasting.

    Example:
        >>> import autograd
        >>> autograd.add(autograd.tensor([1.0, 2.0]), 10)
        tensor([11., 12.])
    """
    return ops.add(input, scaled("add", "alpha", alpha, other, input))


def sub(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``input - alpha * other``, broadcasting.

    Example:
        >>> import autograd
        >>> autograd.sub(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 3.0]), alpha=2)
        tensor([-5., -4.])
    """
    return ops.sub(input, scaled("sub", "alpha", alpha, other, input))


def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input``, broadcasting.

    Example:
        >>> import autograd
        >>> autograd.rsub(autograd.tensor([1.0, 2.0]), 10)
        tensor([9., 8.])
    """
    return ops.sub(other, scaled("rsub", "alpha", alpha, input, other))


def mul(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * other``, broadcasting.

    Example:
        >>> import autograd
        >>> autograd.mul(autograd.tensor([1.0, 2.0]), 3)
        tensor([3., 6.])
    """
    return ops.mul(input, other)


def div(
    input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None
) -> Tensor:
    """``input / other``, broadcasting; integers divide to floats.

    Args:
        input: the dividend.
        other: the divisor.
        rounding_mode: None, "trunc" (towards 0) or "floor" (down, as Python's ``//``).

    Example:
        >>> import autograd
        >>> autograd.div(autograd.tensor([7, -7]), 2)
        tensor([ 3.5000, -3.5000])
        >>> autograd.div(autograd.tensor([7, -7]), 2, rounding_mode="trunc")
        tensor([ 3, -3])
    """
    if rounding_mode is None:
        return ops.div(input, other)
    if rounding_mode not in ("trunc", "floor"):
        raise ValueError(
            f"div: rounding_mode must be None, 'trunc' or 'floor', got {rounding_mode!r}"
        )
    if rounding_mode == "floor":
        return whole_quotient("div", input, other)
    if common_dtype([raw(input), raw(other)]).kind not in "iub":
        return ops.trunc(ops.div(input, other))
    floored = whole_quotient("div", input, other)
    inexact = raw(ops.mul(floored, other)) != raw(input)
    return ops.add(floored, constant((raw(floored) < 0) & inexact))


def whole_quotient(name: str, input: Any, other: Any) -> Tensor:
    """``floor(input / other)``.

    Raises:
        ValueError: an integer is divided by 0.
    """
    check_divisor(name, input, other)
    return ops.floor_divide(input, other)


def check_divisor(name: str, input: Any, other: Any) -> None:
    integers = common_dtype([raw(input), raw(other)]).kind in "iub"
    if integers and np.any(np.asarray(raw(other)) == 0):
        raise ValueError(f"{name}: an integer tensor was divided by zero")


def floor_divide(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``floor(input / other)``, as Python's ``//``.

    Example:
        >>> import autograd
        >>> autograd.floor_divide(autograd.tensor([7, -7]), 2)
        tensor([ 3, -4])
    """
    return whole_quotient("floor_divide", input, other)


def remainder(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """What division leaves, with the sign of the divisor, as Python's ``%``.

    Example:
        >>> import autograd
        >>> autograd.remainder(autograd.tensor([-3.0, 4.0]), 2.5)
        tensor([2.0000, 1.5000])
    """
    check_divisor("remainder", input, other)
    return ops.remainder(input, other)


def fmod(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """What division leaves, with the sign of the dividend, as C's fmod.

    Example:
        >>> import autograd
        >>> autograd.fmod(autograd.tensor([-3.0, 4.0]), 2.5)
        tensor([-0.5000,  1.5000])
    """
    check_divisor("fmod", input, other)
    return ops.fmod(input, other)


def pow(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """``input ** exponent``, broadcasting.

    Example:
        >>> import autograd
        >>> autograd.pow(autograd.tensor([1.0, 2.0, 3.0]), 2)
        tensor([1., 4., 9.])
    """
    base = raw(input)
    floating = isinstance(base, np.ndarray) and base.dtype.kind == "f"
    integers = not floating and common_dtype([base, raw(exponent)]).kind in "iu"
    if integers and np.any(np.asarray(raw(exponent)) < 0):
        raise ValueError("pow: an integer tensor cannot be raised to a negative integer power")
    return ops.pow(input, exponent)


def float_power(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """``input ** exponent`` in float64.

    Example:
        >>> import autograd
        >>> autograd.float_power(autograd.tensor([1, 2]), 0.5)
        tensor([1.0000, 1.4142], dtype=float64)
    """
    return ops.pow(wide(input), wide(exponent))


def wide(value: Any) -> Any:
    """A tensor in float64; a number as it is."""
    if isinstance(value, TensorBase):
        return ops.cast(value, dtype=np.dtype(np.float64))
    return np.float64(value)


def atan2(input: Tensor, other: Tensor) -> Tensor:
    """The angle in radians, -pi to pi, of the point (other, input).

    Example:
        >>> import autograd
        >>> autograd.atan2(autograd.tensor([1.0]), autograd.tensor([-1.0]))
        tensor([2.3562])
    """
    return ops.atan2(input, other)


def maximum(input: Tensor, other: Tensor) -> Tensor:
    """The larger of the two, elementwise; a tie gives each half of the gradient.

    Example:
        >>> import autograd
        >>> autograd.maximum(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, 2.0]))
        tensor([3., 5.])
    """
    return ops.maximum(input, other)


def minimum(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of the two, elementwise; a tie gives each half of the gradient.

    Example:
        >>> import autograd
        >>> autograd.minimum(autograd.tensor([1.0, 5.0]), autograd.tensor([3.0, 2.0]))
        tensor([1., 2.])
    """
    return ops.minimum(input, other)


def clamp(
    input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None
) -> Tensor:
    """``minimum(maximum(input, min), max)``; on a bound the gradient goes to the input.

    Raises:
        ValueError: neither bound is given.

    Example:
        >>> import autograd
        >>> autograd.clamp(autograd.tensor([-2.0, 0.5, 3.0]), min=-1, max=1)
        tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min, max or both")
    if isinstance(min, (int, float)) and isinstance(max, (int, float)):
        return ops.clamp(input, min, max)
    result = input if min is None else ops.clamp_min(input, min)
    return result if max is None else ops.clamp_max(result, max)


def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """`input` where the condition holds, else `other`; alone, the indices where it holds.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([-1.0, 2.0])
        >>> autograd.where(x > 0, x, 0.0)
        tensor([0., 2.])
    """
    flags = raw(condition)
    if input is None and other is None:
        return tuple(constant(part) for part in np.nonzero(np.atleast_1d(flags)))
    if input is None or other is None:
        raise TypeError("where: expected both input and other, or neither")
    if np.asarray(flags).dtype.kind != "b":
        raise TypeError(f"where: condition must be a boolean tensor, got {np.asarray(flags).dtype}")
    return ops.where(condition, input, other)


def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """The input with `value` wherever the boolean `mask`, which broadcasts, is True.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([1.0, 2.0])
        >>> autograd.masked_fill(x, autograd.tensor([True, False]), -1.0)
        tensor([-1.,  2.])
    """
    flags = raw(mask)
    if flags.dtype.kind != "b":
        raise TypeError(f"masked_fill: mask must be a boolean tensor, got {flags.dtype}")
    return filled("masked_fill", input, mask, value)


def filled(name: str, input: Tensor, mask: Tensor, value: Tensor | Number) -> Tensor:
    """The input with one value in some places, if its dtype can hold that."""
    if np.ndim(raw(value)) != 0:
        raise ValueError(
            f"{name}: value must be a number or a 0-d tensor, got shape {np.shape(raw(value))}"
        )
    dtype = raw(input).dtype
    if isinstance(value, float) and dtype.kind in "iu" and value.is_integer():
        value = int(value)
    if RANK[common_dtype([raw(value)]).kind] > RANK[dtype.kind]:
        raise DtypeError(f"{name}: value {value!r} cannot be put into a {dtype} tensor")
    if not isinstance(value, TensorBase):
        check_fits(name, np.asarray(value), dtype)
    return ops.where(mask, value, input)


def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """``input + weight * (end - input)``.

    Example:
        >>> import autograd
        >>> autograd.lerp(autograd.tensor([0.0]), autograd.tensor([10.0]), 0.25)
        tensor([2.5000])
    """
    return ops.add(input, ops.mul(weight, ops.sub(end, input)))


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 * tensor2``.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([2.0, 4.0])
        >>> autograd.addcmul(x, x, x, value=0.5)
        tensor([ 4., 12.])
    """
    product = ops.mul(tensor1, tensor2)
    return ops.add(input, scaled("addcmul", "value", value, product, input))


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """``input + value * tensor1 / tensor2``.

    Raises:
        DtypeError: neither of the two is floating-point.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([2.0, 4.0])
        >>> autograd.addcdiv(x, x, x, value=0.5)
        tensor([2.5000, 4.5000])
    """
    if common_dtype([raw(tensor1), raw(tensor2)]).kind not in "fc":
        raise DtypeError(f"addcdiv: cannot divide {raw(tensor1).dtype} by {raw(tensor2).dtype}")
    return ops.add(input, ops.mul(ops.div(tensor1, tensor2), value))


def nan_to_num(
    input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """The input with numbers in place of NaN and the infinities, by default 0 and the extremes.

    Example:
        >>> import autograd
        >>> autograd.nan_to_num(autograd.tensor([float("nan"), 1.0]))
        tensor([0., 1.])
    """
    array = raw(tensor_of("nan_to_num", input))
    if array.dtype.kind not in "fc":
        return input
    limits = np.finfo(array.dtype)
    top = float(limits.max) if posinf is None else posinf
    bottom = float(limits.min) if neginf is None else neginf
    result = ops.where(np.isnan(array), nan, input)
    result = ops.where(np.isposinf(array), top, result)
    return ops.where(np.isneginf(array), bottom, result)


def clamp_min(input: Tensor, min: Tensor | Number) -> Tensor:
    """``maximum(input, min)``; on the bound the gradient goes to the input.

    Example:
        >>> import autograd
        >>> autograd.clamp_min(autograd.tensor([-2.0, 3.0]), 1)
        tensor([1., 3.])
    """
    return ops.clamp_min(input, min)


def clamp_max(input: Tensor, max: Tensor | Number) -> Tensor:
    """``minimum(input, max)``; on the bound the gradient goes to the input.

    Example:
        >>> import autograd
        >>> autograd.clamp_max(autograd.tensor([-2.0, 3.0]), 1)
        tensor([-2.,  1.])
    """
    return ops.clamp_max(input, max)


def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))``, without overflow.

    Example:
        >>> import autograd
        >>> autograd.logaddexp(autograd.tensor([1000.0]), autograd.tensor([1000.0]))
        tensor([1000.6932])
    """
    shape = np.broadcast_shapes(raw(input).shape, raw(other).shape)
    rows = [
        ops.reshape(ops.expand(x, shape=shape), shape=(1, *shape))  # (...) -> (1, ...)
        for x in (input, other)
    ]
    return ops.logsumexp(ops.cat(*rows, dim=0), dim=(0,), keepdim=False)


def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * log(other)``, and 0 where the input is 0, as entropies need it.

    Example:
        >>> import autograd
        >>> p = autograd.tensor([0.0, 0.5])
        >>> autograd.xlogy(p, p)
        tensor([ 0.0000, -0.3466])
    """
    zero = (raw(input) == 0) & ~np.isnan(raw(other))
    if isinstance(other, TensorBase):
        logarithm: Any = ops.log(ops.where(zero, 1.0, other))
    else:
        logarithm = float(ops.log(np.float64(other)))
    return ops.where(zero, 0.0, ops.mul(input, logarithm))


clip = clamp
subtract = sub
multiply = mul
divide = true_divide = div
