"""Reductions and cumulative operations. `dim` is a tuple of axes, none of them negative."""

from __future__ import annotations

from math import prod as product_of
from typing import Any

import numpy as np

from autograd import kernels
from autograd.ops.elementwise import (
    abs,
    exp,
    pow,
    quiet,
    scaled_difference,
    sign,
    squared_difference,
    where,
)
from autograd.ops.shape import cat, expand, flip, permute, reshape, roll
from autograd.primitive import Case, primitive

add_reduce: Any = np.add.reduce  # half the overhead of np.sum
LARGE = 1 << 16
"""Elements from which on sums are shared among threads."""
CASES = (
    Case(shapes=((2, 3),), attributes={"dim": (1,), "keepdim": False}),
    Case(shapes=((2, 3, 2),), attributes={"dim": (0, 2), "keepdim": True}),
    Case(shapes=((3,),), attributes={"dim": (0,), "keepdim": False}),
    Case(shapes=((3, 2),), attributes={"dim": (0,), "keepdim": False}),
)
APART = tuple(Case(shapes=c.shapes, attributes=c.attributes, distinct=True) for c in CASES)
ALONG = (
    Case(shapes=((4,),), attributes={"dim": 0}),
    Case(shapes=((2, 3),), attributes={"dim": 1}),
)


def raw(x: Any) -> Any:
    """The array of an array or a Tensor."""
    return getattr(x, "array", x)


