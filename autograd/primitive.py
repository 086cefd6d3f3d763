"""The table of primitives: operations with a derivative formula of their own.

    @primitive(lambda g, y: g * y, lambda g, x: g * x, broadcasts=True)
    def mul(x, y):
        return x * y

A primitive is a plain function on arrays: its positional parameters are the inputs, its keyword-only
parameters the attributes. There is one rule per input, and a rule is told what it reads by the
names of its parameters, after the incoming gradient:

    x, y ...      an input of that name
    x_shape       only the shape of the input ``x``
    out           the output
    any other     a residual (a second result of the forward, see ``residuals``) or an attribute

So a rule's signature is also the list of what must be kept alive for it, and what no rule of an
input that needs a gradient names is not kept. Rules use operators and registered operations only;
the same rule then runs on arrays, and on Tensors when the gradient itself is to be differentiated.

When gradients share work, `joint` is one rule for all inputs: it may also name ``needs``, a tuple
of booleans, and returns one gradient or None per input.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy import ndarray

from autograd.errors import ShapeError
from autograd.graph import Node, Parent, TensorBase, View, ViewStep, new_tensor, state

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = ["OPS", "Case", "Op", "primitive"]

Rule: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """Where a primitive can be tested, as plain data.

    Attributes:
        shapes: the shape of each input that has a rule.
        domain: the open interval that values are drawn from; one for all inputs or one for each.
        avoid: values where the operation has a kink or a jump; draws keep a distance from them.
        distinct: values of one input, and of all inputs together, keep a distance from each other.
        attributes: the keyword arguments.
        constants: the inputs that have no rule, by name.
        order: up to which order derivatives exist and are checked.
    """

    shapes: tuple[tuple[int, ...], ...] = ((2, 3),)
    domain: Any = (-2.0, 2.0)
    avoid: tuple[float, ...] = ()
    distinct: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    order: int = 2


NO_ATTRIBUTES: dict[str, Any] = {}
INPUT, ALL_INPUTS, SHAPE, ALL_SHAPES, OUT, RESIDUAL, ATTRIBUTE, NEEDS = range(8)


@dataclass(frozen=True)
class Plan:
    """What to save, and which rules to run, when a certain set of inputs requires gradients."""

    sources: tuple[tuple[int, Any], ...]
    steps: tuple[tuple[int, Rule, tuple[int, ...]], ...]
    holds_values: bool
    only_inputs: tuple[int, ...] | None
    saves_pair: int | None
    """For two inputs of which only values are saved, in their order: 1 for x, 2 for y, 3 both."""


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
        promote: Callable[[list[Any]], list[Any]] | None,
        cases: tuple[Case, ...],
    ) -> None:
        self.name = forward.__name__
        self.forward = forward
        self.rules = tuple(rules)
        self.joint = joint
        self.residuals = residuals
        self.broadcasts = broadcasts
        self.promote = promote
        self.cases = cases
        self.__doc__ = forward.__doc__
        self.__name__ = forward.__name__
        self.__module__ = forward.__module__
        self.__wrapped__ = forward
        self._plans: dict[int, Plan] = {}
        parameters = inspect.signature(forward).parameters.values()
        self.inputs = tuple(
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        )
        self.variadic = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self.attributes = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
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
            computed: Tensor = self.forward(*arrays, **attributes)  # really an array
            return computed[0] if self.residuals else computed
        if self.promote is not None:
            arrays = self.promote(arrays)
        try:
            out = self.forward(*arrays, **attributes) if attributes else self.forward(*arrays)
        except ValueError as error:
            if self.broadcasts and not isinstance(error, ShapeError):
                raise self.broadcast_error(arrays) from None
            raise
        residuals: Sequence[Any] = ()
        if self.residuals:
            out, *residuals = out
        if out.__class__ is not ndarray:
            out = np.asarray(out)
        result = new_tensor(out)
        if out.base is not None or out is arrays[0]:
            out = self.share_memory(result, inputs, arrays, attributes)
        needed &= self.differentiable
        if needed and state.grad_enabled and out.dtype.kind in "fc":
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
                saved.append(residuals[key])
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
        places: dict[tuple[int, Any], int] = {}

        def place(rule: Rule) -> tuple[int, ...]:
            return tuple(places[self.source(name)] for name in reads(rule))

        wanted = [
            name
            for position, rule in enumerate([self.joint] if self.joint else self.rules)
            if rule is not None and (self.joint or needed >> position & 1)
            for name in reads(rule)
        ]
        for name in sorted(set(wanted), key=self.rank):
            places.setdefault(self.source(name), len(places))
        steps: tuple[tuple[int, Rule, tuple[int, ...]], ...]
        if self.joint is not None:
            steps = ((-1, self.joint, place(self.joint)),)
        else:
            steps = tuple(
                (position, rule, place(rule))
                for position, rule in enumerate(self.rules)
                if rule is not None and needed >> position & 1
            )
        only_inputs = all(kind == INPUT for kind, _ in places)
        keys = tuple(key for _, key in places)
        plan = Plan(
            sources=tuple(places),
            steps=steps,
            holds_values=any(kind in (INPUT, ALL_INPUTS, OUT, RESIDUAL) for kind, _ in places),
            only_inputs=keys if only_inputs else None,
            saves_pair=sum(1 << key for key in keys) if only_inputs and len(keys) < 3 else None,
        )
        self._plans[needed] = plan
        return plan

    def rank(self, name: str) -> tuple[int, str]:
        """Inputs in their order, then everything else."""
        return (self.inputs.index(name) if name in self.inputs else len(self.inputs), name)

    def source(self, name: str) -> tuple[int, Any]:
        """Where the value of a rule's parameter comes from."""
        if name in self.inputs:
            return INPUT, self.inputs.index(name)
        if name in self.attributes:
            return ATTRIBUTE, name
        if name in self.residuals:
            return RESIDUAL, self.residuals.index(name)
        if name == "out":
            return OUT, None
        if name == "needs":
            return NEEDS, None
        if name == self.variadic:
            return ALL_INPUTS, None
        stem = name.removesuffix("_shape")
        if name != stem and stem in self.inputs:
            return SHAPE, self.inputs.index(stem)
        if name == f"{self.variadic}_shapes":
            return ALL_SHAPES, None
        raise TypeError(
            f"{self.name}: a rule reads '{name}', which is no input, attribute or residual of it"
        )

    def gradients(self, node: Node, grad: Any, create_graph: bool) -> Sequence[Any]:
        """Run the rules of a node: one gradient, or None, for each of its inputs."""
        plan: Plan = node.plan
        saved = node.saved
        assert saved is not None
        if create_graph:
            saved = [
                self.with_history(node, kind, key, value)
                for (kind, key), value in zip(plan.sources, saved, strict=True)
            ]
        if self.joint is not None:
            needs = tuple(parent is not None for parent in node.parents)
            _, rule, picks = plan.steps[0]
            values = [needs if plan.sources[k][0] == NEEDS else saved[k] for k in picks]
            return rule(grad, *values)  # type: ignore[no-any-return]
        results: list[Any] = [None] * len(node.parents)
        for position, rule, picks in plan.steps:
            if not picks:
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

    def with_history(self, node: Node, kind: int, key: Any, value: Any) -> Any:
        """A saved value as a Tensor that leads back to where it came from."""
        if kind == INPUT:
            return rejoin(value, node.parents[key])
        if kind == ALL_INPUTS:
            return tuple(map(rejoin, value, node.parents))
        if kind == OUT:
            return new_tensor(value, requires_grad=True, node=node)
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

    def share_memory(
        self,
        result: Tensor,
        inputs: Sequence[Any],
        arrays: Sequence[Any],
        attributes: dict[str, Any],
    ) -> Any:
        """Register a result that lies in the memory of an input as a view of it.

        With one tensor among the inputs the view can be read again from its base; otherwise the
        result gets memory of its own, which is always right.
        """
        out = result._array
        source = None
        for value, array in zip(inputs, arrays, strict=True):
            if isinstance(value, TensorBase) and array is value._array:
                base = out.base
                if base is array or out is array or (base is not None and base is array.base):
                    source = value
                elif np.may_share_memory(out, array):
                    source = value
        if source is None:
            return out
        if len(inputs) > 1:
            result._array = out.copy()
            return result._array
        before = source._view
        step: ViewStep = (self, attributes)
        tracked = state.grad_enabled and (before is None or before.tracked)
        result._version = source._version
        result._view = View(
            before.base if before is not None else source,
            (*before.steps, step) if before is not None else (step,),
            source._version[1],
            tracked,
        )
        return out

    def broadcast_error(self, arrays: Sequence[Any]) -> ShapeError:
        shapes = " and ".join(str(np.shape(array)) for array in arrays)
        return ShapeError(
            f"{self.name}: shapes {shapes} do not broadcast: from the right, each pair of sizes "
            "must be equal or contain a 1"
        )


