"""Binary cross-entropy of probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.dtypes import promote
from autograd.ops.elementwise import clamp_min, log, log1p, quiet
from autograd.primitive import Case, primitive

LOWEST = -100.0
NARROWEST = 1e-12


def slope(g: Any, x: Any, y: Any) -> Any:
    """``(x - y) / (x * (1 - x))``, kept finite where x is 0 or 1."""
    return g * ((x - y) / clamp_min(x * (1 - x), NARROWEST))


def target_slope(g: Any, x: Any) -> Any:
    return g * (clamp_min(log1p(-x), LOWEST) - clamp_min(log(x), LOWEST))


@primitive(
    slope,
    target_slope,
    elementwise=True,
    promote=promote,
    case=Case(shapes=((2, 3), (2, 3)), domain=((0.1, 0.9), (0.0, 1.0))),
)
@quiet
def binary_cross_entropy(x: Any, y: Any) -> Any:
    """``-(y * log(x) + (1 - y) * log(1 - x))``, no logarithm below -100; x and y of one shape."""
    return (y - 1) * np.maximum(np.log1p(-x), LOWEST) - y * np.maximum(np.log(x), LOWEST)
