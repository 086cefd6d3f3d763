"""What holds for every good operation: each property is a function of a spec and inputs.

They raise `Broken` or `WrongDerivative`; `suites.hold` adds the inputs, as a program.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor, from_numpy
from autograd.dtypes import float64
from autograd.gradients import grad
from autograd.modes import no_grad
from autograd.tensor import Tensor
from autograd.testing.check import check_gradients
from autograd.testing.layouts import LAYOUTS, with_layout
from autograd.testing.result import CheckResult, Verdict
from autograd.testing.spec import OpSpec
from autograd.testing.subject import tensors_of

__all__ = ["PROPERTIES", "Broken", "Redraw", "WrongDerivative", "gradients"]

Array: TypeAlias = np.ndarray[Any, Any]
Inputs: TypeAlias = Sequence[Tensor]


class Redraw(Exception):  # noqa: N818 (it asks for other inputs)
    """The inputs lie at a kink, and say nothing: others must be drawn."""


class Broken(AssertionError):  # noqa: N818 (it is a finding, not an error)
    """A promise that is not kept, in words."""


class WrongDerivative(AssertionError):  # noqa: N818 (it is a finding, not an error)
    """A derivative that is wrong or cannot be checked, with the report and the result.

    Args:
        result: of the check.
    """

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.report())
        self.result = result


def leaves(inputs: Inputs, dtype: Any = None) -> list[Tensor]:
    """Copies that require grad where they are floating-point, in the same layout or a new type."""
    found = []
    for x in inputs:
        floating = x.dtype.kind == "f"
        array = x.array if dtype is None or not floating else x.array.astype(dtype)
        copy = from_numpy(np.array(array))
        found.append(copy.requires_grad_() if floating else copy)
    return found


def outputs_of(fn: Callable[..., Any], inputs: Inputs) -> list[Tensor]:
    return [out for out in tensors_of(fn(*inputs)) if out.dtype.kind == "f"]


def weights(outputs: Sequence[Tensor], seed: int = 0) -> list[Tensor]:
    """A gradient for each output: numbers without a pattern."""
    rng = np.random.default_rng(seed)
    drawn = [rng.uniform(0.5, 1.5, out.shape) for out in outputs]
    return [as_tensor(np.asarray(w, out.dtype)) for w, out in zip(drawn, outputs, strict=True)]


def gradients(
    fn: Callable[..., Any], inputs: Inputs, seeds: Sequence[Tensor] | None = None
) -> tuple[list[Array], list[Array]]:
    """The outputs, and the gradient of their weighted sum by each input; zeros for unused ones."""
    outputs = outputs_of(fn, inputs)
    given = weights(outputs) if seeds is None else seeds
    pairs = [(out, w) for out, w in zip(outputs, given, strict=True) if out.requires_grad]
    variables = [x for x in inputs if x.requires_grad]
    values = [np.array(out.array) for out in outputs]
    if not pairs or not variables:
        return values, [np.zeros(x.shape, x.dtype) for x in variables]
    roots, starts = zip(*pairs, strict=True)
    found = grad(roots, variables, starts, materialize_grads=True)
    return values, [np.array(g.array) for g in found]


def close(one: Array, other: Array, size: float, eps: float = 1e-13, factor: float = 100) -> bool:
    """Equal up to the rounding of numbers of a size, or of the largest of these."""
    if one.shape != other.shape:
        return False
    size = max(size, float(np.max(np.abs(other[np.isfinite(other)]), initial=0.0)))
    slack = factor * eps
    return bool(np.allclose(one, other, rtol=slack, atol=slack * size, equal_nan=True))


def size_of(inputs: Inputs) -> float:
    """The largest magnitude of the inputs."""
    return max((float(np.max(np.abs(x.array), initial=0.0)) for x in inputs), default=0.0)


def value(spec: OpSpec, inputs: Inputs) -> None:
    """The value is that of the reference."""
    if spec.reference is None:
        return
    arrays = [np.array(x.array) for x in inputs]
    wanted = spec.reference(*arrays)
    expected = [np.asarray(w) for w in (wanted if isinstance(wanted, tuple) else (wanted,))]
    came = list(tensors_of(spec.call()(*inputs)))
    if len(came) != len(expected):
        raise Broken(f"{len(came)} outputs, the reference has {len(expected)}")
    for k, (out, want) in enumerate(zip(came, expected, strict=True)):
        if not close(np.asarray(out.array, np.float64), want.astype(np.float64), 0.0, 1e-9):
            raise Broken(f"output {k} is\n{out.array}\nby the reference\n{want}")


def derivatives(spec: OpSpec, inputs: Inputs) -> None:
    """Derivatives of all orders agree with differences."""
    result = check_gradients(spec.call(), *inputs, order=spec.order, raise_exception=False)
    if result.verdict is Verdict.KINK:
        raise Redraw(result.report())
    if not result:
        raise WrongDerivative(result)


def linear(spec: OpSpec, inputs: Inputs) -> None:
    """The gradient is linear in the incoming gradient."""
    fn = spec.call()
    outputs = outputs_of(fn, leaves(inputs))
    one, other = weights(outputs, 1), weights(outputs, 2)
    mixed = [2 * a - 3 * b for a, b in zip(one, other, strict=True)]
    nothing = [0 * a for a in one]
    parts = [gradients(fn, leaves(inputs), seeds)[1] for seeds in (one, other, mixed, nothing)]
    for k, (first, second, both, none) in enumerate(zip(*parts, strict=True)):
        size = float(np.max(np.abs(first), initial=0.0) + np.max(np.abs(second), initial=0.0))
        if np.max(np.abs(both - (2 * first - 3 * second)), initial=0.0) > 1e-11 * size:
            raise Broken(f"the gradient of input {k} is not linear in what comes in")
        if none.any():
            raise Broken(f"the gradient of input {k} is not 0 where what comes in is")


def precision(spec: OpSpec, inputs: Inputs) -> None:
    """Data types and shapes are kept, forward and backward, and values are those of float64."""
    for dtype in map(np.dtype, spec.dtypes):
        rounded = [from_numpy(x.array.astype(dtype)) if x.dtype.kind == "f" else x for x in inputs]
        outs, grads = gradients(spec.call(dtype), leaves(rounded))
        exact_outs, exact_grads = gradients(spec.call(), leaves(rounded, float64))
        eps = float(np.finfo(dtype).eps)
        for what, came, exact in (
            ("output", outs, exact_outs),
            ("the gradient of input", grads, exact_grads),
        ):
            for k, (one, other) in enumerate(zip(came, exact, strict=True)):
                if one.dtype != dtype:
                    raise Broken(f"{what} {k} is {one.dtype}, expected {dtype}")
                if one.shape != other.shape:
                    raise Broken(f"{what} {k} has shape {one.shape}, in float64 {other.shape}")
                if not close(one.astype(np.float64), other, size_of(inputs), eps, 200):
                    raise Broken(f"{what} {k} in {dtype} is\n{one}\nin float64\n{other}")
        floating = [x for x in inputs if x.dtype.kind == "f"]
        for k, (x, g) in enumerate(zip(floating, grads, strict=True)):
            if g.shape != x.shape:
                raise Broken(f"the gradient of input {k} has shape {g.shape}")


def memory_layout(spec: OpSpec, inputs: Inputs) -> None:
    """Values and gradients do not depend on how the inputs lie in memory."""
    fn = spec.call()
    for layout in LAYOUTS:
        laid = [from_numpy(with_layout(x.array, layout)) for x in inputs]
        straight = [from_numpy(np.array(x.array, order="C")) for x in laid]
        came = gradients(fn, [x.requires_grad_() if x.dtype.kind == "f" else x for x in laid])
        wanted = gradients(fn, leaves(straight))
        for what, some, others in zip(("value", "gradient"), came, wanted, strict=True):
            for k, (one, other) in enumerate(zip(some, others, strict=True)):
                if not close(one, other, size_of(laid)):
                    raise Broken(f"another {what} ({k}) for inputs that lie {layout}")


def aliased(spec: OpSpec, inputs: Inputs) -> None:
    """With one tensor for several inputs, its gradient is the sum of theirs."""
    alike = len({(x.shape, x.dtype) for x in inputs}) == 1
    if len(inputs) < 2 or not alike or not isinstance(spec.domain[0], (int, float)):
        return
    fn = spec.call()
    x = leaves(inputs[:1])[0]
    count = len(inputs)
    outs, (together,) = gradients(lambda same: fn(*[same] * count), [x])
    apart_outs, apart = gradients(fn, leaves([x.detach()] * count))
    size = size_of([x])
    if not all(close(one, other, size) for one, other in zip(outs, apart_outs, strict=True)):
        raise Broken("another value when one tensor stands for several inputs")
    if not close(together, np.sum(apart, axis=0), size):
        raise Broken("f(x, x) has a gradient that is not the sum of those by each input")


def at_kinks(spec: OpSpec, inputs: Inputs) -> None:
    """At ties and kinks derivatives lie between those from both sides, and are those promised."""
    fn = spec.call()
    places = list(spec.kink_values)
    if spec.ties:
        places += [float(x.array.flat[0]) for x in inputs[:1] if x.numel()]
    for place in places:
        tied = everywhere(inputs, place)
        result = check_gradients(fn, *tied, order=1, raise_exception=False)
        if result.verdict is Verdict.WRONG:
            raise WrongDerivative(result)
    if isinstance(spec.kinks, Mapping):
        for kink, slope in spec.kinks.items():
            tied = leaves(everywhere(inputs, kink))
            seeds = [as_tensor(np.ones(out.shape)) for out in outputs_of(fn, tied)]
            for came in gradients(fn, tied, seeds)[1]:
                if not np.all(came == slope):
                    raise Broken(f"the derivative at the kink {kink} is not {slope}")


def everywhere(inputs: Inputs, place: float) -> list[Tensor]:
    """Inputs of the same shapes with one value."""
    return [from_numpy(np.full(x.shape, place)) if x.dtype.kind == "f" else x for x in inputs]


def untouched(spec: OpSpec, inputs: Inputs) -> None:
    """No input and no gradient is changed, and results do not silently share memory with them."""
    fn = spec.call()
    given = leaves(inputs)
    before = [x.array.copy() for x in given]
    outputs = outputs_of(fn, given)
    seeds = weights(outputs)
    seeds_before = [seed.array.copy() for seed in seeds]
    pairs = [(out, w) for out, w in zip(outputs, seeds, strict=True) if out.requires_grad]
    for k, out in enumerate(outputs):
        for position, x in enumerate(given):
            unnoticed = out is not x and out._base is None
            if unnoticed and np.shares_memory(out.array, x.array):
                raise Broken(f"output {k} shares memory with input {position}, unnoticed")
    values = [out.array.copy() for out in outputs]
    variables = [x for x in given if x.requires_grad]
    if pairs and variables:
        roots, starts = zip(*pairs, strict=True)
        found = grad(roots, variables, starts, materialize_grads=True)
        others = [*(x.array for x in given), *(s.array for s in seeds)]
        others += [out.array for out in outputs]
        for k, g in enumerate(found):
            if any(np.shares_memory(g.array, other) for other in others):
                raise Broken(f"the gradient of input {k} shares memory with others")
            others.append(g.array)
    for what, now, then in (
        ("input", given, before),
        ("incoming gradient", seeds, seeds_before),
        ("output", outputs, values),
    ):
        for k, (tensor, array) in enumerate(zip(now, then, strict=True)):
            if not np.array_equal(tensor.array, array, equal_nan=True):
                raise Broken(f"{what} {k} was changed by the forward or backward pass")


def repeatable(spec: OpSpec, inputs: Inputs) -> None:
    """The same inputs give the same values and gradients, to the last bit."""
    fn = spec.call()
    for one, other in zip(
        gradients(fn, leaves(inputs)), gradients(fn, leaves(inputs)), strict=True
    ):
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True)):
            raise Broken("two calls with the same inputs differ")


def without_recording(spec: OpSpec, inputs: Inputs) -> None:
    """Under `no_grad` the values are the same, and nothing is recorded."""
    fn = spec.call()
    recorded = outputs_of(fn, leaves(inputs))
    given = leaves(inputs)
    with no_grad():
        plain = outputs_of(fn, given)
    for k, (one, other) in enumerate(zip(plain, recorded, strict=True)):
        if not np.array_equal(one.array, other.array, equal_nan=True):
            raise Broken(f"output {k} is another under no_grad")
        if one.requires_grad and not any(one is x for x in given):
            raise Broken(f"output {k} requires grad under no_grad")


def freed(spec: OpSpec, inputs: Inputs) -> None:
    """Nothing stays alive after the last handle is gone, without the garbage collector."""
    fn = spec.call()
    collecting = gc.isenabled()
    gc.disable()
    try:
        given = leaves(inputs)
        outputs = outputs_of(fn, given)
        roots = [out for out in outputs if out.requires_grad]
        watched: list[weakref.ref[Any]] = [weakref.ref(x) for x in (*given, *outputs)]
        watched += [weakref.ref(out.grad_fn) for out in roots if out.grad_fn is not None]
        watched += [weakref.ref(x.array) for x in (*given, *outputs)]
        variables = [x for x in given if x.requires_grad]
        if roots and variables:
            grad(roots, variables, weights(roots), allow_unused=True)
        del given, outputs, roots, variables
        alive = [type(watch()).__name__ for watch in watched if watch() is not None]
    finally:
        if collecting:
            gc.enable()
    if alive:
        raise Broken(f"still alive after the last handle is gone: {', '.join(alive)}")


PROPERTIES: dict[str, Callable[[OpSpec, Inputs], None]] = {
    "value": value,
    "derivatives": derivatives,
    "linear": linear,
    "precision": precision,
    "memory_layout": memory_layout,
    "aliased": aliased,
    "at_kinks": at_kinks,
    "untouched": untouched,
    "repeatable": repeatable,
    "without_recording": without_recording,
    "freed": freed,
}
"""Every property by its name, in the order in which they are best read when several fail."""
