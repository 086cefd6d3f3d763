"""Whether a loader keeps a training fed: passes with augmentation beside passes without."""

from __future__ import annotations

from statistics import mean, median
from time import perf_counter
from typing import Any

import numpy as np

import autograd
import nn
from autograd import from_numpy, use_kernels
from demos.benchmark.measure import Figure, Settings, Table
from nn.data import DataLoader, TensorDataset
from vision.datasets import VisionDataset
from vision.models import CNN
from vision.transforms import (
    ColorJitter,
    Compose,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    ToTensor,
)

__all__ = ["loader"]

BATCH, WORKERS = 64, 2
SHAPES = {"digits, 1 x 28 x 28": (1, 28, 28), "photos, 3 x 32 x 32": (3, 32, 32)}


class Noise(VisionDataset):
    """Images of noise in memory, as bytes, with random labels.

    Args:
        count: how many.
        shape: (C, H, W) of an image.
        transform: see `VisionDataset`.
    """

    def __init__(self, count: int, shape: tuple[int, int, int], transform: Any) -> None:
        super().__init__(transform=transform)
        random = np.random.default_rng(0)
        size = (count, *(shape if shape[0] > 1 else shape[1:]))
        self.data = from_numpy(random.integers(0, 256, size, np.uint8))
        self.targets = from_numpy(random.integers(0, 10, count))


def augmentations(side: int) -> dict[str, Any]:
    """What is done to images of a size, by name."""
    simple = [RandomCrop(side, padding=4), RandomHorizontalFlip()]
    turns = RandomAffine(10, (0.1, 0.1), (0.9, 1.1), interpolation="bilinear")
    return {
        "crop, flip": Compose([*simple, ToTensor()]),
        "crop, flip, colours": Compose([*simple, ColorJitter(0.2, 0.2, 0.2), ToTensor()]),
        "turn, shift, scale": Compose([turns, ToTensor()]),
    }


def training_pass(model: nn.Module, optimizer: Any, batches: Any) -> tuple[list[float], ...]:
    """How long each step of a pass waited for its batch, and how long it then took, in seconds."""
    waits: list[float] = []
    steps: list[float] = []
    following = iter(batches)
    while True:
        start = perf_counter()
        batch = next(following, None)
        if batch is None:
            return waits, steps
        images, labels = batch
        begin = perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        waits.append(begin - start)
        steps.append(perf_counter() - begin)


def seconds_a_step(
    model: nn.Module, optimizer: Any, loaders: dict[str, Any], turns: int
) -> dict[str, float]:
    """The mean time waited plus the median time of a step, the loaders taking turns.

    What a loader does beside the steps makes most of them slower, and shows in the median; the
    mean of the steps would add what other programs did to some.
    """
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in loaders}
    for turn in range(turns + 1):
        for name, batches in loaders.items():
            passed = training_pass(model, optimizer, batches)
            if turn:  # the first is to warm up
                for total, values in zip(times[name], passed, strict=True):
                    total += values
    return {name: mean(waits) + median(steps) for name, (waits, steps) in times.items()}


def loader(settings: Settings, batches: int = 20) -> list[Figure]:
    """Milliseconds per training step of the batch-norm CNN, its loader included."""
    autograd.set_num_threads(settings.threads)
    use_kernels(settings.kernels[0])
    workers = [0, WORKERS]
    names = ["in memory", *(f"{count} workers" for count in workers)]
    table = Table("loader", "batch-norm CNN, batch 64, with Adam", "ms", names)
    for kind, shape in SHAPES.items():
        plain = Noise(batches * BATCH, shape, None)
        held = TensorDataset(*next(iter(DataLoader(plain, len(plain)))))
        # One network for all: two of the same may differ in time by where their memory lies.
        autograd.manual_seed(0)
        model = CNN(shape)
        optimizer = nn.optim.Adam(model.parameters())
        for what, transform in augmentations(shape[1]).items():
            changed = Noise(batches * BATCH, shape, transform)
            loaders: list[DataLoader[Any]] = [
                DataLoader(held, BATCH, shuffle=True),
                *(DataLoader(changed, BATCH, shuffle=True, num_workers=n) for n in workers),
            ]
            named = dict(zip(names, loaders, strict=True))
            times = seconds_a_step(model, optimizer, named, settings.turns)
            table.add(f"{kind}: {what}", {name: time * 1e3 for name, time in times.items()})
            growth = times[names[-1]] / times[names[0]] - 1
            print(f"  with {WORKERS} workers {growth:+.1%}", flush=True)
    return table.finish()
