"""The error function, which NumPy lacks, against Python's own."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd

POINTS = np.concatenate(
    [np.linspace(-7, 7, 4001), np.logspace(-300, 1, 1000), -np.logspace(-300, 1, 1000)]
)


@pytest.mark.parametrize(("dtype", "roundings"), [("float64", 4), ("float32", 3)])
def test_erf_is_right_to_the_last_digits(dtype, roundings):
    points = POINTS.astype(dtype)
    found = autograd.erf(autograd.tensor(points)).numpy()
    assert found.dtype == np.dtype(dtype)
    expected = np.array([math.erf(float(point)) for point in points])
    normal = np.abs(expected) > np.finfo(dtype).tiny
    error = np.abs(found[normal].astype(np.float64) / expected[normal] - 1)
    assert error.max() <= roundings * np.finfo(dtype).eps


def test_erf_at_the_ends():
    x = autograd.tensor([0.0, -0.0, np.inf, -np.inf, np.nan], requires_grad=True)
    y = autograd.erf(x)
    np.testing.assert_array_equal(y.detach().numpy(), [0.0, -0.0, 1.0, -1.0, np.nan])
    assert np.signbit(y.detach().numpy()[1])
    y.sum().backward()
    slope = 2 / math.sqrt(math.pi)
    np.testing.assert_allclose(x.grad.numpy(), [slope, slope, 0.0, 0.0, np.nan], rtol=1e-6)


def test_erf_rises():
    steps = np.diff(autograd.erf(autograd.tensor(np.linspace(-6, 6, 10001))).numpy())
    assert (steps >= -1e-15).all()
