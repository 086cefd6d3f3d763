"""Images: data sets, transforms, models, training, metrics, pictures and interpretation.

Names are torchvision's where it has them.
"""

from vision import datasets, interpret, metrics, models, training, transforms, visualize

__all__ = [
    "datasets",
    "interpret",
    "metrics",
    "models",
    "training",
    "transforms",
    "visualize",
]
