"""Formulas for elements as lists of instructions, found by running them on symbols.

A formula such as ``lambda g, x: g * (x / (1 + x * x))`` makes an array for each step when it runs
on arrays. Run once on symbols it leaves a tape, whose instructions can then be done on some
elements at a time, all of them before the next elements, in buffers that stay in the cache.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = [
    "CONDITIONS",
    "FUNCTIONS",
    "HEAVY",
    "Instruction",
    "Symbol",
    "Tape",
    "apply",
    "tape_for",
    "tracing",
]

FUNCTIONS: dict[str, int] = {
    "absolute": 1,
    "add": 2,
    "arccos": 1,
    "arccosh": 1,
    "arcsin": 1,
    "arcsinh": 1,
    "arctan": 1,
    "arctan2": 2,
    "arctanh": 1,
    "bitwise_and": 2,
    "bitwise_or": 2,
    "cos": 1,
    "cosh": 1,
    "divide": 2,
    "equal": 2,
    "erf": 1,
    "exp": 1,
    "expm1": 1,
    "greater": 2,
    "greater_equal": 2,
    "invert": 1,
    "less": 2,
    "less_equal": 2,
    "log": 1,
    "log1p": 1,
    "maximum": 2,
    "minimum": 2,
    "multiply": 2,
    "negative": 1,
    "not_equal": 2,
    "power": 2,
    "sigmoid": 1,
    "sin": 1,
    "sinh": 1,
    "sqrt": 1,
    "subtract": 2,
    "tan": 1,
    "tanh": 1,
    "where": 3,
}
"""What an instruction may do, and with how many operands: functions of NumPy, or that it lacks."""

CONDITIONS = {
    "bitwise_and",
    "bitwise_or",
    "equal",
    "greater",
    "greater_equal",
    "invert",
    "less",
    "less_equal",
    "not_equal",
}
"""Functions that say yes or no. A condition is not the result of a tape."""

LIGHT = {*CONDITIONS, "absolute", "add", "maximum", "minimum", "multiply", "negative", "subtract"}
LIGHT |= {"divide", "sqrt"}
"""Functions that take hardly longer than reading their operands."""
CHOICE, HEAVY = 6, 8
"""How much more work ``where`` and any other is for NumPy."""

KEPT = 1024
"""Tapes that are remembered; what numbers a formula is given with is part of it."""


class Instruction(NamedTuple):
    """``function(operands)``, written to buffer number `target`; -1 is the result."""

    function: str
    operands: tuple[Any, ...]
    target: int


class Place(NamedTuple):
    """Where an operand is: an input, or a buffer; while recording, the result of a step."""

    number: int
    is_input: bool


class Tape(NamedTuple):
    """A formula.

    Attributes:
        instructions: in their order; their operands are numbers and `Place`s, the latter of
            inputs or of buffers.
        inputs: how many arrays it takes.
        buffers: how many intermediate results are needed at the same time.
        weight: the work of an element, in additions, about.
    """

    instructions: tuple[Instruction, ...]
    inputs: int
    buffers: int
    weight: int


class UntraceableError(Exception):
    """A formula does something that no instruction does."""


class Tracing(threading.local):
    """What is being recorded in this thread."""

    steps: list[tuple[str, tuple[Any, ...]]] | None = None


tracing = Tracing()


class Symbol(NDArrayOperatorsMixin):
    """Stands for an array in a formula; operators and NumPy's functions leave instructions."""

    def __init__(self, place: Place, condition: bool = False) -> None:
        self.place, self.condition = place, condition

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise UntraceableError

    def __bool__(self) -> bool:
        raise UntraceableError

    def __getattr__(self, name: str) -> Any:
        raise UntraceableError

    def __pow__(self, exponent: Any) -> Any:
        if not isinstance(exponent, (int, float)):
            return apply("power", self, exponent)
        if exponent in (1, 2, 3):
            result = self
            for _ in range(int(exponent) - 1):
                result = result * self
            return result
        if exponent in (-1, -2):
            return 1 / self ** -int(exponent)
        return apply("sqrt", self) if exponent == 0.5 else apply("power", self, exponent)

    def __array_function__(self, function: Any, _: Any, values: Any, options: Any) -> Any:
        if function is not np.where or options:
            raise UntraceableError
        return apply("where", *values)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            raise UntraceableError
        return apply(ufunc.__name__, *inputs)


