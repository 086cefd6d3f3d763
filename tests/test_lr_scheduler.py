from __future__ import annotations

import io
import math

import numpy as np
import pytest

from autograd import load, save, tensor
from nn import optim
from nn.optim import lr_scheduler

STEPS = 40


class Halving:
    """A callable object, whose attributes are saved."""

    def __init__(self, rate=0.5):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


SIMPLE = [
    ("StepLR", {"step_size": 7, "gamma": 0.3}),
    ("StepLR", {"step_size": 1}),
    ("MultiStepLR", {"milestones": [0, 3, 10, 10, 25], "gamma": 0.4}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.2, "total_iters": 0}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.9, "end_factor": 0.1, "total_iters": 13}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 17, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 8}),
    ("CosineAnnealingLR", {"T_max": 30, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS}),
    ("OneCycleLR", {"max_lr": [0.5, 0.2], "epochs": 8, "steps_per_epoch": 5, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS, "anneal_strategy": "linear"}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.5,
            "total_steps": STEPS,
            "anneal_strategy": "linear",
            "three_phase": True,
            "base_momentum": [0.7, 0.6],
            "max_momentum": 0.99,
            "div_factor": 10.0,
            "final_div_factor": 3.0,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": STEPS, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 5}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 5, "mode": "triangular2"}),
    (
        "CyclicLR",
        {
            "base_lr": [0.01, 0.02],
            "max_lr": 0.2,
            "step_size_up": 4,
            "step_size_down": 9,
            "mode": "exp_range",
            "gamma": 0.97,
            "base_momentum": 0.5,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.2,
            "step_size_up": 3,
            "scale_fn": lambda x: 0.9**x,
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("LambdaLR", {"lr_lambda": [Halving(), lambda epoch: 0.9**epoch]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95 + 0.01 * (epoch % 3)}),
]
RESUMABLE = [
    pair
    for pair in SIMPLE
    if pair[0] in {"StepLR", "MultiStepLR", "ExponentialLR", "LambdaLR", "CosineAnnealingLR"}
]


def mine(name="SGD", lrs=(0.1, 0.05), **options):
    groups = [{"params": [tensor([1.0], requires_grad=True)], "lr": lr} for lr in lrs]
    return getattr(optim, name)(groups, **options)


def theirs(name="SGD", lrs=(0.1, 0.05), **options):
    torch = pytest.importorskip("torch")
    groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": lr} for lr in lrs]
    return getattr(torch.optim, name)(groups, **options)


def torch_scheduler(name):
    return getattr(pytest.importorskip("torch").optim.lr_scheduler, name)


def settings_of(optimizer):
    """The learning rates and momenta that are set now."""
    groups = optimizer.param_groups
    momenta = [group["betas"][0] if "betas" in group else group["momentum"] for group in groups]
    return [group["lr"] for group in groups] + momenta


def history(optimizer, scheduler, steps=STEPS):
    rows = [settings_of(optimizer)]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rows.append(settings_of(optimizer))
        assert scheduler.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
    return rows


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "options"), SIMPLE)
def test_as_in_torch(name, options, optimizer):
    extra = {"momentum": 0.9} if optimizer == "SGD" else {}
    here, there = mine(optimizer, **extra), theirs(optimizer, **extra)
    rows = history(here, getattr(lr_scheduler, name)(here, **options))
    expected = history(there, torch_scheduler(name)(there, **options))
    np.testing.assert_allclose(rows, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize(("name", "options"), SIMPLE)
def test_resuming_from_a_file_gives_the_same_schedule(name, options):
    whole = mine(momentum=0.9)
    expected = history(whole, getattr(lr_scheduler, name)(whole, **options))
    first = mine(momentum=0.9)
    scheduler = getattr(lr_scheduler, name)(first, **options)
    history(first, scheduler, 15)
    file = io.BytesIO()
    save({"optimizer": first.state_dict(), "scheduler": scheduler.state_dict()}, file)
    saved = load(io.BytesIO(file.getvalue()))
    second = mine(lrs=(3.0, 2.0), momentum=0.9)
    resumed = getattr(lr_scheduler, name)(second, **options)
    second.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert resumed.last_epoch == 15
    assert history(second, resumed, STEPS - 15) == expected[15:]


@pytest.mark.parametrize(("name", "options"), RESUMABLE)
def test_last_epoch_as_in_torch(name, options):
    def build(optimizer, cls):
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"] * 2
        return optimizer, cls(optimizer, **options, last_epoch=4)

    rows = history(*build(mine(momentum=0.9), getattr(lr_scheduler, name)))
    expected = history(*build(theirs(momentum=0.9), torch_scheduler(name)))
    np.testing.assert_allclose(rows, expected, rtol=1e-11)
    with pytest.raises(KeyError, match="no 'initial_lr'"):
        getattr(lr_scheduler, name)(mine(), **options, last_epoch=4)


SEQUENCES = [
    ([("ConstantLR", {"factor": 0.1, "total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})], [4]),
    ([("LinearLR", {"total_iters": 5}), ("CosineAnnealingLR", {"T_max": 20})], [5]),
    (
        [
            ("ExponentialLR", {"gamma": 0.8}),
            ("StepLR", {"step_size": 3, "gamma": 0.5}),
            ("LinearLR", {"total_iters": 3}),
            ("CosineAnnealingWarmRestarts", {"T_0": 5}),
        ],
        [3, 11, 20],
    ),
    ([("PolynomialLR", {}), ("LambdaLR", {"lr_lambda": lambda e: 1 / (e + 2)})], [2]),
    ([("ConstantLR", {}), ("MultiplicativeLR", {"lr_lambda": lambda e: 0.9})], [4]),
    ([("MultiStepLR", {"milestones": [2, 4]}), ("ConstantLR", {"factor": 0.5})], [9]),
    (
        [("LinearLR", {}), ("OneCycleLR", {"max_lr": 0.4, "total_steps": STEPS})],
        [6],
    ),
]


@pytest.mark.parametrize(("parts", "milestones"), SEQUENCES)
def test_sequence_as_in_torch(parts, milestones):
    def build(optimizer, find):
        schedulers = [find(name)(optimizer, **options) for name, options in parts]
        return optimizer, find("SequentialLR")(optimizer, schedulers, milestones)

    rows = history(*build(mine(momentum=0.9), lambda name: getattr(lr_scheduler, name)))
    expected = history(*build(theirs(momentum=0.9), torch_scheduler))
    np.testing.assert_allclose(rows, expected, rtol=1e-11, atol=1e-15)


def chain_of(optimizer, find):
    parts = [
        ("ConstantLR", {"factor": 0.1, "total_iters": 2}),
        ("LinearLR", {"total_iters": 10}),
        ("ExponentialLR", {"gamma": 0.9}),
        ("CosineAnnealingLR", {"T_max": 9}),
    ]
    return find("ChainedScheduler")([find(name)(optimizer, **options) for name, options in parts])


def test_chain_as_in_torch():
    here, there = mine(momentum=0.9), theirs(momentum=0.9)
    rows = history(here, chain_of(here, lambda name: getattr(lr_scheduler, name)))
    np.testing.assert_allclose(rows, history(there, chain_of(there, torch_scheduler)), rtol=1e-11)


def test_sequence_of_chains_and_sequences():
    optimizer = mine(lrs=(1.0,))
    exponential = [lr_scheduler.ExponentialLR(optimizer, gamma=0.5) for _ in range(4)]
    chain = lr_scheduler.ChainedScheduler(exponential[:2])
    inner = lr_scheduler.SequentialLR(optimizer, exponential[2:], [2])
    outer = lr_scheduler.SequentialLR(optimizer, [chain, inner], [2])
    rows = [row[0] for row in history(optimizer, outer, 6)]
    assert rows == [1.0, 0.25, 1.0, 0.5, 1.0, 0.5, 0.25]


def sequence_of(optimizer):
    parts = [
        lr_scheduler.LinearLR(optimizer, total_iters=5),
        lr_scheduler.CosineAnnealingLR(optimizer, T_max=20),
    ]
    return lr_scheduler.SequentialLR(optimizer, parts, [5])


@pytest.mark.parametrize(
    "build", [sequence_of, lambda o: chain_of(o, lambda name: getattr(lr_scheduler, name))]
)
def test_combinations_resume_from_a_file(build):
    whole = mine()
    expected = history(whole, build(whole))
    first = mine()
    scheduler = build(first)
    history(first, scheduler, 12)
    file = io.BytesIO()
    save({"optimizer": first.state_dict(), "scheduler": scheduler.state_dict()}, file)
    saved = load(io.BytesIO(file.getvalue()))
    second = mine()
    resumed = build(second)
    second.load_state_dict(saved["optimizer"])
    resumed.load_state_dict(saved["scheduler"])
    assert history(second, resumed, STEPS - 12) == expected[12:]
    with pytest.raises(ValueError, match="schedulers saved"):
        resumed.load_state_dict({**scheduler.state_dict(), "_schedulers": []})


PLATEAU = [
    {},
    {"patience": 2},
    {"patience": 1, "mode": "max", "factor": 0.5},
    {"patience": 1, "threshold": 0.05, "threshold_mode": "abs", "cooldown": 2},
    {"patience": 0, "mode": "max", "threshold": 0.05, "threshold_mode": "abs"},
    {"patience": 0, "min_lr": [0.01, 0.03], "factor": 0.7},
    {"patience": 0, "eps": 0.02},
]


@pytest.mark.parametrize("options", PLATEAU)
def test_plateau_as_in_torch(options):
    metrics = np.round(np.random.default_rng(0).normal(size=100).cumsum(), 1)
    metrics[50] = math.nan
    here, there = mine(), theirs()
    first = lr_scheduler.ReduceLROnPlateau(here, **options)
    second = torch_scheduler("ReduceLROnPlateau")(there, **options)
    for index, metric in enumerate(metrics):
        first.step(tensor(metric) if index % 2 else metric)
        second.step(metric)
        np.testing.assert_allclose(first.get_last_lr(), second.get_last_lr(), rtol=1e-12)
        assert first.num_bad_epochs == second.num_bad_epochs
        assert first.get_last_lr() == [group["lr"] for group in here.param_groups]


def test_plateau_resumes_from_a_file():
    optimizer = mine()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, mode="max")
    scheduler.step(3.0)
    scheduler.step(2.0)
    file = io.BytesIO()
    save(scheduler.state_dict(), file)
    resumed = lr_scheduler.ReduceLROnPlateau(optimizer)
    resumed.load_state_dict(load(io.BytesIO(file.getvalue())))
    assert (resumed.best, resumed.num_bad_epochs, resumed.mode) == (3.0, 1, "max")
    resumed.step(1.0)
    assert resumed.get_last_lr() == pytest.approx([0.01, 0.005])


def test_plateau_with_a_group_added_later():
    optimizer = mine(lrs=(1.0,))
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.5)
    fixed = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.5])
    optimizer.add_param_group({"params": tensor([1.0], requires_grad=True), "lr": 0.6})
    scheduler.step(1.0)
    scheduler.step(1.0)
    assert scheduler.get_last_lr() == [0.5, 0.5]
    fixed.step(1.0)
    with pytest.raises(RuntimeError, match="min_lr has 1 values, the optimizer 2"):
        fixed.step(1.0)


def test_warm_restarts_at_fractions_as_in_torch():
    here, there = mine(), theirs()
    options = {"T_0": 3, "T_mult": 2}
    first = lr_scheduler.CosineAnnealingWarmRestarts(here, **options)
    second = torch_scheduler("CosineAnnealingWarmRestarts")(there, **options)
    for epoch in np.arange(0, 25, 0.37):
        first.step(float(epoch))
        second.step(float(epoch))
        np.testing.assert_allclose(first.get_last_lr(), second.get_last_lr(), rtol=1e-9)
        assert first.last_epoch == second.last_epoch
    first.step()
    second.step()
    np.testing.assert_allclose(first.get_last_lr(), second.get_last_lr(), rtol=1e-9)


def test_warm_restart_exactly_where_rounding_would_miss_it():
    scheduler = lr_scheduler.CosineAnnealingWarmRestarts(mine(lrs=(1.0,)), T_0=1, T_mult=3)
    scheduler.step(121)  # 1 + 3 + 9 + 27 + 81
    assert scheduler.get_last_lr() == [1.0]


def test_saved_callables_get_their_attributes_back():
    optimizer = mine(lrs=(1.0,))
    state = lr_scheduler.LambdaLR(optimizer, Halving(0.25)).state_dict()
    assert state["lr_lambdas"] == [{"rate": 0.25}]
    halving = Halving()
    lr_scheduler.LambdaLR(optimizer, halving).load_state_dict(state)
    assert halving.rate == 0.25
    cyclic = {"base_lr": 0.1, "max_lr": 0.2, "cycle_momentum": False}
    state = lr_scheduler.CyclicLR(optimizer, scale_fn=Halving(0.25), **cyclic).state_dict()
    halving = Halving()
    lr_scheduler.CyclicLR(optimizer, scale_fn=halving, **cyclic).load_state_dict(state)
    assert halving.rate == 0.25


def test_cyclic_begins_at_its_base_after_another_schedule():
    optimizer = mine(lrs=(1.0,))
    lr_scheduler.ConstantLR(optimizer)
    scheduler = lr_scheduler.CyclicLR(optimizer, base_lr=0.1, max_lr=0.2, cycle_momentum=False)
    assert scheduler.get_last_lr() == [0.1]


def test_step_before_the_optimizer_warns():
    optimizer = mine()
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="before optimizer.step"):
        scheduler.step()
    optimizer = mine()
    optimizer.step()
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    scheduler.step()


