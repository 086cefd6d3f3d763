"""Adding up rows that belong together."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.half import in_single

FREQUENT = 16
"""How often a place may occur and still be filled in rounds."""


@in_single
def sum_rows(x: Any, places: Any, total: Any) -> Any:
    """Add row k of x (n, ...) to row ``places[k]`` of `total`; places are not negative.

    In rounds: the k-th adds to each place what came k-th to it, so no place is named twice.
    What a place that occurs often still lacks then is summed by itself.
    """
    if not places.size or not total.size:
        return total
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(np.r_[starts, places.size])
    targets = ordered[starts]
    for turn in range(min(FREQUENT, int(counts.max()))):
        left = counts > turn
        starts, counts, targets = starts[left], counts[left], targets[left]
        total[targets] += x[order[starts + turn]]
    left = counts > FREQUENT
    for start, count, target in zip(starts[left], counts[left], targets[left], strict=True):
        rest = x[order[start + FREQUENT : start + count]]
        total[target] += np.sum(rest, axis=0, dtype=np.float64)  # rows are added one by one
    return total
