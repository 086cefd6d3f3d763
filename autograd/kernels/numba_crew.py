"""Sharing compiled work among threads that need not touch the interpreter.

A Python function that is handed to another thread has to wait for the interpreter lock there, some
50 us in all. Here the threads of the pool wait awake in compiled code, and call the address of a
compiled function that they find on a board, within a microsecond.

A kernel begins with ``shared()``, which makes the code that they call: it gets the arguments of the
kernel as words in memory, and the number of the part, whose range of items it works out.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_char_p, c_int64
from typing import Any

from llvmlite import ir

from autograd.kernels import threads
from autograd.kernels.compiled import ENTRY, PART, WORDS, Kernel, callable_from_c
from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.process import settle

__all__ = ["anything_left", "exported", "parts_of", "share", "shared", "take_parts", "watching"]

LEFT, DONE, FUNCTION, ARGUMENTS, BUSY, FAILED, WATCHING = range(0, 8 * threads.BOARD, 8)[:7]
"""Where numbers are on the board, each in a line of the cache of its own: parts that nobody has
taken yet, parts that are done, what to call and with what, whether somebody uses the board, whether
a part failed, and how many threads watch."""

EASIER = 8
"""How much less work is worth a thread that is awake than one that has to be woken."""

WORD, ADDRESS = ir.IntType(64), ir.IntType(8).as_pointer()
SOME = ir.FunctionType(ir.IntType(1), [ADDRESS, WORD])
"""Takes the address of its arguments and the number of a part; whether that failed."""

HEAD = object.__basicsize__
"""Where an array of NumPy, as an object in memory, has the address of its elements. The number of
axes, the addresses of the sizes and of the distances in bytes, one more, and the address of the
dtype follow, 8 bytes each."""
FAILED_PART, STRANGE = 1, 2
"""What `call` returns, if not 0: a part failed, or the code is not for arrays like these."""


def share(kernel: Kernel, count: int, work: int, *arguments: Any) -> None:
    """Call a kernel on consecutive ranges that cover `count` items.

    Args:
        kernel: gets the arguments and a range.
        count: how many items there are.
        work: about how many multiplications they take together.
        arguments: before the range.

    Raises:
        MemoryError: a part could not get the memory it needs.
        ValueError: an array has gaps, or not as many axes as at the first call.
    """
    # what `parts_of` says too, without a call for most
    parts = 1 if work * EASIER < 2 * threads.WORTHWHILE else parts_of(count, work)
    board = ALONE
    if parts > 1:
        settle()
        pool = threads.pool()
        board = pool.board.address
        if work >= threads.WORTHWHILE:
            pool.wake(parts - 1 - int(pool.board.values[WATCHING]))
    packed = kernel.pack(arguments, count, parts)
    code, status = kernel.code, STRANGE
    if code is not None:
        status = CALL(board, code.plan, packed)
    if status == STRANGE:
        code = kernel.choose(arguments)
        status = CALL(board, code.open_plan, packed)
        if status == STRANGE:
            raise ValueError(f"{kernel.name}: an array is not in order, or has other axes")
    if status == FAILED_PART:
        raise MemoryError("out of memory in a compiled kernel")


def parts_of(count: int, work: int) -> int:
    """Among how many threads `share` would share this."""
    least = max(1, threads.WORTHWHILE // EASIER)
    return min(threads.get_num_threads(), count, max(1, work // least))


def number(value: int) -> Any:
    return ir.Constant(WORD, value)


class Numbers:
    """Code that reads and writes the numbers of a board."""

    def __init__(self, builder: Any, address: Any) -> None:
        self.builder = builder
        self.memory = builder.inttoptr(address, WORD.as_pointer())

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
    function = builder.inttoptr(board.read(FUNCTION), SOME.as_pointer())
    arguments = builder.inttoptr(board.read(ARGUMENTS), ADDRESS)
    failed = builder.call(function, [arguments, builder.sub(left, number(1))])
    with builder.if_then(failed, likely=False):
        board.write(FAILED, number(1))
    board.change(DONE, 1)
    builder.branch(check)
    builder.position_at_end(after)


@intrinsic
def take_parts(_context: Any, board: Any) -> Any:
    """Take parts from the board at an address until none is left."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        take(builder, Numbers(builder, arguments[0]))
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
def anything_left(_context: Any, board: Any) -> Any:
    """Whether a part waits to be taken; a short breath before that."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        breathe(builder)
        left = Numbers(builder, arguments[0]).read(LEFT)
        return builder.icmp_signed(">", left, number(0))

    return types.boolean(types.int64), generate


@intrinsic
def watching(_context: Any, board: Any, change: Any) -> Any:
    """Say that this thread watches the board, with 1, or does no longer, with -1."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = Numbers(builder, arguments[0]).at(WATCHING)
        builder.atomic_rmw("add", place, arguments[1], "seq_cst")
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@intrinsic
def hand_out(_context: Any, board: Any, function: Any, words: Any, parts: Any) -> Any:
    """Let some code be called for all parts, with the words at an address; whether one failed.

    If somebody else has work on the board, this thread does all parts by itself.
    """

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        board, function, words, parts = arguments
        numbers = Numbers(builder, board)
        address = builder.inttoptr(words, ADDRESS)
        code = builder.inttoptr(function, SOME.as_pointer())
        failed = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 0))

        several = builder.icmp_signed(">", parts, number(1))
        free = cgutils.alloca_once_value(builder, ir.Constant(ir.IntType(1), 0))
        with builder.if_then(several):
            swap = builder.cmpxchg(numbers.at(BUSY), number(0), number(1), "seq_cst", "seq_cst")
            builder.store(builder.extract_value(swap, 1), free)
        with builder.if_else(builder.load(free)) as (then, otherwise):
            with then:
                numbers.write(FUNCTION, function)
                numbers.write(ARGUMENTS, words)
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

    return types.boolean(*(types.int64,) * 4), generate


