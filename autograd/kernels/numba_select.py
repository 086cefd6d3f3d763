"""Compiled choices between arrays: one pass, without branches."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_select
from autograd.kernels.compiled import Booleans, Floats, compiled_exactly, writable
from autograd.kernels.numba_crew import share, shared

TYPES = (np.float32, np.float64)
ELEMENT = 4
"""Work of one element, in the multiplications that `share` counts."""
SMALL = 1 << 12
"""Elements below which NumPy is called sooner than a compiled function."""


def relu(x: Any) -> Any:
    """As `numpy_select.relu`."""
    if x.size < SMALL or x.dtype not in TYPES or not x.flags.c_contiguous:
        return numpy_select.relu(x)
    return flat(raise_to_zero, x)


def relu_grad(g: Any, out: Any) -> Any:
    """As `numpy_select.relu_grad`."""
    if g.size < SMALL or g.dtype not in TYPES or g.dtype != out.dtype or not plain(g, out):
        return numpy_select.relu_grad(g, out)
    return flat(zero_where_not_positive, g, out)


def clip(x: Any, low: float, high: float) -> Any:
    """As `numpy_select.clip`."""
    if x.size < SMALL or x.dtype not in TYPES or not x.flags.c_contiguous:
        return numpy_select.clip(x, low, high)
    return flat(clip_each, x, float(low), float(high))


def clip_grad(g: Any, x: Any, low: float, high: float, closed: bool) -> Any:
    """As `numpy_select.clip_grad`."""
    if g.size < SMALL or g.dtype not in TYPES or g.dtype != x.dtype or not plain(g, x):
        return numpy_select.clip_grad(g, x, low, high, closed)
    return flat(zero_outside, g, x, float(low), float(high), closed)


def leak(y: Any, x: Any, slope: float) -> Any:
    """As `numpy_select.leak`."""
    if y.size < SMALL or y.dtype not in TYPES or y.dtype != x.dtype or not plain(y, x):
        return numpy_select.leak(y, x, slope)
    return flat(scale_where_not_positive, y, x, float(slope))


def drop(x: Any, keep: Any, scale: float) -> Any:
    """As `numpy_select.drop`."""
    if x.size < SMALL or x.dtype not in TYPES or not plain(x, keep):
        return numpy_select.drop(x, keep, scale)
    return flat(scale_where, keep, x, scale)


def select(condition: Any, x: Any, y: Any) -> Any:
    """As `numpy_select.select`."""
    values = x if isinstance(x, np.ndarray) else y
    if (
        not isinstance(values, np.ndarray)
        or not isinstance(condition, np.ndarray)
        or values.size < SMALL
        or values.dtype not in TYPES
        or condition.dtype != np.bool_
        or not plain(condition, values)
    ):
        return numpy_select.select(condition, x, y)
    if x.__class__ is float and x == 0.0:
        return flat(zero_where, condition, y)
    if y.__class__ is float and y == 0.0:
        return flat(zero_where_not, condition, x)
    arrays = isinstance(x, np.ndarray) and isinstance(y, np.ndarray) and x.dtype == y.dtype
    if arrays and plain(condition, x) and plain(condition, y):
        return flat(choose, condition, x, y)
    return numpy_select.select(condition, x, y)


def plain(*arrays: Any) -> bool:
    """Whether the arrays agree in shape and lie in memory in its order."""
    shape = arrays[0].shape
    return all(array.shape == shape and array.flags.c_contiguous for array in arrays)


def flat(kernel: Any, *inputs: Any) -> Any:
    """Call an elementwise kernel on parts of arrays, the last of the dtype of the result.

    Numbers behind them go to it as they are.
    """
    arrays = [value for value in inputs if isinstance(value, np.ndarray)]
    numbers = inputs[len(arrays) :]
    out = np.empty(arrays[-1].shape, arrays[-1].dtype)
    lines = [writable(array).reshape(-1) for array in (*arrays, out)]  # (d0, d1, ...) -> (size,)
    share(kernel, out.size, out.size * ELEMENT, *lines, *numbers)
    return out


@compiled_exactly
def raise_to_zero(x: Floats, out: Floats, first: int, last: int) -> None:
    shared()
    x, out = x[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(x.size):
        out[i] = zero if x[i] < zero else x[i]


@compiled_exactly
def zero_where_not_positive(g: Floats, x: Floats, out: Floats, first: int, last: int) -> None:
    shared()
    g, x, out = g[first:last], x[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(x.size):
        value = g[i]
        out[i] = zero if x[i] <= zero else value


@compiled_exactly
def clip_each(x: Floats, out: Floats, low: float, high: float, first: int, last: int) -> None:
    shared()
    x, out = x[first:last], out[first:last]
    least, most = x.dtype.type(low), x.dtype.type(high)
    for i in range(x.size):
        value = x[i]
        value = least if value < least else value
        out[i] = most if value > most else value


@compiled_exactly
def zero_outside(
    g: Floats,
    x: Floats,
    out: Floats,
    low: float,
    high: float,
    closed: bool,
    first: int,
    last: int,
) -> None:
    shared()
    g, x, out = g[first:last], x[first:last], out[first:last]
    least, most, zero = x.dtype.type(low), x.dtype.type(high), x.dtype.type(0)
    if closed:
        for i in range(x.size):
            value, at = g[i], x[i]
            value = value if at >= least else zero
            out[i] = value if at <= most else zero
    else:
        for i in range(x.size):
            value, at = g[i], x[i]
            value = zero if at <= least else value
            out[i] = zero if at >= most else value


@compiled_exactly
def scale_where_not_positive(
    y: Floats, x: Floats, out: Floats, slope: float, first: int, last: int
) -> None:
    shared()
    y, x, out = y[first:last], x[first:last], out[first:last]
    factor, zero, one = x.dtype.type(slope), x.dtype.type(0), x.dtype.type(1)
    for i in range(x.size):
        out[i] = y[i] * (one if x[i] > zero else factor)


@compiled_exactly
def zero_where(condition: Booleans, x: Floats, out: Floats, first: int, last: int) -> None:
    shared()
    condition, x, out = condition[first:last], x[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(x.size):
        value = x[i]
        out[i] = zero if condition[i] else value


@compiled_exactly
def zero_where_not(condition: Booleans, x: Floats, out: Floats, first: int, last: int) -> None:
    shared()
    condition, x, out = condition[first:last], x[first:last], out[first:last]
    zero = x.dtype.type(0)
    for i in range(x.size):
        value = x[i]
        out[i] = value if condition[i] else zero


@compiled_exactly
def scale_where(
    condition: Booleans,
    x: Floats,
    out: Floats,
    scale: float,
    first: int,
    last: int,
) -> None:
    shared()
    condition, x, out = condition[first:last], x[first:last], out[first:last]
    factor, zero = x.dtype.type(scale), x.dtype.type(0)
    for i in range(x.size):
        out[i] = x[i] * (factor if condition[i] else zero)


@compiled_exactly
def choose(
    condition: Booleans,
    x: Floats,
    y: Floats,
    out: Floats,
    first: int,
    last: int,
) -> None:
    shared()
    condition, x, y, out = condition[first:last], x[first:last], y[first:last], out[first:last]
    for i in range(x.size):
        first, second = x[i], y[i]
        out[i] = first if condition[i] else second
