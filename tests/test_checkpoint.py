"""Recomputing instead of keeping: the same gradients, bit for bit, in less memory."""

import gc
import tracemalloc
import weakref

import numpy as np
import pytest
from oracle import assert_same, to_torch

import autograd
import nn
from autograd import recompute, tensor
from nn.utils.checkpoint import checkpoint, checkpoint_sequential


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def model(drop=0.5, depth=4):
    autograd.manual_seed(1)
    layers = [[nn.Linear(6, 6), nn.Tanh(), nn.Dropout(drop)] for _ in range(depth)]
    return nn.Sequential(*(layer for group in layers for layer in group))


def outcome(run, net, x, create_graph=False):
    """The output and all gradients of a function of a network and an input."""
    autograd.manual_seed(7)
    x = tensor(x, requires_grad=True)
    out = run(net, x)
    after = autograd.rand(1)
    gradients = autograd.grad((out * out).sum(), [x, *net.parameters()], create_graph=create_graph)
    return [out, after, *gradients]


def same_bits(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.detach().array, other.detach().array)


RUNS = {
    "whole": lambda net, x: checkpoint(net, x),
    "reentrant": lambda net, x: checkpoint(net, x, use_reentrant=True),
    "sequential": lambda net, x: checkpoint_sequential(net, 3, x),
    "one segment": lambda net, x: checkpoint_sequential(net, 1, x),
    "nested": lambda net, x: checkpoint(lambda y: checkpoint(net[6:], checkpoint(net[:6], y)), x),
    "captured": lambda net, x: checkpoint(lambda: net(x)),
    "keyword": lambda net, x: checkpoint(lambda *, value: net(value), value=x),
    "list": lambda net, x: checkpoint_sequential([net[:6], net[6:]], 2, x),
    "inner tensor": lambda net, x: (lambda y: checkpoint(lambda: net[1:](y)))(net[0](x)),
}


@pytest.mark.parametrize("name", RUNS)
def test_gradients_are_the_same_bit_for_bit(name):
    x = draw(5, 6)
    same_bits(outcome(lambda net, x: net(x), model(), x), outcome(RUNS[name], model(), x))


@pytest.mark.parametrize("name", RUNS)
def test_second_order(name):
    results = []
    for run in (RUNS[name], lambda net, x: net(x)):
        net = model(drop=0.0).double()
        found = outcome(run, net, draw(3, 6, dtype=np.float64), create_graph=True)
        total = sum((gradient * gradient).sum() for gradient in found[2:])
        results.append(autograd.grad(total, list(net.parameters()), allow_unused=True))
    for one, other in zip(*results, strict=True):
        assert_same(one, other, 1e-12)


def test_as_in_pytorch():
    torch = pytest.importorskip("torch")
    from torch.utils.checkpoint import checkpoint as theirs

    results = []
    for lib, run, give in (
        (autograd, checkpoint, lambda a: tensor(a, requires_grad=True)),
        (torch, lambda *a, **k: theirs(*a, use_reentrant=False, **k), lambda a: to_torch(a, True)),
    ):
        x, w = give(draw(3, 4)), give(draw(4, seed=1))

        def function(x, scale, other=None, lib=lib, w=w):
            return {"a": lib.tanh(x * w) * scale, "b": [x.sum(), 3, other]}

        out = run(function, x, 2.0, other="word")
        assert out["b"][1:] == [3, "word"]
        (out["a"].sum() + out["b"][0] ** 2).backward()
        results.append((out["a"], out["b"][0], x.grad, w.grad))
    for one, other in zip(*results, strict=True):
        assert_same(one, other)


def test_several_outputs_of_which_one_is_used():
    x = tensor(draw(4), requires_grad=True)
    first, second, same = checkpoint(lambda x: (x.exp(), x.sin(), x), x)
    assert same is x
    second.sum().backward()
    np.testing.assert_allclose(x.grad.array, np.cos(x.detach().array), rtol=1e-6)
    assert first.requires_grad


def test_what_needs_no_gradient_is_called_once():
    calls = []

    def function(x):
        calls.append(1)
        return x * 2

    x = tensor(draw(3), requires_grad=True)
    with autograd.no_grad():
        assert not checkpoint(function, x).requires_grad
    assert not checkpoint(function, x.detach()).requires_grad
    assert len(calls) == 2
    y = checkpoint(function, x)
    assert len(calls) == 3
    y.sum().backward()
    assert len(calls) == 4


def test_random_numbers_without_their_state():
    net, x = model(), tensor(draw(50, 6), requires_grad=True)
    autograd.manual_seed(0)
    out = checkpoint(net, x, preserve_rng_state=False)
    (first,) = autograd.grad(out.sum(), x, retain_graph=True)
    (second,) = autograd.grad(out.sum(), x)
    assert not autograd.equal(first, second)
    out = checkpoint(net, x)
    (first,) = autograd.grad(out.sum(), x, retain_graph=True)
    (second,) = autograd.grad(out.sum(), x)
    assert autograd.equal(first, second)


