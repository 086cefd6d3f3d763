"""Vector registers written out for the compiler: reading, writing, products, tanh and sigmoid.

These write code of LLVM, for the generators of `intrinsic`. Loops over arrays would do for sums of
elements; a product of matrices that keeps its results in registers has to say so.

Only `compiled_exactly` functions may use this: `exponential` rounds by adding a large number, which
a compiler that reorders sums takes out again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir

from autograd.kernels.late_numba import cgutils, intrinsic, types

__all__ = [
    "HIGH",
    "INTEGERS",
    "LANES",
    "LN2_HIGH",
    "LN2_LOW",
    "MANY_REGISTERS",
    "POINTER",
    "ROUNDING",
    "VECTOR",
    "WIDTH",
    "absolute",
    "add",
    "by_room",
    "fused",
    "lanes",
    "load",
    "move",
    "number",
    "outlined",
    "sigmoid",
    "splat",
    "store",
    "tanh",
    "transpose",
    "turned",
    "unpack",
]


def registers() -> tuple[int, bool]:
    """How many floats a vector register has, and whether there are 32 of them rather than 16."""
    try:
        features = binding.get_host_cpu_features()
    except RuntimeError:
        return 4, False
    if features.get("avx512f"):
        return 16, True
    return (8 if features.get("avx2") else 4), False


LANES, MANY_REGISTERS = registers()
HIGH = 8 if MANY_REGISTERS else 6
"""Rows of two vectors each whose sums stay in registers."""
WIDTH = 2 * LANES
"""Columns of such a tile, and of panels that are packed for it."""

FLOAT, WHOLE = ir.FloatType(), ir.IntType(32)
VECTOR, INTEGERS = ir.VectorType(FLOAT, LANES), ir.VectorType(WHOLE, LANES)
MASK = ir.VectorType(ir.IntType(1), LANES)
POINTER = VECTOR.as_pointer()

ROUNDING = 1.5 * 2**23
"""Numbers near this one in float32 are whole; the lowest bits of theirs are those of the excess."""

LN2_HIGH, LN2_LOW = 0.693359375, math.log(2) - 0.693359375
"""In two pieces, the first with so few bits that its multiples in question are exact."""

FURTHEST = 80.0
"""Arguments of `exponential` beyond it are cut off: both functions are at their limit there."""


def number(value: float) -> Any:
    return ir.Constant(VECTOR, [value] * LANES)


def lanes(builder: Any, left: Any, skipped: int = 0) -> Any:
    """Which lanes of a vector are in use, where `left` elements and `skipped` before it remain."""
    limit = splat(builder, builder.trunc(left, WHOLE), INTEGERS)
    places = ir.Constant(INTEGERS, [skipped + k for k in range(LANES)])
    return builder.icmp_signed("<", places, limit)


def splat(builder: Any, value: Any, vector: Any) -> Any:
    """The same value in all lanes."""
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(WHOLE, 0))
    zeros = ir.Constant(INTEGERS, [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def outlined(builder: Any, name: str, arguments: list[Any], write: Callable[..., None]) -> None:
    """Call code that stands once in a module, however often it is called.

    `write` writes it, with a builder and what the arguments are there. Inlined everywhere, it would
    take several times as long to compile.
    """
    code = builder.module.globals.get(name)
    if code is None:
        kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        code = ir.Function(builder.module, kind, name)
        code.linkage = "internal"
        code.attributes.add("noinline")
        inside = ir.IRBuilder(code.append_basic_block("entry"))
        write(inside, *code.args)
        inside.ret_void()
    builder.call(code, arguments)


def by_room(builder: Any, left: Any, count: int, write: Callable[[bool], None]) -> None:
    """Code for whole vectors, where `count` elements are left, and for parts of them otherwise.

    Under a mask a vector takes some machines more than ten times as long to write. `write` is told
    whether vectors are whole.
    """
    whole = builder.icmp_signed(">=", left, ir.Constant(left.type, count))
    with builder.if_else(whole, likely=True) as (then, otherwise):
        with then:
            write(True)
        with otherwise:
            write(False)


def load(builder: Any, data: Any, offset: Any, mask: Any = None) -> Any:
    """The elements of an array from an offset on; 0 where the mask, if any, has none."""
    if mask is None:
        place = builder.bitcast(builder.gep(data, [offset]), POINTER)
        return builder.load(place, align=4)
    kind = ir.FunctionType(VECTOR, [POINTER, WHOLE, MASK, VECTOR])
    name = f"llvm.masked.load.v{LANES}f32.p0"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    place = builder.bitcast(builder.gep(data, [offset]), POINTER)
    return builder.call(function, [place, ir.Constant(WHOLE, 4), mask, number(0.0)])


def store(builder: Any, value: Any, data: Any, offset: Any, mask: Any = None) -> None:
    """Write all elements of a vector, or those that the mask has."""
    if mask is None:
        builder.store(value, builder.bitcast(builder.gep(data, [offset]), POINTER), align=4)
        return
    kind = ir.FunctionType(ir.VoidType(), [VECTOR, POINTER, WHOLE, MASK])
    name = f"llvm.masked.store.v{LANES}f32.p0"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    place = builder.bitcast(builder.gep(data, [offset]), POINTER)
    builder.call(function, [value, place, ir.Constant(WHOLE, 4), mask])


def unpack(context: Any, builder: Any, signature: Any, arguments: Any) -> list[Any]:
    """Numbers as they are, arrays as pointers to their first element."""
    return [
        context.make_array(kind)(context, builder, value).data
        if isinstance(kind, types.Array)
        else value
        for kind, value in zip(signature.args, arguments, strict=True)
    ]


def absolute(builder: Any, x: Any) -> Any:
    """Without the sign, also that of NaN."""
    bits = builder.and_(
        builder.bitcast(x, INTEGERS), ir.Constant(INTEGERS, [(1 << 31) - 1] * LANES)
    )
    return builder.bitcast(bits, VECTOR)


def fused(builder: Any, x: Any, y: Any, z: Any) -> Any:
    """``x * y + z``, rounded once where the machine can."""
    product = builder.fmul(x, y, flags=("contract",))
    return builder.fadd(product, z, flags=("contract",))


def exponential(builder: Any, x: Any) -> tuple[Any, Any]:
    """``exp(x)`` and ``exp(x) - 1``, each to some units in the last place; NaN stays NaN.

    With whole n and the rest r of ``x = n ln 2 + r``, ``exp(x) = 2^n + 2^n (exp(r) - 1)``, and the
    last factor is a Taylor polynomial of degree 7.
    """
    for sign, limit in (("<", -FURTHEST), (">", FURTHEST)):
        x = builder.select(builder.fcmp_ordered(sign, x, number(limit)), number(limit), x)
    rounded = fused(builder, x, number(1 / math.log(2)), number(ROUNDING))
    n = builder.fsub(rounded, number(ROUNDING))
    rest = fused(builder, n, number(-LN2_HIGH), x)
    rest = fused(builder, n, number(-LN2_LOW), rest)
    total = number(1 / math.factorial(7))
    for k in range(6, 1, -1):
        total = fused(builder, total, rest, number(1 / math.factorial(k)))
    less = fused(builder, builder.fmul(rest, rest), total, rest)
    bits = builder.shl(builder.bitcast(rounded, INTEGERS), ir.Constant(INTEGERS, [23] * LANES))
    one = ir.Constant(INTEGERS, [127 << 23] * LANES)
    power = builder.bitcast(builder.add(bits, one), VECTOR)
    whole = fused(builder, power, less, power)
    return whole, fused(builder, power, less, builder.fsub(power, number(1.0)))


def sigmoid(builder: Any, x: Any) -> Any:
    """``exp(x) / (exp(x) + 1)``"""
    whole, _ = exponential(builder, x)
    return builder.fdiv(whole, builder.fadd(whole, number(1.0)))


def tanh(builder: Any, x: Any) -> Any:
    """``e / (e + 2)`` with ``e = exp(2x) - 1``, which is exact near 0 too."""
    _, less = exponential(builder, builder.fadd(x, x))
    return builder.fdiv(less, builder.fadd(less, number(2.0)))


def turned(builder: Any, rows: list[Any]) -> list[Any]:
    """The columns of a square of `LANES` rows.

    First squares of 4 are turned within parts of 4 lanes, across which many machines exchange
    nothing but whole parts; then the squares are exchanged.
    """

    def both(first: Any, second: Any, places: list[int]) -> Any:
        return builder.shuffle_vector(first, second, ir.Constant(INTEGERS, places))

    def interleaved(first: Any, second: Any, size: int, start: int) -> Any:
        """Of each part, pieces of some size from one half, from both rows in turn."""
        pieces = [
            k // size % 2 * LANES + k // (2 * size) % (2 // size) + k % size for k in range(4)
        ]
        return both(
            first, second, [part + start + k for part in range(0, LANES, 4) for k in pieces]
        )

    squares = []
    for k in range(0, LANES, 4):
        a, b, c, d = rows[k : k + 4]
        low, high = ((interleaved(a, b, 1, s), interleaved(c, d, 1, s)) for s in (0, 2))
        squares += [interleaved(*pair, 2, start) for pair in (low, high) for start in (0, 2)]
    for apart in (8, 4):
        if apart >= LANES:
            continue
        first = [x + LANES - (x & apart) if x & apart else x for x in range(LANES)]
        second = [x + (LANES if x & apart else apart) for x in range(LANES)]
        for k in range(LANES):
            if not k & apart:
                pair = squares[k], squares[k + apart]
                squares[k], squares[k + apart] = both(*pair, first), both(*pair, second)
    return squares


@intrinsic
def move(_context: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> Any:
    """Copy a vector, or as many elements as are left."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, place, left = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[2])(context, builder, target).data

        def write(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            store(builder, load(builder, memory, start, mask), into, place, mask)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp), generate


