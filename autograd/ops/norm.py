"""Standardization: batch, layer and instance normalization are this one operation.

Over some axes, ``z = (x - mean(x)) / sqrt(var(x) + eps)``, then an affine map whose weight and bias
run over the axes `affine`. The three primitives are closed under differentiation: write S(g) for
the transpose of the derivative of z at x,

    S(g) = (g - mean(g) - z * mean(g * z)) / sqrt(var(x) + eps).

`moments`, wherever it occurs, is what a caller already knows: the mean of x and one over its
standard deviation, as arrays. It saves work and changes no value, so it has no derivative.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import kernels
from autograd.dtypes import promote
from autograd.errors import DtypeError, ShapeError
from autograd.ops.elementwise import quiet, rsqrt
from autograd.ops.reduce import raw, sum
from autograd.ops.shape import reshape
from autograd.primitive import Case, primitive

if TYPE_CHECKING:
    from autograd.graph import Array

Axes = tuple[int, ...]
Moments = tuple[Any, Any] | None


def settings(axes: Axes, affine: Axes, eps: float, moments: Moments = None) -> dict[str, Any]:
    return {"axes": axes, "affine": affine, "eps": eps, "moments": moments}


EXAMPLES = (
    ((4, 2), (2,), settings((0,), (1,), 1e-2)),
    ((2, 3, 2, 2), (3,), settings((0, 2, 3), (1,), 1e-2)),
    ((2, 4), (4,), settings((1,), (1,), 1e-2)),
    ((2, 3, 2), (3, 2), settings((1, 2), (1, 2), 1e-2)),
    ((2, 2, 2, 3), (2, 2), settings((2, 3), (1, 2), 1e-2)),
)


def standardize_rule(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    weight: Any,
    known: Moments,
    axes: Axes,
    affine: Axes,
    eps: float,
) -> list[Any]:
    need_x, need_weight, need_bias = needs
    options = settings(axes, affine, eps, known)
    rest = others(x, affine)
    if known is not None and g.__class__ is x.__class__ is np.ndarray:
        factor = spread(weight, x, affine)
        x_grad, *grads = kernels.standardize_backward(g, x, factor, axes, rest, known, needs)
        sizes = [x.shape[axis] for axis in affine]
        # sizes 1 and affine -> affine
        return [x_grad, *(grad if grad is None else grad.reshape(sizes) for grad in grads)]
    weight_grad = standardize_weight_grad(g, x, **options) if need_weight else None
    bias_grad = sum(g, dim=rest, keepdim=False) if need_bias else None
    x_grad = None
    if need_x:
        x_grad = standardize_grad(g, x, weight, **options)
    return [x_grad, weight_grad, bias_grad]


@primitive(
    joint=standardize_rule,
    residuals=("known",),
    case=(
        *(Case(shapes=(x, w, w), attributes=attributes) for x, w, attributes in EXAMPLES),
        Case(
            shapes=EXAMPLES[1][:1],
            constants={"weight": None, "bias": None},
            attributes=EXAMPLES[1][2],
        ),
    ),
)
@quiet
def standardize(
    x: Any,
    weight: Any,
    bias: Any,
    *,
    axes: Axes,
    affine: Axes,
    eps: float,
    moments: Moments,
) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, mean and variance over `axes`.

    x any shape; weight and bias have the sizes of x on the axes `affine`, or are None.
    """
    return kernels.standardize(
        x, spread(weight, x, affine), spread(bias, x, affine), axes, eps, moments
    )


