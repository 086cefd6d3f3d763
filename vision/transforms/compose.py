"""Transforms made of functions and of other transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Compose", "Lambda"]


class Compose:
    """Apply transforms one after the other.

    Example:
        >>> Compose([Lambda(abs), Lambda(float)])(-3)
        3.0
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        inner = "".join(f"    {transform!r}\n" for transform in self.transforms)
        return f"Compose(\n{inner})"


class Lambda:
    """Apply a function.

    Raises:
        TypeError: `lambd` cannot be called.

    Example:
        >>> Lambda(lambda x: x + 1)(2)
        3
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Lambda: got {type(lambd).__name__}, expected a function")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"
