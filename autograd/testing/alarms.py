"""Counting false alarms: right gradients, drawn at random, must not be called wrong.

``python -m autograd.testing.alarms 100000`` checks the primitives as they are on that many inputs,
at all orders, and prints each that is called wrong or inconclusive, with the seed that gives it
again. Some inputs lie at a kink by chance; those say nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from time import perf_counter

import numpy as np

from autograd.creation import from_numpy
from autograd.primitive import OPS
from autograd.testing.check import check_gradients
from autograd.testing.mutate import call_of, draw
from autograd.testing.result import CheckResult, Verdict

__all__ = ["checks", "main"]

PROGRESS = 1000
"""After how many inputs the counts so far are printed."""


def checks(
    count: int, first: int = 0, names: Sequence[str] = ()
) -> Iterator[tuple[int, str, CheckResult]]:
    """One check for each seed from `first` on: the seed, the case, and what was found."""
    cases = [
        (name, number) for name in names or sorted(OPS) for number in range(len(OPS[name].cases))
    ]
    for seed in range(first, first + count):
        rng = np.random.default_rng(seed)
        name, number = cases[rng.integers(len(cases))]
        case = OPS[name].cases[number]
        inputs = [from_numpy(array) for array in draw(case, rng)]
        result = check_gradients(
            call_of(OPS[name], case), *inputs, order=case.order, seed=seed, raise_exception=False
        )
        yield seed, f"{name}, case {number}", result


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and print false alarms; the exit status is 1 if there was any."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.testing.alarms",
        description="Check right gradients on random inputs, and print false alarms.",
    )
    parser.add_argument("count", nargs="?", type=int, default=1000, help="how many inputs")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first seed")
    options = parser.parse_args(arguments)
    start = perf_counter()
    verdicts: Counter[str] = Counter()
    for seed, title, result in checks(options.count, options.first):
        verdicts[result.verdict.value] += 1
        if result.verdict in (Verdict.WRONG, Verdict.INCONCLUSIVE):
            print(f"seed {seed}: {title}\n{result}\n", flush=True)
        done = seed + 1 - options.first
        if done % PROGRESS == 0 and done < options.count:
            print(f"{done} inputs in {perf_counter() - start:.0f} s: {told(verdicts)}", flush=True)
    print(f"{options.count} inputs in {perf_counter() - start:.0f} s: {told(verdicts)}")
    return int(not set(verdicts) <= {"correct", "kink"})


def told(verdicts: Counter[str]) -> str:
    return ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))


if __name__ == "__main__":
    sys.exit(main())
