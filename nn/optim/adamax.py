"""Adamax."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, kernels, writable, zeros_like
from nn.optim.optimizer import (
    Array,
    Optimizer,
    Params,
    check_at_least_zero,
    check_betas,
    count_step,
    new_count,
)


class Adamax(Optimizer):
    """`Adam` with the largest recent gradient in place of the mean square.

        m = beta1 * m + (1 - beta1) * grad
        u = max(beta2 * u, |grad| + eps)
        param -= lr / (1 - beta1**t) * m / u

    at step t = 1, 2, ... (Kingma and Ba 2015, section 7.1). Arguments as in `Adam`.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = Adamax([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.tolist()
        [0.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "weight_decay")
        check_betas(self, options)

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        decay, eps, maximize = float(group["weight_decay"]), float(group["eps"]), group["maximize"]
        beta1, beta2 = map(float, group["betas"])
        state = self.state[param]
        if not state:
            state["step"] = new_count()
            state["exp_avg"] = zeros_like(param, requires_grad=False)
            state["exp_inf"] = zeros_like(param, requires_grad=False)
        size = float(group["lr"]) / (1.0 - beta1 ** count_step(state))
        state_arrays = writable(state["exp_avg"]), writable(state["exp_inf"])
        kernels.adamax_step(values, grad, *state_arrays, size, beta1, beta2, eps, decay, maximize)
