"""Whether a classifier is right as often as it is sure."""

from __future__ import annotations

from operator import index
from typing import Any, NamedTuple

import numpy as np

from vision.metrics.checks import Floats, Integers, with_scores

__all__ = ["ReliabilityCurve", "expected_calibration_error", "reliability_curve"]


class ReliabilityCurve(NamedTuple):
    """Confidence against accuracy in B bins, arrays of shape (B,).

    Attributes:
        confidence: the mean probability of the answers in the bin; NaN where it is empty.
        accuracy: the share of them that is right; NaN where it is empty.
        counts: how many answers lie in the bin.
    """

    confidence: Floats
    accuracy: Floats
    counts: Integers


def reliability_curve(targets: Any, probabilities: Any, bins: int = 15) -> ReliabilityCurve:
    """Whether answers given with confidence p are right with frequency p.

    The confidence of an answer is the largest probability in its row; the bins divide [0, 1]
    equally, each with its upper end.

    Args:
        targets: true labels (N,).
        probabilities: of each class, (N, K), in [0, 1].
        bins: B.

    Raises:
        ValueError: a probability is outside [0, 1], a row does not sum to 1, or there are no bins.

    Reference: Guo et al. 2017, arXiv:1706.04599.

    Example:
        >>> curve = reliability_curve([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2)
        >>> curve.accuracy.tolist(), curve.counts.tolist()
        ([nan, 0.5], [0, 2])
    """
    name = "reliability_curve"
    truth, table = with_scores(name, targets, probabilities)
    check_probabilities(name, table)
    if index(bins) < 1:
        raise ValueError(f"{name}: bins is at least 1, got {bins}")
    confidence = table.max(1)
    right = table.argmax(1) == truth
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    share = np.full((2, bins), np.nan)
    for row, values in zip(share, (confidence, right), strict=True):
        np.divide(np.bincount(place, values, bins), counts, out=row, where=counts > 0)
    return ReliabilityCurve(share[0], share[1], counts)


def expected_calibration_error(targets: Any, probabilities: Any, bins: int = 15) -> float:
    """The mean distance between confidence and accuracy: ``sum(n_b |acc_b - conf_b|) / N``.

    The arguments are those of `reliability_curve`.

    Example:
        >>> round(expected_calibration_error([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2), 4)
        0.35
    """
    curve = reliability_curve(targets, probabilities, bins)
    gaps = np.nan_to_num(np.abs(curve.accuracy - curve.confidence))
    return float((gaps * curve.counts).sum() / curve.counts.sum())


def check_probabilities(name: str, table: Floats) -> None:
    """Refuse rows that are no probabilities."""
    sums = table.sum(1)
    worst = int(np.abs(sums - 1).argmax())
    if table.min() < 0 or table.max() > 1 or abs(sums[worst] - 1) > 1e-3:
        raise ValueError(
            f"{name}: probabilities lie in [0, 1] and sum to 1 in each row, got values from "
            f"{table.min():.4g} to {table.max():.4g} and the sum {sums[worst]:.4g} in row {worst}; "
            "for scores take autograd.softmax(scores, 1)"
        )
