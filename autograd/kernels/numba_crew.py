"""Sharing compiled work among threads that need not touch the interpreter.

A Python function that is handed to another thread has to wait for the interpreter lock there, some
50 us in all. Here the threads of the pool wait awake in compiled code, and call the address of a
compiled function that they find on a board, within a microsecond.

A function that is shared begins with ``if first < 0: return hand_out(board, count, parts)``, which
lets those threads call it again, with ranges of items from `first` to `last`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from autograd.kernels import threads
from autograd.kernels.process import settle

__all__ = ["anything_left", "hand_out", "parts_of", "share", "take_parts", "watching"]

LEFT, DONE, FUNCTION, ARGUMENTS, BUSY, FAILED, WATCHING = range(0, 8 * threads.BOARD, 8)[:7]
"""Where numbers are on the board, each in a line of the cache of its own: parts that nobody has
taken yet, parts that are done, what to call and with what, whether somebody uses the board, whether
a part failed, and how many threads watch."""

EASIER = 8
"""How much less work is worth a thread that is awake than one that has to be woken."""

WORD, ADDRESS = ir.IntType(64), ir.IntType(8).as_pointer()
PART = ir.FunctionType(ir.IntType(1), [ADDRESS, WORD])
"""Takes the address of its arguments and the number of a part; whether that failed."""

_alone = np.zeros(8 * threads.BOARD, np.int64)


def share(kernel: Any, count: int, work: int, *arguments: Any) -> None:
    """Call a compiled function on consecutive ranges that cover `count` items.

    Args:
        kernel: gets the arguments and a range.
        count: how many items there are.
        work: about how many multiplications they take together.
        arguments: before the range.

    Raises:
        MemoryError: a part could not get the memory it needs.
    """
    parts, board = parts_of(count, work), _alone
    if parts > 1:
        settle()
        pool = threads.pool()
        board = pool.board
        if work >= threads.WORTHWHILE:
            pool.wake(parts - 1 - int(board[WATCHING]))
    if kernel(board, count, parts, *arguments, -1, 0):
        raise MemoryError("out of memory in a compiled kernel")


def parts_of(count: int, work: int) -> int:
    """Among how many threads `share` would share this."""
    least = max(1, threads.WORTHWHILE // EASIER)
    return min(threads.get_num_threads(), count, max(1, work // least))


def number(value: int) -> Any:
    return ir.Constant(WORD, value)


class Numbers:
    """Code that reads and writes the numbers of a board."""

    def __init__(self, context: Any, builder: Any, kind: Any, board: Any) -> None:
        self.builder = builder
        data = context.make_array(kind)(context, builder, board).data
        self.memory = builder.bitcast(data, WORD.as_pointer())

    def at(self, place: int) -> Any:
        return self.builder.gep(self.memory, [number(place)])

    def read(self, place: int) -> Any:
        return self.builder.load_atomic(self.at(place), "acquire", 8)

    def write(self, place: int, value: Any) -> None:
        self.builder.store_atomic(value, self.at(place), "seq_cst", 8)

    def change(self, place: int, amount: int) -> Any:
        """Add to a number; returns what it was before."""
        return self.builder.atomic_rmw("add", self.at(place), number(amount), "seq_cst")


def breathe(builder: Any) -> None:
    """Tell the processor that this thread only waits."""
    if builder.module.triple.startswith("x86_64"):
        kind = ir.FunctionType(ir.VoidType(), [])
        name = "llvm.x86.sse2.pause"
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])


def take(builder: Any, board: Numbers) -> None:
    """Code that takes parts until none is left.

    Who has taken one knows that everything on the board belongs to it, and whoever put it there
    waits until the part is done.
    """
    check, work, after = (builder.append_basic_block(name) for name in ("check", "work", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    left = board.change(LEFT, -1)
    builder.cbranch(builder.icmp_signed(">", left, number(0)), work, after)
    builder.position_at_end(work)
    function = builder.inttoptr(board.read(FUNCTION), PART.as_pointer())
    arguments = builder.inttoptr(board.read(ARGUMENTS), ADDRESS)
    failed = builder.call(function, [arguments, builder.sub(left, number(1))])
    with builder.if_then(failed, likely=False):
        board.write(FAILED, number(1))
    board.change(DONE, 1)
    builder.branch(check)
    builder.position_at_end(after)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def take_parts(_context: Any, board: Any) -> Any:
    """Take parts until none is left."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        take(builder, Numbers(context, builder, signature.args[0], arguments[0]))
        return context.get_dummy_value()

    return types.void(board), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def anything_left(_context: Any, board: Any) -> Any:
    """Whether a part waits to be taken; a short breath before that."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        breathe(builder)
        left = Numbers(context, builder, signature.args[0], arguments[0]).read(LEFT)
        return builder.icmp_signed(">", left, number(0))

    return types.boolean(board), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def watching(_context: Any, board: Any, change: Any) -> Any:
    """Say that this thread watches the board, with 1, or does no longer, with -1."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = Numbers(context, builder, signature.args[0], arguments[0]).at(WATCHING)
        builder.atomic_rmw("add", place, arguments[1], "seq_cst")
        return context.get_dummy_value()

    return types.void(board, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def hand_out(_context: Any, board: Any, count: Any, parts: Any) -> Any:
    """In a function that is shared: let it be called for all parts; whether one of them failed.

    If somebody else has work on the board, this thread does all parts by itself.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        board, count, parts = arguments
        numbers = Numbers(context, builder, signature.args[0], board)
        given = builder.function.args[2:-2]  # without the place of the result, and the range
        code, kind = part_of(builder.module, builder.function)
        held = builder.alloca(kind)
        for place, value in enumerate((*given, count, parts)):
            builder.store(value, cgutils.gep_inbounds(builder, held, 0, place))
        address = builder.bitcast(held, ADDRESS)
        failed = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 0))

        several = builder.icmp_signed(">", parts, number(1))
        free = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 0))
        with builder.if_then(several):
            swap = builder.cmpxchg(numbers.at(BUSY), number(0), number(1), "seq_cst", "seq_cst")
            builder.store(builder.extract_value(swap, 1), free)
        with builder.if_else(builder.load(free)) as (then, otherwise):
            with then:
                numbers.write(FUNCTION, builder.ptrtoint(code, WORD))
                numbers.write(ARGUMENTS, builder.ptrtoint(address, WORD))
                numbers.write(DONE, number(0))
                numbers.write(FAILED, number(0))
                numbers.write(LEFT, parts)  # the last: from here on it may be taken
                take(builder, numbers)
                wait, after = (builder.append_basic_block(name) for name in ("wait", "done"))
                builder.branch(wait)
                builder.position_at_end(wait)
                breathe(builder)
                done = builder.icmp_signed("==", numbers.read(DONE), parts)
                builder.cbranch(done, after, wait)
                builder.position_at_end(after)
                builder.store(builder.icmp_signed("!=", numbers.read(FAILED), number(0)), failed)
                numbers.write(BUSY, number(0))
            with otherwise, cgutils.for_range(builder, parts) as loop:
                now = builder.call(code, [address, loop.index])
                builder.store(builder.or_(builder.load(failed), now), failed)
        return builder.load(failed)

    return types.boolean(board, types.int64, types.int64), generate


def part_of(module: Any, function: Any) -> tuple[Any, Any]:
    """Code of `PART` that calls a function for some of its items, and what it finds there."""
    given = [argument.type for argument in function.args[2:-2]]
    kind = ir.LiteralStructType([*given, WORD, WORD])
    code = ir.Function(module, PART, module.get_unique_name("part"))
    code.linkage = "internal"
    builder = ir.IRBuilder(code.append_basic_block("entry"))
    address, part = code.args
    held = builder.bitcast(address, kind.as_pointer())
    *values, count, parts = (
        builder.load(cgutils.gep_inbounds(builder, held, 0, place))
        for place in range(len(given) + 2)
    )
    first, last = (
        builder.sdiv(builder.mul(count, which), parts)
        for which in (part, builder.add(part, number(1)))
    )
    results = [builder.alloca(argument.type.pointee) for argument in function.args[:2]]
    status = builder.call(function, [*results, *values, first, last])
    builder.ret(builder.icmp_signed("!=", status, ir.Constant(status.type, 0)))
    return code, kind
