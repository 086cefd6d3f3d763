"""Copying into and out of the buffers of `direct`, compiled."""

from __future__ import annotations

from typing import Any

from autograd.kernels.compiled import compiled, inlined
from autograd.kernels.numba_crew import hand_out
from autograd.kernels.numba_sums import fill, pick
from autograd.kernels.numba_vectors import LANES


@inlined
def lay_out(
    x: Any,
    start: int,
    planes: int,
    plane: int,
    channel: int,
    lines: Any,
    phases: Any,
    buffer: Any,
    begin: int,
) -> None:
    """Copy the channels of an image to where the taps expect them; padding stays as it is.

    Vectors run over the end of a row with zeros, into padding or into what is written later.
    """
    stride = len(phases) // 3
    for c in range(planes):
        for line in range(0, len(lines), 2):
            source = start + c * plane + lines[line]
            target = begin + c * channel + lines[line + 1]
            for phase in range(0, 3 * stride, 3):
                place, first, count = target + phases[phase], phases[phase + 1], phases[phase + 2]
                first += source
                if stride == 1:
                    for k in range(0, count, LANES):
                        fill(x, first + k, buffer, place + k, count - k)
                elif stride == 2:
                    for k in range(0, count, LANES):
                        pick(x, first + 2 * k, buffer, place + k, count - k)
                else:
                    for k in range(count):
                        buffer[place + k] = x[first + k * stride]


@compiled
def put_back(
    board: Any,
    count: int,
    parts: int,
    results: Any,
    out: Any,
    room: int,
    where: Any,
    first: int,
    last: int,
) -> Any:
    """Copy some planes of results to where they belong in planes that have more room."""
    if first < 0:
        return hand_out(board, count, parts)
    for plane in range(first, last):
        for k in range(len(where)):
            out[plane * room + where[k]] = results[plane * len(where) + k]
    return False
