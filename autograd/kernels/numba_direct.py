"""The sums of `direct`, compiled, and what calls them."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autograd.kernels import direct
from autograd.kernels.compiled import compiled
from autograd.kernels.direct import Plan, plan
from autograd.kernels.numba_sums import correlate, multiply
from autograd.kernels.numba_vectors import LANES
from autograd.kernels.threads import share
from autograd.kernels.windows import Windows, blocks

RESULT = 8
"""What writing a result, or reading its gradient, costs in multiplications."""


@compiled
def lay_out(
    x: Any, start: int, planes: int, plane: int, channel: int, lines: Any, phases: Any, buffer: Any
) -> None:
    """Copy the channels of an image to where the taps expect them; padding stays as it is."""
    stride = len(phases)
    for c in range(planes):
        for line in range(len(lines)):
            source = start + c * plane + lines[line, 0]
            target = c * channel + lines[line, 1]
            for phase in range(stride):
                count = phases[phase, 2]
                into = buffer[target + phases[phase, 0] :][:count]
                values = x[source + phases[phase, 1] :]
                if stride == 1:
                    for k in range(count):
                        into[k] = values[k]
                elif stride == 2:
                    for k in range(count):
                        into[k] = values[2 * k]
                else:
                    for k in range(count):
                        into[k] = values[k * stride]


@compiled
def put_back(
    results: Any, grad: Any, start: int, planes: int, plane: int, lines: Any, wide: int, step: int
) -> None:
    """Copy the rows of one phase to where they belong: results side by side become `step` apart."""
    for c in range(planes):
        for line in range(len(lines)):
            values = results[(c * len(lines) + line) * wide :][:wide]
            into = grad[start + c * plane + lines[line] :]
            if step == 2:
                for k in range(wide):
                    into[2 * k] = values[k]
            else:
                for k in range(wide):
                    into[k * step] = values[k]


def make_forward(outputs: int, wide: int) -> Callable[..., None]:
    @compiled
    def forward(
        x: Any,
        weights: Any,
        bias: Any,
        out: Any,
        buffer: Any,
        lines: Any,
        phases: Any,
        taps: Any,
        places: Any,
        channel: int,
    ) -> None:
        images, inputs, plane = x.shape
        groups, channels, width = out.shape[1:]
        blocks = weights.shape[1]
        count, vectors = len(taps), len(places) // 3
        values, results, factors = x.reshape(-1), out.reshape(-1), weights.reshape(-1)
        offsets = bias.reshape(-1)
        for image in range(images):
            lay_out(values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer)
            for number in range(groups * blocks):
                group, first = number // blocks, number % blocks * outputs
                for place in range(0, vectors, wide):
                    multiply(
                        outputs,
                        wide,
                        buffer,
                        group * (inputs // groups) * channel,
                        places,
                        place,
                        vectors - 1,
                        taps,
                        count,
                        factors,
                        number * count * outputs,
                        offsets,
                        number * outputs,
                        results,
                        ((image * groups + group) * channels + first) * width,
                        width,
                        channels - first,
                    )

    return forward


def make_backward(outputs: int, beside: int) -> Callable[..., None]:
    @compiled
    def backward(
        x: Any,
        g: Any,
        totals: Any,
        grad: Any,
        buffer: Any,
        lines: Any,
        phases: Any,
        taps: Any,
        parts: Any,
        chunks: Any,
        channel: int,
    ) -> None:
        images, inputs, plane = x.shape
        groups, channels, width = g.shape[1:]
        count = len(taps)
        values, incoming = x.reshape(-1), g.reshape(-1)
        for image in range(images):
            lay_out(values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer)
            for chunk in range(len(chunks)):
                total = 0
                for group in range(groups):
                    for o in range(0, channels, outputs):
                        for tap in range(0, count, beside):
                            correlate(
                                outputs,
                                beside,
                                buffer,
                                group * (inputs // groups) * channel,
                                parts,
                                chunks[chunk, 0],
                                chunks[chunk, 1],
                                chunks[chunk, 2],
                                taps,
                                tap,
                                count,
                                incoming,
                                ((image * groups + group) * channels + o) * width,
                                width,
                                channels - o,
                                totals,
                                total,
                            )
                            total += outputs * beside * LANES
        total = 0
        for group in range(groups):
            for first in range(0, channels, outputs):
                for tap in range(0, count, beside):
                    for o in range(first, first + outputs):
                        for k in range(tap, tap + beside):
                            if o < channels and k < count:
                                value = totals[total]
                                for lane in range(1, LANES):
                                    value += totals[total + lane]
                                grad[group * channels + o, k] = value
                            total += LANES

    return backward


FORWARD = {shape: make_forward(*shape) for shape in direct.SUMS}
BACKWARD = {shape: make_backward(*shape) for shape in direct.GRADIENTS}


def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (G*O, C, kernel...), (G*O,) or None -> (N, G*O, out...)"""
    layout = plan(windows, weight.shape[1], groups)
    weights, offsets = packed(weight, bias, groups)
    out = np.empty((len(x), len(weight), *windows.out), np.float32)
    # (N, G*O, out...) -> (N, G, O, L)
    results = out.reshape(len(x), groups, len(weight) // groups, -1)

    def convolve(part: slice) -> None:
        sums(x[part], weights, offsets, results[part], layout, buffer_of(layout))

    share(convolve, len(x), out.size * (len(layout.taps) + RESULT), blas=False)
    return out


def packed(weight: Any, bias: Any, groups: int) -> tuple[Any, Any]:
    """(G*O, C, kernel...), (G*O,) or None -> (G, B, K, outputs), (G, B, outputs), rest zeros"""
    channels = len(weight) // groups
    outputs, _ = direct.sums(channels)
    blocks = -(-channels // outputs)
    offsets = np.zeros((groups, blocks * outputs), np.float32)
    if bias is not None:
        offsets[:, :channels] = bias.reshape(groups, channels)
    rows = np.zeros((groups, blocks * outputs, prod(weight.shape[1:])), np.float32)
    rows[:, :channels] = weight.reshape(groups, channels, -1)  # (G*O, C, kernel...) -> (G, O, K)
    # (G, B*outputs, K) -> (G, B, K, outputs)
    columns = rows.reshape(groups, blocks, outputs, -1).swapaxes(2, 3)
    return np.ascontiguousarray(columns), offsets


def buffer_of(layout: Plan) -> Any:
    return np.zeros(layout.size, np.float32)


def sums(x: Any, weights: Any, bias: Any, results: Any, layout: Plan, buffer: Any) -> None:
    planes = x.reshape(len(x), x.shape[1], -1)  # (n, G*C, sizes...) -> (n, G*C, P)
    FORWARD[direct.sums(results.shape[2])](
        planes,
        weights,
        bias,
        results,
        buffer,
        layout.lines,
        layout.phases,
        layout.taps,
        layout.places,
        layout.channel,
    )


def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (N, G*O, out...) -> (G*O, C, kernel...)"""
    count, channels, outputs = len(x), x.shape[1] // groups, g.shape[1] // groups
    layout = plan(windows, channels, groups)
    taps = len(layout.taps)
    shape = direct.gradients(outputs)
    planes = x.reshape(count, x.shape[1], -1)  # (N, G*C, sizes...) -> (N, G*C, P)
    incoming = g.reshape(count, groups, outputs, -1)  # (N, G*O, out...) -> (N, G, O, L)

    def add_up(part: slice) -> Any:
        totals = np.zeros(groups * direct.rounded(taps, outputs) * LANES, np.float32)
        grad = np.empty((groups * outputs, taps), np.float32)
        BACKWARD[shape](
            planes[part],
            incoming[part],
            totals,
            grad,
            buffer_of(layout),
            layout.lines,
            layout.phases,
            layout.taps,
            layout.parts,
            layout.chunks,
            layout.channel,
        )
        return grad

    grad, *others = share(add_up, count, g.size * (taps + RESULT), blas=False)
    for other in others:
        grad += other
    return grad.reshape(groups * outputs, channels, *windows.kernel)  # (G*O, K) -> (G*O, C, ...)


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*O, out...), (G*O, C, kernel...) -> (N, G*C, sizes...)"""
    outputs, channels = len(weight) // groups, weight.shape[1]
    turned = direct.turned(windows)
    # (G*O, C, kernel...) -> (G*C, O, kernel...)
    weight = weight.reshape(groups, outputs, *weight.shape[1:]).swapaxes(1, 2)
    weight = weight.reshape(groups * channels, outputs, *windows.kernel)
    if all(stride == 1 for stride in windows.stride):
        (phase,) = turned
        return conv(g, weight[phase.kernel], None, phase.windows, groups)
    grad = np.zeros((len(g), groups * channels, *windows.sizes), np.float32)
    flat, plane = grad.reshape(-1), prod(windows.sizes)
    parts = [
        (
            plan(phase.windows, outputs, groups),
            packed(weight[phase.kernel], None, groups),
            prod(phase.windows.out),
            phase,
        )
        for phase in turned
    ]

    def add_up(part: slice) -> None:
        buffers = [buffer_of(layout) for layout, *_ in parts]
        largest = max((size for *_, size, _ in parts), default=1)
        image_bytes = groups * channels * largest * 4
        for images in blocks(part.stop - part.start, image_bytes):
            first, count = part.start + images.start, images.stop - images.start
            for (layout, kernel, size, phase), buffer in zip(parts, buffers, strict=True):
                results = np.empty((count, groups, channels, size), np.float32)
                sums(g[first : first + count], *kernel, results, layout, buffer)
                put_back(
                    results.reshape(-1),
                    flat,
                    first * groups * channels * plane,
                    count * groups * channels,
                    plane,
                    phase.lines,
                    phase.windows.out[-1],
                    windows.stride[-1],
                )

    work = g.size * channels * prod(windows.kernel) + grad.size * RESULT
    share(add_up, len(g), work, blas=False)
    return grad
