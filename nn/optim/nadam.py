"""NAdam."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from autograd import Tensor, kernels, tensor, writable, zeros_like
from nn.optim.optimizer import (
    Array,
    Optimizer,
    Params,
    check_at_least_zero,
    check_betas,
    count_step,
    new_count,
)


class NAdam(Optimizer):
    """`Adam` with Nesterov's momentum, which grows with the steps.

        mu(t) = beta1 * (1 - 0.96**(t * momentum_decay) / 2)
        c(t) = mu(1) * mu(2) * ... * mu(t)
        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad**2
        step = (1 - mu(t)) / (1 - c(t)) * grad + mu(t + 1) / (1 - c(t + 1)) * m
        param -= lr * step / (sqrt(v / (1 - beta2**t)) + eps)

    at step t = 1, 2, ... (Dozat 2016, "Incorporating Nesterov momentum into Adam"). Arguments as in
    `Adam`, and ``momentum_decay``: how fast the momentum grows.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = NAdam([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> round(x.item(), 4)
        0.4718
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "weight_decay", "momentum_decay")
        check_betas(self, options)

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        eps, maximize = float(group["eps"]), group["maximize"]
        growth = float(group["momentum_decay"])
        state = self.state[param]
        if not state:
            state["step"] = new_count()
            state["mu_product"] = tensor(np.ones((), np.float32))
            state["exp_avg"] = zeros_like(param, requires_grad=False)
            state["exp_avg_sq"] = zeros_like(param, requires_grad=False)
        step = count_step(state)
        shrink = 1.0
        if group["decoupled_weight_decay"]:
            shrink, decay = 1.0 - lr * decay, 0.0
        mu = beta1 * (1.0 - 0.5 * 0.96 ** (step * growth))
        next_mu = beta1 * (1.0 - 0.5 * 0.96 ** ((step + 1.0) * growth))
        product = writable(state["mu_product"])
        product *= mu
        root = sqrt(1.0 - beta2**step)
        of_grad = lr * (1.0 - mu) / (1.0 - float(product)) * root
        of_mean = lr * next_mu / (1.0 - float(product) * next_mu) * root
        eps *= root
        means = writable(state["exp_avg"]), writable(state["exp_avg_sq"])
        kernels.nadam_step(
            values,
            grad,
            *means,
            of_grad,
            of_mean,
            beta1,
            beta2,
            eps,
            shrink,
            decay,
            maximize,
        )
