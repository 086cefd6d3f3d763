"""Direct convolution with channels of output side by side in vector registers, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import threads
from autograd.kernels.compiled import compiled, inlined
from autograd.kernels.direct import Plan
from autograd.kernels.direct_ways import WIDE, up
from autograd.kernels.numba_crew import hand_out, share
from autograd.kernels.numba_lay import lay_out
from autograd.kernels.numba_sums import accumulate
from autograd.kernels.numba_vectors import HIGH, LANES

__all__ = ["collect", "gradient", "prepare", "results"]

BLOCK = WIDE * LANES
"""Channels of output that are side by side."""
POSITIONS = 64
"""Results that share a block of weights at least, if need be from several images."""
COPY = 16
"""What copying a weight costs in multiplications."""


@compiled
def forward(
    board: Any,
    count: int,
    parts: int,
    x: Any,
    weights: Any,
    bias: Any,
    out: Any,
    lines: Any,
    phases: Any,
    taps: Any,
    points: Any,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> Any:
    if first < 0:
        return hand_out(board, count, parts)
    _, inputs, plane = x.shape
    groups, channels, width = out.shape[1:]
    blocks = weights.shape[1]
    together = len(points) // width
    values, results, factors = x.reshape(-1), out.reshape(-1), weights.reshape(-1)
    buffer = np.zeros(together * size, x.dtype)
    scratch = np.empty((len(points) + HIGH - 1) // HIGH * HIGH * BLOCK, x.dtype)
    for image in range(first, last, together):
        here = min(together, last - image)
        for k in range(here):
            start = (image + k) * inputs * plane
            lay_out(values, start, inputs, plane, channel, lines, phases, buffer[k * size :])
        for number in range(groups * blocks):
            group, begin = number // blocks, number % blocks * BLOCK
            shift = group * (inputs // groups) * channel
            for k in range(here * width):
                for o in range(BLOCK):
                    scratch[k * BLOCK + o] = bias[group, begin + o]
            for k in range(0, here * width, HIGH):
                accumulate(
                    HIGH, WIDE, buffer, shift, points, k, here * width - 1,
                    taps, len(taps), factors, number * len(taps) * BLOCK, scratch,
                )  # fmt: skip
            for k in range(here):
                for o in range(min(BLOCK, channels - begin)):
                    start = (((image + k) * groups + group) * channels + begin + o) * width
                    into = results[start : start + width]
                    for p in range(width):
                        into[p] = scratch[(k * width + p) * BLOCK + o]
    return False


@compiled
def backward(
    board: Any,
    count: int,
    parts: int,
    x: Any,
    g: Any,
    sums: Any,
    lines: Any,
    phases: Any,
    taps: Any,
    points: Any,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> Any:
    """The sums of some parts of the images."""
    if first < 0:
        return hand_out(board, count, parts)
    for part in range(first, last):
        begin, end = len(x) * part // len(sums), len(x) * (part + 1) // len(sums)
        some_back(x, g, sums[part], lines, phases, taps, points, size, channel, begin, end)
    return False


@inlined
def some_back(
    x: Any,
    g: Any,
    totals: Any,
    lines: Any,
    phases: Any,
    taps: Any,
    points: Any,
    size: int,
    channel: int,
    begin: int,
    end: int,
) -> None:
    _, inputs, plane = x.shape
    groups, channels, width = g.shape[1:]
    blocks = totals.shape[1]
    together = len(points) // width
    values, incoming = x.reshape(-1), g.reshape(-1)
    buffer = np.zeros(together * size, x.dtype)
    scratch = np.zeros(len(points) * BLOCK, x.dtype)
    for image in range(begin, end, together):
        here = min(together, end - image)
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


def several(layout: Plan) -> Any:
    """Where the results of some images begin in a buffer for all of them."""
    together = max(1, POSITIONS // len(layout.points))
    points = np.arange(together)[:, None] * layout.size + layout.points
    return points.reshape(-1)


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

    threads.share(turn, groups * blocks, columns.size * COPY, blas=False)
    return columns, offsets


def results(x: Any, kernel: tuple[Any, Any], out: Any, layout: Plan, work: int) -> None:
    """(n, G*C, P) convolved by what `prepare` made -> (n, G, O, L)"""
    share(
        forward,
        len(x),
        work,
        x,
        *kernel,
        out,
        layout.lines,
        layout.phases,
        layout.taps,
        several(layout),
        layout.size,
        layout.channel,
    )


def gradient(x: Any, g: Any, layout: Plan, parts: int, work: int) -> Any:
    """(n, G*C, P), (n, G, O, L) -> (parts, ...), which can be added up, and then collected"""
    groups, outputs = g.shape[1:3]
    shape = (groups, up(outputs, BLOCK) // BLOCK, up(len(layout.taps), HIGH), BLOCK)
    totals = np.zeros((parts, *shape), np.float32)
    share(
        backward,
        parts,
        work,
        x,
        g,
        totals,
        layout.lines,
        layout.phases,
        layout.taps,
        several(layout),
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

    threads.share(turn, groups * blocks, grad.size * COPY, blas=False)
    return grad
