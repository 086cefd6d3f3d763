"""Adam, and AdamW with decoupled weight decay."""

from __future__ import annotations

from math import sqrt
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


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad**2
        param -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)

    at step t = 1, 2, ... (Kingma and Ba 2015, "Adam: a method for stochastic optimization").

    Args:
        params: see `Optimizer`.
        lr: the learning rate.
        betas: how much of each mean stays from step to step.
        eps: keeps the division finite.
        weight_decay: is multiplied by the parameter and added to its gradient.
        amsgrad: divides by the largest v so far (Reddi et al. 2018).
        maximize: climbs instead.
        decoupled_weight_decay: decays the parameter itself, as `AdamW` does.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = Adam([x], lr=0.5)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.tolist()
        [0.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "weight_decay")
        check_betas(self, options)

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        maximize, amsgrad = group["maximize"], group["amsgrad"]
        state = self.state[param]
        if not state:
            state["step"] = new_count()
            state["exp_avg"] = zeros_like(param, requires_grad=False)
            state["exp_avg_sq"] = zeros_like(param, requires_grad=False)
        if amsgrad and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = zeros_like(param, requires_grad=False)
        step = count_step(state)
        shrink = 1.0
        if group["decoupled_weight_decay"]:
            shrink, decay = 1.0 - lr * decay, 0.0
        # Both sides of the fraction times sqrt(1 - beta2^t): one pass less, the same step.
        root = sqrt(1.0 - beta2**step)
        size = lr / (1.0 - beta1**step) * root
        eps = float(group["eps"]) * root
        largest = writable(state["max_exp_avg_sq"]) if amsgrad else None
        kernels.adam_step(
            values,
            grad,
            writable(state["exp_avg"]),
            writable(state["exp_avg_sq"]),
            largest,
            size,
            beta1,
            beta2,
            eps,
            shrink,
            decay,
            maximize,
        )


class AdamW(Adam):
    """`Adam` whose weight decay shrinks the parameter itself, not through the gradient.

    Each step first multiplies the parameter by ``1 - lr * weight_decay`` (Loshchilov and
    Hutter 2019, "Decoupled weight decay regularization"). Arguments as in `Adam`.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> AdamW([x]).param_groups[0]["weight_decay"]
        0.01
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )
