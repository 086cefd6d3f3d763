"""Drawings of graphs: what they show, that they never vary, and that they can be laid out."""

from __future__ import annotations

import gc
import itertools
import os
import re
import shutil
import subprocess
import sys
import weakref
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import graphviz
import pytest

import autograd
import nn
from autograd import make_dot, module_scope, tensor

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is missing")


class Drawing:
    """A drawing, read back from its source."""

    def __init__(self, dot):
        self.labels = {}  # lines of text by box
        self.frame = {}  # titles of the frames around a box, the outermost first
        self.edges = []
        frames = []
        for line in dot.source.splitlines():
            if re.match(r"\s*subgraph cluster_\d+ {$", line):
                frames.append(None)
            elif (label := re.match(r"\s*label=<(.*)>$", line)) and frames:
                frames[-1] = "".join(ElementTree.fromstring(f"<l>{label[1]}</l>").itertext())
            elif line.strip() == "}" and frames:
                frames.pop()
            elif box := re.match(r"\s*(n\d+) \[label=<(.*)> shape=", line):
                text = re.split("<BR/>", box[2])
                parts = [ElementTree.fromstring(f"<l>{part}</l>") for part in text]
                self.labels[box[1]] = ["".join(part.itertext()) for part in parts]
                self.frame[box[1]] = tuple(frames)
            elif edge := re.match(r"\s*(n\d+) -> (n\d+)$", line):
                self.edges.append((self.labels[edge[1]][0], self.labels[edge[2]][0]))

    @property
    def boxes(self):
        return sorted(self.labels.values())

    def frames_of(self, title):
        return sorted(self.frame[n] for n, lines in self.labels.items() if lines[0] == title)


def leaf(*shape, dtype=None):
    return autograd.zeros(*shape, dtype=dtype, requires_grad=True)


def small_model():
    autograd.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Sequential(nn.Flatten(), nn.Linear(2 * 4 * 4, 3))
    )


def test_shows_parameters_inputs_operations_and_output():
    w, x = leaf(3), leaf(2, 3)
    drawing = Drawing(make_dot((x * w).exp().sum(), params={"w": w}))
    assert drawing.boxes == [
        ["exp", "(2, 3)"],
        ["input", "(2, 3)"],
        ["mul", "(2, 3)"],
        ["output", "()"],
        ["sum", "()"],
        ["w", "(3,)"],
    ]
    assert sorted(drawing.edges) == [
        ("exp", "sum"),
        ("input", "mul"),
        ("mul", "exp"),
        ("sum", "output"),
        ("w", "mul"),
    ]


def test_an_input_used_twice_has_two_arrows():
    x = leaf(3)
    assert Drawing(make_dot(x * x)).edges == [("input", "mul"), ("input", "mul"), ("mul", "output")]


def test_pairs_name_parameters_and_a_tied_one_bears_both_names():
    w = leaf(2)
    drawing = Drawing(make_dot(w.sum(), params=iter([("a.weight", w), ("b.weight", w)])))
    assert ["a.weight, b.weight", "(2,)"] in drawing.boxes


def test_several_outputs_share_one_graph():
    x = leaf(2)
    y = x.exp()
    by_name = Drawing(make_dot({"loss": y.sum(), "y": y}))
    assert ("exp", "y") in by_name.edges
    assert ("sum", "loss") in by_name.edges
    assert len(by_name.labels) == 5
    for outputs in ((y.sum(), y), [y.sum(), y]):
        drawing = Drawing(make_dot(outputs))
        assert ("sum", "output 0") in drawing.edges
        assert ("exp", "output 1") in drawing.edges


def test_a_leaf_and_a_constant_are_drawable():
    assert Drawing(make_dot(tensor([1.0]))).boxes == [["output", "(1,)"]]
    x = leaf(1)
    assert Drawing(make_dot(x, params={"x": x})).edges == [("x", "output")]


def test_types_other_than_the_default_are_named_and_shapes_can_be_left_out():
    x = leaf(2, dtype=autograd.float64)
    assert ["exp", "(2,) float64"] in Drawing(make_dot(x.exp())).boxes
    drawing = Drawing(make_dot(x.exp(), show_shapes=False))
    assert drawing.boxes == [["exp"], ["input"], ["output"]]


def test_attributes_are_shown_and_cut():
    y = leaf(2, 3).permute(1, 0)
    assert ["permute", "(3, 2)", "dims = (1, 0)"] in Drawing(make_dot(y, show_attrs=True)).boxes
    cut = Drawing(make_dot(y, show_attrs=True, max_attr_chars=3))
    assert ["permute", "(3, 2)", "dims = (1,..."] in cut.boxes


