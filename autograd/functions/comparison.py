"""Comparison and logic between tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autograd.functions.arguments import Number, constant, raw

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "allclose",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "not_equal",
]


def eq(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input == other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.eq(autograd.tensor([1, 2]), 2)
        tensor([False,  True])
    """
    return constant(np.equal(raw(input), raw(other)))


def ne(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input != other``, elementwise."""
    return constant(np.not_equal(raw(input), raw(other)))


def lt(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input < other``, elementwise."""
    return constant(np.less(raw(input), raw(other)))


def le(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input <= other``, elementwise."""
    return constant(np.less_equal(raw(input), raw(other)))


def gt(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input > other``, elementwise."""
    return constant(np.greater(raw(input), raw(other)))


def ge(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input >= other``, elementwise."""
    return constant(np.greater_equal(raw(input), raw(other)))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both are nonzero, elementwise."""
    return constant(np.logical_and(raw(input), raw(other)))


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether one is nonzero, elementwise."""
    return constant(np.logical_or(raw(input), raw(other)))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one is nonzero, elementwise."""
    return constant(np.logical_xor(raw(input), raw(other)))


def logical_not(input: Tensor) -> Tensor:
    """Whether each element is zero."""
    return constant(np.logical_not(raw(input)))


def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN."""
    return constant(np.isnan(raw(input)))


def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite."""
    return constant(np.isinf(raw(input)))


def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither NaN nor infinite."""
    return constant(np.isfinite(raw(input)))


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """``|input - other| <= atol + rtol * |other|``, elementwise."""
    return constant(np.isclose(raw(input), raw(other), rtol, atol, equal_nan))


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether `isclose` holds for all elements.

    Example:
        >>> import autograd
        >>> autograd.allclose(autograd.tensor([1.0]), autograd.tensor([1.0 + 1e-9]))
        True
    """
    return bool(np.isclose(raw(input), raw(other), rtol, atol, equal_nan).all())


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether shape and all elements are the same."""
    return np.array_equal(raw(input), raw(other))


not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge
