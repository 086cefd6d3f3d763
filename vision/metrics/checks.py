"""What is given to be measured: labels and scores, refused where they do not fit."""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor

__all__: list[str] = []

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


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
