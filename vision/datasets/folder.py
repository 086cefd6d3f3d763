"""Images in folders, one for each class."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.data import Dataset
from vision.datasets.base import Transform, indent
from vision.transforms import ToTensor

__all__ = ["ImageFolder"]

ENDINGS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ImageFolder(Dataset[tuple[Any, Any]]):
    """Images in files ``root/CLASS/.../NAME.png``; the classes are the folders, in order of names.

    Item i is a pair (image, label), read when asked for. Without `transform` the image is a float32
    Tensor (3, H, W) in [0, 1]. Images of different sizes make a batch after a `Resize` or crop.

    Args:
        root: the folder.
        transform: makes an image from what `loader` gives: by default a uint8 array (H, W, 3).
        target_transform: makes a label from an int.
        loader: reads a file, of which it is given the path.
        is_valid_file: tells of a path whether it is an image's; by default from its ending.
        allow_empty: whether a class may have no images.

    Attributes:
        classes: the names of the classes.
        class_to_idx: their labels.
        samples: a (path, label) for each image; `imgs` is another name for it.
        targets: the labels.

    Raises:
        FileNotFoundError: there is no such folder, it has no folders in it, or one of these has no
            images.
        ImportError: Pillow is not installed.
        ValueError: from an item whose file is damaged or no image; names it.

    Example:
        >>> data = ImageFolder("photos")     # doctest: +SKIP
        >>> data.classes, len(data)          # doctest: +SKIP
        (('cats', 'dogs'), 200)
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        self.root = Path(root).expanduser()
        self.transform = transform
        self.target_transform = target_transform
        self.loader = read_image if loader is None else loader
        self.classes = class_folders(self.root)
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}
        self.samples = [
            (path, label)
            for label, name in enumerate(self.classes)
            for path in image_files(self.root / name, is_valid_file or has_known_ending)
        ]
        self.imgs = self.samples
        self.targets = [label for _, label in self.samples]
        empty = [name for name in self.classes if self.class_to_idx[name] not in set(self.targets)]
        if empty and (not allow_empty or not self.samples):
            kinds = "that is_valid_file accepts" if is_valid_file else f"({', '.join(ENDINGS)})"
            raise FileNotFoundError(
                f"ImageFolder: found no images {kinds} in {', '.join(empty)} of {self.root}"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        image = self.loader(path)
        return (
            to_tensor(image) if self.transform is None else self.transform(image),
            target if self.target_transform is None else self.target_transform(target),
        )

    def __repr__(self) -> str:
        lines = [f"Number of datapoints: {len(self)}", f"Root location: {self.root}"]
        if self.transform is not None:
            lines.append(f"Transform: {indent(self.transform)}")
        if self.target_transform is not None:
            lines.append(f"Target transform: {indent(self.target_transform)}")
        return "\n    ".join([f"Dataset {type(self).__name__}", *lines])


def class_folders(root: Path) -> tuple[str, ...]:
    """The names of the folders in a folder."""
    if not root.is_dir():
        raise FileNotFoundError(f"ImageFolder: there is no folder {root}")
    names = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    if not names:
        raise FileNotFoundError(
            f"ImageFolder: found no folders in {root}, expected one for each class"
        )
    return tuple(names)


def image_files(folder: Path, is_image: Callable[[str], bool]) -> list[str]:
    """The paths of images in a folder and those below it, in order."""
    paths = (
        os.path.join(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
    )
    return sorted(path for path in paths if is_image(path))


def has_known_ending(path: str) -> bool:
    return path.lower().endswith(ENDINGS)


def read_image(path: str) -> NDArray[np.uint8]:
    """The colours (H, W, 3) of an image in a file.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: the file is damaged or no image; names it.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "ImageFolder: needs Pillow, which is not installed: pip install pillow"
        ) from error
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        size = os.path.getsize(path)
        raise ValueError(f"{path}: not a whole image ({size} bytes): {error}") from error


to_tensor = ToTensor()
