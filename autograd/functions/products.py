"""Products of matrices and vectors, under PyTorch's names."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops
from autograd.errors import ShapeError
from autograd.functions.arguments import one_dim, raw, scaled, tensor_of
from autograd.functions.arranging import roll
from autograd.functions.reduction import norm
from autograd.functions.shaping import broadcast_tensors, unsqueeze

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "addmm",
    "baddbmm",
    "bmm",
    "cdist",
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "matmul",
    "mm",
    "mv",
    "outer",
    "tensordot",
    "trace",
]


def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product ``input @ other``; vectors count as a row or a column, batches broadcast.

    Args:
        input: (..., n, k) or (k,).
        other: (..., k, m) or (k,).

    Raises:
        ShapeError: the inner sizes differ, or an operand is 0-d.

    Example:
        >>> import autograd
        >>> autograd.matmul(autograd.tensor([[1.0, 2.0]]), autograd.tensor([3.0, 4.0]))
        tensor([11.])
    """
    x_shape, y_shape = np.shape(raw(input)), np.shape(raw(other))
    if not x_shape or not y_shape:
        raise ShapeError(f"matmul: operands must not be 0-d, got shapes {x_shape} and {y_shape}")
    inner_size = y_shape[-2] if len(y_shape) > 1 else y_shape[0]
    if x_shape[-1] != inner_size:
        raise ShapeError(
            f"matmul: shapes {x_shape} and {y_shape} do not multiply: "
            f"{x_shape[-1]} columns on the left, {inner_size} rows on the right"
        )
    if len(x_shape) > 1 and len(y_shape) > 1:
        return ops.matmul(input, other)
    left = input if len(x_shape) > 1 else unsqueeze(input, 0)
    right = other if len(y_shape) > 1 else unsqueeze(other, 1)
    product = ops.matmul(left, right)
    shape = list(raw(product).shape)
    if len(x_shape) == 1:
        del shape[-2]
    if len(y_shape) == 1:
        del shape[-1]
    return ops.reshape(product, shape=tuple(shape))


