"""Losses on classes and probabilities, in natural units of information.

PyTorch's deprecated ``size_average`` and ``reduce`` do not exist here; what follows them there is
keyword-only, so that nothing can land in the wrong place.
"""

from __future__ import annotations

import autograd
from autograd import Tensor, ops
from autograd.errors import DtypeError, ShapeError
from nn.functional.activation import logsigmoid
from nn.functional.regression import check_reduction, reduced

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "kl_div",
    "nll_loss",
]


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``-log(softmax(x)[class])``, or the mean of it over the probabilities of the classes.

    Args:
        input: logits (C,), (N, C) or (N, C, ...).
        target: class indices in the shape of the input without C, or probabilities in its shape.
        weight: one factor for each class, (C,).
        ignore_index: a class index that counts for nothing.
        reduction: ``"none"``, ``"mean"`` (weighted by the classes) or ``"sum"``.
        label_smoothing: the share, 0 to 1, of the target that is spread over all classes.

    Raises:
        ShapeError: shapes do not fit.
        DtypeError: the target holds neither indices nor probabilities.
        IndexError: a class is out of range.

    >>> from autograd import tensor
    >>> round(cross_entropy(tensor([[0.0, 0.0]]), tensor([1])).item(), 4)
    0.6931
    """
    loss: Tensor = ops.cross_entropy_loss(
        input,
        target,
        weight,
        ignore_index=ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
    return loss


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """``-x[class]`` for log-probabilities x, as `cross_entropy` otherwise."""
    loss: Tensor = ops.nll_loss(
        input, target, weight, ignore_index=ignore_index, reduction=reduction
    )
    return loss


def check_targets(operation: str, input: Tensor, target: Tensor) -> None:
    """Refuse targets of another shape, or of no floating-point type."""
    if tuple(input.shape) != tuple(target.shape):
        raise ShapeError(
            f"{operation}: target has shape {tuple(target.shape)}, expected that of the input, "
            f"{tuple(input.shape)}"
        )
    if target.dtype.kind != "f" or input.dtype.kind != "f":
        raise DtypeError(
            f"{operation}: input and target must be floating-point, got {input.dtype} and "
            f"{target.dtype}"
        )


def binary_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, reduction: str = "mean"
) -> Tensor:
    """``-(y * log(x) + (1 - y) * log(1 - x))``, no logarithm being taken below -100.

    Args:
        input: probabilities.
        target: probabilities in the same shape.
        weight: factors that broadcast against the losses.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.

    Raises:
        ShapeError: the shapes differ.
        RuntimeError: the input is outside [0, 1].

    >>> from autograd import tensor
    >>> round(binary_cross_entropy(tensor([0.5]), tensor([1.0])).item(), 4)
    0.6931
    """
    operation = "binary_cross_entropy"
    check_reduction(operation, reduction)
    check_targets(operation, input, target)
    values = input.array
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise RuntimeError(
            f"{operation}: input holds probabilities between 0 and 1, got values from "
            f"{values.min()} to {values.max()}; for logits use binary_cross_entropy_with_logits"
        )
    losses = ops.binary_cross_entropy(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """``-(p * y * log(sigmoid(x)) + (1 - y) * log(1 - sigmoid(x)))`` without overflow.

    Args:
        input: logits.
        target: probabilities in the same shape.
        weight: factors that broadcast against the losses.
        reduction: ``"none"``, ``"mean"`` or ``"sum"``.
        pos_weight: the p of the formula, which broadcasts; 1 unless given.

    Raises:
        ShapeError: the shapes differ.
    """
    operation = "binary_cross_entropy_with_logits"
    check_reduction(operation, reduction)
    check_targets(operation, input, target)
    log_probability = logsigmoid(input)
    if pos_weight is not None:
        log_probability = log_probability * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input - log_probability
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(
    input: Tensor, target: Tensor, *, reduction: str = "mean", log_target: bool = False
) -> Tensor:
    """``y * (log(y) - x)`` for log-probabilities x, and 0 where y is 0.

    Args:
        input: log-probabilities.
        target: probabilities, or their logarithms where `log_target` is set.
        reduction: ``"none"``, ``"sum"``, ``"batchmean"`` (the sum over the size of dimension 0,
            which is the divergence), or ``"mean"`` over all values.
        log_target: see `target`.
    """
    if reduction != "batchmean":
        check_reduction("kl_div", reduction)
    if log_target:
        losses = autograd.exp(target) * (target - input)
    else:
        positive = ops.where(target > 0, target, 1.0)  # 0 * log(0) counts as 0
        losses = target * autograd.log(positive) - target * input
    if reduction == "batchmean":
        return losses.sum() / (int(input.shape[0]) if input.ndim else 1)
    return reduced(losses, reduction)
