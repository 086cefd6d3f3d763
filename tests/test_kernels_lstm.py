"""The compiled LSTM against the reference in float64: values, gradients, layouts, threads, NaN."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

import autograd
from autograd.kernels import numba_recurrent, numpy_recurrent

NEEDS = (True,) * 7
CASES = [
    ((1,) * 3, False, 5, 16),
    ((1,), True, 1, 1),
    ((2,) * 7, False, 64, 20),
    ((5,) * 12, True, 3, 17),
    ((33,) * 20, False, 40, 64),
    ((33,) * 3, True, 130, 130),
    ((9, 9, 7, 4, 4, 1), False, 7, 33),
    ((9, 9, 7, 4, 4, 1), True, 7, 33),
    ((6,) * 30 + (5,) * 40 + (1,) * 50, True, 16, 31),
]


@pytest.fixture(autouse=True, params=[1, 2, 3])
def threads(request, monkeypatch):
    """Several threads share even small work here."""
    before = autograd.get_num_threads()
    autograd.set_num_threads(request.param)
    monkeypatch.setattr("autograd.kernels.threads.WORTHWHILE", 64)
    yield
    autograd.set_num_threads(before)


def draw(sizes, inputs, size, biases="both"):
    """Inputs of `lstm`, and a gradient of its result."""
    random = np.random.default_rng(0)
    count, total = max(sizes), sum(sizes)
    arrays = [random.standard_normal(s) for s in ((total, inputs), (count, size), (count, size))]
    arrays += [
        random.standard_normal(s) / np.sqrt(s[-1])
        for s in ((4 * size, inputs), (4 * size, size), (4 * size,), (4 * size,))
    ]
    arrays[5] = None if biases in ("none", "second") else arrays[5]
    arrays[6] = None if biases == "none" else arrays[6]
    return arrays, random.standard_normal((total + count, size))


def run(arrays, g, sizes, reverse, forward, backward, dtype=np.float32, needs=NEEDS):
    """Everything that the kernels of two modules give."""
    inputs = [None if a is None else a.astype(dtype) for a in arrays]
    saved = forward.lstm(*inputs, sizes, reverse)
    gradients = backward.lstm_grad(g.astype(dtype), needs, *inputs[:5], *saved, sizes, reverse)
    return [*saved, *gradients]


def assert_near(ours, wanted, tolerance=1e-5):
    for place, (one, other) in enumerate(zip(ours, wanted, strict=True)):
        if other is None:
            assert one is None
            continue
        assert (one.shape, one.dtype) == (other.shape, np.float32)
        error = np.linalg.norm(one - other) / np.linalg.norm(other)
        assert error <= tolerance, f"result {place}: {error}"


@pytest.mark.parametrize(("sizes", "reverse", "inputs", "size"), CASES)
@pytest.mark.parametrize("biases", ["both", "second", "none"])
def test_results_and_gradients(sizes, reverse, inputs, size, biases):
    given = draw(sizes, inputs, size, biases)
    wanted = run(*given, sizes, reverse, numpy_recurrent, numpy_recurrent, np.float64)
    assert_near(run(*given, sizes, reverse, numba_recurrent, numba_recurrent), wanted)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_reference_and_compiled_kernels_read_what_the_other_saved(reverse):
    sizes = (9, 9, 7, 4, 4, 1)
    given = draw(sizes, 7, 33)
    wanted = run(*given, sizes, reverse, numpy_recurrent, numpy_recurrent, np.float64)
    assert_near(run(*given, sizes, reverse, numba_recurrent, numpy_recurrent), wanted)
    assert_near(run(*given, sizes, reverse, numpy_recurrent, numba_recurrent), wanted)


def test_kernels_may_be_switched_between_forward_and_backward():
    gradients = []
    for first, second in (("numba", "numpy"), ("numpy", "numba"), ("numpy", "numpy")):
        layer = autograd_layer()
        x = autograd.tensor(draw((12,) * 40, 20, 24)[0][0].astype(np.float32), requires_grad=True)
        with autograd.use_kernels(first):
            loss = (layer(x.reshape(40, 12, 20))[0] ** 2).sum()
        with autograd.use_kernels(second):
            loss.backward()
        gradients.append([x.grad.array, *(p.grad.array for p in layer.parameters())])
    assert_near(gradients[0], gradients[2])
    assert_near(gradients[1], gradients[2])


def autograd_layer():
    import nn

    autograd.manual_seed(0)
    return nn.LSTM(20, 24)


@pytest.mark.parametrize("place", range(7))
def test_what_is_not_needed_is_not_computed(place):
    sizes, needs = (5, 5, 3), tuple(k == place for k in range(7))
    given = draw(sizes, 7, 20)
    every = run(*given, sizes, False, numba_recurrent, numba_recurrent)
    some = run(*given, sizes, False, numba_recurrent, numba_recurrent, needs=needs)
    assert [value is not None for value in some[3:]] == list(needs)
    np.testing.assert_array_equal(some[3 + place], every[3 + place])


def test_gradients_of_both_biases_have_their_own_memory():
    results = run(*draw((5, 5), 7, 20), (5, 5), False, numba_recurrent, numba_recurrent)
    assert not np.may_share_memory(*results[-2:])


def test_the_inputs_stay_as_they_were():
    sizes = (5, 5, 3)
    arrays, g = draw(sizes, 7, 20)
    inputs = [a.astype(np.float32) for a in arrays]
    g = g.astype(np.float32)
    saved = numba_recurrent.lstm(*inputs, sizes, False)
    copies = [a.copy() for a in (g, *inputs, *saved)]
    numba_recurrent.lstm_grad(g, NEEDS, *inputs[:5], *saved, sizes, False)
    for one, other in zip((g, *inputs, *saved), copies, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("reverse", [False, True])
def test_the_same_bits_again(reverse):
    """With any number of threads for what walks through time; sums over rows with the same one."""
    sizes = (33,) * 20 + (20,) * 3
    given = draw(sizes, 24, 40)
    first, again = (run(*given, sizes, reverse, *(numba_recurrent,) * 2) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
    autograd.set_num_threads(1)
    alone = run(*given, sizes, reverse, *(numba_recurrent,) * 2)
    for place in (0, 2, 4, 5):  # hidden and cell states; gradients of the initial ones
        np.testing.assert_array_equal(first[place], alone[place])
    assert_near(first, alone, 1e-6)


def test_arrays_that_are_strided_or_read_only():
    sizes = (12,) * 5
    arrays, g = draw(sizes, 24, 40)
    plain = run(arrays, g, sizes, False, numba_recurrent, numba_recurrent)
    inputs = [np.repeat(a.astype(np.float32), 2, axis=-1)[..., ::2] for a in arrays]
    for value in inputs:
        value.flags.writeable = False
    g = np.asfortranarray(g.astype(np.float32))
    g.flags.writeable = False
    saved = numba_recurrent.lstm(*inputs, sizes, False)
    for value in saved:
        value.flags.writeable = False
    gradients = numba_recurrent.lstm_grad(g, NEEDS, *inputs[:5], *saved, sizes, False)
    assert_near([*saved, *gradients], plain, 1e-6)


def test_nan_and_infinity_spread_as_in_the_reference():
    sizes = (6,) * 4
    arrays, g = draw(sizes, 5, 20)
    arrays[0][7, 2], arrays[0][9, 1], arrays[2][3, 4] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore"):
        wanted = run(arrays, g, sizes, False, numpy_recurrent, numpy_recurrent)
        ours = run(arrays, g, sizes, False, numba_recurrent, numba_recurrent)
    for one, other in zip(ours, wanted, strict=True):
        np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other))
    np.testing.assert_allclose(ours[0], wanted[0], rtol=1e-4, atol=1e-6)


def test_saturated_and_tiny_gates():
    """The activations alone: no weights on the state, biases that are the sums."""
    sums = np.concatenate([-np.logspace(2, -30, 80), [0.0], np.logspace(-30, 2, 80)])
    size = len(sums)
    inputs = [np.zeros(s, np.float32) for s in ((1, 1), (1, size), (1, size))]
    inputs += [np.zeros((4 * size, 1), np.float32), np.zeros((4 * size, size), np.float32)]
    bias = np.tile(sums, 4).astype(np.float32)
    gates = numba_recurrent.lstm(*inputs, bias, None, (1,), False)[1][:, 0]
    exact = bias[:size].astype(np.float64)
    np.testing.assert_allclose(gates[3], np.tanh(exact), rtol=1e-6)
    for gate in gates[:3]:
        np.testing.assert_allclose(gate, 1 / (1 + np.exp(-exact)), rtol=1e-6, atol=1e-34)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_dtypes_go_to_the_reference(dtype):
    given = draw((5, 3), 7, 20)
    ours = run(*given, (5, 3), False, numba_recurrent, numba_recurrent, dtype)
    wanted = run(*given, (5, 3), False, numpy_recurrent, numpy_recurrent, dtype)
    for one, other in zip(ours, wanted, strict=True):
        assert one.dtype == dtype
        np.testing.assert_array_equal(one, other)


def test_no_inputs_and_no_sequences():
    for shape in ((0, 3), (4, 0)):
        arrays, g = draw((2, 2), shape[1], 20)
        sizes = (2, 2) if shape[0] else (0, 0)
        if not shape[0]:
            arrays[:3] = [np.zeros(s) for s in (shape, (0, 20), (0, 20))]
            g = np.zeros((0, 20))
        ours = run(arrays, g, sizes, False, numba_recurrent, numba_recurrent)
        wanted = run(arrays, g, sizes, False, numpy_recurrent, numpy_recurrent)
        for one, other in zip(ours, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_shapes_that_do_not_fit_are_refused():
    arrays, _ = draw((5, 3), 7, 20)
    inputs = [a.astype(np.float32) for a in arrays]
    inputs[4] = inputs[4][:, :-1]
    with pytest.raises(ValueError, match="matmul"):
        numba_recurrent.lstm(*inputs, (5, 3), False)
