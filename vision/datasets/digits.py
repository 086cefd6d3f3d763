"""The handwritten digits that come with scikit-learn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from autograd import from_numpy
from vision.datasets.base import Transform, VisionDataset

__all__ = ["Digits"]

SEED = 0


class Digits(VisionDataset):
    """1,797 real handwritten digits of 8 x 8 grey levels; they come with scikit-learn.

    A fifth of each class, chosen once and for all, is held out to test: 1,442 images to learn
    from and 355 to test. Their 17 grey levels 0 ... 16 are spread over 0 ... 255. Items and
    transforms are described at `VisionDataset`.

    Args:
        train: the training images, or the test images.
        transform: makes an image from a uint8 array (8, 8).
        target_transform: makes a label from an int.
        subset_size: how many images to keep: a fixed choice of them (see `VisionDataset.keep`).

    Raises:
        ImportError: scikit-learn is not installed.
        ValueError: there are fewer images than `subset_size`.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998.

    Example:
        >>> data = Digits(train=False)
        >>> image, label = data[0]
        >>> len(data), tuple(image.shape)
        (355, (1, 8, 8))
    """

    classes = tuple("0123456789")

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        *,
        subset_size: int | None = None,
    ) -> None:
        super().__init__(None, train, transform, target_transform)
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                "Digits: needs scikit-learn, which is not installed: pip install scikit-learn"
            ) from error
        bunch = load_digits()
        targets = bunch.target.astype(np.int64)
        rows = np.flatnonzero(held_out(targets) != train)
        images = np.rint(bunch.images[rows] * (255 / 16)).astype(np.uint8)
        self.data = from_numpy(images)
        self.targets = from_numpy(targets[rows])
        self.keep(subset_size)


def held_out(targets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which images are for testing: the same fifth of each class everywhere and always.

    NumPy promises that the numbers of its old `RandomState` never change.
    """
    random = np.random.RandomState(SEED)
    chosen = np.zeros(len(targets), np.bool_)
    for label in range(targets.max() + 1):
        members = np.flatnonzero(targets == label)
        chosen[random.permutation(members)[: len(members) // 5]] = True
    return chosen
