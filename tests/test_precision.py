"""Whole networks in float32 stay close to the same ones in float64, forward and backward."""

from __future__ import annotations

from copy import deepcopy
from importlib.util import find_spec

import numpy as np
import pytest

import autograd
import nn
from demos.networks import NETWORKS

OUTPUTS, GRADIENTS = 1e-5, 2e-5
"""Relative errors, of norms. A gradient passes through twice as many operations."""

with_numba = pytest.mark.skipif(find_spec("numba") is None, reason="Numba is not installed")


def run(model, samples, weights):
    """The outputs of a network, and the gradient of each parameter of their weighted sum."""
    model.zero_grad()
    outputs = model(samples)
    (outputs * weights).sum().backward()
    return [outputs.detach().numpy(), *(value.grad.numpy() for value in model.parameters())]


def apart(values, exact):
    """The norm of the difference, over the norm of what is exact."""
    return np.linalg.norm(values.astype(np.float64) - exact) / max(np.linalg.norm(exact), 1e-30)


@pytest.fixture(params=["numpy", pytest.param("numba", marks=with_numba)])
def kernels(request):
    with autograd.use_kernels(request.param):
        yield request.param


def check(model, network, gradients):
    double = deepcopy(model).double()
    for module in (*model.modules(), *double.modules()):
        module.training = isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))  # no dropout
    samples = autograd.randn(8, *network.shape[1:])
    weights = autograd.randn(*model(samples).shape)
    found = run(model, samples, weights)
    exact = run(double, samples.double(), weights.double())
    assert all(value.dtype == np.float32 for value in found)
    assert all(value.dtype == np.float64 for value in exact)
    assert apart(found[0], exact[0]) < OUTPUTS
    whole = np.concatenate([value.ravel() for value in found[1:]])
    assert apart(whole, np.concatenate([value.ravel() for value in exact[1:]])) < gradients


@pytest.mark.parametrize("name", NETWORKS)
def test_single_and_double_precision_agree(name, kernels):
    autograd.manual_seed(0)
    model = NETWORKS[name].build(nn)
    # among a million values near 0, rounding turns the sign of some, and ReLU's slope with it
    check(model, NETWORKS[name], 1e-2 if name == "ResNet-18" else GRADIENTS)


def test_a_deep_network_without_kinks(kernels, monkeypatch):
    autograd.manual_seed(0)
    monkeypatch.setattr(nn, "ReLU", lambda inplace=False: nn.Softplus())
    check(NETWORKS["ResNet-18"].build(nn), NETWORKS["ResNet-18"], GRADIENTS)
