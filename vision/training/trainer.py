"""Trainer: the loop around a model, an optimizer and a loss."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from math import isfinite, nan
from typing import Any

import numpy as np

import autograd
import nn
from autograd import Tensor
from nn.amp import GradScaler, HalfPrecision
from nn.optim import Optimizer
from vision.training import state
from vision.training.callbacks import Callback
from vision.training.data import batches_of, check_inputs, check_labels, images_in
from vision.training.finder import LearningRates, find_learning_rate
from vision.training.modes import evaluating, set_training
from vision.training.progress import Tally, progress_bar

__all__ = ["Trainer"]

History = dict[str, list[float]]


class Trainer:
    """Train a model, look at how good it is, and use it.

    Data is a tuple (inputs, targets) of arrays or tensors, a data set, or a DataLoader. Arrays of
    uint8 become numbers in [0, 1].

    Args:
        model: the network; ``model(inputs)`` gives its output.
        optimizer: made for the model's parameters.
        loss: ``loss(output, targets)`` gives one number; cross-entropy unless given. Label
            smoothing is its own: ``nn.CrossEntropyLoss(label_smoothing=0.1)``.
        callbacks: what hooks into the training, called in this order.
        accumulate: how many batches make one step of the optimizer; the gradient is that of all
            their samples together.
        l1: times the sum of the absolute weights is added to what is minimised.
        l2: times the sum of the squared weights likewise; parameters of one dimension (biases,
            batch norm) are left out of both.
        precision: ``"full"``, or ``"mixed"``: the graph of a float32 model is made of float16
            values, in half the memory but several times the time, see `nn.amp.HalfPrecision`.
            Evaluation and prediction use the float32 model.
        progress: whether to show a progress bar (if tqdm is installed).

    Attributes:
        scaler: scales the loss; of interest for mixed precision.
        history: lists of numbers by name, one for each epoch: ``epoch``, ``train_loss`` (without
            the penalties), ``train_accuracy``, ``val_loss``, ``val_accuracy``, ``lr``, ``seconds``
            and ``images_per_second``; those of accuracy for classifiers only.
            ``pandas.DataFrame(trainer.history)`` is a table.
        epoch: how many epochs are finished.

    Raises:
        TypeError: a part is of another kind.
        ValueError: an argument is out of range, or the optimizer has none of the model's
            parameters.

    Example:
        >>> import nn, numpy as np
        >>> from vision.models import TinyCNN
        >>> _ = autograd.manual_seed(0)
        >>> model = TinyCNN((1, 8, 8), 2)
        >>> images = np.zeros((20, 1, 8, 8), np.float32)
        >>> images[10:] += 1
        >>> trainer = Trainer(model, nn.optim.Adam(model.parameters(), lr=0.01), progress=False)
        >>> history = trainer.fit((images, np.arange(20) // 10), epochs=5, batch_size=5)
        >>> history["epoch"], trainer.evaluate((images, np.arange(20) // 10))["accuracy"]
        ([1, 2, 3, 4, 5], 1.0)
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss: Callable[[Any, Any], Tensor] | None = None,
        *,
        callbacks: Sequence[Callback] = (),
        accumulate: int = 1,
        l1: float = 0.0,
        l2: float = 0.0,
        precision: str = "full",
        progress: bool = True,
    ) -> None:
        check_parts(model, optimizer, callbacks)
        if accumulate < 1:
            raise ValueError(f"Trainer: accumulate is at least 1, got {accumulate}")
        if not (l1 >= 0 and l2 >= 0):
            raise ValueError(f"Trainer: l1 and l2 are at least 0, got {l1} and {l2}")
        if precision not in ("full", "mixed"):
            raise ValueError(f"Trainer: precision is 'full' or 'mixed', got {precision!r}")
        self.model, self.optimizer = model, optimizer
        self.precision = precision
        self.scaler = GradScaler(enabled=precision == "mixed")
        self.loss = nn.CrossEntropyLoss() if loss is None else loss
        self.callbacks = sorted(callbacks, key=lambda callback: callback.runs_last)
        self.accumulate, self.l1, self.l2, self.progress = accumulate, l1, l2, progress
        self.history: History = {}
        self.epoch = 0
        self.stop = False

    def fit(
        self,
        train: Any,
        validation: Any = None,
        epochs: int = 1,
        *,
        batch_size: int = 32,
        shuffle: bool = True,
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for some epochs, and return the history of all so far.

        Args:
            train: what to learn from. A single sample that would be a batch of its own at the end
                of an epoch joins the batch before.
            validation: what to look at after each epoch.
            epochs: how many; with `resume` how many in all, those before the checkpoint included.
            batch_size: unless the data is a DataLoader.
            shuffle: likewise.
            resume: a checkpoint to go on from, as if the training had never stopped.

        Raises:
            ValueError: the data is empty or of one class; targets and inputs differ in number;
                images in arrays do not fit the model's ``input_shape``, are not finite or not
                scaled; a checkpoint of another model.
            IndexError: a label is out of range; nothing has changed then where the model knows its
                ``num_classes``.
            RuntimeError: the loss is no finite number, or everything is frozen.
        """
        if epochs < 0:
            raise ValueError(f"Trainer.fit: epochs is at least 0, got {epochs}")
        ignored = getattr(self.loss, "ignore_index", -100)
        check_labels("Trainer.fit", train, self._classes(), ignored)
        check_inputs("Trainer.fit", train, getattr(self.model, "input_shape", None))
        if not any(parameter.requires_grad for parameter in self.model.parameters()):
            raise RuntimeError("Trainer.fit: all parameters are frozen, there is nothing to train")
        batches = batches_of("Trainer.fit", train, batch_size, shuffle, self._dtype())
        held_out = None
        if validation is not None:
            size = max(batch_size, 250)
            held_out = batches_of("Trainer.fit: validation", validation, size, False, self._dtype())
        self.stop = False
        for callback in self.callbacks:
            callback.on_fit_begin(self)
        if resume is not None:
            self.load(resume)
        end = epochs if resume is not None else self.epoch + epochs
        while self.epoch < end and not self.stop:
            row = self._train_epoch(batches, end)
            if held_out is not None:
                values = self._evaluate("Trainer.fit: validation", held_out)
                row |= {f"val_{name}": value for name, value in values.items()}
            self.epoch += 1
            self._append(row)
            for callback in self.callbacks:
                callback.on_epoch_end(self, row)
        for callback in self.callbacks:
            callback.on_fit_end(self)
        return self.history

    def evaluate(self, data: Any, batch_size: int = 250) -> dict[str, float]:
        """The ``loss`` per sample and, for a classifier, the ``accuracy`` in [0, 1]."""
        name = "Trainer.evaluate"
        return self._evaluate(name, batches_of(name, data, batch_size, False, self._dtype()))

    def predict(self, data: Any, batch_size: int = 250) -> Tensor:
        """The model's output for all inputs, computed in batches: class scores (N, K).

        Args:
            data: inputs as an array or a tensor, or data as for `evaluate`, whose targets are not
                looked at.
            batch_size: unless `data` is a DataLoader.
        """
        if isinstance(data, (np.ndarray, Tensor)):
            data = (data, np.zeros(len(data) if data.ndim else 0))
        batches = batches_of("Trainer.predict", data, batch_size, False, self._dtype())
        with evaluating(self.model):
            outputs = [self.model(pair("Trainer.predict", batch)[0]) for batch in batches]
        if not outputs:
            raise ValueError("Trainer.predict: there are no inputs")
        return autograd.cat(outputs)  # list of (n, K) -> (N, K)

    def find_learning_rate(self, train: Any, **options: Any) -> LearningRates:
        """How the loss answers to a growing learning rate; the training stays as it is.

        Args:
            train: what to learn from, as in `fit`.
            **options: see `vision.training.find_learning_rate`.
        """
        return find_learning_rate(self.model, self.optimizer, self.loss, train, **options)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next epoch depends on."""
        return state.state_of(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `state_dict` to a file, at once or not at all."""
        autograd.save(self.state_dict(), path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go back to where `save` or a `Checkpoint` wrote the file.

        Raises:
            ValueError: the file is damaged, something else, or of another model or optimizer.
                Nothing has changed then.
            FileNotFoundError: there is no such file.
        """
        state.restore(self, autograd.load(path), os.fspath(path))

    def _train_epoch(self, batches: Iterable[Any], end: int) -> dict[str, float]:
        set_training(self.model)
        half = HalfPrecision(self.model) if self.precision == "mixed" else None
        tally, start = Tally(self._loss_is_mean()), time.perf_counter()
        bar = progress_bar(self.progress, f"epoch {self.epoch + 1}/{end}", images_in(batches))
        try:
            source = iter(batches)
            while group := list(islice(source, self.accumulate)):
                before = tally.seen
                self._step([pair("Trainer.fit", batch) for batch in group], tally, half)
                bar.set_postfix_str(tally.text(), refresh=False)
                bar.update(tally.seen - before)
        finally:
            bar.close()
        if not tally.seen:
            raise ValueError("Trainer.fit: the data gave no batches")
        seconds = time.perf_counter() - start
        return {
            "epoch": self.epoch + 1,
            **{f"train_{name}": value for name, value in tally.values().items()},
            "lr": float(self.optimizer.param_groups[0]["lr"]),
            "seconds": seconds,
            "images_per_second": tally.seen / max(seconds, 1e-9),
        }

    def _step(self, group: list[tuple[Any, Any]], tally: Tally, half: HalfPrecision | None) -> None:
        """One step of the optimizer, on the samples of some batches."""
        self.optimizer.zero_grad()
        total = sum(len(targets) for _, targets in group)
        for inputs, targets in group:
            output = (half or self.model)(inputs)
            loss = self._loss_of(output, targets)
            value = loss.item()
            if not isfinite(value):
                finite = not isinstance(inputs, Tensor) or bool(inputs.isfinite().all())
                hint = "try a smaller learning rate, or clip gradients"
                raise RuntimeError(
                    f"Trainer.fit: the loss is {value} in epoch {self.epoch + 1} after "
                    f"{tally.seen} images; "
                    f"{hint if finite else 'the inputs hold values that are no finite numbers'}"
                )
            share = len(targets) / total if tally.mean else 1.0
            self._backward(loss if share == 1.0 else loss * share, half)
            tally.add(value, output, targets)
        finite = self.scaler.all_finite(self.optimizer)
        if finite:
            if (self.l1 or self.l2) and (penalty := self._penalty()).requires_grad:
                penalty.backward()
            for callback in self.callbacks:
                callback.on_gradients(self)
            self.optimizer.step()
        if self.scaler.is_enabled():
            self.scaler.update()
        if half is not None:
            half.take_over_weights()
        if finite:
            for callback in self.callbacks:
                callback.on_step_end(self)

    def _backward(self, loss: Tensor, half: HalfPrecision | None) -> None:
        """Add the gradient of the loss to those of the model's parameters."""
        if half is None:
            loss.backward()
            return
        with np.errstate(over="ignore", invalid="ignore"):
            self.scaler.scale(loss).backward()
        half.hand_over_gradients()

    def _penalty(self) -> Tensor:
        """``l1 * sum |w| + l2 * sum w**2`` over all trained weights."""
        penalty = autograd.zeros((), dtype=self._dtype())
        for weight in self.model.parameters():
            if weight.requires_grad and weight.ndim > 1:
                if self.l1:
                    penalty = penalty + self.l1 * weight.abs().sum()
                if self.l2:
                    penalty = penalty + self.l2 * weight.square().sum()
        return penalty

    def _loss_of(self, output: Any, targets: Any) -> Tensor:
        loss = self.loss(output, targets)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            shape = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise ValueError(f"Trainer: the loss is one number, got {shape}")
        return loss

    def _loss_is_mean(self) -> bool:
        return getattr(self.loss, "reduction", "mean") != "sum"

    def _evaluate(self, name: str, batches: Iterable[Any]) -> dict[str, float]:
        tally = Tally(self._loss_is_mean())
        with evaluating(self.model):
            for batch in batches:
                inputs, targets = pair(name, batch)
                output = self.model(inputs)
                tally.add(self._loss_of(output, targets).item(), output, targets)
        if not tally.seen:
            raise ValueError(f"{name}: the data gave no batches")
        return tally.values()

    def _append(self, row: dict[str, float]) -> None:
        """Give every list of the history one more entry; NaN where the epoch has none."""
        done = self.epoch - 1
        for name in row:
            self.history.setdefault(name, [nan] * done)
        for name, values in self.history.items():
            values.append(row.get(name, nan))

    def _classes(self) -> int | None:
        """How many classes the targets may be of, where that is known."""
        known = getattr(self.model, "num_classes", None)
        return known if isinstance(self.loss, (nn.CrossEntropyLoss, nn.NLLLoss)) else None

    def _dtype(self) -> np.dtype[Any]:
        found = (p.dtype for p in self.model.parameters() if p.dtype.kind == "f")
        return next(found, autograd.get_default_dtype())


def check_parts(model: Any, optimizer: Any, callbacks: Any) -> None:
    """Refuse parts of another kind, and an optimizer of another model."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"Trainer: model is a nn.Module, got {type(model).__name__}")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"Trainer: optimizer is an Optimizer, got {type(optimizer).__name__}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"Trainer: a callback is a Callback, got {type(callback).__name__}")
    held = {id(param) for group in optimizer.param_groups for param in group["params"]}
    if held.isdisjoint(id(parameter) for parameter in model.parameters()):
        raise ValueError(
            f"Trainer: the optimizer holds no parameter of this {type(model).__name__}; make it "
            "from model.parameters(), after the last change of the model's layers"
        )


def pair(name: str, batch: Any) -> tuple[Any, Any]:
    """The inputs and targets of a batch."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        kind = type(batch).__name__
        parts = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
        raise TypeError(f"{name}: a batch is (inputs, targets), got a {kind}{parts}")
    return batch[0], batch[1]
