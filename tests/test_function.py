"""Function: operations of a user's own, in both of PyTorch's styles."""

from __future__ import annotations

import numpy as np
import pytest
from both import agree, function_of, grad_of

import autograd
from autograd import Function, GraphError, InplaceError, ShapeError, no_grad, tensor
from autograd.function import once_differentiable


def leaf(lib=autograd, values=(1.0, 2.0, 3.0)):
    return lib.tensor(list(values), requires_grad=True)


def make(lib, forward, backward, setup=None):
    """A subclass of either library's Function."""
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    if setup is not None:
        methods["setup_context"] = staticmethod(setup)
    return type("Custom", (function_of(lib),), methods)


def square(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g

    return make(lib, forward, backward)


def exp(lib):
    def forward(ctx, x):
        out = x.exp()
        ctx.save_for_backward(out)
        return out

    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return out * g

    return make(lib, forward, backward)


def scaled(lib):
    """With a separate `setup_context`, an option, and a default."""

    def forward(x, factor, power=2):
        return factor * x**power

    def setup(ctx, inputs, output):
        x, ctx.factor, ctx.power = inputs
        ctx.save_for_backward(x, output)

    def backward(ctx, g):
        x, _ = ctx.saved_tensors
        return g * ctx.factor * ctx.power * x ** (ctx.power - 1), None, None

    return make(lib, forward, backward, setup)


def sine_and_cosine(lib):
    def forward(ctx, x):
        a, b = x.sin(), x.cos()
        ctx.save_for_backward(a, b)
        return a, b

    def backward(ctx, g, h):
        a, b = ctx.saved_tensors
        return g * b - h * a

    return make(lib, forward, backward)


class TestDerivatives:
    @pytest.mark.parametrize("build", [square, exp])
    def test_of_any_order(self, build):
        def program(lib):
            x = leaf(lib)
            results = [build(lib).apply(x * 1.5)]
            for _ in range(2 if build is square else 4):
                (g,) = grad_of(lib)(results[-1].sum(), x, create_graph=True)
                results.append(g)
            return results

        agree(program, raises=False)

    def test_with_a_separate_setup_of_the_context(self):
        def program(lib):
            x = leaf(lib)
            y = scaled(lib).apply(x, 3.0)
            z = scaled(lib).apply(y, 0.5, 3)
            (g,) = grad_of(lib)(z.sum(), x, create_graph=True)
            return y, z, g, grad_of(lib)(g.sum(), x), y.grad_fn.name()

        agree(program, raises=False)

    def test_by_name(self):
        x = leaf()
        y = scaled(autograd).apply(factor=3.0, x=x)
        assert y.tolist() == [3, 12, 27]
        assert square(autograd).apply(x=x).tolist() == [1, 4, 9]

    def test_several_outputs(self):
        def program(lib):
            x = leaf(lib)
            a, b = sine_and_cosine(lib).apply(x)
            y = (a * b + a).sum()
            (g,) = grad_of(lib)(y, x, create_graph=True)
            (h,) = grad_of(lib)(g.sum(), x, create_graph=True)
            return a, b, g, h, grad_of(lib)(h.sum(), x)

        agree(program, raises=False)

    @pytest.mark.parametrize("which", [0, 1])
    def test_one_of_several_outputs_used(self, which):
        def program(lib):
            x = leaf(lib)
            out = sine_and_cosine(lib).apply(x)[which]
            return grad_of(lib)(out.sum(), x, create_graph=True)

        agree(program, raises=False)

    def test_several_inputs_some_constant(self):
        needs = {}

        def forward(ctx, x, y, k, z):
            needs[ctx] = ctx.needs_input_grad
            ctx.save_for_backward(x, y)
            ctx.k = k
            return x * y * k + z

        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y * ctx.k, g * x * ctx.k if ctx.needs_input_grad[1] else None, None, g

        def program(lib):
            x, y, z = leaf(lib), lib.tensor(2.0), lib.tensor(1.0, requires_grad=True)
            needs.clear()
            out = make(lib, forward, backward).apply(x, y, 3, z.expand(3))
            out.sum().backward()
            return x.grad, y.grad, z.grad, list(needs.values())

        agree(program, raises=False)

    def test_the_same_input_twice(self):
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

        def program(lib):
            x = leaf(lib)
            out = make(lib, forward, backward).apply(x, x)
            (g,) = grad_of(lib)(out.sum(), x, create_graph=True)
            return g, grad_of(lib)(g.sum(), x)

        agree(program, raises=False)

    def test_intermediate_values_saved(self):
        def forward(ctx, x):
            middle = x.sin()
            ctx.save_for_backward(x, middle, None)
            return middle * 2

        def backward(ctx, g):
            x, middle, nothing = ctx.saved_tensors
            assert nothing is None
            assert not middle.requires_grad
            return g * 2 * x.cos()

        def program(lib):
            x = leaf(lib)
            make(lib, forward, backward).apply(x).sum().backward()
            return x.grad

        agree(program, raises=False)

    def test_without_anything_saved_it_can_be_walked_twice(self):
        def program(lib, save):
            def forward(ctx, x):
                ctx.two = 2
                if save:
                    ctx.save_for_backward(x)
                return x * 2

            def backward(ctx, g):
                return g * ctx.two + (0 * ctx.saved_tensors[0] if save else 0)

            x = leaf(lib)
            y = make(lib, forward, backward).apply(x).sum()
            y.backward()
            y.backward()
            return x.grad

        agree(lambda lib: program(lib, save=False), raises=False)
        agree(lambda lib: program(lib, save=True), raises=True)

    def test_a_pass_inside_backward(self):
        """As gradient checkpointing does."""

        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp() * x

        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with autograd.enable_grad():
                again = x.detach().requires_grad_()
                y = again.exp() * again
            y.backward(g)
            return again.grad

        x = leaf()
        y = make(autograd, forward, backward).apply(x * 1)
        (y * y).sum().backward()
        again = leaf()
        ((again.exp() * again) ** 2).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), again.grad.numpy(), rtol=1e-6)


