"""How large the gradients of each parameter are while a model learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vision.training.callbacks import Callback

if TYPE_CHECKING:
    from vision.training.trainer import Trainer

__all__ = ["GradientFlow"]


class GradientFlow(Callback):
    """Record the mean and the largest absolute value of each parameter's gradient.

    It sees the gradients as the callbacks before it leave them: clipped if it stands after
    `GradientClipping`.

    Args:
        every: after how many steps to record; None for once an epoch, the mean of the steps' means
            and the largest of their largest values.

    Attributes:
        records: lists of equal length by name: ``epoch`` (which, from 1), ``step`` (the number of
            the last step in it), ``parameter``, ``mean``, ``max``; a row for each parameter each
            time. ``pandas.DataFrame(flow.records)`` is a table.

    Raises:
        ValueError: `every` is below 1.

    Example:
        >>> import nn
        >>> from vision.datasets import Digits
        >>> from vision.training import GradientFlow, Trainer
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        >>> flow = GradientFlow()
        >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        >>> trainer = Trainer(model, optimizer, callbacks=[flow], progress=False)
        >>> _ = trainer.fit(Digits(), epochs=1, batch_size=100)
        >>> flow.records["parameter"], flow.records["step"]
        (['1.weight', '1.bias'], [15, 15])
    """

    def __init__(self, every: int | None = None) -> None:
        if every is not None and every < 1:
            raise ValueError(f"GradientFlow: every is at least 1 or None, got {every}")
        self.every = every
        self.records: dict[str, list[Any]] = {
            name: [] for name in ("epoch", "step", "parameter", "mean", "max")
        }
        self._step = 0
        self._sums: dict[str, tuple[float, float, int]] = {}

    def latest(self) -> dict[str, tuple[float, float]]:
        """The mean and the largest absolute gradient by parameter, as recorded last."""
        columns = (self.records[name] for name in ("step", "parameter", "mean", "max"))
        rows = list(zip(*columns, strict=True))
        return {name: (mean, top) for step, name, mean, top in rows if step == rows[-1][0]}

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Forget an epoch that was broken off."""
        self._sums.clear()

    def on_gradients(self, trainer: Trainer) -> None:
        """Look at the gradients."""
        self._step += 1
        if self.every is not None and self._step % self.every:
            return
        for name, parameter in trainer.model.named_parameters():
            if parameter.grad is not None:
                sizes = np.abs(parameter.grad.array)
                mean, top, count = self._sums.get(name, (0.0, 0.0, 0))
                largest = max(top, float(sizes.max(initial=0.0)))
                self._sums[name] = (mean + float(sizes.mean()), largest, count + 1)
        if self.every is not None:
            self._record(trainer.epoch + 1)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Record the epoch."""
        if self.every is None:
            self._record(trainer.epoch)

    def _record(self, epoch: int) -> None:
        for name, (total, top, count) in self._sums.items():
            values = {"epoch": epoch, "step": self._step, "parameter": name}
            for key, value in (values | {"mean": total / count, "max": top}).items():
                self.records[key].append(value)
        self._sums.clear()

    def state_dict(self) -> dict[str, Any]:
        """The records so far."""
        return {"records": self.records, "step": self._step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.records = {name: list(values) for name, values in state["records"].items()}
        self._step = state["step"]
