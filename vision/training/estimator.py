"""Classifier: networks as estimators of scikit-learn."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Generator, Tensor, cat, from_numpy, randint
from autograd.generator import use_generator
from nn.data import Subset, TensorDataset
from nn.optim import Optimizer
from nn.optim.lr_scheduler import LRScheduler
from vision.models.cnn import OPTIMIZERS
from vision.models.small import TinyCNN
from vision.training.callbacks import Callback, EarlyStopping, Schedule
from vision.training.data import scaled
from vision.training.modes import evaluating
from vision.training.trainer import Trainer

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "Classifier: needs scikit-learn 1.6 or newer, which is not installed: "
        'pip install "scikit-learn>=1.6"'
    ) from error

__all__ = ["Classifier"]

SMALLEST_IMAGE = 4
BATCH = 250


class Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """A network as an estimator of scikit-learn: for its pipelines, cross-validation and searches.

    ``X`` is an array (N, D), or images (N, C, H, W); float64 is computed with as such, everything
    else as float32, uint8 as numbers in [0, 1]. Labels may be of any type. With the same
    `random_state` the result is the same; the random numbers of `autograd` are left alone.

    Args:
        module: a class or function that makes the network, which gives a score for each class.
            `input_shape` (of one sample), `num_classes` and `n_classes` are passed where it has
            parameters of these names. Unless given: linear layers of the widths `hidden` with
            ReLU between them, or `TinyCNN` for images of at least 4 x 4 pixels.
        module_params: further arguments of `module`.
        hidden: the widths of the hidden layers, for the network of linear layers.
        input_shape: the shape of one sample, where X holds them flat: (1, 8, 8) for rows of 64.
        optimizer: ``"adam"``, ``"sgd"``, ``"momentum"``, ``"rmsprop"``, ``"adagrad"``, or a class
            of `nn.optim`.
        lr: the learning rate.
        weight_decay: of the optimizer.
        max_epochs: how often `fit` learns from each sample.
        batch_size: how many samples make a step.
        label_smoothing: which share of a label is spread over all classes.
        scheduler: makes a schedule of `nn.optim.lr_scheduler` from the optimizer; it goes on with
            the epochs.
        callbacks: see `Trainer`; each `fit` uses copies.
        early_stopping: whether to hold out a share of each class, to stop when its loss has not
            got better for `n_iter_no_change` epochs, and to keep the weights of the best.
        validation_fraction: that share.
        n_iter_no_change: see `early_stopping`.
        random_state: a seed, a generator of NumPy, or None.
        verbose: whether to show progress bars.

    Attributes:
        module_: the network.
        classes_: the labels, sorted.
        n_features_in_: the size of the second axis of X.
        feature_names_in_: the names of the columns, if X had names.
        n_iter_: how many epochs it has learned.
        history_: see `Trainer`.
        sample_shape_: the shape of one sample, as the network is given it.

    Raises:
        ImportError: at the import, if scikit-learn is not installed.
        ValueError: in `fit`: arguments out of range, one class only, data that is not finite, or a
            network that gives another number of scores.
        sklearn.exceptions.NotFittedError: in `predict`: before `fit`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import StandardScaler
        >>> X, y = load_iris(return_X_y=True)
        >>> model = make_pipeline(StandardScaler(), Classifier(random_state=0))
        >>> model.fit(X, y).score(X, y) > 0.9
        True
    """

    def __init__(
        self,
        module: Callable[..., nn.Module] | None = None,
        *,
        module_params: Mapping[str, Any] | None = None,
        hidden: Sequence[int] = (100,),
        input_shape: Sequence[int] | None = None,
        optimizer: str | Callable[..., Optimizer] = "adam",
        lr: float = 0.005,
        weight_decay: float = 0.0,
        max_epochs: int = 20,
        batch_size: int = 32,
        label_smoothing: float = 0.0,
        scheduler: Callable[[Optimizer], LRScheduler] | None = None,
        callbacks: Sequence[Callback] = (),
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.module = module
        self.module_params = module_params
        self.hidden = hidden
        self.input_shape = input_shape
        self.optimizer = optimizer
        self.lr = lr
        self.weight_decay = weight_decay
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.label_smoothing = label_smoothing
        self.scheduler = scheduler
        self.callbacks = callbacks
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any) -> Classifier:
        """Make the network anew, and train it."""
        self._forget()
        samples, labels = self._checked(X, y, reset=True)
        with use_generator(self._new_generator()):
            self._start(samples, np.unique(labels))
            train, held_out = (samples, np.searchsorted(self.classes_, labels)), None
            callbacks = list(deepcopy(self.callbacks))
            if self.early_stopping:
                train, held_out = self._held_out(*train)
                callbacks.append(EarlyStopping(self.n_iter_no_change))
            optimizer = self._new_optimizer()
            if self.scheduler is not None:
                callbacks.append(Schedule(self.scheduler(optimizer)))
            trainer = self._trainer(optimizer, callbacks)
            trainer.fit(train, held_out, self.max_epochs, batch_size=self.batch_size)
        self.history_, self.n_iter_ = trainer.history, trainer.epoch
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Classifier:
        """Go once through some samples, without forgetting those before.

        Callbacks, schedule and early stopping belong to `fit`, and are left out here.

        Args:
            X: as in `fit`.
            y: their labels; one class alone is welcome here.
            classes: all labels that there will be; needed at the first call if `y` lacks some.

        Raises:
            ValueError: a label that is not among the classes.
        """
        first = not hasattr(self, "module_")
        samples, labels = self._checked(X, y, reset=first)
        known = np.unique(labels if classes is None else classes) if first else self.classes_
        unknown = np.setdiff1d(labels, known).tolist()
        if unknown:
            raise ValueError(
                f"Classifier.partial_fit: the label {unknown[0]!r} is not among the classes "
                f"{known.tolist()}; give all of them at the first call"
            )
        if first or not hasattr(self, "_optimizer"):
            self._generator = self._new_generator()
        with use_generator(self._generator):
            if first:
                self._start(samples, known)
                self.history_, self.n_iter_ = {}, 0
            if not hasattr(self, "_optimizer"):
                self._optimizer = self._new_optimizer()
            trainer = self._trainer(self._optimizer, [])
            trainer.history, trainer.epoch = self.history_, self.n_iter_
            labelled = TensorDataset(
                from_numpy(samples), from_numpy(np.searchsorted(self.classes_, labels))
            )
            # A subset, because the trainer refuses labels of one class where it sees them.
            part: Subset[Any] = Subset(labelled, range(len(labels)))
            trainer.fit(part, epochs=1, batch_size=self.batch_size)
        self.n_iter_ = trainer.epoch
        return self

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """The probability of each class, in the order of `classes_`: (N, K)."""
        check_is_fitted(self)
        shape = tuple(getattr(X, "shape", ()))[1:]
        if len(shape) > 1 and self.input_shape is None and shape != self.sample_shape_:
            raise ValueError(
                f"Classifier.predict: got samples of shape {shape}, expected "
                f"{self.sample_shape_} as in fit"
            )
        samples = self._shaped(validate_data(self, X, reset=False, allow_nd=True))
        with evaluating(self.module_):
            batches = from_numpy(samples.astype(self._dtype(), copy=False)).split(BATCH)
            return cat([self.module_(batch).softmax(1) for batch in batches]).numpy()

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each sample: (N,)."""
        shares = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[shares.argmax(1)]
        return labels

    def _forget(self) -> None:
        """Let go of what `partial_fit` goes on with."""
        for name in ("_optimizer", "_generator"):
            self.__dict__.pop(name, None)

    def _dtype(self) -> np.dtype[Any]:
        return next(p.dtype for p in self.module_.parameters())

    def _new_generator(self) -> Generator:
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        return Generator().manual_seed(seed)

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        """X in the shape and type of the network, and y as an array (N,)."""
        samples, labels = validate_data(self, X, y, reset=reset, allow_nd=True)
        check_classification_targets(labels)
        return self._shaped(samples), labels

    def _shaped(self, X: NDArray[Any]) -> NDArray[Any]:
        dtype = np.dtype(np.float64 if X.dtype == np.float64 else np.float32)
        samples = scaled(X, dtype).astype(dtype, copy=False)
        if self.input_shape is None:
            return samples
        if prod(samples.shape[1:]) != prod(self.input_shape):
            raise ValueError(
                f"Classifier: got samples of shape {samples.shape[1:]}, expected "
                f"{prod(self.input_shape)} numbers for the input_shape {tuple(self.input_shape)}"
            )
        return samples.reshape(-1, *self.input_shape)  # (N, ...) -> (N, *input_shape)

    def _start(self, samples: NDArray[Any], classes: NDArray[Any]) -> None:
        """Make the network, if it gives a score for each class."""
        if len(classes) < 2:
            raise ValueError(
                f"Classifier.fit: the labels are of 1 class ({classes.tolist()[0]!r}), "
                "expected at least 2"
            )
        shape = samples.shape[1:]
        network = self._network(shape, len(classes)).to(samples.dtype)
        with evaluating(network):
            scores = network(from_numpy(samples[:1]))
        if not isinstance(scores, Tensor) or tuple(scores.shape) != (1, len(classes)):
            came = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise ValueError(
                f"Classifier.fit: the network gives {came} for one sample, expected "
                f"{(1, len(classes))}: a score for each class"
            )
        self.module_, self.classes_, self.sample_shape_ = network, classes, shape

    def _network(self, shape: tuple[int, ...], classes: int) -> nn.Module:
        extra = dict(self.module_params or {})
        if self.module is None:
            image = len(shape) == 3 and min(shape[1:]) >= SMALLEST_IMAGE
            return TinyCNN(shape, classes) if image else perceptron(shape, self.hidden, classes)
        if isinstance(self.module, nn.Module):
            raise TypeError(
                f"Classifier: module is a {type(self.module).__name__}, expected a class or a "
                "function: each fit makes a new network"
            )
        given = {"input_shape": shape, "num_classes": classes, "n_classes": classes}
        network = self.module(**{k: given[k] for k in parameter_names(self.module, given)} | extra)
        if not isinstance(network, nn.Module):
            raise TypeError(
                f"Classifier: module makes a nn.Module, got a {type(network).__name__} from it"
            )
        return network

    def _new_optimizer(self) -> Optimizer:
        chosen = self.optimizer
        maker = OPTIMIZERS.get(chosen) if isinstance(chosen, str) else chosen
        if maker is None:
            raise ValueError(f"Classifier: optimizer is one of {list(OPTIMIZERS)}, got {chosen!r}")
        return maker(self.module_.parameters(), lr=self.lr, weight_decay=self.weight_decay)

    def _trainer(self, optimizer: Optimizer, callbacks: Sequence[Callback]) -> Trainer:
        loss = nn.CrossEntropyLoss(label_smoothing=self.label_smoothing)
        return Trainer(
            self.module_, optimizer, loss, callbacks=callbacks, progress=bool(self.verbose)
        )

    def _held_out(self, samples: NDArray[Any], labels: NDArray[Any]) -> tuple[Any, Any]:
        """What to learn from, and what to choose by."""
        train, held_out = train_test_split(
            np.arange(len(labels)),
            test_size=self.validation_fraction,
            stratify=labels,
            random_state=int(randint(0, 2**31 - 1, (1,)).item()),
        )
        return (samples[train], labels[train]), (samples[held_out], labels[held_out])


def parameter_names(function: Callable[..., Any], wanted: Iterable[str]) -> list[str]:
    """Those of the names that are parameters of a function."""
    try:
        known = inspect.signature(function).parameters
    except ValueError:  # one written in C may not tell
        return []
    return [name for name in wanted if name in known]


def perceptron(shape: tuple[int, ...], hidden: Sequence[int], classes: int) -> nn.Module:
    """Linear layers with ReLU between them: (N, ...) to (N, K)."""
    widths = [prod(shape), *hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], classes))
