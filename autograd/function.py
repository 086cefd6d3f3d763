"""`Function`: an operation of the user's own, in PyTorch's style."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autograd.dtypes import is_floating
from autograd.errors import GraphError, InplaceError
from autograd.graph import Node, Parent, TensorBase, edge_of, new_tensor, state
from autograd.inplace import check_writable, rebase, up_to_date
from autograd.op import rejoin

__all__ = ["Function", "once_differentiable"]


class Saved:
    """A tensor that a context keeps, without its history if it is an output of the call.

    That would lead back to the context in a circle.
    """

    __slots__ = ("array", "count", "edge", "place", "version")

    def __init__(self, tensor: TensorBase, place: int | None) -> None:
        self.array = tensor._array
        self.place = place
        self.edge = edge_of(tensor) if place is None else None
        self.version = tensor._version
        self.count = tensor._version[0]


class Context:
    """What `forward` leaves for `backward`.

    Attributes:
        needs_input_grad: for each input of `apply`, whether its gradient is wanted.
        saved_tensors: in `backward`, the tensors given to `save_for_backward`.
    """

    def __init__(self, inputs: Sequence[Any], recorded: bool) -> None:
        self.needs_input_grad = tuple(
            isinstance(value, TensorBase) and value._requires_grad for value in inputs
        )
        self._inputs = inputs  # until the call is recorded
        self._recorded = recorded
        self._grad_enabled = state.grad_enabled
        self._to_save: tuple[Any, ...] = ()
        self._constants: tuple[Any, ...] = ()
        self._dirty: tuple[Any, ...] = ()
        self._materialize = True
        self._saved: list[Saved | None] | None = []
        self._running: tuple[Node, Call] | None = None  # while backward runs

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
        self._constants = outputs

    def mark_dirty(self, *inputs: Any) -> None:
        """Say that forward overwrites these inputs, which it also returns.

        Said before the write, a write that is not allowed is refused in time.
        """
        for value in inputs:
            if not is_one_of(value, self._inputs):
                raise ValueError("mark_dirty: expected tensors among the inputs of forward")
            before, state.grad_enabled = state.grad_enabled, self._grad_enabled
            try:
                check_writable("mark_dirty", value, self._recorded)
            finally:
                state.grad_enabled = before
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
        if saved.place is None:
            return rejoin(saved.array, saved.edge, iter((saved.version,)))
        history = None
        if self._running is not None:
            node, call = self._running
            history = call.history(node, saved.place)
        return new_tensor(saved.array, history is not None, history, saved.version)


class Call:
    """One call of a Function, as the graph sees it."""

    broadcasts = False
    fresh_gradients = False

    def __init__(self, cls: type[Function], ctx: Context, results: Sequence[Any]) -> None:
        self.name = cls.__name__
        self.title = f"{cls.__name__}Backward"
        self.cls = cls
        self.ctx = ctx
        self.takes = [isinstance(value, TensorBase) for value in ctx._inputs]
        self.outputs = [
            (r._array.shape, r._array.dtype) if isinstance(r, TensorBase) else None for r in results
        ]
        self.differentiable = [False] * len(results)

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        arrived = grad if len(self.outputs) > 1 else (grad,)
        handed = [self.hand_over(place, part) for place, part in enumerate(arrived)]
        self.ctx._running = (node, self)
        try:
            returned = self.cls.backward(self.ctx, *handed)
        finally:
            self.ctx._running = None
        results = returned if isinstance(returned, (tuple, list)) else (returned,)
        wanted = len(self.takes)
        if len(results) > wanted and all(extra is None for extra in results[wanted:]):
            results = results[:wanted]
        if len(results) != wanted:
            raise ValueError(
                f"{self.name}.backward: returned {len(results)} gradients, expected {wanted}, "
                "one for each input of forward"
            )
        for place, (result, takes) in enumerate(zip(results, self.takes, strict=True)):
            if result is None:
                continue
            if not isinstance(result, TensorBase):
                raise TypeError(
                    f"{self.name}.backward: expected Tensors or None, got {type(result).__name__}"
                )
            if not takes:
                raise ValueError(
                    f"{self.name}.backward: returned a gradient for input {place}, which is not a "
                    "tensor; expected None"
                )
        return results

    def hand_over(self, place: int, part: Any) -> Any:
        """The gradient of an output for a user to read: others may be using its memory."""
        if part is None:
            output = self.outputs[place]
            if output is None or not self.ctx._materialize:
                return None
            return new_tensor(np.zeros(*output))
        if not isinstance(part, TensorBase):
            return new_tensor(read_only(part))
        if part._requires_grad and part._node is None:
            return part
        return new_tensor(read_only(part._array), part._requires_grad, part._node, part._version)

    def history(self, node: Node, place: int) -> Node | None:
        """The history of an output: the call's node, behind a selector if there are several."""
        output = self.outputs[place]
        if output is None or not self.differentiable[place]:
            return None
        if len(self.outputs) == 1:
            return node
        return Node(Output(self, place), [node], {}, None, (), (), *output)

    def release(self, node: Node) -> None:
        if self.ctx._saved:
            self.ctx._saved = None


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

    def __init__(self, call: Any, place: int) -> None:
        self.name = call.name
        self.title = call.title
        self.place = place
        self.count = len(call.outputs)

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        return [Parts(grad if k == self.place else None for k in range(self.count))]

    def release(self, node: Node) -> None:
        """Nothing is kept."""


