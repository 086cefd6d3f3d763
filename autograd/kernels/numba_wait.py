"""Waiting awake: a thread that sleeps takes some 0.1 ms to wake up, as long as a small product."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels.compiled import compiled


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


@compiled
def wait(bell: Any, seen: int, limit: int, pause: int, finished: Any) -> Any:
    """Look at the bell until it shows another number than the one seen, or so many times.

    Args:
        bell: one number.
        seen: the number that it showed.
        limit: how often to look.
        pause: how often to look again once it has rung.
        finished: a bell to ring first, when this thread has let go of the interpreter lock: it
            would make the other wait for the lock otherwise.
    """
    count_up(finished)
    for _ in range(limit):
        if read(bell) != seen:
            for _ in range(pause):
                read(bell)
            return True
    return False
