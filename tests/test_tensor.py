"""What a Tensor is to Python and to NumPy: construction, printing, copying, conversion."""

from __future__ import annotations

import copy
import math
import operator
import pickle

import numpy as np
import pytest
from both import agree

import autograd
from autograd import DtypeError, GraphError, ShapeError, no_grad, tensor


def described(value):
    """A result with its type, so that results of both libraries can be compared."""
    if hasattr(value, "requires_grad"):
        dtype = str(value.dtype).removeprefix("torch.")
        return ["tensor", value.tolist(), dtype, list(value.shape), value.requires_grad]
    if isinstance(value, np.ndarray):
        return ["array", value.tolist(), str(value.dtype)]
    if isinstance(value, (tuple, list)):
        return [described(part) for part in value]
    return [type(value).__name__, repr(value)]


NAMES = {
    "np": np,
    "copy": copy,
    "pickle": pickle,
    "operator": operator,
    "math": math,
}


def evaluate(expression, lib):
    def make(*data, **options):
        return lib.tensor(*data, **options)

    x = make([1.0, 2.0])
    names = {
        **NAMES,
        "lib": lib,
        "T": make,
        "x": x,
        "d": make([1.0, 2.0], dtype=lib.float64),
        "i": make([1, 2]),
        "b": make([True, False]),
        "s": make(2.5),
        "m": make([[1.0, 2.0], [3.0, 4.0]]),
        "r": make([1.0, 2.0], requires_grad=True),
    }
    return described(eval(expression, names))


def as_in_torch(expression, raises=False):
    agree(lambda lib: evaluate(expression, lib), raises)


class TestConstruction:
    @pytest.mark.parametrize(
        "data",
        [
            *("1", "1.5", "True", "[1, 2.5]", "[True, 2]", "[]", "[[], []]", "(1, 2)", "range(3)"),
            *("np.float64(1.5)", "np.float32(2)", "np.int16(3)", "[np.float64(1.), 2.]"),
            *("np.array([1., 2.])", "np.array([1, 2], dtype=np.int16)", "[T(1.), T(2.)]"),
            *("[np.array([1., 2.]), np.array([3., 4.])]", "[np.array([1.], dtype='float32')]"),
            *("x", "d", "i", "m.T", "s", "[2 ** 40]", "float('nan')", "[1e300]", "-0.0"),
            *("[1.7, -1.7], dtype=lib.int64", "[1, 2], dtype=lib.float32", "1, dtype=lib.bool"),
            *("0.1, dtype=lib.float64", "[0.1, 1], dtype=lib.float64", "d, dtype=lib.float32"),
            *("[T(1.), 2.]", "[2., T(1.)]", "1.0, requires_grad=True", "1 + 2j"),
            *(
                "[-1, 255], dtype=lib.uint8",
                "T([300]), dtype=lib.uint8",
                "1e300, dtype=lib.float32",
            ),
        ],
    )
    def test_as_in_torch(self, data):
        as_in_torch(f"T({data})")

    @pytest.mark.parametrize(
        "data",
        [
            *("'a'", "[1, 'a']", "None", "2 ** 70", "{1: 2}", "np.array(['a'])", "[[1, 2], [3]]"),
            *("[1, 2], requires_grad=True", "[True], requires_grad=True", "1, device='nowhere'"),
            *("300, dtype=lib.uint8", "[1, -256], dtype=lib.uint8", "[-200.], dtype=lib.int8"),
            *("math.nan, dtype=lib.int64", "1e10, dtype=lib.int32"),
        ],
    )
    def test_refused_as_in_torch(self, data):
        as_in_torch(f"T({data})", raises=True)

    def test_copies(self):
        array = np.ones(2)
        x = tensor(array)
        y = tensor(x)
        array[0] = x[1] = 5
        assert x.tolist() == [1, 5]
        assert y.tolist() == [1, 1]
        assert array.tolist() == [5, 1]

    @pytest.mark.parametrize(
        "expression",
        [
            "lib.as_tensor(x) is x",
            "lib.as_tensor([1., 2.])",
            "lib.as_tensor(np.ones(2))",
            "lib.as_tensor(np.ones(2), dtype=lib.float32)",
            "lib.from_numpy(np.ones(2))",
            "lib.Tensor([1, 2])",
            "list(lib.Tensor(2, 3).shape)",
            "list(lib.Tensor().shape)",
            "T(r).requires_grad",
            "T(r.detach(), requires_grad=True).is_leaf",
            "lib.zeros(2, dtype=lib.uint8).fill_(-1)",
        ],
    )
    def test_other_ways(self, expression):
        as_in_torch(expression)

    @pytest.mark.parametrize(
        "expression",
        [
            *(
                "lib.from_numpy([1.])",
                "lib.from_numpy(np.array('a'))",
                "lib.as_tensor(300, dtype=lib.int8)",
            ),
            *("lib.full((2,), 300, dtype=lib.uint8)", "lib.full_like(b.byte(), 300)"),
            *(
                "b.byte().fill_(300)",
                "operator.setitem(b.byte(), 0, 300)",
                "i.new_full((2,), math.nan)",
            ),
            "lib.randint(0, 300, (2,), dtype=lib.uint8)",
        ],
    )
    def test_other_ways_refused(self, expression):
        as_in_torch(expression, raises=True)

    def test_memory_shared_with_numpy(self):
        array = np.zeros(3, np.float32)
        for x in (autograd.from_numpy(array), autograd.as_tensor(array)):
            x.add_(1)
        assert array.tolist() == [2, 2, 2]
        x.numpy()[0] = 7
        assert array[0] == x[0].item() == 7