def kept_shape(shape: tuple[int, ...], dim: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with the reduced axes at size 1."""
    return tuple(1 if axis in dim else size for axis, size in enumerate(shape))


def restore(g: Any, shape: tuple[int, ...], dim: tuple[int, ...]) -> Any:
    """A reduced tensor with its axes back, at size 1, so that it broadcasts against the input."""
    return reshape(g, shape=kept_shape(shape, dim))


def accumulated(reduce: Any, x: Any, **options: Any) -> Any:
    """A reduction by NumPy in a type wide enough: int64 for integers, float32 for float16."""
    if x.dtype == np.float16:
        return reduce(x, dtype=np.float32, **options).astype(np.float16)
    if x.dtype.kind in "bui":
        return reduce(x, dtype=np.int64, **options)
    return reduce(x, **options)


@primitive(lambda g, x_shape, dim: expand(restore(g, x_shape, dim), shape=x_shape), case=CASES)
def sum(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The sum over some axes; of integers, in int64."""
    if x.dtype.kind == "f" and x.dtype.itemsize > 2:
        if x.size < LARGE:
            return add_reduce(x, axis=dim, keepdims=keepdim)
        return kernels.add_up(x, dim, keepdim)
    return accumulated(add_reduce, x, axis=dim, keepdims=keepdim)


def mean_over(x: Any, dim: tuple[int, ...]) -> Any:
    """The mean over some axes, which stay, at size 1."""
    count = product_of(x.shape[axis] for axis in dim)
    return sum(x, dim=dim, keepdim=True) / count


@primitive(
    lambda g, x, dim: scaled_difference(x, mean_over(x, dim), 2 * restore(g, x.shape, dim)),
    case=CASES,
)
@quiet
def deviation(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The sum of the squared distances from the mean, over some axes."""
    return sum(squared_difference(x, mean_over(x, dim)), dim=dim, keepdim=keepdim)


def product_before(x: Any, dim: int) -> Any:
    """For each value the product of those that stand before it along an axis."""
    shape = tuple(x.shape[dim] if axis == dim else 1 for axis in range(len(x.shape)))
    first = np.reshape(np.arange(x.shape[dim]) == 0, shape)
    return cumprod(where(first, 1.0, roll(x, shifts=(1,), dims=(dim,))), dim=dim)


def prod_rule(g: Any, x: Any, dim: tuple[int, ...]) -> Any:
    """The product of the others, without a division, so that values may be 0."""
    rest = tuple(axis for axis in range(len(x.shape)) if axis not in dim)
    moved = permute(x, dims=rest + dim)
    last = len(rest)
    # (rest..., dim...) -> (rest..., n)
    rows = reshape(moved, shape=(*moved.shape[:last], product_of(moved.shape[last:])))
    after = flip(product_before(flip(rows, dims=(last,)), last), dims=(last,))
    others = reshape(product_before(rows, last) * after, shape=moved.shape)
    back = tuple(int(place) for place in np.argsort(rest + dim))
    return restore(g, x.shape, dim) * permute(others, dims=back)


@primitive(
    lambda g, x, dim: prod_rule(g, x, dim),
    case=CASES,
)
@quiet
def prod(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The product over some axes; of integers, in int64."""
    return accumulated(np.prod, x, axis=dim, keepdims=keepdim)


def extremum_rule(g: Any, x: Any, out: Any, dim: tuple[int, ...]) -> Any:
    """Ties share the gradient evenly; if there are NaNs, these do."""
    values, chosen = raw(x), np.reshape(raw(out), kept_shape(x.shape, dim))
    best = (values == chosen) | ((values != values) & (chosen != chosen))
    count = np.maximum(np.sum(best, axis=dim, keepdims=True), 1)
    return where(best, restore(g, x.shape, dim) / count.astype(raw(g).dtype), 0.0)


@primitive(lambda g, x, out, dim: extremum_rule(g, x, out, dim), case=APART)
def amax(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The largest value over some axes."""
    return np.max(x, axis=dim, keepdims=keepdim)


@primitive(lambda g, x, out, dim: extremum_rule(g, x, out, dim), case=APART)
def amin(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """The smallest value over some axes."""
    return np.min(x, axis=dim, keepdims=keepdim)


def logsumexp_rule(g: Any, x: Any, out: Any, dim: tuple[int, ...]) -> Any:
    return restore(g, x.shape, dim) * exp(x - restore(out, x.shape, dim))


@primitive(lambda g, x, out, dim: logsumexp_rule(g, x, out, dim), case=CASES)
@quiet
def logsumexp(x: Any, *, dim: tuple[int, ...], keepdim: bool) -> Any:
    """``log(sum(exp(x)))`` over some axes, without overflow"""
    top = np.max(x, axis=dim, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    total = np.log(np.sum(np.exp(x - top), axis=dim, keepdims=True)) + top
    return total if keepdim else np.squeeze(total, axis=dim)


@primitive(lambda g, dim: flip(cumsum(flip(g, dims=(dim,)), dim=dim), dims=(dim,)), case=ALONG)
@quiet
def cumsum(x: Any, *, dim: int) -> Any:
    """The running sum along one axis; of integers, in int64."""
    if x.size >= LARGE and x.dtype.kind == "f" and x.dtype.itemsize > 2:
        return kernels.running_sum(x, dim)
    return accumulated(np.cumsum, x, axis=dim)


def cumprod_rule(g: Any, x: Any, dim: int) -> Any:
    """``product_before[k] * (g[k] + x[k + 1] * (g[k + 1] + x[k + 2] * ...))``

    No division, so that values may be 0.
    """
    if x.shape[dim] == 0:
        return g
    lead = (slice(None),) * dim
    sums = [g[(*lead, slice(-1, None))]]
    for k in range(x.shape[dim] - 1, 0, -1):
        here, before = (*lead, slice(k, k + 1)), (*lead, slice(k - 1, k))
        sums.append(g[before] + x[here] * sums[-1])
    return product_before(x, dim) * cat(*reversed(sums), dim=dim)


@primitive(lambda g, x, dim: cumprod_rule(g, x, dim), case=ALONG)
@quiet
def cumprod(x: Any, *, dim: int) -> Any:
    """The running product along one axis; of integers, in int64."""
    return accumulated(np.cumprod, x, axis=dim)


def vector_norm_rule(g: Any, x: Any, out: Any, order: float, dim: tuple[int, ...]) -> Any:
    """``g * sign(x) * (|x| / out) ** (order - 1)``, and 0 where the norm is 0.

    An order below 1 has an infinite slope at 0; it counts as 0.
    """
    norm = restore(out, x.shape, dim)
    zero = raw(norm) == 0
    safe = where(zero, 1.0, norm)
    if order == 2:
        ratio = x / safe
    else:
        part = abs(x) / safe
        if order < 1:
            part = where(raw(x) == 0, 1.0, part)
        ratio = sign(x) * pow(part, order - 1)
    return where(zero, 0.0, restore(g, x.shape, dim) * ratio)


@primitive(
    lambda g, x, out, order, dim: vector_norm_rule(g, x, out, order, dim),
    case=tuple(
        Case(shapes=c.shapes, attributes={**c.attributes, "order": order}, avoid=(0.0,))
        for c in CASES
        for order in (2.0, 3.0, 0.5)
    ),
)
@quiet
def vector_norm(x: Any, *, order: float, dim: tuple[int, ...], keepdim: bool) -> Any:
    """``sum(|x| ** order) ** (1 / order)`` over some axes; the derivative at 0 is 0"""
    if order == 2:
        return np.sqrt(np.sum(x * x, axis=dim, keepdims=keepdim))
    powers = np.sum(np.abs(x) ** order, axis=dim, keepdims=keepdim)
    return powers ** (1 / order)


__all__ = [
    "amax",
    "amin",
    "cumprod",
    "cumsum",
    "logsumexp",
    "prod",
    "sum",
    "vector_norm",
]
