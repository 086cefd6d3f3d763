"""Random numbers, their generators and the properties of types agree with PyTorch.

Values are compared where they follow from the arguments; otherwise shapes, types and what is
refused. How values are distributed is tested in test_random_creation.
"""

from __future__ import annotations

import math

import pytest
from both import agree

torch = pytest.importorskip("torch")


def described(value):
    if hasattr(value, "requires_grad"):
        return [tuple(value.shape), name(value.dtype), value.requires_grad, value.is_leaf]
    return value


def name(dtype):
    return str(dtype).removeprefix("torch.")


def seeded(lib):
    return lib.Generator().manual_seed(1)


DRAWN = [
    lambda lib: lib.rand(2, 3),
    lambda lib: lib.rand((2, 3), dtype=lib.float64, requires_grad=True),
    lambda lib: lib.rand(()),
    lambda lib: lib.rand(2, generator=seeded(lib)),
    lambda lib: lib.rand(2, dtype=lib.float16),
    lambda lib: lib.randn(0, 3),
    lambda lib: lib.randn([2], device="cpu"),
    lambda lib: lib.randn(2, generator=seeded(lib)),
    lambda lib: lib.randint(3, (2,)),
    lambda lib: lib.randint(-2, 3, (2, 2), dtype=lib.int16),
    lambda lib: lib.randint(high=3, size=(2,)),
    lambda lib: lib.randint(5, (3,), dtype=lib.float32),
    lambda lib: lib.randint(0, 3, (2,), generator=seeded(lib)),
    lambda lib: lib.randperm(4),
    lambda lib: lib.randperm(4, dtype=lib.int32, generator=seeded(lib)),
    lambda lib: lib.rand_like(lib.ones(2, dtype=lib.float64)),
    lambda lib: lib.randn_like(lib.ones(2, dtype=lib.float64), dtype=lib.float32),
    lambda lib: lib.randn_like(lib.ones(2), requires_grad=True),
    lambda lib: lib.randint_like(lib.zeros(2), 0, 3),
    lambda lib: lib.randint_like(lib.zeros(2, dtype=lib.int32), 3),
    lambda lib: lib.normal(lib.zeros(2, dtype=lib.float64), 1.0),
    lambda lib: lib.normal(0.0, lib.ones(3)),
    lambda lib: lib.normal(lib.zeros(2, 1), lib.ones(3)),
    lambda lib: lib.normal(0.0, 1.0, (2,), generator=seeded(lib)),
    lambda lib: lib.bernoulli(lib.full((3,), 0.5, dtype=lib.float64)),
    lambda lib: lib.bernoulli(lib.zeros(3), 0.5),
    lambda lib: lib.multinomial(lib.ones(4), 2),
    lambda lib: lib.multinomial(lib.ones(2, 4), 6, replacement=True),
    lambda lib: lib.multinomial(lib.ones(2, 4), 3, generator=seeded(lib)),
    lambda lib: lib.ones(3).bernoulli(),
    lambda lib: lib.ones(3).multinomial(2),
    lambda lib: lib.empty(2, 3),
    lambda lib: lib.empty((2,), dtype=lib.int64),
    lambda lib: lib.empty_like(lib.ones(2, dtype=lib.float64)),
    lambda lib: lib.empty_like(lib.ones(2), dtype=lib.int8),
    lambda lib: lib.ones(2, dtype=lib.float64).new_empty(3),
    lambda lib: lib.empty(3).uniform_(),
    lambda lib: lib.empty(3).normal_(generator=seeded(lib)),
    lambda lib: lib.empty(3, dtype=lib.int32).random_(5),
    lambda lib: lib.empty(3).random_(),
    lambda lib: lib.empty(3, dtype=lib.int64).random_(),
    lambda lib: lib.empty(3, dtype=lib.int32).bernoulli_(0.3),
]

