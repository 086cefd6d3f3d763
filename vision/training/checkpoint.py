"""Keeping a training in files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import autograd
from vision.training.callbacks import Callback, Monitor

if TYPE_CHECKING:
    from vision.training.trainer import Trainer

__all__ = ["Checkpoint"]


class Checkpoint(Callback):
    """Save the training after each epoch: ``last.npz`` always, ``best.npz`` after the best one.

    Both are read by `Trainer.load` and by the `resume` of `Trainer.fit`.

    Args:
        folder: where they go; it is made if missing.
        monitor: the entry of the history that decides which epoch is the best.
        mode: ``"min"``, ``"max"``, or ``"auto"``: an accuracy shall grow, everything else shrink.
        best: the name of the file of the best epoch; None for no such file.
        last: the name of the file of the last epoch; None for no such file.

    Raises:
        ValueError: another mode, no file at all, or, in training, no such entry in the history.
    """

    runs_last = True

    def __init__(
        self,
        folder: str | os.PathLike[str],
        monitor: str = "val_loss",
        mode: str = "auto",
        best: str | None = "best.npz",
        last: str | None = "last.npz",
    ) -> None:
        if best is None and last is None:
            raise ValueError("Checkpoint: best and last are both None, nothing would be saved")
        self.folder, self.best, self.last = Path(folder), best, last
        self.monitor = Monitor("Checkpoint", monitor, mode)

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Make the folder, so that a place that cannot be written to shows at once."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Write the files."""
        improved = self.best is not None and self.monitor.improved(row)
        state = trainer.state_dict()
        if self.best is not None and improved:
            autograd.save(state, self.folder / self.best)
        if self.last is not None:
            autograd.save(state, self.folder / self.last)

    def state_dict(self) -> dict[str, Any]:
        """The value of the best epoch."""
        return {"best": self.monitor.best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.monitor.best = state["best"]
