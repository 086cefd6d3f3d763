"""Loops that standardize channels, (N, C, P) with the statistics of each c: for `numba_norm`."""

from __future__ import annotations

from typing import Any

from autograd.kernels.compiled import Floats, Floats3d, compiled, compiled_exactly, inlined
from autograd.kernels.numba_crew import shared


@inlined
def spread_of(row: Any) -> Any:
    """The mean of a row, and the sum of the squared distances from it."""
    total = row.dtype.type(0)
    for i in range(row.size):
        total += row[i]
    mean = total / row.dtype.type(row.size)
    square = row.dtype.type(0)
    for i in range(row.size):
        square += (row[i] - mean) * (row[i] - mean)
    return mean, square


@compiled
def channel_moments(x: Floats3d, mean: Floats, variance: Floats, first: int, last: int) -> None:
    """Planes are joined as in Chan, Golub and LeVeque 1983: as stable as two passes."""
    shared()
    images, size = len(x), x.shape[2]
    for c in range(first, last):
        middle, square = 0.0, 0.0
        for n in range(images):
            own, own_square = spread_of(x[n, c])
            change = own - middle
            middle += change / (n + 1)
            square += own_square + change * change * (size * n / (n + 1))
        mean[c] = middle
        variance[c] = square / (images * size)


@compiled_exactly
def scale_channels(
    x: Floats,
    out: Floats,
    mean: Floats,
    factor: Floats,
    shift: Floats,
    planes: int,
    first: int,
    last: int,
) -> None:
    shared()
    size = x.size // planes
    for p in range(first, last):
        c = p % mean.size
        values, row = x[p * size : (p + 1) * size], out[p * size : (p + 1) * size]
        middle, scale, base = mean[c], factor[c], shift[c]
        for i in range(values.size):
            row[i] = (values[i] - middle) * scale + base


@compiled
def channels_back(
    g: Floats3d,
    x: Floats3d,
    grad: Floats3d,
    mean: Floats,
    inverse: Floats,
    weight: Floats,
    weight_grad: Floats,
    bias_grad: Floats,
    first: int,
    last: int,
) -> None:
    shared()
    images, size = len(x), x.shape[2]
    real = x.dtype.type
    for c in range(first, last):
        total, second = 0.0, 0.0
        middle = mean[c]
        for n in range(images):
            values, row = g[n, c], x[n, c]
            a, b = real(0), real(0)
            for i in range(size):
                a += values[i]
                b += values[i] * (row[i] - middle)
            total += a
            second += b
        bias_grad[c] = total
        weight_grad[c] = second * inverse[c]
        if not grad.size:
            continue
        scale = real(inverse[c] * weight[c])
        level = real(total / (images * size))
        slope = real(second * inverse[c] * inverse[c] / (images * size))
        for n in range(images):
            values, row, out = g[n, c], x[n, c], grad[n, c]
            for i in range(size):
                out[i] = (values[i] - level - (row[i] - middle) * slope) * scale
