"""Hooks on gradients, and the gradients of results that are kept."""

from __future__ import annotations

import numpy as np
import pytest
from both import agree, grad_of

import autograd
from autograd import DtypeError, GraphError, ShapeError, no_grad, tensor


def leaf(lib=autograd):
    return lib.tensor([1.0, 2.0, 3.0], requires_grad=True)


class TestHooks:
    def test_on_a_leaf(self):
        def program(lib):
            x, seen = leaf(lib), []
            x.register_hook(lambda g: seen.append(g.clone()))
            x.register_hook(lambda g: g * 10)
            x.register_hook(lambda g: seen.append(g.clone()))
            (x * x + x).sum().backward()
            return seen, x.grad

        agree(program, raises=False)

    def test_on_a_result(self):
        def program(lib):
            x, seen = leaf(lib), []
            y = x * 2
            y.register_hook(lambda g: seen.append(g.clone()))
            y.register_hook(lambda g: g + 1)
            y.register_hook(lambda g: seen.append(g.clone()))
            (y * y + y.exp()).sum().backward()
            return seen, x.grad

        agree(program, raises=False)

    def test_run_once_a_pass_with_the_whole_gradient(self):
        def program(lib):
            x, seen = leaf(lib), []
            y = x * 2
            y.register_hook(lambda g: seen.append(g.clone()))
            z = y.sum() + (y * y).sum() + y[0]
            z.backward(retain_graph=True)
            z.backward()
            return seen

        agree(program, raises=False)

    def test_in_grad(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            x.register_hook(lambda g: g * 3)
            y.register_hook(lambda g: g * 5)
            z = (y * y).sum()
            of_result = grad_of(lib)(z, [y], retain_graph=True)
            z.backward(inputs=[y], retain_graph=True)
            return of_result, y.grad, grad_of(lib)(z, [x, x])

        agree(program, raises=False)

    def test_run_once_for_an_input_named_twice(self):
        x, seen = leaf(), []
        x.register_hook(lambda g: seen.append(1))
        autograd.grad((x * x).sum(), [x, x])
        assert seen == [1]

    def test_with_create_graph(self):
        def program(lib):
            x = leaf(lib)
            y = x * x
            x.register_hook(lambda g: g * x)
            y.register_hook(lambda g: g * 2)
            (g,) = grad_of(lib)((y * y).sum(), x, create_graph=True)
            x.backward(lib.ones(3))
            return g, grad_of(lib)(g.sum(), x), x.grad

        agree(program, raises=False)

    def test_removal(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            first, second = x.register_hook(lambda g: g * 3), y.register_hook(lambda g: g * 5)
            z = y.sum()
            z.backward(retain_graph=True)
            first.remove()
            second.remove()
            first.remove()
            z.backward()
            with x.register_hook(lambda g: g * 100):
                (x * 2).sum().backward()
            x.sum().backward()
            return x.grad

        agree(program, raises=False)

    def test_removed_by_itself_while_it_runs(self):
        def program(lib):
            x, handles = leaf(lib), []

            def once(g):
                handles[0].remove()
                return g * 2

            handles.append(x.register_hook(once))
            x.register_hook(lambda g: g + 1)
            x.sum().backward()
            x.sum().backward()
            return x.grad

        agree(program, raises=False)

    def test_on_a_view(self):
        def program(lib):
            x, seen = leaf(lib), []
            y = x * 2
            v = y[1:]
            v.register_hook(lambda g: seen.append(g.clone()))
            (v * v).sum().backward(retain_graph=True)
            y.sum().backward()
            return seen

        agree(program, raises=False)

    def test_registered_before_a_write_sees_the_gradient_of_the_old_value(self):
        def program(lib):
            x, seen = leaf(lib), []
            y = x * 2
            y.register_hook(lambda g: seen.append(g.clone()))
            y.mul_(3)
            y.register_hook(lambda g: seen.append(g.clone()))
            (y * y).sum().backward()
            return seen, x.grad

        agree(program, raises=False)

    @pytest.mark.parametrize(
        ("hook", "error"),
        [
            (lambda g: g[:2], ShapeError),
            (lambda g: g.double(), DtypeError),
            (lambda g: 3, TypeError),
            (lambda g: g.numpy(), TypeError),
        ],
    )
    @pytest.mark.parametrize("on_leaf", [True, False])
    def test_what_they_return_is_checked(self, hook, error, on_leaf):
        x = leaf()
        y = x * 2
        (x if on_leaf else y).register_hook(hook)
        with pytest.raises(error, match="hook"):
            y.sum().backward()
        assert x.grad is None

    def test_on_what_does_not_require_grad(self):
        agree(lambda lib: lib.ones(2).register_hook(lambda g: g), raises=True)
        with pytest.raises(GraphError, match="register_hook"):
            autograd.ones(2).register_hook(lambda g: g)

    def test_one_that_writes_to_its_argument_changes_only_what_flows_on(self):
        x, other, given = leaf(), leaf(), autograd.ones(3)
        y = x * 1
        y.register_hook(lambda g: g.mul_(5))
        (y + other).backward(given)
        np.testing.assert_array_equal(x.grad.numpy(), [5, 5, 5])
        np.testing.assert_array_equal(other.grad.numpy(), [1, 1, 1])
        np.testing.assert_array_equal(given.numpy(), [1, 1, 1])

    def test_one_on_a_leaf_that_clips_in_place(self):
        def program(lib):
            x = leaf(lib)
            x.register_hook(lambda g: g.clamp_(-1, 1))
            (x * x).sum().backward()
            return x.grad

        agree(program, raises=False)

    def test_one_that_keeps_its_argument(self):
        x, kept = leaf(), []
        x.register_hook(kept.append)
        x.sum().backward()
        kept[0].zero_()
        np.testing.assert_array_equal(x.grad.numpy(), [1, 1, 1])

    def test_one_that_runs_a_pass_of_its_own(self):
        x, y, inner = leaf(), leaf(), []

        def hook(g):
            with autograd.enable_grad():
                inner.append(autograd.grad((y * y).sum(), y)[0])

        x.register_hook(hook)
        z = x * 2
        z.register_hook(hook)
        z.sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])
        for g in inner:
            np.testing.assert_array_equal(g.numpy(), [2, 4, 6])

    def test_gradients_are_off_inside(self):
        x, modes = leaf(), []
        x.register_hook(lambda g: modes.append(autograd.is_grad_enabled()))
        (x * x).sum().backward(retain_graph=True)
        (x * x).sum().backward(create_graph=True)
        assert modes == [False, True]


