"""Training in one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from nn.optim import Optimizer
from vision.training.callbacks import Callback
from vision.training.data import as_images, as_labels
from vision.training.modes import evaluating
from vision.training.trainer import History, Trainer

__all__ = ["train_cnn"]


def train_cnn(
    model: nn.Module,
    optimizer: Optimizer,
    criterion: Callable[[Any, Any], Tensor] | None,
    X_train: Any,
    y_train: Any,
    X_val: Any = None,
    y_val: Any = None,
    epochs: int = 10,
    batch_size: int = 32,
    *,
    callbacks: Sequence[Callback] = (),
    progress: bool = True,
) -> History:
    """Train a classifier of images, and return the history: lists by name, see `Trainer`.

    Args:
        model: images (N, C, H, W) to class scores (N, K).
        optimizer: made for the model's parameters.
        criterion: the loss of scores and labels; None for cross-entropy.
        X_train: images (N, C, H, W), or (N, H, W) for one channel: uint8, or floating-point in a
            range such as [0, 1].
        y_train: labels (N,) from 0 to K - 1, or one-hot rows (N, K).
        X_val: images to look at after each epoch.
        y_val: their labels.
        epochs: how often each image is learned from.
        batch_size: how many images make a step.
        callbacks: see `Trainer`.
        progress: whether to show a progress bar.

    Raises:
        ValueError: images of a shape or range that does not fit, labels out of range, no images,
            only one class, or one of `X_val` and `y_val` without the other.
        TypeError: images or labels of another type.
    """
    shape = shape_of(model, X_train)
    classes = class_count(model, shape)
    train = checked("train_cnn", X_train, y_train, shape, classes)
    if (X_val is None) != (y_val is None):
        raise ValueError("train_cnn: give both X_val and y_val, or neither")
    validation = None if X_val is None else checked("train_cnn", X_val, y_val, shape, classes)
    trainer = Trainer(model, optimizer, criterion, callbacks=callbacks, progress=progress)
    return trainer.fit(train, validation, epochs, batch_size=batch_size)


def checked(
    name: str, images: Any, labels: Any, shape: tuple[int, int, int], classes: int
) -> tuple[Tensor, Tensor]:
    """Images and labels as tensors, if they fit."""
    pictures = as_images(name, images, shape)
    return pictures, as_labels(name, labels, len(pictures), classes)


def shape_of(model: nn.Module, images: Any) -> tuple[int, int, int]:
    """(C, H, W) that the model is made for, or that the images have."""
    known = getattr(model, "input_shape", None)
    if known is not None:
        return known[0], known[1], known[2]
    shape = tuple(np.shape(images.array if isinstance(images, Tensor) else images))
    if len(shape) not in (3, 4):
        raise ValueError(f"train_cnn: got images of shape {shape}, expected (N, C, H, W)")
    return (1, *shape[1:]) if len(shape) == 3 else shape[1:]


def class_count(model: nn.Module, shape: tuple[int, int, int]) -> int:
    """How many classes the model tells apart."""
    known = getattr(model, "num_classes", None)
    if known is not None:
        return int(known)
    with evaluating(model):
        scores = model(autograd.zeros(1, *shape))  # (1, C, H, W) -> (1, K)
    return int(scores.shape[1])
