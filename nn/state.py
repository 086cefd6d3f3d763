"""Loading a state into a module: checked as a whole first, then written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import autograd
from autograd import Tensor
from nn.parameter import Parameter

if TYPE_CHECKING:
    from nn.module import Module

__all__ = ["IncompatibleKeys", "load_into"]


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` found on one side only; both lists are empty after a strict load."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def load_into(
    module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool
) -> IncompatibleKeys:
    """The work of `Module.load_state_dict`."""
    if not isinstance(state_dict, Mapping):
        raise TypeError(
            f"load_state_dict: expected a mapping of names to tensors, "
            f"got {type(state_dict).__name__}"
        )
    places = {
        name: (owner, key, value)
        for path, owner in module.named_modules(remove_duplicate=False)
        for key, value in owner._own_state()
        for name in [f"{path}.{key}" if path else key]
    }
    keys = IncompatibleKeys(
        [name for name in places if name not in state_dict],
        [name for name in state_dict if name not in places],
    )
    problems = []
    if strict and keys.missing_keys:
        problems.append(f"Missing key(s) in state_dict: {quoted(keys.missing_keys)}.")
    if strict and keys.unexpected_keys:
        problems.append(f"Unexpected key(s) in state_dict: {quoted(keys.unexpected_keys)}.")
    arrays = {}
    for name, (_, _, current) in places.items():
        if name in state_dict:
            arrays[name], problem = fitting(name, state_dict[name], current)
            problems.extend(problem)
    if problems:
        lines = "".join(f"\n\t{problem}" for problem in problems)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(module).__name__}:{lines}")
    with autograd.no_grad():
        for name, array in arrays.items():
            owner, key, current = places[name]
            if not assign:
                current.copy_(autograd.as_tensor(array))
            elif key in owner._parameters:
                owner._parameters[key] = Parameter(
                    tensor_from(state_dict[name], array), current.requires_grad
                )
            else:
                owner._buffers[key] = tensor_from(state_dict[name], array)
    return keys


def fitting(name: str, value: Any, current: Tensor) -> tuple[Any, list[str]]:
    """The array of an entry, and what is wrong with it."""
    shape = tuple(current.shape)
    try:
        array = value.array if isinstance(value, Tensor) else np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        return None, [f"{name} cannot be read as an array ({error})."]
    if array.dtype.kind not in "biufc":
        return None, [f"{name} is a {type(value).__name__} of {array.dtype}, expected numbers."]
    if array.dtype.kind == "c" and current.dtype.kind != "c":
        return None, [f"dtype mismatch for {name}: got {array.dtype}, expected {current.dtype}."]
    if array.shape == (1,) and shape == ():
        array = array.reshape(())  # (1,) -> (), how scalars were stored once
    if array.shape != shape:
        return None, [
            f"size mismatch for {name}: the state_dict has shape {array.shape}, the model {shape}."
        ]
    return array, []


def tensor_from(value: Any, array: Any) -> Tensor:
    return value.detach() if isinstance(value, Tensor) else autograd.as_tensor(array)


def quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
