"""Dropout: how much is dropped, what it costs in memory, and that a seed repeats it."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd.random import kept
from nn import functional as F


@pytest.mark.parametrize("p", [0.0, 1e-5, 0.1, 0.25, 0.5, 0.9, 1 - 1e-5])
def test_each_is_dropped_with_its_probability(p):
    generator = autograd.Generator().manual_seed(0)
    count = 4_000_001
    dropped = count - int(kept((count,), p, generator).sum())
    assert abs(dropped - p * count) <= 5 * np.sqrt(count * p * (1 - p))


def test_what_16_bits_leave_open_is_drawn(monkeypatch):
    generator = autograd.Generator().manual_seed(0)
    p = 0.5 / 2**16  # half of the values below the first step of 16 bits
    count = 8_000_000
    dropped = count - int(kept((count,), p, generator).sum())
    assert abs(dropped - p * count) <= 5 * np.sqrt(count * p)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 5), (2, 3, 4)])
def test_shape_and_seed(shape):
    masks = [kept(shape, 0.3, autograd.Generator().manual_seed(1)) for _ in range(2)]
    assert masks[0].shape == shape
    assert masks[0].dtype == bool
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("dtype", [autograd.float16, autograd.float32, autograd.float64])
@pytest.mark.parametrize("size", [10, 1_100_000])
def test_values_and_gradient_have_the_same_mask(dtype, size):
    x = autograd.ones(size, dtype=dtype, requires_grad=True)
    y = F.dropout(x, 0.2)
    y.backward(autograd.ones_like(y))
    assert y.dtype == x.grad.dtype == dtype
    np.testing.assert_array_equal(y.array, x.grad.array)
    assert set(np.unique(y.array)) <= {dtype.type(0), dtype.type(1.25)}


def test_the_graph_keeps_one_byte_for_each_value():
    x = autograd.ones(1000, requires_grad=True)
    saved = F.dropout(x, 0.5).grad_fn.saved
    assert sum(value.nbytes for value in saved if isinstance(value, np.ndarray)) == 1000


def test_a_dropped_infinity_is_nan_as_in_torch():
    autograd.manual_seed(0)
    values = F.dropout(autograd.full((100,), float("inf")), 0.5).numpy()
    assert np.isnan(values).any()
    assert np.isinf(values).any()
