"""Values picked along an axis by an index, and their gradients, by both kernels."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd.kernels import numpy_along, threads

WAYS = [numpy_along]
if find_spec("numba") is not None:
    from autograd.kernels import numba_along

    WAYS.append(numba_along)

ways = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.split(".")[-1])


@st.composite
def picks(draw):
    """An array, an axis, and an index that may be smaller on the other axes."""
    shape = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)))
    axis = draw(st.integers(0, len(shape) - 1))
    smaller = draw(st.booleans())
    sizes = [draw(st.integers(1, size)) if smaller else size for size in shape]
    sizes[axis] = draw(st.integers(1, 9))
    random = np.random.default_rng(draw(st.integers(0, 999)))
    index = random.integers(0, shape[axis], sizes)
    dtype = draw(st.sampled_from([np.float32, np.float64, np.float16, np.int64]))
    turned = draw(st.booleans())
    x = (9 * random.standard_normal(shape[::-1] if turned else shape)).astype(dtype)
    return x.T if turned else x, index, axis


@ways
@pytest.mark.parametrize("number", [1, 3])
@given(case=picks())
def test_values_and_gradients(way, number, case):
    """Against loops over all elements."""
    x, index, axis = case
    before, least = autograd.get_num_threads(), threads.WORTHWHILE
    autograd.set_num_threads(number)
    threads.WORTHWHILE = 1
    try:
        found = way.take_along(x, index, axis)
        g = (2 * found + 1).astype(x.dtype)
        added = way.add_along(g, index, x.shape, axis)
    finally:
        autograd.set_num_threads(before)
        threads.WORTHWHILE = least
    wanted, total = np.empty(index.shape, x.dtype), np.zeros(x.shape, np.float64)
    for place in np.ndindex(index.shape):
        source = (*place[:axis], index[place], *place[axis + 1 :])
        wanted[place] = x[source]
        total[source] += g[place]
    assert found.dtype == added.dtype == x.dtype
    np.testing.assert_array_equal(found, wanted)
    tolerance = 1e-2 if x.dtype == np.float16 else 1e-5
    np.testing.assert_allclose(added, total, tolerance, tolerance * 10)


@ways
def test_long_sums_are_exact(way):
    g, index = np.full((3, 50_000), 0.1, np.float32), np.zeros((3, 50_000), np.int64)
    total = way.add_along(g, index, (3, 2), 1)
    np.testing.assert_allclose(total[:, 0], 50_000 * np.float64(np.float32(0.1)), 1e-7)
    assert (total[:, 1] == 0).all()


@pytest.mark.parametrize("kernels", autograd.kernels.choice.NAMES[: len(WAYS)])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (0, 3)])
def test_nothing_to_pick(kernels, shape):
    x = autograd.ones(shape, requires_grad=True)
    with autograd.use_kernels(kernels):
        out = autograd.gather(x, 0, autograd.zeros(shape, dtype=np.int64))
        out.sum().backward()
    assert out.shape == x.grad.shape == shape
