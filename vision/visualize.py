"""Plots of a training and of what came of it.

Each function returns a Matplotlib figure: ``figure.savefig("name.png")`` writes it, and a notebook
shows it. Nothing here touches Matplotlib's global state or needs a screen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_confusion_matrix", "plot_history", "plot_predictions"]

TRAIN, TEST = "#4c78a8", "#e4572e"
RIGHT, WRONG = "#333333", "#c1121f"


def plot_history(history: Sequence[Mapping[str, float]]) -> Figure:
    """Loss and accuracy over the epochs, on training and on held-out data.

    Args:
        history: one mapping per epoch with the keys ``train_loss``, ``test_loss``,
            ``train_accuracy`` and ``test_accuracy``, the accuracies in [0, 1].

    Example:
        >>> losses = {"train_loss": 0.3, "test_loss": 0.2}
        >>> row = {**losses, "train_accuracy": 0.9, "test_accuracy": 0.95}
        >>> [axes.get_title() for axes in plot_history([row, row]).axes]
        ['Loss', 'Accuracy (%)']
    """
    figure = new_figure(9.0, 3.6)
    epochs = range(1, len(history) + 1)
    for axes, name, scale in zip(
        figure.subplots(1, 2), ("loss", "accuracy"), (1.0, 100.0), strict=True
    ):
        for part, colour, label in (("train", TRAIN, "training"), ("test", TEST, "held out")):
            values = [scale * row[f"{part}_{name}"] for row in history]
            axes.plot(epochs, values, marker="o", markersize=4, color=colour, label=label)
        axes.set_title("Loss" if name == "loss" else "Accuracy (%)")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def plot_confusion_matrix(matrix: ArrayLike, classes: Sequence[str]) -> Figure:
    """How often an image of each class (row) was taken for each class (column).

    Args:
        matrix: counts of shape (K, K), as from ``sklearn.metrics.confusion_matrix``.
        classes: K names.

    Raises:
        ValueError: the matrix is not square or has not one row per name.

    Example:
        >>> figure = plot_confusion_matrix([[9, 1], [0, 8]], ["cat", "dog"])
        >>> figure.axes[0].get_title()
        'Held-out images: 17 of 18 right (94.44 %)'
    """
    from matplotlib.colors import PowerNorm

    counts = np.asarray(matrix)
    if counts.shape != (len(classes), len(classes)):
        raise ValueError(
            f"plot_confusion_matrix: got a matrix of shape {counts.shape} and {len(classes)} "
            "names, expected (K, K) and K"
        )
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 2.4 + 0.45 * len(classes)
    figure = new_figure(side, side)
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.4, vmin=0.0, vmax=1.0))
    for row, column in zip(*np.nonzero(counts), strict=True):
        colour = "white" if shares[row, column] > 0.3 else RIGHT
        axes.text(
            column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, size=8
        )
    right, total = int(np.trace(counts)), int(counts.sum())
    share = 100.0 * right / max(total, 1)
    axes.set_title(f"Held-out images: {right:,} of {total:,} right ({share:.2f} %)", size=11)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    upright = max(map(len, classes), default=0) > 3
    axes.set_xticks(range(len(classes)), classes, rotation=90 if upright else 0)
    axes.set_yticks(range(len(classes)), classes)
    return figure


def plot_predictions(
    images: ArrayLike,
    targets: Sequence[int],
    predictions: Sequence[int],
    confidences: Sequence[float],
    classes: Sequence[str],
    *,
    title: str = "",
    columns: int = 8,
) -> Figure:
    r"""Images with what they were taken for; mistakes in red, with what they are.

    Args:
        images: grey levels of shape (N, H, W).
        targets: N labels.
        predictions: N predicted labels.
        confidences: N probabilities of the predicted labels, in [0, 1].
        classes: names of the labels.
        title: stands above all.
        columns: how many images stand side by side.

    Example:
        >>> import numpy as np
        >>> figure = plot_predictions(np.zeros((2, 4, 4)), [0, 1], [0, 0], [0.9, 0.6], ["a", "b"])
        >>> [axes.get_title() for axes in figure.axes[:2]]
        ['a  90 %', 'a  60 %\nis b']
    """
    pixels = np.asarray(images)
    rows = max(1, ceil(len(pixels) / columns))
    figure = new_figure(1.15 * columns, 1.55 * rows + (0.5 if title else 0.0))
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    cells = zip(grid.flat, pixels, targets, predictions, confidences, strict=False)
    for axes, image, target, prediction, confidence in cells:
        show_prediction(axes, image, classes[target], classes[prediction], confidence)
    if title:
        figure.suptitle(title)
    return figure


def show_prediction(axes: Axes, image: Any, truth: str, guess: str, confidence: float) -> None:
    """One image with its caption."""
    axes.imshow(image, cmap="gray_r", interpolation="nearest")
    caption = f"{guess}  {100.0 * confidence:.0f} %"
    if guess == truth:
        axes.set_title(caption, size=9, color=RIGHT)
    else:
        axes.set_title(f"{caption}\nis {truth}", size=9, color=WRONG)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")
