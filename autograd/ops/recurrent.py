"""Recurrent layers: each is one operation, over all time steps in one direction.

The rows of an input are those of the steps, one step after another; step t has the first
``batch_sizes[t]`` sequences, which are sorted by falling length, so sequences of different lengths
need no padding. In reverse the steps are taken from the last to the first.

The kernels compute gradients as arrays. Where a gradient is to be differentiated in turn, it is
that of the same recurrence composed step by step of other primitives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import kernels
from autograd.ops.elementwise import quiet, relu, sigmoid, tanh
from autograd.ops.linalg import linear
from autograd.ops.shape import cat, clone
from autograd.primitive import Case, primitive

Sizes = tuple[int, ...]


def settings(batch_sizes: Sizes, reverse: bool) -> dict[str, Any]:
    return {"batch_sizes": batch_sizes, "reverse": reverse}


def cases(gates: int, states: int, **attributes: Any) -> tuple[Case, ...]:
    """A layer of a cell with so many gates and states: sizes 2 and 2, with and without biases."""
    weights = ((2 * gates, 2), (2 * gates, 2), (2 * gates,), (2 * gates,))
    return (
        Case(
            shapes=((4, 2), *((2, 2),) * states, *weights),
            attributes={**settings((2, 2), False), **attributes},
        ),
        Case(
            shapes=((3, 2), *((2, 2),) * states, *weights[:2]),
            constants={"bias_ih": None, "bias_hh": None},
            attributes={**settings((2, 1), True), **attributes},
        ),
    )


def derived(
    composed: Callable[..., Any], g: Any, needs: tuple[bool, ...], *inputs: Any, **attributes: Any
) -> list[Any]:
    """The gradients of a composed function, on tensors, with their history.

    Each input is set apart by a clone: one may have been computed from another.
    """
    from autograd.gradients import grad

    given = [clone(x) if needed else x for x, needed in zip(inputs, needs, strict=True)]
    wanted = [x for x, needed in zip(given, needs, strict=True) if needed]
    out = composed(*given, **attributes)
    found = iter(grad(out, wanted, g, create_graph=True))
    return [next(found) if needed else None for needed in needs]


def steps(batch_sizes: Sizes, reverse: bool) -> Iterator[slice]:
    """The rows of each time step, in the order of the recurrence."""
    ends = np.cumsum(batch_sizes).tolist()
    parts = [slice(end - size, end) for end, size in zip(ends, batch_sizes, strict=True)]
    return reversed(parts) if reverse else iter(parts)


def blocks(x: Any, count: int) -> list[Any]:
    """The parts, of equal size, that lie beside each other in the last axis."""
    size = x.shape[-1] // count
    return [x[:, k * size : (k + 1) * size] for k in range(count)]


def in_place_of(state: Any, new: Any) -> Any:
    """The states of all sequences, after the first ones took a step."""
    return cat(new, state[len(new) :], dim=0) if len(new) < len(state) else new


def in_order(rows: list[Any], reverse: bool) -> Any:
    return cat(*(reversed(rows) if reverse else rows), dim=0)


def lstm_by_steps(
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    entering, rows = linear(x, weight_ih, bias_ih), []
    for part in steps(batch_sizes, reverse):
        count = part.stop - part.start
        gates = entering[part] + linear(hidden[:count], weight_hh, bias_hh)
        i, f, candidate, o = blocks(gates, 4)
        c = sigmoid(f) * cell[:count] + sigmoid(i) * tanh(candidate)
        rows.append(sigmoid(o) * tanh(c))
        hidden, cell = in_place_of(hidden, rows[-1]), in_place_of(cell, c)
    return cat(in_order(rows, reverse), cell, dim=0)


def lstm_rule(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    out: Any,
    gates: Any,
    cells: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> Sequence[Any]:
    inputs = (x, hidden, cell, weight_ih, weight_hh)
    if isinstance(g, np.ndarray):
        return kernels.lstm_grad(g, needs, *inputs, out, gates, cells, batch_sizes, reverse)
    options = settings(batch_sizes, reverse)
    return derived(lstm_by_steps, g, needs, *inputs, bias_ih, bias_hh, **options)


@primitive(joint=lstm_rule, residuals=("gates", "cells"), case=cases(4, 2))
@quiet
def lstm(
    x: Any,
    hidden: Any,
    cell: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    """Long short-term memory: ``c' = f * c + i * n``, ``h' = o * tanh(c')``.

    Of the four blocks of ``x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh``, i, f and o are
    the logistic functions of the first, second and last, n the tanh of the third.

    x (rows, I), hidden and cell (N, H), weights (4H, I) and (4H, H), biases (4H,) or None. The
    result has the hidden states (rows, H) and behind them the last cell states (N, H).

    Reference: Hochreiter and Schmidhuber 1997, Neural Computation 9(8); forget gate: Gers et al.
    2000.
    """
    return kernels.lstm(
        x, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse
    )


def gru_by_steps(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    entering, rows = linear(x, weight_ih, bias_ih), []
    for part in steps(batch_sizes, reverse):
        h = hidden[: part.stop - part.start]
        reset, keep, candidate = blocks(entering[part], 3)
        reset_h, keep_h, candidate_h = blocks(linear(h, weight_hh, bias_hh), 3)
        n = tanh(candidate + sigmoid(reset + reset_h) * candidate_h)
        rows.append(n + sigmoid(keep + keep_h) * (h - n))
        hidden = in_place_of(hidden, rows[-1])
    return in_order(rows, reverse)


def gru_rule(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    out: Any,
    gates: Any,
    inner: Any,
    batch_sizes: Sizes,
    reverse: bool,
) -> Sequence[Any]:
    inputs = (x, hidden, weight_ih, weight_hh)
    if isinstance(g, np.ndarray):
        return kernels.gru_grad(g, needs, *inputs, out, gates, inner, batch_sizes, reverse)
    options = settings(batch_sizes, reverse)
    return derived(gru_by_steps, g, needs, *inputs, bias_ih, bias_hh, **options)


@primitive(joint=gru_rule, residuals=("gates", "inner"), case=cases(3, 1))
@quiet
def gru(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    """Gated recurrent unit: ``h' = (1 - z) * n + z * h``, ``n = tanh(a + r * b)``.

    r and z are the logistic functions of the first two blocks of ``x @ weight_ih.T + bias_ih + h @
    weight_hh.T + bias_hh``; a and b are the third blocks of the two halves of that sum.

    x (rows, I), hidden (N, H), weights (3H, I) and (3H, H), biases (3H,) or None; the result
    (rows, H).

    Reference: Cho et al. 2014, arXiv:1406.1078.
    """
    return kernels.gru(x, hidden, weight_ih, weight_hh, bias_ih, bias_hh, batch_sizes, reverse)


def rnn_by_steps(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    nonlinearity: str,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    entering, rows = linear(x, weight_ih, bias_ih), []
    bend = tanh if nonlinearity == "tanh" else relu
    for part in steps(batch_sizes, reverse):
        h = hidden[: part.stop - part.start]
        rows.append(bend(entering[part] + linear(h, weight_hh, bias_hh)))
        hidden = in_place_of(hidden, rows[-1])
    return in_order(rows, reverse)


def rnn_rule(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    out: Any,
    nonlinearity: str,
    batch_sizes: Sizes,
    reverse: bool,
) -> Sequence[Any]:
    inputs = (x, hidden, weight_ih, weight_hh)
    if isinstance(g, np.ndarray):
        return kernels.rnn_grad(g, needs, *inputs, out, nonlinearity, batch_sizes, reverse)
    options = {**settings(batch_sizes, reverse), "nonlinearity": nonlinearity}
    return derived(rnn_by_steps, g, needs, *inputs, bias_ih, bias_hh, **options)


@primitive(joint=rnn_rule, case=cases(1, 1, nonlinearity="tanh"))
@quiet
def rnn(
    x: Any,
    hidden: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    *,
    nonlinearity: str,
    batch_sizes: Sizes,
    reverse: bool,
) -> Any:
    """Simple recurrence: ``h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)``.

    Or relu instead of tanh. x (rows, I), hidden (N, H), weights (H, I) and (H, H), biases (H,) or
    None; the result (rows, H).

    Reference: Elman 1990, Cognitive Science 14(2).
    """
    return kernels.rnn(
        x, hidden, weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity, batch_sizes, reverse
    )
