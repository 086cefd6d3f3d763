"""Writing in place: every method, every kind of index, aliases, types, and what is refused.

Views and writes in combination are the subject of `test_views_machine`.
"""

from __future__ import annotations

import numpy as np
import pytest
from both import agree, grad_of

import autograd
from autograd import DtypeError, InplaceError, ShapeError, Tensor, float64, no_grad, tensor

X = np.array([[0.3, -1.6, 2.4], [-0.7, 1.1, 0.45]])
Y = np.array([[1.7, 0.6, -0.8], [0.55, -2.3, 1.25]])
Z = np.array([[0.2, 0.9, -1.4], [1.6, -0.35, 0.75]])
MASK = np.array([[True, False, True], [False, True, False]])
PLACES = np.array([1, 0, 1])

# name: arguments (arrays stand for tensors), keywords; "+" where x must be positive
METHODS = {
    "abs_": [()],
    "add_": [(Y,), (2,), (Y, {"alpha": 3}), (Y[0],), (1.5, {"alpha": 2})],
    "addcdiv_": [(Y, Z), (Y, Z, {"value": 0.5}), (Y[0], Z)],
    "addcmul_": [(Y, Z), (Y, Z, {"value": 0.5}), (Y[:, :1], Z)],
    "ceil_": [()],
    "clamp_": [(-1, 1), (-0.5,), ({"max": 0.5},), (Y - 1, Y + 1)],
    "clip_": [(-1, 1)],
    "copy_": [(Y,), (Y[0],), (Y.astype(np.float32),), (PLACES,)],
    "cos_": [()],
    "div_": [(Y,), (2,), (Y, {"rounding_mode": "floor"}), (Y, {"rounding_mode": "trunc"})],
    "erf_": [()],
    "exp_": [()],
    "expm1_": [()],
    "fill_": [(2.5,), (np.array(1.5),)],
    "floor_": [()],
    "floor_divide_": [(Y,), (0.4,)],
    "index_add_": [(1, PLACES, Y), (0, PLACES[:2], Y), (1, PLACES, Y, {"alpha": -2})],
    "lerp_": [(Y, 0.3), (Y, Z)],
    "log_": [("+",)],
    "log1p_": [("+",)],
    "masked_fill_": [(MASK, 2.0), (MASK, np.array(0.5)), (MASK[0], -1.0)],
    "mul_": [(Y,), (2,), (Y[0],), (True,)],
    "neg_": [()],
    "pow_": [(2,), ("+", Y), ("+", 0.5), (3.0,)],
    "reciprocal_": [()],
    "relu_": [()],
    "remainder_": [(Y,), (0.4,)],
    "round_": [()],
    "rsqrt_": [("+",)],
    "scatter_": [(1, PLACES[None, :2], Y[:1, :2]), (1, PLACES[None], 2.0)],
    "scatter_add_": [(1, PLACES[None], Y[:1]), (0, np.array([[0, 1, 0]]), Y[1:])],
    "sigmoid_": [()],
    "sign_": [()],
    "sin_": [()],
    "sqrt_": [("+",)],
    "square_": [()],
    "sub_": [(Y,), (2,), (Y, {"alpha": 3})],
    "tan_": [()],
    "tanh_": [()],
    "trunc_": [()],
    "zero_": [()],
}
RANDOM = {"bernoulli_", "normal_", "random_", "uniform_"}
NOT_IN_TORCH = {"floor_divide_"}  # no derivative there; here it is 0
CASES = [(name, number) for name, cases in METHODS.items() for number in range(len(cases))]


def case_of(name, number, lib):
    """Starting values, tensors among the arguments, and a call."""
    parts = list(METHODS[name][number])
    positive = bool(parts) and isinstance(parts[0], str)
    options = parts.pop() if parts and isinstance(parts[-1], dict) else {}
    arguments = [
        lib.tensor(part, requires_grad=part.dtype.kind == "f")
        if isinstance(part, np.ndarray)
        else part
        for part in parts[positive:]
    ]
    start = np.abs(X) if positive else X
    return start, arguments, lambda x: getattr(x, name)(*arguments, **options)


