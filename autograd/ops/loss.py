"""Softmax, and cross-entropy fused with it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd import kernels
from autograd.errors import DtypeError, ShapeError
from autograd.ops.elementwise import exp, quiet, where
from autograd.ops.reduce import raw, sum
from autograd.ops.shape import reshape
from autograd.primitive import Case, primitive

ALONG = (
    Case(shapes=((2, 3),), attributes={"dim": 1}),
    Case(shapes=((3, 2, 2),), attributes={"dim": 0}),
)
REDUCTIONS = ("none", "mean", "sum")


def sum_along(x: Any, dim: int) -> Any:
    """The sum along one axis, which stays; a 0-d tensor is its own sum."""
    return sum(x, dim=(dim,) if x.shape else (), keepdim=True)


def softmax_derivative(g: Any, out: Any, dim: int) -> Any:
    """The derivative of softmax, a symmetric matrix, times g."""
    if isinstance(g, np.ndarray) and isinstance(out, np.ndarray) and g.ndim:
        return kernels.softmax_grad(g, out, dim)
    return out * (g - sum_along(g * out, dim))


@primitive(softmax_derivative, case=ALONG)
@quiet
def softmax(x: Any, *, dim: int) -> Any:
    """``exp(x) / sum(exp(x))`` along one axis; `dim` is not negative."""
    return kernels.softmax(x, dim) if x.ndim else np.ones_like(x)


def log_softmax_rule(g: Any, out: Any, dim: int) -> Any:
    if isinstance(g, np.ndarray) and g.ndim:
        return kernels.log_softmax_grad(g, out, dim)
    return g - exp(out) * sum_along(g, dim)


@primitive(log_softmax_rule, case=ALONG)
@quiet
def log_softmax(x: Any, *, dim: int) -> Any:
    """``x - log(sum(exp(x)))`` along one axis; `dim` is not negative."""
    return kernels.log_softmax(x, dim) if x.ndim else np.zeros_like(x)


class Samples:
    """What a loss knows of its samples before it sees the logits (N, C, *).

    Attributes:
        classes: (N, 1, *), the class of each sample; 0 where it is ignored.
        valid: (N, 1, *), False where a sample is ignored; None if none is.
        rate: (N, 1, *), the weight of each sample at its class; 0 where it is ignored.
        spread: (N or 1, C, ...), the weight at every class that label smoothing adds; None without.
        share: what one sample counts in a mean.
    """

    __slots__ = ("classes", "rate", "share", "spread", "valid")

    def __init__(
        self, x: Any, target: Any, weight: Any, ignore_index: int, label_smoothing: float
    ) -> None:
        dtype = x.dtype.type
        target = target[:, None]  # (N, *) -> (N, 1, *)
        valid = target != ignore_index
        self.valid = None if valid.all() else valid
        classes = target if self.valid is None else np.where(valid, target, 0)
        self.classes = classes.astype(np.intp, copy=False)
        self.rate = valid.astype(dtype)
        if weight is not None:
            self.rate *= weight[self.classes]
        whole = self.valid is None and weight is None
        total = float(target.size if whole else self.rate.sum())
        self.share = 1 / total if total else np.nan
        self.spread = None
        if label_smoothing:
            count = x.shape[1]
            weights = np.ones(count, dtype) if weight is None else weight.astype(dtype)
            # (C,) -> (1, C, 1...)
            weights = weights.reshape(1, count, *(1,) * (x.ndim - 2))
            self.rate *= dtype(1 - label_smoothing)
            self.spread = weights * dtype(label_smoothing / max(count, 1))
            if self.valid is not None:
                self.spread = self.valid * self.spread

    def mass(self) -> Any:
        """(N, 1, *), the weight of each sample at all classes together."""
        if self.spread is None:
            return self.rate
        return self.rate + np.sum(self.spread, axis=1, keepdims=True)

    def reduce(self, losses: Any, reduction: str) -> Any:
        """From the losses (N, *) of the samples to the loss."""
        if reduction == "none":
            return losses
        total = sum(losses, dim=tuple(range(len(losses.shape))), keepdim=False)
        return total * self.share if reduction == "mean" else total

    def back(self, g: Any, reduction: str) -> Any:
        """The transpose of `reduce`: the gradient of each sample's loss, (N, 1, *)."""
        if reduction == "none":
            g = reshape(g, shape=self.classes.shape)  # (N, *) -> (N, 1, *)
        elif reduction == "mean":
            g = g * self.share
        return g if self.valid is None else where(self.valid, g, 0.0)


