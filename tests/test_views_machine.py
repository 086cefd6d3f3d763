"""Random programs of views, in-place writes, detach(), no_grad and backward passes.

The truth is `jets`: forward-mode derivatives that move through modelled memory. After every step
values agree; a write either happens or raises exactly when it must, and then nothing has changed; a
gradient, of first or second order, is right, or a value that it needs was overwritten. Never is it
silently wrong.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from jets import (
    NOTHING,
    SLOTS,
    Handle,
    Jet,
    Layer,
    Memory,
    Refused,
    add,
    chain,
    div,
    joined,
    matmul,
    mul,
)

import autograd
from autograd import Function, enable_grad, no_grad, tensor

LIMIT = 4.0
SHAPES = [(), (1,), (2,), (3,), (4,), (2, 2), (2, 3), (3, 2), (1, 3), (2, 1, 2)]
NUMBERS = st.sampled_from([-1.75, -1.5, -1.25, -0.75, -0.4, 0.3, 0.6, 1.1, 1.4, 1.9])
MODES = st.sampled_from([True, True, True, True, False])
CUBE, PLACES = [0.5, -1.25, 2.0], [1.0, -0.5, 0.25]
seen: Counter[str] = Counter()


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return out * g


class SineAndCosine(Function):
    @staticmethod
    def forward(ctx, x):
        sine, cosine = x.sin(), x.cos()
        ctx.save_for_backward(sine, cosine)
        return sine, cosine

    @staticmethod
    def backward(ctx, g, h):
        sine, cosine = ctx.saved_tensors
        return g * cosine - h * sine


class ScaleInPlace(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(0.5)

    @staticmethod
    def backward(ctx, g):
        return g * 0.5


def linear(scale, shift=0.0):
    def derive(x):
        v = scale * x.v + shift
        return chain(x.unsaved(), v, np.full_like(v, scale), np.zeros_like(v))

    return derive


def smooth(f, first, second):
    return lambda x: chain(x, f(x.v), first(x.v), second(x.v))


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def slope(v):
    return sigmoid(v) * (1 - sigmoid(v))


def zero(v):
    return np.zeros_like(v)


def inside(v):
    return ((v > -1) & (v < 1)).astype(float)


UNARY = {
    "sin": smooth(np.sin, np.cos, lambda v: -np.sin(v)),
    "tanh": smooth(
        np.tanh,
        lambda v: 1 - np.tanh(v) ** 2,
        lambda v: -2 * np.tanh(v) * (1 - np.tanh(v) ** 2),
    ),
    "sigmoid": smooth(sigmoid, slope, lambda v: slope(v) * (1 - 2 * sigmoid(v))),
    "exp": smooth(np.exp, np.exp, np.exp),
    "square": smooth(np.square, lambda v: 2 * v, lambda v: np.full_like(v, 2.0)),
    "neg": linear(-1.0),
    "abs": smooth(np.abs, np.sign, zero),
    "relu": smooth(lambda v: np.maximum(v, 0), lambda v: (v > 0) * 1.0, zero),
    "floor": lambda x: smooth(np.floor, zero, zero)(x.unsaved()),
    "clamp": smooth(lambda v: np.clip(v, -1, 1), inside, zero),
}
ARGUMENTS = {"clamp": (-1, 1)}
BINARY = {
    "add": add,
    "sub": lambda x, y: add(x, y, -1.0),
    "mul": mul,
    "div": div,
}


def lerp(x, end, weight):
    return add(x, mul(weight, add(end, x, -1.0)))


def addcmul(x, a, b):
    return add(x, mul(a, b), 0.5)


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.handles: list[Handle] = []
        self.leaves: list[tuple[Handle, object, slice]] = []
        self.expected: dict[int, np.ndarray] = {}  # what has been accumulated, by leaf
        self.freed: set = set()
        self.used = 0
        self.names = 0

    # the program

    def name(self):
        self.names += 1
        return f"t{self.names - 1}"

    def keep(self, real, jet, line):
        handle = Handle.fresh(self.name(), real, jet)
        note(f"{handle} = {line}  # {tuple(real.shape)}")
        self.handles.append(handle)
        return handle

    def draw(self, data, accept=lambda handle: True):
        options = [handle for handle in self.handles if accept(handle)]
        return options[data.draw(st.integers(0, len(options) - 1))] if options else None

    def target(self, data, accept=lambda handle: True):
        """A tensor to be written to, often one where more can happen than a refusal."""
        options = [h for h in self.handles if accept(h) and not h.layer.leaf]
        views = [h for h in options if not h.owner and h.layer.requires and h.tracked]
        preferred = (views, views, options)[data.draw(st.integers(0, 2))]
        return self.draw(data, lambda h: accept(h) and (not preferred or h in preferred))

    def attempt(self, act, model, recording, line):
        """Do something in the engine and in the model: both succeed, or both refuse."""
        before = [(h, h.real.array.copy(), tuple(h.real._version)) for h in self.handles]
        nodes = [(h, h.real._node) for h in self.handles if h.owner]
        doubtful = recording and any(h.doubtful for h in self.handles)
        try:
            expected = model()
        except Refused:
            expected = Refused
        prefix = "" if recording else "no_grad: "
        try:
            with enable_grad() if recording else no_grad():
                real = act()
        except (autograd.InplaceError, autograd.ShapeError) as error:
            note(f"{prefix}{line}  # {type(error).__name__}: {error}")
            assert expected is Refused or doubtful
            for handle, values, version in before:
                np.testing.assert_array_equal(handle.real.array, values)
                assert tuple(handle.real._version) == version
            for handle, node in nodes:
                assert handle.real._node is node
            seen["refused"] += 1
            return None
        assert expected is not Refused, f"not refused: {prefix}{line}"
        return real, expected, prefix + line

    def compute(self, act, model, recording, line):
        done = self.attempt(act, model, recording, line)
        if done is not None:
            self.keep(*done)

    def write(self, handle, act, model, recording, line, index=(Ellipsis,)):
        """An in-place write; the model's part is done after the engine's."""

        def checked():
            jet = model()
            handle.check_write(recording, jet.requires)
            return jet

        done = self.attempt(act, checked, recording, line)
        if done is not None:
            note(done[2])
            handle.write(done[1], recording, index)
            seen["view write" if not handle.owner else "write"] += 1

    def small(self, handle):
        return handle.values.size > 0 and np.abs(handle.values).max() < LIMIT

    # making tensors

    @initialize(data=st.data())
    def begin(self, data):
        self.leaf(data)
        self.scaled(data)
        self.view(data, True)

    @rule(data=st.data())
    def scaled(self, data):
        source = self.draw(data)
        function = linear(2.0)
        self.compute(
            lambda: source.real * 2.0, lambda: function(source.read(True)), True, f"{source} * 2.0"
        )

    @precondition(lambda self: self.used < SLOTS)
    @rule(data=st.data())
    def leaf(self, data):
        shape = data.draw(st.sampled_from([s for s in SHAPES if np.prod(s) <= SLOTS - self.used]))
        handle = self.numbers(data, shape)
        self.make_leaf(handle, handle.real.requires_grad_())

    @rule(data=st.data(), shape=st.sampled_from(SHAPES))
    def plain(self, data, shape):
        self.numbers(data, shape)

    def numbers(self, data, shape):
        size = int(np.prod(shape))
        values = np.reshape(data.draw(st.lists(NUMBERS, min_size=size, max_size=size)), shape)
        real = tensor(values, dtype=autograd.float64)
        return self.keep(real, Jet.constant(values), f"tensor({values.tolist()})")

    def make_leaf(self, handle, real):
        note(f"{handle}.requires_grad_()")
        count = handle.cells.size
        slots = slice(self.used, self.used + count)
        jet = Jet.constant(handle.values)
        jet.j.reshape(count, SLOTS)[:, slots] = np.eye(count)
        handle.put(jet, handle.cells, NOTHING)
        handle.layer.leaf = True
        self.used += count
        self.leaves.append((handle, real, slots))

    @precondition(lambda self: self.used < SLOTS)
    @rule(data=st.data())
    def require_grad_later(self, data):
        """A view that becomes a leaf is from then on on its own, as its detach() would be."""
        handle = self.draw(
            data,
            lambda h: not (h.layer.requires or (h.owner and h.layer.viewed))
            and h.cells.size <= SLOTS - self.used
            and h.values.flags.writeable,
        )
        if handle is None:
            return
        handle.layer = Layer.blank(handle.memory)
        handle.owner = handle.tracked = True
        self.make_leaf(handle, handle.real.requires_grad_())

    @rule(data=st.data(), attribute=st.booleans())
    def detach(self, data, attribute):
        source = self.draw(data)
        real = source.real.data if attribute else source.real.detach()
        handle = Handle(
            self.name(),
            real,
            source.memory,
            Layer.blank(source.memory),
            source.values,
            source.cells,
        )
        note(f"{handle} = {source}.{'data' if attribute else 'detach()'}")
        self.handles.append(handle)

    @rule(data=st.data())
    def set_data(self, data):
        handle = self.draw(data, lambda h: h.owner)
        source = self.draw(
            data,
            lambda h: h.values.shape == handle.values.shape
            and h.values.flags.writeable
            and h.memory is not handle.memory
            and all(h.real.array is not array for array in handle.past),
        )
        if source is None:
            return
        handle.past.append(handle.real.array)
        note(f"{handle}.data = {source}")
        old, cells = handle.layer, handle.cells
        handle.real.data = source.real
        layer = Layer.blank(source.memory)
        handle.memory, handle.values, handle.cells = source.memory, source.values, source.cells
        handle.layer = layer
        layer.j[handle.cells.ravel()] = old.j[cells.ravel()]
        layer.h[handle.cells.ravel()] = old.h[cells.ravel()]
        layer.requires, layer.leaf, layer.reads = old.requires, old.leaf, old.reads
        old.lost = True

    @rule(data=st.data())
    def drop(self, data):
        if len(self.handles) > 3:
            handle = self.draw(data, lambda h: all(h is not leaf for leaf, _, _ in self.leaves))
            if handle is not None:
                note(f"del {handle}")
                self.handles.remove(handle)

    # views

    @rule(data=st.data(), recording=MODES)
    def view(self, data, recording):
        source = self.draw(data, lambda h: h.values.size > 0)
        function, line = data.draw(views(source.values.shape))
        values = function(source.values)
        cells = function(source.cells)
        if values.size > 24:
            return
        shares = np.shares_memory(values, source.memory.values)
        if not shares:
            self.compute(
                lambda: function(source.real),
                lambda: self.moved(source.read(recording), function),
                recording,
                f"{source}{line}",
            )
            return

        def model():
            source.read(recording)
            return cells

        done = self.attempt(lambda: function(source.real), model, recording, f"{source}{line}")
        if done is None:
            return
        handle = Handle(
            self.name(), done[0], source.memory, source.layer, values, cells, owner=False
        )
        handle.tracked = source.tracked and recording
        handle.seen = (source.layer.histories, source.memory.histories)
        source.layer.viewed = True
        note(f"{handle} = {done[2]}  # {values.shape}")
        self.handles.append(handle)

    @staticmethod
    def moved(jet, function):
        """A copy of some cells: which ones, their numbers show."""
        places = function(np.arange(jet.v.size).reshape(jet.v.shape)).ravel()
        shape = function(jet.v).shape
        rows = jet.each(lambda part: part.reshape((jet.v.size, *part.shape[jet.v.ndim :]))[places])
        return rows.each(lambda part: part.reshape((*shape, *part.shape[1:]))).unsaved()

    # operations

    @rule(data=st.data(), recording=MODES, name=st.sampled_from(sorted(UNARY)))
    def unary(self, data, recording, name):
        source = self.draw(data, self.small)
        if source is None:
            return
        arguments = ARGUMENTS.get(name, ())
        if away_from_kinks(source):
            self.compute(
                lambda: getattr(source.real, name)(*arguments),
                lambda: UNARY[name](source.read(recording)),
                recording,
                f"{source}.{name}{arguments}",
            )

    @rule(data=st.data(), recording=MODES, name=st.sampled_from(sorted(BINARY)))
    def binary(self, data, recording, name):
        x, y = self.draw(data, self.small), self.draw(data, self.small)
        if x is None or (name == "div" and np.abs(y.values).min() < 0.25):
            return
        if broadcast_of(x, y) is None:
            return
        self.compute(
            lambda: getattr(x.real, name)(y.real),
            lambda: BINARY[name](x.read(recording), y.read(recording)),
            recording,
            f"{x}.{name}({y})",
        )

    @rule(data=st.data(), recording=MODES, keepdim=st.booleans())
    def sum(self, data, recording, keepdim):
        source = self.draw(data, lambda h: self.small(h) and h.values.ndim)
        if source is not None:
            dim = data.draw(st.integers(0, source.values.ndim - 1))

            def model():
                jet = source.read(recording)
                return jet.each(lambda part: part.sum(dim, keepdims=keepdim)).unsaved()

            line = f"{source}.sum({dim}, {keepdim})"
            self.compute(lambda: source.real.sum(dim, keepdim), model, recording, line)

    @rule(data=st.data(), recording=MODES, kind=st.sampled_from(["cat", "stack", "matmul"]))
    def combine(self, data, recording, kind):
        x = self.draw(data, lambda h: h.values.ndim > 0 and self.small(h))
        if x is None:
            return
        if kind == "matmul":
            y = self.draw(
                data,
                lambda h: h.values.ndim == x.values.ndim == 2
                and h.values.shape[0] == x.values.shape[1]
                and self.small(h),
            )
        else:
            y = self.draw(data, lambda h: h.values.shape == x.values.shape)
        if y is None or x.values.size + y.values.size > 24:
            return

        def act():
            if kind == "matmul":
                return x.real @ y.real
            return getattr(autograd, kind)([x.real, y.real])

        def model():
            jets = [x.read(recording), y.read(recording)]
            if kind == "matmul":
                return matmul(*jets)
            return joined({"cat": np.concatenate, "stack": np.stack}[kind], jets, 0)

        self.compute(act, model, recording, f"{kind}({x}, {y})")

    @rule(
        data=st.data(),
        recording=MODES,
        function=st.sampled_from([(Square, "square"), (Exp, "exp"), (SineAndCosine, None)]),
    )
    def custom(self, data, recording, function):
        source = self.draw(data, self.small)
        if source is None:
            return
        cls, name = function
        line = f"{cls.__name__}.apply({source})"
        if name is not None:
            self.compute(
                lambda: cls.apply(source.real),
                lambda: UNARY[name](source.read(recording)),
                recording,
                line,
            )
            return

        def model():
            jet = source.read(recording)
            cosine = smooth(np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v))
            return UNARY["sin"](jet), cosine(jet)

        done = self.attempt(lambda: cls.apply(source.real), model, recording, line)
        if done is not None:
            pair = [self.keep(real, jet, done[2]) for real, jet in zip(*done[:2], strict=True)]
            for handle in pair:  # both outputs are saved for both gradients
                if handle.layer.requires:
                    handle.layer.reads |= {(other.memory, 0) for other in pair}

    # writes

    @rule(data=st.data(), recording=MODES, name=st.sampled_from(sorted(UNARY)))
    def unary_inplace(self, data, recording, name):
        handle = self.target(data, self.small)
        if handle is None or not away_from_kinks(handle):
            return
        arguments = ARGUMENTS.get(name, ())
        self.write(
            handle,
            lambda: getattr(handle.real, f"{name}_")(*arguments),
            lambda: UNARY[name](handle.read(recording)),
            recording,
            f"{handle}.{name}_{arguments}",
        )

    @rule(data=st.data(), recording=MODES, scale=NUMBERS, kind=st.sampled_from(["mul", "add"]))
    def scalar_inplace(self, data, recording, scale, kind):
        handle = self.target(data, self.small)
        if handle is None:
            return
        function = linear(scale) if kind == "mul" else linear(1.0, scale)
        self.write(
            handle,
            lambda: getattr(handle.real, f"{kind}_")(scale),
            lambda: function(handle.read(recording)),
            recording,
            f"{handle}.{kind}_({scale})",
        )

    @rule(data=st.data(), recording=MODES, name=st.sampled_from(sorted(BINARY)))
    def binary_inplace(self, data, recording, name):
        handle, other = self.target(data, self.small), self.draw(data, self.small)
        if handle is None or (name == "div" and np.abs(other.values).min() < 0.25):
            return

        def model():
            jets = handle.read(recording), other.read(recording)
            if broadcast_of(handle, other) != handle.values.shape:
                raise Refused
            return BINARY[name](*jets)

        self.write(
            handle,
            lambda: getattr(handle.real, f"{name}_")(other.real),
            model,
            recording,
            f"{handle}.{name}_({other})",
        )

    @rule(data=st.data(), recording=MODES, kind=st.sampled_from([lerp, addcmul]))
    def ternary_inplace(self, data, recording, kind):
        handle = self.target(data, self.small)
        if handle is None:
            return

        def accept(other):
            return self.small(other) and broadcast_of(handle, other) == handle.values.shape

        a, b = self.draw(data, accept), self.draw(data, accept)
        name = f"{kind.__name__}_"
        options = {} if kind is lerp else {"value": 0.5}
        self.write(
            handle,
            lambda: getattr(handle.real, name)(a.real, b.real, **options),
            lambda: kind(*(h.read(recording) for h in (handle, a, b))),
            recording,
            f"{handle}.{name}({a}, {b}, {options})",
        )

    @rule(data=st.data(), recording=MODES)
    def scale_by_function(self, data, recording):
        handle = self.target(data, self.small)
        if handle is not None:
            self.write(
                handle,
                lambda: ScaleInPlace.apply(handle.real),
                lambda: linear(0.5)(handle.read(recording)),
                recording,
                f"ScaleInPlace.apply({handle})",
            )

    @rule(data=st.data(), recording=MODES, constant=st.booleans(), number=NUMBERS)
    def assign(self, data, recording, constant, number):
        handle = self.target(data, lambda h: h.values.size > 0)
        index = data.draw(indices(handle.values.shape))
        region = handle.values[index].shape
        if constant:
            value, model, text = number, lambda: Jet.constant(number), str(number)
        else:
            other = self.draw(
                data, lambda h: fits(h.values.shape, region) and h.values.size and h is not handle
            )
            other = other or self.draw(data, lambda h: fits(h.values.shape, region))
            if other is None:
                return
            value, text = other.real, str(other)

            def model():
                handle.read(recording)
                return trimmed(other.read(recording).unsaved(), len(region))

        self.write(
            handle,
            lambda: handle.real.__setitem__(index, value),
            model,
            recording,
            f"{handle}[{shown(index)}] = {text}",
            index,
        )

    @rule(data=st.data(), recording=MODES)
    def assign_shifted(self, data, recording):
        """``x[1:] = x[:-1]`` and the reverse: the written place and the read one overlap."""
        handle = self.target(data, lambda h: h.values.ndim > 0 and len(h.values) > 1)
        if handle is None:
            return
        to, of = slice(1, None), slice(None, -1)
        if data.draw(st.booleans()):
            to, of = of, to

        def act():
            handle.real[to] = handle.real[of]

        self.write(
            handle,
            act,
            lambda: handle.read(recording).unsaved().each(lambda part: part[of]),
            recording,
            f"{handle}[{shown((to,))}] = {handle}[{shown((of,))}]",
            (to,),
        )

    @rule(
        data=st.data(),
        recording=MODES,
        kind=st.sampled_from(["zero_", "fill_", "copy_", "masked_fill_"]),
        number=NUMBERS,
    )
    def fill(self, data, recording, kind, number):
        handle = self.target(data, lambda h: h.values.size > 0)
        shape = handle.values.shape
        single = kind in ("fill_", "masked_fill_")
        other = self.draw(
            data, lambda h: h.values.shape == () if single else fits(h.values.shape, shape)
        )
        if kind != "zero_" and other is None:
            return
        mask = np.arange(handle.values.size).reshape(shape) % 2 == 0
        arguments = {
            "zero_": (),
            "masked_fill_": (tensor(mask), other and other.real),
        }.get(kind, (other and other.real,))

        def model():
            old = handle.read(recording).unsaved()
            if kind == "zero_":
                return Jet.constant(0.0)
            new = trimmed(other.read(recording).unsaved(), len(shape)).broadcast(shape)
            if kind != "masked_fill_":
                return new
            keep, take = Jet.constant(~mask), Jet.constant(mask)
            return add(mul(old, keep), mul(new, take)).unsaved()

        self.write(
            handle,
            lambda: getattr(handle.real, kind)(*arguments),
            model,
            recording,
            f"{handle}.{kind}({'' if kind == 'zero_' else other})",
        )

    @rule(data=st.data(), recording=MODES, kind=st.sampled_from(["index_add_", "scatter_add_"]))
    def add_at(self, data, recording, kind):
        handle = self.target(data, lambda h: h.values.ndim == 1 and self.small(h))
        if handle is None:
            return
        source = self.draw(data, lambda h: h.values.ndim == 1 and self.small(h))
        count = len(source.values)
        places = data.draw(
            st.lists(st.integers(0, len(handle.values) - 1), min_size=count, max_size=count)
        )
        spread = np.zeros((len(handle.values), count))
        spread[places, np.arange(count)] = 1

        def model():
            jets = [source.read(recording).unsaved(), handle.read(recording)]
            return add(jets[0].each(lambda part: np.tensordot(spread, part, 1)), jets[1])

        self.write(
            handle,
            lambda: getattr(handle.real, kind)(0, tensor(places), source.real),
            model,
            recording,
            f"{handle}.{kind}(0, {places}, {source})",
        )

    # gradients

    def gradient_of(self, handle, data):
        size = handle.values.size
        numbers = data.draw(st.lists(NUMBERS, min_size=size, max_size=size))
        return np.reshape(numbers, handle.values.shape)

    def found(self, act, handle):
        """The result of a backward pass, or None where it may refuse, and has."""
        try:
            return act()
        except autograd.GraphError:
            assert not handle.requires or handle.spoilt(self.freed)
        except autograd.InplaceError:
            assert handle.spoilt(self.freed) or handle.doubtful
        seen["spoilt"] += 1
        return None

    @rule(data=st.data(), second=st.booleans(), recording=MODES)
    def differentiate(self, data, second, recording):
        handle = self.draw(data, lambda h: h.values.size > 0)
        g = self.gradient_of(handle, data)
        note(f"grad({handle}, leaves, {g.tolist()}, create_graph={second})")
        leaves = [real for _, real, _ in self.leaves]

        def act():
            with enable_grad() if recording else no_grad():
                return autograd.grad(
                    handle.real,
                    leaves,
                    tensor(g, dtype=autograd.float64),
                    retain_graph=True,
                    create_graph=second,
                    allow_unused=True,
                )

        grads = self.found(act, handle)
        if grads is None:
            return
        assert handle.requires
        jet = handle.read(True)
        flat = g.ravel()
        first = flat @ jet.j.reshape(-1, SLOTS)
        for gradient, (_, _, slots) in zip(grads, self.leaves, strict=True):
            self.compare(gradient, first[slots])
        seen["gradient"] += 1
        if second:
            self.differentiate_again(data, handle, grads, flat, jet)

    def differentiate_again(self, data, handle, grads, flat, jet):
        weights = np.array(data.draw(st.lists(NUMBERS, min_size=SLOTS, max_size=SLOTS)))
        total = tensor(0.0, dtype=autograd.float64, requires_grad=True) * 0.0
        for gradient, (_, real, slots) in zip(grads, self.leaves, strict=True):
            if gradient is not None:
                weight = weights[slots].reshape(real.shape)
                total = total + (gradient * tensor(weight, dtype=autograd.float64)).sum()
        leaves = [real for _, real, _ in self.leaves]
        again = self.found(
            lambda: autograd.grad(total, leaves, retain_graph=True, allow_unused=True), handle
        )
        if again is None:
            return
        hessian = np.tensordot(flat, jet.h.reshape(-1, SLOTS, SLOTS), 1)
        for gradient, (_, _, slots) in zip(again, self.leaves, strict=True):
            self.compare(gradient, (weights @ hessian)[slots])
        seen["second gradient"] += 1

    @rule(data=st.data(), retain=st.sampled_from([True, True, False]))
    def backward(self, data, retain):
        handle = self.draw(data, lambda h: h.values.size > 0 and h.requires)
        if handle is None:
            return
        g = self.gradient_of(handle, data)
        note(f"{handle}.backward({g.tolist()}, retain_graph={retain})")
        given = tensor(g, dtype=autograd.float64)
        done = self.found(lambda: handle.real.backward(given, retain_graph=retain) or True, handle)
        np.testing.assert_array_equal(given.array, g)
        if done is not None:
            first = g.ravel() @ handle.read(True).j.reshape(-1, SLOTS)
            for place, (_, _, slots) in enumerate(self.leaves):
                self.expected[place] = self.expected.get(place, 0) + first[slots]
            seen["backward"] += 1
        if not retain:
            self.freed |= {read for read in handle.layer.reads if isinstance(read, int)}

    def compare(self, gradient, expected):
        values = 0.0 if gradient is None else gradient.array.ravel()
        scale = max(1.0, np.abs(expected).max(initial=0.0))
        np.testing.assert_allclose(values, expected, rtol=1e-8, atol=1e-9 * scale)

    # what always holds

    @invariant()
    def agree(self):
        for handle in self.handles:
            np.testing.assert_allclose(handle.real.array, handle.values, rtol=1e-9, atol=1e-12)

        for place, (_, real, _) in enumerate(self.leaves):
            if place in self.expected:
                self.compare(real.grad, self.expected[place])

    @rule(data=st.data())
    def look(self, data):
        handle = self.draw(data)
        assert handle.real.requires_grad == handle.requires
        assert handle.real.is_leaf == (handle.layer.leaf and handle.owner or not handle.requires)
        seen["look"] += 1


def broadcast_of(x, y):
    try:
        shape = np.broadcast_shapes(x.values.shape, y.values.shape)
    except ValueError:
        return None
    return shape if np.prod(shape) <= 24 else None


def fits(shape, region):
    """Whether values of a shape can be written to a region; leading axes of 1 are dropped."""
    lead = max(len(shape) - len(region), 0)
    rest = shape[lead:]
    tail = region[len(region) - len(rest) :]
    return all(size == 1 for size in shape[:lead]) and all(
        size in (1, wanted) for size, wanted in zip(rest, tail, strict=True)
    )


def trimmed(jet, ndim):
    return jet.each(lambda part: part[(0,) * max(jet.v.ndim - ndim, 0)])


def away_from_kinks(handle):
    kinks = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return np.abs(handle.values[..., None] - kinks).min(initial=1.0) > 1e-3


def shown(index):
    return ", ".join(
        f"{p.start}:{p.stop}:{p.step}".replace("None", "")
        if isinstance(p, slice)
        else repr(p.tolist() if isinstance(p, np.ndarray) else p)
        for p in index
    )


@st.composite
def slices(draw, size):
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    step = draw(st.sampled_from([1, 1, 2, -1]))
    return slice(start, stop, step) if step > 0 else slice(None, None, -1)


@st.composite
def basic_indices(draw, shape):
    parts = []
    for size in shape:
        kind = draw(st.sampled_from(["all", "slice", "number"]))
        parts.append(
            slice(None)
            if kind == "all"
            else draw(slices(size))
            if kind == "slice"
            else draw(st.integers(-size, size - 1))
        )
    if draw(st.booleans()):
        parts.insert(draw(st.integers(0, len(parts))), None)
    if draw(st.booleans()):
        parts = [*parts[: draw(st.integers(0, len(parts)))], Ellipsis]
    return tuple(parts)


@st.composite
def advanced_indices(draw, shape):
    if draw(st.booleans()):
        flags = draw(st.lists(st.booleans(), min_size=shape[0], max_size=shape[0]))
        return (np.array(flags),) if any(flags) else (slice(None),)
    numbers = st.integers(-shape[0], shape[0] - 1)
    places = np.array(draw(st.lists(numbers, min_size=1, max_size=4)))
    if len(shape) > 1 and draw(st.booleans()):
        return (slice(None), np.array([draw(st.integers(0, shape[1] - 1))] * 2))
    return (places,)


@st.composite
def indices(draw, shape):
    if shape and draw(st.integers(0, 2)) == 0:
        return draw(advanced_indices(shape))
    return draw(basic_indices(shape))


@st.composite
def views(draw, shape):
    """A function that acts alike on arrays and on tensors, and its text."""
    ndim = len(shape)
    options = ["index", "reshape", "unsqueeze", "expand"]
    options += ["permute", "squeeze", "part", "index", "transpose"] if ndim else []
    options += ["diagonal"] if ndim > 1 else []
    kind = draw(st.sampled_from(options))
    if kind == "index":
        index = draw(indices(shape))
        whole = any(part is Ellipsis or isinstance(part, np.ndarray) for part in index)
        of_array = index if whole else (*index, Ellipsis)  # which is a view of a single element
        return (
            lambda x: x[of_array if isinstance(x, np.ndarray) else index],
            f"[{shown(index)}]",
        )
    if kind == "reshape":
        size = int(np.prod(shape))
        first = draw(st.sampled_from([k for k in range(1, size + 1) if size % k == 0]))
        wanted = draw(st.sampled_from([(size,), (first, size // first), (1, size), shape]))
        return (lambda x: x.reshape(*wanted) if wanted else x.reshape(())), f".reshape{wanted}"
    if kind == "unsqueeze":
        dim = draw(st.integers(0, ndim))
        return both("unsqueeze", np.expand_dims, dim), f".unsqueeze({dim})"
    if kind == "expand":
        wanted = (2, *(draw(st.sampled_from([s, 3])) if s == 1 else s for s in shape))
        return both("expand", np.broadcast_to, wanted), f".expand{wanted}"
    if kind == "permute":
        dims = tuple(draw(st.permutations(range(ndim))))
        return both("permute", np.transpose, dims), f".permute{dims}"
    if kind == "transpose":
        dims = draw(st.integers(0, ndim - 1)), draw(st.integers(0, ndim - 1))
        return both("transpose", np.swapaxes, *dims), f".transpose{dims}"
    if kind == "squeeze":
        kept = tuple(s for s in shape if s != 1)
        return both("squeeze", lambda x: x.reshape(kept)), ".squeeze()"
    if kind == "part":
        dim = draw(st.integers(0, ndim - 1))
        place = draw(st.integers(0, shape[dim] - 1))
        lead = (slice(None),) * dim

        def part(x):
            if isinstance(x, np.ndarray):
                return x[(*lead, place, Ellipsis)]
            return x.unbind(dim)[place]

        return part, f".unbind({dim})[{place}]"
    offset = draw(st.integers(-1, 1))
    dims = draw(st.permutations(range(ndim)))[:2]

    def diagonal(x):
        result = x.diagonal(offset, *dims)
        if isinstance(x, np.ndarray) and x.flags.writeable:
            result.flags.writeable = True
        return result

    return diagonal, f".diagonal({offset}, {dims[0]}, {dims[1]})"


def both(name, function, *arguments):
    """The tensor's method, and what NumPy has in its place."""

    def apply(x):
        if isinstance(x, np.ndarray):
            return function(x, *arguments)
        return getattr(x, name)(*arguments)

    return apply


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_the_machine_reaches_what_it_is_for():
    """Runs after the machine: it has differentiated, written through views, and been refused."""
    if not seen:
        pytest.skip("the machine has not run")
    wanted = {"gradient", "second gradient", "backward", "write", "view write", "refused"}
    assert {name for name in wanted if seen[name] < 3} == set()
