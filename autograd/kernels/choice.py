"""Choosing who does the array work: NumPy alone, or compiled kernels where Numba is installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import Any

from autograd.kernels import threads

__all__ = ["COMPILED", "NAMES", "get_kernels", "start", "use_kernels"]

NAMES = ("numpy", "numba")

COMPILED: dict[str, str] = {
    "add_along": "numba_along",
    "add_up": "numba_reduce",
    "attention": "numba_attention",
    "attention_grad": "numba_attention",
    "self_attention": "numba_attention",
    "self_attention_grad": "numba_attention",
    "conv": "numba_conv",
    "conv_input_grad": "numba_conv",
    "conv_weight_grad": "numba_conv",
    "lstm": "numba_recurrent",
    "lstm_grad": "numba_recurrent",
    "max_pool": "numba_pool",
    "max_pool_grad": "numba_pool",
    "moments": "numba_norm",
    "standard_moments": "numba_norm",
    "scale_shift": "numba_norm",
    "standardize": "numba_norm",
    "standardize_backward": "numba_norm",
    "adadelta_step": "numba_optim",
    "adagrad_step": "numba_optim",
    "adam_step": "numba_optim",
    "adamax_step": "numba_optim",
    "nadam_step": "numba_optim",
    "radam_step": "numba_optim",
    "rmsprop_step": "numba_optim",
    "sgd_step": "numba_optim",
    "clip": "numba_select",
    "clip_grad": "numba_select",
    "drop": "numba_select",
    "cross_entropy": "numba_softmax",
    "erf": "numba_special",
    "evaluate": "numba_tape",
    "exponentiate": "numba_softmax",
    "linear": "numba_matmul",
    "leak": "numba_select",
    "log_softmax": "numba_softmax",
    "log_softmax_grad": "numba_softmax",
    "matmul": "numba_matmul",
    "relu": "numba_select",
    "relu_grad": "numba_select",
    "running_sum": "numba_reduce",
    "select": "numba_select",
    "softmax": "numba_softmax",
    "softmax_grad": "numba_softmax",
    "spread_pool": "numba_windows",
    "sum_pool": "numba_windows",
    "sum_rows": "numba_scatter",
    "take_along": "numba_along",
}
"""Where the compiled kernel of a name is: a module of `autograd.kernels`."""

EXACT = {
    "adam_step",
    "clip",
    "clip_grad",
    "drop",
    "leak",
    "max_pool",
    "max_pool_grad",
    "relu",
    "relu_grad",
    "select",
    "sgd_step",
    "take_along",
}
"""Compiled kernels that give the reference's bits."""

WAITING = "autograd.kernels.numba_wait"
"""What threads wait with while compiled kernels are in use."""

WORTH_LOADING = 1 << 12
"""Elements of the first argument below which the reference does the work."""

_used = "numpy"
_reference: dict[str, Callable[..., Any]] = {}


def get_kernels() -> str:
    """Who does the array work now: ``"numpy"`` or ``"numba"``.

    Example:
        >>> import autograd
        >>> with autograd.use_kernels("numpy"):
        ...     print(autograd.get_kernels())
        numpy
    """
    return _used


class use_kernels:  # noqa: N801 (called as a function is)
    """Choose who does the array work of large operations, in all threads of this process.

    ``"numpy"`` is the reference, there always; ``"numba"`` compiles kernels to machine code, and
    is chosen from the start where Numba is installed (``pip install "ndgrad[fast]"``). The
    environment variable ``NDGRAD_KERNELS`` names another choice for the start. Takes effect at
    once; as a context manager it restores what was.

    Args:
        name: ``"numpy"`` or ``"numba"``.

    Raises:
        ValueError: the name is another one.
        ImportError: Numba is not installed.

    Example:
        >>> import autograd
        >>> with autograd.use_kernels("numpy"):
        ...     total = autograd.ones(2, 3).sum()
    """

    def __init__(self, name: str) -> None:
        if name not in NAMES:
            raise ValueError(f"use_kernels: expected 'numpy' or 'numba', got {name!r}")
        if name == "numba" and not has_numba():
            raise ImportError(
                "use_kernels: 'numba' needs Numba, which is not installed: "
                'pip install "ndgrad[fast]"'
            )
        self._before = _used
        bind(name)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        bind(self._before)


def has_numba() -> bool:
    return "numba" in sys.modules or find_spec("numba") is not None


def bind(name: str) -> None:
    """Let the names in `autograd.kernels` stand for one of the two."""
    global _used
    _used = name
    kernels = sys.modules["autograd.kernels"]
    for kernel, module in COMPILED.items():
        setattr(kernels, kernel, _reference[kernel] if name == "numpy" else late(kernel, module))
    waiting = sys.modules.get(WAITING) if name == "numba" else None
    threads.wait_awake = None if waiting is None else waiting.wait


@cache
def late(kernel: str, module: str) -> Callable[..., Any]:
    """A kernel that imports its compiled form, and with it Numba, when it is first worth it.

    Where the two differ in the last bits, a small call stays with the reference even when Numba is
    there: which of the two runs depends on the call alone, not on what ran before, so that a seeded
    run repeats bit for bit.
    """
    reference, compiled, same = _reference[kernel], None, kernel in EXACT

    def by_size(*args: Any) -> Any:
        nonlocal compiled
        if args[0].size < WORTH_LOADING and not (same and compiled):
            return reference(*args)
        if compiled is None:
            compiled = getattr(import_module(f"autograd.kernels.{module}"), kernel)
            threads.wait_awake = import_module(WAITING).wait
        return compiled(*args)

    return by_size


def start(names: dict[str, Any]) -> None:
    """Remember the reference kernels, and begin with those that the environment names."""
    for kernel in COMPILED:
        _reference[kernel] = names[kernel]
    wanted = os.environ.get("NDGRAD_KERNELS", "")
    if wanted and wanted not in NAMES:
        raise ValueError(f"NDGRAD_KERNELS: expected 'numpy' or 'numba', got {wanted!r}")
    if wanted == "numba" and not has_numba():
        raise ImportError(
            'NDGRAD_KERNELS is "numba", but Numba is not installed: pip install "ndgrad[fast]"'
        )
    bind(wanted or ("numba" if has_numba() else "numpy"))
