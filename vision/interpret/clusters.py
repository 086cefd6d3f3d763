"""Groups of filters, or of images, that look alike to a layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import nn
from vision.interpret.activations import in_batches
from vision.interpret.inputs import Layer, as_batch, find_layer

__all__ = ["FeatureClusters", "cluster_feature_maps"]


class FeatureClusters(NamedTuple):
    """K groups of filters or images.

    Attributes:
        labels: the group of each filter or image.
        centres: the mean of each group, of the shape of its members: (K, N, h, w) for filters,
            (K, F, h, w) for images.
        members: which filters or images each group has, the nearest to its centre first.
        inertia: the sum of squared distances to the centres.
    """

    labels: NDArray[np.intp]
    centres: NDArray[Any]
    members: tuple[NDArray[np.intp], ...]
    inertia: float


def cluster_feature_maps(
    model: nn.Module,
    images: Any,
    layer: Layer | None = None,
    clusters: int = 8,
    *,
    by: str = "filters",
    seed: int = 0,
    batch_size: int = 250,
) -> FeatureClusters:
    """Group the filters of a layer by their maps, or the images by theirs (k-means).

    Each filter is described by its maps of all images, each image by the maps of all filters; both
    are scaled to length 1, so that patterns count and not strength. The model is looked at in
    evaluation mode, and stays as it was.

    Args:
        model: given images.
        images: a batch (N, C, H, W).
        layer: a module of the model or its dotted name, with an output (N, F, h, w); the last
            convolution unless given. If it runs several times, the last time counts.
        clusters: how many groups, K.
        by: ``"filters"`` or ``"images"``: what is put into groups.
        seed: of k-means.
        batch_size: how many images go through the model together.

    Raises:
        ValueError: there is no such layer, its output is no maps, or there are more groups than
            different members.
        ImportError: scikit-learn is not installed.

    Example:
        >>> import nn
        >>> from autograd import tensor
        >>> model = nn.Conv2d(1, 4, 1, bias=False)
        >>> model.weight.data = tensor([1.0, -2.0, 3.0, -4.0]).reshape(4, 1, 1, 1)
        >>> found = cluster_feature_maps(model, tensor([[[[1.0, 2.0]]]]), clusters=2)
        >>> [sorted(group.tolist()) for group in sorted(found.members, key=min)]
        [[0, 2], [1, 3]]
    """
    name = "cluster_feature_maps"
    if by not in ("filters", "images"):
        raise ValueError(f"{name}: by is 'filters' or 'images', got {by!r}")
    path, module = find_layer(name, model, layer)
    batch = as_batch(name, model, images)
    parts = [
        list(outputs.values())[-1]
        for outputs in in_batches(name, model, batch, {path: module}, batch_size)
    ]
    if parts[0].ndim != 4:
        raise ValueError(
            f"{name}: the layer {path!r} gives {parts[0].shape}, expected maps (N, F, h, w)"
        )
    maps = np.concatenate(parts)
    if by == "filters":
        maps = maps.swapaxes(0, 1)  # (N, F, h, w) -> (F, N, h, w)
    items = maps.reshape(len(maps), -1)  # (F, N, h, w) -> (F, N*h*w)
    lengths = np.linalg.norm(items, axis=1, keepdims=True)
    items = items / np.where(lengths > 0, lengths, 1)
    different = len(np.unique(items, axis=0))
    if not 1 <= clusters <= different:
        raise ValueError(
            f"{name}: clusters is from 1 to {different}, the different {by}, got {clusters}"
        )
    try:
        from sklearn.cluster import KMeans
    except ImportError as error:
        raise ImportError(
            f"{name}: needs scikit-learn, which is not installed: pip install scikit-learn"
        ) from error
    found = KMeans(clusters, n_init=10, random_state=seed).fit(items)
    far = np.linalg.norm(items - found.cluster_centers_[found.labels_], axis=1)
    members = []
    for group in range(clusters):
        inside = np.flatnonzero(found.labels_ == group)
        members.append(inside[np.argsort(far[inside], kind="stable")])
    centres = found.cluster_centers_.reshape(clusters, *maps.shape[1:])  # -> (K, N, h, w)
    return FeatureClusters(
        found.labels_.astype(np.intp), centres, tuple(members), float(found.inertia_)
    )
