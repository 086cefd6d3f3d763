"""Direct convolution with the results of a row side by side in vector registers, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.compiled import compiled
from autograd.kernels.direct import Plan
from autograd.kernels.direct_ways import GRADIENTS, SUMS, gradients, rounded, sums
from autograd.kernels.numba_crew import hand_out, share
from autograd.kernels.numba_lay import lay_out
from autograd.kernels.numba_sums import correlate, multiply
from autograd.kernels.numba_vectors import LANES

__all__ = ["collect", "gradient", "prepare", "results"]


def make_forward(outputs: int, wide: int) -> Callable[..., None]:
    @compiled
    def forward(
        board: Any,
        count: int,
        parts: int,
        x: Any,
        weights: Any,
        bias: Any,
        out: Any,
        size: int,
        lines: Any,
        phases: Any,
        taps: Any,
        places: Any,
        channel: int,
        first: int,
        last: int,
    ) -> Any:
        if first < 0:
            return hand_out(board, count, parts)
        _, inputs, plane = x.shape
        groups, channels, width = out.shape[1:]
        blocks = weights.shape[1]
        vectors = len(places) // 3
        values, results, factors = x.reshape(-1), out.reshape(-1), weights.reshape(-1)
        offsets, buffer = bias.reshape(-1), np.zeros(size, x.dtype)
        for image in range(first, last):
            lay_out(values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer)
            for number in range(groups * blocks):
                group, o = number // blocks, number % blocks * outputs
                for place in range(0, vectors, wide):
                    multiply(
                        outputs, wide,
                        buffer, group * (inputs // groups) * channel, places, place, vectors - 1,
                        taps, len(taps), factors, number * len(taps) * outputs,
                        offsets, number * outputs,
                        results, ((image * groups + group) * channels + o) * width, width,
                        channels - o,
                    )  # fmt: skip
        return False

    return forward


def make_backward(outputs: int, beside: int) -> Callable[..., None]:
    @compiled
    def backward(
        board: Any,
        count: int,
        parts: int,
        x: Any,
        g: Any,
        grads: Any,
        weights: int,
        size: int,
        lines: Any,
        phases: Any,
        taps: Any,
        vectors: Any,
        chunks: Any,
        channel: int,
        first: int,
        last: int,
    ) -> Any:
        """The sums of some parts of the images."""
        if first < 0:
            return hand_out(board, count, parts)
        images, inputs, plane = x.shape
        groups, channels, width = g.shape[1:]
        values, incoming = x.reshape(-1), g.reshape(-1)
        buffer = np.zeros(size, x.dtype)
        for part in range(first, last):
            totals, grad = np.zeros(weights * LANES, x.dtype), grads[part]
            begin, end = images * part // len(grads), images * (part + 1) // len(grads)
            for image in range(begin, end):
                lay_out(
                    values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer
                )
                for chunk in range(len(chunks)):
                    total = 0
                    for group in range(groups):
                        for o in range(0, channels, outputs):
                            for tap in range(0, len(taps), beside):
                                correlate(
                                    outputs, beside, buffer, group * (inputs // groups) * channel,
                                    vectors, chunks[chunk, 0], chunks[chunk, 1], chunks[chunk, 2],
                                    taps, tap, len(taps),
                                    incoming, ((image * groups + group) * channels + o) * width,
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
                                    value = totals[total]
                                    for lane in range(1, LANES):
                                        value += totals[total + lane]
                                    grad[group * channels + o, k] = value
                                total += LANES
        return False

    return backward


FORWARD = {shape: make_forward(*shape) for shape in SUMS}
BACKWARD = {shape: make_backward(*shape) for shape in GRADIENTS}


def prepare(rows: Any, bias: Any) -> tuple[Any, Any]:
    """(G, O, K), (G, O) -> (G, B, K, outputs), (G, B*outputs), rest zeros"""
    groups, channels, taps = rows.shape
    outputs, _ = sums(channels)
    blocks = -(-channels // outputs)
    padded = np.zeros((groups, blocks * outputs, taps), np.float32)
    padded[:, :channels] = rows
    offsets = np.zeros(padded.shape[:2], np.float32)
    offsets[:, :channels] = bias
    # (G, B*outputs, K) -> (G, B, K, outputs)
    columns = padded.reshape(groups, blocks, outputs, taps).swapaxes(2, 3)
    return np.ascontiguousarray(columns), offsets


def results(x: Any, kernel: tuple[Any, Any], out: Any, layout: Plan, work: int) -> None:
    """(n, G*C, P) convolved by what `prepare` made -> (n, G, O, L)"""
    share(
        FORWARD[sums(out.shape[2])],
        len(x),
        work,
        x,
        *kernel,
        out,
        layout.size,
        layout.lines,
        layout.phases,
        layout.taps,
        layout.places,
        layout.channel,
    )


def gradient(x: Any, g: Any, layout: Plan, parts: int, work: int) -> Any:
    """(n, G*C, P), (n, G, O, L) -> (parts, ...), which can be added up, and then collected"""
    groups, outputs = g.shape[1:3]
    taps = len(layout.taps)
    grads = np.empty((parts, groups * outputs, taps), np.float32)
    share(
        BACKWARD[gradients(outputs)],
        parts,
        work,
        x,
        g,
        grads,
        groups * rounded(taps, outputs),
        layout.size,
        layout.lines,
        layout.phases,
        layout.taps,
        layout.parts,
        layout.chunks,
        layout.channel,
    )
    return grads


def collect(total: Any, groups: int, outputs: int, taps: int) -> Any:
    """The gradient (G, O, K) out of sums."""
    return total.reshape(groups, outputs, taps)
