"""An interpreter that is nothing like the engine: forward mode, with memory modelled as cells.

Every cell of a memory carries its value, and for each history of that memory the first and second
derivatives of the value with respect to all elements of all leaves. Whatever is read or written,
through whichever view, the derivatives move along with the values; there is no graph, no backward
pass and no version. Views are NumPy's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

SLOTS = 10
"""How many elements all leaves together can have."""

NOTHING = frozenset()
_tokens = count()


class RefusedError(Exception):
    """The engine must refuse this, and change nothing."""


@dataclass
class Jet:
    """Values with derivatives: `j` first, `h` second.

    `reads` is what a backward pass through the history of the values depends on: memories, each
    with the number of its writes then, and tokens of operations. Of the operation being done,
    `direct` are the memories that the values have been read from, and `saved` those of them that
    it had to save.
    """

    v: np.ndarray
    j: np.ndarray
    h: np.ndarray
    requires: bool = False
    reads: frozenset = NOTHING
    direct: frozenset = NOTHING
    saved: frozenset = NOTHING

    @classmethod
    def constant(cls, values):
        v = np.array(values, dtype=np.float64)
        return cls(v, np.zeros((*v.shape, SLOTS)), np.zeros((*v.shape, SLOTS, SLOTS)))

    def each(self, function):
        """Apply a linear function of the axes in front."""
        return replace(self, v=function(self.v), j=function(self.j), h=function(self.h))

    def broadcast(self, shape):
        return replace(
            self,
            v=np.broadcast_to(self.v, shape),
            j=np.broadcast_to(self.j, (*shape, SLOTS)),
            h=np.broadcast_to(self.h, (*shape, SLOTS, SLOTS)),
        )

    def unsaved(self):
        """As the input of a linear operation, which saves no values."""
        return replace(self, direct=NOTHING)

    def kept(self):
        """As the input of an operation that saves its inputs."""
        return replace(self, direct=NOTHING, saved=self.saved | self.direct)


def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def merged(jets, v, j, h):
    return Jet(
        v,
        j,
        h,
        any(x.requires for x in jets),
        NOTHING.union(*(x.reads for x in jets)),
        saved=NOTHING.union(*(x.saved for x in jets)),
    )


def chain(x, value, first, second):
    """``f(x)`` from the values of f, f' and f''."""
    x = x.kept()
    j = first[..., None] * x.j
    h = first[..., None, None] * x.h + second[..., None, None] * outer(x.j, x.j)
    return replace(x, v=value, j=j, h=h)


def add(x, y, scale=1.0):
    v = x.v + scale * y.v
    x, y = x.broadcast(v.shape), y.broadcast(v.shape)
    return merged((x, y), v, x.j + scale * y.j, x.h + scale * y.h)


def mul(x, y):
    v = x.v * y.v
    x, y = x.kept().broadcast(v.shape), y.kept().broadcast(v.shape)
    a, b = x.v[..., None], y.v[..., None]
    h = a[..., None] * y.h + b[..., None] * x.h + outer(x.j, y.j) + outer(y.j, x.j)
    return merged((x, y), v, a * y.j + b * x.j, h)


def div(x, y):
    return mul(x, chain(y, 1 / y.v, -1 / y.v**2, 2 / y.v**3))


def matmul(x, y):
    a = replace(x, v=x.v[:, :, None], j=x.j[:, :, None], h=x.h[:, :, None])
    return mul(a, y).each(lambda part: part.sum(1))  # (i, k, 1) * (k, j) -> (i, k, j) -> (i, j)


def joined(function, jets, axis):
    parts = [function([getattr(x, name) for x in jets], axis) for name in "vjh"]
    return merged(jets, *parts)


@dataclass(eq=False)
class Memory:
    """A piece of memory; its cells are numbered in the order of a C-contiguous array."""

    values: np.ndarray
    writes: int = 0
    histories: int = 0  # how many writes were recorded, in any layer

    @property
    def cells(self):
        return np.arange(self.values.size).reshape(self.values.shape)


