"""How a tensor prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import bool_, get_default_dtype, int64

if TYPE_CHECKING:
    from autograd.tensor import Tensor


def describe(tensor: Tensor) -> str:
    """Values, then what cannot be seen from them: dtype, shape of nothing, and history."""
    array = tensor.array
    head = type(tensor).__name__.lower() + "("
    if head == "parameter(":
        return "Parameter containing:\n" + describe_as("tensor(", tensor, array)
    return describe_as("tensor(" if head == "tensor(" else head, tensor, array)


def describe_as(head: str, tensor: Tensor, array: Any) -> str:
    parts = [values_of(array, head)]
    if array.size == 0 and array.shape != (0,):
        parts.append(f"size={tuple(array.shape)}")
    if array.dtype not in (get_default_dtype(), int64, bool_) or (
        array.size == 0 and array.dtype != get_default_dtype()
    ):
        parts.append(f"dtype={array.dtype}")
    if tensor.grad_fn is not None:
        parts.append(f"grad_fn={tensor.grad_fn!r}")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return head + ", ".join(parts) + ")"


def values_of(array: Any, prefix: str) -> str:
    if array.size == 0:
        return "[]"
    options: dict[str, Any] = {"separator": ", ", "prefix": prefix, "threshold": 1000}
    if array.dtype.kind == "f":
        style = style_of(array)
        width = max(len(style(value)) for value in extremes(array))
        options["formatter"] = {"float_kind": lambda value: style(value).rjust(width)}
    elif array.dtype.kind == "c":
        options["precision"] = 4
    return np.array2string(array, **options)


def style_of(array: Any) -> Callable[[Any], str]:
    """One style for all values: as whole numbers, with four digits, or with an exponent."""
    finite = array[np.isfinite(array)]
    whole = bool((finite == np.trunc(finite)).all())
    size = np.abs(finite[finite != 0]).astype(np.float64)
    wide = size.size > 0 and (
        size.max() > 1e8 or size.max() / size.min() > 1e3 or (not whole and size.min() < 1e-4)
    )
    if wide:
        return lambda value: f"{value:.4e}"
    if whole:
        return lambda value: f"{value:.0f}." if np.isfinite(value) else str(value)
    return lambda value: f"{value:.4f}"


def extremes(array: Any) -> list[Any]:
    """Values of which one is as long as any when it is written down."""
    finite = array[np.isfinite(array)]
    others = array[~np.isfinite(array)]
    found = [*np.unique(others)[:3]]
    if finite.size:
        found += [finite.min(), finite.max()]
        found += [-0.0] if np.signbit(finite).any() else []
    return found