def test_saved_values_are_shown_until_they_are_freed():
    x, w = leaf(2, 3), leaf(3)
    y = x * w
    kept = {"mul", "(2, 3)", "saved y = (3,)", "saved x = (2, 3)"}
    assert kept in map(set, Drawing(make_dot(y, show_saved=True)).boxes)
    y.sum().backward()
    assert ["mul", "(2, 3)"] in Drawing(make_dot(y, show_saved=True)).boxes


def test_data_is_drawn_once_while_the_graph_holds_it():
    w, x = leaf(3), tensor([1.0, 2.0, 3.0])
    loss = (w * x * x * 2.0).sum()
    drawing = Drawing(make_dot(loss))
    assert drawing.boxes.count(["data", "(3,)"]) == 1
    assert drawing.edges.count(("data", "mul")) == 2
    loss.backward()
    assert ["data", "(3,)"] not in Drawing(make_dot(loss)).boxes


def test_modules_are_nested_frames_that_hold_their_parameters():
    model = small_model()
    drawing = Drawing(
        make_dot(model(autograd.zeros(5, 1, 6, 6)).sum(), params=model.named_parameters())
    )
    assert drawing.frames_of("0.weight") == [("Sequential", "0: Conv2d")]
    assert drawing.frames_of("relu") == [("Sequential", "1: ReLU")]
    assert drawing.frames_of("2.1.bias") == [("Sequential", "2: Sequential", "2.1: Linear")]
    assert drawing.frames_of("sum") == drawing.frames_of("data") == [()]


def test_each_call_of_a_module_has_its_frame_and_shared_leaves_stand_around_them():
    w = nn.Parameter(autograd.ones(2))
    x = leaf(2)
    with module_scope("", "Net"):
        for _ in range(2):
            with module_scope("cell", "Cell"):
                x = x * w
    drawing = Drawing(make_dot(x, params={"w": w}))
    source = make_dot(x, params={"w": w}).source
    assert source.count("label=<cell: Cell>") == 2
    assert drawing.frames_of("w") == [("Net",)]
    assert drawing.frames_of("input") == [()]


def test_depth_folds_modules():
    model = small_model()
    loss = model(autograd.zeros(5, 1, 6, 6)).sum()
    one = Drawing(make_dot(loss, params=model.named_parameters(), depth=1))
    assert ["0: Conv2d", "(5, 2, 4, 4)", "20 parameters"] in one.boxes
    assert ["1: ReLU", "(5, 2, 4, 4)"] in one.boxes
    assert ["2: Sequential", "(5, 3)", "99 parameters"] in one.boxes
    assert one.edges == [
        ("data", "0: Conv2d"),
        ("0: Conv2d", "1: ReLU"),
        ("1: ReLU", "2: Sequential"),
        ("2: Sequential", "sum"),
        ("sum", "output"),
    ]
    none = Drawing(make_dot(loss, params=model.named_parameters(), depth=0))
    assert ["Sequential", "(5, 3)", "119 parameters"] in none.boxes
    assert none.edges == [("data", "Sequential"), ("Sequential", "sum"), ("sum", "output")]
    everything = make_dot(loss, params=model.named_parameters()).source
    assert make_dot(loss, params=model.named_parameters(), depth=3).source == everything


def test_one_arrow_stands_for_all_between_folded_modules():
    x = leaf(2)
    with module_scope("a", "A"):
        y = x.exp()
    with module_scope("b", "B"):
        z = y.sin() + y.cos()
    drawing = Drawing(make_dot(z, depth=0))
    assert drawing.edges == [("input", "a: A"), ("a: A", "b: B"), ("b: B", "output")]


def test_a_parameter_that_two_folded_modules_share_stays_visible():
    w = nn.Parameter(autograd.ones(2))
    x = leaf(2)
    for name in "ab":
        with module_scope(name, "Cell"):
            x = x * w
    drawing = Drawing(make_dot(x, params={"w": w}, depth=0))
    assert [edge for edge in drawing.edges if edge[0] == "w"] == [
        ("w", "a: Cell"),
        ("w", "b: Cell"),
    ]


def test_names_are_escaped():
    w = leaf(2)
    with module_scope("<&", 'A"<B>'):
        y = w.exp()
    drawing = Drawing(make_dot(y, params={'a<b>&"': w}))
    assert drawing.frames_of('a<b>&"') == [('<&: A"<B>',)]


PROGRAM = """
import autograd, nn
autograd.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
loss = nn.functional.cross_entropy(model(autograd.ones(5, 3)), autograd.tensor([0, 1, 1, 0, 1]))
dot = autograd.make_dot(loss, model.named_parameters(), show_attrs=True, show_saved=True)
print(dot.source)
"""


def test_the_same_graph_gives_the_same_bytes():
    x = leaf(2)
    y = (x.exp() * x).sum()
    assert make_dot(y).source == make_dot(y).source
    sources = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert len(sources) == 1


def test_a_deep_graph_is_drawn_without_recursion():
    x = y = leaf(2)
    for _ in range(20_000):
        y = y * x
    assert make_dot(y).source.count("<B>mul</B>") == 20_000


