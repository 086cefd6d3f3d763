"""Arithmetic and elementary functions, elementwise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import kernels
from autograd.dtypes import promote, promote_float
from autograd.kernels.tape import apply
from autograd.ops.shape import zeros_of
from autograd.primitive import Case, primitive

PAIR = (
    Case(shapes=((2, 3), (2, 3))),
    Case(shapes=((2, 1, 3), (4, 1))),
    Case(shapes=((), (3,))),
)
PAIR_APART = tuple(Case(shapes=case.shapes, distinct=True) for case in PAIR)
ANY = (Case(shapes=((2, 3),)), Case(shapes=((),)))
POSITIVE = (Case(domain=(0.2, 3.0)),)
INSIDE = (Case(domain=(-0.9, 0.9)),)
STEPS = (Case(avoid=(-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)),)

quiet = np.errstate(all="ignore")
"""Zero, infinity and NaN are results here, as in PyTorch, not warnings."""


@primitive(lambda g: g, lambda g: g, broadcasts=True, promote=promote, elementwise=True, case=PAIR)
def add(x: Any, y: Any) -> Any:
    """``x + y``"""
    return x + y


@primitive(lambda g: g, lambda g: -g, broadcasts=True, promote=promote, elementwise=True, case=PAIR)
def sub(x: Any, y: Any) -> Any:
    """``x - y``"""
    return x - y


@primitive(
    lambda g, x, y: g * (2 * (x - y)),
    lambda g, x, y: g * (2 * (y - x)),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR,
)
@quiet
def squared_difference(x: Any, y: Any) -> Any:
    """``(x - y)**2``"""
    return (x - y) * (x - y)


@primitive(
    lambda g, factor: g * factor,
    lambda g, factor: -g * factor,
    lambda g, x, y: g * (x - y),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=(
        Case(shapes=((2, 3), (2, 1), (3,))),
        Case(shapes=((2,), (2,), ())),
    ),
)
@quiet
def scaled_difference(x: Any, y: Any, factor: Any) -> Any:
    """``(x - y) * factor``"""
    return (x - y) * factor


@primitive(
    lambda g, y: g * y,
    lambda g, x: g * x,
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR,
)
def mul(x: Any, y: Any) -> Any:
    """``x * y``"""
    return x * y


@primitive(
    lambda g, y: g / y,
    lambda g, x, y: -g * (x / y / y),
    broadcasts=True,
    promote=promote_float,
    elementwise=True,
    case=tuple(Case(shapes=case.shapes, domain=((-2, 2), (0.5, 2))) for case in PAIR),
)
@quiet
def div(x: Any, y: Any) -> Any:
    """``x / y``"""
    return x / y


APART_FROM_STEPS = (
    Case(shapes=((2, 3), (3,)), domain=((3.1, 3.9), (1.1, 1.5))),
    Case(shapes=((2, 1), (2,)), domain=((-3.9, -3.1), (1.1, 1.5))),
)


@primitive(
    lambda g: zeros_of(g),
    lambda g: zeros_of(g),
    broadcasts=True,
    promote=promote,
    case=APART_FROM_STEPS,
)
@quiet
def floor_divide(x: Any, y: Any) -> Any:
    """``floor(x / y)`` of the exact quotient; derivative 0."""
    return np.floor_divide(x, y)


@primitive(
    lambda g: g,
    lambda g, x, y: -g * floor_divide(x, y),
    broadcasts=True,
    promote=promote,
    case=APART_FROM_STEPS,
)
@quiet
def remainder(x: Any, y: Any) -> Any:
    """``x - y * floor(x / y)``, exactly; it has the sign of y."""
    return np.remainder(x, y)


@primitive(
    lambda g: g,
    lambda g, x, y: -g * trunc(x / y),
    broadcasts=True,
    promote=promote,
    case=APART_FROM_STEPS,
)
@quiet
def fmod(x: Any, y: Any) -> Any:
    """``x - y * trunc(x / y)``, exactly; it has the sign of x."""
    return np.fmod(x, y)


def power_slope(g: Any, x: Any, y: Any) -> Any:
    """``g * y * x ** (y - 1)``; 0 for the constant ``x ** 0``, also where x is 0 or NaN."""
    if not isinstance(y, (int, float)):
        x = where((y == 0) & ((x == 0) | (x != x)), 1.0, x)
    elif y == 0:
        return zeros_of(x)
    return g * (y * x ** (y - 1))


@primitive(
    lambda g, x, y: power_slope(g, x, y),
    lambda g, x, y, out: g * (out * log(where((x == 0) & (y >= 0), 1.0, x))),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=(
        *(Case(shapes=case.shapes, domain=((0.3, 2), (-2, 2))) for case in PAIR),
        Case(constants={"y": 3.0}),
        Case(constants={"y": 0}),
        Case(constants={"y": -1}, domain=(0.3, 2)),
    ),
)
@quiet
def pow(x: Any, y: Any) -> Any:
    """``x ** y``; the derivative in y is 0 where x is 0 and y is not negative"""
    return x**y


@primitive(lambda g: -g, elementwise=True, case=ANY)
def neg(x: Any) -> Any:
    """``-x``"""
    return -x


@primitive(lambda g, out: g * out, promote=promote_float, elementwise=True, case=ANY)
@quiet
def exp(x: Any) -> Any:
    """The exponential."""
    return np.exp(x)


@primitive(lambda g, x: g / x, promote=promote_float, elementwise=True, case=POSITIVE)
@quiet
def log(x: Any) -> Any:
    """The natural logarithm."""
    return np.log(x)


@primitive(
    lambda g, x: g / (1 + x),
    promote=promote_float,
    elementwise=True,
    case=(Case(domain=(-0.8, 2.0)),),
)
@quiet
def log1p(x: Any) -> Any:
    """``log(1 + x)``, exact for small x"""
    return np.log1p(x)


@primitive(lambda g, out: g * (out + 1), promote=promote_float, elementwise=True, case=ANY)
@quiet
def expm1(x: Any) -> Any:
    """``exp(x) - 1``, exact for small x"""
    return np.expm1(x)


@primitive(lambda g, out: g / (2 * out), promote=promote_float, elementwise=True, case=POSITIVE)
@quiet
def sqrt(x: Any) -> Any:
    """The square root."""
    return np.sqrt(x)


@primitive(
    lambda g, out: -0.5 * g * (out * out * out),
    promote=promote_float,
    elementwise=True,
    case=POSITIVE,
)
@quiet
def rsqrt(x: Any) -> Any:
    """``1 / sqrt(x)``"""
    return 1 / np.sqrt(x)


@primitive(lambda g, x: g * sign(x), elementwise=True, case=(Case(avoid=(0.0,)),))
def abs(x: Any) -> Any:
    """The absolute value; derivative 0 at 0."""
    return np.abs(x)


@primitive(
    lambda g: zeros_of(g),
    formula=lambda x: np.where(x > 0, 1.0, np.where(x < 0, -1.0, 0.0)),
    case=STEPS,
)
def sign(x: Any) -> Any:
    """-1, 0 or 1, and 0 for NaN; derivative 0."""
    if x.dtype.kind == "b":
        return np.array(x)
    return np.where(x == x, np.sign(x), 0) if x.dtype.kind == "f" else np.sign(x)


def stepped(step: Any, x: Any) -> Any:
    """A rounding to whole numbers; integers are whole, and NumPy 2.0 would make them floats."""
    return step(x) if x.dtype.kind == "f" else np.array(x)


@primitive(lambda g: zeros_of(g), case=STEPS)
def floor(x: Any) -> Any:
    """The largest integer not above x; derivative 0."""
    return stepped(np.floor, x)


@primitive(lambda g: zeros_of(g), case=STEPS)
def ceil(x: Any) -> Any:
    """The smallest integer not below x; derivative 0."""
    return stepped(np.ceil, x)


@primitive(lambda g: zeros_of(g), case=STEPS)
def trunc(x: Any) -> Any:
    """The integer part of x; derivative 0."""
    return stepped(np.trunc, x)


@primitive(lambda g: zeros_of(g), case=(Case(attributes={"decimals": 0}, avoid=STEPS[0].avoid),))
def round(x: Any, *, decimals: int) -> Any:
    """The nearest number of `decimals` digits, halves to even; derivative 0."""
    return np.round(x, decimals)


@primitive(lambda g, x: g * cos(x), promote=promote_float, elementwise=True, case=ANY)
@quiet
def sin(x: Any) -> Any:
    """The sine of x in radians."""
    return np.sin(x)


@primitive(lambda g, x: -g * sin(x), promote=promote_float, elementwise=True, case=ANY)
@quiet
def cos(x: Any) -> Any:
    """The cosine of x in radians."""
    return np.cos(x)


@primitive(
    lambda g, out: g * (1 + out * out),
    promote=promote_float,
    elementwise=True,
    case=(Case(domain=(-1.2, 1.2)),),
)
@quiet
def tan(x: Any) -> Any:
    """The tangent of x in radians."""
    return np.tan(x)


@primitive(lambda g, x: g * rsqrt(1 - x * x), promote=promote_float, elementwise=True, case=INSIDE)
@quiet
def asin(x: Any) -> Any:
    """The inverse sine, in radians."""
    return np.arcsin(x)


@primitive(lambda g, x: -g * rsqrt(1 - x * x), promote=promote_float, elementwise=True, case=INSIDE)
@quiet
def acos(x: Any) -> Any:
    """The inverse cosine, in radians."""
    return np.arccos(x)


@primitive(lambda g, x: g / (1 + x * x), promote=promote_float, elementwise=True, case=ANY)
def atan(x: Any) -> Any:
    """The inverse tangent, in radians."""
    return np.arctan(x)


def squared_radius(x: Any, y: Any) -> Any:
    """``x * x + y * y``, and 1 at the origin, where the angle has no derivative."""
    square = x * x + y * y
    return where(square == 0, 1.0, square)


@primitive(
    lambda g, x, y: g * (y / squared_radius(x, y)),
    lambda g, x, y: -g * (x / squared_radius(x, y)),
    broadcasts=True,
    promote=promote_float,
    elementwise=True,
    case=tuple(Case(shapes=case.shapes, domain=((0.3, 2), (-2, 2))) for case in PAIR),
)
def atan2(x: Any, y: Any) -> Any:
    """The angle of the point (y, x), in radians; derivative 0 at the origin."""
    return np.arctan2(x, y)


@primitive(lambda g, x: g * cosh(x), promote=promote_float, elementwise=True, case=ANY)
@quiet
def sinh(x: Any) -> Any:
    """The hyperbolic sine."""
    return np.sinh(x)


@primitive(lambda g, x: g * sinh(x), promote=promote_float, elementwise=True, case=ANY)
@quiet
def cosh(x: Any) -> Any:
    """The hyperbolic cosine."""
    return np.cosh(x)


@primitive(lambda g, out: g * (1 - out * out), promote=promote_float, elementwise=True, case=ANY)
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return np.tanh(x)


@primitive(lambda g, x: g * rsqrt(x * x + 1), promote=promote_float, elementwise=True, case=ANY)
def asinh(x: Any) -> Any:
    """The inverse hyperbolic sine."""
    return np.arcsinh(x)


@primitive(
    lambda g, x: g * rsqrt(x * x - 1),
    promote=promote_float,
    elementwise=True,
    case=(Case(domain=(1.3, 3.0)),),
)
@quiet
def acosh(x: Any) -> Any:
    """The inverse hyperbolic cosine."""
    return np.arccosh(x)


@primitive(lambda g, x: g / (1 - x * x), promote=promote_float, elementwise=True, case=INSIDE)
@quiet
def atanh(x: Any) -> Any:
    """The inverse hyperbolic tangent."""
    return np.arctanh(x)


@primitive(
    lambda g, x: g * (2 / math.sqrt(math.pi) * exp(-x * x)),
    promote=promote_float,
    elementwise=True,
    formula=lambda x: apply("erf", x),
    case=ANY,
)
def erf(x: Any) -> Any:
    """The error function, the integral of ``2 / sqrt(pi) * exp(-t * t)`` from 0 to x."""
    return kernels.erf(x)


@primitive(
    lambda g, out: g * (out * (1 - out)),
    promote=promote_float,
    elementwise=True,
    formula=lambda x: apply("sigmoid", x),
    case=ANY,
)
@quiet
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``"""
    out = np.asarray(np.exp(-x))
    out += 1
    return np.divide(1, out, out=out)


