"""Comparison and logic between tensors, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import promote
from autograd.errors import DtypeError, ShapeError
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
    """``input != other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.ne(autograd.tensor([1, 2, 3]), 2)
        tensor([ True, False,  True])
    """
    return constant(np.not_equal(raw(input), raw(other)))


def lt(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input < other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.lt(autograd.tensor([1, 2, 3]), 2)
        tensor([ True, False, False])
    """
    return constant(np.less(raw(input), raw(other)))


def le(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input <= other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.le(autograd.tensor([1, 2, 3]), 2)
        tensor([ True,  True, False])
    """
    return constant(np.less_equal(raw(input), raw(other)))


def gt(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input > other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.gt(autograd.tensor([1, 2, 3]), 2)
        tensor([False, False,  True])
    """
    return constant(np.greater(raw(input), raw(other)))


def ge(input: Tensor, other: Tensor | Number) -> Tensor:
    """``input >= other``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.ge(autograd.tensor([1, 2, 3]), 2)
        tensor([False,  True,  True])
    """
    return constant(np.greater_equal(raw(input), raw(other)))


def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Whether both are nonzero, elementwise.

    Example:
        >>> import autograd
        >>> autograd.logical_and(autograd.tensor([0, 1]), autograd.tensor([2, 2]))
        tensor([False,  True])
    """
    return constant(np.logical_and(raw(input), raw(other)))


def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Whether one is nonzero, elementwise.

    Example:
        >>> import autograd
        >>> autograd.logical_or(autograd.tensor([0, 1]), autograd.tensor([0, 2]))
        tensor([False,  True])
    """
    return constant(np.logical_or(raw(input), raw(other)))


def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Whether exactly one is nonzero, elementwise.

    Example:
        >>> import autograd
        >>> autograd.logical_xor(autograd.tensor([0, 1]), autograd.tensor([2, 2]))
        tensor([ True, False])
    """
    return constant(np.logical_xor(raw(input), raw(other)))


def logical_not(input: Tensor) -> Tensor:
    """Whether each element is zero.

    Example:
        >>> import autograd
        >>> autograd.logical_not(autograd.tensor([0, 2]))
        tensor([ True, False])
    """
    return constant(np.logical_not(raw(input)))


def isnan(input: Tensor) -> Tensor:
    """Whether each element is NaN.

    Example:
        >>> import autograd
        >>> autograd.isnan(autograd.tensor([1.0, float("nan")]))
        tensor([False,  True])
    """
    return constant(np.isnan(raw(input)))


def isinf(input: Tensor) -> Tensor:
    """Whether each element is infinite.

    Example:
        >>> import autograd
        >>> autograd.isinf(autograd.tensor([1.0, float("inf")]))
        tensor([False,  True])
    """
    return constant(np.isinf(raw(input)))


def isfinite(input: Tensor) -> Tensor:
    """Whether each element is neither NaN nor infinite.

    Example:
        >>> import autograd
        >>> autograd.isfinite(autograd.tensor([1.0, float("inf")]))
        tensor([ True, False])
    """
    return constant(np.isfinite(raw(input)))


def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Tensor:
    """``|input - other| <= atol + rtol * |other|``, elementwise.

    Example:
        >>> import autograd
        >>> autograd.isclose(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.1]))
        tensor([ True, False])
    """
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
    """Whether shape and all elements are the same.

    Example:
        >>> import autograd
        >>> autograd.equal(autograd.tensor([1, 2]), autograd.tensor([1, 2]))
        True
    """
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
    """The bits that are set in one at least; of booleans, whether one holds.

    Example:
        >>> import autograd
        >>> autograd.bitwise_or(autograd.tensor([6, 3]), 1)
        tensor([7, 3])
    """
    return bitwise("bitwise_or", np.bitwise_or, input, other)


def bitwise_xor(input: Tensor, other: Tensor | Number) -> Tensor:
    """The bits that differ; of booleans, whether exactly one holds.

    Example:
        >>> import autograd
        >>> autograd.bitwise_xor(autograd.tensor([6, 3]), 1)
        tensor([7, 2])
    """
    return bitwise("bitwise_xor", np.bitwise_xor, input, other)


def bitwise_not(input: Tensor) -> Tensor:
    """The other bits; of booleans, the opposite.

    Example:
        >>> import autograd
        >>> autograd.bitwise_not(autograd.tensor([True, False]))
        tensor([False,  True])
    """
    return bitwise("bitwise_not", np.invert, input)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element occurs among the test elements.

    Args:
        elements: a tensor or a number.
        test_elements: a tensor or a number.
        assume_unique: no value occurs twice in either.
        invert: whether it does not occur.

    Example:
        >>> import autograd
        >>> autograd.isin(autograd.tensor([1, 2, 3]), autograd.tensor([1, 3]))
        tensor([ True, False,  True])
    """
    found = np.isin(raw(elements), raw(test_elements), assume_unique=assume_unique, invert=invert)
    return constant(found)


def is_tensor(obj: object) -> bool:
    """Whether an object is a Tensor.

    Example:
        >>> import autograd
        >>> autograd.is_tensor([1.0])
        False
    """
    return isinstance(obj, TensorBase)


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor holds real floating-point numbers.

    Example:
        >>> import autograd
        >>> autograd.is_floating_point(autograd.tensor([1, 2]))
        False
    """
    return raw(tensor_of("is_floating_point", input)).dtype.kind == "f"  # type: ignore[no-any-return]  # a str


def is_nonzero(input: Tensor) -> bool:
    """Whether the only value of a tensor is not 0.

    Raises:
        ValueError: there is not exactly one value.

    Example:
        >>> import autograd
        >>> autograd.is_nonzero(autograd.tensor(3))
        True
    """
    if raw(tensor_of("is_nonzero", input)).size != 1:
        raise ShapeError(f"is_nonzero: expected one value, got shape {raw(input).shape}")
    return bool(raw(input))


def numel(input: Tensor) -> int:
    """The number of values of a tensor.

    Example:
        >>> import autograd
        >>> autograd.numel(autograd.zeros(2, 3))
        6
    """
    return int(raw(tensor_of("numel", input)).size)


not_equal = ne
less = lt
less_equal = le
greater = gt
greater_equal = ge
