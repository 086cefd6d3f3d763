"""A convolutional network with batch norm and spatial dropout, which trains itself."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
import nn
from autograd import Tensor
from nn import optim
from nn.optim import Optimizer
from nn.optim.lr_scheduler import LRScheduler
from nn.summary import ModelSummary
from vision.models.classifier import ImageClassifier, flat_size
from vision.training import Callback, Schedule, Trainer
from vision.training.data import as_images
from vision.training.functions import checked
from vision.training.modes import evaluating
from vision.weights import load_weights

__all__ = ["CNN"]

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": optim.Adam,
    "sgd": optim.SGD,
    "momentum": partial(optim.SGD, momentum=0.9),
    "rmsprop": optim.RMSprop,
    "adagrad": optim.Adagrad,
}


class CNN(ImageClassifier):
    """Four convolutions in two stages, then two linear layers.

    Each stage is convolution, batch norm, ReLU, twice, with 32 and 64 filters of 3 x 3; then max
    pooling and spatial dropout. A linear layer of 128 with batch norm, ReLU and dropout of 0.5
    follows, and one for the classes.

    Args:
        input_shape: (C, H, W) of an image, H and W at least 4.
        num_classes: the number of classes.
        use_batchnorm: whether there is batch norm.
        dropout_rate: the share of channels that is zeroed after each stage in training.
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (1, 28, 28),
        num_classes: int = 10,
        use_batchnorm: bool = True,
        dropout_rate: float = 0.25,
    ) -> None:
        super().__init__(input_shape, num_classes)
        self.use_batchnorm = use_batchnorm
        self.dropout_rate = dropout_rate
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        channels = self.input_shape[0]
        for place, width in enumerate((32, 32, 64, 64), start=1):
            layers[f"conv{place}"] = nn.Conv2d(
                channels, width, 3, padding=1, bias=not use_batchnorm
            )
            if use_batchnorm:
                layers[f"bn{place}"] = nn.BatchNorm2d(width)
            layers[f"relu{place}"] = nn.ReLU()
            if place % 2 == 0:
                layers[f"pool{place // 2}"] = nn.MaxPool2d(2)
                layers[f"dropout{place // 2}"] = nn.Dropout2d(dropout_rate)
            channels = width
        self.features: nn.Sequential = nn.Sequential(layers)
        size = flat_size("CNN", self.features, self.input_shape)
        hidden: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        hidden["fc1"] = nn.Linear(size, 128, bias=not use_batchnorm)
        if use_batchnorm:
            hidden["bn"] = nn.BatchNorm1d(128)
        hidden["relu"] = nn.ReLU()
        hidden["dropout"] = nn.Dropout(0.5)
        hidden["fc2"] = nn.Linear(128, num_classes)
        self.classifier: nn.Sequential = nn.Sequential(hidden)

    def fit(
        self,
        X: Any,
        y: Any,
        epochs: int = 5,
        batch_size: int = 32,
        learning_rate: float = 0.001,
        optimizer: str | Callable[..., Optimizer] = "adam",
        validation_data: tuple[Any, Any] | None = None,
        *,
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
        callbacks: Sequence[Callback] = (),
        progress: bool = True,
    ) -> dict[str, list[float]]:
        """Train, and return the history: lists by name, one number for each epoch.

        Args:
            X: images (N, C, H, W), or (N, H, W) for one channel: uint8, or floating-point in a
                range such as [0, 1].
            y: labels (N,), or one-hot rows (N, K).
            epochs: how often each image is learned from.
            batch_size: how many images make a step.
            learning_rate: of the optimizer.
            optimizer: ``"adam"``, ``"sgd"``, ``"momentum"``, ``"rmsprop"``, ``"adagrad"``, or a
                class of `nn.optim`.
            validation_data: images and labels to look at after each epoch.
            scheduler: makes a schedule of the learning rate, which goes on with the epochs.
            callbacks: see `vision.training.Trainer`.
            progress: whether to show a progress bar.

        Raises:
            ValueError: images or labels that do not fit, no images, one class only, or an unknown
                optimizer.
        """
        maker = OPTIMIZERS.get(optimizer) if isinstance(optimizer, str) else optimizer
        if maker is None:
            raise ValueError(f"CNN.fit: optimizer is one of {list(OPTIMIZERS)}, got {optimizer!r}")
        train = checked("CNN.fit", X, y, self.input_shape, self.num_classes)
        validation = None
        if validation_data is not None:
            validation = checked("CNN.fit", *validation_data, self.input_shape, self.num_classes)
        chosen = maker(self.parameters(), lr=learning_rate)
        hooks = [*callbacks, *([Schedule(scheduler(chosen))] if scheduler else [])]
        trainer = Trainer(self, chosen, callbacks=hooks, progress=progress)
        return trainer.fit(train, validation, epochs, batch_size=batch_size)

    def predict_proba(self, X: Any, batch_size: int = 250) -> NDArray[np.float32]:
        """The probability of each class for each image: (N, K)."""
        images = as_images("CNN.predict_proba", X, self.input_shape)
        with evaluating(self):
            parts = [self(part).softmax(1) for part in images.split(batch_size)]
        return autograd.cat(parts).numpy()

    def predict(self, X: Any, batch_size: int = 250) -> NDArray[np.int64]:
        """The most probable class of each image: (N,)."""
        return np.asarray(self.predict_proba(X, batch_size).argmax(1), np.int64)

    def score(self, X: Any, y: Any, batch_size: int = 250) -> float:
        """The share of images that are taken for what they are, in [0, 1]."""
        images, labels = checked("CNN.score", X, y, self.input_shape, self.num_classes)
        return float((self.predict(images, batch_size) == labels.array).mean())

    def summary(self) -> ModelSummary:
        """The table of layers, output shapes and parameters, see `nn.summary`."""
        return nn.summary(self, (1, *self.input_shape))

    def get_feature_maps(self, image: Any) -> dict[str, NDArray[np.float32]]:
        """What each layer makes of one image: arrays (D, h, w) by the layer's name.

        Args:
            image: (C, H, W), or (H, W) for one channel.
        """
        x = as_images("CNN.get_feature_maps", single(image, self.input_shape), self.input_shape)
        maps = {}
        with evaluating(self):
            for name, layer in self.features.named_children():
                x = layer(x)
                maps[name] = x.numpy()[0]  # (1, D, h, w) -> (D, h, w)
        return maps

    def config(self) -> dict[str, Any]:
        """The arguments that make such a network."""
        names = ("input_shape", "num_classes", "use_batchnorm", "dropout_rate")
        return {name: getattr(self, name) for name in names}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights and configuration to an .npz file."""
        autograd.save({"config": self.config(), "weights": self.state_dict()}, path)

    def load(self, path: str | os.PathLike[str]) -> CNN:
        """Take over the weights that `save` wrote, and return the network.

        Raises:
            ValueError: the file is damaged, or of another network; nothing has changed then.
            FileNotFoundError: there is no such file.
        """
        content = saved(path)
        own, other = self.config(), content["config"]
        shaping = ("input_shape", "num_classes", "use_batchnorm")
        differ = [name for name in shaping if other.get(name) != own[name]]
        if differ:
            theirs = ", ".join(f"{name}={other.get(name)}" for name in differ)
            ours = ", ".join(f"{name}={own[name]}" for name in differ)
            raise ValueError(
                f"CNN.load: {os.fspath(path)} is of a network with {theirs}, this one has {ours}; "
                "CNN.from_file makes the network in the file"
            )
        load_weights(self, content["weights"])
        return self

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> CNN:
        """Make the network that `save` wrote.

        Raises:
            ValueError: the file is damaged or something else.
            FileNotFoundError: there is no such file.
        """
        content = saved(path)
        network = cls(**content["config"])
        load_weights(network, content["weights"])
        return network


def saved(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What `CNN.save` wrote."""
    content = autograd.load(path)
    if not isinstance(content, dict) or set(content) != {"config", "weights"}:
        raise ValueError(f"CNN.load: {os.fspath(path)} was not written by CNN.save")
    return content


def single(image: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    """One image as a batch."""
    array = image.detach().numpy() if isinstance(image, Tensor) else np.asarray(image)
    if array.ndim == 2 and shape[0] == 1:
        array = array[None]  # (H, W) -> (1, H, W)
    if array.shape != shape:
        raise ValueError(
            f"CNN.get_feature_maps: got an image of shape {array.shape}, expected {shape}"
        )
    return array[None]  # (C, H, W) -> (1, C, H, W)
