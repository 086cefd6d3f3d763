"""Copying into and out of the buffers of `direct`, compiled."""

from __future__ import annotations

from typing import Any

from autograd.kernels.compiled import compiled, inlined
from autograd.kernels.numba_sums import pick
from autograd.kernels.numba_vectors import LANES


@inlined
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
                first, place = source + phases[phase, 1], target + phases[phase, 0]
                if stride == 2:
                    for k in range(0, count, LANES):
                        pick(x, first + 2 * k, buffer, place + k, count - k)
                    continue
                into, values = buffer[place:][:count], x[first:]
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
