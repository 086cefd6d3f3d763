"""Normalization against PyTorch, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import DTYPES, agree, close, random, torch, zeros

from autograd import ops, tensor
from autograd.errors import DtypeError, ShapeError
from autograd.kernels import windows

F = torch.nn.functional


@pytest.mark.parametrize("shape", [(8, 3), (4, 3, 5), (4, 3, 5, 6), (2, 3, 2, 3, 2), (1, 2, 3)])
@pytest.mark.parametrize("affine", ["both", "weight", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_norm(shape, affine, dtype):
    x, *parameters = random(0, shape, *{"both": 2, "weight": 1, "none": 0}[affine] * [shape[1:2]])
    arrays = [array.astype(dtype) for array in (3 * x + 2, *parameters)]

    def padded(*values):
        return (*values, None, None)[:2]

    agree(
        lambda x, *p: ops.batch_norm(x, *padded(*p), eps=1e-3)[0],
        lambda x, *p: F.batch_norm(x, None, None, *padded(*p), True, 0.1, 1e-3),
        arrays,
    )


def test_batch_norm_statistics_and_partial_gradients():
    x, weight, bias = random(0, (4, 3, 5), (3,), (3,), dtype="float32")
    mean, variance = torch.zeros(3), torch.zeros(3)
    F.batch_norm(torch.tensor(x), mean, variance, training=True, momentum=1.0)
    _, found_mean, found_variance = ops.batch_norm(tensor(x), None, None, eps=1e-5)
    np.testing.assert_allclose(found_mean, mean, rtol=1e-5)
    np.testing.assert_allclose(found_variance, variance, rtol=1e-5)
    assert found_mean.dtype == found_variance.dtype == np.float32
    seed = random(1, x.shape, dtype="float32")[0]
    for wanted in range(3):
        mine = [tensor(a, requires_grad=k == wanted) for k, a in enumerate((x, weight, bias))]
        other = [
            torch.tensor(a, requires_grad=k == wanted) for k, a in enumerate((x, weight, bias))
        ]
        ops.batch_norm(*mine, eps=1e-5)[0].backward(tensor(seed))
        F.batch_norm(other[0], None, None, *other[1:], training=True).backward(torch.tensor(seed))
        close(mine[wanted].grad, other[wanted].grad, str(wanted))


@pytest.mark.parametrize("dtype", DTYPES)
def test_variance_is_right_far_from_zero(dtype):
    x = (random(0, (64, 2, 9))[0] + 1000).astype(dtype)
    _, _, variance = ops.batch_norm(x, None, None, eps=1e-5)
    expected = x.astype("float64").var(axis=(0, 2), ddof=1)
    np.testing.assert_allclose(variance, expected, rtol=1e-4 if dtype == "float32" else 1e-10)


@pytest.mark.parametrize(
    ("shape", "count"), [((4, 6), 1), ((2, 3, 5), 1), ((2, 3, 5), 2), ((5,), 1), ((3, 1, 4), 3)]
)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_layer_norm(shape, count, affine, dtype):
    ending = shape[len(shape) - count :]
    arrays = random(0, shape, *[ending] * (2 if affine else 0), dtype=dtype)
    agree(
        lambda x, w=None, b=None: ops.layer_norm(x, w, b, normalized_shape=ending, eps=1e-3),
        lambda x, w=None, b=None: F.layer_norm(x, ending, w, b, 1e-3),
        arrays,
    )


@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("affine", [True, False])
def test_group_norm(groups, affine):
    arrays = random(0, (3, 6, 4, 5), *[(6,)] * (2 if affine else 0))
    agree(
        lambda x, w=None, b=None: ops.group_norm(x, w, b, groups=groups, eps=1e-3),
        lambda x, w=None, b=None: F.group_norm(x, groups, w, b, 1e-3),
        arrays,
    )


@pytest.mark.parametrize("block", [1, 100, 1 << 30])
def test_norms_are_the_same_for_any_block_size(block, monkeypatch):
    monkeypatch.setattr(windows, "BLOCK", block)
    test_batch_norm((4, 3, 5), "both", "float64")
    test_layer_norm((4, 3, 5), 1, True, "float64")
    test_group_norm(2, True)


BAD_INPUT = [
    (
        lambda: ops.batch_norm(zeros(1, 3), None, None, eps=1e-5),
        ShapeError,
        "batch_norm: a channel of the input (1, 3) has one value",
    ),
    (
        lambda: ops.batch_norm(zeros(4, 3), zeros(4), None, eps=1e-5),
        ShapeError,
        "batch_norm: weight has shape (4,), expected (3,) (input (4, 3))",
    ),
    (
        lambda: ops.layer_norm(zeros(4, 3), None, None, normalized_shape=(4,), eps=1e-5),
        ShapeError,
        "layer_norm: input has shape (4, 3), expected it to end with (4,)",
    ),
    (
        lambda: ops.layer_norm(
            zeros(4, 3), zeros(3, dtype="float64"), None, normalized_shape=(3,), eps=1e-5
        ),
        DtypeError,
        "layer_norm: weight is float64, input is float32",
    ),
    (
        lambda: ops.group_norm(zeros(4, 3), None, None, groups=2, eps=1e-5),
        ShapeError,
        "group_norm: input has shape (4, 3)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT, ids=[m for *_, m in BAD_INPUT])
def test_bad_input(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
