"""Drawing a computation graph with Graphviz.

`make_dot` walks the graph behind a tensor and writes it in the DOT language. Only this module
imports the ``graphviz`` package, and only when something is drawn. The package writes DOT source on
its own; a picture also needs Graphviz's program ``dot`` (https://graphviz.org/download).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import graph
from autograd.graph import ModuleScope, Node, TensorBase, edge_of, topological_order
from autograd.inplace import up_to_date
from autograd.primitive import ALL_INPUTS, INPUT, OUT, RESIDUAL, Plan

if TYPE_CHECKING:
    from graphviz import Digraph

    from autograd.tensor import Tensor

__all__ = ["make_dot"]

LINE = "#767f8b"  # edges and titles: legible on a white page and on a dark one
TEXT, SMALL = "#1d232b", "#4b5563"  # on the boxes, which are light on either
FILL = {
    "parameter": "#bfdcf7",
    "input": "#fbe3a6",
    "data": "#fdf5e0",
    "operation": "#eceff3",
    "module": "#e3daf3",
    "output": "#c3e8c4",
}
STYLE = {
    "parameter": 'shape=box style=filled color="#4a86bd"',
    "input": 'shape=oval style=filled color="#c0912b"',
    "data": 'shape=oval style="filled,dashed" color="#c0912b"',
    "operation": 'shape=box style="filled,rounded" color="#8b96a3"',
    "module": 'shape=box style="filled,rounded" color="#8a70b8"',
    "output": 'shape=oval style=filled color="#4c9a55"',
}
FONT = 'fontname="Helvetica,Arial,sans-serif" fontsize=11'
HEADER = f"""\
\tgraph [rankdir=%s bgcolor=transparent nodesep=0.2 ranksep=0.3 {FONT} fontcolor="{LINE}"
\t\tlabeljust=l color="{LINE}" style="filled,rounded" fillcolor="#7f8fa614"]
\tnode [height=0.3 width=0.5 margin="0.11,0.05" {FONT} fontcolor="{TEXT}"]
\tedge [color="{LINE}" arrowsize=0.6]
"""
DIRECTIONS = ("TB", "BT", "LR", "RL")


def make_dot(
    output: Tensor | Iterable[Tensor] | Mapping[str, Tensor],
    params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
    *,
    show_shapes: bool = True,
    depth: int | None = None,
    rankdir: str = "TB",
    legend: bool = True,
) -> Digraph:
    """Draw the computation graph of a tensor, or of several, as a `graphviz.Digraph`.

    Each operation is a box, and the operations of one call of a module stand in a frame with its
    name and class. Leaves that ``params`` names are drawn as parameters, other leaves as inputs;
    arrays without a gradient are drawn where the graph still holds them, which ends with
    ``backward()``. The same graph gives the same source, byte for byte.

    Args:
        output: a tensor, or a tuple, list or dict of tensors.
        params: names of leaves: a dict, or pairs as ``model.named_parameters()`` gives them.
        show_attrs: list the attributes of each operation, such as a stride.
        show_saved: list the values that each operation keeps for its gradient.
        max_attr_chars: longer attributes are cut.
        show_shapes: write the shape of each value, and its type where that is not float32.
        depth: open modules down to this many levels, and draw deeper ones as one box each; by
            default all are open.
        rankdir: where the graph runs to: ``"TB"`` (down), ``"BT"``, ``"LR"`` (right) or ``"RL"``.
        legend: explain the colours under the picture.

    Raises:
        TypeError: `output` or `params` holds something that is no tensor.
        ValueError: `rankdir` or `depth` is none of the values above.

    ``make_dot(loss).render("loss", format="svg")`` writes a picture. Without the program ``dot``
    that raises ``graphviz.ExecutableNotFound``; ``.save("loss.dot")`` works all the same.

    Example:
        >>> from autograd import make_dot, tensor
        >>> w = tensor([1.0, 2.0], requires_grad=True)
        >>> dot = make_dot((w * w).sum(), params={"w": w})
        >>> all(word in dot.source for word in ("<B>w</B>", "mul", "sum", "(2,)"))
        True
    """
    from graphviz import Digraph

    if rankdir not in DIRECTIONS:
        raise ValueError(f"make_dot: rankdir is {rankdir!r}, expected one of {DIRECTIONS}")
    if depth is not None and depth < 0:
        raise ValueError(f"make_dot: depth is {depth}, expected None, or 0 or more")
    labels = Labels(names_of(params), show_attrs, show_saved, max_attr_chars, show_shapes)
    picture = Picture(labels, depth)
    picture.draw(list(named_outputs(output)))
    dot = Digraph()
    dot.body.append(HEADER % rankdir)
    dot.body.extend(picture.lines())
    if legend:
        dot.body.append(legend_line(picture.boxes))
    return dot


def named_outputs(output: Any) -> Iterator[tuple[str, TensorBase]]:
    """Each tensor to draw, with the name to write on it."""
    pairs: Iterable[tuple[object, Any]]
    if isinstance(output, TensorBase):
        pairs = [("output", output)]
    elif isinstance(output, Mapping):
        pairs = output.items()
    elif isinstance(output, (tuple, list)):
        pairs = ((f"output {position}", value) for position, value in enumerate(output))
    else:
        raise TypeError(
            "make_dot: output must be a tensor, or a tuple, list or dict of tensors, "
            f"got {type(output).__name__}"
        )
    for name, value in pairs:
        if not isinstance(value, TensorBase):
            raise TypeError(f"make_dot: {name} must be a tensor, got {type(value).__name__}")
        yield str(name), value


def names_of(params: Any) -> dict[int, str]:
    """The name of each tensor by its id; one known by several names bears them all."""
    names: dict[int, str] = {}
    for name, value in params.items() if isinstance(params, Mapping) else params or ():
        if not isinstance(value, TensorBase):
            raise TypeError(
                f"make_dot: params must hold tensors, got {type(value).__name__} for {name!r}"
            )
        known = names.get(id(value))
        names[id(value)] = str(name) if known is None else f"{known}, {name}"
    return names


@dataclass(slots=True, eq=False)
class Box:
    """One box of the picture, and the module in whose frame it stands."""

    number: int
    kind: str
    label: str
    frame: ModuleScope | None


class Picture:
    """The boxes and arrows of one drawing, in the order in which they are met."""

    def __init__(self, labels: Labels, depth: int | None) -> None:
        self.labels = labels
        self.depth = depth
        self.boxes: list[Box] = []
        self.arrows: list[tuple[Box, Box]] = []
        self.found: dict[object, Box] = {}  # by node, by folded module, and by id of a leaf
        self.readers: dict[int, dict[Box, None]] = {}  # of each leaf, by its id
        self.folded_leaves: dict[Box, dict[int, TensorBase]] = {}

    def draw(self, outputs: list[tuple[str, TensorBase]]) -> None:
        """Collect everything that leads to the outputs, the oldest first."""
        for _, output in outputs:
            up_to_date(output)
        nodes = topological_order(edge_of(output) for _, output in outputs)[::-1]
        for node in nodes:
            box = self.add_operation(node)
            for parent in node.parents:
                if isinstance(parent, TensorBase):
                    self.readers.setdefault(id(parent), {})[box] = None
        for node in nodes:
            box = self.box_of(node)
            held = data_of(node)
            for position, parent in enumerate(node.parents):
                if isinstance(parent, Node):
                    self.connect(self.box_of(parent), box)
                elif parent is not None:
                    self.connect(self.box_of_leaf(parent), box)
                elif position in held:
                    self.connect(self.box_of_data(held[position]), box)
        for box, leaves in self.folded_leaves.items():
            count = sum(leaf._array.size for leaf in leaves.values())
            box.label += small(f"{count:,} parameters")
        for name, output in outputs:
            box = self.add("output", self.labels.value(name, output._array))
            edge = edge_of(output)
            if isinstance(edge, Node):
                self.connect(self.box_of(edge), box)
            elif edge is not None:
                self.connect(self.box_of_leaf(edge), box)

    def add(self, kind: str, label: str, frame: ModuleScope | None = None) -> Box:
        box = Box(len(self.boxes), kind, label, frame)
        self.boxes.append(box)
        return box

    def connect(self, source: Box | None, box: Box) -> None:
        if source is not None and source is not box:
            self.arrows.append((source, box))

    def folded(self, node: Node) -> ModuleScope | None:
        """The module that is drawn in place of a node, where that lies deeper than `depth`."""
        if self.depth is None:
            return None
        chain = scopes(node.module)
        return chain[self.depth] if len(chain) > self.depth else None

    def box_of(self, node: Node) -> Box:
        return self.found[self.folded(node) or node]

    def add_operation(self, node: Node) -> Box:
        """The box of a node, or of the folded module that it is part of."""
        module = self.folded(node)
        if module is None:
            box = self.found[node] = self.add("operation", self.labels.operation(node), node.module)
            return box
        if module not in self.found:
            self.found[module] = self.add("module", "", module.outer)
        box = self.found[module]
        box.label = self.labels.value(title(module), node)  # the newest node makes the result
        return box

    def box_of_leaf(self, leaf: TensorBase) -> Box | None:
        """The box of a leaf; None for a parameter that only one folded module reads."""
        key = id(leaf)
        if key not in self.found:
            readers = list(self.readers.get(key, ()))
            name = self.labels.names.get(key)
            if name is None and type(leaf) is graph.tensor_class:
                self.found[key] = self.add("input", self.labels.value("input", leaf._array))
            elif len(readers) == 1 and readers[0].kind == "module":
                self.folded_leaves.setdefault(readers[0], {})[key] = leaf
                return None
            else:
                label = self.labels.value(name or type(leaf).__name__, leaf._array)
                self.found[key] = self.add("parameter", label, common_frame(readers))
        return self.found[key]

    def box_of_data(self, array: Any) -> Box:
        key = id(array)
        if key not in self.found:
            self.found[key] = self.add("data", self.labels.value("data", array))
        return self.found[key]

    def lines(self) -> Iterator[str]:
        """The picture in DOT: boxes inside their frames, then arrows."""
        inside: dict[ModuleScope | None, list[Box | ModuleScope]] = {None: []}
        for box in self.boxes:
            item: Box | ModuleScope = box
            frame = box.frame
            while frame is not None and frame not in inside:
                inside[frame] = [item]
                item, frame = frame, frame.outer
            inside[frame].append(item)
        frames = 0
        open_frames = [iter(inside[None])]
        while open_frames:
            tabs = "\t" * min(len(open_frames), 8)
            for entry in open_frames[-1]:
                if isinstance(entry, ModuleScope):
                    frames += 1
                    yield f"{tabs}subgraph cluster_{frames} {{\n{tabs}\tlabel=<{title(entry)}>\n"
                    open_frames.append(iter(inside[entry]))
                    break
                look = f'{STYLE[entry.kind]} fillcolor="{FILL[entry.kind]}"'
                yield f"{tabs}n{entry.number} [label=<{entry.label}> {look}]\n"
            else:
                open_frames.pop()
                if open_frames:
                    yield tabs[1:] + "}\n"
        drawn = set()
        for source, box in self.arrows:
            if "module" in (source.kind, box.kind):
                if (source, box) in drawn:
                    continue
                drawn.add((source, box))
            yield f"\tn{source.number} -> n{box.number}\n"


@dataclass(slots=True)
class Labels:
    """What is written on the boxes."""

    names: dict[int, str]
    show_attrs: bool
    show_saved: bool
    max_attr_chars: int
    show_shapes: bool

    def value(self, title: str, value: Any) -> str:
        """A title in bold and, on the next line, what it has the shape of."""
        return f"{bold(title)}{small(measure(value)) if self.show_shapes else ''}"

    def operation(self, node: Node) -> str:
        label = self.value(node.op.name, node)
        if self.show_attrs:
            for name, value in node.attributes.items():
                label += small(f"{name} = {self.cut(repr(value))}")
        if self.show_saved:
            for name, value in saved_values(node):
                shown = measure(value) if isinstance(value, np.ndarray) else repr(value)
                label += small(f"saved {name} = {self.cut(shown)}")
        return label

    def cut(self, text: str) -> str:
        return text if len(text) <= self.max_attr_chars else text[: self.max_attr_chars] + "..."


def measure(value: Any) -> str:
    """The shape of a node or an array, and its type where that is not the default."""
    return f"{value.shape}" if value.dtype == np.float32 else f"{value.shape} {value.dtype}"


def bold(text: str) -> str:
    return f"<B>{escape(text)}</B>"


def small(text: str) -> str:
    """A further line of a label."""
    return f'<BR/><FONT POINT-SIZE="9" COLOR="{SMALL}">{escape(text)}</FONT>'


def title(scope: ModuleScope) -> str:
    """The dotted name of a module and its class."""
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
    """What a node keeps for its gradient, each with the name that the rules use."""
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


def legend_line(boxes: list[Box]) -> str:
    """A label under the picture: the colour of each kind of box in it."""
    kinds = {box.kind for box in boxes}
    cells = "".join(
        f'<TD BGCOLOR="{colour}" COLOR="{LINE}"><FONT COLOR="{TEXT}">{kind}</FONT></TD>'
        for kind, colour in FILL.items()
        if kind in kinds
    )
    shape = 'BORDER="0" CELLBORDER="1" CELLSPACING="5" CELLPADDING="3"'
    return f"\tlabel=<<TABLE {shape}><TR>{cells}</TR></TABLE>> labelloc=b fontsize=10\n"
