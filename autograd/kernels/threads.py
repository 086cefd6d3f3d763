"""Sharing the images of a batch among threads.

NumPy and compiled kernels release the interpreter lock, so Python threads are enough. BLAS is held
to one thread from the first call that is shared on: see `process`.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np

from autograd.kernels.process import settle

__all__ = ["get_num_threads", "set_num_threads", "share"]

T = TypeVar("T")

WORTHWHILE = 1 << 22
"""Multiplications below which a call is not worth a second thread: about 0.1 ms of them."""

BOARD = 8
"""Lines of the cache that a board has on which compiled work is handed out: see `numba_crew`."""

wait_awake: Callable[[int, int, int, bool, int], None] | None = None
"""`numba_wait.wait`, once Numba is loaded."""


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


_threads = cores()
_pool: Pool | None = None
_lock = threading.Lock()


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
        if _pool is not None:
            _pool.give(None, _threads - 1)
            _pool.bell.ring()
            _pool = None
        _threads = num
    settle()


class Job:
    """The parts of one call, which whoever is free takes from the left.

    The caller takes parts too, so it never waits for a thread that has not begun, and a process
    that lost its threads in a fork still does all the work.
    """

    def __init__(self, function: Callable[[slice], Any], slices: list[slice]) -> None:
        self.function = function
        self.waiting = deque(enumerate(slices))
        self.results: list[Any] = [None] * len(slices)
        self.errors: list[BaseException] = []
        self.context: Context = copy_context()  # it holds NumPy's treatment of errors
        self.finished: SimpleQueue[None] = SimpleQueue()
        self.done = Bell()

    def take(self) -> int:
        """Work until no part is left; how many were done here."""
        count = 0
        while True:
            try:
                place, part = self.waiting.popleft()
            except IndexError:
                return count
            count += 1
            try:
                self.results[place] = self.function(part)
            except BaseException as error:
                self.errors.append(error)

    def help(self) -> None:
        """As `take`, in a thread of the pool, which rings afterwards."""
        for _ in range(self.context.copy().run(self.take)):
            self.finished.put(None)

    def finish(self, bell: Bell) -> list[Any]:
        """As `take`, in the thread of the caller, which rings for the others and waits for them."""
        bell.ring()
        count = self.take()
        for _ in range(len(self.results) - count):
            seen = self.done.number()
            if self.finished.empty():
                self.done.wait(EMPTY, seen, False, SILENT)
            self.finished.get()
        results = self.results
        del self.function, self.results  # a thread that comes late would keep them alive
        if self.errors:
            raise self.errors[0]
        return results


class Words:
    """Whole numbers that compiled code finds by their address."""

    def __init__(self, count: int) -> None:
        self.values = np.zeros(count, np.int64)
        self.address: int = self.values.ctypes.data


class Bell(Words):
    """A number that tells threads which wait awake that there is something for them."""

    def __init__(self) -> None:
        super().__init__(1)

    def number(self) -> int:
        return int(self.values[0])

    def ring(self) -> None:
        self.values[0] += 1

    def wait(self, board: Words, seen: int, pause: bool, finished: Bell) -> None:
        """Wait until it rings, but not long: whoever finds nothing then goes to sleep.

        Args:
            board: compiled work to do meanwhile.
            seen: the number that it showed before.
            pause: whether to wait a moment more once it has rung.
            finished: rings when this thread holds the interpreter lock no more.
        """
        if wait_awake is None:
            finished.ring()
        else:
            wait_awake(board.address, self.address, seen, pause, finished.address)


LOOK = object()
"""Nothing to do but to look at the board."""
SILENT = Bell()
"""For nobody."""
EMPTY = Words(8 * BOARD)
"""A board without work."""


class Pool:
    """Threads that wait for jobs."""

    def __init__(self, threads_count: int) -> None:
        self.jobs: SimpleQueue[Any] = SimpleQueue()
        self.bell = Bell()
        self.board = Words(8 * BOARD)
        for number in range(1, threads_count):
            threading.Thread(target=self.work, name=f"ndgrad_{number}", daemon=True).start()

    def give(self, job: Job | None, times: int) -> None:
        """Let so many threads help with a job; None ends them."""
        for _ in range(times):
            self.jobs.put(job)

    def wake(self, times: int) -> None:
        """Let so many threads that sleep look at the board."""
        if self.jobs.empty():
            for _ in range(times):
                self.jobs.put(LOOK)

    def work(self) -> None:
        finished = SILENT
        while True:
            seen = self.bell.number()
            if self.jobs.empty():
                self.bell.wait(self.board, seen, True, finished)
            else:
                finished.ring()
            job = self.jobs.get()
            if job is None:
                return
            finished = SILENT
            if job is not LOOK:
                job.help()
                finished = job.done
            del job  # or its results would live until the next one


def pool() -> Pool:
    """The threads that help, started when first needed."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = Pool(_threads)
        return _pool


def share(function: Callable[[slice], T], count: int, work: int, blas: bool = True) -> Sequence[T]:
    """Call a function on consecutive slices that cover `count` items, one for each thread.

    Args:
        function: gets a slice; must not call `share` itself.
        count: how many items there are.
        work: about how many multiplications they take together.
        blas: whether the function calls BLAS, which is held to one thread from then on.

    Returns:
        What each call returned, in the order of the slices.
    """
    parts = min(_threads, count, max(1, work // WORTHWHILE))
    if parts <= 1:
        return [function(slice(0, count))]
    ends = [count * (part + 1) // parts for part in range(parts)]
    slices = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
    if blas:
        settle()
    job = Job(function, slices)
    helpers = pool()
    helpers.give(job, len(slices) - 1)
    return job.finish(helpers.bell)
