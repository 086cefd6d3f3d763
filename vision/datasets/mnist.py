"""MNIST, 70,000 handwritten digits, and its relatives."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from autograd import from_numpy
from vision.datasets.base import (
    DatasetNotFoundError,
    Transform,
    VisionDataset,
    damage_explained,
    data_root,
)
from vision.datasets.download import download as fetch_file
from vision.datasets.idx import read_idx

__all__ = ["MNIST", "FashionMNIST"]


class MNIST(VisionDataset):
    """The MNIST digits: 60,000 images of 28 x 28 grey levels to learn from, 10,000 to test.

    The IDX files may be plain or gzip, in `root`, `root/raw`, or in `MNIST`, `MNIST/raw`, `mnist`
    or `mnist/raw` below `root`; the first folder that has both files of the split is taken. Items
    and transforms are described at `VisionDataset`.

    Args:
        root: the folder; where left out, the environment variable ``NDGRAD_DATA`` or the user's
            cache folder (see `data_root`).
        train: the training images, or the test images.
        transform: makes an image from a uint8 array (28, 28).
        target_transform: makes a label from an int.
        download: whether to fetch the files if they are not there.
        subset_size: how many images to keep: a fixed choice of them (see `VisionDataset.keep`).

    Raises:
        DatasetNotFoundError: the files are not there and could not be, or were not to be, fetched.
        ValueError: a file is damaged or holds something else, and is left as it is; or there are
            fewer images than `subset_size`.

    Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
    recognition, Proceedings of the IEEE 86(11), 1998.

    Example:
        >>> data = MNIST(train=False, download=True)  # doctest: +SKIP
        >>> image, label = data[0]                    # doctest: +SKIP
        >>> image.shape, label                        # doctest: +SKIP
        ((1, 28, 28), 7)
    """

    mirrors: tuple[str, ...] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )
    checksums: Mapping[str, str] = {  # SHA-256 of the decompressed files
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }
    checksums_are_of_archives = False
    classes = (
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        *,
        subset_size: int | None = None,
    ) -> None:
        super().__init__(data_root() if root is None else root, train, transform, target_transform)
        paths = self._find() or (self._fetch() if download else None)
        if paths is None:
            raise DatasetNotFoundError(self._missing("call with download=True to fetch them"))
        with damage_explained():
            images, labels = read_pair(*paths, size=28, classes=len(self.classes))
        self.data = from_numpy(images)
        self.targets = from_numpy(labels.astype(np.int64))
        self.keep(subset_size)

    def _names(self) -> tuple[str, str]:
        """The names of the files of images and labels."""
        images, labels = list(self.checksums)[:2] if self.train else list(self.checksums)[2:]
        return images, labels

    def _folders(self) -> list[Path]:
        """Where the files may be, in the order of the search."""
        assert self.root is not None
        name = type(self).__name__
        parts = ["", "raw", name, f"{name}/raw", name.lower(), f"{name.lower()}/raw"]
        return [self.root / part for part in parts]

    def _find(self) -> tuple[Path, Path] | None:
        """Both files, if one of the folders has them."""
        for folder in self._folders():
            images, labels = (find(folder, name) for name in self._names())
            if images and labels:
                return images, labels
        return None

    def _fetch(self) -> tuple[Path, Path]:
        """Both files, from the first of the mirrors that gives each."""
        assert self.root is not None
        folder = self.root / type(self).__name__ / "raw"
        try:
            images, labels = (
                fetch_file(
                    [f"{mirror}{name}.gz" for mirror in self.mirrors],
                    folder / f"{name}.gz",
                    self.checksums[name],
                    unpacked=not self.checksums_are_of_archives,
                )
                for name in self._names()
            )
        except OSError as error:
            how = (
                f"fetching failed ({error}). Try again with a network, or bring the files "
                f"from {self.mirrors[0]} into {folder} by other means"
            )
            raise DatasetNotFoundError(self._missing(how)) from error
        return images, labels

    def _missing(self, how: str) -> str:
        """Which files were looked for, and where."""
        root, *below = self._folders()
        folders = ", ".join(folder.relative_to(root).as_posix() for folder in below)
        return (
            f"{type(self).__name__}: found no folder with both {' and '.join(self._names())} "
            f"(plain or .gz); searched {root} and in it {folders}; {how}"
        )


def find(folder: Path, name: str) -> Path | None:
    """A file in a folder, by its name or that of its compressed or renamed copies."""
    dotted = name.replace("-idx", ".idx")
    for spelling in (name, dotted, f"{name}.gz", f"{dotted}.gz"):
        if (path := folder / spelling).is_file():
            return path
    return None


def read_pair(
    image_path: Path, label_path: Path, size: int, classes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The square images and their labels in two files that belong together.

    Raises:
        ValueError: the files do not hold that, or not equally many; names the file.
    """
    images = read_idx(image_path, dtype=np.uint8, ndim=3)
    labels = read_idx(label_path, dtype=np.uint8, ndim=1)
    if images.shape[1:] != (size, size) or not len(images):
        raise ValueError(
            f"{image_path}: holds images of shape {images.shape}, expected (N, {size}, {size}) "
            "with at least one"
        )
    if len(images) != len(labels):
        raise ValueError(
            f"{label_path}: holds {len(labels)} labels ({8 + len(labels)} bytes), expected "
            f"{len(images)} ({8 + len(images)} bytes), as many as images in {image_path}"
        )
    if labels.max() >= classes:
        raise ValueError(
            f"{label_path}: holds the label {labels.max()}, expected 0 to {classes - 1}"
        )
    return images, labels


class FashionMNIST(MNIST):
    """Fashion-MNIST: 60,000 images of 28 x 28 grey levels of clothes to learn from, 10,000 to test.

    Files, arguments and errors are those of `MNIST`, the folders ``FashionMNIST`` or
    ``fashionmnist``.

    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking
    machine learning algorithms, arXiv:1708.07747, 2017.

    Example:
        >>> data = FashionMNIST(train=False, download=True)  # doctest: +SKIP
        >>> data.classes[data[0][1]]                         # doctest: +SKIP
        'Ankle boot'
    """

    mirrors = (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    checksums: Mapping[str, str] = {  # SHA-256 of the compressed files
        "train-images-idx3-ubyte": (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        "train-labels-idx1-ubyte": (
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        "t10k-images-idx3-ubyte": (
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        "t10k-labels-idx1-ubyte": (
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    }
    checksums_are_of_archives = True
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
