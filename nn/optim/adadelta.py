"""Adadelta."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, kernels, writable, zeros_like
from nn.optim.optimizer import Array, Optimizer, Params, check_at_least_zero, count_step, new_count


class Adadelta(Optimizer):
    """Steps in the unit of the parameter, from running means of squared gradients and steps.

        v = rho * v + (1 - rho) * grad**2
        delta = sqrt(u + eps) / sqrt(v + eps) * grad
        u = rho * u + (1 - rho) * delta**2
        param -= lr * delta

    (Zeiler 2012, "ADADELTA: an adaptive learning rate method").

    Args:
        params: see `Optimizer`.
        lr: a factor of the step.
        rho: how much of each mean stays from step to step.
        eps: starts the steps, and keeps the division finite.
        weight_decay: is multiplied by the parameter and added to its gradient.
        maximize: climbs instead.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = Adadelta([x])
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> round(x.item(), 4)
        0.9968
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "weight_decay")
        if not 0.0 <= options["rho"] <= 1.0:
            raise ValueError(f"Adadelta: rho must be in [0, 1], got {options['rho']}")

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        rho, eps, maximize = float(group["rho"]), float(group["eps"]), group["maximize"]
        state = self.state[param]
        if not state:
            state["step"] = new_count()
            state["square_avg"] = zeros_like(param, requires_grad=False)
            state["acc_delta"] = zeros_like(param, requires_grad=False)
        count_step(state)
        means = writable(state["square_avg"]), writable(state["acc_delta"])
        kernels.adadelta_step(values, grad, *means, lr, rho, eps, decay, maximize)
