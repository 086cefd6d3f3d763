"""From what a user gives as data to batches, refused early where they cannot be learned from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, from_numpy, randperm
from autograd.errors import ShapeError
from nn.data import DataLoader, TensorDataset

__all__ = ["as_images", "as_labels", "batches_of", "check_inputs", "check_labels", "images_in"]

LARGEST = 100.0  # standardised pixels stay far below, unscaled ones lie far above


class Order:
    """Lists of numbers below `count`, each `size` long, drawn anew for each pass if wanted.

    A last batch of one sample joins the one before: batch norm cannot learn from a single one.
    """

    def __init__(self, count: int, size: int, shuffle: bool) -> None:
        self.count, self.size, self.shuffle = count, size, shuffle

    def __len__(self) -> int:
        return len(self._starts())

    def __iter__(self) -> Iterator[list[int]]:
        order = randperm(self.count).tolist() if self.shuffle else list(range(self.count))
        starts = self._starts()
        for start, end in zip(starts, [*starts[1:], self.count], strict=True):
            yield order[start:end]

    def _starts(self) -> list[int]:
        starts = list(range(0, self.count, self.size))
        return starts[:-1] if len(starts) > 1 and starts[-1] == self.count - 1 else starts


def batches_of(
    name: str, data: Any, batch_size: int, shuffle: bool, dtype: np.dtype[Any]
) -> Iterable[Any]:
    """Something that gives batches of `data`, pass after pass.

    Args:
        name: of the operation, for errors.
        data: a DataLoader or anything that gives batches again and again, a data set, or a tuple
            of arrays or tensors (inputs, targets).
        batch_size: unless `data` gives batches itself.
        shuffle: whether the order is drawn anew for each pass, unless `data` gives batches itself.
        dtype: that of floating-point inputs in arrays; uint8 becomes that type in [0, 1].

    Raises:
        ValueError: there are no samples, or not as many targets as inputs.
        TypeError: `data` is something else.
    """
    if isinstance(data, DataLoader):
        return data
    if batch_size < 1:
        raise ValueError(f"{name}: batch_size is at least 1, got {batch_size}")
    if isinstance(data, tuple):
        data = arrays(name, data, dtype)
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        if not len(data):
            raise ValueError(f"{name}: the data set is empty")
        return DataLoader(data, batch_sampler=Order(len(data), batch_size, shuffle))
    if isinstance(data, Iterable) and not isinstance(data, Iterator):
        return data
    raise TypeError(
        f"{name}: data is a tuple (inputs, targets), a data set or a DataLoader, "
        f"got {type(data).__name__}"
    )


def arrays(name: str, data: tuple[Any, ...], dtype: np.dtype[Any]) -> TensorDataset:
    """Inputs and targets as a data set."""
    if len(data) != 2:
        raise ValueError(f"{name}: expected a tuple (inputs, targets), got {len(data)} parts")
    inputs, targets = (numbers(name, part) for part in data)
    if inputs.ndim < 1 or targets.ndim < 1 or len(inputs) != len(targets):
        raise ValueError(
            f"{name}: got inputs of shape {inputs.shape} and targets of shape {targets.shape}, "
            "expected as many targets as inputs"
        )
    return TensorDataset(from_numpy(scaled(inputs, dtype)), from_numpy(targets))


def numbers(name: str, values: Any) -> NDArray[Any]:
    array = values.detach().numpy() if isinstance(values, Tensor) else np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: data is an array of numbers, got {array.dtype}")
    return array


def scaled(inputs: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Grey levels 0 ... 255 as numbers in [0, 1], and floating-point numbers in one type."""
    if inputs.dtype == np.uint8:
        scale: NDArray[Any] = np.true_divide(inputs, 255, dtype=np.float64)
        return scale.astype(dtype)
    return inputs.astype(dtype) if inputs.dtype.kind == "f" else inputs


def images_in(batches: Iterable[Any]) -> int | None:
    """How many samples one pass gives, where that is known before."""
    if not isinstance(batches, DataLoader):
        return None
    if isinstance(batches.batch_sampler, Order):
        return batches.batch_sampler.count
    size = batches.batch_size
    if size is None:
        return None
    try:
        order: Any = batches.sampler
        return len(batches) * size if batches.drop_last else len(order)
    except TypeError:  # a stream, whose end nobody knows
        return None


