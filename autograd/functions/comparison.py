"""Comparison and logic between tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import promote
from autograd.errors import DtypeError
from autograd.functions.arguments import Number, constant, raw, tensor_of
from autograd.graph import TensorBase

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "greater",
    "greater_equal",
    "gt",
    "is_floating_point",
    "is_nonzero",
    "is_tensor",
    "isclose",
    "isfinite",
    "isin",
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
    "numel",
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


def bitwise(name: str, function: Any, *values: Any) -> Tensor:
    """A function of bits.

    Raises:
        TypeError: a value is neither integer nor boolean.
    """
    arrays = [raw(value) for value in values]
    for array in arrays:
        if np.asarray(array).dtype.kind not in "iub":
            raise DtypeError(
                f"{name}: expected integers or booleans, got {np.asarray(array).dtype}"
            )
    return constant(function(*promote(arrays)))


def bitwise_and(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that are set in both; of booleans, whether both hold.

    Example:
        >>> import autograd
        >>> autograd.bitwise_and(autograd.tensor([6, 3]), 2)
        tensor([2, 2])
    """
    return bitwise("bitwise_and", np.bitwise_and, input, other)


def bitwise_or(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that are set in one at least; of booleans, whether one holds."""
    return bitwise("bitwise_or", np.bitwise_or, input, other)


def bitwise_xor(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that differ; of booleans, whether exactly one holds."""
    return bitwise("bitwise_xor", np.bitwise_xor, input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """The other bits; of booleans, the opposite."""
    return bitwise("bitwise_not", np.invert, input)


def isin(elements: Tensor, test_elements: Tensor) -> Tensor:
    """Whether each element occurs among the test elements.

    Example:
        >>> import autograd
        >>> autograd.isin(autograd.tensor([1, 2, 3]), autograd.tensor([1, 3]))
        tensor([ True, False,  True])
    """
    return constant(np.isin(raw(elements), raw(test_elements)))


def is_tensor(obj: object) -> bool:
    """Whether an object is a Tensor."""
    return isinstance(obj, TensorBase)


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor holds real floating-point numbers."""
    return raw(tensor_of("is_floating_point", input)).dtype.kind == "f"  # type: ignore[no-any-return]  # a str


def is_nonzero(input: Tensor) -> bool:
    """Whether the only value of a tensor is not 0.

    Raises:
        ValueError: there is not exactly one value.
    """
    return bool(tensor_of("is_nonzero", input).item())


def numel(input: Tensor) -> int:
    """The number of values of a tensor."""
    return int(raw(tensor_of("numel", input)).size)


not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge
