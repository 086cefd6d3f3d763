"""Training: the loop, its callbacks, resuming, the networks that train themselves."""

from __future__ import annotations

import csv
import json
import sys

import numpy as np
import pytest

import autograd
import nn
from nn import optim
from nn.data import DataLoader, TensorDataset
from nn.optim import lr_scheduler
from vision import models
from vision.training import (
    Callback,
    Checkpoint,
    CSVLog,
    EarlyStopping,
    GradientClipping,
    Schedule,
    Trainer,
    train_cnn,
)

SHAPE = (1, 8, 8)
COLUMNS = ["epoch", "train_loss", "train_accuracy", "lr", "seconds", "images_per_second"]


def pictures(count=48, classes=3, seed=0, dtype=np.float32):
    """Noise with a bright row, whose place is the class."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    images = random.uniform(0, 0.4, (count, *SHAPE))
    images[np.arange(count), 0, 2 * labels + 1] += 0.5
    return images.astype(dtype), labels


def tiny(seed=0, classes=3):
    autograd.manual_seed(seed)
    return models.TinyCNN(SHAPE, classes)


def trainer_of(model, lr=0.05, **arguments):
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return Trainer(model, optimizer, **{"progress": False, **arguments})


def weights(model) -> dict:
    return {name: value.numpy().copy() for name, value in model.state_dict().items()}


def assert_same(first: dict, second: dict, **tolerance) -> None:
    assert list(first) == list(second)
    for name, value in first.items():
        np.testing.assert_allclose(value, second[name], err_msg=name, **{"rtol": 0, **tolerance})


def without_time(history: dict) -> dict:
    timed = ("seconds", "images_per_second")
    return {name: values for name, values in history.items() if name not in timed}


def test_learns_and_keeps_a_history():
    model = tiny()
    trainer = trainer_of(model)
    history = trainer.fit(pictures(), pictures(24, seed=1), epochs=6, batch_size=8)
    assert history is trainer.history
    assert set(history) == {*COLUMNS, "val_loss", "val_accuracy"}
    assert all(len(values) == 6 for values in history.values())
    assert history["epoch"] == [1, 2, 3, 4, 5, 6]
    assert history["train_loss"][-1] < 0.5 * history["train_loss"][0]
    assert history["val_accuracy"][-1] == 1.0
    result = trainer.evaluate(pictures(24, seed=1), batch_size=7)
    assert result["accuracy"] == 1.0
    assert result["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-5)
    assert trainer.epoch == 6
    assert model.training


def test_the_history_is_plain():
    trainer = trainer_of(tiny())
    trainer.fit(pictures(), pictures(), epochs=2)
    assert json.loads(json.dumps(trainer.history)) == trainer.history
    assert type(trainer.history) is dict


def test_an_epoch_without_validation_is_nan():
    trainer = trainer_of(tiny())
    trainer.fit(pictures(), epochs=1)
    trainer.fit(pictures(), pictures(), epochs=1)
    trainer.fit(pictures(), epochs=1)
    assert np.isnan(trainer.history["val_loss"]).tolist() == [True, False, True]
    assert trainer.history["epoch"] == [1, 2, 3]


def test_one_step_is_that_of_the_formula():
    images, labels = pictures(6)
    model, twin = tiny(), tiny()
    Trainer(model, optim.SGD(model.parameters(), lr=0.1), progress=False).fit(
        (images, labels), batch_size=6, shuffle=False
    )
    loss = nn.functional.cross_entropy(twin(autograd.tensor(images)), autograd.tensor(labels))
    loss.backward()
    expected = {
        name: value.detach().numpy() - np.float32(0.1) * value.grad.numpy()
        for name, value in twin.named_parameters()
    }
    assert_same(weights(model), expected, atol=1e-6)


def test_accumulated_batches_are_one_step():
    """Also where the last batch is smaller, and where the last group of batches is."""
    results = []
    for batch_size, accumulate in ((12, 1), (5, 3)):
        data = pictures(24)
        parts = [(0, 12), (12, 24)] if accumulate == 1 else [(0, 5), (5, 10), (10, 12)]
        if accumulate > 1:
            parts += [(start + 12, end + 12) for start, end in parts]
        batches = [tuple(map(autograd.tensor, (data[0][a:b], data[1][a:b]))) for a, b in parts]
        model = tiny()
        trainer = trainer_of(model, accumulate=accumulate)
        trainer.fit(Repeated(batches), epochs=2, batch_size=batch_size)
        results.append((weights(model), trainer.history["train_loss"]))
    assert_same(results[0][0], results[1][0], atol=1e-6)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-5)


class Repeated:
    """Batches again and again, of unknown number."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def test_a_last_group_that_is_not_full():
    images, labels = pictures(10)
    seen = []

    class Steps(Callback):
        def on_step_end(self, trainer):
            seen.append(1)

    trainer = trainer_of(tiny(), accumulate=2, callbacks=[Steps()])
    trainer.fit((images, labels), batch_size=2)
    assert len(seen) == 3  # of 5 batches
    assert np.isfinite(trainer.history["train_loss"][0])


