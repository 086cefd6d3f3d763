"""Transforms that cut, pad and mirror images: pixels move, and stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from vision.transforms.image import (
    Array,
    ImageTransform,
    fill_values,
    integers,
    pair,
    probability,
    uniform,
)

__all__ = ["CenterCrop", "Pad", "RandomCrop", "RandomHorizontalFlip", "RandomVerticalFlip"]

Padding: TypeAlias = "int | Sequence[int]"
MODES = ("constant", "edge", "reflect", "symmetric")


class Pad(ImageTransform):
    """Add pixels around images.

    Args:
        padding: how many: one number for all sides, (left and right, top and bottom), or (left,
            top, right, bottom).
        fill: the value of new pixels, one number or one for each channel; for "constant".
        padding_mode: "constant", "edge" (the outermost pixel again), "reflect" (mirrored at it) or
            "symmetric" (mirrored beside it).

    Raises:
        ValueError: negative padding, another mode, or "reflect" by as much as an image is wide.

    Example:
        >>> from autograd import ones
        >>> Pad((1, 0), fill=5)(ones(1, 1, 2))
        tensor([[[5., 1., 1., 5.]]])
    """

    def __init__(
        self,
        padding: Padding,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        sides("Pad", padding)
        check_mode("Pad", padding_mode)
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def apply(self, images: Array) -> Array:
        """Pad images (N, C, H, W)."""
        return pad("Pad", images, sides("Pad", self.padding), self.fill, self.padding_mode)


class CenterCrop(ImageTransform):
    """Cut out the middle of images; a smaller image is first padded with 0.

    Args:
        size: (height, width), or one number for both.

    Example:
        >>> from autograd import arange
        >>> CenterCrop(1)(arange(9).reshape(1, 3, 3))
        tensor([[[4]]])
    """

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = pair("CenterCrop", "size", size)

    def apply(self, images: Array) -> Array:
        """Crop images (N, C, H, W)."""
        height, width = self.size
        rows, columns = images.shape[-2:]
        missing = max(height - rows, 0), max(width - columns, 0)
        if any(missing):
            before = missing[1] // 2, missing[0] // 2
            after = missing[1] - before[0], missing[0] - before[1]
            images = pad("CenterCrop", images, (*before, *after), 0, "constant")
            rows, columns = images.shape[-2:]
        top, left = round((rows - height) / 2), round((columns - width) / 2)
        return images[..., top : top + height, left : left + width]


class RandomCrop(ImageTransform):
    """Cut out a part of a size at a random place.

    Args:
        size: (height, width), or one number for both.
        padding: what is added first, as in `Pad`.
        pad_if_needed: whether smaller images are padded until they are large enough.
        fill: as in `Pad`.
        padding_mode: as in `Pad`.

    Raises:
        ValueError: the images are smaller than the part.

    Example:
        >>> from autograd import ones
        >>> tuple(RandomCrop(32, padding=4)(ones(8, 3, 32, 32)).shape)
        (8, 3, 32, 32)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        padding: Padding | None = None,
        pad_if_needed: bool = False,
        fill: float | Sequence[float] = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size = pair("RandomCrop", "size", size)
        if padding is not None:
            sides("RandomCrop", padding)
        check_mode("RandomCrop", padding_mode)
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    def apply(self, images: Array) -> Array:
        """Crop images (N, C, H, W)."""
        height, width = self.size
        if self.padding is not None:
            added = sides("RandomCrop", self.padding)
            images = pad("RandomCrop", images, added, self.fill, self.padding_mode)
        if self.pad_if_needed:
            below, right = max(height - images.shape[-2], 0), max(width - images.shape[-1], 0)
            added = (right, below, right, below)
            images = pad("RandomCrop", images, added, self.fill, self.padding_mode)
        rows, columns = images.shape[-2:]
        if rows < height or columns < width:
            raise ValueError(
                f"RandomCrop: got images of {rows} x {columns} pixels (padding included), expected "
                f"at least {height} x {width}"
            )
        count = len(images)
        top, left = integers(count, rows - height + 1), integers(count, columns - width + 1)
        # (N, C, H, W) -> (N, C, H-h+1, W-w+1, h, w)
        windows = np.lib.stride_tricks.sliding_window_view(images, self.size, axis=(2, 3))
        cut: Array = windows[np.arange(count), :, top, left]  # -> (N, C, h, w)
        return cut


class RandomHorizontalFlip(ImageTransform):
    """Mirror left and right with a probability.

    Example:
        >>> from autograd import arange
        >>> RandomHorizontalFlip(p=1)(arange(3).reshape(1, 1, 3))
        tensor([[[2, 1, 0]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability("RandomHorizontalFlip", p)

    def apply(self, images: Array) -> Array:
        """Mirror some of images (N, C, H, W)."""
        chosen = uniform((len(images),)) < self.p
        return np.where(chosen[:, None, None, None], images[..., ::-1], images)


class RandomVerticalFlip(ImageTransform):
    """Mirror top and bottom with a probability.

    Example:
        >>> from autograd import arange
        >>> RandomVerticalFlip(p=1)(arange(2).reshape(1, 2, 1))
        tensor([[[1],
                 [0]]])
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = probability("RandomVerticalFlip", p)

    def apply(self, images: Array) -> Array:
        """Mirror some of images (N, C, H, W)."""
        chosen = uniform((len(images),)) < self.p
        return np.where(chosen[:, None, None, None], images[..., ::-1, :], images)


def sides(name: str, padding: Padding) -> tuple[int, int, int, int]:
    """(left, top, right, bottom)."""
    numbers = (padding,) if isinstance(padding, int) else tuple(padding)
    if len(numbers) not in (1, 2, 4) or min(numbers) < 0:
        raise ValueError(
            f"{name}: padding must be 1, 2 or 4 numbers that are not negative, got {padding}"
        )
    left, top, right, bottom = (numbers * 4)[:4]
    return left, top, right, bottom


def check_mode(name: str, mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"{name}: padding_mode must be one of {', '.join(MODES)}, got {mode!r}")


def pad(
    name: str,
    images: Array,
    added: tuple[int, int, int, int],
    fill: float | Sequence[float],
    mode: str,
) -> Array:
    """Images (N, C, H, W) with (left, top, right, bottom) pixels added."""
    left, top, right, bottom = added
    rows, columns = images.shape[-2:]
    if mode == "constant":
        shape = (*images.shape[:2], top + rows + bottom, left + columns + right)
        padded = np.empty(shape, images.dtype)
        padded[...] = fill_values(name, fill, images)
        padded[..., top : top + rows, left : left + columns] = images
        return padded
    if mode == "reflect" and (max(left, right) >= columns or max(top, bottom) >= rows):
        raise ValueError(
            f"{name}: reflect padding {added} must be less than the images' {rows} x {columns}"
        )
    widths = ((0, 0), (0, 0), (top, bottom), (left, right))
    if mode == "edge":
        return np.pad(images, widths, "edge")
    return np.pad(images, widths, "reflect" if mode == "reflect" else "symmetric")
