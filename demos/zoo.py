"""The networks that the demos know by name."""

from __future__ import annotations

from collections.abc import Callable

import nn
from autograd import Tensor
from vision import models

__all__ = ["COLOUR_ONLY", "MODELS", "Net", "make_model"]


class Net(nn.Module):
    """Three convolutions and a linear layer: images (N, C, H, W) in [0, 1] to scores (N, K)."""

    def __init__(self, input_shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10) -> None:
        super().__init__()
        channels, *sides = input_shape
        self.num_classes = classes
        self.features = nn.Sequential(
            nn.Conv2d(channels, 16, kernel_size=5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 24, kernel_size=3, padding=1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(24, 48, kernel_size=3, padding=1),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        height, width = ((side + 1) // 2 // 2 // 2 for side in sides)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.1), nn.Linear(48 * height * width, classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (N, C, H, W) -> (N, 48, H/8, W/8)
        scores: Tensor = self.classifier(x)  # (N, 48, H/8, W/8) -> (N, K)
        return scores


COLOUR_ONLY = (
    *("resnet18", "resnet34", "resnet50"),
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
)
"""Networks for three channels, and for images of any size that is large enough."""

MODELS: dict[str, Callable[..., nn.Module]] = {
    "Net": Net,
    "TinyCNN": models.TinyCNN,
    "SimpleCNN": models.SimpleCNN,
    "QuickStartCNN": models.QuickStartCNN,
    "LeNet5": models.LeNet5,
    "MNISTNet": models.MNISTNet,
    "CNN": models.CNN,
    "CIFAR10CNN": models.CIFAR10CNN,
    "SmallInception": models.SmallInception,
    "SmallResNet": models.SmallResNet,
    **{name: getattr(models, name) for name in COLOUR_ONLY},
}


def make_model(name: str, shape: tuple[int, int, int], classes: int) -> nn.Module:
    """The network of that name.

    Raises:
        ValueError: there is none, or the images are too small for it.
    """
    if name not in MODELS:
        raise ValueError(f"--model {name}: expected one of {', '.join(MODELS)}")
    if name in COLOUR_ONLY and min(shape[1:]) < 32:
        raise ValueError(
            f"--model {name}: needs images of at least 32 x 32 pixels, these have "
            f"{shape[1]} x {shape[2]}"
        )
    if name in COLOUR_ONLY:
        return MODELS[name](num_classes=classes)
    return MODELS[name](shape, classes)
