"""Random numbers: generators with a seed, and tensors drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.dtypes import get_default_dtype
from autograd.errors import DtypeError
from autograd.functions.arguments import raw, shape_argument
from autograd.graph import new_tensor
from autograd.inplace import write

if TYPE_CHECKING:
    from autograd.tensor import Tensor

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
    "use_generator",
]


class Generator:
    """A source of random numbers with a state of its own (PCG64, O'Neill 2014).

    Example:
        >>> import autograd
        >>> first = autograd.rand(3, generator=autograd.Generator().manual_seed(0))
        >>> second = autograd.rand(3, generator=autograd.Generator().manual_seed(0))
        >>> autograd.equal(first, second)
        True
    """

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self._seed = 0
        self.numpy = np.random.Generator(np.random.PCG64(0))

    def manual_seed(self, seed: int) -> Generator:
        """Start again from a seed."""
        self._seed = int(seed)
        self.numpy = np.random.Generator(np.random.PCG64(self._seed % 2**64))
        return self

    def seed(self) -> int:
        """Start again from a seed that the operating system draws, and return it."""
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the generator started from."""
        return self._seed

    def get_state(self) -> dict[str, Any]:
        """The state, as a dictionary of plain numbers and strings."""
        return {"seed": self._seed, "bits": dict(self.numpy.bit_generator.state)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from a state that `get_state` returned."""
        self.manual_seed(state["seed"])
        self.numpy.bit_generator.state = state["bits"]


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator; the same seed gives the same numbers.

    Example:
        >>> import autograd
        >>> generator = autograd.manual_seed(3)
        >>> first = autograd.randn(2)
        >>> generator = autograd.manual_seed(3)
        >>> autograd.equal(first, autograd.randn(2))
        True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system, and return the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Continue the default generator from a state that `get_rng_state` returned."""
    default_generator.set_state(new_state)


class InThread(local):
    """The generator that stands in for the default one in a thread, if any."""

    generator: Generator | None = None


in_thread = InThread()


@contextmanager
def use_generator(generator: Generator) -> Iterator[None]:
    """Draw from a generator wherever the default one would be used in this thread.

    Example:
        >>> import autograd
        >>> with use_generator(autograd.Generator().manual_seed(0)):
        ...     first = autograd.rand(3)
        >>> second = autograd.rand(3, generator=autograd.Generator().manual_seed(0))
        >>> autograd.equal(first, second)
        True
    """
    before = in_thread.generator
    in_thread.generator = generator
    try:
        yield
    finally:
        in_thread.generator = before


def numpy_of(generator: Generator | None) -> np.random.Generator:
    return (generator or in_thread.generator or default_generator).numpy


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
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers from 0 (included) to 1 (excluded)."""
    shape = shape_argument("rand", size)
    array = draw("uniform", shape, floating("rand", dtype), numpy_of(generator))
    return new_tensor(array, requires_grad)


def randn(
    *size: Any,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of mean 0 and standard deviation 1."""
    shape = shape_argument("randn", size)
    array = draw("normal", shape, floating("randn", dtype), numpy_of(generator))
    return new_tensor(array, requires_grad)


def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Any = None, dtype: Any = None
) -> Tensor:
    """Whole numbers from `low` (0 when left out) to `high`, which is excluded.

    Example:
        >>> import autograd
        >>> autograd.randint(5, 6, (3,))
        tensor([5, 5, 5])
    """
    if size is None:
        low, high, size = 0, low, high
    if high is None or low >= high:
        raise ValueError(f"randint: low {low} must be below high {high}")
    chosen = np.dtype(np.int64 if dtype is None else dtype)
    drawn = numpy_of(generator).integers(low, high, shape_argument("randint", (size,)))
    return new_tensor(np.asarray(drawn).astype(chosen))


def randperm(n: int, *, generator: Generator | None = None, dtype: Any = None) -> Tensor:
    """The numbers from 0 to n - 1 in random order."""
    order = numpy_of(generator).permutation(n)
    return new_tensor(order.astype(np.int64 if dtype is None else dtype))


def rand_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`rand` with the shape and dtype of a tensor."""
    return rand(input.shape, dtype=dtype or raw(input).dtype, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`randn` with the shape and dtype of a tensor."""
    return randn(input.shape, dtype=dtype or raw(input).dtype, requires_grad=requires_grad)


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None) -> Tensor:
    """`randint` with the shape and dtype of a tensor."""
    if high is None:
        low, high = 0, low
    return randint(low, high, input.shape, dtype=dtype or raw(input).dtype)


def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None
) -> Tensor:
    """Normal numbers of the means and standard deviations given, or of one of each and a size."""
    spread, centre = raw(std), raw(mean)
    if np.any(np.asarray(spread) < 0):
        raise ValueError("normal: std must not be negative")
    shape = np.broadcast_shapes(np.shape(centre), np.shape(spread)) if size is None else tuple(size)
    dtype = next(
        (part.dtype for part in (centre, spread) if isinstance(part, np.ndarray)),
        get_default_dtype(),
    )
    noise = draw("normal", shape, dtype, numpy_of(generator))
    return new_tensor(np.asarray(noise * spread + centre).astype(dtype, copy=False))


def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """1 with the probability that the input, or `p`, gives, else 0; in the input's dtype."""
    array = raw(input)
    chance = array if p is None else p
    if np.any((np.asarray(chance) < 0) | (np.asarray(chance) > 1)):
        raise ValueError("bernoulli: probabilities must be between 0 and 1")
    drawn = numpy_of(generator).random(array.shape, dtype=np.float32) < chance
    return new_tensor(np.asarray(drawn).astype(array.dtype))


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
    weights = np.atleast_2d(raw(input)).astype(np.float64)
    if (weights < 0).any() or (weights.sum(axis=1) <= 0).any():
        raise ValueError("multinomial: each row needs non-negative values with a positive sum")
    source = numpy_of(generator)
    rows = [source.choice(row.size, num_samples, replacement, row / row.sum()) for row in weights]
    result = np.stack(rows).astype(np.int64)
    return new_tensor(result if raw(input).ndim == 2 else result[0])


def uniform_(
    input: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with uniform numbers from `from_` to `to`."""
    array = raw(input)
    drawn = draw("uniform", array.shape, floating("uniform_", array.dtype), numpy_of(generator))
    write("uniform_", input, (Ellipsis,), drawn * (to - from_) + from_)
    return input


def normal_(
    input: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with normal numbers."""
    if std < 0:
        raise ValueError(f"normal_: std must not be negative, got {std}")
    array = raw(input)
    drawn = draw("normal", array.shape, floating("normal_", array.dtype), numpy_of(generator))
    write("normal_", input, (Ellipsis,), drawn * std + mean)
    return input


def bernoulli_(input: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Overwrite with 1 with probability `p`, else 0."""
    drawn = numpy_of(generator).random(raw(input).shape, dtype=np.float32) < raw(p)
    write("bernoulli_", input, (Ellipsis,), np.asarray(drawn))
    return input


def random_(
    input: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Overwrite with whole numbers from `from_` to `to`, which is excluded."""
    if to is None:
        from_, to = (0, from_) if from_ else (0, 2**24)
    drawn = numpy_of(generator).integers(from_, to, raw(input).shape)
    write("random_", input, (Ellipsis,), np.asarray(drawn))
    return input
