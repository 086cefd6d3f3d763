"""Softmax and the losses of classification against PyTorch, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from agreement import DTYPES, agree, random, torch, zeros

import autograd
from autograd import ops, tensor
from autograd.errors import DtypeError, ShapeError

F = torch.nn.functional


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax(name, dtype):
    for shape, dim in (((4, 5), 1), ((4, 5), 0), ((2, 3, 4), 1), ((3,), 0), ((), 0), ((0, 3), 1)):
        agree(
            lambda x, dim=dim: getattr(ops, name)(x, dim=dim),
            lambda x, dim=dim: getattr(F, name)(x, dim),
            random(0, shape, dtype=dtype),
        )


def test_softmax_of_large_and_infinite_values():
    rows = np.array([[1e4, 0, -1e4], [-np.inf, 0, 1], [-np.inf] * 3, [np.inf, 0, 1]], "float32")
    for name in ("softmax", "log_softmax"):
        expected = getattr(F, name)(torch.tensor(rows), 1)
        np.testing.assert_allclose(getattr(ops, name)(rows, dim=1), expected, rtol=1e-6)


LOGITS = [(5,), (6, 5), (3, 5, 4), (2, 5, 3, 2)]


@pytest.mark.parametrize("shape", LOGITS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_from_classes(shape, reduction, smoothing, weighted, dtype):
    (x,) = random(0, shape, dtype=dtype)
    weight = np.linspace(0.5, 2, 5).astype(dtype) if weighted else None
    target = np.random.default_rng(1).integers(0, 5, (*shape[:-1][:1], *shape[2:]))
    for ignored in (-100, 3):
        if shape == (5,) and target == ignored:
            continue
        agree(
            lambda x, ignored=ignored: ops.cross_entropy_loss(
                x,
                tensor(target),
                None if weight is None else tensor(weight),
                ignore_index=ignored,
                label_smoothing=smoothing,
                reduction=reduction,
            ),
            lambda x, ignored=ignored: F.cross_entropy(
                x,
                torch.tensor(target),
                None if weight is None else torch.tensor(weight),
                ignore_index=ignored,
                label_smoothing=smoothing,
                reduction=reduction,
            ),
            [x],
        )


@pytest.mark.parametrize("shape", LOGITS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_cross_entropy_from_probabilities(shape, reduction, smoothing, weighted, dtype):
    x, y = random(0, shape, shape, dtype=dtype)
    dim = 1 if len(shape) > 1 else 0
    target = np.exp(y) / np.exp(y).sum(axis=dim, keepdims=True)
    weight = np.linspace(0.5, 2, 5).astype(dtype) if weighted else None
    rest = {"label_smoothing": smoothing, "reduction": reduction}
    agree(
        lambda x, y: ops.cross_entropy_loss(
            x, y, None if weight is None else tensor(weight), **rest
        ),
        lambda x, y: F.cross_entropy(
            x, y, None if weight is None else torch.tensor(weight), **rest
        ),
        [x, target],
    )


@pytest.mark.parametrize("shape", LOGITS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_nll_loss(shape, reduction, weighted, dtype):
    (x,) = random(0, shape, dtype=dtype)
    weight = np.linspace(0.5, 2, 5).astype(dtype) if weighted else None
    target = np.random.default_rng(1).integers(0, 5, (*shape[:-1][:1], *shape[2:]))
    ignored = -100 if shape == (5,) else 3
    agree(
        lambda x: ops.nll_loss(
            x,
            tensor(target),
            None if weight is None else tensor(weight),
            ignore_index=ignored,
            reduction=reduction,
        ),
        lambda x: F.nll_loss(
            x,
            torch.tensor(target),
            None if weight is None else torch.tensor(weight),
            ignore_index=ignored,
            reduction=reduction,
        ),
        [x],
        second=False,
    )


def test_losses_where_every_sample_is_ignored_or_there_is_none():
    x = tensor(np.ones((2, 3), "float32"), requires_grad=True)
    for loss in (ops.cross_entropy_loss, ops.nll_loss):
        out = loss(x, tensor(np.array([-100, -100])))
        assert np.isnan(out.item())
        (grad,) = autograd.grad(out, [x])
        np.testing.assert_array_equal(grad.numpy(), 0)
        assert loss(x[:0], tensor(np.array([], "int64")), reduction="sum").item() == 0
        assert loss(x, tensor(np.array([-100, -100])), reduction="sum").item() == 0


def test_cross_entropy_of_extreme_logits():
    x = np.array([[1e4, 0, -1e4], [0, -1e4, 1e4]], "float32")
    agree(
        lambda x: ops.cross_entropy_loss(x, tensor(np.array([2, 2]))),
        lambda x: F.cross_entropy(x, torch.tensor([2, 2])),
        [x],
    )


def classes(*values, dtype="int64"):
    return tensor(np.array(values, dtype))


BAD_INPUT = [
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 3)),
        IndexError,
        "cross_entropy: class 3 is out of range for 3 classes (input (2, 3))",
    ),
    (
        lambda: ops.nll_loss(zeros(2, 3), classes(0, -1)),
        IndexError,
        "nll_loss: class -1 is out of range for 3 classes",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1, dtype="float32")),
        DtypeError,
        "cross_entropy: class indices must be integers, target is float32",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1, 2)),
        ShapeError,
        "cross_entropy: target has shape (3,), expected (2,) for class indices (input (2, 3))",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1), zeros(2)),
        ShapeError,
        "cross_entropy: weight has shape (2,), expected one for each of the 3 classes",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1), zeros(3, dtype="float64")),
        DtypeError,
        "cross_entropy: weight is float64, input is float32",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1), label_smoothing=1.5),
        ValueError,
        "cross_entropy: label_smoothing is 1.5",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3), classes(0, 1), reduction="average"),
        ValueError,
        "cross_entropy: reduction is 'average', expected one of ('none', 'mean', 'sum')",
    ),
    (
        lambda: ops.cross_entropy_loss(zeros(2, 3, dtype="int64"), classes(0, 1)),
        DtypeError,
        "cross_entropy: expected a floating-point input, got int64",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT, ids=[m for *_, m in BAD_INPUT])
def test_bad_input(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
