"""Steps that make tensors, and let them share memory."""

from __future__ import annotations

import numpy as np

from programs.base import Base
from programs.jets import NOTHING, SLOTS, Handle, Jet, Layer

SHAPES = [(), (1,), (2,), (3,), (4,), (2, 2), (2, 3), (3, 2), (1, 3), (2, 1, 2)]


class Tensors(Base):
    def leaf(self):
        shapes = [shape for shape in SHAPES if np.prod(shape) <= SLOTS - self.used]
        if self.used < SLOTS:
            handle = self.numbers(self.pick(shapes))
            self.make_leaf(handle, handle.real.requires_grad_())

    def plain(self):
        self.numbers(self.pick(SHAPES))

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
            free = not (handle.layer.requires or handle.doubtful)
            free = free and not (handle.owner and handle.layer.viewed)
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
            lambda h: (
                h.values.shape == handle.values.shape
                and unique(h)
                and h.memory is not handle.memory
                and all(h.real.array is not array for array in handle.past)
            )
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


def unique(handle):
    return handle.values.flags.writeable