def reads(rule: Rule) -> list[str]:
    """The names of what a rule reads besides the incoming gradient."""
    return list(inspect.signature(rule).parameters)[1:]


def own_input(value: Any, array: Any, versions: list[Any]) -> Any:
    """An input to be saved: with its version, if a write to it would be noticed, else a copy."""
    if isinstance(value, TensorBase):
        if array is value._array:
            version = value._version
            versions.append(version)
            versions.append(version[0])
        return array
    return array.copy() if array is value and isinstance(array, np.ndarray) else array


def rejoin(value: Any, parent: Parent) -> Any:
    """A saved input as the Tensor it was: the leaf itself, or its array with its node."""
    if isinstance(parent, Node):
        return new_tensor(value, requires_grad=True, node=parent)
    if parent is not None:
        return parent
    return new_tensor(value) if isinstance(value, np.ndarray) else value


def refresh(tensor: TensorBase) -> None:
    """Give a view the history that its base has now, after an in-place operation changed it."""
    view = tensor._view
    assert view is not None
    base = view.base
    current = new_tensor(base._array, base._requires_grad, base._node or None)
    if base._requires_grad:
        previous, state.grad_enabled = state.grad_enabled, True
        try:
            source: Any = base if base._node is None else current
            for op, attributes in view.steps:
                source = op(source, **attributes)
        finally:
            state.grad_enabled = previous
        tensor._node = source._node
        tensor._requires_grad = source._requires_grad
    view.rebases = tensor._version[1]


