"""Schedules along a cosine."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, floor, pi

from nn.optim.lr_scheduler.base import LRScheduler, check_positive_int, current_lrs
from nn.optim.optimizer import Optimizer


def between(low: float, high: float, phase: float) -> float:
    """From `high` at phase 0 to `low` at phase 1 along half a cosine."""
    return low + (high - low) * (1.0 + cos(pi * phase)) / 2.0


class CosineAnnealingLR(LRScheduler):
    """Let the learning rate fall along a cosine to ``eta_min`` in ``T_max`` epochs, then up.

        lr = eta_min + (first_lr - eta_min) * (1 + cos(pi * epoch / T_max)) / 2

    reached by a factor from epoch to epoch, so that other schedules may change it too (Loshchilov
    and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts").

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = CosineAnnealingLR(optimizer, T_max=2)
        >>> optimizer.step()
        >>> scheduler.step()
        >>> round(scheduler.get_last_lr()[0], 6)
        0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_max <= 0:
            raise ValueError(f"CosineAnnealingLR: T_max must be positive, got {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Sequence[float]:
        lrs = current_lrs(self.optimizer)
        epoch, length = self.last_epoch, self.T_max
        if self._initial:
            return lrs
        if (epoch - 1 - length) % (2 * length) == 0:
            # At the bottom the factor to the next epoch would be a division by zero.
            rise = (1.0 - cos(pi / length)) / 2.0
            pairs = zip(lrs, self.base_lrs, strict=True)
            return [lr + (base_lr - self.eta_min) * rise for lr, base_lr in pairs]
        factor = (1.0 + cos(pi * epoch / length)) / (1.0 + cos(pi * (epoch - 1) / length))
        return [self.eta_min + (lr - self.eta_min) * factor for lr in lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Let the learning rate fall along a cosine, and restart when it arrives at ``eta_min``.

    The first fall takes ``T_0`` epochs, each later one ``T_mult`` times as long as the one before
    (Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts").

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=4)
        >>> scheduler.step(2.0)
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        check_positive_int(self, "T_0", T_0)
        check_positive_int(self, "T_mult", T_mult)
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> Sequence[float]:
        phase = self.T_cur / self.T_i
        return [between(self.eta_min, base_lr, phase) for base_lr in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to `epoch`, which may be a fraction: epoch + batch / batches.

        Raises:
            ValueError: for a negative epoch.
        """
        if epoch is not None and epoch < 0:
            raise ValueError(
                f"CosineAnnealingWarmRestarts.step: epoch must be at least 0, got {epoch}"
            )
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            self.last_epoch += 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            self.last_epoch = floor(epoch)
            self.T_cur, self.T_i = self._locate(epoch)
        self._set(self.get_lr())

    def _locate(self, epoch: float) -> tuple[float, int]:
        """How far into which fall an epoch lies: epochs since its start, and its length."""
        if self.T_mult == 1:
            return epoch % self.T_0, self.T_0
        start, length = 0, self.T_0
        while epoch - start >= length:
            start += length
            length *= self.T_mult
        return epoch - start, length
