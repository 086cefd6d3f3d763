"""The base class of models and layers: calling, hooks, modes, conversion and state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from textwrap import indent
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import Tensor
from nn.hooks import ForwardHook, RemovableHandle, add_hook, call_with_hooks
from nn.members import Members
from nn.state import IncompatibleKeys, load_into

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Module"]


class Module(Members):
    """A layer or a model: subclass it, make its parts in ``__init__``, compute in ``forward``.

    Parameters, buffers and other modules that are assigned as attributes are registered under the
    attribute's name, and are found by `parameters`, `state_dict`, `to`, `train` and the rest.

    >>> import nn
    >>> from autograd import ones
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.body = nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.body(x).relu()
    >>> net = Net()
    >>> net
    Net(
      (body): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> tuple(net(ones(4, 3)).shape), list(net.state_dict())
    ((4, 2), ['body.weight', 'body.bias'])
    """

    training: bool
    _forward_pre_hooks: dict[int, ForwardHook]
    _forward_hooks: dict[int, ForwardHook]
    _backward_pre_hooks: dict[int, Callable[..., Any]]
    _backward_hooks: dict[int, Callable[..., Any]]

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(
            training=True,
            _forward_pre_hooks={},
            _forward_hooks={},
            _backward_pre_hooks={},
            _backward_hooks={},
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output. Every subclass that is called defines this."""
        raise NotImplementedError(
            f"{type(self).__name__}: this module has no forward method and cannot be called"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the hooks and `forward`; what is recorded meanwhile is drawn as this module's."""
        kind = type(self).__name__
        with autograd.module_scope(self._scope or "", kind):
            if (
                self._forward_hooks
                or self._forward_pre_hooks
                or self._backward_hooks
                or self._backward_pre_hooks
            ):
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before forward; what it returns replaces the arguments.

        With `with_kwargs` it is ``hook(module, args, kwargs)``, and returns both or None.
        """
        return add_hook(self._forward_pre_hooks, ForwardHook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after forward; what it returns replaces the output.

        With `with_kwargs` it is ``hook(module, args, kwargs, output)``. With `always_call` it runs
        also when forward fails, with the output None.
        """
        record = ForwardHook(hook, with_kwargs, always_call)
        return add_hook(self._forward_hooks, record, prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before the gradient goes through the module.

        What it returns, unless None, replaces the gradients of the outputs, a tuple.
        """
        return add_hook(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when the inputs have their gradients.

        Both are tuples, None standing for what is no tensor or needs no gradient. What the hook
        returns, unless None, replaces `grad_input`.
        """
        return add_hook(self._backward_hooks, hook, prepend)

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training mode, or to evaluation."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode is True or False, got {mode!r}")
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation: dropout lets everything through, batch norm uses its statistics."""
        return self.train(False)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn(module)`` for every module below this one, then for this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze or unfreeze all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach().zero_()

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers, in place: arguments as `Tensor.to`.

        Parameters stay the same objects, so an optimizer that holds them keeps working.

        >>> import nn, autograd
        >>> nn.Linear(1, 1).to(autograd.float64).weight.dtype
        dtype('float64')
        """
        first, second = (
            autograd.zeros((), dtype=dtype).to(*args, **kwargs).dtype
            for dtype in (autograd.float32, autograd.float64)
        )
        return self._convert(first) if first == second else self  # both converted: one was named

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self._convert(autograd.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self._convert(autograd.float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self._convert(autograd.float16)

    def cpu(self) -> Self:
        """Hand back the module itself: there is no other device."""
        return self

    def _convert(self, dtype: np.dtype[Any]) -> Self:
        if dtype.kind != "f":
            raise TypeError(
                f"{type(self).__name__}.to: expected a floating-point dtype, got {dtype}"
            )
        for parameter in self.parameters():
            if parameter.dtype.kind == "f":
                grad = parameter.grad
                parameter.grad = None
                parameter.data = parameter.data.to(dtype)
                parameter.grad = None if grad is None else grad.to(dtype)
        for module in self.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None and buffer.dtype.kind == "f":
                    module._buffers[name] = buffer.to(dtype)
        return self

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters and persistent buffers of this module itself."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._transient_buffers:
                yield name, buffer

    def state_dict(
        self,
        *,
        destination: dict[str, Any] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, detached, on the same memory.

        Args:
            destination: a dictionary to write into; a new OrderedDict when None.
            prefix: put before every name.
            keep_vars: give the parameters themselves.
        """
        entries: dict[str, Any] = OrderedDict() if destination is None else destination
        for path, module in self.named_modules(remove_duplicate=False):
            for name, value in module._own_state():
                key = f"{prefix}{path}.{name}" if path else prefix + name
                entries[key] = value if keep_vars else value.detach()
        return entries

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy a state into the parameters and buffers, or change nothing at all.

        Args:
            state_dict: tensors, or anything NumPy reads as an array (a PyTorch tensor too), by
                name.
            strict: whether the names must be exactly those of `state_dict()`.
            assign: make the given tensors the parameters, rather than copy values into the old.

        Returns:
            The named tuple ``(missing_keys, unexpected_keys)``.

        Raises:
            RuntimeError: names are missing or unknown, or shapes differ; it lists all of them.
        """
        return load_into(self, state_dict, strict, assign)

    def extra_repr(self) -> str:
        """What stands in the parentheses of the module's own line."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def _child_lines(self) -> list[str]:
        return [f"({name}): {child!r}" for name, child in self._modules.items()]

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = self._child_lines()
        if not lines and "\n" not in extra:
            return f"{self._get_name()}({extra})"
        body = "\n".join([*extra.splitlines(), *lines])
        return f"{self._get_name()}(\n{indent(body, '  ', lambda line: True)}\n)"
