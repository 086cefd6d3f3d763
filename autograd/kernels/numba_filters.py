"""What `winograd` makes of kernels, and of their gradients, compiled; see `numba_tiles`."""

from __future__ import annotations

from typing import Any

from autograd.kernels.compiled import Floats, compiled, inner
from autograd.kernels.late_numba import intp
from autograd.kernels.numba_crew import shared
from autograd.kernels.numba_room import empty, release
from autograd.kernels.numba_transform import transform, transpose
from autograd.kernels.numba_vectors import LANES, add
from autograd.kernels.winograd_tiles import TILE

__all__ = ["gather", "gather_some", "transform_kernels"]


@compiled
def transform_kernels(
    weights: Floats,
    out: Floats,
    size: int,
    pitch: int,
    turned: bool,
    first: int,
    last: int,
) -> None:
    """Kernels (n, r*r) -> (F, pitch), some of them."""
    shared()
    n, elements = size + TILE - 1, size * size
    groups = (elements + LANES - 1) // LANES
    square = empty(out, groups * LANES * LANES)
    partly = empty(out, n * size * LANES)
    rest = empty(out, n * n * LANES)
    corner, way = (elements - 1, -1) if turned else (0, 1)
    step = way * size * LANES
    for kernel in range(first, last, LANES):
        start = kernel * elements
        if start + (LANES - 1) * elements + groups * LANES <= weights.size:
            for group in range(0, groups * LANES, LANES):
                transpose(weights, start + group, elements, square, group * LANES, LANES)
        else:
            for j in range(min(LANES, last - kernel)):
                for i in range(elements):
                    square[i * LANES + j] = weights[start + j * elements + i]
        for x in range(size):
            transform(
                "kernels", size, square, (corner + way * x) * LANES, step, TILE * step,
                partly, x * LANES, size * LANES, LANES, LANES, 0,
            )  # fmt: skip
        whole = kernel + LANES <= last
        target, into, apart = (out, kernel, pitch) if whole else (rest, 0, LANES)
        for k in range(n):
            transform(
                "kernels", size, partly, k * size * LANES, LANES, TILE * LANES,
                target, into + k * n * apart, apart, LANES, LANES, 0,
            )  # fmt: skip
        if not whole:
            for k in range(n * n):
                for j in range(last - kernel):
                    out[k * pitch + kernel + j] = rest[k * LANES + j]
    release(square)
    release(partly)
    release(rest)


@compiled
def gather(
    totals: Floats,
    out: Floats,
    size: int,
    kernels: int,
    pitch: int,
    first: int,
    last: int,
) -> None:
    """The sum of some (F, pitch) -> gradients (kernels, r*r), for vectors of kernels."""
    shared()
    start, stop, n = first * LANES, min(kernels, last * LANES), size + TILE - 1
    several = totals.size // (n * n * pitch)
    gather_some(totals, intp(0), several, out, intp(0), size, start, stop, pitch)


@inner
def gather_some(
    totals: Any,
    origin: int,
    several: int,
    out: Any,
    place: int,
    size: int,
    start: int,
    stop: int,
    pitch: int,
) -> None:
    """The sum of some (F, pitch) -> gradients, each of r*r values, of kernels from start to stop.

    That of kernel k goes to number ``place + k``. The first of the summands, which begins at
    `origin`, becomes the sum. Not for literal numbers, for which Numba would compile it once more.
    """
    n, elements = size + TILE - 1, size * size
    square = empty(out, elements * LANES)
    partly = empty(out, n * size * LANES)
    for kernel in range(start, stop, LANES):
        for part in range(1, several):
            for k in range(origin + kernel, origin + n * n * pitch, pitch):
                add(totals, part * n * n * pitch + k, totals, k, LANES)
        for k in range(n):
            transform(
                "kernels_gradient", size, totals, origin + k * n * pitch + kernel, pitch,
                TILE * pitch, partly, k * size * LANES, LANES, LANES, LANES, 0,
            )  # fmt: skip
        step = size * LANES
        for x in range(size):
            transform(
                "kernels_gradient", size, partly, x * LANES, step, TILE * step,
                square, x * LANES, step, LANES, LANES, 0,
            )  # fmt: skip
        for j in range(min(LANES, stop - kernel)):
            for i in range(elements):
                out[(place + kernel + j) * elements + i] = square[i * LANES + j]
    release(square)
    release(partly)
