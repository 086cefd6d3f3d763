"""The strategies draw what they promise, and all of it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import autograd as ag
from autograd import float16, float32, ops
from autograd.testing import strategies as own
from autograd.testing import with_layout
from autograd.testing.layouts import LAYOUTS, layout_of

quick = settings(max_examples=60, database=None)
seek = settings(max_examples=2000, database=None, phases=[Phase.generate], derandomize=True)


def can_draw(strategy, condition):
    try:
        find(strategy, condition, settings=seek)
    except NoSuchExample:
        return False
    return True


@given(own.shapes(1, 3, 2, 5))
def test_shapes_stay_in_their_bounds(shape):
    assert 1 <= len(shape) <= 3
    assert all(2 <= size <= 5 for size in shape)


def test_shapes_are_also_empty_and_without_axes():
    assert can_draw(own.shapes(), lambda shape: shape == ())
    assert can_draw(own.shapes(), lambda shape: 0 in shape)
    assert can_draw(own.dtypes(), lambda dtype: dtype == float16)
    assert not can_draw(own.dtypes(float32), lambda dtype: dtype != float32)


@quick
@given(own.broadcastable(3))
def test_broadcastable_shapes_broadcast(shapes):
    whole = np.broadcast_shapes(*shapes)
    assert whole in shapes


@pytest.mark.parametrize(
    "condition",
    [
        lambda a, b: len(a) != len(b),
        lambda a, b: len(a) == len(b) and a != b,
        lambda a, b: a == b == (),
        lambda a, b: 0 in a,
        lambda a, b: 0 in a and 1 in b,
    ],
)
def test_broadcastable_shapes_are_of_every_kind(condition):
    assert can_draw(own.broadcastable(2), lambda pair: condition(*pair))


@quick
@given(own.tensors(domain=(-1.0, 3.0), avoid=[0.0, 1.0], layout="any", requires_grad=True))
def test_values_stay_inside_the_domain_and_away_from_kinks(x):
    assert x.requires_grad
    assert x.is_leaf
    assert x.dtype == np.float64
    assert np.all((x.array > -1.0) & (x.array < 3.0))
    assert np.all(np.abs(x.array) > 0.04)
    assert np.all(np.abs(x.array - 1.0) > 0.04)


@quick
@given(st.integers(0, 150), st.data())
def test_distinct_values_keep_apart(count, data):
    x = data.draw(own.tensors((count,), distinct=True)).array
    gaps = np.diff(np.sort(x))
    assert np.all(gaps > 0.009)


@quick
@given(own.tensor_tuples([(2, 3), (4,), ()], distinct=True))
def test_distinct_values_keep_apart_across_tensors(tensors):
    joined = np.concatenate([np.ravel(x.array) for x in tensors])
    assert len(np.unique(joined)) == joined.size == 11


def test_domains_can_differ_from_input_to_input():
    drawn = own.tensor_tuples([(50,), (50,)], domain=((0.0, 1.0), (5.0, 6.0)))
    assert can_draw(drawn, lambda pair: pair[0].array.max() < 1 and pair[1].array.min() > 5)
    with pytest.raises(ValueError, match="2 domains for 1 inputs"):
        can_draw(own.tensor_tuples([(2,)], domain=((0.0, 1.0), (5.0, 6.0))), bool)
    with pytest.raises(ValueError, match="two numbers in order"):
        can_draw(own.tensors((2,), domain=(1.0, 0.0)), bool)


def test_values_do_not_fit_into_lower_precision():
    assert can_draw(own.tensors((4,)), lambda x: np.all(x.array != x.array.astype(np.float32)))


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 3), (2, 1, 3), (1, 1)])
def test_layouts_keep_shape_and_values(name, shape):
    values = np.arange(float(np.prod(shape))).reshape(shape)
    laid = with_layout(values, name)
    assert laid.shape == shape
    assert not np.shares_memory(laid, values)
    if name != "broadcast":
        assert np.array_equal(laid, values)
        assert laid.flags.writeable
    elif shape and shape[0] > 1 and values.size:
        assert 0 in laid.strides
        assert not laid.flags.writeable


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_recognised(name):
    assert layout_of(with_layout(np.arange(6.0).reshape(2, 3), name)) == name
    with pytest.raises(ValueError, match="'diagonal'"):
        with_layout(np.ones(3), "diagonal")


def test_every_layout_is_drawn():
    for name in set(LAYOUTS) - {"broadcast"}:
        assert can_draw(
            own.tensors((2, 3), distinct=True, layout="any"),
            lambda x, name=name: layout_of(x.array) == name,
        )
    assert can_draw(own.layouts(broadcast=True), lambda name: name == "broadcast")


INDEXED = (3, 2, 4)


@settings(max_examples=150, database=None)
@given(own.indices(INDEXED))
def test_indices_work_as_in_numpy(index):
    values = np.arange(24.0).reshape(INDEXED)
    numbers = any(isinstance(part, int) for part in index)
    arrays = any(isinstance(part, np.ndarray) for part in index)
    assume(not (numbers and arrays))  # PyTorch orders the axes in another way then
    x = ag.tensor(values)
    assert np.array_equal(x[index].array, values[index])


@settings(max_examples=50, database=None)
@given(own.indices((0, 3), advanced=False, newaxis=False))
def test_plain_indices_make_views(index):
    values = np.zeros((0, 3))
    assert isinstance(values[index], np.ndarray)
    assert all(isinstance(part, (int, slice, type(...))) for part in index)


@pytest.mark.parametrize(
    "condition",
    [
        lambda part: part is None,
        lambda part: part is Ellipsis,
        lambda part: isinstance(part, int) and part < 0,
        lambda part: isinstance(part, slice) and (part.step or 1) < 0,
        lambda part: isinstance(part, np.ndarray) and part.dtype == bool,
        lambda part: isinstance(part, np.ndarray) and part.dtype != bool and part.ndim == 2,
    ],
)
def test_indices_are_of_every_kind(condition):
    assert can_draw(own.indices(INDEXED), lambda index: any(map(condition, index)))


@quick
@given(own.conv_cases())
def test_convolutions_fit_together(case):
    x, weight, *bias = (ag.ones(*shape) for shape in case.shapes)
    settings_ = {**case.options, "padding": tuple((p, p) for p in case.padding)}
    assert ops.conv(x, weight, *(bias or [None]), **settings_).shape == case.output
    assert case.dims == len(case.options["stride"])


@pytest.mark.parametrize(
    "condition",
    [
        lambda case: case.groups > 1 and case.weight[0] > case.groups,
        lambda case: case.dims == 3 and max(case.stride) > 1,
        lambda case: max(case.dilation) > 1 and max(case.padding) > 0 and max(case.weight[2:]) > 1,
        lambda case: case.bias is not None and case.input[0] == 2,
    ],
)
def test_convolutions_are_of_every_kind(condition):
    assert can_draw(own.conv_cases(), condition)


@quick
@given(own.pool_cases())
def test_poolings_fit_together(case):
    out = ops.max_pool(ag.ones(*case.input), **case.options)
    assert out.ndim == case.dims + 2


@quick
@given(own.pool_cases(dims=2, dilated=False))
def test_poolings_without_gaps(case):
    assert case.dilation == (1, 1)
    assert case.dims == 2


def test_without_hypothesis_the_error_says_what_to_install():
    program = "import sys; sys.modules['hypothesis'] = None; import autograd.testing.strategies"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: autograd.testing.strategies draws examples with Hypothesis" in done.stderr
    assert "pip install 'ndgrad[test]'" in done.stderr


def test_the_rest_of_the_tester_works_without_hypothesis():
    program = (
        "import sys; sys.modules['hypothesis'] = None; import autograd\n"
        "x = autograd.ones(2, dtype=autograd.float64, requires_grad=True)\n"
        "assert autograd.gradcheck(lambda x: x * x, x)\n"
        "assert autograd.testing.check_gradients(lambda x: x * x, x)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
