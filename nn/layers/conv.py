"""Convolutions and their transposes, and padding, as modules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from autograd import Tensor
from nn import functional as F
from nn import init
from nn.functional.shapes import per_dim
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Sizes: TypeAlias = "int | tuple[int, ...]"

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class ConvNd(Module):
    """What convolutions and transposed convolutions of every dimension share."""

    spatial: ClassVar[int]
    function: ClassVar[Callable[..., Tensor]]
    transposed: ClassVar[bool] = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: str | Sizes,
        dilation: Sizes,
        output_padding: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        if groups <= 0 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{kind}: in_channels {in_channels} and out_channels {out_channels} must both be "
                f"multiples of groups, a positive number, got {groups}"
            )
        modes = PADDING_MODES[:1] if self.transposed else PADDING_MODES
        if padding_mode not in modes:
            raise ValueError(f"{kind}: padding_mode is one of {modes}, got {padding_mode!r}")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dim(kind, "kernel_size", kernel_size, self.spatial)
        self.stride = per_dim(kind, "stride", stride, self.spatial)
        self.dilation = per_dim(kind, "dilation", dilation, self.spatial)
        self.output_padding = per_dim(kind, "output_padding", output_padding, self.spatial)
        self.padding: str | tuple[int, ...]
        if isinstance(padding, str):
            if self.transposed or padding not in ("same", "valid"):
                raise ValueError(
                    f"{kind}: padding is a number, one per dimension"
                    f"{'' if self.transposed else ', valid or same'}, got {padding!r}"
                )
            if padding == "same" and any(step != 1 for step in self.stride):
                raise ValueError(f"{kind}: padding='same' needs stride 1, got {self.stride}")
            self.padding = padding
        else:
            self.padding = per_dim(kind, "padding", padding, self.spatial)
        self.groups = groups
        self.padding_mode = padding_mode
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (ends[0], ends[1] // groups, *self.kernel_size)
        self.weight = new_parameter(shape, device, dtype)
        self.register_parameter(
            "bias", new_parameter((out_channels,), device, dtype) if bias else None
        )
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew: uniform within ``1 / sqrt(fan_in)`` of 0."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        zeros, ones = (0,) * self.spatial, (1,) * self.spatial
        text = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        if self.padding != zeros:
            text += f", padding={self.padding}"
        if self.dilation != ones:
            text += f", dilation={self.dilation}"
        if self.output_padding != zeros:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class Convolution(ConvNd):
    """A convolution with learned weights (out_channels, in_channels / groups, *kernel_size).

    Args:
        in_channels, out_channels: sizes of dimension 1 of input and output.
        kernel_size: of the window, one number or one for each dimension.
        stride: the step of the window.
        padding: numbers of values on both sides, ``"valid"`` for none, or ``"same"`` for an
            output of the input's size.
        dilation: the distance of the values in a window.
        groups: how many independent convolutions share the channels out among them.
        bias: whether a learned value is added to each output channel.
        padding_mode: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: str | Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _padded(self, input: Tensor) -> tuple[Tensor, str | tuple[int, ...]]:
        """The input with a border that is not of zeros, and the padding that is left to do."""
        if self.padding_mode == "zeros" or self.padding == "valid":
            return input, self.padding
        if isinstance(self.padding, str):
            totals = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            borders = [(total // 2, total - total // 2) for total in totals]
        else:
            borders = [(size, size) for size in self.padding]
        widths = [size for border in reversed(borders) for size in border]
        return F.pad(input, widths, self.padding_mode), (0,) * self.spatial

    def forward(self, input: Tensor) -> Tensor:
        input, padding = self._padded(input)
        return self.function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )


class Conv1d(Convolution):
    """A convolution along a sequence: (N, C, L) -> (N, out_channels, OL)."""

    spatial = 1
    function = staticmethod(F.conv1d)


class Conv2d(Convolution):
    """A convolution over images: (N, C, H, W) -> (N, out_channels, OH, OW).

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.Conv2d(3, 16, kernel_size=3, stride=2, padding=1)(ones(2, 3, 32, 32)).shape)
    (2, 16, 16, 16)
    """

    spatial = 2
    function = staticmethod(F.conv2d)


class Conv3d(Convolution):
    """A convolution over volumes: (N, C, D, H, W) -> (N, out_channels, OD, OH, OW)."""

    spatial = 3
    function = staticmethod(F.conv3d)


class TransposedConvolution(ConvNd):
    """The transpose of a convolution, with weights (in_channels, out_channels / groups, *kernel).

    Args:
        in_channels, out_channels: sizes of dimension 1 of input and output.
        kernel_size: of the window, one number or one for each dimension.
        stride: how far apart the input's values land in the output.
        padding: how many values are cut from both sides of the output.
        output_padding: how many are added at the end, less than the stride or the dilation.
        groups: how many independent convolutions share the channels out among them.
        bias: whether a learned value is added to each output channel.
        dilation: the distance of the values in a window.
        padding_mode: ``"zeros"``.
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(
        self, input: Tensor, output_size: tuple[int, ...] | None
    ) -> tuple[int, ...]:
        """The output padding that leads to a wanted output size."""
        if output_size is None:
            return self.output_padding
        wanted = tuple(output_size)[-self.spatial :]
        assert not isinstance(self.padding, str)
        smallest = [
            (size - 1) * step - 2 * cut + dilation * (kernel - 1) + 1
            for size, step, cut, dilation, kernel in zip(
                input.shape[-self.spatial :],
                self.stride,
                self.padding,
                self.dilation,
                self.kernel_size,
                strict=True,
            )
        ]
        extra = tuple(size - least for size, least in zip(wanted, smallest, strict=True))
        if any(not 0 <= more < step for more, step in zip(extra, self.stride, strict=True)):
            largest = [least + step - 1 for least, step in zip(smallest, self.stride, strict=True)]
            raise ValueError(
                f"{type(self).__name__}: output_size {wanted} is not between {tuple(smallest)} "
                f"and {tuple(largest)} (input {tuple(input.shape)})"
            )
        return extra

    def forward(self, input: Tensor, output_size: tuple[int, ...] | None = None) -> Tensor:
        return self.function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self._output_padding(input, output_size),
            self.groups,
            self.dilation,
        )


class ConvTranspose1d(TransposedConvolution):
    """A transposed convolution along a sequence: (N, C, L) -> (N, out_channels, OL)."""

    spatial = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(TransposedConvolution):
    """A transposed convolution over images: (N, C, H, W) -> (N, out_channels, OH, OW).

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.ConvTranspose2d(3, 4, kernel_size=2, stride=2)(ones(1, 3, 8, 8)).shape)
    (1, 4, 16, 16)
    """

    spatial = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(TransposedConvolution):
    """A transposed convolution over volumes: (N, C, D, H, W) -> (N, out_channels, OD, OH, OW)."""

    spatial = 3
    function = staticmethod(F.conv_transpose3d)


class ZeroPad(Module):
    """A border of zeros.

    Args:
        padding: one width for all sides, or widths (left, right, top, bottom, front, back), the
            last dimension first.
    """

    spatial: ClassVar[int]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        sides = 2 * self.spatial
        self.padding = per_dim(type(self).__name__, "padding", padding, sides)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(ZeroPad):
    """Zeros at both ends: (N, C, L) -> (N, C, left + L + right)."""

    spatial = 1


class ZeroPad2d(ZeroPad):
    """Zeros around images: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.ZeroPad2d((1, 0, 2, 0))(ones(1, 1, 3, 3)).shape)
    (1, 1, 5, 4)
    """

    spatial = 2


class ZeroPad3d(ZeroPad):
    """Zeros around volumes: (N, C, D, H, W), all three sizes grown."""

    spatial = 3
