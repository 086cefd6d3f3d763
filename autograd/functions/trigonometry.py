"""Trigonometric and hyperbolic functions and their inverses, under PyTorch's names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from autograd import ops

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "rad2deg",
    "sin",
    "sinh",
    "tan",
    "tanh",
]


def sin(input: Tensor) -> Tensor:
    """The sine of an angle in radians.

    Example:
        >>> import autograd
        >>> autograd.sin(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8415])
    """
    return ops.sin(input)


def cos(input: Tensor) -> Tensor:
    """The cosine of an angle in radians.

    Example:
        >>> import autograd
        >>> autograd.cos(autograd.tensor([0.0, 1.0]))
        tensor([1.0000, 0.5403])
    """
    return ops.cos(input)


def tan(input: Tensor) -> Tensor:
    """The tangent of an angle in radians.

    Example:
        >>> import autograd
        >>> autograd.tan(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5574])
    """
    return ops.tan(input)


def asin(input: Tensor) -> Tensor:
    """The inverse sine in radians; NaN outside -1 ... 1.

    Example:
        >>> import autograd
        >>> autograd.asin(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 1.5708])
    """
    return ops.asin(input)


def acos(input: Tensor) -> Tensor:
    """The inverse cosine in radians; NaN outside -1 ... 1.

    Example:
        >>> import autograd
        >>> autograd.acos(autograd.tensor([0.0, 1.0]))
        tensor([1.5708, 0.0000])
    """
    return ops.acos(input)


def atan(input: Tensor) -> Tensor:
    """The inverse tangent in radians.

    Example:
        >>> import autograd
        >>> autograd.atan(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7854])
    """
    return ops.atan(input)


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine, ``(exp(x) - exp(-x)) / 2``.

    Example:
        >>> import autograd
        >>> autograd.sinh(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 1.1752])
    """
    return ops.sinh(input)


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine, ``(exp(x) + exp(-x)) / 2``.

    Example:
        >>> import autograd
        >>> autograd.cosh(autograd.tensor([0.0, 1.0]))
        tensor([1.0000, 1.5431])
    """
    return ops.cosh(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, ``sinh(x) / cosh(x)``.

    Example:
        >>> import autograd
        >>> autograd.tanh(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 0.7616])
    """
    return ops.tanh(input)


def asinh(input: Tensor) -> Tensor:
    """The inverse hyperbolic sine.

    Example:
        >>> import autograd
        >>> autograd.asinh(autograd.tensor([0.0, 1.0]))
        tensor([0.0000, 0.8814])
    """
    return ops.asinh(input)


def acosh(input: Tensor) -> Tensor:
    """The inverse hyperbolic cosine; NaN below 1.

    Example:
        >>> import autograd
        >>> autograd.acosh(autograd.tensor([1.0, 2.0]))
        tensor([0.0000, 1.3170])
    """
    return ops.acosh(input)


def atanh(input: Tensor) -> Tensor:
    """The inverse hyperbolic tangent; infinite at -1 and 1.

    Example:
        >>> import autograd
        >>> autograd.atanh(autograd.tensor([0.0, 0.5]))
        tensor([0.0000, 0.5493])
    """
    return ops.atanh(input)


def deg2rad(input: Tensor) -> Tensor:
    """An angle in degrees, in radians.

    Example:
        >>> import autograd
        >>> autograd.deg2rad(autograd.tensor([180.0]))
        tensor([3.1416])
    """
    return ops.mul(input, math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """An angle in radians, in degrees.

    Example:
        >>> import autograd
        >>> autograd.rad2deg(autograd.tensor([1.0]))
        tensor([57.2958])
    """
    return ops.mul(input, 180 / math.pi)


arcsin = asin
arccos = acos
arctan = atan
arcsinh = asinh
arccosh = acosh
arctanh = atanh
