"""Fetch a file of a data set from the first of several addresses that has it."""

from __future__ import annotations

import gzip
import hashlib
import os
import threading
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request
from uuid import uuid4

__all__ = ["DownloadError", "download"]

CHUNK = 1 << 18
CONNECT_SECONDS = 5.0
STALL_SECONDS = 30.0
PARTIAL_CONTENT, RANGE_NOT_SATISFIABLE = 206, 416
ALGORITHMS = {64: "SHA-256", 32: "MD5"}
"""By the number of digits."""


class DownloadError(OSError):
    """None of the addresses gave the file."""


ERRORS = (OSError, HTTPException, EOFError, zlib.error, ValueError)


def download(
    urls: Sequence[str],
    path: str | os.PathLike[str],
    checksum: str,
    *,
    unpacked: bool | None = None,
    timeout: float = CONNECT_SECONDS,
    progress: bool = True,
) -> Path:
    """Fetch a file unless it is there already; it appears whole and checked, or not at all.

    What has come when a transfer breaks off is kept beside it as ``.NAME.part``, and the next call
    goes on from there.

    Args:
        urls: addresses of the same file, tried in this order.
        path: where it goes; missing folders are made. A file that is there is left as it is.
        checksum: SHA-256 (64 digits) or MD5 (32 digits).
        unpacked: whether that is the checksum of the decompressed content; by default for names
            that end in ``.gz``.
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
    verify = partial(check, unpacked=path.suffix == ".gz" if unpacked is None else unpacked)
    kept = path.with_name(f".{path.name}.part")
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    failures = []
    try:
        # Renamed, so that of several processes one goes on with it.
        with suppress(FileNotFoundError):
            os.replace(kept, part)
        part.touch()
        for url in urls:
            try:
                fetch(url, part, partial(verify, checksum=checksum), timeout, progress)
            except ERRORS as error:
                failures.append(f"{url}: {describe(error)}")
            else:
                os.replace(part, path)
                return path
    finally:
        if part.exists() and part.stat().st_size:
            os.replace(part, kept)
        part.unlink(missing_ok=True)
    raise DownloadError("; ".join(failures))


def fetch(
    url: str, part: Path, verify: Callable[[Path], None], timeout: float, progress: bool
) -> None:
    """Complete a file from an address; from its start again if what was there does not fit."""
    resumed = part.stat().st_size > 0
    if resumed:
        with suppress(*ERRORS):
            verify(part)
            return
    try:
        receive(url, part, timeout, progress)
    except HTTPError as error:
        if not resumed or error.code != RANGE_NOT_SATISFIABLE:
            raise
        error.close()
    else:
        try:
            verify(part)
            return
        except ERRORS:
            if not resumed:
                part.write_bytes(b"")
                raise
    part.write_bytes(b"")
    fetch(url, part, verify, timeout, progress)


def receive(url: str, part: Path, timeout: float, progress: bool) -> None:
    """Append to a file what an address has beyond it; replace it where the server cannot."""
    there = part.stat().st_size
    with answer(url, timeout, there) as response:
        if there and response.status != PARTIAL_CONTENT:
            there = 0
        announced = response.headers.get("Content-Length")
        size = there + int(announced) if announced else None
        received = there
        name = part.name.removeprefix(".").rsplit(".", 2)[0]
        with (
            part.open("ab" if there else "wb") as file,
            progress_bar(size, there, name, progress) as bar,
        ):
            while piece := response.read(CHUNK):
                file.write(piece)
                received += len(piece)
                bar.update(len(piece))
    if size is not None and received != size:
        raise ValueError(f"broke off after {received} of {size} bytes")


def answer(url: str, timeout: float, start: int = 0) -> HTTPResponse:
    """An open connection, to what comes after the first `start` bytes.

    A thread of its own opens it: a socket's timeout counts anew for each network address of a
    server, which without a network can add up to minutes.
    """
    asked = Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    outcome: list[HTTPResponse | Exception] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            response = urllib.request.urlopen(asked, timeout=STALL_SECONDS)
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


def check(part: Path, checksum: str, unpacked: bool) -> None:
    """Compare a file's checksum with what it should be."""
    name = ALGORITHMS[len(checksum)]
    digest = hashlib.new(name.replace("-", "").lower(), usedforsecurity=False)
    with gzip.open(part) if unpacked else part.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
    if digest.hexdigest() != checksum:
        raise ValueError(f"has {name} {digest.hexdigest()}, expected {checksum}")


def describe(error: Exception) -> str:
    """What went wrong, in words."""
    if isinstance(error, HTTPError):
        error.close()
    elif isinstance(error, URLError):
        return str(error.reason)
    return str(error)


def progress_bar(size: int | None, there: int, name: str, progress: bool) -> Any:
    """A bar that counts bytes; one that shows nothing if tqdm is missing or not wanted."""
    if progress:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return Silent()
        return tqdm(total=size, initial=there, unit="B", unit_scale=True, desc=name, leave=False)
    return Silent()


class Silent:
    """A progress bar that shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, count: int) -> None:
        """Take note of bytes."""
