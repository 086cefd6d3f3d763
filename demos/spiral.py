"""A small network learns to tell points apart, step by step: ``python -m demos.spiral``.

The boundary between the classes is drawn again and again; all pictures together are an animation.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from nn import functional as F
from nn import optim
from vision.datasets import generators
from vision.visualize import plot_decision_boundary

SHAPES = ("spiral", "moons", "circle", "zone", "line")


def make_network(classes: int) -> nn.Sequential:
    """Points (N, 2) to scores (N, K), over two hidden layers."""
    return nn.Sequential(
        nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, classes)
    )


def frame(model: nn.Module, points: Tensor, labels: Tensor, title: str) -> NDArray[np.uint8]:
    """The boundary as it is now: a picture (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = plot_decision_boundary(model, points, labels, title=title)
    figure.set_dpi(80)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # (H, W, 4) -> (H, W, 3)


def write_animation(frames: Sequence[NDArray[Any]], path: Path) -> None:
    """An animated GIF, whose last picture stays for two seconds."""
    from PIL import Image

    pictures = [Image.fromarray(frame).quantize(64) for frame in frames]
    times = [120] * (len(frames) - 1) + [2000]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=times, loop=0)


def train(args: Namespace) -> None:
    """Learn, draw, and write both."""
    out = prepare_folder(args.out)
    autograd.manual_seed(args.seed)
    points, labels = getattr(generators, args.shape)(args.points, seed=args.seed).tensors
    model = make_network(int(labels.max().item()) + 1)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    shown = set(np.linspace(0, args.epochs, min(args.frames, args.epochs + 1)).round().astype(int))
    frames = []
    for epoch in range(args.epochs + 1):
        scores = model(points)
        loss = F.cross_entropy(scores, labels)
        accuracy = (scores.argmax(dim=1) == labels).float().mean().item()
        if epoch in shown:
            title = f"epoch {epoch}: loss {loss.item():.3f}, {accuracy:.0%} right"
            frames.append(frame(model, points, labels, title))
        if epoch < args.epochs:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    write_animation(frames, out / "boundary.gif")
    plot_decision_boundary(model, points, labels, title=title, path=out / "boundary.png")
    print(f"{args.shape}: {accuracy:.2%} of {len(points)} points right after {args.epochs} epochs")
    print(f"Files in {out}: boundary.gif ({len(frames)} pictures), boundary.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("spiral", "Watch a network learn a boundary in the plane.", epochs=400)
    parser.add_argument("--shape", choices=SHAPES, default="spiral", help="default: spiral")
    parser.add_argument("--points", type=positive_int, default=300, help="default: 300")
    parser.add_argument("--frames", type=positive_int, default=40, help="pictures (default: 40)")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: train(args))


if __name__ == "__main__":
    sys.exit(main())
