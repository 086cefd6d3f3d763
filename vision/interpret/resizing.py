"""Enlarging heat maps to the image that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__: list[str] = []


def enlarged(maps: NDArray[Any], size: Sequence[int]) -> NDArray[Any]:
    """Maps (N, h, w) at the size (H, W), linear between the centres of their pixels.

    Beyond the outermost centres the value is that of the edge; a smaller size is sampled likewise.
    """
    for axis, length in enumerate(size, start=1):
        count = maps.shape[axis]
        place = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
        low = np.floor(place).astype(np.intp)
        high = np.minimum(low + 1, count - 1)
        share = (place - low).astype(maps.dtype)
        share = share.reshape(-1, *[1] * (maps.ndim - axis - 1))  # (L,) -> (L, 1, ...)
        below, above = maps.take(low, axis), maps.take(high, axis)
        maps = below + share * (above - below)
    return maps
