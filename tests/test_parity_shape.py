"""Functions that move, join and pick values agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import agree, both_refuse, call, without_gradients

draw = np.random.default_rng(2)
X = draw.uniform(-2, 2, (2, 3, 4))
M = draw.uniform(-2, 2, (3, 4))
S = draw.uniform(-2, 2, (3, 3))
V = draw.uniform(-2, 2, (5,))
ONES = draw.uniform(-2, 2, (1, 3, 1, 2))
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
INTEGERS = np.arange(6).reshape(2, 3)
INDEX = np.array([[2, 0, 1, 1], [0, 0, 0, 2]])
ROWS = np.array([2, 0, 2])

TABLE = [
    call("clone", X), call("reshape", X, (6, 4)), call("reshape", X, (-1,)), call("reshape", X, (2, -1)), call("reshape", SCALAR, (1, 1)), call("reshape", EMPTY, (3, 0)), call("reshape", EMPTY, (0, -1) if False else (0, 5)), call("reshape", X[:, :1, :1], ()) if False else call("reshape", np.ones((1, 1)), ()),
    call("flatten", X), call("flatten", X, 1), call("flatten", X, 0, 1), call("flatten", SCALAR), call("flatten", V), call("flatten", X, -2, -1), call("flatten", EMPTY),
    call("unflatten", M, 1, (2, -1)), call("unflatten", X, -1, (2, 2)), call("ravel", X), call("ravel", SCALAR),
    call("permute", X, (2, 0, 1)), call("permute", X, (-1, 0, 1)), call("permute", SCALAR, ()), call("transpose", X, 0, -1), call("transpose", SCALAR, 0, 0), call("transpose", M, 1, 0), call("swapaxes", X, 0, 1),
    call("t", M), call("t", V), call("t", SCALAR), call("movedim", X, 0, -1), call("movedim", X, (0, 1), (1, 2)), call("movedim", X, (2, 0), (0, 1)),
    call("squeeze", ONES), call("squeeze", ONES, 0), call("squeeze", ONES, (0, 2)), call("squeeze", ONES, 1), call("squeeze", SCALAR), call("squeeze", SCALAR, 0), call("squeeze", ONES, -2), call("squeeze", ONES, ()),
    call("unsqueeze", X, 0), call("unsqueeze", X, -1), call("unsqueeze", X, 1), call("unsqueeze", SCALAR, 0),
    call("broadcast_to", V, (2, 5)), call("broadcast_to", ONES, (4, 3, 2, 2)), call("broadcast_to", V, (2, -1)), call("broadcast_to", SCALAR, (2, 2)), call("broadcast_to", ONES, (0, 3, 1, 2)),
    call("broadcast_tensors", V, V[:1], SCALAR), call("broadcast_tensors", M, V[:4]),
    call("tile", M, (2,)), call("tile", M, (2, 1, 3)), call("tile", SCALAR, (2, 2)), call("tile", V, (0,)), call("tile", M, ()),
    call("repeat_interleave", V, 2), call("repeat_interleave", M, 3, 0), call("repeat_interleave", M, np.array([1, 0, 2]), 0), call("repeat_interleave", M, np.array([1, 0, 2, 1]), dim=-1), call("repeat_interleave", M, 2), call("repeat_interleave", V, np.array([2])),
    call("cat", [X, X]), call("cat", [X, X], 1), call("cat", [M, M[:1]], dim=0), call("cat", [V, V[:2], V[:0]]), call("cat", [M, M], -1), call("cat", [INTEGERS, M[:2, :3]]), call("cat", [INTEGERS, np.float32([[1, 2, 3]])]), call("cat", [INTEGERS, INTEGERS > 2]), call("cat", [np.zeros(0), M]), call("cat", (M,)), call("concat", [V, V]), call("concatenate", [V, V]), call("cat", [np.float32([1]), np.float64([1])]), call("cat", [np.float16([1]), np.float32([1])]),
    call("stack", [V, V]), call("stack", [M, M], 1), call("stack", [M, M], -1), call("stack", [SCALAR, SCALAR]), call("stack", [np.array([1, 2]), np.float32([1, 2])]), call("stack", [V, V, V], dim=1),
    call("hstack", [V, V]), call("hstack", [M, M]), call("hstack", [SCALAR, V]), call("vstack", [V, V]), call("vstack", [M, V[:4]]), call("vstack", [SCALAR, SCALAR]), call("dstack", [V, V]), call("column_stack", [V, M.T[:0].T.reshape(3, 0)] if False else [V, V]),
    call("split", V, 2), call("split", X, 2, 1), call("split", V, [1, 4]), call("split", V, [0, 5]), call("split", X, [1, 3], dim=-1), call("split", EMPTY, 2), call("split", V, 10),
    call("chunk", V, 2), call("chunk", V, 4), call("chunk", X, 3, 1), call("chunk", V, 10), call("chunk", X, 2, dim=-1), call("chunk", EMPTY, 3),
    call("unbind", X), call("unbind", X, 1), call("unbind", M, -1), call("unbind", EMPTY), call("flip", X, (0,)), call("flip", X, (0, 2)), call("flip", X, [-1]), call("flip", SCALAR, ()) , call("flip", V, (0,)), call("flip", EMPTY, (0, 1)),
    call("roll", V, 1), call("roll", X, 2, 1), call("roll", X, (1, -1), (0, 2)), call("roll", M, 3), call("roll", V, -7, 0), call("roll", M, (1, 1), (0, 0)), call("roll", EMPTY, 1), call("roll", M, 5, -1),
    call("tril", S), call("tril", M, 1), call("tril", X, -1), call("triu", S), call("triu", M, -1), call("triu", X, 1), call("tril", INTEGERS), call("triu", EMPTY), call("tril", M > 0, -1),
    call("diagonal", S), call("diagonal", M, 1), call("diagonal", X, 0, 1, 2), call("diagonal", X, -1, -2, -1), call("diagonal", X, 1, 2, 0), call("diagonal", M, 9) if False else call("diagonal", M, 4), call("diagonal", M, -3),
    call("diag", V), call("diag", V, 1), call("diag", V, -2), call("diag", S), call("diag", M, 1), call("diag", M, -1),
    call("meshgrid", V, V[:2], indexing="ij"), call("meshgrid", V, V[:2], indexing="xy"), call("meshgrid", V[:2], V[:3], V[:4], indexing="xy"), call("meshgrid", V, indexing="ij"),
    call("gather", M, 0, INDEX), call("gather", M, 1, INDEX[:, :2]), call("gather", M, -1, np.array([[3], [0], [3]])), call("gather", V, 0, ROWS), call("gather", SCALAR, 0, np.array(0)), call("gather", X, 1, np.zeros((2, 5, 4), np.int64)), call("gather", M, 0, np.zeros((0, 4), np.int64)), call("gather", M, 0, INDEX.astype(np.int32)),
    call("take_along_dim", M, INDEX[:1], 0), call("take_along_dim", M, np.array([[3], [0], [3]]), 1), call("take_along_dim", M, np.array([0, 5, 5])), call("take_along_dim", M, np.array([[0, 1]]), dim=1),
    call("scatter", M, 0, INDEX, 1.0), call("scatter", M, 0, np.array([[2, 0, 1, 1], [0, 1, 0, 2]]), X[0, :2]), call("scatter", V, 0, np.array([3, 1]), V[:4]), call("scatter", M, 1, np.array([[3], [0]]), np.array([[1.0], [2.0]])), call("scatter", V, 0, np.array([], np.int64), V), call("scatter", np.zeros((2, 3), np.int64), 1, np.array([[1], [0]]), 1),
    call("scatter_add", M, 0, INDEX, X[0, :2]), call("scatter_add", V, 0, np.array([1, 1, 1]), V), call("scatter_add", M, 1, np.array([[3, 3], [0, 1]]), X[0, :2, :2]), call("scatter_add", V, 0, np.array([], np.int64), V), call("scatter_add", np.zeros(3, np.int64), 0, np.array([0, 0]), np.array([1, 2])),
    call("index_select", M, 0, ROWS), call("index_select", X, -1, ROWS), call("index_select", X, 1, np.array([], np.int64)), call("index_select", V, 0, np.array(1)), call("index_select", SCALAR, 0, np.array([0])), call("index_select", INTEGERS, 1, ROWS),
    call("index_add", M, 0, ROWS, S[:, [0, 1, 2, 0]]), call("index_add", M, 1, np.array([1, 1]), S[:, :2], alpha=2), call("index_add", V, 0, np.array([4, 4, 0]), V[:3]), call("index_add", V, 0, np.array([], np.int64), V[:0]),
    call("masked_select", M, M > 0), call("masked_select", M, np.array([True, False, True, False])), call("masked_select", V, V > 9), call("masked_select", SCALAR, np.array(True)), call("masked_select", V[:1], M > 0),
    call("nonzero", INTEGERS), call("nonzero", X > 0), call("nonzero", SCALAR), call("nonzero", np.array(0.0)), call("nonzero", EMPTY), call("nonzero", INTEGERS, as_tuple=True), call("nonzero", np.array(3), as_tuple=True), call("nonzero", np.array(0), as_tuple=True),
    call("select", X, 1, 2), call("select", X, -1, -1), call("select", V, 0, 0), call("narrow", X, 1, 0, 2), call("narrow", X, 2, -2, 2), call("narrow", V, 0, 5, 0), call("narrow", V, 0, 1, 3),
]


@pytest.mark.parametrize("made", TABLE, ids=str)
def test_functions(made):
    agree(made)
