"""Data types and how they combine, by PyTorch's rules rather than NumPy's.

A tensor with dimensions outranks a 0-d tensor, which outranks a Python number; a lower rank
changes the result only when its category (bool < integer < float < complex) is higher. So float32
with a Python float, an int64 tensor or a 0-d float64 stays float32.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from autograd.errors import DtypeError

__all__ = [
    "bool_",
    "complex64",
    "complex128",
    "double",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "int8",
    "int16",
    "int32",
    "int64",
    "promote_types",
    "result_type",
    "set_default_dtype",
    "uint8",
]

Dtype: TypeAlias = np.dtype[Any]

bool_ = np.dtype(np.bool_)
uint8 = np.dtype(np.uint8)
int8 = np.dtype(np.int8)
int16 = np.dtype(np.int16)
int32 = np.dtype(np.int32)
int64 = np.dtype(np.int64)
float16 = half = np.dtype(np.float16)
float32 = float_ = np.dtype(np.float32)
float64 = double = np.dtype(np.float64)
complex64 = np.dtype(np.complex64)
complex128 = np.dtype(np.complex128)

_default = float32
RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def get_default_dtype() -> Dtype:
    """The dtype of Python floats and of random and filled tensors; float32 unless changed."""
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype of Python floats and of random and filled tensors.

    Raises:
        TypeError: `dtype` is not a floating-point type.
    """
    global _default
    chosen = np.dtype(dtype)
    if chosen.kind != "f":
        raise DtypeError(f"set_default_dtype: got {chosen}, expected a floating-point type")
    _default = chosen


def is_floating(dtype: Dtype) -> bool:
    """Whether tensors of a type can carry gradients: real numbers only."""
    return dtype.kind == "f"


def promote_types(type1: Any, type2: Any) -> Dtype:
    """The smallest dtype that holds both, an integer never widening a float.

    Example:
        >>> import autograd
        >>> autograd.promote_types(autograd.int64, autograd.float32)
        dtype('float32')
    """
    first: Dtype = np.dtype(type1)
    second: Dtype = np.dtype(type2)
    rank, other = RANK[first.kind], RANK[second.kind]
    if rank == other or rank + other == 5:  # a float with a complex keeps its precision
        widest: Dtype = np.promote_types(first, second)
        return widest
    return first if rank > other else second


def common_dtype(values: list[Any]) -> Dtype:
    """The dtype of the result of an operation on arrays and Python numbers."""
    by_rank: list[Dtype | None] = [None, None, None]
    for value in values:
        if isinstance(value, np.ndarray):
            place, dtype = (0 if value.ndim else 1), value.dtype
        else:
            place, dtype = 2, scalar_dtype(value)
        before = by_rank[place]
        by_rank[place] = dtype if before is None else promote_types(before, dtype)
    result: Dtype | None = None
    for dtype_or_none in by_rank:
        if dtype_or_none is None:
            continue
        if result is None:
            result = dtype_or_none
        elif RANK[dtype_or_none.kind] > RANK[result.kind]:
            result = promote_types(result, dtype_or_none)
    assert result is not None
    return result


def scalar_dtype(value: Any) -> Dtype:
    """The dtype that a Python number stands for."""
    if isinstance(value, (bool, np.bool_)):
        return bool_
    if isinstance(value, (int, np.integer)):
        return int64
    if isinstance(value, (float, np.floating)):
        return _default
    if isinstance(value, (complex, np.complexfloating)):
        return complex64 if _default == float32 else complex128
    raise DtypeError(f"expected a tensor, an array or a number, got {type(value).__name__}")


def promote(values: list[Any]) -> list[Any]:
    """Bring arrays to their common dtype; numbers beside arrays stay, NumPy fits them to those.

    None, for an input that is left out, stays None.
    """
    if len(values) == 2:
        if agree(values[0], values[1]):
            return values
    elif are_alike(values):
        return values
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    dtype = common_dtype([value for value in plain if value is not None])
    beside_arrays = any(isinstance(value, np.ndarray) for value in plain)

    def convert(value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, np.ndarray):
            return value if value.dtype == dtype else value.astype(dtype)
        return value if beside_arrays and fits(value, dtype) else dtype.type(value)

    return [convert(value) for value in plain]


def are_alike(values: list[Any]) -> bool:
    """Whether these are arrays of one dtype, but for inputs that are left out."""
    first = values[0]
    if first.__class__ is not np.ndarray:
        return False
    dtype = first.dtype
    for value in values:
        if value is not None and (value.__class__ is not np.ndarray or value.dtype is not dtype):
            return False
    return True


def agree(first: Any, second: Any) -> bool:
    """Whether two values certainly need no conversion: one float dtype, or a float and a number."""
    if not isinstance(first, np.ndarray):
        first, second = second, first
    if not isinstance(first, np.ndarray) or first.dtype.kind != "f":
        return False
    if isinstance(second, np.ndarray):
        return bool(first.dtype is second.dtype)
    return second.__class__ is float or second.__class__ is int


def fits(number: Any, dtype: Dtype) -> bool:
    """Whether NumPy takes a Python number as a `dtype` without being told."""
    return RANK[scalar_dtype(number).kind] <= RANK[dtype.kind]


def check_fits(name: str, numbers: Any, dtype: Dtype) -> None:
    """Raise if an integer type cannot hold numbers; an unsigned one counts those below 0 down.

    Raises:
        DtypeError: naming the operation and the first number that does not fit.
    """
    if dtype.kind not in "iu" or numbers.dtype.kind not in "iuf" or not numbers.size:
        return
    info = np.iinfo(dtype)
    inside = (numbers >= (info.min or -info.max)) & (numbers <= info.max)
    if not inside.all():
        raise DtypeError(f"{name}: {numbers[~inside].flat[0]} does not fit into {dtype}")


def promote_float(values: list[Any]) -> list[Any]:
    """As `promote`, with integers and booleans turned into the default floating-point type."""
    if len(values) == 1 and isinstance(values[0], np.ndarray) and values[0].dtype.kind in "fc":
        return values
    if len(values) == 2 and agree(values[0], values[1]):
        return values
    promoted = promote(values)
    if all(isinstance(v, np.ndarray) and v.dtype.kind in "fc" for v in promoted):
        return promoted
    dtype = common_dtype(promoted)
    if dtype.kind in "fc":
        return promoted
    return [v.astype(_default) if isinstance(v, np.ndarray) else float(v) for v in promoted]


def result_type(tensor1: Any, tensor2: Any) -> Dtype:
    """The dtype of an arithmetic operation on two tensors or numbers.

    Example:
        >>> import autograd
        >>> autograd.result_type(autograd.tensor([1, 2]), 1.5)
        dtype('float32')
    """
    return common_dtype([getattr(tensor1, "array", tensor1), getattr(tensor2, "array", tensor2)])