@intrinsic
def add(_context: Any, source: Any, start: Any, target: Any, place: Any, left: Any) -> Any:
    """Add a vector, or as many elements as are left, to those of the target."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, target, place, left = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[2])(context, builder, target).data

        def write(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            old = load(builder, into, place, mask)
            store(builder, builder.fadd(load(builder, memory, start, mask), old), into, place, mask)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp), generate


@intrinsic
def transpose(
    _context: Any,
    source: Any,
    start: Any,
    apart: Any,
    last: Any,
    left: Any,
    target: Any,
    place: Any,
    pitch: Any,
) -> Any:
    """Write the columns of a square of `LANES` rows, `apart` from each other, as rows.

    Only as many columns as are left. Rows after `last`, counted from the first, are the same one.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, apart, last, left, target, place, pitch = arguments
        memory = context.make_array(signature.args[0])(context, builder, source).data
        into = context.make_array(signature.args[5])(context, builder, target).data

        def write(whole: bool) -> None:
            columns, rows = None if whole else lanes(builder, left), []
            for k in range(LANES):
                number_of = ir.Constant(start.type, k)
                row = builder.select(builder.icmp_signed("<", number_of, last), number_of, last)
                offset = builder.add(start, builder.mul(row, apart))
                rows.append(load(builder, memory, offset, columns))
            for k, row in enumerate(turned(builder, rows)):
                offset = builder.add(place, builder.mul(pitch, ir.Constant(start.type, k)))
                there = builder.icmp_signed("<", ir.Constant(start.type, k), left)
                if whole:
                    store(builder, row, into, offset)
                else:
                    with builder.if_then(there):
                        store(builder, row, into, offset)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    places = (types.intp,) * 4
    return types.void(source, *places, target, types.intp, types.intp), generate
