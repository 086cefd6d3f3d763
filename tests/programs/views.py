"""Steps that make views: NumPy's are the truth about what is a view, and of what."""

from __future__ import annotations

import numpy as np

from programs.base import CELLS, Base, shown
from programs.jets import Handle


class Views(Base):
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


def moved(jet, function):
    """A copy of some cells: which ones, their numbers show."""
    places = function(np.arange(jet.v.size).reshape(jet.v.shape))
    size, ndim = jet.v.size, jet.v.ndim
    return jet.unsaved().each(lambda part: part.reshape((size, *part.shape[ndim:]))[places])


def both(of_array, of_tensor=None):
    """A function of an array or of a tensor."""
    return lambda x: (of_array if isinstance(x, np.ndarray) else of_tensor or of_array)(x)
