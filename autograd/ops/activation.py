"""Activation functions that are formulas of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import kernels
from autograd.dtypes import promote, promote_float
from autograd.ops.elementwise import (
    ANY,
    clamp_max,
    clip_grad,
    erf,
    exp,
    quiet,
    sigmoid,
    tanh,
    where,
)
from autograd.primitive import Case, primitive

GELU_SCALE, GELU_CUBE = math.sqrt(2 / math.pi), 0.044715


def gelu_slope(x: Any) -> Any:
    """``Phi(x) + x * phi(x)`` with the normal distribution's Phi and its density phi."""
    density = exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return 0.5 * (1 + erf(x * math.sqrt(0.5))) + x * density


@primitive(
    lambda g, x: g * gelu_slope(x),
    promote=promote_float,
    elementwise=True,
    formula=lambda x: 0.5 * x * (1 + erf(x * math.sqrt(0.5))),
    case=ANY,
)
@quiet
def gelu(x: Any) -> Any:
    """``x * Phi(x)`` with the normal distribution's Phi."""
    out = kernels.erf(x * math.sqrt(0.5))
    out += 1
    out *= x
    out *= 0.5
    return out


def silu_slope(x: Any) -> Any:
    """``s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``"""
    bend = sigmoid(x)
    return bend * (1 + x * (1 - bend))


@primitive(
    lambda g, x: g * silu_slope(x),
    promote=promote_float,
    elementwise=True,
    formula=lambda x: x * sigmoid(x),
    case=ANY,
)
@quiet
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``"""
    out = np.asarray(np.exp(-x))
    out += 1
    return np.divide(x, out, out=out)


def gelu_tanh_slope(x: Any) -> Any:
    """``(1 + tanh(u)) / 2 + x * (1 - tanh(u)**2) / 2 * du/dx`` with the u of `gelu_tanh`."""
    square = x * x
    bend = tanh(GELU_SCALE * (x * (1 + GELU_CUBE * square)))
    steep = (0.5 * GELU_SCALE) * (x * (1 + 3 * GELU_CUBE * square))
    return 0.5 * (1 + bend) + (1 - bend * bend) * steep


@primitive(lambda g, x: g * gelu_tanh_slope(x), promote=promote_float, elementwise=True, case=ANY)
@quiet
def gelu_tanh(x: Any) -> Any:
    """``x * (1 + tanh(u)) / 2`` with ``u = sqrt(2 / pi) * (x + 0.044715 * x**3)``"""
    return 0.5 * x * (1 + np.tanh(GELU_SCALE * (x * (1 + GELU_CUBE * (x * x)))))


@primitive(
    lambda g, x, slope: leak(g, x, slope),
    None,
    promote=promote_float,
    formula=lambda x, slope: np.where(x > 0, x, x * slope),
    case=Case(avoid=(0.0,), constants={"slope": 0.1}),
)
@quiet
def leaky_relu(x: Any, slope: float) -> Any:
    """``x`` above 0 and ``slope * x`` elsewhere."""
    return kernels.leak(x, x, slope)


@primitive(
    lambda g, x, slope: leak(g, x, slope),
    None,
    None,
    promote=promote_float,
    formula=lambda y, x, slope: np.where(x > 0, y, y * slope),
    case=Case(constants={"x": np.array([-1.0, 0.0, 2.0]), "slope": 0.1}),
)
@quiet
def leak(y: Any, x: Any, slope: float) -> Any:
    """``y`` where x is above 0 and ``slope * y`` elsewhere."""
    return kernels.leak(y, x, slope)


@primitive(
    lambda g, x, weight: where(x > 0, g, g * weight),
    lambda g, x: where(x > 0, 0.0, g * x),
    broadcasts=True,
    promote=promote_float,
    elementwise=True,
    case=(
        Case(shapes=((3, 2), (1,)), avoid=(0.0,)),
        Case(shapes=((2, 3, 2), (3, 1)), avoid=(0.0,)),
    ),
)
@quiet
def prelu(x: Any, weight: Any) -> Any:
    """``x`` above 0 and ``weight * x`` elsewhere."""
    return np.where(x > 0, x, x * weight)


@primitive(
    lambda g, x, low, high: clip_grad(g, x, low, high, closed=False),
    None,
    None,
    promote=promote,
    formula=lambda x, low, high: np.minimum(np.maximum(x, low), high),
    case=Case(avoid=(-0.5, 0.7), constants={"low": -0.5, "high": 0.7}),
)
def hardtanh(x: Any, low: float, high: float) -> Any:
    """x, but at least `low` and at most `high`; on a bound the derivative is 0."""
    return kernels.clip(x, low, high)


@primitive(
    lambda g, x, alpha: where(x > 0, g, g * (alpha * exp(clamp_max(x, 0.0)))),
    None,
    promote=promote_float,
    elementwise=True,
    case=Case(avoid=(0.0,), constants={"alpha": 0.7}),
)
@quiet
def elu(x: Any, alpha: float) -> Any:
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` elsewhere."""
    below = np.minimum(x, 0.0)  # no overflow in the branch that is not used
    return np.where(x > 0, x, np.expm1(below) * alpha)


@primitive(
    lambda g, x, beta, threshold: where(x * beta > threshold, g, g * sigmoid(x * beta)),
    None,
    None,
    promote=promote_float,
    elementwise=True,
    case=Case(avoid=(1.5,), constants={"beta": 0.8, "threshold": 1.2}),
)
@quiet
def softplus(x: Any, beta: float, threshold: float) -> Any:
    """``log(1 + exp(beta * x)) / beta``, and x where ``beta * x`` is above the threshold."""
    scaled = x * beta
    bent = np.log1p(np.exp(np.minimum(scaled, threshold))) / beta
    return np.where(scaled > threshold, x, bent)


@primitive(
    lambda g, x: g * sigmoid(-x),
    promote=promote_float,
    elementwise=True,
    case=ANY,
)
@quiet
def log_sigmoid(x: Any) -> Any:
    """``log(1 / (1 + exp(-x)))`` without overflow or loss of digits on either side."""
    return np.minimum(x, 0.0) - np.log1p(np.exp(-np.abs(x)))
