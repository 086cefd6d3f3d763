"""Softmax and cross-entropy, without overflow."""

from __future__ import annotations

from typing import Any

import numpy as np


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))``"""
    _, exponentials, total = exponentiate(x, axis)
    exponentials /= total
    return exponentials


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))``"""
    shifted, _, total = exponentiate(x, axis)
    shifted -= np.log(total)
    return shifted


def exponentiate(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """The input minus its maximum, the exponential of that, and the sum of the exponentials."""
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted)
    return shifted, exponentials, np.sum(exponentials, axis=axis, keepdims=True)


def cross_entropy(logits: Any, classes: Any, rate: Any, spread: Any) -> tuple[Any, Any, Any]:
    """``sum over c of q[c] * (log(sum(exp(x))) - x[c])`` for each sample.

    Args:
        logits: (N, C, *).
        classes: (N, 1, *), the class of each sample.
        rate: (N, 1, *), how much of q lies at that class.
        spread: (N or 1, C, ...), what else of q there is, or None.

    Returns:
        the losses (N, 1, *), the exponentials (N, C, *) and their sums (N, 1, *).
    """
    shifted, exponentials, total = exponentiate(logits, 1)
    log_total = np.log(total)
    losses = (log_total - np.take_along_axis(shifted, classes, axis=1)) * rate
    if spread is not None:
        losses += np.sum(spread * (log_total - shifted), axis=1, keepdims=True)
    return losses, exponentials, total


def cross_entropy_grad(
    share: Any, exponentials: Any, total: Any, classes: Any, rate: Any, spread: Any
) -> Any:
    """``share * (sum(q) * softmax(x) - q)``, `share` (N, 1, *) and the others as above."""
    mass = rate if spread is None else rate + np.sum(spread, axis=1, keepdims=True)
    grad = exponentials * (share * mass / total)
    if spread is not None:
        grad -= share * spread
    chosen = np.take_along_axis(grad, classes, axis=1)
    np.put_along_axis(grad, classes, chosen - share * rate, axis=1)
    return grad
