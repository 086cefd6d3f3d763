"""Matrix products."""

from __future__ import annotations

from math import prod as product_of
from typing import Any

import numpy as np

from autograd.dtypes import promote
from autograd.errors import ShapeError
from autograd.ops.reduce import sum
from autograd.ops.shape import permute, reshape
from autograd.primitive import Case, primitive


def swap_last(x: Any) -> Any:
    """The last two axes exchanged, as a view."""
    count = len(x.shape)
    return permute(x, dims=(*range(count - 2), count - 1, count - 2))


def matrix_rows(x: Any) -> Any:
    """All axes but the last joined: (..., k) -> (rows, k)."""
    return reshape(x, shape=(product_of(x.shape[:-1]), x.shape[-1]))


def matmul_rule_y(g: Any, x: Any, y_shape: tuple[int, ...]) -> Any:
    """One product for all batches when y is a single matrix: no stack to be summed afterwards."""
    if len(y_shape) == 2 and len(x.shape) > 2:
        return matmul(swap_last(matrix_rows(x)), matrix_rows(g))
    return matmul(swap_last(x), g)


@primitive(
    lambda g, y: matmul(g, swap_last(y)),
    lambda g, x, y_shape: matmul_rule_y(g, x, y_shape),
    broadcasts=True,
    promote=promote,
    case=(
        Case(shapes=((2, 3), (3, 4))),
        Case(shapes=((2, 2, 3), (3, 2))),
        Case(shapes=((2, 1, 2, 3), (3, 3, 2))),
    ),
)
def matmul(x: Any, y: Any) -> Any:
    """The matrix product of the last two axes; those before them broadcast."""
    if x.shape[-1] != y.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {x.shape} and {y.shape} do not multiply: "
            f"the first has {x.shape[-1]} columns, the second {y.shape[-2]} rows"
        )
    return np.matmul(x, y)


@primitive(
    lambda g, weight: matmul(g, weight),
    lambda g, x: matmul(swap_last(matrix_rows(g)), matrix_rows(x)),
    lambda g: sum(matrix_rows(g), dim=(0,), keepdim=False),
    promote=promote,
    case=(Case(shapes=((2, 3), (4, 3), (4,))), Case(shapes=((2, 2, 3), (1, 3), (1,)))),
)
def linear(x: Any, weight: Any, bias: Any) -> Any:
    """``x @ weight.T + bias``: x (..., in), weight (out, in), bias (out,) or None"""
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: input of shape {x.shape} has {x.shape[-1] if x.ndim else 'no'} features, "
            f"weight expects {weight.shape[1]} (weight {weight.shape})"
        )
    out = np.matmul(x, weight.T)
    if bias is not None:
        if bias.shape != weight.shape[:1]:
            raise ShapeError(
                f"linear: bias has shape {bias.shape}, expected {weight.shape[:1]} "
                f"(weight {weight.shape})"
            )
        out += bias
    return out


def einsum_rule(g: Any, needs: Any, operands: Any, terms: Any, output: str) -> list[Any]:
    """The gradient of an operand is the einsum of the others with g in place of the output."""
    gradients: list[Any] = []
    for place, needed in enumerate(needs):
        others = [k for k in range(len(operands)) if k != place]
        gradients.append(
            einsum(
                g,
                *[operands[k] for k in others],
                terms=(output, *[terms[k] for k in others]),
                output=terms[place],
            )
            if needed
            else None
        )
    return gradients


@primitive(
    joint=einsum_rule,
    promote=promote,
    case=(
        Case(shapes=((2, 3), (3, 4)), attributes={"terms": ("ij", "jk"), "output": "ik"}),
        Case(
            shapes=((2, 3), (2, 4), (3, 4)),
            attributes={"terms": ("bi", "bj", "ij"), "output": "b"},
        ),
    ),
)
def einsum(*operands: Any, terms: tuple[str, ...], output: str) -> Any:
    """The sum of products with explicit subscripts.

    No letter occurs twice in a term, and each stands in the output or in two operands at least.
    """
    return np.einsum(",".join(terms) + "->" + output, *operands, optimize=len(operands) > 2)
