"""The innermost loops of `direct`, written out for the compiler, with sums in vector registers.

It does not find them in loops over arrays, where it also has to check that nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir

from autograd.kernels.direct_ways import GRADIENTS, SUMS
from autograd.kernels.late_numba import intrinsic, types
from autograd.kernels.numba_vectors import (
    LANES,
    POINTER,
    VECTOR,
    by_room,
    fused,
    lanes,
    load,
    outlined,
    splat,
    store,
    unpack,
)

__all__ = ["correlate", "lanes_summed", "multiply"]

INDEX = ir.IntType(64)
Sums = list[Any]


def index(value: int) -> Any:
    return ir.Constant(INDEX, value)


def entry(builder: Any, array: Any, place: Any, offset: int = 0) -> Any:
    """An element of an array."""
    return builder.load(builder.gep(array, [builder.add(place, index(offset))]))


def smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def at(builder: Any, array: Any, place: Any) -> Any:
    """Where a whole vector begins."""
    return builder.bitcast(builder.gep(array, [place]), POINTER)


def loop(
    builder: Any, first: Any, last: Any, starts: Sums, step: Callable[[Any, Sums], Sums]
) -> Sums:
    """Code that makes, for each number in turn, the next sums out of it and the sums so far."""
    before = builder.block
    body, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.cbranch(builder.icmp_signed("<", first, last), body, after)
    builder.position_at_end(body)
    number = builder.phi(INDEX)
    sums = [builder.phi(VECTOR) for _ in starts]
    results = step(number, sums)
    following = builder.add(number, index(1))
    number.add_incoming(first, before)
    number.add_incoming(following, body)
    builder.cbranch(builder.icmp_signed("<", following, last), body, after)
    builder.position_at_end(after)
    totals = [builder.phi(VECTOR) for _ in starts]
    for total, now, start, result in zip(totals, sums, starts, results, strict=True):
        now.add_incoming(start, before)
        now.add_incoming(result, body)
        total.add_incoming(start, before)
        total.add_incoming(result, body)
    return totals


def both_shapes(
    builder: Any,
    name: str,
    shapes: tuple[tuple[int, int], tuple[int, int]],
    few: Any,
    values: list[Any],
    write: Callable[..., None],
) -> None:
    """Call code that is written for both of two shapes, the second where channels are few."""
    with builder.if_else(few) as branches:
        for shape, branch in zip(reversed(shapes), branches, strict=True):
            with branch:
                outlined(builder, f"{name}.{shape[0]}", values, partial(write, shape))


def write_multiply(
    shape: tuple[int, int],
    builder: Any,
    inputs: Any,
    image: Any,
    places: Any,
    place: Any,
    last: Any,
    taps: Any,
    count: Any,
    weights: Any,
    weight: Any,
    bias: Any,
    channel: Any,
    out: Any,
    start: Any,
    plane: Any,
    real: Any,
) -> None:
    """The code of `multiply`."""
    channels, wide = shape
    wheres = [
        builder.mul(smaller(builder, builder.add(place, index(v)), last), index(3))
        for v in range(wide)
    ]
    begins = [builder.add(image, entry(builder, places, where)) for where in wheres]
    starts = []
    for o in range(channels):
        starts += [splat(builder, entry(builder, bias, channel, o), VECTOR)] * wide

    def step(k: Any, sums: Sums) -> Sums:
        tap = entry(builder, taps, k)
        values = [
            builder.load(at(builder, inputs, builder.add(begin, tap)), align=4) for begin in begins
        ]
        row = builder.add(weight, builder.mul(k, index(channels)))
        results = []
        for o in range(channels):
            factor = splat(builder, entry(builder, weights, row, o), VECTOR)
            results += [
                fused(builder, factor, vector, sums[o * wide + v])
                for v, vector in enumerate(values)
            ]
        return results

    sums = loop(builder, index(0), count, starts, step)
    for v, where in enumerate(wheres):
        first = builder.add(start, entry(builder, places, where, 1))
        within = entry(builder, places, where, 2)

        def write(whole: bool, first: Any = first, v: int = v, within: Any = within) -> None:
            mask = None if whole else lanes(builder, within)
            for o in range(channels):
                target = builder.add(first, builder.mul(plane, index(o)))
                with builder.if_then(builder.icmp_signed("<", index(o), real), likely=True):
                    store(builder, sums[o * wide + v], out, target, mask)

        by_room(builder, within, LANES, write)


@intrinsic
def multiply(
    _context: Any,
    few: Any,
    inputs: Any,
    image: Any,
    places: Any,
    place: Any,
    last: Any,
    taps: Any,
    count: Any,
    weights: Any,
    weight: Any,
    bias: Any,
    channel: Any,
    out: Any,
    start: Any,
    plane: Any,
    real: Any,
) -> Any:
    """Compute some vectors of results, from a place on, for each of some channels of output.

    As many as `SUMS` says.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        few, *values = unpack(context, builder, signature, arguments)
        both_shapes(builder, "multiply", SUMS, few, values, write_multiply)
        return context.get_dummy_value()

    i = types.intp
    return (
        types.void(
            types.boolean, inputs, i, places, i, i, taps, i, weights, i, bias, i, out, i, i, i
        ),
        generate,
    )


