"""Comparing derivatives with differences: the whole Jacobian, or products with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.judge import Column, Status, judge
from autograd.testing.level import Level

__all__ = ["Block", "differentiate", "is_full", "worst_of"]

Array: TypeAlias = np.ndarray[Any, Any]

FULL_INPUTS = 64
FULL_INPUTS_LATER = 24
FULL_OUTPUTS = 256
"""Up to how many elements the Jacobian is compared entry by entry, at the first order and later."""

DIRECTIONS = 6
PROJECTIONS = 3
"""How many random u and v the identity ``<J u, v> = <u, J' v>`` is tried with beyond that."""

LOCATED = 1024
"""Up to how many input elements a wrong gradient is compared one by one, to explain it."""


@dataclass
class Block:
    """The derivatives by one variable, row by row of what was differentiated.

    Attributes:
        variable: its position.
        analytic, numeric, error: (rows, elements of the variable).
        status: a `Status` for each entry.
        left, right: the one-sided derivatives at kinks.
        in_shape: the shape of the variable; None if only some of its elements are here.
        out_shape: the shape of the one output that the rows run over, None if they do not.
        places: the flat index in the variable of each column.
    """

    variable: int
    analytic: Array
    numeric: Array
    error: Array
    status: Array
    left: Array
    right: Array
    in_shape: tuple[int, ...] | None
    out_shape: tuple[int, ...] | None
    places: Array


def block_of(
    variable: int,
    analytic: Array,
    columns: Sequence[Column],
    in_shape: tuple[int, ...] | None,
    out_shape: tuple[int, ...] | None,
    places: Array,
) -> Block:
    def stacked(name: str) -> Array:
        if not columns:
            return np.zeros(analytic.shape)
        return np.stack([getattr(column, name) for column in columns], axis=1)

    return Block(
        variable,
        analytic,
        stacked("numeric"),
        stacked("error"),
        stacked("status"),
        stacked("left"),
        stacked("right"),
        in_shape,
        out_shape,
        places,
    )


def differentiate(level: Level, full: bool | None) -> list[Block]:
    """Compare all derivatives: the whole Jacobian, or products with it in random directions.

    Args:
        level: the function.
        full: whether the Jacobian is compared entry by entry; by its size when None.
    """
    if is_full(level) if full is None else full:
        return full_jacobian(level)
    blocks = random_products(level)
    worst = worst_of(blocks)
    return blocks if worst == Status.CORRECT else locate(level, worst) or blocks


def worst_of(blocks: Sequence[Block]) -> Status:
    return Status(max((int(block.status.max(initial=0)) for block in blocks), default=0))


def is_full(level: Level) -> bool:
    """Whether the Jacobian is small enough to be compared entry by entry."""
    most = FULL_INPUTS if level.order == 1 else FULL_INPUTS_LATER
    return sum(level.sizes) <= most and sum(level.out_sizes) <= FULL_OUTPUTS


def full_jacobian(level: Level) -> list[Block]:
    rows = level.units()
    out_shape = tuple(level.plain[0].shape) if len(level.plain) == 1 else None
    blocks = []
    for variable, size in enumerate(level.sizes):
        analytic = np.array([row[variable] for row in rows]).reshape(len(rows), size)
        columns = [
            judge(level.line([level.element(variable, place)]), analytic[:, place])
            for place in range(size)
        ]
        for place, column in enumerate(columns):
            excuse(column, analytic[:, place])
        shape = level.subject.points[variable].shape
        blocks.append(block_of(variable, analytic, columns, shape, out_shape, np.arange(size)))
    return blocks


def excuse(column: Column, analytic: Array) -> None:
    """Where a slope is infinite, 0 times it is NaN: as undecided as the slope itself."""
    unclear = (column.status == Status.UNSETTLED) | (column.status == Status.NOT_FINITE)
    if unclear.any():
        column.status[np.isnan(analytic)] = Status.UNSETTLED


def random_products(level: Level) -> list[Block]:
    """``<J u, v>`` by differences against ``<u, J' v>``: one block with a column for each u."""
    weights = [[level.draw(value.shape) for value in level.plain] for _ in range(PROJECTIONS)]
    pulled = [level.pull(row) for row in weights]
    flat = np.array([np.concatenate([np.ravel(w) for w in row]) for row in weights])
    columns, products = [], []
    for _ in range(DIRECTIONS):
        changes = [(k, level.draw(point.shape)) for k, point in enumerate(level.subject.points)]
        direction = np.concatenate([np.ravel(change) for _, change in changes])
        analytic = np.array([np.concatenate(row) @ direction for row in pulled])
        columns.append(judge(level.line(changes, lambda values: flat @ values), analytic))
        products.append(analytic)
    analytic = np.stack(products, axis=1)
    return [block_of(-1, analytic, columns, None, None, np.arange(DIRECTIONS))]


def projection(level: Level) -> Callable[[Array], Array]:
    """The outputs in a row, summed with the random weights of a level."""
    flat = np.concatenate([np.ravel(weight) for weight in level.weights])
    return lambda values: np.array([flat @ values])


def locate(level: Level, worst: Status) -> list[Block]:
    """The gradient of a random projection, element by element, where random products differ.

    Nothing, if none of the elements has a status as bad.

    Where there are too many elements, halving finds a wrong one, and its neighbours are compared.
    """
    project = projection(level)
    pulled = level.pull(level.weights)
    blocks = []
    for variable, size in enumerate(level.sizes):
        shape: tuple[int, ...] | None = level.subject.points[variable].shape
        places = np.arange(size)
        if size > LOCATED:
            found = bisect(level, variable, pulled[variable], worst)
            if found is None:
                continue
            places = np.arange(max(0, found - 32), min(size, found + 32))
            shape = None
        columns = []
        for place in places:
            line = level.line([level.element(variable, int(place))], project)
            columns.append(judge(line, pulled[variable][[place]]))
        analytic = pulled[variable][places][None]  # (n,) -> (1, n)
        blocks.append(block_of(variable, analytic, columns, shape, (1,), places))
    return blocks if worst_of(blocks) >= worst else []


def bisect(level: Level, variable: int, pulled: Array, worst: Status) -> int | None:
    """A place in a large variable that has a certain status, by halving."""
    shape = level.subject.points[variable].shape
    random = np.ravel(level.draw(shape))

    def differs(start: int, stop: int) -> bool:
        direction = np.zeros(prod(shape))
        direction[start:stop] = random[start:stop]
        line = level.line([(variable, direction.reshape(shape))], projection(level))
        column = judge(line, np.array([pulled @ direction]))
        return bool(column.status[0] == worst)

    start, stop = 0, prod(shape)
    if not differs(start, stop):
        return None
    while stop - start > 1:
        middle = (start + stop) // 2
        if differs(start, middle):
            stop = middle
        elif differs(middle, stop):
            start = middle
        else:
            break
    return start
