"""A convolutional network beside classical classifiers: ``python -m demos.classical``.

The support vector machine and the random forest are scikit-learn's; all learn the same images.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from demos.zoo import Net
from nn import optim
from vision.metrics import accuracy
from vision.training import Trainer
from vision.visualize.figures import BLUE, INK, finish, new_figure, picture, plain

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


class Result(NamedTuple):
    """What became of one classifier: share of right answers, and seconds."""

    name: str
    accuracy: float
    fit_seconds: float
    predict_seconds: float


class Network:
    """A small network with the two methods that are used here of a scikit-learn classifier."""

    def __init__(self, shape: tuple[int, int, int], classes: int, epochs: int, seed: int) -> None:
        autograd.manual_seed(seed)
        self.model, self.epochs = Net(shape, classes), epochs

    def fit(self, images: Images, labels: Labels) -> None:
        """Learn from images (N, C, H, W)."""
        optimizer = optim.AdamW(self.model.parameters(), lr=0.003)
        trainer = Trainer(self.model, optimizer, progress=False)
        trainer.fit((images, labels), epochs=self.epochs)
        self.trainer = trainer

    def predict(self, images: Images) -> Labels:
        """The label of each image."""
        return self.trainer.predict(images).argmax(dim=1).numpy()


class Flat:
    """A classifier of rows, given images."""

    def __init__(self, classifier: Any) -> None:
        self.classifier = classifier

    def fit(self, images: Images, labels: Labels) -> None:
        """Learn from images (N, C, H, W)."""
        self.classifier.fit(images.reshape(len(images), -1), labels)  # -> (N, C*H*W)

    def predict(self, images: Images) -> Labels:
        """The label of each image."""
        return np.asarray(self.classifier.predict(images.reshape(len(images), -1)))


def judge(name: str, make: Callable[[], Any], train: Any, test: Any) -> Result:
    """Fit one classifier and look at its answers."""
    start = time.perf_counter()
    classifier = make()
    classifier.fit(*train)
    fitted = time.perf_counter()
    answers = classifier.predict(test[0])
    ended = time.perf_counter()
    return Result(name, accuracy(test[1], answers), fitted - start, ended - fitted)


@picture
def draw(results: Sequence[Result], path: Path) -> None:
    """Accuracy and time, a bar for each classifier."""
    figure = new_figure(10.0, 1.4 + 0.45 * len(results))
    names = [result.name for result in results]
    panels = zip(
        figure.subplots(1, 2, sharey=True),
        ("Accuracy on held-out images (%)", "Seconds to learn"),
        ([100 * result.accuracy for result in results], [result.fit_seconds for result in results]),
        strict=True,
    )
    for axes, title, values in panels:
        bars = axes.barh(names, values, color=BLUE)
        axes.bar_label(bars, fmt="%.2f", padding=3, color=INK)
        axes.set_title(title)
        axes.margins(x=0.15)
        plain(axes)
    axes.invert_yaxis()
    finish(figure, path)


def compare(args: Namespace) -> None:
    """Fit all, print a table, and draw."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    out = prepare_folder(args.out)
    data = load(args.dataset)
    train, test = stacked(data.train, args.limit), stacked(data.test, args.limit)
    makers: dict[str, Callable[[], Any]] = {
        "convolutional network": lambda: Network(
            data.shape, len(data.classes), args.epochs, args.seed
        ),
        "support vector machine": lambda: Flat(SVC(C=5.0)),
        "random forest": lambda: Flat(RandomForestClassifier(200, random_state=args.seed)),
        "logistic regression": lambda: Flat(LogisticRegression(max_iter=2000)),
    }
    print(f"{len(train[0]):,} images to learn from, {len(test[0]):,} held out")
    print(f"{'classifier':<24} {'accuracy':>9} {'learning':>10} {'answering':>10}")
    results = []
    for name, make in makers.items():
        results.append(judge(name, make, train, test))
        _, share, fitting, predicting = results[-1]
        print(f"{name:<24} {share:>9.2%} {fitting:>8.2f} s {predicting:>8.2f} s")
    draw(results, out / "classical.png")
    print(f"Files in {out}: classical.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("classical", "A network beside classical classifiers.", epochs=8)
    parser.add_argument("--dataset", default="auto", help="see demos.train (default: auto)")
    parser.add_argument("--limit", type=positive_int, default=5000, help="images (default: 5000)")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: compare(args))


if __name__ == "__main__":
    sys.exit(main())
