"""Direct convolution as products of matrices, compiled: inputs are gathered panel by panel.

A panel has the inputs of some neighbouring results, for the results, or of some taps, for gradients
of weights. It is multiplied by all channels of output while it is in the cache, so that results lie
where they belong and weights are read as they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels.compiled import Floats, Integers, compiled_exactly, in_order
from autograd.kernels.direct import Plan
from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_lay import fill, lay_out
from autograd.kernels.numba_product import DEPTH, WIDTH, strip
from autograd.kernels.numba_room import empty, release, zeros
from autograd.kernels.numba_vectors import LANES, VECTOR, load, outlined, store, unpack

__all__ = ["collect", "gradient", "prepare", "results"]

SPAN = 8 * WIDTH
"""Results whose inputs are gathered before they are multiplied."""
PITCH = SPAN + WIDTH
"""From one channel of output to the next: a power of two would strain the cache."""
POSITIONS = 64
"""Results that share a pass over the weights at least, if need be from several images."""


def write_gather(
    builder: Any,
    source: Any,
    start: Any,
    rows: Any,
    row: Any,
    count: Any,
    columns: Any,
    column: Any,
    last: Any,
    panel: Any,
    place: Any,
) -> None:
    """The code of `gather`."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    for first in range(0, WIDTH, LANES):
        begins = []
        for k in range(first, first + LANES):
            where = builder.add(column, number(k))
            where = builder.select(builder.icmp_signed("<", where, last), where, last)
            begins.append(builder.add(start, builder.load(builder.gep(columns, [where]))))
        neighbours = ir.Constant(ir.IntType(1), 1)
        for k in range(1, LANES):
            next_one = builder.icmp_signed("==", begins[k], builder.add(begins[0], number(k)))
            neighbours = builder.and_(neighbours, next_one)
        with builder.if_else(neighbours) as branches:
            for whole, branch in zip((True, False), branches, strict=True):
                with branch, cgutils.for_range(builder, count) as loop:
                    offset = builder.load(builder.gep(rows, [builder.add(row, loop.index)]))
                    if whole:
                        values = load(builder, source, builder.add(offset, begins[0]))
                    else:
                        values = ir.Constant(VECTOR, ir.Undefined)
                        for k, begin in enumerate(begins):
                            value = builder.load(builder.gep(source, [builder.add(offset, begin)]))
                            lane = ir.Constant(ir.IntType(32), k)
                            values = builder.insert_element(values, value, lane)
                    into = builder.add(place, builder.mul(loop.index, number(WIDTH)))
                    store(builder, values, panel, builder.add(into, number(first)))


@intrinsic
def gather(
    _context: Any,
    source: Any,
    start: Any,
    rows: Any,
    row: Any,
    count: Any,
    columns: Any,
    column: Any,
    last: Any,
    panel: Any,
    place: Any,
) -> Any:
    """Write `count` lines of a panel: those from a row on, and as many columns as it has room for.

    Element (i, j) is at ``start + rows[i] + columns[j]``; columns after the last are the last one.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = unpack(context, builder, signature, arguments)
        outlined(builder, "gather", values, write_gather)
        return context.get_dummy_value()

    i = types.intp
    return types.void(source, i, rows, i, i, columns, i, i, panel, i), generate


def write_put(
    builder: Any,
    source: Any,
    start: Any,
    target: Any,
    base: Any,
    where: Any,
    place: Any,
    left: Any,
) -> None:
    """The code of `put`."""

    def number(value: int) -> Any:
        return ir.Constant(start.type, value)

    def entry(k: Any) -> Any:
        return builder.load(builder.gep(where, [builder.add(place, k)]))

    first = entry(number(0))
    count = builder.select(builder.icmp_signed("<", left, number(LANES)), left, number(LANES))
    reach = builder.sub(entry(builder.sub(count, number(1))), first)
    whole = builder.and_(
        builder.icmp_signed("==", reach, number(LANES - 1)),
        builder.icmp_signed("==", count, number(LANES)),
    )
    with builder.if_else(whole) as (then, otherwise):
        with then:
            store(builder, load(builder, source, start), target, builder.add(base, first))
        with otherwise, cgutils.for_range(builder, count) as loop:
            value = builder.load(builder.gep(source, [builder.add(start, loop.index)]))
            into = builder.add(base, entry(loop.index))
            builder.store(value, builder.gep(target, [into]))


@intrinsic
def put(
    _context: Any,
    source: Any,
    start: Any,
    target: Any,
    base: Any,
    where: Any,
    place: Any,
    left: Any,
) -> Any:
    """Copy a vector, or as many elements as are left, to increasing places of the target.

    Element k goes to ``base + where[place + k]``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = unpack(context, builder, signature, arguments)
        outlined(builder, "put", values, write_put)
        return context.get_dummy_value()

    i = types.intp
    return types.void(source, i, target, i, where, i, i), generate


