"""What networks for images of one fixed size have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index

import autograd
import nn
from autograd import Tensor
from autograd.errors import ShapeError
from nn import init

__all__ = ["ImageClassifier", "flat_size", "he_initialise", "image_shape"]


class ImageClassifier(nn.Module):
    """Images (N, C, H, W) of one size to class scores (N, K): features, then a classifier.

    A subclass makes ``self.features`` and ``self.classifier``.

    Args:
        input_shape: (C, H, W) of an image.
        num_classes: K.

    Raises:
        ValueError: `input_shape` is not three positive numbers, or there are no classes.
    """

    features: nn.Module
    classifier: nn.Module

    def __init__(self, input_shape: Sequence[int], num_classes: int) -> None:
        super().__init__()
        self.input_shape = image_shape(type(self).__name__, input_shape)
        self.num_classes = index(num_classes)
        if num_classes < 1:
            raise ValueError(
                f"{type(self).__name__}: the number of classes is at least 1, got {num_classes}"
            )

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim != 4 or tuple(x.shape[1:]) != self.input_shape:
            raise ShapeError(
                f"{type(self).__name__}: got images of shape {tuple(x.shape)}, expected "
                f"(N, {', '.join(map(str, self.input_shape))})"
            )
        x = self.features(x)  # (N, C, H, W) -> (N, D, h, w)
        scores: Tensor = self.classifier(x)  # (N, D, h, w) -> (N, K)
        return scores


def image_shape(name: str, shape: Sequence[int]) -> tuple[int, int, int]:
    """The shape of an image as three numbers.

    Raises:
        ValueError: it is something else.
    """
    sizes = tuple(shape)
    if len(sizes) != 3 or not all(hasattr(size, "__index__") and size > 0 for size in sizes):
        raise ValueError(
            f"{name}: input_shape is (channels, height, width), three positive numbers, got {shape}"
        )
    return index(sizes[0]), index(sizes[1]), index(sizes[2])


def flat_size(name: str, features: nn.Module, shape: tuple[int, int, int]) -> int:
    """How many numbers `features` makes of one image.

    Raises:
        ValueError: the image is too small for it.
    """
    try:
        with autograd.no_grad():
            out = features.eval()(autograd.zeros(1, *shape))  # (1, C, H, W) -> (1, D, h, w)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"{name}: images of shape {shape} are too small for its layers ({error})"
        ) from error
    features.train()
    size = int(math.prod(out.shape[1:]))
    if size == 0:
        raise ValueError(f"{name}: images of shape {shape} are too small for its layers")
    return size


def he_initialise(model: nn.Module) -> None:
    """Draw the weights of all convolutions and linear layers with variance ``2 / fan_in``.

    Biases become 0.

    Reference: He et al. 2015, arXiv:1502.01852.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                init.zeros_(module.bias)
