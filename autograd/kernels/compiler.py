"""How Numba compiles kernels here: once, with what it makes kept on disk, and saying so."""

from __future__ import annotations

import gc
import sys
from typing import Any, TypeVar

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary

from autograd.kernels.helper import helper
from autograd.kernels.machine_code import FOLDER, can_keep

__all__ = ["compilable", "compilation", "kept"]

F = TypeVar("F")


def compilable(function: F, **options: Any) -> Any:
    """What Numba makes of a function, which must not take memory but that of `numba_room`."""
    fixed = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}
    return numba.njit(**(fixed | options))(function)


def kept(function: F, **options: Any) -> F:
    """As `compilable`, for functions that kernels call: what Numba makes of them is kept."""
    result: Any = compilable(function, **options)
    chosen = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(FOLDER)
    try:
        result._cache = FunctionCache(function)
    except RuntimeError:  # no folder to write to
        pass
    finally:
        numba.config.CACHE_DIR = chosen
    kernel: F = result
    return kernel


class Library(JITCodeLibrary):  # type: ignore[misc]  # Numba is not analysed
    """Code that is optimized as a whole only.

    Numba would optimize each function by itself first, and all together quickly, to find counts of
    references that cancel out. Kernels have few, are as fast without it, and compile in less time.
    """

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        passes = self._codegen._module_pass_manager()
        if isinstance(passes, tuple):
            manager, builder = passes
            manager.run(self._final_module, builder)
        else:  # a manager alone, as of Numba 0.60
            super()._optimize_final_module()


class Compilation(event.Listener):  # type: ignore[misc]  # Numba is not analysed
    """Says once that kernels are being compiled, since that takes seconds.

    Meanwhile code is a `Library`, and garbage is not collected: the compiler makes so many objects
    that looking through them again and again would take a twentieth of the time.
    """

    def __init__(self) -> None:
        self.silent = self.collecting = False
        self.depth = 0

    def on_start(self, event: Any) -> None:
        function = event.data["dispatcher"].py_func
        *package, module = function.__module__.split(".")
        if package != ["autograd", "kernels"] and self.depth == 0:
            return
        if not self.silent:
            self.silent = True
            print(
                "ndgrad: compiling kernels with Numba; this happens once, later runs find them "
                "on the disk (python -m autograd.kernels.ahead compiles all, on all cores)",
                file=sys.stderr,
            )
            if can_keep():
                helper.start()
        if self.depth == 0:
            helper.begin(module, function.__name__)
            self.collecting = gc.isenabled()
            gc.disable()
            event.data["dispatcher"].targetctx.codegen()._library_class = Library
        self.depth += 1

    def on_end(self, event: Any) -> None:
        if self.depth == 1:
            helper.rest()
            del event.data["dispatcher"].targetctx.codegen()._library_class
            if self.collecting:
                gc.enable()
        self.depth = max(0, self.depth - 1)


compilation = Compilation()
event.register("numba:compile", compilation)
