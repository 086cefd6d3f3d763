"""Sharing the images of a batch among threads.

NumPy releases the interpreter lock in copies and matrix products, so Python threads are enough.
While they run, BLAS is held to one thread each: its own threads would wait for each other after
every one of the many small products.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache
from typing import Any, TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["get_num_threads", "set_num_threads", "share"]

T = TypeVar("T")

WORTHWHILE = 1 << 22
"""Multiplications below which a call is not worth a second thread: about 0.1 ms of them."""


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


_threads = cores()
_pool: ThreadPoolExecutor | None = None
_lock = threading.Lock()
_holders = 0
_hold: Any = None


@cache
def controller() -> Any:
    """The BLAS libraries of this process."""
    return ThreadpoolController().select(user_api="blas")


def get_num_threads() -> int:
    """How many threads a convolution or a matrix product may use."""
    return _threads


def set_num_threads(num: int) -> None:
    """Set how many threads a convolution or a matrix product may use.

    The default is the number of cores at hand. Results are the same, bit for bit, for the same
    number.

    Raises:
        ValueError: `num` is not positive.

    Example:
        >>> import autograd
        >>> before = autograd.get_num_threads()
        >>> autograd.set_num_threads(1)
        >>> autograd.get_num_threads()
        1
        >>> autograd.set_num_threads(before)
    """
    global _threads, _pool
    if type(num) is not int or num < 1:
        raise ValueError(f"set_num_threads: expected a positive whole number, got {num!r}")
    with _lock:
        _threads = num
        if _pool is not None:
            _pool.shutdown(wait=False)
            _pool = None
        controller().limit(limits=num)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread; the first to enter does it, the last to leave lifts it."""
    global _holders, _hold
    with _lock:
        _holders += 1
        if _holders == 1:
            _hold = controller().limit(limits=1)
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _hold.restore_original_limits()


def workers() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(_threads, thread_name_prefix="ndgrad")
        return _pool


def share(function: Callable[[slice], T], count: int, work: int) -> Sequence[T]:
    """Call a function on consecutive slices that cover `count` items, one for each thread.

    Args:
        function: gets a slice; must not call `share` itself.
        count: how many items there are.
        work: about how many multiplications they take together.

    Returns:
        What each call returned, in the order of the slices.
    """
    parts = min(_threads, count, max(1, work // WORTHWHILE))
    if parts <= 1:
        return [function(slice(0, count))]
    ends = [count * (part + 1) // parts for part in range(parts)]
    slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    with single_threaded_blas():
        # each in a copy of this context, which holds NumPy's treatment of floating-point errors
        others = [workers().submit(copy_context().run, function, part) for part in slices[1:]]
        first = function(slices[0])
        return [first, *(other.result() for other in others)]
