"""Hooks that run around a module's forward and backward."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from autograd import Function, Tensor, is_grad_enabled

if TYPE_CHECKING:
    from typing_extensions import Self

    from nn.module import Module

__all__ = ["ForwardHook", "RemovableHandle", "add_hook", "call_with_hooks"]

H = TypeVar("H")
_ids = count()


class RemovableHandle:
    """What registering a hook returns: ``remove()`` takes the hook off again, once or repeatedly.

    It is also a context manager that removes the hook at its end.
    """

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self.hooks = hooks
        self.id = key

    def remove(self) -> None:
        """Take the hook off."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


class ForwardHook(NamedTuple):
    """A hook around forward, and how it wants to be called."""

    run: Callable[..., Any]
    with_kwargs: bool
    always_call: bool = False


def add_hook(hooks: dict[int, H], hook: H, prepend: bool) -> RemovableHandle:
    """Put a hook behind the others, or before them."""
    key = next(_ids)
    if prepend:
        others = dict(hooks)
        hooks.clear()
        hooks[key] = hook
        hooks.update(others)
    else:
        hooks[key] = hook
    return RemovableHandle(hooks, key)


def call_with_hooks(module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a module that has hooks: pre-hooks, forward, hooks, and the watch on its gradients."""
    for hook in tuple(module._forward_pre_hooks.values()):
        args, kwargs = run_pre_hook(module, hook, args, kwargs)
    backward = None
    if module._backward_hooks or module._backward_pre_hooks:
        backward = BackwardWatch(module)
        args = backward.watch_inputs(args)
    output: Any = None
    finished: set[int] = set()
    try:
        output = module.forward(*args, **kwargs)
        for key, hook in tuple(module._forward_hooks.items()):
            finished.add(key)
            extra = (args, kwargs) if hook.with_kwargs else (args,)
            changed = hook.run(module, *extra, output)
            if changed is not None:
                output = changed
    except Exception:
        run_remaining(module, finished, args, kwargs, output)
        raise
    return output if backward is None else backward.watch_outputs(output)


def run_pre_hook(
    module: Module, hook: ForwardHook, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if not hook.with_kwargs:
        changed = hook.run(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs
    changed = hook.run(module, args, kwargs)
    if changed is None:
        return args, kwargs
    if not (isinstance(changed, tuple) and len(changed) == 2):
        raise RuntimeError(
            f"{type(module).__name__}: a forward pre-hook with kwargs returned {changed!r}, "
            "expected None or a tuple of the new args and kwargs"
        )
    args, kwargs = changed
    return args, kwargs


def run_remaining(
    module: Module,
    finished: set[int],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    output: Any,
) -> None:
    """After a failure, run the hooks that asked to be called in any case."""
    for key, hook in tuple(module._forward_hooks.items()):
        if not hook.always_call or key in finished:
            continue
        extra = (args, kwargs) if hook.with_kwargs else (args,)
        try:
            hook.run(module, *extra, output)
        except Exception as error:
            warnings.warn(
                f"{type(module).__name__}: a forward hook with always_call=True failed after "
                f"forward had failed: {error!r}",
                stacklevel=3,
            )


class Watch(Function):
    """Hands tensors on, and their gradients through a function on the way back."""

    @staticmethod
    def forward(ctx: Any, visit: Callable[..., Any], *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.visit = visit
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, *ctx.visit(gradients))


class BackwardWatch:
    """The backward hooks of one call of a module.

    Outputs and inputs are handed through a `Watch` each: on the way back the first one runs the
    pre-hooks, the second the hooks. Where no input requires grad, the first one does both.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.hooks = tuple(module._backward_hooks.values())
        self.pre_hooks = tuple(module._backward_pre_hooks.values())
        self.input_count = 0
        self.output_count = 0
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.grad_output: tuple[Tensor | None, ...] = ()

    def watch_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, those that require grad being watched."""
        self.input_count = len(args)
        self.input_places = watched_places(args)
        if not self.input_places:
            return args
        return tuple(self.replaced(args, self.input_places, self.at_inputs))

    def watch_outputs(self, output: Any) -> Any:
        """The output of forward, watched."""
        values = list(output) if isinstance(output, (tuple, list)) else [output]
        self.output_count = len(values)
        self.output_places = watched_places(values)
        if not self.output_places:
            return output
        values = self.replaced(values, self.output_places, self.at_outputs)
        if not isinstance(output, (tuple, list)):
            return values[0]
        kind = type(output)
        return kind(*values) if hasattr(output, "_fields") else kind(values)

    @staticmethod
    def replaced(values: Sequence[Any], places: list[int], visit: Callable[..., Any]) -> list[Any]:
        watched = Watch.apply(visit, *[values[place] for place in places])
        result = list(values)
        for place, tensor in zip(places, watched, strict=True):
            result[place] = tensor
        return result

    def at_outputs(self, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """The gradients of the outputs are there."""
        grads = spread(gradients, self.output_places, self.output_count)
        for hook in self.pre_hooks:
            grads = self.answered(hook(self.module, grads), grads, "grad_output")
        if self.input_places:
            self.grad_output = grads
        else:
            nothing = (None,) * self.input_count
            for hook in self.hooks:
                hook(self.module, nothing, grads)
        return [grads[place] for place in self.output_places]

    def at_inputs(self, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """The gradients of the inputs are there."""
        grads = spread(gradients, self.input_places, self.input_count)
        for hook in self.hooks:
            answer = hook(self.module, grads, self.grad_output)
            grads = self.answered(answer, grads, "grad_input")
        self.grad_output = ()
        return [grads[place] for place in self.input_places]

    def answered(
        self, answer: Any, before: tuple[Tensor | None, ...], name: str
    ) -> tuple[Tensor | None, ...]:
        """The gradients after a hook, from what it returned."""
        if answer is None:
            return before
        after = tuple(answer) if isinstance(answer, (tuple, list)) else (answer,)
        if len(after) != len(before):
            raise RuntimeError(
                f"{type(self.module).__name__}: a backward hook returned {len(after)} gradients "
                f"for {name}, expected {len(before)}"
            )
        return after


def watched_places(values: Sequence[Any]) -> list[int]:
    if not is_grad_enabled():
        return []
    return [
        place
        for place, value in enumerate(values)
        if isinstance(value, Tensor) and value.requires_grad
    ]


def spread(
    gradients: Sequence[Tensor | None], places: list[int], count: int
) -> tuple[Tensor | None, ...]:
    """Gradients in their places, None in the others."""
    found = dict(zip(places, gradients, strict=True))
    return tuple(found.get(place) for place in range(count))
