"""The weights of a convolution as images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import nn
from vision.interpret.inputs import CONVOLUTIONS, Layer, find_layer
from vision.visualize.figures import (
    SavePath,
    bare,
    cells,
    columns_for,
    finish,
    new_figure,
    picture,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_filters"]

FINEST = 16  # pixels across a filter


@picture
def plot_filters(
    model: nn.Module,
    layer: Layer | None = None,
    *,
    most: int = 64,
    most_channels: int = 16,
    rgb: bool = True,
    title: str | None = None,
    path: SavePath = None,
) -> Figure:
    """The filters of a convolution, on one scale of colours that is white at 0.

    A layer with one input channel is drawn as a square of filters, one with more as a table: a row
    for each filter, a column for each input channel.

    Args:
        model: the convolution, or a model that has it.
        layer: a convolution of the model or its dotted name; the first one unless given.
        most: how many filters are drawn, the first ones; half of it in a table.
        most_channels: how many input channels are drawn of each.
        rgb: whether filters on three channels are drawn in colour, middle grey being 0.
        title: stands above all; what is drawn unless given.
        path: where to save the figure.

    Raises:
        ValueError: there is no such layer, or it is no convolution.

    Example:
        >>> import nn
        >>> figure = plot_filters(nn.Conv2d(1, 8, 5))
        >>> figure.get_suptitle()
        'Conv2d: 8 filters of 5 x 5'
    """
    name = "plot_filters"
    label, weights = weights_of(name, model, layer)
    count, channels, height, width = weights.shape
    if most < 1 or most_channels < 1:
        raise ValueError(
            f"{name}: most and most_channels are at least 1, got {most} and {most_channels}"
        )
    heading = f"{label}: {count} filter{'s' * (count > 1)} of {height} x {width}"
    if channels > 1:
        heading += f" on {channels} channels"
    limit = float(np.abs(weights).max()) or 1.0
    if channels == 1 or (channels == 3 and rgb):
        shown = weights[:most]
        images = shown[:, 0] if channels == 1 else 0.5 + 0.5 * shown.transpose(0, 2, 3, 1) / limit
        figure = square(images, limit, colour=channels == 3)
    else:
        shown = weights[: max(1, most // 2), :most_channels]
        figure = rows_of(shown, limit)
    hidden = []
    if len(shown) < count:
        hidden.append(f"the first {len(shown)} filters")
    if channels > 3 and shown.shape[1] < channels:
        hidden.append(f"{shown.shape[1]} channels")
    if hidden:
        heading += f"\n(shown: {', '.join(hidden)})"
    figure.suptitle(heading if title is None else title, size=11)
    return finish(figure, path)


def square(images: NDArray[Any], limit: float, colour: bool) -> Figure:
    """Filters side by side: (F, h, w), or (F, h, w, 3) in colour."""
    columns = columns_for(len(images), 12, wide=1.6)
    rows = -(-len(images) // columns)
    figure = new_figure(max(4.2, 0.72 * columns + 1.1), max(1.5, 0.72 * rows + 0.75))
    shown, grid = cells(figure, len(images), columns)
    drawn = None
    for axes, image in zip(shown, images, strict=True):
        options: dict[str, Any] = {} if colour else coloured(limit)
        drawn = axes.imshow(image, interpolation="nearest", **options)
    if not colour and drawn is not None:
        figure.colorbar(drawn, ax=grid, label="weight", shrink=0.9, aspect=25)
    return figure


def rows_of(weights: NDArray[Any], limit: float) -> Figure:
    """A table of filters (rows) and their input channels (columns): (F, C, h, w)."""
    # each weight is several pixels wide, so that the gaps between filters are narrower than it
    zoom = max(1, -(-FINEST // weights.shape[3]))
    weights = weights.repeat(zoom, 2).repeat(zoom, 3)
    count, channels, height, width = weights.shape
    gap = max(1, round(0.12 * width))
    table = np.full(
        (count * (height + gap) - gap, channels * (width + gap) - gap), np.nan, weights.dtype
    )
    for row, column in np.ndindex(count, channels):
        top, left = row * (height + gap), column * (width + gap)
        table[top : top + height, left : left + width] = weights[row, column]
    across = min(0.45 * channels, 11.0, 13.0 * table.shape[1] / table.shape[0])
    down = across * table.shape[0] / table.shape[1]
    figure = new_figure(max(4.8, across + 1.7), max(1.8, down + 1.2))
    axes = figure.subplots()
    bare(axes)
    drawn = axes.imshow(table, interpolation="nearest", **coloured(limit))
    every_row = 1 + (count - 1) // 16
    every_column = 1 + (channels - 1) // 16
    rows = np.arange(0, count, every_row)
    columns = np.arange(0, channels, every_column)
    axes.set_yticks(rows * (height + gap) + (height - 1) / 2, rows, size=8)
    axes.set_xticks(columns * (width + gap) + (width - 1) / 2, columns, size=8)
    axes.tick_params(length=0)
    axes.set_ylabel("filter")
    axes.set_xlabel("input channel")
    figure.colorbar(drawn, ax=axes, label="weight", shrink=0.9, aspect=25)
    return figure


def coloured(limit: float) -> dict[str, Any]:
    """White at 0, blue below, red above."""
    return {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}


def weights_of(name: str, model: nn.Module, layer: Layer | None) -> tuple[str, NDArray[Any]]:
    """The name of a convolution and its weights (F, C, h, w), as filters of what it makes.

    Raises:
        ValueError: there is no such layer, or it is no convolution of one or two dimensions.
    """
    if layer is None and isinstance(model, nn.Module):
        layer = next((m for m in model.modules() if isinstance(m, CONVOLUTIONS)), None)
    path, module = find_layer(name, model, layer)
    kind = type(module).__name__
    if not isinstance(module, (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)):
        raise ValueError(
            f"{name}: the layer {path!r} is a {kind}, expected a convolution of one or two "
            "dimensions"
        )
    weights = module.weight.detach().numpy()
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d)) and module.groups == 1:
        weights = weights.swapaxes(0, 1)  # (C, F, h, w) -> (F, C, h, w)
    if weights.ndim == 3:
        weights = weights[:, :, None]  # (F, C, w) -> (F, C, 1, w)
    return path or kind, weights