def grads(lib, *values):
    return [value.grad for value in values if isinstance(value, lib.Tensor)]


def weighted(lib, x):
    """A sum that gives every element another gradient."""
    weights = np.arange(1.0, x.numel() + 1).reshape(tuple(x.shape))
    return (x * lib.tensor(weights)).sum()


class TestMethods:
    def test_all_have_cases(self):
        found = {name for name in dir(Tensor) if name.endswith("_") and name[0] != "_"}
        assert found - {"requires_grad_", "detach_"} == set(METHODS) | RANDOM

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_on_a_result(self, name, number):
        def program(lib):
            start, arguments, call = case_of(name, number, lib)
            w = lib.tensor(start, requires_grad=True)
            x = w * 1
            same = call(x) is x
            if name in NOT_IN_TORCH:
                return same, x
            weighted(lib, x).backward()
            return same, x, w.grad, grads(lib, *arguments)

        agree(program, raises=False)

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_on_a_view(self, name, number):
        """Of a transposed column-by-column base, which is read before and after."""

        def program(lib):
            start, arguments, call = case_of(name, number, lib)
            w = lib.tensor(np.stack([start.T, start.T + 3]), requires_grad=True)
            base = w * 1
            before = base[1].sum() + base[0, 1].sum()
            view = base.transpose(1, 2)[0]
            call(view)
            if name in NOT_IN_TORCH:
                return base, view
            (weighted(lib, base) + before + view.sum()).backward()
            return base, view, w.grad, grads(lib, *arguments)

        agree(program, raises=False)

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_on_a_constant(self, name, number):
        def program(lib):
            start, arguments, call = case_of(name, number, lib)
            x = lib.tensor(start)
            call(x)
            if x.requires_grad and name not in NOT_IN_TORCH:
                weighted(lib, x).backward()
            return x, x.requires_grad, x.is_leaf, grads(lib, *arguments)

        agree(program, raises=False)

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_on_a_leaf(self, name, number):
        def program(lib, mode):
            start, _, call = case_of(name, number, lib)
            x = lib.tensor(start, requires_grad=True)
            with mode(lib):
                call(x)
            return x, x.requires_grad, x.is_leaf

        agree(lambda lib: program(lib, lambda lib: lib.no_grad()), raises=False)
        agree(lambda lib: program(lib, lambda lib: lib.enable_grad()), raises=True)

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_of_the_second_order(self, name, number):
        def program(lib):
            start, arguments, call = case_of(name, number, lib)
            w = lib.tensor(start, requires_grad=True)
            x = w * w.abs()
            call(x)
            if name in NOT_IN_TORCH:
                return x
            leaves = [w, *(a for a in arguments if getattr(a, "requires_grad", False))]
            first = grad_of(lib)(
                weighted(lib, x * x.detach().cos()), leaves, create_graph=True, allow_unused=True
            )
            total = sum((g * (k + 2)).sum() for k, g in enumerate(first) if g is not None)
            if not isinstance(total, lib.Tensor) or not total.requires_grad:
                return first
            return first, grad_of(lib)(total, leaves, materialize_grads=True)

        agree(program, raises=False)

    @pytest.mark.parametrize(("name", "number"), CASES)
    def test_integers_and_floats_keep_their_type(self, name, number):
        def program(lib, dtype):
            start, _, call = case_of(name, number, lib)
            x = lib.tensor(np.round(start * 4)).to(getattr(lib, dtype))
            with lib.no_grad():
                call(x)
            assert str(x.dtype).endswith(dtype)
            return x

        if name not in ("index_add_", "scatter_", "scatter_add_", "lerp_"):
            agree(lambda lib: program(lib, "float32"))  # those want equal types in PyTorch
        if name != "masked_fill_":  # which truncates in PyTorch
            agree(lambda lib: program(lib, "int64"))

    @pytest.mark.parametrize("name", sorted(RANDOM))
    def test_random_ones(self, name):
        w = tensor(X, requires_grad=True)
        x = w * 1
        v = x[0]
        assert getattr(v, name)() is v
        x.sum().backward()
        np.testing.assert_array_equal(w.grad.numpy(), [[0, 0, 0], [1, 1, 1]])
        assert not np.array_equal(x.detach().numpy()[0], X[0])
        with pytest.raises(InplaceError):
            getattr(w, name)()
        np.testing.assert_array_equal(w.detach().numpy(), X)


