"""Changes of colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import randperm
from vision.transforms.image import Array, ImageTransform, back_to, uniform

__all__ = ["ColorJitter"]

GREY = (0.2989, 0.587, 0.114)


class ColorJitter(ImageTransform):
    """Change brightness, contrast, saturation and hue at random, in random order.

    With ``f`` drawn for each image: brightness multiplies by ``f``; contrast mixes with the mean
    grey level ``m`` and saturation with the grey image ``g``, ``f x + (1 - f) m`` or ``g``, where
    ``g = 0.2989 R + 0.587 G + 0.114 B``; hue turns the colour wheel by ``f`` of a turn. What
    leaves the range is cut off. The order is one for a batch.

    Args:
        brightness: the range (low, high) of ``f``, or one number b for (max(0, 1 - b), 1 + b).
        contrast: likewise.
        saturation: likewise; nothing to a grey image.
        hue: a range within [-0.5, 0.5], or one number h for (-h, h); nothing to a grey image.

    Raises:
        ValueError: for ranges that are negative or out of bounds, images that have neither 1 nor 3
            channels, or floating-point values outside [0, 1] (normalize afterwards).

    Example:
        >>> from autograd import full
        >>> ColorJitter(brightness=(0.5, 0.5))(full((1, 1, 2), 0.5))
        tensor([[[0.2500, 0.2500]]])
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        self.brightness = factors("brightness", brightness)
        self.contrast = factors("contrast", contrast)
        self.saturation = factors("saturation", saturation)
        self.hue = factors("hue", hue)

    def apply(self, images: Array) -> Array:
        """Change the colours of images (N, C, H, W)."""
        channels, dtype = images.shape[1], images.dtype
        if channels not in (1, 3):
            raise ValueError(f"ColorJitter: got images of {channels} channels, expected 1 or 3")
        if dtype.kind == "f" and not (images.min() >= 0 and images.max() <= 1):
            raise ValueError(
                f"ColorJitter: got values from {images.min():g} to {images.max():g}, expected them "
                "in [0, 1]; normalize afterwards"
            )
        top = 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)
        work = dtype if dtype.kind == "f" else np.dtype(np.float32)
        values = (images / work.type(top)).astype(work, copy=False)
        for step in randperm(4).tolist():
            name, change = CHANGES[step]
            span = getattr(self, name)
            if span is not None and (channels == 3 or name in ("brightness", "contrast")):
                drawn = uniform((len(images), 1, 1, 1), *span).astype(work)
                values = change(values, drawn)
                np.clip(values, 0, 1, out=values)
        values *= work.type(top)
        return back_to(values, dtype)


def factors(name: str, value: Any) -> tuple[float, float] | None:
    """The range of a factor; None where it would change nothing."""
    centre, low, high = (0.0, -0.5, 0.5) if name == "hue" else (1.0, 0.0, np.inf)
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"ColorJitter: {name} must not be negative, got {value}")
        value = (centre - value if name == "hue" else max(centre - value, 0.0), centre + value)
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ValueError(
            f"ColorJitter: {name} must be (low, high) within [{low:g}, {high:g}], got {value}"
        )
    span = float(value[0]), float(value[1])
    return None if span == (centre, centre) else span


def grey(images: Array) -> Array:
    """The grey images (N, 1, H, W)."""
    if images.shape[1] == 1:
        return images
    red, green, blue = (weight * images[:, i : i + 1] for i, weight in enumerate(GREY))
    total: Array = red + green + blue
    return total


def brighten(images: Array, factor: Array) -> Array:
    images *= factor
    return images


def contrast(images: Array, factor: Array) -> Array:
    mean = grey(images).mean(axis=(1, 2, 3), keepdims=True)
    images *= factor
    images += (1 - factor) * mean
    return images


def saturate(images: Array, factor: Array) -> Array:
    shade = (1 - factor) * grey(images)
    images *= factor
    images += shade
    return images


def turn_hue(images: Array, factor: Array) -> Array:
    """Through hue, saturation and value, and back (A. R. Smith, Color gamut transforms, 1978)."""
    value, low = images.max(axis=1), images.min(axis=1)  # (N, 3, H, W) -> (N, H, W)
    spread = value - low
    divisor = np.where(spread == 0, 1, spread)
    red, green, blue = ((value - images[:, i]) / divisor for i in range(3))
    sector = np.where(
        value == images[:, 0],
        blue - green,
        np.where(value == images[:, 1], 2 + red - blue, 4 + green - red),
    )
    sixths = (sector + 6 * factor[:, 0]) % 6
    # channel n of 5 (red), 3 (green), 1 (blue): value - spread * a trapezium of its distance
    parts = []
    for n in (5, 3, 1):
        k = (n + sixths) % 6
        parts.append(value - spread * np.minimum(k, 4 - k).clip(0, 1))
    return np.stack(parts, axis=1)  # -> (N, 3, H, W)


# Each may write into the images that it is given.
CHANGES = (
    ("brightness", brighten),
    ("contrast", contrast),
    ("saturation", saturate),
    ("hue", turn_hue),
)
