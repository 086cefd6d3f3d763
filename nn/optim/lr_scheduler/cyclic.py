"""The schedule that raises and lowers the learning rate again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor
from typing import Any, Literal

from nn.optim.lr_scheduler.base import (
    LRScheduler,
    check_keys,
    check_positive_int,
    checked_optimizer,
    per_group,
    set_option,
)
from nn.optim.lr_scheduler.functions import attributes_of
from nn.optim.lr_scheduler.momentum import Each, set_momentum, set_momentum_range
from nn.optim.optimizer import Optimizer


class CyclicLR(LRScheduler):
    """Raise and lower the learning rate between two bounds, again and again.

    Call `step` after every batch (Smith 2017, "Cyclical learning rates for training neural
    networks").

    Args:
        optimizer: see `LRScheduler`.
        base_lr, max_lr: the bounds, one for all groups or one for each.
        step_size_up: in how many batches it rises.
        step_size_down: in how many it falls; None for as many.
        mode: "triangular", "triangular2" (half the height each cycle) or "exp_range" (height
            ``gamma ** batch``).
        gamma: see `mode`.
        scale_fn: the height, in place of `mode`.
        scale_mode: whether `scale_fn` takes the number of the "cycle", from 1, or the "iterations".
        cycle_momentum: whether the momentum (or the first beta) falls and rises against it.
        base_momentum, max_momentum: its lowest and highest value.
        last_epoch: the number of the last batch that ran, to resume; -1 to begin.

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=0.1, momentum=0.9)
        >>> scheduler = CyclicLR(optimizer, base_lr=0.0, max_lr=1.0, step_size_up=4)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.25]
    """

    _not_saved = (*LRScheduler._not_saved, "_scale_fn")

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Each,
        max_lr: Each,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: Literal["cycle", "iterations"] = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Each = 0.8,
        max_momentum: Each = 0.9,
        last_epoch: int = -1,
    ) -> None:
        checked_optimizer(self, optimizer)
        check_positive_int(self, "step_size_up", step_size_up)
        if step_size_down is not None:
            check_positive_int(self, "step_size_down", step_size_down)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(
                "CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range' without a "
                f"scale_fn, got {mode!r}"
            )
        if scale_mode not in ("cycle", "iterations"):
            raise ValueError(
                f"CyclicLR: scale_mode must be 'cycle' or 'iterations', got {scale_mode!r}"
            )
        lows = per_group(self, "base_lr", base_lr, optimizer)
        self.max_lrs = per_group(self, "max_lr", max_lr, optimizer)
        self.total_size = float(step_size_up + (step_size_down or step_size_up))
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self.scale_mode = scale_mode
        self._scale_fn = scale_fn
        self.cycle_momentum = cycle_momentum
        begin = last_epoch == -1
        if cycle_momentum:
            set_momentum_range(self, optimizer, base_momentum, max_momentum, begin)
        if begin:
            for group, lr in zip(optimizer.param_groups, lows, strict=True):
                set_option(group, "lr", lr)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = lows
        if begin:
            self._set(lows)

    def _height(self, cycle: int) -> float:
        """The height of the rise now, as a part of the distance between the bounds."""
        if self._scale_fn is not None:
            return self._scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.mode == "exp_range":
            return self.gamma**self.last_epoch
        return 1.0 if self.mode == "triangular" else 0.5 ** (cycle - 1)

    def get_lr(self) -> Sequence[float]:
        done = self.last_epoch / self.total_size
        cycle = floor(1 + done)
        place = 1.0 + done - cycle
        if place <= self.step_ratio:
            rise = place / self.step_ratio
        else:
            rise = (place - 1.0) / (self.step_ratio - 1.0)
        rise *= self._height(cycle)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                low, high = group["base_momentum"], group["max_momentum"]
                set_momentum(group, high - (high - low) * rise)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * rise for low, high in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Plain values; a function is saved as None, a callable object by its attributes."""
        return {**super().state_dict(), "scale_fn": attributes_of(self._scale_fn)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        check_keys(self, state_dict, self.state_dict())
        self.__dict__.update({k: v for k, v in state_dict.items() if k != "scale_fn"})
        if self._scale_fn is not None and state_dict["scale_fn"] is not None:
            self._scale_fn.__dict__.update(state_dict["scale_fn"])