VALUES = {
    "number": lambda lib, region: 2.5,
    "0-d": lambda lib, region: lib.tensor(1.5, dtype=lib.float64, requires_grad=True),
    "full": lambda lib, region: lib.tensor(
        np.arange(1.0, np.prod(region) + 1).reshape(region), requires_grad=True
    ),
    "row": lambda lib, region: lib.tensor(
        np.arange(1.0, (region or (1,))[-1] + 1), requires_grad=True
    ),
    "lead": lambda lib, region: lib.tensor(np.full((1, 1, *region), 0.5), requires_grad=True),
    "float32": lambda lib, region: lib.tensor(np.full(region, 0.1, np.float32), requires_grad=True),
    "integers": lambda lib, region: lib.ones(region, dtype=lib.int64),
}
INDICES = {
    "number": lambda lib: 1,
    "negative": lambda lib: (-1, -2),
    "element": lambda lib: (0, 2),
    "slice": lambda lib: slice(1, None),
    "step": lambda lib: (slice(None), slice(None, None, 2)),
    "ellipsis": lambda lib: (Ellipsis, 1),
    "all": lambda lib: Ellipsis,
    "new axis": lambda lib: (None, 0),
    "empty": lambda lib: slice(0, 0),
    "mask": lambda lib: lib.tensor(MASK),
    "row mask": lambda lib: lib.tensor([True, False]),
    "no mask": lambda lib: lib.tensor([False, False]),
    "places": lambda lib: (lib.tensor([1, 0]), lib.tensor([2, 0])),
    "list": lambda lib: [1, 0],
    "mixed": lambda lib: (slice(None), lib.tensor([2, 0])),
    "apart": lambda lib: (lib.tensor([1, 0]), slice(0, 2)),
    "array": lambda lib: (0, np.array([0, 2])),
    "0-d tensor": lambda lib: lib.tensor(1),
}


