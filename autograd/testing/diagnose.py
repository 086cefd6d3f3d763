"""Finding the likely cause of a wrong gradient, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.evidence import Cause, Evidence
from autograd.testing.hypotheses import HYPOTHESES, Hypothesis, precision
from autograd.testing.jacobian import Block
from autograd.testing.judge import Status

__all__ = ["explain", "explain_shape"]

Array: TypeAlias = np.ndarray[Any, Any]
Look: TypeAlias = tuple[Sequence[Block], dict[str, Array]]


def evidence_of(
    block: Block, blocks: Sequence[Block], names: Sequence[str], values: dict[str, Array]
) -> Evidence:
    known = np.isfinite(block.numeric)
    if not known.all():
        block = replace(block, numeric=np.where(known, block.numeric, block.analytic))
    out_shape = (len(block.analytic),) if block.out_shape is None else block.out_shape
    in_shape = (len(block.places),) if block.in_shape is None else block.in_shape
    shape = (*out_shape, *in_shape)
    right = block.numeric.reshape(shape)
    finite = block.error[np.isfinite(block.error)]
    slack = max(1e-6 * float(np.max(np.abs(right), initial=0.0)), 8 * float(finite.max(initial=0)))
    others = {
        names[other.variable]: other.numeric.reshape(shape)
        for other in blocks
        if other is not block
        and other.numeric.shape == block.numeric.shape
        and other.in_shape == block.in_shape
    }
    inputs = {}
    for name, value in values.items():
        if value.shape == in_shape:
            inputs[name] = np.broadcast_to(value, shape)
        elif value.shape == out_shape:
            lead = value.reshape(value.shape + (1,) * len(in_shape))  # (out...) -> (out..., 1...)
            inputs[name] = np.broadcast_to(lead, shape)
    came = block.analytic.reshape(shape)
    return Evidence(came, right, slack, len(out_shape), len(in_shape), others, inputs)


def explain(
    block: Block,
    blocks: Sequence[Block],
    names: Sequence[str],
    values: dict[str, Array],
    recorded: bool,
    looks: Sequence[Look] = (),
) -> Cause:
    """The likely cause of the wrong entries of a block.

    Args:
        block: the derivatives by one variable.
        blocks: those by all.
        names: of the variables.
        values: inputs and outputs by name, for factors that depend on them.
        recorded: whether the variable has a history that leads to the outputs.
        looks: the derivatives by all, with inputs and outputs, at other values.
    """
    wrong = block.status == Status.WRONG
    if np.isnan(block.analytic[wrong]).any():
        return Cause("nan", "the gradient is NaN where the function has a derivative")
    if not np.isfinite(block.analytic).all():
        return Cause("infinite", "the gradient is infinite where the function has a derivative")
    if not recorded:
        return Cause(
            "cut off",
            "no gradient at all: the outputs are cut off from this input (detach, no_grad, NumPy, "
            "or a backward that returns None)",
        )
    evidence = evidence_of(block, blocks, names, values)
    further = [
        evidence_of(other, all_, names, there)
        for all_, there in looks
        for other in all_
        if other.variable == block.variable and (other.status == Status.WRONG).any()
    ]
    for e in (evidence, *further):
        e.least = 1 if further else 2
    for hypothesis in HYPOTHESES:
        for cause in hypothesis(evidence):
            if all(holds(hypothesis, cause, e) for e in further):
                return cause
    return unexplained(block, evidence)


def holds(hypothesis: Hypothesis, cause: Cause, e: Evidence) -> bool:
    """Whether a hypothesis comes to the same conclusion from other evidence."""
    exact = hypothesis is not precision  # it tells by how much
    return any(
        other.name == cause.name and (other.text == cause.text or not exact)
        for other in hypothesis(e)
    )


def unexplained(block: Block, e: Evidence) -> Cause:
    wrong = np.count_nonzero(block.status == Status.WRONG)
    zeros = (np.abs(e.came) <= e.slack) & (np.abs(e.right) <= e.slack)
    right = block.status.size - wrong - np.count_nonzero(zeros)
    if right <= 0:
        return Cause(
            "unknown", "no simple relation: every entry that is not 0 is wrong, each in its own way"
        )
    return Cause(
        "unknown",
        f"no simple relation: {wrong} of the {wrong + right} entries that are not 0 are wrong",
    )


def explain_shape(came: tuple[int, ...], wanted: tuple[int, ...]) -> Cause:
    """The likely cause of a gradient of the wrong shape."""
    lead = len(came) - len(wanted)
    fits = lead >= 0 and all(
        size in (1, got) for size, got in zip(wanted, came[lead:], strict=True)
    )
    if fits:
        axes = [
            *range(lead),
            *(lead + k for k, size in enumerate(wanted) if size != came[lead + k]),
        ]
        return Cause(
            "missing sum",
            f"missing sum over a broadcast axis: the gradient has shape {came}, the input "
            f"{wanted}; sum it over {'axes' if len(axes) > 1 else 'axis'} "
            f"{', '.join(map(str, axes))}",
        )
    if sorted(came) == sorted(wanted):
        return Cause("transposed", f"transposed: the gradient has shape {came}, the input {wanted}")
    return Cause("wrong shape", f"wrong shape: the gradient has shape {came}, the input {wanted}")
