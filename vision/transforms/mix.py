"""Batches whose images and labels are mixed with each other's."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor, from_numpy
from vision.transforms.erase import rectangles
from vision.transforms.image import Array, integers, numpy_generator

__all__ = ["CutMix", "MixUp"]


class BatchMix:
    """Base of `MixUp` and `CutMix`: each image meets the one before it in the batch.

    Raises:
        TypeError: the images are not of a floating-point type.
        ValueError: images that are not (N, C, H, W), labels that are neither (N,) nor (N, K), or
            a label outside [0, num_classes).
    """

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None) -> None:
        if not alpha > 0:
            raise ValueError(f"{type(self).__name__}: alpha must be above 0, got {alpha}")
        self.alpha = float(alpha)
        self.num_classes = num_classes

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        values = self._images(images)
        shares = self._one_hot(labels, len(values), values.dtype)
        lam = float(numpy_generator().beta(self.alpha, self.alpha))
        mixed, lam = self.mix(values, np.roll(values, 1, axis=0), lam)
        kept = shares.dtype.type(lam)
        mixed_labels = kept * shares + (1 - kept) * np.roll(shares, 1, axis=0)
        return from_numpy(mixed), from_numpy(mixed_labels)

    def mix(self, images: Array, others: Array, lam: float) -> tuple[Array, float]:
        """The mixed images, and which share of each is its own."""
        raise NotImplementedError(f"{type(self).__name__}: defines no mix")

    def _images(self, images: Any) -> Array:
        name = type(self).__name__
        if not isinstance(images, Tensor) or images.dtype.kind != "f":
            raise TypeError(
                f"{name}: images must be a Tensor of a floating-point type, got "
                f"{type(images).__name__} of {getattr(images, 'dtype', 'no type')}"
            )
        if images.ndim != 4 or images.requires_grad:
            raise ValueError(
                f"{name}: images must be (N, C, H, W) and require no grad, got shape "
                f"{tuple(images.shape)}, requires_grad={images.requires_grad}"
            )
        return images.array

    def _one_hot(self, labels: Tensor, count: int, dtype: np.dtype[np.float32]) -> Array:
        """Labels (N,) as rows of 0 and 1 of shape (N, K); rows stay as they are."""
        name, values, classes = type(self).__name__, labels.array, self.num_classes
        if values.ndim == 2 and values.dtype.kind == "f" and len(values) == count:
            return values
        if values.ndim != 1 or values.dtype.kind not in "iu" or len(values) != count:
            raise ValueError(
                f"{name}: labels must be {count} whole numbers or ({count}, K) probabilities, got "
                f"{values.dtype} of shape {values.shape}"
            )
        if classes is None:
            raise ValueError(f"{name}: needs num_classes for labels that are whole numbers")
        if count and not 0 <= values.min() <= values.max() < classes:
            raise ValueError(
                f"{name}: labels must be from 0 to {classes - 1}, got {values.min()} to "
                f"{values.max()}"
            )
        rows: Array = (values[:, None] == np.arange(classes)).astype(dtype)
        return rows

    def __repr__(self) -> str:
        return f"{type(self).__name__}(alpha={self.alpha}, num_classes={self.num_classes})"


class MixUp(BatchMix):
    """Mix images and labels: ``l x[i] + (1 - l) x[i - 1]`` with ``l`` from Beta(alpha, alpha).

    One ``l`` is drawn for a batch. A shuffling DataLoader takes it as a part of its `collate_fn`.

    Args:
        alpha: above 0; the smaller, the less is mixed.
        num_classes: how many; for labels (N,).

    Raises:
        As `BatchMix`.

    Source: H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, mixup: beyond empirical risk
    minimization, ICLR 2018.

    Example:
        >>> from autograd import ones, tensor
        >>> images, labels = MixUp(num_classes=3)(ones(2, 1, 4, 4), tensor([0, 2]))
        >>> tuple(images.shape), tuple(labels.shape)
        ((2, 1, 4, 4), (2, 3))
        >>> labels.sum(dim=1)
        tensor([1., 1.])
    """

    def mix(self, images: Array, others: Array, lam: float) -> tuple[Array, float]:
        """``lam * images + (1 - lam) * others``."""
        kept = images.dtype.type(lam)
        return kept * images + (1 - kept) * others, lam


class CutMix(BatchMix):
    """Put a rectangle of the image before into each, and mix the labels by area.

    The rectangle has the share ``1 - l`` of the area, ``l`` from Beta(alpha, alpha), and a centre
    anywhere; what sticks out is cut off. Both are drawn once for a batch.

    Args:
        alpha: above 0; the smaller, the more one image prevails.
        num_classes: how many; for labels (N,).

    Raises:
        As `BatchMix`.

    Source: S. Yun et al., CutMix: regularization strategy to train strong classifiers with
    localizable features, ICCV 2019.

    Example:
        >>> from autograd import ones, tensor
        >>> images, labels = CutMix(num_classes=3)(ones(2, 1, 4, 4), tensor([0, 2]))
        >>> tuple(images.shape), tuple(labels.shape)
        ((2, 1, 4, 4), (2, 3))
    """

    def mix(self, images: Array, others: Array, lam: float) -> tuple[Array, float]:
        """`images` with a rectangle of `others`."""
        rows, columns = images.shape[-2:]
        half = 0.5 * np.sqrt(1.0 - lam)
        y, x = integers(1, rows), integers(1, columns)
        reach_y, reach_x = int(half * rows), int(half * columns)
        top, bottom = (y - reach_y).clip(0), (y + reach_y).clip(max=rows)
        left, right = (x - reach_x).clip(0), (x + reach_x).clip(max=columns)
        hole = rectangles(top, left, bottom, right, rows, columns)[:, None]  # (1, 1, H, W)
        return np.where(hole, others, images), 1.0 - float(hole.mean())
