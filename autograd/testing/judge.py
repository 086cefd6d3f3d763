"""Deciding, output by output, whether a derivative agrees with differences along a line.

An element agrees as soon as one step size gives a difference with a small error of its own that
fits. To be called wrong it must disagree with two that agree with each other, the scatter of the
function's values taken into account. At a kink, where no derivative exists, it must lie between
the derivatives from the left and from the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.numeric import (
    LEVELS,
    ROUNDINGS,
    Estimate,
    Line,
    central,
    one_sided,
    step_sizes,
)

__all__ = ["Column", "Status", "judge"]

Array: TypeAlias = np.ndarray[Any, Any]

SAFETY = 4.0
"""How many times its estimated error a difference may be off."""


class Status(IntEnum):
    """What was found about one element, from the best to the worst."""

    CORRECT = 0
    KINK = 1
    UNSETTLED = 2
    NOT_FINITE = 3
    WRONG = 4


@dataclass
class Column:
    """The verdict on each output along one line.

    Attributes:
        status: a `Status` for each output.
        numeric: the derivatives by differences.
        error: their estimated errors; infinite at a jump.
        left, right: the one-sided derivatives at kinks and jumps; NaN elsewhere.
    """

    status: Array
    numeric: Array
    error: Array
    left: Array
    right: Array

    @classmethod
    def empty(cls, count: int) -> Column:
        def filled(value: float) -> Array:
            return np.full(count, value)

        status = np.full(count, Status.UNSETTLED, np.int8)
        return cls(status, filled(np.nan), filled(np.inf), filled(np.nan), filled(np.nan))

    def put(self, k: int, status: Status, value: float, error: float) -> None:
        self.status[k], self.numeric[k], self.error[k] = status, value, error


@dataclass(frozen=True)
class Scale:
    """What is small here: `settled` for the error of a difference, `rounding` for deviations."""

    settled: float
    rounding: float

    @classmethod
    def of(cls, line: Line, slope: float) -> Scale:
        outputs = np.abs(line(0.0))
        natural = float(np.max(outputs[np.isfinite(outputs)], initial=0.0)) / max(1.0, line.size)
        basis = max(slope, line.magnitude / max(1.0, line.size))
        return cls(line.eps**0.4 * max(slope, natural), 64 * line.eps * basis)

    def tolerance(self, error: Any) -> Any:
        return SAFETY * error + self.rounding


def judge(line: Line, analytic: Array) -> Column:
    """Compare derivatives along a line with differences.

    Args:
        line: the function along it.
        analytic: the derivative of each output at 0 to be judged.
    """
    column = Column.empty(len(analytic))
    undecided = np.ones(len(analytic), bool)
    estimates: list[Estimate] = []
    scale = Scale(0.0, 0.0)
    steps = list(step_sizes(line.eps, line.size))
    while steps:
        estimate = central(line, steps.pop(0))
        estimates.append(estimate)
        scale = Scale.of(line, estimate.slope)
        agrees = (
            undecided
            & ~estimate.kinked
            & (estimate.error <= scale.settled)
            & (np.abs(analytic - estimate.value) <= scale.tolerance(estimate.error))
        )
        column.status[agrees] = Status.CORRECT
        column.numeric[agrees] = estimate.value[agrees]
        column.error[agrees] = estimate.error[agrees]
        undecided &= ~agrees
        if not (undecided & ~repeated(estimates, scale)).any():
            break
        if (estimate.kinked | estimate.jumping)[undecided].all():
            if steps and estimate.step < min(steps):
                break
            if len(estimates) == 1:  # is the kink here, or only nearby?
                steps.insert(0, steps.pop(steps.index(min(steps))))
    sides: list[list[Estimate]] = [[], []]
    for k in np.flatnonzero(undecided):
        Doubt(line, int(k), float(analytic[k]), estimates, scale, sides).decide(column)
    return column


def repeated(estimates: Sequence[Estimate], scale: Scale) -> Array:
    """Where the last two differences have small errors and agree with each other."""
    last = estimates[-1]
    if len(estimates) < 2:
        return np.zeros(last.value.shape, bool)
    before = estimates[-2]
    smooth = ~(last.kinked | last.jumping | before.kinked | before.jumping)
    settled = np.maximum(last.error, before.error) <= scale.settled
    apart = np.abs(last.value - before.value)
    near: Array = apart <= scale.tolerance(last.error + before.error)
    return near & smooth & settled


@dataclass
class Doubt:
    """An element that agreed at no step size: what is the matter with it?

    `sides` holds the differences to the left and to the right, once an element has needed them.
    """

    line: Line
    place: int
    analytic: float
    estimates: list[Estimate]
    scale: Scale
    sides: list[list[Estimate]]

    def __post_init__(self) -> None:
        self.steps = step_sizes(self.line.eps, self.line.size)
        self.noise = self.line.noise(self.place)
        self.finest = min(self.estimates, key=lambda estimate: estimate.step)

    def confirmed(self, estimates: Sequence[Estimate]) -> tuple[float, float] | None:
        """A value that two step sizes agree on, with its error."""
        settled = []
        for estimate in estimates:
            error = float(estimate.error[self.place]) + 32 * self.noise / estimate.step
            if error <= self.scale.settled and not estimate.kinked[self.place]:
                settled.append((error, float(estimate.value[self.place])))
        settled.sort()
        for k, (error, value) in enumerate(settled):
            for other_error, other in settled[k + 1 :]:
                if abs(value - other) <= self.scale.tolerance(error + other_error):
                    return value, error
        return None

    def decide(self, column: Column) -> None:
        last = self.finest
        smooth = not (last.kinked[self.place] or last.jumping[self.place])
        found = self.confirmed(self.estimates) if smooth else None
        if found is None:
            self.decide_from_sides(column)
            return
        value, error = found
        agrees = abs(self.analytic - value) <= self.scale.tolerance(error)
        column.put(self.place, Status.CORRECT if agrees else Status.WRONG, value, error)

    def decide_from_sides(self, column: Column) -> None:
        """Hold the element against the derivatives from the left and from the right."""
        if self.is_rounding(column):
            return
        sides = self.sides
        found: list[tuple[float, float] | None] = [None, None]
        for count in range(2, len(self.steps) + 1):
            for side, sign in zip(sides, (-1.0, 1.0), strict=True):
                side += [one_sided(self.line, sign * h) for h in self.steps[len(side) : count]]
            found = [self.confirmed(side) for side in sides]
            if all(found):
                break
        ends = [not any(np.isfinite(e.error[self.place]) for e in side) for side in sides]
        jump = False
        for k, sign in enumerate((-1.0, 1.0)):
            if found[k] is None and not ends[k]:
                found[k] = self.confirmed(
                    [one_sided(self.line, sign * h, beyond=True) for h in self.steps]
                )
                jump |= found[k] is not None
        left, right = found
        if left is not None and right is not None:
            self.decide_between(left, right, jump, column)
            return
        known = left or right
        if known is not None and not jump:
            value, error = known
            agrees = abs(self.analytic - value) <= self.scale.tolerance(error)
            ended = ends[1 if left is not None else 0]
            settled = Status.CORRECT if ended else Status.UNSETTLED
            column.put(self.place, settled if agrees or not ended else Status.WRONG, value, error)
            return
        best = min(self.estimates, key=lambda e: float(e.error[self.place]))
        status = Status.NOT_FINITE if all(ends) else Status.UNSETTLED
        value, error = float(best.value[self.place]), float(best.error[self.place])
        column.put(self.place, status, value, error)

    def is_rounding(self, column: Column) -> bool:
        """Whether nothing is there but the rounding of what the values were computed from.

        As in the gradient of ``x / x``, a difference of two equal terms: neither side settles, or
        they differ by a jump.
        """
        line, widest = self.line, max(self.estimates, key=lambda estimate: estimate.step)
        steps = [widest.step / 2**level for level in range(LEVELS)]
        here = line(0.0)[self.place]
        moves = [abs(line(sign * h)[self.place] - here) for h in steps for sign in (-1, 1)]
        unit = ROUNDINGS * line.eps * line.magnitude
        if not (np.max(moves) <= unit and abs(self.analytic) <= unit / steps[-1]):
            return False
        value = float(widest.value[self.place])
        column.put(self.place, Status.CORRECT, value, unit / steps[-1])
        return True

    def decide_between(
        self, left: tuple[float, float], right: tuple[float, float], jump: bool, column: Column
    ) -> None:
        slack = self.scale.tolerance(left[1] + right[1])
        middle, error = (left[0] + right[0]) / 2, left[1] + right[1]
        if abs(left[0] - right[0]) <= slack and not jump:
            agrees = abs(self.analytic - middle) <= slack
            column.put(self.place, Status.CORRECT if agrees else Status.WRONG, middle, error)
            return
        column.left[self.place], column.right[self.place] = left[0], right[0]
        low, high = min(left[0], right[0]), max(left[0], right[0])
        inside = low - slack <= self.analytic <= high + slack
        status = Status.KINK if inside else Status.WRONG
        column.put(self.place, status, middle, np.inf if jump else error)
