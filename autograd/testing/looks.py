"""Looking at a wrong derivative once more, at other values: what explains it must explain it there.

Values that shrinking has made 0 or 1, or a single derivative, fit many explanations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import from_numpy
from autograd.testing.jacobian import Block, full_jacobian, is_full
from autograd.testing.judge import Status, judge
from autograd.testing.level import Level
from autograd.testing.subject import Subject, Variable

__all__ = ["exchanged", "second_looks", "values_of"]

Array: TypeAlias = np.ndarray[Any, Any]

DISTANCES = (0.3, 0.2, 0.05, 0.01)
"""How far other values are, relative to those given, and at least relative to 1."""

LOOKS = 2


def second_looks(level: Level) -> list[tuple[Level, list[Block]]]:
    """All derivatives at some values near those given; nothing if the Jacobian is large."""
    found: list[tuple[Level, list[Block]]] = []
    if not is_full(level):
        return found
    rng = np.random.default_rng(0)
    for distance in DISTANCES:
        points = [
            point + distance * np.maximum(1.0, np.abs(point)) * rng.uniform(0.3, 1.0, point.shape)
            for point in level.subject.points
        ]
        other = level_at(level, points)
        if other is None:
            continue
        blocks = full_jacobian(other)
        decided = all(np.isin(b.status, (Status.CORRECT, Status.WRONG)).all() for b in blocks)
        if decided and any((b.status == Status.WRONG).any() for b in blocks):
            found.append((other, blocks))
        if len(found) == LOOKS:
            break
    return found


def level_at(level: Level, points: Sequence[Array]) -> Level | None:
    """The same function at other values; None where it cannot be called."""
    variables = []
    for variable, point in zip(level.subject.variables, points, strict=True):
        if not variable.in_place:
            moved = np.asarray(point, variable.tensor.dtype)
            variable = replace(variable, tensor=from_numpy(moved))
        variables.append(variable)
    own = level.subject
    try:
        subject = Subject(own.fn, own.arguments, variables, own.magnitude)
        return Level(subject, np.random.default_rng(0), level.order)
    except Exception:  # outside its domain a function may do anything
        return None


def values_of(level: Level) -> dict[str, Array]:
    """The inputs and the output by the names that a report gives them."""
    subject = level.subject
    values = {v.name: p for v, p in zip(subject.variables, subject.points, strict=True)}
    if len(level.plain) == 1:
        values["the output"] = level.plain[0]
    return values


def exchanged(level: Level, block: Block) -> tuple[Variable, Variable] | None:
    """Two inputs with whose values exchanged the derivatives would be right."""
    own = level.subject
    if not is_full(level) or block.in_shape is None:
        return None
    for k, one in enumerate(own.variables):
        for j in range(k + 1, len(own.variables)):
            points = list(own.points)
            if points[k].shape != points[j].shape or np.array_equal(points[k], points[j]):
                continue
            points[k], points[j] = points[j], points[k]
            other = level_at(level, points)
            if other is None or len(other.here) != len(block.analytic):
                continue
            columns = (
                judge(other.line([other.element(block.variable, place)]), block.analytic[:, place])
                for place in range(len(block.places))
            )
            if all((column.status == Status.CORRECT).all() for column in columns):
                return one, own.variables[j]
    return None
