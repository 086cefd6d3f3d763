"""Adagrad."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, full_like, kernels, writable
from nn.optim.optimizer import Array, Optimizer, Params, check_at_least_zero, count_step, new_count


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

        total += grad**2
        param -= lr / (1 + (t - 1) * lr_decay) * grad / (sqrt(total) + eps)

    at step t = 1, 2, ... (Duchi et al. 2011, "Adaptive subgradient methods for online learning and
    stochastic optimization").

    Args:
        params: see `Optimizer`.
        lr: the learning rate.
        lr_decay: how fast it falls with the steps.
        weight_decay: is multiplied by the parameter and added to its gradient.
        initial_accumulator_value: where each total begins.
        eps: keeps the division finite.
        maximize: climbs instead.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = Adagrad([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.tolist()
        [0.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        names = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")
        check_at_least_zero(self, options, *names)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for param in group["params"]:
            self.state[param] = self._fresh_state(param, group)

    def _fresh_state(self, param: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        start = float(group["initial_accumulator_value"])
        return {"step": new_count(), "sum": full_like(param, start, requires_grad=False)}

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        decay, eps = float(group["weight_decay"]), float(group["eps"])
        maximize = group["maximize"]
        state = self.state[param]
        if not state:
            state.update(self._fresh_state(param, group))
        step = count_step(state)
        lr = float(group["lr"]) / (1.0 + (step - 1.0) * float(group["lr_decay"]))
        kernels.adagrad_step(values, grad, writable(state["sum"]), lr, eps, decay, maximize)