@primitive(
    lambda g, out: relu_grad(g, out),
    formula=lambda x: np.where(x < 0, 0.0, x),
    case=(Case(avoid=(0.0,)),),
)
def relu(x: Any) -> Any:
    """``max(x, 0)``; derivative 0 at 0."""
    return kernels.relu(x)


@primitive(
    lambda g, x: relu_grad(g, x),
    None,
    formula=lambda y, x: np.where(x <= 0, 0.0, y),
    case=Case(constants={"x": np.array([-1.0, 0.0, 2.0])}),
)
def relu_grad(y: Any, x: Any) -> Any:
    """``y``, but 0 where x is at most 0."""
    return kernels.relu_grad(y, x)


@primitive(
    lambda g, keep, scale: drop(g, keep=keep, scale=scale),
    case=Case(attributes={"keep": np.array([[True, False, True]] * 2), "scale": 2.0}),
)
@quiet
def drop(x: Any, *, keep: Any, scale: float) -> Any:
    """``x * keep * scale``, where `keep` is an array of booleans of the shape of x."""
    return kernels.drop(x, keep, scale)


@primitive(
    lambda g, x, y: where(x == y, g / 2, where(x < y, 0.0, g)),
    lambda g, x, y: where(x == y, g / 2, where(y < x, 0.0, g)),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR_APART,
)
def maximum(x: Any, y: Any) -> Any:
    """The larger of x and y; a tie gives each half of the gradient."""
    return np.maximum(x, y)


