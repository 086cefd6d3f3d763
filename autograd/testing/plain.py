"""One call of `gradcheck`: derivatives against central differences of a given step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import as_tensor
from autograd.errors import GradientShapeError
from autograd.gradients import grad
from autograd.tensor import Tensor
from autograd.testing.diagnose import explain, explain_shape
from autograd.testing.jacobian import Block
from autograd.testing.judge import Status
from autograd.testing.probe import probe, pull_back
from autograd.testing.result import GradcheckError
from autograd.testing.subject import BadSubject, Subject, Variable

__all__ = ["PlainCheck"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass
class PlainCheck:
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
        found = self.arrays(self.outputs, weights)
        return [
            np.zeros(leaf.numel()) if part is None else np.ravel(part).astype(np.float64)
            for leaf, part in zip(self.leaves, found, strict=True)
        ]

    def arrays(self, outputs: Sequence[Tensor], weights: Sequence[Array]) -> list[Array | None]:
        try:
            return pull_back(outputs, self.leaves, weights)
        except GradientShapeError as error:
            cause = explain_shape(error.came, error.wanted)
            raise GradcheckError(f"gradcheck: {cause.text}") from None

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
        weights = [np.asarray(rng.uniform(-1, 1, value.shape)) for value in self.plain]
        flat = np.concatenate([np.ravel(weight) for weight in weights] or [np.zeros(0)])
        pulled = self.pull(weights)
        for variable, (point, part) in enumerate(zip(self.subject.points, pulled, strict=True)):
            direction = rng.uniform(-1, 1, point.shape)
            numeric = float(flat @ self.difference(variable, direction)) if self.plain else 0.0
            analytic = float(part @ np.ravel(direction))
            spread = float(np.abs(flat).sum() * np.abs(direction).sum()) ** 0.5
            tolerance = self.atol * max(1.0, spread) + self.rtol * abs(numeric)
            if not abs(analytic - numeric) <= tolerance:
                self.jacobian()
                name = self.variables[variable].name
                raise GradcheckError(
                    f"gradcheck: a random product with the Jacobian by {name} is "
                    f"{analytic:.12g}, by differences {numeric:.12g}"
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
            found = self.arrays([output], [np.zeros(output.shape)])
            for variable, part in zip(self.variables, found, strict=True):
                if part is not None and np.any(np.abs(part) > 0):
                    raise GradcheckError(
                        f"gradcheck: a gradient of 0 gives something other than 0 for "
                        f"{variable.name}: it must be multiplied by the incoming gradient"
                    )

    def dtypes(self) -> None:
        found = self.arrays(self.outputs, [np.ones(y.shape) for y in self.plain])
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
            pushed: Sequence[Tensor] = seeds
            if pulled.requires_grad:
                start = as_tensor(direction.astype(leaf.dtype))
                pushed = grad([pulled], seeds, [start], materialize_grads=True)
            parts = iter(pushed)
            rows = [next(parts) if y.requires_grad else y.detach() * 0 for y in self.outputs]
            analytic = np.concatenate([np.zeros(0), *(np.ravel(row.array) for row in rows)])
            if not np.all(np.abs(analytic - numeric) <= self.atol + self.rtol * np.abs(numeric)):
                raise GradcheckError(
                    f"gradcheck: J u with respect to {self.variables[variable].name} differs from "
                    f"differences by up to {np.max(np.abs(analytic - numeric)):.3g}"
                )
