"""Reading and writing by index: every kind that NumPy knows, with gradients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, integer_array_indices

import autograd
from autograd import Tensor, grad, tensor

VALUES = np.random.default_rng(4).uniform(-1, 1, (3, 4, 2))
MASK = np.array([True, False, True])
FULL = VALUES > 0

VIEWS = {
    "number": 1,
    "negative": -1,
    "numpy number": np.int64(2),
    "numbers": (2, 0, 1),
    "slice": slice(0, 2),
    "step": slice(None, None, 2),
    "backwards": slice(None, None, -1),
    "nothing": slice(2, 1),
    "beyond": slice(1, 99),
    "columns": (slice(None), 1),
    "dots": Ellipsis,
    "dots first": (Ellipsis, 0),
    "dots between": (1, Ellipsis, 1),
    "new axis": None,
    "new axes": (None, Ellipsis, None),
    "new axis inside": (0, None, slice(1, 3)),
    "empty tuple": (),
}
COPIES = {
    "list": [2, 0, 2],
    "empty list": [],
    "array": np.array([[0, 1], [2, 2]]),
    "small integers": np.array([0, 2], np.uint8),
    "negative array": np.array([-1, 0]),
    "pairs": (np.array([0, 2]), np.array([1, 3])),
    "broadcast pairs": (np.array([[0], [2]]), np.array([1, 3])),
    "array and number": (np.array([0, 2]), 1),
    "array and slice": (np.array([0, 2]), slice(1, 3)),
    "slice and array": (slice(None), [3, 0]),
    "arrays apart": (np.array([0, 2]), slice(None), np.array([1, 0])),
    "array and new axis": (np.array([0, 2]), None),
    "array and dots": (Ellipsis, [1, 0, 1]),
    "mask": MASK,
    "mask of lists": [True, False, True],
    "full mask": FULL,
    "mask of two axes": FULL[:, :, 0],
    "mask and number": (MASK, 2),
    "mask after slice": (slice(None), np.array([True, False, False, True])),
    "mask and array": (MASK, np.array([3, 0])),
    "nothing masked": np.zeros(3, bool),
    "true": True,
    "false": False,
}
ALL = {**VIEWS, **COPIES}


def as_tensors(index):
    """The index with tensors in place of its arrays."""
    if isinstance(index, tuple):
        return tuple(as_tensors(part) for part in index)
    return tensor(index) if isinstance(index, np.ndarray) else index


def weights(shape):
    return np.random.default_rng(5).uniform(0.5, 1.5, shape)


def check_read(index, values=VALUES):
    """Values as in NumPy; each place gets the sum of the gradients of what was read from it."""
    x = tensor(values, requires_grad=True)
    expected = values[index]
    for form in (index, as_tensors(index)):
        found = x[form]
        assert isinstance(found, Tensor)
        np.testing.assert_array_equal(found.detach().numpy(), expected)
        incoming = weights(expected.shape)
        (slope,) = grad(found, x, tensor(incoming))
        wanted = np.zeros_like(values)
        np.add.at(wanted, index, incoming)
        np.testing.assert_allclose(slope.numpy(), wanted, rtol=1e-14)


def check_write(index, values=VALUES):
    """Values as in NumPy; what was overwritten gets no gradient, what was written gets its own."""
    region = values[index].shape
    for shape in {region, region[1:], ()}:
        incoming = weights(values.shape)
        written = np.asarray(np.random.default_rng(6).uniform(-1, 1, shape))
        x, value = tensor(values, requires_grad=True), tensor(written, requires_grad=True)
        y = x.clone()
        y[as_tensors(index)] = value
        expected = np.array(values)
        expected[index] = np.broadcast_to(written, region)
        np.testing.assert_array_equal(y.detach().numpy(), expected)
        x_slope, value_slope = grad(y, [x, value], tensor(incoming))
        kept = np.array(incoming)
        kept[index] = 0
        np.testing.assert_allclose(x_slope.numpy(), kept)
        np.testing.assert_allclose(value_slope.numpy(), written_slope(incoming, index, shape))


def written_slope(incoming, index, shape):
    """The gradient of a written value, place by place: where several wrote, the last is there."""
    size = incoming[index].size
    order = np.full(incoming.shape, -1)
    order[index] = np.arange(size).reshape(incoming[index].shape)
    slope = np.zeros(size)
    there = order >= 0
    slope[order[there]] = incoming[there]
    slope = slope.reshape(incoming[index].shape)
    lead = slope.ndim - len(shape)
    if lead < 0:
        return slope.reshape(shape)
    slope = slope.sum(axis=tuple(range(lead)))
    stretched = [k for k, size in enumerate(shape) if size == 1 and slope.shape[k] != 1]
    return slope.sum(axis=tuple(stretched), keepdims=True).reshape(shape)


@pytest.mark.parametrize("name", ALL)
def test_reading(name):
    check_read(ALL[name])


@pytest.mark.parametrize("name", ALL)
def test_writing(name):
    check_write(ALL[name])


# PyTorch has no negative steps, and reads bytes as a mask
SHARED = [name for name in ALL if name not in ("backwards", "numpy number", "small integers")]


@pytest.mark.parametrize("name", SHARED)
def test_as_in_torch(name):
    torch = pytest.importorskip("torch")
    index = ALL[name]

    def in_torch(part):
        return torch.from_numpy(part) if isinstance(part, np.ndarray) else part

    theirs = tuple(map(in_torch, index)) if isinstance(index, tuple) else in_torch(index)
    x, reference = tensor(VALUES), torch.from_numpy(VALUES.copy())
    np.testing.assert_array_equal(x[as_tensors(index)].numpy(), reference[theirs].numpy())
    x[as_tensors(index)] = 2.0
    reference[theirs] = 2.0
    np.testing.assert_array_equal(x.numpy(), reference.numpy())


@given(st.data())
def test_reading_and_writing_by_drawn_slices(data):
    index = data.draw(basic_indices(VALUES.shape, allow_newaxis=True, allow_ellipsis=True))
    check_read(index)
    check_write(index)


@given(st.data())
def test_reading_and_writing_by_drawn_arrays(data):
    index = data.draw(integer_array_indices(VALUES.shape))
    check_read(index)
    check_write(index)


@pytest.mark.parametrize("name", VIEWS)
def test_slices_are_views(name):
    x = autograd.zeros(3, 4, 2)
    part = x[VIEWS[name]]
    part.add_(1)
    expected = np.zeros((3, 4, 2))
    expected[VIEWS[name]] = 1
    np.testing.assert_array_equal(x.numpy(), expected)


@pytest.mark.parametrize("name", COPIES)
def test_arrays_copy(name):
    x = autograd.zeros(3, 4, 2)
    x[COPIES[name]].add_(1)
    assert not x.any()


def test_an_index_may_change_afterwards():
    """A node that read or wrote by an array keeps the index that it had then."""
    places, flags = np.array([0, 1]), np.array([True, False, False])
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x.clone()
    y[places] = 7.0
    out = x[places].sum() + x[flags].sum() + y.sum() + x[tensor(places)].sum()
    places[:], flags[:] = 2, False
    (slope,) = grad(out, x)
    assert slope.tolist() == [3.0, 2.0, 1.0]


@pytest.mark.parametrize(
    "index",
    [
        (0, slice(None), [1, 0]),
        (slice(None), 1, None, [1, 0, 0]),
        ([0, 2], slice(1, 3), 1),
        ([0, 2], Ellipsis, -1),
        (0, None, MASK[:2]),
        (tensor(0), slice(None), np.array([[1], [0]])),
    ],
    ids=str,
)
def test_numbers_apart_from_arrays_pick_first_as_in_torch(index):
    """Unlike in NumPy, where a number counts as an array."""
    torch = pytest.importorskip("torch")

    def in_torch(part):
        part = part.numpy() if isinstance(part, Tensor) else part
        return torch.from_numpy(part) if isinstance(part, np.ndarray) else part

    values = VALUES[:, :2] if index[1] is None else VALUES
    theirs = tuple(in_torch(part) for part in index)
    x, reference = tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    out, expected = x[as_tensors(index)], reference[theirs]
    np.testing.assert_array_equal(out.detach().numpy(), expected.detach().numpy())
    incoming = weights(out.shape)
    out.backward(tensor(incoming))
    expected.backward(torch.from_numpy(incoming))
    np.testing.assert_allclose(x.grad.numpy(), reference.grad.numpy())
    y, copy = x.clone(), reference.clone()
    written = weights(out.shape)
    y[as_tensors(index)] = tensor(written)
    copy[theirs] = torch.from_numpy(written)
    np.testing.assert_array_equal(y.detach().numpy(), copy.detach().numpy())
    x.grad = reference.grad = None
    (y**2).sum().backward()
    (copy**2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), reference.grad.numpy())
    with pytest.raises(IndexError, match="getitem"):
        x[7, :, [0]]
    with autograd.no_grad(), pytest.raises(IndexError, match="setitem"):
        x[7, :, [0]] = 0.0


def test_reading_of_zero_dimensions():
    x = tensor(3.0, requires_grad=True)
    for index in ((), Ellipsis, None, True, (None, Ellipsis)):
        assert x[index].shape == np.zeros(())[index].shape
        (slope,) = grad(x[index].sum(), x)
        assert slope.item() == 1.0
    y = x.clone()
    y[...] = 5.0
    assert y.item() == 5.0


def test_rows_that_repeat_are_summed():
    """As of an embedding: the same row many times, in any order, also counted from the end."""
    table = tensor(np.arange(8.0).reshape(4, 2), requires_grad=True)
    rows = np.array([[3, 0, -1], [0, 0, 2]])
    out = table[rows]
    incoming = weights(out.shape)
    (slope,) = grad(out, table, tensor(incoming))
    expected = np.zeros((4, 2))
    np.add.at(expected, rows, incoming)
    np.testing.assert_allclose(slope.numpy(), expected)


def test_second_derivatives_through_indices():
    x = tensor([1.0, 2.0, 3.0], dtype="float64", requires_grad=True)
    y = x.clone()
    y[[0, 0]] = x[1:] ** 2
    (slope,) = grad((y**2 * x[[2, 2, 0]]).sum(), x, create_graph=True)
    # y = (x2 ** 2, x1, x2); the sum is x2 ** 5 + x1 ** 2 * x2 + x2 ** 2 * x0
    np.testing.assert_allclose(
        slope.detach().numpy(), [9.0, 2 * 2 * 3.0, 5 * 3.0**4 + 2.0**2 + 2 * 3.0 * 1.0]
    )
    (curvature,) = grad(slope[2], x)
    np.testing.assert_allclose(curvature.numpy(), [2 * 3.0, 2 * 2.0, 20 * 3.0**3 + 2 * 1.0])


def test_iteration_and_length():
    x = tensor(VALUES, requires_grad=True)
    rows = list(x)
    assert len(x) == len(rows) == 3
    (slope,) = grad((rows[0] * 2 + rows[2]).sum(), x)
    assert slope.numpy()[:, 0, 0].tolist() == [2.0, 0.0, 1.0]
    assert 1.0 in tensor([1.0, 2.0])
    assert 3.0 not in tensor([1.0, 2.0])
    for function in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            function(tensor(1.0))


def test_tensors_as_python_indices():
    assert ["a", "b", "c"][tensor(1)] == "b"
    assert list(range(5))[tensor(1) : tensor(3)] == [1, 2]
    assert tensor([5, 6, 7])[tensor(1) :].tolist() == [6, 7]
    with pytest.raises(TypeError, match="integer"):
        [0][tensor(0.0)]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (3, ["3", "size 3", "(3, 4, 2)"]),
        (-4, ["-4", "size 3"]),
        ((0, 0, 0, 0), ["4", "3"]),
        ([0, 5], ["5", "size 3"]),
        (np.array([True, False]), ["2", "3"]),
        (np.ones((3, 4, 2, 1), bool), ["4", "3"]),
        (1.0, ["float"]),
        (np.array([0.5]), ["float64"]),
        (tensor([1.0]), ["float32"]),
        ("text", ["<U4"]),
        ((Ellipsis, Ellipsis), ["ellipsis"]),
        (([0, 1], [0, 1, 2]), ["broadcast"]),
        ([[0, 1], [2]], ["[[0, 1], [2]]"]),
    ],
    ids=repr,
)
def test_wrong_indices(index, words):
    x = tensor(VALUES)
    before = VALUES.copy()
    with pytest.raises(IndexError) as reading:
        x[index]
    with pytest.raises(IndexError) as writing:
        x[index] = 0.0
    for caught, name in ((reading, "getitem"), (writing, "setitem")):
        assert str(caught.value).startswith(f"{name}: ")
        for word in words:
            assert word in str(caught.value)
    np.testing.assert_array_equal(x.numpy(), before)


@pytest.mark.parametrize(
    ("index", "value", "words"),
    [
        (0, np.zeros(3), ["(3,)", "(4, 2)"]),
        (slice(0, 2), np.zeros((3, 4, 2)), ["(3, 4, 2)", "(2, 4, 2)"]),
        ([0, 1], np.zeros((3, 1, 1)), ["(3, 1, 1)"]),
        (MASK, np.zeros((1, 3)), ["(1, 3)"]),
        (0, "text", ["'text'"]),
        (0, None, ["None"]),
        (0, 1j, ["complex"]),
    ],
    ids=repr,
)
def test_values_that_do_not_fit(index, value, words):
    x = tensor(VALUES)
    with pytest.raises((ValueError, TypeError)) as caught:
        x[index] = value
    assert str(caught.value).startswith("setitem: ")
    for word in words:
        assert word in str(caught.value)
    np.testing.assert_array_equal(x.numpy(), VALUES)
