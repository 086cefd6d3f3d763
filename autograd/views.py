"""Results that lie in the memory of an input: views, as in NumPy and PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.errors import InplaceError
from autograd.graph import Node, TensorBase, View, ViewStep, new_tensor, state, watchers_of


def share_memory(
    op: Any,
    result: Any,
    inputs: Sequence[Any],
    arrays: Sequence[Any],
    attributes: dict[str, Any],
) -> Any:
    """Register a result that lies in the memory of an input as a view of it.

    With one tensor among the inputs the view can be read again from its base; otherwise the
    result gets memory of its own, which is always right.
    """
    out = result._array
    source = None
    for value, array in zip(inputs, arrays, strict=True):
        if isinstance(value, TensorBase) and array is value._array:
            base = out.base
            if (
                base is array
                or out is array
                or (base is not None and base is array.base)
                or np.may_share_memory(out, array)
            ):
                source = value
    if source is None:
        return out
    if len(inputs) > 1:
        result._array = out.copy()
        return result._array
    before = source._view
    step: ViewStep = (op, attributes)
    tracked = state.grad_enabled and (before is None or before.tracked)
    result._version = source._version
    result._view = View(
        before.base if before is not None else source,
        before.array if before is not None else source._array,
        (*before.steps, step) if before is not None else (step,),
        source._version[1],
        tracked,
    )
    return out


def refresh(tensor: TensorBase, needed: bool = False) -> None:
    """Give a view the history that its base has now, after an in-place operation changed it.

    Raises:
        InplaceError: the history is needed (as it is with gradients on), but not known: the view
            was made under `no_grad`, or its base lies in other memory by now.
    """
    view = tensor._view
    assert view is not None
    base = view.base
    lost = base._array is not view.array
    if lost or (base._requires_grad and not view.tracked):
        if not (needed or state.grad_enabled):
            return
        reason = "its base has been given other memory (.data was set)"
        raise InplaceError(
            f"a view of shape {tensor._array.shape} cannot be used, as its memory has been "
            "overwritten with gradients on, and "
            f"{reason if lost else 'it was made under no_grad()'}; use its detach()"
        )
    if base._requires_grad:
        previous, state.grad_enabled = state.grad_enabled, True
        try:
            source: Any = base if base._node is None else new_tensor(base._array, True, base._node)
            for op, attributes in view.steps:
                source = op(source, **attributes)
        finally:
            state.grad_enabled = previous
        pass_on_retained(tensor, source._node)
        tensor._node = source._node
        tensor._requires_grad = True
    view.rebases = tensor._version[1]


def pass_on_retained(tensor: TensorBase, node: Node) -> None:
    """A tensor whose gradient is to be retained keeps that wish under its new history."""
    before = None if tensor._node is None else tensor._node.watchers
    if before is not None and before.retained is not None and before.retained() is tensor:
        watchers_of(node).retained = before.retained
        before.retained = None
