"""What the process does that compiles beside a program: see `helper`.

It takes what lies behind the kernel that the program has begun, in the same module, from the end
on: backward comes last there, as it does in programs. With nothing of that kind left it goes on
with all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import chain
from queue import SimpleQueue
from threading import Event, Thread
from typing import IO

from autograd.kernels import ahead

__all__ = ["work"]

PATIENCE = 5.0
"""Seconds without an order after which it ends."""
SOON = (("numba_optim", "adam"), ("numba_tape", "run"), ("numba_reduce", "add_rows"))
"""What most training steps need, and late: module and kernel."""


class Orders:
    """What the program says, as a thread reads it."""

    def __init__(self, lines: IO[str]) -> None:
        self.begun: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self.go = Event()
        self.over = False
        Thread(target=self.listen, args=(lines,), daemon=True).start()

    def listen(self, lines: IO[str]) -> None:
        for line in lines:
            if line.strip():
                module, kernel = line.split()
                self.begun.put((module, kernel))
                self.go.set()
            else:
                self.go.clear()
        self.over = True
        self.go.set()


def names(module: str) -> list[str]:
    return [each.name for each in ahead.kernels_of(module)]


def others() -> Iterator[tuple[str, str]]:
    """Everything, what most programs need first."""
    yield from SOON
    for module in ahead.modules():
        for name in names(module):
            yield module, name


class Plan:
    """What to compile, each once: what goes with the orders so far, else any other."""

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()
        self.waiting: list[tuple[str, str]] = []
        self.rest = others()

    def add(self, module: str, begun: str) -> None:
        """What goes with a kernel that the program has begun to compile."""
        self.known.add((module, begun))
        order = names(module)
        behind = order[order.index(begun) + 1 :] if begun in order else []
        self.waiting[:0] = [(module, name) for name in reversed(behind)]

    def choose(self) -> tuple[str, str] | None:
        for each in chain(self.waiting, self.rest):
            if each not in self.known:
                self.known.add(each)
                return each
        return None


def work(lines: IO[str], out: IO[str], patience: float = PATIENCE) -> None:
    """Follow the orders, a line each: module and kernel, or nothing for a pause.

    It writes lines of the same kind: what it begins to compile, or nothing when it is done.
    """
    # Numba's tables, while the program compiles what every kernel needs
    cpu_target = import_module("numba.core.registry").cpu_target
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
    orders, plan = Orders(lines), Plan()
    while orders.go.wait(patience) and not orders.over:
        while not orders.begun.empty():
            plan.add(*orders.begun.get())
        chosen = plan.choose()
        if chosen is None:
            return
        module, name = chosen
        for kernel in ahead.kernels_of(module):
            if kernel.name == name:
                print(module, name, file=out, flush=True)
                kernel.prepare(ahead.DTYPE)
                print(file=out, flush=True)
