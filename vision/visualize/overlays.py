"""Heat maps on images, receptive fields, and groups of filters or images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vision.interpret.clusters import FeatureClusters
from vision.interpret.receptive_field import ReceptiveField, unit_at
from vision.interpret.resizing import enlarged
from vision.visualize.figures import (
    RED,
    SavePath,
    as_array,
    as_pictures,
    bare,
    cells,
    columns_for,
    finish,
    new_figure,
    picture,
    shortened,
    show,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_clusters", "plot_overlay", "plot_receptive_field"]


@picture
def plot_overlay(
    image: Any,
    heat: Any,
    captions: Sequence[str] | None = None,
    *,
    alpha: float = 0.55,
    cmap: str = "inferno",
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """Images, what matters in them, and both above each other: a column for each image.

    A heat map with negative values is drawn in blue (below 0), white and red (above 0).

    Args:
        image: one (C, H, W) or (H, W), or a batch (N, C, H, W).
        heat: a heat map for each, (H, W) or (N, H, W); a smaller one is enlarged.
        captions: a text above each image.
        alpha: how much the heat covers, in [0, 1].
        cmap: Matplotlib's name of the colours for maps without negative values.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: not as many maps or captions as images, or another shape.

    Example:
        >>> import numpy as np
        >>> figure = plot_overlay(np.zeros((1, 8, 8)), np.ones((8, 8)), ["a digit"])
        >>> figure.axes[0].get_title()
        'a digit'
    """
    name = "plot_overlay"
    maps = as_array(heat).astype(np.float64)
    given = as_array(image)
    if maps.ndim == 2:
        maps = maps[None]  # (H, W) -> (1, H, W)
        given = given[None] if given.ndim == 2 or (given.ndim == 3 and len(given) != 1) else given
        given = given[None] if given.ndim == 3 and as_array(image).ndim == 3 else given
    pictures = as_pictures(name, given)
    if maps.ndim != 3 or len(maps) != len(pictures) or not np.isfinite(maps).all():
        raise ValueError(
            f"{name}: got heat of shape {as_array(heat).shape} for images of shape "
            f"{as_array(image).shape}, expected finite numbers (N, H, W), one map an image"
        )
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"{name}: got {len(captions)} captions for {len(pictures)} images")
    if not 0 <= alpha <= 1:
        raise ValueError(f"{name}: alpha is in [0, 1], got {alpha}")
    maps = enlarged(maps, pictures.shape[1:3])
    texts = [shortened(text, 30) for text in captions] if captions is not None else [""] * len(maps)
    columns = len(pictures)
    ratio = pictures.shape[1] / pictures.shape[2]
    side = 1.7 if columns <= 6 else 1.3
    wide = max(side, 0.3 + 0.075 * max(map(len, texts)))
    extra = 0.3 * bool(captions) + 0.35 * bool(title)
    figure = new_figure(max(wide * columns + 0.9, 2.6), 3 * side * ratio + 0.3 + extra)
    grid = figure.subplots(3, columns, squeeze=False)
    signed = bool(maps.min() < 0)
    drawn = None
    for column, (shown, one, text) in enumerate(zip(pictures, maps, texts, strict=True)):
        limit = float(np.abs(one).max()) or 1.0
        options: dict[str, Any] = {
            "cmap": "RdBu_r" if signed else cmap,
            "vmin": -1.0 if signed else 0.0,
            "vmax": 1.0,
            "interpolation": "nearest",
        }
        grey = shown if shown.ndim == 2 else shown @ np.array([0.299, 0.587, 0.114])
        show(grid[0, column], shown)
        drawn = grid[1, column].imshow(one / limit, **options)
        grid[2, column].imshow(grey, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        # what does not matter stays to be seen
        cover = alpha * np.abs(one) / limit if signed else alpha
        grid[2, column].imshow(one / limit, alpha=cover, **options)
        grid[0, column].set_title(text, size=9, pad=3)
    for axes in grid.flat:
        bare(axes)
    if drawn is not None:
        label = "share of each image's largest"
        figure.colorbar(drawn, ax=grid, label=label, shrink=0.6, aspect=25)
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)


@picture
def plot_receptive_field(
    fields: ReceptiveField | Sequence[ReceptiveField],
    image: Any = None,
    *,
    position: Sequence[int] | None = None,
    title: str = "",
    path: SavePath = None,
) -> Figure:
    r"""What one unit of each layer sees of an image: the pixels, and a frame around them.

    Args:
        fields: what `vision.interpret.receptive_field` returned, for one layer or several, for
            images with two axes.
        image: (C, H, W) or (H, W), to lie beneath.
        position: of the unit (h, w) in each layer; the middle one unless given.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: there are no fields, or they or the image are of another size.
        IndexError: a layer has no such unit.

    Example:
        >>> import nn
        >>> from vision.interpret import receptive_field
        >>> field = receptive_field(nn.Conv2d(1, 1, 3, padding=1), "", (1, 8, 8))
        >>> plot_receptive_field(field).axes[0].get_title()
        'model\n3 x 3, jump 1 x 1'
    """
    name = "plot_receptive_field"
    several = [fields] if isinstance(fields, ReceptiveField) else list(fields)
    sizes = {tuple(axis.shape[1] for axis in field.seen) for field in several}
    if len(sizes) != 1 or len(next(iter(sizes))) != 2:
        raise ValueError(
            f"{name}: expected fields of layers for images of one size (H, W), got {sorted(sizes)}"
        )
    (size,) = sizes
    shown = np.full(size, 1.0, np.float32)
    if image is not None:
        given = as_array(image)
        shown = as_pictures(name, given[None])[0]
        if shown.shape[:2] != size:
            raise ValueError(f"{name}: got an image of shape {given.shape} for fields of {size}")
    columns = columns_for(len(several), 6, wide=2.0)
    rows = -(-len(several) // columns)
    longest = max(len(shortened(field.layer, 30)) for field in several)
    cell = max(2.2, 0.085 * longest)
    figure = new_figure(
        max(cell * columns, 0.09 * len(title)),
        (2.0 * size[0] / size[1] + 0.6) * rows + 0.4 * bool(title),
    )
    used, _ = cells(figure, len(several), columns)
    for axes, field in zip(used, several, strict=True):
        draw_field(axes, field, shown, position)
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)


def draw_field(
    axes: Axes, field: ReceptiveField, image: NDArray[Any], position: Sequence[int] | None
) -> None:
    """The pixels that one unit sees, coloured, with a frame around."""
    from matplotlib.patches import Rectangle

    middle = [count // 2 for count in field.units]
    place = unit_at("plot_receptive_field", field.units, middle if position is None else position)
    rows, columns = (axis[unit] for axis, unit in zip(field.seen, place, strict=True))
    seen = rows[:, None] & columns  # (H,), (W,) -> (H, W)
    colour = np.zeros((*seen.shape, 4), np.float32)
    colour[seen] = (0.82, 0.29, 0.36, 0.45)
    show(axes, image)
    axes.imshow(colour, interpolation="nearest")
    down, across = field.box(place)
    height, width = down.stop - down.start, across.stop - across.start
    axes.add_patch(
        Rectangle(
            (across.start - 0.5, down.start - 0.5),
            width,
            height,
            fill=False,
            edgecolor=RED,
            linewidth=1.8,
            clip_on=False,
        )
    )
    sizes = " x ".join(map(str, field.size))
    jumps = " x ".join(f"{jump:.3g}" for jump in field.jump)
    label = shortened(field.layer or "model", 30)
    text = "the whole image" if seen.all() else f"{sizes}, jump {jumps}"
    axes.set_title(f"{label}\n{text}", size=9, pad=5)
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("#999999")


@picture
def plot_clusters(
    clusters: FeatureClusters,
    images: Any = None,
    *,
    most: int = 8,
    title: str = "",
    path: SavePath = None,
) -> Figure:
    """Groups of images, or of filters, one row a group, the nearest to its centre first.

    Args:
        clusters: what `vision.interpret.cluster_feature_maps` returned.
        images: the images, if it was they that were put into groups; otherwise each group's centre
            is drawn, which is a map for each of the images.
        most: how many of each group are drawn.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: there are not as many images as labels.

    Example:
        >>> import autograd, nn
        >>> from vision.interpret import cluster_feature_maps
        >>> _ = autograd.manual_seed(0)
        >>> images = autograd.rand(6, 1, 8, 8)
        >>> found = cluster_feature_maps(nn.Conv2d(1, 4, 3), images, clusters=2, by="images")
        >>> plot_clusters(found, images).axes[0].get_ylabel().split(":")[0]
        'group 0'
    """
    name = "plot_clusters"
    if most < 1:
        raise ValueError(f"{name}: most is at least 1, got {most}")
    if images is not None:
        pictures = as_pictures(name, images)
        if len(pictures) != len(clusters.labels):
            raise ValueError(
                f"{name}: got {len(pictures)} images for {len(clusters.labels)} labels; for groups "
                "of filters give no images"
            )
        rows = [pictures[group[:most]] for group in clusters.members]
    else:
        rows = [centre[:most] for centre in clusters.centres]
    widest = max(len(row) for row in rows)
    ratio = rows[0].shape[1] / rows[0].shape[2]
    figure = new_figure(0.8 * widest + 2.1, (0.8 * ratio + 0.06) * len(rows) + 0.4 * bool(title))
    grid = figure.subplots(len(rows), widest, squeeze=False)
    low, high = min(row.min() for row in rows), max(row.max() for row in rows)
    for number, (line, row) in enumerate(zip(grid, rows, strict=True)):
        for axes, one in zip(line, row, strict=False):
            if images is not None:
                show(axes, one)
            else:
                axes.imshow(one, cmap="viridis", vmin=low, vmax=high, interpolation="nearest")
        for axes in line:
            bare(axes)
        members = clusters.members[number]
        text = f"group {number}: {len(members)} image{'s' * (len(members) > 1)}"
        if images is None:
            text = f"group {number}: {len(members)} filter{'s' * (len(members) > 1)}\n" + shortened(
                ", ".join(map(str, members)), 22
            )
        line[0].set_ylabel(text, rotation=0, ha="right", va="center", size=8, labelpad=6)
    if title:
        figure.suptitle(title, size=11)
    return finish(figure, path)
