"""What a network learned of one task helps it with another: ``python -m demos.transfer``.

A network learns MNIST. Then few images of scikit-learn's digits, another hand and a coarser grid,
are learned three ways: from nothing, with a new head on frozen layers, and with all layers free.
Without MNIST the digits 0 to 4 are learned first, then 5 to 9.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import stacked
from nn import optim
from vision.datasets import MNIST, DatasetNotFoundError, Digits
from vision.models import LeNet5, freeze_backbone, replace_head
from vision.training import Trainer
from vision.transforms import Resize
from vision.visualize.figures import BLUE, GREEN, RED, finish, new_figure, picture, plain

Part: TypeAlias = "tuple[NDArray[np.float32], NDArray[np.int64]]"


def tasks(limit: int) -> tuple[Part, Part, Part]:
    """What is learned first, what is to be learned then, and what that is judged by."""
    train, test = stacked(Digits(train=True)), stacked(Digits(train=False))
    try:
        first = stacked(MNIST(train=True, download=True), limit)
    except DatasetNotFoundError as error:
        print(f"Data: the digits 0 to 4, then 5 to 9, because MNIST is not at hand:\n  {error}")
        low, high = train[1] < 5, test[1] >= 5
        parts = (train[0][low], train[1][low]), (train[0][~low], train[1][~low] - 5)
        return *parts, (test[0][high], test[1][high] - 5)
    print(f"Data: {len(first[0]):,} images of MNIST, then scikit-learn's digits")
    # The strokes fill the 8 x 8 pixels, those of MNIST 20 x 20 of 28 x 28.
    train, test = ((enlarged(images), labels) for images, labels in (train, test))
    return first, train, test


def enlarged(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Digits (N, 1, 8, 8) as MNIST has them: (N, 1, 28, 28), 20 x 20 and a border of 4."""
    larger = Resize((20, 20))(autograd.from_numpy(images)).numpy()
    return np.pad(larger, ((0, 0), (0, 0), (4, 4), (4, 4)))


def few_of(part: Part, each: int) -> Part:
    """The first images of each class, so many."""
    images, labels = part
    rows = np.concatenate([np.flatnonzero(labels == k)[:each] for k in np.unique(labels)])
    return images[rows], labels[rows]


def learn(model: nn.Module, part: Part, test: Part | None, epochs: int, lr: float) -> Any:
    """Train the part of a model that is not frozen; returns the history."""
    optimizer = optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    return Trainer(model, optimizer, progress=False).fit(part, test, epochs)


@picture
def draw(curves: dict[str, list[float]], title: str, path: Path) -> None:
    """The accuracy over the epochs for each way."""
    figure = new_figure(7.0, 4.2)
    axes = figure.subplots()
    for (name, shares), colour, style in zip(
        curves.items(), (RED, BLUE, GREEN), ("-", "--", "-."), strict=True
    ):
        axes.plot(
            range(1, len(shares) + 1), [100 * s for s in shares], style, color=colour, label=name
        )
    axes.set(title=title, xlabel="epoch", ylabel="right answers on held-out digits (%)")
    axes.locator_params(axis="x", integer=True)
    plain(axes)
    axes.legend(frameon=False, loc="lower right")
    finish(figure, path)


def transfer(args: Namespace) -> None:
    """Learn the first task once, the second in three ways, and draw."""
    out = prepare_folder(args.out)
    first, second, test = tasks(args.limit)
    shape, classes = first[0].shape[1:], int(first[1].max()) + 1
    autograd.manual_seed(args.seed)
    trained = LeNet5(shape, classes)
    history = learn(trained, first, None, args.first_epochs, 0.002)
    print(f"first task: {history['train_accuracy'][-1]:.2%} of the images learned from are right")
    few, targets = few_of(second, args.each), int(second[1].max()) + 1

    def copied(change: Callable[[nn.Module], nn.Module]) -> nn.Module:
        model = LeNet5(shape, classes)
        model.load_state_dict(trained.state_dict())
        return change(replace_head(model, targets))

    ways = {
        "from nothing": (LeNet5(shape, targets), 0.002),
        "new head, rest frozen": (copied(freeze_backbone), 0.01),
        "new head, all layers free": (copied(lambda model: model), 0.002),
    }
    curves = {}
    for name, (model, lr) in ways.items():
        curves[name] = learn(model, few, test, args.epochs, lr)["val_accuracy"]
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        print(f"{name}: {curves[name][-1]:.2%} of {len(test[0])} right, {count:,} values trained")
    title = f"Learned from {len(few[0])} images, {args.each} of each class"
    draw(curves, title, out / "transfer.png")
    print(f"Files in {out}: transfer.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("transfer", "Use a trained network for another task.", epochs=30)
    add = parser.add_argument
    add("--each", type=positive_int, default=5, help="images of each class (default: 5)")
    add("--limit", type=positive_int, default=10000, help="images of MNIST (default: 10000)")
    add("--first-epochs", type=positive_int, default=3, help="of the first task (default: 3)")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: transfer(args))


if __name__ == "__main__":
    sys.exit(main())
