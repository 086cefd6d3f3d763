"""Images in another size."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log

import numpy as np

from vision.transforms.image import (
    Array,
    ImageTransform,
    InterpolationMode,
    back_to,
    integers,
    pair,
    uniform,
)

__all__ = ["RandomResizedCrop", "Resize"]


class Resize(ImageTransform):
    r"""Make images larger or smaller.

    Output pixel i of n lies at ``x = (i + 1/2) * size / n - 1/2``. Bilinear interpolation weighs
    input pixel j by ``max(0, 1 - |x - j| / s)``, divided by the sum of the weights, with ``s = 1``;
    with `antialias`, ``s = max(1, size / n)``, so that each pixel of a smaller image is a mean of
    all those that it covers, and fine patterns do not turn into coarse ones. Values of an integer
    type are rounded.

    Args:
        size: (height, width); one number is that of the shorter side, the other follows.
        interpolation: "bilinear" or "nearest".
        max_size: what the longer side may not exceed; for a size of one number.
        antialias: see above; nothing to "nearest".

    Raises:
        ValueError: a size that is not positive, or a max_size that does not fit it.

    Example:
        >>> from autograd import tensor
        >>> Resize((1, 2))(tensor([[[0.0, 1.0, 2.0, 3.0]]]))
        tensor([[[0.7143, 2.2857]]])
        >>> Resize((1, 2), antialias=False)(tensor([[[0.0, 1.0, 2.0, 3.0]]]))
        tensor([[[0.5000, 2.5000]]])
    """

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode | str = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool = True,
    ) -> None:
        shorter = pair("Resize", "size", size)[0]
        one = isinstance(size, int) or len(size) == 1
        if max_size is not None and (not one or max_size <= shorter):
            raise ValueError(
                f"Resize: max_size {max_size} needs a size of one smaller number, got {size}"
            )
        self.size = size
        self.interpolation = InterpolationMode(interpolation)
        self.max_size = max_size
        self.antialias = antialias

    def apply(self, images: Array) -> Array:
        """Resize images (N, C, H, W)."""
        return resize(images, self._target(*images.shape[-2:]), self.interpolation, self.antialias)

    def _target(self, height: int, width: int) -> tuple[int, int]:
        """The new (height, width) of images of a size."""
        size = pair("Resize", "size", self.size)
        if not isinstance(self.size, int) and len(self.size) == 2:
            return size
        short, long = min(height, width), max(height, width)
        new_short, new_long = size[0], size[0] * long // short
        if self.max_size is not None and new_long > self.max_size:
            new_short, new_long = max(1, self.max_size * new_short // new_long), self.max_size
        return (new_short, new_long) if height <= width else (new_long, new_short)


class RandomResizedCrop(ImageTransform):
    """Cut out a part of a random size and place, and resize it.

    Args:
        size: (height, width) after that, or one number for both.
        scale: between which shares of an image's area the part's lies.
        ratio: between which numbers its width / height lies, uniformly in the logarithm.
        interpolation: as in `Resize`.
        antialias: as in `Resize`.

    Raises:
        ValueError: for numbers that are not positive or not in order.

    Source: C. Szegedy et al., Going deeper with convolutions, CVPR 2015.

    Example:
        >>> from autograd import ones
        >>> tuple(RandomResizedCrop(8)(ones(2, 3, 20, 30)).shape)
        (2, 3, 8, 8)
    """

    def __init__(
        self,
        size: int | Sequence[int],
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        interpolation: InterpolationMode | str = InterpolationMode.BILINEAR,
        antialias: bool = True,
    ) -> None:
        self.size = pair("RandomResizedCrop", "size", size)
        for name, values in (("scale", scale), ("ratio", ratio)):
            if len(values) != 2 or not 0 < values[0] <= values[1]:
                raise ValueError(
                    f"RandomResizedCrop: {name} must be (low, high), both positive, got {values}"
                )
        self.scale, self.ratio = tuple(scale), tuple(ratio)
        self.interpolation = InterpolationMode(interpolation)
        self.antialias = antialias

    def apply(self, images: Array) -> Array:
        """Crop and resize images (N, C, H, W)."""
        parts = [self._part(image[None]) for image in images]
        return np.concatenate(parts)

    def _part(self, image: Array) -> Array:
        rows, columns = image.shape[-2:]
        area = rows * columns * uniform((10,), *self.scale)
        ratio = np.exp(uniform((10,), log(self.ratio[0]), log(self.ratio[1])))
        widths = np.rint(np.sqrt(area * ratio)).astype(int)
        heights = np.rint(np.sqrt(area / ratio)).astype(int)
        fits = (widths >= 1) & (heights >= 1) & (widths <= columns) & (heights <= rows)
        if fits.any():
            height, width = int(heights[fits.argmax()]), int(widths[fits.argmax()])
            top, left = (int(integers(1, free + 1)[0]) for free in (rows - height, columns - width))
        else:
            kept = min(max(columns / rows, self.ratio[0]), self.ratio[1])
            height, width = min(rows, round(columns / kept)), min(columns, round(rows * kept))
            top, left = (rows - height) // 2, (columns - width) // 2
        part = image[..., top : top + height, left : left + width]
        return resize(part, self.size, self.interpolation, self.antialias)


def resize(images: Array, size: tuple[int, int], mode: InterpolationMode, antialias: bool) -> Array:
    """Images (N, C, H, W) of a new (height, width)."""
    rows, columns = images.shape[-2:]
    if size == (rows, columns):
        return images
    if mode is InterpolationMode.NEAREST:
        nearest = [
            np.arange(new) * old // new for new, old in zip(size, (rows, columns), strict=True)
        ]
        return images[..., nearest[0][:, None], nearest[1]]
    dtype = images.dtype if images.dtype.kind == "f" else np.dtype(np.float32)
    down = weights(rows, size[0], antialias).astype(dtype)
    across = weights(columns, size[1], antialias).astype(dtype)
    # (h, H) @ (N, C, H, W) @ (W, w) -> (N, C, h, w)
    return back_to(down @ (images.astype(dtype, copy=False) @ across.T), images.dtype)


@lru_cache(maxsize=64)
def weights(old: int, new: int, antialias: bool) -> Array:
    """How much each of `old` pixels counts in each of `new` ones: (new, old), rows of sum 1."""
    places = (np.arange(new) + 0.5) * (old / new) - 0.5
    spread = max(1.0, old / new) if antialias else 1.0
    if not antialias:
        places = places.clip(0, old - 1)
    matrix = np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(old)) / spread)
    shares: Array = matrix / matrix.sum(axis=1, keepdims=True)
    shares.flags.writeable = False
    return shares
