"""Transforms of single images, done on a whole batch at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, from_numpy
from vision.transforms.compose import Compose
from vision.transforms.convert import Normalize, ToTensor
from vision.transforms.image import Array, ImageTransform

__all__ = ["for_batches"]


def for_batches(transform: Callable[[Any], Any] | None) -> Callable[[Array], Tensor] | None:
    """What does to uint8 images (N, C, H, W) all at once what a transform does to each.

    None where there is no such thing: the transform must be `ToTensor` (which None stands for), or
    a `Compose` with one `ToTensor` and otherwise only `ImageTransform` and `Normalize`.

    Example:
        >>> import numpy as np
        >>> from vision.transforms import Lambda, RandomCrop
        >>> whole = for_batches(Compose([RandomCrop(2), ToTensor()]))
        >>> tuple(whole(np.zeros((5, 3, 4, 4), np.uint8)).shape)
        (5, 3, 2, 2)
        >>> for_batches(Compose([Lambda(print), ToTensor()])) is None
        True
    """
    steps = flatten(ToTensor() if transform is None else transform)
    conversions = [at for at, step in enumerate(steps) if type(step) is ToTensor]
    others = [step for step in steps if type(step) is not ToTensor]
    if len(conversions) != 1 or not all(map(works_on_batches, others)):
        return None
    before, after = steps[: conversions[0]], steps[conversions[0] + 1 :]

    def apply(images: Array) -> Tensor:
        raw = from_numpy(images)
        for step in before:
            raw = step(raw)
        values = raw.array.astype(np.float32, order="C")
        values /= np.float32(255.0)
        scaled = from_numpy(values)
        for step in after:
            scaled = step(scaled)
        return scaled

    return apply


def flatten(transform: Callable[[Any], Any]) -> list[Callable[[Any], Any]]:
    """The transforms that a transform consists of."""
    if type(transform) is Compose:
        return [step for part in transform.transforms for step in flatten(part)]
    return [transform]


def works_on_batches(step: Callable[[Any], Any]) -> bool:
    if isinstance(step, ImageTransform):
        return step.takes_batches
    return type(step) is Normalize