@compiled_exactly
def forward(
    x: Floats,
    weights: Floats,
    bias: Floats,
    out: Floats,
    where: Integers,
    lines: Integers,
    phases: Integers,
    taps: Integers,
    points: Integers,
    turned: bool,
    planes: int,
    plane: int,
    room: int,
    groups: int,
    outputs: int,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> None:
    """The results of some images, as many at a time as `points` has positions for.

    Result p of an image and channel goes to place ``where[p]`` of the `room` places that it has.
    Weights of a group are (O, K), or (K, O) if they are turned.
    """
    shared()
    width, inner = len(where), len(taps)
    together = len(points) // width
    pitch, skip = (1, outputs) if turned else (inner, 1)
    buffer = zeros(x, together * size)
    panels = empty(x, SPAN * DEPTH)
    offsets, scratch = empty(x, outputs * WIDTH), empty(x, outputs * PITCH)
    for image in range(first, last, together):
        here = min(together, last - image)
        for k in range(here):
            start = (image + k) * planes * plane
            lay_out(
                x, start, planes, plane, channel, lines, len(lines) // 2, phases, len(phases) // 3,
                buffer, k * size,
            )  # fmt: skip
        total = here * width
        for group in range(groups):
            shift = group * (planes // groups) * channel
            for k in range(outputs * WIDTH):
                offsets[k] = bias[group * outputs + k // WIDTH]
            for begin in range(0, total, SPAN):
                end = min(total, begin + SPAN)
                for k in range(0, inner, DEPTH):
                    depth = min(DEPTH, inner - k)
                    for place in range(begin, end, WIDTH):
                        panel = (place - begin) * DEPTH
                        gather(
                            buffer, shift, taps, k, depth, points, place, total - 1, panels, panel
                        )
                    base, between = (scratch, PITCH) if k else (offsets, WIDTH)
                    for place in range(begin, end, WIDTH):
                        target = place - begin
                        strip(
                            weights, group * outputs * inner + k * skip, pitch, skip, outputs,
                            panels, target * DEPTH, depth,
                            base, target if k else 0, between,
                            scratch, target, PITCH, end - place,
                        )  # fmt: skip
                for o in range(outputs):
                    place = begin
                    while place < end:  # of one image after the other
                        number = (image + place // width) * groups + group
                        target = (number * outputs + o) * room
                        run = min(width - place % width, end - place)
                        for p in range(0, run, LANES):
                            source = o * PITCH + place - begin + p
                            put(scratch, source, out, target, where, place % width + p, run - p)
                        place += run
    release(buffer)
    release(panels)
    release(offsets)
    release(scratch)


@compiled_exactly
def backward(
    x: Floats,
    g: Floats,
    totals: Floats,
    lines: Integers,
    phases: Integers,
    taps: Integers,
    points: Integers,
    count: int,
    images: int,
    planes: int,
    plane: int,
    groups: int,
    outputs: int,
    width: int,
    size: int,
    channel: int,
    first: int,
    last: int,
) -> None:
    """What some parts of the images add to the gradient of the weight."""
    shared()
    together, inner = len(points) // width, len(taps)
    buffer = zeros(x, together * size)
    panel = empty(x, WIDTH * DEPTH)
    incoming = empty(x, outputs * len(points) + LANES)
    for part in range(first, last):
        begin, end = images * part // count, images * (part + 1) // count
        for image in range(begin, end, together):
            here = min(together, end - image)
            for k in range(here):
                start = (image + k) * planes * plane
                lay_out(
                x, start, planes, plane, channel, lines, len(lines) // 2, phases, len(phases) // 3,
                buffer, k * size,
            )  # fmt: skip
            total = here * width
            for group in range(groups):
                shift = group * (planes // groups) * channel
                for o in range(outputs):
                    for k in range(here):
                        source = (((image + k) * groups + group) * outputs + o) * width
                        for p in range(0, width, LANES):
                            fill(g, source + p, incoming, o * total + k * width + p, width - p)
                for tap in range(0, inner, WIDTH):
                    target = (part * groups + group) * outputs * inner + tap
                    for k in range(0, total, DEPTH):
                        depth = min(DEPTH, total - k)
                        gather(buffer, shift, points, k, depth, taps, tap, inner - 1, panel, 0)
                        strip(
                            incoming, k, total, 1, outputs, panel, 0, depth,
                            totals, target, inner, totals, target, inner, inner - tap,
                        )  # fmt: skip
    release(buffer)
    release(panel)
    release(incoming)


def several(layout: Plan) -> Any:
    """Where the results of some images begin in a buffer for all of them."""
    together = max(1, POSITIONS // len(layout.points))
    points = np.arange(together)[:, None] * layout.size + layout.points
    return points.reshape(-1)


def prepare(rows: Any, bias: Any) -> tuple[Any, bool, Any]:
    """(G, O, K), (G, O) -> (G*O*K,), whether in the order (G, K, O), (G*O,)"""
    offsets = np.zeros(rows.shape[:2], np.float32)
    offsets += bias
    upright = rows.swapaxes(1, 2)
    turned = upright.flags.c_contiguous
    return in_order(upright if turned else rows), turned, offsets.reshape(-1)


def results(
    x: Any, kernel: tuple[Any, bool, Any], out: Any, layout: Plan, work: int, where: Any = None
) -> None:
    """(n, G*C, P) convolved by what `prepare` made -> (n, G, O, L)

    Or to some of the L places, (results,), in increasing order.
    """
    if where is None:
        where = np.arange(out.shape[3])
    weights, turned, bias = kernel
    share(
        forward,
        len(x),
        work,
        x.reshape(-1),  # (n, G*C, P) -> (n * G * C * P,)
        weights,
        bias,
        out.reshape(-1),  # (n, G, O, L) -> (n * G * O * L,)
        where,
        layout.lines,
        layout.phases,
        layout.taps,
        several(layout),
        turned,
        *x.shape[1:],
        out.shape[3],
        *out.shape[1:3],
        layout.size,
        layout.channel,
    )


def gradient(x: Any, g: Any, layout: Plan, parts: int, work: int) -> Any:
    """(n, G*C, P), (n, G, O, L) -> (parts, ...), which can be added up, and then collected"""
    totals = np.zeros((parts, g.shape[1] * g.shape[2], len(layout.taps)), np.float32)
    share(
        backward,
        parts,
        work,
        x.reshape(-1),  # (n, G*C, P) -> (n * G * C * P,)
        g.reshape(-1),  # (n, G, O, L) -> (n * G * O * L,)
        totals.reshape(-1),
        layout.lines,
        layout.phases,
        layout.taps,
        several(layout),
        parts,
        *x.shape,
        *g.shape[1:],
        layout.size,
        layout.channel,
    )
    return totals


def collect(total: Any, groups: int, outputs: int, taps: int) -> Any:
    """The gradient (G, O, K) out of sums."""
    return total.reshape(groups, outputs, taps)
