"""What large operations ask of the whole process, once.

BLAS is held to one thread, since the kernels share work among threads of their own: BLAS's would
wait for each other after every one of many small products, and go on waiting, each keeping a core
busy, for milliseconds after the last one.

Memory that is freed stays with the process (on Linux with the GNU C library; at most 1 GiB at a
time). A training step frees and takes the same arrays over and over. By default the C library gives
large ones back to the system each time, and has to fetch them page by page, zeroed, for the next
step, which took up to a third of it. ``NDGRAD_KEEP_MEMORY=0`` in the environment prevents it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading

from threadpoolctl import ThreadpoolController

__all__ = ["settle"]

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3): give back what is free above this; map larger blocks on their own."""
KEPT = 1 << 30

_lock = threading.Lock()
_settled = False


def settle() -> None:
    """Ask for it, unless that was done already."""
    global _settled
    if _settled:
        return
    with _lock:
        if not _settled:
            ThreadpoolController().select(user_api="blas").limit(limits=1)
            keep_memory()
            _settled = True


def keep_memory() -> None:
    if sys.platform != "linux" or os.environ.get("NDGRAD_KEEP_MEMORY") == "0":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # it is None with other C libraries
        mallopt(MMAP_THRESHOLD, KEPT)
        mallopt(TRIM_THRESHOLD, KEPT)
