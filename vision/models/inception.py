"""A small network of inception modules."""

from __future__ import annotations

from collections.abc import Sequence

import autograd
import nn
from autograd import Tensor
from vision.models.classifier import ImageClassifier, flat_size

__all__ = ["InceptionBlock", "SmallInception"]


class InceptionBlock(nn.Module):
    """Four branches side by side, their channels joined: (N, C, H, W) to (N, D, H, W).

    The branches are a convolution of 1 x 1; of 1 x 1 and 3 x 3; of 1 x 1 and 5 x 5; and max pooling
    of 3 x 3 with a convolution of 1 x 1. Each convolution is followed by batch norm and ReLU.

    Args:
        in_channels: C.
        ch1x1: channels of the first branch.
        ch3x3red, ch3x3: of the second, before and after its 3 x 3 convolution.
        ch5x5red, ch5x5: of the third, likewise.
        pool_proj: of the fourth. D is the sum of ch1x1, ch3x3, ch5x5 and pool_proj.

    Reference: Szegedy et al. 2015, arXiv:1409.4842.
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
    ) -> None:
        super().__init__()
        self.out_channels = ch1x1 + ch3x3 + ch5x5 + pool_proj
        self.branch1 = conv_block(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(
            conv_block(in_channels, ch3x3red, 1), conv_block(ch3x3red, ch3x3, 3)
        )
        self.branch3 = nn.Sequential(
            conv_block(in_channels, ch5x5red, 1), conv_block(ch5x5red, ch5x5, 5)
        )
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), conv_block(in_channels, pool_proj, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        branches = [self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)]
        return autograd.cat(branches, dim=1)  # 4 of (N, d, H, W) -> (N, D, H, W)


class SmallInception(ImageClassifier):
    """Two inception modules, then global average pooling and one linear layer.

    Args:
        input_shape: (C, H, W) of an image, H and W at least 4.
        num_classes: the number of classes.
        dropout_rate: the share of the pooled values that is zeroed in training.

    Example:
        >>> from autograd import zeros
        >>> tuple(SmallInception((1, 8, 8), 10)(zeros(2, 1, 8, 8)).shape)
        (2, 10)
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (3, 32, 32),
        num_classes: int = 10,
        dropout_rate: float = 0.2,
    ) -> None:
        super().__init__(input_shape, num_classes)
        first = InceptionBlock(32, 16, 24, 32, 4, 8, 8)
        second = InceptionBlock(first.out_channels, 32, 48, 64, 8, 16, 16)
        self.features = nn.Sequential(
            conv_block(self.input_shape[0], 32, 3),
            nn.MaxPool2d(2),
            first,
            nn.MaxPool2d(2),
            second,
            nn.AdaptiveAvgPool2d(1),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout_rate),
            nn.Linear(flat_size("SmallInception", self.features, self.input_shape), num_classes),
        )


def conv_block(in_channels: int, out_channels: int, size: int) -> nn.Sequential:
    """A convolution that keeps the size of the image, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
