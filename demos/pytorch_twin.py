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
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from demos.networks import batch_norm_cnn, mnist_convnet, perceptron
from vision.visualize.figures import BLUE, INK, RED, finish, new_figure, picture, plain

CHOICES = {"mnist": mnist_convnet, "batchnorm": batch_norm_cnn, "perceptron": perceptron}


class Library(NamedTuple):
    """What the script needs of either library."""

    name: str
    torch: Any
    nn: Any
    optim: Any


class Curves(NamedTuple):
    """Of each epoch: the mean loss, the share of right answers on held-out images, seconds."""

    losses: list[float]
    accuracies: list[float]
    seconds: list[float]


def libraries() -> list[Library]:
    """Ours, and PyTorch where it is installed."""
    found = [Library("ndgrad", autograd, import_module("nn"), import_module("nn.optim"))]
    if find_spec("torch") is None:
        print("PyTorch is not installed: this library runs alone (pip install torch to compare)")
    else:
        torch = import_module("torch")
        torch.set_num_threads(autograd.get_num_threads())
        name = f"PyTorch {torch.__version__.split('+')[0]}"
        found.append(Library(name, torch, torch.nn, torch.optim))
    return found


def train(library: Library, model: Any, data: Any, args: Namespace) -> Curves:
    """The script: written once, run on both."""
    torch, nn = library.torch, library.nn
    images, labels, test_images, test_labels = (torch.from_numpy(array) for array in data)
    optimizer = library.optim.Adam(model.parameters(), lr=0.001)
    order = np.random.default_rng(args.seed)
    curves = Curves([], [], [])
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
        curves.seconds.append(time.perf_counter() - start)
        model.eval()
        with torch.no_grad():
            right = model(test_images).argmax(dim=1) == test_labels
        curves.losses.append(total / len(images))
        curves.accuracies.append(right.float().mean().item())
    return curves


@picture
def draw(results: dict[str, Curves], path: Path) -> None:
    """Loss, accuracy and time of both."""
    figure = new_figure(12.0, 3.8)
    left, middle, right = figure.subplots(1, 3)
    for (name, curves), colour, style in zip(
        results.items(), (BLUE, RED), ("-o", "--s"), strict=False
    ):
        epochs = range(1, len(curves.losses) + 1)
        left.plot(epochs, curves.losses, style, color=colour, markersize=4, label=name)
        shares = [100 * share for share in curves.accuracies]
        middle.plot(epochs, shares, style, color=colour, markersize=4, label=name)
    seconds = [float(np.median(curves.seconds)) for curves in results.values()]
    bars = right.bar(list(results), seconds, color=[BLUE, RED][: len(seconds)], width=0.5)
    right.bar_label(bars, fmt="%.2f", color=INK, padding=2)
    left.set(title="Loss", xlabel="epoch")
    middle.set(title="Accuracy on held-out images (%)", xlabel="epoch")
    right.set(title="Seconds for an epoch (median)")
    right.margins(y=0.12)
    for axes in (left, middle, right):
        plain(axes)
    for axes in (left, middle):
        axes.legend(frameon=False)
        axes.locator_params(axis="x", integer=True)
    finish(figure, path)


def compare(args: Namespace) -> None:
    """Run the script on both, print a table, and draw."""
    out = prepare_folder(args.out)
    data = load(args.dataset)
    if data.shape[0] != 1 or max(data.shape) > 28:
        raise ValueError(
            f"--dataset {args.dataset}: images have shape {data.shape}, expected grey images of at "
            "most 28 x 28 pixels"
        )
    parts: list[Any] = [*stacked(data.train, args.limit), *stacked(data.test, args.limit)]
    for place in (0, 2):  # the networks are made for images of 28 x 28
        border = [(28 - side) // 2 for side in parts[place].shape[2:]]
        parts[place] = np.pad(parts[place], ((0, 0), (0, 0), *((b, b) for b in border)))
    results: dict[str, Curves] = {}
    weights = None
    for library in libraries():
        library.torch.manual_seed(args.seed)
        model = CHOICES[args.network](library.nn)
        if weights is None:
            weights = {name: value.numpy().copy() for name, value in model.state_dict().items()}
        else:
            own = {name: library.torch.as_tensor(value) for name, value in weights.items()}
            model.load_state_dict(own)
        results[library.name] = train(library, model, parts, args)
    print(f"{'':<14} {'seconds an epoch':>17} {'last loss':>10} {'accuracy':>9}")
    for name, (losses, accuracies, seconds) in results.items():
        median = float(np.median(seconds))
        print(f"{name:<14} {median:>17.2f} {losses[-1]:>10.4f} {accuracies[-1]:>9.2%}")
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
