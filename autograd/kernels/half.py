"""float16 as a format for storing: what adds up many numbers computes in float32."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

__all__ = ["in_single"]

F = TypeVar("F", bound=Callable[..., Any])


def in_single(kernel: F) -> F:
    """Compute with float16 arrays in float32, and round the results once.

    Sums of float16 soon overflow; and no BLAS multiplies float16, NumPy's own loop takes a hundred
    times as long.
    """

    @wraps(kernel)
    def compute(*inputs: Any) -> Any:
        if inputs[0].dtype != np.float16:
            return kernel(*inputs)
        with np.errstate(over="ignore"):
            results = kernel(*converted(inputs, np.float16, np.float32))
            return converted(results, np.float32, np.float16)

    return cast("F", compute)


def converted(value: Any, old: Any, new: Any) -> Any:
    """Arrays of one type, also in tuples, in another; everything else as it is."""
    if type(value) is tuple:
        return tuple(converted(part, old, new) for part in value)
    return value.astype(new) if getattr(value, "dtype", None) == old else value
