"""The sums of `direct`, compiled.

They stay in vector registers, for eight channels of output at once. `multiply` and `correlate`
write that out for the compiler, which does not find it in loops over arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.compiled import compiled
from autograd.kernels.direct import LANES, OUTPUTS, TAPS, plan
from autograd.kernels.threads import share
from autograd.kernels.windows import Windows

VECTORS = 2
"""Vectors of results that share each load of a weight."""
RESULT = 8
"""What writing a result, or reading its gradient, costs in multiplications."""
FLAGS = ("contract",)


class Code:
    """What both intrinsics say to the compiler."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.values = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else value
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        self.vector = ir.VectorType(ir.FloatType(), LANES)
        self.mask = ir.VectorType(ir.IntType(1), LANES)
        self.index = ir.IntType(64)
        self.whole = ir.VectorType(self.index, LANES)

    def number(self, value: int) -> Any:
        return ir.Constant(self.index, value)

    def add(self, place: Any, value: int) -> Any:
        return self.builder.add(place, self.number(value))

    def entry(self, array: Any, place: Any, offset: int = 0) -> Any:
        """An element of an array."""
        return self.builder.load(self.builder.gep(array, [self.add(place, offset)]))

    def at(self, array: Any, place: Any) -> Any:
        """Where a vector begins."""
        pointer = self.builder.gep(array, [place])
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load(self, array: Any, place: Any) -> Any:
        return self.builder.load(self.at(array, place), align=4)

    def spread(self, value: Any, kind: Any) -> Any:
        """A vector that has one value everywhere."""
        empty = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, empty, zeros)

    def below(self, count: Any) -> Any:
        """A mask of so many lanes."""
        lanes = ir.Constant(self.whole, list(range(LANES)))
        return self.builder.icmp_signed("<", lanes, self.spread(count, self.whole))

    def masked(self, name: str, result: Any, *arguments: Any) -> Any:
        """Load or store some lanes only; the memory of the others is not touched."""
        kind = ir.FunctionType(result, [argument.type for argument in arguments])
        function = self.builder.module.globals.get(name)
        if function is None:
            function = ir.Function(self.builder.module, kind, name)
        return self.builder.call(function, arguments)

    def load_some(self, array: Any, place: Any, mask: Any) -> Any:
        """A vector whose lanes outside of the mask are 0."""
        rest = ir.Constant(self.vector, [0.0] * LANES)
        align = ir.Constant(ir.IntType(32), 4)
        name = f"llvm.masked.load.v{LANES}f32.p0"
        return self.masked(name, self.vector, self.at(array, place), align, mask, rest)

    def store_some(self, value: Any, array: Any, place: Any, mask: Any) -> None:
        align = ir.Constant(ir.IntType(32), 4)
        name = f"llvm.masked.store.v{LANES}f32.p0"
        self.masked(name, ir.VoidType(), value, self.at(array, place), align, mask)

    def fused(self, a: Any, b: Any, total: Any) -> Any:
        product = self.builder.fmul(a, b, flags=FLAGS)
        return self.builder.fadd(total, product, flags=FLAGS)

    def sums(self, first: Any, last: Any, starts: list[Any], step: Any) -> list[Any]:
        """A loop: `step` makes the next sums out of a number and the sums so far."""
        builder = self.builder
        before = builder.block
        body = builder.append_basic_block("sums")
        after = builder.append_basic_block("summed")
        builder.cbranch(builder.icmp_signed("<", first, last), body, after)
        builder.position_at_end(body)
        number = builder.phi(self.index)
        number.add_incoming(first, before)
        sums = [builder.phi(self.vector) for _ in starts]
        for total, start in zip(sums, starts, strict=True):
            total.add_incoming(start, before)
        results = step(number, sums)
        following = self.add(number, 1)
        number.add_incoming(following, body)
        for total, result in zip(sums, results, strict=True):
            total.add_incoming(result, body)
        builder.cbranch(builder.icmp_signed("<", following, last), body, after)
        builder.position_at_end(after)
        totals = [builder.phi(self.vector) for _ in starts]
        for total, start, result in zip(totals, starts, results, strict=True):
            total.add_incoming(start, before)
            total.add_incoming(result, body)
        return totals


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def multiply(
    _context: Any,
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
    """Compute `VECTORS` vectors of results, from a place on, for a block of channels."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = Code(context, builder, signature, arguments)
        (inputs, image, places, place, last, taps, count, *more) = code.values
        weights, weight, bias, channel, out, start, plane, real = more
        wheres = []
        for v in range(VECTORS):
            number = code.add(place, v)
            number = builder.select(builder.icmp_signed("<", number, last), number, last)
            wheres.append(builder.mul(number, code.number(3)))
        begins = [builder.add(image, code.entry(places, where)) for where in wheres]
        starts = []
        for o in range(OUTPUTS):
            offset = code.spread(code.entry(bias, channel, o), code.vector)
            starts += [offset] * VECTORS

        def step(k: Any, sums: list[Any]) -> list[Any]:
            tap = code.entry(taps, k)
            vectors = [code.load(inputs, builder.add(begin, tap)) for begin in begins]
            row = builder.add(weight, builder.mul(k, code.number(OUTPUTS)))
            results = []
            for o in range(OUTPUTS):
                factor = code.spread(code.entry(weights, row, o), code.vector)
                results += [
                    code.fused(factor, vector, sums[o * VECTORS + v])
                    for v, vector in enumerate(vectors)
                ]
            return results

        sums = code.sums(code.number(0), count, starts, step)
        for v, where in enumerate(wheres):
            target = builder.add(start, code.entry(places, where, 1))
            within = code.entry(places, where, 2)
            whole = builder.and_(
                builder.icmp_signed("==", within, code.number(LANES)),
                builder.icmp_signed(">=", real, code.number(OUTPUTS)),
            )
            with builder.if_else(whole) as (then, otherwise):
                with then:
                    for o in range(OUTPUTS):
                        to = builder.add(target, builder.mul(plane, code.number(o)))
                        builder.store(sums[o * VECTORS + v], code.at(out, to), align=4)
                with otherwise:
                    for o in range(OUTPUTS):
                        there = builder.icmp_signed("<", code.number(o), real)
                        mask = code.below(builder.select(there, within, code.number(0)))
                        to = builder.add(target, builder.mul(plane, code.number(o)))
                        code.store_some(sums[o * VECTORS + v], out, to, mask)
        return context.get_dummy_value()

    numbers = (types.intp,) * 3
    return (
        types.void(
            inputs, types.intp, places, *numbers[:2], taps, types.intp, weights, types.intp,
            bias, types.intp, out, *numbers,
        ),
        generate,
    )  # fmt: skip


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def correlate(
    _context: Any,
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
    """Add, to one vector for each of some channels and `TAPS` taps, gradient times input."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code = Code(context, builder, signature, arguments)
        inputs, image, places, first, whole, last, taps, tap, count, *more = code.values
        g, start, plane, real, totals, total = more

        def limited(number: Any, limit: Any) -> Any:
            limit = code.add(limit, -1)
            return builder.select(builder.icmp_signed("<", number, limit), number, limit)

        begins = []
        for b in range(TAPS):
            number = limited(code.add(tap, b), count)
            begins.append(builder.add(image, code.entry(taps, number)))
        planes = [
            builder.add(start, builder.mul(plane, limited(code.number(o), real)))
            for o in range(OUTPUTS)
        ]
        wheres = [code.add(total, k * LANES) for k in range(OUTPUTS * TAPS)]

        def step(place: Any, sums: list[Any], partly: bool) -> list[Any]:
            where = builder.mul(place, code.number(3))
            begin, out = code.entry(places, where), code.entry(places, where, 1)
            mask = code.below(code.entry(places, where, 2)) if partly else None

            def load(array: Any, place: Any) -> Any:
                return code.load_some(array, place, mask) if partly else code.load(array, place)

            vectors = [load(inputs, builder.add(b, begin)) for b in begins]
            results = []
            for o in range(OUTPUTS):
                gradient = load(g, builder.add(planes[o], out))
                results += [
                    code.fused(gradient, vector, sums[o * TAPS + b])
                    for b, vector in enumerate(vectors)
                ]
            return results

        sums = [code.load(totals, where) for where in wheres]
        sums = code.sums(first, whole, sums, lambda k, now: step(k, now, False))
        sums = code.sums(whole, last, sums, lambda k, now: step(k, now, True))
        for where, result in zip(wheres, sums, strict=True):
            builder.store(result, code.at(totals, where), align=4)
        return context.get_dummy_value()

    numbers = (types.intp,) * 3
    return (
        types.void(
            inputs, types.intp, places, *numbers, taps, *numbers[:2], g, *numbers,
            totals, types.intp,
        ),
        generate,
    )  # fmt: skip


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
                for k in range(count):
                    into[k] = values[k * stride]


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
    groups, outputs, width = out.shape[1:]
    vectors = len(places) // 3
    blocks = weights.shape[1]
    count = len(taps)
    values, results, factors = x.reshape(-1), out.reshape(-1), weights.reshape(-1)
    offsets = bias.reshape(-1)
    for image in range(images):
        lay_out(values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer)
        for group in range(groups):
            shift = group * (inputs // groups) * channel
            for block in range(blocks):
                number = group * blocks + block
                start = ((image * groups + group) * outputs + block * OUTPUTS) * width
                for place in range(0, vectors, VECTORS):
                    multiply(
                        buffer,
                        shift,
                        places,
                        place,
                        vectors - 1,
                        taps,
                        count,
                        factors,
                        number * count * OUTPUTS,
                        offsets,
                        number * OUTPUTS,
                        results,
                        start,
                        width,
                        outputs - block * OUTPUTS,
                    )


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
    groups, outputs, width = g.shape[1:]
    count = len(taps)
    values, incoming = x.reshape(-1), g.reshape(-1)
    per = OUTPUTS * TAPS * LANES
    for image in range(images):
        lay_out(values, image * inputs * plane, inputs, plane, channel, lines, phases, buffer)
        for chunk in range(len(chunks)):
            first, whole, last = chunks[chunk]
            total = 0
            for group in range(groups):
                shift = group * (inputs // groups) * channel
                for o in range(0, outputs, OUTPUTS):
                    start = ((image * groups + group) * outputs + o) * width
                    for tap in range(0, count, TAPS):
                        correlate(
                            buffer,
                            shift,
                            parts,
                            first,
                            whole,
                            last,
                            taps,
                            tap,
                            count,
                            incoming,
                            start,
                            width,
                            outputs - o,
                            totals,
                            total,
                        )
                        total += per
    total = 0
    for group in range(groups):
        for first in range(0, outputs, OUTPUTS):
            for tap in range(0, count, TAPS):
                for o in range(OUTPUTS):
                    for k in range(TAPS):
                        value = np.float32(0)
                        for lane in range(LANES):
                            value += totals[total + lane]
                        total += LANES
                        if first + o < outputs and tap + k < count:
                            grad[group * outputs + first + o, tap + k] = value


def conv(x: Any, weight: Any, bias: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (G*O, C, kernel...), (G*O,) or None -> (N, G*O, out...)"""
    count, outputs, channels = len(x), len(weight) // groups, weight.shape[1]
    layout = plan(windows, channels, groups)
    blocks = -(-outputs // OUTPUTS)
    padded = np.zeros((groups, blocks * OUTPUTS, len(layout.taps)), np.float32)
    # (G*O, C, kernel...) -> (G, O, K)
    padded[:, :outputs] = weight.reshape(groups, outputs, -1)
    # (G, O, K) -> (G, B, K, OUTPUTS)
    weights = np.ascontiguousarray(padded.reshape(groups, blocks, OUTPUTS, -1).swapaxes(2, 3))
    offsets = np.zeros((groups, blocks * OUTPUTS), np.float32)
    if bias is not None:
        offsets[:, :outputs] = bias.reshape(groups, outputs)
    out = np.empty((count, len(weight), *windows.out), np.float32)
    result = out.reshape(count, groups, outputs, -1)  # (N, G*O, out...) -> (N, G, O, L)
    planes = x.reshape(count, x.shape[1], -1)  # (N, G*C, sizes...) -> (N, G*C, P)

    def convolve(part: slice) -> None:
        buffer = np.zeros(layout.size, np.float32)
        forward(
            planes[part],
            weights,
            offsets,
            result[part],
            buffer,
            layout.lines,
            layout.phases,
            layout.taps,
            layout.places,
            layout.channel,
        )

    share(convolve, count, out.size * (len(layout.taps) + RESULT), blas=False)
    return out


def conv_weight_grad(x: Any, g: Any, windows: Windows, groups: int) -> Any:
    """(N, G*C, sizes...), (N, G*O, out...) -> (G*O, C, kernel...)"""
    count, channels, outputs = len(x), x.shape[1] // groups, g.shape[1] // groups
    layout = plan(windows, channels, groups)
    taps = len(layout.taps)
    places = groups * -(-outputs // OUTPUTS) * -(-taps // TAPS) * OUTPUTS * TAPS * LANES
    planes = x.reshape(count, x.shape[1], -1)  # (N, G*C, sizes...) -> (N, G*C, P)
    incoming = g.reshape(count, groups, outputs, -1)  # (N, G*O, out...) -> (N, G, O, L)

    def add_up(part: slice) -> Any:
        totals = np.zeros(places, np.float32)
        grad = np.empty((groups * outputs, taps), np.float32)
        buffer = np.zeros(layout.size, np.float32)
        backward(
            planes[part],
            incoming[part],
            totals,
            grad,
            buffer,
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