def check_inputs(name: str, data: Any, shape: Any) -> None:
    """Refuse images in arrays that a network for images of a shape cannot learn from.

    Raises:
        ValueError: they have another shape, are not finite, or are not scaled.
    """
    columns = data.tensors if isinstance(data, TensorDataset) else data
    of_images = isinstance(shape, tuple) and len(shape) == 3
    if not of_images or not isinstance(columns, tuple) or len(columns) != 2:
        return
    images = numbers(name, columns[0])
    if images.size:
        check_images(name, images, shape)


def check_labels(name: str, data: Any, num_classes: int | None, ignored: int = -100) -> None:
    """Refuse training labels that are all the same, or out of range, where they can be seen.

    Args:
        name: of the operation, for errors.
        data: what holds the labels.
        num_classes: how many classes there are, if that is known.
        ignored: the label that counts for nothing.

    Raises:
        ValueError: they are all the same.
        IndexError: one is negative, or `num_classes` or larger.
    """
    if isinstance(data, DataLoader):
        data = data.dataset
    labels = getattr(data, "targets", None)
    columns = data.tensors if isinstance(data, TensorDataset) else data
    if labels is None and isinstance(columns, tuple) and len(columns) == 2:
        labels = columns[1]
    if labels is None:
        return
    array = labels.detach().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if array.dtype.kind not in "iu" or array.ndim != 1 or not array.size:
        return
    if (array == array[0]).all():
        raise ValueError(
            f"{name}: all {array.size} labels are {array[0]}, expected at least two classes"
        )
    if num_classes is None:
        return
    bad = np.flatnonzero(((array < 0) & (array != ignored)) | (array >= num_classes))
    if len(bad):
        raise IndexError(
            f"{name}: label {array[bad[0]]} at place {bad[0]} is out of range, expected "
            f"0 to {num_classes - 1}"
        )


def as_images(name: str, images: Any, shape: tuple[int, int, int]) -> Tensor:
    """Images as a float32 Tensor (N, C, H, W).

    Those of one channel may be given without it, and uint8 is divided by 255.

    Raises:
        ValueError: they have another shape, are none, are not finite, or are not scaled.
        TypeError: they are neither floating-point nor uint8.
    """
    array = numbers(name, images)
    if array.ndim == 3 and shape[0] == 1:
        array = array[:, None]  # (N, H, W) -> (N, 1, H, W)
    if not len(array):
        raise ValueError(f"{name}: there are no images (shape {array.shape})")
    check_images(name, array, shape)
    if array.dtype != np.uint8 and array.dtype.kind != "f":
        raise TypeError(f"{name}: images are floating-point or uint8, got {array.dtype}")
    return from_numpy(scaled(array, np.dtype(np.float32)))


def check_images(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Refuse images of another shape than (N, *shape), not finite, or not scaled."""
    if array.ndim != 4 or array.shape[1:] != shape:
        hint = ""
        if array.ndim == 4 and (array.shape[3], *array.shape[1:3]) == shape:
            hint = "; the channels come first: images.transpose(0, 3, 1, 2)"
        raise ShapeError(
            f"{name}: got images of shape {array.shape}, expected "
            f"(N, {', '.join(map(str, shape))}){hint}"
        )
    if array.dtype.kind != "f":
        return
    largest = float(np.abs(array).max())
    if not isfinite(largest):
        place = int(np.flatnonzero(~np.isfinite(array).all(axis=(1, 2, 3)))[0])
        raise ValueError(f"{name}: image {place} holds values that are no finite numbers")
    if largest > LARGEST:
        raise ValueError(
            f"{name}: images hold values up to {largest:.4g}, expected a range such as [0, 1]; "
            "divide grey levels by 255"
        )


def as_labels(name: str, labels: Any, count: int, num_classes: int) -> Tensor:
    """Labels as an int64 Tensor (N,); rows of a one-hot matrix (N, K) are welcome too.

    Raises:
        ValueError: they are not as many as the images, or out of range.
        TypeError: they are no integers.
    """
    array = numbers(name, labels)
    if array.shape == (count, num_classes) and array.ndim == 2:
        if not (((array == 0) | (array == 1)).all() and (array.sum(1) == 1).all()):
            raise ValueError(f"{name}: a row of the one-hot labels {array.shape} has not one 1")
        array = array.argmax(1)  # (N, K) -> (N,)
    if array.shape != (count,):
        raise ValueError(f"{name}: got {count} images and labels of shape {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: labels are integers, got {array.dtype}")
    bad = np.flatnonzero((array < 0) | (array >= num_classes))
    if len(bad):
        raise ValueError(
            f"{name}: label {array[bad[0]]} at place {bad[0]} is out of range, "
            f"expected 0 to {num_classes - 1}"
        )
    return from_numpy(array.astype(np.int64))
