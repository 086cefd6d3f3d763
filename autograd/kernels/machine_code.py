"""Machine code of kernels on the disk, and from there in memory.

A program that finds it there does not import Numba, which takes longer than all else that it does
before its first training step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from ctypes import CDLL
from functools import cache
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from struct import Struct
from typing import Any
from zlib import crc32

import llvmlite
import llvmlite.binding as llvm

__all__ = ["FOLDER", "can_keep", "keep", "load"]

HERE = Path(__file__).parent
PREFIX = "ndgrad-"
HEAD = Struct("=IH")
"""Of a file: a checksum of what follows, and the length of the name that the code has there."""


def base() -> Path:
    """The folder that the user chose, or this one, or one at home if this cannot be written to."""
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    own = HERE / "__pycache__"
    try:
        if not os.access(own if own.is_dir() else HERE, os.W_OK):
            return Path.home() / ".cache" / "ndgrad"
    except RuntimeError:  # the user has no home: nothing is kept
        pass
    return own


def folder() -> Path:
    """Where compiled code is kept: another folder for other sources.

    Numba looks at the file of a function only, and would go on using code that was made from
    another version of a file that this one imports.
    """
    digest = sha256()
    for source in sorted(HERE.glob("*.py")):
        digest.update(source.read_bytes())
    return base() / f"{PREFIX}{digest.hexdigest()[:16]}"


FOLDER = folder()
if FOLDER.parent.parent == HERE:  # what was made from earlier sources; other folders may be shared
    for old in FOLDER.parent.glob(f"{PREFIX}*"):
        if old != FOLDER:
            rmtree(old, ignore_errors=True)


def can_keep() -> bool:
    """Whether the folder is there now and can be written to."""
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(FOLDER, os.W_OK)


def file_of(function: Callable[..., Any], kinds: str) -> Path | None:
    """Where the code of a function is, which is another one for each kind of arguments.

    And for each kind of processor, and version of Python and of llvmlite, and so of Numba. None for
    functions whose sources are not those that the folder stands for.
    """
    package, _, module = function.__module__.rpartition(".")
    if package != __package__:
        return None
    text = repr((module, function.__name__, kinds, machine()))
    return FOLDER / f"{module}.{function.__name__}.{sha256(text.encode()).hexdigest()[:16]}"


def keep(function: Callable[..., Any], kinds: str, library: Any, symbol: str) -> None:
    """Write what Numba has compiled to the disk, if possible."""
    file = file_of(function, kinds)
    if file is None or not stands_alone(library) or not can_keep():
        return
    data = symbol.encode() + library.serialize_using_object_code()[2][0]
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        part.write_bytes(HEAD.pack(crc32(data), len(symbol.encode())) + data)
        part.replace(file)
    except OSError:  # the disk is full, say
        part.unlink(missing_ok=True)


def stands_alone(library: Any) -> bool:
    """Whether code calls nothing but itself and the C library."""
    process = CDLL(None if os.name != "nt" else "ucrtbase")
    return all(
        function.name.startswith("llvm.") or hasattr(process, function.name)
        for function in library._final_module.functions
        if function.is_declaration
    )


def load(function: Callable[..., Any], kinds: str) -> int:
    """The address of what was kept; 0 if there is nothing."""
    file = file_of(function, kinds)
    try:
        content = b"" if file is None else file.read_bytes()
    except OSError:
        return 0
    data = content[HEAD.size :]
    if not data or crc32(data) != HEAD.unpack_from(content)[0]:
        return 0
    length = HEAD.unpack_from(content)[1]
    memory = engine()
    memory.add_object_file(llvm.ObjectFileRef.from_data(data[length:]))
    memory.finalize_object()
    found: int = memory.get_function_address(data[:length].decode())
    return found


@cache
def machine() -> tuple[Any, ...]:
    """What machine code depends on besides its sources."""
    chosen = (os.environ.get(f"NUMBA_CPU_{name}") for name in ("NAME", "FEATURES"))
    try:
        features = llvm.get_host_cpu_features().flatten()
    except RuntimeError:  # unknown to LLVM
        features = ""
    versions = (llvmlite.__version__, sys.implementation.cache_tag)
    return (llvm.get_default_triple(), llvm.get_host_cpu_name(), features, *chosen, *versions)


@cache
def engine() -> Any:
    """What puts code into memory."""
    with suppress(RuntimeError):  # newer ones do it by themselves
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
