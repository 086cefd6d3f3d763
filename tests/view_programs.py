"""Programs of views, in-place writes, detach(), no_grad and backward passes, checked as they run.

The truth is `jets`. After every step values agree; a write either happens or raises exactly when
it must, and then nothing has changed; a gradient, of first or second order, is right, or a value
that it needs was overwritten. Never is it silently wrong. What a program does is decided by a
function that chooses a number below another one: Hypothesis, or a generator of random numbers.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from jets import (
    NOTHING,
    SLOTS,
    Handle,
    Jet,
    Layer,
    Refused,
    add,
    chain,
    div,
    joined,
    matmul,
    mul,
    spoilt,
)

import autograd
from autograd import Function, enable_grad, float64, no_grad, tensor

LIMIT = 4.0  # larger values are left alone, so that no power of them overflows
CELLS = 24  # nor are there larger tensors
SHAPES = [(), (1,), (2,), (3,), (4,), (2, 2), (2, 3), (3, 2), (1, 3), (2, 1, 2)]
NUMBERS = [-1.75, -1.5, -1.25, -0.75, -0.4, 0.3, 0.6, 1.1, 1.4, 1.9]


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


def steepness(v):
    return 1 - np.tanh(v) ** 2


UNARY = {
    "sin": smooth(np.sin, np.cos, lambda v: -np.sin(v)),
    "cos": smooth(np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)),
    "tanh": smooth(np.tanh, steepness, lambda v: -2 * np.tanh(v) * steepness(v)),
    "sigmoid": smooth(sigmoid, slope, lambda v: slope(v) * (1 - 2 * sigmoid(v))),
    "exp": smooth(np.exp, np.exp, np.exp),
    "square": smooth(np.square, lambda v: 2 * v, lambda v: np.full_like(v, 2.0)),
    "neg": linear(-1.0),
    "abs": smooth(np.abs, np.sign, np.zeros_like),
    "relu": smooth(lambda v: np.maximum(v, 0), lambda v: (v > 0) * 1.0, np.zeros_like),
    "floor": lambda x: smooth(np.floor, np.zeros_like, np.zeros_like)(x.unsaved()),
    "clamp": smooth(lambda v: np.clip(v, -1, 1), lambda v: (abs(v) < 1) * 1.0, np.zeros_like),
}
ARGUMENTS = {"clamp": (-1, 1)}
BINARY = {"add": add, "sub": lambda x, y: add(x, y, -1.0), "mul": mul, "div": div}


def lerp(x, end, weight):
    return add(x, mul(weight, add(end, x, -1.0)))


def addcmul(x, a, b):
    return add(x, mul(a, b), 0.5)


class Program:
    """One run. Each method without an argument is a step; `lines` is what has been done."""

    def __init__(self, choose, seen=None):
        self.choose = choose
        self.seen = Counter() if seen is None else seen
        self.lines = []
        self.handles = []
        self.leaves = []  # handle, tensor, slots
        self.expected = {}  # what has been accumulated, by leaf
        self.pending = []  # second derivatives to be taken later
        self.freed = set()
        self.used = self.names = 0
        self.leaf()
        self.scaled()
        self.view()

    def pick(self, options):
        return options[self.choose(len(options))]

    def chance(self, count):
        return self.choose(count) == 0

    def recording(self):
        return not self.chance(6)

    def name(self):
        self.names += 1
        return f"t{self.names - 1}"

    def draw(self, accept=lambda handle: True):
        options = [handle for handle in self.handles if accept(handle)]
        return self.pick(options) if options else None

    def target(self, accept=lambda handle: True):
        """A tensor to be written to, mostly one where more can happen than a refusal."""
        if self.chance(6):
            return self.draw(accept)
        options = [h for h in self.handles if accept(h) and not h.layer.leaf]
        views = [h for h in options if not h.owner and h.layer.requires and h.tracked]
        chosen = views if views and self.chance(2) else options
        return self.pick(chosen) if chosen else None

    def keep(self, real, jet, line):
        handle = Handle.fresh(self.name(), real, jet)
        self.lines.append(f"{handle} = {line}  # {tuple(real.shape)}")
        self.handles.append(handle)
        return handle

    def attempt(self, act, model, recording, line):
        """Do something in the engine and in the model: both succeed, or both refuse."""
        before = [(h, h.real.array.copy(), tuple(h.real._version)) for h in self.handles]
        nodes = [(h, h.real._node) for h in self.handles if h.owner]
        doubtful = recording and any(h.doubtful for h in self.handles)
        try:
            expected = model()
        except Refused:
            expected = Refused
        line = line if recording else f"no_grad: {line}"
        try:
            with enable_grad() if recording else no_grad():
                real = act()
        except (autograd.InplaceError, autograd.ShapeError) as error:
            self.lines.append(f"{line}  # {type(error).__name__}: {error}")
            assert expected is Refused or doubtful
            for handle, values, version in before:
                assert np.array_equal(handle.real.array, values)
                assert tuple(handle.real._version) == version
            assert all(handle.real._node is node for handle, node in nodes)
            self.seen["refused"] += 1
            return None
        assert expected is not Refused, f"not refused: {line}"
        return real, expected, line

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
            self.lines.append(done[2])
            handle.write(done[1], recording, index)
            self.seen["write" if handle.owner else "view write"] += 1

    # making tensors

    def leaf(self):
        shapes = [shape for shape in SHAPES if np.prod(shape) <= SLOTS - self.used]
        if self.used < SLOTS:
            handle = self.numbers(self.pick(shapes))
            self.make_leaf(handle, handle.real.requires_grad_())

    def plain(self):
        self.numbers(self.pick(SHAPES))

    def numbers(self, shape):
        values = self.values(shape)
        return self.keep(
            tensor(values, dtype=float64), Jet.constant(values), f"tensor({values.tolist()})"
        )

    def values(self, shape):
        return np.reshape([self.pick(NUMBERS) for _ in range(int(np.prod(shape)))], shape)

    def make_leaf(self, handle, real):
        self.lines.append(f"{handle}.requires_grad_()")
        count = handle.cells.size
        slots = slice(self.used, self.used + count)
        jet = Jet.constant(handle.values)
        jet.j.reshape(count, SLOTS)[:, slots] = np.eye(count)
        handle.put(jet, handle.cells, NOTHING)
        handle.layer.leaf = True
        self.used += count
        self.leaves.append((handle, real, slots))

    def leaf_later(self):
        """A view that becomes a leaf is from then on on its own, as its detach() would be."""

        def accept(handle):
            free = not (handle.layer.requires or (handle.owner and handle.layer.viewed))
            return free and handle.cells.size <= SLOTS - self.used and unique(handle)

        handle = self.draw(lambda h: accept(h) and not h.owner) or self.draw(accept)
        if handle is not None:
            handle.layer = Layer.blank(handle.memory)
            handle.owner = handle.tracked = True
            self.make_leaf(handle, handle.real.requires_grad_())

    def detach(self):
        source = self.draw()
        by_attribute = self.chance(2)
        real = source.real.data if by_attribute else source.real.detach()
        layer = Layer.blank(source.memory)
        handle = Handle(self.name(), real, source.memory, layer, source.values, source.cells)
        self.lines.append(f"{handle} = {source}.{'data' if by_attribute else 'detach()'}")
        self.handles.append(handle)

    def set_data(self):
        handle = self.draw(lambda h: h.owner)
        source = self.draw(
            lambda h: h.values.shape == handle.values.shape
            and unique(h)
            and h.memory is not handle.memory
            and all(h.real.array is not array for array in handle.past)
        )
        if source is None or not self.chance(3):
            return
        self.lines.append(f"{handle}.data = {source}")
        handle.past.append(handle.real.array)
        old, cells = handle.layer, handle.cells.ravel()
        handle.real.data = source.real
        handle.memory, handle.values, handle.cells = source.memory, source.values, source.cells
        new = handle.layer = Layer.blank(source.memory)
        new.j[handle.cells.ravel()], new.h[handle.cells.ravel()] = old.j[cells], old.h[cells]
        new.requires, new.leaf, new.reads = old.requires, old.leaf, old.reads
        old.lost = True

    def drop(self):
        handle = self.draw(lambda h: all(h is not leaf for leaf, _, _ in self.leaves))
        if len(self.handles) > 8 and handle is not None:
            self.lines.append(f"del {handle}")
            self.handles.remove(handle)

    # views

    def view(self):
        recording = self.recording()
        source = self.draw(lambda h: not h.layer.leaf) if self.chance(2) else None
        source = source or self.draw()
        function, text = self.viewer(source.values.shape)
        values, cells = function(source.values), function(source.cells)
        line = f"{source}{text}"
        if not 0 < values.size <= CELLS:
            return
        if not np.shares_memory(values, source.memory.values):
            self.compute(
                lambda: function(source.real),
                lambda: moved(source.read(recording), function),
                recording,
                line,
            )
            return

        def model():
            source.read(recording)

        done = self.attempt(lambda: function(source.real), model, recording, line)
        if done is None:
            return
        layer, memory = source.layer, source.memory
        handle = Handle(self.name(), done[0], memory, layer, values, cells, owner=False)
        handle.tracked = source.tracked and recording
        handle.seen = (layer.histories, memory.histories)
        layer.viewed = True
        self.lines.append(f"{handle} = {done[2]}  # {values.shape}")
        self.handles.append(handle)

    def viewer(self, shape):
        """A function that acts alike on arrays and on tensors, and its text."""
        ndim, size = len(shape), int(np.prod(shape))
        options = ["index", "reshape", "unsqueeze", "expand"]
        options += ["index", "permute", "squeeze", "unbind", "columns"] if ndim else []
        options += ["diagonal", "columns"] if ndim > 1 else []
        kind = self.pick(options)
        if kind == "index":
            index = self.index(shape)
            whole = any(part is Ellipsis or isinstance(part, np.ndarray) for part in index)
            of_array = index if whole else (*index, Ellipsis)  # a view of a single element, too
            return both(lambda x: x[of_array], lambda x: x[index]), f"[{shown(index)}]"
        if kind == "reshape":
            first = self.pick([k for k in range(1, size + 1) if size % k == 0])
            wanted = self.pick([(size,), (first, size // first), (1, size), shape])
            return both(lambda x: x.reshape(wanted)), f".reshape({wanted})"
        if kind == "columns":
            return (
                both(lambda x: x.T.reshape(size), lambda x: x.T.reshape(size)),
                f".T.reshape({size})",
            )
        if kind == "unsqueeze":
            dim = self.choose(ndim + 1)
            return (
                both(lambda x: np.expand_dims(x, dim), lambda x: x.unsqueeze(dim)),
                f".unsqueeze({dim})",
            )
        if kind == "expand":
            sizes = (2, *(self.pick([1, 3]) if s == 1 else s for s in shape))
            return (
                both(lambda x: np.broadcast_to(x, sizes), lambda x: x.expand(sizes)),
                f".expand({sizes})",
            )
        if kind == "permute":
            dims = self.permutation(ndim)
            return (
                both(lambda x: x.transpose(dims), lambda x: x.permute(dims)),
                f".permute({dims})",
            )
        if kind == "squeeze":
            kept = tuple(s for s in shape if s != 1)
            return both(lambda x: x.reshape(kept), lambda x: x.squeeze()), ".squeeze()"
        if kind == "unbind":
            dim = self.choose(ndim)
            place = self.choose(shape[dim])
            index = (*(slice(None),) * dim, place, Ellipsis)
            return (
                both(lambda x: x[index], lambda x: x.unbind(dim)[place]),
                f".unbind({dim})[{place}]",
            )
        offset, dims = self.choose(3) - 1, self.permutation(ndim)[:2]

        def diagonal(x):
            result = x.diagonal(offset, *dims)
            result.flags.writeable = x.flags.writeable
            return result

        return (
            both(diagonal, lambda x: x.diagonal(offset, *dims)),
            f".diagonal({offset}, {dims[0]}, {dims[1]})",
        )

    def permutation(self, count):
        rest = list(range(count))
        return tuple(rest.pop(self.choose(len(rest))) for _ in range(count))

    def index(self, shape):
        if shape and self.chance(3):
            return self.advanced_index(shape)
        parts = [
            self.pick([slice(None), self.slice(size), self.choose(2 * size) - size])
            for size in shape
        ]
        if self.chance(3):
            parts.insert(self.choose(len(parts) + 1), None)
        if self.chance(3):
            parts = [*parts[: self.choose(len(parts) + 1)], Ellipsis]
        return tuple(parts)

    def slice(self, size):
        start = self.choose(size)
        stop = start + 1 + self.choose(size - start)
        return self.pick([slice(start, stop), slice(start, stop, 2), slice(None, None, -1)])

    def advanced_index(self, shape):
        kind = self.pick(["mask", "places", "columns"])
        if kind == "mask":
            flags = np.array([self.chance(2) for _ in range(shape[0])])
            return (flags if flags.any() else ~flags,)
        if kind == "columns" and len(shape) > 1:
            return (slice(None), np.array([self.choose(shape[1]) for _ in range(2)]))
        count = 1 + self.choose(4)
        return (np.array([self.choose(2 * shape[0]) - shape[0] for _ in range(count)]),)

    # operations

    def small(self, handle):
        return handle.values.size > 0 and np.abs(handle.values).max() < LIMIT

    def smooth_at(self, handle):
        kinks = np.arange(-4.0, 5.0)
        return self.small(handle) and np.abs(handle.values[..., None] - kinks).min() > 1e-3

    def scaled(self):
        """A new tensor; of a transposed one, it is laid out column by column."""
        source = self.draw()
        if source.values.ndim > 1 and self.chance(2):
            self.compute(
                lambda: source.real.T * 2.0,
                lambda: linear(2.0)(source.read(True).each(transposed(source))),
                True,
                f"{source}.T * 2.0",
            )
        else:
            self.compute(
                lambda: source.real * 2.0,
                lambda: linear(2.0)(source.read(True)),
                True,
                f"{source} * 2.0",
            )

    def unary(self):
        source, name, recording = self.draw(self.smooth_at), self.pick(list(UNARY)), self.recording()
        if source is not None:
            arguments = ARGUMENTS.get(name, ())
            self.compute(
                lambda: getattr(source.real, name)(*arguments),
                lambda: UNARY[name](source.read(recording)),
                recording,
                f"{source}.{name}{arguments}",
            )

    def binary(self):
        name, recording = self.pick(list(BINARY)), self.recording()
        x = self.draw(self.small)
        y = x and self.draw(
            lambda h: self.small(h)
            and broadcast_of(x, h) is not None
            and (name != "div" or np.abs(h.values).min() > 0.25)
        )
        if y is not None:
            self.compute(
                lambda: getattr(x.real, name)(y.real),
                lambda: BINARY[name](x.read(recording), y.read(recording)),
                recording,
                f"{x}.{name}({y})",
            )

    def sum(self):
        source, recording = self.draw(lambda h: h.values.ndim and self.small(h)), self.recording()
        if source is not None:
            dim, keep = self.choose(source.values.ndim), self.chance(2)
            self.compute(
                lambda: source.real.sum(dim, keep),
                lambda: source.read(recording).unsaved().each(lambda p: p.sum(dim, keepdims=keep)),
                recording,
                f"{source}.sum({dim}, {keep})",
            )

    def join(self):
        function, recording = self.pick(["cat", "stack"]), self.recording()
        x = self.draw(lambda h: h.values.ndim > 0 and h.values.size <= CELLS // 2)
        y = x and self.draw(lambda h: h.values.shape == x.values.shape)
        if y is not None:
            numpy = {"cat": np.concatenate, "stack": np.stack}[function]
            self.compute(
                lambda: getattr(autograd, function)([x.real, y.real]),
                lambda: joined(numpy, [h.read(recording).unsaved() for h in (x, y)], 0),
                recording,
                f"{function}([{x}, {y}])",
            )

    def product(self):
        recording = self.recording()
        x = self.draw(lambda h: h.values.ndim == 2 and self.small(h))
        y = x and self.draw(
            lambda h: h.values.ndim == 2
            and len(h.values) == x.values.shape[1]
            and self.small(h)
        )
        if y is not None:
            self.compute(
                lambda: x.real @ y.real,
                lambda: matmul(x.read(recording), y.read(recording)),
                recording,
                f"{x} @ {y}",
            )

    def custom(self):
        cls, name = self.pick([(Square, "square"), (Exp, "exp")])
        source, recording = self.draw(self.small), self.recording()
        if source is not None:
            self.compute(
                lambda: cls.apply(source.real),
                lambda: UNARY[name](source.read(recording)),
                recording,
                f"{cls.__name__}.apply({source})",
            )

    def custom_pair(self):
        source, recording = self.draw(self.small), self.recording()
        if source is None:
            return

        def model():
            jet = source.read(recording)
            return [UNARY["sin"](jet), UNARY["cos"](jet)]

        act = lambda: SineAndCosine.apply(source.real)
        done = self.attempt(act, model, recording, f"SineAndCosine.apply({source})")
        if done is not None:
            pair = [self.keep(*part, done[2]) for part in zip(*done[:2], strict=True)]
            for handle in pair:  # each gradient needs both outputs
                if handle.layer.requires:
                    handle.layer.reads |= {(other.memory, 0) for other in pair}

    # writes

    def unary_inplace(self):
        handle, name, recording = self.target(self.smooth_at), self.pick(list(UNARY)), self.recording()
        if handle is not None:
            arguments = ARGUMENTS.get(name, ())
            self.write(
                handle,
                lambda: getattr(handle.real, f"{name}_")(*arguments),
                lambda: UNARY[name](handle.read(recording)),
                recording,
                f"{handle}.{name}_{arguments}",
            )

    def scalar_inplace(self):
        handle, number, recording = self.target(self.small), self.pick(NUMBERS), self.recording()
        if handle is not None:
            name, function = self.pick([("mul", linear(number)), ("add", linear(1.0, number))])
            self.write(
                handle,
                lambda: getattr(handle.real, f"{name}_")(number),
                lambda: function(handle.read(recording)),
                recording,
                f"{handle}.{name}_({number})",
            )

    def binary_inplace(self):
        name, recording = self.pick(list(BINARY)), self.recording()
        handle = self.target(self.small)
        any_shape = self.chance(8)
        other = handle and self.draw(
            lambda h: self.small(h)
            and (any_shape or broadcast_of(handle, h) == handle.values.shape)
            and (name != "div" or np.abs(h.values).min() > 0.25)
        )
        if other is None:
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

    def ternary_inplace(self):
        kind, recording = self.pick([lerp, addcmul]), self.recording()
        handle = self.target(self.small)
        if handle is None:
            return
        others = [
            self.draw(lambda h: self.small(h) and broadcast_of(handle, h) == handle.values.shape)
            for _ in range(2)
        ]
        name, options = f"{kind.__name__}_", {} if kind is lerp else {"value": 0.5}
        self.write(
            handle,
            lambda: getattr(handle.real, name)(*(h.real for h in others), **options),
            lambda: kind(*(h.read(recording) for h in (handle, *others))),
            recording,
            f"{handle}.{name}({others}, {options})",
        )

    def custom_inplace(self):
        handle, recording = self.target(self.small), self.recording()
        if handle is not None:
            self.write(
                handle,
                lambda: ScaleInPlace.apply(handle.real),
                lambda: linear(0.5)(handle.read(recording)),
                recording,
                f"ScaleInPlace.apply({handle})",
            )

    def assign(self):
        recording, number = self.recording(), self.pick(NUMBERS)
        handle = self.target(lambda h: h.values.size > 0)
        if handle is None:
            return
        index = self.index(handle.values.shape)
        region = handle.values[index].shape
        other = self.draw(lambda h: fits(h.values.shape, region))
        if self.chance(3):
            other = None

        def model():
            handle.read(recording)
            if other is None:
                return Jet.constant(number)
            return trimmed(other.read(recording).unsaved(), len(region))

        value = number if other is None else other.real
        self.write(
            handle,
            lambda: handle.real.__setitem__(index, value),
            model,
            recording,
            f"{handle}[{shown(index)}] = {number if other is None else other}",
            index,
        )

    def assign_shifted(self):
        """``x[1:] = x[:-1]`` and the reverse: the written place and the read one overlap."""
        handle = self.target(lambda h: h.values.ndim > 0 and len(h.values) > 1)
        recording = self.recording()
        if handle is None:
            return
        parts = [slice(1, None), slice(None, -1)]
        to, of = parts if self.chance(2) else parts[::-1]

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

    def fill(self):
        handle, recording = self.target(lambda h: h.values.size > 0), self.recording()
        if handle is None:
            return
        kind, shape = self.pick(["zero_", "fill_", "copy_", "masked_fill_"]), handle.values.shape
        single = kind in ("fill_", "masked_fill_")
        other = self.draw(
            lambda h: h.values.shape == () if single else fits(h.values.shape, shape)
        )
        if other is None:
            return
        mask = np.arange(handle.values.size).reshape(shape) % 2 == 0
        arguments = {"zero_": (), "masked_fill_": (tensor(mask), other.real)}

        def model():
            old = handle.read(recording).unsaved()
            if kind == "zero_":
                return Jet.constant(0.0)
            new = trimmed(other.read(recording).unsaved(), len(shape)).broadcast(shape)
            if kind != "masked_fill_":
                return new
            return add(mul(old, Jet.constant(~mask)), mul(new, Jet.constant(mask)))

        self.write(
            handle,
            lambda: getattr(handle.real, kind)(*arguments.get(kind, (other.real,))),
            model,
            recording,
            f"{handle}.{kind}({other})",
        )

    def add_at(self):
        kind, recording = self.pick(["index_add_", "scatter_add_"]), self.recording()
        handle = self.target(lambda h: h.values.ndim == 1 and self.small(h))
        if handle is None:
            return
        source = self.draw(lambda h: h.values.ndim == 1 and self.small(h))
        count = len(source.values)
        places = [self.choose(len(handle.values)) for _ in range(count)]
        spread = np.zeros((len(handle.values), count))
        spread[places, np.arange(count)] = 1

        def model():
            jets = [h.read(recording).unsaved() for h in (handle, source)]
            return add(jets[0], jets[1].each(lambda part: np.tensordot(spread, part, 1)))

        self.write(
            handle,
            lambda: getattr(handle.real, kind)(0, tensor(places), source.real),
            model,
            recording,
            f"{handle}.{kind}(0, {places}, {source})",
        )

    # gradients

    def output(self):
        """A tensor to differentiate, mostly one that can be, and recent."""
        if self.chance(8):
            return self.draw(lambda h: h.values.size > 0)
        fair = [h for h in self.handles if h.requires and h.values.size]
        whole = [h for h in fair if not h.spoilt(self.freed)]
        chosen = whole if whole and not self.chance(3) else fair
        return self.pick(chosen[-8:]) if chosen else None

    def found(self, act, needs_no_grad, reads, doubtful):
        """The result of a backward pass, or None where it may refuse, and has."""
        try:
            return act()
        except autograd.GraphError:
            assert needs_no_grad or spoilt(reads, self.freed)
        except autograd.InplaceError:
            assert spoilt(reads, self.freed) or doubtful
        self.seen["spoilt"] += 1
        return None

    def differentiate(self):
        handle, second = self.output(), self.chance(2)
        if handle is None:
            return
        g = self.values(handle.values.shape)
        leaves = [real for _, real, _ in self.leaves]
        self.lines.append(f"grad({handle}, leaves, {g.tolist()}, create_graph={second})")

        def act():
            with enable_grad() if self.recording() else no_grad():
                return autograd.grad(
                    handle.real,
                    leaves,
                    tensor(g, dtype=float64),
                    retain_graph=True,
                    create_graph=second,
                    allow_unused=True,
                )

        reads = handle.layer.reads
        grads = self.found(act, not handle.requires, reads, handle.doubtful)
        if grads is None:
            return
        assert handle.requires
        jet = handle.read(True)
        first = g.ravel() @ jet.j.reshape(-1, SLOTS)
        for gradient, (_, _, slots) in zip(grads, self.leaves, strict=True):
            self.compare(gradient, first[slots])
        self.seen["gradient"] += 1
        if second:
            self.contract(grads, np.tensordot(g.ravel(), jet.h.reshape(-1, SLOTS, SLOTS), 1), reads)

    def contract(self, grads, hessian, reads):
        """Remember a sum over gradients, to be differentiated at once or later."""
        weights = self.values(SLOTS)
        total = 0.0
        for gradient, (_, real, slots) in zip(grads, self.leaves, strict=True):
            if gradient is not None and gradient.requires_grad:
                weight = tensor(weights[slots].reshape(real.shape), dtype=float64)
                total = total + (gradient * weight).sum()
        expected = weights @ hessian
        memories = {read[0] for read in reads if not isinstance(read, int)}
        memories |= {handle.memory for handle, _, _ in self.leaves}
        now = frozenset((memory, memory.writes) for memory in memories)
        if isinstance(total, float):
            assert np.abs(expected).max() < 1e-9
            return
        self.pending.append((total, len(self.leaves), expected, now | reads))
        if self.chance(2):
            self.second()

    def second(self):
        if not self.pending:
            return
        total, count, expected, reads = self.pending.pop(self.choose(len(self.pending)))
        self.lines.append("grad of the weighted sum of gradients")
        leaves = self.leaves[:count]
        again = self.found(
            lambda: autograd.grad(
                total, [real for _, real, _ in leaves], retain_graph=True, allow_unused=True
            ),
            False,
            reads,
            False,
        )
        if again is not None:
            for gradient, (_, _, slots) in zip(again, leaves, strict=True):
                self.compare(gradient, expected[slots])
            self.seen["second gradient"] += 1

    def backward(self):
        handle, retain = self.output(), not self.chance(4)
        if handle is None or not handle.requires:
            return
        g = self.values(handle.values.shape)
        given = tensor(g, dtype=float64)
        self.lines.append(f"{handle}.backward({g.tolist()}, retain_graph={retain})")
        done = self.found(
            lambda: handle.real.backward(given, retain_graph=retain) or True,
            False,
            handle.layer.reads,
            handle.doubtful,
        )
        assert np.array_equal(given.array, g)
        if done is not None:
            first = g.ravel() @ handle.read(True).j.reshape(-1, SLOTS)
            for place, (_, _, slots) in enumerate(self.leaves):
                self.expected[place] = self.expected.get(place, 0) + first[slots]
            self.seen["backward"] += 1
        if not retain:
            self.freed |= {read for read in handle.layer.reads if isinstance(read, int)}

    def compare(self, gradient, expected):
        values = 0.0 if gradient is None else gradient.array.ravel()
        scale = max(1.0, np.abs(expected).max(initial=0.0))
        assert np.abs(values - expected).max(initial=0.0) < 1e-8 * scale, (values, expected)

    # what always holds

    def agree(self):
        for handle in self.handles:
            apart = np.abs(handle.real.array - handle.values).max(initial=0.0)
            assert apart <= 1e-10 * max(1.0, np.abs(handle.values).max(initial=0.0)), handle
        for place, expected in self.expected.items():
            self.compare(self.leaves[place][1].grad, expected)

    def look(self):
        handle = self.draw()
        if not handle.doubtful:
            assert handle.real.requires_grad == handle.requires
            assert handle.real.is_leaf == (not handle.requires or (handle.layer.leaf and handle.owner))


STEPS = [
    *("leaf", "plain", "leaf_later", "detach", "set_data", "drop", "drop", "look"),
    *("view",) * 6,
    *("scaled", "unary", "unary", "binary", "binary", "sum", "join", "product"),
    *("custom", "custom_pair"),
    *("unary_inplace", "scalar_inplace", "binary_inplace", "ternary_inplace", "custom_inplace"),
    *("assign", "assign", "assign_shifted", "fill", "add_at"),
    *("differentiate", "differentiate", "second", "backward"),
]


def unique(handle):
    return handle.values.flags.writeable


def transposed(handle):
    axes = tuple(reversed(range(handle.values.ndim)))
    return lambda part: part.transpose((*axes, *range(len(axes), part.ndim)))


def moved(jet, function):
    """A copy of some cells: which ones, their numbers show."""
    places = function(np.arange(jet.v.size).reshape(jet.v.shape))
    size, ndim = jet.v.size, jet.v.ndim
    return jet.unsaved().each(lambda part: part.reshape((size, *part.shape[ndim:]))[places])


def broadcast_of(x, y):
    try:
        shape = np.broadcast_shapes(x.values.shape, y.values.shape)
    except ValueError:
        return None
    return shape if np.prod(shape) <= CELLS else None


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


def both(of_array, of_tensor=None):
    """A function of an array or of a tensor."""
    return lambda x: (of_array if isinstance(x, np.ndarray) else of_tensor or of_array)(x)


def shown(index):
    return ", ".join(
        f"{p.start}:{p.stop}:{p.step}".replace("None", "")
        if isinstance(p, slice)
        else repr(p.tolist() if isinstance(p, np.ndarray) else p)
        for p in index
    )
