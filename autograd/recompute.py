"""Time for memory: what a function computed on its way is forgotten, and computed again.

The function's own part of the graph becomes a single node. Its parents are the tensors from outside
that the part depended on: arguments, and also parameters that the function only knows. In the
backward pass the function runs once more, and the gradients of its outputs are led through the
part of the graph that arises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.errors import GraphError
from autograd.function import Output
from autograd.generator import in_thread_or_default
from autograd.graph import (
    Backward,
    Node,
    Parent,
    TensorBase,
    as_tensor,
    new_tensor,
    newest_order,
    nodes_towards,
    state,
)
from autograd.inplace import up_to_date

__all__ = ["recompute"]


def recompute(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    preserve_rng_state: bool = True,
) -> Any:
    """Call a function without keeping what it computes on its way; backward calls it again.

    Args:
        function: computes the same each time; the gradients are then the same, bit for bit.
        args: its arguments.
        kwargs: its keyword arguments.
        preserve_rng_state: whether random numbers are the same in the second call.

    Returns:
        What the function returns: tensors, also in tuples, lists and dictionaries.

    Raises:
        RuntimeError: in backward, where the second call depends on other tensors or returns
            something else, or an argument was overwritten in between.

    Example:
        >>> from autograd import recompute, tensor
        >>> x = tensor([1.0, 2.0], requires_grad=True)
        >>> recompute(lambda x: (x * x).exp(), (x,)).sum().backward()
        >>> [round(slope, 1) for slope in x.grad.tolist()]
        [5.4, 218.4]
    """
    kwargs = dict(kwargs or {})
    if not state.grad_enabled:
        return function(*args, **kwargs)
    versions: list[Any] = []
    for value in tensors_in((args, kwargs)):
        versions += (value._version, value._version[0])
    generator = in_thread_or_default() if preserve_rng_state else None
    random = None if generator is None else generator.get_state()
    began = newest_order()
    returned = function(*args, **kwargs)
    found = made_since(began, returned)
    if not found:
        return returned
    edges = boundary(began, found)
    for edge in edges:
        if isinstance(edge, TensorBase):
            versions += (edge._version, edge._version[0])

    def again() -> Any:
        if generator is None or random is None:
            return function(*args, **kwargs)
        now = generator.get_state()
        generator.set_state(random)
        try:
            return function(*args, **kwargs)
        finally:
            generator.set_state(now)

    call = Recomputation(again, found)
    node = Node(call, edges, {}, None, (), versions, *call.outputs[0])
    results = {id(tensor): call.result(node, place) for place, tensor in enumerate(found)}
    return replaced(returned, results)


class Recomputation:
    """One call of `recompute`, as the graph sees it."""

    name = "checkpoint"
    title = "CheckpointBackward"
    broadcasts = False
    fresh_gradients = False

    def __init__(self, again: Callable[[], Any], found: Sequence[Any]) -> None:
        self.again: Callable[[], Any] | None = again
        self.outputs = [(tensor._array.shape, tensor._array.dtype) for tensor in found]
        self.arrays = [
            tensor._array if tensor._view is None else tensor._array.copy() for tensor in found
        ]

    def result(self, node: Node, place: int) -> Any:
        """An output with the history that leads to the call."""
        history = node
        if len(self.outputs) > 1:
            history = Node(Output(self, place), [node], {}, None, (), (), *self.outputs[place])
        array, self.arrays[place] = self.arrays[place], None
        return new_tensor(array, True, history)

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        assert self.again is not None
        parts = grad if len(self.outputs) > 1 else (grad,)
        edges = node.parents
        before = state.grad_enabled, state.module
        state.grad_enabled, state.module = True, node.module
        try:
            began = newest_order()
            found = made_since(began, self.again())
            self.check(found, boundary(began, found), edges)
            targets: set[Any] = {
                edge for place, edge in enumerate(edges) if needs is None or needs[place]
            }
            roots = [
                (tensor._node, as_tensor(part) if create_graph else part)
                for tensor, part in zip(found, parts, strict=True)
                if part is not None
            ]
            del found
            state.grad_enabled, state.module = create_graph, None
            walk = Within(create_graph, targets)
            for root, part in roots:
                walk.start(root, part)
            walk.walk(nodes_towards([root for root, _ in roots], targets), targets)
            return [walk.arrived.get(edge) if edge in targets else None for edge in edges]
        finally:
            state.grad_enabled, state.module = before

    def check(self, found: Sequence[Any], edges: Sequence[Any], expected: Sequence[Any]) -> None:
        """Refuse a second call that computed something else."""
        outputs = [(tensor._array.shape, tensor._array.dtype) for tensor in found]
        if outputs != self.outputs:
            raise GraphError(
                f"checkpoint: the function returned outputs {self.outputs} at first and {outputs} "
                "when it was called again for the gradient"
            )
        if set(edges) != set(expected):
            raise GraphError(
                f"checkpoint: the function depended on {len(expected)} tensors at first and on "
                f"{len(edges)} or other ones when it was called again for the gradient"
            )

    def release(self, node: Node) -> None:
        self.again = None
        node.saved = None
        node.versions = ()


class Within(Backward):
    """A backward pass through a part of a graph, inside a pass through the whole.

    Hooks at the boundary are left to the outer pass.
    """

    def __init__(self, create_graph: bool, targets: set[Any]) -> None:
        super().__init__(keep_graph=create_graph, create_graph=create_graph)
        self.outside = {
            edge.watchers for edge in targets if isinstance(edge, Node) and edge.watchers
        }

    def show(self, watchers: Any, grad: Any) -> Any:
        return grad if watchers in self.outside else super().show(watchers, grad)


def tensors_in(value: Any) -> list[Any]:
    """The tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(value, TensorBase):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, (tuple, list)):
        return []
    return [tensor for part in value for tensor in tensors_in(part)]


def replaced(value: Any, results: Mapping[int, Any]) -> Any:
    """The same nested value with other tensors."""
    if isinstance(value, TensorBase):
        return results.get(id(value), value)
    if isinstance(value, Mapping):
        return {key: replaced(part, results) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        parts = [replaced(part, results) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return value


def made_since(began: int, returned: Any) -> list[Any]:
    """The tensors among the outputs that were recorded since, each once."""
    found: dict[int, Any] = {}
    for tensor in tensors_in(returned):
        up_to_date(tensor)
        if tensor._node is not None and tensor._node.order < began:
            found[id(tensor)] = tensor
    return list(found.values())


def boundary(began: int, tensors: Sequence[Any]) -> list[Parent]:
    """The leaves and older nodes on which the part of the graph depends that was made since."""
    edges: dict[Any, None] = {}
    seen: set[Node] = set()
    stack = [tensor._node for tensor in tensors]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for parent in node.parents:
            if isinstance(parent, Node) and parent.order < began:
                stack.append(parent)
            elif parent is not None:
                edges[parent] = None
    return list(edges)
