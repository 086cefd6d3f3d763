"""Which pixels a unit of a layer sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from itertools import product
from math import prod
from operator import index
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import nn
from autograd import Tensor, from_numpy
from vision.interpret.inputs import Layer, find_layer, hooked
from vision.interpret.spacing import spacing
from vision.training.modes import evaluating

__all__ = ["ReceptiveField", "receptive_field", "receptive_mask"]

Mask = NDArray[np.bool_]


class ReceptiveField(NamedTuple):
    """What the units of a layer see of an image; of each axis of the image one entry.

    Unit i sees pixels from ``start + i * jump`` on, `size` in all, those outside the image being
    padding. Where units differ (transposed convolution, adaptive pooling), `size` is that of the
    largest, and `jump` and `start` are means. Where so few units lie inside that the borders hide
    the pattern, these numbers are of what the borders leave; where all units see the whole axis,
    `size` is its length and `jump` 0. `seen` is exact in any case.

    Attributes:
        layer: the dotted name.
        size: pixels from the first to the last one seen.
        jump: pixels from one unit to the next.
        start: the first pixel of unit 0, negative in the padding.
        seen: exactly which pixels (n) each unit (m) sees along the axis: booleans (m, n).
    """

    layer: str
    size: tuple[int, ...]
    jump: tuple[float, ...]
    start: tuple[float, ...]
    seen: tuple[Mask, ...]

    @property
    def centre(self) -> tuple[float, ...]:
        """The middle of what unit 0 sees, in pixels, that of the first pixel being 0."""
        return tuple(
            first + (size - 1) / 2 for first, size in zip(self.start, self.size, strict=True)
        )

    @property
    def units(self) -> tuple[int, ...]:
        """How many units the layer has along each axis."""
        return tuple(len(axis) for axis in self.seen)

    def box(self, position: Sequence[int]) -> tuple[slice, ...]:
        """The part of the image that one unit sees: slices, empty where it sees nothing.

        Raises:
            IndexError: the layer has no such unit.
        """
        place = unit_at("ReceptiveField.box", self.units, position)
        slices = []
        for axis, unit in zip(self.seen, place, strict=True):
            (found,) = axis[unit].nonzero()
            slices.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 0))
        return tuple(slices)


def receptive_field(
    model: nn.Module,
    layer: Layer | None,
    input_shape: Sequence[int],
    *,
    batch_size: int = 32,
) -> ReceptiveField:
    """Which pixels each unit of a layer sees, exactly, of images of some shape.

    One row of the image after the other, then one column after the other, is made NaN; what
    becomes NaN in the layer depends on it. So whatever leads there is followed (strides, dilation,
    padding, skip connections, branches, transposed convolution), whatever the weights are, at the
    cost of as many passes as the image is high and wide. It is a copy of the model that runs, in
    float64 and in evaluation mode. Not followed is what is decided by comparing (``where``, masks).

    Args:
        model: given images (1, C, H, W), or with another number of axes.
        layer: a module of the model or its dotted name, with an output (N, D, h, w), or (N, D):
            all features together are one unit then. The last convolution when None. If it runs
            several times, the last time counts.
        input_shape: (C, H, W) of an image. `size` beyond the image's is found only where some
            units do not see all of it: a larger image tells more.
        batch_size: how many images go through the model together.

    Raises:
        ValueError: there is no such layer, it did not run, or its output has another shape.

    Reference: Araujo et al. 2019, https://doi.org/10.23915/distill.00021, for the arithmetic.

    Example:
        >>> import nn
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
        >>> field = receptive_field(model, "2", (1, 8, 8))
        >>> field.size, field.jump, field.start, field.box((1, 3))
        ((4, 4), (2, 2), (-1, -1), (slice(1, 5, None), slice(5, 8, None)))
    """
    name = "receptive_field"
    probe = Probe(name, model, layer, input_shape, batch_size)
    seen, numbers = [], []
    for axis, length in enumerate(probe.shape[1:]):
        lines = []
        for place in range(length):
            line = np.zeros(probe.shape[1:], np.bool_)
            line[(slice(None),) * axis + (place,)] = True
            lines.append(line)
        others = tuple(other + 1 for other in range(len(probe.units)) if other != axis)
        moved = np.concatenate([part.any(axis=others) for part in probe.moved(lines)])  # (n, m)
        seen.append(moved.T)
        numbers.append(spacing(moved.T))
    size, jump, start = zip(*numbers, strict=True)
    return ReceptiveField(probe.path, size, jump, start, tuple(seen))


def receptive_mask(
    model: nn.Module,
    layer: Layer | None,
    input_shape: Sequence[int],
    position: Sequence[int] | None = None,
    *,
    batch_size: int = 32,
) -> Mask:
    """Exactly which pixels (H, W) one unit of a layer sees, one after the other being tried.

    It tells more than `receptive_field` where the pixels are no full rectangle: holes of a dilated
    convolution, the cross of a high and a wide kernel side by side.

    Args:
        model: as for `receptive_field`, and so `layer`, `input_shape` and `batch_size`.
        layer: see there.
        input_shape: see there.
        position: of the unit (h, w); the middle one unless given.
        batch_size: see there.

    Raises:
        IndexError: the layer has no such unit.

    Example:
        >>> import nn
        >>> receptive_mask(nn.Conv2d(1, 1, 2, dilation=2), "", (1, 3, 3)).astype(int)
        array([[1, 0, 1],
               [0, 0, 0],
               [1, 0, 1]])
    """
    name = "receptive_mask"
    field = receptive_field(model, layer, input_shape, batch_size=batch_size)
    units = field.units
    place = unit_at(name, units, [n // 2 for n in units] if position is None else position)
    probe = Probe(name, model, layer, input_shape, batch_size)
    mask = np.zeros(probe.shape[1:], np.bool_)
    lines = [axis[unit].nonzero()[0] for axis, unit in zip(field.seen, place, strict=True)]
    pixels = list(product(*lines))
    dots = []
    for pixel in pixels:
        dot = np.zeros_like(mask)
        dot[pixel] = True
        dots.append(dot)
    done = 0
    for part in probe.moved(dots):
        for hit in part:
            mask[pixels[done]] = hit[place]
            done += 1
    return mask


def unit_at(name: str, units: tuple[int, ...], position: Sequence[int]) -> tuple[int, ...]:
    """The position of a unit, counted from the start of each axis."""
    place = tuple(position)
    fits = len(place) == len(units) and all(hasattr(unit, "__index__") for unit in place)
    if not fits or not all(-n <= unit < n for unit, n in zip(place, units, strict=True)):
        raise IndexError(f"{name}: there is no unit {place}, the layer has {units}")
    return tuple(index(unit) % n for unit, n in zip(place, units, strict=True))


class Reached(Exception):  # noqa: N818 (it is no error)
    """The layer has run: nothing behind it needs to."""


class Probe:
    """Tries what moves in a layer when pixels of an image do.

    Attributes:
        shape: (C, H, W) of the image.
        units: (h, w) of the layer; 1 each where its output has no such axes.
        path: the layer's dotted name.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        layer: Layer | None,
        input_shape: Sequence[int],
        batch_size: int,
    ) -> None:
        self.name = name
        self.path, _ = find_layer(name, model, layer)
        # in float32 a convolution may compute several outputs from one larger window, and a NaN
        # would reach all of them; in float64 each output reads its own window only
        self.model = deepcopy(model).double()
        self.layer = self.model.get_submodule(self.path)
        self.shape = tuple(input_shape)
        sizes = all(hasattr(size, "__index__") and size > 0 for size in self.shape)
        if len(self.shape) < 2 or not sizes:
            raise ValueError(
                f"{name}: input_shape is (C, H, W), positive numbers, got {input_shape}"
            )
        if batch_size < 1:
            raise ValueError(f"{name}: batch_size is at least 1, got {batch_size}")
        self.batch_size = batch_size
        self.runs = 0
        count = prod(self.shape)
        # no two pixels alike: nothing is divided by a spread of 0
        pixels = np.linspace(0.25, 0.75, count)
        self.image = pixels.reshape(self.shape)  # (C*H*W,) -> (C, H, W)
        blank = self.run([np.zeros(self.shape[1:], np.bool_)])
        if blank.any():
            raise ValueError(f"{name}: the layer {self.path!r} gives NaN for an ordinary image")
        self.units = blank.shape[1:]
        self.mixes = False

    def moved(self, masks: Sequence[Mask]) -> Iterator[Mask]:
        """For groups of masks (H, W), which units (h, w) each mask moves."""
        start = 0
        while start < len(masks):
            size = 1 if self.mixes else self.batch_size
            group = list(masks[start : start + size])
            if size > 1:
                # an untouched image must stay so; otherwise the model mixes the images of a batch
                found = self.run([*group, np.zeros_like(group[0])])
                if found[-1].any():
                    self.mixes = True
                    continue
                yield found[:-1]
            else:
                yield self.run(group)
            start += len(group)

    def run(self, masks: Sequence[Mask]) -> Mask:
        """Which units are NaN when the masked pixels are: (N, h, w)."""
        batch = np.where(np.stack(masks)[:, None], np.nan, self.image)  # -> (N, C, H, W)
        outputs: list[Any] = []

        def watch(place: int, output: Any) -> None:
            outputs.append(output.detach().numpy() if isinstance(output, Tensor) else output)
            if len(outputs) > 1:
                del outputs[0]
            self.seen_runs += 1
            if self.seen_runs == self.runs:
                raise Reached

        self.seen_runs = 0
        with (
            evaluating(self.model),
            hooked([self.layer], watch),
            np.errstate(all="ignore"),
            suppress(Reached),
        ):
            self.model(from_numpy(batch))
        self.runs = self.seen_runs
        if not outputs:
            raise ValueError(f"{self.name}: the layer {self.path!r} did not run")
        return self.poisoned(outputs[0], len(masks))

    def poisoned(self, output: Any, count: int) -> Mask:
        """Where an output is NaN in any channel: (N, D, h, w) -> (N, h, w)."""
        spatial = len(self.shape) - 1
        shape = getattr(output, "shape", None)
        if shape is None or len(shape) not in (2, spatial + 2) or shape[0] != count:
            raise ValueError(
                f"{self.name}: the layer {self.path!r} gives "
                f"{shape if shape is not None else type(output).__name__}, expected "
                f"({count}, D) or ({count}, D, and {spatial} axes)"
            )
        bad: Mask = np.isnan(output).any(1)
        return bad if bad.ndim > 1 else bad.reshape(count, *[1] * spatial)  # (N,) -> (N, 1, 1)