@intrinsic
def read(_context: Any, address: Any, place: Any) -> Any:
    """A word of some at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        words = builder.inttoptr(arguments[0], WORD.as_pointer())
        return builder.load(builder.gep(words, [arguments[1]]))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def write(_context: Any, address: Any, place: Any, value: Any) -> Any:
    """Set a word of some at an address."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        words = builder.inttoptr(arguments[0], WORD.as_pointer())
        builder.store(arguments[2], builder.gep(words, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
def memory(_context: Any) -> Any:
    """The address of `WORDS` words, until the function that calls this returns."""

    def generate(_context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        return builder.ptrtoint(cgutils.alloca_once(builder, WORD, number(WORDS)), WORD)

    return types.int64(), generate


@intrinsic
def exported(_context: Any) -> Any:
    """Make code that C can call of a function of whole numbers."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        write_entry(builder.module, builder.function)
        return context.get_dummy_value()

    return types.void(), generate


def write_entry(module: Any, function: Any) -> None:
    """Code that C can call; Numba's own would need a part of Numba when it runs."""
    function.attributes.add("noinline")  # it would stand there twice
    kind = ir.FunctionType(WORD, [WORD] * (len(function.args) - 2))
    code = ir.Function(module, kind, ENTRY + function.name)
    builder = ir.IRBuilder(code.append_basic_block("entry"))
    results = [builder.alloca(argument.type.pointee) for argument in function.args[:2]]
    builder.call(function, [*results, *code.args])
    builder.ret(builder.load(results[0]))


def call(board: int, plan: int, packed: int) -> int:
    """Call the code of a `Kernel` for all parts, with what its method `pack` made of the arguments.

    Arrays become what Numba has for them, without an owner: the number of elements, their size,
    where they are, and the size and distance of each axis.
    """
    exported()
    words, at, length = memory(), 0, read(plan, 1)
    for k in range(length):
        kind, value = read(plan, 2 * k + 2), read(packed, k)
        if kind == 0:
            write(words, at, value)
            at += 1
            continue
        axes, array, dtype = kind & 255, value + HEAD, read(plan, 2 * k + 3)
        if read(array, 1) & 0xFFFFFFFF != axes or (dtype != 0 and read(array, 5) != dtype):
            return STRANGE
        sizes, distances = read(array, 2), read(array, 3)
        count, distance, in_order = 1, kind >> 8, True
        write(words, at, 0)
        write(words, at + 1, 0)
        write(words, at + 3, distance)
        write(words, at + 4, read(array, 0))
        for axis in range(axes - 1, -1, -1):
            size = read(sizes, axis)
            in_order = in_order and (size == 1 or read(distances, axis) == distance)
            write(words, at + 5 + axis, size)
            write(words, at + 5 + axes + axis, distance)
            count *= size
            distance *= size
        write(words, at + 2, count)
        if count > 0 and not in_order:
            return STRANGE
        at += 5 + 2 * axes
    failed = hand_out(board, read(plan, 0), words, read(packed, length - 1))
    return FAILED_PART if failed else 0


@intrinsic
def shared(_context: Any) -> Any:
    """Make the code of a kernel that threads call for one of its parts."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        write_part(builder.module, builder.function)
        return context.get_dummy_value()

    return types.void(), generate


def write_part(module: Any, function: Any) -> None:
    """Code of `SOME` that calls a function for some of its items."""
    function.attributes.add("noinline")  # it would stand there twice
    code = ir.Function(module, SOME, PART + function.name)
    builder = ir.IRBuilder(code.append_basic_block("entry"))
    address, part = code.args
    words = builder.bitcast(address, WORD.as_pointer())
    given = function.args[2:-2]  # without the place of the result, and the range

    def read(place: int) -> Any:
        return builder.load(builder.gep(words, [number(place)]))

    def converted(value: Any, kind: Any) -> Any:
        if isinstance(kind, ir.PointerType):
            return builder.inttoptr(value, kind)
        if isinstance(kind, ir.IntType):
            return value if kind.width == WORD.width else builder.trunc(value, kind)
        return builder.bitcast(value, kind)

    values = [converted(read(place), argument.type) for place, argument in enumerate(given)]
    count, parts = read(len(given)), read(len(given) + 1)
    first, last = (
        builder.sdiv(builder.mul(count, which), parts)
        for which in (part, builder.add(part, number(1)))
    )
    results = [builder.alloca(argument.type.pointee) for argument in function.args[:2]]
    status = builder.call(function, [*results, *values, first, last])
    builder.ret(builder.icmp_signed("!=", status, ir.Constant(status.type, 0)))


CALL = CFUNCTYPE(c_int64, c_int64, c_int64, c_char_p)(callable_from_c(call, 3))
BOARD = threads.Words(8 * threads.BOARD)
ALONE = BOARD.address
"""The address of a board for parts that no other thread takes."""
