"""What the pictures show, that they can be read, and what is refused."""

from __future__ import annotations

import sys
from itertools import combinations

import numpy as np
import pytest

import autograd
import nn
from nn import functional as F
from vision import visualize
from vision.interpret import (
    activation_statistics,
    activations,
    cluster_feature_maps,
    maximally_activating,
    receptive_field,
)
from vision.metrics import confusion_matrix, reliability_curve, roc_auc
from vision.models import TinyCNN, resnet18
from vision.visualize import (
    plot_activation_statistics,
    plot_activations,
    plot_class_accuracy,
    plot_clusters,
    plot_confusion_matrix,
    plot_decision_boundary,
    plot_filters,
    plot_gradient_flow,
    plot_history,
    plot_images,
    plot_learning_rates,
    plot_maximally_activating,
    plot_overlay,
    plot_parameters_against_accuracy,
    plot_predictions,
    plot_receptive_field,
    plot_reliability,
    plot_roc,
)
from vision.visualize.figures import as_pictures, shortened

matplotlib = pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

LONG = ["aeroplane with two wings", "motor car", "a frog in a green pond somewhere", "cat"]
RANDOM = np.random.default_rng(0)
GREY = RANDOM.random((5, 1, 8, 8)).astype(np.float32)
COLOUR = RANDOM.random((5, 3, 10, 8)).astype(np.float32)
TARGETS = RANDOM.integers(0, 4, 80)
SCORES = RANDOM.random((80, 4))
SCORES[np.arange(80), TARGETS] += 0.6
SHARES = SCORES / SCORES.sum(1, keepdims=True)
MANY = RANDOM.integers(0, 3, (40, 40)) + np.diag(RANDOM.integers(20, 60, 40))
ROWS = [
    {"train_loss": 1 / e, "test_loss": 2 / e, "train_accuracy": 1 - 0.5 / e, "lr": 0.5**e}
    for e in (1, 2, 3)
]


@pytest.fixture(scope="module")
def model():
    autograd.manual_seed(0)
    made = TinyCNN((1, 8, 8), 4)
    F.cross_entropy(made(autograd.tensor(GREY)), autograd.tensor([0, 1, 2, 3, 0])).backward()
    return made


def records(names, steps):
    rows = [
        (10 * step, name, 0.1 / step, 0.5 / step) for step in range(1, steps + 1) for name in names
    ]
    columns = zip(*rows, strict=True)
    return dict(zip(("step", "parameter", "mean", "max"), map(list, columns), strict=True))


