"""What is given to be looked at: a model, one of its layers, images, classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor, from_numpy
from vision.training.modes import evaluating

__all__: list[str] = []

Layer: TypeAlias = nn.Module | str
"""A module of the model, or its dotted name."""
CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def check_model(name: str, model: Any) -> None:
    """Refuse what is no module."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"{name}: model is a nn.Module, got {type(model).__name__}")


def dtype_of(model: nn.Module) -> np.dtype[Any]:
    """The floating-point type that a model computes in."""
    found = (p.dtype for p in model.parameters() if p.dtype.kind == "f")
    return next(found, autograd.get_default_dtype())


def as_batch(name: str, model: nn.Module, images: Any, ndim: int | None = 4) -> Tensor:
    """Images (N, C, H, W) in the model's type, detached; uint8 becomes [0, 1].

    Args:
        name: of the operation, for errors.
        model: what will be given the images.
        images: a tensor or array.
        ndim: how many dimensions there are; None for two or more.

    Raises:
        ValueError: another shape, no images, or numbers that are not finite.
        TypeError: they are no numbers.
    """
    check_model(name, model)
    array = images.detach().numpy() if isinstance(images, Tensor) else np.asarray(images)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: images are numbers, got {array.dtype}")
    fits = array.ndim == ndim if ndim is not None else array.ndim >= 2
    if not fits or not array.size:
        hint = "; for one image give image[None]" if array.ndim == 3 and ndim == 4 else ""
        raise ValueError(
            f"{name}: got images of shape {array.shape}, expected a batch "
            f"{'(N, C, H, W)' if ndim == 4 else '(N, ...)'}, N at least 1{hint}"
        )
    dtype = dtype_of(model)
    if array.dtype == np.uint8:
        array = np.true_divide(array, 255, dtype=np.float64)
    elif not np.isfinite(array).all():
        raise ValueError(f"{name}: images hold NaN or infinity")
    return from_numpy(array.astype(dtype))


def check_scores(name: str, scores: Any, count: int) -> Tensor:
    """Refuse what a model gives if it is no table of class scores (N, K)."""
    if not isinstance(scores, Tensor) or scores.ndim != 2 or scores.shape[0] != count:
        kind = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"{name}: the model gives {kind}, expected class scores ({count}, K)")
    return scores


def scores_of(name: str, model: nn.Module, images: Tensor, batch_size: int) -> Tensor:
    """The class scores (N, K) of images, computed in batches and evaluation mode."""
    if batch_size < 1:
        raise ValueError(f"{name}: batch_size is at least 1, got {batch_size}")
    with evaluating(model):
        parts = [check_scores(name, model(part), len(part)) for part in images.split(batch_size)]
    return autograd.cat(parts)  # list of (n, K) -> (N, K)


def as_targets(name: str, targets: Any, scores: Tensor) -> NDArray[np.int64]:
    """The class that each image is asked about: (N,).

    Args:
        name: of the operation, for errors.
        targets: one class for all, one for each image (N,), or None for the predicted ones.
        scores: of the images, (N, K).

    Raises:
        ValueError: not as many as images, no integers, or no class of the model.
    """
    count, classes = scores.shape
    if targets is None:
        return np.asarray(scores.detach().numpy().argmax(1), np.int64)
    array = targets.detach().numpy() if isinstance(targets, Tensor) else np.asarray(targets)
    if array.dtype.kind not in "iu" or array.shape not in ((), (count,)):
        raise ValueError(
            f"{name}: targets are one class or {count} of them, integers; got {array.dtype} of "
            f"shape {array.shape}"
        )
    if array.min() < 0 or array.max() >= classes:
        bad = array.min() if array.min() < 0 else array.max()
        raise ValueError(f"{name}: class {bad} is out of range, expected 0 to {classes - 1}")
    return np.broadcast_to(array, (count,)).astype(np.int64)


def picked(scores: Tensor, targets: NDArray[np.int64]) -> Tensor:
    """The score of each image's class: (N, K) -> (N,)."""
    return scores[np.arange(len(targets)), targets]


def find_layer(name: str, model: nn.Module, layer: Layer | None) -> tuple[str, nn.Module]:
    """A layer of a model and its dotted name; the last convolution when None is asked for.

    Raises:
        ValueError: the model has no such layer, or no convolution.
        TypeError: `layer` is neither a module nor a name.
    """
    check_model(name, model)
    modules = dict(model.named_modules())
    if layer is None:
        for path, module in reversed(modules.items()):
            if isinstance(module, CONVOLUTIONS):
                return path, module
        raise ValueError(
            f"{name}: {type(model).__name__} has no convolution; name a layer{listing(modules)}"
        )
    if isinstance(layer, str):
        if layer in modules:
            return layer, modules[layer]
        shared = dict(model.named_modules(remove_duplicate=False))
        if layer in shared:
            return layer, shared[layer]
        raise ValueError(f"{name}: {type(model).__name__} has no layer {layer!r}{listing(modules)}")
    if not isinstance(layer, nn.Module):
        raise TypeError(f"{name}: layer is a module or its name, got {type(layer).__name__}")
    for path, module in modules.items():
        if module is layer:
            return path, module
    raise ValueError(
        f"{name}: this {type(layer).__name__} is no layer of {type(model).__name__}"
        f"{listing(modules)}"
    )


def listing(modules: dict[str, nn.Module]) -> str:
    """Some names of layers, for errors."""
    names = [path for path in modules if path]
    if not names:
        return ""
    shown = ", ".join(repr(path) for path in names[:8])
    return f"; its layers: {shown}" + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def leaves(model: nn.Module) -> dict[str, nn.Module]:
    """The modules without modules inside, by dotted name; the model itself if it is one."""
    return {
        path or type(module).__name__: module
        for path, module in model.named_modules()
        if not any(True for _ in module.children())
    }


Hook = Callable[[nn.Module, Any, Any], Any]


@contextmanager
def hooked(layers: list[nn.Module], hook: Callable[[int, Any], Any]) -> Iterator[None]:
    """Within it, ``hook(place, output)`` sees what each layer makes, and may replace it.

    The hook goes in front of the model's own ones.
    """
    with ExitStack() as stack:
        for place, layer in enumerate(layers):

            def run(module: nn.Module, args: Any, output: Any, place: int = place) -> Any:
                return hook(place, output)

            stack.enter_context(layer.register_forward_hook(run, prepend=True))
        yield
