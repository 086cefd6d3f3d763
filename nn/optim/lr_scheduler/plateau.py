"""The schedule that waits for a metric to stop improving."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Literal, SupportsFloat

from nn.optim.lr_scheduler.base import (
    LRScheduler,
    checked_optimizer,
    current_lrs,
    per_group,
    set_option,
)
from nn.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rate by ``factor`` when a metric has stopped improving.

    Args:
        optimizer: see `LRScheduler`.
        mode: whether a "min" or a "max" of the metric is better.
        factor: below 1.
        patience: how many epochs without improvement are let pass.
        threshold: how much better counts as better.
        threshold_mode: "rel": by this part of the best value; "abs": by this much.
        cooldown: for how many epochs after a reduction none are counted.
        min_lr: where the learning rate stops, one for all groups or one for each.
        eps: smaller reductions are left out.

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        >>> for loss in (3.0, 2.0, 2.0, 2.0):
        ...     scheduler.step(loss)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        self.optimizer = checked_optimizer(self, optimizer)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs', got {threshold_mode!r}"
            )
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.threshold_mode = threshold_mode
        self.cooldown = cooldown
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr
        self.min_lrs = per_group(self, "min_lr", min_lr, optimizer)
        self.eps = eps
        self.best = inf if mode == "min" else -inf
        self.cooldown_counter = 0
        self.num_bad_epochs = 0
        self.last_epoch = 0
        self._last_lr = current_lrs(optimizer)

    def step(  # type: ignore[override]  # needs a metric, as in PyTorch
        self, metrics: SupportsFloat
    ) -> None:
        """Go on to the next epoch, with the metric of the last one."""
        current = float(metrics)
        self.last_epoch += 1
        if self._is_better(current):
            self.best = current
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = current_lrs(self.optimizer)

    def _is_better(self, current: float) -> bool:
        better = 1.0 if self.mode == "max" else -1.0
        if self.threshold_mode == "rel":
            bound = self.best * (1.0 + better * self.threshold)
        else:
            bound = self.best + better * self.threshold
        return current > bound if self.mode == "max" else current < bound

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: min_lr has {len(self.min_lrs)} values, the optimizer "
                    f"{len(groups)} parameter groups now; set min_lrs when groups are added"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, old, lowest in zip(
            groups, current_lrs(self.optimizer), self.min_lrs, strict=True
        ):
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_option(group, "lr", new)