class PairOp(Op):
    """A primitive of two inputs and no attributes, such as ``mul``.

    These are the most frequent, so their common case (two tensors of one dtype, neither a view,
    or such a tensor and a Python float) is spelled out here without loops; everything else takes
    the general way.
    """

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
            out = self.forward(x_array, y_array)
        except ValueError:
            return super().__call__(x, y)  # which says what is wrong
        if out.__class__ is not ndarray:
            out = np.asarray(out)
        if out.dtype is not dtype:
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

    def gradients(self, node: Node, grad: Any, create_graph: bool) -> Sequence[Any]:
        if create_graph:
            return super().gradients(node, grad, create_graph)
        saved: Any = node.saved
        results = [None, None]
        for position, rule, picks in node.plan.steps:
            if not picks:
                results[position] = rule(grad)
            elif len(picks) == 1:
                results[position] = rule(grad, saved[picks[0]])
            else:
                results[position] = rule(grad, *[saved[k] for k in picks])
        return results


OPS: dict[str, Op] = {}
"""Every primitive by name: the one source for the engine, the tests, the documentation and the
drawing."""


def primitive(
    *rules: Rule | None,
    joint: Rule | None = None,
    residuals: tuple[str, ...] = (),
    broadcasts: bool = False,
    promote: Callable[[list[Any]], list[Any]] | None = None,
    case: Case | tuple[Case, ...] = (),
) -> Callable[[Callable[..., Any]], Op]:
    """Register a function on arrays as a primitive, with one rule per input.

    Args:
        rules: for each input, the gradient with respect to it, or None where there is none.
        joint: one rule for all inputs, in place of `rules`.
        residuals: names of what the forward returns after its output, for the rules to read.
        broadcasts: the inputs broadcast against each other; gradients are summed back.
        promote: brings the inputs to their common data type.
        case: where the primitive can be tested.

    Raises:
        TypeError: a rule is missing, or names what the primitive does not have.
        ValueError: the name is taken.

    Example:
        >>> from autograd import OPS, primitive, tensor
        >>> @primitive(lambda g, x: 3 * x * x * g)
        ... def cube(x):
        ...     return x * x * x
        >>> x = tensor(2.0, requires_grad=True)
        >>> cube(x).backward()
        >>> x.grad
        tensor(12.)
        >>> del OPS["cube"]
    """

    def register(forward: Callable[..., Any]) -> Op:
        if forward.__name__ in OPS:
            raise ValueError(f"primitive: the name '{forward.__name__}' is taken")
        cases = case if isinstance(case, tuple) else (case,)
        parameters = inspect.signature(forward).parameters
        pair = len(parameters) == 2 and all(p.kind <= 1 for p in parameters.values())
        op = (PairOp if pair and broadcasts else Op)(
            forward,
            rules,
            joint=joint,
            residuals=residuals,
            broadcasts=broadcasts,
            promote=promote,
            cases=cases,
        )
        OPS[op.name] = op
        return op

    return register
