"""Derivatives of functions: Jacobians, Hessians, and their products with vectors.

Each takes a function of tensors and the tensors at which to differentiate it, and mirrors in its
result whether a tensor or a tuple was given. With ``f`` the function, ``J[i][j]`` the derivative of
output ``i`` by input ``j``, and ``H`` the Hessian of a function with one number as its output:

    jacobian  J         vjp  vᵀJ        jvp  Jv
    hessian   H         vhp  vᵀH        hvp  Hv

Unless ``strict``, what does not depend on an input has a derivative of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autograd.creation import ones_like, tensor, zeros, zeros_like
from autograd.errors import GraphError, ShapeError
from autograd.functions.joining import stack
from autograd.gradients import grad
from autograd.modes import enable_grad
from autograd.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

Tensors: TypeAlias = "Tensor | tuple[Tensor, ...]"


def jacobian(
    func: Callable[..., Tensors], inputs: Tensors, create_graph: bool = False, strict: bool = False
) -> Any:
    """All derivatives of a function: ``J[i..., j...] = d output[i...] / d input[j...]``.

    Args:
        func: takes the inputs as its arguments and returns a tensor or a tuple of tensors.
        inputs: a tensor or a tuple of tensors.
        create_graph: make the result differentiable in turn.
        strict: raise where an output does not depend on an input, in place of zeros.

    Returns:
        A tensor of shape ``output.shape + input.shape``; a tuple of them, one per input, where
        the inputs are a tuple; and a tuple of that, one per output, where the outputs are.

    Raises:
        TypeError: the inputs or outputs are neither a tensor nor a tuple of tensors.
        RuntimeError: `strict`, and an output does not depend on an input.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.jacobian(lambda x: x * x, tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])
    """
    return Call.of("jacobian", func, inputs, create_graph, strict).jacobian()


def hessian(
    func: Callable[..., Tensor], inputs: Tensors, create_graph: bool = False, strict: bool = False
) -> Any:
    """All second derivatives of a function with one number as its output.

    Arguments as for `jacobian`. With a tuple of inputs the result is a tuple of tuples:
    ``H[i][j]`` has shape ``inputs[i].shape + inputs[j].shape``.

    Raises:
        RuntimeError: `func` returns something other than a tensor with one element.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.hessian(lambda x: (x**3).sum(), tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])
    """

    def gradient(*variables: Tensor) -> tuple[Tensor, ...]:
        return Call.of("hessian", func, variables, True, strict).gradient_of_number()

    rows = Call.of("hessian", gradient, inputs, create_graph, strict).jacobian()
    return rows[0] if isinstance(inputs, Tensor) else rows


def vjp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value, and the product ``vᵀJ`` of a vector with its Jacobian.

    Arguments as for `jacobian`; `v` has the shapes of the outputs, and may be left out where that
    is a single number.

    Raises:
        RuntimeError: `v` is missing, or does not fit.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.vjp(lambda x: x * x, tensor([1.0, 2.0]), v=tensor([1.0, 10.0]))
        (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    call = Call.of("vjp", func, inputs, create_graph, strict)
    vector = call.vector(v, call.outputs, "outputs")
    product = call.differentiate(call.outputs, call.inputs, vector)
    return call.value(), call.finish(product, call.single_input)


def jvp(
    func: Callable[..., Tensors],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The function's value, and the product ``Jv`` of its Jacobian with a vector.

    Arguments as for `jacobian`; `v` has the shapes of the inputs, and may be left out where that is
    a single number. Computed from two backward passes: ``uᵀJ`` is linear in ``u``, and its
    derivative by ``u`` along ``v`` is ``Jv``.

    Raises:
        RuntimeError: `v` is missing, or does not fit.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.jvp(lambda x: x * x, tensor([1.0, 2.0]), v=tensor([1.0, 10.0]))
        (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    call = Call.of("jvp", func, inputs, create_graph, strict)
    vector = call.vector(v, call.inputs, "inputs")
    u = tuple(zeros_like(output, requires_grad=True) for output in call.outputs)
    pulled = call.differentiate(call.outputs, call.inputs, u, create_graph=True)
    product = call.differentiate(pulled, u, vector)
    return call.value(), call.finish(product, call.single_output)


def vhp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a function with one number as its output, and the product ``vᵀH``.

    Arguments as for `jacobian`; `v` has the shapes of the inputs, and may be left out where that is
    a single number. Computed as the gradient of ``vᵀ grad f``, without the Hessian.

    Raises:
        RuntimeError: `v` is missing, or does not fit; or `func` returns more than one number.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.vhp(lambda x: (x**3).sum(), tensor([1.0, 2.0]), v=tensor([1.0, 10.0]))
        (tensor(9.), tensor([  6., 120.]))
    """
    return hessian_product("vhp", func, inputs, v, create_graph, strict)


