"""Recurrent cells: one step at a time."""

from __future__ import annotations

import math
from typing import Any

import autograd
from autograd import Tensor, ops
from autograd.errors import DtypeError, ShapeError
from nn import init
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class RNNCellBase(Module):
    """What the cells share: two weights, two biases, and the checks of what comes in."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, gates: int, device: Any, dtype: Any
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = gates * hidden_size
        self.weight_ih = new_parameter((rows, input_size), device, dtype)
        self.weight_hh = new_parameter((rows, hidden_size), device, dtype)
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, new_parameter((rows,), device, dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from the uniform distribution within ``1 / sqrt(H)`` of 0."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else ", bias=False")

    def _rows(self, input: Tensor) -> Tensor:
        """The input as (N, I)."""
        kind, shape = type(self).__name__, tuple(input.shape)
        if len(shape) not in (1, 2) or shape[-1] != self.input_size:
            raise ShapeError(
                f"{kind}: input has shape {shape}, expected (N, {self.input_size}) or "
                f"({self.input_size},)"
            )
        if input.dtype != self.weight_ih.dtype:
            raise DtypeError(f"{kind}: input is {input.dtype}, weights {self.weight_ih.dtype}")
        return input if len(shape) == 2 else input.unsqueeze(0)  # (I,) -> (1, I)

    def _state(self, input: Tensor, state: Tensor | None, name: str) -> Tensor:
        """A state as (N, H); zeros where none is given."""
        if state is None:
            batch = input.shape[0] if input.ndim == 2 else 1
            return autograd.zeros(batch, self.hidden_size, dtype=input.dtype)
        expected = (*tuple(input.shape)[:-1], self.hidden_size)
        if tuple(state.shape) != expected:
            raise ShapeError(
                f"{type(self).__name__}: {name} has shape {tuple(state.shape)}, expected "
                f"{expected} (input {tuple(input.shape)})"
            )
        return state if state.ndim == 2 else state.unsqueeze(0)  # (H,) -> (1, H)

    def _weights(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh


class RNNCell(RNNCellBase):
    """One step of `RNN`: ``h' = tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)``.

    Called with the input (N, input_size) and the state (N, hidden_size), zeros when left out, it
    returns the next state; both may lack the batch.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.RNNCell(10, 20)(ones(3, 10)).shape)
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity is 'tanh' or 'relu', got {nonlinearity!r}")
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, hidden = self._rows(input), self._state(input, hx, "hx")
        out: Tensor = ops.rnn(
            x,
            hidden,
            *self._weights(),
            nonlinearity=self.nonlinearity,
            batch_sizes=(len(x),),
            reverse=False,
        )
        return out if input.ndim == 2 else out.squeeze(0)  # (1, H) -> (H,)

    def extra_repr(self) -> str:
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class LSTMCell(RNNCellBase):
    """One step of `LSTM`.

    Called with the input (N, input_size) and the states ``(h, c)``, each (N, hidden_size), zeros
    when left out, it returns the next states; all may lack the batch.

    >>> import nn
    >>> from autograd import ones
    >>> h, c = nn.LSTMCell(10, 20)(ones(3, 10))
    >>> tuple(h.shape), tuple(c.shape)
    ((3, 20), (3, 20))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        x = self._rows(input)
        given = (None, None) if hx is None else hx
        hidden, cell = (self._state(input, s, f"hx[{k}]") for k, s in enumerate(given))
        count = len(x)
        out = ops.lstm(x, hidden, cell, *self._weights(), batch_sizes=(count,), reverse=False)
        hidden, cell = out[:count], out[count:]  # (2 * N, H) -> (N, H) twice
        return (hidden, cell) if input.ndim == 2 else (hidden.squeeze(0), cell.squeeze(0))


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    Called with the input (N, input_size) and the state (N, hidden_size), zeros when left out, it
    returns the next state; both may lack the batch.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.GRUCell(10, 20)(ones(3, 10)).shape)
    (3, 20)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        x, hidden = self._rows(input), self._state(input, hx, "hx")
        out: Tensor = ops.gru(x, hidden, *self._weights(), batch_sizes=(len(x),), reverse=False)
        return out if input.ndim == 2 else out.squeeze(0)  # (1, H) -> (H,)