REPRS = [
    *("T(3.5)", "T(3)", "T(True)", "T([])", "T([[], []])", "T([1, 2.5])", "T([True, False])"),
    *("T([[1, 2], [3, 4]])", "T([1.0, 1e10])", "T([1.0, 1e-5])", "T([1e-5, 2e-5])"),
    *("T([0.1, 1000.5])", "T([float('inf'), -1.5])", "T(float('nan'))", "T([-0.0])", "T(1e-10)"),
    *("T(123456789.)", "T([99999., 1.])", "T([0.00012])", "T([100000.5])", "T([16777216.])"),
    *("T([12345678.5])", "T([1e8, 1.])", "T([1e-3, 1.])", "T([1e-4, 0.5])", "T([3, -4])"),
    *("lib.ones(2, 2, 2)", "lib.zeros(2, 0, 3)", "T([[1.0, -2.0], [3.5, 4.0]])", "T([1.5, -2.5])"),
    *("T([1.5], requires_grad=True)", "T([1.5], requires_grad=True) * 2", "r.sum()", "r.exp()"),
    *("m.T", "m[0]", "m[:, ::2]", "lib.arange(1001).sum()", "lib.ones(3, 4) * 1e-3", "T(-3)"),
    *("lib.empty(0)", "r.detach()", "T([1e300])", "T([[-1.0], [10.0]])", "lib.zeros(1, 1)"),
]


class TestPrinting:
    @pytest.mark.parametrize("expression", REPRS)
    def test_as_in_torch(self, expression):
        as_in_torch(f"repr({expression})")
        as_in_torch(f"str({expression})")

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (tensor([1.0, 2.0], dtype=autograd.float64), "tensor([1., 2.], dtype=float64)"),
            (tensor([1, 2], dtype=autograd.int32), "tensor([1, 2], dtype=int32)"),
            (autograd.zeros(0, dtype=autograd.int64), "tensor([], dtype=int64)"),
            (autograd.zeros(0, 2), "tensor([], size=(0, 2))"),
            (tensor([math.nan, 1.5]), "tensor([   nan, 1.5000])"),
            (tensor([math.inf, -math.inf, 2]), "tensor([ inf, -inf,   2.])"),
            (tensor([1 + 2j]), "tensor([1.+2.j], dtype=complex64)"),
        ],
    )
    def test_what_torch_says_otherwise(self, value, text):
        assert repr(value) == text

    def test_large_ones_are_shortened(self):
        text = repr(autograd.zeros(100, 100))
        assert text.count("\n") == 6
        assert "..." in text
        lines = repr(autograd.arange(2000).reshape(2, 1000)).splitlines()
        assert lines[0].endswith("999],") or "..." in lines[0]

    def test_a_write_shows(self):
        x = tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        y[0] = 3
        assert repr(y) == f"tensor([3., 2.], grad_fn={y.grad_fn!r})"

    def test_a_view_that_cannot_be_used_can_be_printed(self):
        x = tensor([1.0, 2.0], requires_grad=True) * 1
        with no_grad():
            v = x[:1]
        x.mul_(2)
        assert repr(v) == "tensor([2.])"

    @pytest.mark.parametrize(
        "expression",
        ["format(T(1.234), '.2f')", "f'{T(3):>4}'", "f'{x}'", "f'{s}'", "format(r.sum(), '.1e')"],
    )
    def test_format(self, expression):
        as_in_torch(expression)

    @pytest.mark.parametrize("expression", ["format(x, '.2f')", "format(T([1.5]), '.2f')"])
    def test_format_refused(self, expression):
        as_in_torch(expression, raises=True)


