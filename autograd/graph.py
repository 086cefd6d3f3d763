"""The recorded graph and the walk back through it.

A `Node` stands for one recorded operation and points to its parents only: the nodes, or the leaf
tensors, that its inputs came from. Nothing points forward, so there are no cycles, and a graph is
freed by reference counting as soon as its last handle goes.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush, heappushpop
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import numpy as np

from autograd.errors import (
    DtypeError,
    GradientShapeError,
    GraphError,
    InplaceError,
    ShapeError,
)

if TYPE_CHECKING:
    from autograd.tensor import Tensor

Array: TypeAlias = np.ndarray[Any, Any]
ViewStep: TypeAlias = tuple[Callable[..., Any], dict[str, Any]]
"""One step from a base to a view of it: an operation on one tensor, and its attributes."""
Version: TypeAlias = list[int]
"""`[writes, rebases]` of one piece of memory: how often it was overwritten, and how often an
in-place operation gave its owner a new history. Shared by a tensor and all views of it."""


class State(threading.local):
    """What each thread records: whether gradients are on, and inside which module it is."""

    grad_enabled = True
    inference = False
    module: ModuleScope | None = None


state = State()


class ModuleScope:
    """The module that is running: its name, its class, and the scope that it was called from."""

    __slots__ = ("kind", "name", "outer")

    def __init__(self, name: str, kind: str, outer: ModuleScope | None) -> None:
        self.name = name
        self.kind = kind
        self.outer = outer

    @property
    def path(self) -> tuple[str, ...]:
        """The names from the outermost module to this one."""
        names: list[str] = []
        scope: ModuleScope | None = self
        while scope is not None:
            names.append(scope.name)
            scope = scope.outer
        return tuple(reversed(names))


class View:
    """How a tensor is read from the memory of another: the steps that lead from `base` to it."""

    __slots__ = ("array", "base", "rebases", "steps", "tracked")

    def __init__(
        self,
        base: TensorBase,
        array: Array,
        steps: tuple[ViewStep, ...],
        rebases: int,
        tracked: bool,
    ) -> None:
        self.base = base
        self.array = array  # that of the base, until `base.data = ...` gives it another one
        self.steps = steps
        self.rebases = rebases
        self.tracked = tracked


class TensorBase:
    """What the engine knows of a tensor: memory, history and accumulated gradient.

    `autograd.Tensor` adds everything that a user calls.
    """

    __slots__ = (
        "__weakref__",
        "_array",
        "_grad",
        "_hooks",
        "_node",
        "_requires_grad",
        "_version",
        "_view",
    )

    _array: Array
    _node: Node | None
    _requires_grad: bool
    _grad: Tensor | None
    _version: Version
    _view: View | None
    _hooks: dict[int, Callable[[Tensor], Tensor | None]] | None


Parent: TypeAlias = "Node | TensorBase | None"


class Differentiable(Protocol):
    """What a node needs of the operation that it recorded."""

    name: str
    title: str  # what nodes are called, such as ``MulBackward0``
    broadcasts: bool
    fresh_gradients: bool  # whether arrays that it returns are its own, or seen by a user

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        """The gradient of each input, or None, from the gradient of the output.

        `needs` says for which inputs it is needed: for all that require grad, when None.
        """

    def release(self, node: Node) -> None:
        """Free what the node saved, after its last use."""


_orders = count(0, -1)


def newest_order() -> int:
    """An order between those of the nodes made so far and those to come."""
    return next(_orders)


class Watchers:
    """Who wants to see the gradient of a node's output on its way: hooks, and a tensor."""

    __slots__ = ("hooks", "retained")

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[[Tensor], Tensor | None]] = {}
        self.retained: weakref.ref[Tensor] | None = None


