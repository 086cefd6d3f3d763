"""VGG networks, with the names of torchvision's parameters."""

from __future__ import annotations

from typing import Any

import nn
from autograd import Tensor
from nn import init
from vision.weights import Weights, load_weights

__all__ = [
    "VGG",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

WIDTHS = (64, 128, 256, 512, 512)
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


class VGG(nn.Module):
    """Convolutions of 3 x 3 in five stages, then three linear layers: (N, 3, H, W) to (N, K).

    Args:
        features: makes (N, 512, h, w) from the images, see `vgg_features`.
        num_classes: K.
        init_weights: whether to draw the weights as torchvision does: convolutions with variance
            ``2 / fan_out``, linear layers with standard deviation 0.01, biases 0.
        dropout: the share of the 4096 hidden values that is zeroed in training.

    Reference: Simonyan and Zisserman 2015, arXiv:1409.1556.
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, as with `init_weights`."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                init.normal_(module.weight, 0.0, 0.01)
            if isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None:
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (N, 3, H, W) -> (N, 512, H/32, W/32)
        x = self.avgpool(x).flatten(1)  # -> (N, 512, 7, 7) -> (N, 25088)
        scores: Tensor = self.classifier(x)  # -> (N, K)
        return scores


def vgg_features(depth: int, batch_norm: bool) -> nn.Sequential:
    """The convolutions of the network with so many layers that have weights."""
    layers: list[nn.Module] = []
    channels = 3
    for width, count in zip(WIDTHS, CONVOLUTIONS[depth], strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU(inplace=True))
            channels = width
        layers.append(nn.MaxPool2d(2, stride=2))
    return nn.Sequential(*layers)


def vgg(depth: int, batch_norm: bool, weights: Weights, **kwargs: Any) -> VGG:
    """The network of that depth, with the given weights where there are any."""
    if weights is not None:
        kwargs.setdefault("init_weights", False)
    return load_weights(VGG(vgg_features(depth, batch_norm), **kwargs), weights)


def vgg11(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-11; 132,863,336 parameters for 1000 classes.

    Args:
        weights: a file or a state_dict with torchvision's names, see `load_weights`.
        **kwargs: for `VGG`, such as ``num_classes``.
    """
    return vgg(11, False, weights, **kwargs)


def vgg11_bn(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-11 with batch norm. Arguments as `vgg11`."""
    return vgg(11, True, weights, **kwargs)


def vgg13(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-13; 133,047,848 parameters for 1000 classes. Arguments as `vgg11`."""
    return vgg(13, False, weights, **kwargs)


def vgg13_bn(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-13 with batch norm. Arguments as `vgg11`."""
    return vgg(13, True, weights, **kwargs)


def vgg16(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-16; 138,357,544 parameters for 1000 classes. Arguments as `vgg11`."""
    return vgg(16, False, weights, **kwargs)


def vgg16_bn(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-16 with batch norm; 138,365,992 parameters for 1000 classes. Arguments as `vgg11`."""
    return vgg(16, True, weights, **kwargs)


def vgg19(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-19; 143,667,240 parameters for 1000 classes. Arguments as `vgg11`."""
    return vgg(19, False, weights, **kwargs)


def vgg19_bn(*, weights: Weights = None, **kwargs: Any) -> VGG:
    """VGG-19 with batch norm. Arguments as `vgg11`."""
    return vgg(19, True, weights, **kwargs)
