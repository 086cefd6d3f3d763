"""The IDX file format of MNIST and its relatives.

Four bytes open a file: two zeros, the code of the element type and the number of dimensions. The
size of each dimension follows as a big-endian 32-bit integer, then the elements, big-endian too.

Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
"""

from __future__ import annotations

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

ELEMENTS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
CHUNK = 1 << 20


def read_idx(
    path: str | os.PathLike[str], *, dtype: Any = None, ndim: int | None = None
) -> NDArray[Any]:
    """The array in an IDX file, plain or (if its name ends in ``.gz``) compressed.

    Args:
        path: the file.
        dtype: the element type that must be in it; any if left out.
        ndim: the number of dimensions that it must have; any if left out.

    Raises:
        ValueError: the file is empty, truncated, too long, no IDX file, no gzip file in spite of
            its name, or holds another type or number of dimensions; the message names the file
            with the number of bytes found and expected.
        FileNotFoundError: there is no such file.

    Example:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "labels-idx1-ubyte")
        ...     with open(path, "wb") as file:
        ...         _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
        ...     read_idx(path)
        array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    data, damage = read_bytes(path)
    if len(data) < 4:
        raise ValueError(
            f"{path}: {len(data)} bytes found, expected at least 4, an IDX file's start{damage}"
        )
    code, dimensions = data[2], data[3]
    if data[:2] != b"\0\0" or code not in ELEMENTS or dimensions == 0:
        raise ValueError(
            f"{path}: not an IDX file: its {len(data)} bytes begin with 0x{data[:4].hex()}, "
            "expected 0x0000, an element type and a number of dimensions"
        )
    stored = np.dtype(ELEMENTS[code])
    native = stored.newbyteorder("=")
    wanted = native if dtype is None else np.dtype(dtype)
    wanted_dimensions = dimensions if ndim is None else ndim
    if native != wanted or dimensions != wanted_dimensions:
        raise ValueError(
            f"{path}: holds {native} in {dimensions} dimensions (its {len(data)} bytes begin with "
            f"0x{data[:4].hex()}), expected {wanted} in {wanted_dimensions}"
        )
    header = 4 + 4 * dimensions
    if len(data) < header:
        raise ValueError(
            f"{path}: {len(data)} bytes found, expected a header of {header} and the data{damage}"
        )
    shape = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(4, header, 4))
    expected = header + prod(shape) * stored.itemsize
    if len(data) != expected or damage:
        raise ValueError(
            f"{path}: {len(data)} bytes found, expected {expected} "
            f"({header} of header, {expected - header} of {native} of shape {shape}){damage}"
        )
    values = np.frombuffer(data, stored, offset=header)
    return values.reshape(shape).astype(native, copy=False)  # (bytes,) -> shape


def read_bytes(path: Path) -> tuple[bytearray, str]:
    """The bytes of a file, decompressed if its name ends in .gz, and what ended them too early."""
    if path.suffix != ".gz":
        return bytearray(path.read_bytes()), ""
    with path.open("rb") as start:
        magic = start.read(2)
    if magic != b"\x1f\x8b":
        raise ValueError(
            f"{path}: not a gzip file: its {path.stat().st_size} bytes begin with "
            f"0x{magic.hex()}, expected 0x1f8b"
        )
    data = bytearray()
    with gzip.open(path) as file:
        try:
            while piece := file.read(CHUNK):
                data += piece
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return data, f"; the compressed file of {path.stat().st_size} bytes is damaged: {error}"
    return data, ""