class Node:
    """One recorded operation.

    Attributes:
        op: the operation, with its rules.
        parents: for each input the node or the leaf tensor it came from; None without a gradient.
        attributes: the operation's keyword arguments.
        saved: what the rules read; None once a backward pass has consumed it.
        versions: for each saved value a version, then its count at that time.
        shape, dtype: of the output.
        order: falls with time, so that a heap hands out the newest node first.
        module: the module that was running, for drawing.
        watchers: hooks on the output's gradient, once there are any.
    """

    __slots__ = (
        "__weakref__",
        "attributes",
        "dtype",
        "module",
        "op",
        "order",
        "parents",
        "plan",
        "saved",
        "shape",
        "versions",
        "watchers",
    )

    def __init__(
        self,
        op: Differentiable,
        parents: Sequence[Parent],
        attributes: dict[str, Any],
        plan: Any,
        saved: Sequence[Any] | None,
        versions: Sequence[Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.op = op
        self.parents = parents
        self.attributes = attributes
        self.plan = plan
        self.saved = saved
        self.versions = versions
        self.shape = shape
        self.dtype = dtype
        self.order = next(_orders)
        self.module = state.module
        self.watchers: Watchers | None = None

    def name(self) -> str:
        """The operation's name in PyTorch's form, such as ``MulBackward0``."""
        return self.op.title

    @property
    def next_functions(self) -> tuple[tuple[Node | AccumulateGrad | None, int], ...]:
        """Where the gradients go: one ``(function, 0)`` per input, ``(None, 0)`` for constants."""
        return tuple(
            (AccumulateGrad(parent) if isinstance(parent, TensorBase) else parent, 0)
            for parent in self.parents
        )

    def __repr__(self) -> str:
        return f"<{self.name()}>"


def watchers_of(node: Node) -> Watchers:
    """The watchers of a node, made on first use."""
    if node.watchers is None:
        node.watchers = Watchers()
    return node.watchers


class AccumulateGrad:
    """The end of a path: adds what arrives to the ``.grad`` of a leaf, `variable`."""

    __slots__ = ("variable",)
    next_functions: tuple[()] = ()

    def __init__(self, variable: TensorBase) -> None:
        self.variable = variable

    def name(self) -> str:
        return "AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return hash(("AccumulateGrad", id(self.variable)))

    def __repr__(self) -> str:
        return "<AccumulateGrad>"


def edge_of(tensor: TensorBase) -> Parent:
    """What a node records as the parent of an input: its node, itself if a leaf, or None."""
    if not tensor._requires_grad:
        return None
    return tensor._node or tensor


def topological_order(roots: Iterable[Parent]) -> list[Node]:
    """Every node that the roots depend on, the newest first.

    A node is always made after its parents, so the order of making is a topological order.
    """
    seen: set[Node] = set()
    stack = [root for root in roots if isinstance(root, Node)]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(parent for parent in node.parents if isinstance(parent, Node))
    return sorted(seen, key=lambda node: node.order)


def nodes_towards(roots: Iterable[Parent], targets: set[Node | TensorBase]) -> set[Node]:
    """The nodes on some path from the roots to a target; the others need not be visited."""
    useful: set[Node] = set()
    for node in reversed(topological_order(roots)):
        if any(parent in targets or parent in useful for parent in node.parents):
            useful.add(node)
    return useful


def sum_to_shape(grad: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum a gradient over the axes along which its input was stretched."""
    from autograd import ops

    lead = len(grad.shape) - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + axis for axis, size in enumerate(shape) if size == 1 and grad.shape[lead + axis] != 1
    )
    return ops.reshape(ops.sum(grad, dim=axes, keepdim=False), shape=shape)


def fit_gradient(
    grad: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    node: Node,
    parent: Parent,
    create_graph: bool,
) -> Any:
    """Bring what a rule returned to the shape and dtype of the input that it belongs to.

    A rule may return either kind; what comes out is a Tensor if `create_graph`, else an array.
    """
    if isinstance(grad, tuple):  # the parts of several outputs, on their way to one call
        return grad
    if create_graph:
        grad = as_tensor(grad)
    elif isinstance(grad, TensorBase):
        grad = grad._array
    if isinstance(grad, TensorBase):
        from autograd import ops

        if grad._array.shape != shape:
            check_stretched(grad._array.shape, shape, node, parent)
            grad = sum_to_shape(grad, shape)
        return grad if grad._array.dtype == dtype else ops.cast(grad, dtype=dtype)
    if grad.__class__ is not np.ndarray:
        grad = np.asarray(grad)
    if grad.shape != shape:
        check_stretched(grad.shape, shape, node, parent)
        grad = sum_to_shape(grad, shape)
        if grad.__class__ is not np.ndarray:
            grad = np.asarray(grad)
    return grad if grad.dtype == dtype else grad.astype(dtype)


def check_stretched(
    came: tuple[int, ...], wanted: tuple[int, ...], node: Node, parent: Parent
) -> None:
    tail = came[len(came) - len(wanted) :]
    stretched = len(came) >= len(wanted) and all(
        size in (1, got) for size, got in zip(wanted, tail, strict=True)
    )
    if not (node.op.broadcasts and stretched):
        position = next(k for k, other in enumerate(node.parents) if other is parent)
        raise GradientShapeError(
            f"{node.op.name}: the gradient of input {position} has shape {came}, "
            f"the input {wanted}",
            came,
            wanted,
        )


class Backward:
    """One backward pass: gradients on their way, and the leaves that they have reached."""

    def __init__(self, keep_graph: bool, create_graph: bool) -> None:
        self.keep_graph = keep_graph
        self.create_graph = create_graph
        self.arrived: dict[Any, Any] = {}  # by node, leaf or target: the sum of gradients so far
        self.owned: set[Any] = set()  # sums that no one else can see, so they may grow in place
        self.heap: list[tuple[int, Node]] = []
        self.kept: list[tuple[Tensor, Tensor]] = []  # for the ``.grad`` of results, at the end
        self.began = newest_order()
        self.given: set[Any] = set()  # gradients that went out as they are

    def start(self, edge: Any, grad: Any) -> None:
        """Put in the gradient of a root."""
        before = self.arrived.get(edge)
        if before is not None:
            self.add(edge, before, grad)
            return
        self.arrived[edge] = grad
        if isinstance(edge, Node):
            heappush(self.heap, (edge.order, edge))

    def add(self, edge: Any, before: Any, grad: Any) -> None:
        """Add a gradient to one that arrived before it."""
        if edge in self.owned:
            np.add(before, grad, out=before)
        elif before.__class__ is not np.ndarray:  # Tensors, or the parts of several outputs
            self.arrived[edge] = before + grad
        else:
            total = before + grad
            self.arrived[edge] = total if total.__class__ is np.ndarray else np.asarray(total)
            self.owned.add(edge)

    def walk(self, useful: Any = None, targets: Any = None) -> None:
        """Visit nodes from the newest to the oldest, handing gradients to their parents.

        Args:
            useful: the set of nodes to visit; all when None.
            targets: the set of nodes and leaves whose gradients stay in `arrived`; no other leaf
                gets any. All leaves when None.
        """
        heap, arrived, owned = self.heap, self.arrived, self.owned
        create_graph, keep_graph = self.create_graph, self.keep_graph
        ndarray = np.ndarray
        held: Any = None  # the newest parent so far: a plain chain needs no heap
        while heap or held is not None:
            if held is None:
                node = heappop(heap)[1]
            elif heap:
                node = heappushpop(heap, (held.order, held))[1]
            else:
                node = held
            held = None
            grad = arrived.pop(node)
            if owned:
                owned.discard(node)
            if node.watchers is not None:
                grad = self.show(node.watchers, grad)
            if targets is not None:
                if node in targets:
                    arrived[node] = grad
                if node not in useful:
                    continue
            if node.saved is None:
                raise GraphError(
                    f"{node.op.name}: its saved values were freed by an earlier backward pass; "
                    "call the first backward with retain_graph=True to go through a graph twice"
                )
            versions = node.versions
            if versions and (  # up to two saved values are checked without a loop
                versions[0][0] != versions[1]
                or (len(versions) > 2 and (versions[2][0] != versions[3] or len(versions) > 4))
            ):
                check_versions(node)
            parents: Sequence[Any] = node.parents
            needs = None
            if targets is not None:
                needs = [parent in targets or parent in useful for parent in parents]
            gradients = node.op.gradients(node, grad, create_graph, needs)
            for parent, part in zip(parents, gradients, strict=True):
                if parent is None or part is None:
                    continue
                if targets is not None and parent not in targets and parent not in useful:
                    continue
                is_node = parent.__class__ is Node
                if is_node:
                    shape, dtype = parent.shape, parent.dtype
                else:
                    shape, dtype = parent._array.shape, parent._array.dtype
                if (
                    create_graph
                    or part.__class__ is not ndarray
                    or part.shape != shape
                    or part.dtype is not dtype
                ):
                    part = fit_gradient(part, shape, dtype, node, parent, create_graph)
                before = arrived.get(parent)
                if before is not None:
                    self.add(parent, before, part)
                    continue
                arrived[parent] = part
                if is_node:
                    if held is None:
                        held = parent
                    else:
                        heappush(heap, (parent.order, parent))
                elif not create_graph and is_fresh(part, grad, node, gradients):
                    owned.add(parent)
            if not keep_graph:
                node.op.release(node)

    def shows(self, gradient: Tensor) -> bool:
        """Whether others than the one who gets a recorded gradient can see its memory."""
        node = gradient._node
        made_here = node is not None and node.order < self.began and gradient._view is None
        if not made_here or gradient in self.given:
            return True
        self.given.add(gradient)
        return False

    def show(self, watchers: Watchers, grad: Any) -> Any:
        """Run the hooks of a node's output on its gradient, and keep it where that was asked."""
        tensor = run_hooks(watchers.hooks, as_tensor(grad))
        owner = watchers.retained() if watchers.retained is not None else None
        if owner is not None:
            self.kept.append((owner, private(tensor)))
        return tensor if self.create_graph else tensor._array


def is_fresh(part: Any, grad: Any, node: Node, gradients: Sequence[Any]) -> bool:
    """Whether nothing but this pass can see the memory of a gradient that a rule returned."""
    if part.base is not None or part is grad or not node.op.fresh_gradients:
        return False
    for value in node.saved or ():
        if part is value or (value.__class__ is tuple and any(part is one for one in value)):
            return False
    return sum(part is other for other in gradients) < 2


def as_tensor(grad: Any) -> Tensor:
    if isinstance(grad, TensorBase):
        return cast("Tensor", grad)
    return new_tensor(grad if grad.__class__ is np.ndarray else np.asarray(grad))


def private(tensor: Tensor) -> Tensor:
    """The values in memory of their own, with the same history."""
    from autograd import ops

    return ops.clone(tensor)


def run_hooks(hooks: dict[int, Callable[[Tensor], Tensor | None]] | None, grad: Tensor) -> Tensor:
    """What a gradient has become after all hooks.

    They see a copy: one that writes to it changes what flows on from here, and nothing else.
    """
    if not hooks:
        return grad
    grad = private(grad)
    for hook in list(hooks.values()):
        changed = hook(grad)
        if changed is None:
            continue
        if not isinstance(changed, TensorBase):
            raise TypeError(f"hook: expected a Tensor or None, got {type(changed).__name__}")
        if changed._array.shape != grad._array.shape:
            raise ShapeError(
                f"hook: returned a gradient of shape {changed._array.shape}, "
                f"expected {grad._array.shape}"
            )
        if changed._array.dtype != grad._array.dtype:
            raise DtypeError(
                f"hook: returned a gradient of type {changed._array.dtype}, "
                f"expected {grad._array.dtype}"
            )
        grad = changed
    return grad


def check_versions(node: Node) -> None:
    """Refuse to use a saved value whose memory has been overwritten since."""
    for version, count_then in zip(node.versions[::2], node.versions[1::2], strict=True):
        if version[0] != count_then:
            raise InplaceError(overwritten(node, version, count_then))


def overwritten(node: Node, version: Version, count_then: int) -> str:
    return (
        f"{node.op.name}: a value that its gradient needs was overwritten in place after it was "
        f"saved (the result has shape {node.shape}; the value's memory is at version "
        f"{version[0]}, saved was version {count_then}); "
        "write to a clone instead, or move the write behind backward"
    )


tensor_class: Any = TensorBase
"""`autograd.Tensor`, once that is defined; the engine makes its results of this class."""


def set_tensor_class(cls: type[TensorBase]) -> None:
    global tensor_class
    tensor_class = cls


def new_tensor(
    array: Any,
    requires_grad: bool = False,
    node: Node | None = None,
    version: Version | None = None,
) -> Tensor:
    """A tensor on an array, with the history given."""
    tensor: Tensor = tensor_class.__new__(tensor_class)
    tensor._array = array
    tensor._node = node
    tensor._requires_grad = requires_grad
    tensor._grad = None
    tensor._version = [0, 0] if version is None else version
    tensor._view = None
    tensor._hooks = None
    return tensor
