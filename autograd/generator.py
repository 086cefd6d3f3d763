"""Sources of random numbers: generators with a seed and a state, and the default one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import numpy as np

__all__ = [
    "Generator",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
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
    """The seed of the default generator.

    Example:
        >>> import autograd
        >>> generator = autograd.manual_seed(3)
        >>> autograd.initial_seed()
        3
    """
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """The state of the default generator.

    Example:
        >>> import autograd
        >>> state = autograd.get_rng_state()
        >>> first = autograd.rand(2)
        >>> autograd.set_rng_state(state)
        >>> autograd.equal(first, autograd.rand(2))
        True
    """
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


def in_thread_or_default() -> Generator:
    """The generator that is drawn from where none is named."""
    return in_thread.generator or default_generator


def numpy_of(generator: Generator | None) -> np.random.Generator:
    return (generator or in_thread_or_default()).numpy
