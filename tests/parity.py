"""The same call in PyTorch and here: values, data types, shapes and gradients must agree.

    agree(call("clamp", X, min=-1.0))

A `call` names a function or a method; arrays among its arguments become tensors of each library,
and NumPy's data types become PyTorch's. Every output that requires a gradient is differentiated
with the same random weights in both libraries.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd

torch = pytest.importorskip("torch")

DTYPES = {
    np.dtype(name): getattr(torch, name)
    for name in (
        *("bool", "uint8", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64", "complex64", "complex128"),
    )
}
TOLERANCE = {
    np.dtype(np.float16): {"rtol": 4e-3, "atol": 1e-3},
    np.dtype(np.float32): {"rtol": 2e-5, "atol": 2e-6},
    np.dtype(np.complex64): {"rtol": 2e-5, "atol": 2e-6},
}
NEARLY_EXACT = {"rtol": 1e-10, "atol": 1e-12}
USER_ERRORS = (RuntimeError, ValueError, TypeError, IndexError)


@dataclass(frozen=True)
class Call:
    """A function or method of both libraries, with its arguments; arrays stand for tensors."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    gradients: bool = True

    def __str__(self) -> str:
        parts = [describe(value) for value in self.args]
        parts += [f"{key}={describe(value)}" for key, value in self.kwargs.items()]
        return f"{self.name}({', '.join(parts)})"

    def cast(self, dtype: Any) -> Call:
        """The same call with every floating-point array in another data type."""

        def convert(value: Any) -> Any:
            is_float = isinstance(value, np.ndarray) and value.dtype.kind == "f"
            return value.astype(dtype) if is_float else value

        return replace(self, args=mapped(convert, self.args), kwargs=mapped(convert, self.kwargs))


def call(name: str, *args: Any, **kwargs: Any) -> Call:
    return Call(name, args, kwargs)


def without_gradients(name: str, *args: Any, **kwargs: Any) -> Call:
    return Call(name, args, kwargs, gradients=False)


def describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        values = np.array2string(value.reshape(-1), precision=2, separator=",")
        return f"{value.dtype}{list(value.shape)}{values if value.size < 5 else ''}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(describe, value))}]"
    return repr(value)


def mapped(function: Any, value: Any) -> Any:
    """Nested arguments with a function applied to each array and data type."""
    if isinstance(value, (np.ndarray, np.dtype)):
        return function(value)
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(function, item) for item in value)
    if isinstance(value, dict):
        return {key: mapped(function, item) for key, item in value.items()}
    return value


def theirs(value: Any) -> Any:
    """An argument for PyTorch."""
    return DTYPES[value] if isinstance(value, np.dtype) else torch.from_numpy(np.array(value))


def ours(value: Any) -> Any:
    """An argument for autograd."""
    return value if isinstance(value, np.dtype) else autograd.tensor(value)


def numpy_dtype(tensor: Any) -> Any:
    return tensor.numpy(force=True).dtype


