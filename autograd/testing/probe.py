"""What makes a function unfit for differences, told apart by name before anything is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor
from autograd.gradients import grad
from autograd.modes import no_grad
from autograd.tensor import Tensor
from autograd.testing.subject import BadSubject, Subject

__all__ = ["check_recorded", "probe", "probe_backward", "pull_back"]

Array: TypeAlias = np.ndarray[Any, Any]


def same(first: Array, second: Array) -> bool:
    return first.shape == second.shape and np.array_equal(first, second, equal_nan=True)


def place_of(mask: Array) -> tuple[int, ...]:
    """The index of the first place where a mask is set."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(mask)), mask.shape))


def probe(subject: Subject) -> list[Array]:
    """The outputs, after making sure that they are a function of the inputs.

    Raises:
        BadSubject: the function changes its inputs, is random, or returns what is not finite.
    """
    constants = [value for value in subject.arguments if isinstance(value, Tensor)]
    before = [np.array(value.array) for value in constants]
    copies = [point.copy() for point in subject.points]
    with subject.placed(copies) as tensors:
        first = values_of(subject, tensors)
        for variable, tensor, point in zip(subject.variables, tensors, subject.points, strict=True):
            if not same(tensor.array, point):
                raise changed(variable.name, tensor.array, point)
    for value, array in zip(constants, before, strict=True):
        if not same(value.array, array):
            now = np.array(value.array)
            value.array[...] = array
            raise changed("an argument without a gradient", now, array)
    second = subject.values(subject.points)
    for k, (one, other) in enumerate(zip(first, second, strict=True)):
        if not same(one, other):
            raise BadSubject(
                "random",
                f"two calls with the same inputs gave different values (output {k}, "
                f"{describe_difference(one, other)}); seed its generator inside the function",
            )
        finite = np.isfinite(one)
        if not finite.all():
            place = place_of(~finite)
            raise BadSubject(
                "not finite", f"the function returned {one[place]} at output {k}{list(place)}"
            )
    return first


def values_of(subject: Subject, tensors: Sequence[Tensor]) -> list[Array]:
    with no_grad(), np.errstate(all="ignore"):
        return [np.array(output.array) for output in subject.call(tensors)]


def changed(name: str, now: Array, before: Array) -> BadSubject:
    place = place_of(~((now == before) | (np.isnan(now) & np.isnan(before))))
    return BadSubject(
        "changes its inputs",
        f"the function changed {name} at {list(place)} from {before[place]} to {now[place]}; "
        "let it work on a clone",
    )


def describe_difference(one: Array, other: Array) -> str:
    if one.shape != other.shape:
        return f"shapes {one.shape} and {other.shape}"
    place = place_of(~((one == other) | (np.isnan(one) & np.isnan(other))))
    return f"{one[place]} and {other[place]} at {list(place)}"


def check_recorded(subject: Subject, outputs: Sequence[Tensor], plain: Sequence[Array]) -> None:
    """The recorded call, which reads the inputs where they lie, must give the same values.

    But for rounding: it may take another way to them, and cancel numbers as large as the largest.
    """
    sizes = [float(np.max(np.abs(expected), initial=0.0)) for expected in plain]
    scale = max([*sizes, subject.magnitude])
    for k, (output, expected) in enumerate(zip(outputs, plain, strict=True)):
        if output.shape != expected.shape:
            difference: str | None = describe_difference(output.array, expected)
        else:
            far = ~(np.abs(output.array - expected) <= 64 * np.finfo(expected.dtype).eps * scale)
            difference = None
            if far.any():
                place = place_of(far)
                difference = f"{output.array[place]} and {expected[place]} at {list(place)}"
        if difference is not None:
            raise BadSubject(
                "recording changes it",
                "called with gradients on, or with inputs in another memory layout, the function "
                f"gave other values (output {k}, {difference})",
            )


def pull_back(
    outputs: Sequence[Tensor], leaves: Sequence[Tensor], weights: Sequence[Array]
) -> list[Array | None]:
    """The gradient of the weighted sum of the outputs by each leaf; None where there is none."""
    pairs = [
        (output, as_tensor(np.asarray(weight, output.dtype)))
        for output, weight in zip(outputs, weights, strict=True)
        if output.requires_grad
    ]
    if not pairs:
        return [None] * len(leaves)
    roots, seeds = zip(*pairs, strict=True)
    found = grad(roots, leaves, seeds, retain_graph=True, allow_unused=True)
    return [None if part is None else np.array(part.array) for part in found]


def probe_backward(
    subject: Subject,
    outputs: Sequence[Tensor],
    leaves: Sequence[Tensor],
    weights: Sequence[Array],
) -> None:
    """Make sure that a gradient is the same each time, from one recording and from another.

    Raises:
        BadSubject: it is not.
    """
    first = pull_back(outputs, leaves, weights)
    for one, other in zip(first, pull_back(outputs, leaves, weights), strict=True):
        if one is not None and other is not None and not same(one, other):
            raise BadSubject(
                "random backward",
                "two backward passes through one graph gave different gradients "
                f"({describe_difference(one, other)})",
            )
    new_leaves, new_outputs = subject.record()
    for one, other in zip(first, pull_back(new_outputs, new_leaves, weights), strict=True):
        if one is None or other is None or one.shape != other.shape:
            continue
        if not np.allclose(one, other, rtol=1e-9, atol=1e-9, equal_nan=True):
            raise BadSubject(
                "random",
                "two calls with the same inputs gave different gradients "
                f"({describe_difference(one, other)}); seed its generator inside the function",
            )
