"""Images of a data set, and what a classifier takes them for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision.visualize.figures import (
    INK,
    RED,
    SavePath,
    as_array,
    as_pictures,
    cells,
    class_names,
    finish,
    new_figure,
    picture,
    show,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_images", "plot_predictions"]

WIDEST = 14.0  # inches


@picture
def plot_images(
    images: Any,
    targets: Any = None,
    classes: Sequence[str] | None = None,
    *,
    title: str = "",
    columns: int = 8,
    cmap: str = "gray",
    path: SavePath = None,
) -> Figure:
    """Images side by side, with the names of their classes.

    Args:
        images: (N, H, W), (N, 1, H, W) or (N, 3, H, W), uint8 or floating-point; those that leave
            [0, 1] are each stretched into it.
        targets: N labels.
        classes: names of the labels.
        title: stands above all.
        columns: how many images stand side by side, at most.
        cmap: Matplotlib's name of the colours for grey images.
        path: where to save the figure.

    Raises:
        ValueError: images of another shape, not as many labels as images, or a label without a
            name.

    Example:
        >>> import numpy as np
        >>> figure = plot_images(np.zeros((2, 1, 4, 4)), [0, 1], ["cat", "dog"])
        >>> [axes.get_title() for axes in figure.axes]
        ['cat', 'dog']
    """
    pictures = as_pictures("plot_images", images)
    captions = [""] * len(pictures)
    if targets is not None:
        labels = labels_for("plot_images", "targets", targets, len(pictures))
        names = class_names("plot_images", classes, largest=int(labels.max()))
        captions = [names[label] for label in labels]
    figure = grid_of(pictures, captions, [INK] * len(captions), title, columns, cmap)
    return finish(figure, path)


@picture
def plot_predictions(
    images: Any,
    targets: Any,
    predictions: Any,
    confidences: Any = None,
    classes: Sequence[str] | None = None,
    *,
    title: str = "",
    columns: int = 8,
    cmap: str = "gray",
    path: SavePath = None,
) -> Figure:
    r"""Images with what they were taken for; mistakes in red, with what they are.

    Args:
        images: as for `plot_images`.
        targets: N labels.
        predictions: N predicted labels.
        confidences: N probabilities of the predicted labels, in [0, 1].
        classes: names of the labels.
        title: stands above all.
        columns: how many images stand side by side, at most.
        cmap: Matplotlib's name of the colours for grey images.
        path: where to save the figure.

    Raises:
        ValueError: images of another shape, not as many labels as images, or a label without a
            name.

    Example:
        >>> import numpy as np
        >>> figure = plot_predictions(np.zeros((2, 4, 4)), [0, 1], [0, 0], [0.9, 0.6], ["a", "b"])
        >>> [axes.get_title() for axes in figure.axes[:2]]
        ['a  90 %', 'a  60 %\nis b']
    """
    name = "plot_predictions"
    if not as_array(images).size and not len(as_array(targets)):
        figure = new_figure(4.0, 0.8)
        figure.suptitle(title or "no images")
        return finish(figure, path)
    pictures = as_pictures(name, images)
    truth = labels_for(name, "targets", targets, len(pictures))
    guesses = labels_for(name, "predictions", predictions, len(pictures))
    names = class_names(name, classes, largest=int(max(truth.max(), guesses.max())))
    captions = [names[guess] for guess in guesses]
    if confidences is not None:
        shares = as_array(confidences)
        if shares.shape != (len(pictures),):
            raise ValueError(
                f"{name}: got confidences of shape {shares.shape} for {len(pictures)} images"
            )
        captions = [
            f"{text}  {100.0 * share:.0f} %" for text, share in zip(captions, shares, strict=True)
        ]
    wrong = truth != guesses
    captions = [
        f"{text}\nis {names[label]}" if bad else text
        for text, label, bad in zip(captions, truth, wrong, strict=True)
    ]
    colours = [RED if bad else INK for bad in wrong]
    return finish(grid_of(pictures, captions, colours, title, columns, cmap), path)


def grid_of(
    pictures: NDArray[Any],
    captions: Sequence[str],
    colours: Sequence[str],
    title: str,
    columns: int,
    cmap: str,
) -> Figure:
    """Images with their captions, wide enough for the longest one."""
    if columns < 1:
        raise ValueError(f"the number of columns is at least 1, got {columns}")
    lines = max(text.count("\n") + bool(text) for text in captions)
    longest = max(len(line) for text in captions for line in text.split("\n"))
    width = max(1.15, 0.3 + 0.075 * longest)
    columns = min(columns, len(pictures), max(1, int(WIDEST / width)))
    rows = -(-len(pictures) // columns)
    needed = 0.09 * len(title)
    total = max(width * columns + 0.2, min(needed, 12.0))
    height = (1.1 * pictures.shape[1] / pictures.shape[2] + 0.17 * lines) * rows + 0.15
    figure = new_figure(total, height + (0.4 if title else 0.0))
    shown, _ = cells(figure, len(pictures), columns)
    for axes, image, caption, colour in zip(shown, pictures, captions, colours, strict=True):
        show(axes, image, cmap)
        axes.set_title(caption, size=9, color=colour, pad=3)
    if title:
        figure.suptitle(title, size=11)
    return figure


def labels_for(name: str, what: str, values: Any, count: int) -> NDArray[np.int64]:
    """Labels as integers (N,).

    Raises:
        ValueError: they are not `count`, or one is negative or no integer.
    """
    array = as_array(values)
    if array.shape != (count,):
        raise ValueError(f"{name}: got {what} of shape {array.shape} for {count} images")
    if array.dtype.kind not in "iu" or array.min() < 0:
        raise ValueError(f"{name}: {what} are labels from 0, got {array.dtype} with {array.min()}")
    return array.astype(np.int64)
