"""Errors that say which operation failed, what came and what was expected.

Each class derives from the built-in exceptions that NumPy and PyTorch would raise in its place,
so that `except ValueError` and `except RuntimeError` written for either keep working.
"""

from __future__ import annotations

__all__ = ["DtypeError", "GradientShapeError", "GraphError", "InplaceError", "ShapeError"]


class ShapeError(ValueError, RuntimeError):
    """Shapes do not fit an operation."""


class GradientShapeError(ShapeError):
    """A rule returned a gradient that does not fit its input.

    Attributes:
        came, wanted: the shape of the gradient, and that of the input.
    """

    def __init__(self, text: str, came: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        super().__init__(text)
        self.came = came
        self.wanted = wanted


class DtypeError(TypeError, RuntimeError):
    """A data type does not fit an operation."""


class GraphError(RuntimeError):
    """A graph cannot be differentiated as asked."""


class InplaceError(RuntimeError):
    """An in-place write is refused, or has destroyed a value that a gradient needs."""
