"""Who is measured, how the turns go, and what a figure is."""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import autograd
import nn
from autograd import get_kernels, use_kernels
from demos.more_networks import MORE_NETWORKS
from demos.networks import NETWORKS

__all__ = [
    "MYGRAD",
    "TORCH",
    "Contender",
    "Figure",
    "Settings",
    "Table",
    "contenders",
    "geometric_mean",
    "seconds",
    "take_turns",
    "torch_if_installed",
]

TORCH = "PyTorch"
MYGRAD = "MyGrad"
TURN = 0.15
"""Seconds that a turn of one library lasts at least."""


class Figure(NamedTuple):
    """Something that was measured; smaller is better, unless the unit says ``/s``."""

    part: str
    case: str
    who: str
    value: float
    unit: str

    @property
    def name(self) -> str:
        """What the figure is called in a file."""
        return f"{self.part}: {self.case}: {self.who} ({self.unit})"


@dataclass(frozen=True)
class Settings:
    """What a benchmark is asked to do.

    Attributes:
        turns: how often each library has its turn.
        threads: how many threads each library uses.
        kernels: those of ndgrad to be measured.
        cases: the networks.
        more: those of the part of that name.
        epochs, limit, data: of the training of a whole network: how often it sees how many
            images, and the folder where they are.
    """

    turns: int = 7
    threads: int = autograd.get_num_threads()
    kernels: tuple[str, ...] = (get_kernels(),)
    cases: tuple[str, ...] = tuple(NETWORKS)
    more: tuple[str, ...] = tuple(MORE_NETWORKS)
    epochs: int = 3
    limit: int = 60_000
    data: Path | None = None


class Contender(NamedTuple):
    """A library, under the names that its users have for its parts."""

    name: str
    library: Any
    modules: Any
    optimizers: Any
    kernels: str | None = None

    def begin(self) -> None:
        """Get ready for a turn."""
        if self.kernels is not None:
            use_kernels(self.kernels)


def torch_if_installed(threads: int) -> ModuleType | None:
    """PyTorch held to some threads, or None."""
    if importlib.util.find_spec("torch") is None:
        return None
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    return torch


def contenders(settings: Settings, *, threads: int | None = None) -> list[Contender]:
    """The libraries to be measured, all held to the same number of threads.

    ndgrad comes first, once for each of its kernels, and PyTorch last, where it is installed.
    """
    threads = threads or settings.threads
    autograd.set_num_threads(threads)
    all_of_them = [
        Contender(f"ndgrad {name}", autograd, nn, nn.optim, name) for name in settings.kernels
    ]
    torch = torch_if_installed(threads)
    if torch is not None:
        all_of_them.append(Contender(TORCH, torch, torch.nn, torch.optim))
    return all_of_them


def take_turns(
    steps: Mapping[str, Callable[[], object]],
    turns: int,
    begin: Mapping[str, Callable[[], None]] | None = None,
) -> dict[str, float]:
    """The median time of each step in seconds, the steps taking turns.

    A turn begins with a step that is not timed, unless a step takes long, and lasts for some
    time: what another library left in the caches, and its threads that still wait for work, are
    then gone.

    Args:
        steps: by name.
        turns: how often each step has its turn.
        begin: what to do before a turn, by name.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    counts: dict[str, int] = {}
    for turn in range(turns + 1):
        for name, step in steps.items():
            if begin and name in begin:
                begin[name]()
            if not turn:  # warm up
                step()
                counts[name] = max(1, min(1000, round(TURN / max(seconds(step), 1e-9))))
                continue
            if counts[name] > 1:
                step()
            times[name] += [seconds(step) for _ in range(counts[name])]
    return {name: statistics.median(values) for name, values in times.items()}


def seconds(step: Callable[[], object]) -> float:
    """How long a step takes."""
    begin = time.perf_counter()
    step()
    return time.perf_counter() - begin


def geometric_mean(values: Iterable[float]) -> float:
    """The n-th root of the product of n positive values."""
    logarithms = [log(value) for value in values]
    return exp(sum(logarithms) / len(logarithms))


class Table:
    """A table in Markdown that is printed line by line, and the figures in it.

    Each case has a value for each library; for those that are ndgrad, the ratio to PyTorch's
    follows, where PyTorch took part.

    Args:
        part: of the benchmark.
        title: what is measured, above the column of cases.
        unit: of the values.
        names: of the libraries.
        more: titles of further columns.
        width: of the column of cases.
    """

    def __init__(
        self,
        part: str,
        title: str,
        unit: str,
        names: Sequence[str],
        more: Sequence[str] = (),
        width: int = 36,
    ) -> None:
        self.part, self.unit, self.names = part, unit, list(names)
        self.figures: list[Figure] = []
        self.rated = [name for name in names if name.startswith("ndgrad")]
        if TORCH not in names:
            self.rated = []
        titles = [
            *(f"{name} ({unit})" for name in names),
            *(f"{name} / {TORCH}" for name in self.rated),
            *more,
        ]
        self.widths = [max(len(title), width), *(len(each) for each in titles)]
        self.line([title, *titles])
        print("|" + "|".join("-" * (width + 2) for width in self.widths) + "|")

    def line(self, cells: Sequence[str]) -> None:
        first, *rest = (
            cell.ljust(self.widths[0]) if not k else cell for k, cell in enumerate(cells)
        )
        padded = [cell.rjust(width) for cell, width in zip(rest, self.widths[1:], strict=True)]
        print("| " + " | ".join([first, *padded]) + " |", flush=True)

    def add(self, case: str, values: Mapping[str, float], more: Sequence[str] = ()) -> None:
        """Print the values of a case, by library; some may be missing. `more` follows them."""
        self.figures += [
            Figure(self.part, case, name, value, self.unit) for name, value in values.items()
        ]
        cells = [f"{values[name]:.4g}" if name in values else "" for name in self.names]
        ratios = [f"{values[n] / values[TORCH]:.2f}" if n in values else "" for n in self.rated]
        self.line([case, *cells, *ratios, *more])

    def ratios(self, name: str, to: str = TORCH) -> dict[str, float]:
        """By case, the ratio of a library's value to another's."""
        found = {(figure.case, figure.who): figure.value for figure in self.figures}
        return {
            case: value / found[case, to]
            for (case, who), value in found.items()
            if who == name and (case, to) in found
        }

    def finish(self) -> list[Figure]:
        """Print the geometric mean of the ratios, and the largest of them; return the figures."""
        for name in self.rated:
            ratios = self.ratios(name)
            if not ratios:  # no network of this part was asked for
                continue
            worst = max(ratios, key=lambda case: ratios[case])
            print(
                f"{name} / {TORCH}: geometric mean {geometric_mean(ratios.values()):.2f}, "
                f"largest {ratios[worst]:.2f} ({worst})"
            )
        if MYGRAD in self.names:
            for name in self.rated:
                for case, ratio in self.ratios(MYGRAD, name).items():
                    print(f"{MYGRAD} / {name}: {ratio:.1f} ({case})")
        print(flush=True)
        return self.figures
