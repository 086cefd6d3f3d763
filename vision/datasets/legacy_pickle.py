"""Read the plain data in a pickle without running anything that it asks for.

A pickle is a program for a small stack machine, two of whose commands call functions by name. Here
the commands are only read (`pickletools`), and those that build dictionaries, lists, numbers,
strings and NumPy arrays of numbers are carried out; a function's name stays a name. The names that
an array or byte string of NumPy and Python 2 or 3 needs are understood, all others are refused.
"""

from __future__ import annotations

import pickletools
import warnings
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

__all__ = ["read_pickle"]

KNOWN = {
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy ndarray": "ndarray",
    "numpy dtype": "dtype",
    "_codecs encode": "bytes",
    "__builtin__ bytes": "empty",
}
NUMBERS = ("|u1", "|i1", "<u2", "<i2", "<i4", "<i8", "<f4", "<f8", ">i4", ">i8", ">f4", ">f8")
PUSHED = {
    *("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
"""Commands whose argument is a value."""

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
MARK = object()


@dataclass(frozen=True)
class Name:
    """What a pickle calls by name: one of the values of `KNOWN`."""

    kind: str


@dataclass
class Unfinished:
    """An array or a dtype whose state is still to come."""

    kind: str
    value: Any = None


def read_pickle(content: bytes) -> Any:
    """The number, string, list, tuple, dictionary or NumPy array in a pickle.

    Arrays may be in a dictionary, not deeper. Keys come as str, also those that were bytes.

    Raises:
        ValueError: the pickle is damaged, or holds anything else.

    Example:
        >>> import pickle
        >>> read_pickle(pickle.dumps({"labels": [1, 2]}, protocol=2))
        {'labels': [1, 2]}
        >>> read_pickle(pickle.dumps(print, protocol=2))
        Traceback (most recent call last):
        ...
        ValueError: the pickle asks for '__builtin__ print', which is not data
    """
    try:
        with warnings.catch_warnings():  # of escapes that no text has: damage, told apart below
            warnings.simplefilter("ignore", DeprecationWarning)
            return Machine().run(content)
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeError, OverflowError) as error:
        raise ValueError(f"the pickle is damaged: {error}") from error


class Machine:
    """The stack machine."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        """Carry out the commands, and return what the last one leaves."""
        for command, argument, _ in pickletools.genops(content):
            name = command.name
            if name in PUSHED:
                self.stack.append(argument)
            elif name in CONSTANTS:
                self.stack.append(CONSTANTS[name])
            elif name == "STOP":
                return finished(self.stack.pop())
            else:
                self.build(name, argument)
        raise ValueError("the pickle has no end")

    def build(self, name: str, argument: Any) -> None:
        """Carry out a command that is more than a value."""
        stack = self.stack
        if name in ("PROTO", "FRAME"):
            return
        if name == "MARK":
            stack.append(MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[int(argument)])
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"EMPTY_DICT": {}, "EMPTY_LIST": [], "EMPTY_TUPLE": ()}[name])
        elif name in ("DICT", "LIST", "TUPLE"):
            parts = self.since_mark()
            stack.append(
                pairs(parts) if name == "DICT" else tuple(parts) if name == "TUPLE" else parts
            )
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])]
        elif name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS"):
            self.extend(name)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            asked = " ".join(self.take(2)) if name == "STACK_GLOBAL" else argument
            if asked not in KNOWN:
                raise ValueError(f"the pickle asks for {asked!r}, which is not data")
            stack.append(Name(KNOWN[asked]))
        elif name == "REDUCE":
            called, arguments = self.take(2)
            stack.append(result_of(called, arguments))
        elif name == "BUILD":
            (state,) = self.take(1)
            complete(stack[-1], state)
        else:
            raise ValueError(f"the pickle uses the command {name}, which data do not need")

    def take(self, count: int) -> list[Any]:
        """Remove the last values."""
        if len(self.stack) < count:
            raise IndexError("a value is missing")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def since_mark(self) -> list[Any]:
        """Remove the values after the last mark, and the mark."""
        marks = [i for i, value in enumerate(self.stack) if value is MARK]
        at = marks[-1]
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def extend(self, name: str) -> None:
        """Put values into the list or dictionary below them."""
        single = {"APPEND": 1, "SETITEM": 2}
        parts = self.take(single[name]) if name in single else self.since_mark()
        if name.startswith("APPEND"):
            self.stack[-1].extend(parts)
        else:
            self.stack[-1].update(pairs(parts))


def pairs(parts: list[Any]) -> dict[Any, Any]:
    """A dictionary of keys and values in turn."""
    keys = (key.decode("latin-1") if isinstance(key, bytes) else key for key in parts[::2])
    return dict(zip(keys, parts[1::2], strict=True))


def result_of(called: Any, arguments: tuple[Any, ...]) -> Any:
    """What the call of a known name stands for."""
    if not isinstance(called, Name):
        raise ValueError("the pickle calls something that is not a name")
    if called.kind == "bytes":
        text, encoding = arguments
        if encoding != "latin1":
            raise ValueError(f"the pickle holds bytes as {encoding!r}, expected 'latin1'")
        return text.encode("latin-1")
    if called.kind == "empty" and arguments == ():
        return b""
    if called.kind == "dtype":
        return Unfinished("dtype", str(arguments[0]))
    if called.kind == "array":
        return Unfinished("array")
    raise ValueError(f"the pickle calls {called.kind}, which data do not need")


def complete(target: Any, state: tuple[Any, ...]) -> None:
    """Give an unfinished array or dtype its state."""
    if not isinstance(target, Unfinished):
        raise ValueError("the pickle sets the state of something that has none")
    if target.kind == "dtype":
        order = "|" if target.value in ("u1", "i1") else state[1]
        target.value = f"{order}{target.value}"
        if target.value not in NUMBERS:
            raise ValueError(f"the pickle holds an array of {target.value!r}, expected numbers")
        return
    _, shape, dtype, columns_first, content = state
    raw = content.encode("latin-1") if isinstance(content, str) else content
    kind = np.dtype(dtype.value)
    if len(raw) != prod(shape) * kind.itemsize:
        raise ValueError(f"the pickle has {len(raw)} bytes for an array of {kind} of shape {shape}")
    flat = np.frombuffer(raw, kind)
    target.value = flat.reshape(shape, order="F" if columns_first else "C")  # (bytes,) -> shape


def finished(value: Any) -> Any:
    """The value with its arrays in place."""
    if isinstance(value, dict):
        return {key: content_of(part) for key, part in value.items()}
    return content_of(value)


def content_of(value: Any) -> Any:
    """What a pickled array holds, or the value itself."""
    if isinstance(value, Name) or value is MARK:
        raise ValueError("the pickle holds a name, which is not data")
    if not isinstance(value, Unfinished):
        return value
    if not isinstance(value.value, np.ndarray):
        raise ValueError("the pickle holds an array without content")
    return value.value
