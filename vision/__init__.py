"""Images: data sets, transforms and plots, named as in torchvision."""

from vision import datasets, transforms

__all__ = ["datasets", "transforms"]
