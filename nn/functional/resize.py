"""Images in other sizes: interpolation, pixels from channels, windows as columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, tensor
from autograd.errors import ShapeError
from nn.functional.conv import conv2d, conv_transpose2d
from nn.functional.pool import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from nn.functional.shapes import per_dim

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
    kernel, spread, border, step = (
        per_dim("unfold", name, value, 2)
        for name, value in (
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    *lead, channels, height, width = (int(n) for n in input.shape)
    images = input.reshape(-1, 1, height, width)  # (N, C, H, W) -> (N * C, 1, H, W)
    out = conv2d(images, unit_kernels(kernel, input), None, step, border, spread)
    # (N * C, KH * KW, OH, OW) -> (N, C * KH * KW, OH * OW)
    return out.reshape(*lead, channels * kernel[0] * kernel[1], out.shape[2] * out.shape[3])


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
    size, kernel, spread, border, step = (
        per_dim("fold", name, value, 2)
        for name, value in (
            ("output_size", output_size),
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    reach = [
        n + 2 * p - d * (k - 1) - 1 for n, p, d, k in zip(size, border, spread, kernel, strict=True)
    ]
    counts = [r // s + 1 for r, s in zip(reach, step, strict=True)]
    shape = tuple(int(n) for n in input.shape)
    area = kernel[0] * kernel[1]
    if len(shape) not in (2, 3) or shape[-2] % area or shape[-1] != counts[0] * counts[1]:
        raise ShapeError(
            f"fold: input has shape {shape}, expected (N, C * {area}, {counts[0] * counts[1]}) for "
            f"images of {size}"
        )
    *lead, rows, _ = shape
    # (N, C * KH * KW, windows) -> (N * C, KH * KW, OH, OW)
    windows = input.reshape(-1, area, *counts)
    rest = tuple(r % s for r, s in zip(reach, step, strict=True))
    units = unit_kernels(kernel, input)
    out = conv_transpose2d(windows, units, None, step, border, rest, 1, spread)
    return out.reshape(*lead, rows // area, *size)  # (N * C, 1, H, W) -> (N, C, H, W)


def unit_kernels(kernel: Sequence[int], like: Tensor) -> Tensor:
    """A kernel for each of its places, 1 there: (KH * KW, 1, KH, KW)."""
    area = kernel[0] * kernel[1]
    return tensor(np.eye(area, dtype=like.dtype).reshape(area, 1, *kernel))
