"""Reading and writing by index."""

from __future__ import annotations

from math import prod as product_of
from typing import Any

import numpy as np

from autograd import kernels
from autograd.graph import ViewStep
from autograd.ops.elementwise import where
from autograd.ops.shape import reshape
from autograd.primitive import Case, primitive

SPARSE = 8
"""Elements for each that is added to, from which on adding one by one is as fast."""

PAIRS = (np.array([0, 1, 0]), np.array([2, 0, 2]))
CASES = (
    Case(shapes=((3, 4),), attributes={"index": (slice(0, 2), slice(None, None, 2))}),
    Case(shapes=((3, 4),), attributes={"index": PAIRS}),
    Case(shapes=((3, 2),), attributes={"index": (np.array([True, False, True]),)}),
    Case(shapes=((3, 2),), attributes={"index": (None, Ellipsis, -1)}),
)


def is_advanced(index: tuple[Any, ...]) -> bool:
    """Whether NumPy copies for this index, rather than make a view."""
    return any(isinstance(part, np.ndarray) for part in index)


def may_repeat(index: tuple[Any, ...]) -> bool:
    """Whether a place may be named more than once."""
    return any(isinstance(part, np.ndarray) and part.dtype.kind != "b" for part in index)


@primitive(lambda g, x_shape, index: index_sum(g, shape=x_shape, index=index), case=CASES)
def getitem(x: Any, *, index: tuple[Any, ...]) -> Any:
    """``x[index]`` by NumPy's rules, a view for slices and numbers; `index` is a tuple."""
    part = x[index]
    if part.__class__ is np.ndarray or is_advanced(index):
        return part
    return x[(*index, Ellipsis)]  # a single element too is a view, not a number


@primitive(
    lambda g, index: getitem(g, index=index),
    case=(
        Case(shapes=((2, 2),), attributes={**CASES[0].attributes, "shape": (3, 4)}),
        Case(shapes=((3,),), attributes={**CASES[1].attributes, "shape": (3, 4)}),
    ),
)
def index_sum(x: Any, *, shape: tuple[int, ...], index: tuple[Any, ...]) -> Any:
    """Zeros of a shape with x added at an index, as often as the index names a place."""
    total = np.zeros(shape, x.dtype)
    if not may_repeat(index):
        total[index] = x
        return total
    if len(index) == 1 and len(shape) > 1:
        rows = index[0].reshape(-1)
        rows = np.where(rows < 0, rows + shape[0], rows)
        return kernels.sum_rows(np.reshape(x, (rows.size, *shape[1:])), rows, total)
    places = np.arange(product_of(shape)).reshape(shape)[index]
    # (*,) -> (n,)
    places, values = places.reshape(-1), np.broadcast_to(x, places.shape).reshape(-1)
    if x.dtype.kind == "f" and places.size >= total.size // SPARSE:  # several times as fast
        sums = np.bincount(places, values, total.size).astype(x.dtype)
        return sums.reshape(shape)
    np.add.at(total.reshape(-1), places, values)
    return total


ALONG = {"dim": 1, "index": np.array([[2, 0, 2], [1, 1, 3]])}
DOWN = {"dim": 0, "index": np.array([[2, 0], [1, 1], [0, 2], [2, 2]])}


@primitive(
    lambda g, x_shape, dim, index: scatter_sum(g, shape=x_shape, dim=dim, index=index),
    case=(
        Case(shapes=((3, 4),), attributes=ALONG),
        Case(shapes=((3, 2),), attributes=DOWN),
    ),
)
def gather(x: Any, *, dim: int, index: Any) -> Any:
    """``out[i, j] = x[i, index[i, j]]`` for `dim` 1, where the index is known to fit x.

    It has numbers from 0 to below the size of that axis, and is no larger than x on the others.
    """
    return kernels.take_along(x, index, dim) if index.size else np.zeros(index.shape, x.dtype)


