"""Normalisation of single samples: instance norm, and norms without means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn import init
from nn.layers.norm import BatchNorm
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "RMSNorm"]


class InstanceNorm(BatchNorm):
    """Normalise each channel of each sample, then scale and shift it.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: the weight of a new batch in the running statistics.
        affine: whether scale and shift are learned.
        track_running_stats: whether running statistics are kept, and used in evaluation.
        bias: whether the shift is learned, where `affine` is set.

    Reference: Ulyanov et al. 2016, arXiv:1607.08022.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Tensor) -> Tensor:
        shape = tuple(input.shape)
        channel = len(shape) - self.dimensions[-1] + 1
        if len(shape) not in self.dimensions or shape[channel] != self.num_features:
            raise ShapeError(
                f"{type(self).__name__}: input has shape {shape}, expected "
                f"{' or '.join(map(str, self.dimensions))} dimensions with {self.num_features} "
                "channels"
            )
        batch = input if len(shape) == self.dimensions[-1] else input.unsqueeze(0)
        out = F.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out if batch is input else out.squeeze(0)


class InstanceNorm1d(InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L), see `InstanceNorm`."""

    dimensions: ClassVar[tuple[int, ...]] = (2, 3)


class InstanceNorm2d(InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W), see `InstanceNorm`.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.InstanceNorm2d(3)(ones(2, 3, 4, 4)).shape)
    (2, 3, 4, 4)
    """

    dimensions: ClassVar[tuple[int, ...]] = (3, 4)


class InstanceNorm3d(InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W), see `InstanceNorm`."""

    dimensions: ClassVar[tuple[int, ...]] = (4, 5)


class RMSNorm(Module):
    """Divide each sample by its root mean square over the last dimensions, and scale each value.

    Args:
        normalized_shape: the sizes of those dimensions.
        eps: added to the mean square; the spacing of the dtype at 1 when None.
        elementwise_affine: whether the scale is learned.

    Reference: Zhang and Sennrich 2019, arXiv:1910.07467.

    >>> import nn
    >>> from autograd import tensor
    >>> nn.RMSNorm(2)(tensor([3.0, -3.0])).tolist()
    [1.0, -1.0]
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
        self.normalized_shape = tuple(sizes)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        self.register_parameter(
            "weight",
            new_parameter(self.normalized_shape, device, dtype) if elementwise_affine else None,
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the scale to 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
