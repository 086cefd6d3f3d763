"""Softmax of rows, compiled: a row is read for its maximum, for the exponentials, and that is all.

Along other axes than the last NumPy does it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from llvmlite import ir

from autograd.kernels import numpy_loss
from autograd.kernels.compiled import Floats, compiled_exactly, in_order
from autograd.kernels.late_numba import cgutils, intrinsic, types
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_elementary import exp
from autograd.kernels.numba_vectors import (
    LANES,
    VECTOR,
    by_room,
    fused,
    lanes,
    load,
    number,
    outlined,
    splat,
    store,
)

__all__ = [
    "cross_entropy",
    "exponentiate",
    "log_softmax",
    "log_softmax_grad",
    "softmax",
    "softmax_grad",
    "softmax_grad_over",
    "softmax_over",
]

ELEMENT = 24
"""Work of one element, in the multiplications that `share` counts."""
EXPONENTIALS, SOFTMAX, LOGARITHMS = range(3)
"""What `rows` makes: ``exp(x - max(x))``, that divided by its sum, or the logarithm of that."""
WIDE = ir.VectorType(ir.DoubleType(), LANES)


def is_rows(axis: int, *arrays: Any) -> bool:
    """Whether an axis of float32 arrays has rows behind each other in memory."""
    return all(
        array.dtype == np.float32
        and array.size > 0
        and prod(array.shape[axis + 1 :]) == 1
        and array.flags.c_contiguous
        for array in arrays
    )


def run(x: Any, axis: int, kind: int) -> tuple[Any, Any, Any]:
    """The maxima, what `rows` makes, and the sums of the exponentials."""
    width = x.shape[axis]
    out = np.empty(x.shape, x.dtype)
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    top, total = np.empty(shape, x.dtype), np.empty(shape, x.dtype)
    flat = in_order(x), out.reshape(-1), top.reshape(-1), total.reshape(-1)
    share(rows, x.size // width, x.size * ELEMENT, *flat, width, kind)
    return top, out, total


def softmax(x: Any, axis: int) -> Any:
    """As `numpy_loss.softmax`."""
    return run(x, axis, SOFTMAX)[1] if is_rows(axis, x) else numpy_loss.softmax(x, axis)


def log_softmax(x: Any, axis: int) -> Any:
    """As `numpy_loss.log_softmax`."""
    return run(x, axis, LOGARITHMS)[1] if is_rows(axis, x) else numpy_loss.log_softmax(x, axis)


def exponentiate(x: Any, axis: int) -> tuple[Any, Any, Any]:
    """As `numpy_loss.exponentiate`."""
    return run(x, axis, EXPONENTIALS) if is_rows(axis, x) else numpy_loss.exponentiate(x, axis)


def cross_entropy(logits: Any, classes: Any, rate: Any, spread: Any) -> tuple[Any, Any, Any]:
    """As `numpy_loss.cross_entropy`."""
    return numpy_loss.losses_of(exponentiate(logits, 1), logits, classes, rate, spread)


def softmax_grad(g: Any, out: Any, axis: int) -> Any:
    """As `numpy_loss.softmax_grad`."""
    return (
        back(g, out, axis, False)
        if is_rows(axis, g, out)
        else numpy_loss.softmax_grad(g, out, axis)
    )


def log_softmax_grad(g: Any, out: Any, axis: int) -> Any:
    """As `numpy_loss.log_softmax_grad`."""
    if is_rows(axis, g, out):
        return back(g, out, axis, True)
    return numpy_loss.log_softmax_grad(g, out, axis)


def softmax_over(x: Any) -> Any:
    """The softmax of the rows of x, which it may be written over."""
    width, out = x.shape[-1], room_over(x)
    top, total = np.empty((2, x.size // width), x.dtype)
    share(
        rows, len(top), x.size * ELEMENT, x.reshape(-1), out.reshape(-1), top, total, width, SOFTMAX
    )
    return out


def softmax_grad_over(g: Any, out: Any) -> Any:
    """The gradient of the softmax of rows, which may be written over that of the result."""
    width, grad = g.shape[-1], room_over(g)
    flat = g.reshape(-1), in_order(out), grad.reshape(-1)
    share(rows_back, g.size // width, g.size * ELEMENT, *flat, width, False)
    return grad


def room_over(x: Any) -> Any:
    """X itself, unless vectors at the end of its rows would run over the next ones."""
    return x if x.shape[-1] % LANES == 0 else np.empty_like(x)


def back(g: Any, out: Any, axis: int, logarithms: bool) -> Any:
    width = g.shape[axis]
    grad = np.empty(g.shape, g.dtype)
    flat = in_order(g), in_order(out), grad.reshape(-1)
    share(rows_back, g.size // width, g.size * ELEMENT, *flat, width, logarithms)
    return grad


def along(
    builder: Any,
    count: Any,
    start: Any,
    write: Callable[[Any, Any, Any], Any],
) -> Any:
    """Code that goes through the vectors of a row; `start` becomes what `write` makes of it.

    `write` gets where a vector begins, which of its lanes are used, None for all, and the value so
    far.
    """
    size, zero = ir.Constant(count.type, LANES), ir.Constant(count.type, 0)
    value = cgutils.alloca_once_value(builder, start)
    with cgutils.for_range_slice(builder, zero, count, size) as (done, _):
        left = builder.sub(count, done)

        def step(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            builder.store(write(done, mask, builder.load(value)), value)

        by_room(builder, left, LANES, step)
    return builder.load(value)


def reduced(builder: Any, vector: Any, combine: Callable[[Any, Any], Any]) -> Any:
    """All lanes combined, one after the other."""
    lane = [builder.extract_element(vector, ir.Constant(ir.IntType(32), k)) for k in range(LANES)]
    total = lane[0]
    for value in lane[1:]:
        total = combine(total, value)
    return total


def write_largest(builder: Any, x: Any, count: Any, result: Any) -> None:
    """The largest of a row; NaN is passed over, for it shows in the sum."""

    def larger(a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    def step(done: Any, mask: Any, so_far: Any) -> Any:
        values = load(builder, x, done, mask)
        best = larger(values, so_far)
        return best if mask is None else builder.select(mask, best, so_far)

    best = along(builder, count, number(float("-inf")), step)
    builder.store(reduced(builder, best, larger), result)


def write_exponentials(
    builder: Any, x: Any, count: Any, top: Any, out: Any, room: Any, result: Any
) -> None:
    """``exp(x - top)`` of a row and its sum; whole vectors are written where there is room."""
    shift = splat(builder, top, VECTOR)

    def step(done: Any, mask: Any, so_far: Any) -> Any:
        values = exp(builder, builder.fsub(load(builder, x, done, mask), shift))
        if mask is not None:
            values = builder.select(mask, values, number(0.0))
        write_where(builder, values, out, done, mask, room)
        return builder.fadd(so_far, builder.fpext(values, WIDE))

    total = along(builder, count, WIDE(None), step)
    total = reduced(builder, total, builder.fadd)
    builder.store(builder.fptrunc(total, ir.FloatType()), result)


def write_where(builder: Any, values: Any, out: Any, place: Any, mask: Any, room: Any) -> None:
    """Store a vector; one that is not full as a whole too, where what follows is written later."""
    if mask is None:
        store(builder, values, out, place)
        return
    end = builder.add(place, ir.Constant(place.type, LANES))
    with builder.if_else(builder.icmp_signed("<=", end, room)) as (then, otherwise):
        with then:
            store(builder, values, out, place)
        with otherwise:
            store(builder, values, out, place, mask)


def write_scaled(
    builder: Any, x: Any, count: Any, less: Any, factor: Any, more: Any, out: Any, room: Any
) -> None:
    """``(x - less) * factor + more`` of a row."""
    less, factor, more = (splat(builder, value, VECTOR) for value in (less, factor, more))

    def step(done: Any, mask: Any, so_far: Any) -> Any:
        values = builder.fsub(load(builder, x, done, mask), less)
        values = builder.fadd(builder.fmul(values, factor), more)
        write_where(builder, values, out, done, mask, room)
        return so_far

    along(builder, count, ir.Constant(ir.IntType(1), 0), step)


def write_product(builder: Any, g: Any, out: Any, count: Any, logarithms: Any, result: Any) -> None:
    """The sum of ``g * out`` of a row, or of g."""
    one = builder.select(logarithms, ir.Constant(ir.IntType(32), 1), ir.Constant(ir.IntType(32), 0))
    alone = builder.icmp_signed("!=", one, ir.Constant(ir.IntType(32), 0))

    def step(done: Any, mask: Any, so_far: Any) -> Any:
        values = load(builder, g, done, mask)
        both = builder.fmul(values, load(builder, out, done, mask))
        return builder.fadd(so_far, builder.fpext(builder.select(alone, values, both), WIDE))

    total = reduced(builder, along(builder, count, WIDE(None), step), builder.fadd)
    builder.store(builder.fptrunc(total, ir.FloatType()), result)


def write_back(
    builder: Any, g: Any, out: Any, count: Any, total: Any, logarithms: Any, grad: Any, room: Any
) -> None:
    """``out * (g - total)`` of a row, or ``g - exp(out) * total``."""
    total = splat(builder, total, VECTOR)
    with builder.if_else(logarithms) as branches:
        for of_logarithms, branch in zip((True, False), branches, strict=True):

            def step(done: Any, mask: Any, so_far: Any, of: bool = of_logarithms) -> Any:
                values, results = load(builder, g, done, mask), load(builder, out, done, mask)
                if of:
                    less = builder.fneg(exp(builder, results))
                    values = fused(builder, less, total, values)
                else:
                    values = builder.fmul(results, builder.fsub(values, total))
                write_where(builder, values, grad, done, mask, room)
                return so_far

            with branch:
                along(builder, count, ir.Constant(ir.IntType(1), 0), step)


def row_function(write: Callable[..., None], kinds: str, returns: bool) -> Any:
    """A compiled function of rows whose code is written once.

    Args:
        write: writes the code.
        kinds: of the arguments: ``a`` an array, which becomes the address of the row that begins
            at the number behind it, ``i`` a whole number, ``f`` a float32, ``b`` a boolean.
        returns: whether `write` stores a float32 at the address that comes last.
    """

    def typed(_context: Any, arguments: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, packed: Any) -> Any:
            given = list(
                zip(signature.args[0], cgutils.unpack_tuple(builder, packed[0]), strict=True)
            )
            values = []
            for kind in kinds:
                type_of, value = given.pop(0)
                if kind == "a":
                    data = context.make_array(type_of)(context, builder, value).data
                    start = context.cast(builder, given[0][1], given[0][0], types.intp)
                    given.pop(0)
                    value = builder.gep(data, [start])
                elif kind != "a":
                    wanted = {"i": types.intp, "f": types.float32, "b": types.boolean}[kind]
                    value = context.cast(builder, value, type_of, wanted)
                values.append(value)
            place = cgutils.alloca_once(builder, ir.FloatType())
            outlined(builder, write.__name__, values + [place] * returns, write)
            return builder.load(place) if returns else context.get_dummy_value()

        return (types.float32 if returns else types.void)(arguments), generate

    return intrinsic(typed)


largest = row_function(write_largest, "ai", True)
exponentials = row_function(write_exponentials, "aifai", True)
scaled = row_function(write_scaled, "aifffai", False)
product = row_function(write_product, "aaib", True)
changed = row_function(write_back, "aaifbai", False)


@compiled_exactly
def rows(
    x: Floats,
    out: Floats,
    top: Floats,
    total: Floats,
    width: int,
    kind: int,
    first: int,
    last: int,
) -> None:
    """What `kind` says, of some rows."""
    shared()
    one = x.dtype.type(1)
    for row in range(first, last):
        start, room = row * width, (last - row) * width
        best = largest((x, start, width))
        sum_of = exponentials((x, start, width, best, out, start, room))
        top[row], total[row] = best, sum_of
        if kind == SOFTMAX:
            scaled((out, start, width, 0.0, one / sum_of, 0.0, out, start, room))
        elif kind == LOGARITHMS:
            scaled((x, start, width, best, one, -np.log(sum_of), out, start, room))


@compiled_exactly
def rows_back(
    g: Floats,
    out: Floats,
    grad: Floats,
    width: int,
    logarithms: bool,
    first: int,
    last: int,
) -> None:
    """The gradients of some rows of a softmax, or of its logarithm."""
    shared()
    for row in range(first, last):
        start, room = row * width, (last - row) * width
        total = product((g, start, out, start, width, logarithms))
        changed((g, start, out, start, width, total, logarithms, grad, start, room))
