"""Choosing, computing and writing, in the engine and in the model at once."""

from __future__ import annotations

from collections import Counter

import numpy as np

import autograd
from autograd import enable_grad, float64, no_grad, tensor
from programs.jets import Handle, Jet, RefusedError

LIMIT = 4.0  # larger values are left alone, so that no power of them overflows
CELLS = 24  # nor are there larger tensors
NUMBERS = [-1.75, -1.5, -1.25, -0.75, -0.4, 0.3, 0.6, 1.1, 1.4, 1.9]


class Base:
    """What all steps of a program use; `lines` is what has been done."""

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
        except RefusedError:
            expected = RefusedError
        line = line if recording else f"no_grad: {line}"
        try:
            with enable_grad() if recording else no_grad():
                real = act()
        except (autograd.InplaceError, autograd.ShapeError) as error:
            self.lines.append(f"{line}  # {type(error).__name__}: {error}")
            assert expected is RefusedError or doubtful
            for handle, values, version in before:
                assert np.array_equal(handle.real.array, values)
                assert tuple(handle.real._version) == version
            assert all(handle.real._node is node for handle, node in nodes)
            self.seen["refused"] += 1
            return None
        assert expected is not RefusedError, f"not refused: {line}"
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

    def small(self, handle):
        return handle.values.size > 0 and np.abs(handle.values).max() < LIMIT

    def smooth_at(self, handle):
        kinks = np.arange(-4.0, 5.0)
        return self.small(handle) and np.abs(handle.values[..., None] - kinks).min() > 1e-3

    def numbers(self, shape):
        values = self.values(shape)
        return self.keep(
            tensor(values, dtype=float64), Jet.constant(values), f"tensor({values.tolist()})"
        )

    def values(self, shape):
        return np.reshape([self.pick(NUMBERS) for _ in range(int(np.prod(shape)))], shape)

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
            assert handle.real.is_leaf == (
                not handle.requires or (handle.layer.leaf and handle.owner)
            )


def broadcast_of(x, y):
    try:
        shape = np.broadcast_shapes(x.values.shape, y.values.shape)
    except ValueError:
        return None
    return shape if np.prod(shape) <= CELLS else None


def shown(index):
    return ", ".join(
        f"{p.start}:{p.stop}:{p.step}".replace("None", "")
        if isinstance(p, slice)
        else repr(p.tolist() if isinstance(p, np.ndarray) else p)
        for p in index
    )