def test_losses_that_are_sums():
    images, labels = pictures(12)
    results = []
    for reduction in ("mean", "sum"):
        model = tiny()
        loss = nn.CrossEntropyLoss(reduction=reduction)
        lr = 0.12 if reduction == "mean" else 0.01
        trainer = Trainer(model, optim.SGD(model.parameters(), lr=lr), loss, progress=False)
        trainer.fit((images, labels), epochs=2, batch_size=12, shuffle=False)
        results.append((weights(model), trainer.history["train_loss"]))
    assert_same(results[0][0], results[1][0], atol=1e-6)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-5)


def test_l2_is_weight_decay_of_the_weights():
    data, results = pictures(12), []
    for l2 in (0.0, 0.05):
        model = tiny()
        matrices = [p for p in model.parameters() if p.ndim > 1]
        vectors = [p for p in model.parameters() if p.ndim == 1]
        decay = 0.1 if l2 == 0 else 0.0
        groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors}]
        trainer = Trainer(model, optim.SGD(groups, lr=0.1), l2=l2, progress=False)
        trainer.fit(data, epochs=2, batch_size=6, shuffle=False)
        results.append((weights(model), trainer.history["train_loss"]))
    assert_same(results[0][0], results[1][0], atol=1e-6)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-5)  # without the penalty


def test_l1_pulls_weights_towards_zero():
    data, model, plain = pictures(12), tiny(), tiny()
    sign = {name: np.sign(value) for name, value in weights(model).items()}
    for network, l1 in ((model, 0.01), (plain, 0.0)):
        trainer = Trainer(network, optim.SGD(network.parameters(), lr=0.1), l1=l1, progress=False)
        trainer.fit(data, batch_size=12, shuffle=False)
    for name, value in weights(model).items():
        shift = 0.001 * sign[name] if value.ndim > 1 else 0
        np.testing.assert_allclose(value, weights(plain)[name] - shift, atol=1e-6)


