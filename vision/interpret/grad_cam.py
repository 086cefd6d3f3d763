"""Where a layer sees what speaks for a class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor
from vision.interpret.inputs import (
    Layer,
    as_batch,
    as_targets,
    check_scores,
    find_layer,
    hooked,
    picked,
    scores_of,
)
from vision.interpret.resizing import enlarged
from vision.training.modes import evaluating

__all__ = ["grad_cam"]


def grad_cam(
    model: nn.Module,
    images: Any,
    targets: Any = None,
    layer: Layer | None = None,
    *,
    upsample: bool = True,
    batch_size: int = 64,
) -> NDArray[Any]:
    """Where the maps of a layer speak for a class: ``relu(sum_k a_k A_k)``.

    A_k is the k-th map of the layer and a_k the mean over it of the score's gradient. The model is
    looked at in evaluation mode; its mode, gradients and hooks stay as they are.

    Args:
        model: images (N, C, H, W) to class scores (N, K).
        images: a batch (N, C, H, W), uint8 or floating-point.
        targets: the class, one for all or one for each image; the predicted one unless given.
        layer: a module of the model or its dotted name, which makes maps (N, D, h, w); the last
            convolution unless given. If it runs several times, the last time counts.
        upsample: whether the maps are enlarged to the image, linearly between their pixels.
        batch_size: how many images are looked at together.

    Returns:
        At least 0, not scaled: (N, H, W), or (N, h, w) without `upsample`.

    Raises:
        ValueError: there is no such layer, it makes no maps or did not run, or images, targets or
            scores do not fit.

    Reference: Selvaraju et al. 2017, arXiv:1610.02391.

    Example:
        >>> import autograd, nn
        >>> from vision.models import TinyCNN
        >>> _ = autograd.manual_seed(0)
        >>> grad_cam(TinyCNN((1, 8, 8), 3), autograd.rand(2, 1, 8, 8), targets=1).shape
        (2, 8, 8)
    """
    name = "grad_cam"
    path, module = find_layer(name, model, layer)
    batch = as_batch(name, model, images)
    labels = as_targets(name, targets, scores_of(name, model, batch, batch_size))
    heats = []
    with evaluating(model), autograd.enable_grad():
        for start in range(0, len(batch), batch_size):
            part = batch[start : start + batch_size]
            seen: list[Tensor] = []

            def cut(place: int, output: Any, seen: list[Tensor] = seen) -> Tensor:
                # a leaf in place of the output: nothing below needs a gradient, and what follows
                # may write into its copy
                seen[:] = [check_maps(name, path, output).detach().requires_grad_()]
                return seen[0].clone()

            with hooked([module], cut):
                scores = check_scores(name, model(part), len(part))
            if not seen:
                raise ValueError(f"{name}: the layer {path!r} did not run on the images")
            wanted = picked(scores, labels[start : start + batch_size]).sum()
            heats.append(weighted(seen[0], wanted))
    heat = np.concatenate(heats)  # list of (n, h, w) -> (N, h, w)
    return enlarged(heat, batch.shape[2:]) if upsample else heat


def weighted(maps: Tensor, score: Tensor) -> NDArray[Any]:
    """The maps' sum, each times its mean gradient, where it is positive: (N, D, h, w) to (N, h, w).

    A layer that the score does not depend on gives zeros.
    """
    slope = None
    if score.requires_grad:
        (slope,) = autograd.grad(score, maps, allow_unused=True)
    if slope is None:
        return np.zeros((maps.shape[0], *maps.shape[2:]), maps.dtype)
    weights = slope.numpy().mean((2, 3), keepdims=True)  # (N, D, h, w) -> (N, D, 1, 1)
    heat: NDArray[Any] = np.maximum((weights * maps.array).sum(1), 0)  # -> (N, h, w)
    return heat


def check_maps(name: str, path: str, output: Any) -> Tensor:
    """Refuse what a layer gives if it is no maps (N, D, h, w)."""
    if not isinstance(output, Tensor) or output.ndim != 4 or output.dtype.kind != "f":
        kind = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(f"{name}: the layer {path!r} gives {kind}, expected maps (N, D, h, w)")
    return output
