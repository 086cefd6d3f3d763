"""What schedules need that move the momentum against the learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from nn.optim.lr_scheduler.base import LRScheduler, per_group
from nn.optim.optimizer import Optimizer

Each: TypeAlias = float | Sequence[float]
"""One value for all groups, or one for each."""


def set_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


def set_momentum_range(
    scheduler: LRScheduler, optimizer: Optimizer, base: Each, highest: Each, begin: bool
) -> None:
    """Enter the range into the groups, and begin at its top."""
    if not {"momentum", "betas"} & optimizer.defaults.keys():
        raise ValueError(
            f"{type(scheduler).__name__}: cycle_momentum needs an optimizer with momentum or "
            f"betas, {type(optimizer).__name__} has neither; set cycle_momentum=False"
        )
    lows = per_group(scheduler, "base_momentum", base, optimizer)
    highs = per_group(scheduler, "max_momentum", highest, optimizer)
    for group, low, high in zip(optimizer.param_groups, lows, highs, strict=True):
        if begin:
            group["base_momentum"], group["max_momentum"] = low, high
            set_momentum(group, high)
