"""The function under test: called with its variables replaced, in place or by copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.gradients import grad
from autograd.modes import enable_grad, is_grad_enabled, no_grad
from autograd.tensor import Tensor

__all__ = ["BadSubject", "Subject", "Variable"]

Array: TypeAlias = np.ndarray[Any, Any]


class BadSubject(Exception):  # noqa: N818 (it is a finding, not an error)
    """A function that cannot be checked, with the name of what is wrong and an explanation."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(frozen=True)
class Variable:
    """A tensor to differentiate by.

    Attributes:
        name: how a report calls it.
        tensor: its values, and memory, as given.
        place: the position among the arguments; None for one that the function knows by itself.
        in_place: whether other values are written into its memory, rather than passed as a copy.
    """

    name: str
    tensor: Tensor
    place: int | None
    in_place: bool = False


def tensors_of(value: Any) -> Iterator[Tensor]:
    """The tensors in what a function returned, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_of(item)


class Subject:
    """A function of tensors, and the variables by which it is differentiated.

    Args:
        fn: returns a tensor, or a tuple, list or dictionary of tensors.
        arguments: what it is called with.
        variables: the tensors to differentiate by.
        magnitude: of the values that it computes with, if they are not its outputs.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        arguments: Sequence[Any],
        variables: Sequence[Variable],
        magnitude: float = 0.0,
    ) -> None:
        self.magnitude = magnitude
        self.fn = fn
        self.arguments = tuple(arguments)
        self.variables = tuple(variables)
        self.points = [np.array(v.tensor.array, order="C") for v in variables]

    def call(self, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The floating-point outputs for these tensors in place of the variables.

        Raises:
            BadSubject: the function returns no tensor, or none of a floating-point type.
        """
        arguments = list(self.arguments)
        for variable, tensor in zip(self.variables, tensors, strict=True):
            if variable.place is not None:
                arguments[variable.place] = tensor
        returned = self.fn(*arguments)
        found = list(tensors_of(returned))
        if not found:
            raise BadSubject(
                "no tensor", f"the function returned {type(returned).__name__}, not a tensor"
            )
        outputs = tuple(tensor for tensor in found if tensor.dtype.kind == "f")
        if not outputs:
            kinds = ", ".join(str(tensor.dtype) for tensor in found)
            raise BadSubject("not differentiable", f"the function returned {kinds} only")
        return outputs

    @contextmanager
    def placed(self, arrays: Sequence[Array]) -> Iterator[list[Tensor]]:
        """Tensors with the given values; those that are written in place get theirs back."""
        tensors = []
        for variable, array, point in zip(self.variables, arrays, self.points, strict=True):
            if variable.in_place:
                if array is not point:  # the same tensor may be a variable twice
                    variable.tensor.array[...] = array
                tensors.append(variable.tensor)
            else:
                tensors.append(Tensor.__new__(Tensor))
                tensors[-1]._adopt(array, requires_grad=False)
        try:
            yield tensors
        finally:
            for variable, point in zip(self.variables, self.points, strict=True):
                if variable.in_place:
                    variable.tensor.array[...] = point

    def values(self, arrays: Sequence[Array]) -> list[Array]:
        """The outputs for other values of the variables, in memory of their own."""
        with self.placed(arrays) as tensors, no_grad(), np.errstate(all="ignore"):
            return [np.array(output.array) for output in self.call(tensors)]

    def flat(self, arrays: Sequence[Array]) -> Array:
        """All outputs in one row of float64."""
        with self.placed(arrays) as tensors, no_grad(), np.errstate(all="ignore"):
            parts = [np.ravel(output.array) for output in self.call(tensors)]
            return np.concatenate(parts).astype(np.float64)

    def record(self) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        """Leaves on the memory of the variables, and the outputs recorded from them."""
        leaves = []
        for variable in self.variables:
            leaf = variable.tensor
            if not variable.in_place:
                leaf = leaf.detach().requires_grad_()
            leaves.append(leaf)
        with enable_grad(), np.errstate(all="ignore"):
            return leaves, self.call(leaves)

    def derivative(
        self, cotangents: Sequence[Tensor], which: Sequence[int], magnitude: float
    ) -> Subject:
        """The gradient as a function of the variables and of the outputs' gradients.

        Args:
            cotangents: the gradients of the outputs.
            which: the positions of the outputs that they belong to.
            magnitude: of the function's values.
        """
        count = len(self.variables)
        arguments = [variable.tensor for variable in self.variables]

        def gradient(*tensors: Tensor) -> tuple[Tensor, ...]:
            recording = is_grad_enabled()
            with enable_grad():
                leaves = [
                    tensor if tensor.requires_grad else tensor.detach().requires_grad_()
                    for tensor in tensors[:count]
                ]
                outputs = self.call(leaves)
                return grad(
                    [outputs[k] for k in which],
                    leaves,
                    tensors[count:],
                    create_graph=recording,
                    materialize_grads=True,
                )

        variables = [
            Variable(v.name, v.tensor, place, v.in_place) for place, v in enumerate(self.variables)
        ]
        for place, (k, cotangent) in enumerate(zip(which, cotangents, strict=True)):
            name = f"the gradient of output {k}"
            variables.append(Variable(name, cotangent, count + place))
        return Subject(gradient, [*arguments, *cotangents], variables, magnitude)
