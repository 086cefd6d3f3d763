"""A small residual network that learns CIFAR-10 within half an hour on two cores."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import nn
from autograd import Tensor
from vision.models.classifier import ImageClassifier, flat_size, he_initialise

__all__ = ["ResidualPair", "SmallResNet"]


class ResidualPair(nn.Module):
    """``x + f(x)``, where f is convolution, batch norm and ReLU, twice: (N, C, H, W) to the same.

    Args:
        channels: C.

    Reference: He et al. 2016, arXiv:1512.03385.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            *conv_layers(channels, channels), *conv_layers(channels, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.inner(x)
        return out


class SmallResNet(ImageClassifier):
    """A convolution, then stages of pooling, convolution and a residual pair; one linear layer.

    Every convolution is of 3 x 3, followed by batch norm and ReLU. Each stage halves the image, so
    that most of the work is done on small ones; the mean of each channel is classified.

    Args:
        input_shape: (C, H, W) of an image; each stage halves H and W.
        num_classes: the number of classes.
        widths: the channels of the first convolution and of each stage.

    Raises:
        ValueError: fewer than two widths, or images too small for so many stages.

    Example:
        >>> sum(parameter.numel() for parameter in SmallResNet().parameters())
        464170
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        widths: Sequence[int] = (32, 64, 128),
    ) -> None:
        super().__init__(input_shape, num_classes)
        if len(widths) < 2:
            raise ValueError(f"SmallResNet: widths are two or more numbers, got {tuple(widths)}")
        layers = conv_layers(self.input_shape[0], widths[0])
        for before, width in pairwise(widths):
            layers += [nn.MaxPool2d(2), *conv_layers(before, width), ResidualPair(width)]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
        size = flat_size("SmallResNet", self.features, self.input_shape)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(size, num_classes))
        he_initialise(self.features)


def conv_layers(in_channels: int, out_channels: int) -> list[nn.Module]:
    """A convolution that keeps the size of the image, batch norm and ReLU."""
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    ]
