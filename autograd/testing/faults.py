"""Planting faults in the rules of a primitive: in what a rule reads, and in what it returns.

`autograd.testing.source_faults` plants more, in the source text of the rules.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd import ops
from autograd.op import Op

__all__ = ["Fault", "faults_of", "with_joint", "with_rule"]

Rule: TypeAlias = Callable[..., Any]
Change: TypeAlias = Callable[[Any], Any]


@dataclass(frozen=True)
class Fault:
    """A primitive with one mistake in it.

    Attributes:
        kind: what sort of mistake.
        where: which rule, and what was done to it.
        op: the primitive, which is not registered.
    """

    kind: str
    where: str
    op: Op


def with_rule(op: Op, position: int, rule: Rule) -> Op:
    """A copy of a primitive with another rule for one input."""
    rules = list(op.rules)
    rules[position] = rule
    return copy_of(op, rules, None)


def with_joint(op: Op, joint: Rule) -> Op:
    """A copy of a primitive with another joint rule."""
    return copy_of(op, op.rules, joint)


def copy_of(op: Op, rules: Any, joint: Rule | None) -> Op:
    return type(op)(
        op.forward,
        rules,
        joint=joint,
        residuals=op.residuals,
        broadcasts=op.broadcasts,
        elementwise=op.elementwise,
        formula=op.formula,
        promote=op.promote,
        cases=op.cases,
    )


def with_signature_of(rule: Rule, changed: Rule) -> Rule:
    """Let a changed rule name the parameters of the original, by which it is told what it reads."""
    changed.__signature__ = inspect.signature(rule)  # type: ignore[attr-defined]  # what inspect reads first
    return changed


def only_last_dropped(r: Any) -> Any:
    mask = np.ones(r.shape)
    if mask.size:
        mask.flat[-1] = 0.0
    return r * mask


def only_first_slice(r: Any) -> Any:
    mask = np.zeros(r.shape)
    mask[:1] = 1.0
    return r * mask


def rolled(r: Any) -> Any:
    return ops.roll(r, shifts=(1,), dims=(len(r.shape) - 1,)) if r.shape else r


def transposed(r: Any) -> Any:
    axes = tuple(range(len(r.shape)))[::-1]
    return ops.reshape(ops.permute(r, dims=axes), shape=tuple(r.shape))


def summed(r: Any) -> Any:
    if not r.shape:
        return r
    return ops.expand(ops.sum(r, dim=(0,), keepdim=True), shape=tuple(r.shape))


def rounded(r: Any) -> Any:
    dtype = np.dtype(r.dtype)
    return ops.cast(ops.cast(r, dtype=np.dtype(np.float32)), dtype=dtype)


RESULTS: dict[str, tuple[str, Change]] = {
    "negated": ("sign", lambda r: -r),
    "doubled": ("factor", lambda r: 2.0 * r),
    "halved": ("factor", lambda r: 0.5 * r),
    "off by one in a million": ("factor", lambda r: 1.000001 * r),
    "zero": ("zero", lambda r: 0.0 * r),
    "its last element dropped": ("dropped term", only_last_dropped),
    "only its first slice": ("missing sum", only_first_slice),
    "summed over its first axis": ("extra sum", summed),
    "moved by one place": ("off by one", rolled),
    "transposed": ("transposed", transposed),
    "rounded to float32": ("wrong dtype", rounded),
}
"""What can be wrong with a gradient that a rule returns."""


def array(value: Any) -> Any:
    return value if hasattr(value, "shape") else np.asarray(value, np.float64)


def result_faults(op: Op) -> Iterator[Fault]:
    """A rule's gradient, changed after the rule."""
    for text, (kind, change) in RESULTS.items():
        if op.joint is not None:
            for position in range(input_count(op)):
                changed = joint_result(op.joint, position, change)
                yield Fault(kind, f"gradient {position} {text}", with_joint(op, changed))
            continue
        for position, rule in enumerate(op.rules):
            if rule is not None:
                changed = rule_result(rule, change)
                where = f"gradient by {op.inputs[position]} {text}"
                yield Fault(kind, where, with_rule(op, position, changed))


def input_count(op: Op) -> int:
    return len(op.inputs) or max(len(case.shapes) for case in op.cases)


def rule_result(rule: Rule, change: Change) -> Rule:
    return with_signature_of(rule, lambda *values: change(array(rule(*values))))


