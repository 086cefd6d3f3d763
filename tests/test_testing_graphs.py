"""Random computation graphs: against differences, against PyTorch, at first and second order."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import Phase, assume, find, given, settings
from hypothesis.errors import NoSuchExample

import autograd as ag
from autograd import OPS
from autograd.errors import InplaceError
from autograd.testing import check_gradients
from autograd.testing.strategies import graphs


def can_draw(strategy, condition, tries):
    first = settings(max_examples=tries, database=None, phases=[Phase.generate], derandomize=True)
    try:
        find(strategy, condition, settings=first)
    except NoSuchExample:
        return False
    return True


@given(graphs())
def test_graphs_agree_with_differences(graph):
    try:
        check_gradients(graph, *graph.tensors(), order=graph.order)
    except InplaceError:
        assume(False)


@given(graphs(max_steps=5))
def test_a_printed_graph_computes_the_same(graph):
    scope = {}
    exec(repr(graph), scope)
    for one, other in zip(scope["results"], graph(*graph.tensors()), strict=True):
        assert np.array_equal(one.array, other.array)


@pytest.mark.parametrize(
    "condition",
    [
        lambda graph: any(".mul_(v" in line for line in graph.lines),
        lambda graph: any("] = x" in line for line in graph.lines),
        lambda graph: any(".transpose(" in line for line in graph.lines),
        lambda graph: any(".expand(" in line for line in graph.lines),
        lambda graph: sum("v0" in line for line in graph.lines[1:]) > 1,
        lambda graph: "conv" in graph.primitives,
        lambda graph: "overwrite" in graph.primitives,
        lambda graph: len(graph.results) > 1,
    ],
)
def test_graphs_are_of_every_kind(condition):
    assert can_draw(graphs(), condition, 1000)


@given(graphs(["mul", "exp", "relu"], views=False, writes=False, kinks=False))
def test_what_a_graph_is_made_of_can_be_chosen(graph):
    assert graph.primitives <= {"mul", "exp"}
    assert all(" = ops." in line for line in graph.lines)


@pytest.mark.parametrize("name", sorted(OPS))
def test_graphs_can_use_every_primitive(name):
    drawn = graphs([name], max_steps=2, max_inputs=1, views=False, writes=False)
    assert can_draw(drawn, lambda graph: name in graph.primitives, 50)


def torch_primitives(torch):
    """PyTorch's operations under the names and arguments of the primitives."""

    def each(function):
        """Over several axes, one after the other; function(x, axis, keepdim)."""

        def reduce(x, dim, keepdim):
            for axis in sorted(dim, reverse=True):
                x = function(x, axis, keepdim)
            return x

        return reduce

    same = (
        "neg exp log log1p expm1 sqrt rsqrt abs sin cos tan asin acos atan sinh cosh tanh asinh "
        "acosh atanh erf sigmoid relu atan2 maximum minimum matmul add sub mul div pow sum amax "
        "amin logsumexp cumsum cumprod flip roll permute reshape clone softmax log_softmax diagonal"
    )
    found = {name: getattr(torch, name) for name in same.split()}
    found["prod"] = each(torch.prod)
    found["clamp_min"] = found["maximum"]
    found["clamp_max"] = found["minimum"]
    found["tril"] = lambda x, k: torch.tril(x, k)
    found["triu"] = lambda x, k: torch.triu(x, k)
    found["cat"] = lambda *tensors, dim: torch.cat(tensors, dim)
    found["expand"] = lambda x, shape: x.expand(shape)
    found["einsum"] = lambda *x, terms, output: torch.einsum(f"{','.join(terms)}->{output}", *x)
    found["where"] = lambda condition, x, y: torch.where(torch.tensor(condition), x, y)
    return found


def derivatives(lib, grad, graph, tensors, ops):
    """The results, the gradients of a weighted sum of them, and those of a sum of their squares."""
    results = graph(*tensors, ops=ops)
    live = [result for result in results if result.requires_grad]
    total = sum(((k + 1.5) * result).sum() for k, result in enumerate(live))
    first = grad(total, tensors, create_graph=True, allow_unused=True)
    squares = [(g * g).sum() for g in first if g is not None and g.requires_grad]
    second = [None] * len(tensors)
    if squares:
        second = grad(sum(squares), tensors, allow_unused=True)
    return results, first, second


def array(x):
    return np.zeros(()) if x is None else np.asarray(x.detach().numpy(force=True))


@given(graphs())
def test_graphs_give_the_same_result_twice(graph):
    first, second = graph(*graph.tensors()), graph(*graph.tensors())
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.array, other.array)


def test_graphs_agree_with_pytorch():
    torch = pytest.importorskip("torch")
    theirs = torch_primitives(torch)
    names = sorted(set(theirs) & set(OPS))
    assert set(theirs) <= set(OPS)

    @given(graphs(names))
    def compare(graph):
        own = graph.tensors()
        other = [torch.tensor(x, requires_grad=True) for x in graph.inputs]
        try:
            ours = derivatives(ag, ag.grad, graph, own, SimpleNamespace(**OPS))
        except InplaceError:
            return  # refused, so not wrong
        try:
            wanted = derivatives(
                torch, torch.autograd.grad, graph, other, SimpleNamespace(**theirs)
            )
        except RuntimeError as error:
            if "modified by an inplace operation" not in str(error):
                raise
            return  # it keeps a value there of which a copy is kept here
        for mine, yours in zip(ours, wanted, strict=True):
            for one, two in zip(mine, yours, strict=True):
                np.testing.assert_allclose(array(one), array(two), rtol=1e-7, atol=1e-9)

    compare()