class TestOutputs:
    def test_other_things_than_tensors(self):
        def program(lib):
            def forward(ctx, x):
                return x * 2, 5, "text", None

            def backward(ctx, g, *rest):
                assert rest == (None, None, None)
                return g * 2

            x = leaf(lib)
            y, *rest = make(lib, forward, backward).apply(x)
            y.sum().backward()
            return rest, x.grad

        agree(program, raises=False)

    def test_a_tuple_of_one(self):
        def program(lib):
            out = make(lib, lambda ctx, x: (x * 2,), lambda ctx, g: g * 2).apply(leaf(lib))
            return type(out) is tuple, out

        agree(program, raises=False)

    @pytest.mark.parametrize("kind", ["mark", "integer", "bool"])
    def test_some_not_differentiable(self, kind):
        def forward(ctx, x):
            other = {"mark": x * 3, "integer": x.long(), "bool": x > 1}[kind]
            if kind == "mark":
                ctx.mark_non_differentiable(other)
            return x * 2, other

        def backward(ctx, g, h):
            assert kind != "mark" or h.tolist() == [0, 0, 0]
            return g * 2

        def program(lib):
            x = leaf(lib)
            y, other = make(lib, forward, backward).apply(x)
            y.sum().backward()
            return x.grad, other, other.requires_grad, other.is_leaf

        agree(program, raises=False)

    def test_a_saved_output_that_is_not_differentiable(self):
        def forward(ctx, x):
            values, places = x * 2, (x > 1).long()
            ctx.mark_non_differentiable(places)
            ctx.save_for_backward(values, places)
            return values, places

        def backward(ctx, g, h):
            values, places = ctx.saved_tensors
            assert not places.requires_grad
            return g * places * values

        def program(lib):
            x = leaf(lib)
            (g,) = grad_of(lib)(
                make(lib, forward, backward).apply(x)[0].sum(), x, create_graph=True
            )
            return g

        agree(program, raises=False)

    @pytest.mark.parametrize("materialize", [True, False])
    @pytest.mark.parametrize("which", [0, 1])
    def test_gradients_of_unused_outputs(self, materialize, which):
        def program(lib):
            got = []

            def forward(ctx, x):
                ctx.set_materialize_grads(materialize)
                return x * 2, x * 3

            def backward(ctx, *grads):
                got.extend(None if g is None else g.clone() for g in grads)
                return sum(g * k for g, k in zip(grads, (2, 3), strict=True) if g is not None)

            x = leaf(lib)
            make(lib, forward, backward).apply(x)[which].sum().backward()
            return got, x.grad

        agree(program, raises=False)

    @pytest.mark.parametrize("part", [lambda x: x, lambda x: x[:2], lambda x: x.view(3, 1)])
    def test_one_in_the_memory_of_an_input_is_copied(self, part):
        x = leaf() * 1
        y = make(autograd, lambda ctx, x: part(x), lambda ctx, g: None).apply(x)
        y.add_(1)
        assert x.tolist() == [1, 2, 3]

    def test_identity(self):
        def program(lib):
            x = leaf(lib)
            y = make(lib, lambda ctx, x: x, lambda ctx, g: g * 5).apply(x)
            y.sum().backward()
            return y is x, x.grad, x.is_leaf

        agree(program, raises=False)

    def test_one_that_others_hold_keeps_its_own_history(self):
        kept = leaf()
        x = leaf()
        y = make(autograd, lambda ctx, x: kept, lambda ctx, g: g * 5).apply(x)
        y.sum().backward()
        assert kept.is_leaf
        assert kept.grad is None
        assert x.grad.tolist() == [5, 5, 5]

    def test_nothing_is_recorded_without_need(self):
        plain = make(autograd, lambda ctx, x: x * 2, lambda ctx, g: g)
        assert plain.apply(autograd.ones(2)).grad_fn is None
        with no_grad():
            assert plain.apply(leaf()).grad_fn is None
        assert plain.apply(3.0) == 6.0

    def test_gradients_are_off_inside_forward(self):
        modes = []

        def forward(ctx, x):
            modes.append(((x * 2).requires_grad, autograd.is_grad_enabled()))
            return x * 2

        make(autograd, forward, lambda ctx, g: g).apply(leaf())
        assert modes == [(False, False)]
        assert autograd.is_grad_enabled()

    def test_an_error_in_forward_restores_the_mode(self):
        with pytest.raises(ZeroDivisionError):
            make(autograd, lambda ctx, x: 1 / 0, lambda ctx, g: g).apply(leaf())
        assert autograd.is_grad_enabled()


