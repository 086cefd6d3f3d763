"""The files that `demos.train` leaves behind."""

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
from sklearn.metrics import confusion_matrix

import autograd
import nn
from autograd import Tensor
from demos.options import Settings
from nn import functional as F
from nn.data import DataLoader
from vision.datasets import VisionDataset
from vision.visualize import plot_confusion_matrix, plot_history, plot_predictions

__all__ = ["write_report"]

History = Sequence[Mapping[str, float]]


def write_report(
    model: nn.Module,
    scores: Tensor,
    data: VisionDataset,
    history: History,
    settings: Settings,
    out: Path,
) -> list[str]:
    """All files about a finished training; returns their names.

    Args:
        model: the trained network.
        scores: what it gives for the held-out images, (N, 10).
        data: the held-out images.
        history: losses, accuracies and speed of each epoch.
        settings: what the run was asked to do.
        out: the folder.
    """
    images, labels = next(iter(DataLoader[Any](data, batch_size=settings.batch_size)))
    return [
        *write_weights(model, out),
        *write_history(history, asdict(settings), out),
        *write_plots(history, scores, data, out),
        *write_graph(model, images, labels, out),
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
    content = json.dumps({"settings": settings, "epochs": history}, indent=2)
    (out / "history.json").write_text(content + "\n", encoding="utf-8")
    with (out / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    return ["history.json", "history.csv"]


def write_plots(history: History, scores: Tensor, data: VisionDataset, out: Path) -> list[str]:
    """Training curves, confusion matrix, and sample predictions with the worst mistakes."""
    digits = [str(label) for label in range(len(data.classes))]
    probabilities = F.softmax(scores, dim=1).numpy()  # (N, 10)
    targets, predictions = data.targets.numpy(), probabilities.argmax(1)
    confidences = probabilities.max(1)

    right = np.flatnonzero(predictions == targets)[:16]
    wrong = np.flatnonzero(predictions != targets)
    worst = wrong[np.argsort(-confidences[wrong], kind="stable")][:16]
    shown = np.concatenate([right, worst])
    title = (
        f"{len(right)} right answers, and the {len(worst)} surest of {len(wrong)} mistakes "
        "(predicted digit, its probability)"
    )
    figures = {
        "curves.png": plot_history(history),
        "confusion.png": plot_confusion_matrix(
            confusion_matrix(targets, predictions, labels=range(len(digits))), digits
        ),
        "predictions.png": plot_predictions(
            data.data.numpy()[shown],
            targets[shown].tolist(),
            predictions[shown].tolist(),
            confidences[shown].tolist(),
            digits,
            title=title,
        ),
    }
    for name, figure in figures.items():
        figure.savefig(out / name)
    return list(figures)


def write_graph(model: nn.Module, images: Tensor, labels: Tensor, out: Path) -> list[str]:
    """The computation graph of one training step; a picture where Graphviz is installed."""
    model.train()
    loss = F.cross_entropy(model(images), labels)
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
