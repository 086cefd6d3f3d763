"""Convolution and its transpose in one, two and three dimensions."""

from __future__ import annotations

from typing import TypeAlias

from autograd import Tensor, ops
from autograd.errors import ShapeError
from nn.functional.shapes import per_dim

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]

Sizes: TypeAlias = "int | tuple[int, ...]"


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve (N, C, L), or (C, L), with (O, C / groups, K), see `conv2d`."""
    return convolve(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve images with a weight: the sum over windows of weight times input, plus bias.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        weight: (O, C / groups, KH, KW).
        bias: (O,).
        stride: the step of the window, one number or one for each dimension.
        padding: zeros on both sides, ``"valid"`` for none, or ``"same"`` for an output of the
            input's size.
        dilation: the distance of the values in a window.
        groups: how many independent convolutions share the channels out among them.

    Returns:
        (N, O, OH, OW) with ``OH = (H + 2 * padding - dilation * (KH - 1) - 1) // stride + 1``.

    Raises:
        ShapeError: channels do not fit, or the kernel is larger than the padded input.
        ValueError: a setting makes no sense.

    >>> from autograd import ones
    >>> conv2d(ones(1, 1, 3, 3), ones(1, 1, 2, 2)).tolist()
    [[[[4.0, 4.0], [4.0, 4.0]]]]
    """
    return convolve(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: str | Sizes = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve (N, C, D, H, W), or (C, D, H, W), with (O, C / groups, KD, KH, KW), see `conv2d`."""
    return convolve(3, input, weight, bias, stride, padding, dilation, groups)


def batched(operation: str, input: Tensor, spatial: int) -> Tensor:
    """The input with a batch dimension."""
    if input.ndim == spatial + 2:
        return input
    if input.ndim == spatial + 1:
        return input.unsqueeze(0)  # (C, ...) -> (1, C, ...)
    raise ShapeError(
        f"{operation}: expected {spatial + 2} dimensions, or {spatial + 1} without a batch, "
        f"got shape {tuple(input.shape)}"
    )


def check_weight(operation: str, weight: Tensor, spatial: int) -> None:
    if weight.ndim != spatial + 2:
        raise ShapeError(
            f"{operation}: weight needs {spatial + 2} dimensions, got shape {tuple(weight.shape)}"
        )


def borders(
    operation: str,
    padding: str | Sizes,
    kernel: tuple[int, ...],
    strides: tuple[int, ...],
    dilations: tuple[int, ...],
) -> tuple[tuple[int, int], ...]:
    """How many zeros come before and after, for each dimension."""
    if not isinstance(padding, str):
        widths = not_negative(operation, "padding", padding, len(kernel))
        return tuple((width, width) for width in widths)
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ValueError(f"{operation}: padding is a number, 'valid' or 'same', got {padding!r}")
    if any(step != 1 for step in strides):
        raise ValueError(f"{operation}: padding='same' needs stride 1, got {strides}")
    totals = [step * (size - 1) for step, size in zip(dilations, kernel, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def not_negative(operation: str, name: str, value: Sizes, count: int) -> tuple[int, ...]:
    """A padding, which is at least 0."""
    sizes = per_dim(operation, name, value, count)
    if min(sizes) < 0:
        raise ValueError(f"{operation}: {name} is not negative, got {value}")
    return sizes


def convolve(
    spatial: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: str | Sizes,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    operation = f"conv{spatial}d"
    check_weight(operation, weight, spatial)
    strides = per_dim(operation, "stride", stride, spatial)
    dilations = per_dim(operation, "dilation", dilation, spatial)
    out = ops.conv(
        batched(operation, input, spatial),
        weight,
        bias,
        stride=strides,
        padding=borders(operation, padding, tuple(weight.shape[2:]), strides, dilations),
        dilation=dilations,
        groups=groups,
    )
    return out if input.ndim == spatial + 2 else out.squeeze(0)  # (1, O, ...) -> (O, ...)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """The transpose of `conv1d`, see `conv_transpose2d`."""
    return transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """The transpose of `conv2d`: what its gradient does to an image, as an operation of its own.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        weight: (C, O / groups, KH, KW).
        bias: (O,).
        stride: how far apart the input's values land in the output.
        padding: how many values are cut from both sides of the output.
        output_padding: how many are added at its end, less than the stride or the dilation.
        groups: how many independent convolutions share the channels out among them.
        dilation: the distance of the values in a window.

    Returns:
        (N, O, OH, OW) with
        ``OH = (H - 1) * stride - 2 * padding + dilation * (KH - 1) + output_padding + 1``.

    >>> from autograd import ones
    >>> conv_transpose2d(ones(1, 1, 1, 2), ones(1, 1, 1, 2)).tolist()
    [[[[1.0, 2.0, 1.0]]]]
    """
    return transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """The transpose of `conv3d`, see `conv_transpose2d`."""
    return transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def transpose(
    spatial: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    operation = f"conv_transpose{spatial}d"
    check_weight(operation, weight, spatial)
    out: Tensor = ops.conv_transpose(
        batched(operation, input, spatial),
        weight,
        bias,
        stride=per_dim(operation, "stride", stride, spatial),
        padding=not_negative(operation, "padding", padding, spatial),
        output_padding=not_negative(operation, "output_padding", output_padding, spatial),
        dilation=per_dim(operation, "dilation", dilation, spatial),
        groups=groups,
    )
    return out if input.ndim == spatial + 2 else out.squeeze(0)  # (1, O, ...) -> (O, ...)
