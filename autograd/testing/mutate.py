"""The tester tested: faults are planted in every rule of every primitive, and must be caught.

``python -m autograd.testing.mutate`` plants them all and lists what was not caught, with the
reason: a fault may give the right gradient everywhere, or differ only in the choice among the
derivatives that a kink has. Name primitives to look at those only.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import from_numpy
from autograd.gradients import grad
from autograd.op import Op
from autograd.primitive import OPS, Case
from autograd.testing.check import check_gradients
from autograd.testing.faults import Fault, faults_of
from autograd.testing.grid import domains_of, grid, pick
from autograd.testing.properties import gradients, leaves, outputs_of, weights
from autograd.testing.result import Verdict
from autograd.testing.source_faults import source_faults

__all__ = ["Outcome", "Trial", "examine", "main", "trials_of"]

Array: TypeAlias = np.ndarray[Any, Any]

LOOKS = 30
"""On how many further inputs a fault that was not caught is compared with the right rule."""


@dataclass(frozen=True)
class Trial:
    """Inputs for a case of a primitive, up to an order of derivative.

    Attributes:
        number: which case.
        arrays: the inputs.
        order: of the derivatives to be checked.
        verdict: what the tester says of the primitive as it is.
    """

    number: int
    arrays: tuple[Array, ...]
    order: int
    verdict: Verdict = Verdict.CORRECT


@dataclass(frozen=True)
class Outcome:
    """What became of a fault.

    Attributes:
        fault: what was planted.
        caught: whether the tester noticed.
        reason: how, or why it could not.
        missed: whether the gradient was wrong and that went unnoticed.
    """

    fault: Fault
    caught: bool
    reason: str
    missed: bool = False


def call_of(op: Op, case: Case) -> Any:
    """A primitive as a function of the inputs of a case."""

    def call(*tensors: Any) -> Any:
        given = iter(tensors)
        arguments = [
            case.constants[name] if name in case.constants else next(given, None)
            for name in op.inputs
        ]
        return op(*arguments, *given, **case.attributes)

    return call


def draw(case: Case, rng: np.random.Generator) -> tuple[Array, ...]:
    """Inputs that suit a case."""
    sizes = [int(np.prod(shape)) for shape in case.shapes]
    domains = domains_of(case.domain, len(case.shapes))
    if case.distinct:
        choices = grid(domains[0], case.avoid, sum(sizes))
        joined = pick(choices, (sum(sizes),), True, rng)
        parts = np.split(joined, np.cumsum(sizes)[:-1])
    else:
        parts = [
            pick(grid(domain, case.avoid, 0), (size,), False, rng)
            for domain, size in zip(domains, sizes, strict=True)
        ]
    return tuple(part.reshape(shape) for part, shape in zip(parts, case.shapes, strict=True))


def special(case: Case, rng: np.random.Generator) -> Iterator[tuple[Array, ...]]:
    """Inputs at kinks, with ties, and with zeros."""
    for kink in (*case.avoid, 0.0, 1.0):
        yield tuple(np.full(shape, kink) for shape in case.shapes)
        drawn = draw(case, rng)
        for array in drawn:
            if array.size > 1:
                array.flat[rng.integers(array.size)] = kink
        yield drawn
    value = float(draw(case, rng)[0].flat[0]) if np.prod(case.shapes[0]) else 0.5
    yield tuple(np.full(shape, value) for shape in case.shapes)


def trials_of(op: Op, seed: int = 0) -> list[Trial]:
    """Inputs on which the tester has something to say about a primitive, the telling ones first."""
    rng = np.random.default_rng(seed)
    first, later, edges = [], [], []
    for number, case in enumerate(op.cases):
        first.append(Trial(number, draw(case, rng), 1))
        later.append(Trial(number, draw(case, rng), case.order))
        edges += [Trial(number, arrays, 1) for arrays in special(case, rng)]
    usable = []
    for trial in chain(first, edges, later):
        verdict, _ = verdict_on(op, trial)
        if verdict in (Verdict.CORRECT, Verdict.KINK):
            usable.append(Trial(trial.number, trial.arrays, trial.order, verdict))
    return usable


def verdict_on(op: Op, trial: Trial) -> tuple[Verdict | None, str]:
    """What the tester says of a primitive, and why; None if a rule raises."""
    inputs = [from_numpy(array.copy()) for array in trial.arrays]
    call = call_of(op, op.cases[trial.number])
    try:
        result = check_gradients(call, *inputs, order=trial.order, raise_exception=False)
    except Exception as error:  # a planted fault may raise anything
        return None, f"raises {type(error).__name__}"
    cause = f"{result.verdict.value}: {result.cause.name if result.cause else result.reason}"
    return result.verdict, cause


def examine(fault: Fault, right: Op, trials: Sequence[Trial], seed: int = 0) -> Outcome:
    """Whether the tester catches a fault, and if not, why."""
    for trial in trials:
        verdict, cause = verdict_on(fault.op, trial)
        if verdict is not trial.verdict:
            return Outcome(fault, True, cause)
    return Outcome(fault, False, *reason_for(fault, right, trials, seed))


def reason_for(fault: Fault, right: Op, trials: Sequence[Trial], seed: int) -> tuple[str, bool]:
    """Why a fault was not caught, and whether it should have been."""
    rng = np.random.default_rng([seed, 1])
    differing: list[Trial] = []
    looked = 0
    furthest, flat = 0.0, True
    for number, case in enumerate(right.cases):
        inputs = [draw(case, rng) for _ in range(LOOKS)]
        inputs += [trial.arrays for trial in trials if trial.number == number]
        inputs += [*special(case, rng), *not_numbers(case, rng)]
        looked += len(inputs)
        for arrays in inputs:
            came, wanted = (all_gradients(op, case, arrays) for op in (fault.op, right))
            away = distance(came, wanted)
            flat = flat and not any(part.any() for part in wanted)
            if away > 1e-10:
                differing.append(Trial(number, arrays, case.order))
            else:
                furthest = max(furthest, away)
    if not differing:
        return f"equivalent: {sameness(furthest, flat)} on all {looked} inputs tried", False
    verdicts = Counter(verdict_on(right, trial)[0] for trial in differing)
    if verdicts[Verdict.CORRECT]:
        return f"MISSED: another gradient on {verdicts[Verdict.CORRECT]} of {looked} inputs", True
    if verdicts[Verdict.KINK]:
        return (
            "equivalent but at kinks, where it picks another of the derivatives that lie between "
            "those from both sides",
            False,
        )
    return "equivalent but where there is no derivative: an infinite slope, an end, or NaN", False


def sameness(furthest: float, flat: bool) -> str:
    """How equal gradients are whose relative distance is at most this."""
    if flat:
        return "the gradient is 0 with and without it,"
    if furthest == 0.0:
        return "to the last bit the same first and second derivatives"
    return f"the same first and second derivatives, up to rounding ({furthest:.0e}),"


def not_numbers(case: Case, rng: np.random.Generator) -> Iterator[tuple[Array, ...]]:
    """Inputs with NaN and infinity."""
    for value in (np.nan, np.inf):
        drawn = draw(case, rng)
        for array in drawn:
            if array.size:
                array.flat[rng.integers(array.size)] = value
        yield drawn


def all_gradients(op: Op, case: Case, arrays: Sequence[Array]) -> list[Array]:
    """The gradients by all inputs, and those of their weighted sum; if one raises, which error."""
    call = call_of(op, case)
    found: list[Array] = []
    with np.errstate(all="ignore"):
        try:
            inputs = leaves([from_numpy(array.copy()) for array in arrays])
            found += gradients(call, inputs)[1]
            if case.order > 1:
                inputs = leaves([from_numpy(array.copy()) for array in arrays])
                found += gradients(partial(gradient_of, call), inputs)[1]
        except Exception as error:  # the same error is as good as the same value
            found.append(np.full((1,) * 9, sum(map(ord, type(error).__name__)), float))
    return found


def gradient_of(call: Any, *inputs: Any) -> tuple[Any, ...]:
    """The gradient of a weighted sum of the outputs, as a function to be differentiated."""
    outputs = outputs_of(call, inputs)
    pairs = [
        (out, weight)
        for out, weight in zip(outputs, weights(outputs), strict=True)
        if out.requires_grad
    ]
    if not pairs:
        return ()
    roots, starts = zip(*pairs, strict=True)
    return grad(roots, inputs, starts, create_graph=True, materialize_grads=True)


def distance(came: Sequence[Array], wanted: Sequence[Array]) -> float:
    """The largest difference, relative to the largest of the numbers that are compared."""
    if [part.shape for part in came] != [part.shape for part in wanted]:
        return np.inf
    furthest = 0.0
    for one, other in zip(came, wanted, strict=True):
        known = np.isfinite(other)
        if not np.array_equal(one[~known], other[~known], equal_nan=True):
            return np.inf
        size = float(np.max(np.abs(other[known]), initial=1e-2))
        away = float(np.max(np.abs(one[known] - other[known]), initial=0.0)) / size
        furthest = max(furthest, np.inf if np.isnan(away) else away)
    return furthest


def all_faults(op: Op) -> Iterator[Fault]:
    yield from faults_of(op)
    yield from source_faults(op)


def examine_all(op: Op, seed: int = 0) -> list[Outcome]:
    """Every fault in a primitive."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trials = trials_of(op, seed)
        return [examine(fault, op, trials, seed) for fault in all_faults(op)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant faults and print which were caught; the exit status is 1 if any was missed."""
    parser = argparse.ArgumentParser(
        prog="python -m autograd.testing.mutate",
        description="Plant faults in the rules of primitives, and print which the tester catches.",
    )
    parser.add_argument("names", nargs="*", metavar="primitive", help="which; all if none is named")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs")
    parser.add_argument("--verbose", action="store_true", help="also print what was caught")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in OPS]
    if unknown:
        parser.error(f"no such primitive: {', '.join(unknown)}")
    outcomes: dict[str, list[Outcome]] = {}
    for name in options.names or sorted(OPS):
        outcomes[name] = examine_all(OPS[name], options.seed)
        caught = sum(outcome.caught for outcome in outcomes[name])
        print(f"{name:<26} {caught:>4} of {len(outcomes[name]):>4} caught", flush=True)
        if options.verbose:
            for outcome in outcomes[name]:
                print(f"    {outcome.fault.kind:<28} {outcome.fault.where}: {outcome.reason}")
    return summary(outcomes)


def summary(outcomes: dict[str, list[Outcome]]) -> int:
    """Print the survivors and the figures."""
    everything = [outcome for found in outcomes.values() for outcome in found]
    survivors = [
        (name, outcome)
        for name, found in outcomes.items()
        for outcome in found
        if not outcome.caught
    ]
    print("\nby kind")
    planted = Counter(outcome.fault.kind for outcome in everything)
    caught = Counter(outcome.fault.kind for outcome in everything if outcome.caught)
    for kind, count in sorted(planted.items()):
        print(f"  {kind:<30} {caught[kind]:>5} of {count:>5}")
    print("\nsurvivors" if survivors else "\nno survivors")
    for name, outcome in survivors:
        print(f"  {name}: {outcome.fault.where} ({outcome.fault.kind})\n      {outcome.reason}")
    missed = sum(outcome.missed for outcome in everything)
    noticed = sum(outcome.caught for outcome in everything)
    share = 100 * noticed / max(noticed + missed, 1)
    print(
        f"\n{len(everything)} faults planted in {len(outcomes)} primitives: {noticed} caught, "
        f"{len(survivors) - missed} equivalent, {missed} missed; {share:.2f} % of the real caught"
    )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