class TestIndices:
    @pytest.mark.parametrize("value", VALUES)
    @pytest.mark.parametrize("index", INDICES)
    def test_on_a_result(self, index, value):
        def program(lib):
            w = lib.tensor(X, requires_grad=True)
            x = w * 1
            place = INDICES[index](lib)
            new = VALUES[value](lib, tuple(x[place].shape))
            x[place] = new
            weighted(lib, x).backward()
            return x, w.grad, grads(lib, new)

        if value in ("float32", "integers"):  # PyTorch converts for some kinds of index only
            program(autograd)
        else:
            agree(program)

    @pytest.mark.parametrize("index", INDICES)
    def test_on_a_view_of_a_constant(self, index):
        def program(lib):
            base = lib.zeros(3, 2, dtype=lib.float64)
            x = base.T
            place = INDICES[index](lib)
            new = VALUES["full"](lib, tuple(x[place].shape))
            x[place] = new
            weighted(lib, base).backward()
            return base, x.requires_grad, base.requires_grad, new.grad

        agree(program, raises=False)

    @pytest.mark.parametrize(
        ("index", "value"),
        [
            (5, 1.0),
            ((0, 0, 0), 1.0),
            ([0, 7], 1.0),
            (np.array([True, False, True]), 1.0),
            (1.5, 1.0),
            ("a", 1.0),
            (0, np.ones(2)),
            (0, np.ones((2, 3))),
            (Ellipsis, np.ones((3, 2))),
            (0, "a"),
            (0, None),
            (slice(None), [1, "a"]),
            (0, np.array([1j, 1j, 1j])),
            (0, 2**70),
        ],
    )
    def test_mistakes_change_nothing(self, index, value):
        for x in (tensor(X, requires_grad=True) * 1, tensor(X)):
            unchanged = watch(x)
            value = tensor(value) if isinstance(value, np.ndarray) else value
            with pytest.raises((IndexError, ValueError, TypeError)):
                x[index] = value
            unchanged()

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (lambda: 1.7, 1),
            (lambda: tensor(1.7), 1),
            (lambda: np.float64(-1.7), -1),
            (lambda: True, 1),
            (lambda: tensor(1.7, requires_grad=True), 1),
            (lambda: [5], 5),
            (lambda: np.array([5.0]), 5),
        ],
    )
    def test_into_integers(self, value, expected):
        x = autograd.zeros(2, dtype=autograd.int64)
        x[:1] = value()
        assert x.tolist() == [expected, 0]
        assert not x.requires_grad

    def test_a_place_named_twice_keeps_the_last_value(self):
        w, v = tensor(np.zeros(3), requires_grad=True), tensor(np.arange(4.0), requires_grad=True)
        x = w * 1
        x[np.array([1, 0, 1, -2])] = v
        weighted(autograd, x).backward()
        assert x.tolist() == [1, 3, 0]
        assert v.grad.tolist() == [0, 1, 0, 2]
        assert w.grad.tolist() == [0, 0, 3]

    def test_infinite_gradients_do_not_reach_overwritten_values(self):
        v = tensor(np.arange(3.0), requires_grad=True)
        x = autograd.zeros(2, dtype=float64)
        x[[1, 1, 0]] = v
        x.backward(tensor([np.inf, np.inf], dtype=float64))
        assert v.grad.tolist() == [0, np.inf, np.inf]

    def test_a_single_element_is_a_view(self):
        def program(lib):
            w = lib.tensor(X, requires_grad=True)
            x = w * 1
            x[0, 1].mul_(5)
            x[1][2].add_(x[0, 0])
            for row in x.detach():
                row[0].zero_()
            weighted(lib, x).backward()
            return x, w.grad

        agree(program, raises=False)


def watch(*tensors):
    """A check that tensors have not changed in any way."""
    before = [(x.array.copy(), list(x._version), x._node, x._requires_grad) for x in tensors]

    def check():
        for x, (values, version, node, requires_grad) in zip(tensors, before, strict=True):
            np.testing.assert_array_equal(x.array, values)
            assert x._version == version
            assert x._node is node
            assert x._requires_grad is requires_grad

    return check


class TestAliases:
    @pytest.mark.parametrize(
        "act",
        [
            lambda x: x.add_(x),
            lambda x: x.mul_(x),
            lambda x: x.sub_(x.T),
            lambda x: x.add_(x[0]),
            lambda x: x.mul_(x[:, :1]),
            lambda x: x.addcmul_(x, x),
            lambda x: x.lerp_(x.T, x),
            lambda x: x.copy_(x.T),
            lambda x: x.pow_(x),
            lambda x: x[0].mul_(x[1]),
            lambda x: x[1:].mul_(x[:-1]),
            lambda x: x.__setitem__(slice(1, None), x[:-1]),
            lambda x: x.__setitem__(slice(None, -1), x[1:]),
            lambda x: x.__setitem__((slice(None), slice(None, None, -1)), x),
            lambda x: x.__setitem__([2, 0, 1], x),
            lambda x: x.__setitem__(np.array([True, True, False]), x[1:]),
            lambda x: x[0, ::-1].__setitem__(np.array([True, True, True]), x[0]),
            lambda x: x.diagonal().copy_(x[0]),
            lambda x: x.T.sub_(x),
            lambda x: x.view(-1)[1:].sub_(x.view(-1)[:-1]),
        ],
    )
    def test_as_if_the_operand_were_a_copy(self, act):
        """PyTorch refuses some, or fails in backward."""
        start = np.array([[0.3, 1.6, 2.4], [0.7, 1.1, 0.45], [1.9, 0.2, 0.8]])

        def run(x):
            act(x)
            return x

        w = tensor(start, requires_grad=True)
        x = run(w * 1)
        (g,) = autograd.grad(weighted(autograd, x), w)
        step = 1e-6
        for place in np.ndindex(start.shape):
            ends = []
            for sign in (1, -1):
                moved = start.copy()
                moved[place] += sign * step
                ends.append(weighted(autograd, run(tensor(moved))).item())
            slope = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(g[place].item(), slope, atol=1e-6)


