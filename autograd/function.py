"""`Function`: an operation of the user's own, in PyTorch's style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.errors import GraphError, InplaceError
from autograd.graph import (
    Node,
    Parent,
    TensorBase,
    Version,
    edge_of,
    new_tensor,
    state,
)
from autograd.inplace import check_writable, rebase, up_to_date

if TYPE_CHECKING:
    pass

__all__ = ["Function"]


class Saved:
    """A tensor that a context keeps: an input, an output, or one made in between.

    An output is kept without its history, which would lead back to the context in a circle.
    """

    __slots__ = ("count", "edge", "output", "tensor", "version")

    def __init__(self, tensor: TensorBase, output: int | None) -> None:
        self.tensor = tensor if output is None else new_tensor(tensor._array)
        self.output = output
        self.edge: Parent = edge_of(tensor) if output is None else None
        self.version: Version = tensor._version
        self.count = tensor._version[0]


class Context:
    """What `forward` leaves for `backward`.

    Attributes:
        needs_input_grad: for each input of `apply`, whether its gradient is wanted.
        saved_tensors: in `backward`, the tensors given to `save_for_backward`.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self._to_save: tuple[Any, ...] = ()
        self._constant_outputs: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self._saved: list[Saved | None] | None = []
        self._call: tuple[Node, Call] | None = None  # while backward runs

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for backward, where `saved_tensors` returns them.

        A write to one of them in between is noticed.
        """
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, TensorBase):
                raise TypeError(
                    f"save_for_backward: expected tensors or None, got {type(tensor).__name__}; "
                    "keep other values as attributes of ctx"
                )
        self._to_save = tensors

    def mark_non_differentiable(self, *outputs: Any) -> None:
        """Say that these outputs do not require grad; their gradient will be zeros."""
        self._constant_outputs = outputs

    def mark_dirty(self, *inputs: Any) -> None:
        """Say that forward has overwritten these inputs, which it also returns."""
        self._dirty = inputs

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs without a gradient."""
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._saved is None:
            raise GraphError(
                "saved_tensors: they were freed by an earlier backward pass; call the first one "
                "with retain_graph=True"
            )
        return tuple(self._restore(saved) for saved in self._saved)

    def _restore(self, saved: Saved | None) -> Any:
        if saved is None:
            return None
        if saved.version[0] != saved.count:
            raise InplaceError(
                "saved_tensors: a saved tensor was overwritten in place after it was saved"
            )
        if saved.output is not None and self._call is not None:
            node, call = self._call
            history = call.output_node(node, saved.output)
            return new_tensor(saved.tensor._array, True, history, saved.version)
        return saved.tensor


class Call:
    """One call of a Function, as the graph sees it."""

    broadcasts = False
    fresh_gradients = False

    def __init__(self, cls: type[Function], ctx: Context, count: int) -> None:
        self.name = cls.__name__
        self.cls = cls
        self.ctx = ctx
        self.count = count
        self.metas: list[tuple[tuple[int, ...], np.dtype[Any]]] = []

    def gradients(self, node: Node, grad: Any, create_graph: bool) -> Sequence[Any]:
        arrived = grad if self.count > 1 else (grad,)
        handed = [self.hand_over(place, part, create_graph) for place, part in enumerate(arrived)]
        self.ctx._call = (node, self)
        try:
            returned = self.cls.backward(self.ctx, *handed)
        finally:
            self.ctx._call = None
        results = returned if isinstance(returned, (tuple, list)) else (returned,)
        wanted = len(node.parents)
        if len(results) > wanted and all(extra is None for extra in results[wanted:]):
            results = results[:wanted]
        if len(results) != wanted:
            raise ValueError(
                f"{self.name}.backward: returned {len(results)} gradients, expected {wanted}, "
                "one for each input of forward"
            )
        for result in results:
            if result is not None and not isinstance(result, TensorBase):
                raise TypeError(
                    f"{self.name}.backward: expected Tensors or None, got {type(result).__name__}"
                )
        if create_graph:
            return results
        return [None if result is None else result._array for result in results]

    def output_node(self, node: Node, place: int) -> Node:
        """The history of an output: the call's node, behind a selector if there are several."""
        if self.count == 1:
            return node
        selector = Output(self.name, place, self.count)
        return Node(selector, [node], {}, None, (), [], *self.metas[place])

    def release(self, node: Node) -> None:
        if self.ctx._saved:
            self.ctx._saved = None

    def hand_over(self, place: int, part: Any, create_graph: bool) -> Any:
        if part is None:
            if not self.ctx._materialize:
                return None
            shape, dtype = self.metas[place]
            return new_tensor(np.zeros(shape, dtype))
        return part if isinstance(part, TensorBase) else new_tensor(part)