def test_a_generator_of_the_thread_is_kept_too():
    net, x = model(), tensor(draw(50, 6), requires_grad=True)
    with autograd.generator.use_generator(autograd.Generator().manual_seed(3)):
        out = checkpoint(net, x)
        (first,) = autograd.grad(out.sum(), x, retain_graph=True)
        autograd.rand(3)
        (second,) = autograd.grad(out.sum(), x)
    assert autograd.equal(first, second)


def test_hooks_run_once():
    seen = []
    x = tensor(draw(3), requires_grad=True)
    y = x * 2
    for value in (x, y):
        value.register_hook(lambda g: seen.append(1) or g * 3)
    checkpoint(lambda y: (y * y).sum(), y).backward()
    assert len(seen) == 2
    np.testing.assert_allclose(x.grad.array, 9 * 2 * 2 * y.detach().array, rtol=1e-6)


def test_only_what_is_asked_for_gets_a_gradient():
    net, x = model(), tensor(draw(5, 6), requires_grad=True)
    out = checkpoint(net, x).sum()
    (slope,) = autograd.grad(out, net[9].bias)
    assert slope.shape == (6,)
    assert x.grad is None


def test_batch_norm_counts_both_calls():
    norm, x = nn.BatchNorm1d(6), tensor(draw(5, 6), requires_grad=True)
    checkpoint(norm, x).sum().backward()
    assert norm.num_batches_tracked.item() == 2


def test_errors():
    x = tensor(draw(3), requires_grad=True)
    y = x * 1
    out = checkpoint(lambda y: y.exp(), y)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="overwritten"):
        out.sum().backward()
    out = checkpoint(lambda x: x.exp(), x).sum()
    out.backward()
    with pytest.raises(RuntimeError, match="freed"):
        out.backward()
    sizes = iter((3, 2))
    out = checkpoint(lambda x: x[: next(sizes)] * 2, x)
    with pytest.raises(RuntimeError, match="returned outputs"):
        out.sum().backward()
    other = tensor(draw(3), requires_grad=True)
    sources = iter((x, other))
    out = checkpoint(lambda: next(sources) * 2)
    with pytest.raises(RuntimeError, match="or other ones"):
        out.sum().backward()
    with pytest.raises(ValueError, match="segments"):
        checkpoint_sequential(model(), 13, x)
    with pytest.raises(ValueError, match="segments"):
        checkpoint_sequential(model(), 0, x)


def test_an_error_in_the_second_call_leaves_everything():
    calls = iter((1, 0))

    def function(x):
        return x * (1 / next(calls))

    x = tensor(draw(3), requires_grad=True)
    out = checkpoint(function, x).sum()
    state = autograd.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        out.backward()
    assert autograd.is_grad_enabled()
    assert autograd.get_rng_state() == state
    assert x.grad is None


def test_views_do_not_keep_or_share_memory():
    x = tensor(draw(4), requires_grad=True)
    out = checkpoint(lambda x: x[:2], x)
    assert not np.may_share_memory(out.array, x.array)
    (out * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0, 0.0, 0.0]


def test_a_checkpoint_in_the_middle_of_a_graph_is_drawn_as_one_node():
    x = tensor(draw(3), requires_grad=True)
    out = recompute(lambda y: y.exp().sin().cos(), (x * 2,))
    assert out.grad_fn.name() == "CheckpointBackward"
    ((parent, _),) = out.grad_fn.next_functions
    assert parent.name() == "MulBackward0"


def peak_of(run):
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_saved():
    """16 layers keep 32 arrays of 0.5 MB; in 4 segments, 8 of one segment and 4 between them."""
    net = nn.Sequential(*(layer for _ in range(16) for layer in (nn.Linear(64, 64), nn.Tanh())))
    x = tensor(draw(2048, 64))
    whole = peak_of(lambda: net(x).sum().backward())
    net.zero_grad()
    parts = peak_of(lambda: checkpoint_sequential(net, 4, x).sum().backward())
    assert parts < 0.6 * whole, (parts, whole)


def test_nothing_stays_without_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = tensor(draw(3), requires_grad=True)
        kept = []

        def function(x):
            inner = x.exp()
            kept.append(weakref.ref(inner))
            return inner.sin()

        out = checkpoint(function, x)
        assert kept[0]() is None
        out.sum().backward()
        assert kept[1]() is None
        end = weakref.ref(out)
        del out
        assert end() is None
    finally:
        gc.enable()
