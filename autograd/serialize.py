"""Saving tensors and nested structures of them, in files that cannot run code.

An .npz archive holds each tensor as a member of its own (NumPy reads them too) and the structure
around them as JSON. A .safetensors file holds a flat dict of tensors.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np

from autograd.creation import from_numpy
from autograd.tensor import Tensor

__all__ = ["load", "save"]

File: TypeAlias = str | os.PathLike[str] | IO[bytes]
Array: TypeAlias = np.ndarray[Any, Any]

STRUCTURE = "structure.json"
FORMAT = "ndgrad"
VERSION = 1
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same content gives the same bytes


def save(obj: Any, f: File) -> None:
    """Write tensors, or a structure of them such as a ``state_dict``, to a file.

    A path is written atomically: what was there stays until the new file is complete. A path that
    ends in ``.safetensors`` is written in that format, everything else as an .npz archive.

    Args:
        obj: tensors, arrays, numbers, strings, booleans and None, in dicts, lists and tuples of any
            depth; for .safetensors a dict of tensors by name. Subclasses are written as the class
            that they derive from, an OrderedDict as such.
        f: a path, or a file that is open for writing bytes.

    Raises:
        TypeError: for something else in the structure, with its place.
        ImportError: for .safetensors without its library.

    Example:
        >>> import io
        >>> from autograd import load, save, tensor
        >>> file = io.BytesIO()
        >>> save({"weight": tensor([1.0, 2.0]), "epoch": 3}, file)
        >>> load(io.BytesIO(file.getvalue()))
        {'weight': tensor([1., 2.]), 'epoch': 3}
    """
    check_file("save", f, "write")
    if not isinstance(f, (str, os.PathLike)):
        write_archive(f, *pack(obj))
        return
    path = Path(f)
    if path.suffix == ".safetensors":
        content = safetensors_bytes(obj)
        write_atomically(path, lambda file: file.write(content))
    else:
        structure, members = pack(obj)
        write_atomically(path, lambda file: write_archive(file, structure, members))


def load(f: File) -> Any:
    """Read what `save` wrote; the content decides about the format.

    Args:
        f: a path, or a file that is open for reading bytes.

    Raises:
        ValueError: for a truncated or foreign file, named, with what was found in it.
        FileNotFoundError: for no file.
        ImportError: for .safetensors without its library.
    """
    check_file("load", f, "read")
    if not isinstance(f, (str, os.PathLike)):
        return read(io.BytesIO(f.read()), str(getattr(f, "name", "the file")))
    with open(f, "rb") as file:
        return read(file, os.fspath(f))


def check_file(name: str, f: Any, method: str) -> None:
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, method):
        raise TypeError(f"{name}: f must be a path or an open file, got {type(f).__name__}")


class Packer:
    """Takes tensors out of a structure, and describes the rest as JSON.

    A container becomes an object with one key that names its kind; numbers, strings, booleans and
    None stand for themselves.
    """

    def __init__(self) -> None:
        self.members: dict[str, Array] = {}
        self._names: dict[Any, str] = {}  # by memory: what is shared is written once
        self._open: set[int] = set()  # containers around the current place

    def pack(self, value: Any, place: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Tensor):
            node: dict[str, Any] = {"tensor": self._store(value.array, place)}
            return {**node, "requires_grad": True} if value.requires_grad else node
        if isinstance(value, np.ndarray):
            return {"array": self._store(value, place)}
        if isinstance(value, np.generic):
            value = value.item()
        for kind in (int, float, str):
            if isinstance(value, kind):
                return kind(value)
        if not isinstance(value, (list, tuple, dict)):
            raise TypeError(
                f"save: {place} is of type {type(value).__name__}; what can be saved is tensors, "
                "arrays, numbers, strings, booleans and None in dicts, lists and tuples"
            )
        if id(value) in self._open:
            raise ValueError(f"save: {place} contains itself")
        self._open.add(id(value))
        if isinstance(value, dict):
            kind_name = "ordered" if isinstance(value, OrderedDict) else "dict"
            packed = [
                [self._key(key, place), self.pack(item, f"{place}[{key!r}]")]
                for key, item in value.items()
            ]
        else:
            kind_name = "tuple" if isinstance(value, tuple) else "list"
            packed = [self.pack(item, f"{place}[{index}]") for index, item in enumerate(value)]
        self._open.remove(id(value))
        return {kind_name: packed}

    def _key(self, key: Any, place: str) -> Any:
        if key is None or isinstance(key, (str, int, float, bool)):
            return self.pack(key, place)
        raise TypeError(
            f"save: {place} has a key of type {type(key).__name__}; "
            "a key must be a string, a number, a boolean or None"
        )

    def _store(self, array: Array, place: str) -> str:
        if array.dtype.kind not in "biufc":
            raise TypeError(f"save: {place} is an array of type {array.dtype}, not of numbers")
        memory = (array.__array_interface__["data"][0], array.shape, array.strides, array.dtype)
        if array.size and memory in self._names:
            return self._names[memory]
        name = self._free_name(place)
        self.members[name] = array
        self._names[memory] = name
        return name

    def _free_name(self, place: str) -> str:
        """``obj['layers'][0]`` -> ``layers.0``: a name by which NumPy users find the array."""
        path = place.removeprefix("obj").replace("][", ".").replace("'", "").strip("[]")
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", path)[:200] or "obj"
        while name in self.members:
            name += "_"
        return name


def pack(obj: Any) -> tuple[str, dict[str, Array]]:
    """A structure as JSON, and the arrays in it by the names that the JSON gives them."""
    packer = Packer()
    content = {"format": FORMAT, "version": VERSION, "root": packer.pack(obj, "obj")}
    return json.dumps(content, separators=(",", ":")), packer.members


def unpack(node: Any, members: Mapping[str, Array]) -> Any:
    """The structure that `Packer.pack` described."""
    tensors: dict[tuple[str, bool], Tensor] = {}

    def build(node: Any) -> Any:
        if not isinstance(node, dict):
            if isinstance(node, list):
                raise ValueError("a list without a kind")
            return node
        kind = next(iter(node), None)
        if kind == "tensor":
            key = (node["tensor"], bool(node.get("requires_grad")))
            if key not in tensors:
                tensors[key] = from_numpy(members[key[0]]).requires_grad_(key[1])
            return tensors[key]
        if kind == "array":
            return members[node["array"]]
        if kind in ("dict", "ordered"):
            pairs = [(key, build(item)) for key, item in node[kind]]
            return OrderedDict(pairs) if kind == "ordered" else dict(pairs)
        if kind in ("list", "tuple"):
            items = [build(item) for item in node[kind]]
            return tuple(items) if kind == "tuple" else items
        raise ValueError(f"unknown kind {kind!r}")

    return build(node)


def write_archive(file: IO[bytes], structure: str, members: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(STRUCTURE, EPOCH), structure)
        for name, array in members.items():
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            with archive.open(entry, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)


def read(file: IO[bytes], name: str) -> Any:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(16)
    file.seek(0)
    if head.startswith(b"PK"):
        return read_archive(file, f"load: {name} ({size} bytes)")
    if head[8:9] == b"{" or (name.endswith(".safetensors") and size):
        return read_safetensors(file.read(), f"load: {name} ({size} bytes)")
    raise ValueError(
        f"load: {name} is neither an .npz archive nor a .safetensors file; it has {size} bytes "
        f"and begins with {head!r}"
    )


def read_archive(file: IO[bytes], what: str) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if STRUCTURE in names:
                content = json.loads(archive.read(STRUCTURE))
                members = {
                    name.removesuffix(".npy"): read_array(archive.read(name))
                    for name in names
                    if name != STRUCTURE
                }
                if content["format"] != FORMAT or content["version"] != VERSION:
                    raise ValueError(
                        f"format {content['format']!r} version {content['version']!r}, "
                        f"expected {FORMAT!r} version {VERSION}"
                    )
                return unpack(content["root"], members)
    except (
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        struct.error,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(f"{what}: a truncated or damaged .npz archive: {error}") from error
    shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    hint = "numpy.load reads plain .npz archives"
    if any(name.endswith(".pkl") for name in names):
        hint = "pickled files, such as those of torch.save, can run code and are not opened"
    raise ValueError(
        f"{what}: not written by save(): the archive holds {shown or 'nothing'}; {hint}"
    )


def read_array(content: bytes) -> Array:
    """An array in NumPy's .npy format, from numbers only."""
    file = io.BytesIO(content)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, fortran, dtype = readers[np.lib.format.read_magic(file)](file)
    if dtype.kind not in "biufc":
        raise ValueError(f"an array of type {dtype}, not of numbers")
    data = bytearray(file.read())
    expected = dtype.itemsize * prod(shape)
    if len(data) != expected:
        raise ValueError(f"an array {shape} of {dtype} has {len(data)} bytes, not {expected}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def safetensors_library(action: str) -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            f"{action} .safetensors files needs the safetensors library: pip install safetensors"
        ) from error
    return safetensors


