"""Losses on real-valued targets, and what all losses share: the reduction and the shape check.

PyTorch's deprecated ``size_average`` and ``reduce`` do not exist here; what follows them there is
keyword-only, so that nothing can land in the wrong place.
"""

from __future__ import annotations

import warnings

import numpy as np

from autograd import Tensor, ops
from autograd.errors import ShapeError

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(operation: str, reduction: str) -> None:
    if reduction not in REDUCTIONS:
        raise ValueError(f"{operation}: reduction is one of {REDUCTIONS}, got {reduction!r}")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """The losses themselves, their mean or their sum."""
    if reduction == "mean":
        return losses.mean()
    return losses.sum() if reduction == "sum" else losses


def check_pair(
    operation: str, input: Tensor, target: Tensor, reduction: str, level: int = 3
) -> None:
    """PyTorch's warning where shapes differ and broadcast, for the caller `level` frames away."""
    check_reduction(operation, reduction)
    came, wanted = tuple(input.shape), tuple(target.shape)
    if came != wanted:
        try:
            np.broadcast_shapes(came, wanted)
        except ValueError:
            raise ShapeError(
                f"{operation}: input {came} and target {wanted} have different shapes that do not "
                "broadcast"
            ) from None
        warnings.warn(
            f"{operation}: input {came} and target {wanted} have different shapes and are "
            "broadcast, which is rarely what is meant",
            stacklevel=level,
        )


def difference(operation: str, input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """``input - target`` of a pair that `check_pair` has looked at."""
    check_pair(operation, input, target, reduction, level=4)
    return input - target


def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The squared error, ``(x - y)**2``.

    Args:
        input: of any shape.
        target: of the same shape.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    >>> from autograd import tensor
    >>> mse_loss(tensor([1.0, 2.0]), tensor([0.0, 0.0])).item()
    2.5
    """
    check_pair("mse_loss", input, target, reduction)
    return reduced(ops.squared_difference(input, target), reduction)


def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The absolute error, ``|x - y|``; the derivative where both are equal is 0."""
    return reduced(difference("l1_loss", input, target, reduction).abs(), reduction)


def smooth_l1_loss(
    input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0
) -> Tensor:
    """``d**2 / (2 * beta)`` for errors d below `beta`, ``d - beta / 2`` above.

    Reference: Girshick 2015, arXiv:1504.08083.

    Raises:
        ValueError: `beta` is negative.
    """
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta is not negative, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    error = difference("smooth_l1_loss", input, target, reduction)
    size = error.abs()
    near = (size >= beta).logical_not()  # NaN, too, is near
    inside = ops.where(near, error, 0.0)  # an infinite error has a finite gradient
    losses = ops.where(near, 0.5 / beta * inside * inside, size - 0.5 * beta)
    return reduced(losses, reduction)


def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0
) -> Tensor:
    """``d**2 / 2`` for errors d below `delta`, ``delta * (d - delta / 2)`` above.

    Reference: Huber 1964, Annals of Mathematical Statistics 35.

    Raises:
        ValueError: `delta` is not positive.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta is positive, got {delta}")
    error = difference("huber_loss", input, target, reduction)
    size = error.abs()
    near = (size >= delta).logical_not()  # NaN, too, is near
    inside = ops.where(near, error, 0.0)  # an infinite error has a finite gradient
    losses = ops.where(near, 0.5 * inside * inside, delta * (size - 0.5 * delta))
    return reduced(losses, reduction)
