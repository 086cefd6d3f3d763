"""Which pixels a class score depends on, by its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor, from_numpy
from vision.interpret.inputs import as_batch, as_targets, check_scores, picked, scores_of
from vision.training.modes import evaluating

__all__ = ["saliency"]


def saliency(
    model: nn.Module,
    images: Any,
    targets: Any = None,
    *,
    samples: int = 0,
    noise: float = 0.15,
    seed: int = 0,
    batch_size: int = 64,
) -> NDArray[Any]:
    """How much each pixel moves the score of a class: ``max_c |d score / d x[c, h, w]|``.

    With `samples` the gradient is the mean over so many noisy copies of each image (SmoothGrad).
    The model is looked at in evaluation mode; its mode, gradients and hooks stay as they are.

    Args:
        model: images (N, C, H, W) to class scores (N, K).
        images: a batch (N, C, H, W), uint8 or floating-point.
        targets: the class, one for all or one for each image; the predicted one unless given.
        samples: how many noisy copies; 0 for the image itself.
        noise: standard deviation of the noise, as a share of the image's largest minus smallest
            value.
        seed: of the noise.
        batch_size: how many images are looked at together.

    Returns:
        Of each image how much each pixel matters, at least 0: (N, H, W).

    Raises:
        ValueError: images, targets or scores of another shape, or a number out of range.

    Reference: Simonyan et al. 2013, arXiv:1312.6034; Smilkov et al. 2017, arXiv:1706.03825.

    Example:
        >>> import nn
        >>> from autograd import tensor
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
        >>> model[1].weight.data = tensor([[1.0, -3.0, 0.0, 2.0], [0.0, 0.0, 0.0, 1.0]])
        >>> saliency(model, tensor([[[[1.0, 1.0], [1.0, 1.0]]]]), targets=0)
        array([[[1., 3.],
                [0., 2.]]], dtype=float32)
    """
    name = "saliency"
    batch = as_batch(name, model, images)
    if samples < 0 or not 0 <= noise < np.inf:
        raise ValueError(
            f"{name}: samples and noise are at least 0, got samples={samples}, noise={noise}"
        )
    labels = as_targets(name, targets, scores_of(name, model, batch, batch_size))
    if not samples:
        slope = gradients(name, model, batch, labels, batch_size)
    else:
        random = np.random.default_rng(seed)
        array = batch.array
        spread = noise * (array.max((1, 2, 3)) - array.min((1, 2, 3)))
        slope = np.zeros_like(array)
        for _ in range(samples):
            steps = random.standard_normal(array.shape) * spread[:, None, None, None]
            noisy = from_numpy((array + steps).astype(array.dtype))
            slope += gradients(name, model, noisy, labels, batch_size) / samples
    heat: NDArray[Any] = np.abs(slope).max(1)  # (N, C, H, W) -> (N, H, W)
    return heat


def gradients(
    name: str, model: nn.Module, images: Tensor, labels: NDArray[np.int64], batch_size: int
) -> NDArray[Any]:
    """The gradient of each image's class score by the image: (N, C, H, W)."""
    parts = []
    with evaluating(model), autograd.enable_grad():
        for start in range(0, len(images), batch_size):
            part = images[start : start + batch_size].detach().requires_grad_()
            # an in-place layer at the front may not write into a leaf
            scores = check_scores(name, model(part.clone()), len(part))
            wanted = picked(scores, labels[start : start + batch_size]).sum()
            (slope,) = autograd.grad(wanted, part, allow_unused=True)
            parts.append(np.zeros_like(part.array) if slope is None else slope.numpy())
    return np.concatenate(parts)
