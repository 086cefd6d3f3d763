"""Convolution, pooling, normalization and losses: any memory layout, empty batches, no traces."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import DTYPES, agree, conv, random, torch

import autograd
from autograd import ops, tensor
from autograd.ops.pool import average
from autograd.ops.pool import settings as options

F = torch.nn.functional

OPERATIONS = {
    "conv": (
        lambda x, w: conv(x, w, None, (1, 1), (1, 1), (1, 1), 1),
        lambda x, w: F.conv2d(x, w, padding=1),
        [(3, 2, 5, 6), (4, 2, 3, 3)],
    ),
    "strided conv": (
        lambda x, w: conv(x, w, None, (2, 2), (0, 0), (1, 1), 1),
        lambda x, w: F.conv2d(x, w, stride=2),
        [(3, 2, 5, 6), (4, 2, 3, 3)],
    ),
    "pointwise conv": (
        lambda x, w: conv(x, w, None, (1, 1), (0, 0), (1, 1), 1),
        lambda x, w: F.conv2d(x, w),
        [(3, 2, 5, 6), (4, 2, 1, 1)],
    ),
    "max_pool": (
        lambda x: ops.max_pool(x, **options((2, 2), (2, 2), (1, 1))),
        lambda x: F.max_pool2d(x, 2, 2, 1),
        [(3, 2, 5, 6)],
    ),
    "avg_pool": (
        lambda x: ops.avg_pool(x, **average((2, 2), (2, 2), (1, 1), False, True, None)),
        lambda x: F.avg_pool2d(x, 2, 2, 1),
        [(3, 2, 5, 6)],
    ),
    "adaptive_avg_pool": (
        lambda x: ops.adaptive_avg_pool(x, output_size=(3, 4)),
        lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
        [(3, 2, 5, 6)],
    ),
    "batch_norm": (
        lambda x, w, b: ops.batch_norm(x, w, b, eps=1e-5)[0],
        lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
        [(3, 2, 5, 6), (2,), (2,)],
    ),
    "layer_norm": (
        lambda x, w, b: ops.layer_norm(x, w, b, normalized_shape=(6,), eps=1e-5),
        lambda x, w, b: F.layer_norm(x, (6,), w, b),
        [(3, 2, 5, 6), (6,), (6,)],
    ),
    "cross_entropy": (
        lambda x: ops.cross_entropy_loss(x, tensor(np.zeros((x.shape[0], 5, 6), "int64"))),
        lambda x: F.cross_entropy(x, torch.zeros((x.shape[0], 5, 6), dtype=torch.long)),
        [(3, 2, 5, 6)],
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_inputs_and_gradients_that_are_not_contiguous(name, dtype):
    ours, theirs, shapes = OPERATIONS[name]
    arrays = random(0, *(shape[::-1] for shape in shapes), dtype=dtype)

    def turned(operation, *values):
        order = [tuple(reversed(range(value.ndim))) for value in values]
        out = operation(*(v.permute(o) for v, o in zip(values, order, strict=True)))
        return out.permute(tuple(reversed(range(out.ndim))))

    agree(lambda *v: turned(ours, *v), lambda *v: turned(theirs, *v), arrays)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "cross_entropy"])
def test_empty_batch(name):
    ours, theirs, (x, *rest) = OPERATIONS[name]
    agree(ours, theirs, random(0, (0, *x[1:]), *rest, dtype="float32"), second=False)


def test_inputs_are_left_alone():
    for ours, _, shapes in OPERATIONS.values():
        arrays = random(0, *shapes)
        values = [tensor(array, requires_grad=True) for array in arrays]
        before = [value.detach().numpy().copy() for value in values]
        out = ours(*values)
        seed = autograd.ones_like(out)
        out.backward(seed)
        assert (seed.numpy() == 1).all()
        for value, array in zip(values, before, strict=True):
            np.testing.assert_array_equal(value.detach().numpy(), array)


@pytest.mark.parametrize("name", OPERATIONS)
def test_infinity_and_nan_are_values_not_warnings(name):
    ours, _, shapes = OPERATIONS[name]
    arrays = random(0, *shapes, dtype="float32")
    for value in (np.inf, -np.inf, np.nan, 3e38):
        arrays[0].reshape(-1)[::3] = value
        values = [tensor(array, requires_grad=True) for array in arrays]
        out = ours(*values)
        grads = autograd.grad(out, values, autograd.ones_like(out), create_graph=True)
        for grad in grads:
            if grad.requires_grad:
                seed = autograd.ones_like(grad)
                autograd.grad(grad, values, seed, retain_graph=True, allow_unused=True)
