"""The engine: what arrives where, in which order, how often, and what errors leave untouched."""

from __future__ import annotations

import numpy as np
import pytest
from both import agree, grad_of

import autograd
from autograd import GraphError, InplaceError, ShapeError, grad, no_grad, tensor
from autograd.graph import AccumulateGrad


def leaf(lib=autograd, values=(1.0, 2.0, 3.0)):
    return lib.tensor(list(values), requires_grad=True)


def diamond(lib, x):
    a = x * x
    b = a.exp()
    return (a * b + b / a).sum()


def wide(lib, x):
    return sum((x * k).sin().sum() for k in range(40))


def ladder(lib, x):
    """Each rung uses both sides of the one before: the number of paths doubles every time."""
    a = b = x
    for _ in range(30):
        a, b = (a + b) * 0.5, (a * 0.25 + b * 0.75)
    return (a + b).sum()


def reused(lib, x):
    y = x + x + x
    return (y * y * y).sum() + y.sum() * y[0]


def broadcast(lib, x):
    y = x.reshape(3, 1)
    return (y * x + x).sum() + (x * x[0]).sum() * 2


def mixed_types(lib, x):
    return (x.double() * x + x.double()).sum()


def unused_branch(lib, x):
    (x * 5).exp()
    return (x * 3).sum()


GRAPHS = [diamond, wide, ladder, reused, broadcast, mixed_types, unused_branch]


class TestAccumulation:
    @pytest.mark.parametrize("graph", GRAPHS)
    def test_gradients_agree(self, graph):
        def program(lib):
            x = leaf(lib)
            y = graph(lib, x)
            y.backward()
            return y, x.grad

        agree(program, raises=False)

    @pytest.mark.parametrize("graph", GRAPHS)
    def test_higher_orders_agree(self, graph):
        def program(lib):
            x = leaf(lib, (0.3, 0.7, 1.1))
            results = [graph(lib, x)]
            for _ in range(3):
                (g,) = grad_of(lib)(results[-1].sum(), x, create_graph=True)
                results.append(g)
                if not g.requires_grad:
                    break
            return results

        agree(program, raises=False)

    def test_grad_is_added_to(self):
        def program(lib):
            x = leaf(lib)
            for _ in range(3):
                (x * x).sum().backward()
            return x.grad

        agree(program, raises=False)

    def test_several_outputs(self):
        def program(lib):
            x, y = leaf(lib), leaf(lib)
            a, b = x * y, (x + y).sum()
            run = autograd.backward if lib is autograd else lib.autograd.backward
            run([a, b, b], [lib.ones(3) * 2, None, None])
            return x.grad, y.grad

        agree(program, raises=False)

    def test_an_output_may_be_a_leaf(self):
        def program(lib):
            x = lib.tensor(2.0, requires_grad=True)
            x.backward()
            return x.grad, grad_of(lib)(x, x), grad_of(lib)([x * x, x], x)

        agree(program, raises=False)

    def test_an_output_inside_the_graph_of_another(self):
        def program(lib):
            x = leaf(lib)
            y = x * x
            z = y.exp()
            g = grad_of(lib)([z.sum(), y.sum(), y.sum()], [x, y], retain_graph=True)
            return g, grad_of(lib)(y.sum(), [y])

        agree(program, raises=False)


