"""The error function, which NumPy lacks, by Chebyshev interpolation.

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


def erf(x: Any) -> Any:
    """The error function of a real array, in its own precision."""
    x = np.asarray(x)
    wide = x.dtype == np.float64
    work = x if x.dtype in (np.float32, np.float64) else x.astype(np.float32)
    z = np.minimum(np.abs(work), LIMIT)
    t = 2 / (2 + z)
    point = (t - LOW) * (2 / (1 - LOW)) - 1
    # Clenshaw's recurrence for the Chebyshev series
    before, last = np.zeros_like(point), np.zeros_like(point)
    series = coefficients(28 if wide else 12)
    for coefficient in series[:0:-1]:
        before, last = 2 * point * before - last + coefficient, before
    exponent = point * before - last + series[0]
    far = 1 - t * np.exp(exponent - z * z)
    square = z * z
    near = np.zeros_like(z)
    for coefficient in reversed(taylor(16 if wide else 8)):
        near = near * square + coefficient
    result = np.copysign(np.where(z < 0.6, near * z, far), work)
    return np.where(np.isnan(work), work, result).astype(x.dtype, copy=False)
