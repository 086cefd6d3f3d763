"""Learning-rate finder, event files, gradient flow and mixed precision."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd
import nn
from nn import optim
from nn.data import DataLoader, TensorDataset
from nn.optim import lr_scheduler
from vision.datasets import Digits
from vision.models import CNN, QuickStartCNN, TinyCNN
from vision.training import (
    Callback,
    EarlyStopping,
    GradientClipping,
    GradientFlow,
    LearningRates,
    Schedule,
    TensorBoard,
    Trainer,
    find_learning_rate,
)

SHAPE = (1, 8, 8)


def digits(count: int = 200):
    return Digits(subset_size=count)


def made(model_class=CNN, lr: float = 0.01, seed: int = 0, **options):
    autograd.manual_seed(seed)
    model = model_class(SHAPE, 10)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    return Trainer(model, optimizer, progress=False, **options)


def everything(trainer) -> list:
    """All numbers that a training changes, copied."""
    state = trainer.state_dict()
    tensors = [*state["model"].values()]
    tensors += [v for entry in state["optimizer"]["state"].values() for v in entry.values()]
    arrays = [value.numpy().copy() for value in tensors if isinstance(value, autograd.Tensor)]
    grads = [
        p.grad if p.grad is None else p.grad.numpy().copy() for p in trainer.model.parameters()
    ]
    groups = [
        {k: v for k, v in g.items() if k != "params"} for g in state["optimizer"]["param_groups"]
    ]
    modes = [module.training for module in trainer.model.modules()]
    return [arrays, grads, groups, modes, autograd.get_rng_state(), dict(state["history"])]


@pytest.mark.parametrize("trained", [False, True])
def test_the_finder_leaves_everything_as_it_is(trained):
    trainer = made()
    if trained:
        trainer.fit(digits(), epochs=1)
        trainer.model.eval()
    before = everything(trainer)
    found = trainer.find_learning_rate(digits(), steps=30)
    np.testing.assert_equal(everything(trainer), before)
    assert isinstance(found, LearningRates)
    assert len(found.rates) == len(found.losses) <= 30
    again = trainer.find_learning_rate(digits(), steps=30)
    assert again == found


def test_the_rates_grow_by_a_factor():
    trainer = made(TinyCNN)
    found = trainer.find_learning_rate(digits(), start=1e-4, end=1e-2, steps=9)
    np.testing.assert_allclose(found.rates, np.geomspace(1e-4, 1e-2, 9))


def test_losses_are_smoothed_as_the_formula_says():
    model = nn.Linear(1, 1, bias=False)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    seen = []

    def loss(output, targets):
        value = ((output - targets) ** 2).mean()
        seen.append(value.item())
        return value

    data = (np.ones((8, 1), np.float32), np.ones((8, 1), np.float32))
    found = find_learning_rate(
        model, optimizer, loss, data, start=1e-3, end=0.1, steps=10, smoothing=0.5, batch_size=8
    )
    expected = seen
    for _ in range(2):
        mean, means = 0.0, []
        for step, value in enumerate(expected):
            mean = 0.5 * mean + 0.5 * value
            means.append(mean / (1 - 0.5 ** (step + 1)))
        expected = means[::-1]
    np.testing.assert_allclose(found.losses, expected, rtol=1e-6)


def test_it_ends_where_the_loss_explodes():
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    y = 3 * x + np.cos(40 * x)
    found = find_learning_rate(
        model, optimizer, nn.MSELoss(), (x, y), start=1e-3, end=1e3, batch_size=64
    )
    # the largest curvature of this loss is 2, so that rates from 1 on diverge
    assert 20 < len(found.rates) < 100
    assert found.rates[-1] < 10
    assert found.suggestion is not None
    assert 1e-2 < found.suggestion < 1


def test_the_suggestion_trains():
    trainer = made(TinyCNN)
    rate = trainer.find_learning_rate(Digits(), batch_size=64).suggestion
    assert rate is not None
    again = made(TinyCNN, lr=rate)
    again.fit(Digits(), epochs=2, batch_size=64)
    assert again.evaluate(Digits(train=False))["accuracy"] > 0.85


def test_no_suggestion_without_a_fall():
    model = nn.Linear(1, 1)
    found = find_learning_rate(
        model,
        optim.SGD(model.parameters(), lr=1.0),
        lambda output, targets: -(output * 0 + 1).sum() * 0 + output.sum() * 0 + 1,
        DataLoader(TensorDataset(autograd.ones(4, 1), autograd.ones(4)), batch_size=2),
        steps=10,
    )
    assert found.suggestion is None


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"start": 1.0, "end": 0.1}, ValueError, "0 < start < end, got start=1.0"),
        ({"start": 0.0}, ValueError, "0 < start < end"),
        ({"steps": 3}, ValueError, "steps is at least 8, got 3"),
        ({"smoothing": 1.0}, ValueError, "smoothing is in"),
        ({"data": []}, ValueError, "the data set is empty"),
        ({"data": (np.full((4, 1, 8, 8), np.nan), np.arange(4))}, RuntimeError, "is nan"),
    ],
)
def test_refusals_of_the_finder(options, error, words):
    trainer = made(TinyCNN)
    data = options.pop("data", digits(50))
    with pytest.raises(error, match=words):
        trainer.find_learning_rate(data, **options)


def events(folder) -> dict:
    """The scalars in TensorBoard's files: (step, value) by tag; and the tags of histograms."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found: dict = {}
    for path in sorted(folder.iterdir()):
        content, at = path.read_bytes(), 0
        while at < len(content):
            size = int.from_bytes(content[at : at + 8], "little")
            event = event_pb2.Event.FromString(content[at + 12 : at + 12 + size])
            at += 16 + size
            for value in event.summary.value:
                kind = value.WhichOneof("value")
                entry = (event.step, value.simple_value) if kind == "simple_value" else kind
                found.setdefault(value.tag, []).append(entry)
    return found


