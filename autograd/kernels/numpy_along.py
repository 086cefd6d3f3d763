"""Values picked along an axis by an index, and their gradients; see `gather` in `autograd`.

Places are numbered through the flat array, so that NumPy needs one index instead of one for each
axis. The work is cut along the first axis.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels.threads import share

__all__ = ["add_along", "take_along"]

ELEMENT = 24
"""Work of one element, in the multiplications that `share` counts."""


def take_along(x: Any, index: Any, axis: int) -> Any:
    """``out[i, j] = x[i, index[i, j]]`` for axis 1, and so on; the index fits and is not empty."""
    flat, out = x.reshape(-1), np.empty(index.shape, x.dtype)

    def work(part: slice) -> None:
        np.take(flat, places(index, x.shape, axis, part), out=out[part], mode="clip")

    share(work, len(index), index.size * ELEMENT, blas=False)
    return out


def add_along(g: Any, index: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Zeros of a shape with g added where `take_along` picked it; long sums in double precision."""
    total = np.zeros(shape, g.dtype)
    if g.dtype.kind != "f":
        whole = places(index, shape, axis, slice(0, len(index)))
        np.add.at(total.reshape(-1), whole.reshape(-1), g.reshape(-1))
        return total

    def work(part: slice) -> None:
        rows = slice(0, shape[0]) if axis == 0 else part
        begin, size = rows.start * prod(shape[1:]), (rows.stop - rows.start) * prod(shape[1:])
        targets = places(index, shape, axis, part).reshape(-1) - begin
        sums = np.bincount(targets, g[part].reshape(-1), size)
        total[rows] = sums.reshape(total[rows].shape)

    if axis == 0:
        work(slice(0, len(index)))
    else:
        share(work, len(index), index.size * ELEMENT, blas=False)
    return total


def places(index: Any, shape: tuple[int, ...], axis: int, part: slice) -> Any:
    """Of some of the elements that an index picks, in the flat array."""
    found = index[part] * prod(shape[axis + 1 :])
    for other in range(len(shape)):
        if other != axis:
            start = part.start if other == 0 else 0
            steps = np.arange(start, start + found.shape[other]) * prod(shape[other + 1 :])
            found += steps.reshape([-1 if k == other else 1 for k in range(len(shape))])
    return found
