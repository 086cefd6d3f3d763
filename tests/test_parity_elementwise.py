"""Arithmetic, elementary functions, comparison and choice agree with PyTorch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import agree, both_refuse, call, without_gradients

import autograd
from autograd.functions import arithmetic, elementary

draw = np.random.default_rng(0)
X = draw.uniform(-2, 2, (2, 3))
Y = draw.uniform(-2, 2, (2, 3))
ROW = draw.uniform(0.5, 2, (3,))
COLUMN = draw.uniform(0.5, 2, (2, 1))
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5])
LARGE = np.array([100.0, -100.0, 1000.0, -1000.0, 1e-8, -1e-8, 7.0, -7.0])
INTEGERS = np.array([-7, -1, 0, 1, 2, 9])
BYTES = np.array([0, 1, 7], np.uint8)
FLAGS = np.array([True, False, True])

FLOAT_ONLY = {"frac", "erfc", "log2"}
UNARY = sorted(set(elementary.__all__) - {"round"})
PAIRS = list(itertools.product(EDGES[:10], [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, np.inf, np.nan]))
LEFT, RIGHT = (np.array(side) for side in zip(*PAIRS, strict=True))
TIES = (
    np.array([1.0, 2.0, 3.0, np.nan, 1.0, np.inf]),
    np.array([1.0, 3.0, 2.0, 1.0, np.nan, np.inf]),
)


def unary_calls():
    for name in UNARY:
        for x in (X, SCALAR, EMPTY, EDGES, LARGE):
            yield call(name, x)
        yield call(name, INTEGERS)
        yield call(name, BYTES)
        yield call(name, FLAGS)


BROADCAST = [(X, Y), (X, ROW), (COLUMN, ROW), (SCALAR, X), (X, SCALAR), (EMPTY, ROW)]


def binary_calls():
    names = ["add", "sub", "mul", "div", "atan2", "maximum", "minimum", "remainder", "fmod"]
    for name in [*names, "floor_divide", "eq", "ne", "lt", "le", "gt", "ge"]:
        for x, y in BROADCAST:
            yield call(name, x, y)
        yield call(name, LEFT, RIGHT)
        yield call(name, *TIES)
        yield call(name, INTEGERS, np.array([3, -3, 2, -2, 5, 4]))
        if name not in ("atan2", "maximum", "minimum"):
            yield call(name, X, 1.5)
            yield call(name, X, -2)
            yield call(name, INTEGERS, 2)
            yield call(name, INTEGERS, -1.5)
    for x, y in BROADCAST:
        yield call("pow", abs(x), y)


TABLE = [
    *unary_calls(),
    *binary_calls(),
    call("round", EDGES),
    call("round", X, decimals=2),
    call("round", np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])),
    call("add", X, Y, alpha=2),
    call("sub", X, Y, alpha=0.5),
    call("rsub", X, Y, alpha=2),
    call("rsub", X, 2),
    call("add", INTEGERS, INTEGERS, alpha=3),
    call("div", X, Y, rounding_mode="trunc"),
    call("div", X, 0.7, rounding_mode="floor"),
    call("div", INTEGERS, 2, rounding_mode="trunc"),
    call("div", INTEGERS, 2),
    call("div", INTEGERS, np.array(-2), rounding_mode="floor"),
    call("div", FLAGS, FLAGS),
    call("remainder", np.float32([1.0, -1.0, 5.3]), 0.1),
    call("floor_divide", np.float32([1.0, -1.0, 5.3]), 0.1),
    call("remainder", np.array([3.0, -3.0]), np.array([np.inf, np.inf])),
    call("fmod", np.array([3.0, -3.0, 3.0]), np.array([np.inf, np.inf, -2.0])),
    call("remainder", 5.0, X),
    call("pow", LEFT, RIGHT),
    call("pow", X, 2),
    call("pow", X, 3.0),
    call("pow", X, 0),
    call("pow", X, 1),
    call("pow", X, -1),
    call("pow", X, 0.5),
    call("pow", 2.0, X),
    call("pow", 0.0, ROW),
    call("pow", EDGES, 2),
    call("pow", EDGES, 0),
    call("pow", EDGES, 0.5),
    call("pow", EDGES, -2),
    call("pow", INTEGERS, 2),
    call("pow", INTEGERS, 2.0),
    call("pow", 2, np.array([0, 1, 5])),
    call("pow", INTEGERS, np.array([0, 1, 2, 3, 4, 5])),
    call("pow", -2.0, np.array([2.0, 3.0, 0.5])),
    call("float_power", np.float32([1.0, 2.0]), 3),
    call("float_power", 2, np.float32([1.0, 2.0])),
    call("float_power", INTEGERS[4:], 0.5),
    call("clamp", X, min=-1.0),
    call("clamp", X, max=0.5),
    call("clamp", X, -0.5, 0.5),
    call("clamp", EDGES, -1.0, 1.0),
    call("clamp", EDGES, 0.5, -0.5),
    call("clamp", X, 1, -1),
    call("clamp", X, min=Y),
    call("clamp", X, Y, Y + 0.3),
    call("clamp", X, max=ROW),
    call("clamp", X, ROW, -ROW),
    call("clamp", np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([2.0, 3.0])),
    call("clamp", INTEGERS, 0, 3),
    call("clamp", INTEGERS, min=0.5),
    call("clip", X, 0.0, 1.0),
    call("clamp", np.array([np.nan, 1.0]), np.array([0.0, np.nan])),
    call("where", X > 0, X, Y),
    call("where", X > 0, X, 0.0),
    call("where", X > 0, 1.0, X),
    call("where", FLAGS, ROW, COLUMN),
    call("where", np.array(True), X, SCALAR),
    call("where", FLAGS, INTEGERS[:3], ROW),
    call("where", FLAGS, INTEGERS[:3], 0.5),
    call("where", FLAGS, 1, 2),
    call("where", FLAGS, 1.0, 0.0),
    call("where", X > 0),
    call("where", INTEGERS),
    call("where", FLAGS, np.float32([1, 2, 3]), np.float64(2.0)),
    call("masked_fill", X, X > 0, -1.0),
    call("masked_fill", X, FLAGS, 2),
    call("masked_fill", X, X > 0, SCALAR),
    call("masked_fill", X, X > 0, np.inf),
    call("masked_fill", INTEGERS[:3], FLAGS, 5),
    call("masked_fill", np.float32([1, 2, 3]), FLAGS, np.array(2.0)),
    call("masked_fill", np.float32([1, 2, 3]), FLAGS, np.array(2)),
    call("masked_fill", ROW, X > 0, 1.0),
    call("masked_fill", FLAGS, FLAGS, False),
    call("lerp", X, Y, 0.3),
    call("lerp", X, Y, ROW),
    call("lerp", X, ROW, 1.0),
    call("addcmul", X, Y, ROW, value=0.5),
    call("addcdiv", X, Y, ROW, value=2),
    call("addcmul", X, Y, ROW),
    call("nan_to_num", EDGES),
    call("nan_to_num", EDGES, 1.0, 2.0, -2.0),
    call("nan_to_num", INTEGERS),
    *[call(name, EDGES) for name in ("isnan", "isinf", "isfinite", "logical_not")],
    *[call(name, INTEGERS) for name in ("isnan", "isinf", "isfinite", "logical_not")],
    *[
        call(f"logical_{name}", INTEGERS, np.array([0, 1, 0, 0, 1, 2]))
        for name in ("and", "or", "xor")
    ],
    *[call(f"logical_{name}", FLAGS, ROW) for name in ("and", "or", "xor")],
    call("isclose", LEFT, RIGHT),
    call("isclose", LEFT, RIGHT, equal_nan=True),
    call("isclose", INTEGERS, INTEGERS + 1),
    call("isclose", X, X + 1e-6, 0.0, 1e-5),
    call("allclose", X, X + 1e-9),
    call("allclose", X, Y),
    call("allclose", EDGES, EDGES),
    call("allclose", EDGES, EDGES, equal_nan=True),
    call("equal", X, X),
    call("equal", X, Y),
    call("equal", X, ROW),
    call("equal", EDGES, EDGES),
    call("eq", X, 1),
    call("lt", INTEGERS, 1.5),
    call("ge", np.float32([0.1, 0.2]), 0.1),
    call("eq", FLAGS, 1),
    call("eq", INTEGERS, np.array(2.0)),
    call("gt", X, INTEGERS[:3]),
]


@pytest.mark.parametrize("made", TABLE, ids=str)
def test_functions(made):
    agree(made)
