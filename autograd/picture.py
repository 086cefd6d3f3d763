"""What a drawing of a graph shows: boxes, the frames of modules around them, and arrows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd import graph
from autograd.function import Call
from autograd.graph import ModuleScope, Node, TensorBase, edge_of, topological_order
from autograd.inplace import up_to_date
from autograd.plans import ALL_INPUTS, INPUT, OUT, RESIDUAL, Plan

__all__ = ["Box", "Options", "Picture", "title_of"]


@dataclass(frozen=True)
class Options:
    """How much is written on the boxes, and which are drawn; see `autograd.make_dot`."""

    show_attrs: bool
    show_saved: bool
    max_attr_chars: int
    show_shapes: bool
    depth: int | None

    def cut(self, text: str) -> str:
        return text if len(text) <= self.max_attr_chars else text[: self.max_attr_chars] + "..."


@dataclass(slots=True, eq=False)
class Box:
    """One box: what is written on it, and the module in whose frame it stands."""

    number: int
    kind: str
    title: str
    details: list[str]
    frame: ModuleScope | None


class Picture:
    """The boxes and arrows of one drawing, in the order in which the graph was made.

    Args:
        outputs: the tensors whose graph is drawn, with the names to write on them.
        names: the names of leaves, by their id.
    """

    def __init__(
        self, outputs: list[tuple[str, TensorBase]], names: dict[int, str], options: Options
    ) -> None:
        self.names = names
        self.options = options
        self.boxes: list[Box] = []
        self.arrows: list[tuple[Box, Box]] = []
        self.found: dict[object, Box] = {}  # by node, by folded module, and by id of a leaf
        self.readers: dict[int, dict[Box, None]] = {}  # of each leaf, by its id
        self.folded_leaves: dict[Box, dict[int, TensorBase]] = {}
        for _, output in outputs:
            up_to_date(output)
        nodes = topological_order(edge_of(output) for _, output in outputs)[::-1]
        for node in nodes:
            self.add_operation(node)
        for node in nodes:
            self.add_arrows(node)
        for box, leaves in self.folded_leaves.items():
            box.details.append(f"{sum(leaf._array.size for leaf in leaves.values()):,} parameters")
        for name, output in outputs:
            box = self.add("output", name, output._array)
            edge = edge_of(output)
            if isinstance(edge, Node):
                self.connect(self.box_of(edge), box)
            elif edge is not None:
                self.connect(self.box_of_leaf(edge), box)

    def add(self, kind: str, title: str, value: Any, frame: ModuleScope | None = None) -> Box:
        """A new box for a node or an array."""
        details = [measure(value)] if self.options.show_shapes else []
        box = Box(len(self.boxes), kind, title, details, frame)
        self.boxes.append(box)
        return box

    def add_operation(self, node: Node) -> None:
        """A box for a node, or the result of a node on the box of the folded module around it."""
        module = self.folded(node)
        if module is None:
            box = self.found[node] = self.add("operation", node.op.name, node, node.module)
            box.details += self.attributes(node) if self.options.show_attrs else ()
            box.details += self.saved(node) if self.options.show_saved else ()
        elif module not in self.found:
            box = self.add("module", title_of(module), node, module.outer)
            self.found[module] = box
        else:
            box = self.found[module]
            if self.options.show_shapes:
                box.details[0] = measure(node)  # the newest node makes the module's result
        for parent in node.parents:
            if isinstance(parent, TensorBase):
                self.readers.setdefault(id(parent), {})[box] = None

    def add_arrows(self, node: Node) -> None:
        box = self.box_of(node)
        held = data_of(node)
        for position, parent in enumerate(node.parents):
            if isinstance(parent, Node):
                self.connect(self.box_of(parent), box)
            elif parent is not None:
                self.connect(self.box_of_leaf(parent), box)
            elif position in held:
                self.connect(self.box_of_data(held[position]), box)

    def connect(self, source: Box | None, box: Box) -> None:
        if source is not None and source is not box:
            self.arrows.append((source, box))

    def folded(self, node: Node) -> ModuleScope | None:
        """The module that is drawn in place of a node, where that lies deeper than `depth`."""
        if self.options.depth is None:
            return None
        return next(iter(scopes(node.module)[self.options.depth :]), None)

    def box_of(self, node: Node) -> Box:
        return self.found[self.folded(node) or node]

    def box_of_leaf(self, leaf: TensorBase) -> Box | None:
        """The box of a leaf; None for a parameter that only one folded module reads."""
        key = id(leaf)
        if key not in self.found:
            readers = list(self.readers.get(key, ()))
            name = self.names.get(key)
            if name is None and type(leaf) is graph.tensor_class:
                self.found[key] = self.add("input", "input", leaf._array)
            elif len(readers) == 1 and readers[0].kind == "module":
                self.folded_leaves.setdefault(readers[0], {})[key] = leaf
                return None
            else:
                title = name or type(leaf).__name__
                frame = common_frame(readers)
                self.found[key] = self.add("parameter", title, leaf._array, frame)
        return self.found[key]

    def box_of_data(self, array: Any) -> Box:
        key = id(array)
        if key not in self.found:
            self.found[key] = self.add("data", "data", array)
        return self.found[key]

    def attributes(self, node: Node) -> Iterator[str]:
        for name, value in node.attributes.items():
            yield f"{name} = {self.options.cut(shown(value))}"

    def saved(self, node: Node) -> Iterator[str]:
        for name, value in saved_values(node):
            yield f"saved {name} = {self.options.cut(shown(value))}"


def shown(value: Any) -> str:
    """Arrays by their shapes, anything else in words that are the same in every run."""
    if isinstance(value, np.ndarray):
        return measure(value)
    if type(value) is tuple and any(isinstance(part, np.ndarray) for part in value):
        return f"({', '.join(map(shown, value))})"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def measure(value: Any) -> str:
    """The shape of a node or an array, and its type where that is not the default."""
    return f"{value.shape}" if value.dtype == np.float32 else f"{value.shape} {value.dtype}"


def title_of(scope: ModuleScope) -> str:
    """The dotted name of a module, and its class."""
    name = ".".join(filter(None, scope.path))
    return f"{name}: {scope.kind}" if name else scope.kind


def scopes(scope: ModuleScope | None) -> list[ModuleScope]:
    """The modules around a node, from the outermost to the innermost."""
    chain: list[ModuleScope] = []
    while scope is not None:
        chain.append(scope)
        scope = scope.outer
    return chain[::-1]


def common_frame(boxes: list[Box]) -> ModuleScope | None:
    """The innermost frame that holds all boxes."""
    common: ModuleScope | None = None
    for level in zip(*(scopes(box.frame) for box in boxes), strict=False):
        if any(scope is not level[0] for scope in level):
            break
        common = level[0]
    return common


def saved_values(node: Node) -> Iterator[tuple[str, Any]]:
    """What a node keeps for its gradient, each with the name that its rules use."""
    op: Any = node.op
    for kind, key, value in saved_entries(node):
        if kind == INPUT:
            yield op.inputs[key], value
        elif kind == ALL_INPUTS:
            yield from ((f"{op.variadic}[{place}]", one) for place, one in enumerate(value))
        elif kind == RESIDUAL:
            yield op.residuals[key], value
        elif kind == OUT:
            yield "out", value
    if isinstance(op, Call):
        for place, saved in enumerate(op.ctx._saved or ()):
            if saved is not None:
                yield f"tensors[{place}]", saved.array


def data_of(node: Node) -> dict[int, Any]:
    """The arrays among the inputs that a node keeps, by position; single numbers are left out."""
    held: dict[int, Any] = {}
    for kind, key, value in saved_entries(node):
        if kind == INPUT:
            held[key] = value
        elif kind == ALL_INPUTS:
            held.update(enumerate(value))
    return {position: value for position, value in held.items() if np.ndim(value) > 0}


def saved_entries(node: Node) -> Iterator[tuple[int, Any, Any]]:
    """The kind, key and value of everything that a node of a primitive keeps."""
    if isinstance(node.plan, Plan):
        for (kind, key), value in zip(node.plan.sources, node.saved or (), strict=False):
            yield kind, key, value
