"""What does not depend on the size of the arrays: operations, long chains, imports."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import autograd
from autograd.graph import Node
from demos.benchmark.measure import Figure, Settings, Table, contenders, take_turns

__all__ = ["chain", "imports", "overhead"]

CHAIN = 200


def chain_step(library: Any, everything: bool) -> Callable[[], None]:
    """Forward and backward of ``z = z * b + a``, 200 times on 8 floats.

    Args:
        library: autograd or torch.
        everything: let a and b require grad, not only the start.
    """
    start = library.ones(8, requires_grad=True)
    a = library.full((8,), 0.1, requires_grad=everything)
    b = library.full((8,), 0.9, requires_grad=everything)
    gradient = library.ones(8)

    def step() -> None:
        z = start
        for _ in range(CHAIN):
            z = z * b + a
        z.backward(gradient)

    return step


def overhead(settings: Settings) -> list[Figure]:
    """Microseconds per operation, forward and backward together."""
    rivals = contenders(settings, threads=1)
    table = Table(
        "overhead", "one operation of z = z * b + a, 1 thread", "us", [r.name for r in rivals]
    )
    for everything in (False, True):
        case = "a, b and z require grad" if everything else "z requires grad"
        steps = {rival.name: chain_step(rival.library, everything) for rival in rivals}
        begin = {rival.name: rival.begin for rival in rivals}
        medians = take_turns(steps, settings.turns, begin)
        table.add(case, {who: value / (2 * CHAIN) * 1e6 for who, value in medians.items()})
    return table.finish()


def node_count() -> int:
    """How many nodes of graphs there are in this process."""
    return sum(type(thing) is Node for thing in gc.get_objects())


def chain(settings: Settings, length: int = 1_000_000) -> list[Figure]:
    """Build, differentiate and free a chain, with the garbage collector off; count what remains."""
    figures: list[Figure] = []
    gc.collect()
    before = node_count()
    gc.disable()
    try:
        for count in (length // 10, length):
            begin = time.perf_counter()
            start = autograd.ones(1, requires_grad=True)
            z = start
            for _ in range(count):
                z = z * 1.0
            z.backward()
            del z
            elapsed = time.perf_counter() - begin
            nodes = node_count() - before
            print(
                f"chain of {count:,}: {elapsed:.2f} s, {elapsed / count * 1e6:.2f} us per "
                f"operation, {nodes} nodes left with the garbage collector off"
            )
            case = f"chain of {count:,}"
            figures.append(Figure("chain", case, "ndgrad", elapsed / count * 1e6, "us"))
            figures.append(Figure("chain", case, "ndgrad", nodes, "nodes left"))
    finally:
        gc.enable()
    print(flush=True)
    return figures


IMPORT = """
import time, numpy
begin = time.perf_counter()
import autograd, nn
print(time.perf_counter() - begin)
"""


def imports(settings: Settings) -> list[Figure]:
    """Seconds that ``import autograd, nn`` takes after ``import numpy``, from compiled files."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", IMPORT]
        times = [
            float(subprocess.check_output(command, env=environment, text=True))
            for _ in range(settings.turns + 1)
        ][1:]
    median = statistics.median(times)
    print(f"import autograd, nn: {median:.3f} s over import numpy (median of {len(times)})\n")
    return [Figure("imports", "import autograd, nn", "ndgrad", median, "s")]
