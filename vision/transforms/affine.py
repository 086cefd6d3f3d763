"""Turned, moved, scaled and sheared images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vision.transforms.image import (
    Array,
    ImageTransform,
    InterpolationMode,
    back_to,
    fill_values,
    interval,
    uniform,
)

__all__ = ["RandomAffine", "RandomRotation"]

TOLERANCE = 1e-3
"""By how much of a pixel a turned image may stick out without growing."""


class RandomAffine(ImageTransform):
    r"""Turn, move, scale and shear images at random, about their centre.

    A pixel at ``p`` from the centre goes to ``R(a) Y(v) X(u) s p + t``: scaled by ``s``, sheared by
    ``u`` along the rows (``X = [[1, -tan u], [0, 1]]``) and ``v`` along the columns
    (``Y = [[1, 0], [-tan v, 1]]``), turned by ``a`` clockwise, moved by ``t``. What comes from
    outside an image is `fill`, which bilinear interpolation blends in at the border.

    Args:
        degrees: a range (low, high) of ``a``, or one number for (-number, number).
        translate: the largest ``t`` as shares of width and height; whole pixels are drawn.
        scale: a range of ``s``.
        shear: a range of ``u`` in degrees, or one number; or ranges of ``u`` and ``v``: 4 numbers.
        interpolation: "nearest" or "bilinear".
        fill: a value, or one for each channel.
        center: (x, y) in pixels from the upper left corner, instead of the centre.

    Raises:
        ValueError: for numbers out of range or too many or few of them.

    Example:
        >>> from autograd import tensor
        >>> RandomAffine((180, 180))(tensor([[[1, 2, 3]]]))
        tensor([[[3, 2, 1]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: InterpolationMode | str = InterpolationMode.NEAREST,
        fill: float | Sequence[float] = 0,
        center: Sequence[float] | None = None,
    ) -> None:
        name = "RandomAffine"
        self.degrees = interval(name, "degrees", degrees)
        if translate is not None and not (
            len(translate) == 2 and 0 <= min(translate) <= max(translate) <= 1
        ):
            raise ValueError(f"{name}: translate must be two shares in [0, 1], got {translate}")
        self.translate = translate
        if scale is not None and interval(name, "scale", tuple(scale))[0] <= 0:
            raise ValueError(f"{name}: scale must be positive, got {scale}")
        self.scale = scale
        self.shear = None if shear is None else shear_ranges(shear)
        self.interpolation = InterpolationMode(interpolation)
        self.fill = fill
        self.center = centre_argument(name, center)

    def apply(self, images: Array) -> Array:
        """Turn, move, scale and shear images (N, C, H, W)."""
        count, _, rows, columns = images.shape
        angles = np.deg2rad(uniform((count,), *self.degrees))
        shift = np.zeros((count, 2))
        if self.translate is not None:
            farthest = np.array([self.translate[0] * columns, self.translate[1] * rows])
            shift = np.rint(uniform((count, 2), -farthest, farthest))
        scale = np.ones(count) if self.scale is None else uniform((count,), *self.scale)
        shears = np.zeros((count, 2))
        if self.shear is not None:
            low, high = np.array(self.shear).reshape(2, 2).T  # (4,) -> lows (2,), highs (2,)
            shears = np.deg2rad(uniform((count, 2), low, high))
        inverses = np.linalg.inv(matrices(angles, scale, shears))
        return sample(
            type(self).__name__, images, inverses, shift, self.center, self.interpolation, self.fill
        )


class RandomRotation(ImageTransform):
    """Turn images at random, counter-clockwise.

    Args:
        degrees: a range (low, high), or one number for (-number, number).
        interpolation: "nearest" or "bilinear".
        expand: whether an image grows so that all of it stays in; one image at a time.
        center: (x, y) in pixels from the upper left corner, instead of the centre.
        fill: the value of what comes from outside, or one for each channel.

    Raises:
        ValueError: for numbers out of range or too many or few of them, or a batch with `expand`.

    Example:
        >>> from autograd import arange
        >>> RandomRotation((90, 90))(arange(4).reshape(1, 2, 2))
        tensor([[[1, 3],
                 [0, 2]]])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: InterpolationMode | str = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: float | Sequence[float] = 0,
    ) -> None:
        self.degrees = interval("RandomRotation", "degrees", degrees)
        self.interpolation = InterpolationMode(interpolation)
        self.expand = expand
        self.center = centre_argument("RandomRotation", center)
        self.fill = fill

    @property
    def takes_batches(self) -> bool:
        """Not with `expand`: the size depends on the angle."""
        return not self.expand

    def apply(self, images: Array) -> Array:
        """Turn images (N, C, H, W)."""
        count = len(images)
        if self.expand and count != 1:
            raise ValueError(
                f"RandomRotation: with expand images get different sizes, got a batch of {count}"
            )
        angles = np.deg2rad(uniform((count,), *self.degrees))
        # The transpose of a turn is the turn back.
        inverses = matrices(-angles, np.ones(count), np.zeros((count, 2))).transpose(0, 2, 1)
        size, center, shift = images.shape[-2:], self.center, np.zeros((count, 2))
        if self.expand:
            sides = np.array(size[::-1]) / 2  # (width, height)
            reach = np.abs(inverses[0].T) @ sides - TOLERANCE
            grown = np.ceil(sides + reach) - np.floor(sides - reach)
            size = (int(grown[1]), int(grown[0]))
            center = None
        return sample(
            "RandomRotation", images, inverses, shift, center, self.interpolation, self.fill, size
        )


def shear_ranges(shear: float | Sequence[float]) -> tuple[float, float, float, float]:
    """(low, high) along the rows and (low, high) along the columns."""
    if isinstance(shear, (int, float)) or len(shear) != 4:
        return (*interval("RandomAffine", "shear", shear), 0.0, 0.0)
    rows = interval("RandomAffine", "shear", shear[:2])
    return (*rows, *interval("RandomAffine", "shear", shear[2:]))


def centre_argument(name: str, center: Sequence[float] | None) -> tuple[float, float] | None:
    if center is None:
        return None
    if len(center) != 2:
        raise ValueError(f"{name}: center must be (x, y), got {center}")
    return float(center[0]), float(center[1])


def matrices(angles: Array, scale: Array, shears: Array) -> Array:
    """``R(a) Y(v) X(u) s`` for each image: (N, 2, 2)."""
    cos, sin, one, zero = np.cos(angles), np.sin(angles), np.ones_like(angles), 0 * angles
    tan = np.tan(shears)

    def matrix(a: Array, b: Array, c: Array, d: Array) -> Array:
        return np.stack([np.stack([a, b], -1), np.stack([c, d], -1)], -2)  # -> (N, 2, 2)

    turn = matrix(cos, -sin, sin, cos)
    along_columns, along_rows = (
        matrix(one, zero, -tan[:, 1], one),
        matrix(one, -tan[:, 0], zero, one),
    )
    product: Array = turn @ along_columns @ along_rows * scale[:, None, None]
    return product


def sample(
    name: str,
    images: Array,
    inverses: Array,
    shift: Array,
    center: tuple[float, float] | None,
    mode: InterpolationMode,
    fill: Any,
    size: tuple[int, ...] | None = None,
) -> Array:
    """Images whose pixel at q is the given one's at ``inverse (q - centre - shift) + centre``.

    Args:
        name: of the transform, for errors.
        images: (N, C, H, W).
        inverses: (N, 2, 2), on (x, y).
        shift: (N, 2), (x, y) in pixels.
        center: (x, y) in pixels from the upper left corner; by default in the middle.
        mode: how values between pixels are found.
        fill: what is outside.
        size: (height, width) of the result, by default the same, about the same centre.
    """
    rows, columns = images.shape[-2:]
    height, width = size or (rows, columns)
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2])
    around = middle if center is None else np.array(center) - 0.5
    offset = around - middle + np.array([(width - 1) / 2, (height - 1) / 2])
    x, y = np.arange(width), np.arange(height)
    # where each pixel (N, h, w) comes from, in pixels of the given image
    moved_x = x[None, None, :] - offset[0] - shift[:, 0, None, None]
    moved_y = y[None, :, None] - offset[1] - shift[:, 1, None, None]
    turn = inverses[..., None, None]
    from_x = turn[:, 0, 0] * moved_x + turn[:, 0, 1] * moved_y + around[0]
    from_y = turn[:, 1, 0] * moved_x + turn[:, 1, 1] * moved_y + around[1]
    framed = frame(images, fill_values(name, fill, images))
    if mode is InterpolationMode.NEAREST:
        # Rounded first: sines make 0.4999999999 of a half, which is to go the same way everywhere.
        at_x, at_y = (np.rint(np.round(v, 6)).astype(np.intp) for v in (from_x, from_y))
        inside = at_y.clip(-1, rows), at_x.clip(-1, columns)
        found = pixels(framed, places(framed, *inside))
        return found.transpose(0, 3, 1, 2)  # (N, h, w, C) -> (N, C, h, w)
    dtype = images.dtype if images.dtype.kind == "f" else np.dtype(np.float32)
    # What lies further out is all the same, so that a frame of one pixel is enough.
    from_x, from_y = from_x.clip(-1, columns), from_y.clip(-1, rows)
    left = np.minimum(np.floor(from_x).astype(np.int32), columns - 1)
    top = np.minimum(np.floor(from_y).astype(np.int32), rows - 1)
    share_x = (from_x - left).astype(dtype)[..., None]  # (N, h, w) -> (N, h, w, 1)
    share_y = (from_y - top).astype(dtype)[..., None]
    wide = framed.astype(dtype, copy=False)
    place = places(wide, top, left)
    upper = between(pixels(wide, place), pixels(wide, place + 1), share_x)
    place += columns + 2  # the next row
    lower = between(pixels(wide, place), pixels(wide, place + 1), share_x)
    mixed = between(upper, lower, share_y)
    return back_to(mixed.transpose(0, 3, 1, 2), images.dtype)  # (N, h, w, C) -> (N, C, h, w)


def between(first: Array, second: Array, share: Array) -> Array:
    """``(1 - share) * first + share * second``, in the memory of `second`."""
    second -= first
    second *= share
    second += first
    return second


def frame(images: Array, outside: Array) -> Array:
    """Images (N, C, H, W) with a pixel of `outside` around them: (N, H + 2, W + 2, C)."""
    count, channels, rows, columns = images.shape
    framed = np.empty((count, rows + 2, columns + 2, channels), images.dtype)
    framed[...] = outside.transpose(0, 2, 3, 1)  # (1, C, 1, 1) -> (1, 1, 1, C)
    framed[:, 1:-1, 1:-1] = images.transpose(0, 2, 3, 1)
    return framed


def places(framed: Array, y: Array, x: Array) -> Array:
    """Which pixels of all are at whole places (N, h, w) of images that `frame` made."""
    count, rows, columns, _ = framed.shape
    first = np.arange(count, dtype=np.int64)[:, None, None] * (rows * columns)
    place: Array = first + (y + 1) * columns + (x + 1)
    return place


def pixels(framed: Array, place: Array) -> Array:
    """The pixels (N, h, w, C) at `places`."""
    found: Array = framed.reshape(-1, framed.shape[-1]).take(place, axis=0)  # -> (N, h, w, C)
    return found