def test_own_schedule():
    class Zigzag(lr_scheduler.LRScheduler):
        def get_lr(self):
            return [lr * (1 + self.last_epoch % 2) for lr in self.base_lrs]

    optimizer = mine(lrs=(1.0,))
    assert [row[0] for row in history(optimizer, Zigzag(optimizer), 3)] == [1.0, 2.0, 1.0, 2.0]


def test_state_of_another_schedule_changes_nothing():
    optimizer = mine()
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    state = lr_scheduler.ExponentialLR(optimizer, 0.5).state_dict()
    before = scheduler.state_dict()
    with pytest.raises(ValueError, match=r"missing \['step_size'\], unknown \[\]"):
        scheduler.load_state_dict({**state, "last_epoch": 7})
    assert scheduler.state_dict() == before


def test_one_cycle_ends():
    optimizer = mine(momentum=0.9)
    scheduler = lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=5)
    history(optimizer, scheduler, 5)
    with pytest.raises(ValueError, match="step 6 of a cycle of 5 steps"):
        scheduler.step()


def test_one_cycle_whose_rise_has_no_length():
    optimizer = mine(lrs=(1.0,), momentum=0.9)
    lr_scheduler.OneCycleLR(optimizer, max_lr=2.0, total_steps=10, pct_start=0.1)
    assert optimizer.param_groups[0]["lr"] == 2.0


