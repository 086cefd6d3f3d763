"""Models side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision.visualize.figures import (
    BLUE,
    GREY,
    INK,
    SavePath,
    as_array,
    class_names,
    finish,
    new_figure,
    picture,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

__all__ = ["plot_parameters_against_accuracy"]


@picture
def plot_parameters_against_accuracy(
    parameters: Any,
    accuracies: Any,
    names: Sequence[str],
    *,
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """How accurate models of different size are: a dot for each, with its name beside it.

    Args:
        parameters: how many each model has (N,), drawn on a logarithmic scale.
        accuracies: N shares in [0, 1].
        names: of the models.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: not as many numbers as names, none, a number of parameters below 1, or an
            accuracy outside [0, 1].

    Example:
        >>> figure = plot_parameters_against_accuracy([1000, 50000], [0.9, 0.95], ["A", "B"])
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('parameters', 'accuracy (%)')
    """
    name = "plot_parameters_against_accuracy"
    counts, shares = as_array(parameters), as_array(accuracies)
    if counts.shape != shares.shape or counts.shape != (len(names),) or not len(names):
        raise ValueError(
            f"{name}: got parameters of shape {counts.shape}, accuracies of shape {shares.shape} "
            f"and {len(names)} names, expected one of each a model"
        )
    if counts.min() < 1 or not (shares.min() >= 0 and shares.max() <= 1):
        raise ValueError(
            f"{name}: parameters are at least 1 and accuracies lie in [0, 1], got parameters from "
            f"{counts.min()} and accuracies from {shares.min()} to {shares.max()}"
        )
    labels = class_names(name, names)
    figure = new_figure(7.0, max(4.2, min(0.28 * len(labels) + 1.4, 9.0)))
    axes = figure.subplots()
    x, y = counts.astype(np.float64), 100.0 * shares.astype(np.float64)
    axes.scatter(x, y, s=42, color=BLUE, zorder=3)
    axes.set_xscale("log")
    spread = np.log10(x.max() / x.min()) if len(x) > 1 else 0.0
    margin = 10 ** (0.12 * spread + 0.15)
    axes.set_xlim(x.min() / margin, x.max() * margin)
    low, high = y.min(), y.max()
    room = 0.14 * (high - low) + 0.4
    axes.set_ylim(low - room, min(high + room, 100.0 + 0.3 * room))
    axes.set_xlabel("parameters")
    axes.set_ylabel("accuracy (%)")
    plain(axes)
    if title:
        axes.set_title(title, size=11)
    finish(figure, None)
    place_labels(figure, axes, x, y, labels)
    return finish(figure, path)


def place_labels(
    figure: Figure, axes: Axes, x: NDArray[Any], y: NDArray[Any], labels: Sequence[str]
) -> None:
    """A name beside each dot, where it covers neither a dot nor another name.

    Places around the dot are tried from near to far; a far name gets a line to its dot.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # what has been measured stays where it is
    dots = axes.transData.transform(np.stack([x, y], axis=1))  # (N, 2) in pixels
    scale = figure.dpi / 72.0
    taken = [box_around(dot, 4 * scale) for dot in dots]
    frame = axes.get_window_extent()
    # the crowded ones first: they have the fewest places to go
    gaps = np.linalg.norm(dots[:, None] - dots, axis=2)
    for place in np.argsort(np.sort(gaps, axis=1)[:, : min(4, len(dots))].sum(1), kind="stable"):
        note = axes.annotate(
            labels[place],
            (x[place], y[place]),
            textcoords="offset points",
            xytext=(0, 0),
            size=9,
            color=INK,
            va="center",
            zorder=4,
        )
        extent = note.get_window_extent()
        left, bottom, line = choose_place(
            dots[place], (extent.width, extent.height), taken, frame, scale
        )
        middle = bottom + extent.height / 2
        note.set_position(((left - dots[place, 0]) / scale, (middle - dots[place, 1]) / scale))
        taken.append(label_box(left, bottom, (extent.width, extent.height)))
        if len(line):
            taken.extend(box_around(point, 2.0) for point in line)
            ends = axes.transData.inverted().transform(line)
            axes.plot(ends[:, 0], ends[:, 1], color=GREY, linewidth=0.7, zorder=2)


def choose_place(
    dot: NDArray[Any], size: tuple[float, float], taken: Sequence[Any], frame: Any, scale: float
) -> tuple[float, float, NDArray[Any]]:
    """The left and lower end of the first free place around a dot, and a line that leads there."""
    width, height = size
    found: list[tuple[float, float, float, NDArray[Any]]] = []
    for distance in (8.0, 14.0, 22.0, 32.0, 44.0, 58.0, 74.0):
        for angle in np.deg2rad([0, 180, 35, 325, 145, 215, 90, 270, 60, 300, 120, 240]):
            across, up = np.cos(angle), np.sin(angle)
            # the text's nearest side lies at the distance
            left = float(dot[0] + distance * scale * across + (across - 1) / 2 * width)
            bottom = float(dot[1] + distance * scale * up + (up - 1) / 2 * height)
            box = label_box(left, bottom, size)
            line = np.zeros((0, 2))
            if distance > 14.0:
                side = bottom if bottom + height / 2 > dot[1] else bottom + height
                end = np.array([np.clip(dot[0], left, left + width), side])
                start = dot + (end - dot) * min(1.0, 5 * scale / np.linalg.norm(end - dot))
                line = np.linspace(start, end, 12)  # (12, 2)
            spots = [box_around(point, 1.0) for point in line]
            covered = sum(overlap(box, other) for other in taken)
            crossed = sum(overlap(spot, other) for spot in spots for other in taken)
            outside = box.width * box.height - overlap(box, frame)
            cost = float(covered + 20 * crossed + outside)
            if cost <= 1e-6:
                return left, bottom, line
            found.append((cost, left, bottom, line))
    _, left, bottom, line = min(found, key=lambda each: each[0])
    return left, bottom, line


def label_box(left: float, bottom: float, size: tuple[float, float]) -> Bbox:
    """The room of a text, with a little air."""
    from matplotlib.transforms import Bbox

    return Bbox.from_bounds(left - 2, bottom - 1, size[0] + 4, size[1] + 2)


def box_around(point: NDArray[Any], reach: float) -> Bbox:
    """A square around a point."""
    from matplotlib.transforms import Bbox

    return Bbox.from_bounds(point[0] - reach, point[1] - reach, 2 * reach, 2 * reach)


def overlap(one: Bbox, other: Bbox) -> float:
    """The area that two boxes share."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return float(max(width, 0.0) * max(height, 0.0))
