"""Parameters in a list or under names."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from autograd import Tensor
from nn.layers.container import place_of
from nn.module import Module
from nn.parameter import Parameter

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ParameterDict", "ParameterList"]


def parameter_of(container: object, value: Any) -> Parameter:
    """A parameter as it is, a tensor as a new parameter on its memory."""
    if isinstance(value, Parameter):
        return value
    if isinstance(value, Tensor):
        return Parameter(value)
    raise TypeError(
        f"{type(container).__name__}: expected a nn.Parameter or a Tensor, "
        f"got {type(value).__name__}"
    )


class HeldParameters(Module):
    """What both containers share: parameters without a computation."""

    def _child_lines(self) -> list[str]:
        return [
            f"({name}): Parameter containing: [{value.dtype} of size "
            f"{'x'.join(map(str, value.shape))}]"
            for name, value in self.named_parameters(recurse=False, remove_duplicate=False)
        ]

    def __len__(self) -> int:
        return len(self._parameters)


class ParameterList(HeldParameters):
    """A list of parameters that are registered; tensors become parameters.

    >>> import nn
    >>> from autograd import zeros
    >>> steps = nn.ParameterList([zeros(2), zeros(3)])
    >>> list(steps.state_dict()), tuple(steps[-1].shape)
    (['0', '1'], (3,))
    """

    def __init__(self, values: Iterable[Tensor] | None = None) -> None:
        super().__init__()
        if values is not None:
            self.extend(values)

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: SupportsIndex) -> Parameter: ...

    def __getitem__(self, index: slice | SupportsIndex) -> Self | Parameter:
        values = list(self)
        if isinstance(index, slice):
            return type(self)(values[index])
        return values[place_of(self, index, len(values))]

    def __setitem__(self, index: SupportsIndex, value: Tensor) -> None:
        place = place_of(self, index, len(self))
        self.register_parameter(str(place), parameter_of(self, value))

    def __iter__(self) -> Iterator[Parameter]:
        return iter([value for value in self._parameters.values() if value is not None])

    def __iadd__(self, values: Iterable[Tensor]) -> Self:
        return self.extend(values)

    def append(self, value: Tensor) -> Self:
        """Add a parameter at the end."""
        self.register_parameter(str(len(self)), parameter_of(self, value))
        return self

    def extend(self, values: Iterable[Tensor]) -> Self:
        """Add parameters at the end."""
        for value in list(values):
            self.append(value)
        return self


class ParameterDict(HeldParameters):
    """Parameters under names, in the order they were added; tensors become parameters.

    >>> import nn
    >>> from autograd import zeros
    >>> scales = nn.ParameterDict({"left": zeros(2)})
    >>> list(scales.keys()), scales["left"].requires_grad
    (['left'], True)
    """

    def __init__(
        self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None
    ) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        return self._parameters[key]

    def __setitem__(self, key: str, value: Tensor) -> None:
        self.register_parameter(key, parameter_of(self, value))

    def __delitem__(self, key: str) -> None:
        del self._parameters[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, key: object) -> bool:
        return key in self._parameters

    def get(self, key: str, default: Any = None) -> Any:
        """The parameter of a name, or a default."""
        return self._parameters.get(key, default)

    def clear(self) -> None:
        """Take all parameters out."""
        self._parameters.clear()

    def pop(self, key: str) -> Any:
        """Take a parameter out."""
        return self._parameters.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._parameters.keys()

    def items(self) -> ItemsView[str, Any]:
        """The names with the parameters."""
        return self._parameters.items()

    def values(self) -> ValuesView[Any]:
        """The parameters."""
        return self._parameters.values()

    def update(self, parameters: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]]) -> None:
        """Add parameters, or replace those of the same names."""
        pairs = parameters.items() if hasattr(parameters, "items") else parameters
        for key, value in pairs:
            self[key] = value