def safetensors_bytes(obj: Any) -> bytes:
    library = safetensors_library("save: writing")
    if not isinstance(obj, Mapping):
        raise TypeError(
            f"save: a .safetensors file holds a dict of tensors, got {type(obj).__name__}"
        )
    for key, value in obj.items():
        if not isinstance(key, str) or not isinstance(value, (Tensor, np.ndarray)):
            raise TypeError(
                "save: a .safetensors file holds tensors by name, got the key "
                f"{key!r} of type {type(key).__name__} with a value of type {type(value).__name__};"
                " an .npz file holds nested structures"
            )
    arrays = {key: np.asarray(getattr(v, "array", v), order="C") for key, v in obj.items()}
    # The format sorts the tensors; the order of the dict goes into its free metadata.
    content: bytes = library.numpy.save(arrays, {"order": json.dumps(list(arrays))})
    return content


def read_safetensors(content: bytes, what: str) -> dict[str, Tensor]:
    library = safetensors_library("load: reading")
    try:
        arrays = library.numpy.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        order = json.loads(header.get("__metadata__", {}).get("order", "null"))
    except (KeyError, ValueError, library.SafetensorError) as error:
        raise ValueError(
            f"{what}: a truncated or damaged .safetensors file, or one with types that NumPy does "
            f"not have: {error}"
        ) from error
    names = order if isinstance(order, list) and set(order) == set(arrays) else list(arrays)
    return {name: from_numpy(np.array(arrays[name])) for name in names}


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    if path.exists() and not path.is_file():
        content = io.BytesIO()  # a device or a pipe cannot be replaced, nor always be sought in
        write(content)
        path.write_bytes(content.getbuffer())
        return
    target = path.resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {target.parent} to write {path} into")
    temporary = target.with_name(f".{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