class TestNumbers:
    @pytest.mark.parametrize(
        "expression",
        [
            *("float(T(1.5))", "int(T(1.7))", "int(T(-1.7))", "bool(T([1.]))", "bool(T(0.))"),
            *("complex(T(1.5))", "float(T(3))", "float(T([[2.]]))", "float(r[0])"),
            *("[0, 1, 2][T(1)]", "operator.index(T(2))", "list(range(T(3)))", "math.sqrt(T(4.))"),
            *("T(3).item()", "T([[3.]]).item()", "T(True).item()", "x.tolist()", "s.tolist()"),
            *(
                "m.tolist()",
                "i.sum().tolist()",
                "len(x)",
                "len(m)",
                "list(x)",
                "list(m)",
                "list(i)",
            ),
            *("[v.tolist() for v in m]", "tuple(x)", "max(x)", "sum(x)", "sorted(T([2., 1.]))"),
            *("1. in x", "3. in x", "T(1.) in x", "hash(x) == hash(x)", "(T(1.) > 0) and 5"),
            *("x == x", "x == 'a'", "x != None", "x == None", "abs(T(-1))", "-x", "+x", "~b", "~i"),
            *("b & b", "i & 1", "1 & i", "i | 4", "i ^ 1", "b | T([False, True])", "divmod(5, 2)"),
            *("i == np.array([1, 2])", "x < np.float64(1.5)", "T(1.) < 2", "1 < T(2.)", "not s"),
        ],
    )
    def test_as_in_torch(self, expression):
        as_in_torch(expression)

    @pytest.mark.parametrize(
        "expression",
        [
            *("bool(T([]))", "bool(x)", "float(x)", "int(x)", "x.item()", "len(s)", "list(s)"),
            *("[0, 1][T(1.)]", "operator.index(x)", "[0][x]", "range(T(1.5))", "~x", "x & 1"),
            *("x + 'a'", "x + None", "x @ 'a'", "'a' * x", "x < 'a'"),
        ],
    )
    def test_refused_as_in_torch(self, expression):
        as_in_torch(expression, raises=True)

    def test_equal_tensors_are_different_keys(self):
        x, y = tensor([1.0]), tensor([1.0])
        assert len({x, y, x}) == 2
        assert {x: 1}[x] == 1

    def test_another_class_may_take_over(self):
        class Other:
            def __radd__(self, x):
                return "radd"

            def __rmatmul__(self, x):
                return "rmatmul"

        x = tensor([1.0])
        assert x + Other() == "radd"
        assert x @ Other() == "rmatmul"

    def test_writes_by_operators(self):
        def program(lib):
            x = lib.tensor([7.0, -9.0])
            kept = x
            x += 1
            x -= lib.tensor(2.0)
            x *= 3
            x /= 2
            x //= 2
            x %= 3
            x **= 2
            return x, kept is x

        agree(program, raises=False)

    def test_writes_by_bit_operators(self):
        def program(lib):
            x, b = lib.tensor([7, 9]), lib.tensor([True, False])
            kept = x, b
            x &= 5
            x |= 8
            x ^= 2
            b |= lib.tensor([False, True])
            b &= lib.tensor([True, False])
            return kept, kept[0] is x, kept[1] is b

        agree(program, raises=False)


