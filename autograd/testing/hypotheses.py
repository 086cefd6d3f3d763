"""Hypotheses about a wrong gradient.

Each says what the analytic derivatives would be, given the right ones, if a certain mistake had
been made, and yields that mistake as the cause if it predicts every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any, TypeAlias

import numpy as np

from autograd.testing.evidence import Cause, Evidence
from autograd.testing.places import dilation, moved, scattered, shifted, stride, wrong_axis
from autograd.testing.relations import factors, terms

__all__ = ["HYPOTHESES", "Hypothesis", "precision"]

Array: TypeAlias = np.ndarray[Any, Any]
Hypothesis: TypeAlias = Callable[[Evidence], Iterator[Cause]]


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
        counts.setdefault(f"the size of {e.axis_name(axis)}", extent)
    for text, count in counts.items():
        if np.isclose(size, count, rtol=1e-6):
            return f", which is {text}: a mean where a sum belongs, or the reverse?"
    return ""


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
            yield Cause("reversed", f"reversed along {e.axis_name(axis)}")


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
            yield Cause("extra sum", f"extra sum over {e.axis_name(axis)}")


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
                return f" (all at place {k} of {e.axis_name(axis)})"
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


HYPOTHESES: tuple[Hypothesis, ...] = (
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
    factors,
    offset,
    terms,
    wrong_axis,
    dilation,
    moved,
    scattered,
)
"""In the order in which they are tried: the special before the general."""
