"""What the data sets of images have in common, and where their files are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, from_numpy
from nn.data import Columns, Dataset
from vision.transforms import ToTensor

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


class VisionDataset(Dataset[tuple[Any, Any]]):
    """Images with class labels, held in memory: the base of the data sets here.

    Item i is a pair (image, label). `transform` is given the image as a uint8 array (H, W) and
    `target_transform` the label as an int. Without `transform` the image is a float32 Tensor
    (1, H, W) in [0, 1], as `vision.transforms.ToTensor` makes it, and whole batches are read at
    once.

    Attributes:
        data: the images as they are stored, a uint8 Tensor of shape (N, H, W).
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
        target: Any = int(self.targets.array[index])
        return (
            to_tensor(image) if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __getitems__(self, indices: Sequence[int]) -> Sequence[tuple[Any, ...]]:
        plain = self.transform is None and self.target_transform is None
        if not plain or type(self).__getitem__ is not VisionDataset.__getitem__:
            return [self[index] for index in indices]
        rows = np.asarray(indices, np.intp)
        images = self.data.array[rows][:, None]  # (N, H, W) -> (len(rows), 1, H, W)
        scaled = images.astype(np.float32) / np.float32(255.0)
        return Columns([from_numpy(scaled), from_numpy(self.targets.array[rows])])

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