KNOWN = [
    lambda lib: lib.randint(3, 4, (2,)),
    lambda lib: lib.randint_like(lib.zeros(2), 5, 6),
    lambda lib: sorted(lib.randperm(5).tolist()),
    lambda lib: lib.randperm(0),
    lambda lib: lib.normal(lib.tensor([1.0, 2.0]), 0.0),
    lambda lib: lib.normal(3.0, 0.0, (2,)),
    lambda lib: lib.bernoulli(lib.tensor([0.0, 1.0])),
    lambda lib: lib.bernoulli(lib.zeros(2), 1.0),
    lambda lib: lib.multinomial(lib.tensor([0.0, 2.0, 0.0]), 1),
    lambda lib: sorted(lib.multinomial(lib.ones(3), 3).tolist()),
    lambda lib: lib.zeros(2).uniform_(3.0, 3.0),
    lambda lib: lib.zeros(2).normal_(3.0, 0.0),
    lambda lib: lib.zeros(2).bernoulli_(1.0),
    lambda lib: lib.zeros(2).random_(4, 5),
    lambda lib: bool((lib.zeros(99, dtype=lib.int8).random_() >= 0).all()),
    lambda lib: bool((lib.zeros(99).random_() < 2**24).all()),
    lambda lib: lib.manual_seed(3).initial_seed(),
    lambda lib: [lib.manual_seed(4).initial_seed(), lib.initial_seed()],
    lambda lib: [lib.manual_seed(4).initial_seed(), lib.default_generator.initial_seed()],
    lambda lib: [seeded(lib).initial_seed(), type(seeded(lib).seed()), type(lib.seed())],
    lambda lib: repeats(lib, lib.get_rng_state, lib.set_rng_state, None),
    lambda lib: repeats(lib, (g := seeded(lib)).get_state, g.set_state, g),
    lambda lib: lib.equal(lib.rand(4, generator=seeded(lib)), lib.rand(4, generator=seeded(lib))),
]


def repeats(lib, get_state, set_state, generator):
    """Whether numbers repeat when a state is set, and not before."""
    state = get_state()
    first, second = lib.rand(3, generator=generator), lib.rand(3, generator=generator)
    set_state(state)
    return [lib.equal(first, lib.rand(3, generator=generator)), lib.equal(first, second)]


def with_double_by_default(lib):
    lib.set_default_dtype(lib.float64)
    try:
        made = [lib.tensor(1.0), lib.rand(2), lib.zeros(2), lib.tensor([1]) / 2, lib.eye(2)]
        return [name(lib.get_default_dtype()), *(name(one.dtype) for one in made)]
    finally:
        lib.set_default_dtype(lib.float32)


TYPES = [
    with_double_by_default,
    lambda lib: [lib.pi, lib.e, lib.inf, lib.nan],
    lambda lib: [
        float(getattr(lib.finfo(getattr(lib, of)), limit))
        for of in ("float16", "float32", "float64")
        for limit in ("eps", "max", "min", "tiny", "smallest_normal", "bits")
    ],
    lambda lib: [
        int(getattr(lib.iinfo(getattr(lib, of)), limit))
        for of in ("uint8", "int8", "int16", "int32", "int64")
        for limit in ("max", "min", "bits")
    ],
    lambda lib: [name(getattr(lib, of)) for of in ("half", "float", "double", "short", "int")],
    lambda lib: [name(getattr(lib, of)) for of in ("long", "bool", "complex64", "complex128")],
    lambda lib: lib.ones(2, dtype=lib.complex128) * (1 + 2j),
    lambda lib: lib.tensor([1j]).to(lib.complex128),
    lambda lib: (x := lib.ones(4)).data_ptr() == x[:2].data_ptr() != x[1:].data_ptr(),
]

REFUSED = [
    lambda lib: lib.set_default_dtype(lib.int64),
    lambda lib: lib.finfo(lib.int64),
    lambda lib: lib.iinfo(lib.float32),
    lambda lib: lib.rand(2, dtype=lib.int32),
    lambda lib: lib.randint(5, 2, (2,)),
    lambda lib: lib.randint(0, 300, (2,), dtype=lib.int8),
    lambda lib: lib.zeros(2).uniform_(1.0, 0.0),
    lambda lib: lib.zeros(2).normal_(0.0, -1.0),
    lambda lib: lib.zeros(2).random_(5, 3),
    lambda lib: lib.zeros(2, dtype=lib.uint8).random_(0, 300),
    lambda lib: lib.zeros(2).bernoulli_(1.5),
    lambda lib: lib.zeros(2, requires_grad=True).uniform_(),
    lambda lib: lib.empty(-1),
    lambda lib: lib.ones(2, dtype=lib.int64).bernoulli(),
    lambda lib: lib.ones(2).multinomial(3),
]


def same_kind(program):
    return lambda lib: described(program(lib))


@pytest.mark.parametrize("program", DRAWN)
def test_shapes_and_types_of_draws(program):
    agree(same_kind(program), raises=False)


@pytest.mark.parametrize("program", KNOWN + TYPES)
def test_values(program):
    agree(program, raises=False)


@pytest.mark.parametrize("program", REFUSED)
def test_refused(program):
    agree(program, raises=True)


def test_default_dtype_is_what_it_was():
    assert math.isnan(torch.nan)
    assert torch.get_default_dtype() == torch.float32
