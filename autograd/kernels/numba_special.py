"""The compiled error function in float32: the polynomial of the reference, in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import special
from autograd.kernels.compiled import Floats, compiled_exactly, in_order
from autograd.kernels.numba_crew import share, shared


def erf(x: Any) -> Any:
    """As `special.erf`."""
    if not isinstance(x, np.ndarray) or x.dtype != np.float32:
        return special.erf(x)
    out = np.empty(x.shape, x.dtype)
    values, results = in_order(x), out.reshape(-1)  # (d0, d1, ...) -> (size,)
    powers = np.array(special.polynomial(), x.dtype)
    share(horner, x.size, x.size * 16, values, results, powers, special.SINGLE_LIMIT)
    return out


@compiled_exactly
def horner(
    x: Floats,
    out: Floats,
    powers: Floats,
    limit: float,
    first: int,
    last: int,
) -> None:
    shared()
    x, out = x[first:last], out[first:last]
    real = x.dtype.type
    end, scale, one = real(limit), real(2 / limit**2), real(1)
    for i in range(x.size):
        z = abs(x[i])
        t = z * z * scale - one
        total = powers[0]
        for k in range(1, 18):  # special.DEGREE; a constant, so that the outer loop is vectorized
            total = total * t + powers[k]
        value = one if z >= end else total * z
        out[i] = np.copysign(value, x[i])
