"""What kernels use of Numba, which is imported when one is compiled.

A program whose kernels are all on the disk starts sooner without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

__all__ = ["Late", "cgutils", "intp", "intrinsic", "make_all", "types"]


class Late:
    """Something that is made when a kernel that refers to it is compiled.

    Code that runs before may hold it, but not use it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    @cached_property
    def made(self) -> Any:
        return self.make()


class LateModule:
    """A module that is imported when something of it is needed."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


types, cgutils = LateModule("numba.core.types"), LateModule("numba.core.cgutils")
intp: Any = Late(lambda: types.intp)


def intrinsic(function: Callable[..., Any]) -> Any:
    """As `numba.extending.intrinsic`: a function for kernels that writes code of LLVM itself."""
    return Late(lambda: import_module("numba.extending").intrinsic(function))


def make_all(function: Callable[..., Any]) -> None:
    """Make whatever a function may refer to, and let its names stand for that."""
    spaces = [vars(module) for name, module in sys.modules.items() if name.startswith(__package__)]
    for space in (*spaces, function.__globals__):
        for name, value in list(space.items()):
            if type(value) is Late:
                space[name] = value.made