def test_label_smoothing_through_the_loss():
    data, model = pictures(12), tiny()
    trainer = trainer_of(model, loss=nn.CrossEntropyLoss(label_smoothing=0.1))
    scores = trainer.predict(data[0])
    expected = nn.functional.cross_entropy(scores, autograd.tensor(data[1]), label_smoothing=0.1)
    assert trainer.evaluate(data, batch_size=5)["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_predictions_in_batches():
    data, model = pictures(11), tiny()
    trainer = trainer_of(model)
    model.features.eval()
    with autograd.no_grad():
        expected = model(autograd.tensor(data[0])).numpy()
    loader = DataLoader(TensorDataset(*map(autograd.tensor, data)), batch_size=4)
    for inputs in (data[0], autograd.tensor(data[0]), data, loader, data[0].astype(np.float64)):
        scores = trainer.predict(inputs, batch_size=4)
        np.testing.assert_allclose(scores.numpy(), expected, atol=1e-6)
        assert not scores.requires_grad
        assert scores.dtype == np.float32
    assert model.training
    assert not model.features.training


def test_evaluation_draws_no_dropout():
    autograd.manual_seed(0)
    model = models.CNN(SHAPE, 3)
    trainer = trainer_of(model)
    data = pictures(6)
    first, state = trainer.predict(data[0]), weights(model)
    np.testing.assert_array_equal(trainer.predict(data[0]).numpy(), first.numpy())
    trainer.evaluate(data)
    assert_same(weights(model), state)
    assert model.training


def test_bytes_become_shares():
    images, labels = pictures(12)
    grey = np.round(images * 255).astype(np.uint8)
    trainer = trainer_of(tiny())
    scaled = trainer.predict(grey.astype(np.float32) / 255).numpy()
    np.testing.assert_allclose(trainer.predict(grey).numpy(), scaled, atol=1e-6)
    assert trainer.evaluate((grey, labels))["loss"] > 0


def test_a_last_batch_of_one_joins_the_one_before():
    autograd.manual_seed(0)
    model = models.QuickStartCNN(SHAPE, 3)
    model.classifier[2] = nn.Sequential(nn.BatchNorm1d(128), nn.ReLU())
    sizes = []
    model.register_forward_pre_hook(lambda module, args: sizes.append(len(args[0])))
    trainer_of(model, lr=0.01).fit(pictures(17), batch_size=4)
    assert sizes == [4, 4, 4, 5]


def test_the_order_is_drawn_for_each_epoch():
    data, seen = pictures(20), []
    for shuffle in (True, False):
        model = tiny()
        model.register_forward_pre_hook(lambda module, args: seen.append(args[0].numpy()))
        trainer_of(model).fit(data, epochs=2, batch_size=20, shuffle=shuffle)
    first, second, third, fourth = seen
    assert (first != second).any()
    assert (first != data[0]).any()
    for images in (third, fourth):
        np.testing.assert_array_equal(images, data[0])
    for images in (first, second):
        assert sorted(map(np.ndarray.tobytes, images)) == sorted(map(np.ndarray.tobytes, third))


def test_regression_has_no_accuracy():
    autograd.manual_seed(0)
    model = nn.Linear(2, 1)
    x = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    y = x @ np.array([[2.0], [-1.0]], np.float32)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = Trainer(model, optimizer, nn.MSELoss(), progress=False).fit((x, y), (x, y), 20)
    assert "train_accuracy" not in history
    assert "val_accuracy" not in history
    assert history["val_loss"][-1] < 0.01
    np.testing.assert_allclose(model.weight.detach().numpy(), [[2, -1]], atol=0.05)


def test_mixed_labels_have_an_accuracy():
    images, labels = pictures(12)
    shares = (0.9 * np.eye(3)[labels] + 0.1 / 3).astype(np.float32)
    trainer = trainer_of(tiny())
    assert (
        trainer.evaluate((images, shares))["accuracy"]
        == trainer.evaluate((images, labels))["accuracy"]
    )


def test_order_of_the_hooks():
    called = []

    class Named(Callback):
        def __init__(self, name, last):
            self.name, self.runs_last = name, last

        def on_fit_begin(self, trainer):
            called.append((self.name, "begin"))

        def on_gradients(self, trainer):
            assert all(p.grad is not None for p in trainer.model.parameters())
            called.append((self.name, "gradients"))

        def on_epoch_end(self, trainer, row):
            assert trainer.history["train_loss"][-1] == row["train_loss"]
            assert trainer.epoch == row["epoch"] == 1
            called.append((self.name, "epoch"))

        def on_fit_end(self, trainer):
            called.append((self.name, "end"))

    callbacks = [Named("b", True), Named("a", False)]
    trainer_of(tiny(), callbacks=callbacks).fit(pictures(6), batch_size=6)
    moments = ("begin", "gradients", "epoch", "end")
    assert called == [(name, moment) for moment in moments for name in "ab"]


class Scripted(Callback):
    """Puts given numbers into the rows, for callbacks that look at them."""

    def __init__(self, name, values):
        self.name, self.values = name, values

    def on_epoch_end(self, trainer, row):
        row[self.name] = self.values[trainer.epoch - 1]


def test_early_stopping():
    model, kept = tiny(), []

    class Keep(Callback):
        def on_epoch_end(self, trainer, row):
            kept.append(weights(trainer.model))

    script = Scripted("val_loss", [3.0, 3.0, 2.0, 1.95, 2.5, 2.0, 9.0])
    stopping = EarlyStopping(patience=2, min_delta=0.1)
    trainer = trainer_of(model, callbacks=[Keep(), script, stopping])
    trainer.fit(pictures(6), epochs=7)
    assert trainer.epoch == 5
    assert_same(weights(model), kept[2])
    trainer.fit(pictures(6), epochs=2)
    assert trainer.epoch == 7  # a new training has its patience anew


def test_early_stopping_on_accuracy():
    script = Scripted("val_accuracy", [0.5, 0.6, 0.6, 0.7, 0.1])
    trainer = trainer_of(tiny(), callbacks=[script, EarlyStopping(1, "val_accuracy")])
    trainer.fit(pictures(6), epochs=5)
    assert trainer.epoch == 3


def test_checkpoints_of_the_best_and_the_last(tmp_path):
    model, kept = tiny(), []

    class Keep(Callback):
        def on_epoch_end(self, trainer, row):
            kept.append(weights(trainer.model))

    script = Scripted("val_loss", [3.0, 1.0, 2.0])
    trainer = trainer_of(model, callbacks=[Checkpoint(tmp_path / "new"), Keep(), script])
    trainer.fit(pictures(6), epochs=3)
    for name, epoch in (("best", 2), ("last", 3)):
        other = trainer_of(tiny(seed=5))
        other.load(tmp_path / "new" / f"{name}.npz")
        assert other.epoch == epoch
        assert_same(weights(other.model), kept[epoch - 1])
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["best.npz", "last.npz"]


def full_trainer(folder, seed):
    autograd.manual_seed(seed)
    model = models.CNN(SHAPE, 3)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    callbacks = [
        EarlyStopping(3, "train_loss"),
        Schedule(lr_scheduler.StepLR(optimizer, 2, 0.5)),
        GradientClipping(max_norm=1.0),
        Checkpoint(folder, "train_loss"),
        CSVLog(folder / "log.csv"),
    ]
    return Trainer(model, optimizer, callbacks=callbacks, progress=False)


def test_resuming_is_as_if_nothing_had_happened(tmp_path):
    data, held_out = pictures(20), pictures(9, seed=1)
    whole = full_trainer(tmp_path / "whole", 1)
    whole.fit(data, held_out, epochs=4, batch_size=6)
    part = full_trainer(tmp_path / "part", 1)
    part.fit(data, held_out, epochs=2, batch_size=6)
    autograd.rand(100)
    second = full_trainer(tmp_path / "part", 2)
    history = second.fit(
        data, held_out, epochs=4, batch_size=6, resume=tmp_path / "part" / "last.npz"
    )
    assert without_time(history) == without_time(whole.history)
    assert history["lr"] == [0.01, 0.01, 0.005, 0.005]
    assert_same(weights(second.model), weights(whole.model))
    with (tmp_path / "part" / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train_loss"]) for row in rows] == whole.history["train_loss"]
    done = full_trainer(tmp_path / "part", 3)
    done.fit(data, held_out, epochs=4, resume=tmp_path / "part" / "last.npz")
    assert done.epoch == 4
    assert_same(weights(done.model), weights(whole.model))


def test_resuming_after_an_interruption(tmp_path):
    data = pictures(20)

    class Interrupt(Callback):
        def on_gradients(self, trainer):
            if trainer.epoch == 1:
                raise KeyboardInterrupt

    whole = full_trainer(tmp_path / "a", 1)
    whole.fit(data, epochs=2, batch_size=6)
    broken = full_trainer(tmp_path / "b", 1)
    broken.callbacks.insert(0, Interrupt())
    with pytest.raises(KeyboardInterrupt):
        broken.fit(data, epochs=2, batch_size=6)
    assert broken.history["epoch"] == [1]
    again = full_trainer(tmp_path / "b", 7)
    again.fit(data, epochs=2, batch_size=6, resume=tmp_path / "b" / "last.npz")
    assert_same(weights(again.model), weights(whole.model))


def test_schedules():
    model = tiny()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    stepped = Schedule(lr_scheduler.ExponentialLR(optimizer, 0.5), every="step")
    Trainer(model, optimizer, callbacks=[stepped], progress=False).fit(pictures(12), batch_size=4)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 / 8)
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    plateau = Schedule(lr_scheduler.ReduceLROnPlateau(optimizer, patience=0))
    script = Scripted("val_loss", [1.0, 2.0, 0.5, 0.4])
    trainer = Trainer(model, optimizer, callbacks=[script, plateau], progress=False)
    assert trainer.fit(pictures(12), epochs=4)["lr"] == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])


