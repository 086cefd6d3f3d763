"""Memory goes with the last handle, the garbage collector being off; and no walk recurses."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import sys
import time
import tracemalloc
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
from programs import STEPS, Program

import autograd
import nn
from autograd import Function, grad, kernels, no_grad, tensor
from autograd.function import once_differentiable
from autograd.graph import Node


@pytest.fixture(autouse=True)
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def nodes():
    return sum(type(value) is Node for value in gc.get_objects())


def leaf(*values):
    return tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y, x + 1)
        return y

    @staticmethod
    def backward(ctx, g):
        x, _, _ = ctx.saved_tensors
        return 2 * x * g


class Pair(Function):
    @staticmethod
    def forward(ctx, x):
        a, b = x.sin(), x.cos()
        ctx.save_for_backward(a, b)
        return a, b

    @staticmethod
    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        return g * b - h * a


class Scale(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, g):
        return g * 2


class Once(Function):
    @staticmethod
    def forward(ctx, x):
        return x * x

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g


def overwritten_input():
    """A saved input that later gets a history which leads back to the call."""
    x = leaf() * 1
    y = Square.apply(x)
    x.add_(y)
    return x


def written_view():
    x = leaf() * 1
    v = x[:2]
    v.mul_(x[1:])
    x[0] = v.sum()
    return v


def leaf_view():
    x = autograd.zeros(3)
    v = x[:2].requires_grad_()
    x[1:] = v * 2
    return x.sum() + v.sum()


def hooked():
    x = leaf()
    y = x * 2
    y.register_hook(lambda g: g * 3)
    x.register_hook(lambda g: g * 3)
    y.retain_grad()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    return z


def penalty():
    x = leaf()
    (g,) = grad((x * x * x).sum(), x, create_graph=True)
    return (g * g).sum()


def functions():
    x = leaf()
    a, b = Pair.apply(Square.apply(x))
    (g,) = grad((a * b).sum(), x, create_graph=True)
    return (g * a).sum()


def dirty():
    x = leaf() * 1
    v = x[1:]
    return Scale.apply(v) * x[:2]


def refused_twice():
    x = leaf()
    (g,) = grad(Once.apply(x).sum(), x, create_graph=True)
    return g


def failed():
    x = leaf()
    y = x.exp()
    y.detach().zero_()
    try:
        y.sum().backward()
    except RuntimeError:
        return y
    raise AssertionError


def copied():
    x = leaf()
    (x * x).sum().backward()
    return [x, copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))]


BUILDS = [
    overwritten_input,
    written_view,
    leaf_view,
    hooked,
    penalty,
    functions,
    dirty,
    refused_twice,
    failed,
    copied,
]


class TestNoCycles:
    @pytest.mark.parametrize("build", BUILDS)
    def test_everything_goes_with_the_last_handle(self, build):
        before = nodes()
        kept = build()
        del kept
        assert nodes() == before
        assert gc.collect() == 0

    def test_the_arrays_go_too(self):
        x = leaf()
        y = x * 2
        z = y.exp()
        arrays = [weakref.ref(y.array), weakref.ref(z.array)]
        w = z.sum()
        del y, z
        assert arrays[0]() is None  # no rule reads it
        assert arrays[1]() is not None  # the rule of exp does
        del w
        assert arrays[1]() is None

    def test_backward_frees_what_was_saved(self):
        x = leaf()
        y = x.exp()
        z = y.sum()
        array = weakref.ref(y.array)
        del y
        z.backward()
        assert array() is None

    def test_a_view_keeps_its_base_and_not_the_reverse(self):
        x = leaf() * 1
        base = weakref.ref(x)
        v = x[:2]
        del x
        assert base() is not None
        view = weakref.ref(v)
        x = base()
        del v
        assert view() is None
        assert x is not None

    def test_a_dead_view_leaves_its_write(self):
        w, x = leaf(), autograd.zeros(3)
        x[1:].mul_(0).add_(w[:2])
        x.sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), [1, 1, 0])

    def test_no_handle_is_kept_by_a_pass(self):
        x = leaf()
        y = x * 2
        z = (y * y).sum()
        found = grad(z, [x, y], retain_graph=True)
        refs = [weakref.ref(value) for value in (*found, y, z)]
        del found, y, z
        assert [ref() for ref in refs] == [None] * 4

    def test_random_programs(self):
        """Every kind of sharing, writing and differentiating, from the machine's programs."""
        numbers = random.Random(3)
        before = nodes()
        for _ in range(30):
            program = Program(numbers.randrange)
            for _ in range(40):
                getattr(program, numbers.choice(STEPS))()
            del program
        assert nodes() == before

    def test_training_needs_no_collector(self):
        w, x = leaf(), leaf()
        before, peak = nodes(), []
        for _ in range(20):
            loss = ((w * x).sigmoid().sum() - 1) ** 2
            w.grad = None
            loss.backward()
            with no_grad():
                w -= 0.1 * w.grad
            peak.append(nodes() - before)
        assert max(peak) < 15


