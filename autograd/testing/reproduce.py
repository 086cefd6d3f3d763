"""Writing a failed check as a program that can be pasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.tensor import Tensor
from autograd.testing.layouts import layout_of, with_layout

__all__ = ["array_code", "name_of", "reproduction"]

Array: TypeAlias = np.ndarray[Any, Any]

LONGEST = 2000
"""Up to how many values are written out."""


def name_of(fn: Any) -> str:
    """What to call a function, a class with `apply`, a primitive or a module."""
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type) and getattr(fn, "__name__", "") == "apply":
        return f"{owner.__name__}.apply"
    if hasattr(fn, "func"):
        return name_of(fn.func)
    name = getattr(fn, "__name__", None)
    if name is None:
        return type(fn).__name__
    code = getattr(fn, "__code__", None)
    if name == "<lambda>" and code is not None:
        return f"<lambda> ({code.co_filename}:{code.co_firstlineno})"
    return str(name)


def array_code(array: Array) -> str:
    """An expression for an array, layout included where values allow it."""
    array = np.asarray(array)
    dtype = array.dtype.name
    if array.size == 0:
        code = f'np.zeros({array.shape}, "{dtype}")'
    else:
        values = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        code = f'np.array({values}, "{dtype}")'
    layout = layout_of(array)
    if layout != "contiguous" and np.array_equal(with_layout(array, layout), array):
        code = f'with_layout({code}, "{layout}")'
    return code


def argument_code(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"autograd.from_numpy({array_code(value.array)})"
    return array_code(value) if isinstance(value, np.ndarray) else repr(value)


def reproduction(
    fn: Callable[..., Any], inputs: Sequence[Any], parameters: dict[str, Tensor], options: str
) -> str:
    """A program that calls `check_gradients` again with the same values.

    Args:
        fn: the function that was checked; the program assumes it under its own name.
        inputs: what it was called with.
        parameters: tensors that belong to it, by name.
        options: keyword arguments, as code.
    """
    name = name_of(fn)
    called = "fn" if name.startswith("<") else name
    if parameters:
        called = "module"
    body = []
    names = []
    for k, value in enumerate(inputs):
        size = getattr(getattr(value, "array", value), "size", 1)
        names.append(f"x{k}")
        if isinstance(size, int) and size > LONGEST:
            body.append(f"x{k} = ...  # {size} values: error.result.inputs[{k}]")
            continue
        grad = ".requires_grad_()" if getattr(value, "requires_grad", False) else ""
        body.append(f"x{k} = {argument_code(value)}{grad}")
    for parameter, tensor in parameters.items():
        if tensor.numel() <= LONGEST:
            body.append(
                f'dict(module.named_parameters())["{parameter}"].data = {argument_code(tensor)}'
            )
    body.append(f"check_gradients({', '.join([called, *names])}{options})")
    head = ["import numpy as np", "import autograd"]
    with_layouts = any("with_layout" in line for line in body)
    tools = "check_gradients, with_layout" if with_layouts else "check_gradients"
    head.append(f"from autograd.testing import {tools}")
    head.append(where_from(fn, called))
    return "\n".join([*(line for line in head if line), *body])


def where_from(fn: Any, called: str) -> str:
    """How to get hold of the function."""
    owner = getattr(fn, "__self__", None)
    source = owner if isinstance(owner, type) else fn
    module = getattr(source, "__module__", None)
    qualified = getattr(source, "__qualname__", getattr(source, "__name__", ""))
    if called == "module":
        return f"# module: {fn!r}".replace("\n", "\n# ")
    if called == "fn":
        return f"# fn: {name_of(fn)}"
    if module in (None, "__main__") or "<locals>" in qualified:
        return f"# {called}: as defined in {module}" if module else ""
    if module.startswith("autograd.ops"):
        return f"from autograd.ops import {called}"
    return f"from {module} import {qualified.split('.')[0]}"
