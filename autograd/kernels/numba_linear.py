"""Linear layers of moderate size, compiled: the weight is packed in registers, once a product.

BLAS takes a third longer for a product with a transposed matrix of this size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_matmul
from autograd.kernels.compiled import compiled_exactly
from autograd.kernels.numba_product import DEPTH, ROWS, WIDTH, pack_rows, tile
from autograd.kernels.threads import get_num_threads, share

LEAST = 1 << 20
"""Multiplications below which a call of BLAS costs less than packing."""
MOST = 1 << 20
"""Elements of a weight above which BLAS, which cuts it into blocks, is the faster one."""
FEW, MANY = 8, 512
"""Rows of the input below which packing is not worth it, and above which BLAS does it as well."""


def linear(x: Any, weight: Any, bias: Any) -> Any:
    """As `numpy_matmul.linear`."""
    outputs, inputs = weight.shape
    rows = x.size // max(1, inputs)
    worth = FEW <= rows <= MANY and rows * weight.size >= LEAST and weight.size <= MOST
    if not worth or not fits(x, weight, bias):
        return numpy_matmul.linear(x, weight, bias)
    out = np.empty((rows, outputs), x.dtype)
    out[...] = 0 if bias is None else bias
    arrays = (x.reshape(-1), weight.reshape(-1), out.reshape(-1))
    panels = -(-outputs // WIDTH)
    threads = get_num_threads()

    def some_columns(part: slice) -> None:
        first, last = part.start * WIDTH, min(outputs, part.stop * WIDTH)
        multiply(*arrays, inputs, outputs, 0, rows, first, last)

    def some_rows(part: slice) -> None:
        first, last = part.start * ROWS, min(rows, part.stop * ROWS)
        multiply(*arrays, inputs, outputs, first, last, 0, outputs)

    if panels % threads == 0 or panels >= 4 * threads:
        share(some_columns, panels, rows * weight.size)
    else:
        share(some_rows, -(-rows // ROWS), rows * weight.size)
    return out.reshape(*x.shape[:-1], outputs)  # (rows, out) -> (..., out)


def fits(*arrays: Any) -> bool:
    """Whether these are float32, in order, and of the kind that the loop is compiled for."""
    return all(
        array is None
        or (array.dtype == np.float32 and array.flags.c_contiguous and array.flags.writeable)
        for array in arrays
    )


@compiled_exactly
def multiply(
    x: Any,
    weight: Any,
    out: Any,
    inputs: int,
    outputs: int,
    top: int,
    bottom: int,
    first: int,
    last: int,
) -> None:
    """Add ``x @ weight.T`` to some rows and columns of the result."""
    panels = np.empty((last - first + WIDTH - 1) // WIDTH * WIDTH * inputs, out.dtype)
    pack_rows(weight[first * inputs : last * inputs], inputs, panels, 0, last - first)
    for column in range(first, last, WIDTH):
        for k in range(0, inputs, DEPTH):
            for row in range(top, bottom, ROWS):
                tile(
                    x,
                    row * inputs + k,
                    inputs,
                    1,
                    bottom - 1 - row,
                    panels,
                    (column - first) * inputs + k * WIDTH,
                    min(DEPTH, inputs - k),
                    out,
                    row * outputs + column,
                    outputs,
                    last - column,
                )
