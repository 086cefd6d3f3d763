"""Data sets of images, as in torchvision."""

from vision.datasets.base import DatasetNotFoundError, VisionDataset, data_root
from vision.datasets.digits import Digits
from vision.datasets.idx import read_idx
from vision.datasets.mnist import MNIST

__all__ = [
    "MNIST",
    "DatasetNotFoundError",
    "Digits",
    "VisionDataset",
    "data_root",
    "read_idx",
]
