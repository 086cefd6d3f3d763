"""Writing a failed check as a program that can be pasted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from autograd.tensor import Tensor
from autograd.testing.layouts import layout_of, with_layout

__all__ = ["array_code", "name_of", "reproduction", "spec_program"]

Array: TypeAlias = np.ndarray[Any, Any]

LONGEST = 2000
"""Up to how many values are written out."""


def name_of(fn: Any) -> str:
    """What to call a function, a class with `apply`, a primitive or a module."""
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, type) and getattr(fn, "__name__", "") == "apply":
        return f"{owner.__name__}.apply"
    if isinstance(fn, partial):
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
    head, called = source_of(fn, bool(parameters))
    body = input_lines(inputs)
    for parameter, tensor in parameters.items():
        if tensor.numel() <= LONGEST:
            body.append(
                f'dict(module.named_parameters())["{parameter}"].data = {argument_code(tensor)}'
            )
    names = [f"x{k}" for k in range(len(inputs))]
    body.append(f"check_gradients({', '.join([called, *names])}{options})")
    return program(head, body, "check_gradients")


def input_lines(inputs: Sequence[Any]) -> list[str]:
    """Statements that make the inputs again, as ``x0``, ``x1`` and so on."""
    lines = []
    for k, value in enumerate(inputs):
        size = getattr(getattr(value, "array", value), "size", 1)
        if isinstance(size, int) and size > LONGEST:
            lines.append(f"x{k} = ...  # {size} values: error.result.inputs[{k}]")
            continue
        grad = ".requires_grad_()" if getattr(value, "requires_grad", False) else ""
        lines.append(f"x{k} = {argument_code(value)}{grad}")
    return lines


def program(head: Sequence[str], body: Sequence[str], *tools: str) -> str:
    """Imports, and what follows them."""
    if any("with_layout" in line for line in body):
        tools = (*tools, "with_layout")
    imports = ["import numpy as np", "import autograd"]
    imports.append(f"from autograd.testing import {', '.join(tools)}")
    return "\n".join([*imports, *head, *body])


def spec_program(
    fn: Any, reference: Any, settings: dict[str, str], inputs: Sequence[Any], name: str
) -> str:
    """A program that checks one property of an operation again with the same inputs.

    Args:
        fn: the operation of an `OpSpec`; the program assumes it under its own name.
        reference: what its values are compared with, or None; assumed likewise.
        settings: further keyword arguments of the `OpSpec`, as code.
        inputs: what it was called with.
        name: of the property.
    """
    is_module = not isinstance(fn, type) and hasattr(fn, "named_parameters")
    head, called = source_of(fn, is_module)
    if reference is not None:
        lines, found = source_of(reference, False)
        found = "reference" if found == "fn" else found
        head = [*head, *(line.replace("# fn:", "# reference:") for line in lines)]
        settings = {"reference": found, **settings}
    given = "".join(f", {key}={value}" for key, value in settings.items())
    names = ", ".join(f"x{k}" for k in range(len(inputs)))
    call = f'check_spec(OpSpec({called}{given}), [{names}], only=["{name}"])'
    return program(head, [*input_lines(inputs), call], "OpSpec", "check_spec")


def source_of(fn: Any, is_module: bool) -> tuple[list[str], str]:
    """How to get hold of a function: lines to begin with, and an expression."""
    name = name_of(fn)
    if is_module:
        return commented(f"module: {fn!r}"), "module"
    if hasattr(fn, "code") and isinstance(fn.code, str):
        return ["from autograd.testing import CaseCall"], fn.code
    if isinstance(fn, partial):
        lines, inner = source_of(fn.func, False)
        given = "".join(f", {key}={value!r}" for key, value in fn.keywords.items())
        return [*lines, "from functools import partial"], f"partial({inner}{given})"
    if name.startswith("<") or not hasattr(fn, "__name__"):
        return commented(f"fn: {name if name.startswith('<') else repr(fn)}"), "fn"
    owner = getattr(fn, "__self__", None)
    source = owner if isinstance(owner, type) else fn
    module = getattr(source, "__module__", None)
    qualified = getattr(source, "__qualname__", getattr(source, "__name__", ""))
    if module in (None, "__main__") or "<locals>" in qualified:
        return [f"# {name}: as defined in {module}"], name
    return [f"from {module} import {qualified.split('.')[0]}"], name


def commented(text: str) -> list[str]:
    return [f"# {line}" for line in text.strip().splitlines()]
