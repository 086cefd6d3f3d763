"""Functions that move, join, take apart and pick values agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import both_refuse, call, check_table, uncovered, without_gradients

from autograd.functions import arranging, indexing, joining, shaping

random = np.random.default_rng(2)
X = random.uniform(-2, 2, (2, 3, 4))
M = random.uniform(-2, 2, (3, 4))
S = random.uniform(-2, 2, (3, 3))
V = random.uniform(-2, 2, (5,))
ONES = random.uniform(-2, 2, (1, 3, 1, 2))
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
INTEGERS = np.arange(6).reshape(2, 3)
FLAGS = INTEGERS > 2
NONE = np.array([], np.int64)

SHAPING = [
    call("clone", X),
    *[call("reshape", X, shape) for shape in [(6, 4), (-1,), (2, -1), (4, 1, 6)]],
    call("reshape", SCALAR, (1, 1)),
    call("reshape", SCALAR[None], ()),
    call("reshape", EMPTY, (3, 0)),
    call("flatten", X),
    call("flatten", X, 1),
    call("flatten", X, 0, 1),
    call("flatten", X, -2, -1),
    *[call("flatten", x) for x in (SCALAR, V, EMPTY)],
    call("unflatten", M, 1, (2, -1)),
    call("unflatten", X, -1, (2, 2)),
    call("ravel", X),
    call("ravel", SCALAR),
    call("permute", X, (2, 0, 1)),
    call("permute", X, (-1, 0, 1)),
    call("permute", SCALAR, ()),
    call("transpose", X, 0, -1),
    call("transpose", SCALAR, 0, 0),
    call("swapaxes", X, 0, 1),
    call("swapdims", X, 0, 1),
    *[call("t", x) for x in (M, V, SCALAR)],
    *[call(name, X, 0, -1) for name in ("movedim", "moveaxis")],
    call("movedim", X, (0, 1), (1, 2)),
    call("movedim", X, (2, 0), (0, 1)),
    *[call("squeeze", ONES, *dim) for dim in [(), (0,), ((0, 2),), (1,), (-2,), ((),)]],
    call("squeeze", SCALAR),
    call("squeeze", SCALAR, 0),
    *[call("unsqueeze", X, dim) for dim in (0, -1, 1)],
    call("unsqueeze", SCALAR, 0),
    call("broadcast_to", V, (2, 5)),
    call("broadcast_to", V, (2, -1)),
    call("broadcast_to", ONES, (4, 3, 2, 2)),
    call("broadcast_to", ONES, (0, 3, 1, 2)),
    call("broadcast_to", SCALAR, (2, 2)),
    call("broadcast_tensors", V, V[:1], SCALAR),
    call("broadcast_tensors", M, V[:4]),
    *[call("flip", X, dims) for dims in [(0,), (0, 2), [-1]]],
    call("flip", V, (0,)),
    call("flip", EMPTY, (0, 1)),
    call("fliplr", M),
    call("flipud", M),
    call("flipud", V),
    *[call("rot90", M, k) for k in (-1, 0, 1, 2, 3, 5)],
    call("rot90", X, 1, (1, 2)),
    call("rot90", X, 3, [2, 0]),
    call("roll", V, 1),
    call("roll", V, -7, 0),
    call("roll", X, 2, 1),
    call("roll", X, (1, -1), (0, 2)),
    call("roll", M, 3),
    call("roll", M, (1, 1), (0, 0)),
    call("roll", M, 5, -1),
    call("roll", EMPTY, 1),
    *[call(name, x, k) for name in ("tril", "triu") for x in (S, M, X) for k in (0, 1, -1)],
    call("tril", INTEGERS),
    call("triu", EMPTY),
    call("tril", FLAGS, -1),
    call("diagonal", S),
    *[call("diagonal", M, offset) for offset in (1, 4, -3)],
    *[call("diagonal", X, *axes) for axes in [(0, 1, 2), (-1, -2, -1), (1, 2, 0)]],
    *[call("diag", x, k) for x in (V, S, M) for k in (0, 1, -2)],
    call("diag_embed", V),
    call("diag_embed", X, 1),
    call("diag_embed", X, -1, 0, 2),
    *[call(f"atleast_{n}d", x) for n in (1, 2, 3) for x in (SCALAR, V, M, X)],
    *[call(f"atleast_{n}d", SCALAR, M) for n in (1, 2, 3)],
    *[call(f"atleast_{n}d", [V, SCALAR]) for n in (1, 2, 3)],
    call("flip", SCALAR, (0,)),
    call("movedim", SCALAR, 0, -1),
]

JOINING = [
    call("cat", [X, X]),
    call("cat", [X, X], 1),
    call("cat", (M,)),
    call("cat", [M, M[:1]], dim=0),
    call("cat", [M, M], -1),
    call("cat", [V, V[:2], V[:0]]),
    call("cat", [np.zeros(0), M]),
    call("cat", [INTEGERS, M[:2, :3]]),
    call("cat", [INTEGERS, np.float32([[1, 2, 3]])]),
    call("cat", [INTEGERS, FLAGS]),
    call("cat", [np.float32([1]), np.float64([1])]),
    call("cat", [np.float16([1]), np.float32([1])]),
    call("concat", [V, V]),
    call("concatenate", [V, V]),
    call("stack", [V, V]),
    call("stack", [M, M], 1),
    call("stack", [M, M], -1),
    call("stack", [SCALAR, SCALAR]),
    call("stack", [np.array([1, 2]), np.float32([1, 2])]),
    call("stack", [V, V, V], dim=1),
    *[call(f"{way}stack", [x, x]) for way in "hvd" for x in (SCALAR, V, M, X)],
    call("hstack", [SCALAR, V]),
    call("vstack", [M, V[:4]]),
    call("column_stack", [V, V]),
    call("column_stack", [V[:3], M]),
    call("column_stack", [SCALAR, SCALAR]),
    call("tile", M, (2,)),
    call("tile", M, (2, 1, 3)),
    call("tile", M, ()),
    call("tile", SCALAR, (2, 2)),
    call("tile", V, (0,)),
    call("repeat_interleave", V, 2),
    call("repeat_interleave", M, 2),
    call("repeat_interleave", M, 3, 0),
    call("repeat_interleave", M, np.array([1, 0, 2]), 0),
    call("repeat_interleave", M, np.array([1, 0, 2, 1]), dim=-1),
    call("repeat_interleave", V, np.array([2])),
    call("split", V, 2),
    call("split", V, 10),
    call("split", X, 2, 1),
    call("split", V, [1, 4]),
    call("split", V, [0, 5]),
    call("split", X, [1, 3], dim=-1),
    call("split", EMPTY, 2),
    *[call("chunk", V, chunks) for chunks in (2, 4, 10)],
    call("chunk", X, 3, 1),
    call("chunk", X, 2, dim=-1),
    call("chunk", EMPTY, 3),
    *[call("tensor_split", V, sections) for sections in (2, 3, 7, (1, 3), [4, 2, 9])],
    call("tensor_split", X, 3, -1),
    call("tensor_split", X, (1,), dim=1),
    call("unbind", X),
    call("unbind", X, 1),
    call("unbind", M, -1),
    call("unbind", EMPTY),
    call("meshgrid", V, V[:2], indexing="ij"),
    call("meshgrid", V, V[:2], indexing="xy"),
    call("meshgrid", V[:2], V[:3], V[:4], indexing="xy"),
    call("meshgrid", [V, SCALAR], indexing="ij"),
]

PLACES = np.array([[2, 0, 1, 1], [0, 0, 0, 2]])
APART = np.array([[2, 0, 1, 1], [0, 1, 0, 2]])
ROWS = np.array([2, 0, 2])

INDEXING = [
    call("gather", M, 0, PLACES),
    call("gather", M, 0, PLACES.astype(np.int32)),
    call("gather", M, 1, PLACES[:, :2]),
    call("gather", M, -1, np.array([[3], [0], [3]])),
    call("gather", M, 0, np.zeros((0, 4), np.int64)),
    call("gather", V, 0, ROWS),
    call("gather", SCALAR, 0, np.array(0)),
    call("gather", X, 1, np.zeros((2, 5, 4), np.int64)),
    call("take_along_dim", M, PLACES[:1], 0),
    call("take_along_dim", M, np.array([[3], [0], [3]]), 1),
    call("take_along_dim", M, np.array([[0, 1]]), dim=1),
    call("take_along_dim", M, np.array([0, 5, 5])),
    call("take", M, np.array([[0, -1], [5, 5]])),
    call("take", M, np.array(3)),
    call("take", M, NONE),
    call("scatter", M, 0, PLACES, 1.0),
    call("scatter", M, 0, APART, X[0, :2]),
    call("scatter", M, 1, np.array([[3], [0]]), np.array([[1.0], [2.0]])),
    call("scatter", INTEGERS, 1, np.array([[1], [0]]), 1),
    call("scatter", M, 0, PLACES, value=1.5),
    # PyTorch cannot differentiate where the source is larger than the index
    without_gradients("scatter", V, 0, np.array([3, 1]), V[:4]),
    without_gradients("scatter", V, 0, NONE, V),
    call("scatter_add", M, 0, PLACES, X[0, :2]),
    call("scatter_add", M, 1, np.array([[3, 3], [0, 1]]), X[0, :2, :2]),
    call("scatter_add", V, 0, np.array([1, 1, 1]), V[:3]),
    without_gradients("scatter_add", V, 0, np.array([1, 1, 1]), V),
    call("scatter_add", np.zeros(3, np.int64), 0, np.array([0, 0]), np.array([1, 2])),
    call("index_select", M, 0, ROWS),
    call("index_select", X, -1, ROWS),
    call("index_select", X, 1, NONE),
    call("index_select", V, 0, np.array(1)),
    call("index_select", SCALAR, 0, np.array([0])),
    call("index_select", INTEGERS, 1, ROWS),
    call("index_add", M, 0, ROWS, S[:, [0, 1, 2, 0]]),
    call("index_add", M, 1, np.array([1, 1]), S[:, :2], alpha=2),
    call("index_add", V, 0, np.array([4, 4, 0]), V[:3]),
    call("index_add", V, 0, NONE, V[:0]),
    call("index_fill", M, 0, ROWS, 2.0),
    call("index_fill", X, -1, ROWS, SCALAR),
    call("index_fill", V, 0, np.array([-1]), 7),
    call("index_fill", V, 0, NONE, 7),
    call("masked_select", M, M > 0),
    call("masked_select", M, np.array([True, False, True, False])),
    call("masked_select", V, V > 9),
    call("masked_select", V[:1], M > 0),
    call("masked_select", SCALAR, np.array(True)),
    *[call("nonzero", x) for x in (INTEGERS, X > 0, SCALAR, np.array(0), EMPTY)],
    *[call("nonzero", x, as_tuple=True) for x in (INTEGERS, np.array(3), np.array(0))],
    *[call("argwhere", x) for x in (INTEGERS, SCALAR, EMPTY)],
    call("select", X, 1, 2),
    call("select", X, -1, -1),
    call("select", V, 0, 0),
    call("narrow", X, 1, 0, 2),
    call("narrow", X, 2, -2, 2),
    call("narrow", V, 0, 5, 0),
    call("narrow", V, 0, 1, 3),
]


@check_table(SHAPING)
def test_shaping(check):
    check()


@check_table(JOINING)
def test_joining(check):
    check()


@check_table(INDEXING)
def test_indexing(check):
    check()


def test_no_function_is_missing():
    assert not uncovered(shaping, SHAPING)
    assert not uncovered(arranging, SHAPING)
    assert not uncovered(joining, JOINING)
    assert not uncovered(indexing, INDEXING)


REFUSED = [
    (call("reshape", X, (5, 5)), "(2, 3, 4)", "(5, 5)"),
    (call("reshape", X, (-1, -1)), "(-1, -1)"),
    (call("reshape", X, (-2, 12)), "(-2, 12)"),
    (call("flatten", X, 2, 1), "start_dim 2", "end_dim 1"),
    (call("unflatten", M, 1, (3, 2)), "(3, 2)"),
    (call("permute", X, (0, 1)), "(0, 1)"),
    (call("permute", X, (0, 0, 1)), "(0, 0, 1)"),
    (call("transpose", X, 0, 3), "dim 3"),
    (call("t", X), "3"),
    (call("movedim", X, (0, 1), (0,)), "2 source axes", "1"),
    (call("squeeze", X, 4), "dim 4"),
    (call("unsqueeze", X, 5), "dim 5"),
    (call("broadcast_to", V, (2, 4)), "(5,)", "(2, 4)"),
    (call("broadcast_tensors", V, M), "(5,)", "(3, 4)"),
    (call("flip", X, (0, 5)), "dim 5"),
    (call("fliplr", V), "2 dimensions"),
    (call("rot90", M, 1, (0, 0)), "same axis"),
    (call("roll", M, (1, 2), (0,)), "2 shifts", "1 dims"),
    (call("roll", M, (1, 2)), "2 shifts"),
    (call("tril", V), "2 dimensions"),
    (call("diagonal", M, 0, 1, 1), "same axis"),
    (call("diag", X), "3"),
    (call("cat", []), "at least one"),
    (call("cat", [SCALAR, SCALAR]), "0-d"),
    (call("cat", [M, V]), "(3, 4)", "(5,)"),
    (call("cat", [M, S]), "(3, 4)", "(3, 3)"),
    (call("cat", [M, 1.0]), "tensors", "float"),
    (call("stack", [M, S]), "(3, 4)", "(3, 3)"),
    (call("stack", []), "at least one"),
    (call("split", V, [1, 1]), "[1, 1]", "5"),
    (call("split", V, 0), "positive"),
    (call("chunk", V, 0), "positive"),
    (call("tensor_split", V, 0), "positive"),
    (call("tile", V, (-1,)), "negative"),
    (call("repeat_interleave", V, np.array([1, 2])), "repeats", "(2,)", "5"),
    (call("repeat_interleave", V, -1), "negative"),
    (call("meshgrid", M, indexing="ij"), "(3, 4)", "1-d"),
    (call("gather", M, 0, ROWS), "1 dimensions", "(3,)"),
    (call("gather", M, 0, PLACES + 5), "out of range", "size 3"),
    (call("gather", M, 0, PLACES - 1), "-1", "out of range"),
    (call("gather", M, 0, M), "integer", "float64"),
    (call("gather", M, 1, np.zeros((4, 4), np.int64)), "(4, 4)", "(3, 4)"),
    (call("scatter", M, 0, PLACES, X[0, :1]), "src", "(1, 4)"),
    (call("scatter", M, 0, PLACES, np.ones((2, 4), np.float32)), "float64", "float32"),
    (call("scatter_add", M, 0, PLACES + 3, X[0, :2]), "out of range"),
    (call("index_select", M, 0, PLACES), "1-d", "(2, 4)"),
    (call("index_select", M, 0, np.array([3])), "out of range", "size 3"),
    (call("index_select", SCALAR, 0, ROWS * 0), "0-d", "3"),
    (call("index_add", M, 0, ROWS, S), "(3, 3)", "(3, 4)"),
    (call("index_add", M, 0, ROWS - 1, M), "out of range", "size 3"),
    (call("index_add", INTEGERS, 1, ROWS, FLAGS), "int64", "bool"),
    (call("index_fill", V, 0, ROWS, V[:1]), "(1,)", "0-d"),
    (call("scatter", M, 0, PLACES), "src or value"),
    (call("flip", SCALAR, (1,)), "dim 1"),
    (call("index_fill", M, 0, np.array([3]), 1.0), "out of range"),
    (call("take", M, np.array([12])), "out of range", "12 values"),
    (call("masked_select", M, M), "boolean", "float64"),
    (call("masked_select", M, V > 0), "(3, 4)", "(5,)"),
    (call("select", M, 0, 3), "3"),
    (call("narrow", V, 0, 3, 4), "length 4", "size 5"),
]


@pytest.mark.parametrize(("made", "words"), [(made, words) for made, *words in REFUSED], ids=str)
def test_refused(made, words):
    both_refuse(made, *words)
