"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from autograd import Tensor, empty_like, kernels, writable
from nn.optim.optimizer import Array, Optimizer, Params, check_at_least_zero


class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

        buffer = momentum * buffer + (1 - dampening) * grad
        param -= lr * buffer

    The first buffer is the gradient; with Nesterov's momentum ``grad + momentum * buffer`` stands
    for the buffer in the second line (Sutskever et al. 2013, "On the importance of initialization
    and momentum").

    Args:
        params: see `Optimizer`.
        lr: the learning rate.
        momentum: how much of the buffer stays from step to step; 0 keeps no buffer.
        dampening: how much less than the whole gradient enters the buffer.
        weight_decay: is multiplied by the parameter and added to its gradient.
        nesterov: needs a momentum and no dampening.
        maximize: climbs instead.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> optimizer = SGD([x], lr=0.25)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> x.tolist()
        [0.5]
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, options: dict[str, Any]) -> None:
        check_at_least_zero(self, options, "lr", "momentum", "weight_decay")
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError(
                "SGD: nesterov needs a momentum above 0 and no dampening, "
                f"got momentum {options['momentum']}, dampening {options['dampening']}"
            )

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        lr, decay = float(group["lr"]), float(group["weight_decay"])
        momentum, nesterov = float(group["momentum"]), group["nesterov"]
        maximize = group["maximize"]
        if not momentum:
            kernels.sgd_step(values, grad, None, lr, 0.0, 1.0, False, False, decay, maximize)
            return
        state = self.state[param]
        first = state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = empty_like(param, requires_grad=False)
        kernels.sgd_step(
            values,
            grad,
            writable(state["momentum_buffer"]),
            lr,
            momentum,
            1.0 - float(group["dampening"]),
            nesterov,
            first,
            decay,
            maximize,
        )