def standardize_grad_rule(
    g: Any,
    needs: tuple[bool, ...],
    y: Any,
    x: Any,
    weight: Any,
    axes: Axes,
    affine: Axes,
    eps: float,
    moments: Moments,
) -> list[Any]:
    """Gradients of ``sum(g * S(h))``, ``h = y * weight``.

    S is symmetric, so that in h it is S(g); z and the standard deviation vary with x.
    """
    need_y, need_x, need_weight = needs
    known = settings(axes, affine, eps, moments)
    factor = spread(weight, x, affine)
    back = standardize_grad(g, x, None, **known)
    y_grad = x_grad = weight_grad = None
    if need_y:
        y_grad = back if factor is None else back * factor
    if need_weight:
        weight_grad = sum(y * back, dim=others(x, affine), keepdim=False)
    if need_x:
        h = y if factor is None else y * factor
        forth = standardize_grad(h, x, None, **known)
        z = standardize(x, None, None, **known)
        slope = z * average(g * forth, axes) + average(h * z, axes) * back
        x_grad = -inverse_deviation(x, axes, eps) * (slope + average(g * z, axes) * forth)
    return [y_grad, x_grad, weight_grad]


@primitive(
    joint=standardize_grad_rule,
    case=(
        *(Case(shapes=(x, x, w), attributes=attributes) for x, w, attributes in EXAMPLES),
        Case(shapes=(EXAMPLES[1][0],) * 2, constants={"weight": None}, attributes=EXAMPLES[1][2]),
    ),
)
@quiet
def standardize_grad(
    y: Any,
    x: Any,
    weight: Any,
    *,
    axes: Axes,
    affine: Axes,
    eps: float,
    moments: Moments,
) -> Any:
    """The gradient of `standardize` in x: ``S(y * weight)``."""
    known = moments or kernels.standard_moments(x, axes, eps)
    return kernels.standardize_grad(y, x, spread(weight, x, affine), axes, known, None)


@primitive(
    lambda g, x, axes, affine, eps, moments: standardize(
        x, g, None, **settings(axes, affine, eps, moments)
    ),
    lambda g, y, x, axes, affine, eps, moments: standardize_grad(
        y, x, g, **settings(axes, affine, eps, moments)
    ),
    case=tuple(Case(shapes=(x, x), attributes=attributes) for x, _, attributes in EXAMPLES),
)
@quiet
def standardize_weight_grad(
    y: Any, x: Any, *, axes: Axes, affine: Axes, eps: float, moments: Moments
) -> Any:
    """The gradient of `standardize` in its weight: the sum of ``y * z`` over the other axes."""
    known = moments or kernels.standard_moments(x, axes, eps)
    grad = kernels.standardize_weight_grad(y, x, others(x, affine), known)
    return grad.reshape([x.shape[axis] for axis in affine])  # sizes 1 and affine -> affine


def others(x: Any, axes: Axes) -> Axes:
    """The axes of x that are not among `axes`."""
    return tuple(axis for axis in range(len(x.shape)) if axis not in axes)


def spread(values: Any, x: Any, affine: Axes) -> Any:
    """Values that run over the axes `affine`, with axes of size 1 for the others of x."""
    if values is None:
        return None
    sizes = tuple(size if axis in affine else 1 for axis, size in enumerate(x.shape))
    if isinstance(values, np.ndarray):
        return values.reshape(sizes)
    return reshape(values, shape=sizes)


def average(x: Any, axes: Axes) -> Any:
    return sum(x, dim=axes, keepdim=True) / float(prod(x.shape[axis] for axis in axes))


def inverse_deviation(x: Any, axes: Axes, eps: float) -> Any:
    """``1 / sqrt(var(x) + eps)``"""
    centred = x - average(x, axes)
    return rsqrt(average(centred * centred, axes) + eps)


@primitive(
    lambda g, factor: g * factor,
    lambda g, x: g * x,
    lambda g: g,
    broadcasts=True,
    promote=promote,
    case=(
        Case(shapes=((2, 3, 2), (3, 1), (3, 1))),
        Case(shapes=((3,), (3,), (2, 1))),
    ),
)
@quiet
def scale_shift(x: Any, factor: Any, shift: Any) -> Any:
    """``x * factor + shift``"""
    return kernels.scale_shift(x, factor, shift)


