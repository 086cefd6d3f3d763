"""Waiting awake: a thread that sleeps takes 25 us and more to wake up, as long as a product may."""

from __future__ import annotations

from ctypes import CFUNCTYPE, c_int64
from time import perf_counter
from typing import Any

from llvmlite import ir

from autograd.kernels.compiled import callable_from_c
from autograd.kernels.late_numba import intrinsic, types
from autograd.kernels.numba_crew import WORD, anything_left, exported, take_parts, watching
from autograd.kernels.threads import BOARD, Words

AWAKE = 500e-6
"""Seconds that a thread waits awake before it sleeps: longer than most pauses between products, and
short enough to leave the core to threads that load data."""
PAUSE = 10e-6
"""Seconds after which a thread takes up what it was woken for: by then the caller is in NumPy and
has let go of the interpreter lock. A thread that finds the lock taken goes to sleep."""


@intrinsic
def read(_context: Any, bell: Any) -> Any:
    """The number at an address, read from memory each time."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(
            builder.inttoptr(arguments[0], WORD.as_pointer()), "monotonic", 8
        )

    return types.int64(types.int64), generate


@intrinsic
def count_up(_context: Any, bell: Any) -> Any:
    """Add 1 to the number at an address, where other threads see it at once."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        memory = builder.inttoptr(arguments[0], WORD.as_pointer())
        builder.atomic_rmw("add", memory, ir.Constant(WORD, 1), "seq_cst")
        return context.get_dummy_value()

    return types.void(types.int64), generate


def look(board: int, bell: int, seen: int, limit: int, pause: int, finished: int) -> int:
    """Look at the bell until it shows another number than the one seen, or so many times.

    Args:
        board: the address of one whose parts are taken meanwhile, see `numba_crew`; after them the
            looks begin anew.
        bell: the address of a number.
        seen: the number that it showed.
        limit: how often to look.
        pause: how often to look again once it has rung.
        finished: the address of a bell to ring first, when this thread has let go of the
            interpreter lock: it would make the other wait for the lock otherwise.

    Returns:
        Whether it rang, 1 or 0.
    """
    exported()
    count_up(finished)
    watching(board, 1)
    looks, rang = 0, False
    while looks < limit and not rang:
        if anything_left(board):
            take_parts(board)
            looks = 0
        rang = read(bell) != seen
        looks += 1
    watching(board, -1)
    if rang:
        for _ in range(pause):
            anything_left(board)
    return 1 if rang else 0


LOOK = CFUNCTYPE(c_int64, *(c_int64,) * 6)(callable_from_c(look, 6))


def looks_a_second() -> float:
    """How often a thread looks in a second here, by the fastest of a few short trials."""
    board, bell, finished, count = Words(8 * BOARD), Words(1), Words(1), 2_000
    best = 1.0
    for _ in range(5):
        start = perf_counter()
        LOOK(board.address, bell.address, 0, count, 0, finished.address)
        best = min(best, perf_counter() - start)
    return count / best


RATE = looks_a_second()


def wait(board: int, bell: int, seen: int, pause: bool, finished: int) -> None:
    """Wait awake for the bell, and no longer; with a pause once it has rung."""
    LOOK(board, bell, seen, int(AWAKE * RATE), int(PAUSE * RATE) if pause else 0, finished)