@pytest.mark.parametrize("bounds", [{"max_norm": 1e-3}, {"max_value": 1e-4}])
def test_clipped_gradients(bounds):
    model = tiny()
    before = weights(model)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    trainer = Trainer(model, optimizer, callbacks=[GradientClipping(**bounds)], progress=False)
    trainer.fit(pictures(12), batch_size=12)
    step = np.concatenate([(before[k] - v).ravel() for k, v in weights(model).items()])
    if "max_norm" in bounds:
        assert np.linalg.norm(step) == pytest.approx(1e-3, rel=1e-2)
    else:
        assert np.abs(step).max() == pytest.approx(1e-4, rel=1e-2)


def test_frozen_batch_norm_stays_as_it_is():
    autograd.manual_seed(0)
    model = models.freeze_backbone(models.CNN(SHAPE, 3))
    before = weights(model)
    trainer_of(model).fit(pictures(12), batch_size=4)
    changed = {name for name, value in weights(model).items() if (value != before[name]).any()}
    assert changed == {"classifier.fc2.weight", "classifier.fc2.bias"}


def test_the_bar(capsys):
    pytest.importorskip("tqdm")
    trainer_of(tiny(), progress=True).fit(pictures(12), epochs=2, batch_size=4)
    said = capsys.readouterr().err
    for text in ("epoch 1/2: 100%", "epoch 2/2: 100%", "12/12", "img/s", "loss ", "accuracy "):
        assert text in said


