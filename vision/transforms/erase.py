"""Images with a hole."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np

from autograd import Tensor, no_grad
from vision.transforms.image import (
    Array,
    ImageTransform,
    back_to,
    fill_values,
    numpy_generator,
    probability,
    uniform,
)

__all__ = ["RandomErasing"]

ATTEMPTS = 10


class RandomErasing(ImageTransform):
    """Erase a rectangle of a random size and place with a probability.

    With ``ratio=(1, 1)`` and ``scale=(s, s)`` this is cutout: a square of the share s of the area.

    Args:
        p: the probability.
        scale: between which shares of an image's area the rectangle's lies.
        ratio: between which numbers its height / width lies, uniformly in the logarithm.
        value: what is put there: a number, one for each channel, or "random" for normal noise.
        inplace: whether to write into the given tensor.

    Raises:
        ValueError: for numbers out of range or not in order.

    Source: Z. Zhong, L. Zheng, G. Kang, S. Li, Y. Yang, Random erasing data augmentation, AAAI
    2020; cutout: T. DeVries, G. W. Taylor, arXiv:1708.04552, 2017.

    Example:
        >>> from autograd import ones
        >>> cutout = RandomErasing(p=1, scale=(0.25, 0.25), ratio=(1, 1))
        >>> cutout(ones(1, 8, 8)).sum()
        tensor(48.)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | str | Sequence[float] = 0,
        inplace: bool = False,
    ) -> None:
        self.p = probability("RandomErasing", p)
        if len(scale) != 2 or not 0 <= scale[0] <= scale[1] <= 1:
            raise ValueError(f"RandomErasing: scale must be (low, high) in [0, 1], got {scale}")
        if len(ratio) != 2 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                f"RandomErasing: ratio must be (low, high), both positive, got {ratio}"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError(
                f"RandomErasing: value must be a number, one for each channel or 'random', "
                f"got {value!r}"
            )
        self.scale, self.ratio = tuple(scale), tuple(ratio)
        self.value = value
        self.inplace = inplace

    def __call__(self, img: Tensor) -> Tensor:
        erased: Tensor = super().__call__(img)
        if not self.inplace or not isinstance(img, Tensor):
            return erased
        with no_grad():
            return img.copy_(erased)

    def apply(self, images: Array) -> Array:
        """Erase a part of some of images (N, C, H, W)."""
        count, _, rows, columns = images.shape
        holes = self._holes(count, rows, columns)[:, None]  # (N, H, W) -> (N, 1, H, W)
        if self.value == "random":
            noise = numpy_generator().standard_normal(images.shape, np.float32)
            return np.where(holes, back_to(noise, images.dtype), images)
        assert not isinstance(self.value, str)
        return np.where(holes, fill_values("RandomErasing", self.value, images), images)

    def _holes(self, count: int, rows: int, columns: int) -> Array:
        """Which pixels are erased: (N, H, W)."""
        chosen = uniform((count,)) < self.p
        # Several rectangles are drawn for each image; the first that fits into it is taken.
        area = rows * columns * uniform((count, ATTEMPTS), *self.scale)
        ratio = np.exp(uniform((count, ATTEMPTS), log(self.ratio[0]), log(self.ratio[1])))
        heights, widths = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
        fits = (heights < rows) & (widths < columns)
        first = np.arange(count), fits.argmax(axis=1)
        height, width = heights[first], widths[first]
        top = np.floor(uniform((count,)) * (rows - height + 1))
        left = np.floor(uniform((count,)) * (columns - width + 1))
        chosen &= fits.any(axis=1)
        return (
            rectangles(top, left, top + height, left + width, rows, columns)
            & (chosen[:, None, None])
        )


def rectangles(
    top: Array, left: Array, bottom: Array, right: Array, rows: int, columns: int
) -> Array:
    """Which pixels (N, H, W) lie in a rectangle for each image; bottom and right are excluded."""
    y, x = np.arange(rows), np.arange(columns)
    vertical = (y >= top[:, None]) & (y < bottom[:, None])  # (N, H)
    horizontal = (x >= left[:, None]) & (x < right[:, None])  # (N, W)
    return vertical[:, :, None] & horizontal[:, None, :]
