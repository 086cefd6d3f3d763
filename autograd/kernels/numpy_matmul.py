"""Matrix products, shared among threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.half import in_single
from autograd.kernels.threads import share


@in_single
def matmul(x: Any, y: Any) -> Any:
    """``x @ y`` for arrays of two dimensions at least.

    Large products of two matrices are computed in parts, ranges of rows or of columns of the
    result, whichever are more; those of many matrices, some in each thread.
    """
    if x.dtype != y.dtype or x.dtype.kind != "f":
        return np.matmul(x, y)
    if y.ndim == 2:
        if x.ndim == 2:
            return product(x, y)
        if x.size:
            # (..., rows, inner) -> (...*rows, inner); a copy takes less than many small products
            return product(x.reshape(-1, x.shape[-1]), y, None, x.shape[:-1])
    if x.ndim != y.ndim or x.shape[:-2] != y.shape[:-2]:
        return np.matmul(x, y)
    out = np.empty((*x.shape[:-1], y.shape[-1]), x.dtype)
    work = x.size * y.shape[-1]
    share(lambda part: np.matmul(x[part], y[part], out=out[part]), len(x), work)
    return out


@in_single
def linear(x: Any, weight: Any, bias: Any) -> Any:
    """``x @ weight.T + bias`` for x (..., in), weight (out, in) and bias (out,) or None."""
    if x.dtype == weight.dtype and x.dtype.kind == "f" and x.size:
        # (..., in) -> (rows, in), a copy where it has to be
        return product(x.reshape(-1, x.shape[-1]), weight.T, bias, x.shape[:-1])
    out = matmul(x, weight.T)
    if bias is not None:
        out += bias
    return out


def product(x: Any, y: Any, bias: Any = None, lead: tuple[int, ...] | None = None) -> Any:
    """``x @ y`` for two matrices, plus a row; its rows laid out with other sizes, if given."""
    rows, columns = x.shape[0], y.shape[1]
    result = np.empty((*((rows,) if lead is None else lead), columns), x.dtype)
    out = result.reshape(rows, columns)

    def multiply(some: slice, part: slice) -> None:
        some_of_it = np.matmul(x[some], y[:, part], out=out[some, part])
        if bias is not None:
            some_of_it += bias[part]

    work = rows * columns * x.shape[1]
    if rows >= columns:
        share(lambda part: multiply(part, slice(None)), rows, work)
    else:
        share(lambda part: multiply(slice(None), part), columns, work)
    return result
