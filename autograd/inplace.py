"""Writing into tensors: the gradient stays right, or the write is refused before anything changes.

A write gives the tensor that owns the memory a new history. Views of it notice by their version
that theirs is old, and read it anew from the owner (`autograd.views.refresh`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.dtypes import RANK, check_fits, is_floating
from autograd.errors import DtypeError, InplaceError, ShapeError
from autograd.graph import Array, Node, TensorBase, edge_of, newest_order, state
from autograd.ops.index import Place
from autograd.views import pass_on_retained, refresh

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = ["writable"]


def up_to_date(x: TensorBase, needed: bool = False) -> None:
    """See to it that a tensor has the history that its memory has now."""
    view = x._view
    if view is not None and view.rebases != x._version[1]:
        refresh(x, needed)


def check_writable(name: str, x: TensorBase, recorded: bool) -> None:
    """Refuse a write whose gradient could not be right, or that NumPy could not do.

    Args:
        name: the operation, for the message.
        x: the tensor to be written.
        recorded: whether the written values require gradients.

    Raises:
        InplaceError: with the reason.
    """
    array = x._array
    if not array.flags.writeable or (array.size > 1 and 0 in array.strides and overlaps(array)):
        raise InplaceError(
            f"{name}: several elements of this tensor of shape {array.shape} share one place in "
            "memory (it was expanded) or its memory is read-only; write to a clone instead"
        )
    if not state.grad_enabled:
        return
    view = x._view
    owner = x if view is None else view.base
    if view is not None and view.base._array is not view.array:
        if recorded or x._requires_grad or not view.tracked:
            raise InplaceError(
                f"{name}: the base of this view of shape {array.shape} has been given other "
                "memory (.data was set), so the write could not be recorded; write to a clone"
            )
        return
    if owner._requires_grad and owner._node is None:
        what = "a leaf tensor" if view is None else "a view of a leaf tensor"
        raise InplaceError(
            f"{name}: {what} of shape {array.shape} that requires grad cannot be written in "
            "place; use no_grad() for an update, or write to a clone"
        )
    if view is not None and not view.tracked and (recorded or owner._requires_grad):
        raise InplaceError(
            f"{name}: this view was made under no_grad(), so the write could not be recorded in "
            "its base; make the view with gradients on, or write under no_grad()"
        )


def overlaps(array: Array) -> bool:
    return any(
        stride == 0 and size > 1 for stride, size in zip(array.strides, array.shape, strict=True)
    )


def writable(tensor: TensorBase) -> Array:
    """The NumPy array of a tensor for overwriting it, as an optimizer does.

    The write is counted, so that a backward pass that needs the old values raises.

    Raises:
        InplaceError: the tensor requires grad and gradients are on, or its memory is shared
            among its own elements.

    Example:
        >>> from autograd import no_grad, tensor, writable
        >>> x = tensor([1.0, 2.0], requires_grad=True)
        >>> with no_grad():
        ...     writable(x)[...] = 0.0
        >>> x
        tensor([0., 0.], requires_grad=True)
    """
    if state.grad_enabled and tensor._requires_grad:
        raise InplaceError(
            "writable: the tensor requires grad; overwrite its array under no_grad()"
        )
    check_writable("writable", tensor, recorded=False)
    tensor._version[0] += 1
    return tensor._array


def apply_inplace(name: str, x: Tensor, compute: Callable[[], Tensor]) -> Tensor:
    """Put the result of an operation on x into x.

    Args:
        name: the operation, for messages.
        x: the tensor to be overwritten.
        compute: the operation, out of place.
    """
    up_to_date(x)
    check_writable(name, x, recorded=False)
    before = newest_order()
    out = compute()
    if out._array.shape != x._array.shape:
        raise ShapeError(
            f"{name}: the result has shape {out._array.shape}, "
            f"the tensor to be overwritten {x._array.shape}"
        )
    check_kind(name, out._array.dtype, x._array.dtype)
    check_writable(name, x, recorded=out._requires_grad)
    if out._node is not None:
        keep_old_values(out._node, before, x)
        if out._array.dtype != x._array.dtype:
            out = ops.cast(out, dtype=x._array.dtype)
    assert out._requires_grad or not (x._requires_grad and state.grad_enabled)
    with np.errstate(all="ignore"):
        x._array[...] = out._array
    x._version[0] += 1
    if out._node is not None:
        read_result_from(x, out, out._node)
        rebase(x, out._node)
    return x


def read_result_from(x: TensorBase, out: TensorBase, node: Node) -> None:
    """Let a node that saved its result keep that of x, which is equal by now, and free the other.

    As in PyTorch, a later write to x is then one to a value that the gradient needs.
    """
    if any(version is out._version for version in node.versions[::2]):
        assert node.saved is not None
        node.saved = [x._array if value is out._array else value for value in node.saved]
        node.versions = [
            part
            for version, then in zip(node.versions[::2], node.versions[1::2], strict=True)
            for part in (
                (x._version, x._version[0]) if version is out._version else (version, then)
            )
        ]


def check_kind(name: str, came: np.dtype[Any], wanted: np.dtype[Any]) -> None:
    if RANK[came.kind] > RANK[wanted.kind]:
        raise DtypeError(f"{name}: a result of type {came} cannot be put into a {wanted} tensor")


def keep_old_values(node: Node, before: int, x: TensorBase) -> None:
    """Let a node, and those it came from since `before`, keep copies of what they saved of x."""
    seen: set[Any] = {None}
    todo: list[Any] = [node]
    while todo:
        new = todo.pop()
        if new in seen or isinstance(new, TensorBase) or new.order > before:
            continue
        seen.add(new)
        todo.extend(new.parents)
        if any(version is x._version for version in new.versions[::2]):
            new.saved = [
                tuple(copied(part) for part in value) if isinstance(value, tuple) else copied(value)
                for value in new.saved
            ]
            new.versions = ()


def copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def rebase(x: TensorBase, node: Node) -> None:
    """Make `node` the history of x after a write, and of the tensor that x is a view of."""
    view = x._view
    owner = x if view is None else view.base
    if view is not None:
        node = ops.overwrite.record(
            [edge_of(owner), node],
            [owner._array.shape, x._array.shape],
            {"place": Place((Ellipsis,), view.steps)},
            owner._array.shape,
            owner._array.dtype,
        )
    pass_on_retained(owner, node)
    owner._node = node
    owner._requires_grad = True
    x._version[1] += 1
    if view is not None:
        refresh(x)


def write(name: str, x: TensorBase, index: tuple[Any, ...], value: Any) -> None:
    """``x[index] = value``, recorded where x or the value requires grad.

    Raises:
        IndexError: the index does not fit x.
        ShapeError: the value does not broadcast to the place.
        InplaceError: the write would make a gradient wrong.
    """
    up_to_date(x)
    if isinstance(value, TensorBase):
        up_to_date(value)
    recorded = (
        state.grad_enabled
        and isinstance(value, TensorBase)
        and value._requires_grad
        and is_floating(x._array.dtype)
    )
    check_writable(name, x, recorded)
    array = value._array if isinstance(value, TensorBase) else np.asarray(value)
    if array.dtype.kind not in RANK:
        raise TypeError(f"{name}: expected a tensor, an array or numbers, got {value!r}")
    if array.dtype.kind == "c":
        check_kind(name, array.dtype, x._array.dtype)
    if not isinstance(value, (TensorBase, np.ndarray)):
        check_fits(name, array, x._array.dtype)
    try:
        region = x._array[index].shape
    except IndexError as error:
        raise IndexError(f"{name}: {error} (tensor of shape {x._array.shape})") from None
    lead = max(array.ndim - len(region), 0)
    fits = all(size == 1 for size in array.shape[:lead]) and all(
        size in (1, wanted)
        for size, wanted in zip(reversed(array.shape[lead:]), reversed(region), strict=False)
    )
    if not fits:
        raise ShapeError(
            f"{name}: a value of shape {array.shape} does not broadcast to the place of shape "
            f"{region} in the tensor of shape {x._array.shape}"
        )
    node = None
    if (x._requires_grad and state.grad_enabled) or recorded:
        node = ops.overwrite.record(
            [edge_of(x), edge_of(value) if recorded else None],
            [x._array.shape, array.shape],
            {"place": Place(index)},
            x._array.shape,
            x._array.dtype,
        )
    if np.may_share_memory(array, x._array):  # NumPy reads what it has just written, with a mask
        array = array.copy()
    with np.errstate(all="ignore"):
        x._array[index] = array.reshape(array.shape[lead:])
    x._version[0] += 1
    if node is not None:
        rebase(x, node)