class TestRetainGrad:
    def test_of_a_result(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            y.retain_grad()
            z = (y * y).sum()
            z.retain_grad()
            z.backward(retain_graph=True)
            first = y.grad.clone()
            z.backward()
            return first, y.grad, z.grad, y.retains_grad, x.retains_grad

        agree(program, raises=False)

    def test_of_a_leaf_does_nothing(self):
        def program(lib):
            x = leaf(lib)
            x.retain_grad()
            x.sum().backward()
            return x.grad, x.retains_grad

        agree(program, raises=False)

    def test_comes_after_the_hooks(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            y.retain_grad()
            y.register_hook(lambda g: g * 10)
            y.sum().backward()
            return y.grad, x.grad

        agree(program, raises=False)

    def test_in_grad(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            y.retain_grad()
            found = grad_of(lib)((y * y).sum(), x)
            return found, y.grad, x.grad

        agree(program, raises=False)

    def test_moves_along_with_writes(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            y.retain_grad()
            y.mul_(3)
            y[0] = 5.0
            (y * y).sum().backward()
            return y.grad, y.retains_grad, x.grad

        agree(program, raises=False)

    def test_of_a_view_whose_base_is_written(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            v = y[:2]
            v.retain_grad()
            y.mul_(3)
            (v * v).sum().backward()
            return v.grad, v.retains_grad

        agree(program, raises=False)

    def test_of_a_base_whose_view_is_written(self):
        def program(lib):
            x = leaf(lib)
            y = x * 2
            y.retain_grad()
            v = y[:2]
            v.retain_grad()
            v.mul_(3)
            (y * y + y).sum().backward()
            return y.grad, x.grad

        agree(program, raises=False)

    def test_ends_with_the_tensor(self):
        x = leaf()
        y = x * 2
        y.retain_grad()
        z = (y * y).sum()
        del y
        z.backward()
        np.testing.assert_array_equal(x.grad.numpy(), [8, 16, 24])

    def test_with_create_graph(self):
        x = leaf()
        y = x * x
        y.retain_grad()
        (y * y).sum().backward(create_graph=True)
        (h,) = autograd.grad(y.grad.sum(), x)
        np.testing.assert_array_equal(h.numpy(), [4, 8, 12])

    def test_without_grad(self):
        agree(lambda lib: lib.ones(2).retain_grad(), raises=True)
        with no_grad():
            y = leaf() * 2
        with pytest.raises(GraphError, match="retain_grad"):
            y.retain_grad()

    def test_of_the_output_itself(self):
        def program(lib):
            x = lib.tensor(2.0, requires_grad=True)
            y = x * x
            y.retain_grad()
            y.backward()
            return y.grad, x.grad

        agree(program, raises=False)


def test_hooks_of_several_outputs():
    class Pair(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 3 * h

    x, seen = leaf(), []
    a, b = Pair.apply(x)
    a.register_hook(lambda g: g * 10)
    b.register_hook(lambda g: seen.append(g.tolist()))
    a.retain_grad()
    (a + b * b).sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), [10, 10, 10])
    np.testing.assert_array_equal(x.grad.numpy(), 20 + 18 * np.array([1.0, 2.0, 3.0]))
    assert seen == [[6, 12, 18]]


def test_a_hook_on_a_constant_path_is_not_run():
    x, seen = leaf(), []
    y = x * 2
    y.register_hook(seen.append)
    (x * 3).sum().backward()
    (y.detach() * tensor(1.0, requires_grad=True)).sum().backward()
    assert seen == []
