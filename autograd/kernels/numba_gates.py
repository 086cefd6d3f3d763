"""What follows the products in a step of an LSTM, and before them in a step back: a vector each."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.late_numba import intrinsic, types
from autograd.kernels.numba_vectors import (
    LANES,
    by_room,
    fused,
    lanes,
    load,
    number,
    sigmoid,
    store,
    tanh,
)

__all__ = ["step_back", "take_step"]


@intrinsic
def take_step(
    _context: Any,
    z: Any,
    place: Any,
    size: Any,
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
        z, place, size, column, cells, row, out, state, now, memory = arguments
        z, cells, out, now = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data
            for k in (0, 4, 6, 8)
        )
        left = builder.sub(size, column)

        def write(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            gates = []
            for k, bend in enumerate((sigmoid, sigmoid, sigmoid, tanh)):
                at = builder.add(place, builder.mul(size, ir.Constant(size.type, k)))
                gates.append(bend(builder, load(builder, z, at, mask)))
                store(builder, gates[k], z, at, mask)
            i, f, o, candidate = gates
            c = fused(builder, f, load(builder, out, memory, mask), builder.fmul(i, candidate))
            h = builder.fmul(o, tanh(builder, c))
            targets = ((c, out, memory), (c, cells, row), (h, out, row), (h, now, state))
            for value, array, at in targets:
                store(builder, value, array, at, mask)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    i = types.intp
    return types.void(z, i, i, i, cells, i, out, i, now, i), generate


@intrinsic
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
    into: Any,
    dh: Any,
    dc: Any,
) -> Any:
    """A vector of the gradients of a step: of the sums in the gates, and of the cell state before.

    That state is at `earlier` in `cells`, or at `state` in `cell` if `earlier` is negative. Leaves
    zeros in `dh`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        z, place, size, column, cells, row, cell, state, earlier, g, changes, into, dh, dc = (
            arguments
        )
        z, cells, cell, g, changes, dh, dc = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data
            for k in (0, 4, 6, 9, 10, 12, 13)
        )
        left = builder.sub(size, column)

        def write(whole: bool) -> None:
            mask = None if whole else lanes(builder, left)
            one = number(1.0)
            offsets = [builder.mul(size, ir.Constant(size.type, k)) for k in range(4)]
            i, f, o, candidate = (load(builder, z, builder.add(place, k), mask) for k in offsets)
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
            for value, k in zip(results, offsets, strict=True):
                store(builder, value, changes, builder.add(into, k), mask)
            store(builder, builder.fmul(flow, f), dc, state, mask)
            store(builder, number(0.0), dh, state, mask)

        by_room(builder, left, LANES, write)
        return context.get_dummy_value()

    i = types.intp
    return types.void(z, i, i, i, cells, i, cell, i, i, g, changes, i, dh, dc), generate
