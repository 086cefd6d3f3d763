"""What the public functions share: reading `dim` arguments and making tensors of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd.dtypes import RANK, common_dtype
from autograd.errors import DtypeError
from autograd.graph import Array, TensorBase, new_tensor

if TYPE_CHECKING:
    from autograd.tensor import Tensor

Dims: TypeAlias = "int | Sequence[int] | None"
Number: TypeAlias = "int | float | bool"


def raw(value: Any) -> Any:
    """The array of a Tensor; anything else as it is."""
    return value._array if isinstance(value, TensorBase) else value


def constant(result: Any) -> Tensor:
    """A tensor without history on the result of a NumPy function."""
    return new_tensor(np.asarray(result))


def tensor_of(name: str, value: Any, argument: str = "input") -> Tensor:
    """The argument, if it is a tensor."""
    if isinstance(value, TensorBase):
        return value  # type: ignore[return-value]  # every TensorBase made here is a Tensor
    raise TypeError(f"{name}: {argument} must be a Tensor, got {type(value).__name__}")


def one_dim(name: str, dim: Any, ndim: int) -> int:
    """An axis as a number from 0 on; a 0-d tensor has, as in PyTorch, the axes 0 and -1."""
    count = max(ndim, 1)
    try:
        axis = int(dim.__index__())
    except AttributeError:
        raise TypeError(f"{name}: dim must be an integer, got {type(dim).__name__}") from None
    if not -count <= axis < count:
        raise IndexError(
            f"{name}: dim {axis} is out of range for {ndim} dimensions "
            f"(expected {-count} to {count - 1})"
        )
    return axis % count


def all_dims(name: str, dim: Dims, ndim: int) -> tuple[int, ...]:
    """Axes as a sorted tuple of numbers from 0 on; None and () mean all."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    given = dim if isinstance(dim, Sequence) else (dim,)
    axes = [one_dim(name, axis, ndim) for axis in given]
    if len(set(axes)) != len(axes):
        raise ValueError(f"{name}: an axis occurs twice in dim={tuple(given)}")
    return tuple(sorted(axes)) if ndim else ()


def shape_argument(name: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """A shape given as numbers or as one sequence."""
    try:
        if len(shape) == 1 and not hasattr(shape[0], "__index__"):
            shape = tuple(shape[0])
        return tuple(int(size.__index__()) for size in shape)
    except (AttributeError, TypeError):
        raise TypeError(f"{name}: sizes must be integers, got {shape}") from None


def scaled(name: str, argument: str, factor: Number, value: Any, other: Any) -> Any:
    """``factor * value``, to be added to `other`: a factor does not change the type of the sum.

    Raises:
        DtypeError: a fraction times whole numbers.
    """
    if factor == 1:
        return value
    kind = common_dtype([raw(value), raw(other)]).kind
    if RANK[common_dtype([factor]).kind] > max(RANK[kind], RANK["i"]):
        raise DtypeError(f"{name}: {argument} must be an integer for integers, got {factor}")
    return value * (bool(factor) if kind == "b" else factor)


def index_array(name: str, value: Any) -> Array:
    """An index tensor as an array of integers."""
    array = np.asarray(raw(value))
    if array.dtype.kind not in "iu":
        raise DtypeError(f"{name}: index must be an integer tensor, got {array.dtype}")
    return array
