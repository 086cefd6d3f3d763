"""What a primitive's rules read, and so what must be saved for them.

A rule is told what it reads by the names of its parameters; a plan turns these names, once for
each set of inputs that requires gradients, into places in a list of saved values.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Rule: TypeAlias = Callable[..., Any]

INPUT, ALL_INPUTS, SHAPE, ALL_SHAPES, OUT, RESIDUAL, ATTRIBUTE, NEEDS = range(8)
VALUES = (INPUT, ALL_INPUTS, OUT, RESIDUAL)


class Plan:
    """What to save, and which rules to run, when a certain set of inputs requires gradients.

    Attributes:
        sources: for each saved value its kind, and which one of that kind.
        steps: for each rule to run the input that it belongs to, and its places in the saved.
        holds_values: whether arrays are among the saved.
        only_inputs: the inputs to save, if nothing else is saved.
        saves_pair: the same for two inputs, as bits: 1 for the first, 2 for the second.
    """

    __slots__ = ("holds_values", "only_inputs", "saves_pair", "sources", "steps")

    def __init__(
        self,
        sources: Sequence[tuple[int, Any]],
        steps: Sequence[tuple[int, Rule, tuple[int, ...]]],
    ) -> None:
        self.sources = tuple(sources)
        self.steps = tuple(steps)
        self.holds_values = any(kind in VALUES for kind, _ in sources)
        self.only_inputs: tuple[int, ...] | None = None
        self.saves_pair: int | None = None
        if all(kind == INPUT for kind, _ in sources):
            self.only_inputs = tuple(key for _, key in sources)
            if len(self.only_inputs) < 3:
                self.saves_pair = sum(1 << key for key in self.only_inputs)


@dataclass(frozen=True)
class Signature:
    """The names that a primitive gives to its inputs, attributes and residuals."""

    name: str
    inputs: tuple[str, ...]
    variadic: str | None
    attributes: tuple[str, ...]
    residuals: tuple[str, ...]

    @classmethod
    def of(cls, forward: Callable[..., Any], residuals: tuple[str, ...]) -> Signature:
        """Read the parameters of a forward function."""
        parameters = inspect.signature(forward).parameters.values()
        return cls(
            forward.__name__,
            tuple(
                p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            ),
            next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None),
            tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY),
            residuals,
        )

    def plan(self, rules: Sequence[tuple[int, Rule]]) -> Plan:
        """The plan for some rules, each with the input that it belongs to.

        Raises:
            TypeError: a rule reads something that the primitive does not have.
        """
        names = {name for _, rule in rules for name in reads(rule)}
        places = {name: place for place, name in enumerate(sorted(names, key=self.rank))}
        steps = [
            (position, rule, tuple(places[name] for name in reads(rule)))
            for position, rule in rules
        ]
        return Plan([self.source(name) for name in places], steps)

    def rank(self, name: str) -> tuple[int, str]:
        """Inputs in their order, then everything else."""
        return (self.inputs.index(name) if name in self.inputs else len(self.inputs), name)

    def source(self, name: str) -> tuple[int, Any]:
        """Where the value of a rule's parameter comes from."""
        if name in self.inputs:
            return INPUT, self.inputs.index(name)
        if name in self.attributes:
            return ATTRIBUTE, name
        if name in self.residuals:
            return RESIDUAL, self.residuals.index(name)
        if name == "out":
            return OUT, None
        if name == "needs":
            return NEEDS, None
        if name == self.variadic:
            return ALL_INPUTS, None
        stem = name.removesuffix("_shape")
        if name != stem and stem in self.inputs:
            return SHAPE, self.inputs.index(stem)
        if name == f"{self.variadic}_shapes":
            return ALL_SHAPES, None
        raise TypeError(
            f"{self.name}: a rule reads '{name}', which is no input, attribute or residual of it"
        )


def reads(rule: Rule) -> list[str]:
    """The names of what a rule reads besides the incoming gradient."""
    return list(inspect.signature(rule).parameters)[1:]
