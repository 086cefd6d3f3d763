"""Softmax and cross-entropy, without overflow."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autograd.kernels.threads import share
from autograd.kernels.windows import plane_blocks

BLOCK = 1 << 20
"""Bytes that are worked on at a time."""
SMALL = 1 << 14
"""Elements up to which cutting into blocks takes longer than it saves."""
ELEMENT = 32
"""Work of one element, in the multiplications that `share` counts."""


def softmax(x: Any, axis: int) -> Any:
    """``exp(x) / sum(exp(x))``"""
    out = np.empty(x.shape, x.dtype)

    def work(values: Any, part: Any) -> None:
        _, total = exponentiate_into(values, part)
        part /= total

    by_rows(work, axis, x, out)
    return out


def log_softmax(x: Any, axis: int) -> Any:
    """``x - log(sum(exp(x)))``"""
    out = np.empty(x.shape, x.dtype)

    def work(values: Any, part: Any) -> None:
        top, total = exponentiate_into(values, part)
        np.subtract(values, top, out=part)
        part -= np.log(total)

    by_rows(work, axis, x, out)
    return out


def softmax_grad(g: Any, out: Any, axis: int) -> Any:
    """``out * (g - sum(g * out))``: the derivative of softmax, a symmetric matrix, times g."""
    grad = np.empty(g.shape, g.dtype)

    def work(values: Any, results: Any, part: Any) -> None:
        np.multiply(values, results, out=part)
        total = np.add.reduce(part, 1, keepdims=True)
        np.subtract(values, total, out=part)
        part *= results

    by_rows(work, axis, g, out, grad)
    return grad


def log_softmax_grad(g: Any, out: Any, axis: int) -> Any:
    """``g - exp(out) * sum(g)``"""
    grad = np.empty(g.shape, g.dtype)

    def work(values: Any, results: Any, part: Any) -> None:
        np.exp(results, out=part)
        part *= np.add.reduce(values, 1, keepdims=True)
        np.subtract(values, part, out=part)

    by_rows(work, axis, g, out, grad)
    return grad


def exponentiate(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """The maximum, the exponential of the input minus that, and the sum of the exponentials."""
    out = np.empty(x.shape, x.dtype)
    if x.size <= SMALL:
        top, total = exponentiate_into(x, out, axis)
        return top, out, total
    shape = tuple(1 if place == axis else size for place, size in enumerate(x.shape))
    top, total = np.empty(shape, x.dtype), np.empty(shape, x.dtype)

    def work(values: Any, part: Any, *found: Any) -> None:
        for place, value in zip(found, exponentiate_into(values, part), strict=True):
            place[...] = value

    by_rows(work, axis, x, out, top, total)
    return top, out, total


def exponentiate_into(x: Any, out: Any, axis: int = 1) -> tuple[Any, Any]:
    """As `exponentiate`, the exponentials to an array."""
    top = np.maximum.reduce(x, axis, keepdims=True, initial=-np.inf)
    np.subtract(x, top, out=out)
    np.exp(out, out=out)
    return top, np.add.reduce(out, axis, keepdims=True)


def by_rows(work: Callable[..., None], axis: int, *arrays: Any) -> None:
    """Call a function on blocks of arrays with axes before, the axis, and axes behind it."""
    x = arrays[0]
    lead, tail = prod(x.shape[:axis]), prod(x.shape[axis + 1 :])
    # (..., n, ...) -> (lead, n, tail)
    flat = [array.reshape(lead, array.shape[axis], tail) for array in arrays]

    def several(part: slice) -> None:
        for block in plane_blocks(flat[0], part, BLOCK):
            work(*(array[block] for array in flat))

    share(several, lead, x.size * ELEMENT, blas=False)


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
    return losses_of(exponentiate(logits, 1), logits, classes, rate, spread)


def losses_of(
    known: tuple[Any, Any, Any], logits: Any, classes: Any, rate: Any, spread: Any
) -> tuple[Any, Any, Any]:
    """As `cross_entropy`, after `exponentiate`."""
    top, exponentials, total = known
    log_total = np.log(total)
    chosen = logits[places(classes)] - top
    losses = (log_total - chosen) * rate
    if spread is not None:
        losses += np.sum(spread * (log_total - (logits - top)), axis=1, keepdims=True)
    return losses, exponentials, total


def cross_entropy_grad(
    share: Any, exponentials: Any, total: Any, classes: Any, rate: Any, spread: Any
) -> Any:
    """``share * (sum(q) * softmax(x) - q)``, `share` (N, 1, *) and the others as above."""
    mass = rate if spread is None else rate + np.sum(spread, axis=1, keepdims=True)
    grad = exponentials * (share * mass / total)
    if spread is not None:
        grad -= share * spread
    chosen = places(classes)
    grad[chosen] -= share * rate
    return grad


def places(classes: Any) -> tuple[Any, ...]:
    """The index of the class of each sample (N, 1, *)."""
    if classes.ndim == 2:
        return np.arange(len(classes))[:, None], classes
    before, _, *behind = np.ogrid[tuple(map(slice, classes.shape))]
    return (before, classes, *behind)