def test_without_tqdm(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    trainer_of(tiny(), progress=True).fit(pictures(6))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda m: Trainer(m.forward, optim.SGD(m.parameters())), TypeError, "is a nn.Module"),
        (lambda m: Trainer(m, "adam"), TypeError, "optimizer is an Optimizer, got str"),
        (lambda m: Trainer(m, optim.SGD(tiny().parameters())), ValueError, "no parameter of this"),
        (lambda m: trainer_of(m, callbacks=[print]), TypeError, "a callback is a Callback"),
        (lambda m: trainer_of(m, accumulate=0), ValueError, "accumulate is at least 1, got 0"),
        (lambda m: trainer_of(m, l1=-1.0), ValueError, "l1 and l2 are at least 0, got -1.0"),
        (lambda m: EarlyStopping(0), ValueError, "patience is at least 1, got 0"),
        (lambda m: EarlyStopping(mode="up"), ValueError, "mode is 'auto', 'min' or 'max'"),
        (lambda m: EarlyStopping(min_delta=-1), ValueError, "min_delta is at least 0"),
        (lambda m: GradientClipping(), ValueError, "give max_norm, max_value or both"),
        (lambda m: GradientClipping(-1.0), ValueError, "positive; got -1.0 and None"),
        (lambda m: Checkpoint("x", best=None, last=None), ValueError, "nothing would be saved"),
        (lambda m: Schedule("step"), TypeError, "expected a scheduler, got str"),
    ],
)
def test_refused_parts(make, error, words):
    with pytest.raises(error, match=words):
        make(tiny())


def test_refused_schedules():
    model = tiny()
    optimizer, other = (optim.SGD(model.parameters(), lr=1.0) for _ in range(2))
    schedule = Schedule(lr_scheduler.StepLR(other, 1))
    with pytest.raises(ValueError, match="made for another optimizer"):
        Trainer(model, optimizer, callbacks=[schedule], progress=False).fit(pictures(6))
    with pytest.raises(ValueError, match="every is 'epoch' or 'step', got 'batch'"):
        Schedule(lr_scheduler.StepLR(other, 1), every="batch")
    with pytest.raises(ValueError, match="goes on with the epochs"):
        Schedule(lr_scheduler.ReduceLROnPlateau(other), every="step")


IMAGES, LABELS = pictures(6)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        ((IMAGES, LABELS[:5]), ValueError, r"inputs of shape \(6, 1, 8, 8\) and targets of shape"),
        ((IMAGES[:0], LABELS[:0]), ValueError, "the data set is empty"),
        ((IMAGES, LABELS, LABELS), ValueError, r"expected a tuple \(inputs, targets\), got 3"),
        ((IMAGES, LABELS * 0 + 2), ValueError, "all 6 labels are 2, expected at least two classes"),
        ((IMAGES, LABELS + 8), IndexError, "label 8 at place 0 is out of range, expected 0 to 2"),
        ((IMAGES[:, :, :7], LABELS), ValueError, r"got images of shape \(6, 1, 7, 8\), expected"),
        ((IMAGES.transpose(0, 2, 3, 1), LABELS), ValueError, "the channels come first"),
        ((IMAGES * 255, LABELS), ValueError, "values up to 2.*; divide grey levels by 255"),
        ((IMAGES, LABELS - 1), IndexError, "label -1 at place 0 is out of range, expected 0 to 2"),
        (
            DataLoader(list(zip(autograd.tensor(IMAGES) * np.nan, LABELS, strict=True)), 3),
            RuntimeError,
            "is nan in epoch 1 after 0 images; the inputs hold values that are no finite numbers",
        ),
        ((np.full(6, "a"), LABELS), TypeError, "an array of numbers"),
        (iter([1]), TypeError, "data is a tuple .*, got list_iterator"),
        (IMAGES, TypeError, "a batch is .inputs, targets.*, got a Tensor"),
        (Repeated([]), ValueError, "the data gave no batches"),
        (Repeated([[1, 2, 3]]), TypeError, "a batch is .inputs, targets.*, got a list of 3"),
        ((IMAGES * np.nan, LABELS), ValueError, "image 0 holds values that are no finite"),
    ],
)
def test_refused_data(data, error, words):
    trainer = trainer_of(tiny())
    before = weights(trainer.model)
    with pytest.raises(error, match=words):
        trainer.fit(data)
    assert_same(weights(trainer.model), before)
    assert trainer.epoch == 0
    assert trainer.history == {}