def joint_result(joint: Rule, position: int, change: Change) -> Rule:
    def changed(*values: Any) -> list[Any]:
        return [
            change(array(part)) if k == position and part is not None else part
            for k, part in enumerate(joint(*values))
        ]

    return with_signature_of(joint, changed)


KINDS = {
    "stride": "off-by-one stride",
    "padding": "off-by-one padding",
    "widths": "off-by-one padding",
    "dilation": "off-by-one dilation",
    "dim": "wrong axis",
    "dims": "wrong axis",
    "dim1": "wrong axis",
    "dim2": "wrong axis",
    "axes": "wrong axis",
}


def altered(value: Any) -> Iterator[tuple[str, Any]]:
    """A setting, wrong by one in each of its places."""
    if isinstance(value, (bool, np.bool_)):
        yield "negated", not value
    elif isinstance(value, (int, np.integer)):
        yield "plus 1", value + 1
        yield "minus 1", value - 1
    elif isinstance(value, float):
        yield "times 1.5", value * 1.5 + 0.001
    elif isinstance(value, slice):
        start = value.start or 0
        yield "starting one later", slice(start + 1, value.stop, value.step)
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            for text, other in altered(item):
                parts = (*value[:place], other, *value[place + 1 :])
                made = type(value)(*parts) if hasattr(value, "_fields") else parts
                yield f"[{place}] {text}", made
    elif isinstance(value, np.ndarray) and value.size:
        yield "rolled", np.roll(value, 1)


def setting_faults(op: Op) -> Iterator[Fault]:
    """A rule told a wrong attribute."""
    for position, rule in rules_of(op):
        names = list(inspect.signature(rule).parameters)
        for name in names:
            if name not in op.attributes:
                continue
            texts: dict[str, None] = {}
            for case in op.cases:
                texts.update((text, None) for text, _ in altered(case.attributes[name]))
            for text in texts:
                changed = with_setting(rule, names.index(name), text)
                kind = KINDS.get(name, "wrong attribute")
                yield Fault(
                    kind, f"{where(op, position)}: {name} {text}", put(op, position, changed)
                )


def with_setting(rule: Rule, place: int, text: str) -> Rule:
    def changed(*values: Any) -> Any:
        arguments = list(values)
        arguments[place] = dict(altered(arguments[place])).get(text, arguments[place])
        return rule(*arguments)

    return with_signature_of(rule, changed)


def saved_faults(op: Op) -> Iterator[Fault]:
    """A rule given the value of another input, or one that has changed since."""
    for position, rule in rules_of(op):
        names = list(inspect.signature(rule).parameters)
        saved = [k for k, name in enumerate(names) if name in op.inputs or name == "out"]
        for place in saved:
            changed = with_value(rule, place, lambda value: value * 1.25 + 0.1)
            text = f"{where(op, position)}: {names[place]} overwritten since"
            yield Fault("stale value", text, put(op, position, changed))
        for k, one in enumerate(saved):
            for other in saved[k + 1 :]:
                changed = with_exchange(rule, one, other)
                text = f"{where(op, position)}: {names[one]} and {names[other]} exchanged"
                yield Fault("saved value of the wrong input", text, put(op, position, changed))


def with_value(rule: Rule, place: int, change: Change) -> Rule:
    def changed(*values: Any) -> Any:
        arguments = list(values)
        if hasattr(arguments[place], "shape"):
            arguments[place] = change(arguments[place])
        return rule(*arguments)

    return with_signature_of(rule, changed)


def with_exchange(rule: Rule, one: int, other: int) -> Rule:
    def changed(*values: Any) -> Any:
        arguments = list(values)
        arguments[one], arguments[other] = arguments[other], arguments[one]
        return rule(*arguments)

    return with_signature_of(rule, changed)


def rules_of(op: Op) -> Iterator[tuple[int, Rule]]:
    """The rules with their positions; a joint rule has position -1."""
    if op.joint is not None:
        yield -1, op.joint
    else:
        yield from ((k, rule) for k, rule in enumerate(op.rules) if rule is not None)


def put(op: Op, position: int, rule: Rule) -> Op:
    return with_joint(op, rule) if position < 0 else with_rule(op, position, rule)


def where(op: Op, position: int) -> str:
    return "rule" if position < 0 else f"rule for {op.inputs[position]}"


def faults_of(op: Op) -> Iterator[Fault]:
    """All faults in what the rules of a primitive read and return."""
    yield from result_faults(op)
    yield from setting_faults(op)
    yield from saved_faults(op)
