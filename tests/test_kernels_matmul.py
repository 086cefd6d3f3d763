"""Compiled matrix products and linear layers against the reference in float64."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("numba")

import autograd
from autograd.kernels import numba_matmul, numpy_matmul


@pytest.fixture(params=[1, 2, 3])
def shared(request, monkeypatch):
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    monkeypatch.setattr("autograd.kernels.threads.WORTHWHILE", 64)
    monkeypatch.setattr(numba_matmul, "LEAST", 0)
    yield
    autograd.set_num_threads(before)


def drawn(rows, inputs, outputs, seed=0):
    random = np.random.default_rng(seed)
    shapes = ((*rows, inputs), (outputs, inputs), (outputs,))
    return [random.standard_normal(shape, np.float32) for shape in shapes]


def check(x, weight, bias):
    with mock.patch.object(numpy_matmul, "linear", side_effect=AssertionError):
        came = numba_matmul.linear(x, weight, bias)
    terms = [None if a is None else a.astype(np.float64) for a in (x, weight, bias)]
    wanted = numpy_matmul.linear(*terms)
    assert came.dtype == np.float32
    assert came.shape == wanted.shape
    size = np.linalg.norm(terms[0]) * np.linalg.norm(terms[1])
    assert np.linalg.norm(came - wanted) <= 1e-6 * (size + np.linalg.norm(wanted))


@given(
    rows=st.lists(st.integers(1, 5), max_size=2).map(lambda sizes: (*sizes, 9)),
    inputs=st.sampled_from([1, 2, 15, 16, 17, 95, 96, 97, 200]),
    outputs=st.sampled_from([1, 3, 16, 63, 64, 65, 128, 130, 300]),
    has_bias=st.booleans(),
)
def test_shapes(rows, inputs, outputs, has_bias):
    x, weight, bias = drawn(rows, inputs, outputs)
    with mock.patch.object(numba_matmul, "LEAST", 0):
        check(x, weight, bias if has_bias else None)


OPERANDS = {
    "rows": lambda array: array,
    "columns": lambda array: np.ascontiguousarray(array.T).T,
    "every second": lambda array: np.repeat(array, 2, axis=1)[:, ::2],
    "reversed": lambda array: array[::-1].copy()[::-1],
}


@pytest.mark.parametrize("inner", [3, 150, 200, 500])
@pytest.mark.parametrize("y_kind", OPERANDS)
@pytest.mark.parametrize("x_kind", OPERANDS)
def test_products_of_any_layout(shared, x_kind, y_kind, inner):
    """Transposed operands are turned, in blocks, where they are long and the result is wide."""
    random = np.random.default_rng(inner)
    for rows, columns in ((9, 5), (23, 70), (230, 300)):
        x = OPERANDS[x_kind](random.standard_normal((rows, inner), np.float32))
        y = OPERANDS[y_kind](random.standard_normal((inner, columns), np.float32))
        with mock.patch.object(numpy_matmul, "matmul", side_effect=AssertionError):
            came = numba_matmul.matmul(x, y)
        wanted = x.astype(np.float64) @ y.astype(np.float64)
        assert came.dtype == np.float32
        assert np.abs(came - wanted).max() <= 1e-5 * np.sqrt(inner) * np.abs(wanted).max()


def test_stacks_times_a_matrix(shared):
    random = np.random.default_rng(0)
    x, y = random.standard_normal((3, 7, 40), np.float32), random.standard_normal((40, 21))
    y = y.astype(np.float32)
    np.testing.assert_allclose(numba_matmul.matmul(x, y), x @ y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("outputs", [64, 130, 384, 700])
def test_threads(shared, outputs):
    check(*drawn((50,), 130, outputs))


def test_rows_that_are_not_in_order(shared):
    """They are copied: (steps, batch, in) where (batch, steps, in) lies in memory, say."""
    x, weight, bias = drawn((8, 30), 130, 100)
    check(np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1), weight, bias)
    check(x[..., ::-1], weight, bias)


def test_nan_stays_in_its_row(shared):
    x, weight, bias = drawn((12,), 40, 70)
    x[3, 7] = np.nan
    out = numba_matmul.linear(x, weight, bias)
    assert np.isnan(out[3]).all()
    assert np.isfinite(np.delete(out, 3, axis=0)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda x, weight, bias: (x.astype(np.float64), weight.astype(np.float64), None),
        lambda x, weight, bias: (x[:0], weight, bias),
        lambda x, weight, bias: (x[:, :0], weight[:, :0], bias),
    ],
    ids=["float64", "no rows", "no inputs"],
)
def test_what_is_left_to_the_reference(shared, change):
    arguments = change(*drawn((20,), 30, 40))
    np.testing.assert_array_equal(numba_matmul.linear(*arguments), numpy_matmul.linear(*arguments))


def test_read_only_arrays(shared):
    arguments = drawn((20,), 30, 40)
    for array in arguments:
        array.flags.writeable = False
    np.testing.assert_allclose(
        numba_matmul.linear(*arguments), numpy_matmul.linear(*arguments), rtol=1e-4, atol=1e-5
    )
