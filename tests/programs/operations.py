"""Steps that compute new tensors."""

from __future__ import annotations

import numpy as np

import autograd
from programs.base import CELLS, Base, broadcast_of
from programs.functions import ARGUMENTS, BINARY, UNARY, Exp, PassOn, SineAndCosine, Square, linear
from programs.jets import joined, matmul


class Operations(Base):
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
        source, name, recording = (
            self.draw(self.smooth_at),
            self.pick(list(UNARY)),
            self.recording(),
        )
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
            lambda h: (
                self.small(h)
                and broadcast_of(x, h) is not None
                and (name != "div" or np.abs(h.values).min() > 0.25)
            )
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
            lambda h: h.values.ndim == 2 and len(h.values) == x.values.shape[1] and self.small(h)
        )
        if y is not None:
            self.compute(
                lambda: x.real @ y.real,
                lambda: matmul(x.read(recording), y.read(recording)),
                recording,
                f"{x} @ {y}",
            )

    def custom(self):
        options = [(Square, UNARY["square"]), (Exp, UNARY["exp"]), (PassOn, linear(1.0))]
        cls, function = self.pick(options)
        source, recording = self.draw(self.small), self.recording()
        if source is not None:
            self.compute(
                lambda: cls.apply(source.real),
                lambda: function(source.read(recording)),
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


def transposed(handle):
    axes = tuple(reversed(range(handle.values.ndim)))
    return lambda part: part.transpose((*axes, *range(len(axes), part.ndim)))
