"""Drawing a computation graph with Graphviz.

`make_dot` writes a `Picture` of the graph behind a tensor in the DOT language. It alone imports the
``graphviz`` package, and only when it is called. The package writes DOT source on its own; an
image also needs Graphviz's program ``dot`` (https://graphviz.org/download).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from autograd.graph import ModuleScope, TensorBase
from autograd.picture import Box, Options, Picture, title_of

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
    "input": 'shape=oval margin="0.02,0.01" style=filled color="#c0912b"',
    "data": 'shape=oval margin="0.02,0.01" style="filled,dashed" color="#c0912b"',
    "operation": 'shape=box style="filled,rounded" color="#8b96a3"',
    "module": 'shape=box style="filled,rounded" color="#8a70b8"',
    "output": 'shape=oval margin="0.02,0.01" style=filled color="#4c9a55"',
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
    options = Options(show_attrs, show_saved, max_attr_chars, show_shapes, depth)
    picture = Picture(list(named_outputs(output)), names_of(params), options)
    dot = Digraph()
    dot.body.append(HEADER % rankdir)
    dot.body.extend(picture_lines(picture))
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


def picture_lines(picture: Picture) -> Iterator[str]:
    """The picture in DOT: boxes inside their frames, then arrows."""
    inside: dict[ModuleScope | None, list[Box | ModuleScope]] = {None: []}
    for box in picture.boxes:
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
            if isinstance(entry, Box):
                yield f"{tabs}{box_line(entry)}\n"
                continue
            frames += 1
            yield f"{tabs}subgraph cluster_{frames} {{\n"
            yield f"{tabs}\tlabel=<{escape(title_of(entry))}>\n"
            open_frames.append(iter(inside[entry]))
            break
        else:
            open_frames.pop()
            if open_frames:
                yield f"{tabs[1:]}}}\n"
    drawn: set[tuple[Box, Box]] = set()
    for source, box in picture.arrows:
        if "module" in (source.kind, box.kind):  # one arrow stands for all between folded modules
            if (source, box) in drawn:
                continue
            drawn.add((source, box))
        yield f"\tn{source.number} -> n{box.number}\n"
    for source, box in below_one_another(picture.arrows):
        yield f"\tn{source.number} -> n{box.number} [style=invis]\n"


def below_one_another(arrows: list[tuple[Box, Box]]) -> Iterator[tuple[Box, Box]]:
    """Which boxes to move apart so that the frames of modules stand in a row.

    Left alone, Graphviz puts the parameters of a module beside the module before it, and so the
    modules side by side; they belong behind everything else that their only reader reads.
    """
    sources: dict[Box, dict[Box, None]] = {}
    readers: dict[Box, dict[Box, None]] = {}
    for source, box in arrows:
        sources.setdefault(box, {})[source] = None
        readers.setdefault(source, {})[box] = None
    for box, reading in readers.items():
        if box.kind == "parameter" and box.frame is not None and len(reading) == 1:
            for source in sources[next(iter(reading))]:
                if source.kind != "parameter":
                    yield source, box


def box_line(box: Box) -> str:
    details = "".join(
        f'<BR/><FONT POINT-SIZE="9" COLOR="{SMALL}">{escape(text)}</FONT>' for text in box.details
    )
    look = f'{STYLE[box.kind]} fillcolor="{FILL[box.kind]}"'
    return f"n{box.number} [label=<<B>{escape(box.title)}</B>{details}> {look}]"


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
