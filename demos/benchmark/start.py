"""How long a program takes from its start to the end of its first training step.

Each program is a process of its own, which is this module run as a program; its time is that of the
whole process, imports included. Compiled kernels are read from a folder of this benchmark's own,
which is empty at first.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from demos.benchmark.measure import (
    TORCH,
    Contender,
    Figure,
    Settings,
    Table,
    contenders,
)
from demos.benchmark.operations import OPERATIONS, steps_of
from demos.benchmark.steps import training_step

__all__ = ["start"]

EVERYTHING = "everything"
"""In place of a network: all of them, and all operations of the benchmark."""


def start(settings: Settings) -> list[Figure]:
    """Seconds to the end of the first step; the first time, when all kernels are compiled, too."""
    names = [rival.name for rival in contenders(settings)]
    table = Table("start", f"to the first step, {settings.threads} threads", "s", names)
    with TemporaryDirectory() as folder:
        rows: list[tuple[str, list[str], int]] = [
            (f"{EVERYTHING}, for the first time", [EVERYTHING], 1),
            (f"{EVERYTHING}, again", [EVERYTHING], 1),
            *((case, [case], min(settings.turns, 5)) for case in settings.cases[:1]),
        ]
        for title, cases, turns in rows:
            times: dict[str, list[float]] = {name: [] for name in names}
            for _ in range(turns):
                for name in names:
                    times[name].append(seconds(name, cases, settings.threads, Path(folder)))
            table.add(title, {name: median(values) for name, values in times.items()})
    return table.finish()


def seconds(name: str, cases: list[str], threads: int, folder: Path) -> float:
    """How long a process takes that makes one step with each case."""
    command = [sys.executable, "-m", "demos.benchmark.start", name, str(threads), *cases]
    began = perf_counter()
    done = subprocess.run(
        command,
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    taken = perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return taken


def contender(name: str, threads: int) -> Contender:
    """A library that is imported now, and no other."""
    if name == TORCH:
        torch = importlib.import_module("torch")
        torch.set_num_threads(threads)
        return Contender(name, torch, torch.nn, torch.optim)
    library, modules = (importlib.import_module(each) for each in ("autograd", "nn"))
    library.set_num_threads(threads)
    return Contender(name, library, modules, modules.optim, name.split()[1])


def main(name: str, threads: int, cases: list[str]) -> None:
    """Make a training step of some networks."""
    rival = contender(name, threads)
    rival.begin()
    networks = importlib.import_module("demos.networks").NETWORKS
    for case in networks if cases == [EVERYTHING] else cases:
        training_step(rival, case)()
    if cases == [EVERYTHING]:
        for operation in OPERATIONS.values():
            for step in steps_of(rival, operation).values():
                step()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
