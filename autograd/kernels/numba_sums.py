"""The innermost loops of `direct`, written out for the compiler, with sums in vector registers.

It does not find them in loops over arrays, where it also has to check that nothing overlaps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.numba_vectors import (
    INTEGERS,
    LANES,
    POINTER,
    VECTOR,
    by_room,
    fused,
    lanes,
    load,
    splat,
    store,
)

__all__ = ["correlate", "fill", "multiply", "pick"]

INDEX = ir.IntType(64)
Sums = list[Any]


def index(value: int) -> Any:
    return ir.Constant(INDEX, value)


def unpack(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Numbers as they are, arrays as pointers to their first element."""
    return [
        context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


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


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def multiply(
    _context: Any,
    outputs: Any,
    vectors: Any,
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
    """Compute some vectors of results, from a place on, for each of some channels of output."""
    if not isinstance(outputs, types.IntegerLiteral) or not isinstance(
        vectors, types.IntegerLiteral
    ):
        return None
    channels, wide = outputs.literal_value, vectors.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, inputs, image, places, place, last, taps, count, *more = unpack(
            context, builder, signature, arguments
        )
        weights, weight, bias, channel, out, start, plane, real = more
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
                builder.load(at(builder, inputs, builder.add(begin, tap)), align=4)
                for begin in begins
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
        return context.get_dummy_value()

    numbers = (types.intp,) * 3
    return (
        types.void(
            outputs, vectors, inputs, types.intp, places, *numbers[:2], taps, types.intp,
            weights, types.intp, bias, types.intp, out, *numbers,
        ),
        generate,
    )  # fmt: skip


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def correlate(
    _context: Any,
    outputs: Any,
    columns: Any,
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
    """Add, to a vector for each of some channels of output and some taps, gradient times input."""
    if not isinstance(outputs, types.IntegerLiteral) or not isinstance(
        columns, types.IntegerLiteral
    ):
        return None
    channels, beside = outputs.literal_value, columns.literal_value

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, _, inputs, image, places, first, whole, last, taps, tap, count, *more = unpack(
            context, builder, signature, arguments
        )
        g, start, plane, real, totals, total = more
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

            def read(array: Any, place: Any) -> Any:
                if partly:
                    return load(builder, array, place, mask)
                return builder.load(at(builder, array, place), align=4)

            values = [read(inputs, builder.add(b, begin)) for b in begins]
            results = []
            for o in range(channels):
                gradient = read(g, builder.add(planes[o], out))
                results += [
                    fused(builder, gradient, vector, sums[o * beside + b])
                    for b, vector in enumerate(values)
                ]
            return results

        wheres = [
            at(builder, totals, builder.add(total, index(k * LANES)))
            for k in range(channels * beside)
        ]
        sums = [ir.Constant(VECTOR, [0.0] * LANES)] * len(wheres)
        sums = loop(builder, first, whole, sums, lambda k, now: step(k, now, False))
        sums = loop(builder, whole, last, sums, lambda k, now: step(k, now, True))
        for where, result in zip(wheres, sums, strict=True):  # short sums round off less
            builder.store(builder.fadd(builder.load(where, align=4), result), where, align=4)
        return context.get_dummy_value()

    numbers = (types.intp,) * 3
    return (
        types.void(
            outputs, columns, inputs, types.intp, places, *numbers, taps, *numbers[:2], g, *numbers,
            totals, types.intp,
        ),
        generate,
    )  # fmt: skip


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def fill(_context: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> Any:
    """Copy neighbours, as many as are left or a vector has room for; then zeros."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, place, left = unpack(context, builder, signature, arguments)

        def write(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            store(builder, load(builder, source, start, mask), target, place)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def pick(_context: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> Any:
    """Copy every second element, as many as are left or a vector has room for; then zeros."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, place, left = unpack(context, builder, signature, arguments)
        reach = builder.sub(builder.mul(left, index(2)), index(1))

        def write(whole: bool) -> None:
            halves = []
            for offset in (0, LANES):
                mask = None if whole else lanes(builder, reach, offset)
                halves.append(load(builder, source, builder.add(start, index(offset)), mask))
            even = ir.Constant(INTEGERS, list(range(0, 2 * LANES, 2)))
            store(builder, builder.shuffle_vector(*halves, even), target, place)

        by_room(builder, reach, 2 * LANES, write)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp), generate
