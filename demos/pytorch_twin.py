"""The same script on this library and on PyTorch, side by side: ``python -m demos.pytorch_twin``.

Both begin with the same weights and see the same images in the same order, so that the curves lie
on each other, but for what dropout draws in ``--network batchnorm``; the time is what differs.
Without PyTorch this library runs alone.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

import numpy as np

import autograd
import nn
from demos.benchmark.measure import torch_if_installed
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from demos.networks import batch_norm_cnn, mnist_convnet, perceptron
from vision.visualize.figures import BLUE, RED, finish, new_figure, picture, plain

CHOICES = {"mnist": mnist_convnet, "batchnorm": batch_norm_cnn, "perceptron": perceptron}
PANELS = {
    "loss": "Loss on the training images",
    "accuracy": "Accuracy on held-out images (%)",
    "seconds": "Seconds for the epoch",
}
Curves: TypeAlias = dict[str, list[float]]  # a number for each epoch, under the names of PANELS


def libraries() -> dict[str, tuple[Any, Any, Any]]:
    """Ours, and PyTorch where it is installed: ``torch``, ``torch.nn`` and ``torch.optim``."""
    found: dict[str, tuple[Any, Any, Any]] = {"ndgrad": (autograd, nn, nn.optim)}
    torch: Any = torch_if_installed(autograd.get_num_threads())
    if torch is None:
        print("PyTorch is not installed: this library runs alone (pip install torch to compare)")
    else:
        found[f"PyTorch {torch.__version__.split('+')[0]}"] = torch, torch.nn, torch.optim
    return found


def train(torch: Any, nn: Any, optim: Any, model: Any, data: Any, args: Namespace) -> Curves:
    """The script: written once, run on both."""
    images, labels, test_images, test_labels = (torch.from_numpy(array) for array in data)
    optimizer = optim.Adam(model.parameters(), lr=0.001)
    order = np.random.default_rng(args.seed)
    curves: Curves = {name: [] for name in PANELS}
    for _ in range(args.epochs):
        total, start = 0.0, time.perf_counter()
        model.train()
        batches = -(-len(images) // args.batch_size)
        for rows in np.array_split(order.permutation(len(images)), batches):
            chosen = torch.from_numpy(rows)
            loss = nn.functional.cross_entropy(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        curves["seconds"].append(time.perf_counter() - start)
        model.eval()
        with torch.no_grad():
            right = model(test_images).argmax(dim=1) == test_labels
        curves["loss"].append(total / len(images))
        curves["accuracy"].append(100 * right.float().mean().item())
    return curves


@picture
def draw(results: dict[str, Curves], path: Path) -> None:
    """Loss, accuracy and time of both."""
    figure = new_figure(12.0, 3.8)
    for axes, (key, title) in zip(figure.subplots(1, 3), PANELS.items(), strict=True):
        for (name, curves), colour, style in zip(
            results.items(), (BLUE, RED), ("-o", "--s"), strict=False
        ):
            epochs = range(1, len(curves[key]) + 1)
            axes.plot(epochs, curves[key], style, color=colour, markersize=4, label=name)
        axes.set(title=title, xlabel="epoch")
        axes.locator_params(axis="x", integer=True)
        axes.legend(frameon=False)
        plain(axes)
    axes.set_ylim(bottom=0)
    finish(figure, path)


def compare(args: Namespace) -> None:
    """Run the script on both, print a table, and draw."""
    out = prepare_folder(args.out)
    data = load(args.dataset).framed(28)  # what the networks are made for
    parts = [*stacked(data.train, args.limit), *stacked(data.test, args.limit)]
    autograd.manual_seed(args.seed)
    first = CHOICES[args.network](nn).state_dict()
    results = {}
    for name, (torch, modules, optim) in libraries().items():
        torch.manual_seed(args.seed)
        model = CHOICES[args.network](modules)
        model.load_state_dict({key: torch.tensor(value.numpy()) for key, value in first.items()})
        results[name] = train(torch, modules, optim, model, parts, args)
    print(f"{'':<14} {'seconds an epoch':>17} {'last loss':>10} {'accuracy':>9}")
    for name, curves in results.items():
        seconds, loss, share = median(curves["seconds"]), curves["loss"][-1], curves["accuracy"][-1]
        print(f"{name:<14} {seconds:>17.2f} {loss:>10.4f} {share:>8.2f}%")
    draw(results, out / "twin.png")
    print(f"Files in {out}: twin.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("pytorch_twin", "The same training here and in PyTorch.", epochs=5)
    parser.add_argument("--dataset", default="auto", help="grey images (default: auto, MNIST)")
    parser.add_argument("--network", choices=list(CHOICES), default="mnist", help="default: mnist")
    parser.add_argument("--limit", type=positive_int, default=5000, help="images (default: 5000)")
    parser.add_argument("--batch-size", type=positive_int, default=32, help="default: 32")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: compare(args))


if __name__ == "__main__":
    sys.exit(main())