FIGURES = {
    "images": lambda m: plot_images(GREY),
    "one image": lambda m: plot_images(GREY[:1, 0], title="A title that is longer than the image"),
    "colour images, long names": lambda m: plot_images(COLOUR, [0, 1, 2, 3, 2], LONG),
    "predictions": lambda m: plot_predictions(
        GREY, [0, 1, 2, 3, 2], [0, 1, 0, 2, 2], [0.5] * 5, LONG, title="Right and wrong"
    ),
    "history": lambda m: plot_history(ROWS),
    "one epoch": lambda m: plot_history(ROWS[:1]),
    "confusion": lambda m: plot_confusion_matrix(confusion_matrix(TARGETS, SCORES)),
    "confusion, long names": lambda m: plot_confusion_matrix(
        100_000 * confusion_matrix(TARGETS, SCORES), LONG
    ),
    "confusion, one class": lambda m: plot_confusion_matrix([[3]]),
    "confusion, many classes": lambda m: plot_confusion_matrix(
        MANY, [f"class number {i}" for i in range(40)]
    ),
    "class accuracy": lambda m: plot_class_accuracy(confusion_matrix(TARGETS, SCORES), LONG),
    "class accuracy, many": lambda m: plot_class_accuracy(MANY),
    "class accuracy, one": lambda m: plot_class_accuracy([[3]]),
    "roc": lambda m: plot_roc(TARGETS, SCORES, LONG),
    "roc of two": lambda m: plot_roc([0, 1, 1], [0.2, 0.1, 0.9]),
    "roc, perfect": lambda m: plot_roc([0, 1, 2], np.eye(3)),
    "roc, many classes": lambda m: plot_roc(np.arange(80) % 20, RANDOM.random((80, 20))),
    "reliability": lambda m: plot_reliability(TARGETS, SHARES),
    "filters": lambda m: plot_filters(m),
    "filters, one": lambda m: plot_filters(nn.Conv2d(1, 1, 3)),
    "filters, colour": lambda m: plot_filters(nn.Conv2d(3, 5, 3)),
    "filters, table": lambda m: plot_filters(nn.Conv2d(40, 70, 3)),
    "filters, 1 x 1": lambda m: plot_filters(nn.Conv2d(5, 4, 1)),
    "filters of one dimension": lambda m: plot_filters(nn.Conv1d(2, 6, 9)),
    "activations": lambda m: plot_activations(m, GREY[0], title="All layers"),
    "activations, residual": lambda m: plot_activations(
        resnet18(num_classes=3), COLOUR[:1], ["layer1", "layer4.1.bn2", "fc"]
    ),
    "maximal": lambda m: plot_maximally_activating(m, GREY, top=3),
    "maximal, one": lambda m: plot_maximally_activating(m, GREY, top=1, filters=[2]),
    "statistics": lambda m: plot_activation_statistics(m, GREY),
    "statistics, residual": lambda m: plot_activation_statistics(resnet18(), COLOUR),
    "gradients": lambda m: plot_gradient_flow(m, biases=True),
    "gradients, recorded": lambda m: plot_gradient_flow(records(["a.weight", "b.weight"], 5)),
    "gradients, many recorded": lambda m: plot_gradient_flow(
        records([f"layer{i}.weight" for i in range(30)], 5)
    ),
    "learning rates": lambda m: plot_learning_rates(
        np.logspace(-6, 0, 50), np.linspace(2, 1, 50), 0.01
    ),
    "parameters": lambda m: plot_parameters_against_accuracy(
        [61706, 62000, 61706, 63000, 59000, 11181642, 11281642, 11381642],
        [0.98, 0.98, 0.98, 0.981, 0.9795, 0.99, 0.9901, 0.9899],
        ["LeNet-5", *LONG, "ResNet-18", "another one", "and a third"],
    ),
    "boundary": lambda m: plot_decision_boundary(
        nn.Linear(2, 4), RANDOM.random((40, 2)), np.arange(40) % 4, classes=LONG, resolution=30
    ),
    "overlay": lambda m: plot_overlay(GREY, GREY[:, 0], ["a caption"] * 5, title="Heat"),
    "overlay, one": lambda m: plot_overlay(COLOUR[0], COLOUR[0, 0] - 0.5, [LONG[2]]),
    "receptive field": lambda m: plot_receptive_field(
        [receptive_field(m, layer, (1, 8, 8)) for layer in ("features.0", m.classifier[-1])],
        GREY[0],
        title="What one unit sees of an image",
    ),
    "clusters": lambda m: plot_clusters(
        cluster_feature_maps(m, GREY, clusters=3, by="images"), GREY, title="Images"
    ),
    "clusters of filters": lambda m: plot_clusters(cluster_feature_maps(m, GREY, clusters=2)),
}