def apply(name: str, *operands: Any) -> Symbol:
    """Record an instruction, unless it is there; at least one of its operands is a symbol."""
    steps = tracing.steps
    if steps is None or FUNCTIONS.get(name) != len(operands):
        raise UntraceableError
    takes_conditions = name in ("bitwise_and", "bitwise_or", "invert")
    for k, value in enumerate(operands):
        if isinstance(value, Symbol):
            if value.condition != (takes_conditions or (name == "where" and k == 0)):
                raise UntraceableError
        elif not isinstance(value, (int, float)) or takes_conditions:
            raise UntraceableError
    places = tuple(v.place if isinstance(v, Symbol) else float(v) for v in operands)
    alike = [k for k, step in enumerate(steps) if step[0] == name and same(step[1], places)]
    if not alike:
        steps.append((name, places))
    return Symbol(Place(alike[0] if alike else len(steps) - 1, False), name in CONDITIONS)


def same(first: tuple[Any, ...], second: tuple[Any, ...]) -> bool:
    """Whether operands are the same; 0.0 and -0.0 are not."""
    return first == second and str(first) == str(second)


_known: dict[Any, Tape | None] = {}


def tape_for(formula: Callable[..., Any], values: Sequence[Any]) -> Tape | None:
    """The tape of a formula for some arrays and numbers; None if it has none."""
    # 0.0 and -0.0 are equal, but not the same
    key = (formula, *[None if isinstance(v, np.ndarray) else v or str(v) for v in values])
    try:
        return _known[key]
    except KeyError:
        pass
    except TypeError:  # a value that cannot be hashed
        return None
    if len(_known) >= KEPT:
        _known.clear()
    _known[key] = tape = trace(formula, values)
    return tape


def trace(formula: Callable[..., Any], values: Sequence[Any]) -> Tape | None:
    """Run a formula on symbols instead of arrays."""
    count, symbols = 0, list[Any]()
    for value in values:
        if isinstance(value, np.ndarray):
            symbols.append(Symbol(Place(count, True)))
            count += 1
        elif isinstance(value, (int, float)):
            symbols.append(value)
        else:
            return None
    steps: list[tuple[str, tuple[Any, ...]]] = []
    tracing.steps = steps
    try:
        result = formula(*symbols)
    except UntraceableError:
        return None
    finally:
        tracing.steps = None
    if not isinstance(result, Symbol) or result.place.is_input or result.condition:
        return None
    return allocated(needed(steps, result.place.number), count)


def needed(
    steps: list[tuple[str, tuple[Any, ...]]], result: int
) -> list[tuple[str, tuple[Any, ...]]]:
    """The steps that lead to a result, which is the last of them."""
    wanted = {result}
    for number in range(result, -1, -1):
        if number in wanted:
            operands = steps[number][1]
            wanted |= {v.number for v in operands if isinstance(v, Place) and not v.is_input}
    place = {number: k for k, number in enumerate(sorted(wanted))}
    return [
        (
            steps[number][0],
            tuple(
                Place(place[v.number], False) if isinstance(v, Place) and not v.is_input else v
                for v in steps[number][1]
            ),
        )
        for number in sorted(wanted)
    ]


def work_of(function: str) -> int:
    """Of one element, in additions, about."""
    return CHOICE if function == "where" else 1 if function in LIGHT else HEAVY


def allocated(steps: list[tuple[str, tuple[Any, ...]]], inputs: int) -> Tape:
    """Give each result a buffer that nobody needs any more, and that no operand of it is in."""
    last: dict[int, int] = {}
    for number, (_, operands) in enumerate(steps):
        for operand in operands:
            if isinstance(operand, Place) and not operand.is_input:
                last[operand.number] = number
    free: list[int] = []
    where: dict[int, int] = {}
    instructions, buffers = [], 0
    for number, (name, operands) in enumerate(steps):
        places = tuple(
            Place(where[v.number], False) if isinstance(v, Place) and not v.is_input else v
            for v in operands
        )
        if number == len(steps) - 1:
            target = -1
        elif free:
            target = free.pop()
        else:
            target, buffers = buffers, buffers + 1
        where[number] = target
        instructions.append(Instruction(name, places, target))
        ended = {v.number for v in operands if isinstance(v, Place) and not v.is_input}
        free += [where[v] for v in sorted(ended) if last[v] == number]
    weight = sum(work_of(step.function) for step in instructions)
    return Tape(tuple(instructions), inputs, buffers, weight)
