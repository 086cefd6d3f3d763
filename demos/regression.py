"""Fit a polynomial, and a network, to noisy points: ``python -m demos.regression``.

The gradients that fit the coefficients come from the same engine as those of a network.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import autograd
import nn
from autograd import Tensor
from demos.command import demo_parser, positive_int, prepare_folder, run_demo
from nn import functional as F
from nn import optim
from vision.datasets.generators import polynomial
from vision.visualize.figures import BLUE, GREY, INK, RED, finish, new_figure, picture, plain

TRUE = (0.5, -1.0, 0.0, 2.0)


class Polynomial(nn.Module):
    """``c[0] + c[1] x + ... + c[d] x**d`` for x (N, 1)."""

    def __init__(self, degree: int) -> None:
        super().__init__()
        self.coefficients = nn.Parameter(autograd.zeros(degree + 1))

    def forward(self, x: Tensor) -> Tensor:
        powers = x ** autograd.arange(len(self.coefficients))  # (N, 1) -> (N, d + 1)
        return (powers @ self.coefficients).unsqueeze(1)  # (N,) -> (N, 1)


def fit(model: nn.Module, x: Tensor, y: Tensor, epochs: int) -> list[float]:
    """Minimise the mean squared error; returns it for each epoch."""
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@picture
def draw(
    models: dict[str, nn.Module], losses: dict[str, list[float]], x: Tensor, y: Tensor, path: Path
) -> None:
    """The points with the fitted curves, and the error over the epochs."""
    figure = new_figure(10.0, 4.0)
    left, right = figure.subplots(1, 2)
    grid = np.linspace(-1, 1, 200, dtype=np.float32)
    left.scatter(x.numpy(), y.numpy(), s=10, color=GREY, alpha=0.6, label="points")
    truth = sum(c * grid**power for power, c in enumerate(TRUE))
    left.plot(grid, truth, color=INK, linestyle=":", label="true curve")
    for (name, model), colour, style in zip(models.items(), (BLUE, RED), ("-", "--"), strict=True):
        with autograd.no_grad():
            curve = model(autograd.from_numpy(grid[:, None])).numpy()  # (200,) -> (200, 1)
        left.plot(grid, curve, color=colour, linestyle=style, label=name)
        right.plot(range(1, len(losses[name]) + 1), losses[name], style, color=colour, label=name)
    left.set(title="Fit", xlabel="x", ylabel="y")
    right.set(title="Mean squared error", xlabel="epoch", yscale="log")
    for axes in (left, right):
        plain(axes)
        axes.legend(frameon=False)
    finish(figure, path)


def train(args: Namespace) -> None:
    """Fit both, say how well, and draw."""
    out = prepare_folder(args.out)
    autograd.manual_seed(args.seed)
    x, y = polynomial(args.points, TRUE, seed=args.seed).tensors
    models = {
        f"polynomial of degree {args.degree}": Polynomial(args.degree),
        "network": nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1)),
    }
    losses = {name: fit(model, x, y, args.epochs) for name, model in models.items()}
    for name, values in losses.items():
        print(f"{name}: mean squared error {values[0]:.3f} at first, {values[-1]:.4f} at last")
    first = next(iter(models.values()))
    found = ", ".join(f"{c:.2f}" for c in first.coefficients.tolist())
    print(f"coefficients from the constant on: {found}; true: {', '.join(map(str, TRUE))}")
    draw(models, losses, x, y, out / "regression.png")
    print(f"Files in {out}: regression.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = demo_parser("regression", "Fit a polynomial and a network to points.", epochs=1000)
    parser.add_argument("--points", type=positive_int, default=200, help="default: 200")
    parser.add_argument("--degree", type=positive_int, default=3, help="default: 3")
    args = parser.parse_args(argv)
    return run_demo(parser.prog, lambda: train(args))


if __name__ == "__main__":
    sys.exit(main())