@quiet
def batch_norm(x: Any, weight: Any, bias: Any, *, eps: float) -> tuple[Any, Array, Array]:
    """Normalize each channel by its mean and variance over the batch and all positions.

    x (N, C) or (N, C, sizes...); weight and bias (C,) or None.

    Returns:
        the result, and as arrays (C,) the mean and the unbiased variance, for running statistics.

    Raises:
        ShapeError: shapes do not fit, or a channel has a single value, which has no variance.
        DtypeError: x is not floating-point, or weight and bias are of another type.
    """
    shape = raw(x).shape
    if len(shape) < 2:
        raise ShapeError(
            f"batch_norm: input has shape {shape}, expected (N, C) or (N, C, sizes...)"
        )
    check_affine("batch_norm", x, weight, bias, shape[1:2])
    axes = (0, *range(2, len(shape)))
    count = prod(shape[axis] for axis in axes)
    if count == 1:
        raise ShapeError(
            f"batch_norm: a channel of the input {shape} has one value, "
            "training needs more (in eval mode one is enough)"
        )
    mean, variance = kernels.moments(raw(x), axes)
    moments = (mean, 1 / np.sqrt(variance + eps))
    out = standardize(x, weight, bias, **settings(axes, (1,), eps, moments))
    unbiased = variance * (count / max(count - 1, 1))
    return out, mean.reshape(-1), unbiased.reshape(-1)  # (1, C, 1...) -> (C,)


def layer_norm(
    x: Any, weight: Any, bias: Any, *, normalized_shape: tuple[int, ...], eps: float
) -> Any:
    """Normalize over the last axes, whose sizes are `normalized_shape`.

    Raises:
        ShapeError: shapes do not fit.
        DtypeError: x is not floating-point, or weight and bias are of another type.
    """
    count = len(normalized_shape)
    shape = raw(x).shape
    if not count or len(shape) < count or shape[len(shape) - count :] != normalized_shape:
        raise ShapeError(
            f"layer_norm: input has shape {shape}, expected it to end with {normalized_shape}"
        )
    check_affine("layer_norm", x, weight, bias, normalized_shape)
    axes = tuple(range(len(shape) - count, len(shape)))
    return standardize(x, weight, bias, **settings(axes, axes, eps))


def group_norm(x: Any, weight: Any, bias: Any, *, groups: int, eps: float) -> Any:
    """Normalize each group of channels of each sample; x (N, C, sizes...).

    With as many groups as channels this is instance normalization.

    Raises:
        ShapeError: shapes do not fit, or the channels cannot be split into the groups.
        DtypeError: x is not floating-point, or weight and bias are of another type.
    """
    shape = raw(x).shape
    if len(shape) < 2 or groups < 1 or shape[1] % groups:
        raise ShapeError(
            f"group_norm: input has shape {shape}, expected (N, C, sizes...) with channels that "
            f"split into {groups} groups"
        )
    check_affine("group_norm", x, weight, bias, shape[1:2])
    split = (groups, shape[1] // groups)
    # (N, C, sizes...) -> (N, G, C / G, positions)
    grouped = reshape(x, shape=(shape[0], *split, prod(shape[2:])))
    weight = weight if weight is None else reshape(weight, shape=split)  # (C,) -> (G, C / G)
    bias = bias if bias is None else reshape(bias, shape=split)
    out = standardize(grouped, weight, bias, **settings((2, 3), (1, 2), eps))
    return reshape(out, shape=shape)


def check_affine(operation: str, x: Any, weight: Any, bias: Any, expected: tuple[int, ...]) -> None:
    x = raw(x)
    if x.dtype.kind != "f":
        raise DtypeError(f"{operation}: expected a floating-point input, got {x.dtype}")
    for name, value in (("weight", raw(weight)), ("bias", raw(bias))):
        if value is None:
            continue
        if value.shape != expected:
            raise ShapeError(
                f"{operation}: {name} has shape {value.shape}, expected {expected} "
                f"(input {x.shape})"
            )
        if value.dtype != x.dtype:
            raise DtypeError(f"{operation}: {name} is {value.dtype}, input is {x.dtype}")
