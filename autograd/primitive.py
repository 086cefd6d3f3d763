"""The table of primitives: operations with a derivative formula of their own.

    @primitive(lambda g, y: g * y, lambda g, x: g * x, broadcasts=True)
    def mul(x, y):
        return x * y

A primitive is a plain function on arrays: its positional parameters are the inputs, its
keyword-only parameters the attributes. There is one rule per input, and a rule is told what it
reads by the names of its parameters, after the incoming gradient:

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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograd.op import Op, PairOp
from autograd.plans import Rule

__all__ = ["OPS", "Case", "Op", "primitive"]


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


OPS: dict[str, Op] = {}
"""Every primitive by name: the one source for the engine, the tests, the documentation and the
drawing."""


def primitive(
    *rules: Rule | None,
    joint: Rule | None = None,
    residuals: tuple[str, ...] = (),
    broadcasts: bool = False,
    elementwise: bool = False,
    formula: Callable[..., Any] | None = None,
    promote: Callable[[list[Any]], list[Any]] | None = None,
    case: Case | tuple[Case, ...] = (),
) -> Callable[[Callable[..., Any]], Op]:
    """Register a function on arrays as a primitive, with one rule per input.

    Args:
        rules: for each input, the gradient with respect to it, or None where there is none.
        joint: one rule for all inputs, in place of `rules`.
        residuals: names of what the forward returns after its output, for the rules to read.
        broadcasts: the inputs broadcast against each other; gradients are summed back.
        elementwise: each element of the result, and of the gradients, depends on the same elements
            of the inputs only. Large arrays are then worked on some elements at a time, by several
            threads, see `autograd.kernels.tape`. What is computed must depend on the inputs alone,
            for it is looked at only once.
        formula: the same function by operators, NumPy's functions and primitives alone, for that,
            where the function itself does it otherwise.
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
        simple = broadcasts and joint is None and not residuals and PairOp.fits(forward)
        make = PairOp if simple else Op
        op = make(
            forward,
            rules,
            joint=joint,
            residuals=residuals,
            broadcasts=broadcasts,
            elementwise=elementwise,
            formula=formula or forward,
            promote=promote,
            cases=cases,
        )
        OPS[op.name] = op
        return op

    return register
