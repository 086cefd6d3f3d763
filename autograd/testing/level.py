"""One recorded call of a function, and what can be asked of its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor
from autograd.tensor import Tensor
from autograd.testing.evidence import Cause
from autograd.testing.judge import Column, judge
from autograd.testing.numeric import Line
from autograd.testing.probe import check_recorded, probe, probe_backward, pull_back
from autograd.testing.subject import BadSubject, Subject

__all__ = ["Bend", "Level", "combined", "cotangents", "nonlinear"]

Array: TypeAlias = np.ndarray[Any, Any]


class Level:
    """A function with one recorded call of it, ready to be compared.

    Args:
        subject: the function.
        rng: draws directions and the gradients of outputs.
        order: which derivative of the user's function its derivative is.

    Raises:
        BadSubject: the function cannot be checked.
    """

    def __init__(self, subject: Subject, rng: np.random.Generator, order: int = 1) -> None:
        self.subject = subject
        self.order = order
        self.rng = rng
        self.plain = probe(subject)
        self.leaves, self.outputs = subject.record()
        check_recorded(subject, self.outputs, self.plain)
        self.here = np.concatenate([np.ravel(v) for v in self.plain]).astype(np.float64)
        self.sizes = [point.size for point in subject.points]
        self.out_sizes = [value.size for value in self.plain]
        self.weights = [self.draw(value.shape) for value in self.plain]
        probe_backward(subject, self.outputs, self.leaves, self.weights)
        dtypes = [array.dtype for array in (*subject.points, *self.plain)]
        self.magnitude = (
            subject.magnitude or magnitude_of(self.plain) or magnitude_of(subject.points)
        )
        self.eps = max(float(np.finfo(dtype).eps) for dtype in dtypes)

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Random values away from 0."""
        values = self.rng.uniform(0.5, 1.5, shape) * self.rng.choice([-1.0, 1.0], shape)
        return np.asarray(values)

    def pull(self, weights: Sequence[Array]) -> list[Array]:
        """The gradient of a weighted sum of the outputs, flat in float64, for each variable."""
        found = pull_back(self.outputs, self.leaves, weights)
        return [
            np.zeros(size) if part is None else np.ravel(part).astype(np.float64)
            for part, size in zip(found, self.sizes, strict=True)
        ]

    def units(self) -> list[list[Array]]:
        """The gradient of each element of the outputs."""
        rows = []
        for k, value in enumerate(self.plain):
            for element in range(value.size):
                weights = [np.zeros(other.shape) for other in self.plain]
                weights[k].flat[element] = 1.0
                rows.append(self.pull(weights))
        return rows

    def moved(self, changes: Sequence[tuple[int, Array]], t: float) -> list[Array]:
        """The points, some of them moved t times along a direction."""
        arrays = list(self.subject.points)
        for variable, direction in changes:
            point = arrays[variable]
            moved = np.asarray(point, np.float64) + t * direction
            arrays[variable] = np.asarray(moved, point.dtype)
        return arrays

    def line(
        self,
        changes: Sequence[tuple[int, Array]],
        project: Callable[[Array], Array] | None = None,
    ) -> Line:
        """The outputs, or projections of them, along a direction."""
        size = max(
            float(np.max(np.abs(self.subject.points[variable][direction != 0]), initial=0.0))
            for variable, direction in changes
        )

        def evaluate(t: float) -> Array:
            values = self.subject.flat(self.moved(changes, t))
            return values if project is None else project(values)

        line = Line(evaluate, self.eps, size, self.magnitude)
        line.known[0.0] = self.here if project is None else project(self.here)
        return line

    def element(self, variable: int, place: int) -> tuple[int, Array]:
        direction = np.zeros(self.subject.points[variable].shape)
        direction.flat[place] = 1.0
        return variable, direction


def magnitude_of(arrays: Sequence[Array]) -> float:
    return max((float(np.max(np.abs(array), initial=0.0)) for array in arrays), default=0.0)


def combined(level: Level) -> Column | None:
    """All variables moved together: what tied inputs get must add up, whichever is preferred."""
    changes = [(k, np.ones(point.shape)) for k, point in enumerate(level.subject.points)]
    if not any(size for size in level.sizes):
        return None
    analytic = np.array([sum(float(part.sum()) for part in row) for row in level.units()])
    return judge(level.line(changes), analytic)


def check_noise(level: Level, variable: int, deviation: float) -> None:
    """Make sure that the function's own values are more exact than a relative deviation.

    Raises:
        BadSubject: they are not.
    """
    line = level.line([(variable, level.draw(level.subject.points[variable].shape))])
    scatter = max(line.noise(place) for place in range(len(level.here)))
    size = float(np.max(np.abs(line(0.0)), initial=0.0))
    if scatter > 0.05 * deviation * size:
        raise BadSubject(
            "noisy",
            f"values scatter by about {scatter:.0e} around a smooth function of size {size:.0e}: "
            "something inside is computed in lower precision",
        )


@dataclass(frozen=True)
class Bend:
    """Where the gradient of a weighted sum is not the weighted sum of the gradients."""

    variable: int
    came: float
    expected: float
    scale: float

    def cause(self, name: str) -> Cause:
        """The likely cause, with the variable's name."""
        away = abs(self.came - self.expected)
        if away <= 1e-5 * self.scale:
            return Cause(
                "imprecise",
                f"imprecise: by {name}, gradients of sums and sums of gradients differ by "
                f"{away / self.scale:.0e} of the largest; something is computed or kept in lower "
                "precision",
            )
        return Cause(
            "not linear",
            f"not linear in the incoming gradient: by {name} it is {self.came:.6g} where "
            f"{self.expected:.6g} follows from other incoming gradients; each must be multiplied "
            "by what comes in",
        )


def nonlinear(level: Level, rows: Sequence[Array] | None) -> Bend | None:
    """Where a gradient is not linear in the incoming gradient; None if it is everywhere.

    Args:
        level: the function.
        rows: for each variable its whole Jacobian, if that is known.
    """
    twice = level.pull([2.0 * weight for weight in level.weights])
    once = level.pull(level.weights)
    flat = np.concatenate([np.ravel(weight) for weight in level.weights])
    for variable, (one, two) in enumerate(zip(once, twice, strict=True)):
        checks = [(two, 2.0 * one)]
        size = max(1.0, magnitude_of([level.subject.points[variable]]))
        scale = max(float(np.max(np.abs(one), initial=0.0)), level.magnitude / size)
        if rows is not None:
            checks.append((one, flat @ rows[variable]))
            largest = float(np.max(np.abs(rows[variable]), initial=0.0))
            scale = max(scale, largest * len(flat) ** 0.5)
        for came, wanted in checks:
            away = np.abs(came - wanted)
            if away.size and not away.max() <= 256 * level.eps * scale:
                worst = int(np.argmax(np.where(np.isnan(away), np.inf, away)))
                if away[worst] <= 1e-5 * scale:
                    check_noise(level, variable, away[worst] / scale)
                return Bend(variable, float(came[worst]), float(wanted[worst]), scale)
    return None


def cotangents(level: Level) -> tuple[list[Tensor], list[int]]:
    """Gradients for the outputs that have a history, to differentiate the gradient itself."""
    which = [k for k, output in enumerate(level.outputs) if output.requires_grad]
    drawn = [
        as_tensor(level.draw(level.plain[k].shape).astype(level.plain[k].dtype)) for k in which
    ]
    return drawn, which