def dirty(lib, save=False):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        if save:
            ctx.save_for_backward(x)
        return x

    def backward(ctx, g):
        if save:
            (x,) = ctx.saved_tensors
            return g * 2 + 0 * x
        return g * 2

    return make(lib, forward, backward)


class TestDirty:
    @pytest.mark.parametrize("save", [True, False])
    def test_a_result(self, save):
        def program(lib):
            x = leaf(lib)
            y = x * 3
            z = dirty(lib, save).apply(y)
            (z * y).sum().backward()
            return z is y, y, x.grad

        agree(program, raises=False)

    def test_a_view(self):
        def program(lib):
            x = leaf(lib)
            y = x * 1
            v = y[:2]
            z = dirty(lib).apply(v)
            (y * y).sum().backward()
            return z is v, y, x.grad

        agree(program, raises=False)

    def test_a_constant_with_another_input_that_requires_grad(self):
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            ctx.save_for_backward(y)
            return x.add_(y * y)

        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g, 2 * y * g

        def program(lib):
            x, y = lib.ones(3), leaf(lib)
            z = make(lib, forward, backward).apply(x, y)
            x.sum().backward()
            return z is x, x.requires_grad, x.is_leaf, y.grad

        agree(program, raises=False)

    @pytest.mark.parametrize("part", [lambda x: x, lambda x: x[:2]])
    def test_a_leaf_is_refused_before_it_is_written(self, part):
        x = leaf()
        with pytest.raises(InplaceError, match="leaf"):
            dirty(autograd).apply(part(x))
        assert x.tolist() == [1, 2, 3]
        agree(lambda lib: dirty(lib).apply(part(leaf(lib))), raises=True)

    def test_a_leaf_without_grad_mode(self):
        def program(lib):
            x = leaf(lib)
            with lib.no_grad():
                dirty(lib).apply(x)
            return x, x.is_leaf

        agree(program, raises=False)

    def test_a_write_to_what_another_needs(self):
        def program(lib):
            x = leaf(lib)
            y = x * 1
            z = y.square() if lib is autograd else y * y
            dirty(lib).apply(y)
            z.sum().backward()

        agree(program, raises=True)

    def test_must_be_an_input_and_be_returned(self):
        def other(ctx, x):
            ctx.mark_dirty(x * 2)
            return x

        def lost(ctx, x):
            ctx.mark_dirty(x)
            return x * 2

        for forward in (other, lost):
            with pytest.raises(ValueError, match="dirty"):
                make(autograd, forward, lambda ctx, g: g).apply(leaf() * 1)

    def test_a_write_that_is_not_marked(self):
        def forward(ctx, x):
            x.mul_(2)
            return x * 1

        with pytest.raises(InplaceError, match="mark_dirty"):
            make(autograd, forward, lambda ctx, g: g).apply(leaf() * 1)


