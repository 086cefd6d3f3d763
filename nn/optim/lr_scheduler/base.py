"""What all schedules share: stepping, resuming, saving."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from autograd import Tensor, no_grad
from nn.optim.optimizer import Optimizer


class LRScheduler:
    """Base of all schedules: sets the ``"lr"`` of each group of an optimizer, step by step.

    A subclass defines `get_lr`, which reads ``self.last_epoch``. Call `step` after the optimizer's.

    Args:
        optimizer: whose groups are set, at once to the first learning rate.
        last_epoch: the number of the last epoch that ran, to resume; -1 to begin.

    Raises:
        TypeError: for something that is no optimizer.
        KeyError: when resuming with groups that lack ``"initial_lr"``.
    """

    _initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked_optimizer(self, optimizer)
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", float(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__}: last_epoch is {last_epoch}, but parameter group "
                    f"{index} has no 'initial_lr' to resume from; load the optimizer's state first"
                )
        self.base_lrs: list[float] = [float(g["initial_lr"]) for g in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._steps_before = optimizer._steps
        self._begin()

    def _begin(self) -> None:
        """Set the learning rates of the first epoch."""
        self._step_count = 0
        self._initial = True
        try:
            self.step()
        finally:
            del self._initial

    def get_lr(self) -> Sequence[float]:
        """The learning rate of each group in epoch ``self.last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__}: defines no get_lr()")

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as last set."""
        return self._last_lr

    def step(self) -> None:
        """Go on to the next epoch."""
        if self._step_count == 1:
            self._warn_of_order()
        self._step_count += 1
        self.last_epoch += 1
        self._set(self.get_lr())

    def _warn_of_order(self) -> None:
        counts_steps = type(self.optimizer).step is Optimizer.step
        if counts_steps and self.optimizer._steps == self._steps_before:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), so the first "
                "learning rate is never used; call optimizer.step() first",
                UserWarning,
                stacklevel=3,
            )

    def _restart(self) -> None:
        """Begin anew at epoch 0, whatever the learning rates are now."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            set_option(group, "lr", lr)
        self._rewind()
        self._begin()

    def _rewind(self) -> None:
        self.last_epoch = -1

    def _set(self, lrs: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, lrs, strict=True):
            set_option(group, "lr", lr)
        self._last_lr = current_lrs(self.optimizer)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions, as plain values."""
        return {key: value for key, value in self.__dict__.items() if key not in self._not_saved}

    _not_saved: tuple[str, ...] = ("optimizer", "_steps_before")

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned.

        Raises:
            ValueError: for missing or unknown entries, all named. Nothing has changed then.
        """
        check_keys(self, state_dict, self.state_dict())
        self.__dict__.update(state_dict)


class FactorScheduler(LRScheduler):
    """A schedule that multiplies the current learning rates, so that others may change them too.

    A subclass defines `epoch_factor`, which leads from the last epoch to this one.
    """

    def epoch_factor(self) -> float:
        raise NotImplementedError

    def get_lr(self) -> Sequence[float]:
        factor = self.epoch_factor()
        return [lr * factor for lr in current_lrs(self.optimizer)]


def checked_optimizer(scheduler: LRScheduler, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{type(scheduler).__name__}: optimizer must be an Optimizer, "
            f"got {type(optimizer).__name__}"
        )
    return optimizer


def check_keys(scheduler: LRScheduler, came: dict[str, Any], expected: dict[str, Any]) -> None:
    missing, unknown = sorted(expected.keys() - came.keys()), sorted(came.keys() - expected.keys())
    if missing or unknown:
        raise ValueError(
            f"{type(scheduler).__name__}.load_state_dict: missing {missing}, unknown {unknown}"
        )


def current_lrs(optimizer: Optimizer) -> list[float]:
    return [float(group["lr"]) for group in optimizer.param_groups]


def set_option(group: dict[str, Any], name: str, value: float) -> None:
    """Set an option of a group; a Tensor there is overwritten, for whoever else holds it."""
    if isinstance(group[name], Tensor):
        with no_grad():
            group[name].fill_(value)
    else:
        group[name] = value


def per_group(scheduler: LRScheduler, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value for each group, from one for all or a sequence."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"{type(scheduler).__name__}: {name} has {len(value)} values, "
            f"the optimizer {count} parameter groups"
        )
    return list(value)


def check_positive_int(scheduler: LRScheduler, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"{type(scheduler).__name__}: {name} must be a positive integer, got {value!r}"
        )
