"""Fetch a file of a data set from the first of several addresses that has it."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
import urllib.request
import zlib
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from uuid import uuid4

__all__ = ["DownloadError", "download"]

CHUNK = 1 << 18
CONNECT_SECONDS = 5.0
STALL_SECONDS = 30.0


class DownloadError(OSError):
    """None of the addresses gave the file."""


def download(
    urls: Sequence[str],
    path: str | os.PathLike[str],
    sha256: str,
    *,
    timeout: float = CONNECT_SECONDS,
    progress: bool = True,
) -> Path:
    """Fetch a file unless it is there already; it appears whole and checked, or not at all.

    Args:
        urls: addresses of the same file, tried in this order.
        path: where it goes; missing folders are made. A file that is there is left as it is.
        sha256: the checksum of the content, for a name that ends in ``.gz`` decompressed.
        timeout: seconds that a server has to answer.
        progress: whether to show a progress bar (if tqdm is installed).

    Raises:
        DownloadError: no address gave a file with that checksum; says what each one gave.
        OSError: the folder cannot be written to.
    """
    path = Path(path)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    failures = []
    try:
        part.touch()
        for url in urls:
            try:
                receive(url, part, timeout, progress)
                check(part, path.suffix == ".gz", sha256)
            except (OSError, HTTPException, EOFError, zlib.error, ValueError) as error:
                failures.append(f"{url}: {describe(error)}")
            else:
                os.replace(part, path)
                return path
    finally:
        part.unlink(missing_ok=True)
    raise DownloadError("; ".join(failures))


def receive(url: str, part: Path, timeout: float, progress: bool) -> None:
    """Write what an address sends into a file."""
    with part.open("wb") as file, answer(url, timeout) as response:
        announced = response.headers.get("Content-Length")
        size = int(announced) if announced else None
        received = 0
        with progress_bar(size, part.name.split(".")[1], progress) as bar:
            while piece := response.read(CHUNK):
                file.write(piece)
                received += len(piece)
                bar.update(len(piece))
    if size is not None and received != size:
        raise ValueError(f"broke off after {received} of {size} bytes")


def answer(url: str, timeout: float) -> HTTPResponse:
    """An open connection.

    A thread of its own opens it: a socket's timeout counts anew for each network address of a
    server, which without a network can add up to minutes.
    """
    outcome: list[HTTPResponse | Exception] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            response = urllib.request.urlopen(url, timeout=STALL_SECONDS)
        except Exception as error:
            outcome.append(error)
            return
        outcome.append(response)
        if given_up.is_set():
            response.close()

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(timeout)
    if not outcome:
        given_up.set()
        raise TimeoutError(f"no answer within {timeout:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def check(part: Path, compressed: bool, sha256: str) -> None:
    """Compare a file's checksum with what it should be."""
    digest = hashlib.sha256()
    with gzip.open(part) if compressed else part.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    if digest.hexdigest() != sha256:
        raise ValueError(f"has SHA-256 {digest.hexdigest()}, expected {sha256}")


def describe(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, HTTPError):
        error.close()
    elif isinstance(error, URLError):
        return str(error.reason)
    return str(error)


def progress_bar(size: int | None, name: str, progress: bool) -> Any:
    """A bar that counts bytes; one that shows nothing if tqdm is missing or not wanted."""
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return Silent()
        return tqdm(total=size, unit="B", unit_scale=True, desc=name, leave=False)
    return Silent()


class Silent:
    """A progress bar that shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, count: int) -> None:
        """Take note of bytes."""