class Parts(tuple[Any, ...]):
    """The gradients of several outputs, on their way to the call that made them."""

    __slots__ = ()

    def __add__(self, other: Any) -> Parts:
        return Parts(
            b if a is None else a if b is None else a + b for a, b in zip(self, other, strict=True)
        )


class Output:
    """One of several outputs of a call: sends its gradient to the call, in its place."""

    broadcasts = False
    fresh_gradients = False

    def __init__(self, name: str, place: int, count: int) -> None:
        self.name = f"{name}_output"
        self.place = place
        self.count = count

    def gradients(self, node: Node, grad: Any, create_graph: bool) -> Sequence[Any]:
        return [Parts(grad if k == self.place else None for k in range(self.count))]

    def release(self, node: Node) -> None:
        """Nothing is kept."""


class Function:
    """An operation with a derivative of one's own: subclass it and call `apply`.

    `forward(ctx, *inputs)` computes on tensors, without being recorded, and returns a tensor or a
    tuple; `backward(ctx, *gradients)` gets the gradient of each output and returns one for each
    input, or None. If `backward` uses tensor operations, it can be differentiated again.

    Example:
        >>> from autograd import Function, tensor
        >>> class Square(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x
        ...     @staticmethod
        ...     def backward(ctx, gradient):
        ...         (x,) = ctx.saved_tensors
        ...         return 2 * x * gradient
        >>> x = tensor(3.0, requires_grad=True)
        >>> Square.apply(x).backward()
        >>> x.grad
        tensor(6.)
    """

    @staticmethod
    def forward(ctx: Any, *inputs: Any, **options: Any) -> Any:
        """Compute the output; keep what `backward` needs by `ctx.save_for_backward`."""
        raise TypeError("Function: a subclass must define forward")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradient of each input of `forward`, or None."""
        raise TypeError("Function: a subclass must define backward to be differentiated")

    @classmethod
    def apply(cls, *inputs: Any) -> Any:
        """Call `forward` on the inputs and record the call.

        Raises:
            TypeError: forward returns something other than tensors.
        """
        tensors = [value for value in inputs if isinstance(value, TensorBase)]
        for value in tensors:
            up_to_date(value)
        recorded = state.grad_enabled and any(value._requires_grad for value in tensors)
        needs = tuple(isinstance(value, TensorBase) and value._requires_grad for value in inputs)
        ctx = Context(needs)
        parents = [edge_of(v) if isinstance(v, TensorBase) else None for v in inputs]
        before, state.grad_enabled = state.grad_enabled, False
        try:
            returned = cls.forward(ctx, *inputs)
        finally:
            state.grad_enabled = before
        several = isinstance(returned, (tuple, list))
        outputs = list(returned) if several else [returned]
        for output in outputs:
            if output is not None and not isinstance(output, TensorBase):
                raise TypeError(
                    f"{cls.__name__}.forward: expected Tensors, got {type(output).__name__}"
                )
        results = [own(output, tensors, ctx) for output in outputs]
        if recorded:
            attach(cls, ctx, parents, outputs, results)
        return tuple(results) if several else results[0]


def own(output: Any, inputs: list[Any], ctx: Context) -> Any:
    """An output as a tensor of its own: what an input or a view of one is gets a copy."""
    if output is None or any(output is dirty for dirty in ctx._dirty):
        return output
    if output._view is not None or any(output is value for value in inputs):
        return new_tensor(output._array.copy())
    return output if output._node is None else new_tensor(output._array, version=output._version)


def attach(
    cls: type[Function],
    ctx: Context,
    parents: list[Parent],
    outputs: list[Any],
    results: list[Any],
) -> None:
    """Make the node of a call, give each output its history, and keep what was to be saved."""
    call = Call(cls, ctx, len(results))
    differentiable = [
        result is not None
        and result._array.dtype.kind in "fc"
        and not any(output is constant for constant in ctx._constant_outputs)
        for output, result in zip(outputs, results, strict=True)
    ]
    call.metas = [
        ((), np.dtype(np.float32)) if r is None else (r._array.shape, r._array.dtype)
        for r in results
    ]
    shape, dtype = call.metas[0] if call.metas else ((), np.dtype(np.float32))
    node = Node(call, parents, {}, ctx, (), [], shape, dtype)
    saved: list[Saved | None] = []
    for tensor in ctx._to_save:
        place = next((k for k, output in enumerate(outputs) if tensor is output), None)
        saved.append(None if tensor is None else Saved(tensor, place))
    ctx._saved = saved
    ctx._to_save = ()
    ctx._constant_outputs = ()
    for place, (result, wanted) in enumerate(zip(results, differentiable, strict=True)):
        if not wanted:
            continue
        history = call.output_node(node, place)
        if any(result is dirty for dirty in ctx._dirty):
            check_writable(cls.__name__, result, recorded=True)
            rebase(result, history)
        else:
            result._node = history
            result._requires_grad = True
