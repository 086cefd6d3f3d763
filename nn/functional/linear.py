"""Affine maps, unit vectors and encodings of classes."""

from __future__ import annotations

import autograd
from autograd import Tensor, ops
from autograd.errors import DtypeError, ShapeError

__all__ = ["bilinear", "linear", "normalize", "one_hot"]


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias``

    Args:
        input: (..., in).
        weight: (out, in), or (in,) for a result of shape (...).
        bias: (out,), or () for a weight of shape (in,).

    Raises:
        ShapeError: the last size of the input is not that of the weight.

    >>> from autograd import tensor
    >>> linear(tensor([[1.0, 2.0]]), tensor([[1.0, 1.0], [0.0, 2.0]]), tensor([0.0, 1.0])).tolist()
    [[3.0, 5.0]]
    """
    if weight.ndim == 2:
        return ops.linear(input, weight, bias)
    if weight.ndim != 1:
        raise ShapeError(
            f"linear: weight has shape {tuple(weight.shape)}, expected (out, in) or (in,)"
        )
    if bias is not None and bias.ndim:
        raise ShapeError(
            f"linear: bias has shape {tuple(bias.shape)}, expected () (weight "
            f"{tuple(weight.shape)})"
        )
    out = ops.linear(input, weight.unsqueeze(0), None).squeeze(-1)  # (in,) -> (1, in); (..., 1)
    return out if bias is None else out + bias


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``out[k] = sum over i, j of x1[i] * weight[k, i, j] * x2[j] + bias[k]``

    Args:
        input1: (..., in1).
        input2: (..., in2), with the same sizes before the last.
        weight: (out, in1, in2).
        bias: (out,).
    """
    first, second, shape = tuple(input1.shape), tuple(input2.shape), tuple(weight.shape)
    if first[:-1] != second[:-1]:
        raise ShapeError(
            f"bilinear: batch sizes of the inputs differ (input1 {first}, input2 {second})"
        )
    if len(shape) != 3 or first[-1:] != shape[1:2] or second[-1:] != shape[2:]:
        raise ShapeError(
            f"bilinear: weight (out, in1, in2) has shape {shape}, "
            f"input1 {first[-1:]} and input2 {second[-1:]} features"
        )
    if bias is not None and tuple(bias.shape) != shape[:1]:
        raise ShapeError(f"bilinear: bias has shape {tuple(bias.shape)}, expected {shape[:1]}")
    x = input1.reshape(-1, shape[1])  # (..., in1) -> (n, in1)
    y = input2.reshape(-1, shape[2])  # (..., in2) -> (n, in2)
    out = autograd.einsum("ni,kij,nj->nk", x, weight, y)
    if bias is not None:
        out = out + bias
    return out.reshape(*first[:-1], shape[0])  # (n, out) -> (..., out)


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A row of zeros with a one at the class: (...) -> (..., num_classes), of dtype int64.

    Args:
        tensor: class indices of any shape.
        num_classes: -1 for one more than the largest class that occurs.

    >>> from autograd import tensor
    >>> one_hot(tensor([1, 0]), 3).tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    check_integers("one_hot", "tensor", tensor)
    if num_classes == -1:
        if tensor.numel() == 0:
            raise ValueError("one_hot: no classes to count in an empty tensor, give num_classes")
        num_classes = int(tensor.max()) + 1
    check_range("one_hot", "tensor", tensor, num_classes)
    return (tensor.unsqueeze(-1) == autograd.arange(num_classes)).to(autograd.int64)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """``x / max(norm(x), eps)`` with the p-norm along a dimension."""
    return input / autograd.clamp(input.norm(p, dim, keepdim=True), min=eps)


def check_integers(operation: str, name: str, values: Tensor) -> None:
    if values.dtype.kind not in "iu":
        raise DtypeError(
            f"{operation}: {name} holds indices and must be of an integer type, got {values.dtype}"
        )


def check_range(operation: str, name: str, values: Tensor, count: int) -> None:
    """Refuse indices outside ``[0, count)``; NumPy would count negative ones from the end."""
    if not values.numel():
        return
    lowest, highest = int(values.array.min()), int(values.array.max())
    if lowest < 0 or highest >= count:
        raise IndexError(
            f"{operation}: {name} holds index {lowest if lowest < 0 else highest}, "
            f"expected 0 to {count - 1}"
        )
