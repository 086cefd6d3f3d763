"""Copying into and out of the buffers of `direct`, compiled."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.compiled import Floats, Integers, compiled
from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.numba_crew import shared
from autograd.kernels.numba_vectors import (
    INTEGERS,
    LANES,
    by_room,
    lanes,
    load,
    outlined,
    store,
    unpack,
)

__all__ = ["fill", "lay_out", "put_back"]


def write_fill(builder: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> None:
    """The code of `fill`."""

    def write(whole: bool) -> None:
        mask = None if whole else lanes(builder, left)
        store(builder, load(builder, source, start, mask), target, place)

    by_room(builder, left, LANES, write)


@intrinsic
def fill(_context: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> Any:
    """Copy neighbours, as many as are left or a vector has room for; then zeros."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write_fill(builder, *unpack(context, builder, signature, arguments))
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp), generate


def write_pick(builder: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> None:
    """As `write_fill`, but every second element."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    reach = builder.sub(builder.mul(left, number(2)), number(1))

    def write(whole: bool) -> None:
        halves = []
        for offset in (0, LANES):
            mask = None if whole else lanes(builder, reach, offset)
            halves.append(load(builder, source, builder.add(start, number(offset)), mask))
        even = ir.Constant(INTEGERS, list(range(0, 2 * LANES, 2)))
        store(builder, builder.shuffle_vector(*halves, even), target, place)

    by_room(builder, reach, 2 * LANES, write)


def write_lay_out(
    builder: Any,
    x: Any,
    start: Any,
    planes: Any,
    plane: Any,
    channel: Any,
    lines: Any,
    line_count: Any,
    phases: Any,
    stride: Any,
    buffer: Any,
    begin: Any,
) -> None:
    """The code of `lay_out`."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    def entry(array: Any, row: Any, width: int, column: int) -> Any:
        place = builder.add(builder.mul(row, number(width)), number(column))
        return builder.load(builder.gep(array, [place]))

    with (
        cgutils.for_range(builder, planes) as along,
        cgutils.for_range(builder, line_count) as line,
        cgutils.for_range(builder, stride) as phase,
    ):
        source = builder.add(builder.mul(along.index, plane), start)
        source = builder.add(source, entry(lines, line.index, 2, 0))
        source = builder.add(source, entry(phases, phase.index, 3, 1))
        place = builder.add(builder.mul(along.index, channel), begin)
        place = builder.add(place, entry(lines, line.index, 2, 1))
        place = builder.add(place, entry(phases, phase.index, 3, 0))
        count = entry(phases, phase.index, 3, 2)
        for width, write in ((1, write_fill), (2, write_pick)):
            with (
                builder.if_then(builder.icmp_signed("==", stride, number(width))),
                cgutils.for_range_slice(builder, number(0), count, number(LANES)) as (done, _),
            ):
                first = builder.add(source, builder.mul(done, number(width)))
                target, left = builder.add(place, done), builder.sub(count, done)
                write(builder, x, first, buffer, target, left)
        with (
            builder.if_then(builder.icmp_signed(">", stride, number(2))),
            cgutils.for_range(builder, count) as loop,
        ):
            first = builder.add(source, builder.mul(loop.index, stride))
            value = builder.load(builder.gep(x, [first]))
            builder.store(value, builder.gep(buffer, [builder.add(place, loop.index)]))


@intrinsic
def lay_out(
    _context: Any,
    x: Any,
    start: Any,
    planes: Any,
    plane: Any,
    channel: Any,
    lines: Any,
    line_count: Any,
    phases: Any,
    stride: Any,
    buffer: Any,
    begin: Any,
) -> Any:
    """Copy the channels of an image to where the taps expect them; padding stays as it is.

    Vectors run over the end of a row with zeros, into padding or into what is written later.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = unpack(context, builder, signature, arguments)
        outlined(builder, "lay_out", values, write_lay_out)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, i, i, lines, i, phases, i, buffer, i), generate


@compiled
def put_back(
    results: Floats,
    out: Floats,
    where: Integers,
    room: int,
    first: int,
    last: int,
) -> None:
    """Copy some planes of results to where they belong in planes that have more room."""
    shared()
    for plane in range(first, last):
        for k in range(len(where)):
            out[plane * room + where[k]] = results[plane * len(where) + k]
