"""Dropout: random zeros in training, nothing at all in evaluation."""

from __future__ import annotations

import warnings

import autograd
from autograd import Tensor, ops
from autograd.random import kept

__all__ = ["dropout", "dropout1d", "dropout2d", "dropout3d"]


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Zero each value with probability `p` and scale the others by ``1 / (1 - p)``.

    Raises:
        ValueError: `p` is outside [0, 1].

    Reference: Srivastava et al. 2014, JMLR 15.

    >>> from autograd import ones
    >>> dropout(ones(3), p=1.0).tolist(), dropout(ones(3), training=False).tolist()
    ([0.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    """
    return drop("dropout", input, p, training, inplace, tuple(input.shape))


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero whole channels of (N, C, L) or (C, L)."""
    return drop_channels("dropout1d", input, p, training, inplace, 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero whole channels of (N, C, H, W), one draw for each sample and channel.

    An input of three dimensions is taken as (N, C, L), with PyTorch's warning.

    Reference: Tompson et al. 2015, arXiv:1411.4280.
    """
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: an input of 3 dimensions is taken as (N, C, L); for (C, H, W) add a "
            "batch dimension, for (N, C, L) use dropout1d",
            stacklevel=2,
        )
        return drop_channels("dropout2d", input, p, training, inplace, 1)
    return drop_channels("dropout2d", input, p, training, inplace, 2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    return drop_channels("dropout3d", input, p, training, inplace, 3)


def drop_channels(
    operation: str, input: Tensor, p: float, training: bool, inplace: bool, spatial: int
) -> Tensor:
    if input.ndim not in (spatial + 1, spatial + 2):
        raise autograd.errors.ShapeError(
            f"{operation}: expected {spatial + 2} dimensions, or {spatial + 1} without a batch, "
            f"got shape {tuple(input.shape)}"
        )
    lead = tuple(input.shape)[: input.ndim - spatial]
    return drop(operation, input, p, training, inplace, lead + (1,) * spatial)


def drop(
    operation: str,
    input: Tensor,
    p: float,
    training: bool,
    inplace: bool,
    mask_shape: tuple[int, ...],
) -> Tensor:
    """Multiply by a mask of zeros and ``1 / (1 - p)``, drawn in a shape that broadcasts."""
    if not 0 <= p <= 1:
        raise ValueError(f"{operation}: p is a probability between 0 and 1, got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        mask = autograd.zeros(mask_shape, dtype=input.dtype)
    else:
        keep = kept(mask_shape, p)
        if mask_shape == tuple(input.shape) and not inplace:
            out: Tensor = ops.drop(input, keep=keep, scale=1 / (1 - p))
            return out
        mask = autograd.from_numpy(keep).to(input.dtype) * (1 / (1 - p))
    return input.mul_(mask) if inplace else input * mask
