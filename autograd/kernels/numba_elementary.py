"""Elementary functions of vector registers in float32, to a few units in the last place.

They write code of LLVM, as `numba_vectors` does, and hold for all arguments: infinity, NaN and
numbers so small that float32 has fewer digits for them included.
"""

from __future__ import annotations

import math
from typing import Any

from llvmlite import ir

from autograd.kernels import special
from autograd.kernels.numba_vectors import (
    INTEGERS,
    LANES,
    LN2_HIGH,
    LN2_LOW,
    ROUNDING,
    VECTOR,
    absolute,
    fused,
    number,
)

__all__ = ["erf", "exp", "expm1", "log", "log1p", "sigmoid"]

LOWEST, HIGHEST = -104.0, 89.0
"""Where the exponential is 0 and infinite in float32, and further away."""
SMALLEST = 2.0**-126
"""The smallest number with all digits."""
TERMS = 6
"""Of the series ``atanh(s) / s`` in powers of ``s * s``, for ``s * s`` below 0.03."""


def whole(value: int) -> Any:
    return ir.Constant(INTEGERS, [value] * LANES)


def power_of_two(builder: Any, n: Any) -> Any:
    """2**n for whole numbers from -126 to 127."""
    return builder.bitcast(builder.shl(builder.add(n, whole(127)), whole(23)), VECTOR)


def parted(builder: Any, x: Any) -> tuple[Any, Any, Any]:
    """With ``x = n ln 2 + r``: ``exp(r) - 1``, and two powers of two whose product is ``2**n``.

    ``exp(r)`` by a Taylor polynomial of degree 7. NaN stays NaN.
    """
    for sign, limit in (("<", LOWEST), (">", HIGHEST)):
        x = builder.select(builder.fcmp_ordered(sign, x, number(limit)), number(limit), x)
    rounded = fused(builder, x, number(1 / math.log(2)), number(ROUNDING))
    n = builder.fsub(rounded, number(ROUNDING))
    rest = fused(builder, n, number(-LN2_HIGH), x)
    rest = fused(builder, n, number(-LN2_LOW), rest)
    total = number(1 / math.factorial(7))
    for k in range(6, 1, -1):
        total = fused(builder, total, rest, number(1 / math.factorial(k)))
    less = fused(builder, builder.fmul(rest, rest), total, rest)
    bits = builder.bitcast(number(ROUNDING), INTEGERS)
    count = builder.sub(builder.bitcast(rounded, INTEGERS), bits)
    half = builder.ashr(count, whole(1))
    powers = power_of_two(builder, half), power_of_two(builder, builder.sub(count, half))
    return less, *powers


def exp(builder: Any, x: Any) -> Any:
    """``(1 + (exp(r) - 1)) * 2**n``, the power in two steps, for it may be out of range."""
    less, first, second = parted(builder, x)
    return builder.fmul(fused(builder, less, first, first), second)


def expm1(builder: Any, x: Any) -> Any:
    """``(exp(r) - 1) * 2**n + (2**n - 1)``; beyond 2**40 the exponential itself."""
    less, first, second = parted(builder, x)
    power = builder.fmul(first, second)
    near = fused(builder, builder.fmul(less, first), second, builder.fsub(power, number(1.0)))
    far = builder.fmul(fused(builder, less, first, first), second)
    return builder.select(builder.fcmp_ordered(">", x, number(40 * math.log(2))), far, near)


def log(builder: Any, x: Any) -> Any:
    """``n ln 2 + 2 atanh(s)`` with ``x = 2**n m``, ``s = (m - 1) / (m + 1)``, m near 1."""
    small = builder.fcmp_ordered("<", x, number(SMALLEST))
    scaled = builder.select(small, builder.fmul(x, number(2.0**25)), x)
    bits = builder.bitcast(scaled, INTEGERS)
    # so that m runs from the root of 1/2 to that of 2
    root = 0x3F3504F3
    shifted = builder.sub(bits, whole(root))
    count = builder.ashr(shifted, whole(23))
    mantissa = builder.add(builder.and_(shifted, whole(0x7FFFFF)), whole(root))
    m = builder.bitcast(mantissa, VECTOR)
    n = builder.sitofp(count, VECTOR)
    n = builder.fsub(n, builder.select(small, number(25.0), number(0.0)))
    excess = builder.fsub(m, number(1.0))
    s = builder.fdiv(excess, builder.fadd(m, number(1.0)))
    square = builder.fmul(s, s)
    total = number(1 / (2 * TERMS - 1))
    for k in range(TERMS - 2, 0, -1):
        total = fused(builder, total, square, number(1 / (2 * k + 1)))
    # 2 atanh(s) = 2 s + 2 s**3 (1/3 + ...), where 2 s = excess - s * excess is nearly exact
    cubed = builder.fmul(builder.fmul(square, total), number(2.0))
    rest = fused(builder, s, builder.fsub(cubed, excess), builder.fmul(n, number(LN2_LOW)))
    result = fused(builder, n, number(LN2_HIGH), builder.fadd(excess, rest))
    infinite = builder.fcmp_ordered("==", x, number(math.inf))
    result = builder.select(infinite, x, result)
    zero = builder.fcmp_ordered("==", x, number(0.0))
    result = builder.select(zero, number(-math.inf), result)
    negative = builder.fcmp_unordered("<", x, number(0.0))  # and NaN
    return builder.select(negative, number(math.nan), result)


def log1p(builder: Any, x: Any) -> Any:
    """``log(u) + (x - (u - 1)) / u`` with ``u = 1 + x`` as rounded; x itself near 0."""
    u = builder.fadd(x, number(1.0))
    lost = builder.fdiv(builder.fsub(x, builder.fsub(u, number(1.0))), u)
    ordinary = builder.fcmp_ordered("<", absolute(builder, lost), number(1.0))  # no infinity or 0
    lost = builder.select(ordinary, lost, number(0.0))
    result = builder.fadd(log(builder, u), lost)
    tiny = builder.fcmp_ordered("<", absolute(builder, x), number(2.0**-25))
    return builder.select(tiny, x, result)


def sigmoid(builder: Any, x: Any) -> Any:
    """``1 / (1 + exp(-x))``"""
    return builder.fdiv(number(1.0), builder.fadd(exp(builder, builder.fneg(x)), number(1.0)))


def erf(builder: Any, x: Any) -> Any:
    """The polynomial of `special`; 1 and -1 from `special.SINGLE_LIMIT` on."""
    size = absolute(builder, x)
    square = builder.fmul(size, size)
    t = fused(builder, square, number(2 / special.SINGLE_LIMIT**2), number(-1.0))
    highest, *others = special.polynomial()
    total = number(highest)
    for coefficient in others:
        total = fused(builder, total, t, number(coefficient))
    far = builder.fcmp_ordered(">=", size, number(special.SINGLE_LIMIT))
    bits = builder.bitcast(builder.select(far, number(1.0), builder.fmul(total, size)), INTEGERS)
    sign = builder.and_(builder.bitcast(x, INTEGERS), whole(-(1 << 31)))
    return builder.bitcast(builder.or_(bits, sign), VECTOR)
