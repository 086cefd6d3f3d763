"""Compiling loops to machine code with Numba; what was compiled is kept on disk.

Compiled functions release the interpreter lock, so `threads.share` can run them side by side. They
may reorder sums, which is what lets them use vector registers, but treat NaN and infinity rightly.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

__all__ = [
    "compiled",
    "compiled_exactly",
    "in_order",
    "inlined",
    "inner",
    "inner_exactly",
    "writable",
]

F = TypeVar("F", bound=Callable[..., Any])

HERE = Path(__file__).parent
PREFIX = "ndgrad-"


def folder() -> Path:
    """Where compiled code is kept: another folder for other sources.

    Numba looks at the file of a function only, and would go on using code that was made from
    another version of a file that this one imports.
    """
    digest = sha256()
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    base = Path(numba.config.CACHE_DIR) if numba.config.CACHE_DIR else HERE / "__pycache__"
    return base / f"{PREFIX}{digest.hexdigest()[:16]}"


FOLDER = folder()
if FOLDER.parent.parent == HERE:  # what was made from earlier sources; other folders may be shared
    for old in FOLDER.parent.glob(f"{PREFIX}*"):
        if old != FOLDER:
            rmtree(old, ignore_errors=True)


FAST = {"reassoc", "contract", "nsz"}


def compiled(function: F) -> F:
    """Compile at the first call with arguments of some types, or fetch that from the disk."""
    return kept(function, fastmath=FAST)


def compiled_exactly(function: F) -> F:
    """As `compiled`, without reordering: each element gets the same bits wherever it lies.

    For loops without sums, which use vector registers anyway.
    """
    return kept(function)


def inner(function: F) -> F:
    """As `compiled`, to be called by other compiled code only."""
    return kept(function, fastmath=FAST, no_cpython_wrapper=True)


def inner_exactly(function: F) -> F:
    """As `compiled_exactly`, to be called by other compiled code only."""
    return kept(function, no_cpython_wrapper=True)


def inlined(function: F) -> F:
    """Compiled where it is called, by the rules of what calls it."""
    result: F = numba.njit(inline="always")(function)
    return result


class Disk(FunctionCache):  # type: ignore[misc]  # Numba is not analysed
    """Where compiled code of a function is kept.

    Before it reads any, Numba would import all that it knows about Python and NumPy, and SciPy's
    linear algebra with it. That is for what has yet to be compiled, which imports it by itself, and
    takes longer than reading all kernels of a network.
    """

    def load_overload(self, signature: Any, target: Any) -> Any:
        rtsys.initialize(target)  # memory for arrays
        with self._guard_against_spurious_io_errors():
            return self._load_overload(signature, target)


def kept(function: F, **options: Any) -> F:
    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    result = numba.njit(**options)(function)
    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(FOLDER)
    try:
        result._cache = Disk(function)
    except RuntimeError:  # no folder to write to, neither this one nor one of the user's
        pass
    finally:
        numba.config.CACHE_DIR = chosen
    kernel: F = result
    return kernel


class Compilation(event.Listener):  # type: ignore[misc]  # Numba is not analysed
    """Says once that kernels are being compiled, since that takes seconds.

    Meanwhile garbage is not collected: the compiler makes so many objects that looking through them
    again and again would take a twentieth of the time.
    """

    def __init__(self) -> None:
        self.silent = self.collecting = False
        self.depth = 0

    def on_start(self, event: Any) -> None:
        own = event.data["dispatcher"].py_func.__module__.startswith("autograd.kernels.")
        if not own and self.depth == 0:
            return
        if not self.silent:
            self.silent = True
            print(
                "ndgrad: compiling kernels with Numba; this happens once, later runs find them "
                "on the disk",
                file=sys.stderr,
            )
        if self.depth == 0:
            self.collecting = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: Any) -> None:
        if self.depth == 1 and self.collecting:
            gc.enable()
        self.depth = max(0, self.depth - 1)


event.register("numba:compile", Compilation())


def writable(values: Any) -> Any:
    """In order and not read-only: compiled kernels are compiled for one kind of array."""
    if values.flags.c_contiguous and values.flags.writeable:
        return values
    return values.copy(order="C")


def in_order(values: Any) -> Any:
    """All elements one after another, as `writable`: (d0, d1, ...) -> (size,)."""
    return writable(values).reshape(-1)
