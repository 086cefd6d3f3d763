"""Ready tests for an operation, from its `OpSpec`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from unittest import SkipTest

import numpy as np

from autograd.creation import from_numpy
from autograd.tensor import Tensor
from autograd.testing.properties import PROPERTIES, Redraw
from autograd.testing.spec import OpSpec

__all__ = ["check_spec", "suite"]

DEFAULTS: dict[str, Any] = {"deadline": None, "report_multiple_bugs": False}
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

    def check_drawn(inputs: tuple[Tensor, ...]) -> None:
        try:
            check(spec, inputs)
        except Redraw:
            hypothesis.reject()

    words = re.findall(r"\w+", f"{name} of {spec.title}")
    check_drawn.__name__ = "_".join(words)  # failing examples are kept by this name
    draw_and_check = hypothesis.given(inputs=spec.draws())(check_drawn)
    draw_and_check = hypothesis.settings(**{**DEFAULTS, **settings})(draw_and_check)

    def test(self: Any) -> None:
        if name == "value" and spec.reference is None:
            raise SkipTest(f"{spec.title} has no reference to compare with")
        draw_and_check()

    test.__name__ = f"test_{name}"
    test.__doc__ = check.__doc__
    return test


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


def check_spec(spec: OpSpec, inputs: Sequence[Tensor]) -> None:
    """All that an operation promises, on inputs that are given.

    Raises:
        AssertionError: with what does not hold.
        Redraw: the inputs lie at a kink.
    """
    for check in PROPERTIES.values():
        check(spec, inputs)
