"""The error function, which NumPy lacks, by Chebyshev interpolation.

In float32 ``erf(x) / x``, a smooth function of the square of x, is a polynomial up to where erf is
1 to the last bit. float64 needs more.

For z >= 0 the function ``log(erfc(z) / t) + z * z`` of ``t = 2 / (2 + z)`` is smooth and nearly
flat, so a short Chebyshev series gives erfc to the last bits (Press et al., *Numerical Recipes*,
3rd edition, section 6.2). The coefficients are computed once from `math.erfc`, per precision.
Near zero, where ``1 - erfc`` would cancel, the Taylor series takes over.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from autograd.kernels.threads import share

SINGLE_LIMIT = 3.95
DEGREE = 17
BLOCK = 1 << 17
"""Elements that are worked on at a time: shorter calls would have threads wait for each other."""
ELEMENT = 128
"""Work of one element, in the multiplications that `share` counts."""

LIMIT = 6.0  # erf(6) is 1 to the last bit of float64
LOW = 2 / (2 + LIMIT)  # t runs from LOW, at LIMIT, to 1, at 0


@cache
def coefficients(degree: int) -> tuple[float, ...]:
    """Chebyshev coefficients of ``log(erfc(z) / t) + z * z`` on -1 ... 1, mapped from t."""

    def exponent(point: Any) -> Any:
        t = LOW + (point + 1) * (1 - LOW) / 2
        z = 2 / t - 2
        return np.array([math.log(math.erfc(v)) + v * v for v in z]) - np.log(t)

    return tuple(float(c) for c in chebyshev.chebinterpolate(exponent, degree))


@cache
def taylor(terms: int) -> tuple[float, ...]:
    """Coefficients of ``erf(x) / x`` in powers of ``x * x``."""
    return tuple(
        2 / math.sqrt(math.pi) * (-1) ** n / (math.factorial(n) * (2 * n + 1)) for n in range(terms)
    )


@cache
def polynomial() -> tuple[float, ...]:
    """Coefficients of ``erf(x) / x`` in ``2 * (x / SINGLE_LIMIT)**2 - 1``, the highest first."""

    def ratio(point: Any) -> Any:
        roots = SINGLE_LIMIT * np.sqrt((point + 1) / 2)
        return np.array([math.erf(root) / root for root in roots])

    powers = chebyshev.cheb2poly(chebyshev.chebinterpolate(ratio, DEGREE))
    return tuple(float(c) for c in powers[::-1])


def erf(x: Any) -> Any:
    """The error function of a real array, in its own precision."""
    x = np.asarray(x)
    if x.dtype == np.float64:
        return erf_double(x)
    out = np.empty(x.shape, np.float32)
    # (d0, d1, ...) -> (size,)
    values, results = np.ascontiguousarray(x, np.float32).reshape(-1), out.reshape(-1)

    def work(part: slice) -> None:
        spare = np.empty((3, min(BLOCK, part.stop - part.start)), np.float32)
        for start in range(part.start, part.stop, BLOCK):
            block = slice(start, min(start + BLOCK, part.stop))
            erf_single(values[block], results[block], spare[:, : block.stop - start])

    share(work, x.size, x.size * ELEMENT, blas=False)
    return out.astype(x.dtype, copy=False)


def erf_into(x: Any, out: Any) -> None:
    """As `erf`, in one thread, to memory that is there; of few elements."""
    if x.dtype == np.float32:
        erf_single(x, out, np.empty((3, *x.shape), x.dtype))
    else:
        np.copyto(out, erf_double(x))


def erf_single(x: Any, out: Any, spare: Any) -> None:
    """Horner's scheme, in place."""
    z, t, sum_ = spare
    np.minimum(np.abs(x, out=z), SINGLE_LIMIT, out=z)
    np.multiply(z, z, out=t)
    t *= 2 / SINGLE_LIMIT**2
    t -= 1
    highest, *others = polynomial()
    sum_.fill(highest)
    for coefficient in others:
        sum_ *= t
        sum_ += coefficient
    sum_ *= z
    np.copyto(sum_, 1, where=z >= SINGLE_LIMIT)
    np.copysign(sum_, x, out=out)


def erf_double(x: Any) -> Any:
    z = np.minimum(np.abs(x), LIMIT)
    t = 2 / (2 + z)
    point = (t - LOW) * (2 / (1 - LOW)) - 1
    # Clenshaw's recurrence for the Chebyshev series
    before, last = np.zeros_like(point), np.zeros_like(point)
    series = coefficients(28)
    for coefficient in series[:0:-1]:
        before, last = 2 * point * before - last + coefficient, before
    exponent = point * before - last + series[0]
    far = 1 - t * np.exp(exponent - z * z)
    square = z * z
    near = np.zeros_like(z)
    for coefficient in reversed(taylor(16)):
        near = near * square + coefficient
    result = np.copysign(np.where(z < 0.6, near * z, far), x)
    return np.where(np.isnan(x), x, result)
