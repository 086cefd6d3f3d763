"""Which way of direct convolution is the faster one, and where im2col is.

There are two: the results of a row side by side in a vector register, which suits few channels;
and products of gathered panels, which suit many. Costs are those of an image and a group, in
multiplications of a product that is done at full speed: those that are spent on lanes without a
result count, and what is copied counts as so many as are done in that time.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd.kernels.columns import is_pointwise
from autograd.kernels.direct import CHUNK, turned
from autograd.kernels.numba_product import STEP
from autograd.kernels.numba_vectors import LANES, MANY_REGISTERS, WIDTH
from autograd.kernels.windows import Windows

SUMS = ((8, 2) if MANY_REGISTERS else (4, 3), (1, 8))
"""Channels of output, and vectors of results for each, that are summed at once."""
GRADIENTS = ((8 if MANY_REGISTERS else 4, 3), (1, 9))
"""The same with taps, for the gradient of the weight."""
FEW = 4
"""Channels of output, per group, below which they are summed one by one."""
PICK = (4, 20)
"""What it takes to gather an input: along a row, and one by one."""

COPY, LINE = (8, 400) if MANY_REGISTERS else (16, 1000)
"""What im2col takes to copy a value, and to begin with each line of them."""
LAY = (2, 4)
"""What it takes to copy an input into the buffer, without and with keeping phases apart."""
ALONE = 2
"""What a multiplication takes for which an input has to be loaded."""
TOTAL = 64
"""What loading and storing a vector of sums takes."""
NEAR, FAR = 1 << 15, 1.2
"""Weights from which on it takes longer where they are read for every few results, and how long."""
RESULT = (10, 20)
"""What beginning with a result and storing it takes, each way."""
PACK = 20
"""The same of a weight, once for all images."""
KEPT = 1 << 22
"""Bytes of sums that are kept for the gradient of the weight, by each thread, at most."""


class Case(NamedTuple):
    """A convolution: `channels` and `outputs` per group."""

    windows: Windows
    images: int
    channels: int
    outputs: int
    groups: int

    @property
    def taps(self) -> int:
        return self.channels * prod(self.windows.kernel)

    @property
    def places(self) -> int:
        """Results, and those that fill a panel up."""
        return up(prod(self.windows.out), 1 if prod(self.windows.out) < WIDTH else WIDTH)

    @property
    def lay(self) -> int:
        """What copying an image into the buffer takes."""
        return self.channels * prod(self.windows.sizes) * LAY[self.windows.stride[-1] > 1]

    @property
    def pack(self) -> int:
        return PACK * self.taps * self.outputs // self.images

    @property
    def lanes(self) -> int:
        """How many results vectors along the rows have room for."""
        return prod(self.windows.out[:-1]) * up(self.windows.out[-1], LANES)


def up(count: int, step: int) -> int:
    """To the next multiple."""
    return -(-count // step) * step


def im2col(case: Case, passes: int = 1) -> int:
    """What im2col and its product take."""
    values = prod(case.windows.out) * case.taps
    if is_pointwise(case.windows):
        return values * case.outputs
    copies = COPY * values + LINE * values // case.windows.out[-1]
    return values * case.outputs + copies * passes


def sums(outputs: int) -> tuple[int, int]:
    """Which of `SUMS` serve so many channels of output per group."""
    return SUMS[outputs < FEW]


def gradients(outputs: int) -> tuple[int, int]:
    """Which of `GRADIENTS` do."""
    return GRADIENTS[outputs < FEW]


def rounded(taps: int, outputs: int) -> int:
    """How many weights of a group have their gradients summed, unnecessary ones included."""
    beside = gradients(outputs)
    return up(outputs, beside[0]) * up(taps, beside[1])


@lru_cache(maxsize=256)
def for_results(case: Case) -> tuple[int, str]:
    """What the faster way takes, and its name."""
    each = ALONE if case.outputs < FEW else FAR if case.taps * case.outputs > NEAR else 1
    channels = up(case.outputs, sums(case.outputs)[0])
    ways = [(int(case.lanes * channels * (case.taps * each + RESULT[0])) + case.pack, "rows")]
    channels = up(case.outputs, STEP)
    pick = PICK[case.windows.out[-1] % LANES > 0]
    ways.append((case.places * (case.taps * (channels + pick) + channels * RESULT[1]), "panels"))
    spent, way = min(ways)
    return spent + case.lay, way


@lru_cache(maxsize=256)
def for_weight(case: Case) -> tuple[int, str]:
    """The same for the gradient of the weight."""
    weights = rounded(case.taps, case.outputs)
    chunks = max(1, case.lanes // LANES // CHUNK)
    each = ALONE if case.outputs < FEW else 1
    ways = []
    if case.groups * weights * LANES * 4 <= KEPT:
        ways.append((weights * (case.lanes * each + chunks * TOTAL), "rows"))
    taps = up(case.taps, WIDTH)
    passes = TOTAL * case.outputs * taps // LANES  # over what is added up
    ways.append((prod(case.windows.out) * taps * (case.outputs + PICK[1]) + passes, "panels"))
    spent, way = min(ways)
    return spent + case.lay, way


def fits(x: Any, dtype: Any, out: int) -> bool:
    return bool(x.dtype == np.float32 and dtype == x.dtype and x.size and out)


def phases(case: Case) -> list[Case]:
    """The convolutions that the gradient of the input consists of."""
    return [
        case._replace(windows=phase.windows, channels=case.outputs, outputs=case.channels)
        for phase in turned(case.windows)
    ]


def applies(x: Any, weight: Any, windows: Windows, groups: int) -> bool:
    """Whether a convolution is faster this way than by im2col."""
    if not fits(x, weight.dtype, prod(windows.out)):
        return False
    case = Case(windows, len(x), weight.shape[1], len(weight) // groups, groups)
    return for_results(case)[0] < im2col(case)


def applies_to_input(g: Any, weight: Any, windows: Windows, groups: int) -> bool:
    """Whether the gradient of the input is faster this way than by im2col."""
    if not fits(g, weight.dtype, prod(windows.sizes)):
        return False
    case = Case(windows, len(g), weight.shape[1], len(weight) // groups, groups)
    return sum(for_results(phase)[0] for phase in phases(case)) < im2col(case)


def applies_to_weight(x: Any, g: Any, windows: Windows, groups: int) -> bool:
    """Whether the gradient of the weight is faster this way than by im2col."""
    if not fits(x, g.dtype, g.size):
        return False
    case = Case(windows, len(x), x.shape[1] // groups, g.shape[1] // groups, groups)
    return for_weight(case)[0] < im2col(case, 2)  # its copies are read by columns
