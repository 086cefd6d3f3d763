"""Curves over the epochs of a training, and over learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision.visualize.figures import (
    BLUE,
    GREEN,
    RED,
    SavePath,
    as_array,
    finish,
    new_figure,
    picture,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_history", "plot_learning_rates"]

PARTS = (
    ("train", BLUE, "training", "o"),
    ("val", RED, "validation", "s"),
    ("test", RED, "held out", "s"),
)


@picture
def plot_history(
    history: Mapping[str, Any] | Sequence[Mapping[str, float]], *, path: SavePath = None
) -> Figure:
    """Loss and accuracy over the epochs, on training and on held-out data.

    The learning rate is drawn too where it is known and changes.

    Args:
        history: numbers by name, as in ``Trainer.history`` (lists, one entry an epoch), or one
            mapping of names to numbers for each epoch. What is drawn: ``train_loss``,
            ``train_accuracy``, the same with ``val_`` and ``test_``, and ``lr``; accuracies in
            [0, 1]. ``epoch`` numbers the epochs where it is there.
        path: where to save the figure.

    Raises:
        ValueError: there are no epochs, or no losses or accuracies.

    Example:
        >>> losses = {"train_loss": 0.3, "test_loss": 0.2}
        >>> row = {**losses, "train_accuracy": 0.9, "test_accuracy": 0.95}
        >>> [axes.get_title() for axes in plot_history([row, row]).axes]
        ['Loss', 'Accuracy (%)']
    """
    columns = table("plot_history", history)
    panels = [
        (title, name, scale)
        for title, name, scale in (("Loss", "loss", 1.0), ("Accuracy (%)", "accuracy", 100.0))
        if any(f"{part}_{name}" in columns for part, *_ in PARTS)
    ]
    if not panels:
        raise ValueError(
            "plot_history: expected entries such as 'train_loss' or 'val_accuracy', got "
            f"{', '.join(columns) or 'none'}"
        )
    rates = columns.get("lr", np.zeros(0))
    varies = len(set(rates[np.isfinite(rates)].tolist())) > 1
    count = len(next(iter(columns.values())))
    epochs = columns.get("epoch", np.arange(1, count + 1))
    figure = new_figure(4.5 * (len(panels) + varies), 3.6)
    grid = figure.subplots(1, len(panels) + varies, squeeze=False)[0]
    for axes, (title, name, scale) in zip(grid, panels, strict=False):
        for part, colour, label, marker in PARTS:
            if (values := columns.get(f"{part}_{name}")) is not None:
                line(axes, epochs, scale * values, colour, label, marker)
        axes.set_title(title)
        axes.legend()
    if varies:
        line(grid[-1], epochs, rates, GREEN, "", "o")
        grid[-1].set_title("Learning rate")
        if (rates > 0).all():
            grid[-1].set_yscale("log")
    for axes in grid:
        axes.set_xlabel("epoch")
        if count == 1:
            axes.set_xlim(epochs[0] - 0.5, epochs[0] + 0.5)
            axes.set_xticks(epochs)
        else:
            axes.xaxis.get_major_locator().set_params(integer=True)
        plain(axes)
    return finish(figure, path)


def line(
    axes: Axes, x: NDArray[Any], y: NDArray[Any], colour: str, label: str, marker: str
) -> None:
    """One curve; its points are marked where they are few."""
    size = 4.0 if len(x) <= 40 else 0.0
    axes.plot(x, y, marker=marker, markersize=size, linewidth=1.6, color=colour, label=label)


def table(name: str, history: Any) -> dict[str, NDArray[Any]]:
    """A history of either form as arrays by name, those that are numbers.

    Raises:
        TypeError: it is something else.
        ValueError: it has no epochs, or lists of different lengths.
    """
    if isinstance(history, Mapping) or hasattr(history, "items"):
        columns = {str(key): np.asarray(values) for key, values in history.items()}
    elif isinstance(history, Sequence) and all(isinstance(row, Mapping) for row in history):
        keys = dict.fromkeys(key for row in history for key in row)
        columns = {str(key): np.asarray([row.get(key, np.nan) for row in history]) for key in keys}
    else:
        raise TypeError(
            f"{name}: history is a mapping of names to lists, or a sequence of mappings, "
            f"got {type(history).__name__}"
        )
    columns = {key: values for key, values in columns.items() if values.dtype.kind in "biuf"}
    lengths = {values.shape for values in columns.values()}
    if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
        raise ValueError(f"{name}: expected one number an epoch, got lists of shapes {lengths}")
    if not lengths or lengths == {(0,)}:
        raise ValueError(f"{name}: the history is empty: there are no epochs to draw")
    return {key: values.astype(np.float64) for key, values in columns.items()}


@picture
def plot_learning_rates(
    rates: Any, losses: Any, suggestion: float | None = None, *, path: SavePath = None
) -> Figure:
    """The loss over a learning rate that grew from step to step.

    Args:
        rates: N positive learning rates.
        losses: N losses; what is no finite number is left out.
        suggestion: a learning rate to mark.
        path: where to save the figure.

    Raises:
        ValueError: not as many losses as rates, fewer than two of them finite, or a rate that is
            not positive.

    Reference: Smith 2017, arXiv:1506.01186.

    Example:
        >>> figure = plot_learning_rates([0.001, 0.01, 0.1], [2.3, 1.0, 4.0], 0.004)
        >>> figure.axes[0].get_xscale()
        'log'
    """
    name = "plot_learning_rates"
    x, y = as_array(rates).astype(np.float64), as_array(losses).astype(np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{name}: got rates of shape {x.shape} and losses of shape {y.shape}")
    finite = np.isfinite(y)
    if finite.sum() < 2 or not (x > 0).all():
        raise ValueError(
            f"{name}: expected positive rates and at least 2 finite losses, got {finite.sum()} "
            f"finite losses and rates from {x.min(initial=np.inf):.4g}"
        )
    if suggestion is not None and not 0 < suggestion < np.inf:
        raise ValueError(f"{name}: suggestion is a positive learning rate, got {suggestion}")
    figure = new_figure(6.0, 3.8)
    axes = figure.subplots()
    axes.plot(x[finite], y[finite], color=BLUE, linewidth=1.6)
    low, high = y[finite].min(), y[finite].max()
    # a loss that runs away would flatten all that matters
    ceiling = low + 2.5 * max(y[finite][0] - low, 1e-12)
    if high > ceiling:
        axes.set_ylim(low - 0.08 * (ceiling - low), ceiling)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss")
    plain(axes)
    if suggestion is not None:
        axes.axvline(suggestion, color=RED, linewidth=1.4, linestyle="--")
        place = int(np.abs(np.log(x[finite] / suggestion)).argmin())
        axes.plot([suggestion], [y[finite][place]], marker="o", color=RED, zorder=3)
        axes.set_title(f"suggested learning rate: {suggestion:.2e}", size=11)
    else:
        axes.set_title("learning-rate range test", size=11)
    return finish(figure, path)
