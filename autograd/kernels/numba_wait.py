"""Waiting awake: a thread that sleeps takes 25 us and more to wake up, as long as a product may."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.compiled import callable_from_python
from autograd.kernels.numba_crew import anything_left, take_parts, watching
from autograd.kernels.threads import BOARD

AWAKE = 500e-6
"""Seconds that a thread waits awake before it sleeps: longer than most pauses between products, and
short enough to leave the core to threads that load data."""
PAUSE = 10e-6
"""Seconds after which a thread takes up what it was woken for: by then the caller is in NumPy and
has let go of the interpreter lock. A thread that finds the lock taken goes to sleep."""


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def read(_context: Any, bell: Any) -> Any:
    """The first entry of an array, read from memory each time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load_atomic(memory, "monotonic", 8)

    return types.int64(bell), generate


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def count_up(_context: Any, bell: Any) -> Any:
    """Add 1 to the first entry of an array, where other threads see it at once."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        memory = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        one = ir.Constant(ir.IntType(64), 1)
        builder.atomic_rmw("add", memory, one, "seq_cst")
        return context.get_dummy_value()

    return types.void(bell), generate


@callable_from_python
def look(board: Any, bell: Any, seen: int, limit: int, pause: int, finished: Any) -> Any:
    """Look at the bell until it shows another number than the one seen, or so many times.

    Args:
        board: whose parts are taken meanwhile, see `numba_crew`; after them the looks begin anew.
        bell: one number.
        seen: the number that it showed.
        limit: how often to look.
        pause: how often to look again once it has rung.
        finished: a bell to ring first, when this thread has let go of the interpreter lock: it
            would make the other wait for the lock otherwise.
    """
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
    return rang


def looks_a_second() -> float:
    """How often a thread looks in a second here, by the fastest of a few short trials."""
    board, bell, count = np.zeros(8 * BOARD, np.int64), np.zeros(1, np.int64), 2_000
    best = 1.0
    for _ in range(5):
        start = perf_counter()
        look(board, bell, 0, count, 0, np.zeros(1, np.int64))
        best = min(best, perf_counter() - start)
    return count / best


RATE = looks_a_second()


def wait(board: Any, bell: Any, seen: int, pause: bool, finished: Any) -> Any:
    """Wait awake for the bell, and no longer; with a pause once it has rung."""
    return look(board, bell, seen, int(AWAKE * RATE), int(PAUSE * RATE) if pause else 0, finished)
