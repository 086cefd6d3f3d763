"""What layers make of images: their outputs, statistics of them, and what excites a filter most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Tensor
from vision.interpret.inputs import Layer, as_batch, find_layer, hooked, leaves
from vision.training.modes import evaluating

__all__ = [
    "FilterStatistics",
    "TopActivations",
    "activation_statistics",
    "activations",
    "maximally_activating",
]

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU)
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)


class FilterStatistics(NamedTuple):
    """What the F filters of a layer do on some images: arrays (F,).

    Attributes:
        mean: of their values.
        maximum: of their values.
        inactive: the share of values that are 0 or below.
        dead: whether none of the values was above 0.
    """

    mean: NDArray[Any]
    maximum: NDArray[Any]
    inactive: NDArray[Any]
    dead: NDArray[np.bool_]


class TopActivations(NamedTuple):
    """For each of F filters the K images that excite it most, the strongest first.

    Attributes:
        filters: which filters these are (F,).
        images: the places of the images (F, K).
        values: the largest value of the filter's map (F, K).
        positions: where on the map it lies (F, K, 2): row and column.
    """

    filters: NDArray[np.intp]
    images: NDArray[np.intp]
    values: NDArray[Any]
    positions: NDArray[np.intp]


def activations(
    model: nn.Module, images: Any, layers: Sequence[Layer] | None = None
) -> dict[str, NDArray[Any]]:
    """What each layer makes of some images, in the order in which they run.

    A layer that runs again stands there again, as ``"relu (2)"``. The model is looked at in
    evaluation mode, and stays as it was.

    Args:
        model: given images.
        images: a batch (N, C, H, W).
        layers: modules of the model or their dotted names; all without modules inside unless given.

    Raises:
        ValueError: there is no such layer, or images of another shape.

    Example:
        >>> import autograd, nn
        >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
        >>> maps = activations(model, autograd.ones(2, 1, 5, 5))
        >>> {name: value.shape for name, value in maps.items()}
        {'0': (2, 4, 3, 3), '1': (2, 4, 3, 3), '2': (2, 36)}
    """
    name = "activations"
    batch = as_batch(name, model, images, None)
    return record(model, batch, chosen(name, model, layers))


def chosen(name: str, model: nn.Module, layers: Sequence[Layer] | None) -> dict[str, nn.Module]:
    """Layers of a model by name; all without modules inside when None."""
    if layers is None:
        return leaves(model)
    if isinstance(layers, (str, nn.Module)):
        layers = [layers]
    found = dict(find_layer(name, model, layer) for layer in layers)
    if not found:
        raise ValueError(f"{name}: there are no layers to look at")
    return found


def record(
    model: nn.Module, batch: Tensor, layers: dict[str, nn.Module]
) -> dict[str, NDArray[Any]]:
    """The outputs of layers that are tensors, by name, copied before anything overwrites them."""
    names, outputs = list(layers), dict[str, NDArray[Any]]()
    times = [0] * len(names)

    def watch(place: int, output: Any) -> None:
        if isinstance(output, Tensor):
            times[place] += 1
            again = f" ({times[place]})" if times[place] > 1 else ""
            outputs[names[place] + again] = output.detach().numpy().copy()

    with evaluating(model), hooked(list(layers.values()), watch):
        model(batch)
    return outputs


def activation_statistics(
    model: nn.Module,
    images: Any,
    layers: Sequence[Layer] | None = None,
    *,
    batch_size: int = 250,
) -> dict[str, FilterStatistics]:
    """What each filter does on some images: mean, maximum, how often it is off, whether it is dead.

    Args:
        model: given images.
        images: a batch (N, C, H, W).
        layers: modules of the model or their dotted names, with outputs (N, F, ...); the rectifiers
            unless given, or the convolutions and linear layers of a model without.
        batch_size: how many images go through the model together.

    Raises:
        ValueError: there is no such layer, the model has none of these kinds, or images of another
            shape.

    Example:
        >>> import nn
        >>> from autograd import tensor
        >>> found = activation_statistics(nn.ReLU(), tensor([[[[1.0]], [[-2.0]]]]))
        >>> [column.tolist() for column in found["ReLU"]]
        [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [False, True]]
    """
    name = "activation_statistics"
    batch = as_batch(name, model, images, None)
    parts: dict[str, nn.Module]
    if layers is None:
        all_of = leaves(model)
        kinds: tuple[type[nn.Module], ...]
        kinds = RECTIFIERS if any(isinstance(m, RECTIFIERS) for m in all_of.values()) else WEIGHTED
        parts = {path: module for path, module in all_of.items() if isinstance(module, kinds)}
        if not parts:
            raise ValueError(
                f"{name}: {type(model).__name__} has no activations, convolutions or linear "
                "layers; name layers to look at"
            )
    else:
        parts = chosen(name, model, layers)
    sums: dict[str, list[Any]] = {}
    for outputs in in_batches(name, model, batch, parts, batch_size):
        for path, values in outputs.items():
            if values.ndim < 2:
                raise ValueError(
                    f"{name}: the layer {path!r} gives {values.shape}, expected (N, F, ...)"
                )
            axes = (0, *range(2, values.ndim))
            count = values.size // max(values.shape[1], 1)
            parts_of = [values.sum(axes, np.float64), (values <= 0).sum(axes), values.max(axes)]
            if path not in sums:
                sums[path] = [*parts_of, count]
            else:
                total, off, largest, seen = sums[path]
                sums[path] = [
                    total + parts_of[0],
                    off + parts_of[1],
                    np.maximum(largest, parts_of[2]),
                    seen + count,
                ]
    return {
        path: FilterStatistics(total / seen, largest, off / seen, off == seen)
        for path, (total, off, largest, seen) in sums.items()
    }


def in_batches(
    name: str, model: nn.Module, images: Tensor, layers: dict[str, nn.Module], batch_size: int
) -> Iterator[dict[str, NDArray[Any]]]:
    """What layers make of images, batch after batch."""
    if batch_size < 1:
        raise ValueError(f"{name}: batch_size is at least 1, got {batch_size}")
    for part in images.split(batch_size):
        outputs = record(model, part, layers)
        if not outputs:
            raise ValueError(f"{name}: none of the layers ran: {', '.join(layers)}")
        yield outputs


def maximally_activating(
    model: nn.Module,
    images: Any,
    layer: Layer | None = None,
    top: int = 9,
    *,
    filters: Sequence[int] | None = None,
    batch_size: int = 250,
) -> TopActivations:
    """The images that excite each filter of a layer most, and where in them.

    Args:
        model: given images.
        images: a batch (N, C, H, W).
        layer: a module of the model or its dotted name, with an output (N, F, h, w) or (N, F); the
            last convolution unless given. If it runs several times, the last time counts.
        top: how many images of each filter, K; all if there are fewer.
        filters: which filters; all unless given.
        batch_size: how many images go through the model together.

    Raises:
        ValueError: there is no such layer, its output has another shape, or numbers are out of
            range.

    Reference: Zeiler and Fergus 2014, arXiv:1311.2901.

    Example:
        >>> import nn
        >>> from autograd import tensor
        >>> images = tensor([[[[1.0, 0.0]]], [[[0.0, 3.0]]], [[[2.0, 0.0]]]])
        >>> best = maximally_activating(nn.Conv2d(1, 1, 1).requires_grad_(False), images, top=2)
        >>> best.images.shape, best.positions.shape
        ((1, 2), (1, 2, 2))
    """
    name = "maximally_activating"
    path, module = find_layer(name, model, layer)
    batch = as_batch(name, model, images)
    if top < 1:
        raise ValueError(f"{name}: top is at least 1, got {top}")
    strongest, places, width = [], [], 1
    for outputs in in_batches(name, model, batch, {path: module}, batch_size):
        maps = list(outputs.values())[-1]
        if maps.ndim == 2:
            maps = maps[:, :, None, None]  # (N, F) -> (N, F, 1, 1)
        if maps.ndim != 4:
            raise ValueError(
                f"{name}: the layer {path!r} gives {maps.shape}, expected (N, F, h, w) or (N, F)"
            )
        width = maps.shape[3]
        flat = maps.reshape(*maps.shape[:2], -1)  # (N, F, h, w) -> (N, F, h*w)
        strongest.append(flat.max(2))
        places.append(flat.argmax(2))
    values, place = np.concatenate(strongest).T, np.concatenate(places).T  # (N, F) -> (F, N)
    wanted = filter_numbers(name, filters, len(values))
    values, place = values[wanted], place[wanted]
    order = np.argsort(-values, axis=1, kind="stable")[:, :top]
    where = np.take_along_axis(place, order, 1)
    return TopActivations(
        wanted,
        order,
        np.take_along_axis(values, order, 1),
        np.stack([where // width, where % width], axis=-1),  # (F, K) -> (F, K, 2)
    )


def filter_numbers(name: str, filters: Sequence[int] | None, count: int) -> NDArray[np.intp]:
    """The filters that are asked for, of `count`.

    Raises:
        ValueError: one of them is not there.
    """
    if filters is None:
        return np.arange(count)
    wanted = np.asarray(filters)
    if wanted.ndim != 1 or not wanted.size or wanted.dtype.kind not in "iu":
        raise ValueError(f"{name}: filters are numbers of filters, got {filters}")
    if wanted.min() < 0 or wanted.max() >= count:
        raise ValueError(
            f"{name}: filters are from 0 to {count - 1}, got {wanted.min()} to {wanted.max()}"
        )
    return wanted.astype(np.intp)
