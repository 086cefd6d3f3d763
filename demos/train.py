"""Train a small convolutional network on handwritten digits: ``python -m demos.train``."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits
from tqdm import tqdm

import autograd
import nn
from autograd import Tensor
from demos import options
from demos.options import Settings
from demos.report import write_report
from nn import functional as F
from nn import optim
from nn.data import DataLoader
from vision.datasets import VisionDataset


class Net(nn.Module):
    """Three convolutions and a linear layer: images (N, 1, H, W) in [0, 1] to scores (N, 10)."""

    def __init__(self, size: int = 28) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=5, stride=2, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 24, kernel_size=3, padding=1),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(24, 48, kernel_size=3, padding=1),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        side = (size + 1) // 2 // 2 // 2
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(0.1), nn.Linear(48 * side * side, 10)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)  # (N, 1, H, W) -> (N, 48, H/8, W/8)
        scores: Tensor = self.classifier(x)  # (N, 48, H/8, W/8) -> (N, 10)
        return scores


class Trainer:
    """A network in training: all that the next epoch depends on."""

    def __init__(self, settings: Settings, train: VisionDataset, test: VisionDataset) -> None:
        autograd.manual_seed(settings.seed)
        self.settings, self.train, self.test = settings, train, test
        self.model = Net(size=train.data.shape[-1])
        self.loader: DataLoader[Any] = DataLoader(
            train, batch_size=settings.batch_size, shuffle=True
        )
        self.optimizer = optim.AdamW(self.model.parameters(), lr=settings.lr)
        self.scheduler = optim.lr_scheduler.OneCycleLR(
            self.optimizer, settings.lr, epochs=settings.epochs, steps_per_epoch=len(self.loader)
        )
        self.history: list[dict[str, float]] = []

    def state_dict(self) -> dict[str, Any]:
        """Everything that `load_state_dict` needs to go on as if nothing had happened."""
        parts = ("model", "optimizer", "scheduler")
        return {
            "settings": asdict(self.settings),
            "source": "digits" if self.train.root is None else str(self.train.root.resolve()),
            "history": self.history,
            "random": autograd.get_rng_state(),
            **{part: getattr(self, part).state_dict() for part in parts},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go back to where `state_dict` was called."""
        for part in ("model", "optimizer", "scheduler"):
            getattr(self, part).load_state_dict(state[part])
        self.history = state["history"]
        autograd.set_rng_state(state["random"])

    def train_epoch(self) -> None:
        """One pass over the training images, then a look at the held-out ones."""
        self.model.train()
        title = f"epoch {len(self.history) + 1}/{self.settings.epochs}"
        loss_sum, correct, seen, start = 0.0, 0, 0, time.perf_counter()
        with tqdm(total=len(self.train), desc=title, unit="img", mininterval=0.5) as bar:
            for images, labels in self.loader:
                self.optimizer.zero_grad()
                scores = self.model(images)
                loss = F.cross_entropy(scores, labels)
                loss.backward()
                self.optimizer.step()
                self.scheduler.step()

                seen += len(labels)
                loss_sum += loss.item() * len(labels)
                correct += int((scores.argmax(dim=1) == labels).sum().item())
                text = f"loss {loss_sum / seen:.4f}, accuracy {correct / seen:.2%}"
                bar.set_postfix_str(text, refresh=False)
                bar.update(len(labels))
        seconds = time.perf_counter() - start
        _, test_loss, test_accuracy = self.evaluate()
        self.history.append(
            {
                "epoch": len(self.history) + 1,
                "train_loss": loss_sum / seen,
                "train_accuracy": correct / seen,
                "test_loss": test_loss,
                "test_accuracy": test_accuracy,
                "seconds": seconds,
                "images_per_second": seen / seconds,
            }
        )

    def evaluate(self) -> tuple[Tensor, float, float]:
        """The scores (N, 10) of the held-out images, and the loss and accuracy they amount to."""
        self.model.eval()
        loader: DataLoader[Any] = DataLoader(self.test, batch_size=250)
        with autograd.no_grad():
            scores = autograd.cat([self.model(images) for images, _ in loader])
        correct = int((scores.argmax(dim=1) == self.test.targets).sum().item())
        return scores, F.cross_entropy(scores, self.test.targets).item(), correct / len(self.test)


def run(trainer: Trainer, out: Path) -> None:
    """Train until the last epoch, each saved as it ends; then write the results."""
    epochs, history = trainer.settings.epochs, trainer.history
    autograd.save(trainer.state_dict(), out / options.CHECKPOINT)
    while len(history) < epochs:
        trainer.train_epoch()
        if not math.isfinite(history[-1]["train_loss"]):
            sys.exit(f"The loss is {history[-1]['train_loss']}: try a smaller --lr")
        autograd.save(trainer.state_dict(), out / options.CHECKPOINT)
        print("held out: loss {test_loss:.4f}, accuracy {test_accuracy:.2%}".format(**history[-1]))
    scores, _, accuracy = trainer.evaluate()
    names = write_report(trainer.model, scores, trainer.test, history, trainer.settings, out)
    print(
        f"Accuracy on {len(scores):,} held-out images: {accuracy:.2%} (epoch {epochs} of {epochs})"
    )
    print(f"Files in {out}: {', '.join([options.CHECKPOINT, *names])}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    args = options.parse(argv)
    try:
        settings, train, test, checkpoint = options.prepare(args)
        trainer = Trainer(settings, train, test)
        if checkpoint:
            trainer.load_state_dict(checkpoint)
            print(f"Going on after epoch {len(trainer.history)} of {settings.epochs}")
        # The products here are small: waiting for each other costs threads more than they save.
        with threadpool_limits(1, user_api="blas"):
            run(trainer, args.out)
    except KeyboardInterrupt:
        print(f"\nStopped. {options.how_to_resume(args.out)}")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
