"""Switches for recording, as context managers and decorators, per thread."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from types import TracebackType
from typing import Any, TypeVar, cast

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


class _GradMode:
    """Sets whether operations are recorded, and restores what was.

    As a decorator it surrounds each call, and each step of a generator, anew.
    """

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

    def _again(self) -> _GradMode:
        """Another switch like this one, so that threads do not share one."""
        mode = _GradMode()
        mode._mode = self._mode
        return mode

    def __call__(self, func: F) -> F:
        if inspect.isgeneratorfunction(func):
            return cast("F", self._around_generator(func))

        @wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return func(*args, **kwargs)

        return cast("F", wrapped)

    def _around_generator(self, func: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = func(*args, **kwargs)
            step: Callable[[], Any] = partial(next, generator)
            while True:
                try:
                    with self._again():
                        item = step()
                except StopIteration as end:
                    return end.value
                try:
                    sent = yield item
                    step = partial(generator.send, sent)
                except GeneratorExit:
                    with self._again():
                        generator.close()
                    raise
                except BaseException as error:
                    step = partial(generator.throw, error)

        return wrapped


class _PlainMode(_GradMode):
    """A mode without arguments, which decorates without parentheses too."""

    def __new__(cls, func: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if func is None else cls()(func)


class no_grad(_PlainMode):  # noqa: N801 (PyTorch's name)
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


class enable_grad(_PlainMode):  # noqa: N801 (PyTorch's name)
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
        return super().__call__(func)


class inference_mode(_GradMode):  # noqa: N801 (PyTorch's name)
    """As `no_grad`, for code that only predicts; its results may be used anywhere later."""

    def __new__(cls, mode: Any = True) -> Any:
        return cls()(mode) if callable(mode) else super().__new__(cls)

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

    def _again(self) -> inference_mode:
        return inference_mode(self._inference)


def is_grad_enabled() -> bool:
    """Whether operations are recorded in this thread now."""
    return state.grad_enabled


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` is on in this thread now."""
    return state.inference


class module_scope:  # noqa: N801 (a function to its users)
    """Record operations as belonging to a module, for `make_dot` to draw them together.

    Args:
        name: the module's name in the module that calls it.
        kind: its class.
    """

    __slots__ = ("_kind", "_name", "_outer")

    def __init__(self, name: str, kind: str) -> None:
        self._name = name
        self._kind = kind

    def __enter__(self) -> None:
        self._outer = state.module
        state.module = ModuleScope(self._name, self._kind, self._outer)

    def __exit__(self, *_: object) -> None:
        state.module = self._outer