def write_correlate(
    shape: tuple[int, int],
    builder: Any,
    inputs: Any,
    image: Any,
    places: Any,
    first: Any,
    whole: Any,
    last: Any,
    taps: Any,
    tap: Any,
    count: Any,
    g: Any,
    start: Any,
    plane: Any,
    real: Any,
    totals: Any,
    total: Any,
) -> None:
    """The code of `correlate`."""
    channels, beside = shape
    final, lowest = builder.sub(count, index(1)), builder.sub(real, index(1))
    begins = []
    for b in range(beside):
        number = smaller(builder, builder.add(tap, index(b)), final)
        begins.append(builder.add(image, entry(builder, taps, number)))
    planes = [
        builder.add(start, builder.mul(plane, smaller(builder, index(o), lowest)))
        for o in range(channels)
    ]

    def step(place: Any, sums: Sums, partly: bool) -> Sums:
        where = builder.mul(place, index(3))
        begin, out = entry(builder, places, where), entry(builder, places, where, 1)
        mask = lanes(builder, entry(builder, places, where, 2)) if partly else None
        values = [load(builder, inputs, builder.add(b, begin), mask) for b in begins]
        results = []
        for o in range(channels):
            gradient = load(builder, g, builder.add(planes[o], out), mask)
            results += [
                fused(builder, gradient, vector, sums[o * beside + b])
                for b, vector in enumerate(values)
            ]
        return results

    wheres = [
        at(builder, totals, builder.add(total, index(k * LANES))) for k in range(channels * beside)
    ]
    sums = [ir.Constant(VECTOR, [0.0] * LANES)] * len(wheres)
    sums = loop(builder, first, whole, sums, lambda k, now: step(k, now, False))
    sums = loop(builder, whole, last, sums, lambda k, now: step(k, now, True))
    for where, result in zip(wheres, sums, strict=True):  # short sums round off less
        builder.store(builder.fadd(builder.load(where, align=4), result), where, align=4)


@intrinsic
def correlate(
    _context: Any,
    few: Any,
    inputs: Any,
    image: Any,
    places: Any,
    first: Any,
    whole: Any,
    last: Any,
    taps: Any,
    tap: Any,
    count: Any,
    g: Any,
    start: Any,
    plane: Any,
    real: Any,
    totals: Any,
    total: Any,
) -> Any:
    """Add, to a vector for each of some channels of output and some taps, gradient times input.

    As many as `GRADIENTS` says.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        few, *values = unpack(context, builder, signature, arguments)
        both_shapes(builder, "correlate", GRADIENTS, few, values, write_correlate)
        return context.get_dummy_value()

    i = types.intp
    return (
        types.void(types.boolean, inputs, i, places, i, i, i, taps, i, i, g, i, i, i, totals, i),
        generate,
    )


@intrinsic
def lanes_summed(_context: Any, totals: Any, total: Any) -> Any:
    """The sum of the lanes of a vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        totals, total = unpack(context, builder, signature, arguments)
        vector = builder.load(at(builder, totals, total), align=4)
        lane = [
            builder.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(LANES)
        ]
        while len(lane) > 1:
            half = len(lane) // 2
            lane = [builder.fadd(a, b) for a, b in zip(lane[:half], lane[half:], strict=True)]
        return lane[0]

    return types.float32(totals, types.intp), generate
