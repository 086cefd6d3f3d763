"""Compiling loops to machine code with Numba.

A kernel is called by `numba_crew.share` only, which needs nothing but its address: the code by
which Numba lets Python call a function is as long as many a kernel. Kernels may reorder sums, which
is what lets them use vector registers, but treat NaN and infinity rightly.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from struct import Struct
from threading import RLock
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import numpy as np

from autograd.kernels import machine_code
from autograd.kernels.helper import helper
from autograd.kernels.late_numba import Late, make_all, types

__all__ = [
    "ENTRY",
    "PART",
    "WORDS",
    "Booleans",
    "Bytes",
    "Doubles",
    "Floats",
    "Floats2d",
    "Floats3d",
    "Floats4d",
    "Integers",
    "Integers2d",
    "Kernel",
    "callable_from_c",
    "compiled",
    "compiled_exactly",
    "in_order",
    "inlined",
    "inner",
    "inner_exactly",
    "writable",
]

F = TypeVar("F", bound=Callable[..., Any])

FAST = {"reassoc", "contract", "nsz"}
PART, ENTRY = "part.", "entry."
"""Before the name of a function, in that of the code that `numba_crew` calls, or C."""
LOCK = RLock()
WORDS = 256
"""Of 8 bytes, which the code of a kernel gets at most."""
NUMBERS = {int: ("q", "intp"), bool: ("q", "boolean"), float: ("d", "float64")}
"""How a number is packed, and what Numba calls it."""


class Elements(NamedTuple):
    """What an array of a kernel has, mostly; it is compiled for other dtypes when they come.

    Attributes:
        dtype: or None, where it depends on the dtype of the tensors.
        axes: how many.
    """

    dtype: Any
    axes: int


Floats = Annotated[Any, Elements(None, 1)]
Floats2d = Annotated[Any, Elements(None, 2)]
Floats3d = Annotated[Any, Elements(None, 3)]
Floats4d = Annotated[Any, Elements(None, 4)]
Doubles = Annotated[Any, Elements(np.float64, 1)]
Integers = Annotated[Any, Elements(np.int64, 1)]
Integers2d = Annotated[Any, Elements(np.int64, 2)]
Bytes = Annotated[Any, Elements(np.uint8, 1)]
Booleans = Annotated[Any, Elements(np.bool_, 1)]
"""What parameters of kernels are annotated as: arrays of one axis, or of some."""


class Code(NamedTuple):
    """A kernel for arrays of some dtypes.

    Attributes:
        plan: the address of some numbers: that of its code, how many arguments it has, and for each
            argument two, which are 0 if it is a number. Else they are how many bytes an element of
            the array has, times 256, plus the number of axes, and the address of the dtype.
        open_plan: the same for arrays whose dtypes are equal to those, but other objects.
        memory: keeps what is at those addresses.
    """

    plan: int
    open_plan: int
    memory: Any


class Kernel:
    """A function of arrays, then numbers, then a range of items.

    It is compiled at the first call with arrays of some dtypes, or fetched from the disk. Its
    parameters are annotated as what arrays have, ``int``, ``bool`` or ``float``.

    Attributes:
        elements: what each array has, as its annotation says.
        code: what was called last.
    """

    def __init__(self, function: Callable[..., None], **options: Any) -> None:
        self.function, self.options = function, options
        self.module, self.name = function.__module__.split(".")[-1], function.__name__
        *kinds, _first, _last, _nothing = get_type_hints(function, include_extras=True).values()
        self.elements = [kind.__metadata__[0] for kind in kinds if hasattr(kind, "__metadata__")]
        self.arrays = len(self.elements)
        numbers = kinds[self.arrays :]
        if not NUMBERS.keys() >= set(numbers):
            raise TypeError(
                f"{function.__name__}: a kernel has arrays first, then numbers, and says of each "
                "what it is"
            )
        self.numbers = [NUMBERS[kind][1] for kind in numbers]
        formats = "".join(NUMBERS[kind][0] for kind in numbers)
        self.layout = Struct(f"={self.arrays}q{formats}qq")
        self.codes: dict[tuple[Any, ...], Code] = {}
        self.code: Code | None = None

    def pack(self, arguments: tuple[Any, ...], count: int, parts: int) -> bytes:
        """8 bytes for each; arrays are there as the addresses of the Python objects."""
        arrays = map(id, arguments[: self.arrays])
        return self.layout.pack(*arrays, *arguments[self.arrays :], count, parts)

    def choose(self, arguments: tuple[Any, ...]) -> Code:
        """The code for these arguments."""
        dtypes = tuple(array.dtype for array in arguments[: self.arrays])
        with LOCK:  # code of one name may be in memory once
            if dtypes not in self.codes:
                axes = [array.ndim for array in arguments[: self.arrays]]
                self.codes[dtypes] = self.compile(dtypes, axes)
            code = self.code = self.codes[dtypes]
        return code

    def prepare(self, dtype: Any) -> None:
        """Compile it for what it is mostly called with where tensors have this dtype."""
        dtypes = tuple(np.dtype(dtype if each is None else each) for each, _ in self.elements)
        self.codes[dtypes] = self.compile(dtypes, [axes for _, axes in self.elements])

    def compile(self, dtypes: tuple[Any, ...], axes: list[int]) -> Code:
        words = self.arrays + len(self.numbers) + 2
        if words + sum(4 + 2 * number for number in axes) > WORDS:
            raise TypeError(f"{self.name}: more arguments than {WORDS} words hold")
        plan = np.zeros((words + 1, 2), np.int64)
        plan[0] = self.address(dtypes, axes), words
        for row, dtype, number in zip(plan[1:], dtypes, axes, strict=False):
            row[:] = dtype.itemsize * 256 + number, id(dtype)
        open_plan = plan.copy()
        open_plan[1:, 1] = 0
        return Code(plan.ctypes.data, open_plan.ctypes.data, (plan, open_plan, dtypes))

    def address(self, dtypes: tuple[Any, ...], axes: list[int]) -> int:
        helper.wait(self.module, self.name)
        kinds = "-".join(f"{dtype.str}{number}" for dtype, number in zip(dtypes, axes, strict=True))

        def signature() -> Any:
            arrays = [
                types.Array(as_dtype(dtype), number, "C")
                for dtype, number in zip(dtypes, axes, strict=True)
            ]
            numbers = (getattr(types, number) for number in self.numbers)
            return (*arrays, *numbers, types.intp, types.intp)

        return address_of(self.function, kinds, signature, PART, **self.options)


def as_dtype(dtype: Any) -> Any:
    """What Numba calls a dtype."""
    return import_module("numba.np.numpy_support").from_dtype(dtype)


def address_of(
    function: Callable[..., Any],
    kinds: str,
    signature: Callable[[], Any],
    prefix: str,
    **options: Any,
) -> int:
    """The address of a function's code, from the disk if it is there.

    Args:
        function: what to compile.
        kinds: another text for each signature.
        signature: makes the types of its arguments.
        prefix: of the name that the code has: `PART` or `ENTRY`.
        options: for Numba.
    """
    address = machine_code.load(function, kinds)
    if not address:
        make_all(function)
        compilable = import_module(f"{__package__}.compiler").compilable
        compiler = compilable(function, no_cpython_wrapper=True, **options)
        compiler.compile(signature())
        (result,) = compiler.overloads.values()
        name = f"{prefix}{result.fndesc.llvm_func_name}"
        address = result.library.get_pointer_to_function(name)
        machine_code.keep(function, kinds, result.library, name)
    return address


def compiled(function: Callable[..., None]) -> Kernel:
    """A kernel, which begins with ``shared()``."""
    return Kernel(function, fastmath=FAST)


def compiled_exactly(function: Callable[..., None]) -> Kernel:
    """As `compiled`, without reordering: each element gets the same bits wherever it lies.

    For loops without sums, which use vector registers anyway.
    """
    return Kernel(function)


def callable_from_c(function: Callable[..., int], count: int) -> int:
    """The address of a function of so many whole numbers, which begins with ``exported()``."""
    return address_of(function, "", lambda: (types.int64,) * count, ENTRY)


def inner(function: F) -> F:
    """As `compiled`, to be called by kernels."""
    return late(function, "kept", fastmath=FAST, no_cpython_wrapper=True)


def inner_exactly(function: F) -> F:
    """As `compiled_exactly`, to be called by kernels."""
    return late(function, "kept", no_cpython_wrapper=True)


def inlined(function: F) -> F:
    """Compiled where it is called, by the rules of what calls it."""
    return late(function, "compilable", inline="always")


def late(function: F, way: str, **options: Any) -> F:
    """What a function of `compiler` makes of this one, made when a kernel is compiled."""

    def make() -> Any:
        return getattr(import_module(f"{__package__}.compiler"), way)(function, **options)

    result: Any = Late(make)
    kernel: F = result
    return kernel


def writable(values: Any) -> Any:
    """In order, aligned and not read-only: kernels are compiled for one kind of array."""
    if values.flags.carray:
        return values
    return values.copy(order="C")


def in_order(values: Any) -> Any:
    """All elements one after another, as `writable`: (d0, d1, ...) -> (size,)."""
    return writable(values).reshape(-1)