def dims_checked(name: str, *pairs: tuple[Any, int]) -> None:
    for tensor, count in pairs:
        if raw(tensor_of(name, tensor)).ndim != count:
            raise ShapeError(
                f"{name}: expected {count} dimensions, got a tensor of shape {raw(tensor).shape}"
            )


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices.

    Example:
        >>> import autograd
        >>> autograd.mm(autograd.tensor([[1.0, 2.0]]), autograd.tensor([[3.0], [4.0]]))
        tensor([[11.]])
    """
    dims_checked("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices: (b, n, k) and (b, k, m) give (b, n, m).

    Example:
        >>> import autograd
        >>> autograd.bmm(autograd.ones(2, 3, 4), autograd.ones(2, 4, 5)).shape
        Size([2, 3, 5])
    """
    dims_checked("bmm", (input, 3), (mat2, 3))
    if raw(input).shape[0] != raw(mat2).shape[0]:
        raise ShapeError(f"bmm: {raw(input).shape[0]} and {raw(mat2).shape[0]} matrices")
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector.

    Example:
        >>> import autograd
        >>> autograd.mv(autograd.tensor([[1.0, 2.0]]), autograd.tensor([3.0, 4.0]))
        tensor([11.])
    """
    dims_checked("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """The inner product of two vectors.

    Example:
        >>> import autograd
        >>> autograd.dot(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 4.0]))
        tensor(11.)
    """
    dims_checked("dot", (input, 1), (tensor, 1))
    if raw(input).size != raw(tensor).size:
        raise ShapeError(f"dot: vectors of {raw(input).size} and {raw(tensor).size} values")
    return matmul(input, tensor)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The inner product over the last axes of both.

    Example:
        >>> import autograd
        >>> autograd.inner(autograd.ones(2, 3), autograd.ones(4, 3)).shape
        Size([2, 4])
    """
    if raw(input).ndim == 0 or raw(other).ndim == 0:
        return ops.mul(input, other)
    return tensordot(input, other, ([-1], [-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """All products of the elements of two vectors, as a matrix.

    Example:
        >>> import autograd
        >>> autograd.outer(autograd.tensor([1, 2]), autograd.tensor([3, 4]))
        tensor([[3, 4],
                [6, 8]])
    """
    dims_checked("outer", (input, 1), (vec2, 1))
    return ops.mul(unsqueeze(input, 1), vec2)


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha * (mat1 @ mat2)``.

    Example:
        >>> import autograd
        >>> autograd.addmm(autograd.ones(1, 1), autograd.ones(1, 3), autograd.ones(3, 1))
        tensor([[4.]])
    """
    product = mm(mat1, mat2)
    return ops.add(
        scaled("addmm", "beta", beta, input, product),
        scaled("addmm", "alpha", alpha, product, input),
    )


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` for batches of matrices.

    Example:
        >>> import autograd
        >>> rows, columns = autograd.ones(2, 1, 3), autograd.ones(2, 3, 1)
        >>> autograd.baddbmm(autograd.ones(1), rows, columns).shape
        Size([2, 1, 1])
    """
    product = bmm(batch1, batch2)
    return ops.add(
        scaled("baddbmm", "beta", beta, input, product),
        scaled("baddbmm", "alpha", alpha, product, input),
    )


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    Example:
        >>> import autograd
        >>> autograd.trace(autograd.tensor([[1, 2], [3, 4]]))
        tensor(5)
    """
    dims_checked("trace", (input, 2))
    return ops.sum(ops.diagonal(input, offset=0, dim1=0, dim2=1), dim=(0,), keepdim=False)


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The sum of products over pairs of axes: the last of a with the first of b, or as listed.

    Example:
        >>> import autograd
        >>> autograd.tensordot(autograd.ones(2, 3), autograd.ones(3, 4), dims=1).shape
        Size([2, 4])
    """
    a_shape, b_shape = raw(a).shape, raw(b).shape
    rank_a, rank_b = len(a_shape), len(b_shape)
    if isinstance(dims, int):
        if not 0 <= dims <= min(rank_a, rank_b):
            raise ShapeError(f"tensordot: {dims} axes of shapes {a_shape} and {b_shape}")
        pairs = [(rank_a - dims + k, k) for k in range(dims)]
    else:
        if len(dims[0]) != len(dims[1]):
            raise ShapeError(f"tensordot: dims {dims} do not pair axes")
        first = [one_dim("tensordot", dim, rank_a) for dim in dims[0]]
        second = [one_dim("tensordot", dim, rank_b) for dim in dims[1]]
        pairs = list(zip(first, second, strict=True))
    for i, j in pairs:
        if a_shape[i] != b_shape[j]:
            raise ShapeError(
                f"tensordot: axis {i} of {a_shape} and axis {j} of {b_shape} have different sizes"
            )
    letters = iter(string.ascii_letters)
    left = [next(letters) for _ in range(rank_a)]
    right = [next(letters) for _ in range(rank_b)]
    for i, j in pairs:
        right[j] = left[i]
    shared = {left[i] for i, _ in pairs}
    output = "".join(letter for letter in left + right if letter not in shared)
    return einsum(f"{''.join(left)},{''.join(right)}->{output}", a, b)


def einsum(equation: str, *operands: Any) -> Tensor:
    """Sums of products in Einstein's notation.

    A letter names an axis; letters missing on the right are summed over; a letter twice in one
    term takes the diagonal; ``...`` stands for any number of axes, which broadcast.

    Args:
        equation: such as ``"bij,bjk->bik"``; without ``->`` the letters that occur once remain,
            in alphabetical order.
        operands: one tensor for each term, or one sequence of them.

    Raises:
        ValueError: terms, operands and sizes do not fit.

    Example:
        >>> import autograd
        >>> x = autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
        >>> autograd.einsum("ii->i", x)
        tensor([1., 4.])
    """
    tensors = list(
        operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    )
    terms, output = subscripts(equation, [raw(tensor).ndim for tensor in tensors])
    sizes: dict[str, int] = {}
    for term, tensor in zip(terms, tensors, strict=True):
        for letter, size in zip(term, raw(tensor).shape, strict=True):
            if sizes.get(letter, 1) not in (1, size) and size != 1:
                raise ShapeError(
                    f"einsum: '{letter}' of '{equation}' has sizes {sizes[letter]} and {size}"
                )
            sizes[letter] = max(size, sizes.get(letter, 1)) if size != 0 else 0
    for letter in output:
        if letter not in sizes:
            raise ValueError(f"einsum: '{letter}' on the right of '{equation}' has no term")
    prepared = [prepare(tensor, term) for tensor, term in zip(tensors, terms, strict=True)]
    for place, (tensor, term) in enumerate(prepared):
        elsewhere = set(output).union(
            *(other for k, (_, other) in enumerate(prepared) if k != place)
        )
        # an axis of size 1 that meets a larger one broadcasts; one that meets nothing is summed
        shape = tuple(
            sizes[letter] if letter in elsewhere else size
            for letter, size in zip(term, raw(tensor).shape, strict=True)
        )
        if shape != raw(tensor).shape:
            tensor = ops.expand(tensor, shape=shape)
        lonely = tuple(axis for axis, letter in enumerate(term) if letter not in elsewhere)
        if lonely:
            tensor = ops.sum(tensor, dim=lonely, keepdim=False)
            term = "".join(letter for letter in term if letter in elsewhere)
        prepared[place] = (tensor, term)
    return ops.einsum(
        *(tensor for tensor, _ in prepared),
        terms=tuple(term for _, term in prepared),
        output=output,
    )


def subscripts(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The terms and the output of an equation, with letters in place of the dots."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: '{equation}' has {len(terms)} terms for {len(ranks)} operands")
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    longest = 0
    for place, (term, rank) in enumerate(zip(terms, ranks, strict=True)):
        named = len(term.replace("...", ""))
        if named > rank or ("..." not in term and named != rank):
            raise ShapeError(
                f"einsum: term '{term}' of '{equation}' names {named} axes, "
                f"operand {place} has {rank}"
            )
        if "..." in term:
            count = rank - named
            longest = max(longest, count)
            terms[place] = term.replace("...", "".join(reversed(spare[:count])))
    dots = "".join(reversed(spare[:longest]))
    if arrow:
        output = right.replace("...", dots)
    else:
        every = left.replace(",", "").replace("...", "")
        output = dots + "".join(sorted(c for c in set(every) if every.count(c) == 1))
    if not all(letter in string.ascii_letters for letter in "".join(terms) + output):
        raise ValueError(f"einsum: '{equation}' may contain letters, ',', '...' and '->' only")
    if len(set(output)) != len(output):
        raise ValueError(f"einsum: a letter occurs twice on the right of '{equation}'")
    return terms, output


def prepare(tensor: Any, term: str) -> tuple[Any, str]:
    """An operand with the diagonals taken for the letters that occur twice in its term."""
    for letter in dict.fromkeys(term):
        while term.count(letter) > 1:
            first = term.index(letter)
            second = term.index(letter, first + 1)
            tensor = ops.diagonal(tensor, offset=0, dim1=first, dim2=second)
            term = "".join(c for k, c in enumerate(term) if k not in (first, second)) + letter
    return tensor, term


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product of 3-vectors along an axis, by default the first axis of size 3.

    Example:
        >>> import autograd
        >>> autograd.cross(autograd.tensor([1.0, 0.0, 0.0]), autograd.tensor([0.0, 1.0, 0.0]))
        tensor([0., 0., 1.])
    """
    try:
        x, y = broadcast_tensors(tensor_of("cross", input), tensor_of("cross", other, "other"))
    except ShapeError:
        raise ShapeError(
            f"cross: shapes {raw(input).shape} and {raw(other).shape} do not broadcast"
        ) from None
    if dim is None:
        axis = next((k for k, size in enumerate(x.shape) if size == 3), None)
        if axis is None:
            raise ShapeError(f"cross: no axis of size 3 in {tuple(x.shape)}")
    else:
        axis = one_dim("cross", dim, x.ndim)
    if x.ndim == 0 or x.shape[axis] != 3:
        raise ShapeError(f"cross: dim {axis} of {tuple(x.shape)} must have size 3")
    after, before = ((roll(x, -1, axis), roll(y, -2, axis)), (roll(x, -2, axis), roll(y, -1, axis)))
    return ops.sub(ops.mul(*after), ops.mul(*before))


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: each value of the input times the whole of the other.

    Example:
        >>> import autograd
        >>> autograd.kron(autograd.tensor([1, 10]), autograd.tensor([1, 2]))
        tensor([ 1,  2, 10, 20])
    """
    rank = max(raw(input).ndim, raw(other).ndim)
    x_shape = (1,) * (rank - raw(input).ndim) + raw(input).shape
    y_shape = (1,) * (rank - raw(other).ndim) + raw(other).shape
    apart = tuple(size for s in x_shape for size in (s, 1))
    between = tuple(size for s in y_shape for size in (1, s))
    # (a, b) and (c, d) -> (a, 1, b, 1) and (1, c, 1, d) -> (a, c, b, d) -> (a * c, b * d)
    product = ops.mul(ops.reshape(input, shape=apart), ops.reshape(other, shape=between))
    joined = tuple(a * b for a, b in zip(x_shape, y_shape, strict=True))
    return ops.reshape(product, shape=joined)


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm of every difference of two rows: (..., n, k) and (..., m, k) give (..., n, m).

    Example:
        >>> import autograd
        >>> autograd.cdist(autograd.tensor([[0.0, 0.0]]), autograd.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5., 1.]])
    """
    shapes = raw(tensor_of("cdist", x1, "x1")).shape, raw(tensor_of("cdist", x2, "x2")).shape
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1]:
        raise ShapeError(
            f"cdist: expected shapes (..., n, k) and (..., m, k), got {shapes[0]} and {shapes[1]}"
        )
    return norm(ops.sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, dim=-1)
