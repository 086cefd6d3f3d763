"""Normalisation layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn import init
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "LayerNorm"]


class BatchNorm(Module):
    """Normalise each channel over a batch, then scale and shift it.

    ``y = (x - mean) / sqrt(var + eps) * weight + bias``, with the statistics of the batch in
    training and running ones in evaluation. These are buffers: ``running_mean``,
    ``running_var`` (unbiased) and ``num_batches_tracked``.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: the weight of a new batch in the running statistics; None for the mean over
            all batches seen.
        affine: whether scale and shift are learned.
        track_running_stats: whether running statistics are kept; without them evaluation uses
            the batch too.
        bias: whether the shift is learned, where `affine` is set.

    Reference: Ioffe and Szegedy 2015, arXiv:1502.03167.
    """

    dimensions: ClassVar[tuple[int, ...]]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        shape = (num_features,)
        self.register_parameter("weight", new_parameter(shape, device, dtype) if affine else None)
        self.register_parameter(
            "bias", new_parameter(shape, device, dtype) if affine and bias else None
        )
        kept = track_running_stats
        self.register_buffer("running_mean", autograd.zeros(shape, dtype=dtype) if kept else None)
        self.register_buffer("running_var", autograd.ones(shape, dtype=dtype) if kept else None)
        self.register_buffer(
            "num_batches_tracked", autograd.zeros((), dtype=autograd.int64) if kept else None
        )
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Begin the running statistics anew: mean 0, variance 1, no batch seen."""
        for buffer, value in (
            (self.running_mean, 0.0),
            (self.running_var, 1.0),
            (self.num_batches_tracked, 0),
        ):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Set scale to 1 and shift to 0, and begin the running statistics anew."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in self.dimensions:
            raise ShapeError(
                f"{type(self).__name__}: expected "
                f"{' or '.join(map(str, self.dimensions))} dimensions, "
                f"got shape {tuple(input.shape)}"
            )
        update = self.training and self.running_mean is not None
        out = F.batch_norm(
            input,
            self.running_mean if update or not self.training else None,
            self.running_var if update or not self.training else None,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            self._factor() if update else 0.0,
            self.eps,
        )
        if update and self.num_batches_tracked is not None:
            seen = autograd.writable(self.num_batches_tracked)
            seen += 1
        return out

    def _factor(self) -> float:
        """The weight of the coming batch in the running statistics."""
        if self.momentum is not None:
            return self.momentum
        seen = 0 if self.num_batches_tracked is None else int(self.num_batches_tracked.item())
        return 1 / (seen + 1)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L), see `BatchNorm`."""

    dimensions = (2, 3)


class BatchNorm2d(BatchNorm):
    """Batch normalisation of (N, C, H, W), see `BatchNorm`.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.BatchNorm2d(3)(ones(2, 3, 4, 4)).shape)
    (2, 3, 4, 4)
    """

    dimensions = (4,)


class BatchNorm3d(BatchNorm):
    """Batch normalisation of (N, C, D, H, W), see `BatchNorm`."""

    dimensions = (5,)


class LayerNorm(Module):
    """Normalise each sample over its last dimensions, then scale and shift each value.

    Args:
        normalized_shape: the sizes of those dimensions.
        eps: added to the variance.
        elementwise_affine: whether scale and shift are learned.
        bias: whether the shift is learned, where `elementwise_affine` is set.

    Reference: Ba, Kiros and Hinton 2016, arXiv:1607.06450.

    >>> import nn
    >>> from autograd import tensor
    >>> [round(v, 3) for v in nn.LayerNorm(2)(tensor([1.0, 3.0])).tolist()]
    [-1.0, 1.0]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(sizes)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape, learned = self.normalized_shape, elementwise_affine
        self.register_parameter("weight", new_parameter(shape, device, dtype) if learned else None)
        self.register_parameter(
            "bias", new_parameter(shape, device, dtype) if learned and bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set scale to 1 and shift to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class GroupNorm(Module):
    """Normalise each sample over groups of its channels, then scale and shift each channel.

    Args:
        num_groups: how many groups the channels form.
        num_channels: a multiple of it.
        eps: added to the variance.
        affine: whether scale and shift are learned.
        bias: whether the shift is learned, where `affine` is set.

    Reference: Wu and He 2018, arXiv:1803.08494.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels {num_channels} must be a multiple of num_groups, "
                f"a positive number, got {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        shape = (num_channels,)
        self.register_parameter("weight", new_parameter(shape, device, dtype) if affine else None)
        self.register_parameter(
            "bias", new_parameter(shape, device, dtype) if affine and bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set scale to 1 and shift to 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
