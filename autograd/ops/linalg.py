"""Matrix products."""

from __future__ import annotations

from math import prod as product_of
from typing import Any

import numpy as np

from autograd import kernels
from autograd.dtypes import promote
from autograd.errors import ShapeError
from autograd.ops.elementwise import quiet
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
@quiet
def matmul(x: Any, y: Any) -> Any:
    """The matrix product of the last two axes; those before them broadcast."""
    if x.shape[-1] != y.shape[-2]:
        raise ShapeError(
            f"matmul: shapes {x.shape} and {y.shape} do not multiply: "
            f"the first has {x.shape[-1]} columns, the second {y.shape[-2]} rows"
        )
    return kernels.matmul(x, y)


@primitive(
    lambda g, weight: matmul(g, weight),
    lambda g, x: matmul(swap_last(matrix_rows(g)), matrix_rows(x)),
    lambda g: sum(matrix_rows(g), dim=(0,), keepdim=False),
    promote=promote,
    case=(Case(shapes=((2, 3), (4, 3), (4,))), Case(shapes=((2, 2, 3), (1, 3), (1,)))),
)
@quiet
def linear(x: Any, weight: Any, bias: Any) -> Any:
    """``x @ weight.T + bias``: x (..., in), weight (out, in), bias (out,) or None"""
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"linear: input of shape {x.shape} has {x.shape[-1] if x.ndim else 'no'} features, "
            f"weight expects {weight.shape[1]} (weight {weight.shape})"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ShapeError(
            f"linear: bias has shape {bias.shape}, expected {weight.shape[:1]} "
            f"(weight {weight.shape})"
        )
    return kernels.linear(x, weight, bias)


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
        Case(shapes=((2, 3),), attributes={"terms": ("ij",), "output": "ji"}),
        Case(shapes=((2,), (3,)), attributes={"terms": ("i", "j"), "output": "ji"}),
        Case(shapes=((3,), (3,)), attributes={"terms": ("i", "i"), "output": ""}),
        Case(shapes=((2, 3), (3, 2)), attributes={"terms": ("ij", "ji"), "output": "ij"}),
        Case(
            shapes=((2, 3, 2), (2, 2, 4)),
            attributes={"terms": ("bij", "bjk"), "output": "kbi"},
        ),
        Case(
            shapes=((2, 3), (2, 4), (3, 4)),
            attributes={"terms": ("bi", "bj", "ij"), "output": "b"},
        ),
    ),
)
@quiet
def einsum(*operands: Any, terms: tuple[str, ...], output: str) -> Any:
    """The sum of products with explicit subscripts.

    No letter occurs twice in a term, and each stands in the output or in two operands at least.
    """
    todo = list(zip(operands, terms, strict=True))
    path: Any = [tuple(range(len(operands)))]
    if len(operands) > 2:
        path = np.einsum_path(joined(terms, output), *operands, optimize="greedy")[0][1:]
    for places in path:
        parts = [todo.pop(place) for place in sorted(places, reverse=True)]
        needed = set(output).union(*(term for _, term in todo))
        letters = dict.fromkeys("".join(term for _, term in parts))
        kept = "".join(letter for letter in letters if letter in needed) if todo else output
        todo.append((contract(parts, kept), kept))
    return todo[0][0]


def joined(terms: Any, output: str) -> str:
    return ",".join(terms) + "->" + output


def contract(parts: list[tuple[Any, str]], output: str) -> Any:
    """The einsum of some operands; of two with a common sum, by a matrix product."""
    shared = set(parts[0][1]) & set(parts[-1][1])
    inner = [letter for letter in parts[0][1] if letter in shared and letter not in output]
    if len(parts) != 2 or not inner or len(shared) == len(set(parts[0][1] + parts[1][1])):
        arrays, terms = zip(*parts, strict=True)
        return np.einsum(joined(terms, output), *arrays)
    (x, x_term), (y, y_term) = parts
    batch = [letter for letter in output if letter in shared]
    left = [letter for letter in output if letter in x_term and letter not in shared]
    right = [letter for letter in output if letter in y_term and letter not in shared]
    sizes = {**dict(zip(x_term, x.shape, strict=True)), **dict(zip(y_term, y.shape, strict=True))}

    def grouped(array: Any, term: str, *groups: list[str]) -> Any:
        """The axes in the order of the groups, those of each group after the first joined."""
        lead = [sizes[letter] for letter in batch]
        counts = [product_of(sizes[letter] for letter in group) for group in groups]
        order = [term.index(letter) for group in (batch, *groups) for letter in group]
        return np.transpose(array, order).reshape(*lead, *counts)

    product = np.matmul(grouped(x, x_term, left, inner), grouped(y, y_term, inner, right))
    letters = batch + left + right
    apart = product.reshape([sizes[letter] for letter in letters])  # (b, l, r) -> (letters...)
    return np.transpose(apart, [letters.index(letter) for letter in output])