def test_deeply_nested_modules_are_drawn_without_recursion():
    with ExitStack() as scopes:
        for _ in range(3_000):
            scopes.enter_context(module_scope("a", "A"))
        y = leaf(2).exp()
    assert make_dot(y).source.count("subgraph") == 3_000


def test_drawing_changes_nothing_and_keeps_nothing_alive():
    x = leaf(2)
    y = (x * x).sum()
    node = weakref.ref(y.grad_fn)
    dot = make_dot(y)
    y.backward()
    assert x.grad is not None
    gc.disable()
    try:
        del y
        assert node() is None
    finally:
        gc.enable()
    assert "mul" in dot.source


def test_a_gradient_can_be_drawn():
    x = leaf(2)
    (slope,) = autograd.grad((x**3).sum(), x, create_graph=True)
    drawing = Drawing(make_dot(slope, params={"x": x}))
    assert ["x", "(2,)"] in drawing.boxes
    assert len(drawing.labels) > 3


def test_a_view_is_drawn_with_the_history_of_its_base():
    base = leaf(2, 2).exp()
    view = base[0]
    base.mul_(leaf(2, 2))
    assert ("input", "mul") in Drawing(make_dot(view)).edges


def test_a_function_of_ones_own_bears_its_name():
    class Double(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    y = Double.apply(leaf(2))
    assert ["Double", "(2,)"] in Drawing(make_dot(y)).boxes
    kept = ["Double", "(2,)", "saved tensors[0] = (2,)"]
    assert kept in Drawing(make_dot(y, show_saved=True)).boxes


@pytest.mark.parametrize("rankdir", ["TB", "BT", "LR", "RL"])
def test_direction(rankdir):
    assert f"rankdir={rankdir}" in make_dot(leaf(1), rankdir=rankdir).source


def test_the_legend_names_the_kinds_in_the_picture_and_can_go():
    w = leaf(2)
    source = make_dot(w * tensor([1.0, 2.0]), params={"w": w}).source
    legend = source[source.index("<TABLE") :]
    assert re.findall(r">(\w+)</FONT></TD>", legend) == ["parameter", "data", "operation", "output"]
    assert "<TABLE" not in make_dot(w, legend=False).source


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda x: make_dot(3.0), TypeError, "output must be a tensor, or a tuple.* got float"),
        (lambda x: make_dot([x, None]), TypeError, "output 1 must be a tensor, got NoneType"),
        (lambda x: make_dot({"loss": 1}), TypeError, "loss must be a tensor, got int"),
        (lambda x: make_dot(x, params={"w": 2}), TypeError, "got int for 'w'"),
        (lambda x: make_dot(x, rankdir="up"), ValueError, "rankdir is 'up'"),
        (lambda x: make_dot(x, depth=-1), ValueError, "depth is -1"),
    ],
)
def test_mistakes_are_named(call, kind, message):
    with pytest.raises(kind, match=f"^make_dot: .*{message}"):
        call(leaf(1))


def test_without_dot_the_source_can_still_be_saved(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    dot = make_dot(leaf(2).exp())
    path = Path(dot.save(tmp_path / "graph.dot"))
    assert path.read_text(encoding="utf-8") == dot.source
    with pytest.raises(graphviz.ExecutableNotFound):
        dot.pipe(format="svg")


@needs_dot
@pytest.mark.parametrize("depth", [None, 1])
def test_dot_lays_the_picture_out(depth):
    model = small_model()
    loss = model(autograd.zeros(5, 1, 6, 6)).sum()
    dot = make_dot(
        loss, model.named_parameters(), show_attrs=True, show_saved=True, depth=depth, rankdir="LR"
    )
    done = subprocess.run(
        ["dot", "-Tsvg"], input=dot.source, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    texts = {text.text for text in ElementTree.fromstring(done.stdout).iter() if text.text}
    assert {"0: Conv2d", "2: Sequential", "output", "(5, 3)"} <= texts


@needs_dot
def test_modules_stand_below_one_another():
    autograd.manual_seed(0)
    model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)))
    dot = make_dot(model(autograd.zeros(2, 4)), model.named_parameters(), legend=False)
    done = subprocess.run(
        ["dot", "-Tplain"], input=dot.source, capture_output=True, text=True, check=True
    )
    rows = {}
    for line in done.stdout.splitlines():
        if line.startswith("node"):
            _, box, _, y = line.split()[:4]
            rows.setdefault(Drawing(dot).frame[box], []).append(float(y))
    frames = [rows["Sequential", f"{k}: Linear"] for k in range(3)]
    assert [len(frame) for frame in frames] == [3, 3, 3]
    assert all(min(upper) > max(lower) for upper, lower in itertools.pairwise(frames))


@needs_dot
def test_notebooks_show_the_picture():
    bundle = make_dot(leaf(2).exp())._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]
