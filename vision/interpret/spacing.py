"""The size, distance and start of what units see, from the pixels that each sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__: list[str] = []

LONGEST_PERIOD = 16


def spacing(seen: NDArray[np.bool_]) -> tuple[int, float, float]:
    """The size, jump and start of `ReceptiveField` along one axis, from booleans (m, n).

    The last unit's first pixel and the first unit's last one are the ends that no border cuts, as
    long as the unit does not see everything. Size and start follow from them and the jump, and
    hold if all other units agree.
    """
    count, length = seen.shape
    some = seen.any(1)
    if not some.any():
        return 0, 0.0, 0.0
    first = np.where(some, seen.argmax(1), length)
    last = np.where(some, length - 1 - seen[:, ::-1].argmax(1), -1)
    if (first[some] == 0).all() and (last[some] == length - 1).all():
        return length, 0, 0
    for period in range(1, min(LONGEST_PERIOD, count - 1) + 1):
        found = regular(first, last, length, period)
        if found is not None:
            return found
    # no regular pattern to be seen: the largest unit, and the mean from the first to the last
    units = np.flatnonzero(some)
    middle = (first[units] + last[units]) / 2
    run = int(units[-1] - units[0])
    jump = float(middle[-1] - middle[0]) / run if run else 0.0
    size = int((last - first)[units].max()) + 1
    return size, tidy(jump), tidy(float((middle - jump * units).mean()) - (size - 1) / 2)


def regular(
    first: NDArray[np.intp], last: NDArray[np.intp], length: int, period: int
) -> tuple[int, float, float] | None:
    """Size, jump and start, if the same pattern returns every `period` units; None otherwise."""
    count = len(first)
    step = step_of(first, last, length, period)
    if step is None:
        return None
    # each unit's ends as they would be without borders, from the unit of its phase that tells
    low, high = np.full((2, count), np.nan)
    for phase in range(period):
        units = np.arange(phase, count, period)
        empty = last[units] < 0
        if empty.any():
            if not empty.all():
                return None
            continue
        shift = step * np.arange(len(units))
        low[units] = first[units[-1]] - shift[-1] + shift
        high[units] = last[phase] + shift
    inside_low, inside_high, some = low >= 0, high <= length - 1, last >= 0
    agree = (
        (first[inside_low] == low[inside_low]).all()
        and (last[inside_high] == high[inside_high]).all()
        and (first >= low)[some].all()
        and (last <= high)[some].all()
    )
    if not agree:
        return None
    jump = step / period
    size = int(np.nanmax(high - low)) + 1
    middle = (low + high) / 2 - jump * np.arange(count)
    return size, tidy(jump), tidy(float(np.nanmean(middle[:period])) - (size - 1) / 2)


def step_of(
    first: NDArray[np.intp], last: NDArray[np.intp], length: int, period: int
) -> int | None:
    """How far apart units are that are `period` apart, if two of them have an end inside."""
    steps = set()
    for phase in range(period):
        one, other = phase, phase + period
        if other < len(last) and last[one] >= 0 and 0 <= last[other] < length - 1:
            steps.add(int(last[other] - last[one]))
        one, other = len(first) - 1 - other, len(first) - 1 - phase
        if one >= 0 and last[other] >= 0 and last[one] >= 0 and first[one] > 0:
            steps.add(int(first[other] - first[one]))
    (step,) = steps if len(steps) == 1 else (None,)
    return step if step is not None and step > 0 else None


def tidy(number: float) -> float:
    """A whole number as an int, any other with its rounding errors removed."""
    rounded = round(number, 6)
    return int(rounded) if rounded == int(rounded) else rounded
