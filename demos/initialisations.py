"""Compare ways to draw the first weights: ``python -m demos.initialisations``.

A deep network with ReLU learns the same digits from each. What a layer passes on must neither
vanish nor grow from layer to layer; Kaiming's variance of 2 / fan_in is made for that.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from demos.command import demo_parser, positive_float, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from nn import init, optim
from vision.training import Trainer
from vision.visualize.figures import finish, new_figure, picture, plain

SCHEMES: dict[str, Callable[[Tensor], Tensor]] = {
    "zeros": init.zeros_,
    "normal, 0.01": partial(init.normal_, std=0.01),
    "normal, 1": init.normal_,
    "Xavier uniform": init.xavier_uniform_,
    "Xavier normal": init.xavier_normal_,
    "Kaiming uniform": partial(init.kaiming_uniform_, nonlinearity="relu"),
    "Kaiming normal": partial(init.kaiming_normal_, nonlinearity="relu"),
    "orthogonal": partial(init.orthogonal_, gain=init.calculate_gain("relu")),
}
STYLES = ("-", "--", ":", "-.", "-", "--", ":", "-.")


def make_network(inputs: int, classes: int, depth: int, scheme: str) -> nn.Sequential:
    """Images (N, C, H, W) to scores (N, K) over so many hidden layers of 64 values."""
    layers: list[nn.Module] = [nn.Flatten()]
    for _ in range(depth):
        layers += [nn.Linear(inputs, 64), nn.ReLU()]
        inputs = 64
    network = nn.Sequential(*layers, nn.Linear(inputs, classes))
    for layer in network:
        if isinstance(layer, nn.Linear) and layer.bias is not None:
            SCHEMES[scheme](layer.weight)
            init.zeros_(layer.bias)
    return network


def spread(network: nn.Sequential, images: Tensor) -> list[float]:
    """The standard deviation of what each hidden layer passes on."""
    result = []
    with autograd.no_grad():
        for layer in network:
            images = layer(images)
            if isinstance(layer, nn.ReLU):
                result.append(images.std().item())
    return result


@picture
def draw(spreads: dict[str, list[float]], losses: dict[str, list[float]], path: Path) -> None:
    """What the layers pass on before the training, and the loss in it."""
    figure = new_figure(11.0, 4.4)
    left, right = figure.subplots(1, 2)
    for place, name in enumerate(spreads):
        options: dict[str, Any] = {"color": f"C{place}", "linestyle": STYLES[place], "label": name}
        depths = range(1, len(spreads[name]) + 1)
        left.plot(depths, np.maximum(spreads[name], 1e-12), marker="o", markersize=3, **options)
        right.plot(range(1, len(losses[name]) + 1), losses[name], **options)
    left.set(
        title="Spread of the outputs before training (standard deviation)",
        xlabel="hidden layer",
        ylabel="at the bottom: 1e-12 or less",
        yscale="log",
    )
    right.set(title="Loss on the training images", xlabel="epoch", yscale="log")
    for axes in (left, right):
        plain(axes)
        axes.locator_params(axis="x", integer=True)
    figure.legend(*left.get_legend_handles_labels(), loc="outside right center", frameon=False)
    finish(figure, path)


def compare(args: Namespace) -> None:
    """Train a network from each scheme, print a table, and draw."""
    out = prepare_folder(args.out)
    data = load(args.dataset, wanted="digits")
    images, labels = stacked(data.train, args.limit)
    test = stacked(data.test, args.limit)
    spreads, losses = {}, {}
    print(f"{'scheme':<16} {'first spread':>12} {'last spread':>12} {'loss':>8} {'accuracy':>9}")
    for name in SCHEMES:
        autograd.manual_seed(args.seed)
        network = make_network(images[0].size, len(data.classes), args.depth, name)
        spreads[name] = spread(network, autograd.from_numpy(images[:200]))
        optimizer = optim.SGD(network.parameters(), lr=args.lr, momentum=0.9)
        trainer = Trainer(network, optimizer, progress=False)
        try:
            losses[name] = trainer.fit((images, labels), epochs=args.epochs)["train_loss"]
        except RuntimeError:  # the loss is no number any more
            losses[name] = [np.nan] * args.epochs
        with np.errstate(all="ignore"):
            accuracy = trainer.evaluate(test)["accuracy"]
        first, last = spreads[name][0], spreads[name][-1]
        print(f"{name:<16} {first:>12.2g} {last:>12.2g} {losses[name][-1]:>8.3f} {accuracy:>9.2%}")
    draw(spreads, losses, out / "initialisations.png")
    print(f"Files in {out}: initialisations.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("initialisations", "Compare ways to draw the first weights.", epochs=15)
    parser.add_argument("--dataset", default="digits", help="see demos.train (default: digits)")
    parser.add_argument("--limit", type=positive_int, default=1000, help="images (default: 1000)")
    parser.add_argument("--depth", type=positive_int, default=10, help="hidden layers, default: 10")
    parser.add_argument("--lr", type=positive_float, default=0.01, help="default: 0.01")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: compare(args))


if __name__ == "__main__":
    sys.exit(main())