def tensors_in(value: Any, kind: Any) -> list[Any]:
    """The tensors in nested arguments or results, in order."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [found for item in value for found in tensors_in(item, kind)]
    return []


def assert_same(mine: Any, reference: Any, what: str) -> None:
    """Values, data types and shapes of nested results are the same; NaN equals NaN."""
    if isinstance(reference, (list, tuple)):
        assert len(mine) == len(reference), f"{what}: {len(mine)} for {len(reference)} results"
        for place, (one, other) in enumerate(zip(mine, reference, strict=True)):
            assert_same(one, other, f"{what}, result {place}")
        return
    if isinstance(reference, torch.dtype):
        assert DTYPES[mine] == reference, what
        return
    if isinstance(reference, float):
        np.testing.assert_allclose(mine, reference, rtol=1e-10, err_msg=what)
        return
    if not isinstance(reference, torch.Tensor):
        assert mine == reference, what
        return
    assert isinstance(mine, autograd.Tensor), f"{what}: {mine!r} for {reference!r}"
    one, other = mine.numpy(force=True), reference.numpy(force=True)
    assert one.shape == other.shape, f"{what}: shape {one.shape} for {other.shape}"
    assert one.dtype == other.dtype, f"{what}: dtype {one.dtype} for {other.dtype}"
    tolerance = TOLERANCE.get(one.dtype, NEARLY_EXACT)
    np.testing.assert_allclose(one, other, **tolerance, equal_nan=True, err_msg=what)


def applied(library: Any, made: Call, args: Any, kwargs: Any, as_method: bool) -> Any:
    function = getattr(args[0], made.name) if as_method else getattr(library, made.name)
    # where infinities meet, NumPy may warn; what is compared is the result
    with np.errstate(invalid="ignore", over="ignore"):
        return function(*args[1:] if as_method else args, **kwargs)


def run(library: Any, convert: Any, made: Call, as_method: bool) -> tuple[Any, list[Any]]:
    """The result of a call, and the gradients of its floating-point inputs."""
    args, kwargs = mapped(convert, made.args), mapped(convert, made.kwargs)
    inputs = [t for t in tensors_in([args, kwargs], library.Tensor) if t.is_floating_point()]
    if made.gradients:
        for tensor in inputs:
            tensor.requires_grad_()
    result = applied(library, made, args, kwargs, as_method)
    outputs = [t for t in tensors_in([result], library.Tensor) if t.requires_grad]
    if not made.gradients or not outputs:
        return result, []
    draw = np.random.default_rng(0)
    weights = [
        library.as_tensor(np.asarray(draw.uniform(0.5, 1.5, tuple(t.shape))), dtype=t.dtype)
        for t in outputs
    ]
    backward = torch.autograd.backward if library is torch else autograd.backward
    backward(outputs, weights)
    return result, [tensor.grad for tensor in inputs]


def agree(made: Call, as_method: bool = False) -> None:
    """Check that a call gives the same here as in PyTorch, gradients included."""
    reference, their_gradients = run(torch, theirs, made, as_method)
    mine, my_gradients = run(autograd, ours, made, as_method)
    assert_same(mine, reference, str(made))
    assert len(my_gradients) == len(their_gradients), (
        f"{made}: {'a' if their_gradients else 'no'} gradient expected"
    )
    for place, (one, other) in enumerate(zip(my_gradients, their_gradients, strict=True)):
        if one is None and other is None:
            continue
        # none at all stands for a gradient of zeros
        other = torch.zeros(one.shape, dtype=DTYPES[one.dtype]) if other is None else other
        one = autograd.zeros(*other.shape, dtype=numpy_dtype(other)) if one is None else one
        assert_same(one, other, f"{made}: gradient of tensor {place}")


def check_table(table: list[Call]) -> Any:
    """Marks a test to run for each call of a table.

    The test's argument is a function without arguments that compares in float64 and float32, and,
    at the first call of a name, as a method too.
    """
    seen: set[str] = set()
    parameters = []
    for made in table:
        checks = [partial(agree, made)]
        if has_floats(made):
            checks.append(partial(agree, made.cast(np.float32)))
        if is_method(made) and made.name not in seen:
            checks.append(partial(agree, made, as_method=True))
            seen.add(made.name)
        parameters.append(pytest.param(partial(run_all, checks), id=str(made)))
    return pytest.mark.parametrize("check", parameters)


def run_all(checks: list[Any]) -> None:
    for check in checks:
        check()


def has_floats(made: Call) -> bool:
    arrays = []
    mapped(arrays.append, [made.args, made.kwargs])
    return any(array.dtype == np.float64 for array in arrays if isinstance(array, np.ndarray))


def is_method(made: Call) -> bool:
    """Whether a call can be made on its first argument; `where` has another order then."""
    first = made.args[0] if made.args else None
    owners = (torch.Tensor, autograd.Tensor)
    shared = all(hasattr(owner, made.name) for owner in owners) and made.name != "where"
    return shared and isinstance(first, np.ndarray)


def uncovered(module: Any, *tables: list[Call]) -> set[str]:
    """The public functions of a module that PyTorch has too, but that no call in a table checks."""
    shared = {name for name in module.__all__ if hasattr(torch, name)}
    return shared - {made.name for table in tables for made in table}


def both_refuse(made: Call, *patterns: str) -> None:
    """Check that both libraries raise, and that our message contains each of `patterns`."""
    with pytest.raises((*USER_ERRORS, NotImplementedError)):
        run(torch, theirs, made, as_method=False)
    with pytest.raises(USER_ERRORS) as caught:
        run(autograd, ours, made, as_method=False)
    for pattern in (f"{made.name}: ", *patterns):
        assert pattern in str(caught.value), f"{made}: '{pattern}' not in '{caught.value}'"
