"""Waiting awake: a thread that sleeps takes some 0.1 ms to wake up, as long as a small product."""

from __future__ import annotations

from typing import Any

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


@compiled
def wait(bell: Any, seen: int, limit: int) -> Any:
    """Look at the bell until it shows another number than the one seen, or so many times."""
    for _ in range(limit):  # noqa: SIM110 (a generator cannot be compiled)
        if read(bell) != seen:
            return True
    return False
