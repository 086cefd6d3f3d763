"""More networks to be timed, of the kinds that people build, beside those that `networks` has."""

from __future__ import annotations

from functools import partial
from typing import Any

from demos.networks import Network

__all__ = ["MORE_NETWORKS"]


def generator(nn: Any) -> Any:
    """Images of 32 x 32 from 64 numbers, by transposed convolutions."""
    layers: list[Any] = [nn.Unflatten(1, (64, 1, 1))]
    channels = 64
    for width, stride, padding in ((128, 1, 0), (64, 2, 1), (32, 2, 1)):
        layers += [
            nn.ConvTranspose2d(channels, width, 4, stride, padding, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh())


def discriminator(nn: Any) -> Any:
    """4x4 convolutions at stride 2 with leaky rectifiers."""
    layers: list[Any] = []
    channels = 3
    for width in (32, 64, 128):
        layers += [
            nn.Conv2d(channels, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
        ]
        channels = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 10))


def autoencoder(nn: Any) -> Any:
    """28 x 28 pixels to 64 numbers and back."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 32 * 7 * 7),
        nn.ReLU(),
        nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 16, 2, 2),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 2, 2),
        nn.Sigmoid(),
    )


def separable(nn: Any) -> Any:
    """Depthwise and 1x1 convolutions in turn, with ReLU6."""
    layers: list[Any] = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()]
    channels = 32
    for width, stride in ((64, 1), (128, 2), (128, 1), (256, 2)):
        layers += [
            nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU6(),
            nn.Conv2d(channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(),
        ]
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 10))


def audio(nn: Any) -> Any:
    """One-dimensional convolutions over 8,000 samples of sound."""
    return nn.Sequential(
        nn.Conv1d(1, 32, 80, 4),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.MaxPool1d(4),
        nn.Conv1d(32, 64, 3),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.MaxPool1d(4),
        nn.Conv1d(64, 128, 3, dilation=2),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def recurrent(nn: Any, kind: str, **options: Any) -> Any:
    """A recurrent layer of 128 units; its last output goes through a linear layer."""

    class Classifier(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.body = getattr(nn, kind)(32, 128, batch_first=True, **options)
            self.head = nn.Linear(256 if options.get("bidirectional") else 128, 10)

        def forward(self, x: Any) -> Any:  # (N, steps, 32) -> (N, 10)
            return self.head(self.body(x)[0][:, -1])

    return Classifier()


def encoder(nn: Any) -> Any:
    """Two transformer blocks that normalise first, with GELU and dropout."""
    options = {"dropout": 0.1, "activation": "gelu", "batch_first": True, "norm_first": True}
    return nn.Sequential(*(nn.TransformerEncoderLayer(128, 4, 512, **options) for _ in range(2)))


def group_norm_block(nn: Any, inputs: int, outputs: int) -> Any:
    """``skip(x) + f(x)``, with group norm and SiLU before each 3x3 convolution of f."""

    class Block(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.GroupNorm(8, inputs),
                nn.SiLU(),
                nn.Conv2d(inputs, outputs, 3, 1, 1),
                nn.GroupNorm(8, outputs),
                nn.SiLU(),
                nn.Conv2d(outputs, outputs, 3, 1, 1),
            )
            self.skip = nn.Conv2d(inputs, outputs, 1)

        def forward(self, x: Any) -> Any:
            return self.body(x) + self.skip(x)

    return Block()


def group_norm(nn: Any) -> Any:
    """Residual blocks as in diffusion models."""
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, 1, 1),
        group_norm_block(nn, 32, 32),
        group_norm_block(nn, 32, 64),
        nn.AvgPool2d(2),
        group_norm_block(nn, 64, 64),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def layer_norm_perceptron(nn: Any) -> Any:
    """Two layers of 1,024 units with layer norm, GELU and dropout."""
    layers: list[Any] = []
    for inputs in (512, 1024):
        layers += [nn.Linear(inputs, 1024), nn.LayerNorm(1024), nn.GELU(), nn.Dropout(0.1)]
    return nn.Sequential(*layers, nn.Linear(1024, 10))


def batch_norm_perceptron(nn: Any) -> Any:
    """Layers of 256 and 128 units with batch norm."""
    return nn.Sequential(
        nn.Linear(784, 256),
        nn.BatchNorm1d(256),
        nn.LeakyReLU(),
        nn.Linear(256, 128),
        nn.BatchNorm1d(128),
        nn.ELU(),
        nn.Linear(128, 10),
    )


def encoder_decoder(nn: Any) -> Any:
    """A U-shaped network of three sizes, whose two sides are added up."""

    def pair(inputs: int, outputs: int) -> Any:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1),
            nn.ReLU(),
        )

    class Network(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([pair(1, 16), pair(16, 32), pair(32, 64)])
            self.up = nn.ModuleList([pair(64, 32), pair(32, 16)])
            self.pool, self.grow = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
            self.head = nn.Conv2d(16, 2, 1)

        def forward(self, x: Any) -> Any:  # (N, 1, H, W) -> (N, 2, H, W)
            large = self.down[0](x)
            middle = self.down[1](self.pool(large))
            small = self.down[2](self.pool(middle))
            middle = self.up[0](self.grow(small)) + middle
            return self.head(self.up[1](self.grow(middle)) + large)

    return Network()


def lenet(nn: Any) -> Any:
    """As in LeCun et al. 1998, with mean pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Tanh(),
        nn.Linear(120, 84),
        nn.Tanh(),
        nn.Linear(84, 10),
    )


