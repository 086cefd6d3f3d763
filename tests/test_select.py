"""The kernel behind `where`, which masks bits where one side is zero."""

import numpy as np
import pytest

from autograd.kernels import select


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("layout", ["plain", "transposed", "strided", "reversed"])
def test_masking_is_choosing(dtype, layout):
    random = np.random.default_rng(0)
    values = random.standard_normal((6, 8)).astype(dtype)
    values[0, :3] = np.inf, -np.inf, np.nan
    condition = random.random((6, 8)) < 0.5
    values, condition = {
        "plain": (values, condition),
        "transposed": (values.T, condition.T),
        "strided": (values[::2, 1::2], condition[::2, 1::2]),
        "reversed": (values[::-1], condition[:, ::-1]),
    }[layout]
    for chosen, wanted in [
        (select(condition, values, 0.0), np.where(condition, values, dtype(0))),
        (select(condition, 0.0, values), np.where(condition, dtype(0), values)),
    ]:
        assert chosen.dtype == dtype
        np.testing.assert_array_equal(chosen, wanted)


def test_what_is_dropped_leaves_no_sign_and_no_nan():
    dropped = select(np.array([False, False]), np.array([-1.0, np.nan]), 0.0)
    assert not np.signbit(dropped).any()
    np.testing.assert_array_equal(dropped, [0.0, 0.0])


def test_other_choices_broadcast():
    condition = np.array([[True], [False]])
    np.testing.assert_array_equal(
        select(condition, np.array([1.0, 2.0]), 0.0), [[1.0, 2.0], [0.0, 0.0]]
    )
    np.testing.assert_array_equal(select(condition, 3, 4), [[3], [4]])