def test_events_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboardX")
    trainer = made(callbacks=[TensorBoard(tmp_path / "runs", histograms=True)])
    history = trainer.fit(digits(), digits(60), epochs=2)
    found = events(tmp_path / "runs")
    for tag, name in {
        "loss/train": "train_loss",
        "loss/val": "val_loss",
        "accuracy/train": "train_accuracy",
        "accuracy/val": "val_accuracy",
        "lr": "lr",
        "images_per_second": "images_per_second",
    }.items():
        steps, values = zip(*found[tag], strict=True)
        assert steps == (1, 2)
        np.testing.assert_allclose(values, history[name], rtol=1e-6)
    assert found["features.conv1.weight"] == ["histo", "histo"]
    assert "epoch" not in found
    trainer.fit(digits(), digits(60), epochs=1)
    assert sorted(step for step, _ in events(tmp_path / "runs")["lr"]) == [1, 2, 3]


def test_without_tensorboardx(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match="TensorBoard: needs .*pip install tensorboardX"):
        TensorBoard(tmp_path)


class Remember(Callback):
    """The gradients of each step."""

    def __init__(self):
        self.steps = []

    def on_gradients(self, trainer):
        self.steps.append(
            {name: np.abs(p.grad.numpy()) for name, p in trainer.model.named_parameters()}
        )


@pytest.mark.parametrize("every", [None, 1, 3])
def test_gradient_flow(every):
    flow, remember = GradientFlow(every), Remember()
    trainer = made(TinyCNN, callbacks=[remember, flow])
    trainer.fit(digits(100), epochs=2, batch_size=20)
    names = [name for name, _ in trainer.model.named_parameters()]
    ends = [5, 10] if every is None else list(range(every, 11, every))
    records = flow.records
    assert records["parameter"] == names * len(ends)
    assert records["step"] == [end for end in ends for _ in names]
    assert records["epoch"] == [1 if end <= 5 else 2 for end in ends for _ in names]
    for place, (step, name) in enumerate(zip(records["step"], records["parameter"], strict=True)):
        steps = [sizes[name] for sizes in remember.steps[step - (1 if every else 5) : step]]
        mean = np.mean([sizes.mean() for sizes in steps])
        assert records["mean"][place] == pytest.approx(mean, rel=1e-5)
        assert records["max"][place] == max(sizes.max() for sizes in steps)
    assert list(flow.latest()) == names
    last = len(names) * (len(ends) - 1)
    assert flow.latest()[names[0]] == (records["mean"][last], records["max"][last])


