"""Pooling in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import autograd
from autograd import Tensor, ops
from autograd.errors import ShapeError
from nn.functional.shapes import per_dim

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
]

Sizes: TypeAlias = "int | tuple[int, ...]"
OutputSize: TypeAlias = "int | Sequence[int | None] | None"


def check_dims(operation: str, input: Tensor, spatial: int) -> None:
    if input.ndim not in (spatial + 1, spatial + 2):
        raise ShapeError(
            f"{operation}: expected {spatial + 2} dimensions, or {spatial + 1} without a batch, "
            f"got shape {tuple(input.shape)}"
        )


def max_pool(
    spatial: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    operation = f"max_pool{spatial}d"
    check_dims(operation, input, spatial)
    kernel = per_dim(operation, "kernel_size", kernel_size, spatial)
    settings: dict[str, Any] = {
        "kernel_size": kernel,
        "stride": kernel if stride is None else per_dim(operation, "stride", stride, spatial),
        "padding": per_dim(operation, "padding", padding, spatial),
        "dilation": per_dim(operation, "dilation", dilation, spatial),
        "ceil_mode": ceil_mode,
    }
    out = ops.max_pool(input, **settings)
    if not return_indices:
        return out
    return out, autograd.as_tensor(ops.max_pool_indices(input.array, **settings))


def max_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of (N, C, L) or (C, L), see `max_pool2d`."""
    return max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window; the first of equal ones gets the gradient.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: of the window, one number or one for each dimension.
        stride: the step of the window; the kernel size when None.
        padding: of minus infinity on both sides, at most half the kernel.
        dilation: the distance of the values in a window.
        ceil_mode: keep the last window also where it stands over the edge.
        return_indices: also give the place of each maximum in its flattened (H, W).

    Raises:
        ShapeError: the kernel is larger than the padded input.
        ValueError: a setting makes no sense.

    >>> from autograd import tensor
    >>> max_pool2d(tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2).tolist()
    [[[5.0]]]
    """
    return max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of (N, C, D, H, W) or (C, D, H, W), see `max_pool2d`."""
    return max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool(
    spatial: int,
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    operation = f"avg_pool{spatial}d"
    check_dims(operation, input, spatial)
    kernel = per_dim(operation, "kernel_size", kernel_size, spatial)
    return ops.avg_pool(
        input,
        kernel_size=kernel,
        stride=kernel if stride is None else per_dim(operation, "stride", stride, spatial),
        padding=per_dim(operation, "padding", padding, spatial),
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def avg_pool1d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of each window of (N, C, L) or (C, L), see `avg_pool2d`."""
    return avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Args:
        input: (N, C, H, W) or (C, H, W).
        kernel_size: of the window, one number or one for each dimension.
        stride: the step of the window; the kernel size when None.
        padding: zeros on both sides, at most half the kernel.
        ceil_mode: keep the last window also where it stands over the edge.
        count_include_pad: whether the zeros count.
        divisor_override: what sums are divided by, in place of the number of values.

    Raises:
        ShapeError: the kernel is larger than the padded input.
        ValueError: a setting makes no sense.

    >>> from autograd import tensor
    >>> avg_pool2d(tensor([[[1.0, 5.0], [2.0, 4.0]]]), 2).tolist()
    [[[3.0]]]
    """
    return avg_pool(
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W), see `avg_pool2d`."""
    return avg_pool(
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def output_sizes(
    operation: str, spatial: int, input: Tensor, output_size: OutputSize
) -> tuple[int, ...]:
    """The wanted sizes; None is the input's."""
    check_dims(operation, input, spatial)
    given = tuple(output_size) if isinstance(output_size, Sequence) else (output_size,)
    if len(given) == 1:
        given *= spatial
    if len(given) != spatial:
        raise ValueError(
            f"{operation}: output_size is one number or {spatial} of them, got {output_size!r}"
        )
    came = tuple(input.shape)[-spatial:]
    sizes = tuple(have if want is None else want for want, have in zip(given, came, strict=True))
    if min(sizes) < 1 or min(came) < 1:
        raise ShapeError(
            f"{operation}: sizes must be positive, got output_size {output_size!r} "
            f"(input {tuple(input.shape)})"
        )
    return sizes


def parts(input: Tensor, dim: int, count: int) -> list[Tensor]:
    """Windows ``floor(i * size / count)`` to ``ceil((i + 1) * size / count)`` of a dimension."""
    size = int(input.shape[dim])
    return [
        input.narrow(dim, i * size // count, -(-(i + 1) * size // count) - i * size // count)
        for i in range(count)
    ]


def adaptive_avg_pool(spatial: int, input: Tensor, output_size: OutputSize) -> Tensor:
    sizes = output_sizes(f"adaptive_avg_pool{spatial}d", spatial, input, output_size)
    if not any(n % out for n, out in zip(input.shape[-spatial:], sizes, strict=True)):
        even: Tensor = ops.adaptive_avg_pool(input, output_size=sizes)
        return even
    for dim in range(-1, -spatial - 1, -1):  # window by window: inf and NaN stay in theirs
        means = [part.mean(dim, keepdim=True) for part in parts(input, dim, sizes[dim])]
        input = autograd.cat(means, dim)  # (..., size, ...) -> (..., count, ...)
    return input


def adaptive_max_pool(spatial: int, input: Tensor, output_size: OutputSize) -> Tensor:
    sizes = output_sizes(f"adaptive_max_pool{spatial}d", spatial, input, output_size)
    for dim in range(-1, -spatial - 1, -1):  # the last first: then the first of equal ones wins
        largest = [part.max(dim, keepdim=True).values for part in parts(input, dim, sizes[dim])]
        input = autograd.cat(largest, dim)  # (..., size, ...) -> (..., count, ...)
    return input


def adaptive_avg_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over as many windows as asked for, of (N, C, L) or (C, L)."""
    return adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over as many windows as asked for: (N, C, H, W) -> (N, C, OH, OW).

    Window i of n reaches from ``floor(i * H / n)`` to ``ceil((i + 1) * H / n)``.

    Args:
        input: (N, C, H, W) or (C, H, W).
        output_size: one number or one for each dimension; None keeps the input's size.

    >>> from autograd import tensor
    >>> adaptive_avg_pool2d(tensor([[[1.0, 2.0, 3.0]]]), (1, 2)).tolist()
    [[[1.5, 2.5]]]
    """
    return adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Means over as many windows as asked for, of (N, C, D, H, W) or (C, D, H, W)."""
    return adaptive_avg_pool(3, input, output_size)


def adaptive_max_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Maxima of as many windows as asked for, of (N, C, L) or (C, L)."""
    return adaptive_max_pool(1, input, output_size)


def adaptive_max_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Maxima of as many windows as asked for: (N, C, H, W) -> (N, C, OH, OW)."""
    return adaptive_max_pool(2, input, output_size)


def adaptive_max_pool3d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Maxima of as many windows as asked for, of (N, C, D, H, W) or (C, D, H, W)."""
    return adaptive_max_pool(3, input, output_size)
