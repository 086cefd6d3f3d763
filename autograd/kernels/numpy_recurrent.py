"""Recurrent layers over all time steps.

The steps lie one after another in memory: step t has the rows of the first ``batch_sizes[t]``
sequences, which are sorted by falling length. What does not depend on the state before it is
computed for all steps at once: the share of the input in the gates, and, backward, the slopes of
the gates and the gradients of the weights.

A logistic function is a tanh, ``sigmoid(x) = (1 + tanh(x / 2)) / 2``, which NumPy computes several
times faster than an exponential and a division.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.kernels.numpy_matmul import matmul

Sizes = Sequence[int]


def steps(batch_sizes: Sizes, reverse: bool) -> list[slice]:
    """The rows of each time step, in the order of the recurrence."""
    ends = np.cumsum(batch_sizes).tolist()
    parts = [slice(end - size, end) for end, size in zip(ends, batch_sizes, strict=True)]
    return parts[::-1] if reverse else parts


def before(states: Any, initial: Any, batch_sizes: Sizes, reverse: bool) -> Any:
    """For each row the state that its step began with."""
    out = np.empty((len(states), initial.shape[1]), states.dtype)
    earlier, known = states[:0], 0
    for part in steps(batch_sizes, reverse):
        size = part.stop - part.start
        known = min(len(earlier), size)
        out[part][:known] = earlier[:known]
        out[part][known:] = initial[known:size]
        earlier = states[part]
    return out


def project(x: Any, weight: Any, *biases: Any) -> Any:
    """``x @ weight.T`` plus the biases that are not None."""
    out = matmul(x, weight.T)
    for bias in biases:
        if bias is not None:
            out += bias
    return out


def logistic(x: Any, out: Any) -> None:
    """The logistic function of twice x."""
    np.tanh(x, out=out)
    out += 1
    out *= 0.5


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
    """The hidden states with the last cell states behind them, the gates, and all cell states."""
    total, size = len(x), hidden.shape[1]
    half = np.full(4 * size, 0.5, x.dtype)
    half[2 * size : 3 * size] = 1
    shift = np.full(4 * size, 0.5, x.dtype)
    shift[2 * size : 3 * size] = 0
    gates = project(x, weight_ih, bias_ih, bias_hh)
    gates *= half
    weight = np.ascontiguousarray((weight_hh * half[:, None]).T)  # (4H, H) -> (H, 4H)
    out = np.empty((total + len(hidden), size), x.dtype)
    cells = np.empty((total, size), x.dtype)
    h, c = hidden.copy(), out[total:]
    c[...] = cell
    product = np.empty((len(hidden), 4 * size), x.dtype)
    inflow = np.empty_like(h)
    for part in steps(batch_sizes, reverse):
        n = part.stop - part.start
        z, now, new, room, past = gates[part], cells[part], out[part], inflow[:n], c[:n]
        np.matmul(h[:n], weight, out=product[:n])
        z += product[:n]
        np.tanh(z, out=z)
        z *= half
        z += shift
        np.multiply(z[:, :size], z[:, 2 * size : 3 * size], out=room)
        np.multiply(z[:, size : 2 * size], past, out=now)
        now += room
        past[...] = now
        np.tanh(now, out=room)
        np.multiply(z[:, 3 * size :], room, out=new)
        h[:n] = new
    return out, gates, cells


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
) -> list[Any]:
    """The gradients of the seven inputs of `lstm`, None where not needed."""
    total, size = len(x), hidden.shape[1]
    i, f, n, o = (gates[:, k * size : (k + 1) * size] for k in range(4))
    slopes = np.empty((total, 4, size), x.dtype)  # of the gates, up to a factor known later
    np.subtract(1, gates.reshape(total, 4, size), out=slopes)  # (rows, 4H) -> (rows, 4, H)
    slopes *= gates.reshape(total, 4, size)  # (rows, 4H) -> (rows, 4, H)
    slopes[:, 0] *= n
    slopes[:, 1] *= before(cells, cell, batch_sizes, reverse)
    through = np.tanh(cells)
    slopes[:, 3] *= through
    np.multiply(n, n, out=slopes[:, 2])
    np.subtract(1, slopes[:, 2], out=slopes[:, 2])
    slopes[:, 2] *= i
    through *= through
    np.subtract(1, through, out=through)
    through *= o
    dh, dc = np.zeros_like(hidden), g[total:].copy()
    room = np.empty_like(hidden)
    rows = slopes.reshape(total, 4 * size)  # (rows, 4, H) -> (rows, 4H)
    for part in reversed(steps(batch_sizes, reverse)):
        count = part.stop - part.start
        back, flow, slope, free = dh[:count], dc[:count], slopes[part], room[:count]
        back += g[part]
        np.multiply(back, through[part], out=free)
        flow += free
        slope[:, :3] *= flow[:, None]
        slope[:, 3] *= back
        flow *= f[part]
        np.matmul(rows[part], weight_hh, out=back)
    return [
        matmul(rows, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        dc if needs[2] else None,
        matmul(rows.T, x) if needs[3] else None,
        weight_grad(rows, out[:total], hidden, batch_sizes, reverse) if needs[4] else None,
        column_sums(rows) if needs[5] else None,
        column_sums(rows) if needs[6] else None,
    ]


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
    """The hidden states, the gates, and what the reset gate lets through before it does."""
    total, size = len(x), hidden.shape[1]
    half = np.full(3 * size, 0.5, x.dtype)
    half[2 * size :] = 1
    gates = project(x, weight_ih, bias_ih)
    gates *= half
    weight = np.ascontiguousarray((weight_hh * half[:, None]).T)  # (3H, H) -> (H, 3H)
    bias = None if bias_hh is None else bias_hh * half
    out = np.empty((total, size), x.dtype)
    inner = np.empty((total, size), x.dtype)
    h = hidden.copy()
    product = np.empty((len(hidden), 3 * size), x.dtype)
    for part in steps(batch_sizes, reverse):
        n = part.stop - part.start
        z, state, new, recurrent = gates[part], h[:n], out[part], product[:n]
        np.matmul(state, weight, out=recurrent)
        if bias is not None:
            recurrent += bias
        open_, candidate = z[:, : 2 * size], z[:, 2 * size :]
        open_ += recurrent[:, : 2 * size]
        logistic(open_, open_)
        inner[part] = recurrent[:, 2 * size :]
        np.multiply(open_[:, :size], inner[part], out=new)
        candidate += new
        np.tanh(candidate, out=candidate)
        np.subtract(state, candidate, out=new)
        new *= open_[:, size:]
        new += candidate
        state[...] = new
    return out, gates, inner


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
) -> list[Any]:
    """The gradients of the six inputs of `gru`, None where not needed."""
    total, size = len(x), hidden.shape[1]
    reset, keep, candidate = (gates[:, k * size : (k + 1) * size] for k in range(3))
    slopes = np.empty((total, 3, size), x.dtype)  # of the gates as the state enters them
    direct = np.empty((total, size), x.dtype)  # of the candidate as the input enters it
    np.multiply(candidate, candidate, out=direct)
    np.subtract(1, direct, out=direct)
    direct -= direct * keep
    rows = slopes.reshape(total, 3 * size)  # (rows, 3, H) -> (rows, 3H)
    np.subtract(1, gates[:, : 2 * size], out=rows[:, : 2 * size])
    slopes[:, 0] *= reset
    slopes[:, 0] *= inner
    slopes[:, 0] *= direct
    slopes[:, 1] *= keep
    slopes[:, 1] *= before(out, hidden, batch_sizes, reverse) - candidate
    np.multiply(direct, reset, out=slopes[:, 2])
    dh = np.zeros_like(hidden)
    product = np.empty_like(dh)
    for part in reversed(steps(batch_sizes, reverse)):
        count = part.stop - part.start
        back, free = dh[:count], product[:count]
        back += g[part]
        slopes[part] *= back[:, None]
        direct[part] *= back
        back *= keep[part]
        np.matmul(rows[part], weight_hh, out=free)
        back += free
    weight_hh_grad = weight_grad(rows, out, hidden, batch_sizes, reverse) if needs[3] else None
    bias_hh_grad = column_sums(rows) if needs[5] else None
    slopes[:, 2] = direct
    return [
        matmul(rows, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        matmul(rows.T, x) if needs[2] else None,
        weight_hh_grad,
        column_sums(rows) if needs[4] else None,
        bias_hh_grad,
    ]


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
    out = project(x, weight_ih, bias_ih, bias_hh)
    h = hidden.copy()
    weight = np.ascontiguousarray(weight_hh.T)
    product = np.empty_like(h)
    for part in steps(batch_sizes, reverse):
        n = part.stop - part.start
        new = out[part]
        np.matmul(h[:n], weight, out=product[:n])
        new += product[:n]
        if nonlinearity == "tanh":
            np.tanh(new, out=new)
        else:
            np.maximum(new, 0, out=new)
        h[:n] = new
    return out


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
) -> list[Any]:
    """The gradients of the six inputs of `rnn`, None where not needed."""
    if nonlinearity == "tanh":
        rows = out * out
        np.subtract(1, rows, out=rows)
    else:
        rows = (out > 0).astype(out.dtype)
    dh = np.zeros_like(hidden)
    for part in reversed(steps(batch_sizes, reverse)):
        back = dh[: part.stop - part.start]
        back += g[part]
        rows[part] *= back
        np.matmul(rows[part], weight_hh, out=back)
    return [
        matmul(rows, weight_ih) if needs[0] else None,
        dh if needs[1] else None,
        matmul(rows.T, x) if needs[2] else None,
        weight_grad(rows, out, hidden, batch_sizes, reverse) if needs[3] else None,
        column_sums(rows) if needs[4] else None,
        column_sums(rows) if needs[5] else None,
    ]


def weight_grad(rows: Any, states: Any, initial: Any, batch_sizes: Sizes, reverse: bool) -> Any:
    """The gradient of the weight that multiplies the state, of all steps at once."""
    return matmul(rows.T, before(states, initial, batch_sizes, reverse))


def column_sums(rows: Any) -> Any:
    """The sum over all rows, by a matrix product, the fastest."""
    return np.matmul(np.ones(len(rows), rows.dtype), rows)
