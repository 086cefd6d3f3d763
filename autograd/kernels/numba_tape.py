"""Evaluating formulas of elements, compiled: an interpreter that does an instruction at a time.

Each instruction goes through a block of elements that stays in the first cache. So any formula
runs at the speed of compiled code, although nothing is compiled for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels import numba_elementary as elementary
from autograd.kernels import numpy_tape
from autograd.kernels.compiled import Floats, Integers, compiled_exactly
from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_room import empty, release
from autograd.kernels.numba_vectors import (
    INTEGERS,
    LANES,
    POINTER,
    VECTOR,
    absolute,
    by_room,
    lanes,
    load,
    outlined,
    splat,
    store,
    tanh,
)
from autograd.kernels.numpy_tape import collapsed, layout
from autograd.kernels.tape import FUNCTIONS, Place, Tape

BLOCK = 1024
"""Elements that are worked on at a time; a formula's buffers of them stay in the first cache."""
ROUND = 4
"""Vectors that are worked on in a round."""
ELEMENT = 4
"""Work of one element in an instruction, in the multiplications that `share` counts."""
WEIGHTY, LIGHTER = 1 << 16, 1 << 17
"""Additions on all elements below which NumPy is as fast on whole arrays; the latter where the
formula has no function that takes longer than an addition."""


