"""Peak memory: how much a process grows while it trains.

Each case and library has a process of its own, which is this module run as a program. What counts
is the resident memory of the process, as the system sees it: at its peak in three training steps
with Adam, less what it was when imports, the model and the batch were there. A quarter of a
batch has been trained with by then, so that the libraries have loaded and started all that they
need.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from demos.benchmark.measure import TORCH, Figure, Settings, Table, contenders
from demos.benchmark.steps import training_step
from demos.networks import NETWORKS

__all__ = ["growth", "memory"]

STEPS = 3
WARM_UP = 4
SEGMENTS = 4
CHECKPOINTED = "ResNet-18"
"""The network that is also measured in segments, which are computed again in backward. With four of
them, none begins with an activation in place."""
STATUS = Path("/proc/self/status")


def memory(settings: Settings) -> list[Figure]:
    """Megabytes that a process grows by in training; measured on Linux only."""
    if not STATUS.exists():
        print(f"memory: left out, for it is read from {STATUS}\n")
        return []
    names = [rival.name for rival in contenders(settings)]
    table = Table("memory", f"peak growth in training, {settings.threads} threads", "MB", names)
    for case in settings.cases:
        table.add(case, {name: measured(name, case, settings.threads) for name in names})
        if case == CHECKPOINTED:
            values = {name: measured(name, case, settings.threads, SEGMENTS) for name in names}
            table.add(f"{case}, {SEGMENTS} checkpoints", values)
    return table.finish()


def measured(name: str, case: str, threads: int, segments: int = 0) -> float:
    """The growth in a process of its own, in megabytes."""
    arguments = [name, case, str(threads), str(segments)]
    command = [sys.executable, "-m", "demos.benchmark.memory", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))


def growth(warm_up: Callable[[], None], make: Callable[[], Callable[[], None]]) -> float:
    """How many megabytes this process grows by at most, while it makes some steps.

    Args:
        warm_up: called before everything else.
        make: makes the step; called before the measurement.
    """
    warm_up()
    step = make()
    gc.collect()
    give_back()
    reset_peak()
    before = status("VmRSS")
    for _ in range(STEPS):
        step()
    return (status("VmHWM") - before) / 1e6


def status(field: str) -> int:
    """A number that the system keeps of this process, in bytes."""
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"{STATUS} has no {field}")


def reset_peak() -> None:
    """Let the peak begin anew; where the system refuses, it stays that since the start."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def give_back() -> None:
    """Return memory that was freed to the system, where the C library can."""
    trim: Any = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def main(name: str, case: str, threads: int, segments: int) -> None:
    """Print the growth in megabytes.

    Args:
        name: of the library.
        case: the network.
        threads: that the library uses.
        segments: into which the network is cut; 0 for no checkpoints.
    """
    kernels = () if name == TORCH else (name.split()[1],)
    rival = next(
        rival
        for rival in contenders(Settings(threads=threads, kernels=kernels))
        if rival.name == name
    )
    rival.begin()
    if rival.kernels == "numba":
        choice = importlib.import_module("autograd.kernels.choice")
        for module in sorted(set(choice.COMPILED.values())):
            importlib.import_module(f"autograd.kernels.{module}")
    utils = importlib.import_module(
        "nn.utils.checkpoint" if rival.kernels else "torch.utils.checkpoint"
    )

    def cut(model: Any, samples: Any) -> Any:
        return utils.checkpoint_sequential(model, segments, samples, use_reentrant=False)

    def step(batch: int | None = None) -> Callable[[], None]:
        return training_step(rival, case, batch, cut if segments else None)

    def warm_up() -> None:
        for _ in range(2):
            step(max(2, NETWORKS[case].shape[0] // WARM_UP))()

    print(json.dumps(growth(warm_up, step)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
