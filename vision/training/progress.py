"""The running mean of a pass over the data, shown in a progress bar."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

__all__ = ["Tally", "progress_bar"]


class Tally:
    """Sums over a pass: losses, right answers, samples.

    Args:
        mean: whether losses are means over their batch, rather than sums.
    """

    def __init__(self, mean: bool) -> None:
        self.mean = mean
        self.loss_sum = 0.0
        self.right = self.judged = self.seen = 0

    def add(self, loss: float, scores: Any, targets: Any) -> None:
        """Count one batch; only scores (N, K) of labels (N,) are right or wrong."""
        count = len(targets)
        self.seen += count
        self.loss_sum += loss * count if self.mean else loss
        labels = labels_in(scores, targets)
        if labels is not None:
            self.judged += int((labels >= 0).sum())  # a negative one tells the loss to ignore it
            self.right += int((scores.array.argmax(1) == labels).sum())

    def values(self) -> dict[str, float]:
        """The loss per sample and, for a classifier, the share of right answers."""
        result = {"loss": self.loss_sum / self.seen}
        if self.judged:
            result["accuracy"] = self.right / self.judged
        return result

    def text(self) -> str:
        """The values as a bar shows them."""
        values = self.values()
        text = f"loss {values['loss']:.4f}"
        return text + (f", accuracy {values['accuracy']:.2%}" if "accuracy" in values else "")


def labels_in(scores: Any, targets: Any) -> Any:
    """The labels that scores (N, K) are to be compared with, as an array; None if there are none.

    Rows (N, K) of shares that sum to 1, as mixing images makes them, count as their largest.
    """
    if not isinstance(scores, Tensor) or not isinstance(targets, Tensor) or scores.ndim != 2:
        return None
    array = targets.array
    if array.ndim == 1 and array.dtype.kind in "iu":
        return array
    shares = array.shape == tuple(scores.shape) and array.shape[1] > 1 and array.dtype.kind == "f"
    if shares and (array >= 0).all() and np.allclose(array.sum(1), 1, atol=1e-3):
        return array.argmax(1)
    return None


class NoBar:
    """Stands for a progress bar that is not wanted."""

    def update(self, count: int) -> None:
        """Show nothing."""

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        """Show nothing."""

    def close(self) -> None:
        """End nothing."""


def progress_bar(wanted: bool, title: str, total: int | None) -> Any:
    """A bar with images per second and the time left; without tqdm there is none."""
    if not wanted:
        return NoBar()
    try:
        from tqdm import tqdm
    except ImportError:
        return NoBar()
    return tqdm(total=total, desc=title, unit="img", mininterval=0.2)
