"""Which parts of an image a class needs, by covering them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import from_numpy
from vision.interpret.inputs import as_batch, as_targets, scores_of

__all__ = ["occlusion_sensitivity"]


def occlusion_sensitivity(
    model: nn.Module,
    images: Any,
    targets: Any = None,
    *,
    patch: int | tuple[int, int] = 4,
    stride: int | tuple[int, int] | None = None,
    fill: float | Sequence[float] = 0.0,
    probability: bool = True,
    batch_size: int = 128,
) -> NDArray[Any]:
    """By how much a class loses when a patch covers each pixel, on average over such patches.

    The patches stand `stride` apart, the last ones at the edge, so that they cover the image. The
    model is looked at in evaluation mode, which stays as it was.

    Args:
        model: images (N, C, H, W) to class scores (N, K).
        images: a batch (N, C, H, W), uint8 or floating-point.
        targets: the class, one for all or one for each image; the predicted one unless given.
        patch: height and width of the patch, in pixels.
        stride: how far it moves, in pixels; half of its size unless given.
        fill: its value, or one for each channel.
        probability: whether the loss is one of the class's probability (softmax of the scores), or
            of its score.
        batch_size: how many covered images are looked at together.

    Returns:
        How much is lost, negative where the class gains: (N, H, W).

    Raises:
        ValueError: a patch larger than the image, a stride that would leave pixels uncovered, or
            images, targets, fill or scores that do not fit.

    Reference: Zeiler and Fergus 2014, arXiv:1311.2901.

    Example:
        >>> import nn
        >>> from autograd import tensor
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
        >>> model[1].weight.data = tensor([[1.0, 3.0, 0.0, 2.0], [0.0, 0.0, 0.0, 1.0]])
        >>> image = tensor([[[[1.0, 1.0], [1.0, 1.0]]]])
        >>> occlusion_sensitivity(model, image, 0, patch=1, probability=False)
        array([[[1., 3.],
                [0., 2.]]], dtype=float32)
    """
    name = "occlusion_sensitivity"
    batch = as_batch(name, model, images)
    array = batch.array
    count, channels, *size = array.shape
    heights = pair_of(name, "patch", patch)
    steps = pair_of(name, "stride", stride if stride is not None else halves(heights))
    for side, length in zip(heights, size, strict=True):
        if side > length:
            raise ValueError(f"{name}: patch {heights} does not fit into images {tuple(size)}")
    if any(step > side for step, side in zip(steps, heights, strict=True)):
        raise ValueError(
            f"{name}: stride {steps} is larger than patch {heights}, pixels would stay uncovered"
        )
    colour = np.asarray(fill, array.dtype)
    if colour.shape not in ((), (1,), (channels,)):
        raise ValueError(
            f"{name}: fill is one number or {channels}, one for each channel; got {fill}"
        )
    scores = scores_of(name, model, batch, batch_size)
    labels = as_targets(name, targets, scores)
    whole = wanted(scores.numpy(), labels, probability)
    lost, covered = np.zeros((count, *size), array.dtype), np.zeros(size, array.dtype)
    corners = [
        (top, left)
        for top in starts(size[0], heights[0], steps[0])
        for left in starts(size[1], heights[1], steps[1])
    ]
    per_pass = max(1, batch_size // count)
    for begin in range(0, len(corners), per_pass):
        group = corners[begin : begin + per_pass]
        hidden = np.repeat(array[None], len(group), axis=0)  # (N, C, H, W) -> (P, N, C, H, W)
        for copy, (top, left) in zip(hidden, group, strict=True):
            area = copy[..., top : top + heights[0], left : left + heights[1]]
            area[...] = colour.reshape(-1, 1, 1)  # (C,) -> (C, 1, 1)
        flat = from_numpy(hidden.reshape(-1, channels, *size))  # -> (P*N, C, H, W)
        found = scores_of(name, model, flat, batch_size).numpy()
        values = wanted(found, np.tile(labels, len(group)), probability)
        for (top, left), value in zip(group, values.reshape(-1, count), strict=True):
            area = np.s_[top : top + heights[0], left : left + heights[1]]
            lost[(slice(None), *area)] += (whole - value)[:, None, None]
            covered[area] += 1
    return lost / covered


def wanted(scores: NDArray[Any], labels: NDArray[np.int64], probability: bool) -> NDArray[Any]:
    """The probability or score of each image's class: (N, K) -> (N,)."""
    if probability:
        powers = np.exp(scores - scores.max(1, keepdims=True))
        scores = powers / powers.sum(1, keepdims=True)
    chosen: NDArray[Any] = scores[np.arange(len(labels)), labels]
    return chosen


def starts(length: int, patch: int, stride: int) -> list[int]:
    """Where patches begin along an axis; the last one ends with it."""
    places = list(range(0, length - patch + 1, stride))
    return places if places[-1] == length - patch else [*places, length - patch]


def halves(sizes: tuple[int, int]) -> tuple[int, int]:
    return max(1, sizes[0] // 2), max(1, sizes[1] // 2)


def pair_of(name: str, what: str, value: int | tuple[int, int]) -> tuple[int, int]:
    """One number for both axes, or one for each.

    Raises:
        ValueError: it is something else, or below 1.
    """
    parts = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(parts) != 2 or not all(hasattr(part, "__index__") and part >= 1 for part in parts):
        raise ValueError(f"{name}: {what} is one number or two, at least 1; got {value}")
    return index(parts[0]), index(parts[1])
