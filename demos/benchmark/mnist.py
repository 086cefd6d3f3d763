"""Training the MNIST network from start to end: the time of the whole program, and its accuracy.

This module is the program too. It is the same for both libraries but for what it imports:

    python -m demos.benchmark.mnist torch FOLDER --epochs 3
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["train"]

BATCH = 128
RATE = 2e-3


def images_and_labels(folder: Path, name: str, limit: int) -> tuple[Any, Any]:
    """Images (N, 1, 28, 28) of mean 0, and labels (N,), as arrays."""
    with gzip.open(folder / f"{name}-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    images = (pixels[:limit].astype(np.float32) / 255 - 0.1307) / 0.3081
    return images, labels[:limit].astype(np.int64)


def train(library: str, folder: Path, epochs: int, limit: int, threads: int) -> float:
    """Train the network and return its accuracy on the test images.

    Args:
        library: ``"torch"`` or ``"ndgrad"``.
        folder: where the four files of MNIST are.
        epochs: how often each image is learned from.
        limit: how many images to learn from, and to test with, at most.
        threads: that the library may use.
    """
    torch, nn, optim = imported(library)
    from demos.networks import mnist_convnet

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    images, labels = map(torch.from_numpy, images_and_labels(folder, "train", limit))
    model = mnist_convnet(nn)
    optimizer = optim.Adam(model.parameters(), lr=RATE)
    batches = -(-len(images) // BATCH)
    scheduler = optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, epochs=epochs, steps_per_epoch=batches
    )
    for _ in range(epochs):
        for places in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[places]), labels[places]).backward()
            optimizer.step()
            scheduler.step()
    images, labels = map(torch.from_numpy, images_and_labels(folder, "t10k", limit))
    correct = 0
    with torch.no_grad():
        for part, truth in zip(images.split(500), labels.split(500), strict=True):
            correct += int((model(part).argmax(1) == truth).sum())
    return correct / len(images)


def imported(library: str) -> tuple[Any, Any, Any]:
    """The library, its modules and its optimizers."""
    if library == "torch":
        torch = importlib.import_module("torch")
        return torch, torch.nn, torch.optim
    nn = importlib.import_module("nn")
    return importlib.import_module("autograd"), nn, nn.optim


def main() -> None:
    """Run the command line of one training; prints the accuracy last."""
    parser = argparse.ArgumentParser(prog="python -m demos.benchmark.mnist")
    parser.add_argument("library", choices=("torch", "ndgrad"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, default=60_000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(json.dumps(train(**vars(options))))


def run(library: str, kernels: str | None, options: dict[str, Any]) -> float:
    """Train in a process of its own, and return the accuracy."""
    command = [sys.executable, "-m", "demos.benchmark.mnist", library, str(options["folder"])]
    for name in ("epochs", "limit", "threads"):
        command += [f"--{name}", str(options[name])]
    environment = {**os.environ, **({"NDGRAD_KERNELS": kernels} if kernels else {})}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return float(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
