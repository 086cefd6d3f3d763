"""Vectors of pooling over windows of 2 x 2, written out for the compiler.

In a loop over arrays it would load every second element by itself.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.late_numba import intrinsic, types
from autograd.kernels.numba_vectors import INTEGERS, LANES, VECTOR, load, splat, store

__all__ = ["halve_vector", "spread_vector"]

BYTES = ir.VectorType(ir.IntType(8), LANES)
EVEN, ODD = (ir.Constant(INTEGERS, [2 * k + first for k in range(LANES)]) for first in (0, 1))
LOW, HIGH = (
    ir.Constant(INTEGERS, [first + k // 2 + k % 2 * LANES for k in range(LANES)])
    for first in (0, LANES // 2)
)


def whole(value: int) -> Any:
    return ir.Constant(INTEGERS, [value] * LANES)


@intrinsic
def halve_vector(
    _context: Any, x: Any, top: Any, low: Any, out: Any, places: Any, place: Any
) -> Any:
    """The largest values of as many windows as a vector has lanes, and where each of them is.

    The windows begin at `top` and `low` of x, their results at `place`. Of equal values the first
    is taken, and a NaN is larger than any number.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, top, low, out, places, place = arguments
        x, out, places = (
            context.make_array(signature.args[k])(context, builder, array).data
            for k, array in ((0, x), (3, out), (4, places))
        )
        values = []
        for start in (top, low):
            second = builder.add(start, ir.Constant(start.type, LANES))
            pair = load(builder, x, start), load(builder, x, second)
            values += [builder.shuffle_vector(*pair, chosen) for chosen in (EVEN, ODD)]
        best, number = values[0], whole(0)
        for k, value in enumerate(values[1:], start=1):
            larger = builder.or_(
                builder.fcmp_ordered(">", value, best), builder.fcmp_unordered("uno", value, value)
            )
            best = builder.select(larger, value, best)
            number = builder.select(larger, whole(k), number)
        store(builder, best, out, place)
        target = builder.bitcast(builder.gep(places, [place]), BYTES.as_pointer())
        builder.store(builder.trunc(number, BYTES), target, align=1)
        return context.get_dummy_value()

    i = types.intp
    return types.void(x, i, i, out, places, i), generate


@intrinsic
def spread_vector(
    _context: Any, g: Any, places: Any, place: Any, first: Any, grad: Any, target: Any
) -> Any:
    """Of some windows, one row of gradients: those of places `first` and ``first + 1``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        g, places, place, first, grad, target = arguments
        g, places, grad = (
            context.make_array(signature.args[k])(context, builder, array).data
            for k, array in ((0, g), (1, places), (4, grad))
        )
        source = builder.bitcast(builder.gep(places, [place]), BYTES.as_pointer())
        number = builder.zext(builder.load(source, align=1), INTEGERS)
        values, zero = load(builder, g, place), ir.Constant(VECTOR, [0.0] * LANES)
        row = []
        for k in (0, 1):
            wanted = builder.trunc(builder.add(first, ir.Constant(first.type, k)), ir.IntType(32))
            everywhere = splat(builder, wanted, INTEGERS)
            row.append(builder.select(builder.icmp_signed("==", number, everywhere), values, zero))
        for k, chosen in enumerate((LOW, HIGH)):
            place = builder.add(target, ir.Constant(target.type, k * LANES))
            store(builder, builder.shuffle_vector(*row, chosen), grad, place)
        return context.get_dummy_value()

    i = types.intp
    return types.void(g, places, i, i, grad, i), generate