class Refusal:
    """Stands where a gradient cannot be differentiated again."""

    broadcasts = False
    fresh_gradients = False
    title = "OnceDifferentiableBackward"

    def __init__(self, name: str) -> None:
        self.name = name

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        raise GraphError(
            f"{self.name}.backward: it is marked once_differentiable, so its result cannot be "
            "differentiated"
        )

    def release(self, node: Node) -> None:
        """Nothing is kept."""


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `Function.backward` that computes by other means than tensor operations.

    It runs without being recorded; differentiating its result raises, rather than be wrong.
    """

    @wraps(backward)
    def run(ctx: Any, *gradients: Any) -> Any:
        recorded, state.grad_enabled = state.grad_enabled, False
        try:
            returned = backward(ctx, *gradients)
        finally:
            state.grad_enabled = recorded
        if not recorded:
            return returned
        node, call = ctx._running
        edges = [*node.parents, *(None if g is None else edge_of(g) for g in gradients)]

        def guarded(result: Any) -> Any:
            if not isinstance(result, TensorBase):
                return result
            array = result._array
            refusal = Node(Refusal(call.name), edges, {}, None, (), (), array.shape, array.dtype)
            return new_tensor(array, True, refusal, result._version)

        several = isinstance(returned, (tuple, list))
        return tuple(map(guarded, returned)) if several else guarded(returned)

    return run


class Function:
    """An operation with a derivative of one's own: subclass it and call `apply`.

    `forward(ctx, *inputs)` computes on tensors, without being recorded, and returns a tensor or a
    tuple; `backward(ctx, *gradients)` gets the gradient of each output and returns one for each
    input, or None. If `backward` uses tensor operations, it can be differentiated again.

    Where `setup_context(ctx, inputs, output)` is defined, `forward` gets no ctx.

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
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the output; keep what `backward` needs by `ctx.save_for_backward`."""
        raise NotImplementedError("Function: a subclass must define forward")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep what `backward` needs, where `forward` has no ctx."""

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradient of each input of `forward`, or None."""
        raise NotImplementedError("Function: a subclass must define backward to be differentiated")

    @classmethod
    def apply(cls, *inputs: Any, **named: Any) -> Any:
        """Call `forward` on the inputs and record the call.

        Raises:
            ValueError: an input marked as dirty was not returned.
            InplaceError: an input was overwritten that must not be, or was not marked as dirty.
        """
        apart = cls.setup_context is not Function.setup_context
        if apart or named:
            bound = inspect.signature(cls.forward).bind(
                *(() if apart else (None,)), *inputs, **named
            )
            bound.apply_defaults()
            inputs = bound.args if apart else bound.args[1:]
        tensors = [value for value in inputs if isinstance(value, TensorBase)]
        for value in tensors:
            up_to_date(value)
        recorded = state.grad_enabled and any(value._requires_grad for value in tensors)
        parents = [edge_of(v) if isinstance(v, TensorBase) else None for v in inputs]
        counts = [value._version[0] for value in tensors]
        ctx = Context(inputs, recorded)
        before, state.grad_enabled = state.grad_enabled, False
        try:
            if apart:
                returned = cls.forward(*inputs)
                cls.setup_context(ctx, inputs, returned)
            else:
                returned = cls.forward(ctx, *inputs)
        finally:
            state.grad_enabled = before
        outputs = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        for value, count in zip(tensors, counts, strict=True):
            if is_one_of(value, ctx._dirty):
                if not is_one_of(value, outputs):
                    raise ValueError(
                        f"{cls.__name__}.forward: an input marked as dirty must be returned"
                    )
                value._version[0] += 1
            elif recorded and value._requires_grad and value._version[0] != count:
                raise InplaceError(
                    f"{cls.__name__}.forward: overwrote an input that requires grad, without "
                    "ctx.mark_dirty"
                )
        results = [own(output, tensors, ctx) for output in outputs]
        if recorded:
            record(cls, ctx, parents, outputs, results)
        return tuple(results) if isinstance(returned, (tuple, list)) else results[0]


def is_one_of(value: Any, others: Sequence[Any]) -> bool:
    return any(value is other for other in others)


def read_only(array: Any) -> Any:
    view = np.asarray(array).view()  # sums of 0-d arrays are numbers
    view.flags.writeable = False
    return view


def own(output: Any, inputs: list[Any], ctx: Context) -> Any:
    """An output as a tensor of its own: what lies in the memory of an input is copied."""
    if not isinstance(output, TensorBase) or is_one_of(output, ctx._dirty):
        return output
    if any(np.may_share_memory(output._array, value._array) for value in inputs):
        return new_tensor(output._array.copy())
    return new_tensor(output._array, version=output._version)


def record(
    cls: type[Function],
    ctx: Context,
    parents: list[Parent],
    outputs: list[Any],
    results: list[Any],
) -> None:
    """Make the node of a call, give each output its history, and keep what was to be saved."""
    call = Call(cls, ctx, results)
    node = Node(call, parents, {}, None, (), (), *(call.outputs[0] or ((), np.dtype(np.float32))))
    ctx._saved = []
    for tensor in ctx._to_save:
        place = next((k for k, output in enumerate(outputs) if tensor is output), None)
        ctx._saved.append(None if tensor is None else Saved(tensor, place))
    for place, (output, result) in enumerate(zip(outputs, results, strict=True)):
        call.differentiable[place] = (
            isinstance(result, TensorBase)
            and is_floating(result._array.dtype)
            and not is_one_of(output, ctx._constants)
        )
        history = call.history(node, place)
        if history is not None and is_one_of(result, ctx._dirty):
            rebase(result, history)
        elif history is not None:
            result._node = history
            result._requires_grad = True
    ctx._inputs = ctx._to_save = ctx._constants = ctx._dirty = ()