def test_gradient_flow_is_a_table():
    pandas = pytest.importorskip("pandas")
    flow = GradientFlow()
    trainer = made(TinyCNN, callbacks=[GradientClipping(max_value=1e-4), flow])
    history = trainer.fit(digits(50), epochs=2)
    table = pandas.DataFrame(flow.records)
    assert list(table.columns) == ["epoch", "step", "parameter", "mean", "max"]
    assert len(table) == 2 * 6
    assert table["max"].max() == pytest.approx(1e-4)
    assert len(pandas.DataFrame(history)) == 2


def test_gradient_flow_goes_on_where_it_was(tmp_path):
    first = made(callbacks=[GradientFlow()])
    first.fit(digits(60), epochs=2)
    whole = first.callbacks[0].records
    half = made(callbacks=[GradientFlow()])
    half.fit(digits(60), epochs=1)
    half.save(tmp_path / "half.npz")
    other = made(callbacks=[GradientFlow()], seed=3)
    other.fit(digits(60), epochs=2, resume=tmp_path / "half.npz")
    assert other.callbacks[0].records == whole
    assert GradientFlow().latest() == {}
    with pytest.raises(ValueError, match="every is at least 1 or None, got 0"):
        GradientFlow(0)


def test_mixed_precision_learns_as_well():
    results = []
    for precision in ("full", "mixed"):
        trainer = made(
            QuickStartCNN, precision=precision, callbacks=[GradientClipping(max_norm=5.0)], l2=1e-4
        )
        trainer.fit(Digits(), epochs=2, batch_size=64)
        results.append(trainer.evaluate(Digits(train=False))["accuracy"])
        assert all(p.dtype == np.float32 for p in trainer.model.state_dict().values() if p.ndim)
    assert min(results) > 0.93
    assert abs(results[0] - results[1]) < 0.03


def test_mixed_precision_leaves_out_steps_that_overflow():
    seen = []

    class Steps(Callback):
        def on_gradients(self, trainer):
            seen.append(trainer.scaler.get_scale())

    trainer = made(TinyCNN, precision="mixed", callbacks=[Steps()])
    trainer.scaler.update(2.0**20)
    trainer.fit(digits(), epochs=2, batch_size=50)
    assert 0 < len(seen) < 8
    assert trainer.scaler.get_scale() < 2.0**20
    assert np.isfinite(trainer.history["train_loss"]).all()


def test_mixed_precision_resumes(tmp_path):
    whole = made(precision="mixed")
    whole.fit(digits(60), epochs=2)
    part = made(precision="mixed")
    part.fit(digits(60), epochs=1)
    part.scaler.update(512.0)
    part.save(tmp_path / "part.npz")
    part.fit(digits(60), epochs=1)
    other = made(precision="mixed", seed=3)
    other.fit(digits(60), epochs=2, resume=tmp_path / "part.npz")
    assert other.scaler.get_scale() == 512.0
    for own, same in zip(other.model.parameters(), part.model.parameters(), strict=True):
        assert autograd.equal(own, same)


def test_mixed_precision_with_what_else_there_is():
    trainer = made(TinyCNN, precision="mixed", accumulate=2)
    trainer.callbacks += [
        EarlyStopping(5, "train_loss"),
        Schedule(lr_scheduler.StepLR(trainer.optimizer, 1)),
    ]
    trainer.scaler.update(1024.0)  # with which no step is left out
    twin = made(TinyCNN, accumulate=2)
    for each in (trainer, twin):
        autograd.manual_seed(1)
        each.fit(digits(100), epochs=1, batch_size=25)
    for own, other in zip(trainer.model.parameters(), twin.model.parameters(), strict=True):
        # Adam steps by about lr whatever the gradient, whose sign float16 may change near 0
        assert float((own - other).abs().mean()) < 2e-3
    with pytest.raises(ValueError, match="precision is 'full' or 'mixed', got 'half'"):
        made(precision="half")
