"""The state of a training as plain data: taking it, and going back to it whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import autograd
from vision.weights import load_weights

if TYPE_CHECKING:
    from vision.training.trainer import Trainer

__all__ = ["restore", "state_of"]

FORMAT = "ndgrad training"


def state_of(trainer: Trainer) -> dict[str, Any]:
    """Everything that the next epoch depends on."""
    return {
        "format": FORMAT,
        "model_class": type(trainer.model).__name__,
        "optimizer_class": type(trainer.optimizer).__name__,
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "callbacks": [
            {"kind": type(callback).__name__, "state": callback.state_dict()}
            for callback in trainer.callbacks
        ],
        "scaler": trainer.scaler.state_dict(),
        "history": trainer.history,
        "epoch": trainer.epoch,
        "stop": trainer.stop,
        "random": autograd.get_rng_state(),
    }


def restore(trainer: Trainer, state: Any, source: str) -> None:
    """Take a state over; callbacks find theirs by class and order, new ones begin anew.

    Raises:
        ValueError: it is no such state, or of another model or optimizer. Nothing has changed then.
    """
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"Trainer.load: {source} is no checkpoint of a training")
    for part in ("model", "optimizer"):
        came, own = state[f"{part}_class"], type(getattr(trainer, part)).__name__
        if came != own:
            raise ValueError(f"Trainer.load: {source} is of the {part} {came}, this one is {own}")
    weights = trainer.model.state_dict()
    before = {name: value.clone() for name, value in weights.items()}
    optimizer_before = trainer.optimizer.state_dict()
    try:
        load_weights(trainer.model, state["model"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        restore_callbacks(trainer, state["callbacks"])
    except ValueError as error:
        trainer.model.load_state_dict(before)
        trainer.optimizer.load_state_dict(optimizer_before)
        raise ValueError(f"Trainer.load: {source} does not fit: {error}") from error
    if trainer.scaler.is_enabled() and state.get("scaler"):
        trainer.scaler.load_state_dict(state["scaler"])
    trainer.history = {name: list(values) for name, values in state["history"].items()}
    trainer.epoch, trainer.stop = state["epoch"], state["stop"]
    autograd.set_rng_state(state["random"])


def restore_callbacks(trainer: Trainer, saved: list[dict[str, Any]]) -> None:
    """Give each callback the state of the first of its class that is left."""
    left = list(saved)
    for callback in trainer.callbacks:
        found = next((item for item in left if item["kind"] == type(callback).__name__), None)
        if found is not None:
            left.remove(found)
            callback.load_state_dict(found["state"])
