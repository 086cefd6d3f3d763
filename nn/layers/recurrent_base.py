"""What recurrent layers share: parameters, states, and the way through layers and directions."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, tensor
from autograd.errors import DtypeError, ShapeError
from nn import functional as F
from nn import init
from nn.module import Module
from nn.parameter import new_parameter
from nn.utils.rnn import PackedSequence

__all__ = ["RNNBase", "States"]

States = tuple[Tensor, ...]


class RNNBase(Module):
    """What the recurrent layers share: parameters by layer and direction, and the way through.

    The parameters of layer k are ``weight_ih_l{k}``, ``weight_hh_l{k}``, ``bias_ih_l{k}`` and
    ``bias_hh_l{k}``, those of its other direction end in ``_reverse``.
    """

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = type(self).__name__
        for name, size in (
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_layers", num_layers),
        ):
            if not isinstance(size, int):
                raise TypeError(f"{kind}: {name} is a whole number, got {size!r}")
            if size <= 0:
                raise ValueError(f"{kind}: {name} is positive, got {size}")
        if isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(f"{kind}: dropout is a probability between 0 and 1, got {dropout}")
        if not 0 <= proj_size < hidden_size:
            raise ValueError(
                f"{kind}: proj_size is at least 0 and below hidden_size {hidden_size}, "
                f"got {proj_size}"
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{kind}: dropout acts between layers, and there is one only (dropout={dropout}, "
                "num_layers=1)",
                stacklevel=3,
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, out = self.gates * hidden_size, proj_size or hidden_size
        directions = 2 if bidirectional else 1
        self._names: list[list[str]] = []
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else out * directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs)}
            shapes["weight_hh"] = (rows, out)
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            if proj_size:
                shapes["weight_hr"] = (proj_size, hidden_size)
            for suffix in ("", "_reverse")[:directions]:
                self._names.append([f"{stem}_l{layer}{suffix}" for stem in shapes])
                for name, shape in zip(self._names[-1], shapes.values(), strict=True):
                    self.register_parameter(name, new_parameter(shape, device, dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters from the uniform distribution within ``1 / sqrt(H)`` of 0."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Do nothing: there is no layout of parameters that is better than another."""

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.proj_size:
            parts.append(f"proj_size={self.proj_size}")
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if not self.bias:
            parts.append("bias=False")
        if self.batch_first:
            parts.append("batch_first=True")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional:
            parts.append("bidirectional=True")
        return ", ".join(parts)

    def _step(
        self, x: Tensor, states: States, weights: list[Tensor], sizes: tuple[int, ...], back: bool
    ) -> tuple[Tensor, States]:
        """One layer in one direction: the outputs (rows, H), and the states but the hidden one."""
        raise NotImplementedError

    def _run(self, input: Tensor | PackedSequence, states: States | None) -> tuple[Any, States]:
        """Outputs in the form of the input, and the last states, each (layers * directions, ...).

        `states` has the same form; None for zeros.
        """
        packed = input if isinstance(input, PackedSequence) else None
        data = input.data if isinstance(input, PackedSequence) else input
        self._check_input(data, packed is not None)
        unbatched = packed is None and data.ndim == 2
        if packed is not None:
            sizes = tuple(int(size) for size in packed.batch_sizes.array)
            batch, rows = sizes[0], data
        else:
            if unbatched:
                data = data.unsqueeze(1)  # (T, I) -> (T, 1, I)
            elif self.batch_first:
                data = data.transpose(0, 1)  # (N, T, I) -> (T, N, I)
            steps, batch = (int(size) for size in data.shape[:2])
            sizes = (batch,) * steps
            rows = data.reshape(steps * batch, self.input_size)  # (T, N, I) -> (T * N, I)
        widths = self._state_sizes()
        if states is None:
            shapes = [(len(self._names), batch, width) for width in widths]
            states = tuple(autograd.zeros(*shape, dtype=rows.dtype) for shape in shapes)
        else:
            self._check_states(states, None if unbatched else batch, widths)
            if unbatched:
                # (layers * directions, H) -> (layers * directions, 1, H)
                states = tuple(state.unsqueeze(1) for state in states)
            elif packed is not None and packed.sorted_indices is not None:
                states = tuple(state[:, packed.sorted_indices] for state in states)
        out, last = self._layers(rows, states, sizes)
        if packed is not None:
            if packed.unsorted_indices is not None:
                last = tuple(state[:, packed.unsorted_indices] for state in last)
            return packed._replace(data=out), last
        out = out.reshape(len(sizes), batch, out.shape[1])  # (T * N, D * H) -> (T, N, D * H)
        if unbatched:
            return out.squeeze(1), tuple(state.squeeze(1) for state in last)
        return (out.transpose(0, 1) if self.batch_first else out), last

    def _layers(
        self, rows: Tensor, states: States, sizes: tuple[int, ...]
    ) -> tuple[Tensor, States]:
        directions = 2 if self.bidirectional else 1
        ends = last_rows(sizes)
        last: list[States] = []
        weights = self.all_weights
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                rows = F.dropout(rows, self.dropout)
            outs = []
            for back in (False, True)[:directions]:
                place = len(last)
                begin = tuple(state[place] for state in states)
                out, others = self._step(rows, begin, weights[place], sizes, back)
                last.append((out[: sizes[0]] if back else out[ends], *others))
                outs.append(out)
            rows = outs[0] if directions == 1 else autograd.cat(outs, dim=1)
        return rows, tuple(autograd.stack(parts) for parts in zip(*last, strict=True))

    def _state_sizes(self) -> tuple[int, ...]:
        """The sizes of the hidden state and of what else there is."""
        return (self.proj_size or self.hidden_size,)

    def _check_input(self, data: Tensor, packed: bool) -> None:
        kind, shape = type(self).__name__, tuple(data.shape)
        expected = (2,) if packed else (2, 3)
        if len(shape) not in expected or shape[-1] != self.input_size:
            lead = "(N, T, " if self.batch_first else "(T, N, "
            forms = f"(rows, {self.input_size})" if packed else f"{lead}{self.input_size})"
            raise ShapeError(
                f"{kind}: input has shape {shape}, expected {forms}"
                + ("" if packed else f" or (T, {self.input_size})")
            )
        if not packed and not shape[1 if self.batch_first and len(shape) == 3 else 0]:
            raise ShapeError(f"{kind}: input has shape {shape}, expected at least one time step")
        dtype = self.all_weights[0][0].dtype
        if data.dtype != dtype:
            raise DtypeError(f"{kind}: input is {data.dtype}, weights {dtype}")

    def _check_states(self, states: States, batch: int | None, widths: tuple[int, ...]) -> None:
        kind = type(self).__name__
        for place, (state, width) in enumerate(zip(states, widths, strict=True)):
            expected = (len(self._names), *(() if batch is None else (batch,)), width)
            if tuple(state.shape) != expected:
                raise ShapeError(
                    f"{kind}: initial state {place} has shape {tuple(state.shape)}, expected "
                    f"{expected}"
                )


def last_rows(sizes: tuple[int, ...]) -> Any:
    """An index of the last row of each sequence."""
    batch, total = sizes[0], sum(sizes)
    if sizes[-1] == batch:
        return slice(total - batch, total)
    lengths = (np.arange(batch) < np.array(sizes)[:, None]).sum(axis=0)
    starts = np.cumsum((0, *sizes))
    return tensor(starts[lengths - 1] + np.arange(batch))
