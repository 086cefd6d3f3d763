"""The matrices of minimal filtering, and how tiles lie in memory: see `winograd`."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from autograd.kernels.windows import Windows

TILE = 4
"""Results along each side of a tile."""
POINTS = {
    3: ("0", "1", "-1", "1/2", "-2"),
    5: ("0", "1", "-1", "2", "-2", "1/2", "-1/2"),
}
"""Where polynomials are evaluated; these gave the smallest errors of those tried."""
LINE = 16
"""Lines are filled up to a multiple of this: whole vector registers."""


class Filters(NamedTuple):
    """The matrices for one kernel size r, with n = r + 3.

    inputs (n, n), kernels (n, r) and results (4, n):
    ``results @ ((kernels @ w) * (inputs @ x))`` correlates n inputs with r weights.
    """

    inputs: Any
    kernels: Any
    results: Any


@cache
def filters(size: int) -> Filters:
    """The matrices of a kernel size, worked out without rounding.

    Polynomials are multiplied by evaluating both at n - 1 points and at infinity (their leading
    coefficients), multiplying the values, and interpolating; correlation is the transpose of it.
    """
    points = [Fraction(point) for point in POINTS[size]]
    n = size + TILE - 1
    kernels = np.zeros((n, size))
    results = np.zeros((TILE, n))
    inputs = np.zeros((n, n))
    for k, point in enumerate(points):
        others = [other for other in points if other != point]
        scale = Fraction(1)
        for other in others:
            scale *= point - other
        kernels[k] = [float(point**power / scale) for power in range(size)]
        results[:, k] = [float(point**power) for power in range(TILE)]
        inputs[k, : n - 1] = [float(c) for c in polynomial(others)]
    kernels[-1, -1] = results[-1, -1] = 1
    inputs[-1] = [float(c) for c in polynomial(points)]
    return Filters(inputs, kernels, results)


def polynomial(roots: list[Fraction]) -> list[Fraction]:
    """The coefficients, constant first, of the product of ``x - root``."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        coefficients = [
            above - root * c for above, c in zip(shifted, [*coefficients, Fraction(0)], strict=True)
        ]
    return coefficients


class Lines(NamedTuple):
    """How results of some sizes are cut into tiles, and tiles into blocks.

    Attributes:
        rows, columns: tiles along each dimension.
        images: how many lie side by side.
        depth: rows of tiles in a block.
        length: of a line, filled up.
    """

    rows: int
    columns: int
    images: int
    depth: int
    length: int


class Tiles(Protocol):
    """What is written twice, for NumPy and for Numba."""

    def correlate(
        self, x: Any, weight: Any, turned: bool, bias: Any, windows: Windows, few: bool
    ) -> Any:
        """(N, C, H, W), (O, C, r, r), (O,) -> (N, O, out...); with turned kernels (C, O, r, r).

        With few tiles the transformed kernels are the larger part.
        """

    def weight_grad(self, x: Any, g: Any, size: int, before: tuple[int, int], few: bool) -> Any:
        """(N, C, H, W), (N, O, out...) -> (O, C, r, r)"""
