"""How Numba compiles kernels here: once, kept on disk, and saying so."""

from __future__ import annotations

import gc
import sys
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.runtime import rtsys

from autograd.kernels.helper import Helper

__all__ = ["FOLDER", "compilation", "kept"]

F = TypeVar("F")

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
    fixed = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    result = numba.njit(**(fixed | options))(function)
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
        self.helper = Helper()

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
            if FOLDER.is_dir():
                self.helper.start()
        if self.depth == 0:
            self.helper.begin(module, function.__name__)
            self.collecting = gc.isenabled()
            gc.disable()
            event.data["dispatcher"].targetctx.codegen()._library_class = Library
        self.depth += 1

    def on_end(self, event: Any) -> None:
        if self.depth == 1:
            self.helper.rest()
            del event.data["dispatcher"].targetctx.codegen()._library_class
            if self.collecting:
                gc.enable()
        self.depth = max(0, self.depth - 1)


compilation = Compilation()
event.register("numba:compile", compilation)
