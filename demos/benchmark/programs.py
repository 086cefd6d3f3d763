"""Whole programs, with the time that they take to start."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path

from demos.benchmark.measure import TORCH, Figure, Settings, Table
from demos.benchmark.mnist import run

__all__ = ["mnist"]


def mnist(settings: Settings) -> list[Figure]:
    """Seconds to train the MNIST network, and the share of test images that it then knows."""
    folder = settings.data or Path(os.environ.get("NDGRAD_DATA", "data"))
    folder = folder / "mnist" if (folder / "mnist").is_dir() else folder
    if not list(folder.glob("train-images-idx3-ubyte.gz")):
        print(f"mnist: left out, for MNIST is not in {folder}; --data or NDGRAD_DATA says where\n")
        return []
    programs: dict[str, tuple[str, str | None]] = {
        f"ndgrad {name}": ("ndgrad", name) for name in settings.kernels
    }
    if importlib.util.find_spec("torch"):
        programs[TORCH] = ("torch", None)
    options = {
        "folder": folder,
        "epochs": settings.epochs,
        "limit": settings.limit,
        "threads": settings.threads,
    }
    accuracies: dict[str, float] = {}
    times: dict[str, float] = {}
    for name, program in programs.items():
        begin = time.perf_counter()
        accuracies[name] = run(*program, options)
        times[name] = time.perf_counter() - begin
    table = Table("mnist", f"start to end, {settings.threads} threads", "s", list(programs))
    table.add(f"{settings.epochs} epochs of {settings.limit:,} images", times)
    for name, accuracy in accuracies.items():
        print(f"{name}: {accuracy:.2%} of the test images are known")
    figures = table.finish()
    return figures + [
        Figure("mnist", "test images not known", name, 100 * (1 - accuracy), "%")
        for name, accuracy in accuracies.items()
    ]