class TestNumPy:
    @pytest.mark.parametrize(
        "expression",
        [
            *(
                "x * np.float64(2)",
                "np.float64(2) * x",
                "x + np.array([1., 2.])",
                "i * np.int64(2)",
            ),
            *(
                "x * 2.5",
                "2.5 * x",
                "x * i",
                "i * 2.5",
                "i / 2",
                "i / i",
                "b + b",
                "b * 2",
                "b + 1.5",
            ),
            *(
                "x * s",
                "i * s",
                "d * s",
                "x * d",
                "x * T(2., dtype=lib.float64)",
                "x ** 2",
                "2 ** x",
            ),
            *("x // 2", "5 % x", "np.float32(2) * x", "np.int64(2) * x", "i * np.float64(2.)"),
            *("s * np.float64(2.)", "np.float64(2.) * s", "np.float64(2.) - i", "1 - x", "1 / i"),
            *("np.float64(3) ** x", "np.float64(3) // x", "np.float64(3) % x", "np.float64(3) > x"),
            *("np.asarray(x)", "np.array(x)", "np.asarray(x, dtype=np.float64)", "x.numpy()"),
            *("np.array([x[0], x[1]])", "np.array([T(1.), T(2.)])", "np.concatenate([x, x])"),
            *(
                "np.asarray(r.detach())",
                "r.numpy(force=True)",
                "np.zeros(3)[i]",
                "np.stack([x, x])",
            ),
        ],
    )
    def test_as_in_torch(self, expression):
        as_in_torch(expression)

    @pytest.mark.parametrize("expression", ["np.asarray(r)", "r.numpy()", "np.array([r[0]])"])
    def test_refused_as_in_torch(self, expression):
        as_in_torch(expression, raises=True)

    @pytest.mark.parametrize(
        ("expression", "dtype"),
        [
            ("np.array([1., 2.]) + x", "float64"),
            ("np.array([1., 2.], dtype='float32') * x", "float32"),
            ("np.array(2.) * x", "float32"),
            ("np.exp(x)", "float32"),
            ("np.maximum(x, 1.5)", "float32"),
            ("np.multiply(2.0, x)", "float32"),
            ("np.matmul(np.eye(2, dtype='float32'), x)", "float32"),
            ("np.eye(2, dtype='float32') @ x", "float32"),
        ],
    )
    def test_ufuncs_are_recorded(self, expression, dtype):
        x = tensor([0.5, 2.0], requires_grad=True)
        y = eval(expression, {"np": np, "x": x})
        assert isinstance(y, autograd.Tensor)
        assert y.dtype == np.dtype(dtype)
        assert y.requires_grad
        y.sum().backward()
        assert x.grad.dtype == autograd.float32

    def test_what_numpy_cannot_record_is_refused(self):
        x = tensor([0.5, 2.0], requires_grad=True)
        for call in (np.cumsum, np.add.reduce, lambda x: np.add(x, 1, out=np.zeros(2))):
            with pytest.raises((TypeError, GraphError)):
                call(x)

    def test_array_with_and_without_a_copy(self):
        x = tensor([1.0, 2.0])
        assert np.asarray(x) is x.numpy()
        assert np.shares_memory(np.array(x, copy=None), x.numpy())
        assert not np.shares_memory(np.array(x), x.numpy())
        with pytest.raises(ValueError, match="copy"):
            np.array(x, dtype=np.float64, copy=False)


