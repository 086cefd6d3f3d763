"""Reductions, cumulative operations, sorting and counting agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import agree, both_refuse, call, without_gradients

draw = np.random.default_rng(1)
X = draw.uniform(-2, 2, (2, 3, 4))
M = draw.uniform(-2, 2, (3, 4))
V = draw.uniform(-2, 2, (5,))
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0], [5.0, 1.0, 5.0]])
ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]])
NANS = np.array(
    [[1.0, np.nan, 3.0], [np.inf, 2.0, -np.inf], [np.inf, np.inf, 1.0], [-np.inf, -np.inf, -np.inf]]
)
INTEGERS = np.array([[3, -1, 4], [1, 5, 0]])
SMALL = {
    name: np.array([[3, 1, 120], [1, 5, 0]], name) for name in ("int8", "uint8", "int16", "int32")
}
FLAGS = np.array([[True, False, True], [True, True, True]])

DIMS = [
    {},
    {"dim": 0},
    {"dim": -1},
    {"dim": (0, 2)},
    {"dim": (-1,), "keepdim": True},
    {"dim": 1, "keepdim": True},
]
FLAT = [{"dim": 0}, {"dim": -1, "keepdim": True}]


def reductions():
    for name in ("sum", "mean", "var", "std", "amax", "amin", "norm"):
        for where in DIMS:
            yield call(name, X, **where)
        for where in ({}, {"dim": 1}):
            yield call(name, TIES, **where)
            yield call(name, ZEROS, **where)
        if name != "norm":
            yield call(name, NANS, dim=1)
        yield call(name, SCALAR)
        if name not in ("amax", "amin"):
            yield call(name, EMPTY)
            yield call(name, EMPTY, dim=0)
        yield call(name, EMPTY, dim=1)
        yield call(name, SCALAR, dim=0)
    for name in ("max", "min", "prod", "median"):
        for x in (X, SCALAR):
            yield call(name, x)
        yield call(name, X, dim=1)
        yield call(name, X, -1, keepdim=True)
        yield call(name, TIES)
        yield call(name, NANS[:2])
        yield call(name, NANS)
        yield call(name, ZEROS)
    for name in ("sum", "prod", "cumsum", "cumprod"):
        dim = {"dim": 1} if name.startswith("cum") else {}
        for x in (INTEGERS, FLAGS, *SMALL.values()):
            yield call(name, x, **dim)
        yield call(name, INTEGERS, **dim, dtype=np.dtype("float32"))
        yield call(name, SMALL["int8"], **dim, dtype=np.dtype("int16"))


TABLE = [
    *reductions(),
    call("sum", X, ()),
    call("sum", X, dim=[]),
    call("mean", X, ()),
    call("sum", X, (0, 1, 2)),
    call("amax", X, ()),
    call("mean", INTEGERS, dtype=np.dtype("float64")),
    call("sum", FLAGS, 1),
    call("var", X, correction=0),
    call("var", X, 1, correction=2),
    call("var", X, False),
    call("var", X, 0, False),
    call("var", X, unbiased=False),
    call("std", X, 0, True, True),
    call("var", V[:1]),
    call("std", V[:1]),
    call("std", V[:1], correction=0),
    call("std", np.ones((2, 3)), dim=1),
    call("std", np.ones((2, 3)), dim=1, correction=0),
    call("var_mean", X),
    call("var_mean", X, 1, keepdim=True),
    call("std_mean", X, (0, 1), correction=0),
    call("prod", X, 1),
    call("prod", X, -1, True),
    call("prod", ZEROS, 0),
    call("prod", ZEROS, 1),
    call("prod", EMPTY),
    call("prod", EMPTY, 0),
    call("prod", EMPTY, 1),
    call("prod", SCALAR, 0),
    call("max", TIES, 0),
    call("max", TIES, 1),
    call("min", TIES, 1),
    call("max", NANS, 1),
    call("min", NANS, 1),
    call("max", X[0], X[1]),
    call("min", X, X[:1]),
    call("max", INTEGERS),
    call("max", INTEGERS, 1),
    call("max", EMPTY, 1),
    call("amax", INTEGERS, 1),
    call("amin", SMALL["uint8"]),
    call("max", SCALAR, 0),
    call("min", SCALAR, -1, True),
    call("aminmax", X),
    call("aminmax", X, dim=1, keepdim=True),
    call("aminmax", TIES, dim=1),
    call("argmax", X),
    call("argmin", X),
    call("argmax", X, 1),
    call("argmin", X, -1, keepdim=True),
    call("argmax", TIES),
    call("argmax", TIES, 1),
    call("argmin", TIES, 1),
    call("argmax", NANS, 1),
    call("argmin", NANS, 1),
    call("argmax", SCALAR),
    call("argmax", SCALAR, 0),
    call("argmax", X, keepdim=True),
    call("argmax", INTEGERS, 1),
    call("argmax", SCALAR, 0, True),
    *[
        call(name, x, **where)
        for name in ("all", "any")
        for x in (FLAGS, INTEGERS, X, EMPTY > 0)
        for where in ({}, {"dim": 1}, {"dim": 0, "keepdim": True}, {"dim": (0, 1)})
    ],
    call("all", np.array(True)),
    call("any", np.array(False), 0),
    call("count_nonzero", INTEGERS),
    call("count_nonzero", X, 1),
    call("count_nonzero", FLAGS, (0, 1)),
    call("count_nonzero", SCALAR),
    call("bincount", np.array([0, 2, 2, 5])),
    call("bincount", np.array([0, 2]), minlength=4),
    without_gradients("bincount", np.array([0, 2, 2]), np.array([0.5, 1.5, 2.0])),
    call("bincount", np.array([], np.int64)),
    without_gradients("bincount", np.array([0, 2, 2]), np.float32([0.5, 1.5, 2.0])),
    call("bincount", np.array([0, 2, 2]), np.array([1, 2, 3])),
    call("logsumexp", X, 1),
    call("logsumexp", X, (0, 2), True),
    call("logsumexp", NANS, 1),
    call("logsumexp", X * 1000, -1),
    call("logsumexp", EMPTY, 0),
    call("logsumexp", EMPTY, 1),
    call("logsumexp", SCALAR, 0),
    call("logsumexp", INTEGERS, 1),
    *[
        call("norm", x, p, **where)
        for x in (X, ZEROS[None])
        for p in (0, 1, 2, 3, 2.5, 0.5, -1, "fro", np.inf, -np.inf)
        for where in ({}, {"dim": 1}, {"dim": (0, 2), "keepdim": True})
        if not (x is not X and p in (-1, 0.5))
    ],
    call("norm", np.zeros((2, 3))),
    call("norm", np.zeros((2, 3)), 1),
    call("norm", np.zeros((2, 3)), 3),
    call("norm", np.zeros((2, 3)), np.inf, dim=1),
    call("norm", SCALAR),
    call("norm", np.zeros((2, 3)), 0.5),
    call("norm", X, dtype=np.dtype("float64")),
    call("norm", np.array([[3.0, -3.0, 1.0]]), np.inf),
    *[
        call(name, x, dim)
        for name in ("cumsum", "cumprod")
        for x, dim in (
            (X, 0),
            (X, -1),
            (V, 0),
            (SCALAR, 0),
            (EMPTY, 0),
            (EMPTY, 1),
            (ZEROS, 1),
            (ZEROS, 0),
            (NANS[:2], 1),
        )
    ],
    call("sort", X),
    call("sort", X, 0),
    call("sort", X, 1, True),
    call("sort", SCALAR),
    call("sort", EMPTY),
    call("sort", V, descending=True),
    call("sort", INTEGERS),
    call("sort", TIES, stable=True),
    call("sort", TIES, stable=True, descending=True),
    call("sort", TIES, dim=1, stable=True, descending=True),
    call("sort", NANS, stable=True),
    call("sort", NANS, stable=True, descending=True),
    call("sort", FLAGS, stable=True, descending=True),
    call("argsort", X),
    call("argsort", X, 0),
    call("argsort", X, 1, True),
    call("argsort", TIES, stable=True, dim=-1),
    call("argsort", SCALAR),
    call("topk", X, 2),
    call("topk", X, 1, 0),
    call("topk", X, 3, 1, False),
    call("topk", X, 4),
    call("topk", X, 0),
    call("topk", SCALAR, 1),
    call("topk", V, 2, largest=False, sorted=True),
    call("topk", INTEGERS, 2),
]


@pytest.mark.parametrize("made", TABLE, ids=str)
def test_functions(made):
    agree(made)
