"""Loops that standardize rows, (R, D) with the statistics of each r: for `numba_norm`."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compiled import Floats, Floats2d, Floats4d, compiled, inlined
from autograd.kernels.numba_crew import shared
from autograd.kernels.numba_norm_channels import spread_of


@compiled
def scale_rows(
    x: Floats2d,
    out: Floats2d,
    mean: Floats,
    inverse: Floats,
    weight: Floats2d,
    bias: Floats2d,
    eps: float,
    find: bool,
    first: int,
    last: int,
) -> None:
    shared()
    size, pieces = x.shape[1], weight.shape[1]
    long = size // pieces
    for r in range(first, last):
        values, row = x[r], out[r]
        if find:
            middle, square = spread_of(values)
            mean[r] = middle
            inverse[r] = 1 / np.sqrt(square / size + eps)
        at = r % len(weight)
        factor, shift = weight[at], bias[at]
        middle, scale = mean[r], inverse[r]
        if long == 1:
            for i in range(size):
                row[i] = (values[i] - middle) * scale * factor[i] + shift[i]
            continue
        for piece in range(pieces):
            slope, base = scale * factor[piece], shift[piece]
            some, results = values[piece * long :][:long], row[piece * long :][:long]
            for i in range(long):
                results[i] = (some[i] - middle) * slope + base


@compiled
def rows_back(
    g: Floats2d,
    x: Floats2d,
    grad: Floats2d,
    mean: Floats,
    inverse: Floats,
    weight: Floats2d,
    totals: Floats4d,
    affine: bool,
    first: int,
    last: int,
) -> None:
    """The rows of some parts; each adds up gradients of the map in totals of its own."""
    shared()
    several = totals.shape[1]
    for part in range(first, last):
        start, stop = len(x) * part // several, len(x) * (part + 1) // several
        some_rows_back(
            g, x, grad, mean, inverse, weight, totals[0, part], totals[1, part], affine, start, stop
        )


@inlined
def some_rows_back(
    g: Any,
    x: Any,
    grad: Any,
    mean: Any,
    inverse: Any,
    weight: Any,
    weight_grad: Any,
    bias_grad: Any,
    affine: bool,
    start: int,
    stop: int,
) -> None:
    size, pieces = x.shape[1], weight.shape[1]
    long = size // pieces
    real = x.dtype.type
    for r in range(start, stop):
        values, row = g[r], x[r]
        middle, scale = mean[r], inverse[r]
        at = r % len(weight)
        factor, weights, biases = weight[at], weight_grad[at], bias_grad[at]
        first, second = real(0), real(0)
        if long == 1:
            for i in range(size):
                value = values[i] * factor[i]
                first += value
                second += value * (row[i] - middle)
            if affine:
                for i in range(size):
                    weights[i] += values[i] * (row[i] - middle) * scale
                    biases[i] += values[i]
        else:
            for piece in range(pieces):
                a, b = real(0), real(0)
                some, known = values[piece * long :][:long], row[piece * long :][:long]
                for i in range(long):
                    a += some[i]
                    b += some[i] * (known[i] - middle)
                first += a * factor[piece]
                second += b * factor[piece]
                if affine:
                    weights[piece] += b * scale
                    biases[piece] += a
        if not grad.size:
            continue
        out = grad[r]
        level = first / real(size)
        slope = second * scale * scale / real(size)
        if long == 1:
            for i in range(size):
                out[i] = (values[i] * factor[i] - level - (row[i] - middle) * slope) * scale
            continue
        for piece in range(pieces):
            some, known = values[piece * long :][:long], row[piece * long :][:long]
            steep, results = factor[piece], out[piece * long :][:long]
            for i in range(long):
                results[i] = (some[i] * steep - level - (known[i] - middle) * slope) * scale
