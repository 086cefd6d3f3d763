"""Direct convolution, shared among threads, by the faster of two ways: see `direct_ways`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd.kernels import direct, direct_ways, numba_panels, numba_rows, threads
from autograd.kernels.direct_ways import Case
from autograd.kernels.numba_crew import parts_of, share
from autograd.kernels.numba_lay import put_back
from autograd.kernels.windows import Windows

WAYS: dict[str, Any] = {"rows": numba_rows, "panels": numba_panels}
COPY = 8
"""What copying a result costs in multiplications."""
RESULT = 8
"""What writing a result, or reading its gradient, costs in multiplications."""


def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (G*O, C, kernel...), (G*O,) or None -> (N, G*O, out...)"""
    case = Case(windows, len(x), weight.shape[1], len(weight) // groups, groups)
    # (G*O, C, kernel...) -> (G, O, K)
    return convolve(x, weight.reshape(groups, case.outputs, case.taps), bias, case)


def convolve(x: Any, rows: Any, bias: Any, case: Case) -> Any:
    """(N, G*C, ...), (G, O, K), (G*O,) or None -> (N, G*O, out...)"""
    way, kernel, layout = prepared(rows, bias, case)
    out = np.empty((len(x), case.groups * case.outputs, *case.windows.out), np.float32)
    # (N, G*O, out...) -> (N, G, O, L)
    into = out.reshape(len(x), case.groups, case.outputs, -1)
    planes = x.reshape(len(x), x.shape[1], -1)  # (N, G*C, sizes...) -> (N, G*C, P)
    way.results(planes, kernel, into, layout, out.size * (case.taps + RESULT))
    return out


def prepared(rows: Any, bias: Any, case: Case) -> tuple[Any, Any, direct.Plan]:
    """The way to go, the kernel as that wants it, and the plan."""
    way = WAYS[direct_ways.for_results(case)[1]]
    bias = 0.0 if bias is None else bias.reshape(case.groups, case.outputs)
    layout = direct.plan(case.windows, case.channels, case.groups)
    return way, way.prepare(rows, bias), layout


def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (N, G*O, out...) -> (G*O, C, kernel...)"""
    count, channels, outputs = len(x), x.shape[1] // groups, g.shape[1] // groups
    case = Case(windows, count, channels, outputs, groups)
    way = WAYS[direct_ways.for_weight(case)[1]]
    layout = direct.plan(windows, channels, groups)
    planes = x.reshape(count, x.shape[1], -1)  # (N, G*C, sizes...) -> (N, G*C, P)
    incoming = g.reshape(count, groups, outputs, -1)  # (N, G*O, out...) -> (N, G, O, L)
    work = g.size * (case.taps + RESULT)
    total, *others = way.gradient(planes, incoming, layout, parts_of(count, work), work)
    for other in others:
        total += other
    grad = way.collect(total, groups, outputs, case.taps)
    return grad.reshape(groups * outputs, channels, *windows.kernel)  # (G, O, K) -> (G*O, C, ...)


def conv_input_grad(g: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """(N, G*O, out...), (G*O, C, kernel...) -> (N, G*C, sizes...)"""
    outputs, channels = len(weight) // groups, weight.shape[1]
    whole = Case(windows, len(g), channels, outputs, groups)
    turned = channels_last(weight)
    parts = []
    for phase, case in zip(direct.turned(windows), direct_ways.phases(whole), strict=True):
        # (G*O, kernel..., C) -> (G, O*kernel positions, C) -> (G, C, K)
        rows = turned[phase.kernel].reshape(groups, case.taps, channels).swapaxes(1, 2)
        parts.append((phase, rows, case))
    if all(stride == 1 for stride in windows.stride):
        ((_, rows, case),) = parts
        return convolve(g, rows, None, case)
    reached = sum(prod(phase.windows.out) for phase, *_ in parts)
    make = np.empty if reached == prod(windows.sizes) else np.zeros
    grad = make((len(g), groups, channels, prod(windows.sizes)), np.float32)
    incoming = g.reshape(len(g), g.shape[1], -1)  # (N, G*O, out...) -> (N, G*O, L)
    for phase, rows, case in parts:
        way, kernel, layout = prepared(rows, None, case)
        size = prod(phase.windows.out)
        work = len(g) * groups * channels * size * (case.taps + RESULT)
        if way is numba_panels:
            way.results(incoming, kernel, grad, layout, work, phase.places)
            continue
        results = np.empty((len(g), groups, channels, size), np.float32)
        way.results(incoming, kernel, results, layout, work)
        planes, flat = len(g) * groups * channels, (results.reshape(-1), grad.reshape(-1))
        share(put_back, planes, results.size * COPY, *flat, phase.places, grad.shape[3])
    return grad.reshape(len(g), groups * channels, *windows.sizes)


def channels_last(weight: Any) -> Any:
    """(G*O, C, kernel...) -> (G*O, kernel..., C)"""
    turned = np.empty((len(weight), *weight.shape[2:], weight.shape[1]), np.float32)

    def some(part: slice) -> None:
        turned[part] = np.moveaxis(weight[part], 1, -1)

    threads.share(some, len(weight), weight.size * RESULT, blas=False)
    return turned
