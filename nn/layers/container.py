"""Modules in a sequence or under names."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import groupby
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from nn.module import Module

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


def place_of(container: object, index: SupportsIndex, count: int) -> int:
    """An index from the end or the start as one from the start."""
    place = index.__index__()
    if not -count <= place < count:
        raise IndexError(
            f"{type(container).__name__}: index {place} is out of range for {count} entries"
        )
    return place % count


class NumberedModules(Module):
    """What `Sequential` and `ModuleList` share: children named by their place."""

    def _renumber(self, modules: Iterable[Any]) -> None:
        self._modules.clear()
        for place, module in enumerate(modules):
            self.add_module(str(place), module)

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    @overload
    def __getitem__(self, index: SupportsIndex) -> Module: ...

    def __getitem__(self, index: slice | SupportsIndex) -> Self | Module:
        if not isinstance(index, slice):
            modules: list[Any] = list(self._modules.values())
            child: Module = modules[place_of(self, index, len(modules))]
            return child
        part = type(self)()
        for place, (name, module) in enumerate(list(self._modules.items())[index]):
            # straight into the table: a slice must not rename what is drawn under its old name
            part._modules[self._sliced_name(name, place)] = module
        return part

    def _sliced_name(self, name: str, place: int) -> str:
        return str(place)

    def __setitem__(self, index: SupportsIndex, module: Module) -> None:
        names = list(self._modules)
        setattr(self, names[place_of(self, index, len(names))], module)

    def __delitem__(self, index: slice | SupportsIndex) -> None:
        modules = list(self._modules.values())
        del modules[index if isinstance(index, slice) else place_of(self, index, len(modules))]
        self._renumber(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._modules.values()))

    def __iadd__(self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)

    def __add__(self, other: Iterable[Module]) -> Self:
        return type(self)().extend(self).extend(other)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module in front of the one at `index`.

        Raises:
            IndexError: `index` is outside the list.
            TypeError: not a module.
        """
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}.insert: expected a nn.Module, got {type(module).__name__}"
            )
        if not -len(self) <= index <= len(self):
            raise IndexError(
                f"{type(self).__name__}: index {index} is out of range for {len(self)} entries"
            )
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: SupportsIndex = -1) -> Module:
        """Take a module out."""
        module = self[key]
        del self[key]
        return module


class Sequential(NumberedModules):
    """Modules one after the other, each fed with what the one before it returned.

    Args:
        *args: modules, or one dictionary of modules by name.

    >>> import nn
    >>> from autograd import tensor
    >>> net = nn.Sequential(nn.Flatten(), nn.ReLU())
    >>> net(tensor([[-1.0, 2.0]])).tolist(), len(net), net[1]
    ([[0.0, 2.0]], 2, ReLU())
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            self._renumber(args)

    def _sliced_name(self, name: str, place: int) -> str:
        return name

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class UncalledModules(Module):
    """A container that is never called: its children are drawn as if they stood in its parent."""

    def _enter_scope(self, name: str) -> None:
        super()._enter_scope(name)
        for key, child in self._modules.items():
            if child is not None:
                child._enter_scope(self._child_scope(key))

    def _child_scope(self, name: str) -> str:
        return f"{self._scope}.{name}" if self._scope else name


class ModuleList(UncalledModules, NumberedModules):
    """A list of modules that are registered, for a forward of one's own.

    >>> import nn
    >>> nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])
    ModuleList(
      (0-1): 2 x ReLU()
      (2): Tanh()
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _child_lines(self) -> list[str]:
        lines = []
        numbered = enumerate(map(repr, self))
        for text, run in groupby(numbered, key=lambda pair: pair[1]):
            places = [place for place, _ in run]
            if len(places) == 1:
                lines.append(f"({places[0]}): {text}")
            else:
                lines.append(f"({places[0]}-{places[-1]}): {len(places)} x {text}")
        return lines


class ModuleDict(UncalledModules):
    """Modules under names, in the order they were added, for a forward of one's own.

    >>> import nn
    >>> choices = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
    >>> choices["relu"], list(choices), "elu" in choices
    (ReLU(), ['relu', 'tanh'], False)
    """

    def __init__(
        self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None
    ) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Take all modules out."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Take a module out."""
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Any]:
        """The names with the modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or replace those of the same names."""
        pairs = modules.items() if hasattr(modules, "items") else modules
        for key, module in pairs:
            self[key] = module
