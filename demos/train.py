"""Train a network on handwritten digits or other images: ``python -m demos.train``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from threadpoolctl import threadpool_limits

import autograd
import nn
from demos import options
from demos.command import run_demo
from demos.data import ImageData, size
from demos.options import Settings, Task
from demos.recipes import Recipe
from demos.report import write_report
from demos.zoo import make_model
from nn.data import DataLoader, random_split
from vision.training import Callback, Checkpoint, EarlyStopping, Trainer

EVALUATION_BATCH = 250


class Run(Trainer):
    """A training whose checkpoint says how it was started."""

    def __init__(self, settings: Settings, recipe: Recipe, data: ImageData, out: Path) -> None:
        autograd.manual_seed(settings.seed)
        self.settings, self.data, train = settings, data, data.train
        self.held_out: Any = data.test
        if recipe.validation:
            shares = (1 - recipe.validation, recipe.validation)
            train, self.held_out = random_split(data.train, shares)
        batch = settings.batch_size
        self.loader: DataLoader[Any] = DataLoader(
            train, batch, shuffle=True, drop_last=size(train) % batch == 1 < size(train)
        )
        model = make_model(settings.model, data.shape, len(data.classes))
        optimizer = recipe.make_optimizer(model, settings.lr)
        callbacks: list[Callback] = [
            recipe.make_schedule(optimizer, settings.lr, settings.epochs, len(self.loader)),
            *([EarlyStopping(settings.epochs, "val_accuracy")] if recipe.validation else []),
            Checkpoint(out, best=None, last=options.CHECKPOINT),
            Say(),
        ]
        loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        super().__init__(model, optimizer, loss, callbacks=callbacks)

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on depends on."""
        own = {"settings": asdict(self.settings), "source": self.data.source}
        return {**super().state_dict(), **own}


class Say(Callback):
    """Print how good the network is after each epoch, once that is saved."""

    runs_last = True

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Print it."""
        print("held out: loss {val_loss:.4f}, accuracy {val_accuracy:.2%}".format(**row))


Pictures: TypeAlias = Callable[[Run, Path], list[str]]
"""Draws what only one program draws, and returns the names of the files."""


def train(run: Run, out: Path, resume: bool) -> list[str]:
    """Train until the last epoch, each saved as it ends; then write the results, named here."""
    checkpoint, epochs = out / options.CHECKPOINT, run.settings.epochs
    if resume:
        run.load(checkpoint)
        print(f"Going on after epoch {run.epoch} of {epochs}")
    else:
        run.save(checkpoint)
    loader: DataLoader[Any] = DataLoader(run.held_out, EVALUATION_BATCH)
    try:
        run.fit(run.loader, loader, epochs, resume=checkpoint)
    except RuntimeError as error:
        if "loss is" not in str(error):
            raise
        raise ValueError(f"{error} (--lr)") from error
    scores = run.predict(DataLoader(run.data.test, EVALUATION_BATCH))  # -> (N, K)
    names = write_report(run.model, scores, run.data, run.history, run.settings, out)
    labels = autograd.cat([labels for _, labels in DataLoader(run.data.test, EVALUATION_BATCH)])
    accuracy = (scores.argmax(dim=1) == labels).double().mean().item()
    print(
        f"Accuracy on {len(scores):,} held-out images: {accuracy:.2%} (epoch {epochs} of {epochs})"
    )
    return [options.CHECKPOINT, *names]


def main(
    argv: Sequence[str] | None = None,
    task: Task = options.TRAIN_TASK,
    more: Pictures = lambda run, out: [],
) -> int:
    """Run the command line; returns the exit status."""
    args = options.parse(argv, task)

    def work() -> None:
        settings, recipe, data = options.prepare(args, task)
        run = Run(settings, recipe, data, args.out)
        # The products here are small: waiting for each other costs threads more than they save.
        with threadpool_limits(1, user_api="blas"):
            names = [*train(run, args.out, args.resume), *more(run, args.out)]
        print(f"Files in {args.out}: {', '.join(names)}")

    return run_demo(task.program, work, lambda: options.how_to_resume(args.out, task))


if __name__ == "__main__":
    sys.exit(main())
