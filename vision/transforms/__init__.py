"""Transforms of images, as in torchvision."""

from vision.transforms.compose import Compose, Lambda
from vision.transforms.convert import Normalize, ToTensor

__all__ = ["Compose", "Lambda", "Normalize", "ToTensor"]
