"""Direct convolution with channels of output side by side in vector registers, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compiled import compiled
from autograd.kernels.direct import Plan
from autograd.kernels.direct_ways import HIGH, WIDE, up
from autograd.kernels.numba_lay import buffer_of, lay_out
from autograd.kernels.numba_sums import accumulate
from autograd.kernels.numba_vectors import LANES
from autograd.kernels.threads import share

__all__ = ["collect", "gradient", "prepare", "results"]

BLOCK = WIDE * LANES
"""Channels of output that are side by side."""
POSITIONS = 64
"""Results that share a block of weights at least, if need be from several images."""
COPY = 16
"""What copying a weight costs in multiplications."""


@compiled
def forward(
    x: Any,
    weights: Any,
    bias: Any,
    out: Any,
    buffer: Any,
    scratch: Any,
    lines: Any,
    phases: Any,
    taps: Any,
    points: Any,
    size: int,
    channel: int,
) -> None:
    images, inputs, plane = x.shape
    groups, channels, width = out.shape[1:]
    blocks = weights.shape[1]
    together = len(points) // width
    values, results, factors = x.reshape(-1), out.reshape(-1), weights.reshape(-1)
    for image in range(0, images, together):
        here = min(together, images - image)
        for k in range(here):
            start = (image + k) * inputs * plane
            lay_out(values, start, inputs, plane, channel, lines, phases, buffer[k * size :])
        for number in range(groups * blocks):
            group, first = number // blocks, number % blocks * BLOCK
            shift = group * (inputs // groups) * channel
            for k in range(here * width):
                for o in range(BLOCK):
                    scratch[k * BLOCK + o] = bias[group, first + o]
            for k in range(0, here * width, HIGH):
                accumulate(
                    HIGH, WIDE, buffer, shift, points, k, here * width - 1,
                    taps, len(taps), factors, number * len(taps) * BLOCK, scratch,
                )  # fmt: skip
            for k in range(here):
                for o in range(min(BLOCK, channels - first)):
                    start = (((image + k) * groups + group) * channels + first + o) * width
                    into = results[start : start + width]
                    for p in range(width):
                        into[p] = scratch[(k * width + p) * BLOCK + o]


@compiled
def backward(
    x: Any,
    g: Any,
    totals: Any,
    buffer: Any,
    scratch: Any,
    lines: Any,
    phases: Any,
    taps: Any,
    points: Any,
    size: int,
    channel: int,
) -> None:
    images, inputs, plane = x.shape
    groups, channels, width = g.shape[1:]
    blocks = totals.shape[1]
    together = len(points) // width
    values, incoming = x.reshape(-1), g.reshape(-1)
    for image in range(0, images, together):
        here = min(together, images - image)
        for k in range(here):
            start = (image + k) * inputs * plane
            lay_out(values, start, inputs, plane, channel, lines, phases, buffer[k * size :])
        for number in range(groups * blocks):
            group, first = number // blocks, number % blocks * BLOCK
            shift = group * (inputs // groups) * channel
            for k in range(here):
                for o in range(min(BLOCK, channels - first)):
                    start = (((image + k) * groups + group) * channels + first + o) * width
                    values_of = incoming[start : start + width]
                    for p in range(width):
                        scratch[(k * width + p) * BLOCK + o] = values_of[p]
            for k in range(0, len(taps), HIGH):
                accumulate(
                    HIGH, WIDE, buffer, shift, taps, k, len(taps) - 1,
                    points, here * width, scratch, 0, totals[group, number % blocks].reshape(-1),
                )  # fmt: skip


def several(layout: Plan) -> tuple[Any, int]:
    """Where the results of some images begin in a buffer for all of them, and how many they are."""
    together = max(1, POSITIONS // len(layout.points))
    points = np.arange(together)[:, None] * layout.size + layout.points
    return points.reshape(-1), together


def prepare(rows: Any, bias: Any) -> tuple[Any, Any]:
    """(G, O, K), (G, O) -> (G, B, K, BLOCK), (G, B*BLOCK), rest zeros"""
    groups, channels, taps = rows.shape
    blocks = -(-channels // BLOCK)
    offsets = np.zeros((groups, blocks * BLOCK), np.float32)
    offsets[:, :channels] = bias
    columns = np.empty((groups, blocks, taps, BLOCK), np.float32)

    def turn(part: slice) -> None:
        for number in range(part.start, part.stop):
            group, block = divmod(number, blocks)
            some = rows[group, block * BLOCK :][:BLOCK]
            columns[group, block, :, : len(some)] = some.T
            columns[group, block, :, len(some) :] = 0

    share(turn, groups * blocks, columns.size * COPY, blas=False)
    return columns, offsets


def results(x: Any, kernel: tuple[Any, Any], out: Any, layout: Plan) -> None:
    """(n, G*C, P) convolved by what `prepare` made -> (n, G, O, L)"""
    points, together = several(layout)
    forward(
        x,
        *kernel,
        out,
        buffer_of(layout, together),
        np.empty(up(len(points), HIGH) * BLOCK, np.float32),
        layout.lines,
        layout.phases,
        layout.taps,
        points,
        layout.size,
        layout.channel,
    )


def gradient(x: Any, g: Any, layout: Plan) -> Any:
    """(n, G*C, P), (n, G, O, L) -> what can be added up, and then collected"""
    points, together = several(layout)
    groups, outputs = g.shape[1:3]
    totals = np.zeros(
        (groups, up(outputs, BLOCK) // BLOCK, up(len(layout.taps), HIGH), BLOCK), np.float32
    )
    backward(
        x,
        g,
        totals,
        buffer_of(layout, together),
        np.zeros(len(points) * BLOCK, np.float32),
        layout.lines,
        layout.phases,
        layout.taps,
        points,
        layout.size,
        layout.channel,
    )
    return totals


def collect(total: Any, groups: int, outputs: int, taps: int) -> Any:
    """The gradient (G, O, K) out of sums."""
    grad = np.empty((groups, outputs, taps), np.float32)
    blocks = total.shape[1]

    def turn(part: slice) -> None:
        for number in range(part.start, part.stop):
            group, block = divmod(number, blocks)
            some = grad[group, block * BLOCK :][:BLOCK]
            some[...] = total[group, block, :taps, : len(some)].T

    share(turn, groups * blocks, grad.size * COPY, blas=False)
    return grad
