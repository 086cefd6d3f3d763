"""Where a classifier of points in the plane decides for which class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Tensor, from_numpy
from vision.interpret.inputs import dtype_of
from vision.training.modes import evaluating
from vision.visualize.figures import (
    SavePath,
    as_array,
    class_names,
    finish,
    new_figure,
    picture,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_decision_boundary"]


@picture
def plot_decision_boundary(
    model: nn.Module | Callable[[NDArray[Any]], Any],
    X: Any,
    y: Any,
    *,
    classes: Sequence[str] | None = None,
    resolution: int = 200,
    margin: float = 0.1,
    title: str = "",
    axes: Axes | None = None,
    path: SavePath = None,
) -> Figure:
    """The plane in the colours of the classes a model decides for, and the points it learns from.

    The surer the model, the stronger the colour.

    Args:
        model: points (N, 2) to class scores (N, K), or to (N,) or (N, 1): one score, above 0 for
            class 1; a module, which is looked at in evaluation mode, or a function of an array
            that returns scores, or labels (N,) as integers.
        X: points (N, 2).
        y: their labels (N,).
        classes: K names, for a legend.
        resolution: how many places along each side are asked about.
        margin: how far the picture reaches beyond the points, as a share of their extent.
        title: stands above all.
        axes: where to draw, in a figure that is there already; a new one unless given.
        path: where to save the figure.

    Raises:
        ValueError: points that are not (N, 2), not as many labels, or scores of another shape.

    Example:
        >>> import nn
        >>> figure = plot_decision_boundary(nn.Linear(2, 3), [[0.0, 0.0], [1.0, 1.0]], [0, 2])
        >>> len(figure.axes)
        1
    """
    name = "plot_decision_boundary"
    points, labels = as_array(X).astype(np.float64), as_array(y)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(f"{name}: got points of shape {points.shape}, expected (N, 2)")
    labels = labels.reshape(-1) if labels.shape == (len(points), 1) else labels
    whole = labels.dtype.kind in "biu" or (labels == np.floor(labels)).all()
    if labels.shape != (len(points),) or not whole or labels.min() < 0:
        raise ValueError(
            f"{name}: got labels of shape {labels.shape}, {labels.dtype}, expected "
            f"{len(points)} from 0"
        )
    if resolution < 2:
        raise ValueError(f"{name}: resolution is at least 2, got {resolution}")
    labels = labels.astype(np.int64)
    low, high = points.min(0), points.max(0)
    room = margin * np.where(high > low, high - low, 1.0)
    low, high = low - room, high + room
    across, up = (np.linspace(low[axis], high[axis], resolution) for axis in (0, 1))
    plane = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)  # -> (R*R, 2)
    guess, sureness, known = decisions(name, model, plane)
    count = max(known, int(labels.max()) + 1)
    names = class_names(name, classes, count if classes is None else None, count - 1)
    colours = np.array([class_colour(label, count) for label in range(count)])  # (K, 3)
    strength = (0.12 + 0.5 * sureness)[:, None]  # (R*R, 1)
    tints = 1.0 - strength * (1.0 - colours[guess])
    image = tints.reshape(resolution, resolution, 3)  # (R*R, 3) -> (R, R, 3)
    figure: Figure | None
    if axes is None:
        figure = new_figure(5.6 if classes is None else 6.4, 5.0)
        axes = figure.subplots()
    else:
        figure = axes.get_figure(root=True)
        if figure is None:
            raise ValueError(f"{name}: the axes are in no figure")
        axes.clear()
    axes.imshow(
        image,
        origin="lower",
        extent=(low[0], high[0], low[1], high[1]),
        aspect="auto",
        interpolation="bilinear",
    )
    if (guess != guess[0]).any():
        field = guess.reshape(resolution, resolution)
        for label in np.unique(guess):
            axes.contour(
                across,
                up,
                (field == label).astype(float),
                [0.5],
                colors=["#444444"],
                linewidths=0.7,
            )
    size = 26.0 if len(points) <= 400 else 9.0
    for label in range(count):
        inside = points[labels == label]
        axes.scatter(
            inside[:, 0],
            inside[:, 1],
            s=size,
            color=tuple(0.82 * colours[label]),
            edgecolors="white",
            linewidths=0.6,
            label=names[label],
            zorder=3,
        )
    if classes is not None:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=9)
    if title:
        axes.set_title(title, size=11)
    return finish(figure, path)


def decisions(
    name: str, model: Any, plane: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any], int]:
    """Of each point the class, how sure it is in [0, 1], and how many classes are known.

    Raises:
        ValueError: the model gives something else.
    """
    if isinstance(model, nn.Module):
        with evaluating(model):
            given = model(from_numpy(plane.astype(dtype_of(model))))
    else:
        given = model(plane)
    scores = given.detach().numpy() if isinstance(given, Tensor) else np.asarray(given)
    if scores.shape == (len(plane),) and scores.dtype.kind in "biu":
        return scores.astype(np.int64), np.full(len(plane), 0.6), int(scores.max()) + 1
    if scores.shape in ((len(plane),), (len(plane), 1)):
        single = scores.reshape(-1)  # (N, 1) -> (N,)
        scores = np.stack([np.zeros_like(single), single], axis=1)  # (N,) -> (N, 2)
    if scores.ndim != 2 or len(scores) != len(plane) or scores.dtype.kind != "f":
        raise ValueError(
            f"{name}: the model gives {scores.shape}, expected class scores ({len(plane)}, K)"
        )
    powers = np.exp(scores - scores.max(1, keepdims=True))
    shares = powers / powers.sum(1, keepdims=True)
    count = scores.shape[1]
    sureness = (shares.max(1) - 1.0 / count) / (1.0 - 1.0 / count)
    return scores.argmax(1).astype(np.int64), sureness, count


def class_colour(label: int, count: int) -> tuple[float, float, float]:
    """Red, green and blue of a class."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    if count <= 10:
        return to_rgb(colormaps["tab10"](label))
    return to_rgb(colormaps["turbo"](label / (count - 1)))
