"""Training and evaluation mode of a whole model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import autograd
import nn

__all__ = ["evaluating", "set_training"]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, nothing recorded; afterwards each module is as it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with autograd.no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def set_training(model: nn.Module) -> None:
    """Training mode, but for batch norm whose parameters are all frozen."""
    model.train()
    for module in model.modules():
        own = list(module.parameters(recurse=False))
        frozen = own and not any(parameter.requires_grad for parameter in own)
        if frozen and isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.eval()
