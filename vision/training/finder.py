"""Which learning rate suits a model: a short run in which it grows from tiny to too large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

import autograd
import nn
from autograd import Generator, Tensor
from autograd.generator import use_generator
from nn.optim import Optimizer
from vision.training.data import batches_of
from vision.training.modes import set_training

__all__ = ["LearningRates", "find_learning_rate"]

FEWEST = 8
"""How many steps make a curve that has a slope."""


class LearningRates(NamedTuple):
    """What `find_learning_rate` saw: ``plot_learning_rates(*found)`` draws it.

    ``pandas.DataFrame(found._asdict())`` is a table.

    Attributes:
        rates: the learning rate of each step.
        losses: the loss before each step, smoothed.
        suggestion: the rate at which the loss falls steepest; None if it never fell.
    """

    rates: list[float]
    losses: list[float]
    suggestion: float | None


def find_learning_rate(
    model: nn.Module,
    optimizer: Optimizer,
    loss: Callable[[Any, Any], Tensor] | None,
    data: Any,
    *,
    start: float = 1e-6,
    end: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.8,
    divergence: float = 4.0,
    batch_size: int = 32,
) -> LearningRates:
    """Train a copy of a model while the learning rate grows from step to step.

    In step i of n the rate is ``start * (end / start) ** (i / (n - 1))``. A running mean of the
    losses, ``m = smoothing * m + (1 - smoothing) * loss``, divided by ``1 - smoothing ** (i + 1)``,
    ends it early when it exceeds `divergence` times its lowest value. The losses are then smoothed
    so forwards and backwards, and do not lag behind the rates. The suggestion is the rate at which
    a line fitted to a fifth of them falls steepest, on the way to the lowest. Model, optimizer and
    the random numbers of `autograd` stay exactly what they are: copies of them are used.

    Args:
        model: the network.
        optimizer: made for its parameters; all its groups get the same rate.
        loss: ``loss(output, targets)`` gives one number; None for cross-entropy.
        data: a tuple (inputs, targets), a data set, or a DataLoader, gone through again and again.
        start: the first rate.
        end: the last rate.
        steps: how many.
        smoothing: above; 0 for none.
        divergence: above.
        batch_size: unless the data is a DataLoader.

    Raises:
        ValueError: rates, steps or smoothing out of range, or no data.
        RuntimeError: the loss is no finite number at once.

    Source: L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017,
    arXiv:1506.01186; the smoothing and the end are those of the fastai library.

    Example:
        >>> import nn
        >>> from vision.datasets import Digits
        >>> _ = autograd.manual_seed(0)
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        >>> optimizer = nn.optim.Adam(model.parameters())
        >>> found = find_learning_rate(model, optimizer, None, Digits(), steps=60)
        >>> 1e-3 < found.suggestion < 0.3
        True
    """
    name = "find_learning_rate"
    if not 0 < start < end < inf:
        raise ValueError(f"{name}: expected 0 < start < end, got start={start} and end={end}")
    if steps < FEWEST:
        raise ValueError(f"{name}: steps is at least {FEWEST}, got {steps}")
    if not (0 <= smoothing < 1 and divergence > 1):
        raise ValueError(
            f"{name}: smoothing is in [0, 1) and divergence above 1, got {smoothing} and "
            f"{divergence}"
        )
    given = nn.CrossEntropyLoss() if loss is None else loss
    copied, stepper, criterion = deepcopy((model, optimizer, given))
    dtype = next(copied.parameters()).dtype
    batches = batches_of(name, data, batch_size, True, dtype)
    rates: list[float] = []
    losses: list[float] = []
    lowest = inf
    with use_generator(Generator().manual_seed(autograd.initial_seed())):
        set_training(copied)
        growing = np.geomspace(start, end, steps).tolist()
        for rate, (inputs, targets) in zip(growing, endless(name, batches), strict=False):
            for group in stepper.param_groups:
                group["lr"] = rate
            stepper.zero_grad()
            value = criterion(copied(inputs), targets)
            number = value.item()
            running = smoothed([*losses, number], smoothing)[-1]
            if not isfinite(number) or running > divergence * abs(lowest):
                break
            lowest = min(lowest, running)
            rates.append(rate)
            losses.append(number)
            value.backward()
            stepper.step()
    if not losses:
        raise RuntimeError(f"{name}: the loss of the model as it is is {number}")
    smooth = smoothed(smoothed(losses, smoothing)[::-1], smoothing)[::-1]
    return LearningRates(rates, smooth, steepest(rates, smooth))


def smoothed(values: list[float], smoothing: float) -> list[float]:
    """The running mean up to each value."""
    means, mean = [], 0.0
    for place, value in enumerate(values, start=1):
        mean = smoothing * mean + (1 - smoothing) * value
        means.append(mean / (1 - smoothing**place))
    return means


def endless(name: str, batches: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    """Batches, pass after pass."""
    while True:
        found = False
        for inputs, targets in batches:
            found = True
            yield inputs, targets
        if not found:
            raise ValueError(f"{name}: the data gave no batches")


def steepest(rates: list[float], losses: list[float]) -> float | None:
    """The rate at which the loss falls steepest on its way to the lowest value.

    A slope is that of a line fitted to the steps around, a fifth of all: batches differ by more
    than the loss falls in one step.
    """
    half = max(2, len(losses) // 10)
    lowest = int(np.argmin(losses))
    if lowest < 2 * half:
        return None
    offsets = np.arange(-half, half + 1)
    slopes = np.correlate(np.array(losses[: lowest + 1]), offsets / (offsets**2).sum())
    place = int(slopes.argmin())
    return rates[place + half] if slopes[place] < 0 else None
