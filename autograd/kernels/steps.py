"""What the kernels of recurrent layers share: steps, chunks of steps, products and sums.

The steps lie one after another in memory: step t has the rows of the first ``batch_sizes[t]``
sequences, which are sorted by falling length. What does not depend on the state before is done for
many steps at once, in large matrix products, by a second thread where there is one: forward the
share of the input in the gates, ahead of the steps; backward the gradients of the weights, behind
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np

from autograd.kernels.threads import share

Sizes = Sequence[int]

SMALL = 1_000_000
"""Multiplications up to which OpenBLAS multiplies without packing its operands first."""

CHUNK = 256
"""Rows of the steps that are handed from one thread to the other together."""


class Chunk:
    """Some consecutive steps: the rows of each, in the order of the recurrence, and of all."""

    def __init__(self, steps: list[slice]) -> None:
        self.steps = steps
        self.rows = slice(min(s.start for s in steps), max(s.stop for s in steps))


def chunks_of(batch_sizes: Sizes, reverse: bool) -> list[Chunk]:
    """All steps, in the order of the recurrence, in chunks."""
    ends = np.cumsum(batch_sizes).tolist()
    steps = [slice(end - size, end) for end, size in zip(ends, batch_sizes, strict=True)]
    chunks: list[Chunk] = []
    group: list[slice] = []
    for step in reversed(steps) if reverse else steps:
        group.append(step)
        if sum(s.stop - s.start for s in group) >= CHUNK:
            chunks.append(Chunk(group))
            group = []
    return [*chunks, Chunk(group)] if group else chunks


def backwards(chunks: list[Chunk]) -> list[Chunk]:
    return [Chunk(chunk.steps[::-1]) for chunk in reversed(chunks)]


def in_turn(
    first: Callable[[Chunk], None], second: Callable[[Chunk], None], chunks: list[Chunk], work: int
) -> None:
    """Call two functions on each chunk, the second after the first; in two threads, if worth it.

    Args:
        first: gets the chunks in order, without waiting for the other.
        second: gets each chunk after the first function had it.
        chunks: what they get.
        work: about how many multiplications it takes.
    """
    ready: SimpleQueue[bool] = SimpleQueue()

    def lead() -> None:
        try:
            for chunk in chunks:
                first(chunk)
                ready.put(True)
        finally:
            ready.put(False)  # so that nobody waits after an error

    def follow() -> None:
        for chunk in chunks:
            if not ready.get():
                return
            second(chunk)

    tasks = [lead, follow]
    share(lambda part: [task() for task in tasks[part]], 2, work)


def carried(state: Any, initial: Any, count: int) -> Any:
    """The states that a step begins with: of sequences that are new here, the initial ones."""
    known = len(state)
    return state[:count] if known >= count else np.concatenate((state, initial[known:count]))


def before(states: Any, initial: Any, batch_sizes: Sizes, reverse: bool) -> Any:
    """For each row the state that its step began with."""
    out = np.empty((len(states), initial.shape[1]), states.dtype)
    earlier = states[:0]
    for chunk in chunks_of(batch_sizes, reverse):
        for step in chunk.steps:
            size = step.stop - step.start
            known = min(len(earlier), size)
            out[step][:known] = earlier[:known]
            out[step][known:] = initial[known:size]
            earlier = states[step]
    return out


def last(states: Any, batch_sizes: Sizes, reverse: bool, out: Any) -> None:
    """Write the last state of each sequence."""
    if reverse:
        out[...] = states[: len(out)]
        return
    end = 0
    for size, following in zip(batch_sizes, (*batch_sizes[1:], 0), strict=True):
        end += size
        out[following:size] = states[end - size + following : end]


class Times:
    """Products ``x @ weight`` of few rows, again and again, in blocks of columns below `SMALL`."""

    def __init__(self, weight: Any, rows: int) -> None:
        gates, inner, columns = weight.shape
        self.count = 1
        while columns % (2 * self.count) == 0 and rows * inner * columns > SMALL * self.count:
            self.count *= 2
        # (G, I, O) -> (G, I, blocks, O / blocks) -> (G, blocks, I, O / blocks)
        blocks = weight.reshape(gates, inner, self.count, columns // self.count).swapaxes(1, 2)
        self.blocks = np.ascontiguousarray(blocks)

    def __call__(self, x: Any, out: Any) -> None:
        """X (n, I), out (G, n, O)"""
        gates, rows, columns = out.shape
        # (G, n, O) -> (G, n, blocks, O / blocks) -> (G, blocks, n, O / blocks), a view
        apart = out.reshape(gates, rows, self.count, columns // self.count).swapaxes(1, 2)
        np.matmul(x, self.blocks, out=apart)


def by_gate(weight: Any, order: Sequence[int], factors: Sequence[float]) -> Any:
    """The parts of a weight (G * H, I) or bias (G * H,), transposed: (G, I, H) or (G, 1, H)."""
    count = len(order)
    parts = weight.reshape(count, len(weight) // count, -1)[list(order)]  # (G * H, I) -> (G, H, I)
    parts *= np.array(factors, weight.dtype)[:, None, None]
    return parts.swapaxes(1, 2)


class Sums:
    """``changes.T @ factor``, summed over chunks, for each factor that is not None."""

    def __init__(self, changes: Any, *factors: Any) -> None:
        self.changes = changes
        self.factors = factors
        self.totals: list[Any] = [None] * len(factors)

    def add(self, chunk: Chunk) -> None:
        rows = self.changes[chunk.rows].T
        for place, factor in enumerate(self.factors):
            if factor is None:
                continue
            part = np.matmul(rows, factor[chunk.rows])
            if self.totals[place] is None:
                self.totals[place] = part
            else:
                self.totals[place] += part


def flat(total: Any) -> Any:
    """The sum over rows, which came as one column: (O, 1) -> (O,)."""
    return None if total is None else total.reshape(-1)


def twice(total: Any, first: bool, second: bool) -> list[Any]:
    """The same gradient for two inputs, in memory of its own for each, as far as needed."""
    return [total if first else None, np.array(total) if second else None]
