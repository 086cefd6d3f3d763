"""Formulas for elements: what their tapes make of large arrays is what they make of any."""

import math
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import OPS, kernels, op
from autograd.kernels import numpy_tape, tape, threads
from autograd.plans import reads

KERNELS = [
    "numpy",
    pytest.param("numba", marks=pytest.mark.skipif(not find_spec("numba"), reason="needs Numba")),
]
ELEMENTWISE = [name for name, each in OPS.items() if each.elementwise]
SIZES = (1024, 1025, 3333, 20_000)


@pytest.fixture(autouse=True, params=KERNELS)
def used(request, monkeypatch):
    for name in ("LEAST", "LARGE", "WEIGHTY"):
        monkeypatch.setattr(numpy_tape, name, 0)
    if request.param == "numba":
        monkeypatch.setattr("autograd.kernels.numba_tape.WEIGHTY", 0)
        monkeypatch.setattr("autograd.kernels.numba_tape.LIGHTER", 0)
    with autograd.use_kernels(request.param):
        yield request.param


@pytest.fixture
def every_size(monkeypatch):
    """Tapes for the smallest arrays as well."""
    monkeypatch.setattr(op, "LARGE", 1)
    monkeypatch.setattr(op, "LARGE_PAIR", 1)


def evaluated(formula, *values):
    arrays = [value for value in values if isinstance(value, np.ndarray)]
    like = max(arrays, key=lambda array: array.size)
    found = tape.tape_for(formula, values)
    assert found is not None
    return kernels.evaluate(like, found, arrays)


def inputs_of(name, size):
    """Inputs of a primitive in float32: arrays where its cases have them, numbers elsewhere."""
    each, random = OPS[name], np.random.default_rng(size)
    case = each.cases[0]
    domain = case.domain
    domains = domain if isinstance(domain[0], tuple) else (domain,) * len(case.shapes)
    drawn = iter(random.uniform(low, high, size).astype(np.float32) for low, high in domains)
    return [case.constants[k] if k in case.constants else next(drawn) for k in each.inputs]


def wide(values):
    return [v.astype(np.float64) if isinstance(v, np.ndarray) else v for v in values]


def close(found, wanted):
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    size = np.abs(wanted) + 1e-2 * np.abs(wanted).max()
    assert (np.abs(found - wanted) <= 1e-5 * size).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_results_are_those_of_float64(name, size):
    values = inputs_of(name, size)
    close(evaluated(OPS[name].formula, *values), OPS[name].forward(*wide(values)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_gradients_are_those_of_float64(name, size):
    each, values = OPS[name], inputs_of(name, size)
    known = {**dict(zip(each.inputs, values, strict=True)), "out": each.forward(*values)}
    g = np.random.default_rng(0).standard_normal(size, np.float32)
    for rule in each.rules:
        if rule is None:
            continue
        given_values = [g, *[known[k] for k in reads(rule)]]
        if tape.tape_for(rule, given_values) is not None:
            close(evaluated(rule, *given_values), rule(*wide(given_values)))


def test_which_rules_have_no_tape():
    """Those that hand the gradient on as it is: nothing is computed."""
    without = []
    for name in ELEMENTWISE:
        values = inputs_of(name, 1024)
        known = {**dict(zip(OPS[name].inputs, values, strict=True)), "out": values[0]}
        for rule in OPS[name].rules:
            if rule is not None:
                given_values = [values[0], *[known[k] for k in reads(rule)]]
                if tape.tape_for(rule, given_values) is None:
                    without.append(name)
    assert without == ["add", "add", "sub"]


FUNCTIONS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
    "absolute": np.abs,
    "erf": np.vectorize(math.erf),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e-45, -1e-45, 2.0**-126, 3.4e38]
SPECIAL += [-3.4e38, 88.3, 88.4, 88.72, 88.73, 89.0, -87.3, -88.0, -103.9, -104.0, -150.0, 0.5, 2.0]
SPECIAL += [1e-7, -1e-7, 3.95, -3.95, 4.0, -0.9999999, 1.4142135, 1.4142136, 0.70710677]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_hold_for_all_numbers(name):
    """To a few units in the last place, for any bits; infinity, NaN and the sign of zero too."""
    random = np.random.default_rng(5)
    bits = random.integers(0, 2**32, 60_000).astype(np.uint32).view(np.float32)
    near = random.uniform(-20, 20, 30_000).astype(np.float32)
    small = (random.standard_normal(10_000) * 1e-3).astype(np.float32)
    x = np.concatenate([np.array(SPECIAL, np.float32), bits, near, small])
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[name](x.astype(np.float64))
        wanted = exact.astype(np.float32)
        found = evaluated(lambda v: tape.apply(name, v), x)
        finite = np.isfinite(wanted)
        np.testing.assert_array_equal(found[~finite], wanted[~finite])
        step = np.spacing(np.maximum(np.abs(wanted[finite]), np.float32(2.0**-126)))
        lost = np.abs(found[finite].astype(np.float64) - exact[finite])
    tiny = (wanted[finite] < 2.0**-125) & (name == "sigmoid")  # its exponential is infinite there
    assert (tiny | (lost <= (8 if name == "erf" else 4) * step)).all()
    zero = x == 0
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(wanted[zero]))


