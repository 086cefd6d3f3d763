"""Elementary functions of one tensor, elementwise, under PyTorch's names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd import ops
from autograd.dtypes import get_default_dtype
from autograd.errors import DtypeError
from autograd.functions.arguments import raw, tensor_of

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "abs",
    "absolute",
    "ceil",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "fix",
    "floor",
    "frac",
    "log",
    "log1p",
    "log2",
    "log10",
    "logit",
    "neg",
    "negative",
    "positive",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "sgn",
    "sigmoid",
    "sign",
    "sqrt",
    "square",
    "trunc",
]


def exp(input: Tensor) -> Tensor:
    """The exponential, ``e ** input``.

    Example:
        >>> import autograd
        >>> autograd.exp(autograd.tensor([0.0, 1.0]))
        tensor([1.0000, 2.7183])
    """
    return ops.exp(input)


def expm1(input: Tensor) -> Tensor:
    """``exp(input) - 1``, exact also for small values.

    Example:
        >>> import autograd
        >>> autograd.expm1(autograd.tensor([0.0, 1e-7]))
        tensor([0.0000e+00, 1.0000e-07])
    """
    return ops.expm1(input)


def log(input: Tensor) -> Tensor:
    """The natural logarithm; -inf at 0, NaN below.

    Example:
        >>> import autograd
        >>> autograd.log(autograd.tensor([1.0, 10.0]))
        tensor([0.0000, 2.3026])
    """
    return ops.log(input)


def log1p(input: Tensor) -> Tensor:
    """``log(1 + input)``, exact also for small values.

    Example:
        >>> import autograd
        >>> autograd.log1p(autograd.tensor([0.0, 1e-7]))
        tensor([0.0000e+00, 1.0000e-07])
    """
    return ops.log1p(input)


def sqrt(input: Tensor) -> Tensor:
    """The square root; NaN below 0.

    Example:
        >>> import autograd
        >>> autograd.sqrt(autograd.tensor([4.0, 9.0]))
        tensor([2., 3.])
    """
    return ops.sqrt(input)


def rsqrt(input: Tensor) -> Tensor:
    """``1 / sqrt(input)``.

    Example:
        >>> import autograd
        >>> autograd.rsqrt(autograd.tensor([4.0, 16.0]))
        tensor([0.5000, 0.2500])
    """
    return ops.rsqrt(input)


def abs(input: Tensor) -> Tensor:
    """The absolute value; its derivative at 0 is 0.

    Example:
        >>> import autograd
        >>> autograd.abs(autograd.tensor([-1.5, 2.0]))
        tensor([1.5000, 2.0000])
    """
    return ops.abs(input)


def neg(input: Tensor) -> Tensor:
    """``-input``.

    Example:
        >>> import autograd
        >>> autograd.neg(autograd.tensor([1.0, -2.0]))
        tensor([-1.,  2.])
    """
    return ops.neg(input)


def sign(input: Tensor) -> Tensor:
    """-1, 0 or 1 by the sign; the derivative is 0 everywhere.

    Example:
        >>> import autograd
        >>> autograd.sign(autograd.tensor([-3.0, 0.0, 2.0]))
        tensor([-1.,  0.,  1.])
    """
    return ops.sign(input)


def floor(input: Tensor) -> Tensor:
    """The largest integer not above; derivative 0.

    Example:
        >>> import autograd
        >>> autograd.floor(autograd.tensor([-1.5, 1.5]))
        tensor([-2.,  1.])
    """
    return ops.floor(input)


def ceil(input: Tensor) -> Tensor:
    """The smallest integer not below; derivative 0.

    Example:
        >>> import autograd
        >>> autograd.ceil(autograd.tensor([-1.5, 1.5]))
        tensor([-1.,  2.])
    """
    return ops.ceil(input)


def trunc(input: Tensor) -> Tensor:
    """The integer part; derivative 0.

    Example:
        >>> import autograd
        >>> autograd.trunc(autograd.tensor([-1.5, 1.5]))
        tensor([-1.,  1.])
    """
    return ops.trunc(input)


def erf(input: Tensor) -> Tensor:
    """The error function, ``2 / sqrt(pi)`` times the integral of ``exp(-t * t)`` from 0 to input.

    Example:
        >>> import autograd
        >>> autograd.erf(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8427])
    """
    return ops.erf(input)


def sigmoid(input: Tensor) -> Tensor:
    """The logistic function, ``1 / (1 + exp(-input))``.

    Example:
        >>> import autograd
        >>> autograd.sigmoid(autograd.tensor([0.0, 2.0]))
        tensor([0.5000, 0.8808])
    """
    return ops.sigmoid(input)


def relu(input: Tensor) -> Tensor:
    """``max(input, 0)``; its derivative at 0 is 0.

    Example:
        >>> import autograd
        >>> autograd.relu(autograd.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """
    return ops.relu(no_boolean("relu", input))


def erfc(input: Tensor) -> Tensor:
    """``1 - erf(input)``; for large inputs it has no more digits than that difference.

    Example:
        >>> import autograd
        >>> autograd.erfc(autograd.tensor([0.0, 1.0]))
        tensor([1.0000, 0.1573])
    """
    return 1 - ops.erf(input)


def exp2(input: Tensor) -> Tensor:
    """``2 ** input``.

    Example:
        >>> import autograd
        >>> autograd.exp2(autograd.tensor([0.0, 3.0]))
        tensor([1., 8.])
    """
    return ops.exp(input * math.log(2))


def log2(input: Tensor) -> Tensor:
    """The logarithm to base 2.

    Example:
        >>> import autograd
        >>> autograd.log2(autograd.tensor([1.0, 10.0]))
        tensor([0.0000, 3.3219])
    """
    return ops.log(input) * (1 / math.log(2))


def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10.

    Example:
        >>> import autograd
        >>> autograd.log10(autograd.tensor([1.0, 5.0]))
        tensor([0.0000, 0.6990])
    """
    return ops.log(input) * (1 / math.log(10))


def square(input: Tensor) -> Tensor:
    """``input * input``.

    Example:
        >>> import autograd
        >>> autograd.square(autograd.tensor([-2.0, 3.0]))
        tensor([4., 9.])
    """
    return ops.mul(input, ops.mul(input, 1) if raw(input).dtype.kind == "b" else input)


def reciprocal(input: Tensor) -> Tensor:
    """``1 / input``.

    Example:
        >>> import autograd
        >>> autograd.reciprocal(autograd.tensor([2.0, 4.0]))
        tensor([0.5000, 0.2500])
    """
    return ops.div(1.0, input)


def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest number of `decimals` digits, halves to even; derivative 0.

    Example:
        >>> import autograd
        >>> autograd.round(autograd.tensor([0.5, 1.5, 2.4]))
        tensor([0., 2., 2.])
    """
    return ops.round(input, decimals=decimals)


def frac(input: Tensor) -> Tensor:
    """``input - trunc(input)``.

    Example:
        >>> import autograd
        >>> autograd.frac(autograd.tensor([1.25, -1.25]))
        tensor([ 0.2500, -0.2500])
    """
    return ops.sub(input, ops.trunc(input))


def positive(input: Tensor) -> Tensor:
    """The input itself.

    Example:
        >>> import autograd
        >>> autograd.positive(autograd.tensor([-1.0]))
        tensor([-1.])
    """
    return no_boolean("positive", input)


def no_boolean(name: str, input: Tensor) -> Tensor:
    if raw(input).dtype.kind == "b":
        raise DtypeError(f"{name}: input is of booleans, expected numbers")
    return input


def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(input / (1 - input))``, the inverse of `sigmoid`.

    Args:
        input: probabilities.
        eps: clamp the input to eps ... 1 - eps first.

    Example:
        >>> import autograd
        >>> autograd.logit(autograd.tensor([0.5, 0.9]))
        tensor([0.0000, 2.1972])
    """
    whole = raw(tensor_of("logit", input)).dtype.kind in "biu"
    p = input.to(get_default_dtype()) if whole else input
    if eps is not None:
        p = ops.clamp_max(ops.clamp_min(p, eps), 1 - eps)
    return ops.sub(ops.log(p), ops.log1p(ops.neg(p)))


absolute = abs
negative = neg
sgn = sign
fix = trunc
