"""Two of the networks, as MyGrad's users write them.

MyGrad has no optimizers, so Adam is here, in NumPy's operations on whole parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod, sqrt
from typing import Any

import mygrad
import numpy as np
from mygrad.nnet.activations import relu
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

__all__ = ["NETWORKS"]


class Adam:
    """Adam with PyTorch's defaults."""

    def __init__(self, parameters: list[Any]) -> None:
        self.parameters = parameters
        self.means = [np.zeros_like(parameter.data) for parameter in parameters]
        self.squares = [np.zeros_like(parameter.data) for parameter in parameters]
        self.count = 0

    def step(self) -> None:
        self.count += 1
        size = 1e-3 / (1 - 0.9**self.count)
        root = sqrt(1 - 0.999**self.count)
        for p, mean, square in zip(self.parameters, self.means, self.squares, strict=True):
            gradient = p.grad
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            p.data -= size * mean / (np.sqrt(square) / root + 1e-8)


def parameter(*shape: int) -> Any:
    """A weight, drawn uniformly from ``±1 / sqrt(fan_in)``, or a bias where there is one size."""
    bound = 1 / sqrt(prod(shape[1:]))
    values = np.random.default_rng(0).uniform(-bound, bound, shape)
    return mygrad.tensor(values.astype(np.float32))


def convnet(side: int, width: int) -> Callable[[tuple[int, ...]], Callable[[], None]]:
    """Convolutions of 32 and 64 filters, each with pooling, and one hidden layer."""

    def make(shape: tuple[int, ...]) -> Callable[[], None]:
        count, channels, height, _ = shape
        flat = 64 * (height // 4) ** 2
        weights = [
            parameter(32, channels, side, side),
            parameter(64, 32, side, side),
            parameter(width, flat),
            parameter(10, width),
        ]
        sizes = ((1, 32, 1, 1), (1, 64, 1, 1), (width,), (10,))
        biases = [mygrad.tensor(np.zeros(size, np.float32)) for size in sizes]
        random = np.random.default_rng(0)
        samples = random.standard_normal(shape).astype(np.float32)
        labels = random.integers(0, 10, count)
        optimizer = Adam(weights + biases)

        def step() -> None:
            x: Any = samples
            for weight, bias in zip(weights[:2], biases[:2], strict=True):
                x = relu(conv_nd(x, weight, stride=1, padding=side // 2) + bias)
                x = max_pool(x, (2, 2), 2)  # (N, C, H, W) -> (N, C, H/2, W/2)
            x = x.reshape(count, flat)  # (N, C, H, W) -> (N, C*H*W)
            x = relu(mygrad.matmul(x, weights[2].T) + biases[2])
            scores = mygrad.matmul(x, weights[3].T) + biases[3]
            softmax_crossentropy(scores, labels).backward()
            optimizer.step()

        return step

    return make


NETWORKS: dict[str, Callable[[tuple[int, ...]], Callable[[], None]]] = {
    "B MNIST 5x5 convnet": convnet(5, 1024),
    "E CIFAR-10 CNN": convnet(3, 128),
}
"""By case: makes a training step for a batch of some shape."""
