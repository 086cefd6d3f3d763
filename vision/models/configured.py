"""Convolutional networks built from plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import nn
from vision.models.classifier import ImageClassifier, flat_size, he_initialise

__all__ = ["ConvNet", "MNISTNet", "convnet_from_config"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}
POOLS: dict[str, Callable[..., nn.Module]] = {"max_pool": nn.MaxPool2d, "avg_pool": nn.AvgPool2d}
STAGE = ("conv", "batch_norm", "activation", *POOLS, "dropout")
WINDOW = ("n_f", "n_s", "n_p")


class ConvNet(ImageClassifier):
    """A network of convolution stages and then linear layers; see `convnet_from_config`."""

    def __init__(
        self,
        conv_layers: Sequence[Mapping[str, Any]],
        dense_layers: Sequence[int],
        input_shape: Sequence[int],
        *,
        activation: str = "relu",
        dropout_rate: float = 0.0,
    ) -> None:
        if not dense_layers:
            raise ValueError(f"{type(self).__name__}: dense_layers is empty, expected e.g. [10]")
        super().__init__(input_shape, dense_layers[-1])
        name = type(self).__name__
        stages: list[nn.Module] = []
        channels = self.input_shape[0]
        for place, config in enumerate(conv_layers):
            where = f"{name}: conv_layers[{place}]"
            stage, channels = conv_stage(where, config, channels, activation)
            stages += stage
        self.features = nn.Sequential(*stages)
        size = flat_size(name, self.features, self.input_shape)
        layers: list[nn.Module] = [nn.Flatten()]
        for width in dense_layers[:-1]:
            layers += [nn.Linear(size, width), new_activation(name, activation)]
            size = width
            if dropout_rate:
                layers.append(nn.Dropout(dropout_rate))
        self.classifier = nn.Sequential(*layers, nn.Linear(size, dense_layers[-1]))
        he_initialise(self)


def convnet_from_config(
    conv_layers: Sequence[Mapping[str, Any]],
    dense_layers: Sequence[int],
    input_shape: Sequence[int] = (1, 28, 28),
    *,
    activation: str = "relu",
    dropout_rate: float = 0.0,
) -> ConvNet:
    """Build a convolutional network from plain dictionaries, such as a JSON file holds.

    Args:
        conv_layers: a dictionary for each stage, with these entries, in this order:
            ``conv``: ``n_filters``, ``n_f`` (side of the filters), ``n_s`` (stride, 1) and ``n_p``
            (zeros around the image, 0); ``batch_norm``: True to have it; ``activation``: in place
            of the argument; ``max_pool`` or ``avg_pool``: ``n_f``, ``n_s`` (`n_f`) and ``n_p`` (0);
            ``dropout``: the share of channels that is zeroed. All but ``conv`` may be absent.
        dense_layers: the widths of the linear layers, the last one being the number of classes.
        input_shape: (C, H, W) of an image.
        activation: ``"relu"``, ``"leaky_relu"``, ``"elu"``, ``"sigmoid"`` or ``"tanh"``.
        dropout_rate: the share of values zeroed between linear layers.

    Raises:
        ValueError: an entry is unknown or missing; it says where.

    Example:
        >>> conv = {"n_f": 5, "n_s": 1, "n_p": 2, "n_filters": 32}
        >>> net = convnet_from_config([{"conv": conv, "max_pool": {"n_f": 2, "n_s": 2}}], [64, 10])
        >>> [type(layer).__name__ for layer in net.features]
        ['Conv2d', 'ReLU', 'MaxPool2d']
    """
    return ConvNet(
        conv_layers, dense_layers, input_shape, activation=activation, dropout_rate=dropout_rate
    )


class MNISTNet(ConvNet):
    """Convolutions of 32 and 64 filters of 5 x 5, each with ReLU and pooling; 1024 hidden values.

    It is built from ``MNISTNet.CONV_LAYERS`` and ``[1024, num_classes]``.
    """

    CONV_LAYERS: tuple[dict[str, dict[str, int]], ...] = (
        {
            "conv": {"n_f": 5, "n_s": 1, "n_p": 2, "n_filters": 32},
            "max_pool": {"n_f": 2, "n_s": 2},
        },
        {
            "conv": {"n_f": 5, "n_s": 1, "n_p": 2, "n_filters": 64},
            "max_pool": {"n_f": 2, "n_s": 2},
        },
    )

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        dropout_rate: float = 0.0,
    ) -> None:
        super().__init__(
            self.CONV_LAYERS, [1024, num_classes], input_shape, dropout_rate=dropout_rate
        )


def conv_stage(
    where: str, config: Mapping[str, Any], channels: int, activation: str
) -> tuple[list[nn.Module], int]:
    """The layers of one stage, and how many channels leave it."""
    check_keys(where, config, STAGE, ("conv",))
    conv = config["conv"]
    check_keys(f"{where}['conv']", conv, (*WINDOW, "n_filters"), ("n_f", "n_filters"))
    width = int(conv["n_filters"])
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, conv["n_f"], conv.get("n_s", 1), conv.get("n_p", 0))
    ]
    if config.get("batch_norm"):
        layers.append(nn.BatchNorm2d(width))
    layers.append(new_activation(where, config.get("activation", activation)))
    for kind, layer in POOLS.items():
        if kind in config:
            pool = config[kind]
            check_keys(f"{where}['{kind}']", pool, WINDOW, ("n_f",))
            layers.append(layer(pool["n_f"], pool.get("n_s"), pool.get("n_p", 0)))
    if config.get("dropout"):
        layers.append(nn.Dropout2d(config["dropout"]))
    return layers, width


def check_keys(where: str, config: Any, known: Sequence[str], needed: Sequence[str]) -> None:
    """Refuse a dictionary that lacks an entry or has an unknown one."""
    if not isinstance(config, Mapping):
        raise ValueError(f"{where} is {config!r}, expected a dictionary")
    unknown = [key for key in config if key not in known]
    missing = [key for key in needed if key not in config]
    if unknown or missing:
        raise ValueError(
            f"{where}: missing {missing}, unknown {unknown}; an entry is one of {list(known)}"
        )


def new_activation(where: str, name: str) -> nn.Module:
    """The activation of that name."""
    if name not in ACTIVATIONS:
        raise ValueError(f"{where}: activation is one of {list(ACTIVATIONS)}, got {name!r}")
    return ACTIVATIONS[name]()
