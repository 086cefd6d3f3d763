"""What all pictures share: their look, their grids, and how they are saved."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import wraps
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__: list[str] = []

P = ParamSpec("P")
R = TypeVar("R")
SavePath: TypeAlias = str | os.PathLike[str] | None
"""Where to save a picture, the ending saying how (.png, .svg, .pdf); missing folders are made."""

INK, FAINT = "#222222", "#666666"
BLUE, RED, GREEN, GREY = "#3b6ea5", "#c2334a", "#2f7f5f", "#8a8a8a"
STYLE: Any = {
    "axes.edgecolor": INK,
    "axes.facecolor": "white",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "figure.facecolor": "white",
    "grid.color": "#b0b0b0",
    "legend.edgecolor": "#cccccc",
    "legend.facecolor": "white",
    "legend.labelcolor": INK,
    "savefig.facecolor": "auto",
    "text.color": INK,
    "text.usetex": False,
    "xtick.color": INK,
    "xtick.labelcolor": INK,
    "ytick.color": INK,
    "ytick.labelcolor": INK,
}
"""Dark on opaque white, whatever the reader's own style: it is legible on any page."""
LONGEST_NAME = 24


def picture(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw with the colours of `STYLE`, and leave Matplotlib's settings as they were."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            import matplotlib
        except ImportError as error:
            raise ImportError(
                f"{draw.__name__}: needs Matplotlib, which is not installed: pip install matplotlib"
            ) from error
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")


def finish(figure: Figure, path: SavePath) -> Figure:
    """Fix the colours of what Matplotlib draws later, and save the figure if wanted.

    Raises:
        ValueError: Matplotlib cannot write files of that ending; nothing is written then.
    """
    for axes in figure.axes:
        axes.tick_params(which="both", color=INK, labelcolor=INK)
    if path is not None:
        save(figure, Path(path))
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure, at once or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    kind = path.suffix[1:].lower()
    known = FigureCanvasAgg(figure).get_supported_filetypes()
    if kind not in known:
        raise ValueError(
            f"cannot save a picture as {path.name!r}: end the name in one of "
            f"{', '.join('.' + name for name in sorted(known))}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        figure.savefig(part, format=kind)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def plain(axes: Axes) -> None:
    """A faint grid and no frame at the top and at the right."""
    axes.grid(alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def bare(axes: Axes) -> None:
    """Neither ticks nor frame, though title and labels."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def cells(
    figure: Figure, count: int, columns: int, **options: Any
) -> tuple[list[Axes], NDArray[Any]]:
    """Axes for `count` images side by side, in rows; those left over are not shown.

    Returns:
        The axes in use, and all of them (rows, columns).
    """
    grid = figure.subplots(max(1, ceil(count / columns)), columns, squeeze=False, **options)
    axes: list[Axes] = list(grid.flat)
    for one in axes:
        bare(one)
    for one in axes[count:]:
        one.set_visible(False)
    return axes[:count], grid


def columns_for(count: int, most: int, wide: float = 1.0) -> int:
    """How many columns make `count` cells about square, or as wide as asked for."""
    return max(1, min(count, most, ceil(sqrt(count * wide))))


def as_array(values: Any) -> NDArray[Any]:
    """The numbers of a Tensor or anything that NumPy reads."""
    return values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)


def as_pictures(name: str, images: Any) -> NDArray[Any]:
    """Images as Matplotlib shows them: (N, H, W) of grey levels or (N, H, W, 3), in [0, 1].

    Floating-point images that leave [0, 1], normalised ones say, are stretched each from its
    smallest to its largest value.

    Args:
        name: of the operation, for errors.
        images: (N, H, W), (N, C, H, W) or (N, H, W, C) with C of 1 or 3.

    Raises:
        ValueError: they have another shape, or are none.
        TypeError: they are no numbers.
    """
    array = as_array(images)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: images are numbers, got {array.dtype}")
    if array.ndim == 4 and array.shape[1] in (1, 3):
        array = array.transpose(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]  # (N, H, W, 1) -> (N, H, W)
    if array.ndim not in (3, 4) or (array.ndim == 4 and array.shape[3] != 3) or not array.size:
        raise ValueError(
            f"{name}: got images of shape {as_array(images).shape}, expected (N, H, W), "
            "(N, 1, H, W) or (N, 3, H, W), N at least 1"
        )
    if array.dtype == np.uint8:
        return array / np.float32(255)
    return stretched(array.astype(np.float32))


def stretched(images: NDArray[Any]) -> NDArray[Any]:
    """Each image that leaves [0, 1] shifted and scaled into it; the others as they are."""
    flat = images.reshape(len(images), -1)  # (N, H, W, ...) -> (N, D)
    flat = np.nan_to_num(flat)
    low, high = flat.min(1, keepdims=True), flat.max(1, keepdims=True)
    scaled = (flat - low) / np.where(high > low, high - low, 1)
    inside = (low >= 0) & (high <= 1)
    result: NDArray[Any] = np.where(inside, flat, scaled).reshape(images.shape)
    return result


def show(axes: Axes, image: NDArray[Any], cmap: str = "gray") -> None:
    """One image of `as_pictures`; a grey one from black at 0 to white at 1."""
    axes.imshow(image, cmap=cmap, vmin=0.0, vmax=1.0, interpolation="nearest")


def class_names(
    name: str, classes: Sequence[str] | None, count: int | None = None, largest: int = -1
) -> list[str]:
    """The name of each class, too long ones cut; numbers where none are given.

    Args:
        name: of the operation, for errors.
        classes: the names.
        count: how many there must be, where that is known.
        largest: the largest label that needs a name.

    Raises:
        ValueError: there are too few, or not as many as `count`.
    """
    if classes is None:
        return [str(label) for label in range(largest + 1 if count is None else count)]
    if (count is not None and len(classes) != count) or len(classes) <= largest:
        wanted = f"{count}" if count is not None else f"at least {largest + 1}"
        raise ValueError(f"{name}: got {len(classes)} class names, expected {wanted}")
    return [shortened(str(each)) for each in classes]


def shortened(text: str, longest: int = LONGEST_NAME) -> str:
    """A text of at most so many letters, in which a dollar is a dollar and no formula."""
    cut = text if len(text) <= longest else text[: longest - 1].rstrip() + "…"
    return cut.replace("$", r"\$")


def readable_size(count: int) -> float:
    """The size in points of one of `count` labels side by side."""
    return 9.0 if count <= 20 else max(6.0, 9.0 - (count - 20) / 15)


def ink_on(colour: Any) -> str:
    """Black or white, whichever is legible on a colour."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "white"
