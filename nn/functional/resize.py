"""Images in other sizes: interpolation, pixels from channels, windows as columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, prod
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, ops, tensor
from autograd.errors import ShapeError
from nn.functional.pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from nn.functional.shapes import pad, per_dim

__all__ = [
    "channel_shuffle",
    "fold",
    "interpolate",
    "pixel_shuffle",
    "pixel_unshuffle",
    "unfold",
]

LINEAR = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Resize the dimensions after the second: (N, C, sizes...) -> (N, C, other sizes...).

    Args:
        input: with one to three sizes.
        size: the new sizes, or
        scale_factor: how many times the old ones, rounded down.
        mode: "nearest", "nearest-exact", "linear" (one size), "bilinear" or "bicubic" (two),
            "trilinear" (three) or "area", means over windows.
        align_corners: whether the centres of the outer pixels stay where they are, rather than
            their outer edges; of the linear and cubic modes.
        recompute_scale_factor: whether the factor used is that of the rounded sizes.

    Raises:
        ShapeError: the input has another number of sizes than the mode asks for.
        ValueError: neither or both of `size` and `scale_factor`, or an unknown mode.

    Reference: cubic: Keys 1981, IEEE ASSP 29(6), with -0.75 as PyTorch has it.

    >>> from autograd import tensor
    >>> interpolate(tensor([[[1.0, 2.0]]]), scale_factor=2).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    >>> interpolate(tensor([[[0.0, 2.0]]]), size=3, mode="linear", align_corners=True).tolist()
    [[[0.0, 1.0, 2.0]]]
    """
    shape = tuple(int(n) for n in input.shape)
    dims = len(shape) - 2
    if dims not in (1, 2, 3) or LINEAR.get(mode, dims) != dims:
        raise ShapeError(f"interpolate: mode {mode!r} does not suit an input of shape {shape}")
    if mode not in LINEAR and mode not in ("nearest", "nearest-exact", "area"):
        raise ValueError(
            "interpolate: mode is 'nearest', 'nearest-exact', 'area', 'linear', 'bilinear', "
            f"'trilinear' or 'bicubic', got {mode!r}"
        )
    if align_corners is not None and mode not in LINEAR:
        raise ValueError(f"interpolate: align_corners has no meaning for mode {mode!r}")
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor")
    factors: Sequence[float | None]
    if size is not None:
        sizes, factors = per_dim("interpolate", "size", size, dims), (None,) * dims
    else:
        given = scale_factor if isinstance(scale_factor, Sequence) else (scale_factor,) * dims
        if len(given) != dims:
            raise ValueError(f"interpolate: scale_factor is one number or {dims}, got {given}")
        sizes = tuple(floor(n * float(f or 0)) for n, f in zip(shape[2:], given, strict=True))
        factors = (None,) * dims if recompute_scale_factor else given
    if min(sizes) < 1 or 0 in shape[2:]:
        raise ShapeError(f"interpolate: sizes must be positive, got {shape[2:]} to {sizes}")
    if mode == "area":
        return AREA[dims](input, sizes if dims > 1 else sizes[0])
    if mode == "nearest" and input.is_floating_point() and sizes != shape[2:]:
        times = [new // old for new, old in zip(sizes, shape[2:], strict=True)]
        whole = all(f is None or f == n for f, n in zip(factors, times, strict=True))
        if whole and sizes == tuple(n * old for n, old in zip(times, shape[2:], strict=True)):
            return repeated(input, sizes, tuple(times))
    out = input
    for axis, (new, factor) in enumerate(zip(sizes, factors, strict=True), start=2):
        old = shape[axis]
        if mode in LINEAR:
            weights = blending(old, new, factor, bool(align_corners), mode == "bicubic")
            matrix = tensor(weights.astype(input.dtype))
            # (..., old, ...) -> (..., old) -> (..., new) -> (..., new, ...)
            out = (out.transpose(axis, -1) @ matrix).transpose(axis, -1)
        elif new != old:
            places = nearest(old, new, factor, 0.5 if mode == "nearest-exact" else 0.0)
            out = autograd.index_select(out, axis, tensor(places))
    return out


def repeated(input: Tensor, sizes: tuple[int, ...], times: tuple[int, ...]) -> Tensor:
    """Each value some times along each dimension: (N, C, sizes / times...) -> (N, C, sizes...).

    The gradients are sums over windows, so this is the gradient of such sums.
    """
    out: Tensor = ops.avg_pool_grad(
        input,
        input_shape=(*input.shape[:2], *sizes),
        kernel_size=times,
        stride=times,
        padding=(0,) * len(times),
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=1,
    )
    return out


def nearest(old: int, new: int, factor: float | None, offset: float) -> Any:
    """The old place that each new one takes its value from; in float32, as PyTorch rounds."""
    step = np.float32(old / new if factor is None else 1 / factor)
    places = np.floor((np.arange(new, dtype=np.float32) + np.float32(offset)) * step)
    return np.minimum(places.astype(np.int64), old - 1)


def blending(old: int, new: int, factor: float | None, align_corners: bool, cubic: bool) -> Any:
    """How much of each old value each new one consists of: (old, new)."""
    if align_corners:
        source = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    else:
        source = (np.arange(new) + 0.5) * (old / new if factor is None else 1 / factor) - 0.5
    if not cubic:
        source = np.maximum(source, 0.0)
    base = np.floor(source)
    part = source - base
    if cubic:
        taps = [(shift, keys(np.abs(part - shift))) for shift in (-1, 0, 1, 2)]
    else:
        taps = [(0, 1 - part), (1, part)]
    weights = np.zeros((old, new))
    for shift, amount in taps:
        places = np.clip(base + shift, 0, old - 1).astype(np.int64)
        np.add.at(weights, (places, np.arange(new)), amount)
    return weights


def keys(distance: Any) -> Any:
    """The cubic convolution kernel at some distances."""
    a = -0.75
    inner = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    outer = a * (((distance - 5) * distance + 8) * distance - 4)
    return np.where(distance <= 1, inner, outer)


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Lay channels out as pixels: (..., C * r * r, H, W) -> (..., C, H * r, W * r).

    Raises:
        ShapeError: the channels are no multiple of ``r * r``.

    Reference: Shi et al. 2016, arXiv:1609.05158.

    >>> from autograd import tensor
    >>> pixel_shuffle(tensor([[[[1]], [[2]], [[3]], [[4]]]]), 2).tolist()
    [[[[1, 2], [3, 4]]]]
    """
    r = upscale_factor
    shape = tuple(int(n) for n in input.shape)
    if r < 1 or len(shape) < 3 or shape[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle: input has shape {shape}, expected (..., C, H, W) with channels that "
            f"are a multiple of {r} * {r}"
        )
    *lead, channels, height, width = shape
    # (..., C * r * r, H, W) -> (n, C, r, r, H, W) -> (n, C, H, r, W, r)
    apart = input.reshape(-1, channels // r**2, r, r, height, width).permute(0, 1, 4, 2, 5, 3)
    return apart.reshape(*lead, channels // r**2, height * r, width * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """The inverse of `pixel_shuffle`: (..., C, H * r, W * r) -> (..., C * r * r, H, W).

    >>> from autograd import tensor
    >>> pixel_unshuffle(tensor([[[[1, 2], [3, 4]]]]), 2).flatten().tolist()
    [1, 2, 3, 4]
    """
    r = downscale_factor
    shape = tuple(int(n) for n in input.shape)
    if r < 1 or len(shape) < 3 or shape[-2] % r or shape[-1] % r:
        raise ShapeError(
            f"pixel_unshuffle: input has shape {shape}, expected (..., C, H, W) with H and W that "
            f"are multiples of {r}"
        )
    *lead, channels, height, width = shape
    # (..., C, H * r, W * r) -> (n, C, H, r, W, r) -> (n, C, r, r, H, W)
    apart = input.reshape(-1, channels, height // r, r, width // r, r).permute(0, 1, 3, 5, 2, 4)
    return apart.reshape(*lead, channels * r**2, height // r, width // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Deal the channels of each group out in turn: (N, C, *) -> (N, C, *).

    Reference: Zhang et al. 2018, arXiv:1707.01083.

    >>> from autograd import tensor
    >>> channel_shuffle(tensor([[[1], [2], [3], [4]]]), 2).flatten().tolist()
    [1, 3, 2, 4]
    """
    shape = tuple(int(n) for n in input.shape)
    if groups < 1 or len(shape) < 3 or shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: input has shape {shape}, expected (N, C, *) with channels that "
            f"split into {groups} groups"
        )
    # (N, C, *) -> (N, groups, C / groups, *) -> (N, C / groups, groups, *)
    apart = input.reshape(shape[0], groups, shape[1] // groups, *shape[2:]).transpose(1, 2)
    return apart.reshape(*shape)


def unfold(
    input: Tensor,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of images as columns: (N, C, H, W) -> (N, C * KH * KW, windows).

    A window is what a convolution with these settings multiplies by its kernel.

    >>> from autograd import tensor
    >>> unfold(tensor([[[[1.0, 2.0, 3.0]]]]), (1, 2)).tolist()
    [[[1.0, 2.0], [2.0, 3.0]]]
    """
    if input.ndim not in (3, 4):
        raise ShapeError(
            f"unfold: input has shape {tuple(input.shape)}, expected (N, C, H, W) or (C, H, W)"
        )
    windows = Windows("unfold", input.shape[-2:], kernel_size, dilation, padding, stride)
    (top, left), (height, width) = windows.border, windows.padded
    *lead, channels = (int(n) for n in input.shape[:-2])
    # (N, C, H, W) -> (N * C, H * W) -> (H * W, N * C)
    images = pad(input, (left, left, top, top)).reshape(prod(lead) * channels, height * width)
    rows = ops.getitem(images.transpose(0, 1), index=(windows.places.reshape(-1),))
    # (KH * KW * windows, N * C) -> (N, C * KH * KW, windows)
    return rows.transpose(0, 1).reshape(
        *lead, channels * windows.places.shape[0], windows.places.shape[1]
    )


def fold(
    input: Tensor,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Add windows up to images: (N, C * KH * KW, windows) -> (N, C, H, W).

    The transpose of `unfold`: where windows overlap, their values are added.

    Raises:
        ShapeError: the columns or windows are not those of images of this size.

    >>> from autograd import tensor
    >>> fold(tensor([[[1.0, 2.0], [2.0, 3.0]]]), (1, 3), (1, 2)).tolist()
    [[[[1.0, 4.0, 3.0]]]]
    """
    size = per_dim("fold", "output_size", output_size, 2)
    windows = Windows("fold", size, kernel_size, dilation, padding, stride)
    shape = tuple(int(n) for n in input.shape)
    area, count = windows.places.shape
    if len(shape) not in (2, 3) or shape[-2] % area or shape[-1] != count:
        raise ShapeError(
            f"fold: input has shape {shape}, expected (N, C * {area}, {count}) for images of {size}"
        )
    *lead, rows, _ = shape
    images = prod(lead) * rows // area
    # (N, C * KH * KW, windows) -> (N * C, KH * KW * windows) -> (KH * KW * windows, N * C)
    values = input.reshape(images, area * count).transpose(0, 1)
    padded = windows.padded
    total = ops.index_sum(
        values, shape=(padded[0] * padded[1], images), index=(windows.places.reshape(-1),)
    )
    # (H * W, N * C) -> (N, C, H, W)
    out = total.transpose(0, 1).reshape(*lead, rows // area, *padded)
    top, left = windows.border
    return out[..., top : top + size[0], left : left + size[1]]


class Windows:
    """Where each place of each window lies in a padded image.

    Attributes:
        border: the rows and columns that are added on either side.
        padded: the sizes of the image with them.
        places: (KH * KW, windows), in the flat image.

    Raises:
        ShapeError: the kernel is larger than the image.
        ValueError: a size is not positive, or the padding negative.
    """

    def __init__(
        self, name: str, size: Sequence[int], kernel: Any, dilation: Any, padding: Any, stride: Any
    ) -> None:
        kernel = per_dim(name, "kernel_size", kernel, 2)
        spread = per_dim(name, "dilation", dilation, 2)
        step = per_dim(name, "stride", stride, 2)
        self.border = per_dim(name, "padding", padding, 2)
        if min(*kernel, *spread, *step) < 1 or min(self.border) < 0:
            raise ValueError(
                f"{name}: kernel_size {kernel}, dilation {spread} and stride {step} must be "
                f"positive, padding {self.border} not negative"
            )
        self.padded = tuple(int(n) + 2 * p for n, p in zip(size, self.border, strict=True))
        reach = [n - d * (k - 1) for n, d, k in zip(self.padded, spread, kernel, strict=True)]
        if min(reach) < 1:
            raise ShapeError(
                f"{name}: the kernel {kernel}, dilated by {spread}, is larger than the padded "
                f"image {self.padded}"
            )
        rows, columns = (
            np.arange(k)[:, None] * d + np.arange(0, r, s)  # (K, windows along this dimension)
            for k, d, r, s in zip(kernel, spread, reach, step, strict=True)
        )
        # (KH, OH), (KW, OW) -> (KH, KW, OH, OW) -> (KH * KW, OH * OW)
        places = rows[:, None, :, None] * self.padded[1] + columns[None, :, None, :]
        self.places = places.reshape(kernel[0] * kernel[1], rows.shape[1] * columns.shape[1])
