"""`gradcheck` and `gradgradcheck` as PyTorch has them: plain differences with a given step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor
from autograd.errors import DtypeError, GradientShapeError
from autograd.gradients import grad
from autograd.modes import enable_grad
from autograd.tensor import Tensor
from autograd.testing.diagnose import explain, explain_shape
from autograd.testing.jacobian import Block
from autograd.testing.judge import Status
from autograd.testing.layouts import with_layout
from autograd.testing.probe import probe, pull_back
from autograd.testing.result import GradcheckError
from autograd.testing.subject import BadSubject, Subject, Variable, tensors_of

__all__ = ["gradcheck", "gradgradcheck"]

Array: TypeAlias = np.ndarray[Any, Any]
Tensors: TypeAlias = "Tensor | Sequence[Any]"


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether gradients are close to central differences, as `torch.autograd.gradcheck` has it.

    ``|analytic - numeric| <= atol + rtol * |numeric|`` for every entry of the Jacobian.
    `check_gradients` sets its own tolerance, knows kinks, and looks at higher orders too.

    Args:
        func: a function of tensors that returns a tensor or a tuple of tensors.
        inputs: a tensor or a sequence; those that require grad are changed in place and restored.
        eps: the step of the differences.
        atol: the absolute tolerance.
        rtol: the relative tolerance.
        raise_exception: raise in place of returning False.
        nondet_tol: by how much two backward passes may differ.
        check_undefined_grad: check that gradients of 0 give 0, also where other outputs get none.
        check_grad_dtypes: check that gradients have the data types of the inputs.
        check_batched_grad: not available, since there is no vmap.
        check_batched_forward_grad: not available, since there is no vmap.
        check_forward_ad: check ``J u`` too, which is computed from two backward passes here.
        check_backward_ad: check gradients.
        fast_mode: compare ``<v, J u>`` for random u and v in place of the whole Jacobian.
        masked: of no effect, since there are no sparse tensors.

    Returns:
        True, or False if a gradient is wrong and `raise_exception` is not set.

    Raises:
        GradcheckError: a gradient is wrong, with the likely cause; or the function cannot be
            checked, with the reason.
        ValueError: no input requires grad.
        RuntimeError: an input's elements share memory.

    Example:
        >>> from autograd import gradcheck, float64, tensor
        >>> gradcheck(lambda x: x * x, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
        True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("gradcheck: check_forward_ad or check_backward_ad must be set")
    if check_batched_grad or check_batched_forward_grad:
        raise NotImplementedError("gradcheck: there is no vmap to check batched gradients with")
    arguments = as_tuple(inputs)
    variables = [
        Variable(f"input {k}", value, k, in_place=True)
        for k, value in enumerate(arguments)
        if isinstance(value, Tensor) and value.requires_grad
    ]
    check_inputs(variables)
    check = Check(func, arguments, variables, eps, atol, rtol)
    try:
        check.prepare()
        if check_grad_dtypes:
            check.dtypes()
        if check_undefined_grad and check_backward_ad:
            check.undefined()
        if check_backward_ad:
            check.repeatable(nondet_tol)
            check.products() if fast_mode else check.jacobian()
        if check_forward_ad:
            check.forward()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensors,
    grad_outputs: Tensors | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether gradients of gradients are close to differences, as `torch.autograd.gradgradcheck`.

    Arguments as for `gradcheck`, and:

    Args:
        func: see `gradcheck`.
        inputs: see `gradcheck`.
        grad_outputs: the gradients of the outputs; random when None.
        gen_non_contig_grad_outputs: draw them with gaps in memory.
        check_fwd_over_rev: as `check_forward_ad`, of the gradient.
        check_rev_over_rev: as `check_backward_ad`, of the gradient.

    Example:
        >>> from autograd import gradgradcheck, float64, tensor
        >>> gradgradcheck(lambda x: x**3, tensor([1.0, 2.0], dtype=float64, requires_grad=True))
        True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("gradgradcheck: check_fwd_over_rev or check_rev_over_rev must be set")
    arguments = as_tuple(inputs)
    with enable_grad():
        outputs = differentiable(func(*arguments))
    if grad_outputs is None:
        layout = "strided" if gen_non_contig_grad_outputs else "contiguous"
        rng = np.random.default_rng(0)
        seeds = tuple(
            as_tensor(with_layout(rng.normal(size=y.shape).astype(y.dtype), layout))
            for y in outputs
        )
        for seed in seeds:
            seed.requires_grad_()
    else:
        seeds = as_tuple(grad_outputs)

    def gradient(*values: Any) -> tuple[Tensor, ...]:
        own, starts = values[: len(arguments)], values[len(arguments) :]
        wanted = [value for value in own if isinstance(value, Tensor) and value.requires_grad]
        with enable_grad():
            found = grad(
                differentiable(func(*own)), wanted, starts, create_graph=True, allow_unused=True
            )
        return tuple(part for part in found if part is not None)

    return gradcheck(
        gradient,
        (*arguments, *seeds),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


def as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def differentiable(returned: Any) -> tuple[Tensor, ...]:
    return tuple(t for t in tensors_of(returned) if t.dtype.kind == "f" and t.requires_grad)


def check_inputs(variables: Sequence[Variable]) -> None:
    if not variables:
        raise ValueError("gradcheck: no input requires grad; at least one must")
    for variable in variables:
        array = variable.tensor.array
        if array.dtype.kind == "c":
            raise DtypeError(f"gradcheck: {variable.name} is {array.dtype}; only real types work")
        if array.dtype != np.float64:
            warnings.warn(
                f"gradcheck: {variable.name} is {array.dtype}: with the default eps and "
                "tolerances only float64 is exact enough; pass it by .double()",
                UserWarning,
                stacklevel=3,
            )
        if any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
            raise RuntimeError(
                f"gradcheck: the elements of {variable.name} of shape {array.shape} share memory "
                "(it was expanded), so they cannot be changed one by one; pass a clone"
            )


@dataclass
class Check:
    """One call of `gradcheck`."""

    func: Callable[..., Any]
    arguments: tuple[Any, ...]
    variables: list[Variable]
    eps: float
    atol: float
    rtol: float

    def prepare(self) -> None:
        """Call the function: plainly, for differences, and recorded, for gradients."""
        self.subject = Subject(self.func, self.arguments, self.variables)
        self.plain: list[Array] = []
        self.outputs: tuple[Tensor, ...] = ()
        try:
            self.plain = probe(self.subject)
            self.leaves, self.outputs = self.subject.record()
        except BadSubject as bad:
            if bad.reason != "not differentiable":
                raise GradcheckError(f"gradcheck: {bad.reason}: {bad.text}") from None
            self.leaves = [variable.tensor for variable in self.variables]

    def pull(self, weights: Sequence[Array]) -> list[Array]:
        """The gradient of a weighted sum of the outputs, flat, for each variable."""
        try:
            found = pull_back(self.outputs, self.leaves, weights)
        except GradientShapeError as error:
            cause = explain_shape(error.came, error.wanted)
            raise GradcheckError(f"gradcheck: {cause.text}") from None
        return [
            np.zeros(leaf.numel()) if part is None else np.ravel(part).astype(np.float64)
            for leaf, part in zip(self.leaves, found, strict=True)
        ]

    def units(self) -> list[list[Array]]:
        rows = []
        for k, value in enumerate(self.plain):
            for element in range(value.size):
                weights = [np.zeros(other.shape) for other in self.plain]
                weights[k].flat[element] = 1.0
                rows.append(self.pull(weights))
        return rows

    def difference(self, variable: int, direction: Array) -> Array:
        """``(f(x + eps u) - f(x - eps u)) / (2 eps)``, all outputs in a row."""
        ends = []
        for sign in (1.0, -1.0):
            arrays = list(self.subject.points)
            moved = arrays[variable] + sign * self.eps * direction
            arrays[variable] = np.asarray(moved, arrays[variable].dtype)
            ends.append(self.subject.flat(arrays))
        with np.errstate(all="ignore"):
            return np.asarray((ends[0] - ends[1]) / (2 * self.eps))

    def numeric(self, variable: int) -> Array:
        shape = self.subject.points[variable].shape
        columns = []
        for place in range(self.subject.points[variable].size):
            direction = np.zeros(shape)
            direction.flat[place] = 1.0
            columns.append(self.difference(variable, direction))
        rows = sum(value.size for value in self.plain)
        return np.stack(columns, axis=1) if columns else np.zeros((rows, 0))

    def jacobian(self) -> None:
        rows = self.units()
        blocks = []
        for variable in range(len(self.variables)):
            numeric = self.numeric(variable) if self.plain else np.zeros((0, 0))
            analytic = np.array([row[variable] for row in rows]).reshape(numeric.shape)
            blocks.append(self.block(variable, analytic, numeric))
        for block in blocks:
            if (block.status == Status.WRONG).any():
                raise self.mismatch(block, blocks)

    def block(self, variable: int, analytic: Array, numeric: Array) -> Block:
        tolerance = self.atol + self.rtol * np.abs(numeric)
        with np.errstate(all="ignore"):
            close = np.abs(analytic - numeric) <= tolerance
        out_shape = tuple(self.plain[0].shape) if len(self.plain) == 1 else None
        return Block(
            variable,
            analytic,
            numeric,
            np.full(numeric.shape, self.eps**2),
            np.where(close, Status.CORRECT, Status.WRONG),
            np.full(numeric.shape, np.nan),
            np.full(numeric.shape, np.nan),
            self.subject.points[variable].shape,
            out_shape,
            np.arange(numeric.shape[1]),
        )

    def mismatch(self, block: Block, blocks: Sequence[Block]) -> GradcheckError:
        wrong = np.where(block.status == Status.WRONG, np.abs(block.analytic - block.numeric), -1.0)
        worst = int(np.argmax(np.where(np.isnan(wrong), np.inf, wrong)))
        row, column = np.unravel_index(worst, wrong.shape)
        output, element = self.output_of(int(row))
        shape = self.subject.points[block.variable].shape
        index = [int(k) for k in np.unravel_index(int(column), shape)]
        values = {v.name: p for v, p in zip(self.variables, self.subject.points, strict=True)}
        names = [variable.name for variable in self.variables]
        recorded = any(y.requires_grad for y in self.outputs)
        cause = explain(block, blocks, names, values, recorded)
        return GradcheckError(
            f"gradcheck: Jacobian mismatch for output {output} with respect to "
            f"{names[block.variable]}\n"
            f"  at              d output {output}{element} / d {names[block.variable]}{index}\n"
            f"    analytic      {block.analytic[row, column]:.12g}\n"
            f"    numeric       {block.numeric[row, column]:.12g}\n"
            f"  wrong           {np.count_nonzero(wrong != -1.0)} of {wrong.size} derivatives\n"
            f"  likely cause    {cause.text}"
        )

    def output_of(self, row: int) -> tuple[int, list[int]]:
        for k, value in enumerate(self.plain):
            if row < value.size:
                return k, [int(i) for i in np.unravel_index(row, value.shape)]
            row -= value.size
        raise AssertionError("a row beyond the last output")

    def products(self) -> None:
        """``<v, J u>`` by differences against ``<J' v, u>``."""
        rng = np.random.default_rng(0)
        weights = [rng.uniform(-1, 1, value.shape) for value in self.plain]
        flat = np.concatenate([np.ravel(weight) for weight in weights] or [np.zeros(0)])
        pulled = self.pull(weights)
        for variable, (point, part) in enumerate(zip(self.subject.points, pulled, strict=True)):
            direction = rng.uniform(-1, 1, point.shape)
            numeric = float(flat @ self.difference(variable, direction)) if self.plain else 0.0
            analytic = float(part @ np.ravel(direction))
            spread = float(np.abs(flat).sum() * np.abs(direction).sum())
            if not abs(analytic - numeric) <= self.atol * max(1.0, spread) ** 0.5 + self.rtol * abs(
                numeric
            ):
                self.jacobian()
                raise GradcheckError(
                    f"gradcheck: a random product with the Jacobian by {self.variables[variable].name}"
                    f" is {analytic:.12g}, by differences {numeric:.12g}"
                )

    def repeatable(self, tolerance: float) -> None:
        weights = [np.ones(value.shape) for value in self.plain]
        for variable, one, other in zip(
            self.variables, self.pull(weights), self.pull(weights), strict=True
        ):
            away = float(np.max(np.abs(one - other), initial=0.0))
            if away > tolerance:
                raise GradcheckError(
                    f"gradcheck: random backward: two backward passes differ by {away:.3g} for "
                    f"{variable.name}, nondet_tol is {tolerance}"
                )

    def undefined(self) -> None:
        for output in (y for y in self.outputs if y.requires_grad):
            zeros = as_tensor(np.zeros(output.shape, output.dtype))
            found = grad([output], self.leaves, [zeros], retain_graph=True, allow_unused=True)
            for variable, part in zip(self.variables, found, strict=True):
                if part is not None and np.any(part.array != 0):
                    raise GradcheckError(
                        f"gradcheck: a gradient of 0 gives something other than 0 for "
                        f"{variable.name}: it must be multiplied by the incoming gradient"
                    )

    def dtypes(self) -> None:
        found = pull_back(self.outputs, self.leaves, [np.ones(y.shape) for y in self.plain])
        for variable, part in zip(self.variables, found, strict=True):
            if part is not None and part.dtype != variable.tensor.dtype:
                raise GradcheckError(
                    f"gradcheck: the gradient of {variable.name} is {part.dtype}, "
                    f"expected {variable.tensor.dtype}"
                )

    def forward(self) -> None:
        """``J u`` as the derivative by v of ``<J' v, u>``, against differences."""
        roots = [y for y in self.outputs if y.requires_grad]
        rng = np.random.default_rng(1)
        for variable, point in enumerate(self.subject.points):
            direction = rng.uniform(-1, 1, point.shape)
            numeric = self.difference(variable, direction) if self.plain else np.zeros(0)
            seeds = [as_tensor(np.zeros(y.shape, y.dtype)).requires_grad_() for y in roots]
            leaf = self.leaves[variable]
            (pulled,) = grad(roots, [leaf], seeds, create_graph=True, materialize_grads=True)
            pushed = grad(
                [pulled], seeds, [as_tensor(direction.astype(leaf.dtype))], materialize_grads=True
            ) if pulled.requires_grad else seeds
            parts = iter(pushed)
            analytic = np.concatenate(
                [
                    np.ravel(next(parts).array) if y.requires_grad else np.zeros(y.numel())
                    for y in self.outputs
                ]
                or [np.zeros(0)]
            )
            if not np.all(np.abs(analytic - numeric) <= self.atol + self.rtol * np.abs(numeric)):
                raise GradcheckError(
                    f"gradcheck: J u with respect to {self.variables[variable].name} differs from "
                    f"differences by up to {np.max(np.abs(analytic - numeric)):.3g}"
                )
