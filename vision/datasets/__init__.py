"""Data sets of images, as in torchvision, and of points in the plane and in space."""

from vision.datasets import generators
from vision.datasets.base import DatasetNotFoundError, VisionDataset, data_root
from vision.datasets.cifar import CIFAR10
from vision.datasets.digits import Digits
from vision.datasets.fake import FakeData
from vision.datasets.folder import ImageFolder
from vision.datasets.idx import read_idx
from vision.datasets.mnist import MNIST, FashionMNIST
from vision.datasets.split import stratified_split
from vision.datasets.svhn import SVHN

__all__ = [
    "CIFAR10",
    "MNIST",
    "SVHN",
    "DatasetNotFoundError",
    "Digits",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "VisionDataset",
    "data_root",
    "generators",
    "read_idx",
    "stratified_split",
]