@dataclass(eq=False)
class Layer:
    """One history of a memory: that of a tensor and all views of it; detach() begins another."""

    j: np.ndarray
    h: np.ndarray
    requires: bool = False
    leaf: bool = False
    lost: bool = False  # the tensor that owned the memory has been given another one
    viewed: bool = False
    histories: int = 0
    reads: frozenset = NOTHING

    @classmethod
    def blank(cls, memory):
        size = memory.values.size
        return cls(np.zeros((size, SLOTS)), np.zeros((size, SLOTS, SLOTS)))


@dataclass(eq=False)
class Handle:
    """One tensor of the program: the engine's, and where it lies in the model.

    `tracked` is false for a view made under no_grad; `seen` says how many recorded writes there
    had been then, in its layer and in its memory.
    """

    name: str
    real: object
    memory: Memory
    layer: Layer
    values: np.ndarray
    cells: np.ndarray
    owner: bool = True
    tracked: bool = True
    seen: tuple = (0, 0)
    past: list = field(default_factory=list)  # where it has been, before `data` was set

    def __repr__(self):
        return self.name

    @classmethod
    def fresh(cls, name, real, jet):
        """A tensor with memory of its own, laid out as the engine has done it."""
        values = np.array(real.array)
        values[...] = jet.v
        memory = Memory(values)
        handle = cls(name, real, memory, Layer.blank(memory), values, memory.cells)
        if jet.requires:
            own = {(memory, 0)} if jet.saved else set()
            handle.put(jet, handle.cells, jet.reads | jet.saved | own)
        return handle

    @property
    def requires(self):
        return self.tracked and self.layer.requires

    @property
    def overtaken(self):
        """Whether a view made under no_grad can no longer be used, as its base was rewritten."""
        return not self.tracked and self.layer.requires and self.layer.histories != self.seen[0]

    @property
    def doubtful(self):
        """Whether it may be refused, as another history of its memory was written."""
        behind = self.memory.histories != self.seen[1]
        return behind and (not self.tracked or self.layer.lost)

    def read(self, recording):
        if recording and self.overtaken:
            raise RefusedError
        jet = Jet.constant(self.values)
        if not recording:
            return jet
        jet.direct = frozenset({(self.memory, self.memory.writes)})
        if self.requires:
            jet.j, jet.h = self.layer.j[self.cells], self.layer.h[self.cells]
            jet.requires, jet.reads = True, self.layer.reads
        return jet

    def put(self, jet, cells, reads):
        """Make a jet the history of some cells; where one is named twice, the last one."""
        j = np.broadcast_to(jet.j, (*cells.shape, SLOTS)).reshape(-1, SLOTS)
        h = np.broadcast_to(jet.h, (*cells.shape, SLOTS, SLOTS)).reshape(-1, SLOTS, SLOTS)
        for cell, first, second in zip(cells.ravel(), j, h, strict=True):
            self.layer.j[cell], self.layer.h[cell] = first, second
        self.layer.requires = True
        self.layer.reads |= reads | {next(_tokens)}

    def check_write(self, recording, requires):
        if not self.values.flags.writeable:
            raise RefusedError
        if not recording:
            return
        layer = self.layer
        if self.overtaken or layer.leaf:
            raise RefusedError
        if (requires or layer.requires) and (not self.tracked or layer.lost):
            raise RefusedError
        if layer.lost and not self.tracked:  # nobody could say any more what it stands for
            raise RefusedError

    def write(self, jet, recording, index=(Ellipsis,)):
        """Overwrite the place that an index names."""
        self.check_write(recording, jet.requires)
        jet = jet.broadcast(self.cells[index].shape)
        self.values[index] = jet.v
        self.memory.writes += 1
        if recording and (jet.requires or self.layer.requires):
            saved = {read for read in jet.saved if read[0] is not self.memory}
            if len(saved) < len(jet.saved):  # what saved its input may save its result instead
                saved.add((self.memory, self.memory.writes))
            self.put(jet, np.asarray(self.cells[index]), jet.reads | saved)
            self.layer.histories += 1
            self.memory.histories += 1

    def spoilt(self, freed):
        return spoilt(self.layer.reads, freed)


def spoilt(reads, freed):
    """Whether a backward pass may find that something it needs has been overwritten or freed."""
    return any(
        read in freed if isinstance(read, int) else read[0].writes != read[1] for read in reads
    )
