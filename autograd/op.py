"""A primitive at work: computing, recording, and running its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from autograd import kernels
from autograd.errors import DtypeError, ShapeError
from autograd.graph import Node, Parent, TensorBase, Version, new_tensor, state
from autograd.kernels.tape import tape_for, tracing
from autograd.plans import (
    ALL_INPUTS,
    ALL_SHAPES,
    ATTRIBUTE,
    INPUT,
    NEEDS,
    OUT,
    RESIDUAL,
    SHAPE,
    Plan,
    Rule,
    Signature,
)
from autograd.views import refresh, share_memory

if TYPE_CHECKING:
    from autograd.primitive import Case
    from autograd.tensor import Tensor

NO_ATTRIBUTES: dict[str, Any] = {}
UNCHANGING: Version = [0, 0]
"""The version of memory that nothing but the graph can see."""
LARGE, LARGE_PAIR = 1 << 12, 1 << 14
"""Elements from which on a formula may be evaluated by its tape; the latter if it takes a pair."""


class Op:
    """A registered primitive. Calling it on Tensors records a node; on arrays it just computes."""

    fresh_gradients = True

    def __init__(
        self,
        forward: Callable[..., Any],
        rules: Sequence[Rule | None],
        *,
        joint: Rule | None,
        residuals: tuple[str, ...],
        broadcasts: bool,
        elementwise: bool,
        formula: Callable[..., Any],
        promote: Callable[[list[Any]], list[Any]] | None,
        cases: tuple[Case, ...],
    ) -> None:
        self.name = forward.__name__
        words = self.name.strip("_").split("_")
        self.title = "".join(word[:1].upper() + word[1:] for word in words) + "Backward0"
        self.forward = forward
        self.rules = tuple(rules)
        self.joint = joint
        self.residuals = residuals
        self.broadcasts = broadcasts
        self.elementwise = elementwise
        self.formula = formula
        self.promote = promote
        self.cases = cases
        self.__doc__ = forward.__doc__
        self.__name__ = forward.__name__
        self.__module__ = forward.__module__
        self.__wrapped__ = forward
        self._plans: dict[int, Plan] = {}
        self.signature = Signature.of(forward, residuals)
        self.inputs = self.signature.inputs
        self.variadic = self.signature.variadic
        self.attributes = self.signature.attributes
        if joint is None and len(self.rules) != len(self.inputs):
            raise TypeError(
                f"{self.name}: {len(self.rules)} rules for the inputs {', '.join(self.inputs)}"
            )
        self.differentiable = (
            -1 if joint else sum(1 << k for k, rule in enumerate(self.rules) if rule is not None)
        )
        self.plan(self.differentiable)  # a rule that names something unknown fails here

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __call__(self, *inputs: Any, **attributes: Any) -> Tensor:
        arrays: list[Any] = []
        parents: list[Parent] = []
        needed = 0
        bit = 1
        traced = False
        for value in inputs:
            if isinstance(value, TensorBase):
                traced = True
                view = value._view
                if view is not None and view.rebases != value._version[1]:
                    refresh(value)
                if value._requires_grad:
                    needed |= bit
                    parents.append(value._node or value)
                else:
                    parents.append(None)
                arrays.append(value._array)
            else:
                parents.append(None)
                arrays.append(value)
            bit += bit
        if not traced:
            computed: Any
            if tracing.steps is not None:
                computed = self.formula(*arrays, **attributes)
            elif self.elementwise and is_large(arrays):
                computed = evaluate(self.formula, arrays, self.forward)
            else:
                computed = self.forward(*arrays, **attributes)
            result: Tensor = computed[0] if self.residuals else computed  # really an array
            return result
        if self.promote is not None:
            arrays = self.promote(arrays)
        try:
            if self.elementwise and is_large(arrays):
                out = evaluate(self.formula, arrays, self.forward)
            else:
                out = self.forward(*arrays, **attributes) if attributes else self.forward(*arrays)
        except ValueError as error:
            if self.broadcasts and not isinstance(error, ShapeError):
                raise self.broadcast_error(arrays) from None
            raise
        except TypeError as error:
            if isinstance(error, DtypeError):
                raise
            raise DtypeError(f"{self.name}: {error}") from error
        except OverflowError as error:  # a number that an integer type cannot hold
            raise DtypeError(f"{self.name}: {error}") from error
        residuals: Sequence[Any] = ()
        if self.residuals:
            out, *residuals = out
        if out.__class__ is not ndarray:
            out = np.asarray(out)
        result = new_tensor(out)
        if out.base is not None or out is arrays[0] or out is arrays[-1]:
            out = share_memory(self, result, inputs, arrays, attributes)
        needed &= self.differentiable
        if needed and state.grad_enabled and out.dtype.kind in "fc":
            if out.dtype.kind == "c":
                raise DtypeError(
                    f"{self.name}: the result is {out.dtype}, but gradients of complex numbers are "
                    "not defined here; detach the input or use no_grad()"
                )
            plan = self._plans.get(needed) or self.plan(needed)
            picks = plan.only_inputs
            if picks is not None:
                versions: list[Any] = []
                saved = [own_input(inputs[key], arrays[key], versions) for key in picks]
            else:
                saved, versions = self.save(plan, inputs, arrays, result, residuals, attributes)
            result._requires_grad = True
            result._node = Node(
                self, parents, attributes, plan, saved, versions, out.shape, out.dtype
            )
        return result

    def save(
        self,
        plan: Plan,
        inputs: Sequence[Any],
        arrays: Sequence[Any],
        result: Tensor,
        residuals: Sequence[Any],
        attributes: Mapping[str, Any],
    ) -> tuple[list[Any], list[Any]]:
        """What the rules of a plan read, and the versions of the memory it stands in."""
        saved: list[Any] = []
        versions: list[Any] = []
        for kind, key in plan.sources:
            if kind == INPUT:
                saved.append(own_input(inputs[key], arrays[key], versions))
            elif kind == ATTRIBUTE:
                saved.append(attributes[key])
            elif kind == SHAPE:
                saved.append(np.shape(arrays[key]))
            elif kind == OUT:
                saved.append(result._array)
                versions += (result._version, result._version[0])
            elif kind == RESIDUAL:
                saved.append(own_residual(residuals[key], (*arrays, result._array)))
            elif kind == NEEDS:
                saved.append(None)
            elif kind == ALL_SHAPES:
                saved.append(tuple(np.shape(array) for array in arrays))
            else:
                saved.append(
                    tuple(
                        own_input(value, array, versions)
                        for value, array in zip(inputs, arrays, strict=True)
                    )
                )
        return saved, versions

    def plan(self, needed: int) -> Plan:
        """The plan for the inputs whose bits are set in `needed`."""
        rules = [(k, r) for k, r in enumerate(self.rules) if r is not None and needed >> k & 1]
        plan = self.signature.plan(rules if self.joint is None else [(0, self.joint)])
        self._plans[needed] = plan
        return plan

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        """Run the rules of a node: one gradient, or None, for each of its inputs."""
        plan: Plan = node.plan
        saved = node.saved
        assert saved is not None
        if create_graph:
            versions = iter(node.versions[::2])
            saved = [
                self.with_history(node, kind, key, value, versions)
                for (kind, key), value in zip(plan.sources, saved, strict=True)
            ]
        if self.joint is not None:
            if needs is None:
                needs = [parent is not None for parent in node.parents]
            _, rule, picks = plan.steps[0]
            values = [tuple(needs) if plan.sources[k][0] == NEEDS else saved[k] for k in picks]
            gradients: Sequence[Any] = rule(grad, *values)
            return gradients
        results: list[Any] = [None] * len(node.parents)
        large = self.elementwise and not create_graph and grad.size >= LARGE
        for position, rule, picks in plan.steps:
            if needs is not None and not needs[position]:
                continue
            if large:
                results[position] = evaluate(rule, [grad, *[saved[k] for k in picks]], rule)
            elif not picks:
                results[position] = rule(grad)
            elif len(picks) == 1:
                results[position] = rule(grad, saved[picks[0]])
            else:
                results[position] = rule(grad, *[saved[k] for k in picks])
        return results

    def release(self, node: Node) -> None:
        """Free saved values. A node that saved none can be walked again, as in PyTorch."""
        if node.plan.holds_values:
            node.saved = None
            node.versions = ()

    def with_history(
        self, node: Node, kind: int, key: Any, value: Any, versions: Iterator[Version]
    ) -> Any:
        """A saved value as a Tensor that leads back to where it came from."""
        if kind == INPUT:
            return rejoin(value, node.parents[key], versions)
        if kind == ALL_INPUTS:
            return tuple(
                rejoin(part, parent, versions)
                for part, parent in zip(value, node.parents, strict=True)
            )
        if kind == OUT:
            return new_tensor(value, True, node, next(versions, None))
        return value

    def record(
        self,
        parents: Sequence[Parent],
        shapes: Sequence[tuple[int, ...]],
        attributes: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> Node:
        """A node made without computing, for an operation whose rules read no values."""
        needed = sum(1 << k for k, parent in enumerate(parents) if parent is not None)
        plan = self._plans.get(needed) or self.plan(needed)
        saved = [
            attributes[key] if kind == ATTRIBUTE else shapes[key] for kind, key in plan.sources
        ]
        return Node(self, parents, attributes, plan, saved, [], shape, dtype)

    def broadcast_error(self, arrays: Sequence[Any]) -> ShapeError:
        shapes = " and ".join(str(np.shape(array)) for array in arrays)
        return ShapeError(
            f"{self.name}: shapes {shapes} do not broadcast: from the right, each pair of sizes "
            "must be equal or contain a 1"
        )


class PairOp(Op):
    """A primitive of two inputs and no attributes, such as ``mul``.

    These are the most frequent, so their common case (two tensors of one dtype, neither a view,
    or such a tensor and a Python float) is spelled out here without loops; everything else takes
    the general way.
    """

    @staticmethod
    def fits(forward: Callable[..., Any]) -> bool:
        """Whether a function has two inputs and no attributes."""
        signature = Signature.of(forward, ())
        return len(signature.inputs) == 2 and not (signature.attributes or signature.variadic)

    def __call__(self, x: Any, y: Any) -> Tensor:
        x_is_tensor = isinstance(x, TensorBase)
        y_is_tensor = isinstance(y, TensorBase)
        x_array = x._array if x_is_tensor else x
        y_array = y._array if y_is_tensor else y
        if x_is_tensor and y_is_tensor:
            dtype = x_array.dtype
            simple = x._view is None and y._view is None and y_array.dtype is dtype
        elif x_is_tensor:
            dtype = x_array.dtype
            simple = y.__class__ is float and x._view is None and dtype.kind == "f"
        elif y_is_tensor:
            dtype = y_array.dtype
            simple = x.__class__ is float and y._view is None and dtype.kind == "f"
        else:
            simple = False
        if not simple:
            return super().__call__(x, y)
        try:
            if self.elementwise and (
                (x_is_tensor and x_array.size >= LARGE_PAIR)
                or (y_is_tensor and y_array.size >= LARGE_PAIR)
            ):
                out = evaluate(self.formula, [x_array, y_array], self.forward)
            else:
                out = self.forward(x_array, y_array)
        except (ValueError, TypeError):
            return super().__call__(x, y)  # which says what is wrong
        if out.__class__ is not ndarray:
            out = np.asarray(out)
        if out.dtype is not dtype or out is x_array or out is y_array:
            return super().__call__(x, y)
        needed = (1 if x_is_tensor and x._requires_grad else 0) | (
            2 if y_is_tensor and y._requires_grad else 0
        )
        result = new_tensor(out)
        if needed and state.grad_enabled:
            plan = self._plans.get(needed) or self.plan(needed)
            saves = plan.saves_pair
            saved: Sequence[Any]
            versions: Sequence[Any]
            if saves is None:
                saved, versions = self.save(plan, (x, y), (x_array, y_array), result, (), {})
            else:
                saved, versions = (), ()
                if saves & 1:
                    saved = (x_array,)
                    if x_is_tensor:
                        versions = (x._version, x._version[0])
                if saves & 2:
                    saved = (*saved, y_array)
                    if y_is_tensor:
                        versions = (*versions, y._version, y._version[0])
            result._requires_grad = True
            result._node = Node(
                self,
                (x._node or x if needed & 1 else None, y._node or y if needed & 2 else None),
                NO_ATTRIBUTES,
                plan,
                saved,
                versions,
                out.shape,
                dtype,
            )
        return result

    def gradients(
        self, node: Node, grad: Any, create_graph: bool, needs: Sequence[bool] | None = None
    ) -> Sequence[Any]:
        if create_graph or needs is not None:
            return super().gradients(node, grad, create_graph, needs)
        saved: Any = node.saved
        results = [None, None]
        large = self.elementwise and grad.size >= LARGE_PAIR
        for position, rule, picks in node.plan.steps:
            if large:
                results[position] = evaluate(rule, [grad, *[saved[k] for k in picks]], rule)
            elif not picks:
                results[position] = rule(grad)
            elif len(picks) == 1:
                results[position] = rule(grad, saved[picks[0]])
            else:
                results[position] = rule(grad, *[saved[k] for k in picks])
        return results


def is_large(arrays: Sequence[Any]) -> bool:
    return any(isinstance(array, ndarray) and array.size >= LARGE for array in arrays)


def evaluate(
    formula: Callable[..., Any], values: Sequence[Any], function: Callable[..., Any]
) -> Any:
    """The value of a formula for large arrays, or of the function where no tape is worth it."""
    tape = tape_for(formula, values)
    if tape is not None:
        arrays = [value for value in values if isinstance(value, ndarray)]
        like = max(arrays, key=lambda array: array.size)
        out = kernels.evaluate(like, tape, arrays)
        if out is not None:
            return out
    return function(*values)


def own_input(value: Any, array: Any, versions: list[Any]) -> Any:
    """An input to be saved: with its version, if a write to it would be noticed, else a copy.

    Each saved array has its place in `versions`, where `rejoin` finds it.
    """
    if isinstance(value, TensorBase):
        version = value._version if array is value._array else UNCHANGING
        versions.append(version)
        versions.append(version[0])
        return array
    if not isinstance(array, ndarray):
        return array
    versions.append(UNCHANGING)
    versions.append(0)
    return array.copy() if array is value else array


def own_residual(value: Any, others: Sequence[Any]) -> Any:
    """A residual to be saved; a copy, if it lies in memory that a user may overwrite."""
    if isinstance(value, ndarray) and any(
        value is other or (value.base is not None and np.may_share_memory(value, other))
        for other in others
        if isinstance(other, ndarray)
    ):
        return value.copy()
    return value


def rejoin(value: Any, parent: Parent, versions: Iterator[Version]) -> Any:
    """A saved input as the Tensor it was: the leaf itself, or its array with its history.

    It carries the version of its memory on, so that the graph of the gradient too notices a
    later write to it.
    """
    if not isinstance(value, ndarray):
        return value
    version = next(versions, None)
    if version is UNCHANGING:
        version = None
    if parent is None:
        return new_tensor(value, version=version)
    if isinstance(parent, Node):
        return new_tensor(value, True, parent, version)
    if parent._array is value and parent._requires_grad and parent._node is None:
        return parent
    from autograd import ops

    node = ops.clone.record([parent], [value.shape], {}, value.shape, value.dtype)
    return new_tensor(value, True, node, version)