@primitive(
    lambda g, x, y: where(x == y, g / 2, where(x > y, 0.0, g)),
    lambda g, x, y: where(x == y, g / 2, where(y > x, 0.0, g)),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR_APART,
)
def minimum(x: Any, y: Any) -> Any:
    """The smaller of x and y; a tie gives each half of the gradient."""
    return np.minimum(x, y)


@primitive(
    lambda g, x, bound: where(x >= bound, g, 0.0),
    lambda g, x, bound: where(x < bound, g, 0.0),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR_APART,
)
def clamp_min(x: Any, bound: Any) -> Any:
    """x, but at least `bound`; on the bound the gradient is that of x."""
    return np.maximum(x, bound)


@primitive(
    lambda g, x, bound: where(x <= bound, g, 0.0),
    lambda g, x, bound: where(x > bound, g, 0.0),
    broadcasts=True,
    promote=promote,
    elementwise=True,
    case=PAIR_APART,
)
def clamp_max(x: Any, bound: Any) -> Any:
    """x, but at most `bound`; on the bound the gradient is that of x."""
    return np.minimum(x, bound)


@primitive(
    lambda g, x, low, high: clip_grad(g, x, low, high, closed=True),
    None,
    None,
    promote=promote,
    formula=lambda x, low, high: np.minimum(np.maximum(x, low), high),
    case=Case(avoid=(-0.5, 0.7), constants={"low": -0.5, "high": 0.7}),
)
def clamp(x: Any, low: float, high: float) -> Any:
    """x, but at least `low` and then at most `high`; on a bound the gradient is that of x."""
    return kernels.clip(x, low, high)


@primitive(
    lambda g, x, low, high, closed: clip_grad(g, x, low, high, closed=closed),
    None,
    None,
    None,
    case=Case(
        constants={"x": np.array([-1.0, 0.0, 2.0]), "low": -0.5, "high": 0.7},
        attributes={"closed": True},
    ),
)
def clip_grad(y: Any, x: Any, low: float, high: float, *, closed: bool) -> Any:
    """``y`` where x is between the bounds, or on one if they are closed, and 0 elsewhere."""
    return kernels.clip_grad(y, x, low, high, closed)


def promote_branches(values: list[Any]) -> list[Any]:
    return [values[0], *promote(values[1:])]


@primitive(
    None,
    lambda g, condition: where(condition, g, 0.0),
    lambda g, condition: where(condition, 0.0, g),
    broadcasts=True,
    promote=promote_branches,
    formula=np.where,
    case=tuple(
        Case(shapes=case.shapes, constants={"condition": np.arange(3) % 2 == number % 2})
        for number, case in enumerate(PAIR)
    ),
)
def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where `condition` holds, else ``y``."""
    return kernels.select(condition, x, y)
