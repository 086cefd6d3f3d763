"""Shares of right answers, of all images and of each class."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from vision.metrics.checks import (
    Floats,
    Integers,
    all_labels,
    class_count,
    pairs,
    sklearn_metrics,
    with_scores,
)

__all__ = [
    "ClassReport",
    "accuracy",
    "confusion_matrix",
    "precision_recall_f1",
    "top_k_accuracy",
]


class ClassReport(NamedTuple):
    """For each of K classes, arrays of shape (K,).

    Attributes:
        precision: of what was taken for the class, the share that is; 0 where nothing was.
        recall: of the class, the share that was taken for it; 0 where there is none.
        f1: the harmonic mean of both.
        support: how many there are.
    """

    precision: Floats
    recall: Floats
    f1: Floats
    support: Integers


def accuracy(targets: Any, predictions: Any) -> float:
    """The share of labels (N,) that were predicted, in [0, 1].

    Args:
        targets: true labels (N,).
        predictions: predicted labels (N,), or scores (N, K), the largest being the prediction.

    Raises:
        ValueError: different numbers of them, or none.
        ImportError: scikit-learn is not installed.

    Example:
        >>> accuracy([0, 1, 2, 2], [0, 1, 1, 2])
        0.75
    """
    truth, guess = pairs("accuracy", targets, predictions)
    return float(sklearn_metrics("accuracy").accuracy_score(truth, guess))


def top_k_accuracy(targets: Any, scores: Any, k: int = 5) -> float:
    """The share of labels that are among the `k` classes of the largest scores.

    Args:
        targets: true labels (N,).
        scores: scores or probabilities (N, K).
        k: from 1 to K.

    Example:
        >>> top_k_accuracy([0, 1], [[0.5, 0.3, 0.2], [0.5, 0.1, 0.4]], k=2)
        0.5
    """
    truth, table = with_scores("top_k_accuracy", targets, scores)
    classes = table.shape[1]
    if not 1 <= k <= classes:
        raise ValueError(f"top_k_accuracy: k is from 1 to {classes}, the classes, got {k}")
    if k == classes:
        return 1.0
    if k == 1:
        return accuracy(truth, table)
    metrics = sklearn_metrics("top_k_accuracy")
    return float(metrics.top_k_accuracy_score(truth, table, k=k, labels=np.arange(classes)))


def precision_recall_f1(
    targets: Any, predictions: Any, num_classes: int | None = None
) -> ClassReport:
    """Precision, recall, their harmonic mean and the number of each class.

    Args:
        targets: true labels (N,).
        predictions: predicted labels (N,), or scores (N, K).
        num_classes: K; from the data unless given.

    Example:
        >>> precision_recall_f1([0, 0, 1, 1], [0, 1, 1, 1]).recall.tolist()
        [0.5, 1.0]
    """
    name = "precision_recall_f1"
    truth, guess = pairs(name, targets, predictions)
    labels = all_labels(name, truth, guess, class_count(predictions, num_classes))
    result = sklearn_metrics(name).precision_recall_fscore_support(
        truth, guess, labels=labels, zero_division=0.0
    )
    precision, recall, f1, support = (np.asarray(part) for part in result)
    return ClassReport(precision, recall, f1, support.astype(np.int64))


def confusion_matrix(targets: Any, predictions: Any, num_classes: int | None = None) -> Integers:
    """How often each class (row) was taken for each class (column): counts (K, K).

    The arguments are those of `precision_recall_f1`.

    Example:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1]).tolist()
        [[1, 1], [0, 1]]
    """
    name = "confusion_matrix"
    truth, guess = pairs(name, targets, predictions)
    labels = all_labels(name, truth, guess, class_count(predictions, num_classes))
    counts = sklearn_metrics(name).confusion_matrix(truth, guess, labels=labels)
    return np.asarray(counts, np.int64)
