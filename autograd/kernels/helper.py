"""A process of its own that compiles what a program will need next, while the program compiles.

A program meets its kernels one after another, and Numba compiles in one thread. The program says
when it begins to compile a kernel; `helper_process`, which compiles others, says with which one it
is busy. What is ready the program finds on the disk. The helper rests while the program does not
compile, and ends soon afterwards.
"""

from __future__ import annotations

import atexit
import subprocess
import sys
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from autograd.kernels.threads import get_num_threads

__all__ = ["Helper", "helper"]

PROGRAM = """
import os, sys
getattr(os, "nice", int)(10)  # what the program itself does goes first
sys.path[:] = sys.argv[1:]
from autograd.kernels.helper_process import work
work(sys.stdin, sys.stdout)
os._exit(0)  # without waiting for the thread that reads
"""
ROOT = str(Path(__file__).parents[2])
PATIENCE = 5.0
"""Seconds that the program waits for it, for one kernel."""


class Helper:
    """What the program knows of it."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.reader = Thread(target=self.listen, daemon=True)
        self.busy: tuple[str, ...] = ()

    def start(self) -> None:
        """Start it, unless there is no core for it: one thread may mean that others need them."""
        if get_num_threads() < 2 or not sys.executable or getattr(sys, "frozen", False):
            return
        paths = sys.path if ROOT in sys.path else [ROOT, *sys.path]
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows
            )
        except OSError:  # the program does without, where it must not start others
            return
        self.reader.start()
        atexit.register(self.end)

    def listen(self) -> None:
        """Read what it is busy with, in a thread."""
        if self.process is not None and self.process.stdout is not None:
            for line in self.process.stdout:
                self.busy = tuple(line.split())
        self.busy = ()

    def wait(self, module: str, kernel: str) -> None:
        """Wait as long as it is busy with this one, which is then on the disk."""
        end = monotonic() + PATIENCE
        while self.busy == (module, kernel) and monotonic() < end:
            sleep(0.005)

    def begin(self, module: str, kernel: str) -> None:
        """Say that the program compiles this, so that the helper works."""
        self.say(f"{module} {kernel}")

    def rest(self) -> None:
        """Say that the program goes on, so that the helper pauses after its kernel."""
        self.say("")

    def say(self, line: str) -> None:
        if self.process is None or self.process.poll() is not None or self.process.stdin is None:
            return
        try:
            self.process.stdin.write(f"{line}\n")
            self.process.stdin.flush()
        except (OSError, ValueError):  # it has just ended, or this program is ending
            pass

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.reader.join()
            self.process.communicate()


helper = Helper()
"""That of this program."""