def test_validation_is_looked_at_before_the_training():
    trainer = trainer_of(tiny())
    with pytest.raises(ValueError, match=r"Trainer\.fit: validation: the data set is empty"):
        trainer.fit(pictures(6), (IMAGES[:0], LABELS[:0]))
    assert trainer.epoch == 0


def test_labels_that_count_for_nothing():
    labels = np.where(LABELS == 1, -100, LABELS)
    trainer = trainer_of(tiny())
    expected = trainer.evaluate((IMAGES[LABELS != 1], LABELS[LABELS != 1]))
    assert trainer.evaluate((IMAGES, labels)) == pytest.approx(expected)
    assert trainer.fit((IMAGES, labels))["train_loss"][0] > 0
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
    with pytest.raises(IndexError, match=r"class \d+ is out of range for 3 classes"):
        trainer_of(model).fit((IMAGES, LABELS + 8))


def test_a_penalty_without_weights_to_train():
    model = models.unfreeze(models.freeze(tiny()), "classifier.1.bias")
    before = weights(model)
    trainer_of(model, l1=0.1, l2=0.1).fit(pictures(6))
    changed = {name for name, value in weights(model).items() if (value != before[name]).any()}
    assert changed == {"classifier.1.bias"}


def test_other_refusals():
    trainer = trainer_of(tiny())
    with pytest.raises(ValueError, match="epochs is at least 0, got -1"):
        trainer.fit(pictures(6), epochs=-1)
    with pytest.raises(ValueError, match="batch_size is at least 1, got 0"):
        trainer.fit(pictures(6), batch_size=0)
    with pytest.raises(ValueError, match=r"Trainer\.evaluate: the data set is empty"):
        trainer.evaluate((IMAGES[:0], LABELS[:0]))
    with pytest.raises(ValueError, match=r"Trainer\.predict: the data set is empty"):
        trainer.predict(IMAGES[:0])
    with pytest.raises(ValueError, match=r"the loss is one number, got \(6,\)"):
        trainer_of(tiny(), loss=nn.CrossEntropyLoss(reduction="none")).fit(pictures(6))
    with pytest.raises(RuntimeError, match="all parameters are frozen"):
        trainer_of(models.freeze(tiny())).fit(pictures(6))
    with pytest.raises(
        ValueError, match="EarlyStopping: the history has no 'val_loss', only epoch"
    ):
        trainer_of(tiny(), callbacks=[EarlyStopping()]).fit(pictures(6))
    same = TensorDataset(autograd.tensor(IMAGES), autograd.tensor(LABELS))
    same.targets = autograd.tensor(LABELS * 0)
    with pytest.raises(ValueError, match="all 6 labels are 0"):
        trainer.fit(DataLoader(same, batch_size=2))
    same = TensorDataset(autograd.tensor(IMAGES), autograd.tensor(LABELS * 0 + 1))
    with pytest.raises(ValueError, match="all 6 labels are 1"):
        trainer.fit(same)


