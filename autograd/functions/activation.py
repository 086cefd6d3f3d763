"""Softmax and its logarithm, under PyTorch's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd import ops
from autograd.errors import DtypeError
from autograd.functions.arguments import one_dim, raw, tensor_of

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = ["log_softmax", "softmax"]


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """``exp(input) / sum(exp(input))`` along an axis, without overflow.

    Example:
        >>> import autograd
        >>> autograd.softmax(autograd.tensor([0.0, 0.0]), dim=0)
        tensor([0.5000, 0.5000])
    """
    x = floating("softmax", input, dtype)
    return ops.softmax(x, dim=one_dim("softmax", dim, raw(x).ndim))


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, exact where softmax itself would be 0.

    Example:
        >>> import autograd
        >>> autograd.log_softmax(autograd.tensor([0.0, 1000.0]), dim=0)
        tensor([-1000.,     0.])
    """
    x = floating("log_softmax", input, dtype)
    return ops.log_softmax(x, dim=one_dim("log_softmax", dim, raw(x).ndim))


def floating(name: str, input: Tensor, dtype: Any) -> Tensor:
    x = tensor_of(name, input) if dtype is None else input.to(dtype)
    if raw(x).dtype.kind not in "fc":
        raise DtypeError(f"{name}: input must be floating-point, got {raw(x).dtype}; pass a dtype")
    return x
