"""What a gradient check found, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from autograd.testing.evidence import Cause

__all__ = ["CheckResult", "Finding", "GradcheckError", "Verdict"]

ORDERS = {1: "first derivative", 2: "second derivative", 3: "third derivative"}


class Verdict(str, Enum):
    """The four possible ends of a check."""

    CORRECT = "correct"
    WRONG = "wrong"
    KINK = "kink"
    INCONCLUSIVE = "inconclusive"


class GradcheckError(RuntimeError):
    """A gradient is wrong, or could not be checked.

    Attributes:
        result: the `CheckResult`, where there is one.
    """

    result: CheckResult | None = None


@dataclass(frozen=True)
class Finding:
    """One derivative, the worst of those that a verdict rests on.

    Attributes:
        output: how a report calls the output, with its index.
        variable: the input, with its index.
        input, index: which input, counted from 0, and the index in it.
        analytic: the derivative that the gradient code gives.
        numeric: the derivative by differences.
        error: the estimated error of the latter; infinite at a jump.
        left, right: the derivatives from both sides, at a kink only.
        count, total: how many derivatives by this input are like this, and how many there are.
    """

    output: str
    variable: str
    input: int
    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    left: float | None
    right: float | None
    count: int
    total: int

    def lines(self, verdict: Verdict) -> list[str]:
        shown = [
            f"  at              d {self.output} / d {self.variable}",
            f"    analytic      {self.analytic:.12g}",
        ]
        if self.left is not None and self.right is not None:
            shown.append(f"    from the left  {self.left:.12g}")
            shown.append(f"    from the right {self.right:.12g}")
            if self.error == float("inf"):
                shown.append("    and the values jump")
        else:
            shown.append(f"    numeric       {self.numeric:.12g} ± {self.error:.1g}")
        shown.append(f"  {verdict.value}".ljust(18) + f"{self.count} of {self.total} derivatives")
        return shown


@dataclass
class CheckResult:
    """The outcome of `check_gradients`; true if the verdict is "correct".

    Attributes:
        verdict: correct, wrong, kink or inconclusive.
        name: the function's.
        order: the order of derivative that the verdict is about.
        reason: for inconclusive ones the name of what is the matter.
        text: the same as a sentence.
        finding: the worst derivative; None if the verdict is correct or is not about one.
        cause: the likely cause of a wrong gradient.
        notes: what else a reader should know.
        inputs: what the function was called with.
        reproduction: a program that runs the check again.
    """

    verdict: Verdict
    name: str
    order: int
    reason: str = ""
    text: str = ""
    finding: Finding | None = None
    cause: Cause | None = None
    notes: list[str] = field(default_factory=list)
    inputs: tuple[Any, ...] = ()
    reproduction: str = ""

    def __bool__(self) -> bool:
        return self.verdict is Verdict.CORRECT

    def report(self) -> str:
        """Everything that was found, for a reader."""
        what = ORDERS.get(self.order, f"derivative of order {self.order}")
        if self.verdict is Verdict.CORRECT:
            what = "all derivatives" if self.order > 1 else what
            if self.order > 1:
                what += f" up to order {self.order}"
        lines = [f"gradient check of {self.name}: {self.verdict.value.upper()} ({what})"]
        if self.reason:
            lines.append(f"  reason          {self.reason}: {self.text}")
        elif self.text:
            lines.append(f"  {self.text}")
        if self.finding is not None:
            lines += self.finding.lines(self.verdict)
        if self.cause is not None:
            lines.append(f"  likely cause    {self.cause.text}")
        lines += [f"  note            {note}" for note in self.notes]
        if self.reproduction and not self:
            lines.append("  reproduce")
            lines += [f"    {line}" for line in self.reproduction.splitlines()]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.report()

    def require(self) -> CheckResult:
        """Return the result if the verdict is correct.

        Raises:
            GradcheckError: with the report.
        """
        if not self:
            error = GradcheckError(self.report())
            error.result = self
            raise error
        return self
