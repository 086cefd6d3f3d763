"""Walking through a parameter, its gradient and its state in pieces that stay in the cache.

An update is a dozen NumPy calls, each a pass over its operands. On whole arrays every pass fetches
them from memory again; on pieces of a few thousand elements only the first one does, and the
results between the passes need no memory of the parameter's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

BLOCK = 32_768
"""Elements per piece: half a dozen float32 pieces (128 KiB each) fit the second-level cache."""


def blocks(param: Array, grad: Array, *state: Array, spare: int) -> Iterator[list[Array]]:
    """Yield matching flat pieces of `param`, `grad` and each of `state`, then `spare` buffers.

    Writes to the pieces of `param` and `state` reach the arrays; the buffers are uninitialised.
    """
    size = param.size
    buffers = np.empty((spare, min(size, BLOCK)), param.dtype)
    arrays = (param, grad, *state)
    # (d0, d1, ...) -> (size,); a copy where the memory is not in this order
    flat = [array.reshape(-1) for array in arrays]
    if size <= BLOCK:
        if size:
            yield [*flat, *buffers]
    else:
        for start in range(0, size, BLOCK):
            stop = min(start + BLOCK, size)
            yield [*(a[start:stop] for a in flat), *(b[: stop - start] for b in buffers)]
    for array, piece in zip(arrays, flat, strict=True):
        if array is not grad and not array.flags.c_contiguous:
            array[...] = piece.reshape(array.shape)  # (size,) -> (d0, d1, ...)


def descent_direction(p: Array, g: Array, weight_decay: float, maximize: bool, out: Array) -> Array:
    """The gradient of what is minimised: ``g + weight_decay * p``, with ``-g`` to maximise.

    Returns `g` itself where nothing changes, else `out`.
    """
    if weight_decay:
        np.multiply(p, weight_decay, out=out)
        return np.subtract(out, g, out=out) if maximize else np.add(out, g, out=out)
    return np.negative(g, out=out) if maximize else g


def average(mean: Array, value: Array, weight: float, out: Array) -> None:
    """Move a running mean towards a value: ``mean += weight * (value - mean)``."""
    np.subtract(value, mean, out=out)
    out *= weight
    mean += out


def average_square(mean: Array, value: Array, decay: float, out: Array) -> None:
    """Update a running mean of squares: ``mean = decay * mean + (1 - decay) * value**2``."""
    np.multiply(value, value, out=out)
    out *= 1.0 - decay
    mean *= decay
    mean += out
