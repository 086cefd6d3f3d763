"""Matrix products, shared among threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.threads import share


def matmul(x: Any, y: Any) -> Any:
    """``x @ y`` for arrays of two dimensions at least; large products of two matrices in parts.

    A part is a range of rows or of columns of the result, whichever are more.
    """
    if x.ndim != 2 or y.ndim != 2 or x.dtype != y.dtype or x.dtype.kind != "f":
        return np.matmul(x, y)
    rows, columns = x.shape[0], y.shape[1]
    out = np.empty((rows, columns), x.dtype)
    work = rows * columns * x.shape[1]
    if rows >= columns:
        share(lambda part: np.matmul(x[part], y, out=out[part]), rows, work)
    else:
        share(lambda part: np.matmul(x, y[:, part], out=out[:, part]), columns, work)
    return out
