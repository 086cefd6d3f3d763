"""RAdam."""

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


class RAdam(Optimizer):
    """`Adam` that divides by the mean square only once enough steps make it trustworthy.

        m = beta1 * m + (1 - beta1) * grad
        v = beta2 * v + (1 - beta2) * grad**2
        n = 2 / (1 - beta2) - 1
        r = n - 2 * t * beta2**t / (1 - beta2**t)
        if r > 5:
            rect = sqrt((r - 4) * (r - 2) * n / ((n - 4) * (n - 2) * r))
            param -= lr * m / (1 - beta1**t) * rect * sqrt(1 - beta2**t) / (sqrt(v) + eps)
        else:
            param -= lr * m / (1 - beta1**t)

    at step t = 1, 2, ... (Liu et al. 2020, "On the variance of the adaptive learning rate and
    beyond"). Arguments as in `Adam`.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = RAdam([x], lr=0.25)
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
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "weight_decay")
        check_betas(self, options)

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = map(float, group["betas"])
        maximize = group["maximize"]
        state = self.state[param]
        if not state:
            state["step"] = new_count()
            state["exp_avg"] = zeros_like(param, requires_grad=False)
            state["exp_avg_sq"] = zeros_like(param, requires_grad=False)
        step = count_step(state)
        shrink = 1.0
        if group["decoupled_weight_decay"]:
            shrink, decay = 1.0 - lr * decay, 0.0
        size = lr / (1.0 - beta1**step)
        longest = 2.0 / (1.0 - beta2) - 1.0
        length = longest - 2.0 * step * beta2**step / (1.0 - beta2**step)
        rectified = length > 5.0
        if rectified:
            size *= sqrt(
                (1.0 - beta2**step)
                * (length - 4.0)
                * (length - 2.0)
                * longest
                / ((longest - 4.0) * (longest - 2.0) * length)
            )
        means = writable(state["exp_avg"]), writable(state["exp_avg_sq"])
        kernels.radam_step(
            values,
            grad,
            *means,
            size,
            beta1,
            beta2,
            float(group["eps"]),
            shrink,
            rectified,
            decay,
            maximize,
        )
