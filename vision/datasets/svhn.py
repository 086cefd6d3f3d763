"""SVHN: house numbers, digit by digit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

__all__ = ["SVHN"]


class SVHN(VisionDataset):
    """The Street View House Numbers: colour images of digits, 32 x 32 pixels.

    73,257 images to learn from ("train"), 26,032 to test ("test") and 531,131 easier ones
    ("extra"). The files ``train_32x32.mat`` ... may be in `root`, or in ``SVHN`` or ``svhn`` below
    it. Items and transforms are described at `VisionDataset`; `data` has the shape (N, 3, 32, 32).

    Args:
        root: the folder; where left out, the environment variable ``NDGRAD_DATA`` or the user's
            cache folder (see `data_root`).
        split: "train", "test" or "extra".
        transform: makes an image from a uint8 array (32, 32, 3).
        target_transform: makes a label from an int.
        download: whether to fetch the file if it is not there (182, 64 and 1,330 MB).
        subset_size: how many images to keep: a fixed choice of them (see `VisionDataset.keep`).

    Raises:
        DatasetNotFoundError: the file is not there and could not be, or was not to be, fetched.
        ImportError: SciPy, which reads the files, is not installed.
        ValueError: another split; the file is damaged or holds something else, and is left as it
            is; or there are fewer images than `subset_size`.

    Source: Y. Netzer et al., Reading digits in natural images with unsupervised feature learning,
    NIPS workshop on deep learning, 2011.

    Example:
        >>> data = SVHN(split="test", download=True)  # doctest: +SKIP
        >>> tuple(data[0][0].shape)                   # doctest: +SKIP
        (3, 32, 32)
    """

    mirrors: tuple[str, ...] = (
        "http://ufldl.stanford.edu/housenumbers/",
        "https://ufldl.stanford.edu/housenumbers/",
    )
    checksums: Mapping[str, str] = {  # SHA-256
        "train": "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        "test": "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        "extra": "a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3",
    }
    classes = tuple("0123456789")

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        split: str = "train",
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
        *,
        subset_size: int | None = None,
    ) -> None:
        if split not in self.checksums:
            raise ValueError(
                f"SVHN: split must be one of {', '.join(self.checksums)}, got {split!r}"
            )
        where = data_root() if root is None else root
        super().__init__(where, split != "test", transform, target_transform)
        self.split = split
        path = self._find() or (self._fetch() if download else None)
        if path is None:
            raise DatasetNotFoundError(self._missing("call with download=True to fetch it"))
        with damage_explained():
            images, labels = read_mat(path)
        self.data = from_numpy(images)
        self.targets = from_numpy(labels)
        self.keep(subset_size)

    def _name(self) -> str:
        return f"{self.split}_32x32.mat"

    def _folders(self) -> list[Path]:
        """Where the file may be, in the order of the search."""
        assert self.root is not None
        return [self.root, self.root / "SVHN", self.root / "svhn"]

    def _find(self) -> Path | None:
        paths = (folder / self._name() for folder in self._folders())
        return next((path for path in paths if path.is_file()), None)

    def _fetch(self) -> Path:
        """The file, from the first of the mirrors that gives it."""
        assert self.root is not None
        folder, name = self.root / "SVHN", self._name()
        urls = [f"{mirror}{name}" for mirror in self.mirrors]
        try:
            return fetch_file(urls, folder / name, self.checksums[self.split])
        except OSError as error:
            how = (
                f"fetching failed ({error}). Try again with a network, or bring it "
                f"from {self.mirrors[0]} into {folder} by other means"
            )
            raise DatasetNotFoundError(self._missing(how)) from error

    def _missing(self, how: str) -> str:
        folders = ", ".join(map(str, self._folders()))
        return f"SVHN: found no {self._name()}; searched {folders}; {how}"


def read_mat(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (N, 3, 32, 32) and labels (N,) in a MATLAB file; the label 10 is the digit 0.

    Raises:
        ImportError: SciPy is not installed.
        ValueError: the file does not hold that; names it.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise ImportError("SVHN: needs SciPy, which is not installed: pip install scipy") from error
    try:
        found: dict[str, Any] = loadmat(path, variable_names=["X", "y"])
    except Exception as error:  # SciPy's reader raises whatever damaged bytes make it stumble over
        size = path.stat().st_size
        raise ValueError(f"{path}: not a whole MATLAB file ({size} bytes): {error}") from error
    images, labels = np.asarray(found.get("X")), np.asarray(found.get("y")).reshape(-1)
    if images.ndim != 4 or images.shape[:3] != (32, 32, 3) or images.dtype != np.uint8:
        raise ValueError(
            f"{path}: X is {images.dtype} of shape {images.shape}, expected uint8 (32, 32, 3, N)"
        )
    if len(labels) != images.shape[3] or not len(labels) or labels.dtype.kind not in "iuf":
        raise ValueError(
            f"{path}: y holds {len(labels)} labels of {labels.dtype}, expected {images.shape[3]} "
            "numbers, one for each image in X"
        )
    if not 0 <= labels.min() <= labels.max() <= 10:
        raise ValueError(
            f"{path}: holds labels from {labels.min()} to {labels.max()}, expected 1 to 10"
        )
    # (32, 32, 3, N) -> (N, 3, 32, 32)
    return np.ascontiguousarray(images.transpose(3, 2, 0, 1)), labels.astype(np.int64) % 10