class TestConversion:
    @pytest.mark.parametrize(
        "expression",
        [
            *("x.to(lib.float64)", "x.to('cpu')", "x.to(d)", "x.to(lib.float32) is x"),
            *("x.to(lib.float32, copy=True) is x", "x.to(device='cpu', dtype=lib.int32)"),
            *("x.double()", "x.half()", "x.int()", "x.long()", "x.short()", "x.bool()", "x.byte()"),
            *("x.char()", "x.float() is x", "x.type(lib.float64)", "x.type_as(d)", "i.float()"),
            *("x.new_tensor([1, 2])", "x.new_zeros(2, 3)", "x.new_ones((2,))", "i.new_zeros(2)"),
            *("x.new_full((2,), 3)", "list(x.new_empty(2).shape)", "i.new_tensor(1.5)"),
            *("T([-1.5, 300.]).byte()", "x.cpu() is x", "x.contiguous() is x", "m.T.contiguous()"),
            *("r.double()", "r.long()", "r.double().sum()", "d.to(lib.float32)", "x.cfloat()"),
            *("T([1e300], dtype=lib.float64).float()", "x.is_floating_point()", "x.is_complex()"),
        ],
    )
    def test_as_in_torch(self, expression):
        as_in_torch(expression)

    def test_not_a_number_as_an_integer(self):
        assert tensor([math.nan, math.inf]).long().dtype == autograd.int64

    def test_gradients_come_back_in_the_type_of_the_input(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            (x.double() * x.half() * 3).sum().backward()
            return x.grad

        agree(program, raises=False)

    @pytest.mark.parametrize(
        "expression",
        [
            *(
                "list(x.shape)",
                "tuple(x.size())",
                "x.size(0)",
                "x.size(-1)",
                "x.stride()",
                "m.ndim",
            ),
            *("m.stride(0)", "m.T.stride()", "x.dim()", "x.numel()", "x.nelement()", "x.itemsize"),
            *("x.element_size()", "x.nbytes", "m.is_contiguous()", "m.T.is_contiguous()"),
            *("lib.Size((2, 3)).numel()", "m.shape.numel()", "list(m.shape + (1,))", "m.shape[0]"),
            *("m.shape == (2, 2)", "m.T", "m.mT", "s.T"),
        ],
    )
    def test_sizes_as_in_torch(self, expression):
        as_in_torch(expression)

    def test_sizes_out_of_range(self):
        as_in_torch("x.size(5)", raises=True)


class TestCopies:
    @pytest.mark.parametrize(
        "expression",
        [
            "copy.copy(x)",
            "copy.deepcopy(x)",
            "copy.deepcopy(r)",
            "copy.deepcopy(m.T)",
            "pickle.loads(pickle.dumps(d.T))",
            "pickle.loads(pickle.dumps(r))",
            "copy.deepcopy([x, x])[0] is copy.deepcopy([x, x])[1]",
            "(lambda pair: pair[0] is pair[1])(copy.deepcopy([x, x]))",
            "(lambda pair: pair[0] is pair[1])(pickle.loads(pickle.dumps([x, x])))",
        ],
    )
    def test_as_in_torch(self, expression):
        as_in_torch(expression)

    def test_a_shallow_copy_shares_memory_and_its_version(self):
        x = tensor([1.0, 2.0], requires_grad=True)
        y = copy.copy(x)
        z = (x * x).sum()
        with no_grad():
            y.add_(1)
        assert x.tolist() == [2, 3]
        with pytest.raises(autograd.InplaceError):
            z.backward()

    def test_a_deep_copy_shares_nothing(self):
        x = tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        y = copy.deepcopy(x)
        with no_grad():
            y.zero_()
        y.grad.zero_()
        assert x.tolist() == [1, 2]
        assert x.grad.tolist() == [2, 4]
        assert y.requires_grad
        assert y.is_leaf

    @pytest.mark.parametrize("act", [copy.copy, copy.deepcopy, pickle.dumps])
    def test_results_are_not_copied_as_objects(self, act):
        y = tensor([1.0], requires_grad=True) * 2
        with pytest.raises(GraphError, match=r"detach\(\) or clone\(\)"):
            act(y)
        act(y.detach())

    def test_subclasses_with_attributes(self):
        for act in (copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
            x = Named(tensor([1.0, 2.0]))
            x.requires_grad_()
            x.label = ["weight"]
            y = act(x)
            assert type(y) is Named
            assert y.label == ["weight"]
            assert y.tolist() == [1, 2]
            assert y.requires_grad
            assert type(y * 2) is autograd.Tensor
            assert (y.label is x.label) == (act is copy.copy)


class Named(autograd.Tensor):
    """A subclass with a ``__dict__``, as a Parameter is."""


class TestData:
    def test_setter(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            y = x * 3
            x.data = lib.tensor([5.0, 6.0])
            shares = x.data
            shares.add_(1)
            y.sum().backward()
            return x, x.grad, x.requires_grad, x.is_leaf, (x * x).sum()

        agree(program, raises=False)

    def test_setter_with_another_shape_or_type(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            x.data = lib.ones(3, dtype=lib.float64)
            (x * x).sum().backward()
            return x, x.grad

        agree(program, raises=False)

    def test_setter_shares_the_version(self):
        x, y = tensor([1.0, 2.0], requires_grad=True), tensor([3.0, 4.0])
        x.data = y
        z = (x * x).sum()
        y.zero_()
        with pytest.raises(autograd.InplaceError):
            z.backward()

    def test_setter_refuses(self):
        x = tensor([1.0, 2.0], requires_grad=True)
        with pytest.raises(DtypeError, match="int64"):
            x.data = tensor([1, 2])
        y = x * 2
        with pytest.raises(ShapeError, match="data"):
            y.data = tensor([1.0])
        assert y.tolist() == [2, 4]

    def test_getter_is_outside_the_graph_on_the_same_memory(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            x.data[0] = 5
            x.data.mul_(2)
            y = x * 1
            return x, x.data.requires_grad, y.data.is_leaf, y.data

        agree(program, raises=False)


class TestGrad:
    @pytest.mark.parametrize(
        "value",
        [
            "lib.ones(3)",
            "lib.ones(2, dtype=lib.float64)",
            "lib.ones(2, dtype=lib.int64)",
            "[1.0, 2.0]",
            "np.ones(2)",
            "x",
        ],
    )
    def test_setter_refuses(self, value):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            x.grad = eval(value, {"lib": lib, "np": np, "x": x})

        agree(program, raises=True)

    def test_setter(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            x.grad = lib.tensor([5.0, 6.0])
            x.sum().backward()
            first = x.grad.clone()
            x.grad = None
            x.sum().backward()
            return first, x.grad

        agree(program, raises=False)

    @pytest.mark.parametrize(
        ("act", "raises"),
        [
            (lambda lib, x: (x * 2).requires_grad_(False), True),
            (lambda lib, x: (x * 2).requires_grad_(), False),
            (lambda lib, x: x.requires_grad_(False).requires_grad, False),
            (lambda lib, x: x.detach().requires_grad_().is_leaf, False),
            (lambda lib, x: lib.tensor([1]).requires_grad_(), True),
            (lambda lib, x: lib.tensor([True]).requires_grad_(), True),
            (lambda lib, x: lib.tensor([1]).requires_grad_(False), False),
            (lambda lib, x: setattr(lib.tensor([1]), "requires_grad", True), True),
            (lambda lib, x: setattr(x, "requires_grad", False), False),
            (lambda lib, x: (x * 2).detach_(), False),
            (lambda lib, x: (x * 2)[:1].detach_(), True),
            (lambda lib, x: x.long().requires_grad, False),
            (lambda lib, x: (x > 1).requires_grad, False),
        ],
    )
    def test_requires_grad(self, act, raises):
        agree(lambda lib: act(lib, lib.tensor([1.0, 2.0], requires_grad=True)), raises)

    def test_detach(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            y = x * 2
            d = y.detach()
            d.mul_(10)
            (y + d.sum()).sum().backward()
            z = x * 2
            z.detach_()
            return y, d, x.grad, z.requires_grad, d.is_leaf

        agree(program, raises=False)

    def test_switching_off_a_leaf(self):
        def program(lib):
            x = lib.tensor([1.0, 2.0], requires_grad=True)
            y = (x * 2).sum()
            x.requires_grad_(False)
            z = x * 3
            y.backward()
            return z.requires_grad, x.grad

        agree(program, raises=False)
