"""Compile all kernels now, in a process for each core: ``python -m autograd.kernels.ahead``.

Else each is compiled when it is first used. Images of machines, say, are made with all of them, so
that no program has to wait.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from autograd.kernels.choice import has_numba
from autograd.kernels.threads import cores

__all__ = ["DTYPE", "compile_all", "kernels_of", "main", "modules"]

DTYPE = "float32"
"""Few kernels are for any other."""


def modules() -> list[str]:
    """Those that have kernels; what takes longest comes first, as far as their size tells."""
    files = sorted(Path(__file__).parent.glob("numba_*.py"), key=lambda file: -file.stat().st_size)
    return [file.stem for file in files]


def kernels_of(name: str) -> list[Any]:
    """The kernels of a module, without those that it imports. The process goes on in silence."""
    import_module(f"{__package__}.compiler").compilation.silent = True
    module = import_module(f"{__package__}.{name}")
    kernel = import_module(f"{__package__}.compiled").Kernel
    return [
        each for each in vars(module).values() if isinstance(each, kernel) and each.module == name
    ]


def prepare(name: str) -> tuple[int, float]:
    """Compile the kernels of a module: how many it has, and how many seconds that took."""
    began = perf_counter()
    own = kernels_of(name)
    for each in own:
        each.prepare(DTYPE)
    return len(own), perf_counter() - began


def compile_all(processes: int) -> Iterator[tuple[str, int, float]]:
    """Compile everything: for each module its name, the number of its kernels, and seconds.

    Kernels of one module share code, which one process compiles for all of them.
    """
    prepare("numba_wait")  # every process needs it
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        tasks = {pool.submit(prepare, name): name for name in modules()}
        for task in as_completed(tasks):
            yield tasks[task], *task.result()


def main(arguments: list[str] | None = None) -> int:
    """Run the program with some command-line arguments; its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.kernels.ahead",
        description="Compile all kernels for float32 now, and keep them on the disk.",
    )
    parser.add_argument(
        "--processes", type=int, default=cores(), help="how many at once (default: %(default)s)"
    )
    processes = parser.parse_args(arguments).processes
    if processes < 1:
        parser.error("--processes: expected at least 1")
    if not has_numba():
        parser.exit(1, 'compiling kernels needs Numba: pip install "ndgrad[fast]"\n')
    began, total = perf_counter(), 0
    for name, count, seconds in compile_all(processes):
        total += count
        if count:
            print(f"{name}: {count} kernel{'s' if count > 1 else ''}, {seconds:.1f} s")
    folder = import_module(f"{__package__}.compiler").FOLDER
    if not folder.is_dir():
        parser.exit(1, f"nothing is kept: {folder} cannot be written; set NUMBA_CACHE_DIR\n")
    print(f"{total} kernels in {perf_counter() - began:.1f} s, kept in {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
