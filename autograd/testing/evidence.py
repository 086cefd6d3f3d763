"""What a wrong gradient has to say for itself, and the cause that is concluded from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Cause", "Evidence"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cause:
    """A mistake that explains what was found: its name, and a sentence for the report."""

    name: str
    text: str


@dataclass
class Evidence:
    """What came and what should have come, with the axes of output and input apart.

    Attributes:
        came, right: (output axes..., input axes...).
        slack: differences up to this are none.
        out_axes, in_axes: how many of each there are.
        others: the right derivatives by other variables of the same shape, by their names.
        inputs: values that broadcast against the derivatives, by their names.
        least: how many derivatives a relation to values must explain; one, if it is tried again.
    """

    came: Array
    right: Array
    slack: float
    out_axes: int
    in_axes: int
    others: dict[str, Array]
    inputs: dict[str, Array]
    least: int = 2

    @property
    def scale(self) -> float:
        """The largest of the right derivatives."""
        return float(np.max(np.abs(self.right), initial=0.0))

    def fits(self, predicted: Array) -> bool:
        """Whether this is what came."""
        return bool(np.max(np.abs(self.came - predicted), initial=0.0) <= self.slack)

    def axis_name(self, axis: int) -> str:
        """What a report calls an axis."""
        if axis < self.out_axes:
            return f"axis {axis} of the output"
        return f"axis {axis - self.out_axes} of the input"
