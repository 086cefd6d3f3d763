"""Switches for recording, as context managers and decorators, per thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from types import TracebackType
from typing import Any, TypeVar

from autograd.graph import ModuleScope, state

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "module_scope",
    "no_grad",
    "set_grad_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])


class _GradMode(ContextDecorator):
    """Sets whether operations are recorded, and restores what was."""

    _mode = True

    def __init__(self) -> None:
        self._before: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(state.grad_enabled)
        state.grad_enabled = self._mode

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        state.grad_enabled = self._before.pop()

    def __call__(self, func: F) -> F:
        return super().__call__(func)


class no_grad(_GradMode):  # noqa: N801 (PyTorch's name)
    """Record nothing: results do not require grad.

    Example:
        >>> from autograd import no_grad, tensor
        >>> x = tensor([1.0], requires_grad=True)
        >>> with no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False
    """

    _mode = False


class enable_grad(_GradMode):  # noqa: N801 (PyTorch's name)
    """Record, also inside `no_grad`."""


class set_grad_enabled(_GradMode):  # noqa: N801 (PyTorch's name)
    """Record or not, by a flag; takes effect at once, and as a context manager until its end."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self._mode = mode
        self._outer = state.grad_enabled
        state.grad_enabled = mode

    def __enter__(self) -> None:
        self._before.append(self._outer)
        state.grad_enabled = self._mode

    def __call__(self, func: F) -> F:
        state.grad_enabled = self._outer
        mode = _GradMode()
        mode._mode = self._mode
        return mode(func)


class inference_mode(_GradMode):  # noqa: N801 (PyTorch's name)
    """As `no_grad`, for code that only predicts; its results may be used anywhere later."""

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self._inference = mode
        self._outer: list[bool] = []

    def __enter__(self) -> None:
        self._before.append(state.grad_enabled)
        self._outer.append(state.inference)
        state.grad_enabled = state.grad_enabled and not self._inference
        state.inference = self._inference

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, at)
        state.inference = self._outer.pop()


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread now."""
    return state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` is on in this thread now."""
    return state.inference


@contextmanager
def module_scope(name: str, kind: str) -> Iterator[None]:
    """Record operations as belonging to a module, for `make_dot` to draw them together.

    Args:
        name: the module's name in the module that calls it.
        kind: its class.
    """
    outer = state.module
    state.module = ModuleScope(name, kind, outer)
    try:
        yield
    finally:
        state.module = outer
