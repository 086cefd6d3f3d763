"""Small convolutional networks for small images."""

from __future__ import annotations

from collections.abc import Sequence

import nn
from vision.models.classifier import ImageClassifier, flat_size, he_initialise

__all__ = ["CIFAR10CNN", "LeNet5", "QuickStartCNN", "SimpleCNN", "TinyCNN"]


class TinyCNN(ImageClassifier):
    """Two convolutions, 16 and 32 filters of 3 x 3, each with ReLU and pooling; one linear layer.

    Args:
        input_shape: (C, H, W) of an image, H and W at least 4.
        n_classes: the number of classes.

    Example:
        >>> from autograd import zeros
        >>> tuple(TinyCNN((1, 28, 28), 10)(zeros(2, 1, 28, 28)).shape)
        (2, 10)
    """

    def __init__(self, input_shape: Sequence[int] = (1, 28, 28), n_classes: int = 10) -> None:
        super().__init__(input_shape, n_classes)
        self.features = nn.Sequential(
            nn.Conv2d(self.input_shape[0], 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        size = flat_size("TinyCNN", self.features, self.input_shape)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(size, n_classes))
        he_initialise(self)


class SimpleCNN(ImageClassifier):
    """Six convolutions in three stages of 32, 64 and 128 filters, with batch norm and dropout.

    Args:
        input_shape: (C, H, W) of an image, H and W at least 8.
        n_classes: the number of classes.
        dropout_rate: the share of values that are zeroed before each linear layer in training.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        n_classes: int = 10,
        dropout_rate: float = 0.5,
    ) -> None:
        super().__init__(input_shape, n_classes)
        layers: list[nn.Module] = []
        channels = self.input_shape[0]
        for width in (32, 64, 128):
            for _ in range(2):
                layers += [
                    nn.Conv2d(channels, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                channels = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout_rate),
            nn.Linear(flat_size("SimpleCNN", self.features, self.input_shape), 128),
            nn.ReLU(),
            nn.Dropout(dropout_rate),
            nn.Linear(128, n_classes),
        )
        he_initialise(self)


class QuickStartCNN(ImageClassifier):
    """The network to begin with: two convolutions of 32 and 64 filters, two linear layers.

    Args:
        input_shape: (C, H, W) of an image, H and W at least 4.
        num_classes: the number of classes.
        dropout_rate: the share of the 128 hidden values that is zeroed in training.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        dropout_rate: float = 0.5,
    ) -> None:
        super().__init__(input_shape, num_classes)
        self.features = nn.Sequential(
            nn.Conv2d(self.input_shape[0], 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(flat_size("QuickStartCNN", self.features, self.input_shape), 128),
            nn.ReLU(),
            nn.Dropout(dropout_rate),
            nn.Linear(128, num_classes),
        )


class CIFAR10CNN(ImageClassifier):
    """Convolutions of 32 and 64 filters, each with ReLU and pooling; linear layers of 128 and 10.

    Example:
        >>> sum(parameter.numel() for parameter in CIFAR10CNN().parameters())
        545098
    """

    def __init__(self, input_shape: Sequence[int] = (3, 32, 32), num_classes: int = 10) -> None:
        super().__init__(input_shape, num_classes)
        self.features = nn.Sequential(
            nn.Conv2d(self.input_shape[0], 32, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding="same"),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(flat_size("CIFAR10CNN", self.features, self.input_shape), 128),
            nn.ReLU(),
            nn.Linear(128, num_classes),
        )
        he_initialise(self)


class LeNet5(ImageClassifier):
    """LeNet-5 with full connections between its convolutions: 61,706 parameters for digits.

    Images smaller than 32 x 32 are surrounded with zeros up to that size.

    Reference: LeCun et al. 1998, Proceedings of the IEEE 86(11).
    """

    def __init__(self, input_shape: Sequence[int] = (1, 28, 28), num_classes: int = 10) -> None:
        super().__init__(input_shape, num_classes)
        channels, height, width = self.input_shape
        border = (max(0, (33 - height) // 2), max(0, (33 - width) // 2))
        self.features = nn.Sequential(
            nn.Conv2d(channels, 6, 5, padding=border),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(flat_size("LeNet5", self.features, self.input_shape), 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, num_classes),
        )
