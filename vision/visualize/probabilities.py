"""What a classifier's scores are worth: ROC curves and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vision import metrics
from vision.visualize.figures import (
    BLUE,
    GREY,
    INK,
    RED,
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

__all__ = ["plot_reliability", "plot_roc"]

MOST_IN_LEGEND = 12
CROWDED = 0.98


@picture
def plot_roc(
    targets: Any,
    scores: Any,
    classes: Sequence[str] | None = None,
    *,
    title: str | None = None,
    path: SavePath = None,
) -> Figure:
    """The ROC curve of each class against all others, their mean (macro), and the areas (AUC).

    Of more than 12 classes the legend names the 3 best and the 3 worst.

    Args:
        targets: true labels (N,).
        scores: scores or probabilities (N, K), or those of class 1 of two, (N,).
        classes: K names.
        title: stands above all.
        path: where to save the figure.

    Raises:
        ValueError: all labels are of one class, or a shape or number does not fit.

    Example:
        >>> figure = plot_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        ['class 1: 0.7500']
    """
    name = "plot_roc"
    areas = metrics.roc_auc(targets, scores, average=None)
    single = as_array(scores).ndim == 1 or len(areas) == 2
    names = class_names(name, classes, len(areas))
    if classes is None:
        names = [f"class {label}" for label in names]
    drawn = [1] if single else [label for label, area in enumerate(areas) if np.isfinite(area)]
    colours = spread_colours(len(drawn))
    order = sorted(drawn, key=lambda label: -areas[label])
    many = len(drawn) > MOST_IN_LEGEND
    named = {*order[:3], *order[-3:]} if many else set(drawn)
    figure = new_figure(5.6 + 0.07 * max(map(len, names)), 4.4)
    axes = figure.subplots()
    handles = {}
    for label, colour in zip(drawn, colours, strict=True):
        curve = metrics.roc_curve(targets, scores, positive=label)
        (handles[label],) = axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=BLUE if single else colour,
            linewidth=1.8 if single or label in named else 0.8,
            alpha=0.5 if many and label not in named else 1.0,
            label=f"{names[label]}: {areas[label]:.4f}",
        )
    entries = [handles[label] for label in order if label in named]
    if not single:
        curve = metrics.macro_roc_curve(targets, scores)
        (mean,) = axes.plot(
            curve.false_positive_rate,
            curve.true_positive_rate,
            color=INK,
            linewidth=2.2,
            linestyle="--",
            label=f"mean (macro): {np.nanmean(areas):.4f}",
        )
        entries.insert(0, mean)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle=":")
    heading = f"AUC, the 3 best and 3 worst of {len(drawn)}" if many else "AUC"
    axes.legend(
        handles=entries, title=heading, loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize=9
    )
    axes.set_xlabel("share of false alarms")
    axes.set_ylabel("share that is found")
    axes.set_title("ROC curves" if title is None else title, size=11)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    plain(axes)
    if np.nanmean(areas) > CROWDED:
        enlarge_corner(axes)
    return finish(figure, path)


def enlarge_corner(axes: Axes) -> None:
    """Draw the curves again inside, near no false alarms and all found, where they all lie."""
    inside = axes.inset_axes((0.3, 0.12, 0.66, 0.62))
    for line in axes.get_lines():
        x, y = line.get_data()
        inside.plot(
            x,
            y,
            color=line.get_color(),
            linewidth=line.get_linewidth(),
            alpha=line.get_alpha(),
            linestyle=line.get_linestyle(),
        )
    inside.set_xlim(-0.001, 0.05)
    inside.set_ylim(0.9, 1.004)
    inside.tick_params(labelsize=8)
    inside.set_title("the upper left corner", size=9)
    plain(inside)


def spread_colours(count: int) -> list[Any]:
    """Colours that are told apart on white, as far as their number allows."""
    from matplotlib import colormaps

    if count <= 10:
        return [colormaps["tab10"](place) for place in range(count)]
    if count <= 20:
        return [colormaps["tab20"](place) for place in range(count)]
    return [colormaps["turbo"](place / (count - 1)) for place in range(count)]


@picture
def plot_reliability(
    targets: Any,
    probabilities: Any,
    bins: int = 15,
    *,
    title: str | None = None,
    path: SavePath = None,
) -> Figure:
    """How often answers given with some confidence are right, and how many there are.

    Bars on the diagonal tell a classifier whose confidence is true; the expected calibration error
    (ECE) is the mean distance from it.

    Args:
        targets: true labels (N,).
        probabilities: of each class, (N, K), in [0, 1].
        bins: how many parts [0, 1] is divided into.
        title: stands above all; the calibration error unless given.
        path: where to save the figure.

    Raises:
        ValueError: a row is no probabilities, or a shape or number does not fit.

    Reference: Guo et al. 2017, arXiv:1706.04599.

    Example:
        >>> figure = plot_reliability([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2)
        >>> figure.axes[0].get_title()
        'Calibration error (ECE): 35.00 %'
    """
    curve = metrics.reliability_curve(targets, probabilities, bins)
    error = metrics.expected_calibration_error(targets, probabilities, bins)
    centres = (np.arange(bins) + 0.5) / bins
    some = curve.counts > 0
    figure = new_figure(4.8, 5.4)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.bar(
        centres[some],
        curve.accuracy[some],
        width=0.94 / bins,
        color=BLUE,
        label="share that is right",
    )
    half = 0.47 / bins
    upper.hlines(
        curve.confidence[some],
        centres[some] - half,
        centres[some] + half,
        color=RED,
        linewidth=2.4,
        label="mean confidence",
    )
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, linestyle=":")
    upper.set_ylabel("share that is right")
    upper.set_ylim(0.0, 1.03)
    upper.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9, frameon=False)
    text = f"Calibration error (ECE): {100.0 * error:.2f} %"
    upper.set_title(text if title is None else title, size=11, pad=24)
    lower.bar(centres, curve.counts, width=0.94 / bins, color=GREY)
    lower.set_ylabel("answers")
    lower.set_xlabel("confidence")
    lower.set_xlim(0.0, 1.0)
    if curve.counts.max() >= 100:
        lower.set_yscale("log")
    for axes in (upper, lower):
        plain(axes)
    return finish(figure, path)
