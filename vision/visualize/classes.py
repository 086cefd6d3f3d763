"""Which classes are taken for which, and how well each is told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vision.visualize.figures import (
    BLUE,
    FAINT,
    INK,
    SavePath,
    as_array,
    class_names,
    finish,
    new_figure,
    picture,
    plain,
    readable_size,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_class_accuracy", "plot_confusion_matrix"]

MOST_NUMBERS = 30


@picture
def plot_confusion_matrix(
    matrix: ArrayLike,
    classes: Sequence[str] | None = None,
    *,
    title: str | None = None,
    path: SavePath = None,
) -> Figure:
    """How often an image of each class (row) was taken for each class (column).

    The colour is the share of the row. Of more than 30 classes the colours alone are drawn.

    Args:
        matrix: counts of shape (K, K), as from `vision.metrics.confusion_matrix`.
        classes: K names.
        title: stands above all; how many images were right unless given.
        path: where to save the figure.

    Raises:
        ValueError: the matrix is not square or has not one row per name, or is no table of counts.

    Example:
        >>> figure = plot_confusion_matrix([[9, 1], [0, 8]], ["cat", "dog"])
        >>> figure.axes[0].get_title()
        'Held-out images: 17 of 18 right (94.44 %)'
    """
    counts, names = counts_and_names("plot_confusion_matrix", matrix, classes)
    from matplotlib.colors import PowerNorm

    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    digits = len(f"{counts.max()}")
    step = min(0.45 if digits < 5 else 0.1 * digits, 11.0 / len(names))
    letters = max(map(len, names))
    margin = 1.0 + (0.08 * letters if letters > 3 else 0.2)
    right, total = int(np.trace(counts)), int(counts.sum())
    if title is None:
        share = 100.0 * right / max(total, 1)
        title = f"Held-out images: {right:,} of {total:,} right ({share:.2f} %)"
    width = max(margin + step * len(names) + 0.6, 0.09 * len(title))
    bar_width = 0.9 if len(names) > MOST_NUMBERS else 0.0
    figure = new_figure(width + bar_width, margin + step * len(names) + 0.4)
    axes = figure.subplots()
    drawn = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.4, vmin=0.0, vmax=1.0))
    if len(names) <= MOST_NUMBERS:
        size = 8.0 if step >= 0.4 else 6.5
        for row, column in np.argwhere(counts).tolist():
            colour = "white" if shares[row, column] > 0.3 else INK
            text = f"{counts[row, column]}"
            axes.text(column, row, text, ha="center", va="center", color=colour, size=size)
    else:
        bar = figure.colorbar(drawn, ax=axes, shrink=0.7, ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
        bar.ax.set_yticklabels(["0", "1 %", "10 %", "25 %", "50 %", "100 %"])
    axes.set_title(title, size=11)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    name_ticks(axes, names, upright=letters > 3 or len(names) > MOST_NUMBERS)
    return finish(figure, path)


def name_ticks(axes: Axes, names: Sequence[str], upright: bool) -> None:
    """The class names along both axes; of very many classes each tenth or so."""
    every = 1 + (len(names) - 1) // 100
    places, shown = range(0, len(names), every), names[::every]
    size = readable_size(len(places))
    axes.set_xticks(places, shown, rotation=90 if upright else 0, size=size)
    axes.set_yticks(places, shown, size=size)


@picture
def plot_class_accuracy(
    matrix: ArrayLike,
    classes: Sequence[str] | None = None,
    *,
    title: str | None = None,
    path: SavePath = None,
) -> Figure:
    """The share of each class that was recognised, in per cent; a line marks that of all images.

    The classes stand to the right and to the left of the line, as they are better or worse.

    Args:
        matrix: counts of shape (K, K), as from `vision.metrics.confusion_matrix`.
        classes: K names.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: as for `plot_confusion_matrix`.

    Example:
        >>> figure = plot_class_accuracy([[9, 1], [0, 8]], ["cat", "dog"])
        >>> [text.get_text() for text in figure.axes[0].texts]
        ['90.0', '100.0']
    """
    counts, names = counts_and_names("plot_class_accuracy", matrix, classes)
    support = counts.sum(1)
    whole = 100.0 * np.trace(counts) / max(counts.sum(), 1)
    shares = np.where(support, 100.0 * np.diag(counts) / np.maximum(support, 1), whole)
    figure = new_figure(6.4, max(1.9, min(1.1 + 0.26 * len(names), 16.0)))
    axes = figure.subplots()
    size = readable_size(len(names))
    low, high = min(shares.min(), whole), max(shares.max(), whole)
    room = max(0.12 * (high - low), 0.6)
    places = np.arange(len(names))
    axes.hlines(places, whole, shares, color=BLUE, linewidth=1.6)
    axes.axvline(whole, color=FAINT, linestyle="--", linewidth=1.2)
    for place, share, some in zip(places.tolist(), shares.tolist(), support, strict=True):
        if not some:
            axes.text(whole, place, " no images", va="center", size=size, color=FAINT)
            continue
        axes.plot([share], [place], marker="o", markersize=5.5, color=BLUE)
        left = share < whole
        axes.annotate(
            f"{share:.1f}",
            (share, place),
            textcoords="offset points",
            xytext=(-6 if left else 6, 0),
            ha="right" if left else "left",
            va="center",
            size=size,
        )
    axes.set_xlim(low - room - 0.6, high + room + 0.6)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(places, names, size=size)
    axes.set_xlabel(f"recognised (%); all images together: {whole:.2f} %")
    axes.set_title("Accuracy of each class" if title is None else title, size=11)
    plain(axes)
    axes.grid(visible=False, axis="y")
    return finish(figure, path)


def counts_and_names(
    name: str, matrix: ArrayLike, classes: Sequence[str] | None
) -> tuple[NDArray[np.int64], list[str]]:
    """A confusion matrix and the names of its classes.

    Raises:
        ValueError: the matrix is not square, has not one row per name, or is no table of counts.
    """
    counts = as_array(matrix)
    square = counts.ndim == 2 and counts.shape[0] == counts.shape[1] and counts.size
    if not square or (classes is not None and len(classes) != len(counts)):
        given = "no" if classes is None else len(classes)
        raise ValueError(
            f"{name}: got a matrix of shape {counts.shape} and {given} names, expected (K, K) and K"
        )
    whole = counts.dtype.kind in "biu" or (counts == np.floor(counts)).all()
    if not whole or counts.min() < 0:
        raise ValueError(f"{name}: the matrix holds counts, got {counts.dtype} of {counts.min()}")
    return counts.astype(np.int64), class_names(name, classes, len(counts))