def drawn_texts(figure, monkeypatch):
    """The pixels of a figure, and the texts that are drawn with their boxes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas, found, draw = FigureCanvasAgg(figure), [], Text.draw

    def watched(self, renderer):
        draw(self, renderer)
        if self.get_visible() and self.get_text().strip():
            found.append((self.get_text(), self.get_window_extent(renderer), self.get_size()))

    monkeypatch.setattr(Text, "draw", watched)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()), found


@pytest.mark.parametrize("name", FIGURES)
def test_readable(name, model, monkeypatch):
    """All text lies in the picture, none on another, none too small, and the ground is white."""
    figure = FIGURES[name](model)
    assert max(figure.get_size_inches()) <= 17
    figure.set_dpi(72)
    pixels, found = drawn_texts(figure, monkeypatch)
    assert (pixels[..., 3] == 255).all()
    assert (pixels[[0, -1], [0, -1]] == 255).all()
    assert pixels.std() > 5
    height, width = pixels.shape[:2]
    for text, box, size in found:
        assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= -1, f"{text!r} is cut"
        assert size >= 6, f"{text!r} is too small"
    for (one, first, _), (other, second, _) in combinations(found, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert across < 2 or up < 2, f"{one!r} lies on {other!r}"


def test_style_of_the_reader_does_not_matter():
    with matplotlib.rc_context({"text.color": "white", "xtick.color": "white"}):
        before = dict(matplotlib.rcParams)
        figure = plot_history(ROWS)
        figure.draw_without_rendering()
        assert dict(matplotlib.rcParams) == before
        axes = figure.axes[0]
        colours = [axes.title.get_color(), *(t.get_color() for t in axes.get_xticklabels())]
        assert set(colours) == {"#222222"}
    assert "matplotlib.pyplot" not in sys.modules or not matplotlib.pyplot.get_fignums()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_saved(ending, tmp_path):
    path = tmp_path / "new" / f"curves.{ending}"
    figure = plot_history(ROWS, path=path)
    assert path.read_bytes()[:4] in (b"\x89PNG", b"<?xm", b"%PDF")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert type(figure).__name__ == "Figure"


def test_not_saved(tmp_path):
    path = tmp_path / "curves.doc"
    path.write_text("kept")
    with pytest.raises(ValueError, match=r"'curves.doc': end the name in one of .*\.png"):
        plot_history(ROWS, path=path)
    assert path.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [path]


def test_history_of_both_forms():
    by_name = {key: [row[key] for row in ROWS] for key in ROWS[0]}
    by_name |= {"epoch": [1, 2, 3], "note": ["a", "b", "c"], "val_loss": by_name.pop("test_loss")}
    for history, label in ((ROWS, "held out"), (by_name, "validation")):
        loss, accuracy, rate = plot_history(history).axes
        assert [line.get_label() for line in loss.lines] == ["training", label]
        assert loss.lines[1].get_ydata().tolist() == [row["test_loss"] for row in ROWS]
        assert accuracy.lines[0].get_ydata().tolist() == [50.0, 75.0, 100 * (1 - 0.5 / 3)]
        assert rate.get_title() == "Learning rate"
    assert len(plot_history({"val_loss": [1.0, np.nan, 0.5]}).axes) == 1


def test_history_of_a_trainer():
    from vision.training import Trainer

    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    trainer = Trainer(net, nn.optim.SGD(net.parameters(), lr=0.1), progress=False)
    data = GREY, np.array([0, 1, 2, 3, 0])
    trainer.fit(data, data, epochs=2)
    titles = [axes.get_title() for axes in plot_history(trainer.history).axes]
    assert titles == ["Loss", "Accuracy (%)"]


def test_images():
    pictures = as_pictures("f", (255 * COLOUR).astype(np.uint8))
    assert pictures.shape == (5, 10, 8, 3)
    np.testing.assert_allclose(pictures, COLOUR.transpose(0, 2, 3, 1), atol=1 / 255)
    np.testing.assert_array_equal(as_pictures("f", GREY), GREY[:, 0])
    np.testing.assert_array_equal(as_pictures("f", GREY.transpose(0, 2, 3, 1)), GREY[:, 0])
    stretched = as_pictures("f", autograd.tensor(4 * GREY - 2))
    assert stretched.min((1, 2)).tolist() == [0.0] * 5
    assert stretched.max((1, 2)).tolist() == [1.0] * 5
    shown = plot_images(GREY, title="title").axes[1].images[0]
    np.testing.assert_array_equal(shown.get_array(), GREY[1, 0])
    assert shown.get_clim() == (0.0, 1.0)


def test_predictions():
    figure = plot_predictions(GREY[:2], [0, 1], [0, 0], [0.9, 0.6], ["a$", "b$"])
    first, second = (axes.title for axes in figure.axes)
    assert (first.get_text(), second.get_text()) == ("a\\$  90 %", "a\\$  60 %\nis b\\$")
    assert first.get_color() != second.get_color()
    assert shortened("x" * 30) == "x" * 23 + "…"
    assert plot_predictions(GREY[:1], [3], [2]).axes[0].get_title() == "2\nis 3"
    assert plot_predictions(GREY[:0], [], [], title="none").get_suptitle() == "none"


def test_confusion_and_class_accuracy():
    counts = confusion_matrix(TARGETS, SCORES)
    shown = {
        tuple(map(int, text.get_position()[::-1])): int(text.get_text())
        for text in plot_confusion_matrix(counts).axes[0].texts
    }
    assert shown == {(r, c): counts[r, c] for r, c in zip(*counts.nonzero(), strict=True)}
    written = [float(text.get_text()) for text in plot_class_accuracy(counts).axes[0].texts]
    np.testing.assert_allclose(written, 100 * counts.diagonal() / counts.sum(1), atol=0.05)
    sides = [text.get_ha() for text in plot_class_accuracy([[8, 2], [0, 10]]).axes[0].texts]
    assert sides == ["right", "left"]  # away from the line at 90 %
    texts = plot_class_accuracy([[3, 1], [0, 0]], ["cat", "dog"]).axes[0].texts
    assert [text.get_text().strip() for text in texts] == ["75.0", "no images"]


def test_roc():
    areas = roc_auc(TARGETS, SCORES, average=None)
    axes = plot_roc(TARGETS, SCORES, ["a", "b", "c", "d"]).axes[0]
    labels = {text.get_text() for text in axes.get_legend().get_texts()}
    expected = {f"{name}: {area:.4f}" for name, area in zip("abcd", areas, strict=True)}
    assert labels == expected | {f"mean (macro): {areas.mean():.4f}"}
    for line in axes.lines[:-1]:
        area = np.trapezoid(line.get_ydata(), line.get_xdata())
        assert f"{area:.4f}" == line.get_label().split(": ")[1]


def test_reliability():
    curve = reliability_curve(TARGETS, SHARES, 5)
    upper, lower = plot_reliability(TARGETS, SHARES, 5).axes
    some = curve.counts > 0
    np.testing.assert_allclose([bar.get_height() for bar in upper.patches], curve.accuracy[some])
    assert [bar.get_height() for bar in lower.patches] == curve.counts.tolist()


def test_filters():
    layer = nn.Conv2d(1, 6, 3)
    figure = plot_filters(layer, most=4)
    weights = layer.weight.detach().numpy()
    limits = {axes.images[0].get_clim() for axes in figure.axes[:4]}
    limit = np.abs(weights).max()
    assert limits == {(-limit, limit)}
    np.testing.assert_array_equal(figure.axes[3].images[0].get_array(), weights[3, 0])
    assert "the first 4 filters" in figure.get_suptitle()
    table = nn.Conv2d(4, 2, 2)
    drawn = plot_filters(table, title="mine").axes[0].images[0].get_array()
    zoom = 8  # each weight is 8 pixels wide, with a gap of 2 between filters of 16
    assert drawn.shape == (2 * 18 - 2, 4 * 18 - 2)
    np.testing.assert_array_equal(
        drawn[18 : 18 + 16 : zoom, 36 : 36 + 16 : zoom], table.weight.detach().numpy()[1, 2]
    )
    transposed = plot_filters(nn.ConvTranspose2d(5, 3, 2)).get_suptitle()
    assert transposed == "ConvTranspose2d: 3 filters of 2 x 2 on 5 channels"
    model = nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 3), nn.Conv2d(2, 7, 3))
    assert plot_filters(model).get_suptitle() == "1: 2 filters of 3 x 3"
    assert plot_filters(model, "2").get_suptitle() == "2: 7 filters of 3 x 3 on 2 channels"


def test_activations(model):
    figure = plot_activations(model, GREY[0], ["features.0"], most=2)
    assert figure.axes[1].get_ylabel().startswith("features.0\n")
    maps = activations(model, GREY[:1])["features.0"][0]
    drawn = figure.axes[1].images[0].get_array()
    zoom = -(-16 // maps.shape[2])
    np.testing.assert_allclose(drawn[::zoom, : maps.shape[2] * zoom : zoom], maps[0])
    assert drawn.mask[:, -1].all()


def test_maximally_activating(model):
    figure = plot_maximally_activating(model, GREY, top=2, filters=[1, 3])
    best = maximally_activating(model, GREY, top=2, filters=[1, 3])
    for axes, place in zip(figure.axes, best.images.ravel(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), GREY[place, 0])
    assert figure.axes[2].get_ylabel() == "filter 3"


def test_statistics(model):
    found = activation_statistics(model, GREY)
    figure = plot_activation_statistics(found)
    for axes, column in zip(figure.axes, ("mean", "maximum", "inactive"), strict=True):
        scale = 100 if column == "inactive" else 1
        for dots, values in zip(axes.collections, found.values(), strict=True):
            np.testing.assert_allclose(dots.get_offsets()[:, 1], scale * getattr(values, column))
    same = plot_activation_statistics(model, GREY)
    assert [t.get_text() for t in same.axes[2].get_xticklabels()] == [
        t.get_text() for t in figure.axes[2].get_xticklabels()
    ]


def test_gradient_flow(model):
    weights = {name: p.grad.numpy() for name, p in model.named_parameters() if p.ndim > 1}
    axes = plot_gradient_flow(model).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(weights)
    tops = [bar.get_y() + bar.get_height() for bar in axes.patches]
    expected = [np.abs(g).max() for g in weights.values()]
    np.testing.assert_allclose(tops, expected + [np.abs(g).mean() for g in weights.values()])
    mean, largest = plot_gradient_flow(records(["a", "b"], 3)).axes
    assert mean.lines[1].get_xdata().tolist() == [10, 20, 30]
    np.testing.assert_allclose(mean.lines[1].get_ydata(), [0.1, 0.05, 0.1 / 3])
    np.testing.assert_allclose(largest.lines[0].get_ydata(), [0.5, 0.25, 0.5 / 3])
    single = plot_gradient_flow({"a": (0.1, 0.5)}).axes[0]
    np.testing.assert_allclose([b.get_y() + b.get_height() for b in single.patches], [0.5, 0.1])


def test_decision_boundary():
    def right(points):
        return (points[:, 0] > 0).astype(int)

    points = np.array([[-1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    figure = plot_decision_boundary(right, points, [0, 1, 1], resolution=20)
    image = figure.axes[0].images[0].get_array()
    assert len(np.unique(image[:, :9].reshape(-1, 3), axis=0)) == 1
    assert (image[:, :9] != image[:, 11:][:, :9]).any()
    offsets = [dots.get_offsets().tolist() for dots in figure.axes[0].collections[-2:]]
    assert offsets == [points[:1].tolist(), points[1:].tolist()]
    net = nn.Linear(2, 1, bias=False)
    net.weight.data = autograd.tensor([[9.0, 0.0]])
    net.train()
    again = plot_decision_boundary(net, points, [0, 1, 1], resolution=20, axes=figure.axes[0])
    assert again is figure
    assert net.training
    assert len(figure.axes[0].images) == 1


def test_overlay_and_field():
    figure = plot_overlay(GREY[:2], GREY[:2, 0])
    np.testing.assert_allclose(figure.axes[3].images[0].get_array(), GREY[1, 0] / GREY[1].max())
    assert plot_overlay(GREY[0], GREY[0, 0, :4, :4]).axes[1].images[0].get_array().shape == (8, 8)
    assert len(plot_overlay(COLOUR[0, 0], COLOUR[0, 0]).axes) == 4  # with the colour bar
    field = receptive_field(nn.Conv2d(1, 1, 3, dilation=2, padding=2), "", (1, 9, 9))
    axes = plot_receptive_field(field, position=(0, 4)).axes[0]
    covered = axes.images[1].get_array()[..., 3] > 0
    assert np.argwhere(covered).tolist() == [[r, c] for r in (0, 2) for c in (2, 4, 6)]
    (frame,) = axes.patches
    assert frame.get_bbox().bounds == (1.5, -0.5, 5.0, 3.0)


REFUSED = [
    (lambda: plot_images(GREY[0, 0]), r"got images of shape \(8, 8\)"),
    (lambda: plot_images(GREY[:0]), "N at least 1"),
    (lambda: plot_images(GREY, [0, 1]), r"targets of shape \(2,\) for 5 images"),
    (lambda: plot_images(GREY, [0, 1, 2, 3, 4], LONG), "got 4 class names, expected at least 5"),
    (lambda: plot_images(GREY, [0, 1, 2, 3, -1]), "labels from 0"),
    (lambda: plot_images(GREY, columns=0), "columns is at least 1"),
    (lambda: plot_predictions(GREY, [0] * 5, [0] * 5, [0.5]), "confidences of shape"),
    (lambda: plot_history([]), "the history is empty"),
    (lambda: plot_history({"speed": [1.0]}), "such as 'train_loss' .* got speed"),
    (lambda: plot_history({"a": [1.0], "b": [1.0, 2.0]}), "one number an epoch"),
    (lambda: plot_confusion_matrix([[1, 2]]), r"matrix of shape \(1, 2\) and no names"),
    (lambda: plot_confusion_matrix(np.eye(2), ["a"]), "1 names"),
    (lambda: plot_confusion_matrix([[0.5]]), "the matrix holds counts"),
    (lambda: plot_roc([1, 1], [0.1, 0.2]), "all 2 labels are 1"),
    (lambda: plot_roc([0, 1], np.eye(2), ["a"]), "got 1 class names, expected 2"),
    (lambda: plot_reliability([0, 1], [[2.0, 3.0]] * 2), "probabilities lie in"),
    (lambda: plot_filters(nn.Linear(2, 2)), "has no convolution"),
    (lambda: plot_filters(nn.Sequential(nn.ReLU()), "0"), "'0' is a ReLU, expected a conv"),
    (lambda: plot_filters(nn.Conv2d(1, 1, 1), most=0), "at least 1, got 0"),
    (lambda: plot_activations(nn.ReLU(), GREY), r"got an image of shape \(5, 1, 8, 8\)"),
    (lambda: plot_activation_statistics(nn.ReLU()), "give images"),
    (lambda: plot_gradient_flow(nn.Linear(1, 1)), "no parameter of this Linear has a gradient"),
    (lambda: plot_gradient_flow(records(["a"], 1) | {"step": []}), "nothing is recorded"),
    (lambda: plot_learning_rates([0.1], [1.0]), "at least 2 finite losses"),
    (lambda: plot_learning_rates([0.1, 0.2], [1.0]), "losses of shape"),
    (lambda: plot_learning_rates([0.0, 0.2], [1.0, 2.0]), "positive rates"),
    (lambda: plot_learning_rates([0.1, 0.2], [1.0, 2.0], -1), "suggestion is a positive"),
    (lambda: plot_parameters_against_accuracy([], [], []), "one of each a model"),
    (lambda: plot_parameters_against_accuracy([5], [98.0], ["a"]), r"accuracies lie in \[0, 1\]"),
    (lambda: plot_decision_boundary(nn.Linear(2, 2), [[1.0]], [0]), r"expected \(N, 2\)"),
    (lambda: plot_decision_boundary(nn.Linear(2, 2), [[1.0, 1.0]], [0, 1]), "got labels of shape"),
    (lambda: plot_decision_boundary(nn.Flatten(0), [[1.0, 1.0]], [0]), "the model gives"),
    (lambda: plot_overlay(GREY, GREY[:2, 0]), "one map an image"),
    (lambda: plot_overlay(GREY, GREY[:, 0], ["a"]), "1 captions for 5 images"),
    (lambda: plot_receptive_field([]), "fields of layers for images of one size"),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_refused_types():
    with pytest.raises(TypeError, match="history is a mapping"):
        plot_history(3)
    with pytest.raises(TypeError, match="source is a model"):
        plot_gradient_flow(3)
    with pytest.raises(TypeError, match="images are numbers"):
        plot_images([["a"]])


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="plot_images: needs Matplotlib, .*pip install"):
        plot_images(GREY)


def test_everything_is_exported():
    assert sorted(visualize.__all__) == visualize.__all__
    assert all(hasattr(visualize, name) for name in visualize.__all__)
