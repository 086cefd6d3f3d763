"""What this machine can do: matrix products, memory traffic, new pages."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from demos.benchmark.measure import TORCH, Figure, Settings, seconds, torch_if_installed

__all__ = ["Roof", "machine"]

SIDES = (128, 512, 1024, 2048)
TRIAD = 1 << 24
"""Elements of each array of the triad: more than any cache holds."""


class Roof(NamedTuple):
    """The most that all threads reach together: operations and bytes per second."""

    flops: float
    bytes: float


def machine(settings: Settings) -> tuple[list[Figure], Roof]:
    """Measure the machine, and print what it can do."""
    figures: list[Figure] = []

    def found(case: str, who: str, value: float, unit: str) -> float:
        figures.append(Figure("machine", case, who, value, unit))
        print(f"{case}, {who}: {value:.4g} {unit}", flush=True)
        return value

    numbers = sorted({1, settings.threads})
    torch = torch_if_installed(settings.threads)
    best = 0.0
    for threads in numbers:
        said = f"{threads} thread{'s' * (threads > 1)}"
        for side in SIDES:
            case = f"matrix product of side {side}, {said}"
            best = max(best, found(case, "NumPy", product(side, threads), "GFLOP/s"))
            if torch is not None:
                torch.set_num_threads(threads)
                best = max(best, found(case, TORCH, torch_product(torch, side), "GFLOP/s"))
    traffic = 0.0
    for threads in numbers:
        said = f"{threads} thread{'s' * (threads > 1)}"
        for name, moved, move in (("copy", 2, copy), ("triad a = b + c", 3, triad)):
            rate = moved * 4 * TRIAD / in_parts(move, threads) / 1e9
            traffic = max(traffic, found(f"{name}, {said}", "NumPy", rate, "GB/s"))
    found("first touch of a page of 4 KiB", "the system", page_cost(), "us")
    print(flush=True)
    return figures, Roof(best * 1e9, traffic * 1e9)


def median_time(step: Callable[[], object], least: float = 0.2) -> float:
    """The median of as many calls as fit into some time, after a first one."""
    step()
    count = max(3, min(200, int(least / max(seconds(step), 1e-9))))
    return statistics.median(seconds(step) for _ in range(count))


def product(side: int, threads: int) -> float:
    """GFLOP/s of a square matrix product, a part of the rows for each thread."""
    random = np.random.default_rng(0)
    x, y = (random.random((side, side), np.float32) for _ in range(2))
    out = np.empty_like(x)
    ends = [side * part // threads for part in range(threads + 1)]

    def multiply(part: int) -> None:
        rows = slice(ends[part], ends[part + 1])
        np.matmul(x[rows], y, out=out[rows])

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        time = median_time(
            lambda: multiply(0) if threads == 1 else list(pool.map(multiply, range(threads)))
        )
    return 2 * side**3 / time / 1e9


def torch_product(torch: Any, side: int) -> float:
    x, y = torch.randn(side, side), torch.randn(side, side)
    return float(2 * side**3 / median_time(lambda: torch.mm(x, y)) / 1e9)


def copy(a: Any, b: Any, c: Any) -> None:
    np.copyto(a, b)


def triad(a: Any, b: Any, c: Any) -> None:
    np.add(b, c, out=a)


def in_parts(move: Callable[[Any, Any, Any], None], threads: int) -> float:
    """How long it takes to move large arrays through the processor, their pages being there."""
    arrays = [np.ones(TRIAD, np.float32) for _ in range(3)]
    ends = [TRIAD * part // threads for part in range(threads + 1)]

    def work(part: int) -> None:
        move(*(array[ends[part] : ends[part + 1]] for array in arrays))

    with ThreadPoolExecutor(threads) as pool:
        return median_time(lambda: list(pool.map(work, range(threads))))


def page_cost(size: int = 1 << 26) -> float:
    """What the first write to a page costs over a later one, in microseconds."""
    first, later = [], []
    for _ in range(5):
        array = np.empty(size, np.uint8)
        first.append(seconds(partial(array.fill, 1)))
        later.append(seconds(partial(array.fill, 1)))
        del array
    return (statistics.median(first) - statistics.median(later)) / (size / 4096) * 1e6
