"""Several Python threads train different models at once, each as if it were alone."""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec

import numpy as np
import pytest

import autograd
import nn
from autograd import no_grad

with_numba = pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")
STEPS = 4


@pytest.fixture(params=["numpy", pytest.param("numba", marks=with_numba)])
def kernels(request):
    threads, interval = autograd.get_num_threads(), sys.getswitchinterval()
    autograd.set_num_threads(2)
    sys.setswitchinterval(1e-5)
    with autograd.use_kernels(request.param):
        yield request.param
    sys.setswitchinterval(interval)
    autograd.set_num_threads(threads)


def convolutions():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 24, 5, padding=2),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(24 * 16, 10),
    )


def strided():
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, stride=2, padding=1, bias=False),
        nn.GroupNorm(3, 12),
        nn.GELU(),
        nn.ConvTranspose2d(12, 6, 2, stride=2),
        nn.Conv2d(6, 6, 3, groups=6),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(6 * 16, 10),
    )


def perceptron():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(3 * 256, 512),
        nn.LayerNorm(512),
        nn.Tanh(),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Linear(512, 10),
    )


def pointwise():
    return nn.Sequential(
        nn.Conv2d(3, 32, 1),
        nn.ELU(),
        nn.Conv2d(32, 32, 3, dilation=2),
        nn.MaxPool2d(3, stride=2),
        nn.Flatten(),
        nn.Linear(32 * 25, 10),
    )


MODELS = {
    "convolutions": (convolutions, nn.optim.Adam),
    "strided": (strided, nn.optim.RMSprop),
    "perceptron": (perceptron, nn.optim.SGD),
    "pointwise": (pointwise, nn.optim.AdamW),
}


def prepared(name):
    """A model, its optimizer and a batch: drawn one after the other, from the one generator."""
    autograd.manual_seed(sorted(MODELS).index(name))
    build, optimizer = MODELS[name]
    model = build()
    images, labels = autograd.randn(16, 3, 16, 16), autograd.randint(0, 10, (16,))
    return model, optimizer(model.parameters(), lr=0.01), images, labels


def train(model, optimizer, images, labels):
    """Some steps, some looks at the model meanwhile, and everything that came of them."""
    found = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        with no_grad():
            found.append(model(images[:4]).numpy())
    assert model(images).requires_grad
    return [*found, *(value.numpy() for value in model.state_dict().values())]


def in_threads(names):
    """What each model has become, all of them being trained at the same time."""
    work = {name: prepared(name) for name in names}
    results, errors = {}, []
    start = threading.Barrier(len(names))

    def run(name):
        try:
            start.wait()
            results[name] = train(*work[name])
        except BaseException as error:  # told in the main thread
            errors.append(error)

    crew = [threading.Thread(target=run, args=(name,)) for name in names]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    if errors:
        raise errors[0]
    return results


def assert_same_bits(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_together_as_alone(kernels):
    for name in MODELS:  # the first large call loads compiled kernels; small ones use them then
        train(*prepared(name))
    alone = {name: train(*prepared(name)) for name in MODELS}
    for _ in range(2):
        for name, values in in_threads(MODELS).items():
            assert_same_bits(values, alone[name])


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_and_threads_give_the_same_bits(name, kernels):
    assert_same_bits(train(*prepared(name)), train(*prepared(name)))


def test_gradients_are_off_in_one_thread_only(kernels):
    inside, done = threading.Event(), threading.Event()

    def look():
        with no_grad():
            inside.set()
            done.wait(10)

    other = threading.Thread(target=look)
    other.start()
    inside.wait(10)
    try:
        assert (autograd.ones(2, requires_grad=True) * 2).requires_grad
    finally:
        done.set()
        other.join()
