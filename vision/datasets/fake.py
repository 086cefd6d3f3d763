"""Images of noise, to try a program without any files."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.data import Dataset
from vision.datasets.base import Transform
from vision.transforms import ToTensor

__all__ = ["FakeData"]


class FakeData(Dataset[tuple[Any, Any]]):
    """Noise with random labels: item i is always the same.

    Args:
        size: how many images.
        image_size: (C, H, W).
        num_classes: how many labels there are.
        transform: makes an image from a uint8 array (H, W, C); without it the image is a float32
            Tensor (C, H, W) in [0, 1].
        target_transform: makes a label from an int.
        random_offset: other numbers give other images.

    Raises:
        ValueError: for a size, image size or number of classes that is not positive.
        IndexError: from an item beyond the size.

    Example:
        >>> data = FakeData(10, (1, 4, 4), num_classes=3)
        >>> image, label = data[7]
        >>> tuple(image.shape), 0 <= label < 3
        ((1, 4, 4), True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, ...] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        if size < 1 or num_classes < 1 or len(image_size) != 3 or min(image_size) < 1:
            raise ValueError(
                "FakeData: size, num_classes and the three of image_size (C, H, W) must be "
                f"positive, got {size}, {num_classes} and {image_size}"
            )
        self.size = size
        self.image_size = tuple(image_size)
        self.num_classes = num_classes
        self.transform = transform
        self.target_transform = target_transform
        self.random_offset = random_offset
        self.classes = tuple(str(label) for label in range(num_classes))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if not -self.size <= index < self.size:
            raise IndexError(f"FakeData: index {index} is out of range for {self.size} images")
        random = np.random.default_rng([index % self.size, self.random_offset])
        channels, height, width = self.image_size
        image = random.integers(0, 256, (height, width, channels), np.uint8)
        target: Any = int(random.integers(self.num_classes))
        return (
            to_tensor(image) if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )


to_tensor = ToTensor()
