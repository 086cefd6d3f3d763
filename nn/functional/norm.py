"""Normalisation over batches, samples and groups of channels."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, ops
from autograd.errors import ShapeError

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel, dimension 1.

    In training mean and variance are those of the batch, and the running ones, where given,
    become ``(1 - momentum) * running + momentum * batch`` with the unbiased variance.

    Args:
        input: (N, C) or (N, C, ...).
        running_mean: (C,), changed in place in training.
        running_var: (C,), likewise.
        weight: (C,).
        bias: (C,).
        training: whether to use the batch.
        momentum: see above.
        eps: see above.

    Raises:
        ShapeError: shapes do not fit, or training with one value per channel.

    Reference: Ioffe and Szegedy 2015, arXiv:1502.03167.

    >>> from autograd import tensor
    >>> batch_norm(tensor([[1.0], [3.0]]), None, None, training=True, eps=0.0).tolist()
    [[-1.0], [1.0]]
    """
    for name, running in (("running_mean", running_mean), ("running_var", running_var)):
        if running is None:
            if not training:
                raise ValueError(f"batch_norm: {name} must be given when training is False")
        elif input.ndim < 2 or tuple(running.shape) != (input.shape[1],):
            raise ShapeError(
                f"batch_norm: {name} has shape {tuple(running.shape)}, expected one value for "
                f"each channel of the input {tuple(input.shape)}"
            )
    if not training:
        assert running_mean is not None
        assert running_var is not None
        return with_statistics(input, running_mean, running_var, weight, bias, eps)
    out: Tensor
    out, mean, variance = ops.batch_norm(input, weight, bias, eps=eps)
    for running, batch in ((running_mean, mean), (running_var, variance)):
        if running is not None:
            blend(running, batch, momentum)
    return out


def blend(running: Tensor, batch: Any, momentum: float) -> None:
    """Move running statistics towards those of a batch."""
    with autograd.no_grad():
        values = autograd.writable(running)
    values *= 1 - momentum
    values += (momentum * batch).astype(values.dtype, copy=False)


def with_statistics(
    input: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """Normalise by given statistics: one factor and one shift for each channel."""
    channels = tuple(mean.shape)
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != channels:
            raise ShapeError(
                f"batch_norm: {name} has shape {tuple(value.shape)}, expected {channels} "
                f"(input {tuple(input.shape)})"
            )
    factor = autograd.rsqrt(variance + eps)
    if weight is not None:
        factor = factor * weight
    shift = -mean * factor if bias is None else bias - mean * factor
    shape = (-1, *[1] * (input.ndim - 2))
    # (C,) -> (C, 1, ...)
    out: Tensor = ops.scale_shift(input, factor.reshape(*shape), shift.reshape(*shape))
    return out


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions of each sample.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the sizes of those dimensions.
        weight: of that shape.
        bias: of that shape.
        eps: see above.

    Raises:
        ShapeError: shapes do not fit.

    Reference: Ba, Kiros and Hinton 2016, arXiv:1607.06450.
    """
    out: Tensor = ops.layer_norm(
        input, weight, bias, normalized_shape=tuple(normalized_shape), eps=eps
    )
    return out


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over groups of channels of each sample.

    Args:
        input: (N, C, ...).
        num_groups: a divisor of C.
        weight: (C,).
        bias: (C,).
        eps: see above.

    Raises:
        ShapeError: shapes do not fit.

    Reference: Wu and He 2018, arXiv:1803.08494.
    """
    out: Tensor = ops.group_norm(input, weight, bias, groups=num_groups, eps=eps)
    return out


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` for each channel of each sample.

    Where running statistics are given, they become ``(1 - momentum) * running + momentum * mean``
    of those of the samples, with unbiased variances; without `use_input_stats` they are used.

    Args:
        input: (N, C, sizes...).
        running_mean: (C,), changed in place.
        running_var: (C,), likewise.
        weight: (C,).
        bias: (C,).
        use_input_stats: see above.
        momentum: see above.
        eps: see above.

    Raises:
        ShapeError: shapes do not fit, or a channel of a sample has one value only.

    Reference: Ulyanov et al. 2016, arXiv:1607.08022.

    >>> from autograd import tensor
    >>> instance_norm(tensor([[[1.0, 3.0]], [[0.0, 4.0]]]), eps=0.0).tolist()
    [[[-1.0, 1.0]], [[-1.0, 1.0]]]
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    shape = tuple(int(size) for size in input.shape)
    count = prod(shape[2:])
    if len(shape) < 3 or count <= 1:
        raise ShapeError(
            f"instance_norm: input has shape {shape}, expected (N, C, sizes...) with more than one "
            "value for each channel of a sample"
        )
    out = group_norm(input, max(shape[1], 1), weight, bias, eps)
    if running_mean is not None or running_var is not None:
        values = input.array.reshape(shape[0], shape[1], count)  # (N, C, sizes...) -> (N, C, n)
        means = values.mean(axis=2)
        variances = values.var(axis=2, ddof=1)
        for running, batch in ((running_mean, means), (running_var, variances)):
            if running is not None:
                blend(running, batch.mean(axis=0), momentum)
    return out


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """``x / sqrt(mean(x ** 2) + eps) * weight`` over the last dimensions of each sample.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the sizes of those dimensions.
        weight: of that shape.
        eps: the spacing of the dtype at 1 when None; that of float32 for float16.

    Raises:
        ShapeError: shapes do not fit.

    Reference: Zhang and Sennrich 2019, arXiv:1910.07467.

    >>> from autograd import tensor
    >>> rms_norm(tensor([3.0, 3.0]), (2,)).tolist()
    [1.0, 1.0]
    """
    wanted, shape = tuple(normalized_shape), tuple(input.shape)
    if not wanted or shape[len(shape) - len(wanted) :] != wanted:
        raise ShapeError(f"rms_norm: input has shape {shape}, expected it to end with {wanted}")
    if weight is not None and tuple(weight.shape) != wanted:
        raise ShapeError(
            f"rms_norm: weight has shape {tuple(weight.shape)}, expected {wanted} (input {shape})"
        )
    if input.dtype == autograd.float16:  # whose squares may be out of range
        return rms_norm(input.float(), wanted, weight, eps).half()
    added = float(np.finfo(input.dtype).eps) if eps is None else eps
    dims = tuple(range(-len(wanted), 0))
    out = input * autograd.rsqrt((input * input).mean(dims, keepdim=True) + added)
    return out if weight is None else out * weight
