"""A convolutional network beside classical classifiers: ``python -m demos.classical``.

The others are scikit-learn's, and the network becomes one through `Classifier`; all learn the same
images.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from demos.data import load, stacked
from demos.zoo import Net
from nn import optim
from vision.visualize.figures import BLUE, INK, finish, new_figure, picture, plain


class Result(NamedTuple):
    """What became of one classifier: share of right answers, and seconds."""

    name: str
    accuracy: float
    fit_seconds: float
    predict_seconds: float


def judge(name: str, classifier: Any, train: Any, test: Any) -> Result:
    """Fit one classifier and look at its answers."""
    start = time.perf_counter()
    classifier.fit(*train)
    fitted = time.perf_counter()
    share = classifier.score(*test)
    ended = time.perf_counter()
    return Result(name, float(share), fitted - start, ended - fitted)


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

    from vision.training import Classifier

    out = prepare_folder(args.out)
    data = load(args.dataset)
    train, test = (
        (images.reshape(len(images), -1), labels)  # (N, C, H, W) -> (N, C*H*W)
        for images, labels in (stacked(part, args.limit) for part in (data.train, data.test))
    )
    classifiers = {
        "convolutional network": Classifier(
            lambda input_shape, num_classes: Net(input_shape, num_classes),
            input_shape=data.shape,
            optimizer=optim.AdamW,
            lr=0.003,
            max_epochs=args.epochs,
            random_state=args.seed,
        ),
        "support vector machine": SVC(C=5.0),
        "random forest": RandomForestClassifier(200, random_state=args.seed),
        "logistic regression": LogisticRegression(max_iter=2000),
    }
    print(f"{len(train[0]):,} images to learn from, {len(test[0]):,} held out")
    print(f"{'classifier':<24} {'accuracy':>9} {'learning':>10} {'answering':>10}")
    results = []
    for name, classifier in classifiers.items():
        results.append(judge(name, classifier, train, test))
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
