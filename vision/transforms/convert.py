"""From images to tensors of the range that a network likes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import Tensor, from_numpy

__all__ = ["Normalize", "ToTensor"]


class ToTensor:
    """Turn an image into a Tensor (C, H, W).

    An image is an array of shape (H, W) or (H, W, C), or a Pillow image. uint8 values become
    float32, divided by 255, so that they lie in [0, 1]; other types stay as they are.

    Raises:
        TypeError: neither an array nor a Pillow image.
        ValueError: an array that has not 2 or 3 dimensions.

    Example:
        >>> import numpy as np
        >>> ToTensor()(np.array([[0, 51], [102, 255]], np.uint8))
        tensor([[[0.0000, 0.2000],
                 [0.4000, 1.0000]]])
    """

    def __call__(self, pic: Any) -> Tensor:
        if not isinstance(pic, np.ndarray) and not hasattr(pic, "__array_interface__"):
            raise TypeError(
                f"ToTensor: got {type(pic).__name__}, expected a NumPy array or a Pillow image"
            )
        image = np.asarray(pic)
        if image.ndim not in (2, 3):
            raise ValueError(
                f"ToTensor: got an image of shape {image.shape}, expected (H, W) or (H, W, C)"
            )
        if image.dtype == np.bool_ and not isinstance(pic, np.ndarray):
            image = image.astype(np.uint8) * np.uint8(255)
        # (H, W) -> (1, H, W), (H, W, C) -> (C, H, W)
        planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        if planes.dtype == np.uint8:
            return from_numpy(planes.astype(np.float32, order="C") / np.float32(255.0))
        return from_numpy(planes.copy(order="C"))

    def __repr__(self) -> str:
        return "ToTensor()"


class Normalize:
    """Shift and scale each channel: ``(x - mean[c]) / std[c]``.

    Args:
        mean: one number per channel, or one for all.
        std: likewise; none may be 0.
        inplace: whether to write into the given tensor.

    Raises:
        TypeError: not a Tensor of a floating-point type.
        ValueError: fewer than 3 dimensions, another number of channels, or a `std` of 0.

    Example:
        >>> from autograd import ones
        >>> Normalize(mean=(0.5,), std=(0.25,))(ones(1, 1, 2))
        tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        if 0.0 in list(std):
            raise ValueError(f"Normalize: std {tuple(std)} has a 0, which would divide by zero")
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def __call__(self, tensor: Any) -> Tensor:
        if not isinstance(tensor, Tensor) or tensor.dtype.kind != "f":
            raise TypeError(
                f"Normalize: got {type(tensor).__name__} of {getattr(tensor, 'dtype', 'no type')}, "
                "expected a Tensor of a floating-point type"
            )
        shape = tuple(tensor.shape)
        if len(shape) < 3 or any(len(v) not in (1, shape[-3]) for v in (self.mean, self.std)):
            raise ValueError(
                f"Normalize: got a tensor of shape {shape}, mean of {len(self.mean)} and std of "
                f"{len(self.std)} channels, expected (..., C, H, W) with as many channels"
            )
        # (C,) -> (C, 1, 1)
        mean = from_numpy(np.array(self.mean, tensor.dtype).reshape(-1, 1, 1))
        std = from_numpy(np.array(self.std, tensor.dtype).reshape(-1, 1, 1))
        if self.inplace:
            return tensor.sub_(mean).div_(std)
        return (tensor - mean) / std

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"
