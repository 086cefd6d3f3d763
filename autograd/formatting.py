"""How a tensor prints."""

from __future__ import annotations

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
    if array.dtype.kind in "fc":
        finite = array[np.isfinite(array)]
        whole = bool((finite == np.trunc(finite)).all()) if array.dtype.kind == "f" else False
        size = np.abs(finite[finite != 0])
        wide = size.size > 0 and (
            float(size.max()) >= 1e8
            or (not whole and (float(size.min()) < 1e-4 or size.max() / size.min() > 1e3))
        )
        if wide:
            options["formatter"] = {"float_kind": lambda value: f"{value:.4e}"}
        else:
            options["precision"] = 0 if whole else 4
            options["floatmode"] = "maxprec" if whole else "fixed"
    return np.array2string(array, **options)
