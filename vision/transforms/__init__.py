"""Transforms of images, as in torchvision."""

from vision.transforms.affine import RandomAffine, RandomRotation
from vision.transforms.choose import RandomApply, RandomChoice
from vision.transforms.colour import ColorJitter
from vision.transforms.compose import Compose, Lambda
from vision.transforms.convert import Normalize, ToTensor
from vision.transforms.crop import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from vision.transforms.erase import RandomErasing
from vision.transforms.image import ImageTransform, InterpolationMode
from vision.transforms.mix import CutMix, MixUp
from vision.transforms.resize import RandomResizedCrop, Resize

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "CutMix",
    "ImageTransform",
    "InterpolationMode",
    "Lambda",
    "MixUp",
    "Normalize",
    "Pad",
    "RandomAffine",
    "RandomApply",
    "RandomChoice",
    "RandomCrop",
    "RandomErasing",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomVerticalFlip",
    "Resize",
    "ToTensor",
]
