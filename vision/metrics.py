"""How good a classifier is: shares of right answers, curves, and whether its confidence is true.

True labels come first, then what the classifier said, as in scikit-learn, which does most of the
work. Tensors, arrays and lists are welcome.
"""

from __future__ import annotations

from operator import index
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor

__all__ = [
    "ClassReport",
    "ReliabilityCurve",
    "RocCurve",
    "accuracy",
    "confusion_matrix",
    "expected_calibration_error",
    "precision_recall_f1",
    "reliability_curve",
    "roc_auc",
    "roc_curve",
    "top_k_accuracy",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


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


class RocCurve(NamedTuple):
    """Shares of false and true alarms, falling thresholds: arrays of one length."""

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats


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


def sklearn_metrics(name: str) -> ModuleType:
    """The metrics of scikit-learn, imported when first needed."""
    try:
        import sklearn.metrics
    except ImportError as error:
        raise ImportError(
            f"{name}: needs scikit-learn, which is not installed: pip install scikit-learn"
        ) from error
    module: ModuleType = sklearn.metrics
    return module


def as_array(values: Any) -> NDArray[Any]:
    return values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)


def as_floats(name: str, values: Any) -> Floats:
    array = as_array(values)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{name}: scores are finite numbers, got {array.dtype} or NaN or infinity")
    return array.astype(np.float64)


def labels_of(name: str, what: str, values: Any) -> Integers:
    """Labels as integers (N,).

    Raises:
        ValueError: they have another shape, are none, negative, or no integers.
    """
    array = as_array(values)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: {what} has shape {array.shape}, expected (N,) with N at least 1")
    if array.dtype.kind not in "biu":
        raise ValueError(f"{name}: {what} are integer labels, got {array.dtype}")
    if array.min() < 0:
        raise ValueError(f"{name}: {what} are labels from 0, got {array.min()}")
    return array.astype(np.int64)


def same_length(name: str, truth: NDArray[Any], other: NDArray[Any]) -> None:
    if len(truth) != len(other):
        raise ValueError(f"{name}: got {len(truth)} targets and {len(other)} predictions")


def pairs(name: str, targets: Any, predictions: Any) -> tuple[Integers, Integers]:
    """True and predicted labels."""
    given = as_array(predictions)
    if given.ndim == 2:
        truth, table = with_scores(name, targets, given)
        return truth, table.argmax(1)
    truth, guess = labels_of(name, "targets", targets), labels_of(name, "predictions", given)
    same_length(name, truth, guess)
    return truth, guess


def with_scores(name: str, targets: Any, scores: Any) -> tuple[Integers, Floats]:
    """True labels and scores (N, K)."""
    truth, table = labels_of(name, "targets", targets), as_floats(name, scores)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"{name}: scores have shape {table.shape}, expected (N, K), K at least 2")
    same_length(name, truth, table)
    if truth.max() >= table.shape[1]:
        raise ValueError(
            f"{name}: label {truth.max()} is out of range for scores of {table.shape[1]} classes"
        )
    return truth, table


def class_count(predictions: Any, num_classes: int | None) -> int | None:
    """How many classes there are, where that is known without looking at labels."""
    shape = as_array(predictions).shape
    return shape[1] if num_classes is None and len(shape) == 2 else num_classes


def all_labels(name: str, truth: Integers, guess: Integers, count: int | None) -> Integers:
    """The labels 0 ... K-1."""
    largest = int(max(truth.max(), guess.max()))
    if count is not None and largest >= count:
        raise ValueError(f"{name}: label {largest} is out of range for {count} classes")
    return np.arange(largest + 1 if count is None else count)


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