def volumes(nn: Any) -> Any:
    """Three-dimensional convolutions."""
    return nn.Sequential(
        nn.Conv3d(1, 16, 3, 1, 1),
        nn.BatchNorm3d(16),
        nn.ReLU(),
        nn.MaxPool3d(2),
        nn.Conv3d(16, 32, 3, 1, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def squeeze_block(nn: Any, channels: int) -> Any:
    """``relu(x + f(x) * s)`` with a factor s for each channel, which follows from its mean."""

    class Block(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels)
            )
            self.factor = nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(channels, channels // 4, 1),
                nn.ReLU(),
                nn.Conv2d(channels // 4, channels, 1),
                nn.Sigmoid(),
            )
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            changed = self.body(x)
            return self.relu(changed * self.factor(changed) + x)

    return Block()


def squeeze(nn: Any) -> Any:
    """Two blocks of squeeze and excitation."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2, 1),
        squeeze_block(nn, 64),
        squeeze_block(nn, 64),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def large_kernel_block(nn: Any, channels: int) -> Any:
    """A depthwise 7x7 convolution, layer norm of the channels, and two linear maps."""

    class Block(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
            self.body = nn.Sequential(
                nn.LayerNorm(channels),
                nn.Linear(channels, 4 * channels),
                nn.GELU(),
                nn.Linear(4 * channels, channels),
            )

        def forward(self, x: Any) -> Any:
            rows = self.mix(x).permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
            return x + self.body(rows).permute(0, 3, 1, 2)

    return Block()


def large_kernels(nn: Any) -> Any:
    """Blocks as in Liu et al. 2022, arXiv:2201.03545."""
    return nn.Sequential(
        nn.Conv2d(3, 48, 4, 4),
        large_kernel_block(nn, 48),
        large_kernel_block(nn, 48),
        nn.Conv2d(48, 96, 2, 2),
        large_kernel_block(nn, 96),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(96, 10),
    )


def patches(nn: Any) -> Any:
    """A transformer over patches of 4 x 4 pixels."""

    class Classifier(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Conv2d(3, 64, 4, 4)
            self.body = nn.Sequential(
                *(nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True) for _ in range(2))
            )
            self.head = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:  # (N, 3, H, W) -> (N, 10)
            rows = self.embed(x).flatten(2).transpose(1, 2)  # (N, 64, h, w) -> (N, h * w, 64)
            return self.head(self.body(rows).mean(1))

    return Classifier()


def bottleneck_block(nn: Any, channels: int) -> Any:
    """``relu(x + f(x))``: a 1x1 convolution to a quarter of the channels, a 3x3 one, and back."""

    class Block(nn.Module):  # type: ignore[misc]  # the base class is a parameter
        def __init__(self) -> None:
            super().__init__()
            few = channels // 4
            self.body = nn.Sequential(
                nn.Conv2d(channels, few, 1, bias=False),
                nn.BatchNorm2d(few),
                nn.ReLU(),
                nn.Conv2d(few, few, 3, 1, 1, bias=False),
                nn.BatchNorm2d(few),
                nn.ReLU(),
                nn.Conv2d(few, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.body(x) + x)

    return Block()


def bottlenecks(nn: Any) -> Any:
    """Residual blocks as in the deeper networks of He et al. 2016, arXiv:1512.03385."""
    return nn.Sequential(
        nn.Conv2d(3, 128, 3, 2, 1),
        bottleneck_block(nn, 128),
        bottleneck_block(nn, 128),
        nn.Conv2d(128, 256, 1, 2),
        bottleneck_block(nn, 256),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


MORE_NETWORKS: dict[str, Network] = {
    "generator": Network(generator, (32, 64)),
    "discriminator": Network(discriminator, (32, 3, 32, 32)),
    "autoencoder": Network(autoencoder, (128, 1, 28, 28)),
    "depthwise separable CNN": Network(separable, (32, 3, 32, 32)),
    "audio CNN": Network(audio, (16, 1, 8000)),
    "RNN": Network(partial(recurrent, kind="RNN"), (32, 50, 32)),
    "GRU": Network(partial(recurrent, kind="GRU"), (32, 50, 32)),
    "LSTM both ways": Network(
        partial(recurrent, kind="LSTM", num_layers=2, bidirectional=True), (32, 30, 32)
    ),
    "pre-norm transformer": Network(encoder, (16, 64, 128)),
    "group-norm CNN": Network(group_norm, (16, 3, 32, 32)),
    "layer-norm perceptron": Network(layer_norm_perceptron, (256, 512)),
    "batch-norm perceptron": Network(batch_norm_perceptron, (64, 784)),
    "encoder-decoder": Network(encoder_decoder, (8, 1, 64, 64)),
    "LeNet": Network(lenet, (64, 1, 28, 28)),
    "volumes": Network(volumes, (8, 1, 16, 32, 32)),
    "squeeze and excitation": Network(squeeze, (32, 3, 32, 32)),
    "large kernels": Network(large_kernels, (16, 3, 64, 64)),
    "vision transformer": Network(patches, (32, 3, 32, 32)),
    "bottlenecks": Network(bottlenecks, (32, 3, 32, 32)),
}
"""By name."""
