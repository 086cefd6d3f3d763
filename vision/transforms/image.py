"""What transforms of images have in common: the kinds of images, and the source of randomness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd import Tensor, from_numpy

__all__ = ["ImageTransform", "InterpolationMode"]

Array: TypeAlias = NDArray[Any]


class InterpolationMode(Enum):
    """How values between pixels are found; a transform takes the member or its value.

    Example:
        >>> InterpolationMode("bilinear")
        <InterpolationMode.BILINEAR: 'bilinear'>
    """

    NEAREST = "nearest"
    BILINEAR = "bilinear"


class ImageTransform:
    """Base of transforms that take one image or a batch, and give back the same kind.

    A Tensor has the shape (C, H, W) or (N, C, H, W); an array, as a data set gives it, (H, W) or
    (H, W, C); a Pillow image becomes such an array. Random choices are made for each image of a
    batch on its own. They are drawn from the generator of `autograd`, so that a run after
    ``autograd.manual_seed`` repeats exactly, in the threads of a `nn.data.DataLoader` too.

    A subclass defines `apply`, on arrays (N, C, H, W), which must not write into its argument.

    Raises:
        TypeError: neither a Tensor, an array nor a Pillow image.
        ValueError: another shape, or an image without pixels.
        RuntimeError: a Tensor that requires a gradient, which a transform does not pass on.

    Example:
        >>> class Invert(ImageTransform):
        ...     def apply(self, images):
        ...         return 1 - images
        >>> Invert()(autograd.zeros(1, 1, 2))
        tensor([[[1., 1.]]])
    """

    @property
    def takes_batches(self) -> bool:
        """Whether the images of a batch all come out in the same size."""
        return True

    def apply(self, images: Array) -> Array:
        """Transform images (N, C, H, W)."""
        raise NotImplementedError(f"{type(self).__name__}: defines no apply")

    def __call__(self, img: Any) -> Any:
        name = type(self).__name__
        images, restore = to_batch(name, img)
        return restore(self.apply(images))

    def __repr__(self) -> str:
        public = (f"{key}={value}" for key, value in vars(self).items() if key[0] != "_")
        return f"{type(self).__name__}({', '.join(public)})"


def to_batch(name: str, img: Any) -> tuple[Array, Callable[[Array], Any]]:
    """An image or batch as an array (N, C, H, W), and the way back to what it was."""
    if isinstance(img, Tensor):
        if img.requires_grad:
            raise RuntimeError(f"{name}: got a Tensor that requires grad; detach it first")
        return tensor_to_batch(name, img.array)
    if not isinstance(img, np.ndarray) and not hasattr(img, "__array_interface__"):
        raise TypeError(
            f"{name}: got {type(img).__name__}, expected a Tensor, a NumPy array or a Pillow image"
        )
    image = np.asarray(img)
    if image.dtype == np.bool_ and image is not img:
        image = image.astype(np.uint8) * np.uint8(255)
    check_shape(name, image, (2, 3), "an array of shape (H, W) or (H, W, C)")
    if image.ndim == 2:
        return image[None, None], lambda batch: batch[0, 0]  # (H, W) -> (1, 1, H, W)
    # (H, W, C) -> (1, C, H, W)
    return image.transpose(2, 0, 1)[None], lambda batch: batch[0].transpose(1, 2, 0)


def tensor_to_batch(name: str, array: Array) -> tuple[Array, Callable[[Array], Any]]:
    """Likewise, for the array of a Tensor."""
    check_shape(name, array, (3, 4), "a Tensor of shape (C, H, W) or (N, C, H, W)")
    if array.ndim == 4:
        return array, lambda batch: from_numpy(np.ascontiguousarray(batch))
    return array[None], lambda batch: from_numpy(np.ascontiguousarray(batch[0]))


def check_shape(name: str, array: Array, dimensions: tuple[int, int], expected: str) -> None:
    if array.ndim not in dimensions or 0 in array.shape[-3:]:
        raise ValueError(f"{name}: got shape {array.shape}, expected {expected} with pixels")


def uniform(size: Any, low: Any = 0.0, high: Any = 1.0) -> Array:
    """Numbers from `low` to `high`, drawn from the generator of `autograd`."""
    drawn: Array = autograd.rand(size, dtype=np.float64).array
    stretched: Array = low + (high - low) * drawn
    return stretched


def integers(count: int, below: Any) -> Array:
    """`count` whole numbers from 0 to `below`, which is excluded and may differ for each."""
    numbers: Array = (uniform((count,)) * below).astype(np.intp)
    return numbers


def numpy_generator() -> np.random.Generator:
    """A generator of NumPy with a seed from the generator of `autograd`."""
    return np.random.default_rng(int(autograd.randint(0, 2**62, (1,)).item()))


def probability(name: str, p: float) -> float:
    """`p`, if it is one."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{name}: p must be in [0, 1], got {p}")
    return p


def pair(name: str, argument: str, size: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) of a size given as one number for both, or as two."""
    sizes = (size, size) if isinstance(size, int) else tuple(size)
    if len(sizes) == 1:
        sizes = (*sizes, *sizes)
    if len(sizes) != 2 or min(sizes) < 1:
        raise ValueError(
            f"{name}: {argument} must be one positive integer or two (H, W), got {size}"
        )
    return int(sizes[0]), int(sizes[1])


def interval(name: str, argument: str, values: float | Sequence[float]) -> tuple[float, float]:
    """(low, high) of a range given by both, or by one number for (-number, number)."""
    if isinstance(values, (int, float)):
        if values < 0:
            raise ValueError(f"{name}: {argument} must not be negative, got {values}")
        return -float(values), float(values)
    if len(values) != 2 or values[0] > values[1]:
        raise ValueError(f"{name}: {argument} must be (low, high) or one number, got {values}")
    return float(values[0]), float(values[1])


def fill_values(name: str, fill: float | Sequence[float], images: Array) -> Array:
    """A fill as (1, C, 1, 1) or (1, 1, 1, 1), in the type of the images."""
    values = np.atleast_1d(np.asarray(fill))
    if values.ndim != 1 or len(values) not in (1, images.shape[1]):
        raise ValueError(
            f"{name}: fill {fill} must be a number or one for each of {images.shape[1]} channels"
        )
    return values.astype(images.dtype)[None, :, None, None]  # (C,) -> (1, C, 1, 1)


def back_to(values: Array, dtype: np.dtype[Any]) -> Array:
    """Values in an image's own type; whole numbers are rounded and kept in its range."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    if dtype.kind == "b":
        return values > 0.5
    limits = np.iinfo(dtype)
    return np.rint(values).clip(limits.min, limits.max).astype(dtype)
