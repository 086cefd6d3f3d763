"""Recurrent layers over whole sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Tensor, ops
from nn import functional as F
from nn.layers.recurrent_base import RNNBase, States
from nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN"]


class RNN(RNNBase):
    """``h[t] = tanh(x[t] @ weight_ih.T + bias_ih + h[t - 1] @ weight_hh.T + bias_hh)``.

    Args:
        input_size: the features of the input.
        hidden_size: those of the state.
        num_layers: how many layers; each reads the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: whether there are biases.
        batch_first: whether inputs and outputs are (N, T, features) rather than (T, N, features).
        dropout: between the layers.
        bidirectional: whether each layer also runs from the end to the start; the outputs of the
            two directions stand beside each other.

    Called with an input (T, N, input_size), or (T, input_size), or a `PackedSequence`, and perhaps
    the first states (layers * directions, N, hidden_size), else zeros, it returns the outputs
    (T, N, directions * hidden_size) and the last states.

    Reference: Elman 1990, Cognitive Science 14(2).

    >>> import nn
    >>> from autograd import ones
    >>> out, h = nn.RNN(10, 20)(ones(5, 3, 10))
    >>> tuple(out.shape), tuple(h.shape)
    ((5, 3, 20), (1, 3, 20))
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = nonlinearity

    def _step(
        self, x: Tensor, states: States, weights: list[Tensor], sizes: tuple[int, ...], back: bool
    ) -> tuple[Tensor, States]:
        biases = weights[2:] if self.bias else (None, None)
        out: Tensor = ops.rnn(
            x,
            *states,
            *weights[:2],
            *biases,
            nonlinearity=self.nonlinearity,
            batch_sizes=sizes,
            reverse=back,
        )
        return out, ()

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        out, (hidden,) = self._run(input, None if hx is None else (hx,))
        return out, hidden


class GRU(RNNBase):
    """Gated recurrent units: ``h' = (1 - z) * n + z * h``.

    ``r = sigmoid(x @ W_ir.T + b_ir + h @ W_hr.T + b_hr)``, z likewise, and
    ``n = tanh(x @ W_in.T + b_in + r * (h @ W_hn.T + b_hn))``; the parameters hold those of r, z and
    n one below another. Arguments, inputs and outputs as of `RNN`.

    Reference: Cho et al. 2014, arXiv:1406.1078.

    >>> import nn
    >>> from autograd import ones
    >>> out, h = nn.GRU(10, 20, num_layers=2)(ones(5, 3, 10))
    >>> tuple(out.shape), tuple(h.shape)
    ((5, 3, 20), (2, 3, 20))
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )

    def _step(
        self, x: Tensor, states: States, weights: list[Tensor], sizes: tuple[int, ...], back: bool
    ) -> tuple[Tensor, States]:
        biases = weights[2:] if self.bias else (None, None)
        out: Tensor = ops.gru(x, *states, *weights[:2], *biases, batch_sizes=sizes, reverse=back)
        return out, ()

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Any, Tensor]:
        out, (hidden,) = self._run(input, None if hx is None else (hx,))
        return out, hidden


class LSTM(RNNBase):
    """Long short-term memory: ``c' = f * c + i * g``, ``h' = o * tanh(c')``.

    ``i = sigmoid(x @ W_ii.T + b_ii + h @ W_hi.T + b_hi)``, f and o likewise, and g with tanh; the
    parameters hold those of i, f, g and o one below another. Arguments and inputs as of `RNN`, and

    Args:
        proj_size: where above 0, ``h'`` is mapped to this size by a weight ``weight_hr_l{k}``.

    The states are a pair ``(h, c)``, given and returned.

    Reference: Hochreiter and Schmidhuber 1997, Neural Computation 9(8); forget gate: Gers et al.
    2000; projection: Sak et al. 2014, arXiv:1402.1128.

    >>> import nn
    >>> from autograd import ones
    >>> out, (h, c) = nn.LSTM(10, 20, bidirectional=True)(ones(5, 3, 10))
    >>> tuple(out.shape), tuple(h.shape), tuple(c.shape)
    ((5, 3, 40), (2, 3, 20), (2, 3, 20))
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def _state_sizes(self) -> tuple[int, ...]:
        return (self.proj_size or self.hidden_size, self.hidden_size)

    def _step(
        self, x: Tensor, states: States, weights: list[Tensor], sizes: tuple[int, ...], back: bool
    ) -> tuple[Tensor, States]:
        biases = tuple(weights[2:4]) if self.bias else (None, None)
        if self.proj_size:
            return projected_lstm(x, states, weights[:2], biases, weights[-1], sizes, back)
        out = ops.lstm(x, *states, *weights[:2], *biases, batch_sizes=sizes, reverse=back)
        return out[: len(x)], (out[len(x) :],)

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Any, tuple[Tensor, Tensor]]:
        out, (hidden, cell) = self._run(input, None if hx is None else pair_of(hx))
        return out, (hidden, cell)


def pair_of(states: Any) -> States:
    """The initial states of an LSTM, of which one alone is often given by mistake."""
    if not isinstance(states, (tuple, list)) or len(states) != 2:
        raise TypeError(f"LSTM: the initial states are a pair (h, c), got {type(states).__name__}")
    return tuple(states)


def projected_lstm(
    x: Tensor,
    states: States,
    weights: list[Tensor],
    biases: tuple[Tensor | None, ...],
    projection: Tensor,
    sizes: tuple[int, ...],
    back: bool,
) -> tuple[Tensor, States]:
    """An LSTM whose hidden state is a projection, step by step."""
    hidden, cell = states
    entering = F.linear(x, weights[0], biases[0])
    ends = np.cumsum(sizes).tolist()
    outs: list[Tensor] = []
    for end, size in list(zip(ends, sizes, strict=True))[:: -1 if back else 1]:
        gates = entering[end - size : end] + F.linear(hidden[:size], weights[1], biases[1])
        i, f, g, o = gates.chunk(4, dim=1)  # (n, 4 * H) -> (n, H) four times
        c = f.sigmoid() * cell[:size] + i.sigmoid() * g.tanh()
        outs.append(F.linear(o.sigmoid() * c.tanh(), projection))
        hidden = autograd.cat([outs[-1], hidden[size:]])
        cell = autograd.cat([c, cell[size:]])
    return autograd.cat(outs[::-1] if back else outs), (cell,)
