"""`suite` makes tests that good operations pass, and of which each catches its kind of fault."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import suppress
from unittest import SkipTest

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import OPS, Function, float64, primitive, tensor
from autograd.testing import (
    CaseCall,
    OpSpec,
    check_spec,
    specs_of,
    strategies,
    suite,
    with_layout,
)
from autograd.testing.properties import PROPERTIES, Redraw
from autograd.testing.suites import OF_CALLS, Largest


class Softplus(Function):
    """``log(1 + exp(x))``"""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return ag.log1p(ag.exp(x))

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * ag.sigmoid(x)


class Affine:
    """A stand-in for a module."""

    def __init__(self):
        self.weight = tensor([[0.5, -1.0], [2.0, 0.3]], requires_grad=True)

    def named_parameters(self):
        return [("weight", self.weight)]

    def to(self, dtype):
        self.weight = tensor(self.weight.array.astype(dtype), requires_grad=True)
        return self

    def __call__(self, x):
        return ag.matmul(x, self.weight)


def leaky(x, slope=0.1):
    return ag.where(x > 0, x, x * slope)


TestSoftplus = suite(OpSpec(Softplus, reference=lambda x: np.log1p(np.exp(x))), max_examples=5)
TestLeaky = suite(
    OpSpec(leaky, lambda x: np.where(x > 0, x, 0.2 * x), kinks=(0.0,), options={"slope": 0.2}),
    max_examples=5,
)
TestMaximum = suite(OpSpec(ag.maximum, np.maximum, inputs=2, kinks="ties"), max_examples=5)
TestRelu = suite(OpSpec(ag.relu, kinks={0.0: 0.0}), max_examples=5)
TestModule = suite(
    OpSpec(Affine(), lambda x: x @ np.array([[0.5, -1.0], [2.0, 0.3]], "f4"), inputs=[(3, 2)]),
    max_examples=5,
)
TestPrimitive = suite(OpSpec(OPS["tanh"], np.tanh), max_examples=5)
TestSeveral = suite(
    OpSpec(
        lambda x: (x.sum(), x * x),
        lambda x: (x.sum(), x * x),
        inputs=strategies.tensors((2, 2), layout="any"),
        name="sum and square",
    ),
    max_examples=5,
)
TestDivide = suite(
    OpSpec(ag.div, np.divide, inputs=2, domain=((-2.0, 2.0), (0.5, 2.0))), max_examples=5
)


def in_place_rule(change):
    class Changing(Softplus):
        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            result = gradient * ag.sigmoid(x)
            change(x.array, gradient.array)
            return result

    return Changing


class Cubed(Softplus):
    @staticmethod
    def backward(ctx, gradient):
        return gradient**3 * ag.sigmoid(ctx.saved_tensors[0])


class Steep(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return ag.relu(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * ((x > 0) + 2.0 * (x == 0))


KEPT = []


def keeping(x):
    y = ag.exp(x)
    KEPT.append(y)
    return y


class Counter:
    calls = 0


def counting(x):
    Counter.calls += 1
    return x * (1 + 1e-15 * Counter.calls)


def rows_in_memory_order(x):
    return ag.cumsum(ag.from_numpy(np.ravel(x.array, order="K").reshape(x.shape)), 0) + x


def add(x, y):
    return 2 * x if x is y else x + y * 3


FAULTY = {
    "value": OpSpec(ag.exp, lambda x: np.exp(x) + 1e-6),
    "derivatives": OpSpec(leaky, inputs=[(3,)], kinks=(), domain=(-0.2, 0.2), order=1),
    "linear": OpSpec(Cubed),
    "precision": OpSpec(lambda x: x.double() * 2),
    "memory_layout": OpSpec(rows_in_memory_order, inputs=[(2, 3)]),
    "aliased": OpSpec(add, inputs=[(2,), (2,)]),
    "at_kinks": OpSpec(Steep, kinks=(0.0,)),
    "untouched": OpSpec(lambda x: ag.from_numpy(x.array)),
    "repeatable": OpSpec(counting),
    "without_recording": OpSpec(lambda x: x * (2 if ag.is_grad_enabled() else 3)),
    "freed": OpSpec(keeping),
}


class Half(Softplus):
    @staticmethod
    def backward(ctx, gradient):
        return 0.5 * gradient * ag.sigmoid(ctx.saved_tensors[0])


FAULTY["derivatives"] = OpSpec(Half)


def test_every_property_has_a_planted_fault():
    assert set(FAULTY) == set(PROPERTIES)


@pytest.mark.parametrize("name", FAULTY)
def test_each_property_catches_its_fault(name):
    tests = suite(FAULTY[name], max_examples=30, database=None)()
    with pytest.raises(AssertionError) as caught:
        getattr(tests, f"test_{name}")()
    assert "x0 = autograd.from_numpy(" in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        (OpSpec(leaky, kinks={0.0: 0.5}), "derivative at the kink 0.0 is not 0.5"),
        (OpSpec(lambda x: (x, x), lambda x: x), "2 outputs, the reference has 1"),
        (OpSpec(lambda x: x.sum(), np.exp, inputs=[(2,)]), "by the reference"),
    ],
)
def test_failures_say_what_is_wrong(spec, what):
    inputs = (tensor(np.array([[0.3, -0.7]])),) if spec.any_shape else (tensor(np.ones(2)),)
    with pytest.raises(AssertionError, match=what):
        check_spec(spec, inputs)


def test_a_backward_that_changes_its_input_is_caught():
    spec = OpSpec(in_place_rule(lambda x, gradient: np.negative(x, out=x)))
    with pytest.raises(AssertionError, match="input 0 was changed by the forward or backward"):
        PROPERTIES["untouched"](spec, (tensor([0.5, 1.0], dtype=float64),))


def test_a_failure_shows_the_shrunk_input():
    tests = suite(OpSpec(Half), max_examples=50, database=None)()
    with pytest.raises(AssertionError, match="half of what it should be") as caught:
        tests.test_derivatives()
    assert 'np.array(0.0, "float64")' in str(caught.value)


def test_a_failure_tells_the_cause_at_larger_inputs_too():
    class Mixed(Function):
        """A normalisation over the rows, differentiated as if it were over the columns."""

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x - x.mean(1, keepdim=True)

        @staticmethod
        def backward(ctx, gradient):
            return gradient - gradient.mean(0, keepdim=True)

    tests = suite(OpSpec(Mixed, inputs=strategies.tensors((2, 3))), max_examples=20, database=None)
    with pytest.raises(AssertionError, match="wrong axis: outputs depend only on"):
        tests().test_derivatives()
    largest = Largest()
    results = [
        ag.testing.check_gradients(Mixed.apply, tensor(values), raise_exception=False)
        for values in (np.zeros((1, 2)), np.arange(6.0).reshape(2, 3), np.ones((1, 2)))
    ]
    small, large, shrunk = map(largest.told, results)
    assert "zero everywhere" in small
    assert "or rather" not in small + large
    assert "zero everywhere" in shrunk
    assert "or rather       wrong axis: outputs depend only on" in shrunk
    assert "(at inputs of shape (2, 3))" in shrunk


UNFIT = {
    "no tensor": lambda x: 3.0,
    "random": lambda x: x * ag.rand_like(x),
    "changes its inputs": lambda x: change(x),
    "not finite": lambda x: ag.log(x * 0 - 1),
}


def change(x):
    with ag.no_grad():
        x.mul_(1.5)
    return x * 2


@pytest.mark.parametrize("reason", UNFIT)
@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "value"])
def test_what_is_unfit_is_called_so_and_not_wrong(reason, name):
    inputs = (tensor([0.3, 0.7], dtype=float64),)
    spec = OpSpec(UNFIT[reason], inputs=[(2,)])
    said = ""
    with np.errstate(all="ignore"), suppress(AssertionError):
        try:
            check_spec(spec, inputs, only=[name])
        except AssertionError as error:
            said = str(error)
            raise
    assert "WRONG" not in said
    if name == "derivatives" or (said and name not in OF_CALLS):
        assert f"{reason}: " in said


def test_gradients_of_another_shape_are_explained_by_every_test():
    class Stretched(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, gradient):
            return gradient, gradient

    inputs = [tensor(np.ones(shape)) for shape in ((4, 3), (3,))]
    for name in ("linear", "precision", "memory_layout", "untouched", "repeatable", "freed"):
        with pytest.raises(AssertionError, match="missing sum over a broadcast axis"):
            check_spec(OpSpec(Stretched, inputs=2), inputs, only=[name])


def twice_the_square(x):
    return 2 * x * x


def square(x):
    return x * x


def test_the_program_in_a_failure_fails_in_the_same_way():
    spec = OpSpec(twice_the_square, square, domain=(0.5, 2.0), kinks={9.0: 1.0}, dtypes=(float64,))
    inputs = (ag.from_numpy(with_layout(np.ones((2, 3)) + 0.5, "transposed")),)
    with pytest.raises(AssertionError) as first:
        check_spec(spec, inputs)
    program = textwrap.dedent(str(first.value).split("  reproduce\n")[1])
    assert program.splitlines()[-1] == (
        "check_spec(OpSpec(twice_the_square, reference=square, domain=(0.5, 2.0), "
        "kinks={9.0: 1.0}, dtypes=('float64',)), [x0], only=[\"value\"])"
    )
    for name in ("twice_the_square", "square"):
        program = program.replace(f"from {__name__} import {name}\n", "")
    with pytest.raises(AssertionError) as again:
        exec(program, {"twice_the_square": twice_the_square, "square": square})
    assert str(again.value) == str(first.value)


def test_errors_of_an_operation_pass_through_a_suite():
    def broken(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        check_spec(OpSpec(broken), (tensor(0.5, dtype=float64),))


def test_inputs_at_a_kink_are_redrawn():
    spec = OpSpec(ag.abs, inputs=[()])
    with pytest.raises(Redraw):
        PROPERTIES["derivatives"](spec, (tensor(0.0, dtype=float64),))
    suite(spec, max_examples=20)().test_derivatives()


def test_a_suite_without_a_reference_says_that_it_compares_no_values():
    with pytest.raises(SkipTest, match="relu has no reference"):
        TestRelu().test_value()


def test_shapes_without_axes_or_elements_are_tried_where_any_shape_goes():
    assert hasattr(TestMaximum, "test_without_axes")
    assert not hasattr(TestModule, "test_without_axes")
    needs_an_axis = suite(OpSpec(lambda x: x * x.shape[0] / max(x.shape[0], 1)))()
    with pytest.raises(IndexError):
        needs_an_axis.test_without_axes()


def test_pytest_runs_a_suite(tmp_path):
    path = tmp_path / "test_own.py"
    path.write_text(
        textwrap.dedent("""
        from autograd import exp, Function
        from autograd.testing import OpSpec, suite
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x):
                return exp(x)
            @staticmethod
            def backward(ctx, gradient):
                return -gradient
        TestExp = suite(OpSpec(exp), max_examples=2)
        TestWrong = suite(OpSpec(Wrong), max_examples=2)
        """)
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "FAILED test_own.py::TestWrong::test_derivatives" in done.stdout
    assert "TestExp::" not in done.stdout
    assert "2 skipped" in done.stdout


@pytest.mark.parametrize("name", sorted(OPS))
def test_primitives_keep_all_promises(name):
    specs = st.sampled_from(specs_of(OPS[name]))

    @settings(max_examples=max(4, settings.default.max_examples // 5))
    @given(specs.flatmap(lambda spec: st.tuples(st.just(spec), spec.draws())))
    def check(drawn):
        try:
            check_spec(*drawn)
        except Redraw:
            reject()

    check()


def test_a_primitive_without_a_case_cannot_pass():
    @primitive(lambda g: g)
    def caseless(x):
        return x + 0

    try:
        with pytest.raises(ValueError, match="caseless: registered without a case"):
            specs_of(caseless)
    finally:
        del OPS["caseless"]


def test_a_case_is_a_function_that_can_be_pasted():
    call = CaseCall("where", 0)
    x = tensor(np.ones((2, 3)))
    assert call(x, -x).tolist() == [[1, -1, 1], [1, -1, 1]]
    assert call.code == 'CaseCall("where", 0)'
    bad = CaseCall("relu")
    result = ag.testing.check_gradients(bad, tensor([0.0], dtype=float64), raise_exception=False)
    assert 'check_gradients(CaseCall("relu", 0), x0)' in result.reproduction
    assert "from autograd.testing import CaseCall" in result.reproduction
