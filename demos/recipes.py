"""How the networks of `demos.train` and `demos.cifar` are trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nn
from nn import optim
from nn.optim import Optimizer
from nn.optim.lr_scheduler import MultiStepLR, OneCycleLR
from vision.training import Callback, Schedule
from vision.transforms import (
    ColorJitter,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
)

__all__ = ["AUGMENTATIONS", "CIFAR", "DIGITS", "HANDWRITING", "Recipe", "augmentation"]

AUGMENTATIONS = {
    "none": "none",
    "affine": "small shifts, turns and scalings: for handwriting",
    "crop": "shifts by up to an eighth, mirrored or not: for photographs",
    "strong": "the same, with other colours and a hole",
}


def augmentation(name: str, shape: tuple[int, int, int]) -> list[Callable[[Any], Any]]:
    """The transforms of that name for images (C, H, W)."""
    size = shape[1:]
    if name == "none":
        return []
    if name == "affine":
        return [RandomAffine(10, (0.08, 0.08), (0.9, 1.1), interpolation="bilinear")]
    crop = RandomCrop(size, padding=max(1, min(size) // 8), padding_mode="reflect")
    if name == "crop":
        return [crop, RandomHorizontalFlip()]
    jitter = [ColorJitter(0.2, 0.2, 0.2)] if shape[0] == 3 else []
    return [crop, RandomHorizontalFlip(), *jitter, RandomErasing(scale=(0.02, 0.2))]


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the data.

    Attributes:
        optimizer: ``"adam"``, ``"adamw"`` or ``"sgd"`` (with Nesterov's momentum of 0.9).
        schedule: ``"cycle"`` (up once, then down to nothing, step by step), ``"steps"`` (a tenth
            after epochs 10 and 20), or ``"none"``.
        label_smoothing: see `nn.CrossEntropyLoss`.
        validation: the share of the training images that are not learned from; the weights of the
            epoch that was best on them are kept. If 0, the held-out images are looked at instead,
            and the last weights are kept.
    """

    model: str
    epochs: int
    batch_size: int
    lr: float
    optimizer: str = "adamw"
    schedule: str = "cycle"
    augment: str = "none"
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    validation: float = 0.0

    def make_optimizer(self, model: nn.Module, lr: float) -> Optimizer:
        """The optimizer of the model's parameters."""
        if self.optimizer == "sgd":
            return optim.SGD(
                model.parameters(), lr, 0.9, weight_decay=self.weight_decay, nesterov=True
            )
        kind = optim.AdamW if self.optimizer == "adamw" else optim.Adam
        return kind(model.parameters(), lr, weight_decay=self.weight_decay)

    def make_schedule(self, optimizer: Optimizer, lr: float, epochs: int, steps: int) -> Callback:
        """The schedule, for so many epochs of so many steps."""
        if self.schedule == "cycle":
            cycle = OneCycleLR(optimizer, lr, epochs=epochs, steps_per_epoch=steps)
            return Schedule(cycle, every="step")
        milestones = [10, 20] if self.schedule == "steps" else []
        return Schedule(MultiStepLR(optimizer, milestones, gamma=0.1))


HANDWRITING = {
    "quick": Recipe("Net", 3, 100, 0.02, weight_decay=0.01),
    "ancestor": Recipe("MNISTNet", 25, 128, 0.001, "adam", "steps"),
    "best": Recipe("Net", 20, 100, 0.02, weight_decay=0.01, augment="affine"),
}
"""For MNIST and images like it."""

DIGITS = {
    **HANDWRITING,
    "quick": Recipe("Net", 15, 32, 0.005, weight_decay=0.01),
    "best": Recipe("Net", 40, 32, 0.01, weight_decay=0.01, augment="affine"),
}
"""For scikit-learn's few and small digits."""

CIFAR = {
    "ancestor": Recipe("CIFAR10CNN", 15, 64, 0.03, "sgd", weight_decay=2e-3, validation=0.2),
    "best": Recipe(
        "SmallResNet", 20, 128, 0.1, "sgd", augment="crop", weight_decay=5e-4, label_smoothing=0.1
    ),
}
"""For CIFAR-10."""
