"""Networks to be timed, written once for `nn` and for `torch.nn` alike."""

from __future__ import annotations

from typing import Any

__all__ = ["NETWORKS"]


def mnist_convnet(nn: Any) -> Any:
    """5x5 convolutions of 32 and 64 filters, then 1,024 units: for MNIST."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 1024),
        nn.ReLU(),
        nn.Linear(1024, 10),
    )


def batch_norm_cnn(nn: Any) -> Any:
    """Two pairs of 3x3 convolutions with batch norm and spatial dropout: for MNIST."""

    def block(inputs: int, outputs: int) -> list[Any]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]

    return nn.Sequential(
        *block(1, 32),
        *block(32, 32),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.25),
        *block(32, 64),
        *block(64, 64),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.25),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def cifar_cnn(nn: Any) -> Any:
    """3x3 convolutions of 32 and 64 filters, then 128 units: for CIFAR-10."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 8 * 8, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def perceptron(nn: Any) -> Any:
    """Three layers of 256 units."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.ReLU(),
        nn.Linear(256, 10),
    )


NETWORKS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "MNIST 5x5 convnet": (mnist_convnet, (128, 1, 28, 28)),
    "batch-norm CNN": (batch_norm_cnn, (32, 1, 28, 28)),
    "CIFAR-10 CNN": (cifar_cnn, (64, 3, 32, 32)),
    "perceptron": (perceptron, (128, 1, 28, 28)),
}
"""By name: a function of the library's `nn`, and the shape of a batch."""
