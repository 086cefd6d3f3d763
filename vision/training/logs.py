"""What a training tells in files: a table, and events for TensorBoard."""

from __future__ import annotations

import csv
import os
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vision.training.callbacks import Callback

if TYPE_CHECKING:
    from vision.training.trainer import Trainer

__all__ = ["CSVLog", "TensorBoard"]


class CSVLog(Callback):
    """Write the history to a CSV file after each epoch; the file is always whole.

    Args:
        path: of the file; missing folders are made.
    """

    runs_last = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Write the history."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f".{self.path.name}.{uuid4().hex[:8]}.part")
        try:
            with part.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(trainer.history)
                writer.writerows(zip(*trainer.history.values(), strict=True))
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)


class TensorBoard(Callback):
    """Write the history as events that TensorBoard shows: ``tensorboard --logdir FOLDER``.

    ``train_loss`` and ``val_loss`` come into one chart, as ``loss/train`` and ``loss/val``, so do
    those of the accuracy; the learning rate and the speed into charts of their own. The step is
    the number of the epoch.

    Args:
        folder: where the event files go; it is made if missing. A training that goes on adds a
            file.
        histograms: whether to write the distribution of each parameter, too.

    Raises:
        ImportError: tensorboardX, which writes the files, is not installed.

    Example:
        >>> from vision.training import TensorBoard
        >>> callbacks = [TensorBoard("runs/first")]    # doctest: +SKIP
    """

    runs_last = True

    def __init__(self, folder: str | os.PathLike[str], *, histograms: bool = False) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "TensorBoard: needs tensorboardX, which is not installed: pip install tensorboardX"
            ) from error
        self.folder, self.histograms = Path(folder), histograms
        self._new_writer = SummaryWriter
        self._writer: Any = None

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Write the epoch's values."""
        if self._writer is None:
            # Without a suffix, a file of the same second would be overwritten.
            suffix = f".{uuid4().hex[:8]}"
            self._writer = self._new_writer(str(self.folder), filename_suffix=suffix)
        for name, value in row.items():
            if name != "epoch" and isfinite(value):
                part, _, rest = name.partition("_")
                tag = f"{rest}/{part}" if part in ("train", "val") else name
                self._writer.add_scalar(tag, value, trainer.epoch)
        if self.histograms:
            for name, parameter in trainer.model.named_parameters():
                values = parameter.array.ravel()  # (d0, d1, ...) -> (size,)
                self._writer.add_histogram(name, values, trainer.epoch)
        self._writer.flush()

    def on_fit_end(self, trainer: Trainer) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
