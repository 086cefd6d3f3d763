"""Switching recording on and off: nesting, decorators, generators, exceptions, threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from both import agree

import autograd
from autograd import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled, tensor


@pytest.fixture
def x():
    return tensor([1.0, 2.0], requires_grad=True)


class TestModes:
    def test_no_grad(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            with lib.no_grad():
                y = x * 2
                with lib.enable_grad():
                    z = x * 2
                inner = lib.is_grad_enabled()
            return y.requires_grad, z.requires_grad, inner, lib.is_grad_enabled()

        agree(program, raises=False)

    def test_set_grad_enabled(self):
        def program(lib):
            seen = []
            lib.set_grad_enabled(False)
            seen.append(lib.is_grad_enabled())
            with lib.set_grad_enabled(True):
                seen.append(lib.is_grad_enabled())
            seen.append(lib.is_grad_enabled())
            lib.set_grad_enabled(True)
            seen.append(lib.is_grad_enabled())
            return seen

        agree(program, raises=False)

    def test_inference_mode(self):
        def program(lib):
            x = lib.tensor([1.0], requires_grad=True)
            seen = []
            with lib.inference_mode():
                seen += [lib.is_inference_mode_enabled(), lib.is_grad_enabled()]
                seen.append((x * 2).requires_grad)
                with lib.inference_mode(False):
                    seen.append(lib.is_inference_mode_enabled())
            return [*seen, lib.is_inference_mode_enabled(), lib.is_grad_enabled()]

        agree(program, raises=False)

    @pytest.mark.parametrize("mode", [no_grad, inference_mode, lambda: set_grad_enabled(False)])
    def test_an_exception_restores(self, mode):
        seen = []
        with pytest.raises(ZeroDivisionError), mode():
            seen.append(1 / is_grad_enabled())
        assert is_grad_enabled()
        assert seen == []

    def test_one_object_entered_twice(self):
        mode = no_grad()
        with mode:
            with enable_grad(), mode:
                assert not is_grad_enabled()
            assert not is_grad_enabled()
        assert is_grad_enabled()

    def test_results_of_inference_may_be_used_later(self, x):
        with inference_mode():
            y = x * 2
        (x * y).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2, 4])


class TestDecorators:
    @pytest.mark.parametrize("with_parentheses", [True, False])
    @pytest.mark.parametrize("name", ["no_grad", "enable_grad", "inference_mode"])
    def test_functions(self, name, with_parentheses):
        def program(lib):
            mode = getattr(lib, name)

            @(mode() if with_parentheses else mode)
            def named(a, b=2):
                """What it does."""
                return lib.is_grad_enabled(), a + b

            with lib.no_grad():
                inside = named(1, b=3)
            return inside, named(1), lib.is_grad_enabled(), named.__name__, named.__doc__

        agree(program, raises=False)

    def test_set_grad_enabled(self):
        def program(lib):
            @lib.set_grad_enabled(False)
            def off():
                return lib.is_grad_enabled()

            return lib.is_grad_enabled(), off(), lib.is_grad_enabled()

        agree(program, raises=False)

    def test_a_method(self):
        class Model:
            scale = 3

            @no_grad()
            def predict(self, x):
                return x * self.scale

        x = tensor([1.0], requires_grad=True)
        assert not Model().predict(x).requires_grad

    def test_recursion(self):
        @no_grad()
        def count(n):
            return [is_grad_enabled(), *(count(n - 1) if n else [])]

        assert count(3) == [False] * 4
        assert is_grad_enabled()

    @pytest.mark.parametrize("name", ["no_grad", "inference_mode"])
    def test_generators(self, name):
        """The body runs in the mode, and what runs between its steps does not."""

        def program(lib):
            seen = []

            @getattr(lib, name)()
            def steps():
                seen.append(lib.is_grad_enabled())
                try:
                    got = yield "first"
                    seen.append((got, lib.is_grad_enabled()))
                    yield "second"
                except KeyError:
                    seen.append(lib.is_grad_enabled())
                    yield "caught"
                finally:
                    seen.append(lib.is_grad_enabled())
                return "end"

            one = steps()
            items = [next(one), lib.is_grad_enabled(), one.send("sent"), one.throw(KeyError())]
            try:
                next(one)
            except StopIteration as stop:
                items.append(stop.value)
            two = steps()
            next(two)
            two.close()
            return seen, items, lib.is_grad_enabled(), list(steps())

        agree(program, raises=False)


class TestThreads:
    def test_modes_are_per_thread(self):
        inside, outside = threading.Event(), threading.Event()
        seen = []

        def other():
            with no_grad():
                inside.set()
                outside.wait(5)
                seen.append(is_grad_enabled())

        thread = threading.Thread(target=other)
        thread.start()
        inside.wait(5)
        seen.append(is_grad_enabled())
        outside.set()
        thread.join()
        assert seen == [True, False]

    def test_a_decorated_function_in_several_threads(self):
        barrier = threading.Barrier(4)

        @no_grad()
        def body():
            barrier.wait(5)
            inside = is_grad_enabled()
            barrier.wait(5)
            return inside

        def task(on):
            with set_grad_enabled(on):
                return body(), is_grad_enabled()

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(task, [True, False, True, False]))
        assert results == [(False, True), (False, False)] * 2

    def test_graphs_in_several_threads(self):
        def task(seed):
            x = tensor(np.linspace(0.1, 1, 5) + seed, requires_grad=True)
            for _ in range(20):
                y = x
                for _ in range(30):
                    y = (y * 0.5 + x).sin()
                v = y[1:3]
                v.mul_(2)
                x.grad = None
                y.sum().backward()
            return x.grad.numpy()

        alone = [task(seed) for seed in range(4)]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(task, range(4)))
        np.testing.assert_array_equal(alone, together)

    def test_one_leaf_in_several_threads(self):
        x = tensor([1.0, 2.0], requires_grad=True)

        def task(k):
            return autograd.grad((x * x * k).sum(), x)[0].numpy()

        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(task, range(16)))
        np.testing.assert_array_equal(results, [2.0 * k * x.detach().numpy() for k in range(16)])
