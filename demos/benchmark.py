"""What it costs: overhead of an operation, long chains, imports; beside PyTorch where installed.

    python -m demos.benchmark                 # everything
    python -m demos.benchmark overhead --repeats 50

Every ratio is of two medians measured in one process, the two libraries taking turns. A ratio
below 1 means that ndgrad is the faster.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd
from autograd.graph import Node

CHAIN = 200


def torch_if_installed() -> ModuleType | None:
    """PyTorch held to one thread, or None."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    torch.set_num_threads(1)
    return torch


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


def take_turns(steps: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """The median time of each step in seconds, the steps taking turns."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(repeats):
        for name, step in steps.items():
            begin = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def overhead(repeats: int) -> dict[str, float]:
    """Microseconds per operation, forward and backward together."""
    results: dict[str, float] = {}
    torch = torch_if_installed()
    for everything in (False, True):
        what = "a, b and z require grad" if everything else "z requires grad"
        steps = {"ndgrad": chain_step(autograd, everything)}
        if torch is not None:
            steps["torch"] = chain_step(torch, everything)
        medians = take_turns(steps, repeats)
        line = ", ".join(f"{n} {s / (2 * CHAIN) * 1e6:.2f} us" for n, s in medians.items())
        results[f"ndgrad, {what} (us)"] = medians["ndgrad"] / (2 * CHAIN) * 1e6
        if torch is not None:
            ratio = medians["ndgrad"] / medians["torch"]
            results[f"ratio to torch, {what}"] = ratio
            line += f", ratio {ratio:.2f}"
        print(f"overhead per operation, {what}: {line}")
    return results


def long_chain(length: int = 1_000_000) -> dict[str, float]:
    """Build, differentiate and free a chain, with the garbage collector off; count what remains."""
    results: dict[str, float] = {}
    gc.collect()
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
            nodes = sum(type(thing) is Node for thing in gc.get_objects())
            print(
                f"chain of {count:,}: {elapsed:.2f} s, {elapsed / count * 1e6:.2f} us per "
                f"operation, {nodes} nodes left with the garbage collector off"
            )
            results[f"chain of {count} (us per operation)"] = elapsed / count * 1e6
            results[f"chain of {count} (nodes left)"] = nodes
    finally:
        gc.enable()
    return results


IMPORT = """
import time, numpy
begin = time.perf_counter()
import autograd, nn
print(time.perf_counter() - begin)
"""


def imports(repeats: int) -> dict[str, float]:
    """Seconds that ``import autograd, nn`` takes after ``import numpy``, from compiled files."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-c", IMPORT]
        seconds = [
            float(subprocess.check_output(command, env=environment, text=True))
            for _ in range(max(repeats // 5, 3) + 1)
        ][1:]
    median = statistics.median(seconds)
    print(f"import autograd, nn: {median:.3f} s over import numpy (median of {len(seconds)})")
    return {"import autograd, nn (s)": median}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m demos.benchmark", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["overhead", "chain", "imports", []])
    parser.add_argument("--repeats", type=int, default=50, help="steps of each library")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    parts = options.parts or ["overhead", "chain", "imports"]
    figures: dict[str, float] = {}
    if "overhead" in parts:
        figures |= overhead(options.repeats)
    if "chain" in parts:
        figures |= long_chain()
    if "imports" in parts:
        figures |= imports(options.repeats)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
