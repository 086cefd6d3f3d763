"""Hypotheses about how a wrong derivative depends on the values: a factor or a term that is off."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.evidence import Cause, Evidence

__all__ = ["factors", "terms"]

Array: TypeAlias = np.ndarray[Any, Any]

POWERS = (1, -1, 2, -2, 3, -3)
LARGEST = 4096
"""Up to how many derivatives products of two values are tried with."""


def products(e: Evidence) -> Iterator[tuple[dict[str, int], Array]]:
    """Powers of the values, and products of two, the simplest first."""
    names = list(e.inputs)
    with np.errstate(all="ignore"):
        for power in POWERS:
            for name in names:
                yield {name: power}, e.inputs[name] ** float(power)
        if e.right.size > LARGEST:
            return
        pairs = product(combinations(names, 2), POWERS, POWERS)
        for (one, other), p, q in sorted(pairs, key=lambda pair: abs(pair[1]) + abs(pair[2])):
            yield {one: p, other: q}, e.inputs[one] ** float(p) * e.inputs[other] ** float(q)


def text_of(powers: dict[str, int]) -> str:
    """A product as one writes it: ``the output / input 0**2``."""

    def joined(sign: int) -> str:
        return " * ".join(
            name if abs(power) == 1 else f"{name}**{abs(power)}"
            for name, power in powers.items()
            if power * sign > 0
        )

    above, below = joined(1), joined(-1)
    if not below:
        return above
    return f"{above or 1} / {below if ' * ' not in below else f'({below})'}"


def multiple(target: Array, values: Array, e: Evidence) -> float | None:
    """The number by which values are to be multiplied to give the target; None if there is none."""
    if target.size < e.least or not np.isfinite(values).all() or not np.any(values):
        return None
    number = float(np.vdot(target, values) / np.vdot(values, values))
    close = np.abs(target - number * values) <= 100 * e.slack * max(1.0, abs(number))
    if not number or not close.all():
        return None
    simple = round(12 * number) / 12
    if simple and np.isclose(number, simple, rtol=1e-5):
        return simple
    return number if target.size > 1 else None


def factors(e: Evidence) -> Iterator[Cause]:
    """A factor too many or too few that is made of the values."""
    seen = np.abs(e.right) > e.slack
    if np.abs(e.came[~seen]).max(initial=0.0) > e.slack:
        return
    found = []
    for powers, values in products(e):
        number = multiple(e.came[seen], (e.right * values)[seen], e)
        if number is None:
            continue
        inverse = {name: -power for name, power in powers.items()}
        if all(power < 0 for power in powers.values()):
            text = f"a factor {text_of(inverse)} is missing"
        else:
            text = f"a factor {text_of(powers)} is too many"
        found.append((number != 1.0, text if number == 1.0 else f"{text}, besides {number:.6g}"))
    for _, text in sorted(found, key=lambda pair: pair[0]):
        yield Cause("factor of a value", text)


def terms(e: Evidence) -> Iterator[Cause]:
    """A term missing, or nothing but one term, that is made of the values."""
    here = (np.abs(e.right) > e.slack) | (np.abs(e.came) > e.slack)
    missing = (e.right - e.came)[here]
    seen = np.abs(missing) > e.slack
    for powers, values in products(e):
        number = multiple(missing[seen], values[here][seen], e)
        if number is not None and round(12 * number) / 12 == number:
            amount = "" if number == 1.0 else f"{number:.6g} * "
            where = "" if seen.all() else " in the places that are wrong"
            yield Cause(
                "missing term",
                f"a term is missing: {amount}{text_of(powers)} would make it right{where} (dropped "
                "from a product or sum, or cut off by detach or no_grad?)",
            )
    for powers, values in products(e):
        if multiple(e.came[here], values[here], e) == 1.0:
            yield Cause(
                "one term",
                f"it is just {text_of(powers)}: a term or a factor of the derivative is missing",
            )
