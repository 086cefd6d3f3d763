"""What it costs: training steps, overhead of an operation, long chains, imports.

    python -m demos.benchmark                 # everything
    python -m demos.benchmark overhead --repeats 50

Where PyTorch is installed, ratios to it are of two medians measured in one process, the two
libraries taking turns with the same number of threads. Below 1, ndgrad is the faster.
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
import nn
from autograd.graph import Node
from demos.networks import NETWORKS

CHAIN = 200


def torch_if_installed(threads: int) -> ModuleType | None:
    """PyTorch held to some threads, or None."""
    if importlib.util.find_spec("torch") is None:
        return None
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
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


def training_step(library: Any, modules: Any, optimizers: Any, name: str) -> Callable[[], None]:
    """Forward, backward and Adam on one batch of random images."""
    make, shape = NETWORKS[name]
    model = make(modules)
    images = library.randn(*shape)
    labels = library.randint(0, 10, (shape[0],))
    optimizer = optimizers.Adam(model.parameters())
    criterion = modules.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(images), labels).backward()
        optimizer.step()

    return step


def training_steps(repeats: int) -> dict[str, float]:
    """Milliseconds per training step."""
    results: dict[str, float] = {}
    torch = torch_if_installed(threads=autograd.get_num_threads())
    for name in NETWORKS:
        steps = {"ndgrad": training_step(autograd, nn, nn.optim, name)}
        if torch is not None:
            steps["torch"] = training_step(torch, torch.nn, torch.optim, name)
        medians = take_turns(steps, max(repeats // 3, 5))
        line = ", ".join(f"{who} {seconds * 1e3:.1f} ms" for who, seconds in medians.items())
        results[f"ndgrad, step of {name} (ms)"] = medians["ndgrad"] * 1e3
        if torch is not None:
            ratio = medians["ndgrad"] / medians["torch"]
            results[f"ratio to torch, step of {name}"] = ratio
            line += f", ratio {ratio:.2f}"
        print(f"training step, {name}: {line} ({autograd.get_num_threads()} threads)")
    return results


def overhead(repeats: int) -> dict[str, float]:
    """Microseconds per operation, forward and backward together."""
    results: dict[str, float] = {}
    torch = torch_if_installed(threads=1)
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


PARTS: dict[str, Callable[[int], dict[str, float]]] = {
    "overhead": overhead,
    "chain": lambda repeats: long_chain(),
    "imports": imports,
    "steps": training_steps,
}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demos.benchmark",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or all")
    parser.add_argument("--repeats", type=int, default=50, help="how often each library runs")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown or options.repeats < 1:
        parser.error(
            f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}"
            if unknown
            else f"--repeats must be at least 1, got {options.repeats}"
        )
    figures: dict[str, float] = {}
    for part in options.parts or PARTS:
        figures |= PARTS[part](options.repeats)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
