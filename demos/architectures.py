"""Compare networks: parameters, work, time and accuracy: ``python -m demos.architectures``."""

from __future__ import annotations

import csv
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import autograd
import nn
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from demos.zoo import COLOUR_ONLY, MODELS, make_model
from nn import optim
from vision.training import Trainer
from vision.visualize import plot_parameters_against_accuracy

USUAL = "Net,TinyCNN,LeNet5,QuickStartCNN,CNN,SmallInception,SmallResNet"
COLUMNS = ("model", "parameters", "mult_adds", "seconds_an_epoch", "accuracy")


def measure(name: str, args: Namespace, train: Any, test: Any, classes: int) -> dict[str, Any]:
    """Train one network; returns what the table says of it."""
    autograd.manual_seed(args.seed)
    shape = tuple(train[0].shape[1:])
    model = make_model(name, shape, classes)
    summary = nn.summary(model, (1, *shape))
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.002), progress=False)
    start = time.perf_counter()
    trainer.fit(train, epochs=args.epochs, batch_size=64)
    seconds = (time.perf_counter() - start) / args.epochs
    accuracy = trainer.evaluate(test)["accuracy"]
    values = (name, summary.total_params, summary.total_mult_adds, seconds, accuracy)
    return dict(zip(COLUMNS, values, strict=True))


def compare(args: Namespace) -> None:
    """Train all networks, print a table, write it and draw."""
    out = prepare_folder(args.out)
    names = args.models.split(",")
    for name in names:
        if name not in MODELS:
            raise ValueError(f"--models {name}: expected some of {', '.join(MODELS)}")
    data = load(args.dataset)
    if any(name in COLOUR_ONLY for name in names):
        data = data.transformed([], colours=True)
    train, test = stacked(data.train, args.limit), stacked(data.test, args.limit)
    print(f"{'model':<15} {'parameters':>11} {'mult-adds':>12} {'s/epoch':>8} {'accuracy':>9}")
    rows = []
    for name in names:
        rows.append(measure(name, args, train, test, len(data.classes)))
        _, parameters, work, seconds, accuracy = rows[-1].values()
        print(f"{name:<15} {parameters:>11,} {work:>12,} {seconds:>8.2f} {accuracy:>9.2%}")
    with (out / "architectures.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    plot_parameters_against_accuracy(
        [row["parameters"] for row in rows],
        [row["accuracy"] for row in rows],
        names,
        title=f"{data.name}, {len(train[0]):,} images, {args.epochs} epochs",
        path=out / "architectures.png",
    )
    print(f"Files in {out}: architectures.csv, architectures.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("architectures", "Compare networks on the same images.", epochs=3)
    parser.add_argument("--models", default=USUAL, help=f"names with commas (default: {USUAL})")
    parser.add_argument("--dataset", default="auto", help="see demos.train (default: auto)")
    parser.add_argument("--limit", type=positive_int, default=4000, help="images (default: 4000)")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: compare(args))


if __name__ == "__main__":
    sys.exit(main())
