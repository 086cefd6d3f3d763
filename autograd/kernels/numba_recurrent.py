"""The compiled LSTM: each thread takes some sequences through all steps by itself.

A step is a product of few rows, whose results stay in registers (`tile`), and what follows for each
element, in the same pass. What does not depend on the step before is done for all rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from autograd.kernels import numpy_recurrent
from autograd.kernels.compiled import compiled_exactly
from autograd.kernels.numba_conv import writable
from autograd.kernels.numba_product import ROWS, add_product, packed
from autograd.kernels.numba_vectors import LANES, fused, lanes, load, number, sigmoid, store, tanh
from autograd.kernels.numpy_matmul import matmul
from autograd.kernels.numpy_recurrent import LSTM_ORDER, Sizes
from autograd.kernels.steps import before, twice
from autograd.kernels.threads import share


def lstm(
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> tuple[Any, Any, Any]:
    """As `numpy_recurrent.lstm`; the gates lie in memory as (rows, 4, H)."""
    inputs = (x, hidden, cell, weight_ih, weight_hh)
    given = [b for b in (bias_ih, bias_hh) if b is not None]
    if not fit(inputs, batch_sizes) or any(b.dtype != np.float32 for b in given):
        return numpy_recurrent.lstm(*inputs, bias_ih, bias_hh, batch_sizes, reverse)
    total, size = len(x), hidden.shape[1]
    out = np.empty((total + len(hidden), size), x.dtype)
    out[total:] = cell
    cells = np.empty((total, size), x.dtype)
    bias = in_order(sum(given, np.zeros(4 * size, x.dtype)))
    z = matmul(x, in_order(weight_ih).T)  # (rows, 4 * H)
    panels = packed(in_order(weight_hh).T)
    starts, counts = steps(batch_sizes, reverse)
    now = hidden.copy(order="C").reshape(-1)  # (N, H) -> (N * H,)
    flat_out, flat_cells, flat_z = out.reshape(-1), cells.reshape(-1), z.reshape(-1)

    def walk(first: int, last: int) -> None:
        lstm_walk(
            flat_z, bias, panels, starts, counts, now, flat_cells, flat_out, size, first, last
        )

    by_sequences(walk, counts, weight_hh.size)
    # (rows, 4 * H) -> (rows, 4, H) -> (4, rows, H)
    return out, z.reshape(total, 4, size).swapaxes(0, 1), cells


def lstm_grad(
    g: Any,
    needs: Sequence[bool],
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    out: Any,
    gates: Any,
    cells: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> tuple[Any, ...]:
    """As `numpy_recurrent.lstm_grad`."""
    inputs = (x, hidden, cell, weight_ih, weight_hh)
    saved = (out, gates, cells)
    if not fit(inputs, batch_sizes) or g.dtype != np.float32:
        return numpy_recurrent.lstm_grad(g, needs, *inputs, *saved, batch_sizes, reverse)
    total, size = len(x), hidden.shape[1]
    changes = np.empty((total, 4 * size), x.dtype)
    dh, dc = np.zeros(hidden.shape, x.dtype), g[total:].copy()
    starts, counts = steps(batch_sizes, reverse)
    flat: tuple[Any, ...] = tuple(
        writable(values).reshape(-1)  # (rows, ..., H) -> (rows * ... * H,)
        for values in (gates.swapaxes(0, 1), cells, cell, g, changes, dh, dc)
    )
    rest = (packed(weight_hh), starts, counts, size)
    by_sequences(lambda *part: lstm_walk_back(*flat, *rest, *part), counts, weight_hh.size)
    sums = np.ones((1, total), x.dtype) @ changes if needs[5] or needs[6] else None
    earlier = before(out[:total], hidden, batch_sizes, reverse) if needs[4] else None
    return (
        matmul(changes, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        dc if needs[2] else None,
        matmul(changes.T, x) if needs[3] else None,
        matmul(changes.T, earlier) if needs[4] else None,
        *twice(None if sums is None else sums.reshape(-1), needs[5], needs[6]),
    )


def fit(inputs: Sequence[Any], batch_sizes: Sizes) -> bool:
    """Whether compiled code may walk through these: it does not look where arrays end."""
    x, hidden, cell, weight_ih, weight_hh = inputs
    count, size = hidden.shape
    return (
        all(value.dtype == np.float32 for value in inputs)
        and x.size > 0
        and hidden.size > 0
        and cell.shape == hidden.shape
        and weight_ih.shape == (4 * size, x.shape[1])
        and weight_hh.shape == (4 * size, size)
        and max(batch_sizes) <= count
        and sum(batch_sizes) == len(x)
    )


def in_order(weight: Any) -> Any:
    """The four parts of a weight or bias in `LSTM_ORDER`."""
    parts = weight.reshape(4, len(weight) // 4, -1)  # (4 * H, ...) -> (4, H, ...)
    return parts[list(LSTM_ORDER)].reshape(weight.shape)


def steps(batch_sizes: Sizes, reverse: bool) -> tuple[Any, Any]:
    """The first row of each step and how many it has, in the order of the recurrence."""
    counts = np.array(batch_sizes, np.int64)
    starts = np.cumsum(counts) - counts
    return (starts[::-1].copy(), counts[::-1].copy()) if reverse else (starts, counts)


def by_sequences(walk: Callable[[int, int], None], counts: Any, size: int) -> None:
    """Share the sequences among threads, so that each has as many steps to take.

    Tiles have `ROWS` rows, whether they are in use or not, so whole tiles are shared.
    """
    largest = int(counts.max())
    lengths = [np.count_nonzero(counts > first) for first in range(0, largest, ROWS)]
    ends = np.cumsum(lengths)

    def part_of(part: slice) -> None:
        first, last = np.searchsorted(ends, (part.start, part.stop), "right") * ROWS
        walk(first, min(last, largest))

    share(part_of, int(ends[-1]), int(ends[-1]) * ROWS * size, blas=False)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def take_step(
    _context: Any,
    z: Any,
    place: Any,
    size: Any,
    bias: Any,
    column: Any,
    cells: Any,
    row: Any,
    out: Any,
    state: Any,
    now: Any,
    memory: Any,
) -> Any:
    """A vector of a step: the gates in place of z, the cell and hidden states, each in two places.

    The cell state is at `memory` in `out` and goes to `row` in `cells` too, the hidden state to
    `row` in `out` and to `state` in `now`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        z, place, size, bias, column, cells, row, out, state, now, memory = arguments
        z, bias, cells, out, now = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data
            for k in (0, 3, 5, 7, 9)
        )
        mask = lanes(builder, builder.sub(size, column))
        gates = []
        for k in range(4):
            skip = builder.mul(size, ir.Constant(size.type, k))
            at = builder.add(place, skip)
            value = load(builder, z, at, mask)
            offset = load(builder, bias, builder.add(column, skip), mask)
            bend = tanh if k == 3 else sigmoid
            gates.append(bend(builder, builder.fadd(value, offset)))
            store(builder, gates[k], z, at, mask)
        i, f, o, candidate = gates
        c = fused(builder, f, load(builder, out, memory, mask), builder.fmul(i, candidate))
        h = builder.fmul(o, tanh(builder, c))
        for value, array, at in ((c, out, memory), (c, cells, row), (h, out, row), (h, now, state)):
            store(builder, value, array, at, mask)
        return context.get_dummy_value()

    i = types.intp
    return types.void(z, i, i, bias, i, cells, i, out, i, now, i), generate


