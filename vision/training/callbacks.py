"""What can be hooked into a training: stopping, schedules, clipping."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

from nn.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from nn.utils import clip_grad_norm_, clip_grad_value_

if TYPE_CHECKING:
    from vision.training.trainer import Trainer

__all__ = ["Callback", "EarlyStopping", "GradientClipping", "Monitor", "Schedule"]


class Callback:
    """Base of what a `Trainer` calls: a subclass defines the methods that it needs.

    ``trainer.model``, ``trainer.optimizer``, ``trainer.history`` and ``trainer.epoch`` (how many
    are finished) may be read; ``trainer.stop = True`` ends the training after the epoch. `row` is
    the epoch's line of the history, by name.

    Attributes:
        runs_last: whether it is called after all others at the end of an epoch.
    """

    runs_last = False

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Called before the first epoch."""

    def on_gradients(self, trainer: Trainer) -> None:
        """Called when the gradients are there, before the optimizer's step."""

    def on_step_end(self, trainer: Trainer) -> None:
        """Called after the optimizer's step."""

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Called after each epoch, the history having its line."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """Called after the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""


class Monitor:
    """The best value so far of an entry of the history.

    Args:
        owner: who asks, for errors.
        name: of the entry.
        mode: ``"min"``, ``"max"``, or ``"auto"``: an accuracy shall grow, everything else shrink.
        min_delta: by how much a value must be better to count.

    Raises:
        ValueError: another mode, or a negative `min_delta`.
    """

    def __init__(self, owner: str, name: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("auto", "min", "max"):
            raise ValueError(f"{owner}: mode is 'auto', 'min' or 'max', got {mode!r}")
        if not min_delta >= 0:
            raise ValueError(f"{owner}: min_delta is at least 0, got {min_delta}")
        self.owner, self.name, self.min_delta = owner, name, min_delta
        self.sign = 1.0 if mode == "max" or (mode == "auto" and "accuracy" in name) else -1.0
        self.best = -inf

    def improved(self, row: dict[str, float]) -> bool:
        """Whether the epoch is the best so far; then it is the one to beat.

        Raises:
            ValueError: the history has no such entry.
        """
        value = self.sign * monitored(self.owner, self.name, row)
        if not value > self.best + (self.min_delta if self.best > -inf else 0.0):
            return False
        self.best = value
        return True


def monitored(owner: str, name: str, row: dict[str, float]) -> float:
    """An entry of the history.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in row:
        hint = "; give validation data" if name.startswith("val_") else ""
        raise ValueError(f"{owner}: the history has no {name!r}, only {', '.join(row)}{hint}")
    return row[name]


class EarlyStopping(Callback):
    """End the training when an entry of the history has not got better for some epochs.

    Args:
        patience: how many epochs without a better value end it.
        monitor: the entry.
        mode: ``"min"``, ``"max"``, or ``"auto"``: an accuracy shall grow, everything else shrink.
        min_delta: by how much a value must be better to count.
        restore_best: whether the model gets the weights of the best epoch when training ends.

    Raises:
        ValueError: arguments out of range, or, in training, the history has no such entry.
    """

    def __init__(
        self,
        patience: int = 5,
        monitor: str = "val_loss",
        mode: str = "auto",
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience is at least 1, got {patience}")
        self.monitor = Monitor("EarlyStopping", monitor, mode, min_delta)
        self.patience, self.restore_best = patience, restore_best
        self.waited = 0
        self.best_weights: dict[str, Any] | None = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Give a new training as much patience as the first one."""
        self.waited = 0

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Count the epochs since the best one."""
        if self.monitor.improved(row):
            self.waited = 0
            if self.restore_best:
                state = trainer.model.state_dict()
                self.best_weights = {name: value.clone() for name, value in state.items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop = True

    def on_fit_end(self, trainer: Trainer) -> None:
        """Put the best weights back."""
        if self.best_weights is not None:
            trainer.model.load_state_dict(self.best_weights)

    def state_dict(self) -> dict[str, Any]:
        """The best value, how long ago it was, and its weights."""
        best = {"best": self.monitor.best, "waited": self.waited}
        return {**best, "best_weights": self.best_weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.monitor.best, self.waited = state["best"], state["waited"]
        self.best_weights = state["best_weights"]


class Schedule(Callback):
    """Let a schedule of `nn.optim.lr_scheduler` set the learning rate.

    Args:
        scheduler: made for the trainer's optimizer.
        every: ``"epoch"`` or ``"step"``: when it goes on.
        monitor: the entry of the history that `ReduceLROnPlateau` looks at.

    Raises:
        ValueError: another `every`, or a schedule of another optimizer.
        TypeError: not a schedule.
    """

    def __init__(
        self, scheduler: LRScheduler, every: str = "epoch", monitor: str = "val_loss"
    ) -> None:
        if not isinstance(scheduler, LRScheduler):
            raise TypeError(f"Schedule: expected a scheduler, got {type(scheduler).__name__}")
        if every not in ("epoch", "step"):
            raise ValueError(f"Schedule: every is 'epoch' or 'step', got {every!r}")
        if every == "step" and isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError("Schedule: ReduceLROnPlateau goes on with the epochs, not the steps")
        self.scheduler, self.every, self.monitor = scheduler, every, monitor

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Refuse a schedule that would have no effect."""
        if self.scheduler.optimizer is not trainer.optimizer:
            raise ValueError("Schedule: the scheduler was made for another optimizer")

    def on_step_end(self, trainer: Trainer) -> None:
        """Go on, if with the steps."""
        if self.every == "step":
            self.scheduler.step()

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """Go on, if with the epochs."""
        if isinstance(self.scheduler, ReduceLROnPlateau):
            self.scheduler.step(monitored("Schedule", self.monitor, row))
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """The state of the schedule."""
        return {"scheduler": self.scheduler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.scheduler.load_state_dict(state["scheduler"])


class GradientClipping(Callback):
    """Bound the gradients before each step, by their common norm, their values, or both.

    Args:
        max_norm: the largest norm of all gradients together.
        max_value: the largest absolute value, applied first.

    Raises:
        ValueError: neither is given, or one is not positive.
    """

    def __init__(self, max_norm: float | None = None, max_value: float | None = None) -> None:
        bounds = [bound for bound in (max_norm, max_value) if bound is not None]
        if not bounds or not all(bound > 0 for bound in bounds):
            raise ValueError(
                "GradientClipping: give max_norm, max_value or both, positive; "
                f"got {max_norm} and {max_value}"
            )
        self.max_norm, self.max_value = max_norm, max_value

    def on_gradients(self, trainer: Trainer) -> None:
        """Clip them."""
        if self.max_value is not None:
            clip_grad_value_(trainer.model.parameters(), self.max_value)
        if self.max_norm is not None:
            clip_grad_norm_(trainer.model.parameters(), self.max_norm)
