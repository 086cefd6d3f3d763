"""The compiled LSTM: each thread takes some sequences through all steps by itself.

The products that do not wait for the step before, those with the inputs and those that are
gradients, are done for some steps at once, while what they read is in the cache of the core. The
hidden and cell states have the same bits for any number of threads; gradients of the weights are
sums of one part for each thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.kernels import numpy_recurrent
from autograd.kernels.compiled import (
    Floats,
    Floats2d,
    Integers,
    Integers2d,
    compiled_exactly,
    inner_exactly,
    writable,
)
from autograd.kernels.numba_crew import parts_of, share, shared
from autograd.kernels.numba_gates import step_back, take_step
from autograd.kernels.numba_product import (
    STEP,
    add_product,
    add_transposed,
    packed,
    packed_rows,
    put,
    room,
)
from autograd.kernels.numba_room import empty, release
from autograd.kernels.numba_vectors import LANES, add, move
from autograd.kernels.numpy_recurrent import LSTM_ORDER, Sizes
from autograd.kernels.steps import twice


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
    z, cells = np.empty((total, 4, size), x.dtype), np.empty((total, size), x.dtype)
    flat = (
        writable(x).reshape(-1),  # (rows, I) -> (rows * I,)
        packed_rows(in_order(weight_ih)),
        packed_rows(in_order(weight_hh)),
        in_order(sum(given, np.zeros(4 * size, x.dtype))),
        hidden.copy(order="C").reshape(-1),  # (N, H) -> (N * H,)
        z.reshape(-1),  # (rows, 4, H) -> (rows * 4 * H,)
        cells.reshape(-1),  # (rows, H) -> (rows * H,)
        out.reshape(-1),  # (rows + N, H) -> ((rows + N) * H,)
        *steps(batch_sizes, reverse),
    )
    most = rows_at_once(size)
    ranges, work = by_sequences(flat[-1], weight_hh.size + weight_ih.size)
    share(lstm_walks, len(ranges), work, *flat, ranges, x.shape[1], size, most)
    return out, z.swapaxes(0, 1), cells  # (rows, 4, H) -> (4, rows, H)


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
    given = (x, hidden, cell, weight_ih, weight_hh)
    saved = (out, gates, cells)
    if not fit(given, batch_sizes) or g.dtype != np.float32:
        return numpy_recurrent.lstm_grad(g, needs, *given, *saved, batch_sizes, reverse)
    total, size = len(x), hidden.shape[1]
    inputs = x.shape[1]
    dx = np.zeros(x.shape if needs[0] else (0, 0), x.dtype)
    dh, dc = np.zeros(hidden.shape, x.dtype), g[total:].copy()
    starts, counts = steps(batch_sizes, reverse)
    states = (gates.swapaxes(0, 1), cells, cell, g, x, out, hidden, dx, dh, dc)
    flat = (
        *(writable(values).reshape(-1) for values in states),  # (a, b, ...) -> (a * b * ...,)
        packed(weight_ih if needs[0] else weight_ih[:, :0]),
        packed(weight_hh),
        starts,
        counts,
    )
    ranges, work = by_sequences(counts, 2 * (weight_hh.size + weight_ih.size))
    capacity = max(rows_at_once(size), int(np.diff(ranges).max()))

    def memory(length: int, dtype: Any = np.float32) -> Any:
        """For each walk. Allocated here: what other threads free goes back to the system."""
        return np.empty((len(ranges), length), dtype)

    totals = (
        memory(weight_ih.size if needs[3] else 0),
        memory(weight_hh.size if needs[4] else 0),
        memory(4 * size if needs[5] or needs[6] else 0),
    )
    rest = (
        memory(room(capacity, inputs)),
        memory(room(capacity, size)),
        memory(capacity * 4 * size),
        memory(3 * capacity + 3, np.int64),
    )
    share(lstm_walks_back, len(ranges), work, *flat, *totals, *rest, ranges, inputs, size)
    sums = [reduce(np.ndarray.__iadd__, total) for total in totals]
    return (
        dx if needs[0] else None,
        dh if needs[1] else None,
        dc if needs[2] else None,
        sums[0].reshape(weight_ih.shape) if needs[3] else None,  # (4 * H * I,) -> (4 * H, I)
        sums[1].reshape(weight_hh.shape) if needs[4] else None,  # (4 * H * H,) -> (4 * H, H)
        *twice(sums[2], needs[5], needs[6]),
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


def rows_at_once(size: int) -> int:
    """Rows for which the products that do not wait for a step are done together.

    More where the weights are larger than the caches of a core.
    """
    return min(max(64, size // 2), 256)


def steps(batch_sizes: Sizes, reverse: bool) -> tuple[Any, Any]:
    """The first row of each step and how many it has, in the order of the recurrence."""
    counts = np.array(batch_sizes, np.int64)
    starts = np.cumsum(counts) - counts
    return (starts[::-1].copy(), counts[::-1].copy()) if reverse else (starts, counts)


def by_sequences(counts: Any, size: int) -> tuple[Any, int]:
    """Ranges of sequences for the threads, so that each has as many steps to take, and the work.

    Tiles fit in steps of `STEP` rows.
    """
    largest = int(counts.max())
    ends = np.cumsum([np.count_nonzero(counts > first) for first in range(0, largest, STEP)])
    work = int(ends[-1]) * STEP * size
    number = parts_of(len(ends), work)
    targets = [int(ends[-1]) * k // number for k in range(number + 1)]
    borders = (np.searchsorted(ends, targets, "right") * STEP).clip(max=largest).tolist()
    return np.array([part for part in pairwise(borders) if part[0] < part[1]]), work


@compiled_exactly
def lstm_walks(
    x: Floats,
    entering: Floats,
    panels: Floats,
    bias: Floats,
    now: Floats,
    z: Floats,
    cells: Floats,
    out: Floats,
    starts: Integers,
    counts: Integers,
    ranges: Integers2d,
    inputs: int,
    size: int,
    most: int,
    first: int,
    last: int,
) -> None:
    """All steps of some ranges of sequences.

    `now` has the hidden states, `out` the cell states behind its rows.
    """
    shared()
    parts = empty(starts, 3 * most)
    for number in range(first, last):
        low, high = ranges[number, 0], ranges[number, 1]
        end, t = cells.size, 0
        while t < starts.size:
            count = rows = 0
            ahead = t
            while ahead < starts.size and rows < most:
                row, more = starts[ahead] + low, max(0, min(high, counts[ahead]) - low)
                if more:
                    count = join(parts, count, row, row, more)
                for place in range(row * 4 * size, (row + more) * 4 * size, 4 * size):
                    for j in range(0, 4 * size, LANES):
                        move(bias, j, z, place + j, 4 * size - j)
                rows += more
                ahead += 1
            add_product(x, inputs, entering, z, 4 * size, parts, 0, count)
            for t in range(t, ahead):  # noqa: B020 (goes on from there)
                stop = min(high, counts[t])
                join(parts, 0, low, starts[t] + low, stop - low)
                add_product(now, size, panels, z, 4 * size, parts, 0, 1)
                for k in range(low, stop):
                    at = (starts[t] + k) * size
                    for j in range(0, size, LANES):
                        take_step(
                            z, 4 * at + j, size, j, cells, at + j, out, k * size + j,
                            now, end + k * size + j,
                        )  # fmt: skip
            t = ahead
    release(parts)


@compiled_exactly
def lstm_walks_back(
    z: Floats,
    cells: Floats,
    cell: Floats,
    g: Floats,
    x: Floats,
    out: Floats,
    hidden: Floats,
    dx: Floats,
    dh: Floats,
    dc: Floats,
    entering: Floats,
    panels: Floats,
    starts: Integers,
    counts: Integers,
    totals_ih: Floats2d,
    totals_hh: Floats2d,
    totals_bias: Floats2d,
    all_x_panels: Floats2d,
    all_h_panels: Floats2d,
    all_changes: Floats2d,
    all_parts: Integers2d,
    ranges: Integers2d,
    inputs: int,
    size: int,
    first: int,
    last: int,
) -> None:
    """All steps of some ranges of sequences in reverse: adds up `dx`, `dh`, `dc` and the totals.

    Each range has memory of its own. The gradients of the sums in the gates are kept for few rows
    only.
    """
    shared()
    width = 4 * size
    for number in range(first, last):
        low, high = ranges[number, 0], ranges[number, 1]
        changes, parts = all_changes[number], all_parts[number]
        x_panels, h_panels = all_x_panels[number], all_h_panels[number]
        total_ih, total_hh = totals_ih[number], totals_hh[number]
        total_bias = totals_bias[number]
        capacity, own = changes.size // width, parts.size // 3 - 1
        for total in (total_ih, total_hh, total_bias):  # in the cache of the core that adds to it
            for j in range(total.size):
                total[j] = 0
        t = starts.size
        while t > 0:
            begin, rows = t, 0
            while begin > 0:
                more = max(0, min(high, counts[begin - 1]) - low)
                if rows + more > capacity:
                    break
                rows += more
                begin -= 1
            count, place = 0, rows
            for step in range(t - 1, begin - 1, -1):
                stop, start = min(high, counts[step]), starts[step]
                if stop <= low:
                    continue
                place -= stop - low
                known = counts[step - 1] if step else 0
                for k in range(low, stop):
                    at, row = (start + k) * size, place + k - low
                    earlier = (starts[step - 1] + k) * size if k < known else -1
                    for j in range(0, size, LANES):
                        step_back(
                            z, 4 * at + j, size, j, cells, at + j, cell, k * size + j,
                            earlier + j if k < known else -1, g, changes, row * width + j, dh, dc,
                        )  # fmt: skip
                    if total_ih.size:
                        put(x, (start + k) * inputs, inputs, x_panels, capacity, row)
                    if total_hh.size:
                        state, origin = (out, earlier) if k < known else (hidden, k * size)
                        put(state, origin, size, h_panels, capacity, row)
                count = join(parts, count, place, start + low, stop - low)
                parts[3 * own], parts[3 * own + 1], parts[3 * own + 2] = place, low, stop - low
                add_product(changes, width, panels, dh, size, parts, own, own + 1)
            if dx.size:
                add_product(changes, width, entering, dx, inputs, parts, 0, count)
            for which in range(2):
                rows_packed, total, columns = (
                    (h_panels, total_hh, size) if which else (x_panels, total_ih, inputs)
                )
                if total.size:
                    add_transposed(changes, width, rows, rows_packed, capacity, total, columns)
            if total_bias.size:
                for row in range(rows):
                    for j in range(0, width, LANES):
                        add(changes, row * width + j, total_bias, j, width - j)
            t = begin


@inner_exactly
def join(parts: Any, count: int, source: int, target: int, rows: int) -> Any:
    """Append a range of rows to `parts` of `add_product`, to the one before where they touch."""
    if count:
        before = 3 * count - 3
        length = parts[before + 2]
        if parts[before] + length == source and parts[before + 1] + length == target:
            parts[before + 2] = length + rows
            return count
        if source + rows == parts[before] and target + rows == parts[before + 1]:
            parts[before], parts[before + 1], parts[before + 2] = source, target, length + rows
            return count
    parts[3 * count], parts[3 * count + 1], parts[3 * count + 2] = source, target, rows
    return count + 1
