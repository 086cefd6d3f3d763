"""Initialisation of tensors in place, without recording: every function returns its tensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

import autograd
from autograd import Generator, Tensor
from autograd.errors import ShapeError

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

Array: TypeAlias = "np.ndarray[Any, Any]"

UNIT_GAIN = ("linear", "sigmoid")
CONVOLUTIONS = tuple(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3))
MIN_MASS = 0.25


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights grow to keep a signal's variance through a nonlinearity.

    Args:
        nonlinearity: ``linear``, ``conv1d`` ... ``conv_transpose3d``, ``sigmoid``, ``tanh``,
            ``relu``, ``leaky_relu`` or ``selu``.
        param: the negative slope of ``leaky_relu``, 0.01 unless given.

    Raises:
        ValueError: another name, or a slope that is no number.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity in UNIT_GAIN or nonlinearity in CONVOLUTIONS:
        return 1.0
    if nonlinearity == "tanh":
        return 5 / 3
    if nonlinearity == "relu":
        return math.sqrt(2)
    if nonlinearity == "selu":
        return 3 / 4
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"calculate_gain: the slope of leaky_relu is a number, got {slope!r}")
        return math.sqrt(2 / (1 + slope**2))
    raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}")


def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the uniform distribution on [a, b)."""
    with autograd.no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the normal distribution."""
    with autograd.no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution within [a, b], by rejection.

    Raises:
        ValueError: `a` is not below `b`, or `std` is not positive.
    """
    if not a < b or not std > 0:
        raise ValueError(f"trunc_normal_: expected a < b and std > 0, got a={a}, b={b}, std={std}")
    low, high = (a - mean) / std, (b - mean) / std
    mass = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    peak = min(max(0.0, low), high)  # where the density within the bounds is highest
    values = np.empty(tensor.numel())
    missing = np.arange(values.size)
    while missing.size:
        if mass > MIN_MASS:
            drawn = draws(autograd.randn, missing.size, generator)
            accepted = (drawn >= low) & (drawn <= high)
        else:
            drawn = low + (high - low) * draws(autograd.rand, missing.size, generator)
            density = np.exp((peak**2 - drawn**2) / 2)
            accepted = draws(autograd.rand, missing.size, generator) < density
        values[missing[accepted]] = drawn[accepted]
        missing = missing[~accepted]
    values = values.reshape(tuple(tensor.shape))  # (n,) -> the shape
    return fill(tensor, np.clip(mean + std * values, a, b))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one value."""
    with autograd.no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros elsewhere.

    Raises:
        ShapeError: not two dimensions.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    return fill(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a convolution's weight so that it hands on its input channels unchanged.

    Args:
        tensor: (out, in / groups, kernel...) with one to three kernel dimensions.
        groups: how many independent convolutions share the channels out among them.

    Raises:
        ShapeError: another number of dimensions.
        ValueError: `out` is not a multiple of `groups`.
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ShapeError(f"dirac_: expected 3, 4 or 5 dimensions, got shape {shape}")
    if shape[0] % groups:
        raise ValueError(f"dirac_: {shape[0]} output channels are no multiple of {groups} groups")
    weight = np.zeros(shape)
    centre = tuple(size // 2 for size in shape[2:])
    per_group = shape[0] // groups
    for group in range(groups):
        for channel in range(min(per_group, shape[1])):
            weight[(group * per_group + channel, channel, *centre)] = 1
    return fill(tensor, weight)


def fans(operation: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output of a weight reads, and how many outputs one input feeds."""
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ShapeError(f"{operation}: fans need at least 2 dimensions, got shape {shape}")
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Draw from the uniform distribution of variance ``gain**2 * 2 / (fan_in + fan_out)``.

    Reference: Glorot and Bengio 2010, AISTATS.
    """
    bound = gain * math.sqrt(6 / sum(fans("xavier_uniform_", tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Draw from the normal distribution of variance ``gain**2 * 2 / (fan_in + fan_out)``.

    Reference: Glorot and Bengio 2010, AISTATS.
    """
    std = gain * math.sqrt(2 / sum(fans("xavier_normal_", tensor)))
    return normal_(tensor, 0.0, std, generator)


def kaiming_std(operation: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{operation}: mode is 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(operation, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the uniform distribution of variance ``gain**2 / fan``.

    Args:
        tensor: a weight of at least 2 dimensions.
        a: the negative slope where the nonlinearity is ``leaky_relu``.
        mode: ``"fan_in"`` keeps the variance of signals, ``"fan_out"`` that of gradients.
        nonlinearity: what follows the layer, see `calculate_gain`.
        generator: the source of random numbers.

    Reference: He et al. 2015, arXiv:1502.01852.
    """
    if 0 in tensor.shape:
        return tensor
    bound = math.sqrt(3) * kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Draw from the normal distribution of variance ``gain**2 / fan``.

    Reference: He et al. 2015, arXiv:1502.01852.
    """
    if 0 in tensor.shape:
        return tensor
    std = kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    return normal_(tensor, 0.0, std, generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with orthonormal rows or columns, whichever are fewer, all axes but the first joined.

    Reference: Saxe, McClelland and Ganguli 2014, arXiv:1312.6120.
    """
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ShapeError(f"orthogonal_: expected at least 2 dimensions, got shape {shape}")
    if not tensor.numel():
        return tensor
    rows, columns = shape[0], math.prod(shape[1:])
    drawn = draws(autograd.randn, rows * columns, generator).reshape(rows, columns)
    tall = drawn if rows >= columns else drawn.T
    basis, triangle = np.linalg.qr(tall)
    basis = basis * np.sign(np.diagonal(triangle))  # makes the distribution uniform
    if rows < columns:
        basis = basis.T
    return fill(tensor, gain * basis.reshape(shape))  # (out, in*k...) -> (out, in, k...)


def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Tensor:
    """Fill a matrix from the normal distribution, a share of each column being zero.

    Reference: Martens 2010, ICML.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: expected 2 dimensions, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    values = std * draws(autograd.randn, rows * columns, generator).reshape(rows, columns)
    order = draws(autograd.rand, rows * columns, generator).reshape(rows, columns).argsort(axis=0)
    values[order < math.ceil(sparsity * rows)] = 0
    return fill(tensor, values)


def draws(source: Callable[..., Tensor], count: int, generator: Generator | None) -> Array:
    """Random numbers in double precision, as an array."""
    return source(count, generator=generator, dtype=autograd.float64).numpy()


def fill(tensor: Tensor, values: Array) -> Tensor:
    with autograd.no_grad():
        return tensor.copy_(autograd.as_tensor(values))