@primitive(
    lambda g, dim, index: gather(g, dim=dim, index=index),
    case=(
        Case(shapes=((2, 3),), attributes={**ALONG, "shape": (3, 4)}),
        Case(shapes=((4, 2),), attributes={**DOWN, "shape": (3, 2)}),
    ),
)
def scatter_sum(x: Any, *, shape: tuple[int, ...], dim: int, index: Any) -> Any:
    """Zeros of a shape with x added where `gather` would pick it."""
    return kernels.add_along(x, index, shape, dim) if index.size else np.zeros(shape, x.dtype)


class Place:
    """Where an in-place write lands: view steps from a tensor, then an index.

    Two places are equal when they are the same object: a place is made for one write.
    """

    def __init__(self, index: tuple[Any, ...], steps: tuple[ViewStep, ...] = ()) -> None:
        self.index = index
        self.steps = steps

    def __repr__(self) -> str:
        return f"Place({self.index!r}, {len(self.steps)} steps)"

    def view(self, x: Any) -> Any:
        for op, attributes in self.steps:
            x = op(x, **attributes)
        return x

    def read(self, x: Any) -> Any:
        """The values at the place, of an array or a Tensor."""
        return getitem(self.view(x), index=self.index)

    def written(self, shape: tuple[int, ...]) -> Any:
        """Which written values are still there: where a place is named twice, the last one."""
        if not may_repeat(self.index):
            return None
        owner = np.full(shape, -1)
        view = self.view(owner)
        order = np.arange(view[self.index].size).reshape(view[self.index].shape)
        view[self.index] = order
        last = view[self.index] == order
        return None if last.all() else last


def overwrite_rule_value(
    g: Any, x_shape: tuple[int, ...], value_shape: tuple[int, ...], place: Place
) -> Any:
    values = place.read(g)
    last = place.written(x_shape)
    if last is not None:
        values = where(last, values, 0.0)
    lead = (1,) * (len(value_shape) - len(values.shape))
    return reshape(values, shape=(*lead, *values.shape)) if lead else values


@primitive(
    lambda g, place: overwrite(g, 0.0, place=place),
    lambda g, x_shape, value_shape, place: overwrite_rule_value(g, x_shape, value_shape, place),
    broadcasts=True,
    case=(
        Case(shapes=((3, 4), (2, 2)), attributes={"place": Place(CASES[0].attributes["index"])}),
        Case(shapes=((3, 4), (3,)), attributes={"place": Place(PAIRS)}),
        Case(shapes=((3, 4), ()), attributes={"place": Place((Ellipsis,))}),
        Case(shapes=((3, 4), (1, 1, 2)), attributes={"place": Place(CASES[0].attributes["index"])}),
    ),
)
def overwrite(x: Any, value: Any, *, place: Place) -> Any:
    """A copy of x with a value written at a place."""
    out = np.array(x, order="C")
    region = place.view(out)
    if np.may_share_memory(region, out):
        region[place.index] = value
    else:  # a step had to copy, as the memory of the owner was laid out differently
        where = place.view(np.arange(out.size).reshape(out.shape))[place.index]
        out.reshape(-1)[where] = value
    return out


@primitive(
    lambda g, x_shape, offset, dim1, dim2: diagonal_sum(
        g, shape=x_shape, offset=offset, dim1=dim1, dim2=dim2
    ),
    case=(
        Case(shapes=((3, 4),), attributes={"offset": 1, "dim1": 0, "dim2": 1}),
        Case(shapes=((3, 2, 3),), attributes={"offset": 0, "dim1": 2, "dim2": 0}),
    ),
)
def diagonal(x: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    """A view of the diagonal of two axes, which becomes the last axis."""
    view = np.diagonal(x, offset, dim1, dim2)
    if x.flags.writeable:
        view.flags.writeable = True
    return view


@primitive(
    lambda g, offset, dim1, dim2: diagonal(g, offset=offset, dim1=dim1, dim2=dim2),
    case=Case(shapes=((2,),), attributes={"shape": (2, 3), "offset": 1, "dim1": 0, "dim2": 1}),
)
def diagonal_sum(x: Any, *, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of a shape with x on the diagonal of two axes."""
    out = np.zeros(shape, x.dtype)
    view = np.diagonal(out, offset, dim1, dim2)
    view.flags.writeable = True
    view[...] = x
    return out