class TestGrad:
    def test_of_results_inside_the_graph(self):
        def program(lib):
            x = leaf(lib)
            y = x * 3
            z = y * y
            return grad_of(lib)(z.sum(), [z, y, x, y])

        agree(program, raises=False)

    @pytest.mark.parametrize(
        ("options", "raises"),
        [
            ({}, True),
            ({"allow_unused": False}, True),
            ({"allow_unused": True}, False),
            ({"materialize_grads": True}, False),
            ({"materialize_grads": True, "allow_unused": True}, False),
            ({"materialize_grads": True, "allow_unused": False}, True),
        ],
    )
    def test_unused_inputs(self, options, raises):
        def program(lib):
            x, unused = leaf(lib), leaf(lib, (5.0,))
            return grad_of(lib)((x * x).sum(), [x, unused], **options)

        agree(program, raises)

    def test_only_what_is_wanted_is_visited(self):
        visited = []

        class Watched(autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x * 1

            @staticmethod
            def backward(ctx, g):
                visited.append(1)
                return g

        x, y = leaf(), leaf()
        z = (x * Watched.apply(y)).sum()
        grad(z, x, retain_graph=True)
        assert visited == []
        grad(z, y)
        assert visited == [1]

    def test_of_an_output_with_respect_to_itself(self):
        """Nothing is visited for it, so it may even have been freed."""

        def program(lib):
            x = leaf(lib)
            y = x.exp()
            y.sum().backward()
            return grad_of(lib)(y, y, lib.ones(3))

        agree(program, raises=False)

    def test_leaves_no_grad_behind(self):
        x = leaf()
        y = x * x
        grad(y.sum(), x)
        assert x.grad is None

    def test_inputs_may_be_any_iterable(self):
        x, y = leaf(), leaf()
        found = grad((x * y).sum(), iter([x, y]))
        np.testing.assert_array_equal(found[1].numpy(), [1, 2, 3])

    @pytest.mark.parametrize(
        "call",
        [
            lambda lib, x: grad_of(lib)(x.sum(), []),
            lambda lib, x: grad_of(lib)(x.sum(), [x.detach()]),
            lambda lib, x: grad_of(lib)(x.detach().sum(), [x]),
            lambda lib, x: grad_of(lib)(x.sum(), [3.0]),
            lambda lib, x: grad_of(lib)(3.0, [x]),
            lambda lib, x: grad_of(lib)([x.sum(), x.sum()], [x], [lib.ones(())]),
            lambda lib, x: grad_of(lib)(x * 2, [x]),
            lambda lib, x: grad_of(lib)(x * 2, [x], lib.ones(2)),
            lambda lib, x: grad_of(lib)(x * 2, [x], lib.ones(1, 3)),
            lambda lib, x: grad_of(lib)(x * 2, [x], lib.ones(())),
            lambda lib, x: (x * 2).sum().backward(inputs=[]),
            lambda lib, x: (x * 2).sum().backward(inputs=[x.detach()]),
            lambda lib, x: (x * 2).backward(),
            lambda lib, x: (x * 2).backward(lib.ones(3, dtype=lib.complex64)),
            lambda lib, x: (x * 2).backward("a"),
            lambda lib, x: x.detach().sum().backward(),
        ],
    )
    def test_mistakes(self, call):
        agree(lambda lib: call(lib, leaf(lib)), raises=True)

    def test_mistakes_say_what_came_and_what_was_expected(self):
        x = leaf()
        with pytest.raises(ShapeError, match=r"gradient has shape \(2,\), the output \(3,\)"):
            (x * 2).backward(autograd.ones(2))
        with pytest.raises(GraphError, match=r"output of shape \(3,\)"):
            (x * 2).backward()
        with pytest.raises(GraphError, match=r"input 1 of shape \(2,\) was not used"):
            grad(x.sum(), [x, leaf(values=(1.0, 2.0))])
        with pytest.raises(TypeError, match="expected a Tensor, got float"):
            grad(x.sum(), [3.0])

    @pytest.mark.parametrize("dtype", ["int64", "float64", "float16", "bool"])
    def test_the_gradient_given_is_converted(self, dtype):
        def program(lib):
            x = leaf(lib)
            (x * x).backward(lib.ones(3, dtype=getattr(lib, dtype)))
            return x.grad

        agree(program, raises=False)


class TestBackwardInputs:
    def test_leaves_and_results(self):
        def program(lib):
            x, w = leaf(lib), leaf(lib)
            y = x * w
            z = (y * y).sum()
            z.backward(inputs=[y, w], retain_graph=True)
            first = y.grad, w.grad, x.grad
            z.backward(inputs=x)
            return first, x.grad, w.grad

        agree(program, raises=False)

    def test_the_same_twice(self):
        def program(lib):
            x = leaf(lib)
            (x * x).sum().backward(inputs=[x, x])
            return x.grad

        agree(program, raises=False)

    def test_an_unused_one(self):
        def program(lib):
            x, unused = leaf(lib), leaf(lib)
            (x * x).sum().backward(inputs=[unused])
            return x.grad, unused.grad

        agree(program, raises=False)


SAVES = {
    "mul": lambda x: x * x,
    "mul by a number": lambda x: x * 2,
    "div": lambda x: x / 2,
    "pow": lambda x: x**2,
    "exp": lambda x: x.exp(),
    "relu": lambda x: x.relu(),
    "clamp": lambda x: x.clamp(0, 2),
    "norm": lambda x: x.norm(),
    "prod": lambda x: x.prod(),
    "max": lambda x: x.max(),
}
SAVES_NOTHING = {
    "add": lambda x: x + 1,
    "sub": lambda x: 2 - x,
    "neg": lambda x: -x,
    "sum": lambda x: x.sum(),
    "view": lambda x: x.view(1, 3),
    "slice": lambda x: x[1:],
    "element": lambda x: x[1],
    "clone": lambda x: x.clone(),
    "cast": lambda x: x.double(),
    "expand": lambda x: x.expand(2, 3),
    "floor": lambda x: x.floor(),
    "cumsum": lambda x: x.cumsum(0),
    "tril": lambda x: x.view(1, 3).tril(),
}


class TestTwice:
    @pytest.mark.parametrize("name", [*SAVES, *SAVES_NOTHING])
    def test_as_in_pytorch(self, name):
        def program(lib):
            x = leaf(lib)
            y = {**SAVES, **SAVES_NOTHING}[name](x).sum()
            y.backward()
            y.backward()
            return x.grad

        agree(program, raises=name in SAVES)

    @pytest.mark.parametrize("name", SAVES)
    def test_retain_graph(self, name):
        def program(lib):
            x = leaf(lib)
            y = SAVES[name](x).sum()
            y.backward(retain_graph=True)
            y.backward()
            return x.grad

        agree(program, raises=False)

    def test_create_graph_retains(self):
        def program(lib):
            x = leaf(lib)
            y = (x * x).sum()
            grad_of(lib)(y, x, create_graph=True)
            y.backward()
            return x.grad

        agree(program, raises=False)

    def test_says_which_operation_and_what_to_do(self):
        x = leaf()
        y = x.exp().sum()
        y.backward()
        with pytest.raises(GraphError, match="exp: .* retain_graph=True"):
            y.backward()

    def test_a_freed_part_is_found_from_another_output(self):
        def program(lib):
            x = leaf(lib)
            shared = x.exp()
            first, second = shared.sum(), (shared * 2).sum()
            first.backward()
            second.backward()

        agree(program, raises=True)


class TestErrorsLeaveEverything:
    """An exception in the middle of a pass: every ``.grad`` is as it was."""

    class Broken(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            raise KeyError("broken")

    def check(self, build, error):
        x, late, early = leaf(), leaf(), leaf()
        for value in (x, late):
            value.grad = autograd.full((3,), 7.0)
        middle = late * 2
        middle.retain_grad()
        y = build(x, middle, early)
        with pytest.raises(error):
            y.backward()
        for value in (x, late):
            np.testing.assert_array_equal(value.grad.numpy(), [7, 7, 7])
        assert early.grad is None
        assert middle.grad is None
        assert autograd.is_grad_enabled()

    def test_a_function_of_the_users(self):
        self.check(lambda x, m, e: (self.Broken.apply(x) * e + m * m).sum(), KeyError)
        self.check(lambda x, m, e: (self.Broken.apply(m * 1) * e).sum() + x.sum(), KeyError)

    def test_an_overwritten_value(self):
        def build(x, middle, early):
            a = x.exp()
            y = (a * middle + early).sum()
            a.detach().zero_()
            return y

        self.check(build, InplaceError)

    def test_a_freed_graph(self):
        def build(x, middle, early):
            a = x.exp()
            grad(a.sum(), x)
            return (a * middle + early).sum()

        self.check(build, GraphError)

    def test_a_hook_of_a_leaf(self):
        def build(x, middle, early):
            x.register_hook(lambda g: 1 / 0)
            return (x * middle + early).sum()

        self.check(build, ZeroDivisionError)

    def test_a_hook_of_a_result(self):
        def build(x, middle, early):
            y = x * 2
            y.register_hook(lambda g: g[:2])
            return (y * middle + early).sum()

        self.check(build, ShapeError)

    def test_a_grad_of_another_shape(self):
        x, y = leaf(), leaf()
        x.grad = autograd.ones(3)
        z = (x * y).sum()
        x.grad.data = autograd.ones(2)
        with pytest.raises(ShapeError, match="set .grad to None"):
            z.backward()
        assert y.grad is None


def memory_of(value):
    return value if isinstance(value, np.ndarray) else value.array


def assert_apart(*values):
    arrays = [memory_of(value) for value in values]
    for place, array in enumerate(arrays):
        for other in arrays[:place]:
            assert not np.shares_memory(array, other)


class TestOwnMemory:
    """Gradients never lie in each other's memory, nor in that of an input or of what was given."""

    @pytest.mark.parametrize("create_graph", [False, True])
    @pytest.mark.parametrize(
        "build",
        [
            lambda x, y: x + y,
            lambda x, y: x - -y,
            lambda x, y: (x + y) * 1.0,
            lambda x, y: x * 1 + y.view(3),
            lambda x, y: x.reshape(3, 1).reshape(3) + y.clone(),
            lambda x, y: autograd.stack([x, y]).sum(0),
            lambda x, y: autograd.cat([x, y])[:3] + y,
            lambda x, y: (x * y).relu(),
        ],
    )
    def test_backward_and_grad(self, build, create_graph):
        x, y = leaf(), leaf()
        given = autograd.ones(3)
        out = build(x, y)
        found = grad(out, [x, y, x], given, retain_graph=True, create_graph=create_graph)
        out.backward(given, create_graph=create_graph)
        assert_apart(x, y, given, out, x.grad, y.grad, *found)
        with no_grad():
            for value in (x.grad, y.grad, *found):
                value.zero_()
        np.testing.assert_array_equal(given.numpy(), np.ones(3))

    def test_retained_gradients(self):
        x = leaf()
        y, given = x * 1, autograd.ones(3)
        y.retain_grad()
        z = y + 0
        z.retain_grad()
        z.backward(given)
        assert_apart(x.grad, y.grad, z.grad, given)

    def test_a_constant_gradient_of_a_rule(self):
        x, y = leaf(), leaf()
        (x.sum() + y.sum()).backward()
        assert_apart(x.grad, y.grad)
        x.grad.add_(1)
        np.testing.assert_array_equal(y.grad.numpy(), np.ones(3))

    def test_accumulating_writes_into_the_grad_that_is_there(self):
        """As in PyTorch, so that views of a gradient stay views."""

        def program(lib):
            x = leaf(lib)
            x.sum().backward()
            kept = x.grad
            x.sum().backward()
            return kept, kept is x.grad

        agree(program, raises=False)

    def test_a_recorded_grad_is_not_written_to(self):
        x = leaf()
        (x * x).sum().backward(create_graph=True)
        kept = x.grad
        (x * x).sum().backward()
        np.testing.assert_array_equal(kept.detach().numpy(), [2, 4, 6])
        np.testing.assert_array_equal(x.grad.detach().numpy(), [4, 8, 12])
        np.testing.assert_array_equal(grad(x.grad.sum(), x)[0].numpy(), [2, 2, 2])


class TestCreateGraph:
    def test_constant_rules_give_tensors(self):
        def program(lib):
            x = leaf(lib, (0.5, 1.5, 2.5))
            first = grad_of(lib)(x.floor().sum(), x, create_graph=True)
            y = x * x + x.floor() + x.ceil() + x.round()
            second = grad_of(lib)(y.sum(), x, create_graph=True)
            return first, second, grad_of(lib)(second[0].sum(), x)

        agree(program, raises=False)

    def test_with_respect_to_the_gradient_given(self):
        def program(lib):
            x, v = leaf(lib), leaf(lib)
            (g,) = grad_of(lib)(x * x, x, v, create_graph=True)
            return g, grad_of(lib)(g.sum(), [v, x])

        agree(program, raises=False)

    def test_inside_no_grad(self):
        def program(lib):
            x = leaf(lib)
            y = (x * x * x).sum()
            with lib.no_grad():
                (g,) = grad_of(lib)(y, x, create_graph=True)
            return g, g.requires_grad, grad_of(lib)(g.sum(), x)

        agree(program, raises=False)

    def test_grad_and_backward_mixed(self):
        """A gradient penalty, as in a WGAN."""

        def program(lib):
            x, w = leaf(lib), leaf(lib, (0.5, -1.0, 0.25))
            y = (w * x).tanh().sum()
            (g,) = grad_of(lib)(y, x, create_graph=True)
            (y + ((g * g).sum() - 1) ** 2).backward()
            return x.grad, w.grad

        agree(program, raises=False)

    @pytest.mark.parametrize("function", [lambda x: x * x * x, lambda x: x.sin()])
    def test_a_value_overwritten_before_the_second_pass(self, function):
        """The graph of the gradient watches the memory that the graph itself has saved."""

        def program(lib):
            w = leaf(lib)
            x = w * 1
            (g,) = grad_of(lib)(function(x).sum(), w, create_graph=True)
            with lib.no_grad():
                x.zero_()
            return grad_of(lib)(g.sum(), w)

        agree(program, raises=True)

    def test_a_leaf_overwritten_after_its_old_values_were_kept(self):
        w, y = leaf(), leaf()
        x = w * 1
        x.mul_(y)
        with no_grad():
            y.zero_()
        (g,) = grad(x.sum(), w, create_graph=True)
        np.testing.assert_array_equal(g.detach().numpy(), [1, 2, 3])

    def test_a_leaf_given_other_data(self):
        w, y = leaf(), leaf()
        x = w * y
        y.data = autograd.zeros(3)
        (g,) = grad(x.sum(), w, create_graph=True)
        np.testing.assert_array_equal(g.detach().numpy(), [1, 2, 3])
        np.testing.assert_array_equal(grad(g.sum(), y)[0].numpy(), [1, 1, 1])

    def test_a_converted_input(self):
        x = leaf()
        y = tensor([1.0, 2.0, 3.0], dtype=autograd.float64, requires_grad=True)
        z = (x * y * y).sum()
        assert z.dtype == autograd.float64
        (g,) = grad(z, x, create_graph=True)
        assert g.dtype == autograd.float32
        (h,) = grad(g.sum(), y)
        np.testing.assert_array_equal(h.numpy(), [2, 4, 6])
        assert h.dtype == autograd.float64


class TestNames:
    @pytest.mark.parametrize(
        "build",
        [
            lambda lib, x: x * 2,
            lambda lib, x: x + x,
            lambda lib, x: x - 1,
            lambda lib, x: x / x,
            lambda lib, x: -x,
            lambda lib, x: x.exp(),
            lambda lib, x: x.log(),
            lambda lib, x: x.sin(),
            lambda lib, x: x.tanh(),
            lambda lib, x: x.relu(),
            lambda lib, x: x.sigmoid(),
            lambda lib, x: x.abs(),
            lambda lib, x: x.sqrt(),
            lambda lib, x: x.clone(),
            lambda lib, x: x.sum(),
            lambda lib, x: x.expand(2, 3),
            lambda lib, x: x.cumsum(0),
            lambda lib, x: lib.cat([x, x]),
            lambda lib, x: lib.maximum(x, x * 2),
        ],
    )
    def test_as_in_pytorch(self, build):
        def program(lib):
            fn = build(lib, leaf(lib)).grad_fn
            parents = [parent for parent, _ in fn.next_functions]
            names = ["leaf" if hasattr(p, "variable") else p and p.name() for p in parents]
            return fn.name(), names[:2]

        agree(program, raises=False)

    def test_next_functions(self):
        x = tensor([0.0, 0.0], requires_grad=True)
        y = x * 2
        z = y + tensor([1.0, 1.0])
        assert z.grad_fn.next_functions == ((y.grad_fn, 0), (None, 0))
        ((accumulate, _), _) = y.grad_fn.next_functions
        assert isinstance(accumulate, AccumulateGrad)
        assert accumulate.variable is x
        assert accumulate.name() == "AccumulateGrad"
        assert accumulate.next_functions == ()
        assert accumulate == y.grad_fn.next_functions[0][0]
        assert repr(y.grad_fn) == "<MulBackward0>"

    def test_leaves(self):
        x = leaf()
        assert x.is_leaf
        assert x.grad_fn is None
        assert x.detach().is_leaf
        assert (x.detach() * 2).is_leaf
        assert not (x * 2).is_leaf
        with no_grad():
            assert (x * 2).grad_fn is None


class TestRules:
    """Primitives of a user's own may do unusual things."""

    @pytest.fixture(autouse=True)
    def restore(self):
        before = dict(autograd.OPS)
        yield
        autograd.OPS.clear()
        autograd.OPS.update(before)

    def test_one_joint_rule_for_a_broadcasting_pair(self):
        @autograd.primitive(joint=lambda g, needs, x, y: [g * y, g * x], broadcasts=True)
        def times(x, y):
            return x * y

        x, y = leaf(), tensor(2.0, requires_grad=True)
        times(x, y).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])
        assert y.grad.item() == 6

    def test_a_pair_with_a_residual(self):
        @autograd.primitive(
            lambda g, twice: g * twice,
            lambda g: g * 0,
            residuals=("twice",),
            broadcasts=True,
        )
        def square(x, y):
            return x * x + 0 * y, 2 * x

        x, y = leaf(), leaf()
        square(x, y).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2, 4, 6])

    @pytest.mark.parametrize("kind", ["base", "other"])
    def test_a_residual_in_the_memory_of_an_input(self, kind):
        @autograd.primitive(lambda g, kept: g * kept, residuals=("kept",))
        def keeps(x):
            return x * x / 2, x if kind == "base" else x[:]

        w = leaf()
        x = w * 1
        y = keeps(x)
        x.detach().zero_()
        y.sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), [1, 2, 3])

    @pytest.mark.parametrize("place", [0, 1])
    def test_an_input_returned_as_it_is(self, place):
        @autograd.primitive(lambda g: g, lambda g: g, broadcasts=True)
        def choose(x, y):
            return (x, y)[place]

        x, y = leaf() * 1, leaf() * 1
        z = choose(x, y)
        z.add_(1)
        np.testing.assert_array_equal((x, y)[place].detach().numpy(), [1, 2, 3])

    def test_a_rule_may_return_a_tensor(self):
        @autograd.primitive(lambda g, x: tensor(2 * np.asarray(x)) * g)
        def squared(x):
            return x * x

        x = leaf()
        (squared(x) + squared(x)).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [4, 8, 12])

    def test_a_wrong_shape_is_named(self):
        @autograd.primitive(lambda g: g[:2])
        def short(x):
            return x * 1

        x = leaf()
        with pytest.raises(
            ShapeError, match=r"short: .*input 0 has shape \(2,\), the input \(3,\)"
        ):
            short(x).sum().backward()

    def test_a_rule_that_returns_what_is_saved(self):
        @autograd.primitive(lambda g, x: x)
        def half_square(x):
            return x * x / 2

        x = leaf()
        half_square(x).sum().backward()
        assert_apart(x, x.grad)
