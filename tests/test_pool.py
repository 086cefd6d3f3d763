"""Pooling against PyTorch, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import DTYPES, agree, random, torch, zeros

from autograd import ops, tensor
from autograd.errors import DtypeError, ShapeError
from autograd.kernels import Windows
from autograd.ops.pool import average
from autograd.ops.pool import settings as options

F = torch.nn.functional
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVG_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
ADAPTIVE = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}

MAXIMA = [
    ((2, 3, 8), (2,), (2,), (0,), (1,), False),
    ((3, 8), (3,), (2,), (1,), (1,), True),
    ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 3, 7, 9), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 3, 7, 9), (2, 2), (2, 2), (0, 0), (1, 1), True),
    ((2, 3, 8, 8), (3, 3), (2, 2), (1, 1), (1, 1), False),
    ((2, 9, 8), (3, 2), (1, 3), (1, 0), (2, 2), True),
    ((2, 3, 17, 18), (17, 16), (1, 1), (0, 0), (1, 1), False),
    ((2, 2, 5, 6, 4), (2, 3, 2), (2, 2, 1), (1, 0, 1), (1, 2, 1), False),
]


def max_settings(case):
    _, kernel_size, stride, padding, dilation, ceil_mode = case
    return options(kernel_size, stride, padding, dilation, ceil_mode)


@pytest.mark.parametrize("case", MAXIMA, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ties", [False, True])
def test_max_pool(case, dtype, ties):
    settings = max_settings(case)
    (x,) = random(0, case[0], dtype=dtype)
    if ties:
        x = np.round(x)
    pool = MAX_POOL[len(case[1])]
    agree(lambda x: ops.max_pool(x, **settings), lambda x: pool(x, **settings), [x])
    _, indices = pool(torch.tensor(x), return_indices=True, **settings)
    found = ops.max_pool_indices(x, **settings)
    np.testing.assert_array_equal(found, indices)
    assert found.dtype == np.int64


@pytest.mark.parametrize("padding", [0, 1])
def test_max_pool_of_nan_and_infinity(padding):
    (x,) = random(0, (40, 6, 6))
    rng = np.random.default_rng(1)
    for value, share in ((-np.inf, 0.6), (np.nan, 0.1), (np.inf, 0.1)):
        x[rng.random(x.shape) < share] = value
    settings = options((2, 2), (2, 1), (padding, padding))
    expected, indices = F.max_pool2d(torch.tensor(x), return_indices=True, **settings)
    np.testing.assert_array_equal(ops.max_pool(x, **settings), expected)
    np.testing.assert_array_equal(ops.max_pool_indices(x, **settings), indices)


def test_max_pool_of_integers():
    x = np.arange(-8, 8).reshape(1, 4, 4)
    settings = options((2, 2), (2, 2), (1, 1))
    out = ops.max_pool(tensor(x), **settings)
    np.testing.assert_array_equal(out.numpy(), F.max_pool2d(torch.tensor(x), **settings))


@pytest.mark.parametrize(
    "case",
    [
        ((2, 3, 8), (2,), (2,), (0,)),
        ((3, 9), (3,), (2,), (1,)),
        ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0)),
        ((2, 3, 7, 9), (3, 2), (2, 3), (1, 1)),
        ((2, 3, 5, 4), (5, 4), (1, 1), (0, 0)),
        ((2, 3, 5, 4), (5, 2), (1, 1), (0, 0)),
        ((2, 2, 5, 6, 4), (2, 3, 2), (2, 2, 1), (1, 0, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_avg_pool(case, ceil_mode, include, dtype):
    x, *settings = case
    count = len(settings[0])
    agree(
        lambda x: ops.avg_pool(x, **average(*settings, ceil_mode, include, None)),
        lambda x: AVG_POOL[count](x, *settings, ceil_mode, include),
        random(0, x, dtype=dtype),
    )
    if count > 1:
        agree(
            lambda x: ops.avg_pool(x, **average(*settings, ceil_mode, include, 3)),
            lambda x: AVG_POOL[count](x, *settings, ceil_mode, include, 3),
            random(0, x, dtype=dtype),
        )


@pytest.mark.parametrize(
    ("shape", "output_size"),
    [
        ((2, 3, 7), (3,)),
        ((2, 3, 6, 8), (3, 2)),
        ((2, 3, 7, 5), (1, 1)),
        ((2, 3, 7, 5), (3, 4)),
        ((3, 5, 5), (7, 2)),
        ((1, 2, 5, 4, 3), (2, 3, 2)),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_adaptive_avg_pool(shape, output_size, dtype):
    agree(
        lambda x: ops.adaptive_avg_pool(x, output_size=output_size),
        lambda x: ADAPTIVE[len(output_size)](x, output_size),
        random(0, shape, dtype=dtype),
    )


def test_windows_know_what_they_reach():
    for size, kernel, stride, before, dilation, out in (
        (7, 3, 2, 1, 1, 4),
        (5, 2, 3, 2, 2, 3),
        (6, 3, 1, -2, 1, 2),
        (4, 2, 1, 3, 3, 6),
    ):
        shape = Windows((size,), (kernel,), (stride,), (before,), (dilation,), (out,))
        for place, (outs, ins) in enumerate(shape.reach(0)):
            positions = [o * stride - before + place * dilation for o in range(out)]
            inside = [(o, p) for o, p in enumerate(positions) if 0 <= p < size]
            assert list(range(out)[outs]) == [o for o, _ in inside]
            assert list(range(size)[ins]) == [p for _, p in inside]


BAD_INPUT = [
    (
        lambda: ops.max_pool(zeros(1, 1, 3, 3), **options((4, 2), (1, 1), (0, 0))),
        ShapeError,
        "max_pool2d: the kernel (4, 2) is larger than the padded input (3, 3)",
    ),
    (
        lambda: ops.max_pool(zeros(1, 3, 3), **options((2, 2), (1, 1), (2, 0))),
        ValueError,
        "max_pool2d: padding is (2, 0), expected at most half of the kernel (2, 2)",
    ),
    (
        lambda: ops.max_pool(zeros(1, 1), **options((2,), (1,), (2,), (3,))),
        ShapeError,
        "max_pool1d: a window lies in the padding only",
    ),
    (
        lambda: ops.max_pool(zeros(3), **options((2, 2), (1, 1), (0, 0))),
        ShapeError,
        "max_pool2d: input has shape (3,), expected 2 sizes at the end",
    ),
    (
        lambda: ops.avg_pool(
            zeros(1, 3, 3, dtype="int64"),
            **average((2, 2), (1, 1), (0, 0), False, True, None),
        ),
        DtypeError,
        "avg_pool2d: expected a floating-point input, got int64",
    ),
    (
        lambda: ops.avg_pool(zeros(1, 3, 3), **average((2, 2), (1, 1), (0, 0), False, True, 0)),
        ValueError,
        "avg_pool2d: divisor_override is 0",
    ),
    (
        lambda: ops.adaptive_avg_pool(zeros(1, 3, 0), output_size=(2, 2)),
        ShapeError,
        "adaptive_avg_pool2d: input has shape (1, 3, 0)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT, ids=[m for *_, m in BAD_INPUT])
def test_bad_input(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
