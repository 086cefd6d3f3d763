"""Schedules given by the user's functions of the epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, TypeAlias

from nn.optim.lr_scheduler.base import (
    LRScheduler,
    check_keys,
    checked_optimizer,
    current_lrs,
    per_group,
)
from nn.optim.optimizer import Optimizer

Factor: TypeAlias = Callable[[int], float]


class _FunctionScheduler(LRScheduler):
    """Holds one function for each group; saves those that are objects, by their attributes."""

    _not_saved = (*LRScheduler._not_saved, "lr_lambdas")

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        checked_optimizer(self, optimizer)
        self.lr_lambdas: list[Factor] = per_group(self, "lr_lambda", lr_lambda, optimizer)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(
                    f"{type(self).__name__}: lr_lambda must be a function of the epoch, "
                    f"got {type(function).__name__}"
                )
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Plain values; a function is saved as None, a callable object by its attributes."""
        return {
            **super().state_dict(),
            "lr_lambdas": [attributes_of(function) for function in self.lr_lambdas],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        check_keys(self, state_dict, self.state_dict())
        saved = state_dict["lr_lambdas"]
        if len(saved) != len(self.lr_lambdas):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: {len(saved)} functions saved, "
                f"{len(self.lr_lambdas)} expected"
            )
        super().load_state_dict({**state_dict, "lr_lambdas": self.lr_lambdas})
        for function, attributes in zip(self.lr_lambdas, saved, strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_FunctionScheduler):
    """Set the learning rate to the first one times ``lr_lambda(epoch)``.

    Example:
        >>> from autograd import tensor
        >>> from nn.optim import SGD
        >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=1.0)
        >>> scheduler = LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
        >>> optimizer.step()
        >>> scheduler.step()
        >>> scheduler.get_last_lr()
        [0.5]
    """

    def get_lr(self) -> Sequence[float]:
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base_lr * function(self.last_epoch) for base_lr, function in pairs]


class MultiplicativeLR(_FunctionScheduler):
    """Multiply the current learning rate by ``lr_lambda(epoch)`` every epoch after the first."""

    def get_lr(self) -> Sequence[float]:
        lrs = current_lrs(self.optimizer)
        if self._initial:
            return lrs
        pairs = zip(lrs, self.lr_lambdas, strict=True)
        return [lr * function(self.last_epoch) for lr, function in pairs]

    def _restart(self) -> None:
        # There is no first learning rate to return to: the factor applies to what is set now.
        self.last_epoch = 0
        self._set(self.get_lr())


def attributes_of(function: Any) -> dict[str, Any] | None:
    """What is saved of a callable: the attributes of an object, nothing of a plain function."""
    if function is None or isinstance(function, FunctionType) or not hasattr(function, "__dict__"):
        return None
    return dict(function.__dict__)