def settings(
    target: Any, weight: Any, ignore_index: int, label_smoothing: float, reduction: str
) -> dict[str, Any]:
    """The attributes of a cross-entropy."""
    return {
        "target": target,
        "weight": weight,
        "ignore_index": ignore_index,
        "label_smoothing": label_smoothing,
        "reduction": reduction,
    }


THREE = np.array([2, 0, 1])
WEIGHT = np.array([0.5, 2.0, 1.0])
EXAMPLES = (
    ((3, 3), (), settings(THREE, None, -100, 0.0, "mean")),
    ((3, 3), (), settings(THREE, WEIGHT, 0, 0.0, "mean")),
    ((3, 3), (3,), settings(THREE, WEIGHT, 0, 0.1, "none")),
    ((1, 3, 3), (), settings(THREE[None], None, -100, 0.2, "sum")),
)


def cross_entropy_grad_rule_y(
    g: Any,
    x: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    known: Any,
) -> Any:
    options = settings(target, weight, ignore_index, label_smoothing, "none")
    ones = np.ones(np.shape(target), x.dtype)
    each = sum(g * cross_entropy_grad(ones, x, **options, known=known), dim=(1,), keepdim=False)
    samples = known[0] if known else Samples(raw(x), target, weight, ignore_index, label_smoothing)
    return samples.reduce(each, reduction)


def cross_entropy_grad_rule_x(
    g: Any,
    y: Any,
    x: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    known: Any,
) -> Any:
    samples = known[0] if known else Samples(raw(x), target, weight, ignore_index, label_smoothing)
    change = softmax_derivative(g, softmax(x, dim=1), 1)
    return change * (samples.back(y, reduction) * samples.mass())


def cross_entropy_rule(
    g: Any,
    x: Any,
    samples: Samples,
    exponentials: Any,
    total: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
) -> Any:
    options = settings(target, weight, ignore_index, label_smoothing, reduction)
    return cross_entropy_grad(g, x, **options, known=(samples, exponentials, total))


@primitive(
    cross_entropy_rule,
    residuals=("samples", "exponentials", "total"),
    case=tuple(Case(shapes=(x,), attributes=attributes) for x, _, attributes in EXAMPLES),
)
@quiet
def cross_entropy(
    x: Any,
    *,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
) -> Any:
    """``weight[t] * (log(sum over c of exp(x[c])) - x[t])`` for the class t of each sample.

    x (N, C, *), target (N, *) with class indices, weight (C,) or None.
    """
    samples = Samples(x, target, weight, ignore_index, label_smoothing)
    losses, exponentials, total = kernels.cross_entropy(
        x, samples.classes, samples.rate, samples.spread
    )
    if samples.valid is not None:
        losses = np.where(samples.valid, losses, 0)
    losses = losses.reshape(target.shape)  # (N, 1, *) -> (N, *)
    return samples.reduce(losses, reduction), samples, exponentials, total


@primitive(
    cross_entropy_grad_rule_y,
    cross_entropy_grad_rule_x,
    case=tuple(
        Case(shapes=(y, x), attributes={**attributes, "known": None})
        for x, y, attributes in EXAMPLES
    ),
)
@quiet
def cross_entropy_grad(
    y: Any,
    x: Any,
    *,
    target: Any,
    weight: Any,
    ignore_index: int,
    label_smoothing: float,
    reduction: str,
    known: Any,
) -> Any:
    """The gradient of `cross_entropy` in x: the probabilities minus the target, times y.

    `known` is what the forward computed already; it changes no value.
    """
    if known is None:
        samples = Samples(x, target, weight, ignore_index, label_smoothing)
        _, exponentials, total = kernels.exponentiate(x, 1)
    else:
        samples, exponentials, total = known
    share = samples.back(y, reduction)
    return kernels.cross_entropy_grad(
        share, exponentials, total, samples.classes, samples.rate, samples.spread
    )


