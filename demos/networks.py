"""Networks to be timed, written once for `nn` and for `torch.nn` alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["NETWORKS", "Network"]


class Network(NamedTuple):
    """A network and the batch that it is timed with.

    Attributes:
        build: makes it from the library's `nn`.
        shape: of a batch, which holds normally distributed numbers; the network returns scores
            of 10 classes for each of its samples, or a tensor of any other shape.
    """

    build: Callable[[Any], Any]
    shape: tuple[int, ...]


def tiny_cnn(nn: Any) -> Any:
    """3x3 convolutions of 16 and 32 filters, one linear layer."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )


def simple_cnn(nn: Any) -> Any:
    """Six 3x3 convolutions in stages of 32, 64 and 128 filters, with batch norm and dropout."""
    layers: list[Any] = []
    channels = 3
    for width in (32, 64, 128):
        for _ in range(2):
            layers += [
                nn.Conv2d(channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(128 * 4 * 4, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def mnist_convnet(nn: Any) -> Any:
    """5x5 convolutions of 32 and 64 filters, then 1,024 units."""
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
    """Two pairs of 3x3 convolutions with batch norm and spatial dropout, then 128 units."""

    def block(inputs: int, outputs: int) -> list[Any]:
        conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return [conv, nn.BatchNorm2d(outputs), nn.ReLU()]

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
        nn.Linear(64 * 7 * 7, 128, bias=False),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def quick_start_cnn(nn: Any) -> Any:
    """3x3 convolutions of 32 and 64 filters with batch norm, then 128 units with dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def cifar_cnn(nn: Any) -> Any:
    """3x3 convolutions of 32 and 64 filters, then 128 units."""
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


def residual_block(nn: Any, inputs: int, outputs: int, stride: int) -> Any:
    """``relu(x + f(x))`` with two 3x3 convolutions in f; a 1x1 one for x where shapes differ."""

    class Block(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
                nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
            )
            self.skip = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.skip = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x: Any) -> Any:
            return self.relu(self.body(x) + self.skip(x))

    return Block()


def resnet18(nn: Any) -> Any:
    """ResNet-18 for images of 32 x 32: a 3x3 convolution first, and no pooling before the stages.

    Reference: He et al. 2016, arXiv:1512.03385.
    """
    layers = [nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    channels = 64
    for stage in range(4):
        width = 64 << stage
        layers.append(residual_block(nn, channels, width, 1 if stage == 0 else 2))
        layers.append(residual_block(nn, width, width, 1))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


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


def lstm_classifier(nn: Any, layers: int = 1) -> Any:
    """An LSTM of 128 units; its last hidden state goes through a linear layer."""

    class Classifier(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.LSTM(128, 128, layers, batch_first=True)
            self.head = nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:  # (N, steps, 128) -> (N, 10)
            _, (hidden, _) = self.body(x)
            return self.head(hidden[-1])

    return Classifier()


def deep_lstm_classifier(nn: Any) -> Any:
    """The same with two layers of LSTM."""
    return lstm_classifier(nn, layers=2)


def transformer_block(nn: Any) -> Any:
    """Attention in 4 heads of a width of 128, then linear maps over 512 units."""
    return nn.TransformerEncoderLayer(128, 4, 512, batch_first=True)


NETWORKS: dict[str, Network] = {
    "A TinyCNN": Network(tiny_cnn, (64, 1, 28, 28)),
    "A SimpleCNN": Network(simple_cnn, (64, 3, 32, 32)),
    "B MNIST 5x5 convnet": Network(mnist_convnet, (128, 1, 28, 28)),
    "C batch-norm CNN": Network(batch_norm_cnn, (32, 1, 28, 28)),
    "D quick start": Network(quick_start_cnn, (32, 1, 28, 28)),
    "E CIFAR-10 CNN": Network(cifar_cnn, (64, 3, 32, 32)),
    "ResNet-18": Network(resnet18, (32, 3, 32, 32)),
    "perceptron": Network(perceptron, (128, 1, 28, 28)),
    "LSTM": Network(lstm_classifier, (32, 64, 128)),
    "LSTM of two layers": Network(deep_lstm_classifier, (32, 64, 128)),
    "transformer block": Network(transformer_block, (16, 64, 128)),
}
"""By name; the letters are those of the five projects that came before this one."""