class NotAnOptimizer:
    param_groups = ()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: lr_scheduler.StepLR(NotAnOptimizer(), 2), TypeError, "must be an Optimizer"),
        (
            lambda o: lr_scheduler.ReduceLROnPlateau(NotAnOptimizer()),
            TypeError,
            "must be an Optimizer",
        ),
        (lambda o: lr_scheduler.StepLR(o, 0), ValueError, "positive integer, got 0"),
        (lambda o: lr_scheduler.ConstantLR(o, factor=1.5), ValueError, r"in \(0, 1\], got 1.5"),
        (lambda o: lr_scheduler.LinearLR(o, start_factor=0.0), ValueError, r"in \(0, 1\], got 0.0"),
        (lambda o: lr_scheduler.LinearLR(o, end_factor=2.0), ValueError, r"in \[0, 1\], got 2.0"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ValueError, "T_max must be positive"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1, 0), ValueError, "T_mult"),
        (
            lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 1).step(-1),
            ValueError,
            "at least 0",
        ),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0), ValueError, "give total_steps, or epochs"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=0), ValueError, "total_steps"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10, pct_start=2.0), ValueError, "pct_start"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 10, anneal_strategy="x"), ValueError, "'x'"),
        (lambda o: lr_scheduler.OneCycleLR(o, [1.0], 10), ValueError, "max_lr has 1 values"),
        (lambda o: lr_scheduler.CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "got 'x'"),
        (lambda o: lr_scheduler.LambdaLR(o, [abs]), ValueError, "lr_lambda has 1 values"),
        (lambda o: lr_scheduler.MultiplicativeLR(o, 0.5), TypeError, "a function of the epoch"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, "least"), ValueError, "got 'least'"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), ValueError, "below 1, got 1.0"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1"),
        (lambda o: lr_scheduler.ChainedScheduler([]), ValueError, "at least one scheduler"),
        (lambda o: lr_scheduler.ChainedScheduler([o]), TypeError, "must be a LRScheduler, got SGD"),
        (
            lambda o: lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(o)]),
            ValueError,
            "needs a metric",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(mine(), 2)], []),
            ValueError,
            "belongs to another optimizer",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 2)], [3]),
            ValueError,
            "1 schedulers need 0 milestones, got 1",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 2)] * 3, [3, 1]),
            ValueError,
            "milestones must rise",
        ),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make(mine(momentum=0.9))


def test_momentum_is_cycled_only_where_there_is_one():
    optimizer = mine("Adagrad")
    with pytest.raises(ValueError, match="Adagrad has neither"):
        lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    assert "max_momentum" not in optimizer.param_groups[0]
    with pytest.raises(ValueError, match="Adagrad has neither"):
        lr_scheduler.CyclicLR(optimizer, 0.1, 0.2)
    lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10, cycle_momentum=False)
