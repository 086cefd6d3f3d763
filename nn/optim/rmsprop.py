"""RMSprop."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, kernels, writable, zeros_like
from nn.optim.optimizer import Array, Optimizer, Params, check_at_least_zero, count_step, new_count


class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients.

        v = alpha * v + (1 - alpha) * grad**2
        param -= lr * grad / (sqrt(v) + eps)

    With momentum the quotient first enters a buffer, ``b = momentum * b + quotient``. (Tieleman and
    Hinton 2012, lecture 6.5; centered as in Graves 2013, "Generating sequences with recurrent
    neural networks".)

    Args:
        params: see `Optimizer`.
        lr: the learning rate.
        alpha: how much of the mean stays from step to step.
        eps: keeps the division finite.
        weight_decay: is multiplied by the parameter and added to its gradient.
        momentum: how much of the buffer stays from step to step; 0 keeps no buffer.
        centered: subtracts the squared mean gradient from v: an estimate of the variance.
        maximize: climbs instead.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = RMSprop([x], lr=0.1, alpha=0.75)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> round(x.item(), 4)
        0.8
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "eps", "momentum", "weight_decay", "alpha")

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, eps, alpha = float(group["lr"]), float(group["eps"]), float(group["alpha"])
        momentum, decay = float(group["momentum"]), float(group["weight_decay"])
        centered, maximize = group["centered"], group["maximize"]
        state = self.state[param]
        names = ["square_avg"]
        if momentum:
            names.append("momentum_buffer")
        if centered:
            names.append("grad_avg")
        if not state:
            state["step"] = new_count()
        for name in names:
            if name not in state:
                state[name] = zeros_like(param, requires_grad=False)
        count_step(state)
        arrays = {name: writable(state[name]) for name in names}
        kernels.rmsprop_step(
            values,
            grad,
            arrays["square_avg"],
            arrays.get("grad_avg"),
            arrays.get("momentum_buffer"),
            lr,
            alpha,
            eps,
            momentum,
            decay,
            maximize,
        )