def test_checkpoints_that_do_not_fit(tmp_path):
    trainer = trainer_of(tiny())
    trainer.fit(pictures(6))
    trainer.save(tmp_path / "tiny.npz")
    autograd.save({"weights": 1}, tmp_path / "other.npz")
    (tmp_path / "torn.npz").write_bytes((tmp_path / "tiny.npz").read_bytes()[:500])
    (tmp_path / "text.npz").write_text("no archive")
    autograd.manual_seed(0)
    lenet, adam = models.LeNet5(SHAPE, 3), tiny(seed=3)
    wide = tiny(classes=4)
    cases = [
        (trainer_of(lenet), "tiny", "is of the model TinyCNN, this one is LeNet5"),
        (trainer_of(wide), "tiny", r"does not fit: .*classifier.1.weight has shape \(3, 128\)"),
        (Trainer(adam, optim.Adam(adam.parameters())), "tiny", "is of the optimizer SGD, this one"),
        (trainer_of(tiny()), "other", "other.npz is no checkpoint of a training"),
        (trainer_of(tiny()), "torn", "torn.npz"),
        (trainer_of(tiny()), "text", "text.npz"),
    ]
    for other, name, words in cases:
        before = weights(other.model)
        with pytest.raises(ValueError, match=words):
            other.load(tmp_path / f"{name}.npz")
        assert_same(weights(other.model), before)
        assert other.epoch == 0
    with pytest.raises(FileNotFoundError):
        trainer.load(tmp_path / "none.npz")


def test_a_state_that_fits_in_part_changes_nothing(tmp_path):
    model = tiny()
    trainer = trainer_of(model)
    trainer.fit(pictures(6))
    trainer.save(tmp_path / "one.npz")
    other = tiny(seed=4)
    groups = [{"params": [parameter]} for parameter in other.parameters()]
    second = Trainer(other, optim.SGD(groups, lr=0.1), progress=False)
    before = weights(other)
    with pytest.raises(ValueError, match="one.npz does not fit: SGD.load_state_dict"):
        second.load(tmp_path / "one.npz")
    assert_same(weights(other), before)


def test_train_cnn():
    images, labels = pictures()
    held_out, truth = pictures(12, seed=1)
    model = tiny()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    history = train_cnn(
        model,
        optimizer,
        nn.CrossEntropyLoss(),
        images[:, 0],
        np.eye(3)[labels],
        held_out,
        truth.tolist(),
        epochs=6,
        batch_size=8,
        progress=False,
    )
    assert history["val_accuracy"][-1] == 1.0
    assert len(history["train_loss"]) == 6


def test_train_cnn_asks_other_models_for_their_classes():
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(64, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = train_cnn(model, optimizer, None, *pictures(12), epochs=1, progress=False)
    assert len(history["epoch"]) == 1
    with pytest.raises(ValueError, match="label 3 at place 0 is out of range, expected 0 to 2"):
        train_cnn(model, optimizer, None, IMAGES, LABELS + 3, progress=False)
    assert model.training


BAD = [
    ({"X": IMAGES[:, :, :7]}, ValueError, r"images of shape \(6, 1, 7, 8\), expected \(N, 1, 8, 8"),
    ({"X": np.repeat(IMAGES, 3, 1)}, ValueError, r"images of shape \(6, 3, 8, 8\), expected"),
    ({"X": IMAGES[0, 0]}, ValueError, r"images of shape \(8, 8\), expected"),
    ({"X": IMAGES[:0]}, ValueError, "there are no images"),
    ({"X": IMAGES * 255}, ValueError, "values up to 2.*, expected a range such as .0, 1.*255"),
    ({"X": IMAGES * np.nan}, ValueError, "image 0 holds values that are no finite"),
    ({"X": IMAGES.astype(np.int64)}, TypeError, "floating-point or uint8, got int64"),
    ({"y": LABELS[:4]}, ValueError, r"got 6 images and labels of shape \(4,\)"),
    ({"y": LABELS - 1}, ValueError, "label -1 at place 0 is out of range, expected 0 to 2"),
    ({"y": LABELS + 1}, ValueError, "label 3 at place 2 is out of range, expected 0 to 2"),
    ({"y": LABELS * 1.0}, TypeError, "labels are integers, got float64"),
    ({"y": np.full((6, 3), 0.5)}, ValueError, "a row of the one-hot labels .* has not one 1"),
    ({"y": LABELS * 0}, ValueError, "all 6 labels are 0, expected at least two classes"),
]


@pytest.mark.parametrize(("change", "error", "words"), BAD)
def test_refused_images_and_labels(change, error, words):
    given = {"X": IMAGES, "y": LABELS, **change}
    model = models.CNN(SHAPE, 3)
    before = weights(model)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(error, match=words):
        model.fit(given["X"], given["y"], progress=False)
    with pytest.raises(error, match=words):
        train_cnn(model, optimizer, None, given["X"], given["y"], progress=False)
    assert_same(weights(model), before)


def test_train_cnn_needs_both_parts_of_the_validation():
    model = tiny()
    with pytest.raises(ValueError, match="give both X_val and y_val, or neither"):
        train_cnn(model, optim.SGD(model.parameters()), None, IMAGES, LABELS, IMAGES)


@pytest.fixture(scope="module")
def fitted():
    autograd.manual_seed(0)
    model = models.CNN(SHAPE, 3, dropout_rate=0.1)
    history = model.fit(
        *pictures(60),
        epochs=5,
        batch_size=10,
        learning_rate=0.005,
        validation_data=pictures(12, seed=1),
        scheduler=lambda optimizer: lr_scheduler.StepLR(optimizer, 3),
        progress=False,
    )
    return model, history


def test_cnn_trains_itself(fitted):
    model, history = fitted
    images, labels = pictures(24, seed=2)
    assert history["lr"] == pytest.approx([0.005] * 3 + [0.0005] * 2)
    assert history["val_accuracy"][-1] == model.score(*pictures(12, seed=1))
    assert model.score(images, labels) == 1.0
    assert model.predict(images[:, 0], batch_size=7).tolist() == labels.tolist()
    shares = model.predict_proba(images)
    assert shares.shape == (24, 3)
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-5)
    assert shares.dtype == np.float32
    assert model.training


