"""A data set in parts: to learn from, to choose by, to test on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import accumulate
from math import floor, isclose
from typing import Any

import numpy as np

from autograd import Generator, Tensor, rand
from nn.data import Subset
from vision.datasets.base import Transform

__all__ = ["stratified_split"]


def stratified_split(
    dataset: Any,
    lengths: Sequence[float],
    generator: Generator | None = None,
    *,
    transforms: Sequence[Transform | None] | None = None,
) -> list[Subset[Any]]:
    """Split a data set at random into parts in which each class has its share.

    No sample is in two parts. `nn.data.random_split` does so without regard to classes.

    Args:
        dataset: must have `targets`, a label for each sample.
        lengths: of the parts, in samples (the rest of them is left out), or as fractions that add
            up to 1; what rounding down leaves over goes to the first parts, one sample each.
        generator: draws the order.
        transforms: a transform for each part instead of the data set's own, so that images are
            changed at random to learn from, but not to choose by.

    Raises:
        TypeError: the data set has no `targets`.
        ValueError: lengths that are not positive or add up to more than there is, or not as many
            transforms.

    Example:
        >>> from vision.datasets import Digits
        >>> train, validation = stratified_split(Digits(), (0.8, 0.2))
        >>> len(train), len(validation)
        (1154, 288)
    """
    targets = getattr(dataset, "targets", None)
    if targets is None:
        raise TypeError(f"stratified_split: a {type(dataset).__name__} has no targets")
    labels = targets.array if isinstance(targets, Tensor) else np.asarray(targets)
    counts = part_sizes(len(labels), lengths)
    if transforms is not None and len(transforms) != len(counts):
        raise ValueError(
            f"stratified_split: got {len(transforms)} transforms for {len(counts)} parts"
        )
    chance = rand(len(labels), generator=generator, dtype=np.float64).array
    order = spread_evenly(labels, chance)
    parts: list[Subset[Any]] = []
    for position, end in enumerate(accumulate(counts)):
        source = dataset
        if transforms is not None:
            source = copy(dataset)
            source.transform = transforms[position]
        parts.append(Subset(source, order[end - counts[position] : end]))
    return parts


def spread_evenly(labels: Any, chance: Any) -> list[int]:
    """All samples in an order in which every stretch has each class's share."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        shuffled = members[np.argsort(chance[members])]
        place[shuffled] = (np.arange(len(members)) + 0.5) / len(members)
    order: list[int] = np.lexsort((chance, place)).tolist()
    return order


def part_sizes(size: int, lengths: Sequence[float]) -> list[int]:
    """The sizes of parts given in samples or in fractions."""
    counts = [int(length) for length in lengths]
    if isclose(sum(lengths), 1.0) and size > 1:
        counts = [floor(size * fraction) for fraction in lengths]
        for position in range(size - sum(counts)):
            counts[position % len(counts)] += 1
    if not counts or min(counts) < 1 or sum(counts) > size:
        raise ValueError(
            f"stratified_split: lengths {tuple(lengths)} of {size} samples are {tuple(counts)}, "
            "expected at least one in each part and not more in all than there are"
        )
    return counts