@st.composite
def broadcast(draw):
    """A shape of at least 1024 elements, and one that broadcasts to it."""
    shape = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    while math.prod(shape) < 1024:
        shape[draw(st.integers(0, len(shape) - 1))] += 40
    kept = [draw(st.booleans()) for _ in shape]
    other = [size if keep else 1 for size, keep in zip(shape, kept, strict=True)]
    while other and other[0] == 1 and draw(st.booleans()):
        other = other[1:]
    return tuple(shape), tuple(other)


@given(shapes=broadcast(), swapped=st.booleans())
def test_inputs_broadcast(shapes, swapped):
    random = np.random.default_rng(1)
    pair = [random.standard_normal(shape, np.float32) for shape in shapes]
    found = tape.tape_for(lambda x, y: x - y * 3.0, pair)
    if swapped:
        pair.reverse()
    large = max(pair, key=lambda array: array.size)
    for name in ("numpy", *(["numba"] if find_spec("numba") else [])):
        with autograd.use_kernels(name):
            result = kernels.evaluate(large, found, pair)
        if result is not None:
            np.testing.assert_array_equal(result, pair[0] - pair[1] * np.float32(3))


@pytest.mark.parametrize("other", [(), (1,), (28,), (32, 28, 28), (32, 1, 1), (8, 1, 1, 1)])
def test_which_broadcasts_are_compiled(used, other):
    x, y = np.ones((8, 32, 28, 28), np.float32), np.full(other, 2.0, np.float32)
    result = evaluated(lambda x, y: x + y, x, y)
    assert used == "numpy" or (result == 3).all()


def test_light_formulas_are_left_to_numpy(monkeypatch):
    monkeypatch.undo()
    x = np.ones(100_000, np.float32)
    for formula, light in ((lambda x: x * (1 - x), True), (lambda x: np.exp(x) + 1, False)):
        found = tape.tape_for(formula, [x])
        with autograd.use_kernels("numpy"):
            assert (kernels.evaluate(x, found, [x]) is None) == light


@pytest.mark.parametrize("shape", [(), (50, 1), (60,), (1, 50, 1), (4, 1, 1)])
def test_stretched_inputs_are_read_where_they_are(used, shape):
    """As gradients of sums are."""
    random = np.random.default_rng(0)
    x, g = (
        random.standard_normal((4, 50, 60), np.float32),
        random.standard_normal(shape, np.float32),
    )
    for large in (np.broadcast_to(g, x.shape), x):
        result = kernels.evaluate(
            large, tape.tape_for(np.multiply, [x, x]), [x, np.broadcast_to(g, x.shape)]
        )
        if used == "numba" or shape == ():
            np.testing.assert_array_equal(result, x * g)


def test_what_is_not_laid_out_plainly_is_left_alone():
    x = np.ones((64, 64), np.float32)
    add = lambda x, y: x + y
    for other in (x.T, x[::-1], x.astype(np.float64), np.ones((64, 1, 64), np.float32)[:, 0, ::2]):
        found = tape.tape_for(add, [x, other])
        assert kernels.evaluate(x, found, [x, np.asarray(other)]) is None


@pytest.mark.parametrize(
    "formula",
    [
        lambda x: x,
        lambda x: 2.0,
        lambda x: x > 0,
        lambda x: x.sum(),
        lambda x: x if x > 0 else -x,
        lambda x: np.asarray(x) + 1,
        lambda x: np.cumsum(x),
        lambda x: np.add(x, x, where=x > 0),
        lambda x: (x > 0) * x,
        lambda x: np.where(x, x, 1),
        lambda x: ~x,
        lambda x: x + "1",
        lambda x: np.clip(x, 0, 1),
    ],
)
def test_formulas_without_a_tape(formula):
    assert tape.trace(formula, [np.ones(3)]) is None


