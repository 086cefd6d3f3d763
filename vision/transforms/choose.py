"""Transforms that apply others at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vision.transforms.compose import Compose
from vision.transforms.image import probability, uniform

__all__ = ["RandomApply", "RandomChoice"]


class RandomApply:
    """Apply transforms, one after the other, all or none of them.

    The choice is one for whatever is given, also for a batch.

    Args:
        transforms: the transforms.
        p: the probability.

    Example:
        >>> from vision.transforms import Lambda
        >>> RandomApply([Lambda(abs)], p=1)(-3)
        3
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        self.transforms = transforms
        self.p = probability("RandomApply", p)

    def __call__(self, img: Any) -> Any:
        if uniform(()) < self.p:
            return Compose(self.transforms)(img)
        return img

    def __repr__(self) -> str:
        inner = "".join(f"    {transform!r}\n" for transform in self.transforms)
        return f"RandomApply(\n    p={self.p}\n{inner})"


class RandomChoice:
    """Apply one of several transforms, chosen at random.

    It takes what they take: ``RandomChoice([MixUp(...), CutMix(...)])(images, labels)``. The choice
    is one for whatever is given, also for a batch.

    Args:
        transforms: the transforms.
        p: how likely each is, in proportion; all alike by default.

    Raises:
        ValueError: no transforms, or not one weight for each, or weights that are negative or 0.

    Example:
        >>> from vision.transforms import Lambda
        >>> RandomChoice([Lambda(abs), Lambda(float)], p=[1, 0])(-3)
        3
    """

    def __init__(
        self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None
    ) -> None:
        if not transforms:
            raise ValueError("RandomChoice: needs at least one transform, got none")
        weights = [1.0] * len(transforms) if p is None else list(p)
        if len(weights) != len(transforms) or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(
                f"RandomChoice: p must be {len(transforms)} weights, none negative and not all 0, "
                f"got {p}"
            )
        self.transforms = transforms
        self.p = p
        self._ends = np.cumsum(weights) / sum(weights)

    def __call__(self, *inputs: Any) -> Any:
        chosen = int(np.searchsorted(self._ends, uniform(()), side="right"))
        return self.transforms[min(chosen, len(self.transforms) - 1)](*inputs)

    def __repr__(self) -> str:
        inner = "".join(f"    {transform!r}\n" for transform in self.transforms)
        return f"RandomChoice(\n{inner})"
