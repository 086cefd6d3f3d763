"""Embeddings, against PyTorch."""

import numpy as np
import pytest
from oracle import assert_same, compare_modules, to_torch

import autograd
import nn
from autograd import kernels, ops, tensor
from nn import functional as F

F32, F64 = np.float32, np.float64
OPTIONS = [
    {},
    {"padding_idx": 1},
    {"padding_idx": -1},
    {"max_norm": 1.0},
    {"max_norm": 0.8, "norm_type": 1.0, "padding_idx": 2},
    {"scale_grad_by_freq": True},
    {"scale_grad_by_freq": True, "padding_idx": 4, "max_norm": 1.5},
]
PLACES = [[[0, 4, 0], [1, 1, 2]], [3], 2, [[4, 4], [4, 4]], np.zeros((2, 0), int)]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("places", PLACES)
def test_layer(options, places, dtype):
    torch = pytest.importorskip("torch")
    ours = nn.Embedding(5, 3, **options).to(dtype)
    theirs = torch.nn.Embedding(5, 3, **options).to(to_torch(np.zeros(1, dtype)).dtype)
    compare_modules(ours, theirs, np.array(places))
    assert_same(ours.weight.detach(), theirs.weight.detach())


@pytest.mark.parametrize("kind", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("width", [3, 32, 77])
@pytest.mark.parametrize("count", [3, 40, 3000])
def test_sums_of_rows_against_adding_one_by_one(count, width, dtype, kind):
    if kind == "numba":
        pytest.importorskip("numba")
    rng = np.random.default_rng(count)
    places = rng.integers(0, 7, count) ** 2 // 6
    x = (1 + rng.random((count, 2, width))).astype(dtype)
    expected = np.zeros((9, 2, width))
    np.add.at(expected, places, x)
    with autograd.use_kernels(kind):
        found = kernels.sum_rows(x, places, np.zeros((9, 2, width), dtype))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, 1e-5 if dtype == F32 else 1e-12)


@pytest.mark.parametrize("kind", ["numpy", "numba"])
def test_sums_of_many_rows_round_off_little(kind):
    """One after the other, equal numbers would all be rounded in the same direction."""
    if kind == "numba":
        pytest.importorskip("numba")
    x, places = np.full((50_000, 32), 1.1, F32), np.zeros(50_000, int)
    with autograd.use_kernels(kind):
        found = kernels.sum_rows(x, places, np.zeros((1, 32), F32))
    np.testing.assert_allclose(found, 50_000 * float(F32(1.1)), 1e-6)


@pytest.mark.parametrize("count", [3, 40, 3000])
def test_gradient_of_many_places_against_adding_one_by_one(count):
    rng = np.random.default_rng(count)
    places = rng.integers(0, 7, count) ** 2 // 6
    x = rng.standard_normal((count, 2, 3))
    expected = np.zeros((9, 2, 3))
    np.add.at(expected, places, x)
    table = autograd.zeros(9, 2, 3, dtype=F64, requires_grad=True)
    (table[tensor(places - 9)] * tensor(x)).sum().backward()
    np.testing.assert_allclose(table.grad.array, expected)


@pytest.mark.parametrize("options", [{}, {"padding_idx": 4}])
def test_second_order(options):
    torch = pytest.importorskip("torch")
    weight, places = np.random.default_rng(0).standard_normal((5, 3)), np.array([0, 4, 0, 2])

    def penalty(lib, F, weight, places):
        grad = autograd.grad if lib is autograd else lib.autograd.grad
        out = F.embedding(places, weight, **options)
        (slope,) = grad((out**3).sum(), weight, create_graph=True)
        return (slope**2).sum()

    mine, yours = tensor(weight, requires_grad=True), to_torch(weight, True)
    penalty(autograd, F, mine, tensor(places)).backward()
    penalty(torch, torch.nn.functional, yours, to_torch(places)).backward()
    assert_same(mine.grad, yours.grad)


def test_the_gradient_does_not_follow_later_writes_to_the_places():
    weight = autograd.ones(3, 2, requires_grad=True)
    places = tensor([0, 1])
    out = F.embedding(places, weight)
    places.fill_(2)
    out.sum().backward()
    assert weight.grad.sum(1).tolist() == [2.0, 2.0, 0.0]


def test_limiting_the_norm_counts_as_a_write():
    weight = autograd.ones(3, 2, requires_grad=True)
    out = (weight * weight).sum()
    F.embedding(tensor([1]), weight, max_norm=0.5)
    assert weight[1].detach().norm().item() == pytest.approx(0.5)
    with pytest.raises(RuntimeError, match="overwritten"):
        out.backward()


def test_from_pretrained():
    torch = pytest.importorskip("torch")
    table = np.arange(6.0).reshape(3, 2)
    for options in ({}, {"freeze": False, "padding_idx": 0, "max_norm": 2.0, "norm_type": 3.0}):
        ours = nn.Embedding.from_pretrained(tensor(table), **options)
        theirs = torch.nn.Embedding.from_pretrained(to_torch(table), **options)
        assert repr(ours) == repr(theirs)
        assert ours.weight.requires_grad == theirs.weight.requires_grad
        assert_same(ours(tensor([2, 0])), theirs(to_torch([2, 0])))
    with pytest.raises(ValueError, match=r"expected \(rows, features\)"):
        nn.Embedding.from_pretrained(tensor(table[0]))


def test_what_does_not_fit_raises():
    weight = autograd.ones(3, 2)
    with pytest.raises(IndexError, match="index 3, expected 0 to 2"):
        F.embedding(tensor([0, 3]), weight)
    with pytest.raises(IndexError, match="index -1"):
        F.embedding(tensor([-1]), weight, max_norm=0.1)
    assert weight.sum().item() == 6
    with pytest.raises(TypeError, match="integer"):
        F.embedding(tensor([0.0]), weight)
    with pytest.raises(ValueError, match="rows, features"):
        F.embedding(tensor([0]), weight[0])
    with pytest.raises(IndexError, match="padding_idx"):
        F.embedding(tensor([0]), weight, padding_idx=3)
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(3, 2, padding_idx=3)


def test_float32_stays():
    weight = tensor(np.ones((3, 2), F32), requires_grad=True)
    out = ops.embedding(weight, indices=np.array([0, 0]), share=np.array([[0.5], [0.5]]))
    out.sum().backward()
    assert out.dtype == weight.grad.dtype == F32
    assert weight.grad[0].tolist() == [1.0, 1.0]
