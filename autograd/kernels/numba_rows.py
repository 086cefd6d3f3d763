"""Direct convolution with the results of a row side by side in vector registers, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.compiled import Floats, Integers, compiled, in_order
from autograd.kernels.direct import Plan
from autograd.kernels.direct_ways import FEW, GRADIENTS, SUMS, rounded, sums
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_lay import lay_out
from autograd.kernels.numba_room import release, zeros
from autograd.kernels.numba_sums import correlate, lanes_summed, multiply
from autograd.kernels.numba_vectors import LANES

__all__ = ["collect", "gradient", "prepare", "results"]


@compiled
def forward(
    x: Floats,
    weights: Floats,
    bias: Floats,
    out: Floats,
    lines: Integers,
    phases: Integers,
    taps: Integers,
    places: Integers,
    inputs: int,
    plane: int,
    blocks: int,
    groups: int,
    channels: int,
    width: int,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> None:
    """The results of some images."""
    shared()
    few = channels < FEW
    outputs, wide = SUMS[1] if few else SUMS[0]
    vectors = len(places) // 3
    buffer = zeros(x, size)
    for image in range(first, last):
        start = image * inputs * plane
        lay_out(
                x, start, inputs, plane, channel, lines, len(lines) // 2, phases, len(phases) // 3,
                buffer, 0,
            )  # fmt: skip
        for number in range(groups * blocks):
            group, o = number // blocks, number % blocks * outputs
            for place in range(0, vectors, wide):
                multiply(
                    few, buffer, group * (inputs // groups) * channel, places, place, vectors - 1,
                    taps, len(taps), weights, number * len(taps) * outputs, bias, number * outputs,
                    out, ((image * groups + group) * channels + o) * width, width, channels - o,
                )  # fmt: skip
    release(buffer)


@compiled
def backward(
    x: Floats,
    g: Floats,
    grads: Floats,
    lines: Integers,
    phases: Integers,
    taps: Integers,
    vectors: Integers,
    chunks: Integers,
    count: int,
    images: int,
    inputs: int,
    plane: int,
    groups: int,
    channels: int,
    width: int,
    weights: int,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> None:
    """The sums of some parts of the images."""
    shared()
    few = channels < FEW
    outputs, beside = GRADIENTS[1] if few else GRADIENTS[0]
    buffer = zeros(x, size)
    for part in range(first, last):
        totals = zeros(x, weights * LANES)
        begin, end = images * part // count, images * (part + 1) // count
        for image in range(begin, end):
            start = image * inputs * plane
            lay_out(
                x, start, inputs, plane, channel, lines, len(lines) // 2, phases, len(phases) // 3,
                buffer, 0,
            )  # fmt: skip
            for chunk in range(0, len(chunks), 3):
                total = 0
                for group in range(groups):
                    for o in range(0, channels, outputs):
                        for tap in range(0, len(taps), beside):
                            correlate(
                                few, buffer, group * (inputs // groups) * channel,
                                vectors, chunks[chunk], chunks[chunk + 1], chunks[chunk + 2],
                                taps, tap, len(taps),
                                g, ((image * groups + group) * channels + o) * width,
                                width, channels - o, totals, total,
                            )  # fmt: skip
                            total += outputs * beside * LANES
        total = 0
        for group in range(groups):
            for output in range(0, channels, outputs):
                for tap in range(0, len(taps), beside):
                    for o in range(output, output + outputs):
                        for k in range(tap, tap + beside):
                            if o < channels and k < len(taps):
                                row = (part * groups + group) * channels + o
                                grads[row * len(taps) + k] = lanes_summed(totals, total)
                            total += LANES
        release(totals)
    release(buffer)


def prepare(rows: Any, bias: Any) -> tuple[Any, Any, int]:
    """(G, O, K), (G, O) -> (G, B, K, outputs), (G, B*outputs), rest zeros, and B"""
    groups, channels, taps = rows.shape
    outputs, _ = sums(channels)
    blocks = -(-channels // outputs)
    padded = np.zeros((groups, blocks * outputs, taps), np.float32)
    padded[:, :channels] = rows
    offsets = np.zeros(padded.shape[:2], np.float32)
    offsets[:, :channels] = bias
    # (G, B*outputs, K) -> (G, B, K, outputs)
    columns = padded.reshape(groups, blocks, outputs, taps).swapaxes(2, 3)
    return in_order(columns), offsets.reshape(-1), blocks


def results(x: Any, kernel: tuple[Any, Any, int], out: Any, layout: Plan, work: int) -> None:
    """(n, G*C, P) convolved by what `prepare` made -> (n, G, O, L)"""
    weights, bias, blocks = kernel
    share(
        forward,
        len(x),
        work,
        x.reshape(-1),  # (n, G*C, P) -> (n * G * C * P,)
        weights,
        bias,
        out.reshape(-1),  # (n, G, O, L) -> (n * G * O * L,)
        layout.lines,
        layout.phases,
        layout.taps,
        layout.places,
        *x.shape[1:],
        blocks,
        *out.shape[1:],
        layout.size,
        layout.channel,
    )


def gradient(x: Any, g: Any, layout: Plan, parts: int, work: int) -> Any:
    """(n, G*C, P), (n, G, O, L) -> (parts, ...), which can be added up, and then collected"""
    groups, outputs = g.shape[1:3]
    taps = len(layout.taps)
    grads = np.empty((parts, groups * outputs, taps), np.float32)
    share(
        backward,
        parts,
        work,
        x.reshape(-1),  # (n, G*C, P) -> (n * G * C * P,)
        g.reshape(-1),  # (n, G, O, L) -> (n * G * O * L,)
        grads.reshape(-1),
        layout.lines,
        layout.phases,
        layout.taps,
        layout.parts,
        layout.chunks,
        parts,
        *x.shape,
        *g.shape[1:],
        groups * rounded(taps, outputs),
        layout.size,
        layout.channel,
    )
    return grads


def collect(total: Any, groups: int, outputs: int, taps: int) -> Any:
    """The gradient (G, O, K) out of sums."""
    return total.reshape(groups, outputs, taps)
