"""Mixed precision: float16 values in the graph, float32 weights in the optimizer.

Source of all of it: Micikevicius et al., Mixed precision training, ICLR 2018, arXiv:1710.03740.
"""

from __future__ import annotations

from copy import deepcopy
from math import inf
from typing import Any

import numpy as np

from autograd import Tensor, float16, float32, no_grad, writable
from nn.module import Module
from nn.optim import Optimizer

__all__ = ["GradScaler", "HalfPrecision"]

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


class HalfPrecision:
    """Calls a model through a copy of it in float16, so that its graph takes half the memory.

    The model's own parameters stay float32: they are what the optimizer changes, and gradients
    arrive at them. Floating-point inputs become float16, outputs float32, so that the loss is
    computed in that. Batch norm keeps its running statistics in the model itself. Sums in
    products and normalisation are in float32.

    NumPy has no fast arithmetic in float16: a step takes several times as long as in float32. It
    pays only where memory is short.

    Args:
        model: the network; parameters of another type than float32 are left as they are. What is
            frozen, and which of its modules are in training mode, is taken over now.

    Example:
        >>> import nn
        >>> from autograd import ones, tensor
        >>> model = nn.Sequential(nn.Linear(2, 2))
        >>> optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        >>> half, scaler = HalfPrecision(model), GradScaler()
        >>> loss = nn.functional.cross_entropy(half(ones(1, 2)), tensor([1]))
        >>> scaler.scale(loss).backward()
        >>> half.hand_over_gradients()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> half.take_over_weights()
        >>> model[0].weight.grad.dtype
        dtype('float32')
    """

    def __init__(self, model: Module) -> None:
        shared = {
            id(buffer): buffer
            for module in model.modules()
            if module.training
            for name, buffer in module.named_buffers(recurse=False)
            if name in STATISTICS
        }
        self.copy: Module = deepcopy(model, shared)
        for module in self.copy.modules():
            for name, buffer in list(module.named_buffers(recurse=False)):
                if buffer.dtype == float32 and id(buffer) not in shared:
                    setattr(module, name, buffer.half())
        pairs = zip(model.parameters(), self.copy.parameters(), strict=True)
        self._pairs = [(full, half) for full, half in pairs if full.dtype == float32]
        for _, half in self._pairs:
            half.grad = None
            half.data = half.data.half()

    def __call__(self, *inputs: Any) -> Any:
        with np.errstate(over="ignore", invalid="ignore"):
            return converted(self.copy(*converted(inputs, float32, float16)), float16, float32)

    def hand_over_gradients(self) -> None:
        """Add the gradients in float16 to those of the model, and drop them."""
        with no_grad():
            for full, half in self._pairs:
                if half.grad is not None:
                    grad = half.grad.float()
                    full.grad = grad if full.grad is None else full.grad + grad
                    half.grad = None

    def take_over_weights(self) -> None:
        """Round the model's weights, after a step, to float16."""
        with no_grad(), np.errstate(over="ignore"):
            for full, half in self._pairs:
                writable(half)[...] = full.array


class GradScaler:
    """Multiplies losses by a scale, so that small gradients do not vanish in float16.

    `step` is left out when a gradient is infinite or not a number; `update` then lowers the scale,
    and otherwise raises it after some steps. As ``torch.amp.GradScaler``.

    Args:
        device: "cpu".
        init_scale: the scale at the start.
        growth_factor: the scale is multiplied by it after `growth_interval` good steps.
        backoff_factor: the scale is multiplied by it after a step that was left out.
        growth_interval: see above.
        enabled: False makes all of it do nothing but `step`.

    Raises:
        ValueError: another device, a factor out of range, or a scale that is not positive.
    """

    def __init__(
        self,
        device: str = "cpu",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if device != "cpu":
            raise ValueError(f"GradScaler: device is 'cpu', got {device!r}")
        if not (0 < init_scale < inf and growth_factor > 1 > backoff_factor > 0):
            raise ValueError(
                "GradScaler: expected init_scale > 0, growth_factor > 1 and backoff_factor in "
                f"(0, 1), got {init_scale}, {growth_factor} and {backoff_factor}"
            )
        if growth_interval < 1:
            raise ValueError(f"GradScaler: growth_interval is at least 1, got {growth_interval}")
        self._scale, self._enabled = float(init_scale), enabled
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._good_steps = growth_interval, 0
        self._finite: dict[int, bool] = {}
        self._stepped: set[int] = set()
        self._has_scaled = False

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The scale; 1 if not enabled."""
        return self._scale if self._enabled else 1.0

    def scale(self, outputs: Any) -> Any:
        """A loss, or several in a list or tuple, times the scale."""
        if not self._enabled:
            return outputs
        self._has_scaled = True
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        return type(outputs)(self.scale(output) for output in outputs)

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of an optimizer's parameters by the scale, early, to clip them.

        Raises:
            RuntimeError: it has been done since the last `update`, or no loss was scaled.
        """
        if not self._enabled:
            return
        if not self._has_scaled:
            raise RuntimeError("GradScaler: no loss was scaled: scale(loss).backward() comes first")
        if id(optimizer) in self._finite:
            raise RuntimeError("GradScaler.unscale_: already called since the last update()")
        finite = True
        with no_grad(), np.errstate(invalid="ignore"):
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        values = writable(parameter.grad)
                        values *= 1.0 / self._scale
                        finite = finite and bool(np.isfinite(values).all())
        self._finite[id(optimizer)] = finite

    def all_finite(self, optimizer: Optimizer) -> bool:
        """Whether `step` will make a step; the gradients are unscaled if they were not."""
        if self._enabled and id(optimizer) not in self._finite:
            self.unscale_(optimizer)
        return self._finite.get(id(optimizer), True)

    def step(self, optimizer: Optimizer) -> Any:
        """Unscale the gradients unless that was done, and step if all are finite.

        Raises:
            RuntimeError: it has been done since the last `update`, or no loss was scaled.
        """
        if id(optimizer) in self._stepped:
            raise RuntimeError("GradScaler.step: already called since the last update()")
        finite = self.all_finite(optimizer)
        if self._enabled:
            self._stepped.add(id(optimizer))
        return optimizer.step() if finite else None

    def update(self, new_scale: float | None = None) -> None:
        """Adapt the scale to how the steps since the last call went, or set it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._finite:
            raise RuntimeError("GradScaler.update: there was no step since the last update()")
        elif not all(self._finite.values()):
            self._scale *= self._backoff_factor
            self._good_steps = 0
        else:
            self._good_steps += 1
            if self._good_steps == self._growth_interval:
                self._scale *= self._growth_factor
                self._good_steps = 0
        self._finite.clear()
        self._stepped.clear()

    def state_dict(self) -> dict[str, Any]:
        """The scale, and how it changes."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._good_steps,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        if not self._enabled:
            return
        self._scale = float(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._good_steps = state_dict["_growth_tracker"]


def converted(value: Any, old: Any, new: Any) -> Any:
    """Tensors of one type, also in tuples, lists and dicts, in another; the rest as it is."""
    if isinstance(value, Tensor):
        return value.to(new) if value.dtype == old else value
    if isinstance(value, dict):
        return {key: converted(part, old, new) for key, part in value.items()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return type(value)(converted(part, old, new) for part in value)
    return value