def hvp(
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """The value of a function with one number as its output, and the product ``Hv``.

    The same as `vhp`, since a Hessian is symmetric wherever its entries are continuous.

    Example:
        >>> from autograd import functional, tensor
        >>> functional.hvp(lambda x: (x**3).sum(), tensor([1.0, 2.0]), v=tensor([1.0, 10.0]))
        (tensor(9.), tensor([  6., 120.]))
    """
    return hessian_product("hvp", func, inputs, v, create_graph, strict)


def hessian_product(
    name: str,
    func: Callable[..., Tensor],
    inputs: Tensors,
    v: Tensors | None,
    create_graph: bool,
    strict: bool,
) -> tuple[Any, Any]:
    call = Call.of(name, func, inputs, create_graph, strict)
    vector = call.vector(v, call.inputs, "inputs")
    gradient = call.gradient_of_number()
    product = call.differentiate(gradient, call.inputs, vector)
    return call.value(), call.finish(product, call.single_input)


@dataclass
class Call:
    """One evaluation of a user's function, ready to be differentiated."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    single_input: bool
    single_output: bool
    create_graph: bool
    strict: bool

    @classmethod
    def of(
        cls,
        name: str,
        func: Callable[..., Tensors],
        inputs: Tensors,
        create_graph: bool,
        strict: bool,
    ) -> Call:
        """Evaluate a function at fresh variables, which keep their history if that is wanted."""
        given = as_tuple(name, "inputs", inputs)
        with enable_grad():
            variables = tuple(
                x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_()
                for x in given
            )
            result = func(*variables)
        outputs = as_tuple(name, "what the function returns", result)
        for position, output in enumerate(outputs):
            if strict and not output.requires_grad:
                raise GraphError(f"{name}: strict, but output {position} depends on no input")
        single_input, single_output = isinstance(inputs, Tensor), isinstance(result, Tensor)
        return cls(name, variables, outputs, single_input, single_output, create_graph, strict)

    def differentiate(
        self,
        outputs: Sequence[Tensor],
        inputs: Sequence[Tensor],
        weights: Sequence[Tensor],
        create_graph: bool | None = None,
    ) -> tuple[Tensor, ...]:
        """The gradient by `inputs` of the weighted sum of `outputs`; zeros where there is none."""
        recorded = self.create_graph if create_graph is None else create_graph
        pairs = [(y, w) for y, w in zip(outputs, weights, strict=True) if y.requires_grad]
        found: tuple[Tensor | None, ...] = (None,) * len(inputs)
        if pairs:
            roots, seeds = zip(*pairs, strict=True)
            found = grad(roots, inputs, seeds, True, recorded, allow_unused=True)
        if self.strict and any(g is None for g in found):
            raise GraphError(f"{self.name}: strict, but an output does not depend on every input")
        if self.strict and recorded and not all(g is not None and g.requires_grad for g in found):
            raise GraphError(f"{self.name}: strict, but a derivative does not depend on the inputs")
        return tuple(zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True))

    def jacobian(self) -> Any:
        """The derivatives of each output by each input, in the form of `jacobian`'s result."""
        results = [self.finish(self.rows_of(y), self.single_input) for y in self.outputs]
        return results[0] if self.single_output else tuple(results)

    def rows_of(self, output: Tensor) -> tuple[Tensor, ...]:
        """The derivatives of one output by each input, from one backward pass per element."""
        rows = []
        for element in range(output.numel()):
            unit = np.zeros(output.shape, output.dtype)
            unit.flat[element] = 1
            rows.append(self.differentiate((output,), self.inputs, (tensor(unit),)))
        if not rows:
            return tuple(zeros((*output.shape, *x.shape), dtype=x.dtype) for x in self.inputs)
        return tuple(
            stack(parts).reshape(*output.shape, *x.shape)  # (numel, *input) -> (*output, *input)
            for x, parts in zip(self.inputs, zip(*rows, strict=True), strict=True)
        )

    def gradient_of_number(self) -> tuple[Tensor, ...]:
        """The gradient of a function with one number as its output, differentiable in turn."""
        if not self.single_output or self.outputs[0].numel() != 1:
            shapes = ", ".join(str(tuple(output.shape)) for output in self.outputs)
            raise ShapeError(
                f"{self.name}: the function must return one tensor with one element, got {shapes}"
            )
        weight = ones_like(self.outputs[0])
        return self.differentiate(self.outputs, self.inputs, (weight,), create_graph=True)

    def vector(self, v: Tensors | None, like: tuple[Tensor, ...], what: str) -> tuple[Tensor, ...]:
        """The vector of a product, which has the shapes of the inputs or outputs."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise ShapeError(
                    f"{self.name}: v may be left out only where the {what} are a single number"
                )
            return (ones_like(like[0]),)
        given = as_tuple(self.name, "v", v)
        came, wanted = [tuple(x.shape) for x in given], [tuple(x.shape) for x in like]
        if came != wanted:
            raise ShapeError(f"{self.name}: v has the shapes {came}, the {what} have {wanted}")
        return given

    def value(self) -> Any:
        return self.finish(self.outputs, self.single_output)

    def finish(self, values: tuple[Tensor, ...], single: bool) -> Any:
        """Results in the form of what was given, without history unless that is wanted."""
        if not self.create_graph:
            values = tuple(value.detach() for value in values)
        return values[0] if single else values


def as_tuple(name: str, what: str, given: Any) -> tuple[Tensor, ...]:
    tensors = given if isinstance(given, tuple) else (given,)
    for x in tensors:
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{name}: {what} must be a tensor or a tuple of tensors, got {type(x).__name__}"
                f"{' in a tuple' if isinstance(given, tuple) else ''}"
            )
    return tensors
