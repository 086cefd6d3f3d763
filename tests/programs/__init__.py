"""Programs of views, in-place writes, detach(), no_grad and backward passes, checked as they run.

The truth is `jets`. After every step values agree; a write either happens or raises exactly when
it must, and then nothing has changed; a gradient, of first or second order, is right, or a value
that it needs was overwritten. Never is it silently wrong. What a program does is decided by a
function that chooses a number below another one: Hypothesis, or a generator of random numbers.
"""

from __future__ import annotations

from programs.gradients import Gradients
from programs.operations import Operations
from programs.tensors import Tensors
from programs.writes import Writes

STEPS = [
    *("leaf", "plain", "leaf_later", "detach", "set_data", "drop", "drop", "look"),
    *("view",) * 6,
    *("scaled", "unary", "unary", "binary", "binary", "sum", "join", "product"),
    *("custom", "custom_pair"),
    *("unary_inplace", "scalar_inplace", "binary_inplace", "ternary_inplace", "custom_inplace"),
    *("assign", "assign", "assign_shifted", "fill", "add_at"),
    *("differentiate", "differentiate", "second", "backward"),
]


class Program(Tensors, Operations, Writes, Gradients):
    """One run. The methods named in `STEPS` are its steps."""

    def __init__(self, choose, seen=None):
        super().__init__(choose, seen)
        self.leaf()
        self.scaled()
        self.view()
