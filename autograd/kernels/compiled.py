"""Compiling loops to machine code with Numba; what was compiled is kept on disk.

Compiled functions release the interpreter lock, so `threads.share` can run them side by side. They
may reorder sums, which is what lets them use vector registers, but treat NaN and infinity rightly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import event

__all__ = ["compiled", "compiled_exactly"]

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile at the first call with arguments of some types, or fetch that from the disk."""
    return kept(function, fastmath={"reassoc", "contract", "nsz"})


def compiled_exactly(function: F) -> F:
    """As `compiled`, without reordering: each element gets the same bits wherever it lies.

    For loops without sums, which use vector registers anyway.
    """
    return kept(function)


def kept(function: F, **options: Any) -> F:
    options |= {"nogil": True, "error_model": "numpy"}
    try:
        result: F = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder to write to, neither beside this file nor of the user's
        result = numba.njit(**options)(function)
    return result


class Announcer(event.Listener):  # type: ignore[misc]  # Numba is not analysed
    """Says once that kernels are being compiled, since that takes seconds."""

    def __init__(self) -> None:
        self.silent = False

    def on_start(self, event: Any) -> None:
        name = event.data["dispatcher"].py_func.__module__
        if not self.silent and name.startswith("autograd.kernels."):
            self.silent = True
            print(
                "ndgrad: compiling kernels with Numba; this happens once, later runs find them "
                "on the disk",
                file=sys.stderr,
            )

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", Announcer())
