"""float16: sums in float32, and training in mixed precision by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import autograd
import nn
from autograd import tensor
from nn.amp import GradScaler, HalfPrecision


def in_both(make, *shapes, scale=1.0):
    """The outcome and the gradients in float32 and in float16."""
    random = np.random.default_rng(0)
    arrays = [scale * random.standard_normal(shape) for shape in shapes]
    outcomes = []
    for dtype in (np.float32, np.float16):
        inputs = [
            tensor(array.astype(np.float16).astype(dtype), requires_grad=True) for array in arrays
        ]
        out = make(*inputs)
        assert out.dtype == dtype
        incoming = np.random.default_rng(1).standard_normal(out.shape)
        out.backward(tensor(incoming.astype(np.float16).astype(dtype)))
        assert all(value.grad.dtype == dtype for value in inputs)
        outcomes.append([out.detach(), *[value.grad for value in inputs]])
    single, half = ([value.numpy().astype(np.float64) for value in part] for part in outcomes)
    return zip(single, half, strict=True)


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (lambda x, w: nn.functional.conv2d(x, w, padding=1), [(3, 4, 9, 9), (5, 4, 3, 3)]),
        (lambda x, w: nn.functional.conv2d(x, w, stride=2), [(3, 4, 9, 9), (5, 4, 3, 3)]),
        (lambda x, w: nn.functional.conv2d(x, w), [(3, 4, 9, 9), (5, 4, 1, 1)]),
        (lambda x, y: x @ y, [(30, 40), (40, 20)]),
        (nn.functional.linear, [(30, 40), (20, 40), (20,)]),
        (
            lambda x, w, b: nn.functional.batch_norm(x, None, None, w, b, training=True),
            [(4, 3, 8, 8), (3,), (3,)],
        ),
        (lambda x, w, b: nn.functional.layer_norm(x, (40,), w, b), [(30, 40), (40,), (40,)]),
    ],
)
def test_half_is_single_rounded(make, shapes):
    for single, half in in_both(make, *shapes, scale=0.3):
        np.testing.assert_allclose(half, single, atol=4e-3 * np.abs(single).max())


def test_sums_do_not_overflow():
    images = tensor(np.full((32, 2, 40, 40), 5.0, np.float16))
    images[:16] += 1
    model = nn.BatchNorm2d(2).half()
    out = model(images)
    assert bool(out.isfinite().all())
    np.testing.assert_allclose(model.running_mean.numpy(), 0.55, rtol=1e-3)
    ones = tensor(np.ones((1, 4000), np.float16))
    np.testing.assert_array_equal((ones @ ones.T).numpy(), 4000)


def small():
    autograd.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 16, 10),
    )


def test_gradients_arrive_in_single():
    images, labels = autograd.randn(12, 1, 8, 8), autograd.randint(0, 10, (12,))
    model, twin = small(), small()
    half, scaler = HalfPrecision(model), GradScaler()
    scores = half(images)
    assert scores.dtype == np.float32
    loss = nn.functional.cross_entropy(scores, labels)
    scaler.scale(loss).backward()
    half.hand_over_gradients()
    scaler.unscale_(nn.optim.SGD(model.parameters(), lr=0.1))
    nn.functional.cross_entropy(twin(images), labels).backward()
    for (name, own), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        assert own.grad.dtype == np.float32
        # in float16 another pixel may be the largest of a window
        error = float((own.grad - other.grad).square().mean().sqrt())
        assert error < 0.1 * float(other.grad.square().mean().sqrt()) + 1e-3, name
    # the statistics of batch norm are the model's own, in float32
    np.testing.assert_allclose(model[1].running_var.numpy(), twin[1].running_var.numpy(), rtol=1e-3)
    assert model[1].running_var.dtype == np.float32
    assert int(model[1].num_batches_tracked) == 1


def test_small_gradients_survive_by_the_scale():
    model = nn.Linear(1, 1, bias=False)
    found = []
    for scaler in (GradScaler(enabled=False), GradScaler()):
        optimizer = nn.optim.SGD(model.parameters(), lr=1.0)
        optimizer.zero_grad()
        half = HalfPrecision(model)
        scaler.scale((half(tensor([[1.0]])) * 1e-8).sum()).backward()
        half.hand_over_gradients()
        scaler.unscale_(optimizer)
        found.append(model.weight.grad.item())
    assert found[0] == 0
    assert found[1] == pytest.approx(1e-8, rel=1e-2)


def test_a_step_with_infinite_gradients_is_left_out():
    weight = tensor([1.0], requires_grad=True)
    optimizer = nn.optim.SGD([weight], lr=1.0)
    scaler = GradScaler(init_scale=8.0, growth_interval=2)
    scales = []
    for grad in (np.inf, 8.0, 8.0, np.nan):
        scaler.scale(weight)
        weight.grad = tensor([grad])
        scaler.step(optimizer)
        scaler.update()
        scales.append((scaler.get_scale(), weight.item()))
    # 8 / 4 = 2 is taken away twice; the fourth is left out
    assert scales == [(4.0, 1.0), (4.0, -1.0), (8.0, -3.0), (4.0, -3.0)]


def test_the_scaler_as_in_torch():
    torch = pytest.importorskip("torch")
    if not hasattr(torch, "amp"):
        pytest.skip("no torch.amp")
    options = {"init_scale": 16.0, "growth_interval": 3, "growth_factor": 4.0}
    own, other = GradScaler(**options), torch.amp.GradScaler("cpu", **options)
    ours = tensor([1.0], requires_grad=True)
    theirs = torch.tensor([1.0], requires_grad=True)
    stepper, torch_stepper = nn.optim.SGD([ours], lr=0.1), torch.optim.SGD([theirs], lr=0.1)
    for value in (1.0, np.inf, 2.0, 3.0, 4.0, np.nan, 5.0):
        for scaler, weight, optimizer in (
            (own, ours, stepper),
            (other, theirs, torch_stepper),
        ):
            optimizer.zero_grad()
            scaler.scale((weight * 1.0).sum()).backward()
            weight.grad *= value
            scaler.step(optimizer)
            scaler.update()
        assert own.get_scale() == other.get_scale()
        assert ours.item() == pytest.approx(theirs.item())
    state = other.state_dict()
    assert own.state_dict() == state
    again = GradScaler()
    again.load_state_dict(state)
    assert again.get_scale() == own.get_scale()


def test_scaler_that_is_off():
    scaler = GradScaler(enabled=False)
    weight = tensor([1.0], requires_grad=True)
    weight.grad = tensor([1.0])
    scaler.step(nn.optim.SGD([weight], lr=1.0))
    scaler.update()
    assert weight.item() == 0.0
    assert scaler.get_scale() == 1.0
    assert scaler.scale(weight) is weight
    assert scaler.state_dict() == {}
    assert not scaler.is_enabled()


def test_refusals():
    for options, words in (
        ({"device": "cuda"}, "device is 'cpu', got 'cuda'"),
        ({"init_scale": 0.0}, "init_scale > 0"),
        ({"growth_factor": 1.0}, "growth_factor > 1"),
        ({"backoff_factor": 1.0}, "backoff_factor in"),
        ({"growth_interval": 0}, "at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=words):
            GradScaler(**options)
    scaler = GradScaler()
    with pytest.raises(RuntimeError, match="no step since"):
        scaler.update()
    weight = tensor([1.0], requires_grad=True)
    weight.grad = tensor([1.0])
    optimizer = nn.optim.SGD([weight], lr=1.0)
    with pytest.raises(RuntimeError, match="no loss was scaled"):
        scaler.step(optimizer)
    assert weight.item() == 1.0
    scaler.scale(weight)
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="unscale_: already called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="step: already called"):
        scaler.step(optimizer)


def retained(call) -> int:
    """The bytes that live on after a call, and its outcome with them."""
    call()
    tracemalloc.start()
    try:
        kept = call()
        size = tracemalloc.get_traced_memory()[0]
        del kept
    finally:
        tracemalloc.stop()
    return size


def test_the_graph_takes_half_the_memory():
    images = autograd.randn(16, 1, 32, 32)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
    )
    half = HalfPrecision(model)
    full = retained(lambda: model(images).sum())
    assert retained(lambda: half(images).sum()) < 0.56 * full


def test_what_is_frozen_or_in_evaluation_mode():
    model = small()
    model[0].requires_grad_(False)
    model[1].eval()
    before = model[1].running_mean.clone()
    half = HalfPrecision(model)
    half(autograd.randn(4, 1, 8, 8)).sum().backward()
    half.hand_over_gradients()
    assert model[0].weight.grad is None
    assert model[5].weight.grad is not None
    assert autograd.equal(model[1].running_mean, before)
    with autograd.no_grad():
        model[5].weight.fill_(0.5)
        model[5].bias.fill_(0.0)
    half.take_over_weights()
    weight = dict(half.copy.named_parameters())["5.weight"]
    assert weight.dtype == np.float16
    assert float(weight.min()) == float(weight.max()) == 0.5


def test_structures_are_converted_inside():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(autograd.ones(2))

        def forward(self, inputs, numbers):
            assert inputs["x"].dtype == np.float16
            assert numbers.dtype == np.int64
            return [inputs["x"] * self.weight, (numbers, "name")]

    product, (numbers, name) = HalfPrecision(Two())({"x": autograd.ones(2)}, tensor([1, 2]))
    assert product.dtype == np.float32
    assert (numbers.dtype, name) == (np.int64, "name")
