"""Derivatives along a line by differences, each with an estimate of its own error.

Central differences ``(f(h) - f(-h)) / 2h`` err by powers of ``h**2``, one-sided ones by powers of
``h``. Halving h several times and extrapolating to 0 removes one power after the other (Richardson
1911; the tableau and its error estimate are Ridders', Adv. Eng. Softw. 4 (1982) 75). What is left,
and the rounding of f divided by h, is the estimated error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Estimate", "Line", "central", "one_sided", "step_sizes"]

Array: TypeAlias = np.ndarray[Any, Any]

LEVELS = 3
SIDE_LEVELS = 5
ROUNDINGS = 8
"""How many units in the last place a function's value is taken to be off by."""


def step_sizes(eps: float, size: float) -> tuple[float, ...]:
    """Steps to begin with, in turn, for values that carry a relative error of eps.

    Four fall with the precision, relative to the coordinates; more follow for functions that vary
    faster than large coordinates do, or slower than tiny ones.

    Args:
        eps: the spacing of floating-point numbers at 1.
        size: the magnitude of the coordinates that change.
    """
    bits = -np.log2(eps)
    unit = 2.0 ** float(np.ceil(np.log2(max(1.0, size))))
    fractions = [2.0 ** -round(bits * part) for part in (0.155, 0.22, 0.3, 0.4)]
    steps = [unit * fraction for fraction in fractions]
    if unit > 64:
        steps += fractions[:2]
    elif 0 < size < 2**-9:
        steps += [2.0 ** (float(np.floor(np.log2(size))) - bits) for bits in (6, 10)]
    return tuple(steps)


class Line:
    """A function of one number, the way along a line, that remembers what it gave.

    Args:
        evaluate: returns the outputs, flat in float64, for a number.
        eps: the spacing of floating-point numbers at 1 in the function's own data type.
        size: the magnitude of the coordinates that change.
        magnitude: that of what the outputs were computed from, whose rounding they carry.
    """

    def __init__(
        self,
        evaluate: Callable[[float], Array],
        eps: float,
        size: float,
        magnitude: float = 0.0,
    ) -> None:
        self.evaluate = evaluate
        self.eps = eps
        self.size = size
        self.magnitude = magnitude
        self.known: dict[float, Array] = {}
        self.scatter: dict[int, tuple[Array, Array]] = {}

    def __call__(self, t: float) -> Array:
        if t not in self.known:
            self.known[t] = self.evaluate(t)
        return self.known[t]

    def noise(self, place: int) -> float:
        """How far the values of an output scatter around a smooth function.

        What a cubic leaves at irregular points on one side of 0, as near as shows any change.
        """
        for bits in (30, 24, 18, 12):
            if bits not in self.scatter:
                self.scatter[bits] = self.scatter_at(2.0**-bits)
            found, moving = self.scatter[bits]
            if moving[place]:
                break
        return float(found[place])

    def scatter_at(self, size: float) -> tuple[Array, Array]:
        """The scatter of each output within a distance, and whether it changes there at all."""
        places = np.random.default_rng(0).uniform(0.05, 1.0, 12)
        powers = np.vander(places, 4)
        unit = 2.0 ** float(np.ceil(np.log2(max(1.0, self.size))))
        values = np.array([self(unit * place * size) for place in places])
        values[:, ~np.isfinite(values).all(axis=0)] = 0.0
        fitted = powers @ np.linalg.lstsq(powers, values, rcond=None)[0]
        scatter: Array = np.sqrt(np.mean((values - fitted) ** 2, axis=0))
        ordered = np.sort(values, axis=0)
        return scatter, np.count_nonzero(np.diff(ordered, axis=0), axis=0) >= 6

    def rounding(self, values: Array, slopes: Array, step: float) -> Array:
        """The error of a difference quotient that comes from rounding alone."""
        return self.eps * (ROUNDINGS * np.abs(values) + self.size * np.abs(slopes)) / step


@dataclass(frozen=True)
class Estimate:
    """A derivative of each output.

    Attributes:
        value: the derivatives.
        error: how far off they may be; infinite where the function was not finite.
        kinked: where the slopes on both sides do not approach each other.
        jumping: where they move apart, as at a jump.
        slope: the largest finite slope to either side of any output.
        step: the largest step that was taken.
    """

    value: Array
    error: Array
    kinked: Array
    jumping: Array
    slope: float
    step: float


def extrapolate(quotients: list[Array], roundings: list[Array], power: int) -> tuple[Array, Array]:
    """The limit of quotients at steps halved each time, and its error, element by element.

    Args:
        quotients: for each step.
        roundings: their error from rounding.
        power: 2 if the quotients err by even powers of the step, 1 if by all.
    """
    best = quotients[0]
    error = np.full(best.shape, np.inf)
    before: list[Array] = []
    for level, quotient in enumerate(quotients):
        row = [quotient]
        for column in range(1, level + 1):
            finer, coarser = row[column - 1], before[column - 1]
            value = finer + (finer - coarser) / (2.0 ** (power * column) - 1)
            doubt = np.maximum(np.abs(value - finer), np.abs(value - coarser)) + roundings[level]
            better = doubt < error
            best, error = np.where(better, value, best), np.where(better, doubt, error)
            row.append(value)
        before = row
    return best, error


def largest(*values: Array) -> float:
    """The largest finite magnitude."""
    joined = np.abs(np.concatenate(values))
    return float(np.max(joined[np.isfinite(joined)], initial=0.0))


def central(line: Line, step: float) -> Estimate:
    """The derivative at 0 from both sides, with steps from `step` downwards."""
    here = line(0.0)
    slope = 0.0
    quotients, bends, roundings = [], [], []
    with np.errstate(all="ignore"):
        for level in range(LEVELS):
            h = step / 2**level
            ahead, behind = line(h), line(-h)
            quotients.append((ahead - behind) / (2 * h))
            bends.append(np.abs(ahead + behind - 2 * here) / h)
            size = np.maximum(np.abs(ahead), np.abs(behind))
            roundings.append(line.rounding(size, quotients[-1], h))
            slope = largest(ahead - here, here - behind) / h
        value, error = extrapolate(quotients, roundings, power=2)
        seen = bends[-1] > 4 * roundings[-1]
        kinked = seen & (bends[-1] > 0.75 * bends[-2])
        spread = np.abs(quotients[-1]) + bends[-1]
        growing = spread > 1.5 * (np.abs(quotients[-2]) + bends[-2])
        error = np.where(np.isfinite(value), error, np.inf)
    return Estimate(value, error, kinked, growing & (spread > 4 * roundings[-1]), slope, step)


def one_sided(line: Line, step: float, beyond: bool = False) -> Estimate:
    """The derivative at 0 from one side.

    Args:
        line: the function.
        step: the largest step, positive to look ahead, negative to look behind.
        beyond: use the values on that side only, not that at 0, which may lie beyond a jump.
    """
    quotients, roundings = [], []
    with np.errstate(all="ignore"):
        for level in range(SIDE_LEVELS):
            h = step / 2**level
            there, base = line(h), line(h / 2 if beyond else 0.0)
            distance = h / 2 if beyond else h
            quotients.append((there - base) / distance)
            size = np.maximum(np.abs(there), np.abs(base))
            roundings.append(2 * line.rounding(size, quotients[-1], abs(distance)))
        value, error = extrapolate(quotients, roundings, power=1)
        error = np.where(np.isfinite(value), error, np.inf)
    growing = np.abs(quotients[-1]) > 1.5 * np.abs(quotients[-2])
    return Estimate(value, error, np.zeros(value.shape, bool), growing, largest(value), abs(step))
