"""Ready tests for an operation, from its `OpSpec`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from unittest import SkipTest

import numpy as np

from autograd.creation import from_numpy
from autograd.errors import GradientShapeError
from autograd.tensor import Tensor
from autograd.testing.check import variables_of
from autograd.testing.diagnose import explain_shape
from autograd.testing.evidence import Cause
from autograd.testing.level import Level
from autograd.testing.properties import PROPERTIES, Broken, Redraw, WrongDerivative
from autograd.testing.reproduce import spec_program
from autograd.testing.result import CheckResult
from autograd.testing.spec import OpSpec
from autograd.testing.subject import BadSubject, Subject

__all__ = ["check_spec", "suite"]

DEFAULTS: dict[str, Any] = {"deadline": None, "report_multiple_bugs": False, "print_blob": False}
Property = Callable[[OpSpec, Sequence[Tensor]], None]


def suite(spec: OpSpec, **settings: Any) -> type:
    """A class of tests for an operation, to be assigned to a name that begins with ``Test``.

    pytest finds it there; each test draws inputs with Hypothesis and shrinks what fails:
    values against the reference; derivatives of all orders; linearity in the incoming gradient;
    data types and shapes; memory layouts; one tensor for two inputs; ties and kinks; that nothing
    given is changed or shared; that results repeat, are the same under `no_grad`, and leave
    nothing alive; and inputs without axes or elements, if it takes any shape.

    Args:
        spec: the operation.
        settings: for Hypothesis, such as ``max_examples``, how many inputs each test draws.

    Raises:
        ImportError: Hypothesis is not installed.

    Example:
        >>> from autograd import exp
        >>> from autograd.testing import OpSpec, suite
        >>> TestExp = suite(OpSpec(exp, inputs=[(2, 3)]), max_examples=2)
        >>> TestExp().test_derivatives()
    """
    members: dict[str, Any] = {
        "__doc__": f"{spec.title} keeps its promises.",
        "__module__": getattr(spec.fn, "__module__", __name__),
        "spec": spec,
    }
    for name, check in PROPERTIES.items():
        members[f"test_{name}"] = drawn(spec, name, check, settings)
    if spec.any_shape:
        members["test_without_axes"] = fixed(spec, (), "without axes")
        members["test_without_elements"] = fixed(spec, (0, 3), "without elements")
    return type(f"Test{''.join(c for c in spec.title.title() if c.isalnum())}", (), members)


def drawn(
    spec: OpSpec, name: str, check: Property, settings: dict[str, Any]
) -> Callable[[Any], None]:
    """A test that draws inputs for a property."""
    from autograd.testing.strategies import hypothesis

    largest = Largest()

    def check_drawn(inputs: tuple[Tensor, ...]) -> None:
        try:
            hold(name, spec, inputs)
        except Redraw:
            hypothesis.reject()
        except WrongDerivative as wrong:
            raise AssertionError(largest.told(wrong.result)) from None

    words = re.findall(r"\w+", f"{name} of {spec.title}")
    check_drawn.__name__ = "_".join(words)  # failing examples are kept by this name
    draw_and_check = hypothesis.given(inputs=spec.draws())(check_drawn)
    phases = tuple(set(hypothesis.Phase) - {hypothesis.Phase.explain})
    usual = {**DEFAULTS, "phases": phases}
    draw_and_check = hypothesis.settings(**{**usual, **settings})(draw_and_check)

    def test(self: Any) -> None:
        if name == "value" and spec.reference is None:
            raise SkipTest(f"{spec.title} has no reference to compare with")
        largest.cause = None  # of the run before
        draw_and_check()

    test.__name__ = f"test_{name}"
    test.__doc__ = check.__doc__
    return test


class Largest:
    """The cause that was found at the largest inputs; shrunk ones fit many others."""

    cause: Cause | None = None
    size = -1
    shapes = ""

    def told(self, result: CheckResult) -> str:
        """A report, with the cause at the largest inputs so far if it is another one there."""
        found = [x for x in result.inputs if isinstance(x, Tensor)]
        size = sum(int(np.count_nonzero(x.array)) for x in found)
        if result.cause is None or self.cause is None or size > self.size:
            self.cause, self.size = result.cause, size
            self.shapes = "shape " + ", ".join(str(tuple(x.shape)) for x in found)
        report = result.report()
        if self.cause is None or result.cause is None:
            return report
        if self.cause.name in ("unknown", result.cause.name):
            return report
        shown = f"  likely cause    {result.cause.text}\n"
        larger = f"  or rather       {self.cause.text} (at inputs of {self.shapes})\n"
        return report.replace(shown, shown + larger)


def hold(name: str, spec: OpSpec, inputs: Sequence[Tensor]) -> None:
    """Check a property, and say what is the matter if it does not hold.

    Raises:
        AssertionError: with words, and a program that shows it again.
        Redraw: the inputs lie at a kink.
    """
    try:
        PROPERTIES[name](spec, inputs)
        return
    except (Redraw, WrongDerivative):
        raise
    except Exception as error:
        found = error
    of_calls = isinstance(found, Broken) and name in OF_CALLS
    unfit = None if of_calls else misfit(spec, inputs)
    if unfit is not None:
        text = f"cannot be checked: {unfit.reason}: {unfit.text}"
    elif isinstance(found, GradientShapeError):
        text = explain_shape(found.came, found.wanted).text
    elif isinstance(found, Broken):
        text = str(found)
    else:
        raise found
    program = spec_program(spec.fn, spec.reference, spec.settings(), inputs, name)
    lines = [f"{spec.title}: {text}", "  reproduce"]
    raise AssertionError("\n".join([*lines, *(f"    {line}" for line in program.splitlines())]))


OF_CALLS = ("repeatable", "untouched", "without_recording")
"""Properties of mere calls, which need not be fit for a check of derivatives."""


def misfit(spec: OpSpec, inputs: Sequence[Tensor]) -> BadSubject | None:
    """What keeps a function from being differentiated: it is random, changes its inputs ..."""
    try:
        subject = Subject(spec.call(), inputs, variables_of(inputs, {}))
        Level(subject, np.random.default_rng(0))
    except BadSubject as bad:
        return bad
    except Exception:  # this is about something else
        return None
    return None


def fixed(spec: OpSpec, shape: tuple[int, ...], what: str) -> Callable[[Any], None]:
    """A test on inputs of one shape, with all properties."""

    def test(self: Any) -> None:
        check_spec(spec, examples(spec, shape))

    test.__name__ = f"test_{what.replace(' ', '_')}"
    test.__doc__ = f"All that is promised holds for inputs {what}."
    return test


def examples(spec: OpSpec, shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    """Inputs of a shape in the middle of the domain, away from kinks and from each other."""
    first = spec.domain[0]
    domains = [spec.domain] * spec.inputs if isinstance(first, (int, float)) else spec.domain
    found = []
    for k, (low, high) in enumerate(domains):
        at = 0.37 + 0.19 * k / spec.inputs
        while any(abs(low + at * (high - low) - kink) < 0.02 for kink in spec.kink_values):
            at += 0.013
        found.append(from_numpy(np.full(shape, low + at * (high - low))))
    return tuple(found)


def check_spec(
    spec: OpSpec, inputs: Sequence[Tensor], *, only: Sequence[str] = tuple(PROPERTIES)
) -> None:
    """All that an operation promises, on inputs that are given.

    Args:
        spec: the operation.
        inputs: for which it is checked.
        only: names of properties, such as ``"derivatives"``, to check no others.

    Raises:
        AssertionError: with what does not hold.
        Redraw: the inputs lie at a kink.
    """
    for name in only:
        hold(name, spec, inputs)
