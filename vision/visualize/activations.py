"""What layers make of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Tensor
from vision.interpret.activations import (
    FilterStatistics,
    activation_statistics,
    activations,
    maximally_activating,
)
from vision.interpret.inputs import Layer
from vision.visualize.figures import (
    BLUE,
    FAINT,
    INK,
    RED,
    SavePath,
    as_array,
    as_pictures,
    bare,
    finish,
    new_figure,
    picture,
    plain,
    readable_size,
    shortened,
    show,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_activation_statistics", "plot_activations", "plot_maximally_activating"]


@picture
def plot_activations(
    model: nn.Module,
    image: Any,
    layers: Sequence[Layer] | None = None,
    *,
    most: int = 16,
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """The maps that each layer makes of one image, one row a layer; numbers as a strip.

    Each row has its own scale from its smallest value (dark) to its largest (bright).

    Args:
        model: given images.
        image: (C, H, W), or a batch of one, (1, C, H, W).
        layers: modules of the model or their dotted names; all without modules inside unless given.
        most: how many maps of each layer are drawn, the first ones.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: there is no such layer, or not one image.

    Example:
        >>> import autograd, nn
        >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
        >>> figure = plot_activations(model, autograd.ones(1, 6, 6))
        >>> [axes.get_ylabel().split()[0] for axes in figure.axes]
        ['image', '0', '1']
    """
    name = "plot_activations"
    if most < 1:
        raise ValueError(f"{name}: most is at least 1, got {most}")
    array = as_array(image)
    if array.ndim == 3:
        array = array[None]  # (C, H, W) -> (1, C, H, W)
    if array.ndim != 4 or len(array) != 1:
        raise ValueError(f"{name}: got an image of shape {array.shape}, expected (C, H, W)")
    outputs = activations(model, array, layers)
    rows = {layer: values[0] for layer, values in outputs.items() if values.ndim in (2, 4)}
    if not rows:
        raise ValueError(f"{name}: no layer makes maps (N, F, h, w) or numbers (N, F)")
    widest = max([min(most, len(values)) for values in rows.values() if values.ndim == 3] + [4])
    cell = max(0.45, min(0.9, 11.0 / widest))
    heights = [1.0] + [1.0 if values.ndim == 3 else 0.4 for values in rows.values()]
    longest = max(len(layer) for layer in rows)
    figure = new_figure(
        cell * widest + 0.075 * min(longest, 28) + 1.0,
        sum(heights) * (cell + 0.1) + 0.3 + 0.3 * bool(title),
    )
    grid = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    shown = as_pictures(name, array)[0]
    top = np.full((shown.shape[0], round(widest * shown.shape[1] * 1.08), 3), 1.0, np.float32)
    top[:, : shown.shape[1]] = shown if shown.ndim == 3 else shown[..., None]
    grid[0].imshow(top, interpolation="nearest")
    label(grid[0], "image\n" + " x ".join(map(str, array.shape[1:])))
    for axes, (layer, values) in zip(grid[1:], rows.items(), strict=True):
        size = " x ".join(map(str, values.shape))
        if values.ndim == 3:
            axes.imshow(side_by_side(values[:most], widest), cmap=maps_colours())
            label(axes, f"{shortened(layer, 28)}\n{size}")
        else:
            axes.imshow(values[None], cmap=maps_colours(), aspect="auto", interpolation="nearest")
            label(axes, f"{shortened(layer, 28)}  {size}")
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)


def label(axes: Any, text: str) -> None:
    """What a row is, on its left."""
    bare(axes)
    axes.set_ylabel(text, rotation=0, ha="right", va="center", size=8, labelpad=6)
    axes.set_anchor("W")


def maps_colours() -> Any:
    """Dark to bright, with white where there is no map."""
    from matplotlib import colormaps

    return colormaps["viridis"].with_extremes(bad="white")


def side_by_side(maps: NDArray[Any], places: int) -> NDArray[Any]:
    """Maps (F, h, w) in a row of so many places, with narrow gaps of NaN."""
    zoom = max(1, -(-16 // maps.shape[2]))
    maps = maps.repeat(zoom, 1).repeat(zoom, 2)  # small maps too get narrow gaps
    count, height, width = maps.shape
    gap = max(1, round(0.08 * width))
    row = np.full((height, places * (width + gap)), np.nan, np.float64)
    for place in range(count):
        left = place * (width + gap)
        row[:, left : left + width] = maps[place]
    return row


@picture
def plot_maximally_activating(
    model: nn.Module,
    images: Any,
    layer: Layer | None = None,
    top: int = 8,
    *,
    filters: Sequence[int] | None = None,
    most: int = 12,
    cmap: str = "gray",
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """The images that excite filters of a layer most: a row for each filter, strongest first.

    Above each image stands the largest value of the filter's map.

    Args:
        model: given images.
        images: a batch (N, C, H, W).
        layer: a module of the model or its dotted name; the last convolution unless given.
        top: how many images of each filter.
        filters: which filters; the first ones unless given.
        most: how many filters are drawn, at most.
        cmap: Matplotlib's name of the colours for grey images.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: as for `vision.interpret.maximally_activating`.

    Example:
        >>> import autograd, nn
        >>> _ = autograd.manual_seed(0)
        >>> figure = plot_maximally_activating(nn.Conv2d(1, 2, 3), autograd.rand(5, 1, 6, 6), top=3)
        >>> len(figure.axes)
        6
    """
    name = "plot_maximally_activating"
    best = maximally_activating(model, images, layer, top, filters=filters)
    pictures = as_pictures(name, images)
    rows, columns = min(most, len(best.filters)), best.images.shape[1]
    if rows < 1:
        raise ValueError(f"{name}: most is at least 1, got {most}")
    ratio = pictures.shape[1] / pictures.shape[2]
    figure = new_figure(
        max(0.9 * columns + 0.9, 0.09 * len(title)), (0.9 * ratio + 0.2) * rows + 0.5 * bool(title)
    )
    grid = figure.subplots(rows, columns, squeeze=False)
    for row, number in enumerate(best.filters[:rows]):
        for axes, place, value in zip(grid[row], best.images[row], best.values[row], strict=True):
            bare(axes)
            show(axes, pictures[place], cmap)
            axes.set_title(f"{value:.3g}", size=8, pad=2, color=FAINT)
        grid[row, 0].set_ylabel(
            f"filter {number}", rotation=0, ha="right", va="center", size=8, labelpad=6
        )
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)


@picture
def plot_activation_statistics(
    model: nn.Module | dict[str, FilterStatistics],
    images: Any = None,
    layers: Sequence[Layer] | None = None,
    *,
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """Mean, maximum and share of zeros of each filter, layer by layer: a dot for each filter.

    A line marks each layer's mean. Filters that are never above 0 are red, and counted.

    Args:
        model: given images; or what `vision.interpret.activation_statistics` returned.
        images: a batch (N, C, H, W).
        layers: modules of the model or their dotted names; the activations unless given.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: there is no such layer, or there are no images.

    Example:
        >>> import autograd, nn
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
        >>> figure = plot_activation_statistics(model, autograd.rand(5, 1, 6, 6))
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['mean', 'maximum', 'zero or below (%)']
    """
    if isinstance(model, dict):
        found = model
    else:
        if images is None:
            raise ValueError("plot_activation_statistics: give images to look at")
        found = activation_statistics(model, as_tensor_like(images), layers)
    if not found:
        raise ValueError("plot_activation_statistics: there are no layers to draw")
    names = [shortened(layer, 28) for layer in found]
    figure = new_figure(
        min(16.0, max(4.5, 1.4 + 0.75 * len(found))),
        6.2 + 0.05 * max(map(len, names)) + 0.3 * bool(title),
    )
    grid = figure.subplots(3, 1, sharex=True)
    for axes, heading in zip(grid, ("mean", "maximum", "zero or below (%)"), strict=True):
        axes.set_ylabel(heading)
        plain(axes)
    for place, values in enumerate(found.values()):
        columns = (values.mean, values.maximum, 100.0 * values.inactive)
        # spread sideways by the golden ratio: neighbours among the filters lie apart
        count = len(values.mean)
        aside = 0.56 * ((np.arange(count) * 0.618034 + 0.5) % 1.0 - 0.5) * (count > 1)
        for axes, column in zip(grid, columns, strict=True):
            colours = np.where(values.dead, RED, BLUE)
            axes.scatter(
                place + aside,
                column,
                s=9 if count > 16 else 22,
                c=colours,
                alpha=0.75,
                linewidths=0,
            )
            middle = float(np.mean(column))
            axes.plot([place - 0.36, place + 0.36], [middle, middle], color=INK, linewidth=1.5)
    dead = [f"{int(values.dead.sum())} of {len(values.dead)}" for values in found.values()]
    labels = [f"{layer}\n{text} dead" for layer, text in zip(names, dead, strict=True)]
    upright = len(names) > 6 or max(map(len, names)) > 14
    grid[2].set_xticks(
        range(len(names)),
        [text.replace("\n", ": ") for text in labels] if upright else labels,
        rotation=90 if upright else 0,
        size=readable_size(len(names)) - 1,
    )
    grid[2].set_ylim(-4, 104)
    grid[2].set_xlim(-0.6, len(names) - 0.4)
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)


def as_tensor_like(images: Any) -> Any:
    """Images as they are: an array or a Tensor."""
    return images if isinstance(images, Tensor) else np.asarray(images)
