"""How well scores rank the images of a class before all others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vision.metrics.checks import (
    Floats,
    as_array,
    as_floats,
    labels_of,
    same_length,
    sklearn_metrics,
    with_scores,
)

__all__ = ["RocCurve", "macro_roc_curve", "roc_auc", "roc_curve"]


class RocCurve(NamedTuple):
    """Shares of false and true alarms, falling thresholds: arrays of one length."""

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats


def roc_curve(targets: Any, scores: Any, positive: int = 1) -> RocCurve:
    """The receiver operating characteristic of one class against all others.

    Args:
        targets: true labels (N,).
        scores: scores (N, K), of which the column `positive` is used, or that column (N,).
        positive: the class to be found.

    Raises:
        ValueError: all or none of the labels are of that class.

    Example:
        >>> curve = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> curve.true_positive_rate.tolist(), curve.false_positive_rate.tolist()
        ([0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.0, 0.5, 0.5, 1.0])
    """
    name = "roc_curve"
    if as_array(scores).ndim == 1:
        truth, column = labels_of(name, "targets", targets), as_floats(name, scores)
        same_length(name, truth, column)
    else:
        truth, table = with_scores(name, targets, scores)
        if not 0 <= positive < table.shape[1]:
            raise ValueError(
                f"{name}: positive is a class from 0 to {table.shape[1] - 1}, got {positive}"
            )
        column = table[:, positive]
    found = truth == positive
    if found.all() or not found.any():
        raise ValueError(
            f"{name}: {found.sum()} of {len(found)} labels are of class {positive}; the curve "
            "needs some that are and some that are not"
        )
    curve = sklearn_metrics(name).roc_curve(found, column)
    return RocCurve(*(np.asarray(part, np.float64) for part in curve))


def roc_auc(targets: Any, scores: Any, average: str | None = "macro") -> Any:
    """The area under each class's ROC curve, and the mean of them.

    Args:
        targets: true labels (N,).
        scores: scores (N, K), or (N,) for class 1 of two.
        average: ``"macro"`` for the mean of the classes that occur but not always; None for an
            array (K,), which is NaN for the others.

    Raises:
        ValueError: all labels are of one class.

    Example:
        >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    name = "roc_auc"
    if average not in ("macro", None):
        raise ValueError(f"{name}: average is 'macro' or None, got {average!r}")
    given = as_array(scores)
    if given.ndim == 1:
        column = as_floats(name, scores)
        given = np.stack([-column, column], axis=1)  # (N,) -> (N, 2)
    truth, table = with_scores(name, targets, given)
    if (truth == truth[0]).all():
        raise ValueError(f"{name}: all {len(truth)} labels are {truth[0]}, expected two classes")
    area = sklearn_metrics(name).roc_auc_score
    present = set(truth.tolist())
    areas = np.array(
        [
            area(truth == label, table[:, label]) if label in present else np.nan
            for label in range(table.shape[1])
        ]
    )
    return float(np.nanmean(areas)) if average else areas


def macro_roc_curve(targets: Any, scores: Any) -> RocCurve:
    """The mean of the classes' ROC curves: at each share of false alarms the mean share found.

    The area under it is ``roc_auc(targets, scores)``. The mean has no thresholds, so they are NaN.

    Args:
        targets: true labels (N,).
        scores: scores (N, K); classes that do not occur are left out.

    Raises:
        ValueError: all labels are of one class.

    Example:
        >>> curve = macro_roc_curve([0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.95, 0.05]])
        >>> curve.false_positive_rate.tolist(), curve.true_positive_rate.tolist()
        ([0.0, 0.0, 0.5, 0.5, 1.0, 1.0], [0.0, 0.25, 0.25, 0.75, 0.75, 1.0])
    """
    name = "macro_roc_curve"
    truth, table = with_scores(name, targets, scores)
    if (truth == truth[0]).all():
        raise ValueError(f"{name}: all {len(truth)} labels are {truth[0]}, expected two classes")
    curves = [roc_curve(truth, table, label) for label in np.unique(truth)]
    shares = np.unique(np.concatenate([curve.false_positive_rate for curve in curves]))
    # a curve rises at a share, so there it has two heights: where it arrives, where it leaves
    rises = np.zeros((2, len(shares)))
    for curve in curves:
        false, true = curve.false_positive_rate, curve.true_positive_rate
        for row, side in zip(rises, ("left", "right"), strict=True):
            row += heights(false, true, shares, side) / len(curves)
    false = np.repeat(shares, 2)  # (S,) -> (2*S,)
    true = rises.T.reshape(-1)  # (2, S) -> (2*S,)
    return RocCurve(false, true, np.full(len(false), np.nan))


def heights(false: Floats, true: Floats, shares: Floats, side: str) -> Floats:
    """The height of a curve at some shares of false alarms, before or after it rises there."""
    place = np.searchsorted(false, shares, side="left" if side == "left" else "right")
    exact = np.isin(shares, false)
    at = place if side == "left" else place - 1
    between = np.interp(shares, false, true)
    return np.where(exact, true[np.clip(at, 0, len(true) - 1)], between)
