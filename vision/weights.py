"""Weights from files and other models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import autograd
import nn

__all__ = ["Weights", "load_weights"]

M = TypeVar("M", bound=nn.Module)
Weights: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | None"


def load_weights(model: M, weights: Weights) -> M:
    """Copy weights into a model, and return it.

    Args:
        model: the network.
        weights: a file as `autograd.load` reads it (.safetensors, .npz), or a state_dict. Old files
            lack the ``num_batches_tracked`` of batch norm; the model's own are kept then. None
            changes nothing.

    Raises:
        ValueError: they are of another model; nothing has changed then.
    """
    if weights is None:
        return model
    source, state = "the state_dict", weights
    if isinstance(weights, (str, os.PathLike)):
        source, state = os.fspath(weights), autograd.load(weights)
    if not isinstance(state, Mapping):
        raise ValueError(f"load_weights: {source} holds a {type(state).__name__}, no weights")
    own = model.state_dict()
    counts = {name: own[name] for name in own if name.endswith("num_batches_tracked")}
    try:
        model.load_state_dict({**counts, **state})
    except RuntimeError as error:
        raise ValueError(
            f"load_weights: {source} does not fit {type(model).__name__}: "
            f"{misfit(own, {**counts, **state})}"
        ) from error
    return model


def misfit(own: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """In one line, how a state differs from that of a model."""
    missing = [name for name in own if name not in state]
    unknown = [name for name in state if name not in own]
    other = [
        f"{name} has shape {came}, expected {tuple(value.shape)}"
        for name, value in own.items()
        if name in state
        and (came := tuple(getattr(state[name], "shape", ()))) != tuple(value.shape)
    ]
    lists = {"it lacks": missing, "it has the unknown": unknown}
    parts = [f"{kind} {shorten(names)}" for kind, names in lists.items() if names]
    return "; ".join([*parts, *other[:2]]) or "its entries are no arrays of numbers"


def shorten(names: list[str]) -> str:
    """A few of the names, and how many more there are."""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more
