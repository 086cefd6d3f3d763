"""Pooling over the last dimensions of an array, whatever stands before them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels.numpy_select import mask_into
from autograd.kernels.threads import share
from autograd.kernels.windows import Windows, plane_blocks

ELEMENT = 8
"""Work of one element, in the multiplications that `share` counts."""
BLOCK = 1 << 21
"""Bytes that are worked on at a time: shorter calls would have threads wait for each other."""
FEW = 9
"""Positions of a kernel up to which the gradient is cheaper in one pass for each."""


def max_pool(x: Any, windows: Windows) -> tuple[Any, Any]:
    """The maximum of each window and its place: a number within the window, in row-major order.

    The first of equal maxima is taken. A NaN is larger than everything; the last one is taken.
    """
    lead = x.shape[: x.ndim - len(windows.sizes)]
    out: Any = np.empty((*lead, *windows.out), x.dtype)
    places: Any = np.empty(out.shape, np.min_scalar_type(prod(windows.kernel) - 1))
    if not out.size:
        return out, places
    planes = x.reshape(-1, *windows.sizes)
    best_planes = out.reshape(-1, *windows.out)
    place_planes = places.reshape(best_planes.shape)
    taps = list(enumerate(windows.taps()))
    whole = windows.overlaps()[0] == tuple(slice(0, extent) for extent in windows.extents)
    first = None if whole else windows.first_places()
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min

    def pool(shared: slice) -> None:
        for block in plane_blocks(planes, shared, BLOCK):
            part, best, place = planes[block], best_planes[block], place_planes[block]
            larger, marked = np.empty(best.shape, bool), np.empty(best.shape, places.dtype)
            if first is None:
                best[...] = part[(..., *taps[0][1][1])]
                place[...] = 0
            else:
                best[...] = lowest
                place[...] = first
            for number, (outs, ins) in taps if first is not None else taps[1:]:
                own: Any = (..., *outs)
                values = part[(..., *ins)]
                np.greater(values, best[own], out=larger[own])
                np.maximum(best[own], values, out=best[own])
                # numbers rise, so the largest one marked is the last that was larger
                np.multiply(larger[own].view(np.uint8), places.dtype.type(number), out=marked[own])
                np.maximum(place[own], marked[own], out=place[own])
            if x.dtype.kind == "f" and np.isnan(np.max(best)):
                for number, (outs, ins) in taps:
                    place[(..., *outs)][np.isnan(part[(..., *ins)])] = number

    share(pool, len(planes), len(taps) * out.size * ELEMENT, blas=False)
    return out, places


def max_pool_indices(places: Any, windows: Windows) -> Any:
    """Where the maxima are: flat indices into the pooled dimensions of the input."""
    return np.take(windows.flat_steps(), places) + windows.flat_starts()


def flat_places(places: Any, windows: Windows) -> Any:
    """Where the maxima are in an input (planes, sizes...): one flat index each."""
    flat = max_pool_indices(places, windows).reshape(-1, prod(windows.out))
    flat += (np.arange(len(flat)) * prod(windows.sizes))[:, None]
    return flat.reshape(-1)


def max_pool_grad(g: Any, places: Any, windows: Windows) -> Any:
    """Zeros of the input's shape with g added where the maxima were."""
    lead = g.shape[: g.ndim - len(windows.out)]
    grad = np.zeros((*lead, *windows.sizes), g.dtype)
    if not g.size:
        return grad
    values = g.reshape(-1, *windows.out)
    place_planes = places.reshape(values.shape)
    planes: Any = grad.reshape(-1, *windows.sizes)
    few = not windows.overlapping and prod(windows.kernel) <= FEW and g.dtype.kind == "f"

    def put_back(shared: slice) -> None:
        for block in plane_blocks(planes, shared, BLOCK):
            part, place, target = values[block], place_planes[block], planes[block]
            if few:
                here, masked = np.empty(part.shape, bool), np.empty(part.shape, g.dtype)
                for number, (outs, ins) in enumerate(windows.taps()):
                    own: Any = (..., *outs)
                    np.equal(place[own], number, out=here[own])
                    mask_into(masked[own], part[own], here[own])
                    target[(..., *ins)] = masked[own]
                continue
            flat = flat_places(place, windows)
            if windows.overlapping:
                np.add.at(target.reshape(-1), flat, part.reshape(-1))
            else:
                target.reshape(-1)[flat] = part.reshape(-1)

    share(put_back, len(planes), 2 * grad.size * ELEMENT, blas=False)
    return grad


def max_pool_pick(x: Any, places: Any, windows: Windows) -> Any:
    """The values of x where the maxima were."""
    if not places.size:
        return np.zeros(places.shape, x.dtype)
    return np.take(x, flat_places(places, windows)).reshape(places.shape)


def sum_pool(x: Any, windows: Windows) -> Any:
    """The sum of each window, one dimension after the other."""
    lead = x.ndim - len(windows.sizes)
    whole = windows.whole_axes()
    if whole:
        x = np.sum(x, axis=tuple(lead + axis for axis in whole), keepdims=True)
    for axis in reversed(range(len(windows.sizes))):
        if axis in whole:
            continue
        out = windows.out[axis]
        skip = (slice(None),) * (lead + axis)
        total = np.zeros((*x.shape[: lead + axis], out, *x.shape[lead + axis + 1 :]), x.dtype)
        for outs, ins in windows.reach(axis):
            total[(*skip, outs)] += x[(*skip, ins)]
        x = total
    return x


def spread_pool(g: Any, windows: Windows) -> Any:
    """The transpose of `sum_pool`: each value added to every input of its window."""
    lead = g.ndim - len(windows.sizes)
    if windows.side_by_side:
        ones = [part for size in windows.out for part in (size, 1)]
        pairs = [part for pair in zip(windows.out, windows.kernel, strict=True) for part in pair]
        # (..., out) -> (..., out, 1) -> (..., out, kernel) -> (..., size), of each dimension
        stretched = np.broadcast_to(g.reshape(*g.shape[:lead], *ones), (*g.shape[:lead], *pairs))
        return np.array(stretched.reshape(*g.shape[:lead], *windows.sizes), order="C")
    for axis, size in enumerate(windows.sizes):
        skip = (slice(None),) * (lead + axis)
        spread = np.zeros((*g.shape[: lead + axis], size, *g.shape[lead + axis + 1 :]), g.dtype)
        for outs, ins in windows.reach(axis):
            spread[(*skip, ins)] += g[(*skip, outs)]
        g = spread
    return g
