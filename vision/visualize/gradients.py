"""How large the gradients of each layer are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import nn
from vision.visualize.figures import (
    BLUE,
    RED,
    SavePath,
    finish,
    new_figure,
    picture,
    plain,
    readable_size,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_gradient_flow"]

SMALLEST = 1e-12
MOST_IN_LEGEND = 16


@picture
def plot_gradient_flow(
    source: Any, *, biases: bool = False, title: str = "", path: SavePath = None
) -> Figure:
    """The mean and the largest absolute gradient of each parameter, from the input to the output.

    Of a model it is the state after `backward`; of a record of several steps, the course over the
    steps is drawn, a line for each parameter.

    Args:
        source: a model after `backward`; a `vision.training.GradientFlow` or its ``records``
            (lists ``step``, ``parameter``, ``mean`` and ``max``); or pairs (mean, max) by name.
        biases: whether biases, of a model other parameters of one dimension too, are drawn.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: no parameter has a gradient, or nothing is recorded.
        TypeError: `source` is something else.

    Example:
        >>> import autograd, nn
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        >>> model(autograd.ones(2, 3)).sum().backward()
        >>> [text.get_text() for text in plot_gradient_flow(model).axes[0].get_xticklabels()]
        ['0.weight', '2.weight']
    """
    name = "plot_gradient_flow"
    records = getattr(source, "records", source)
    if isinstance(source, nn.Module):
        rows = of_model(name, source, biases)
    elif isinstance(records, Mapping) and {"step", "parameter", "mean", "max"} <= set(records):
        steps, names, means, tops = of_records(name, records, biases)
        if len(steps) > 1:
            return finish(courses(steps, names, means, tops, title), path)
        rows = {each: (means[0, at], tops[0, at]) for at, each in enumerate(names)}
    elif isinstance(records, Mapping):
        rows = {str(each): (float(mean), float(top)) for each, (mean, top) in records.items()}
    else:
        raise TypeError(
            f"{name}: source is a model, a GradientFlow or its records, got {type(source).__name__}"
        )
    if not rows:
        raise ValueError(f"{name}: nothing is recorded")
    return finish(bars(rows, title), path)


def of_model(name: str, model: nn.Module, biases: bool) -> dict[str, tuple[float, float]]:
    """The mean and the largest absolute gradient of each parameter that has one."""
    rows = {}
    for each, parameter in model.named_parameters():
        if parameter.grad is not None and (biases or parameter.ndim > 1):
            size = np.abs(parameter.grad.detach().numpy())
            rows[each] = (float(size.mean(dtype=np.float64)), float(size.max(initial=0.0)))
    if not rows:
        raise ValueError(
            f"{name}: no parameter of this {type(model).__name__} has a gradient; call backward"
        )
    return rows


def of_records(
    name: str, records: Mapping[str, Any], biases: bool
) -> tuple[NDArray[Any], list[str], NDArray[Any], NDArray[Any]]:
    """Steps (S,), names of P parameters, and means and largest values (S, P)."""
    if not len(records["step"]):
        raise ValueError(f"{name}: nothing is recorded")
    names = [
        each
        for each in dict.fromkeys(records["parameter"])
        if biases or not str(each).endswith("bias")
    ]
    steps = list(dict.fromkeys(records["step"]))
    columns = {each: place for place, each in enumerate(names)}
    lines = {step: place for place, step in enumerate(steps)}
    table = np.full((2, len(steps), len(names)), np.nan)
    rows = zip(*(records[key] for key in ("step", "parameter", "mean", "max")), strict=True)
    for step, each, mean, top in rows:
        if each in columns:
            table[:, lines[step], columns[each]] = mean, top
    return np.asarray(steps), names, table[0], table[1]


def bars(rows: Mapping[str, tuple[float, float]], title: str) -> Figure:
    """Mean and largest value of each parameter, side by side, on a logarithmic scale."""
    names = [shortened(each, 32) for each in rows]
    values = np.maximum(np.array(list(rows.values())), SMALLEST)  # (P, 2)
    places = np.arange(len(names))
    width = min(16.0, max(4.8, 1.4 + 0.34 * len(names)))
    figure = new_figure(width, 3.4 + 0.075 * max(map(len, names)) + 0.3 * bool(title))
    axes = figure.subplots()
    floor = 10.0 ** np.floor(np.log10(values.min()) - 0.3)
    for column, colour, text, span in ((1, RED, "largest", 0.8), (0, BLUE, "mean", 0.5)):
        axes.bar(
            places, values[:, column] - floor, bottom=floor, width=span, color=colour, label=text
        )
    axes.set_yscale("log")
    axes.set_ylim(floor, 3.0 * values.max())
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.set_xticks(places, names, rotation=90, size=readable_size(len(names)))
    axes.set_ylabel("absolute gradient")
    plain(axes)
    axes.grid(visible=False, axis="x")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    if title:
        axes.set_title(title, size=11)
    return figure


def courses(
    steps: NDArray[Any], names: list[str], means: NDArray[Any], tops: NDArray[Any], title: str
) -> Figure:
    """Mean and largest value of each parameter over the steps, coloured by depth."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    shades = colormaps["viridis"]
    figure = new_figure(9.4, 3.9)
    grid = figure.subplots(1, 2, sharex=True)
    for axes, table, heading in zip(grid, (means, tops), ("mean", "largest"), strict=True):
        for place, each in enumerate(names):
            colour = shades(0.92 * place / max(len(names) - 1, 1))
            values = np.maximum(table[:, place], SMALLEST)
            axes.plot(steps, values, color=colour, linewidth=1.3, label=shortened(each, 32))
        axes.set_yscale("log")
        axes.set_title(f"{heading} absolute gradient", size=11)
        axes.set_xlabel("step")
        axes.xaxis.get_major_locator().set_params(integer=True)
        plain(axes)
    if len(names) <= MOST_IN_LEGEND:
        handles, labels = grid[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right center", fontsize=8)
    else:
        shown = shades.resampled(256)
        scale = ScalarMappable(Normalize(0, (len(names) - 1) / 0.92), shown)
        bar = figure.colorbar(scale, ax=list(grid), label="parameter, from input to output")
        bar.ax.set_ylim(0, len(names) - 1)
    if title:
        figure.suptitle(title, size=11)
    return figure
