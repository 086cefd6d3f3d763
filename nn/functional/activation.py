"""Activation functions. Where there is a kink, the derivative on it is PyTorch's."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import autograd
from autograd import Tensor, ops

__all__ = [
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def elementwise(function: Callable[[Tensor], Tensor], input: Tensor, inplace: bool) -> Tensor:
    """Apply a function, writing the result over the input where that is asked.

    What the derivative reads is saved from a clone then: the write must not destroy it.
    """
    if not inplace:
        return function(input)
    return input.copy_(function(input.clone()))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The positive part, ``max(x, 0)``; the derivative at 0 is 0.

    >>> from autograd import tensor
    >>> relu(tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return input.relu_() if inplace else autograd.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(x, 0), 6)`` (Krizhevsky 2010); the derivative at 0 and at 6 is 0."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """``min(max(x, min_val), max_val)``; the derivative on both bounds is 0.

    Raises:
        ValueError: `max_val` is not above `min_val`.
    """
    if min_val > max_val:
        raise ValueError(f"hardtanh: min_val {min_val} is above max_val {max_val}")
    return elementwise(lambda x: ops.hardtanh(x, min_val, max_val), input, inplace)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """``x`` above 0 and ``negative_slope * x`` elsewhere.

    >>> from autograd import tensor
    >>> leaky_relu(tensor([-1.0, 2.0]), 0.5).tolist()
    [-0.5, 2.0]
    """
    return elementwise(lambda x: ops.leaky_relu(x, negative_slope), input, inplace)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``x`` above 0 and ``weight * x`` elsewhere, with one weight, or one for each channel.

    Args:
        input: (N, C, ...), or one dimension or none for a single channel.
        weight: (1,) or (C,).

    Raises:
        ShapeError: the weight is neither of size 1 nor of the number of channels.

    Reference: He et al. 2015, arXiv:1502.01852.
    """
    if weight.numel() > 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.shape[0] != channels:
            raise autograd.errors.ShapeError(
                f"prelu: weight has shape {tuple(weight.shape)}, expected (1,) or ({channels},) "
                f"for an input of shape {tuple(input.shape)}"
            )
        weight = weight.reshape(-1, *[1] * (input.ndim - 2))  # (C,) -> (C, 1, ...)
    elif not input.ndim:
        weight = weight.reshape(())  # (1,) -> ()
    out: Tensor = ops.prelu(input, weight)
    return out


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """``x`` above 0 and ``alpha * (exp(x) - 1)`` elsewhere.

    Reference: Clevert, Unterthiner and Hochreiter 2016, arXiv:1511.07289.
    """
    return elementwise(lambda x: ops.elu(x, alpha), input, inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """The self-normalising unit, ``1.0507 * elu(x, 1.6733)``.

    Reference: Klambauer et al. 2017, arXiv:1706.02515.
    """
    return elementwise(lambda x: SELU_SCALE * elu(x, SELU_ALPHA), input, inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x * Phi(x)`` with the normal distribution's Phi, exact or by its tanh approximation.

    Args:
        input: of any shape.
        approximate: ``"none"`` or ``"tanh"``.

    Raises:
        ValueError: another name.

    Reference: Hendrycks and Gimpel 2016, arXiv:1606.08415.
    """
    if approximate == "none":
        out: Tensor = ops.gelu(input)
        return out
    if approximate == "tanh":
        out = ops.gelu_tanh(input)
        return out
    raise ValueError(f"gelu: approximate is 'none' or 'tanh', got {approximate!r}")


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x * sigmoid(x)``, also called swish."""
    return elementwise(ops.silu, input, inplace)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """``log(1 + exp(beta * x)) / beta``, and x itself where ``beta * x`` is above `threshold`."""
    out: Tensor = ops.softplus(input, beta, threshold)
    return out


def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(x))`` without overflow or loss of digits on either side."""
    out: Tensor = ops.log_sigmoid(input)
    return out


def sigmoid(input: Tensor) -> Tensor:
    """``1 / (1 + exp(-x))``"""
    return autograd.sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent."""
    return autograd.tanh(input)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """``exp(x) / sum(exp(x))`` along a dimension, which adds up to 1.

    >>> from autograd import tensor
    >>> softmax(tensor([0.0, 0.0]), dim=0).tolist()
    [0.5, 0.5]
    """
    return autograd.softmax(input, chosen_dim("softmax", input, dim), dtype=dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """``log(softmax(x))`` along a dimension, exact also where the softmax would round to 0."""
    return autograd.log_softmax(input, chosen_dim("log_softmax", input, dim), dtype=dtype)


def chosen_dim(operation: str, input: Tensor, dim: int | None) -> int:
    """The dimension asked for, or PyTorch's choice with PyTorch's warning."""
    if dim is not None:
        return dim
    guess = 0 if input.ndim in (0, 1, 3) else 1
    warnings.warn(
        f"{operation}: dim was not given and is taken as {guess} for {input.ndim} dimensions; "
        "name it, for the choice depends on the input",
        stacklevel=3,
    )
    return guess
