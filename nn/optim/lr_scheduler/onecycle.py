"""The schedule that raises the learning rate once, and lets it fall to almost nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nn.optim.lr_scheduler.base import (
    LRScheduler,
    check_positive_int,
    checked_optimizer,
    per_group,
)
from nn.optim.lr_scheduler.cosine import between
from nn.optim.lr_scheduler.momentum import Each, set_momentum, set_momentum_range
from nn.optim.optimizer import Optimizer


class OneCycleLR(LRScheduler):
    """Raise the learning rate to ``max_lr``, then let it fall far below where it began.

    Call `step` after every batch (Smith and Topin 2018, "Super-convergence: very fast training of
    neural networks using large learning rates").

    Args:
        optimizer: see `LRScheduler`.
        max_lr: the highest learning rate, one for all groups or one for each.
        total_steps: the number of batches in all; or give `epochs` and `steps_per_epoch`.
        epochs, steps_per_epoch: see `total_steps`.
        pct_start: the part of the cycle in which the learning rate rises, from 0 to 1.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum (or the first beta) falls and rises against it.
        base_momentum, max_momentum: its lowest and highest value.
        div_factor: the first learning rate is ``max_lr / div_factor``.
        final_div_factor: the last one is the first one divided by this.
        three_phase: falls to the first learning rate as fast as it rose, and only then below.
        last_epoch: the number of the last batch that ran, to resume; -1 to begin.

    Raises:
        ValueError: for an argument out of range; from `step` after more than `total_steps`.

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=0.1, momentum=0.9)
        >>> scheduler = OneCycleLR(optimizer, max_lr=1.0, total_steps=10, div_factor=10)
        >>> for batch in range(2):
        ...     optimizer.step()
        ...     scheduler.step()
        >>> scheduler.get_last_lr()
        [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Each,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: Each = 0.85,
        max_momentum: Each = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        checked_optimizer(self, optimizer)
        if total_steps is not None:
            check_positive_int(self, "total_steps", total_steps)
        elif epochs is not None and steps_per_epoch is not None:
            check_positive_int(self, "epochs", epochs)
            check_positive_int(self, "steps_per_epoch", steps_per_epoch)
            total_steps = epochs * steps_per_epoch
        else:
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
        if not 0.0 <= pct_start <= 1.0:
            raise ValueError(f"OneCycleLR: pct_start must be in [0, 1], got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self.total_steps = total_steps
        self.pct_start = float(pct_start)
        self.anneal_strategy = anneal_strategy
        self.cycle_momentum = cycle_momentum
        self.three_phase = three_phase
        highest = per_group(self, "max_lr", max_lr, optimizer)
        begin = last_epoch == -1
        if cycle_momentum:
            set_momentum_range(self, optimizer, base_momentum, max_momentum, begin)
        if begin:
            for group, lr in zip(optimizer.param_groups, highest, strict=True):
                group["initial_lr"] = lr / div_factor
                group["max_lr"] = lr
                group["min_lr"] = lr / div_factor / final_div_factor
        super().__init__(optimizer, last_epoch)

    def _phases(self) -> list[tuple[float, tuple[str, str], tuple[str, str]]]:
        """The last step of each phase, and the options that the values go from and to."""
        rise = self.pct_start * self.total_steps - 1.0
        last = float(self.total_steps - 1)
        up = (rise, ("initial_lr", "max_lr"), ("max_momentum", "base_momentum"))
        if not self.three_phase:
            return [up, (last, ("max_lr", "min_lr"), ("base_momentum", "max_momentum"))]
        down = (2.0 * rise, ("max_lr", "initial_lr"), ("base_momentum", "max_momentum"))
        return [up, down, (last, ("initial_lr", "min_lr"), ("max_momentum", "max_momentum"))]

    def get_lr(self) -> Sequence[float]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"OneCycleLR.step: step {step} of a cycle of {self.total_steps} steps; "
                "make total_steps as large as the number of batches in all"
            )
        start, phases = 0.0, self._phases()
        while len(phases) > 1 and step > phases[0][0]:
            start = phases.pop(0)[0]
        end, (lr_from, lr_to), (momentum_from, momentum_to) = phases[0]
        phase = (step - start) / (end - start) if end > start else 1.0
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(self._anneal(group[lr_from], group[lr_to], phase))
            if self.cycle_momentum:
                momentum = self._anneal(group[momentum_from], group[momentum_to], phase)
                set_momentum(group, momentum)
        return lrs

    def _anneal(self, start: float, end: float, phase: float) -> float:
        if self.anneal_strategy == "cos":
            return between(end, start, phase)
        return start + (end - start) * phase
