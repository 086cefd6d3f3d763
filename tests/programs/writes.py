"""Steps that write in place."""

from __future__ import annotations

import numpy as np

from autograd import tensor
from programs.base import NUMBERS, broadcast_of, shown
from programs.functions import ARGUMENTS, BINARY, UNARY, ScaleInPlace, addcmul, lerp, linear
from programs.jets import Jet, RefusedError, add, mul
from programs.views import Views


class Writes(Views):
    def unary_inplace(self):
        handle, name, recording = (
            self.target(self.smooth_at),
            self.pick(list(UNARY)),
            self.recording(),
        )
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
            lambda h: (
                self.small(h)
                and (any_shape or broadcast_of(handle, h) == handle.values.shape)
                and (name != "div" or np.abs(h.values).min() > 0.25)
            )
        )
        if other is None:
            return

        def model():
            jets = handle.read(recording), other.read(recording)
            if broadcast_of(handle, other) != handle.values.shape:
                raise RefusedError
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
        other = self.draw(lambda h: h.values.shape == () if single else fits(h.values.shape, shape))
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
