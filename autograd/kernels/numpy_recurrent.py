"""Recurrent layers over all time steps: LSTM, GRU and the simple recurrence.

A logistic function is a tanh, ``sigmoid(x) = (1 + tanh(x / 2)) / 2``, which NumPy computes several
times faster than an exponential and a division.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels.half import in_single
from autograd.kernels.numpy_matmul import matmul
from autograd.kernels.steps import (
    Chunk,
    Sums,
    Times,
    backwards,
    before,
    by_gate,
    carried,
    chunks_of,
    flat,
    in_turn,
    last,
    twice,
)

Sizes = Sequence[int]

LSTM_ORDER = (0, 1, 3, 2)
"""Input, forget and output gate, and the candidate, among the parts of the parameters."""

LSTM_FACTORS = (0.5, 0.5, 0.5, 1.0)


@in_single
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
    """The hidden states with the last cell states behind them, the gates, and all cell states.

    The gates, in `LSTM_ORDER`, are (4, rows, H).
    """
    total, size = len(x), hidden.shape[1]
    gates = np.empty((4, total, size), x.dtype)
    out = np.empty((total + len(hidden), size), x.dtype)
    cells = np.empty((total, size), x.dtype)
    entering = by_gate(weight_ih, LSTM_ORDER, LSTM_FACTORS)
    biases = [by_gate(b, LSTM_ORDER, LSTM_FACTORS) for b in (bias_ih, bias_hh) if b is not None]
    bias = sum(biases) if biases else None
    times = Times(by_gate(weight_hh, LSTM_ORDER, LSTM_FACTORS), len(hidden))
    product, room = np.empty((4, *hidden.shape), x.dtype), np.empty_like(hidden)
    h, c = hidden, cell

    def enter(chunk: Chunk) -> None:
        part = gates[:, chunk.rows]
        np.matmul(x[chunk.rows], entering, out=part)
        if bias is not None:
            part += bias

    def walk(chunk: Chunk) -> None:
        nonlocal h, c
        for step in chunk.steps:
            n = step.stop - step.start
            z, now, free = gates[:, step], cells[step], room[:n]
            h, c = carried(h, hidden, n), carried(c, cell, n)
            times(h, product[:, :n])
            z += product[:, :n]
            np.tanh(z, out=z)
            doors = z[:3]
            doors += 1
            doors *= 0.5
            np.multiply(z[0], z[3], out=free)
            np.multiply(z[1], c, out=now)
            now += free
            np.tanh(now, out=free)
            c, h = now, np.multiply(z[2], free, out=out[step])

    in_turn(enter, walk, chunks_of(batch_sizes, reverse), 2 * total * weight_hh.size)
    last(cells, batch_sizes, reverse, out[total:])
    return out, gates, cells


@in_single
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
    """The gradients of the seven inputs of `lstm`, None where not needed."""
    total, size = len(x), hidden.shape[1]
    changes = np.empty((total, 4 * size), x.dtype)
    earlier = before(cells, cell, batch_sizes, reverse)
    dh, dc, room = np.zeros_like(hidden), g[total:].copy(), np.empty_like(hidden)
    times = Times(weight_hh[None], len(hidden))
    sums = Sums(
        changes,
        x if needs[3] else None,
        before(out[:total], hidden, batch_sizes, reverse) if needs[4] else None,
        np.ones((total, 1), x.dtype) if needs[5] or needs[6] else None,
    )

    def walk(chunk: Chunk) -> None:
        rows, start = chunk.rows, chunk.rows.start
        i, f, o, candidate = gates[:, rows]
        slopes = changes[rows].reshape(-1, 4, size)  # (rows, 4 * H) -> (rows, 4, H)
        through = np.tanh(cells[rows])
        for place, gate, factor in ((0, i, candidate), (1, f, earlier[rows]), (3, o, through)):
            slope = slopes[:, place]
            np.subtract(1, gate, out=slope)
            slope *= gate
            slope *= factor
        np.multiply(candidate, candidate, out=slopes[:, 2])
        np.subtract(1, slopes[:, 2], out=slopes[:, 2])
        slopes[:, 2] *= i
        through *= through
        np.subtract(1, through, out=through)
        through *= o
        for step in chunk.steps:
            here = slice(step.start - start, step.stop - start)
            n = step.stop - step.start
            back, flow, free, slope = dh[:n], dc[:n], room[:n], slopes[here]
            back += g[step]
            np.multiply(back, through[here], out=free)
            flow += free
            slope[:, :3] *= flow[:, None]
            slope[:, 3] *= back
            flow *= f[here]
            times(changes[step], back[None])

    in_turn(walk, sums.add, backwards(chunks_of(batch_sizes, reverse)), 2 * total * weight_hh.size)
    return (
        matmul(changes, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        dc if needs[2] else None,
        *sums.totals[:2],
        *twice(flat(sums.totals[2]), needs[5], needs[6]),
    )


GRU_ORDER = (0, 1, 2)
GRU_FACTORS = (0.5, 0.5, 1.0)


@in_single
def gru(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> tuple[Any, Any, Any]:
    """The hidden states, the gates, and what the reset gate lets through before it does.

    The gates (3, rows, H) are reset gate, update gate and candidate.
    """
    total, size = len(x), hidden.shape[1]
    gates = np.empty((3, total, size), x.dtype)
    out, inner = np.empty((total, size), x.dtype), np.empty((total, size), x.dtype)
    entering = by_gate(weight_ih, GRU_ORDER, GRU_FACTORS)
    bias = None if bias_ih is None else by_gate(bias_ih, GRU_ORDER, GRU_FACTORS)
    added = None if bias_hh is None else by_gate(bias_hh, GRU_ORDER, GRU_FACTORS)
    times = Times(by_gate(weight_hh, GRU_ORDER, GRU_FACTORS), len(hidden))
    product = np.empty((3, *hidden.shape), x.dtype)
    h = hidden

    def enter(chunk: Chunk) -> None:
        part = gates[:, chunk.rows]
        np.matmul(x[chunk.rows], entering, out=part)
        if bias is not None:
            part += bias

    def walk(chunk: Chunk) -> None:
        nonlocal h
        for step in chunk.steps:
            n = step.stop - step.start
            z, new, recurrent = gates[:, step], out[step], product[:, :n]
            h = carried(h, hidden, n)
            times(h, recurrent)
            if added is not None:
                recurrent += added
            doors, candidate = z[:2], z[2]
            doors += recurrent[:2]
            np.tanh(doors, out=doors)
            doors += 1
            doors *= 0.5
            inner[step] = recurrent[2]
            recurrent[2] *= doors[0]
            candidate += recurrent[2]
            np.tanh(candidate, out=candidate)
            np.subtract(h, candidate, out=new)
            new *= doors[1]
            new += candidate
            h = new

    in_turn(enter, walk, chunks_of(batch_sizes, reverse), 2 * total * weight_hh.size)
    return out, gates, inner


@in_single
def gru_grad(
    g: Any,
    needs: Sequence[bool],
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    out: Any,
    gates: Any,
    inner: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> tuple[Any, ...]:
    """The gradients of the six inputs of `gru`, None where not needed."""
    total, size = len(x), hidden.shape[1]
    changes = np.empty((total, 3 * size), x.dtype)  # of the three sums, as the state enters them
    entering = np.empty_like(changes)  # as the input enters them: another candidate
    earlier = before(out, hidden, batch_sizes, reverse)
    dh, room = np.zeros_like(hidden), np.empty_like(hidden)
    times = Times(weight_hh[None], len(hidden))
    ones = np.ones((total, 1), x.dtype)
    inputs = Sums(entering, x if needs[2] else None, ones if needs[4] else None)
    states = Sums(changes, earlier if needs[3] else None, ones if needs[5] else None)
    entered = needs[0] or needs[2] or needs[4]

    def walk(chunk: Chunk) -> None:
        rows, start = chunk.rows, chunk.rows.start
        reset, keep, candidate = gates[:, rows]
        slopes = changes[rows].reshape(-1, 3, size)  # (rows, 3 * H) -> (rows, 3, H)
        direct = candidate * candidate
        np.subtract(1, direct, out=direct)
        np.subtract(1, keep, out=slopes[:, 1])
        direct *= slopes[:, 1]
        slopes[:, 1] *= keep
        slopes[:, 1] *= earlier[rows] - candidate
        np.subtract(1, reset, out=slopes[:, 0])
        slopes[:, 0] *= reset
        slopes[:, 0] *= inner[rows]
        slopes[:, 0] *= direct
        np.multiply(direct, reset, out=slopes[:, 2])
        for step in chunk.steps:
            here = slice(step.start - start, step.stop - start)
            n = step.stop - step.start
            back, free = dh[:n], room[:n]
            back += g[step]
            slopes[here] *= back[:, None]
            direct[here] *= back
            back *= keep[here]
            times(changes[step], free[None])
            back += free
        if entered:
            entering[rows, : 2 * size] = changes[rows, : 2 * size]
            entering[rows, 2 * size :] = direct

    def collect(chunk: Chunk) -> None:
        inputs.add(chunk)
        states.add(chunk)

    in_turn(walk, collect, backwards(chunks_of(batch_sizes, reverse)), 2 * total * weight_hh.size)
    return (
        matmul(entering, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        inputs.totals[0],
        states.totals[0],
        flat(inputs.totals[1]),
        flat(states.totals[1]),
    )


@in_single
def rnn(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    nonlinearity: str,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    """The hidden states."""
    out = np.empty((len(x), hidden.shape[1]), x.dtype)
    times = Times(weight_hh.T[None], len(hidden))
    product = np.empty((1, *hidden.shape), x.dtype)
    h = hidden

    def enter(chunk: Chunk) -> None:
        part = out[chunk.rows]
        np.matmul(x[chunk.rows], weight_ih.T, out=part)
        for bias in (bias_ih, bias_hh):
            if bias is not None:
                part += bias

    def walk(chunk: Chunk) -> None:
        nonlocal h
        for step in chunk.steps:
            n = step.stop - step.start
            new = out[step]
            times(carried(h, hidden, n), product[:, :n])
            new += product[0, :n]
            if nonlinearity == "tanh":
                np.tanh(new, out=new)
            else:
                np.maximum(new, 0, out=new)
            h = new

    in_turn(enter, walk, chunks_of(batch_sizes, reverse), 2 * len(x) * weight_hh.size)
    return out


@in_single
def rnn_grad(
    g: Any,
    needs: Sequence[bool],
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    out: Any,
    nonlinearity: str,
    batch_sizes: Sizes,
    reverse: bool,
) -> tuple[Any, ...]:
    """The gradients of the six inputs of `rnn`, None where not needed."""
    total = len(x)
    changes = np.empty_like(out)
    dh = np.zeros_like(hidden)
    times = Times(weight_hh[None], len(hidden))
    sums = Sums(
        changes,
        x if needs[2] else None,
        before(out, hidden, batch_sizes, reverse) if needs[3] else None,
        np.ones((total, 1), x.dtype) if needs[4] or needs[5] else None,
    )

    def walk(chunk: Chunk) -> None:
        slopes = changes[chunk.rows]
        if nonlinearity == "tanh":
            np.multiply(out[chunk.rows], out[chunk.rows], out=slopes)
            np.subtract(1, slopes, out=slopes)
        else:
            np.greater(out[chunk.rows], 0, out=slopes)
        for step in chunk.steps:
            back = dh[: step.stop - step.start]
            back += g[step]
            changes[step] *= back
            times(changes[step], back[None])

    in_turn(walk, sums.add, backwards(chunks_of(batch_sizes, reverse)), 2 * total * weight_hh.size)
    return (
        matmul(changes, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        *sums.totals[:2],
        *twice(flat(sums.totals[2]), needs[4], needs[5]),
    )
