"""Images: data sets, transforms, models, training, metrics and plots, named as in torchvision."""

from vision import datasets, metrics, models, training, transforms

__all__ = ["datasets", "metrics", "models", "training", "transforms"]
