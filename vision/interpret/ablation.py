"""What a network loses without one of its filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Tensor, from_numpy
from nn import functional as F
from vision.interpret.activations import filter_numbers
from vision.interpret.inputs import Layer, as_batch, as_targets, find_layer, hooked, scores_of

__all__ = ["FilterAblation", "filter_ablation"]


class FilterAblation(NamedTuple):
    """What is lost without each of F filters.

    Attributes:
        accuracy: of the whole model, in [0, 1].
        loss: its cross-entropy.
        filters: which filters were switched off (F,).
        accuracy_drop: by how much the accuracy falls without each (F,).
        loss_rise: by how much the loss grows (F,).
    """

    accuracy: float
    loss: float
    filters: NDArray[np.intp]
    accuracy_drop: NDArray[np.float64]
    loss_rise: NDArray[np.float64]


def filter_ablation(
    model: nn.Module,
    images: Any,
    targets: Any,
    layer: Layer | None = None,
    *,
    filters: Sequence[int] | None = None,
    batch_size: int = 250,
) -> FilterAblation:
    """Set one filter's output to 0 at a time, and measure accuracy and loss.

    The layer's bias goes with its filter; a batch norm behind it does not, so name that, or the
    activation, to silence a filter altogether. The model is looked at in evaluation mode, and stays
    as it was.

    Args:
        model: images (N, C, H, W) to class scores (N, K).
        images: a batch (N, C, H, W).
        targets: true labels (N,).
        layer: a module of the model or its dotted name, with an output (N, F, ...); the last
            convolution unless given. If it runs several times, it is silenced each time.
        filters: which filters; all unless given.
        batch_size: how many images go through the model together.

    Raises:
        ValueError: there is no such layer, its output has another shape, or images, labels or
            filters do not fit.

    Reference: Morcos et al. 2018, arXiv:1803.06959.

    Example:
        >>> import nn
        >>> from autograd import eye
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
        >>> model[1].weight.data = 5 * eye(2)
        >>> images = eye(2).reshape(2, 1, 1, 2)  # (2, 2) -> (2, 1, 1, 2)
        >>> lost = filter_ablation(model, images, [0, 1], "0")
        >>> lost.accuracy, lost.accuracy_drop.tolist()
        (1.0, [0.0, 0.5])
    """
    name = "filter_ablation"
    path, module = find_layer(name, model, layer)
    batch = as_batch(name, model, images)
    if targets is None:
        raise ValueError(f"{name}: targets are the true labels, got None")
    widths: set[int] = set()

    def measure(place: int, output: Any) -> None:
        if not isinstance(output, Tensor) or output.ndim < 2:
            kind = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise ValueError(
                f"{name}: the layer {path!r} gives {kind}, expected a tensor (N, F, ...)"
            )
        widths.add(output.shape[1])

    with hooked([module], measure):
        scores = scores_of(name, model, batch, batch_size)
    if len(widths) != 1:
        raise ValueError(
            f"{name}: the layer {path!r} did not run, or not always with as many filters"
        )
    labels = as_targets(name, targets, scores)
    accuracy, loss = quality(scores, labels)
    wanted = filter_numbers(name, filters, widths.pop())
    drops, rises = np.zeros((2, len(wanted)))
    for row, filter_ in enumerate(wanted):

        def silence(place: int, output: Tensor, filter_: int = int(filter_)) -> Tensor:
            array = output.numpy().copy()
            array[:, filter_] = 0
            return from_numpy(array)

        with hooked([module], silence):
            found = quality(scores_of(name, model, batch, batch_size), labels)
        drops[row], rises[row] = accuracy - found[0], found[1] - loss
    return FilterAblation(accuracy, loss, wanted, drops, rises)


def quality(scores: Tensor, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy and cross-entropy."""
    right = scores.numpy().argmax(1) == labels
    return float(right.mean()), F.cross_entropy(scores, from_numpy(labels)).item()
