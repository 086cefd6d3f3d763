"""Pooling as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from autograd import Tensor
from nn import functional as F
from nn.module import Module

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]

Sizes: TypeAlias = "int | tuple[int, ...]"


class MaxPool(Module):
    """What the max poolings share.

    Args:
        kernel_size: of the window, one number or one for each dimension.
        stride: the step of the window; the kernel size when None.
        padding: of minus infinity on both sides, at most half the kernel.
        dilation: the distance of the values in a window.
        return_indices: also give the place of each maximum in its flattened input plane.
        ceil_mode: keep the last window also where it stands over the edge.
    """

    function: ClassVar[Callable[..., Any]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        return self.function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool):
    """The largest value of each window: (N, C, L) -> (N, C, OL)."""

    function = staticmethod(F.max_pool1d)


class MaxPool2d(MaxPool):
    """The largest value of each window: (N, C, H, W) -> (N, C, OH, OW).

    >>> import nn
    >>> from autograd import tensor
    >>> nn.MaxPool2d(2)(tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).tolist()
    [[[[4.0]]]]
    """

    function = staticmethod(F.max_pool2d)


class MaxPool3d(MaxPool):
    """The largest value of each window: (N, C, D, H, W) -> (N, C, OD, OH, OW)."""

    function = staticmethod(F.max_pool3d)


class AvgPool1d(Module):
    """The mean of each window: (N, C, L) -> (N, C, OL).

    Args:
        kernel_size: of the window.
        stride: the step of the window; the kernel size when None.
        padding: zeros on both sides, at most half the kernel.
        ceil_mode: keep the last window also where it stands over the edge.
        count_include_pad: whether the zeros count.
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = single(kernel_size)
        self.stride = self.kernel_size if stride is None else single(stride)
        self.padding = single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool(Module):
    """What the average poolings of several dimensions share.

    Args:
        kernel_size: of the window, one number or one for each dimension.
        stride: the step of the window; the kernel size when None.
        padding: zeros on both sides, at most half the kernel.
        ceil_mode: keep the last window also where it stands over the edge.
        count_include_pad: whether the zeros count.
        divisor_override: what sums are divided by, in place of the number of values.
    """

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return self.function(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool):
    """The mean of each window: (N, C, H, W) -> (N, C, OH, OW)."""

    function = staticmethod(F.avg_pool2d)


class AvgPool3d(AvgPool):
    """The mean of each window: (N, C, D, H, W) -> (N, C, OD, OH, OW)."""

    function = staticmethod(F.avg_pool3d)


class AdaptivePool(Module):
    """What the adaptive poolings share: the output's size is given, windows follow from it.

    Args:
        output_size: one number or one for each dimension; None keeps the input's size.
    """

    function: ClassVar[Callable[..., Tensor]]

    def __init__(self, output_size: int | tuple[int | None, ...] | None) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return self.function(input, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(AdaptivePool):
    """Means over windows that divide the input: (N, C, L) -> (N, C, output_size)."""

    function = staticmethod(F.adaptive_avg_pool1d)


class AdaptiveAvgPool2d(AdaptivePool):
    """Means over windows that divide the input: (N, C, H, W) -> (N, C, *output_size).

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.AdaptiveAvgPool2d((1, 1))(ones(2, 3, 5, 7)).shape)
    (2, 3, 1, 1)
    """

    function = staticmethod(F.adaptive_avg_pool2d)


class AdaptiveAvgPool3d(AdaptivePool):
    """Means over windows that divide the input: (N, C, D, H, W) -> (N, C, *output_size)."""

    function = staticmethod(F.adaptive_avg_pool3d)


class AdaptiveMaxPool1d(AdaptivePool):
    """Maxima of windows that divide the input: (N, C, L) -> (N, C, output_size)."""

    function = staticmethod(F.adaptive_max_pool1d)


class AdaptiveMaxPool2d(AdaptivePool):
    """Maxima of windows that divide the input: (N, C, H, W) -> (N, C, *output_size)."""

    function = staticmethod(F.adaptive_max_pool2d)


class AdaptiveMaxPool3d(AdaptivePool):
    """Maxima of windows that divide the input: (N, C, D, H, W) -> (N, C, *output_size)."""

    function = staticmethod(F.adaptive_max_pool3d)


def single(size: Sizes) -> tuple[int, ...]:
    return size if isinstance(size, tuple) else (size,)