class TestOverwritten:
    @pytest.mark.parametrize("build", [square, exp])
    @pytest.mark.parametrize("what", ["input", "output"])
    def test_a_saved_tensor(self, build, what):
        def program(lib):
            x = leaf(lib)
            y = x * 1
            z = build(lib).apply(y)
            with lib.no_grad():
                (y if what == "input" else z).mul_(2)
            z.sum().backward()
            return x.grad

        agree(program, raises=(build is square) == (what == "input"))

    def test_one_made_in_between(self):
        def forward(ctx, x):
            ctx.middle = x * 3
            ctx.save_for_backward(ctx.middle)
            return x * 2

        def backward(ctx, g):
            (middle,) = ctx.saved_tensors
            return g * middle

        def program(lib):
            x = leaf(lib)
            context = []
            z = make(
                lib,
                lambda ctx, x: (context.append(ctx), forward(ctx, x))[1],
                backward,
            ).apply(x)
            context[0].middle.zero_()
            z.sum().backward()

        agree(program, raises=True)

    def test_a_leaf_given_other_data_keeps_its_saved_values(self):
        x = leaf()
        y = square(autograd).apply(x)
        x.data = autograd.zeros(3)
        y.sum().backward()
        assert x.grad.tolist() == [2, 4, 6]

    def test_before_the_second_pass(self):
        def program(lib):
            w = leaf(lib)
            x = w * 1
            (g,) = grad_of(lib)(square(lib).apply(x).sum(), w, create_graph=True)
            (h,) = grad_of(lib)((g * g).sum(), w, retain_graph=True)
            with lib.no_grad():
                x.zero_()
            return h, grad_of(lib)((g * x).sum(), w)

        agree(program)