@compiled_exactly
def lstm_walk(
    z: Any,
    bias: Any,
    panels: Any,
    starts: Any,
    counts: Any,
    now: Any,
    cells: Any,
    out: Any,
    size: int,
    first: int,
    last: int,
) -> None:
    """All steps of some sequences.

    `now` has the hidden states, `out` the cell states behind its rows.
    """
    end = cells.size
    for t in range(starts.size):
        stop = min(last, counts[t])
        row = starts[t] + first
        shape = (stop - first, size, 4 * size)
        add_product(now, first * size, size, panels, z, row * 4 * size, 4 * size, shape)
        for k in range(first, stop):
            at = (starts[t] + k) * size
            for j in range(0, size, LANES):
                state = k * size + j
                take_step(z, 4 * at + j, size, bias, j, cells, at + j, out, state, now, end + state)


@intrinsic  # type: ignore[untyped-decorator]  # Numba is not analysed
def step_back(
    _context: Any,
    z: Any,
    place: Any,
    size: Any,
    column: Any,
    cells: Any,
    row: Any,
    cell: Any,
    state: Any,
    earlier: Any,
    g: Any,
    changes: Any,
    dh: Any,
    dc: Any,
) -> Any:
    """A vector of the gradients of a step: of the sums in the gates, and of the cell state before.

    That state is at `earlier` in `cells`, or at `state` in `cell` if `earlier` is negative. Leaves
    zeros in `dh`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        z, place, size, column, cells, row, cell, state, earlier, g, changes, dh, dc = arguments
        z, cells, cell, g, changes, dh, dc = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data
            for k in (0, 4, 6, 9, 10, 11, 12)
        )
        mask = lanes(builder, builder.sub(size, column))
        one = number(1.0)
        offsets = [
            builder.add(place, builder.mul(size, ir.Constant(size.type, k))) for k in range(4)
        ]
        i, f, o, candidate = (load(builder, z, at, mask) for at in offsets)
        initial = builder.icmp_signed("<", earlier, ir.Constant(size.type, 0))
        array = builder.select(initial, cell, cells)
        c_before = load(builder, array, builder.select(initial, state, earlier), mask)
        through = tanh(builder, load(builder, cells, row, mask))
        back = builder.fadd(load(builder, g, row, mask), load(builder, dh, state, mask))
        open_slope = builder.fsub(one, builder.fmul(through, through))
        flow = builder.fmul(builder.fmul(back, o), open_slope)
        flow = builder.fadd(load(builder, dc, state, mask), flow)

        def door(gate: Any, factor: Any) -> Any:
            slope = builder.fmul(gate, builder.fsub(one, gate))
            return builder.fmul(slope, factor)

        slope = builder.fmul(i, builder.fsub(one, builder.fmul(candidate, candidate)))
        results = (
            door(i, builder.fmul(candidate, flow)),
            door(f, builder.fmul(c_before, flow)),
            builder.fmul(slope, flow),
            door(o, builder.fmul(through, back)),
        )
        for value, at in zip(results, offsets, strict=True):
            store(builder, value, changes, at, mask)
        store(builder, builder.fmul(flow, f), dc, state, mask)
        store(builder, number(0.0), dh, state, mask)
        return context.get_dummy_value()

    i = types.intp
    return types.void(z, i, i, i, cells, i, cell, i, i, g, changes, dh, dc), generate


@compiled_exactly
def lstm_walk_back(
    z: Any,
    cells: Any,
    cell: Any,
    g: Any,
    changes: Any,
    dh: Any,
    dc: Any,
    panels: Any,
    starts: Any,
    counts: Any,
    size: int,
    first: int,
    last: int,
) -> None:
    """All steps of some sequences in reverse, which writes `changes` and adds up `dh` and `dc`."""
    for t in range(starts.size - 1, -1, -1):
        stop = min(last, counts[t])
        known = counts[t - 1] if t else 0
        for k in range(first, stop):
            at = (starts[t] + k) * size
            for j in range(0, size, LANES):
                earlier = (starts[t - 1] + k) * size + j if k < known else -1
                step_back(
                    z,
                    4 * at + j,
                    size,
                    j,
                    cells,
                    at + j,
                    cell,
                    k * size + j,
                    earlier,
                    g,
                    changes,
                    dh,
                    dc,
                )
        row = starts[t] + first
        shape = (stop - first, 4 * size, size)
        add_product(changes, row * 4 * size, 4 * size, panels, dh, first * size, size, shape)