class TestRefusals:
    @pytest.mark.parametrize(
        "act",
        [
            lambda lib, w: w.mul_(2),
            lambda lib, w: w[0].mul_(2),
            lambda lib, w: w.T[1:].zero_(),
            lambda lib, w: w.__setitem__(0, 1.0),
            lambda lib, w: w.view(-1).__setitem__(0, 1.0),
            lambda lib, w: w.expand(2, 2, 3).mul_(2),
            lambda lib, w: (w * 1).expand(2, 2, 3).mul_(2),
            lambda lib, w: lib.zeros(1).expand(3).add_(1),
            lambda lib, w: (w * 1).add_(lib.ones(2, 2, 3)),
            lambda lib, w: (w * 1).add_(lib.ones(4)),
            lambda lib, w: (w * 1).copy_(lib.ones(2, 2, 3)),
            lambda lib, w: (w * 1).fill_(lib.ones(3)),
            lambda lib, w: (w * 1).masked_fill_(w, 1.0),
            lambda lib, w: (w * 1).scatter_(1, lib.tensor([[7]]), 1.0),
            lambda lib, w: (w * 1).index_add_(0, lib.tensor([0, 1, 1]), lib.ones(2, 3)),
            lambda lib, w: lib.tensor([1, 2]).add_(1.5),
            lambda lib, w: lib.tensor([1, 2]).mul_(w[0, :2]),
            lambda lib, w: lib.tensor([1, 2]).div_(2),
            lambda lib, w: lib.tensor([1, 2]).sin_(),
            lambda lib, w: lib.tensor([True]).add_(1),
            lambda lib, w: lib.ones(2).mul_(1j),
            lambda lib, w: (w * 1).clamp_(),
            lambda lib, w: (w * 1).add_("a"),
            lambda lib, w: (w * 1).detach_().requires_grad_().mul_(2),
        ],
    )
    def test_as_in_pytorch(self, act):
        agree(lambda lib: act(lib, lib.tensor(X, requires_grad=True)), raises=True)

    @pytest.mark.parametrize(
        ("act", "error"),
        [
            (lambda x: x.add_(autograd.ones(4)), ShapeError),
            (lambda x: x.add_(autograd.ones(2, 2, 3)), ShapeError),
            (lambda x: x.mul_(1j), DtypeError),
            (lambda x: x.masked_fill_(x, 1.0), TypeError),
            (lambda x: x.index_add_(0, tensor([0, 5]), autograd.ones(2, 3)), IndexError),
            (lambda x: x.scatter_(1, tensor([[0, 9]]), 1.0), IndexError),
            (lambda x: x.clamp_(), ValueError),
            (lambda x: x.pow_("a"), TypeError),
            (lambda x: x.lerp_(autograd.ones(2, 3), autograd.ones(7)), ShapeError),
        ],
    )
    def test_an_error_changes_nothing(self, act, error):
        w = tensor(X, requires_grad=True)
        base = w * 1
        view = base[:, :]
        unchanged = watch(w, base, view)
        for x in (base, view):
            with pytest.raises(error):
                act(x)
            unchanged()
        weighted(autograd, base).backward()
        np.testing.assert_array_equal(w.grad.numpy(), np.arange(1.0, 7).reshape(2, 3))

    @pytest.mark.parametrize(
        ("act", "text"),
        [
            (lambda w: w.mul_(2), r"mul_: a leaf tensor of shape \(2, 3\)"),
            (lambda w: w[0].mul_(2), r"mul_: a view of a leaf tensor of shape \(3,\)"),
            (lambda w: w.__setitem__(0, 1), r"setitem: a leaf tensor"),
            (lambda w: (w * 1).expand(4, 2, 3).zero_(), r"zero_: .*\(4, 2, 3\).* write to a clone"),
            (lambda w: (w * 1).add_(autograd.ones(4, 2, 3)), r"add_: .*\(4, 2, 3\).*\(2, 3\)"),
            (lambda w: w.long().add_(1.5), r"add_: .*float32.*int64"),
        ],
    )
    def test_say_what_and_why(self, act, text):
        with pytest.raises((InplaceError, ShapeError, DtypeError), match=text):
            act(tensor(X, requires_grad=True))

    def test_read_only_memory(self):
        array = np.ones(3)
        array.flags.writeable = False
        x = autograd.from_numpy(array)
        with pytest.raises(InplaceError, match="read-only"):
            x.add_(1)
        assert (x + 1).tolist() == [2, 2, 2]

    @pytest.mark.parametrize("write", ["view", "base"])
    def test_views_made_under_no_grad(self, write):
        def program(lib):
            w = lib.tensor(X, requires_grad=True)
            x = w * 1
            with lib.no_grad():
                v = x[0]
            if write == "view":
                v.mul_(2)
            else:
                x.mul_(2)
                with lib.no_grad():
                    v * 2
            return v * 2

        agree(program, raises=True)

    @pytest.mark.parametrize("act", [lambda v, w: v.mul_(w), lambda v, w: v.copy_(w)])
    def test_views_of_constants_made_under_no_grad(self, act):
        def program(lib):
            w, x = lib.tensor(X, requires_grad=True), lib.ones(4, 3, dtype=lib.float64)
            with lib.no_grad():
                v = x[1:3]
            v.mul_(2)
            assert x.sum() == 18
            unchanged = watch(x, v, w) if lib is autograd else lambda: None
            try:
                act(v, w)
            finally:
                unchanged()

        agree(program, raises=True)

    def test_views_of_what_was_given_other_data(self):
        w = tensor(X, requires_grad=True)
        x = w * 1
        v, u, fresh = x[0], x[:, 0], x[0]
        x.mul_(2)
        assert fresh.requires_grad
        x.data = tensor(Y)
        later = fresh[1:]
        before = watch(v, u, later)
        for act in (
            lambda: v.mul_(2),
            lambda: v + 1,
            lambda: u.backward(tensor(Y[:, 0])),
            lambda: later.mul_(2),
        ):
            with pytest.raises(InplaceError, match="other memory"):
                act()
        before()
        assert v.detach().sum().item() == pytest.approx(2 * X[0].sum())
        later.sum().backward()
        assert w.grad.tolist() == [[0, 2, 2], [0, 0, 0]]

    def test_a_view_that_becomes_a_leaf(self):
        data = autograd.zeros(4)
        v = data[:2].requires_grad_()
        with pytest.raises(InplaceError, match="leaf"):
            v.mul_(2)
        data[2:] = (v + 1) * 3
        data.sum().backward()
        assert v.is_leaf
        assert v.grad.tolist() == [3, 3]
        assert data.tolist() == [0, 0, 3, 3]


