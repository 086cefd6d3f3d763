"""The files that `demos.train` and `demos.cifar` leave behind."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor
from demos.data import ImageData, short_names, stacked
from demos.options import Settings
from nn import functional as F
from vision.metrics import confusion_matrix
from vision.visualize import (
    plot_class_accuracy,
    plot_confusion_matrix,
    plot_history,
    plot_predictions,
)

__all__ = ["write_report"]

History = Mapping[str, Sequence[float]]


def write_report(
    model: nn.Module,
    scores: Tensor,
    data: ImageData,
    history: History,
    settings: Settings,
    out: Path,
) -> list[str]:
    """All files about a finished training; returns their names.

    Args:
        model: the trained network.
        scores: what it gives for the held-out images, (N, K).
        data: the images.
        history: losses, accuracies and speed of each epoch.
        settings: what the run was asked to do.
        out: the folder.
    """
    images, labels = stacked(data.test)
    classes = short_names(data.classes)
    return [
        *write_weights(model, out),
        *write_history(history, asdict(settings), out),
        *write_plots(history, scores, images, labels, classes, out),
        *write_graph(model, images[:8], labels[:8], out),
    ]


def write_weights(model: nn.Module, out: Path) -> list[str]:
    """The weights, for `autograd.load`; for other programs too where safetensors is installed."""
    names = ["weights.npz"]
    if find_spec("safetensors") is not None:
        names.append("weights.safetensors")
    for name in names:
        autograd.save(model.state_dict(), out / name)
    return names


def write_history(history: History, settings: Mapping[str, Any], out: Path) -> list[str]:
    """Losses, accuracies and speed of each epoch, as JSON with the settings and as CSV."""
    rows = [
        dict(zip(history, values, strict=True)) for values in zip(*history.values(), strict=True)
    ]
    content = json.dumps({"settings": settings, "epochs": rows}, indent=2)
    (out / "history.json").write_text(content + "\n", encoding="utf-8")
    with (out / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history))
        writer.writeheader()
        writer.writerows(rows)
    return ["history.json", "history.csv"]


def write_plots(
    history: History,
    scores: Tensor,
    images: NDArray[np.float32],
    targets: NDArray[np.int64],
    classes: Sequence[str],
    out: Path,
) -> list[str]:
    """Training curves, confusion matrix, accuracies, and answers with the worst mistakes."""
    probabilities = F.softmax(scores, dim=1).numpy()  # (N, K)
    predictions, confidences = probabilities.argmax(1), probabilities.max(1)
    right = np.flatnonzero(predictions == targets)[:16]
    wrong = np.flatnonzero(predictions != targets)
    worst = wrong[np.argsort(-confidences[wrong], kind="stable")][:16]
    shown = np.concatenate([right, worst])
    title = (
        f"{len(right)} right answers, and the {len(worst)} surest of {len(wrong)} mistakes "
        "(answer and its probability)"
    )
    matrix = confusion_matrix(targets, predictions, len(classes))
    names = ["curves.png", "confusion.png", "classes.png", "predictions.png"]
    curves, confusion, accuracies, answers = (out / name for name in names)
    plot_history(history, path=curves)
    plot_confusion_matrix(matrix, classes, path=confusion)
    plot_class_accuracy(matrix, classes, path=accuracies)
    plot_predictions(
        images[shown],
        targets[shown],
        predictions[shown],
        confidences[shown],
        classes,
        title=title,
        path=answers,
    )
    return names


def write_graph(
    model: nn.Module, images: NDArray[np.float32], labels: NDArray[np.int64], out: Path
) -> list[str]:
    """The computation graph of one training step; a picture where Graphviz is installed."""
    model.train()
    loss = F.cross_entropy(model(autograd.from_numpy(images)), autograd.from_numpy(labels))
    graph = autograd.make_dot(loss, params=dict(model.named_parameters()))
    source = out / "graph.dot"
    source.write_text(graph.source, encoding="utf-8")
    pictures = [out / "graph.svg", out / "graph.png"]
    for picture in pictures:
        picture.unlink(missing_ok=True)
    if shutil.which("dot") is None:
        print(
            "Graphviz's program dot, which draws the graph, is missing. Install it (apt install "
            "graphviz, brew install graphviz, or https://graphviz.org/download), then: "
            f"dot -Tsvg {source} -o {pictures[0]}"
        )
        return [source.name]
    for picture in pictures:
        picture.write_bytes(graph.pipe(format=picture.suffix[1:]))
    return [source.name, *(picture.name for picture in pictures)]
