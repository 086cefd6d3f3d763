"""Arithmetic, elementary functions, comparison and choice agree with PyTorch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import both_refuse, call, check_table, uncovered, without_gradients

import autograd
from autograd.functions import activation, arithmetic, comparison, elementary, trigonometry

random = np.random.default_rng(0)
X = random.uniform(-2, 2, (2, 3))
Y = random.uniform(-2, 2, (2, 3))
ROW = random.uniform(0.5, 2, (3,))
COLUMN = random.uniform(0.5, 2, (2, 1))
SCALAR = np.array(1.5)
EMPTY = np.zeros((0, 3))
EDGES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5])
LARGE = np.array([80.0, -80.0, 1000.0, -1000.0, 1e-8, -1e-8, 7.0, -7.0])
INTEGERS = np.array([-7, -1, 0, 1, 2, 9])
BYTES = np.array([0, 1, 7], np.uint8)
FLAGS = np.array([True, False, True])
NAN = np.array([np.nan, 1.0])

PAIRS = list(itertools.product(EDGES[:10], [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, np.inf, np.nan]))
LEFT, RIGHT = (np.array(side) for side in zip(*PAIRS, strict=True))
TIES = (
    np.array([1.0, 2.0, 3.0, np.nan, 1.0, np.inf]),
    np.array([1.0, 3.0, 2.0, 1.0, np.nan, np.inf]),
)
BROADCAST = [(X, Y), (X, ROW), (COLUMN, ROW), (SCALAR, X), (X, SCALAR), (EMPTY, ROW)]
DIVISORS = np.array([3, -3, 2, -2, 5, 4])


def unary():
    no_booleans = {"abs", "absolute", "ceil", "fix", "floor", "frac", "neg", "negative"}
    no_booleans |= {"positive", "relu", "trunc"}  # which PyTorch refuses
    for name in sorted({*elementary.__all__, *trigonometry.__all__} - {"logit", "round", "square"}):
        for x in (X, SCALAR, EMPTY, EDGES, LARGE):
            yield call(name, x)
        if name != "frac":
            yield call(name, INTEGERS)
            yield call(name, BYTES)
        if name not in no_booleans:
            yield call(name, FLAGS)
    yield from (call("square", x) for x in (X, SCALAR, EMPTY, EDGES, INTEGERS, BYTES, FLAGS))
    yield from (call("logit", x) for x in (INTEGERS, BYTES, FLAGS))


UNARY = [
    *unary(),
    call("round", EDGES),
    call("round", X, decimals=2),
    call("round", np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])),
    call("round", INTEGERS),
    call("logit", np.array([0.0, 0.25, 0.5, 1.0])),
    call("logit", np.array([0.0, 0.25, 0.5, 1.0, 1.5]), 0.2),
    call("nan_to_num", EDGES),
    call("nan_to_num", EDGES, 1.0, 2.0, -2.0),
    call("nan_to_num", INTEGERS),
]


def binary():
    arithmetical = ["add", "sub", "mul", "div", "remainder", "fmod", "subtract", "multiply"]
    for name in [*arithmetical, "divide", "true_divide"]:
        for x, y in [*BROADCAST, (LEFT, RIGHT), TIES, (INTEGERS, DIVISORS)]:
            yield call(name, x, y)
        for x, y in [(X, 1.5), (X, -2), (INTEGERS, 2), (INTEGERS, -1.5)]:
            yield call(name, x, y)
    for name in ["atan2", "maximum", "minimum", "logaddexp"]:
        for x, y in BROADCAST:
            yield call(name, x, y)
        edges = call if name != "logaddexp" else without_gradients
        yield from (edges(name, x, y) for x, y in [(LEFT, RIGHT), TIES])
        if name != "logaddexp":
            yield call(name, INTEGERS, DIVISORS)
    for x, y in BROADCAST:
        yield call("pow", abs(x), y)
        yield without_gradients("floor_divide", x, y)
    yield from (call("xlogy", abs(x), abs(y)) for x, y in [(X, Y), (X, ROW), (EMPTY, ROW)])


ARITHMETIC = [
    *binary(),
    call("add", X, Y, alpha=2),
    call("sub", X, Y, alpha=0.5),
    call("rsub", X, Y, alpha=2),
    call("rsub", X, 2),
    call("add", INTEGERS, INTEGERS, alpha=3),
    call("add", FLAGS, FLAGS, alpha=2),
    call("add", INTEGERS, ROW[:1], alpha=0.5),
    call("div", X, Y, rounding_mode="trunc"),
    call("div", X, 0.7, rounding_mode="floor"),
    call("div", LEFT, RIGHT, rounding_mode="floor"),
    without_gradients("div", LEFT, RIGHT, rounding_mode="trunc"),
    call("div", INTEGERS, 2, rounding_mode="trunc"),
    call("div", INTEGERS, DIVISORS, rounding_mode="trunc"),
    call("div", INTEGERS, np.array(-2), rounding_mode="floor"),
    call("div", FLAGS, FLAGS),
    without_gradients("floor_divide", LEFT, RIGHT),
    without_gradients("floor_divide", INTEGERS, DIVISORS),
    without_gradients("floor_divide", np.array([1.0, -1.0, 5.3]), 0.1),
    call("remainder", np.array([1.0, -1.0, 5.3]), 0.1),
    without_gradients("remainder", 5.0, X),
    call("remainder", np.array([3.0, -3.0]), np.array([np.inf, np.inf])),
    call("fmod", np.array([3.0, -3.0, 3.0]), np.array([np.inf, np.inf, -2.0])),
    call("pow", LEFT, RIGHT),
    *[call("pow", X, exponent) for exponent in (2, 3.0, 0, 1, -1, 0.5)],
    *[call("pow", EDGES, exponent) for exponent in (2, 0, -2)],
    call("pow", np.array([0.0, np.inf, np.nan, 4.0]), 0.5),
    call("pow", 2.0, X),
    call("pow", 0.0, ROW),
    call("pow", -2.0, np.array([2.0, 3.0, 0.5])),
    call("pow", INTEGERS, 2),
    call("pow", INTEGERS, 2.0),
    call("pow", INTEGERS, np.array([0, 1, 2, 3, 4, 5])),
    call("pow", 2, np.array([0, 1, 5])),
    call("float_power", np.float32([1.0, 2.0]), 3),
    call("float_power", 2, np.float32([1.0, 2.0])),
    call("float_power", INTEGERS[4:], 0.5),
    call("lerp", X, Y, 0.3),
    call("lerp", X, Y, ROW),
    call("lerp", X, ROW, 1.0),
    call("addcmul", X, Y, ROW, value=0.5),
    call("addcmul", X, Y, ROW),
    call("addcdiv", X, Y, ROW, value=2),
    call("logaddexp", np.array([-np.inf]), np.array([-np.inf])),
    without_gradients("xlogy", LEFT, RIGHT),
    call("xlogy", X, 2.0),
    call("xlogy", X, 0),
    call("xlogy", INTEGERS, 2.0),
    call("xlogy", 2, ROW),
]

CLAMPING = [
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
    call("clamp", np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]), np.array([2.0, 2.0, 2.0])),
    call("clamp", NAN, np.array([0.0, np.nan])),
    call("clamp", INTEGERS, 0, 3),
    call("clamp", INTEGERS, min=0.5),
    call("clip", X, 0.0, 1.0),
    call("clamp_min", X, 0.5),
    call("clamp_max", X, ROW),
]

CHOICE = [
    call("where", X > 0, X, Y),
    call("where", X > 0, X, 0.0),
    call("where", X > 0, 1.0, X),
    call("where", FLAGS, ROW, COLUMN),
    call("where", np.array(True), X, SCALAR),
    call("where", FLAGS, INTEGERS[:3], ROW),
    call("where", FLAGS, INTEGERS[:3], 0.5),
    call("where", FLAGS, np.float32([1, 2, 3]), np.array(2)),
    call("where", FLAGS, 1, 2),
    call("where", FLAGS, 1.0, 0.0),
    call("where", X > 0),
    call("where", INTEGERS),
    call("where", np.array(3)),
    call("masked_fill", X, X > 0, -1.0),
    call("masked_fill", X, FLAGS, 2),
    call("masked_fill", X, X > 0, SCALAR),
    call("masked_fill", X, X > 0, np.inf),
    call("masked_fill", X, np.array(True), 1.0),
    call("masked_fill", ROW, X > 0, 1.0),
    call("masked_fill", INTEGERS[:3], FLAGS, 5),
    call("masked_fill", INTEGERS[:3], FLAGS, -5.0),
    call("masked_fill", ROW, FLAGS, np.array(2)),
    call("masked_fill", FLAGS, FLAGS, False),
]


def comparisons():
    names = ["eq", "ne", "lt", "le", "gt", "ge", "not_equal", "less", "less_equal"]
    for name in [*names, "greater", "greater_equal"]:
        for x, y in [*BROADCAST, (LEFT, RIGHT), TIES, (INTEGERS, DIVISORS), (INTEGERS, 1.5)]:
            yield call(name, x, y)
        for x, y in [(X, 1), (FLAGS, 1), (INTEGERS, np.array(2.0)), (X, INTEGERS[:3])]:
            yield call(name, x, y)
    for name in ("isnan", "isinf", "isfinite", "logical_not"):
        yield from (call(name, x) for x in (EDGES, INTEGERS, FLAGS))
    for name in ("and", "or", "xor"):
        for x, y in [(INTEGERS, DIVISORS - 2), (FLAGS, ROW), (FLAGS, ~FLAGS)]:
            yield call(f"logical_{name}", x, y)
        for x, y in [(INTEGERS, DIVISORS), (FLAGS, ~FLAGS), (INTEGERS, 3), (BYTES, INTEGERS[:3])]:
            yield call(f"bitwise_{name}", x, y)


COMPARISON = [
    *comparisons(),
    call("ge", np.float32([0.1, 0.2]), 0.1),
    call("bitwise_not", INTEGERS),
    call("bitwise_not", BYTES),
    call("bitwise_not", FLAGS),
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
    call("isin", INTEGERS, np.array([1, 9, 4])),
    call("isin", INTEGERS, np.array([1, 9, 4]), assume_unique=True, invert=True),
    call("isin", 3, INTEGERS),
    call("isin", INTEGERS, 1),
    call("is_tensor", X),
    call("is_tensor", 3.0),
    call("is_floating_point", X),
    call("is_floating_point", INTEGERS),
    call("is_nonzero", np.array([0.0])),
    call("is_nonzero", np.array(2)),
    call("numel", X),
    call("numel", EMPTY),
]

ACTIVATION = [
    *[call("softmax", x, dim) for x, dim in [(X, 0), (X, -1), (SCALAR, 0), (EMPTY, 0), (EMPTY, 1)]],
    *[call("log_softmax", x, dim) for x, dim in [(X, 0), (X, -1), (SCALAR, 0), (EMPTY, 1)]],
    call("softmax", X * 1000, 1),
    call("log_softmax", X * 1000, 1),
    call("softmax", INTEGERS, 0, dtype=np.dtype("float64")),
    call("log_softmax", X, 1, dtype=np.dtype("float64")),
]


@check_table(UNARY)
def test_unary(check):
    check()


@check_table(ARITHMETIC)
def test_arithmetic(check):
    check()


@check_table(CLAMPING + CHOICE)
def test_clamping_and_choice(check):
    check()


@check_table(COMPARISON)
def test_comparison(check):
    check()


@check_table(ACTIVATION)
def test_activation(check):
    check()


def test_no_function_is_missing():
    assert not uncovered(elementary, UNARY)
    assert not uncovered(trigonometry, UNARY)
    assert not uncovered(arithmetic, ARITHMETIC, CLAMPING, CHOICE, UNARY)
    assert not uncovered(comparison, COMPARISON)
    assert not uncovered(activation, ACTIVATION)


REFUSED = [
    (call("add", X, np.zeros(4)), "(2, 3) and (4,)", "broadcast"),
    (call("maximum", X, np.zeros((3, 2))), "(2, 3) and (3, 2)"),
    (call("where", INTEGERS > 0, np.zeros(2), np.zeros(3)), "(6,)", "(2,)", "(3,)"),
    (call("where", X, X, Y), "boolean", "float64"),
    (call("masked_fill", X, X, 1.0), "boolean", "float64"),
    (call("masked_fill", X, X > 0, ROW), "(3,)", "0-d"),
    (call("masked_fill", X, X > 0, ROW[:1]), "(1,)", "0-d"),
    (call("masked_fill", BYTES, FLAGS, 300), "300", "uint8"),
    (call("clamp", X), "min, max"),
    (call("add", INTEGERS, INTEGERS, alpha=0.5), "alpha", "0.5"),
    (call("sub", INTEGERS, 2, alpha=1.5), "alpha", "1.5"),
    (call("sub", FLAGS, FLAGS, alpha=2), "bool"),
    (call("addcdiv", INTEGERS, INTEGERS, INTEGERS), "int64"),
    (call("pow", INTEGERS, -1), "negative"),
    (call("floor_divide", INTEGERS, 0), "zero"),
    (call("remainder", INTEGERS, INTEGERS * 0), "zero"),
    (call("div", X, Y, rounding_mode="up"), "'up'", "rounding_mode"),
    (call("bitwise_and", X, INTEGERS[:3]), "float64", "integers or booleans"),
    (call("sub", FLAGS, FLAGS), "bool"),
    (call("neg", FLAGS), "bool"),
    (call("relu", FLAGS), "booleans"),
    (call("positive", FLAGS), "booleans"),
    (call("softmax", X, 2), "dim 2", "2 dimensions"),
    (call("softmax", INTEGERS, 0), "int64"),
    (call("log_softmax", FLAGS, 0), "bool"),
    (call("is_nonzero", X), "(2, 3)"),
]


@pytest.mark.parametrize(("made", "words"), [(made, words) for made, *words in REFUSED], ids=str)
def test_refused(made, words):
    both_refuse(made, *words)


def test_numbers_are_not_cut_off():
    """PyTorch would go on with 1, with 0, and with 255."""
    whole, small = autograd.tensor(INTEGERS), autograd.tensor(BYTES)
    with pytest.raises(TypeError, match="masked_fill: value 1.5 cannot be put into a int64"):
        autograd.masked_fill(whole, whole > 0, 1.5)
    with pytest.raises(TypeError, match="addcmul: value must be an integer for integers, got 0.5"):
        autograd.addcmul(whole, whole, whole, value=0.5)
    with pytest.raises(TypeError, match="mul: .* 300 out of bounds for uint8"):
        small * 300
