"""Tensors of random numbers, under PyTorch's names."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.creation import checked, on_cpu, sizes
from autograd.dtypes import check_fits, get_default_dtype
from autograd.errors import DtypeError, ShapeError
from autograd.functions.arguments import raw
from autograd.generator import Generator, numpy_of
from autograd.graph import new_tensor
from autograd.inplace import write

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "bernoulli",
    "kept",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def floating(name: str, dtype: Any) -> np.dtype[Any]:
    chosen = get_default_dtype() if dtype is None else np.dtype(dtype)
    if chosen.kind != "f":
        raise DtypeError(f"{name}: dtype must be floating-point, got {chosen}")
    return chosen


def draw(kind: str, shape: tuple[int, ...], dtype: np.dtype[Any], source: Any) -> Any:
    """Uniform or normal numbers, drawn in the dtype itself where NumPy can."""
    method = source.random if kind == "uniform" else source.standard_normal
    if dtype in (np.float32, np.float64):
        return np.asarray(method(shape, dtype=dtype))
    return np.asarray(method(shape, dtype=np.float32)).astype(dtype)


def rand(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers from 0 (included) to 1 (excluded).

    Example:
        >>> import autograd
        >>> autograd.rand(2, 3).shape
        Size([2, 3])
    """
    on_cpu("rand", device)
    shape = sizes("rand", size)
    array = draw("uniform", shape, floating("rand", dtype), numpy_of(generator))
    return new_tensor(array, requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1.

    Example:
        >>> import autograd
        >>> autograd.randn(2, 3).shape
        Size([2, 3])
    """
    on_cpu("randn", device)
    shape = sizes("randn", size)
    array = draw("normal", shape, floating("randn", dtype), numpy_of(generator))
    return new_tensor(array, requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from `low` (0 when left out) to `high`, which is excluded.

    Example:
        >>> import autograd
        >>> autograd.randint(5, 6, (3,))
        tensor([5, 5, 5])
    """
    on_cpu("randint", device)
    if size is None:  # randint(high, size)
        low, high, size = None, low, high
    low = 0 if low is None else low
    if high is None or size is None:
        raise TypeError("randint: expected high and size, or low, high and size")
    if low >= high:
        raise ValueError(f"randint: low {low} must be below high {high}")
    kind = np.dtype(np.int64 if dtype is None else dtype)
    check_fits("randint", np.array([low, high - 1]), kind)
    drawn = numpy_of(generator).integers(low, high, sizes("randint", (size,)))
    array = np.asarray(drawn).astype(kind)
    return checked("randint", array, device, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from 0 to n - 1 in random order.

    Example:
        >>> import autograd
        >>> autograd.randperm(4).sort().values
        tensor([0, 1, 2, 3])
    """
    if n < 0:
        raise ValueError(f"randperm: n must not be negative, got {n}")
    order = numpy_of(generator).permutation(n)
    array = order.astype(np.int64 if dtype is None else dtype)
    return checked("randperm", array, device, requires_grad)


def rand_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`rand` with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.rand_like(autograd.zeros(2, 3)).shape
        Size([2, 3])
    """
    kind = raw(input).dtype if dtype is None else dtype
    return rand(raw(input).shape, dtype=kind, device=device, requires_grad=requires_grad)


def randn_like(
    input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`randn` with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.randn_like(autograd.zeros(2, 3)).shape
        Size([2, 3])
    """
    kind = raw(input).dtype if dtype is None else dtype
    return randn(raw(input).shape, dtype=kind, device=device, requires_grad=requires_grad)


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`randint` with the shape and dtype of a tensor.

    Example:
        >>> import autograd
        >>> autograd.randint_like(autograd.zeros(2), 5, 6)
        tensor([5., 5.])
    """
    first, last = (0, low) if high is None else (low, high)
    kind = raw(input).dtype if dtype is None else dtype
    return randint(
        first, last, raw(input).shape, dtype=kind, device=device, requires_grad=requires_grad
    )


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Normal numbers of the means and standard deviations given, or of one of each and a size.

    Example:
        >>> import autograd
        >>> autograd.normal(0.0, 1.0, (2, 3)).shape
        Size([2, 3])
    """
    spread, centre = raw(std), raw(mean)
    if np.any(np.asarray(spread) < 0):
        raise ValueError("normal: std must not be negative")
    if size is None:
        try:
            shape = np.broadcast_shapes(np.shape(centre), np.shape(spread))
        except ValueError:
            raise ShapeError(
                f"normal: mean {np.shape(centre)} and std {np.shape(spread)} do not broadcast"
            ) from None
    else:
        shape = sizes("normal", (size,))
    dtype = next(
        (part.dtype for part in (centre, spread) if isinstance(part, np.ndarray)),
        get_default_dtype(),
    )
    noise = draw("normal", shape, dtype, numpy_of(generator))
    return new_tensor(np.asarray(noise * spread + centre).astype(dtype, copy=False))


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability that the input, or `p`, gives, else 0; in the input's dtype.

    Example:
        >>> import autograd
        >>> autograd.bernoulli(autograd.tensor([0.0, 1.0]))
        tensor([0., 1.])
    """
    array = raw(input)
    chance = array if p is None else p
    if p is None and array.dtype.kind != "f":
        raise DtypeError(f"bernoulli: probabilities must be floating-point, got {array.dtype}")
    check_probabilities("bernoulli", chance)
    drawn = numpy_of(generator).random(array.shape, dtype=np.float32) < chance
    return new_tensor(np.asarray(drawn).astype(array.dtype))


def check_probabilities(name: str, chance: Any) -> None:
    if not np.all((np.asarray(chance) >= 0) & (np.asarray(chance) <= 1)):
        raise ValueError(f"{name}: probabilities must be between 0 and 1")


def kept(shape: tuple[int, ...], p: float, generator: Generator | None = None) -> Any:
    """An array of booleans, each False with probability `p`, which is below 1.

    Each takes 16 random bits, and more where those leave it open.

    Example:
        >>> from autograd.random import kept
        >>> kept((2,), 0.0)
        array([ True,  True])
    """
    source = numpy_of(generator)
    count = prod(shape)
    words = source.integers(0, 2**64, -(-count // 4), dtype=np.uint64)
    parts = words.view(np.uint16)[:count]
    bound, rest = divmod(p * 2**16, 1.0)
    keep = parts >= int(bound)
    if rest:
        open_ = np.flatnonzero(parts == int(bound))
        keep[open_[source.random(open_.size) < rest]] = False
    return keep.reshape(shape)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices drawn from each row with probabilities in proportion to its values.

    Example:
        >>> import autograd
        >>> autograd.multinomial(autograd.tensor([0.0, 1.0, 0.0]), 1)
        tensor([1])
    """
    if raw(input).ndim not in (1, 2) or raw(input).dtype.kind != "f":
        raise ValueError(
            "multinomial: expected 1 or 2 dimensions of floating-point weights, "
            f"got {raw(input).dtype} of shape {raw(input).shape}"
        )
    weights = np.atleast_2d(raw(input)).astype(np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any(axis=1).all()):
        raise ValueError("multinomial: each row needs finite, non-negative values, not all 0")
    fewest = int(np.count_nonzero(weights, axis=1).min(initial=num_samples))
    if num_samples < 1 or (not replacement and num_samples > fewest):
        raise ValueError(
            f"multinomial: cannot draw {num_samples} of {fewest} positive weights "
            f"{'with' if replacement else 'without'} replacement"
        )
    source = numpy_of(generator)
    rows = [source.choice(row.size, num_samples, replacement, row / row.sum()) for row in weights]
    result = np.stack(rows).astype(np.int64)
    return new_tensor(result if raw(input).ndim == 2 else result[0])


def uniform_(
    input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with uniform numbers from `from_` to `to`."""
    if not from_ <= to:
        raise ValueError(f"uniform_: from {from_} must not be above to {to}")
    array = raw(input)
    drawn = draw("uniform", array.shape, floating("uniform_", array.dtype), numpy_of(generator))
    drawn *= to - from_
    drawn += from_
    write("uniform_", input, (Ellipsis,), drawn)
    return input


def normal_(
    input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers."""
    if std < 0:
        raise ValueError(f"normal_: std must not be negative, got {std}")
    array = raw(input)
    drawn = draw("normal", array.shape, floating("normal_", array.dtype), numpy_of(generator))
    drawn *= std
    drawn += mean
    write("normal_", input, (Ellipsis,), drawn)
    return input


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability `p`, else 0."""
    check_probabilities("bernoulli_", raw(p))
    drawn = numpy_of(generator).random(raw(input).shape, dtype=np.float32) < raw(p)
    write("bernoulli_", input, (Ellipsis,), np.asarray(drawn))
    return input


def random_(
    input: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with whole numbers from `from_` to `to`, which is excluded.

    Without either, with all from 0 on up to which the dtype holds each whole number.
    """
    dtype = raw(input).dtype
    if to is None:
        from_, to = 0, from_ or whole_numbers(dtype)
    if from_ >= to:
        raise ValueError(f"random_: from {from_} must be below to {to}")
    check_fits("random_", np.array([from_, to - 1]), dtype)
    drawn = numpy_of(generator).integers(from_, to, raw(input).shape)
    write("random_", input, (Ellipsis,), np.asarray(drawn))
    return input


def whole_numbers(dtype: np.dtype[Any]) -> int:
    """How many whole numbers from 0 on a dtype holds."""
    if dtype.kind == "b":
        return 2
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).max) + 1
    return int(2 ** (np.finfo(dtype).nmant + 1))