def chain(length):
    """Build, differentiate and free: seconds for each."""
    x = tensor([1.0, -1.0], dtype=autograd.float64, requires_grad=True)
    start, y = time.perf_counter(), x
    for _ in range(length // 2):
        y = y * 0.999999 + 1e-9
    built = time.perf_counter()
    y.backward(autograd.ones(2, dtype=autograd.float64))
    differentiated = time.perf_counter()
    del y
    freed = time.perf_counter()
    np.testing.assert_allclose(x.grad.numpy(), 0.999999 ** (length // 2))
    return built - start, differentiated - built, freed - differentiated


class TestDepth:
    def test_a_chain_of_a_million_operations(self):
        before = nodes()
        short = sum(chain(100_000))
        long = sum(chain(1_000_000))
        assert nodes() == before
        assert long < 40 * short  # ten times the length; a quadratic walk would take a hundred

    def test_a_deep_graph_is_freed_without_a_pass(self):
        before = nodes()
        x = y = leaf()
        for _ in range(200_000):
            y = (y + x).neg()
        assert nodes() == before + 400_000
        del y
        assert nodes() == before

    def test_a_deep_graph_to_one_input(self):
        x = y = leaf()
        for _ in range(50_000):
            y = y * 1.0
        assert grad(y.sum(), x, retain_graph=True)[0].tolist() == [1, 1, 1]
        (g,) = grad(y.sum(), x, create_graph=True)
        assert g.tolist() == [1, 1, 1]

    def test_many_writes_to_one_tensor(self):
        x = leaf()
        y = x * 1
        v = y[:2]
        for _ in range(5_000):
            v.mul_(1.0)
            y[2] = v[0]
        (y.sum() + v.sum()).backward()
        assert x.grad.tolist() == [3, 2, 0]

    def test_a_wide_graph(self):
        before = nodes()
        x = leaf(2.0)
        parts = [x * k for k in range(20_000)]
        autograd.cat(parts).sum().backward()
        np.testing.assert_allclose(x.grad.item(), 20_000 * 19_999 / 2, rtol=1e-4)
        del parts
        assert nodes() == before


KILOBYTE = 1 << 10
MEGABYTE = 1 << 20


@contextmanager
def traced():
    """Count what Python and NumPy allocate: `traced_bytes` says how much that is now."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def peak_of(function):
    """The most memory that a call had at one time, over what there was before it."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    function()
    return tracemalloc.get_traced_memory()[1] - before


class TestPass:
    """What a backward pass holds while it runs."""

    LENGTH = 20

    @pytest.fixture(autouse=True)
    def reference(self):
        """Loading compiled kernels takes memory of its own."""
        with autograd.use_kernels("numpy"):
            yield

    def chain(self):
        x = autograd.zeros(MEGABYTE // 4, requires_grad=True)
        y = x
        for _ in range(self.LENGTH):
            y = y.exp() * 0.5
        return x, y

    def test_saved_values_go_as_they_are_consumed(self):
        with traced() as traced_bytes:
            x, y = self.chain()
            held = []
            z = y
            z.register_hook(lambda g: held.append(traced_bytes()))
            x.register_hook(lambda g: held.append(traced_bytes()))
            assert peak_of(lambda: z.backward(autograd.ones_like(z))) < 6 * MEGABYTE
        assert held[0] - held[1] > (self.LENGTH - 4) * MEGABYTE

    def test_they_stay_where_that_was_asked(self):
        with traced() as traced_bytes:
            x, y = self.chain()
            before = traced_bytes()
            y.backward(autograd.ones_like(y), retain_graph=True)
            assert traced_bytes() - before > -MEGABYTE // 2
            del x

    def test_gradients_that_meet_are_added_as_they_come(self):
        """Twenty uses of one tensor: their gradients are never there all at once."""
        with traced():
            x = autograd.ones(MEGABYTE // 4, requires_grad=True)
            y = x * 1.0
            total = sum((y * float(number)).sum() for number in range(20))
            assert peak_of(total.backward) < 5 * MEGABYTE

    def test_a_gradient_is_handed_to_a_leaf_without_a_copy(self):
        with traced():
            weight = autograd.ones(512, 512, requires_grad=True)  # a megabyte
            x = autograd.ones(4, 512)
            loss = (x @ weight).sum()
            assert peak_of(loss.backward) < 1.5 * MEGABYTE

    def test_an_activation_in_place_needs_no_second_array(self):
        for activation in (nn.ReLU(inplace=True), lambda x: x.tanh_(), lambda x: x.sigmoid_()):
            with traced() as traced_bytes:
                x = autograd.ones(MEGABYTE // 4, requires_grad=True)
                y = x * 2.0
                before = traced_bytes()
                z = activation(y)
                assert traced_bytes() - before < 64 * KILOBYTE
                z.sum().backward()

    def test_what_it_saved_is_guarded(self):
        x = leaf(-1.0, 2.0)
        y = (x * 2.0).relu_()
        (y * 3.0).sum().backward()
        assert x.grad.tolist() == [0, 6]
        y = (x * 2.0).relu_()
        y.mul_(3.0)
        with pytest.raises(RuntimeError, match="relu: a value that its gradient needs was overw"):
            y.sum().backward()

    def test_in_place_and_differentiated_twice(self):
        x = tensor([0.3, -0.7], dtype=autograd.float64, requires_grad=True)
        autograd.gradgradcheck(lambda x: (x * 2).tanh_() * x, x)
        autograd.gradgradcheck(lambda x: (x * 2)[:1].sigmoid_() * x, x)


def small_network():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(4 * 16, 8),
        nn.LayerNorm(8),
        nn.GELU(),
        nn.Linear(8, 3),
    )


def test_a_thousand_steps_leave_nothing_behind():
    autograd.manual_seed(0)
    model = small_network()
    optimizer = nn.optim.AdamW(model.parameters())
    images, labels = autograd.randn(4, 1, 8, 8), autograd.tensor([0, 1, 2, 0])

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        assert gc.collect() == 0  # and it empties the interpreter's free lists
        return sys.getallocatedblocks()

    before = train(20)
    assert train(1000) - before < 900  # one object a step would be too many


class TestWork:
    """What nobody needs is not computed."""

    @pytest.fixture
    def calls(self, monkeypatch):
        """How often each kernel was called, by name."""
        counts = {}

        def counted(name, kernel):
            def call(*arguments):
                counts[name] = counts.get(name, 0) + 1
                return kernel(*arguments)

            return call

        with autograd.use_kernels("numpy"):
            for name in ("conv", "conv_input_grad", "conv_weight_grad", "linear", "matmul"):
                monkeypatch.setattr(kernels, name, counted(name, getattr(kernels, name)))
            yield counts
            monkeypatch.undo()

    def convolve(self, model, requires_grad=False):
        images = autograd.ones(2, 3, 6, 6, requires_grad=requires_grad)
        model(images).sum().backward()

    def model(self):
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))

    def test_the_first_layer_has_no_gradient_of_its_input(self, calls):
        self.convolve(self.model())
        assert calls == {"conv": 2, "conv_input_grad": 1, "conv_weight_grad": 2}

    def test_unless_that_is_asked_for(self, calls):
        self.convolve(self.model(), requires_grad=True)
        assert calls["conv_input_grad"] == 2

    def test_frozen_layers_have_no_gradients(self, calls):
        model = self.model()
        model[2].requires_grad_(False)
        self.convolve(model)
        assert calls == {"conv": 2, "conv_input_grad": 1, "conv_weight_grad": 1}

    def test_nothing_goes_back_into_a_frozen_stem(self, calls):
        model = self.model()
        model[0].requires_grad_(False)
        self.convolve(model)
        assert calls == {"conv": 2, "conv_weight_grad": 1}

    def test_only_the_gradients_that_were_asked_for(self, calls):
        model = self.model()
        loss = model(autograd.ones(2, 3, 6, 6)).sum()
        grad(loss, model[2].weight)
        assert calls == {"conv": 2, "conv_weight_grad": 1}

    def test_linear_layers(self, calls):
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5))
        model(autograd.ones(2, 3)).sum().backward()
        assert calls == {"linear": 2, "matmul": 3}
        calls.clear()
        model[2].requires_grad_(False)
        model(autograd.ones(2, 3)).sum().backward()
        assert calls == {"linear": 2, "matmul": 2}

    def test_without_gradients_nothing_is_kept(self):
        model = self.model()
        before = nodes()
        with no_grad():
            out = model(autograd.ones(2, 3, 6, 6))
        assert nodes() == before
        assert out.grad_fn is None