def cross_entropy_loss(
    x: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Any:
    """Cross-entropy of logits (C,), (N, C) or (N, C, *), as in PyTorch.

    The target holds either class indices, in the shape of x without the classes, or probabilities,
    in the shape of x; these may require gradients. A mean over class indices is weighted by the
    weights of the classes.

    Raises:
        ShapeError: shapes do not fit.
        DtypeError: x is not floating-point, or the target neither indices nor probabilities.
        IndexError: a class index is out of range.
        ValueError: an option is out of range.
    """
    check_logits("cross_entropy", x, weight, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: label_smoothing is {label_smoothing}, expected 0.0 to 1.0"
        )
    weights = None if weight is None else raw(weight)
    shape = raw(x).shape
    if target.shape == shape and target.dtype.kind == "f":
        return probability_loss(x, target, weights, label_smoothing, reduction)
    check_classes("cross_entropy", x, target, ignore_index)
    classes = raw(target)
    if len(shape) == 1:
        x, classes = reshape(x, shape=(1, *shape)), classes.reshape(1)  # (C,) -> (1, C)
    loss = cross_entropy(x, **settings(classes, weights, ignore_index, label_smoothing, reduction))
    return reshape(loss, shape=()) if len(shape) == 1 and reduction == "none" else loss


def probability_loss(
    x: Any, target: Any, weight: Any, label_smoothing: float, reduction: str
) -> Any:
    """``-sum over c of weight[c] * target[c] * log_softmax(x)[c]``; a mean is over all samples."""
    dim = 1 if len(x.shape) > 1 else 0
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / x.shape[dim]
    terms = log_softmax(x, dim=dim) * target
    if weight is not None:
        # (C,) -> (C, 1...)
        terms = terms * weight.reshape(-1, *(1,) * (len(x.shape) - dim - 1))
    if reduction == "none":
        return -sum(terms, dim=(dim,), keepdim=False)
    total = -sum(terms, dim=tuple(range(len(x.shape))), keepdim=False)
    count = prod(x.shape) // max(x.shape[dim], 1)
    return total / count if reduction == "mean" else total


def nll_loss(
    x: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """``-weight[t] * x[t]`` for the class t of each sample; x holds log-probabilities.

    x (C,), (N, C) or (N, C, *), the target indices in the shape of x without the classes. A mean is
    weighted by the weights of the classes.

    Raises:
        ShapeError: shapes do not fit.
        DtypeError: x is not floating-point, or the target holds no integers.
        IndexError: a class index is out of range.
        ValueError: `reduction` is unknown.
    """
    check_logits("nll_loss", x, weight, reduction)
    check_classes("nll_loss", x, target, ignore_index)
    classes, shape = raw(target), raw(x).shape
    if len(shape) == 1:
        x, classes = reshape(x, shape=(1, *shape)), classes.reshape(1)  # (C,) -> (1, C)
    weights = None if weight is None else raw(weight)
    samples = Samples(raw(x), classes, weights, ignore_index, 0.0)
    places = np.ogrid[tuple(slice(size) for size in classes.shape)]
    picked = x[(places[0], samples.classes[:, 0], *places[1:])]  # (N, C, *) -> (N, *)
    losses = picked * -samples.rate[:, 0]
    if samples.valid is not None:
        losses = where(samples.valid[:, 0], losses, 0.0)
    loss = samples.reduce(losses, reduction)
    return reshape(loss, shape=()) if len(shape) == 1 and reduction == "none" else loss


def check_logits(operation: str, x: Any, weight: Any, reduction: str) -> None:
    """Data types, the class weights and the reduction."""
    x, weight = raw(x), raw(weight)
    if reduction not in REDUCTIONS:
        raise ValueError(f"{operation}: reduction is {reduction!r}, expected one of {REDUCTIONS}")
    if x.dtype.kind != "f":
        raise DtypeError(f"{operation}: expected a floating-point input, got {x.dtype}")
    if not x.shape:
        raise ShapeError(f"{operation}: input has no dimensions, expected (C,) or (N, C, *)")
    if weight is None:
        return
    count = x.shape[1 if len(x.shape) > 1 else 0]
    if weight.shape != (count,):
        raise ShapeError(
            f"{operation}: weight has shape {weight.shape}, expected one for each of the {count} "
            f"classes (input {x.shape})"
        )
    if weight.dtype != x.dtype:
        raise DtypeError(f"{operation}: weight is {weight.dtype}, input is {x.dtype}")


def check_classes(operation: str, x: Any, target: Any, ignore_index: int) -> None:
    """A target of class indices."""
    shape, classes = raw(x).shape, raw(target)
    expected = () if len(shape) == 1 else (shape[0], *shape[2:])
    if classes.shape != expected:
        raise ShapeError(
            f"{operation}: target has shape {classes.shape}, expected {expected} for class indices "
            f"(input {shape})"
        )
    if classes.dtype.kind not in "iu":
        raise DtypeError(f"{operation}: class indices must be integers, target is {classes.dtype}")
    count = shape[1 if len(shape) > 1 else 0]
    if not classes.size or (classes.min() >= 0 and classes.max() < count):
        return
    wrong = ((classes < 0) | (classes >= count)) & (classes != ignore_index)
    if np.any(wrong):
        raise IndexError(
            f"{operation}: class {classes[wrong].flat[0]} is out of range for {count} classes "
            f"(input {shape})"
        )
