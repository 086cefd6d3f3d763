"""`check_gradients`: a function's derivatives held against differences."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.errors import DtypeError, GradientShapeError
from autograd.tensor import Tensor
from autograd.testing.diagnose import explain, explain_shape
from autograd.testing.evidence import Cause
from autograd.testing.jacobian import Block, differentiate, is_full
from autograd.testing.judge import Status
from autograd.testing.level import Level, combined, cotangents, nonlinear
from autograd.testing.looks import exchanged, second_looks, values_of
from autograd.testing.reproduce import name_of, reproduction
from autograd.testing.result import CheckResult, Finding, Verdict
from autograd.testing.subject import BadSubject, Subject, Variable

__all__ = ["check_gradients"]

Array: TypeAlias = np.ndarray[Any, Any]

VERDICTS = {
    Status.CORRECT: Verdict.CORRECT,
    Status.KINK: Verdict.KINK,
    Status.UNSETTLED: Verdict.INCONCLUSIVE,
    Status.NOT_FINITE: Verdict.INCONCLUSIVE,
    Status.WRONG: Verdict.WRONG,
}
VAGUE = ("unknown", "factor of a value", "one term", "wrong places")
"""Causes that say less than another one may."""

REASONS = {
    Status.UNSETTLED: (
        "unsettled",
        "differences with ever smaller steps do not approach a limit: the slope is infinite or "
        "bends like a root, or the values are noisy",
    ),
    Status.NOT_FINITE: (
        "not finite nearby",
        "the function is not finite on either side of the input",
    ),
}


def check_gradients(
    fn: Callable[..., Any],
    *inputs: Any,
    order: int = 2,
    seed: int = 0,
    full: bool | None = None,
    raise_exception: bool = True,
) -> CheckResult:
    """Hold the derivatives of a function, of every order up to `order`, against differences.

    The differences are central and extrapolated to step 0 (Richardson, Ridders), and estimate
    their own error, which sets the tolerance. Small Jacobians are compared entry by entry; large
    ones by ``<J u, v> = <u, J' v>`` for random u and v. Where a function has a kink, derivatives
    must lie between those from the left and from the right.

    Args:
        fn: a function of tensors that returns a tensor, or a tuple, list or dictionary of them; or
            a module, whose parameters then are inputs too.
        inputs: its arguments, tensors or anything else. It is differentiated by the tensors that
            require grad, or, if none does, by all of a floating-point type.
        order: the highest order of derivative.
        seed: of the random directions.
        full: compare the whole Jacobian (True) or random products (False); by its size when None.
        raise_exception: raise unless the verdict is "correct".

    Returns:
        The verdict with all that was found. Inconclusive verdicts have a `reason`: "no tensor",
        "not differentiable", "random", "random backward", "changes its inputs",
        "recording changes it", "not finite", "not finite nearby", "noisy", "unsettled".

    Raises:
        GradcheckError: the verdict is not "correct"; has the result as its attribute `result`.
        ValueError: nothing to differentiate by, or `order` is less than 1.
        TypeError: an input is complex.

    Example:
        >>> from autograd import Function, float64, tensor
        >>> from autograd.testing import check_gradients
        >>> class Cube(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x**3
        ...     @staticmethod
        ...     def backward(ctx, gradient):
        ...         (x,) = ctx.saved_tensors
        ...         return 3 * x * gradient
        >>> x = tensor([1.0, 2.0], dtype=float64)
        >>> result = check_gradients(Cube.apply, x, raise_exception=False)
        >>> print(result.verdict.value, "-", result.cause.text)
        wrong - a factor input 0 is missing
    """
    if order < 1:
        raise ValueError(f"check_gradients: order is {order}, expected at least 1")
    parameters = named_parameters(fn)
    variables = variables_of(inputs, parameters)
    warn_of_precision(variables)
    rng = np.random.default_rng(seed)
    subject = Subject(fn, inputs, variables)
    result = CheckResult(Verdict.CORRECT, name_of(fn), order)
    for current in range(1, order + 1):
        names = output_names(current, variables, subject)
        level = check_level(subject, current, rng, full, names, result)
        if not result:
            result.order = current
            break
        assert level is not None
        seeds, which = cotangents(level)
        if not which:
            result.notes.append(f"derivatives of order {current} and above are all zero")
            break
        if current < order:
            subject = subject.derivative(seeds, which, level.magnitude)
    result.inputs = inputs
    if not result:
        options = "".join(
            f", {name}={value!r}"
            for name, value, usual in (("order", order, 2), ("seed", seed, 0), ("full", full, None))
            if value != usual
        )
        result.reproduction = reproduction(fn, inputs, parameters, options)
    return result.require() if raise_exception else result


def named_parameters(fn: Any) -> dict[str, Tensor]:
    """The parameters of a module, by name; none of anything else."""
    listed = getattr(fn, "named_parameters", None)
    if listed is None or isinstance(fn, type):
        return {}
    return {name: tensor for name, tensor in listed() if tensor.requires_grad}


def variables_of(inputs: Sequence[Any], parameters: dict[str, Tensor]) -> list[Variable]:
    tensors = [(k, value) for k, value in enumerate(inputs) if isinstance(value, Tensor)]
    for k, tensor in tensors:
        if tensor.dtype.kind == "c":
            raise DtypeError(f"check_gradients: input {k} is {tensor.dtype}; only real types work")
    floating = [(k, tensor) for k, tensor in tensors if tensor.dtype.kind == "f"]
    chosen = [(k, tensor) for k, tensor in floating if tensor.requires_grad] or floating
    variables = [Variable(f"input {k}", tensor, k) for k, tensor in chosen]
    variables += [
        Variable(name, tensor, None, in_place=True) for name, tensor in parameters.items()
    ]
    if not variables:
        raise ValueError(
            "check_gradients: none of the inputs is a floating-point tensor, so there is nothing "
            "to differentiate by"
        )
    return variables


def warn_of_precision(variables: Sequence[Variable]) -> None:
    for variable in variables:
        dtype = variable.tensor.dtype
        if dtype.itemsize < 8:
            lost = float(np.finfo(dtype).eps) ** 0.4
            warnings.warn(
                f"check_gradients: {variable.name} is {dtype}: differences of such values are so "
                f"inexact that mistakes below about {lost:.0e} of a gradient cannot be seen; "
                "pass it as float64, by .double()",
                UserWarning,
                stacklevel=3,
            )


def output_names(order: int, variables: Sequence[Variable], subject: Subject) -> list[str]:
    """What the outputs of a subject are called; beyond the first order they are gradients."""
    if order == 1:
        return []
    return [f"(gradient of {variable.name})" for variable in subject.variables] or [
        variable.name for variable in variables
    ]


def check_level(
    subject: Subject,
    order: int,
    rng: np.random.Generator,
    full: bool | None,
    names: Sequence[str],
    result: CheckResult,
) -> Level | None:
    """Compare one order of derivative, and write what was found into the result."""
    try:
        level = Level(subject, rng, order)
        blocks = differentiate(level, full)
        whole = is_full(level) if full is None else full
        worst = max(
            (Status(int(block.status.max(initial=0))) for block in blocks), default=Status(0)
        )
        if worst > Status.KINK:
            describe(level, blocks, worst, names, result)
            return level
        slope = nonlinear(level, [block.analytic for block in blocks] if whole else None)
    except BadSubject as bad:
        result.verdict, result.reason, result.text = Verdict.INCONCLUSIVE, bad.reason, bad.text
        return None
    except GradientShapeError as error:
        result.verdict, result.text = Verdict.WRONG, str(error)
        result.cause = explain_shape(error.came, error.wanted)
        return None
    if slope is not None:
        result.verdict = Verdict.WRONG
        result.cause = slope.cause(subject.variables[slope.variable].name)
    elif worst == Status.KINK and whole and not ties_add_up(level):
        describe(level, blocks, worst, names, result)
        result.verdict = Verdict.WRONG
        result.cause = Cause(
            "tie",
            "wrong tie: the derivatives by the tied inputs do not add up to the derivative when "
            "all inputs move together",
        )
    elif worst == Status.KINK:
        describe(level, blocks, worst, names, result)
    return level


def ties_add_up(level: Level) -> bool:
    column = combined(level)
    return column is None or not (column.status == Status.WRONG).any()


def describe(
    level: Level, blocks: Sequence[Block], worst: Status, names: Sequence[str], result: CheckResult
) -> None:
    """The worst derivative with its numbers, and for a wrong one its likely cause."""
    result.verdict = VERDICTS[worst]
    result.reason, result.text = REASONS.get(worst, ("", ""))
    block, row, column = worst_entry(blocks, worst)
    variables = level.subject.variables
    name, count = "a random direction", block.status.size
    index: tuple[int, ...] = ()
    if block.variable >= 0:
        shape = level.subject.points[block.variable].shape
        index = tuple(int(k) for k in np.unravel_index(int(block.places[column]), shape))
        name = variables[block.variable].name + bracket(index)
    result.finding = Finding(
        output_place(level, block, row, names),
        name,
        block.variable,
        index,
        float(block.analytic[row, column]),
        float(block.numeric[row, column]),
        float(block.error[row, column]),
        side_of(block.left[row, column]),
        side_of(block.right[row, column]),
        int(np.count_nonzero(block.status == worst)),
        count,
    )
    if worst == Status.WRONG and block.variable >= 0:
        result.cause = cause_of(level, block, blocks, result.finding)


def cause_of(level: Level, block: Block, blocks: Sequence[Block], finding: Finding) -> Cause:
    """The likely cause of a wrong derivative, the worst one if there are several."""
    from_nothing = level.pull([np.zeros(value.shape) for value in level.plain])
    if np.any(np.abs(from_nothing[block.variable]) > 0):
        return Cause(
            "not multiplied",
            "not multiplied by the incoming gradient: where that is 0, it is not",
        )
    if finding.left is not None:
        return Cause(
            "kink",
            "at a kink, and outside of what the slopes on both sides allow: look at the branch "
            "that is taken where values are equal",
        )
    names = [variable.name for variable in level.subject.variables]
    looks = [(found, values_of(other)) for other, found in second_looks(level)]
    wrong = [other for other in blocks if (other.status == Status.WRONG).any()]
    vague: list[Cause] = []
    for other in sorted(wrong, key=lambda b: b is not block):
        recorded = reaches(level, other.variable)
        cause = explain(other, blocks, names, values_of(level), recorded, looks)
        swap = exchanged(level, other) if cause.name in VAGUE else None
        if swap is not None:
            cause = Cause(
                "exchanged",
                f"exchanged: it is right for the values of {swap[0].name} and {swap[1].name} in "
                "each other's place",
            )
        if cause.name not in VAGUE:
            where = "" if other is block else f"by {names[other.variable]}: "
            return Cause(cause.name, where + cause.text)
        vague.append(cause)
    return vague[0]


def side_of(slope: float) -> float | None:
    return None if np.isnan(slope) else float(slope)


def worst_entry(blocks: Sequence[Block], worst: Status) -> tuple[Block, int, int]:
    """The entry with a certain status that is the furthest off, by its estimated error."""
    best: tuple[float, Block, int, int] | None = None
    for block in blocks:
        found = np.argwhere(block.status == worst)
        for row, column in found:
            away = abs(float(block.analytic[row, column] - block.numeric[row, column]))
            away = np.inf if np.isnan(away) else away
            if best is None or away > best[0]:
                best = (away, block, int(row), int(column))
    assert best is not None
    return best[1], best[2], best[3]


def output_place(level: Level, block: Block, row: int, names: Sequence[str]) -> str:
    if block.variable < 0 or len(block.analytic) != sum(level.out_sizes):
        return "<random weights, outputs>"
    for k, value in enumerate(level.plain):
        if row < value.size:
            index = tuple(int(i) for i in np.unravel_index(row, value.shape))
            number = "" if len(level.plain) == 1 else f" {k}"
            return (names[k] if names else f"output{number}") + bracket(index)
        row -= value.size
    raise AssertionError("a row beyond the last output")


def bracket(index: tuple[int, ...]) -> str:
    return str(list(index)) if index else ""


def reaches(level: Level, variable: int) -> bool:
    """Whether a gradient arrives at a variable at all."""
    from autograd.gradients import grad

    outputs = [output for output in level.outputs if output.requires_grad]
    if not outputs:
        return False
    starts = [output.detach() for output in outputs]
    found = grad(outputs, [level.leaves[variable]], starts, retain_graph=True, allow_unused=True)
    return found[0] is not None