class TestSavedValues:
    @pytest.mark.parametrize(
        ("build", "raises"),
        [
            (lambda x: x * x, True),
            (lambda x: x.exp(), False),
            (lambda x: x + 1, False),
            (lambda x: x * 2, False),
            (lambda x: x.sin(), True),
            (lambda x: x.sum(), False),
            (lambda x: x @ x.T, True),
            (lambda x: x.relu(), False),
            (lambda x: x**3, True),
            (lambda x: x.T.reshape(6), False),
        ],
    )
    @pytest.mark.parametrize("write", ["whole", "part", "detached", "data", "no_grad", "view"])
    def test_overwritten_inputs(self, build, raises, write):
        def program(lib):
            w = lib.tensor(X, requires_grad=True)
            x = w * 1
            y = build(x)
            if write == "whole":
                x.add_(1)
            elif write == "part":
                x[0, 0] = 3.0
            elif write == "detached":
                x.detach().mul_(2)
            elif write == "no_grad":
                with lib.no_grad():
                    x.mul_(2)
            elif write == "view":
                x[1].mul_(2)
            else:
                x.data[0] = 2.0
            weighted(lib, y).backward()
            return w.grad

        if write == "data":  # PyTorch does not look, and returns a wrong gradient
            if raises:
                with pytest.raises(InplaceError):
                    program(autograd)
        else:
            agree(program, raises)

    @pytest.mark.parametrize(
        ("build", "raises"),
        [
            (lambda x: x * x, False),
            (lambda x: x.exp(), True),
            (lambda x: x.tanh(), True),
            (lambda x: x.sigmoid(), True),
            (lambda x: x.sqrt(), True),
            (lambda x: x + 1, False),
        ],
    )
    def test_overwritten_outputs(self, build, raises):
        def program(lib):
            w = lib.tensor(np.abs(X), requires_grad=True)
            y = build(w)
            y.mul_(2)
            weighted(lib, y).backward()
            return w.grad

        agree(program, raises)

    def test_composed_operations_keep_what_they_need(self):
        for act in (
            lambda x: x.clamp_(-1, 1),
            lambda x: x.remainder_(0.7),
            lambda x: x.lerp_(x * 2, 0.3),
            lambda x: x.addcdiv_(tensor(Y), tensor(Z)),
        ):
            w = tensor(X, requires_grad=True)
            x = act(w * 1)
            weighted(autograd, x).backward()
            assert w.grad is not None

    def test_says_what_was_overwritten(self):
        x = tensor(X, requires_grad=True)
        y = (x * x).sum()
        with no_grad():
            x.zero_()
        with pytest.raises(InplaceError, match=r"mul: .*overwritten.* clone"):
            y.backward()

    def test_a_write_after_backward_is_fine(self):
        x = tensor(X, requires_grad=True)
        (x * x).sum().backward()
        with no_grad():
            x -= 0.1 * x.grad
        (x * x).sum().backward()


class TestDetached:
    def test_shares_memory_and_not_history(self):
        def program(lib):
            w, v = lib.tensor(X, requires_grad=True), lib.tensor(Y, requires_grad=True)
            x = w * 1
            d = x.detach()
            d[0] = v[0]
            x[1] = v[1]
            (weighted(lib, d) + 10 * weighted(lib, x)).backward()
            return x, d, d.requires_grad, w.grad, v.grad

        agree(program, raises=False)

    def test_a_leaf_of_its_own(self):
        def program(lib):
            x = lib.tensor(X)
            d = x.detach().requires_grad_()
            x.mul_(2)
            (d * d).sum().backward()
            return d, d.grad, x.requires_grad

        agree(program, raises=False)


class TestWritable:
    def test_counts_the_write(self):
        x = tensor(X, requires_grad=True)
        y = (x * x).sum()
        with no_grad():
            autograd.writable(x)[...] = 0
        with pytest.raises(InplaceError, match="overwritten"):
            y.backward()

    def test_refuses(self):
        x = tensor(X, requires_grad=True)
        for value in (x, x * 1, autograd.zeros(1).expand(3)):
            with pytest.raises(InplaceError, match="writable"):
                autograd.writable(value)
