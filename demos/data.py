"""The data sets that the demos know by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nn.data import DataLoader, Dataset, Subset
from vision.datasets import (
    CIFAR10,
    MNIST,
    SVHN,
    DatasetNotFoundError,
    Digits,
    FakeData,
    FashionMNIST,
    ImageFolder,
)
from vision.transforms import CenterCrop, Compose, ImageTransform, Resize, ToTensor

__all__ = ["CHOICES", "ImageData", "load", "short_names", "size", "stacked"]

Images: TypeAlias = "Dataset[tuple[Any, Any]]"
Transform: TypeAlias = Callable[[Any], Any]
SIDE = 32
"""Pixels of the side of images from a folder."""

DATASETS: dict[str, Callable[[Path | None, bool], Images]] = {
    "mnist": lambda root, train: MNIST(root, train, download=True),
    "fashionmnist": lambda root, train: FashionMNIST(root, train, download=True),
    "cifar10": lambda root, train: CIFAR10(root, train, download=True),
    "svhn": lambda root, train: SVHN(root, "train" if train else "test", download=True),
    "digits": lambda root, train: Digits(train),
    "fake": lambda root, train: FakeData(
        2000 if train else 500, (3, 32, 32), random_offset=0 if train else 1
    ),
}
CHOICES = f"auto, {', '.join(DATASETS)}, NAME:FOLDER, or a folder"
IN_MEMORY = ("digits", "fake")
STANDS_IN = {
    "digits": "scikit-learn's handwritten digits",
    "fake": "noise, from which nothing can be learned",
}


class ImageData(NamedTuple):
    """Images to learn from and images held out.

    Attributes:
        name: of the data set.
        train: the former.
        test: the latter.
        classes: the names of the classes.
        source: what to give `load` to have them again, from whatever folder.
        base: the transforms that every image goes through first.
    """

    name: str
    train: Images
    test: Images
    classes: tuple[str, ...]
    source: str
    base: tuple[Transform, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of an image, as a model gets it."""
        channels, height, width = self.test[0][0].shape
        return channels, height, width

    def transformed(self, augment: Sequence[Transform], colours: bool = False) -> ImageData:
        """The same images, those to learn from changed at random, all in colours if wanted."""
        last: list[Transform] = [ToTensor()]
        if colours:
            last.append(ThreeChannels())
        train, test = copy(self.train), copy(self.test)
        vars(train)["transform"] = Compose([*self.base, *augment, *last])
        vars(test)["transform"] = Compose([*self.base, *last])
        return self._replace(train=train, test=test)

    def framed(self, side: int) -> ImageData:
        """The same grey images in the middle of `side` x `side` pixels.

        Raises:
            ValueError: they are larger, or in colours.
        """
        if self.shape[0] != 1 or max(self.shape) > side:
            raise ValueError(
                f"--dataset {self.source}: images have shape {self.shape}, expected grey images "
                f"of at most {side} x {side} pixels"
            )
        return self._replace(base=(*self.base, CenterCrop(side))).transformed([])

    def limited(self, count: int | None) -> ImageData:
        """The first `count` images of each part."""
        if count is None:
            return self
        parts = ((part, range(min(count, size(part)))) for part in (self.train, self.test))
        train, test = (Subset[tuple[Any, Any]](part, numbers) for part, numbers in parts)
        return self._replace(train=train, test=test)


class ThreeChannels(ImageTransform):
    """Repeat the channel of grey images, which are tensors."""

    def apply(self, images: NDArray[Any]) -> NDArray[Any]:
        """Images (N, 1, H, W) to (N, 3, H, W); others stay as they are."""
        return images.repeat(3, axis=1) if images.shape[1] == 1 else images


def load(choice: str, *, wanted: str = "mnist", fallback: str = "digits") -> ImageData:
    """The data set of that name; says which it is and why.

    Args:
        choice: a name; a name and the folder of its files, ``"cifar10:FOLDER"``; a folder with
            ``train`` and ``test`` and in them images in a folder for each class, or with the files
            of MNIST; or ``"auto"``: `wanted`, else `fallback`.
        wanted: the name that ``"auto"`` tries first.
        fallback: what needs neither files nor a network.

    Raises:
        DatasetNotFoundError: files were asked for and can neither be found nor fetched.
        ValueError: a file is damaged, or `choice` is neither a name nor a folder.
    """
    name, _, folder = choice.partition(":")
    if choice == "auto":
        name = wanted
    elif name not in DATASETS:
        return from_folder(choice)
    if folder and name in IN_MEMORY:
        raise ValueError(f"--dataset {choice}: {name} is not read from a folder; leave that out")
    try:
        data = named(name, Path(folder) if folder else None)
    except DatasetNotFoundError as error:
        if choice != "auto":
            raise
        print(f"Data: {STANDS_IN[fallback]}, because {name} is not at hand:\n  {error}")
        return named(fallback)
    if name in IN_MEMORY:
        print(f"Data: {STANDS_IN[name]}, as asked for")
    else:
        print(f"Data: {data.name}, found in or fetched to {data.source.partition(':')[2]}")
    return data


def named(name: str, root: Path | None = None) -> ImageData:
    """A data set of `DATASETS`."""
    train, test = (DATASETS[name](root, part) for part in (True, False))
    place = getattr(train, "root", None)
    return image_data(train, test, name if place is None else f"{name}:{place.resolve()}")


def from_folder(choice: str) -> ImageData:
    """The data set in a folder."""
    root = Path(choice)
    if not root.is_dir():
        raise ValueError(f"--dataset {choice}: expected {CHOICES} that is there")
    if not (root / "train").is_dir():
        return load(f"mnist:{choice}")
    train, test = ImageFolder(root / "train"), ImageFolder(root / "test")
    if train.classes != test.classes:
        raise ValueError(
            f"--dataset {choice}: train has the classes {', '.join(train.classes)}, test has "
            f"{', '.join(test.classes)}"
        )
    print(f"Data: images in {root}, {len(train.classes)} classes, made {SIDE} x {SIDE} pixels")
    small = (Resize(SIDE), CenterCrop(SIDE))
    return image_data(train, test, str(root.resolve()))._replace(base=small).transformed([])


def image_data(train: Any, test: Any, source: str) -> ImageData:
    """Two data sets with the same classes."""
    return ImageData(type(train).__name__, train, test, tuple(train.classes), source)


def size(data: Any) -> int:
    """How many images a data set has."""
    return len(data)


def short_names(classes: Sequence[str]) -> list[str]:
    """The digit alone where a class is named like ``7 - seven``."""
    return [name.split(" - ")[0] for name in classes]


def stacked(
    data: Images, count: int | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The first `count` images (N, C, H, W) and their labels (N,) as arrays."""
    number = size(data) if count is None else min(count, size(data))
    chosen = Subset[tuple[Any, Any]](data, range(number))
    images, labels = next(iter(DataLoader[Any](chosen, batch_size=number)))
    return images.numpy(), labels.numpy()
