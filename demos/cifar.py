"""Train a network on CIFAR-10: ``python -m demos.cifar``, or with ``--recipe best``.

The first recipe is a network of 545,098 parameters and a weight decay that keeps it from learning
40,000 unchanged images by heart; 10,000 others choose the epoch. The best one has batch norm,
residual connections, shifted and mirrored images. In both the learning rate rises and falls.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import autograd
import nn
from demos import train
from demos.data import short_names, stacked
from demos.options import CIFAR_TASK
from vision.visualize import plot_activations, plot_filters, plot_images


def pictures(run: train.Run, out: Path) -> list[str]:
    """Sample images, the filters of the first two convolutions, and one image on its way."""
    images, labels = stacked(run.data.test, 32)
    plot_images(
        images,
        labels,
        short_names(run.data.classes),
        title="Held-out images",
        path=out / "images.png",
    )
    names = ["images.png"]
    convolutions = [m for m in run.model.modules() if isinstance(m, nn.Conv2d)]
    for place, layer in enumerate(convolutions[:2], start=1):
        names.append(f"filters{place}.png")
        plot_filters(layer, path=out / names[-1])
    names.append("activations.png")
    plot_activations(run.model, autograd.from_numpy(images[0]), path=out / names[-1])
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return train.main(argv, CIFAR_TASK, pictures)


if __name__ == "__main__":
    sys.exit(main())
