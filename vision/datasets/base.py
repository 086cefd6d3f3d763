"""What the data sets of images have in common, and where their files are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, from_numpy
from nn.data import Columns, Dataset
from vision.transforms import ToTensor
from vision.transforms.batch import for_batches

__all__ = ["DatasetNotFoundError", "VisionDataset", "data_root"]

Transform = Callable[[Any], Any]


class DatasetNotFoundError(FileNotFoundError, RuntimeError):
    """The files of a data set are not there and were not, or could not be, fetched."""


def data_root() -> Path:
    """The folder for data sets where none is named.

    It is the environment variable ``NDGRAD_DATA`` where that is set, else ``ndgrad`` in the user's
    cache folder: ``XDG_CACHE_HOME`` or ``~/.cache``; on macOS ``~/Library/Caches``; on Windows
    ``LOCALAPPDATA``.
    """
    if named := os.environ.get("NDGRAD_DATA"):
        return Path(named).expanduser()
    if cache := os.environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "ndgrad"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ndgrad"
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "ndgrad"
    return Path.home() / ".cache" / "ndgrad"


@contextmanager
def damage_explained() -> Iterator[None]:
    """Add to the error about a damaged file what to do about it."""
    try:
        yield
    except ValueError as error:
        raise ValueError(
            f"{error}; it is left as it is: remove it, and download=True fetches it anew"
        ) from error


class VisionDataset(Dataset[tuple[Any, Any]]):
    """Images with class labels, held in memory: the base of the data sets here.

    Item i is a pair (image, label). `transform` is given the image as a uint8 array (H, W) or, of
    colour images, (H, W, C), and `target_transform` the label as an int. Without `transform` the
    image is a float32 Tensor (C, H, W) in [0, 1], as `vision.transforms.ToTensor` makes it. Whole
    batches are read and transformed at once where the transforms allow it (see
    `vision.transforms.ImageTransform`); a random one then draws for each image of the batch.

    Attributes:
        data: the images as they are stored, a uint8 Tensor of shape (N, H, W) or (N, C, H, W).
        targets: the labels, an int64 Tensor of shape (N,).
        classes: the name of each class.
    """

    data: Tensor
    targets: Tensor
    classes: tuple[str, ...] = ()

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root = None if root is None else Path(root).expanduser()
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: NDArray[np.uint8] = self.data.array[index]  # (N, H, W) -> (H, W)
        if image.ndim == 3:
            image = image.transpose(1, 2, 0)  # (C, H, W) -> (H, W, C)
        target: Any = int(self.targets.array[index])
        return (
            to_tensor(image) if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __getitems__(self, indices: Sequence[int]) -> Sequence[tuple[Any, ...]]:
        whole = for_batches(self.transform)
        own = type(self).__getitem__ is not VisionDataset.__getitem__
        if own or whole is None or self.target_transform is not None:
            return [self[index] for index in indices]
        rows = np.asarray(indices, np.intp)
        images = self.data.array[rows]
        if images.ndim == 3:
            images = images[:, None]  # (N, H, W) -> (N, 1, H, W)
        return Columns([whole(images), from_numpy(self.targets.array[rows])])

    def keep(self, subset_size: int | None) -> None:
        """Keep so many of the images: the same ones each time, in their order; None keeps all.

        Of two sizes the smaller subset is a part of the larger.

        Raises:
            ValueError: a size that is not from 1 to the number of images.
        """
        if subset_size is None:
            return
        if not 1 <= subset_size <= len(self):
            raise ValueError(
                f"{type(self).__name__}: subset_size must be from 1 to {len(self)}, "
                f"got {subset_size}"
            )
        # NumPy promises that the numbers of its old `RandomState` never change.
        order = np.random.RandomState(0).permutation(len(self))
        rows = np.sort(order[:subset_size])
        self.data = from_numpy(self.data.array[rows])
        self.targets = from_numpy(self.targets.array[rows])

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            lines.append(f"Root location: {self.root}")
        lines.append(f"Split: {'Train' if self.train else 'Test'}")
        if self.transform is not None:
            lines.append(f"Transform: {indent(self.transform)}")
        if self.target_transform is not None:
            lines.append(f"Target transform: {indent(self.target_transform)}")
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])


def indent(transform: Transform) -> str:
    """A transform's repr, its later lines moved to the right of the data set's."""
    return repr(transform).replace("\n", "\n    ")


to_tensor = ToTensor()
