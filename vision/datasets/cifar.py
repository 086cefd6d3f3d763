"""CIFAR-10: 60,000 small colour images of ten kinds of things."""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

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
from vision.datasets.legacy_pickle import read_pickle

__all__ = ["CIFAR10"]

SHAPE = (3, 32, 32)
RECORD = 1 + 3 * 32 * 32
BINARY, PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"


class CIFAR10(VisionDataset):
    """CIFAR-10: 50,000 colour images of 32 x 32 pixels to learn from, 10,000 to test.

    The files are those of the binary version (``data_batch_1.bin`` ... ``test_batch.bin``) or of
    the Python version (``data_batch_1`` ... ``test_batch``, read without running anything that they
    contain). They may be in `root`, in ``cifar-10-batches-bin`` or ``cifar-10-batches-py``, or in
    these below ``CIFAR10`` or ``cifar10``; an archive ``cifar-10-binary.tar.gz`` or
    ``cifar-10-python.tar.gz`` there is unpacked beside itself. Items and transforms are described
    at `VisionDataset`; `data` has the shape (N, 3, 32, 32).

    Args:
        root: the folder; where left out, the environment variable ``NDGRAD_DATA`` or the user's
            cache folder (see `data_root`).
        train: the training images, or the test images.
        transform: makes an image from a uint8 array (32, 32, 3).
        target_transform: makes a label from an int.
        download: whether to fetch the binary version (162 MB) if there is none.
        subset_size: how many images to keep: a fixed choice of them (see `VisionDataset.keep`).

    Raises:
        DatasetNotFoundError: the files are not there and could not be, or were not to be, fetched.
        ValueError: a file is damaged or holds something else, and is left as it is; or there are
            fewer images than `subset_size`.

    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.

    Example:
        >>> data = CIFAR10(train=False, download=True)  # doctest: +SKIP
        >>> tuple(data[0][0].shape)                     # doctest: +SKIP
        (3, 32, 32)
    """

    mirrors: tuple[str, ...] = ("https://www.cs.toronto.edu/~kriz/",)
    archives: tuple[tuple[str, str, str], ...] = (  # the first is fetched; SHA-256
        (
            "cifar-10-binary.tar.gz",
            BINARY,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
        (
            "cifar-10-python.tar.gz",
            PYTHON,
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
        ),
    )
    classes = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
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
        paths = self._find() or self._unpacked() or (self._fetch() if download else None)
        if paths is None:
            raise DatasetNotFoundError(self._missing("call with download=True to fetch them"))
        with damage_explained():
            parts = [read_batch(path, len(self.classes)) for path in paths]
        images = np.concatenate([images for images, _ in parts])
        labels = np.concatenate([labels for _, labels in parts])
        self.data = from_numpy(images)
        self.targets = from_numpy(labels.astype(np.int64))
        self.keep(subset_size)

    def _folders(self) -> list[Path]:
        """Where the files or an archive may be, in the order of the search."""
        assert self.root is not None
        return [self.root, self.root / "CIFAR10", self.root / "cifar10"]

    def _files(self, folder: Path) -> list[Path] | None:
        """The files of the split in a folder, if all are there."""
        names = [f"data_batch_{i}" for i in range(1, 6)] if self.train else ["test_batch"]
        for ending in (".bin", ""):
            paths = [folder / f"{name}{ending}" for name in names]
            if all(path.is_file() for path in paths):
                return paths
        return None

    def _find(self) -> list[Path] | None:
        for folder in self._folders():
            for place in (folder, folder / BINARY, folder / PYTHON):
                if paths := self._files(place):
                    return paths
        return None

    def _unpacked(self) -> list[Path] | None:
        """The files from an archive that is there."""
        for folder in self._folders():
            for name, inside, _ in self.archives:
                if (folder / name).is_file():
                    try:
                        unpack(folder / name, inside)
                    except ValueError:
                        # Another process may have unpacked it meanwhile.
                        if paths := self._files(folder / inside):
                            return paths
                        raise
                    if (paths := self._files(folder / inside)) is None:
                        raise ValueError(f"{folder / name}: lacks files of the data set")
                    return paths
        return None

    def _fetch(self) -> list[Path] | None:
        """The files from an archive out of the first of the mirrors that gives it."""
        assert self.root is not None
        folder, (name, _, checksum) = self.root / "CIFAR10", self.archives[0]
        try:
            fetch_file(
                [f"{mirror}{name}" for mirror in self.mirrors],
                folder / name,
                checksum,
                unpacked=False,
            )
        except OSError as error:
            how = (
                f"fetching failed ({error}). Try again with a network, or bring {name} "
                f"from {self.mirrors[0]} into {folder} by other means"
            )
            raise DatasetNotFoundError(self._missing(how)) from error
        return self._unpacked()

    def _missing(self, how: str) -> str:
        folders = ", ".join(map(str, self._folders()))
        first = "data_batch_1 ... data_batch_5" if self.train else "test_batch"
        return (
            f"{type(self).__name__}: found no folder with {first} (.bin or Python version); "
            f"searched {folders} with {BINARY} and {PYTHON} in each; {how}"
        )


def unpack(archive: Path, inside: str) -> None:
    """Unpack the plain files of an archive's folder beside it: all of them, or none.

    Only files directly in that folder are taken, so that no name can lead elsewhere.
    """
    if (archive.parent / inside).exists():
        raise ValueError(
            f"{archive.parent / inside}: lacks files of the data set; {archive.name} would "
            "bring them, but is not unpacked over what is there: move it away"
        )
    partial = archive.with_name(f".{inside}.{uuid4().hex[:8]}.part")
    partial.mkdir()
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                folder, _, name = member.name.removeprefix("./").partition("/")
                content = tar.extractfile(member) if member.isfile() else None
                if folder != inside or content is None or name != Path(name).name:
                    continue
                with content, (partial / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
        os.replace(partial, archive.parent / inside)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise ValueError(
            f"{archive}: cannot be unpacked ({archive.stat().st_size} bytes): {error}"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_batch(path: Path, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images (N, 3, 32, 32) and labels (N,) in a file of either version.

    Raises:
        ValueError: the file does not hold that; names it.
    """
    content = path.read_bytes()
    images, labels = records(path, content) if path.suffix == ".bin" else pickled(path, content)
    if labels.max() >= classes:
        raise ValueError(f"{path}: holds the label {labels.max()}, expected 0 to {classes - 1}")
    return images.reshape(-1, *SHAPE), labels  # (N, 3072) -> (N, 3, 32, 32)


def records(path: Path, content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pixels (N, 3072) and labels (N,) in records of a label and three planes."""
    if not content or len(content) % RECORD:
        raise ValueError(
            f"{path}: {len(content)} bytes found, expected a multiple of {RECORD}, a label and "
            "3 x 32 x 32 pixels for each image"
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, RECORD)  # (bytes,) -> (N, 3073)
    return rows[:, 1:], rows[:, 0]


def pickled(path: Path, content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The pixels (N, 3072) and labels (N,) in a dictionary."""
    try:
        batch: Any = read_pickle(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error} ({len(content)} bytes)") from error
    pixels = batch.get("data") if isinstance(batch, dict) else None
    labels = batch.get("labels") if isinstance(batch, dict) else None
    if (
        not isinstance(pixels, np.ndarray)
        or not isinstance(labels, list)
        or pixels.dtype != np.uint8
        or pixels.shape != (len(labels), RECORD - 1)
        or not labels
        or not all(type(label) is int and 0 <= label < 256 for label in labels)
    ):
        raise ValueError(
            f"{path}: expected a dictionary with 'data', a uint8 array (N, {RECORD - 1}), and "
            "'labels', N whole numbers"
        )
    return pixels, np.array(labels, np.uint8)
