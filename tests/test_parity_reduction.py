"""Reductions, running reductions and orderings agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import both_refuse, call, check_table, uncovered, without_gradients

from autograd.functions import cumulative, ordering, reduction

random = np.random.default_rng(1)
X = random.uniform(-2, 2, (2, 3, 4))
V = random.uniform(-2, 2, (5,))
ONE = V[:1]
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0], [5.0, 1.0, 5.0]])
ZEROS = np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]])
NOTHING = np.zeros((2, 3))
SAME = np.ones((2, 3))
INFINITE = np.array([[np.inf, 2.0, -np.inf], [np.inf, np.inf, 1.0], [-np.inf, -np.inf, -np.inf]])
NANS = np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, np.nan]])
INTEGERS = np.array([[3, -1, 4], [1, 5, 0]])
SMALL = [np.array([[3, 1, 120], [1, 5, 0]], name) for name in ("int8", "uint8", "int16", "int32")]
FLAGS = np.array([[True, False, True], [True, True, True]])
INT16, FLOAT32 = np.dtype("int16"), np.dtype("float32")

DIMS = [
    {},
    {"dim": 0},
    {"dim": -1},
    {"dim": (0, 2)},
    {"dim": (-1,), "keepdim": True},
    {"dim": 1, "keepdim": True},
]


def over_dims():
    for name in ("sum", "mean", "var", "std", "amax", "amin", "norm", "nansum", "nanmean"):
        yield from (call(name, X, **where) for where in DIMS)
        for x in (TIES, ZEROS):
            yield call(name, x)
            yield call(name, x, dim=1)
        yield call(name, EMPTY, dim=1)
        if name not in ("var", "std"):
            yield call(name, SCALAR)
            yield call(name, SCALAR, dim=0)
        if name not in ("amax", "amin", "var", "std"):
            yield call(name, EMPTY)
            yield call(name, EMPTY, dim=0)
        if name not in ("var", "std", "norm"):
            yield call(name, INFINITE, dim=1)
    for name in ("sum", "mean", "nansum", "nanmean"):
        yield call(name, NANS, dim=1)
    for name in ("sum", "prod", "nansum"):
        yield from (call(name, x) for x in (INTEGERS, FLAGS, *SMALL))
        yield call(name, INTEGERS, dtype=FLOAT32)
        yield call(name, SMALL[0], dtype=INT16)


def norms():
    for p in (0, 1, 2, 3, 2.5, 0.5, -1, "fro", np.inf, -np.inf):
        for where in ({}, {"dim": 1}, {"dim": (0, 2), "keepdim": True}):
            yield call("norm", X, p, **where)
        if p not in (-1, 0.5):
            yield call("norm", ZEROS, p)
            yield call("norm", ZEROS, p, dim=1)
        yield call("norm", NOTHING, p if p != -1 else 2)


REDUCTION = [
    *over_dims(),
    *norms(),
    call("norm", np.array([[3.0, -3.0, 1.0]]), np.inf),
    call("norm", X, dtype=np.dtype("float64")),
    call("sum", X, ()),
    call("sum", X, dim=[]),
    call("sum", X, (0, 1, 2)),
    call("sum", FLAGS, 1),
    call("mean", X, ()),
    call("mean", INTEGERS, dtype=np.dtype("float64")),
    call("mean", np.full(1000, 100.0, np.float16)),
    call("var", (100 + np.arange(1000) % 2).astype(np.float16)),
    call("std", (100 + np.arange(1000) % 2).astype(np.float16)),
    call("amax", X, ()),
    call("amax", INTEGERS, 1),
    call("amin", SMALL[1]),
    call("aminmax", X),
    call("aminmax", X, dim=1, keepdim=True),
    call("aminmax", TIES, dim=1),
    call("var", X, correction=0),
    call("var", X, 1, correction=2),
    call("var", X, False),
    call("var", X, 0, False),
    call("var", X, unbiased=False),
    call("std", X, 0, True, True),
    call("std", ONE, correction=0),
    call("std", SAME, dim=1),
    call("std", SAME, dim=1, correction=0),
    call("var_mean", X),
    call("var_mean", X, 1, keepdim=True),
    call("std_mean", X, (0, 1), correction=0),
    call("std_mean", SAME, 1),
    *[call("prod", X, *dim) for dim in [(), (1,), (-1, True)]],
    *[call("prod", ZEROS, *dim) for dim in [(), (0,), (1,)]],
    *[call("prod", EMPTY, *dim) for dim in [(), (0,), (1,)]],
    call("prod", SCALAR),
    call("prod", SCALAR, 0),
    call("logsumexp", X, 1),
    call("logsumexp", X, (0, 2), True),
    call("logsumexp", X * 1000, -1),
    call("logsumexp", INFINITE, 1),
    call("logsumexp", NANS, 1),
    call("logsumexp", EMPTY, 0),
    call("logsumexp", EMPTY, 1),
    call("logsumexp", SCALAR, 0),
    call("logsumexp", INTEGERS, 1),
    *[
        call(name, x, **where)
        for name in ("all", "any")
        for x in (FLAGS, INTEGERS, TIES, EMPTY > 0)
        for where in ({}, {"dim": 1}, {"dim": 0, "keepdim": True}, {"dim": (0, 1)})
    ],
    call("all", np.array(True)),
    *[call(name, x) for name in ("all", "any") for x in SMALL],
    call("any", np.array(False), 0),
    call("count_nonzero", INTEGERS),
    call("count_nonzero", X, 1),
    call("count_nonzero", FLAGS, (0, 1)),
    call("count_nonzero", SCALAR),
    call("bincount", np.array([0, 2, 2, 5])),
    call("bincount", np.array([0, 2]), minlength=4),
    call("bincount", np.array([], np.int64)),
    call("bincount", np.array([0, 2, 2]), np.array([1, 2, 3])),
    without_gradients("bincount", np.array([0, 2, 2]), np.array([0.5, 1.5, 2.0])),
    *[call("dist", X[0], X[1], p) for p in (2, 1, 3, np.inf)],
    call("dist", X[0], X[0]),
]

ROWS = [(X, 0), (X, -1), (V, 0), (SCALAR, 0), (EMPTY, 0), (EMPTY, 1), (ZEROS, 1), (ZEROS, 0)]
CUMULATIVE = [
    *[call(name, x, dim) for name in ("cumsum", "cumprod") for x, dim in ROWS],
    *[call(name, x, dim) for name in ("cummax", "cummin") for x, dim in [*ROWS, (TIES, 1)]],
    *[call(name, x, 1) for name in ("cumsum", "cumprod") for x in (INTEGERS, FLAGS, *SMALL)],
    *[call(name, INTEGERS, 1) for name in ("cummax", "cummin")],
    *[without_gradients(name, NANS, 1) for name in ("cummax", "cummin")],
    call("cumsum", INTEGERS, 1, dtype=FLOAT32),
    call("cumprod", SMALL[0], dim=1, dtype=INT16),
    call("diff", X),
    call("diff", X, 2, 1),
    call("diff", V, n=0),
    call("diff", ONE),
    call("diff", INTEGERS, dim=0),
    call("diff", FLAGS, 2),
    call("diff", V, prepend=V[:2]),
    call("diff", X, 1, 0, X[:1], X[1:]),
]


def extremes():
    for name in ("max", "min", "median"):
        for x in (X, SCALAR, TIES, NANS, INFINITE, ZEROS):
            yield call(name, x)
        for x, dim in [(X, 1), (SCALAR, 0), (INFINITE[:1], 1), (NANS[:1], 1), (INTEGERS, 1)]:
            yield call(name, x, dim)
        yield call(name, X, -1, keepdim=True)
        yield call(name, INTEGERS)
    for name in ("max", "min"):
        yield call(name, TIES, 0)
        yield call(name, TIES, 1)
        yield call(name, X[0], X[1])
        yield call(name, X, X[:1])
        yield call(name, EMPTY, 1)
    for name in ("argmax", "argmin"):
        for x in (X, TIES, INFINITE, SCALAR):
            yield call(name, x)
            yield call(name, x, -1)
        yield call(name, NANS, 1)
        yield call(name, X, 0, keepdim=True)
        yield call(name, X, keepdim=True)
        yield call(name, SCALAR, 0, True)
        yield call(name, INTEGERS, 1)


def sortings():
    for name in ("sort", "argsort"):
        for options in ({}, {"descending": True}):
            yield from (call(name, x, **options) for x in (X, SCALAR, EMPTY, V, INTEGERS[:, 1:]))
            for x in (TIES, NANS, INFINITE, FLAGS):
                yield call(name, x, stable=True, **options)
            yield call(name, X, 0, **options)
            yield call(name, TIES, dim=1, stable=True, **options)


QUARTERS = np.array([0.0, 0.25, 0.6, 1.0])
ORDERING = [
    *extremes(),
    *sortings(),
    call("topk", X, 2),
    call("topk", X, 1, 0),
    call("topk", X, 3, 1, False),
    call("topk", X, 4),
    call("topk", X, 0),
    call("topk", SCALAR, 1),
    call("topk", V, 2, largest=False, sorted=True),
    call("topk", INTEGERS, 2),
    without_gradients("median", np.zeros(0)),
    *[call("quantile", X, q) for q in (0.0, 0.3, 0.5, 1.0)],
    *[
        call("quantile", X, 0.3, dim, keepdim=keepdim)
        for dim in (0, -1)
        for keepdim in (True, False)
    ],
    *[without_gradients("quantile", X, QUARTERS, dim) for dim in (None, 0, 1)],
    without_gradients("quantile", X, QUARTERS, keepdim=True),
    without_gradients("quantile", X, QUARTERS, 1, keepdim=True),
    *[
        call("quantile", V, q, interpolation=name)
        for name in ("linear", "lower", "higher", "nearest", "midpoint")
        for q in (0.0, 0.25, 0.4, 0.9)
    ],
    without_gradients("quantile", NANS, 0.5, 1),
    call("quantile", SCALAR, 0.5),
    without_gradients("unique", np.array([3.0, 1.0, 3.0])),
    call("unique", INTEGERS, return_inverse=True, return_counts=True),
    call("unique", INTEGERS, return_counts=True),
    call("unique", FLAGS),
    without_gradients("unique", TIES[[0, 2, 0]], return_inverse=True, return_counts=True, dim=0),
    call("unique", INTEGERS, dim=-1),
    *[call("searchsorted", np.array([1, 3]), np.array([3]), side=s) for s in ("left", "right")],
    *[
        without_gradients(name, *args, right=right)
        for right in (False, True)
        for name, *args in [
            ("searchsorted", np.array([1, 3, 5]), np.array([[0, 1], [4, 9]])),
            ("bucketize", np.array([0.5, 1.0, 9.0]), np.array([1.0, 2.0])),
        ]
    ],
]


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@check_table(REDUCTION)
def test_reduction(check):
    check()


@check_table(CUMULATIVE)
def test_cumulative(check):
    check()


@check_table(ORDERING)
def test_ordering(check):
    check()


@pytest.mark.filterwarnings("ignore:.*degrees of freedom")
@check_table([call(n, x) for n in ("var", "std") for x in (ONE, SCALAR, EMPTY)])
def test_spread_of_too_few(check):
    check()


def test_no_function_is_missing():
    assert not uncovered(reduction, REDUCTION)
    assert not uncovered(cumulative, CUMULATIVE)
    assert not uncovered(ordering, ORDERING)


REFUSED = [
    (call("sum", X, 3), "dim 3", "3 dimensions"),
    (call("sum", X, (0, 0)), "twice"),
    (call("sum", X, 0.5), "dim", "float"),
    (call("mean", INTEGERS), "int64", "floating-point"),
    (call("var", X, 1, unbiased=True, correction=1), "unbiased or correction"),
    (call("amax", EMPTY), "(0, 3)"),
    (call("max", EMPTY, 0), "(0, 3)"),
    (call("max", np.zeros(0)), "(0,)"),
    (call("nanmean", INTEGERS), "int64", "floating-point"),
    (call("argmax", SCALAR, 1), "dim 1"),
    (call("argmax", EMPTY), "(0, 3)"),
    (call("median", EMPTY, 0), "(0, 3)"),
    (call("norm", INTEGERS), "int64", "floating-point"),
    (call("norm", X, "max"), "'max'"),
    (call("cumsum", X, 5), "dim 5"),
    (call("diff", SCALAR), "0-d"),
    (call("topk", X, 5), "k=5", "size 4"),
    (call("sort", X, 3), "dim 3"),
    (call("quantile", X, 1.5), "0 to 1"),
    (call("quantile", INTEGERS, 0.5), "int64"),
    (call("quantile", X, 0.5, interpolation="cubic"), "'cubic'"),
    (call("quantile", np.zeros(0), 0.5), "(0,)"),
    (call("bincount", np.array([-1, 2])), "negative"),
    (call("bincount", INTEGERS), "1-d"),
    (call("bincount", X[0, 0]), "float64"),
    (call("searchsorted", INTEGERS, X), "(2, 3)", "1-d"),
    (call("searchsorted", INTEGERS[0], 1, right=True, side="left"), "'left'", "right=True"),
]


@pytest.mark.parametrize(("made", "words"), [(made, words) for made, *words in REFUSED], ids=str)
def test_refused(made, words):
    both_refuse(made, *words)