def test_only_arrays_and_numbers_are_recorded():
    assert tape.tape_for(lambda x, y: x, [np.ones(3), (1, 2)]) is None
    assert tape.tape_for(lambda x, y: x, [np.ones(3), [1]]) is None


def test_conditions_combine():
    x = np.linspace(-2, 2, 2000, dtype=np.float32)
    x[7] = np.nan
    inside = lambda x: np.where((x >= -1) & ~(x > 1) | (x != x), 1.0, x)
    np.testing.assert_array_equal(evaluated(inside, x), inside(x))


def test_the_same_step_is_done_once():
    found = tape.trace(lambda x: np.exp(x) * (1 + np.exp(x)), [np.ones(3)])
    assert [step.function for step in found.instructions] == ["exp", "add", "multiply"]
    unused = tape.trace(lambda x: (np.exp(x), np.sin(x))[0], [np.ones(3)])
    assert [step.function for step in unused.instructions] == ["exp"]


def test_negative_zero_is_another_number():
    x = np.ones(2000, np.float32)
    times = lambda x, y: x * y
    assert not np.signbit(evaluated(times, x, 0.0)).any()
    assert np.signbit(evaluated(times, x, -0.0)).all()
    both = lambda x: np.where(x < 0, x * -0.0, x * 0.0)
    assert not np.signbit(evaluated(both, x)).any()


@pytest.mark.parametrize("power", [1, 2, 3, -1, -2, 0.5, 1.7])
def test_powers(power):
    x = np.linspace(0.5, 2, 2000, dtype=np.float32)
    found = tape.tape_for(lambda x: x**power * 1.0, [x])
    np.testing.assert_allclose(kernels.evaluate(x, found, [x]), x**power, 1e-6)


def test_known_tapes_do_not_pile_up(monkeypatch):
    monkeypatch.setattr(tape, "KEPT", 10)
    for k in range(100):
        tape.tape_for(lambda x, y: x * y, [np.ones(3), float(k)])
    assert len(tape._known) <= 10


@pytest.mark.parametrize("name", ["gelu", "softplus", "div"])
def test_threads_do_not_change_a_bit(name, monkeypatch):
    monkeypatch.setattr(threads, "WORTHWHILE", 64)
    values = inputs_of(name, 300_001)
    before, results = autograd.get_num_threads(), []
    try:
        for number in (1, 2, 3):
            autograd.set_num_threads(number)
            results.append(evaluated(OPS[name].formula, *values))
    finally:
        autograd.set_num_threads(before)
    assert all((result == results[0]).all() for result in results)


def test_tensors_use_them(every_size, monkeypatch):
    counts = []
    evaluate = kernels.evaluate
    monkeypatch.setattr(kernels, "evaluate", lambda *a: counts.append(1) or evaluate(*a))
    x = autograd.randn(40, 50, requires_grad=True)
    y = autograd.randn(50, requires_grad=True)
    (autograd.sigmoid(x) * y / 2).sum().backward()
    assert len(counts) >= 6
    bend = 1 / (1 + np.exp(-x.detach().numpy().astype(np.float64)))
    np.testing.assert_allclose(
        x.grad.numpy(), bend * (1 - bend) * y.detach().numpy() / 2, 1e-5, 1e-7
    )
    np.testing.assert_allclose(y.grad.numpy(), bend.sum(0) / 2, 1e-5)


def test_second_derivatives_go_the_recorded_way(every_size):
    x = autograd.linspace(-1, 1, 2000, requires_grad=True)
    (slope,) = autograd.grad(autograd.tanh(x).sum(), [x], create_graph=True)
    (curve,) = autograd.grad(slope.sum(), [x])
    bend = np.tanh(np.linspace(-1, 1, 2000))
    np.testing.assert_allclose(curve.numpy(), -2 * bend * (1 - bend**2), 1e-4, 1e-6)


def test_errors_are_the_same_for_large_arrays():
    x, y = autograd.ones(300, 1000), autograd.ones(300, 999)
    with pytest.raises(autograd.errors.ShapeError, match=r"add: shapes \(300, 1000\) and"):
        x + y


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.0, 2.0, -0.5])
def test_leaky_relu_chooses(slope):
    """Infinity, NaN and both zeros, whether or not the larger of x and its multiple is right."""
    values = [-np.inf, -2.0, -0.0, 0.0, 3.0, np.inf, np.nan]
    for size in (7, 20_000):
        x = np.resize(np.array(values, np.float32), size)
        with np.errstate(invalid="ignore"):
            expected = np.where(x > 0, x, x * np.float32(slope))
        found = autograd.ops.leaky_relu(x, slope)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(expected))
