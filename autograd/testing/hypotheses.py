"""Hypotheses about a wrong gradient.

Each says what the analytic derivatives would be, given the right ones, if a certain mistake had
been made, and yields that mistake as the cause if it predicts every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, TypeAlias

import numpy as np

__all__ = ["HYPOTHESES", "Cause", "Evidence"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cause:
    """A mistake that explains what was found: its name, and a sentence for the report."""

    name: str
    text: str


@dataclass
class Evidence:
    """What came and what should have come, with the axes of output and input apart.

    Attributes:
        came, right: (output axes..., input axes...).
        out_axes, in_axes: how many of each there are.
        others: the right derivatives by other variables of the same shape, by their names.
        inputs, outputs: values that broadcast against the derivatives, by their names.
    """

    came: Array
    right: Array
    slack: float
    out_axes: int
    in_axes: int
    others: dict[str, Array]
    inputs: dict[str, Array]

    @property
    def scale(self) -> float:
        return float(np.max(np.abs(self.right), initial=0.0))

    def fits(self, predicted: Array) -> bool:
        return bool(np.max(np.abs(self.came - predicted), initial=0.0) <= self.slack)


def precision(e: Evidence) -> Iterator[Cause]:
    away = float(np.max(np.abs(e.came - e.right), initial=0.0)) / e.scale if e.scale else 1.0
    for dtype, limit in ((np.float32, 1e-6), (np.float16, 5e-3)):
        if away <= limit and np.array_equal(e.came, e.came.astype(dtype)):
            name = np.dtype(dtype).name
            yield Cause(
                "wrong dtype",
                f"wrong dtype: every value is a {name} number, and the deviation is its rounding "
                f"({away:.0e} of the largest); something is computed or kept in {name}",
            )
    if away <= 1e-5:
        yield Cause(
            "imprecise",
            f"imprecise: off by {away:.0e} of the largest; something is computed or kept in lower "
            "precision, or by an approximate formula",
        )


def zero(e: Evidence) -> Iterator[Cause]:
    if not e.came.any():
        yield Cause("zero", "zero everywhere, where it should not be")


def factor(e: Evidence) -> Iterator[Cause]:
    ratio = float(np.vdot(e.came, e.right)) / max(float(np.vdot(e.right, e.right)), 1e-300)
    if not ratio or not e.fits(ratio * e.right):
        return
    size = abs(ratio)
    sign = "the sign is wrong" if ratio < 0 else ""
    if np.isclose(ratio, -1.0, rtol=1e-6):
        yield Cause("sign", "sign: it is right but for its sign")
        return
    name = f"factor {ratio:.6g}" if size >= 1 else f"factor 1/{1 / ratio:.6g}"
    if np.isclose(size, 2.0, rtol=1e-6):
        text = "twice too large"
    elif np.isclose(size, 0.5, rtol=1e-6):
        text = "half of what it should be: a factor 2, or one of two equal terms, is missing"
    elif size > 1:
        text = f"too large by the factor {size:.6g}{meaning(e, size)}"
    else:
        text = f"too small by the factor {1 / size:.6g}{meaning(e, 1 / size)}"
    yield Cause(name, f"{text}; and {sign}" if sign else text)


def meaning(e: Evidence, size: float) -> str:
    """Where a factor is a number of elements, say of what."""
    counts = {"the number of input elements": e.right[(0,) * e.out_axes].size}
    counts["the number of output elements"] = e.right.size // max(1, next(iter(counts.values())))
    for axis, extent in enumerate(e.right.shape):
        counts.setdefault(f"the size of {axis_name(e, axis)}", extent)
    for text, count in counts.items():
        if np.isclose(size, count, rtol=1e-6):
            return f", which is {text}: a mean where a sum belongs, or the reverse?"
    return ""


def axis_name(e: Evidence, axis: int) -> str:
    if axis < e.out_axes:
        return f"axis {axis} of the output"
    return f"axis {axis - e.out_axes} of the input"


def swapped(e: Evidence) -> Iterator[Cause]:
    for name, right in e.others.items():
        if e.fits(right):
            yield Cause("swapped", f"swapped: it is the gradient of {name}")


def transposed(e: Evidence) -> Iterator[Cause]:
    """Axes in another order: by transposing, or by reshaping where transposing was meant."""
    for lead, count, what in ((e.out_axes, e.in_axes, "input"), (0, e.out_axes, "output")):
        if not 2 <= count <= 4:
            continue
        for order in permutations(range(count)):
            axes = (*range(lead), *(lead + k for k in order), *range(lead + count, e.right.ndim))
            moved = e.right.transpose(axes)  # (..., axes..., ...) -> the same, in another order
            if order != tuple(range(count)) and e.fits(moved.reshape(e.right.shape)):
                yield Cause(
                    "transposed",
                    f"transposed: right after exchanging the axes of the {what} "
                    f"({', '.join(map(str, range(count)))} -> {', '.join(map(str, order))})",
                )


def reversed_axis(e: Evidence) -> Iterator[Cause]:
    for axis in range(e.right.ndim):
        if e.fits(np.flip(e.right, axis)):
            yield Cause("reversed", f"reversed along {axis_name(e, axis)}")


def adjoint(e: Evidence) -> Iterator[Cause]:
    """The Jacobian applied forwards."""
    half = e.out_axes
    if e.right.shape[:half] == e.right.shape[half:] and e.right.ndim == 2 * half:
        axes = (*range(half, 2 * half), *range(half))
        if e.fits(e.right.transpose(axes)):  # (out..., in...) -> (in..., out...)
            yield Cause(
                "not transposed",
                "not transposed: the Jacobian itself where its transpose belongs, as if the "
                "operation were applied forwards again",
            )


def shifted(e: Evidence) -> Iterator[Cause]:
    """Moved along an axis, with what falls off the end lost or coming in at the start."""
    for axis, extent in enumerate(e.right.shape):
        for places in sorted(range(1 - extent, extent), key=abs):
            if places == 0:
                continue
            rolled = np.roll(e.right, places, axis)
            if e.fits(rolled) or (lost(rolled, places, axis) and e.fits(rolled)):
                where = f"{abs(places)} place{'s' if abs(places) > 1 else ''} too far"
                count = {1: "one", 2: "two"}.get(abs(places), str(abs(places)))
                yield Cause(
                    f"off by {count}",
                    f"off by {count}: along {axis_name(e, axis)} it lies {where} towards the "
                    f"{'end' if places > 0 else 'start'}",
                )


def lost(rolled: Array, places: int, axis: int) -> bool:
    """Clear what a roll brought in at the other end; whether anything is left."""
    gap = slice(0, places) if places > 0 else slice(places, None)
    rolled[(slice(None),) * axis + (gap,)] = 0
    return bool(rolled.any())


def stride(e: Evidence) -> Iterator[Cause]:
    """Moved by a number of places that grows along an axis of the output."""
    for out_axis in range(e.out_axes):
        for in_axis in range(e.in_axes):
            for step in (1, -1, 2, -2):
                predicted = np.zeros(e.right.shape)
                for k in range(e.right.shape[out_axis]):
                    pick = (slice(None),) * out_axis + (k,)
                    axis = e.out_axes + in_axis - 1
                    part = np.roll(e.right[pick], k * step, axis)
                    if k and (abs(k * step) >= part.shape[axis] or not lost(part, k * step, axis)):
                        part = np.zeros(part.shape)
                    predicted[pick] = part
                if e.fits(predicted):
                    count = "one" if abs(step) == 1 else "two"
                    yield Cause(
                        f"off by {count} stride",
                        f"off by {count} in the stride: from one place to the next along axis "
                        f"{out_axis} of the output it moves {abs(step)} too "
                        f"{'far' if step > 0 else 'little'} along axis {in_axis} of the input",
                    )


def missing_sum(e: Evidence) -> Iterator[Cause]:
    """Only one slice of the output contributes."""
    in_shape = e.right.shape[e.out_axes :]
    for axis in range(e.out_axes):
        extent = e.right.shape[axis]
        aligned = axis - e.out_axes + e.in_axes
        stretched = extent > 1 and (aligned < 0 or in_shape[aligned] == 1)
        for k in range(extent if stretched else 0):
            predicted = np.zeros(e.right.shape)
            pick = (slice(None),) * axis + (k,)
            predicted[pick] = e.right[pick]
            if e.fits(predicted):
                yield Cause(
                    "missing sum",
                    f"missing sum over a broadcast axis: the input was stretched along axis {axis} "
                    f"of the output, but only place {k} of its {extent} contributes",
                )


def extra_sum(e: Evidence) -> Iterator[Cause]:
    for axis, extent in enumerate(e.right.shape):
        if extent > 1 and e.fits(np.broadcast_to(e.right.sum(axis, keepdims=True), e.right.shape)):
            yield Cause("extra sum", f"extra sum over {axis_name(e, axis)}")


def depends(e: Evidence) -> Iterator[Cause]:
    """A factor too many or too few that is one of the inputs or the output."""
    seen = np.abs(e.right) > e.slack
    if np.count_nonzero(seen) < 2 or np.abs(e.came[~seen]).max(initial=0.0) > e.slack:
        return
    for name, value in e.inputs.items():
        with np.errstate(all="ignore"):
            powers = {
                f"a factor {name} is missing": e.right / value,
                f"a factor {name} is too many": e.right * value,
                f"a factor {name}**2 is missing": e.right / value / value,
            }
        for text, predicted in powers.items():
            there = seen & np.isfinite(predicted)
            if np.count_nonzero(there) < 2:
                continue
            ratio = np.vdot(e.came[there], predicted[there])
            ratio /= max(np.vdot(predicted[there], predicted[there]), 1e-300)
            close = np.abs(e.came - ratio * predicted)[there] <= 100 * e.slack
            if ratio and close.all():
                also = "" if np.isclose(ratio, 1, rtol=1e-5) else f", besides {ratio:.6g}"
                yield Cause("factor of a value", f"{text}{also}")


def dropped(e: Evidence) -> Iterator[Cause]:
    """Right in some places and zero in others."""
    same = np.abs(e.came - e.right) <= e.slack
    missing = ~same & (np.abs(e.came) <= e.slack)
    if (same | missing).all() and missing.any():
        where = slices_of(e, missing)
        yield Cause(
            "dropped term",
            f"dropped term: zero in {np.count_nonzero(missing)} of "
            f"{np.count_nonzero(missing | (same & (np.abs(e.right) > e.slack)))} places{where}, "
            "right in the others",
        )


def slices_of(e: Evidence, mask: Array) -> str:
    """Say where a mask is set, if that is a place along one axis."""
    relevant = np.abs(e.right) > e.slack
    for axis, extent in enumerate(mask.shape):
        for k in range(extent if extent > 1 else 0):
            pick = (slice(None),) * axis + (k,)
            rest = np.delete(mask, k, axis)
            if mask[pick].any() and not rest.any() and (mask[pick] == relevant[pick]).all():
                return f" (all at place {k} of {axis_name(e, axis)})"
    return ""


def offset(e: Evidence) -> Iterator[Cause]:
    difference = e.came - e.right
    seen = np.abs(e.right) > e.slack
    where = seen if seen.any() else np.ones(seen.shape, bool)
    if (
        np.ptp(difference[where]) <= e.slack
        and np.abs(difference[~where]).max(initial=0) <= e.slack
    ):
        yield Cause("added constant", f"off by the added constant {difference[where].mean():.6g}")


HYPOTHESES: tuple[Callable[[Evidence], Iterator[Cause]], ...] = (
    precision,
    zero,
    factor,
    missing_sum,
    transposed,
    adjoint,
    swapped,
    shifted,
    stride,
    reversed_axis,
    extra_sum,
    dropped,
    depends,
    offset,
)