def test_feature_maps(fitted):
    model, _ = fitted
    image = pictures(1)[0][0]
    maps = model.get_feature_maps(image)
    assert list(maps) == [name for name, _ in model.features.named_children()]
    assert maps["conv1"].shape == (32, 8, 8)
    assert maps["pool2"].shape == (64, 2, 2)
    assert (maps["relu3"] >= 0).all()
    kernel, bias = model.features.conv1.weight.detach().numpy(), model.features.conv1.bias
    assert bias is None
    by_hand = (np.pad(image[0], 1)[:3, :3] * kernel[5, 0]).sum()
    assert maps["conv1"][5, 0, 0] == pytest.approx(by_hand, abs=1e-5)
    np.testing.assert_array_equal(model.get_feature_maps(image[0])["relu4"], maps["relu4"])
    with pytest.raises(ValueError, match=r"got an image of shape \(1, 1, 8, 8\), expected"):
        model.get_feature_maps(image[None])


def test_cnn_saves_and_loads(fitted, tmp_path):
    model, _ = fitted
    images = pictures(6)[0]
    model.save(tmp_path / "cnn.npz")
    expected = model.predict_proba(images)
    other = models.CNN.from_file(tmp_path / "cnn.npz")
    assert other.config() == model.config()
    np.testing.assert_array_equal(other.predict_proba(images), expected)
    third = models.CNN(SHAPE, 3)
    assert third.load(tmp_path / "cnn.npz") is third
    np.testing.assert_array_equal(third.predict_proba(images), expected)
    plain = models.CNN(SHAPE, 3, use_batchnorm=False)
    before = weights(plain)
    with pytest.raises(ValueError, match=r"cnn\.npz is of a network with use_batchnorm=True, this"):
        plain.load(tmp_path / "cnn.npz")
    assert_same(weights(plain), before)
    autograd.save({"weights": {}}, tmp_path / "no.npz")
    for load in (third.load, models.CNN.from_file):
        with pytest.raises(ValueError, match=r"no\.npz was not written by CNN\.save"):
            load(tmp_path / "no.npz")


def test_cnn_summary(fitted):
    model, _ = fitted
    table = model.summary()
    assert table.total_params == sum(p.numel() for p in model.parameters())
    assert "conv1 (Conv2d)" in str(table)


@pytest.mark.parametrize("name", ["adam", "sgd", "momentum", "rmsprop", "adagrad", optim.AdamW])
def test_cnn_optimizers(name):
    model = models.CNN(SHAPE, 3, use_batchnorm=False)
    history = model.fit(*pictures(12), epochs=1, optimizer=name, progress=False)
    assert np.isfinite(history["train_loss"][0])


def test_cnn_names_its_optimizers():
    with pytest.raises(ValueError, match="optimizer is one of .'adam', .*, got 'adamm'"):
        models.CNN(SHAPE, 3).fit(IMAGES, LABELS, optimizer="adamm")