def evaluate(like: Any, tape: Tape, arrays: list[Any]) -> Any:
    """As `numpy_tape.evaluate`."""
    program = encoded(tape)
    if program is None or like.dtype != np.float32 or like.size < BLOCK:
        return numpy_tape.evaluate(like, tape, arrays)
    light = tape.weight == len(tape.instructions)
    if like.size * tape.weight < (LIGHTER if light else WEIGHTY):
        return None
    arrays = [collapsed(array) for array in arrays]
    shapes = layout(like, arrays)
    if shapes is None:
        return None
    out = np.empty(like.shape, like.dtype)
    inputs = [
        number
        for array, (inner, count) in zip(arrays, shapes, strict=True)
        for number in (array.__array_interface__["data"][0], inner, count)
    ]
    work = out.size * (tape.weight + 1) * ELEMENT
    result = out.reshape(-1)  # (d0, d1, ...) -> (size,)
    blocks = -(-out.size // BLOCK)
    share(run, blocks, work, *program, np.array(inputs, np.int64), result, tape.buffers, blocks)
    return out


@lru_cache(maxsize=1024)
def encoded(tape: Tape) -> tuple[Any, Any] | None:
    """Five numbers for each instruction, and constants; None if some function is not compiled.

    Operands are numbered: the inputs, the result, the buffers, the constants.
    """
    code, constants = list[int](), list[float]()
    for name, operands, target in tape.instructions:
        if name not in NUMBERS:
            return None
        numbers = []
        for value in operands:
            if not isinstance(value, Place):
                numbers.append(tape.inputs + 1 + tape.buffers + len(constants))
                constants.append(value)
            else:
                numbers.append(value.number + (0 if value.is_input else tape.inputs + 1))
        numbers += [0] * (3 - len(numbers))
        code += [NUMBERS[name], *numbers, tape.inputs + 1 + target]
    return np.array(code, np.int64), np.array(constants, np.float32)


def compare(sign: str) -> Callable[..., Any]:
    """All bits of a lane are 1 where it holds."""

    def write(builder: Any, x: Any, y: Any) -> Any:
        ask = builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered
        return builder.bitcast(builder.sext(ask(sign, x, y), INTEGERS), VECTOR)

    return write


def by_bits(method: str) -> Callable[..., Any]:
    def write(builder: Any, *values: Any) -> Any:
        bits = [builder.bitcast(value, INTEGERS) for value in values]
        return builder.bitcast(getattr(builder, method)(*bits), VECTOR)

    return write


def extremum(sign: str) -> Callable[..., Any]:
    """As NumPy's: NaN if any is."""

    def write(builder: Any, x: Any, y: Any) -> Any:
        chosen = builder.select(builder.fcmp_ordered(sign, x, y), x, y)
        return builder.select(builder.fcmp_unordered("uno", x, x), x, chosen)

    return write


def choose(builder: Any, condition: Any, x: Any, y: Any) -> Any:
    bits = builder.bitcast(condition, INTEGERS)
    return builder.select(builder.icmp_signed("!=", bits, INTEGERS(None)), x, y)


def odd(write: Callable[..., Any]) -> Callable[..., Any]:
    """With a zero that has the sign of the argument."""

    def signed(builder: Any, x: Any) -> Any:
        zero = builder.fcmp_ordered("==", x, VECTOR(None))
        return builder.select(zero, x, write(builder, x))

    return signed


def sqrt(builder: Any, x: Any) -> Any:
    kind = ir.FunctionType(VECTOR, [VECTOR])
    name = f"llvm.sqrt.v{LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [x])


WRITERS: dict[str, Callable[..., Any]] = {
    "absolute": absolute,
    "add": lambda builder, x, y: builder.fadd(x, y),
    "bitwise_and": by_bits("and_"),
    "bitwise_or": by_bits("or_"),
    "divide": lambda builder, x, y: builder.fdiv(x, y),
    "equal": compare("=="),
    "erf": elementary.erf,
    "exp": elementary.exp,
    "expm1": odd(elementary.expm1),
    "greater": compare(">"),
    "greater_equal": compare(">="),
    "invert": by_bits("not_"),
    "less": compare("<"),
    "less_equal": compare("<="),
    "log": elementary.log,
    "log1p": elementary.log1p,
    "maximum": extremum(">"),
    "minimum": extremum("<"),
    "multiply": lambda builder, x, y: builder.fmul(x, y),
    "negative": lambda builder, x: builder.fneg(x),
    "not_equal": compare("!="),
    "sigmoid": elementary.sigmoid,
    "sqrt": sqrt,
    "subtract": lambda builder, x, y: builder.fsub(x, y),
    "tanh": odd(tanh),
    "where": choose,
}
"""What writes the code of a function for vectors."""

LONG = {"erf", "exp", "expm1", "log", "log1p", "sigmoid", "tanh"}
"""Functions that take so many operations that nothing is gained by four vectors in a round."""

NUMBERS = {name: number for number, name in enumerate(WRITERS)}


def write_step(builder: Any, code: Any, table: Any, count: Any) -> None:
    """The code of `step`."""
    index = ir.IntType(64)

    def entry(array: Any, place: Any) -> Any:
        return builder.load(builder.gep(array, [place]))

    def operand(number: int) -> tuple[Any, Any]:
        """Where an operand begins, and which bits of an offset count there."""
        place = builder.shl(entry(code, ir.Constant(index, number)), ir.Constant(index, 1))
        address = entry(table, place)
        pointer = builder.inttoptr(address, ir.FloatType().as_pointer())
        return pointer, entry(table, builder.add(place, ir.Constant(index, 1)))

    after = builder.append_basic_block("after")
    places = [operand(number) for number in (1, 2, 3, 4)]
    zero = ir.Constant(index, 0)
    chosen = builder.switch(entry(code, zero), after)
    for name, write in WRITERS.items():
        begin, body = builder.append_basic_block(f"{name}.begin"), builder.append_basic_block(name)
        chosen.add_case(ir.Constant(index, NUMBERS[name]), begin)
        builder.position_at_end(begin)
        vectors = 1 if name in LONG else ROUND
        lanes = ir.Constant(index, vectors * LANES)
        final = builder.sub(count, lanes)
        builder.branch(body)
        builder.position_at_end(body)
        done = builder.phi(index)
        done.add_incoming(zero, begin)
        first = builder.select(builder.icmp_signed("<", done, final), done, final)
        for vector in range(vectors):
            offset = builder.add(first, ir.Constant(index, vector * LANES))
            values = []
            for pointer, bits in places[: FUNCTIONS[name]]:
                place = builder.gep(pointer, [builder.and_(offset, bits)])
                values.append(builder.load(builder.bitcast(place, POINTER), align=4))
            place = builder.gep(places[3][0], [offset])
            builder.store(write(builder, *values), builder.bitcast(place, POINTER), align=4)
        following = builder.add(done, lanes)
        done.add_incoming(following, body)
        builder.cbranch(builder.icmp_signed("<", following, count), body, after)
    builder.position_at_end(after)


@intrinsic
def step(_context: Any, code: Any, place: Any, table: Any, count: Any) -> Any:
    """The instruction at some place of the code, for `count` elements, at least a round.

    The last round begins earlier, so that it ends with them: it does some elements again, which
    changes nothing, for the result lies apart from the operands.

    The table has the address of each operand, and after it -1, or 0 if all its elements are one.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        code, place, table, count = arguments
        code, table = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data
            for k in (0, 2)
        )
        values = [builder.gep(code, [place]), table, count]
        outlined(builder, "step", values, write_step)
        return context.get_dummy_value()

    return types.void(code, types.intp, table, types.intp), generate


@intrinsic
def address(_context: Any, array: Any) -> Any:
    """Where the elements of an array begin."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, ir.IntType(64))

    return types.int64(array), generate


def write_repeated(
    builder: Any, source: Any, start: Any, along: Any, target: Any, place: Any, count: Any
) -> None:
    """The code of `repeated`."""
    zero, size = ir.Constant(count.type, 0), ir.Constant(count.type, LANES)
    one = splat(builder, builder.load(builder.gep(source, [start])), VECTOR)
    with builder.if_else(builder.icmp_signed("!=", along, zero)) as branches:
        for neighbours, branch in zip((True, False), branches, strict=True):
            with branch, cgutils.for_range_slice(builder, zero, count, size) as (done, _):
                left, into = builder.sub(count, done), builder.add(place, done)

                def write(
                    whole: bool,
                    left: Any = left,
                    into: Any = into,
                    done: Any = done,
                    neighbours: bool = neighbours,
                ) -> None:
                    mask = None if whole else lanes(builder, left)
                    at = builder.add(start, done)
                    values = load(builder, source, at, mask) if neighbours else one
                    store(builder, values, target, into, mask)

                by_room(builder, left, LANES, write)


@intrinsic
def repeated(
    _context: Any, source: Any, start: Any, along: Any, target: Any, place: Any, count: Any
) -> Any:
    """Copy `count` neighbours from the address `source`, or, if `along` is 0, the first only."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start, along, target, place, count = arguments
        into = context.make_array(signature.args[3])(context, builder, target).data
        source = builder.inttoptr(source, ir.FloatType().as_pointer())
        outlined(builder, "repeated", [source, start, along, into, place, count], write_repeated)
        return context.get_dummy_value()

    i = types.intp
    return types.void(types.int64, i, i, target, i, i), generate


@compiled_exactly
def run(
    code: Integers,
    constants: Floats,
    inputs: Integers,
    out: Floats,
    buffers: int,
    count: int,
    first: int,
    last: int,
) -> None:
    """Some blocks of elements: all instructions for one after the other.

    `inputs` has three numbers for each input: its address, and those of its `layout`.
    """
    shared()
    arrays, total = len(inputs) // 3, len(out)
    own = arrays + 1 + buffers
    table = empty(code, 2 * (own + len(constants)))
    memory = empty(out, (arrays + buffers) * BLOCK + len(constants) * LANES)
    filled = empty(code, 2 * arrays + 1)  # where in its pattern an input begins, and how much
    for k in range(2 * arrays):
        filled[k] = -1
    for k in range(len(table) // 2):
        table[2 * k + 1] = -1
        if k > arrays:
            table[2 * k] = address(memory) + 4 * BLOCK * (k - 1)
    for k in range(len(constants)):
        place = (arrays + buffers) * BLOCK + k * LANES
        table[2 * (own + k)], table[2 * (own + k) + 1] = address(memory) + 4 * place, 0
        for lane in range(LANES):
            memory[place + lane] = constants[k]
    for block in range(first, last):
        begin = total * block // count
        size = total * (block + 1) // count - begin
        table[2 * arrays] = address(out) + 4 * begin
        for k in range(arrays):
            place, inner, repeat = inputs[3 * k], inputs[3 * k + 1], inputs[3 * k + 2]
            if repeat == total:
                table[2 * k] = place + 4 * begin
                continue
            table[2 * k] = address(memory) + 4 * BLOCK * k
            phase = begin % (inner * repeat)
            if phase == filled[2 * k] and size <= filled[2 * k + 1]:
                continue  # what the block before left there
            filled[2 * k], filled[2 * k + 1] = phase, size
            done = 0
            while done < size:  # runs of the same element, or of neighbours
                at = (begin + done) // inner
                along = 0 if inner > 1 or repeat == 1 else 1
                stop = (at + 1) * inner - begin if inner > 1 else done + repeat - at % repeat
                stop = size if repeat == 1 else min(size, stop)
                repeated(place, at % repeat, along, memory, k * BLOCK + done, stop - done)
                done = stop
        for place in range(0, len(code), 5):
            step(code, place, table, size)
    release(table)
    release(memory)
    release(filled)
