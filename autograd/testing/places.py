"""Hypotheses about derivatives that are right in themselves but lie in the wrong places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.evidence import Cause, Evidence

__all__ = ["dilation", "moved", "scattered", "shifted", "stride", "wrong_axis"]

Array: TypeAlias = np.ndarray[Any, Any]

COUNTS = {1: "one", 2: "two"}


def shift_cause(e: Evidence, axis: int, places: int, edge: str = "") -> Cause:
    count = COUNTS.get(abs(places), str(abs(places)))
    where = f"{abs(places)} place{'s' if abs(places) > 1 else ''} too far"
    return Cause(
        f"off by {count}",
        f"off by {count}: along {e.axis_name(axis)} it lies {where} towards the "
        f"{'end' if places > 0 else 'start'}{edge}",
    )


def stride_cause(step: int, out_axis: int, in_axis: int, edge: str = "") -> Cause:
    count = COUNTS[abs(step)]
    return Cause(
        f"off by {count} stride",
        f"off by {count} in the stride: from one place to the next along axis "
        f"{out_axis} of the output it moves {abs(step)} too "
        f"{'far' if step > 0 else 'little'} along axis {in_axis} of the input{edge}",
    )


def shifted(e: Evidence) -> Iterator[Cause]:
    """Moved along an axis, with what falls off the end lost or coming in at the start."""
    for axis, extent in enumerate(e.right.shape):
        for places in sorted(range(1 - extent, extent), key=abs):
            if places == 0:
                continue
            rolled = np.roll(e.right, places, axis)
            if e.fits(rolled) or (lost(rolled, places, axis) and e.fits(rolled)):
                yield shift_cause(e, axis, places)


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
                    yield stride_cause(step, out_axis, in_axis)


class Overlap:
    """How far what came agrees with the right derivatives at other places, edges left out."""

    def __init__(self, e: Evidence) -> None:
        self.slack = e.slack
        self.total = np.count_nonzero(np.abs(e.came) > e.slack)
        self.matched = 0
        self.values: set[float] = set()

    def add(self, came: Array, right: Array) -> bool:
        """Compare a part; whether it agrees."""
        if np.abs(came - right).max(initial=0.0) > self.slack:
            return False
        found = came[np.abs(came) > self.slack]
        self.matched += found.size
        self.values.update(np.round(found, 9).tolist())
        return True

    @property
    def telling(self) -> bool:
        """Whether enough was compared, and not just one number over and over."""
        return bool(2 * self.matched >= self.total) and len(self.values) > 1


EDGE = " (what comes in at the edges aside)"


def moved(e: Evidence) -> Iterator[Cause]:
    """Shifts and strides where something unknown comes in at the edges, as padding does."""
    for axis, extent in enumerate(e.right.shape):
        for places in sorted(range(1 - extent, extent), key=abs):
            if places == 0 or abs(places) > 3:
                continue
            overlap = Overlap(e)
            to, of = ends(places, axis)
            if overlap.add(e.came[to], e.right[of]) and overlap.telling:
                yield shift_cause(e, axis, places, EDGE)
    for out_axis in range(e.out_axes):
        for in_axis in range(e.in_axes):
            for step in (1, -1, 2, -2):
                overlap, axis = Overlap(e), e.out_axes + in_axis - 1
                fits = True
                for k in range(e.right.shape[out_axis]):
                    pick = (slice(None),) * out_axis + (k,)
                    to, of = ends(k * step, axis)
                    fits = fits and overlap.add(e.came[pick][to], e.right[pick][of])
                if fits and overlap.telling:
                    yield stride_cause(step, out_axis, in_axis, EDGE)


def ends(places: int, axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where values arrive that move some places along an axis, and where they come from."""
    lead = (slice(None),) * axis
    ahead, behind = slice(abs(places), None), slice(None, -abs(places) or None)
    parts = (ahead, behind) if places > 0 else (behind, ahead)
    return (*lead, parts[0]), (*lead, parts[1])


def dilation(e: Evidence) -> Iterator[Cause]:
    """The same values along an axis of the input, at another distance from each other."""
    for in_axis in range(e.in_axes):
        axis = e.out_axes + in_axis
        rights = np.moveaxis(e.right, axis, -1).reshape(-1, e.right.shape[axis])  # (..., n)
        cames = np.moveaxis(e.came, axis, -1).reshape(-1, e.right.shape[axis])  # (..., n)
        gaps: list[set[int]] = [set(), set()]
        same = other = 0
        for right, came in zip(rights, cames, strict=True):
            places = [np.flatnonzero(np.abs(row) > e.slack) for row in (right, came)]
            for found, at in zip(gaps, places, strict=True):
                found.update(np.diff(at).tolist())
            if min(map(len, places)) > 1:
                values = right[places[0]], came[places[1]]
                count = min(map(len, values))
                agrees = any(
                    np.abs(one - two).max() <= e.slack
                    for one in (values[0][:count], values[0][len(values[0]) - count :])
                    for two in (values[1][:count], values[1][len(values[1]) - count :])
                )
                same, other = same + agrees, other + (not agrees)
        if same and same >= 3 * other and len(gaps[0]) == len(gaps[1]) == 1 and gaps[0] != gaps[1]:
            (wanted,), (got,) = gaps
            yield Cause(
                "dilation",
                f"off by {abs(got - wanted)} in the dilation: along axis {in_axis} of the input "
                f"its values lie {got} apart, in place of {wanted}",
            )


def wrong_axis(e: Evidence) -> Iterator[Cause]:
    """It mixes places along one axis that are independent, and not those along another."""
    pairs = [
        (axis, e.out_axes + k)
        for axis in range(e.out_axes)
        for k in range(e.in_axes)
        if e.right.shape[axis] == e.right.shape[e.out_axes + k] > 1
    ]
    apart = {pair: independent(e.right, pair, e.slack) for pair in pairs}
    kept = {pair: independent(e.came, pair, e.slack) for pair in pairs}
    wanted = [pair for pair in pairs if apart[pair] and not kept[pair]]
    got = [pair for pair in pairs if kept[pair] and not apart[pair]]
    if wanted and got:
        own, other = wanted[0], got[0]
        yield Cause(
            "wrong axis",
            f"wrong axis: outputs depend only on inputs at their own place along "
            f"{e.axis_name(own[0])} and mix those along {e.axis_name(other[0])}; the gradient "
            "has it the other way round (a sum or mean over the wrong axis?)",
        )


def independent(values: Array, pair: tuple[int, int], slack: float) -> bool:
    """Whether derivatives are 0 but where two axes are at the same place."""
    moved_ = np.moveaxis(values, pair, (0, 1))  # (..., n, ..., n, ...) -> (n, n, ...)
    off = ~np.eye(len(moved_), dtype=bool)
    return bool(np.abs(moved_[off]).max(initial=0.0) <= slack)


def scattered(e: Evidence) -> Iterator[Cause]:
    """The right numbers, most of them, in other places."""
    came, right = (np.unique(np.round(a[np.abs(a) > e.slack], 9)) for a in (e.came, e.right))
    if len(came) < 3 or not len(right):
        return
    nearest = np.abs(came[:, None] - right[None]).min(axis=1)  # (m, 1) - (1, n) -> (m, n)
    if np.mean(nearest <= max(e.slack, 2e-9)) >= 0.6:
        yield Cause(
            "wrong places",
            "the right numbers in the wrong places: look at the order of axes, and at stride, "
            "padding and dilation where there are windows",
        )
