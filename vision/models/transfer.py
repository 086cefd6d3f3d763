"""Using a trained network for another task: a new head, and what is trained."""

from __future__ import annotations

from operator import index
from typing import TypeVar

import nn

__all__ = [
    "freeze",
    "freeze_backbone",
    "head_name",
    "replace_head",
    "unfreeze",
]

M = TypeVar("M", bound=nn.Module)


def head_name(model: nn.Module) -> str:
    """The dotted name of the linear layer that makes the class scores: the last one.

    Raises:
        ValueError: there is none.
    """
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not names or not names[-1]:
        raise ValueError(
            f"head_name: {type(model).__name__} has no linear layer inside that could be its head"
        )
    return names[-1]


def replace_head(model: M, num_classes: int) -> M:
    """Put a new linear layer for so many classes in place of the last one, and return the model.

    Raises:
        ValueError: the model has no linear layer, or there are no classes.

    Example:
        >>> from vision.models import TinyCNN
        >>> replace_head(TinyCNN((1, 28, 28), 10), 3).classifier[1]
        Linear(in_features=1568, out_features=3, bias=True)
    """
    if index(num_classes) < 1:
        raise ValueError(f"replace_head: num_classes is at least 1, got {num_classes}")
    parent, _, own = head_name(model).rpartition(".")
    owner = model.get_submodule(parent)
    old = getattr(owner, own)
    new = nn.Linear(
        old.in_features, num_classes, bias=old.bias is not None, dtype=old.weight.dtype
    ).train(old.training)
    setattr(owner, own, new)
    if "num_classes" in vars(model):
        vars(model)["num_classes"] = num_classes
    return model


def freeze(model: M, *parts: str) -> M:
    """Exclude parameters from training, and return the model.

    Batch norm goes on to follow the batches in training mode; a `vision.training.Trainer` leaves
    it in evaluation mode where its parameters are frozen.

    Args:
        model: the network.
        *parts: dotted names of modules or parameters; everything when there are none.

    Raises:
        ValueError: there is no such part; nothing has changed then.
    """
    return set_trainable("freeze", model, parts, False)


def unfreeze(model: M, *parts: str) -> M:
    """Include parameters in training again; the opposite of `freeze`."""
    return set_trainable("unfreeze", model, parts, True)


def freeze_backbone(model: M) -> M:
    """Exclude everything from training but the linear layer at the end, and return the model.

    Example:
        >>> from vision.models import TinyCNN
        >>> model = freeze_backbone(TinyCNN((1, 28, 28), 10))
        >>> [name for name, value in model.named_parameters() if value.requires_grad]
        ['classifier.1.weight', 'classifier.1.bias']
    """
    head = head_name(model)
    return unfreeze(freeze(model), head)


def set_trainable(operation: str, model: M, parts: tuple[str, ...], trainable: bool) -> M:
    """The work of `freeze` and `unfreeze`."""
    chosen = []
    for part in parts or ("",):
        found = [
            parameter
            for name, parameter in model.named_parameters()
            if not part or name == part or name.startswith(f"{part}.")
        ]
        if part and not found:
            children = [name for name, _ in model.named_children()]
            raise ValueError(
                f"{operation}: {type(model).__name__} has no parameters in {part!r}; its parts are "
                f"{', '.join(children)}"
            )
        chosen += found
    for parameter in chosen:
        parameter.requires_grad_(trainable)
    return model
