"""Asking for gradients: `Tensor.backward` and `autograd.grad`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from autograd.errors import DtypeError, GraphError, ShapeError
from autograd.graph import (
    Backward,
    Node,
    Parent,
    TensorBase,
    as_tensor,
    edge_of,
    new_tensor,
    nodes_towards,
    private,
    run_hooks,
    state,
)
from autograd.inplace import up_to_date

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = ["backward", "grad"]

Result = TypeVar("Result")


def as_tuple(value: Any) -> tuple[Any, ...]:
    if isinstance(value, (TensorBase, np.ndarray)) or not isinstance(value, Iterable):
        return (value,)
    return tuple(value)


def start_of(name: str, output: TensorBase, gradient: Any, create_graph: bool) -> Any:
    """The gradient to start from at an output: the one given, or 1 for a scalar."""
    array = output._array
    if gradient is None:
        if array.size != 1:
            raise GraphError(
                f"{name}: a gradient must be given for an output of shape {array.shape}; "
                "only for a single value can it be left out"
            )
        start = np.ones(array.shape, array.dtype)
        return new_tensor(start) if create_graph else start
    given = gradient._array if isinstance(gradient, TensorBase) else np.asarray(gradient)
    if given.shape != array.shape:
        raise ShapeError(f"{name}: the gradient has shape {given.shape}, the output {array.shape}")
    if given.dtype.kind not in ("biufc" if array.dtype.kind == "c" else "biuf"):
        raise DtypeError(f"{name}: the gradient is {given.dtype}, expected {array.dtype}")
    if create_graph:
        tensor = gradient if isinstance(gradient, TensorBase) else new_tensor(given)
        from autograd import ops

        return tensor if given.dtype == array.dtype else ops.cast(tensor, dtype=array.dtype)
    return given.astype(array.dtype, copy=False)


def run(
    name: str,
    outputs: Sequence[TensorBase],
    gradients: Sequence[Any],
    keep_graph: bool,
    create_graph: bool,
    targets: set[Node | TensorBase] | None,
    finish: Callable[[Backward], Result],
) -> Result:
    """Walk back from the outputs, and make something of what arrived.

    Until `finish` nothing has changed that a user holds, so an error leaves every ``.grad``.
    """
    if len(outputs) != len(gradients):
        raise ValueError(f"{name}: {len(outputs)} outputs but {len(gradients)} gradients")
    before, state.grad_enabled = state.grad_enabled, create_graph
    scope, state.module = state.module, None
    try:
        walk = Backward(keep_graph, create_graph)
        edges = [root_of(name, output) for output in outputs]
        for edge, output, gradient in zip(edges, outputs, gradients, strict=True):
            walk.start(edge, start_of(name, output, gradient, create_graph))
        useful = None if targets is None else nodes_towards(edges, targets)
        with np.errstate(all="ignore"):
            walk.walk(useful, targets)
            return finish(walk)
    finally:
        state.grad_enabled, state.module = before, scope


def root_of(name: str, output: Any) -> Parent:
    """Where a pass begins that starts at an output."""
    if not isinstance(output, TensorBase):
        raise TypeError(f"{name}: expected a Tensor, got {type(output).__name__}")
    up_to_date(output, needed=True)
    edge = edge_of(output)
    if edge is None:
        raise GraphError(
            f"{name}: the output of shape {output._array.shape} does not require grad: no "
            "input required grad when it was computed, or gradients were off"
        )
    return edge


def gradient_at(walk: Backward, edge: Any) -> Tensor | None:
    """What arrived at a node or a leaf, in memory that nothing else sees.

    The hooks of a leaf run here, those of a node have run on the way.
    """
    arrived = walk.arrived.get(edge)
    if arrived is None:
        return None
    if isinstance(edge, TensorBase) and edge._hooks:
        return private(run_hooks(edge._hooks, as_tensor(arrived)))
    if walk.create_graph:
        return private(arrived) if walk.shows(arrived) else arrived
    return new_tensor(arrived if edge in walk.owned else np.array(arrived))


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of tensors to the ``.grad`` of the leaves that they depend on.

    Args:
        tensors: one or several outputs.
        grad_tensors: the gradient with respect to each output; may be left out for single values.
        retain_graph: keep what the graph saved, for another pass; as `create_graph` when None.
        create_graph: record the gradients' own computation, so that they can be differentiated.
            A ``.grad`` then leads back to its leaf: set it to None to free both, or use `grad`.
        inputs: the tensors to accumulate into; all leaves when None.

    Raises:
        RuntimeError: an output does not require grad, its gradient is missing, the graph was
            freed by an earlier pass, or a saved value was overwritten. No ``.grad`` has changed.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
        >>> autograd.backward((x * x).sum())
        >>> x.grad
        tensor([2., 4.])
    """
    outputs = as_tuple(tensors)
    gradients = (None,) * len(outputs) if grad_tensors is None else as_tuple(grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    receivers = None if inputs is None else as_tuple(inputs)
    if receivers is not None and not receivers:
        raise GraphError("backward: inputs is empty; leave it out to accumulate into all leaves")
    targets = None if receivers is None else targets_of("backward", receivers)

    def finish(walk: Backward) -> None:
        ends: Any = {r: r for r in walk.arrived}
        if receivers is not None:
            ends = {r: edge_of(r) for r in receivers}
        arrived = [(r, gradient_at(walk, end)) for r, end in ends.items() if r._requires_grad]
        found = [*walk.kept, *((r, gradient) for r, gradient in arrived if gradient is not None)]
        accumulate(found, create_graph)

    run("backward", outputs, gradients, keep, create_graph, targets, finish)


def targets_of(name: str, tensors: Sequence[Any]) -> set[Node | TensorBase]:
    targets: set[Node | TensorBase] = set()
    for tensor in tensors:
        if not isinstance(tensor, TensorBase):
            raise TypeError(f"{name}: expected a Tensor, got {type(tensor).__name__}")
        up_to_date(tensor, needed=True)
        edge = edge_of(tensor)
        if edge is None:
            raise GraphError(
                f"{name}: an input of shape {tensor._array.shape} does not require grad"
            )
        targets.add(edge)
    return targets


def accumulate(found: Sequence[tuple[Any, Tensor]], create_graph: bool) -> None:
    """Add to ``.grad``: in place, as PyTorch does, unless the sum is to be differentiated."""
    for tensor, gradient in found:
        before = tensor._grad
        if before is not None and before._array.shape != gradient._array.shape:
            raise ShapeError(
                f"backward: a gradient of shape {gradient._array.shape} cannot be added to the "
                f".grad of shape {before._array.shape} that is there; set .grad to None first"
            )
    for tensor, gradient in found:
        before = tensor._grad
        if before is None:
            tensor._grad = gradient
        elif create_graph or before._requires_grad or not before._array.flags.writeable:
            mode, state.grad_enabled = state.grad_enabled, True
            tensor._grad = before + gradient
            state.grad_enabled = mode
        else:
            np.add(before._array, gradient._array, out=before._array)
            before._version[0] += 1


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of outputs with respect to inputs, returned rather than accumulated.

    Computes ``sum over outputs of grad_output * d output / d input`` for each input.

    Args:
        outputs: one tensor or a sequence of them.
        inputs: the tensors to differentiate with respect to, leaves or not.
        grad_outputs: the gradient with respect to each output; may be left out for single values.
        retain_graph: keep what the graph saved, for another pass; as `create_graph` when None.
        create_graph: record the computation, for derivatives of higher order.
        allow_unused: return None for an input that the outputs do not depend on, in place of
            raising.
        materialize_grads: return zeros for such inputs.

    Returns:
        One gradient for each input, of its shape and dtype.

    Raises:
        RuntimeError: as `backward`; also for an unused input.

    Example:
        >>> from autograd import grad, tensor
        >>> x = tensor(2.0, requires_grad=True)
        >>> (slope,) = grad(x**3, x, create_graph=True)
        >>> grad(slope, x)
        (tensor(12.),)
    """
    roots, wanted = as_tuple(outputs), as_tuple(inputs)
    if not wanted:
        raise GraphError("grad: inputs is empty")
    if materialize_grads and allow_unused is False:
        raise ValueError("grad: materialize_grads=True implies allow_unused=True")
    gradients = (None,) * len(roots) if grad_outputs is None else as_tuple(grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    targets = targets_of("grad", wanted)

    def finish(walk: Backward) -> tuple[Any, ...]:
        edges = [edge_of(tensor) for tensor in wanted]
        found: dict[Any, Tensor | None] = {}
        results: list[Any] = []
        for place, (tensor, edge) in enumerate(zip(wanted, edges, strict=True)):
            again = edge in found
            gradient = found[edge] = found[edge] if again else gradient_at(walk, edge)
            if gradient is not None:
                results.append(private(gradient) if again else gradient)
            elif materialize_grads:
                results.append(new_tensor(np.zeros_like(tensor._array)))
            elif allow_unused:
                results.append(None)
            else:
                raise GraphError(
                    f"grad: input {place} of shape {tensor._array.shape} was not used to compute "
                    "the outputs; allow_unused=True returns None for it"
                )
        accumulate(walk.kept, create_graph)
        return tuple(results)

    return run("grad", roots, gradients, keep, create_graph, targets, finish)
