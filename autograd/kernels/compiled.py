"""Compiling loops to machine code with Numba.

A kernel is called by `numba_crew.share` only, which needs nothing but its address: the code by
which Numba lets Python call a function is as long as many a kernel. Kernels may reorder sums, which
is what lets them use vector registers, but treat NaN and infinity rightly.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, NamedTuple, TypeVar, get_type_hints

import numba
import numpy as np

from autograd.kernels.compiler import kept

__all__ = [
    "PART",
    "WORDS",
    "Kernel",
    "callable_from_c",
    "callable_from_python",
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
PART = "part."
"""Before the name of a kernel, in the name of the code that `numba_crew` calls."""
WORDS = 256
"""Of 8 bytes, which the code of a kernel gets at most."""
FORMATS = {Any: "q", int: "q", bool: "q", float: "d"}
NUMBERS = {int: numba.intp, bool: numba.boolean, float: numba.float64}


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
    parameters are annotated as ``Any`` for arrays, ``int``, ``bool`` or ``float``.

    Attributes:
        code: what was called last.
    """

    def __init__(self, function: Callable[..., None], **options: Any) -> None:
        self.function: Any = kept(function, no_cpython_wrapper=True, **options)
        *self.kinds, _first, _last, _nothing = get_type_hints(function).values()
        self.arrays = self.kinds.count(Any)
        if Any in self.kinds[self.arrays :]:
            raise TypeError(f"{function.__name__}: a kernel has arrays first, then numbers")
        self.layout = Struct("=" + "".join(FORMATS[kind] for kind in self.kinds) + "qq")
        self.codes: dict[tuple[Any, ...], Code] = {}
        self.code: Code | None = None

    def pack(self, arguments: tuple[Any, ...], count: int, parts: int) -> bytes:
        """8 bytes for each; arrays are there as the addresses of the Python objects."""
        arrays = map(id, arguments[: self.arrays])
        return self.layout.pack(*arrays, *arguments[self.arrays :], count, parts)

    def choose(self, arguments: tuple[Any, ...]) -> Code:
        """The code for these arguments."""
        arrays = arguments[: self.arrays]
        key = tuple(array.dtype for array in arrays)
        if key not in self.codes:
            self.codes[key] = self.compile(arrays)
        self.code = self.codes[key]
        return self.code

    def compile(self, arrays: tuple[Any, ...]) -> Code:
        types = [
            numba.types.Array(numba.from_dtype(array.dtype), array.ndim, "C") for array in arrays
        ]
        types += [NUMBERS[kind] for kind in self.kinds[self.arrays :]]
        signature = (*types, numba.intp, numba.intp)
        if len(signature) + sum(4 + 2 * array.ndim for array in arrays) > WORDS:
            raise TypeError(f"{self.function.__name__}: more arguments than {WORDS} words hold")
        self.function.compile(signature)
        result = self.function.overloads[signature]
        address = result.library.get_pointer_to_function(PART + result.fndesc.llvm_func_name)
        plan = np.zeros((len(signature) + 1, 2), np.int64)
        plan[0] = address, len(signature)
        for row, array in zip(plan[1:], arrays, strict=False):
            row[:] = array.itemsize * 256 + array.ndim, id(array.dtype)
        open_plan = plan.copy()
        open_plan[1:, 1] = 0
        dtypes = [array.dtype for array in arrays]
        return Code(plan.ctypes.data, open_plan.ctypes.data, (plan, open_plan, dtypes))


def compiled(function: Callable[..., None]) -> Kernel:
    """A kernel, which begins with ``shared()``."""
    return Kernel(function, fastmath=FAST)


def compiled_exactly(function: Callable[..., None]) -> Kernel:
    """As `compiled`, without reordering: each element gets the same bits wherever it lies.

    For loops without sums, which use vector registers anyway.
    """
    return Kernel(function)


def callable_from_python(function: F) -> F:
    """As `compiled_exactly`, for arguments of any types and without threads."""
    return kept(function)


def callable_from_c(function: Callable[..., int], signature: Any) -> int:
    """The address of a function of numbers, compiled for them."""
    result: Any = kept(function, no_cpython_wrapper=True, no_cfunc_wrapper=False)
    result.compile(signature)
    (code,) = result.overloads.values()
    address: int = code.library.get_pointer_to_function(code.fndesc.llvm_cfunc_wrapper_name)
    return address


def inner(function: F) -> F:
    """As `compiled`, to be called by kernels."""
    return kept(function, fastmath=FAST, no_cpython_wrapper=True)


def inner_exactly(function: F) -> F:
    """As `compiled_exactly`, to be called by kernels."""
    return kept(function, no_cpython_wrapper=True)


def inlined(function: F) -> F:
    """Compiled where it is called, by the rules of what calls it."""
    result: F = numba.njit(inline="always")(function)
    return result


def writable(values: Any) -> Any:
    """In order, aligned and not read-only: kernels are compiled for one kind of array."""
    if values.flags.carray:
        return values
    return values.copy(order="C")


def in_order(values: Any) -> Any:
    """All elements one after another, as `writable`: (d0, d1, ...) -> (size,)."""
    return writable(values).reshape(-1)