class TestMistakes:
    """Each is named, with the class."""

    def returning(self, value, *inputs):
        custom = make(autograd, lambda ctx, x, *rest: x * 2, lambda ctx, g: value)
        custom.__name__ = "Mine"
        x = leaf()
        y = custom.apply(x, *inputs)
        x.grad = autograd.ones(3)
        try:
            y.sum().backward()
        finally:
            assert x.grad.tolist() == [1, 1, 1]

    def test_too_few_gradients(self):
        with pytest.raises(ValueError, match=r"Mine.backward: returned 1 gradients, expected 2"):
            self.returning(autograd.ones(3), 3)

    def test_too_many_gradients(self):
        with pytest.raises(ValueError, match=r"Mine.backward: returned 2 gradients, expected 1"):
            self.returning((autograd.ones(3), autograd.ones(3)))

    def test_more_nones_than_needed_are_fine(self):
        custom = make(autograd, lambda ctx, x: x * 2, lambda ctx, g: (g * 2, None, None))
        x = leaf()
        custom.apply(x).sum().backward()
        assert x.grad.tolist() == [2, 2, 2]

    @pytest.mark.parametrize("shape", [(2,), (), (1, 3), (2, 3)])
    def test_a_wrong_shape(self, shape):
        with pytest.raises(ShapeError, match=r"Mine: the gradient of input 0 has shape"):
            self.returning(autograd.ones(shape))

    @pytest.mark.parametrize("value", [2.0, np.ones(3), "text"])
    def test_not_a_tensor(self, value):
        with pytest.raises(TypeError, match=r"Mine.backward: expected Tensors or None"):
            self.returning(value)

    def test_a_gradient_for_what_is_not_a_tensor(self):
        with pytest.raises(ValueError, match=r"Mine.backward: .* input 1, which is not a tensor"):
            self.returning((autograd.ones(3), autograd.ones(3)), 3)

    def test_saving_something_else(self):
        def forward(ctx, x):
            ctx.save_for_backward(x, 3)

        with pytest.raises(TypeError, match="save_for_backward: expected tensors or None, got int"):
            make(autograd, forward, None).apply(leaf())

    def test_a_missing_method(self):
        class Without(Function):
            @staticmethod
            def forward(ctx, x):
                return x * 2

        with pytest.raises(NotImplementedError, match="backward"):
            Without.apply(leaf()).sum().backward()
        with pytest.raises(NotImplementedError, match="forward"):
            Function.apply(leaf())

    def test_writing_to_the_gradient_that_is_handed_over(self):
        """Others may be using it."""
        custom = make(autograd, lambda ctx, x: x * 2, lambda ctx, g: g.mul_(2))
        x, given = leaf(), autograd.ones(3)
        y = x + custom.apply(x)
        with pytest.raises(InplaceError, match="write to a clone"):
            y.backward(given)
        assert given.tolist() == [1, 1, 1]

    def test_saved_tensors_after_the_graph_was_freed(self):
        x = leaf()
        y = square(autograd).apply(x).sum()
        y.backward()
        with pytest.raises(GraphError, match="retain_graph=True"):
            y.backward()


class TestOnceDifferentiable:
    def build(self):
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        def backward(ctx, g):
            _, y = ctx.saved_tensors
            assert not autograd.is_grad_enabled()
            return tensor(g.numpy() * y.detach().numpy()), None

        return make(autograd, forward, once_differentiable(backward))

    def test_first_order(self):
        x = leaf()
        self.build().apply(x, autograd.ones(3) * 4).sum().backward()
        assert x.grad.tolist() == [4, 4, 4]

    def test_second_order_is_refused_rather_than_wrong(self):
        x = leaf()
        (g,) = autograd.grad(self.build().apply(x, x).sum(), x, create_graph=True)
        assert g.tolist() == [1, 2, 3]
        assert g.requires_grad
        with pytest.raises(GraphError, match="Custom.backward: .*once_differentiable"):
            (g * x).sum().backward()
        assert x.grad is None


def test_repr_and_names():
    x = leaf()
    y = square(autograd).apply(x)
    assert y.grad_fn.name() == "CustomBackward"
    assert repr(y) == "tensor([1., 4., 9.], grad_fn=<CustomBackward>)"
    a, b = sine_and_cosine(autograd).apply(x)
    assert a.grad_fn.name() == b.grad_fn.name() == "CustomBackward"
