"""Schedules made of other schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from nn.optim.lr_scheduler.base import (
    LRScheduler,
    check_keys,
    checked_optimizer,
    current_lrs,
    set_option,
)
from nn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from nn.optim.optimizer import Optimizer


class _Combination(LRScheduler):
    """Holds schedules of one optimizer, and saves their states inside its own."""

    _not_saved = (*LRScheduler._not_saved, "_schedulers")

    def _hold(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if not schedulers:
            raise ValueError(f"{name}: needs at least one scheduler, got none")
        for index, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"{name}: scheduler {index} must be a LRScheduler, "
                    f"got {type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{name}: scheduler {index} is a ReduceLROnPlateau, whose step needs a metric; "
                    "step it on its own"
                )
        self.optimizer = checked_optimizer(self, optimizer or schedulers[0].optimizer)
        for index, scheduler in enumerate(schedulers):
            if scheduler.optimizer is not self.optimizer:
                raise ValueError(f"{name}: scheduler {index} belongs to another optimizer")
        self._schedulers = list(schedulers)

    def _reset_lrs(self) -> None:
        for group in self.optimizer.param_groups:
            set_option(group, "lr", group["initial_lr"])

    def _rewind(self) -> None:
        for scheduler in self._schedulers:
            scheduler._rewind()

    def _restart(self) -> None:
        self._reset_lrs()
        self._rewind()
        self._begin()

    def state_dict(self) -> dict[str, Any]:
        """Plain values, and the states of the schedules in it."""
        states = [scheduler.state_dict() for scheduler in self._schedulers]
        return {**super().state_dict(), "_schedulers": states}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        check_keys(self, state_dict, self.state_dict())
        states = state_dict["_schedulers"]
        if len(states) != len(self._schedulers):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: {len(states)} schedulers saved, "
                f"{len(self._schedulers)} expected"
            )
        for scheduler, state in zip(self._schedulers, states, strict=True):
            scheduler.load_state_dict(state)
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "_schedulers"})


class SequentialLR(_Combination):
    """Follow one schedule after another; each begins at its milestone (a number of epochs).

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> from nn.optim.lr_scheduler import ConstantLR, ExponentialLR
        >>> warmup = ConstantLR(optimizer, factor=0.5, total_iters=2)
        >>> fall = ExponentialLR(optimizer, gamma=0.25)
        >>> scheduler = SequentialLR(optimizer, [warmup, fall], milestones=[2])
        >>> lrs = []
        >>> for epoch in range(4):
        ...     optimizer.step()
        ...     lrs += scheduler.get_last_lr()
        ...     scheduler.step()
        >>> lrs
        [0.5, 0.5, 1.0, 0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._hold(schedulers, checked_optimizer(self, optimizer))
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedulers need {len(schedulers) - 1} "
                f"milestones, got {len(milestones)}"
            )
        if any(late <= early for early, late in pairwise(milestones)):
            raise ValueError(f"SequentialLR: milestones must rise, got {list(milestones)}")
        self._milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        # Each schedule set its own first learning rate when it was made; only one is to do so now.
        self._reset_lrs()
        for scheduler in simple_schedulers(self._schedulers):
            scheduler.last_epoch -= 1
        self._begin()

    def _begin(self) -> None:
        first = self._schedulers[bisect_right(self._milestones, 0)]
        first._begin()
        self._last_lr = first.get_last_lr()

    def _rewind(self) -> None:
        super()._rewind()
        self.last_epoch = 0

    def step(self) -> None:
        """Go on to the next epoch."""
        self.last_epoch += 1
        index = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[index]
        if index > 0 and self._milestones[index - 1] == self.last_epoch:
            scheduler._restart()
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Combination):
    """Apply several schedules at once: each goes on from what the one before it has set.

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> from nn.optim.lr_scheduler import ConstantLR, ExponentialLR
        >>> parts = [ConstantLR(optimizer, factor=0.5), ExponentialLR(optimizer, gamma=0.5)]
        >>> scheduler = ChainedScheduler(parts)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self._hold(schedulers, optimizer)
        self._last_lr = current_lrs(self.optimizer)

    def _begin(self) -> None:
        for scheduler in self._schedulers:
            scheduler._begin()
        self._last_lr = current_lrs(self.optimizer)

    def step(self) -> None:
        """Go on to the next epoch."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = current_lrs(self.optimizer)


def simple_schedulers(schedulers: Sequence[LRScheduler]) -> Iterator[LRScheduler]:
    """The schedules in any depth that are not made of others."""
    for scheduler in schedulers:
        if isinstance(scheduler, _Combination):
            yield from simple_schedulers(scheduler._schedulers)
        else:
            yield scheduler
