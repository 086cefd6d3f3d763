"""Values that suit an operation: inside a domain, away from kinks, at equal distances."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Domain", "domains_of", "grid", "pick"]

Array: TypeAlias = np.ndarray[Any, Any]
Domain: TypeAlias = tuple[float, float]

CHOICES = 60
"""About how many values a domain offers."""


def grid(domain: Domain, avoid: Sequence[float], at_least: int) -> list[float]:
    """Decimal numbers inside a domain, the simplest first, at equal distances from each other.

    They are no binary fractions, so that lower precision shows.
    """
    low, high = domain
    if not low < high:
        raise ValueError(f"domain is {domain}, expected two numbers in order")
    width = (high - low) / max(CHOICES, 2 * at_least)
    digits = -floor(log10(width))
    step = 10.0**-digits
    count = next(factor for factor in (5, 2, 1) if factor * step <= width * 1.0001)
    step *= count
    first, last = ceil(low / step), floor(high / step)
    found = [round(k * step, digits) for k in range(first, last + 1)]
    margin = 0.6 * step
    inside = [
        value
        for value in found
        if value - low > margin
        and high - value > margin
        and all(abs(value - kink) > margin for kink in avoid)
    ]
    return sorted(inside, key=lambda value: (len(repr(abs(value))), abs(value), value < 0))


def pick(
    choices: Sequence[float], shape: tuple[int, ...], distinct: bool, rng: np.random.Generator
) -> Array:
    """Some of the values, at random."""
    return np.asarray(rng.choice(np.array(choices), shape, replace=not distinct))


def domains_of(domain: Any, count: int) -> list[Domain]:
    """One interval for each input."""
    first = domain[0]
    if isinstance(first, (int, float)):
        return [tuple(domain)] * count
    if len(domain) != count:
        raise ValueError(f"{len(domain)} domains for {count} inputs")
    return [tuple(interval) for interval in domain]
