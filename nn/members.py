"""What a module holds: parameters, buffers and child modules, by attribute and by dotted name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from autograd import Tensor
from nn.parameter import Parameter

if TYPE_CHECKING:
    from nn.module import Module

__all__ = ["Members"]


class Members:
    """The tables behind `Module`: registration, attribute access and walks over the tree."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _transient_buffers: set[str]
    _scope: str | None

    def __init__(self) -> None:
        self.__dict__.update(
            _parameters={}, _buffers={}, _modules={}, _transient_buffers=set(), _scope=None
        )

    def __getattr__(self, name: str) -> Any:
        entries = self.__dict__
        parameters = entries.get("_parameters")
        if parameters is None:
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{name}' "
                "(Module.__init__() was not called)"
            )
        if name in parameters:
            return parameters[name]
        if name in entries["_modules"]:
            return entries["_modules"][name]
        if name in entries["_buffers"]:
            return entries["_buffers"][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._replace("_parameters", name, value)
        elif isinstance(value, Members):
            self._replace("_modules", name, value)
            value._enter_scope(self._child_scope(name))
        else:
            for table in TABLES:
                if name in self.__dict__.get(table, ()):
                    self._check(table, name, value, replaces=True)
                    self.__dict__[table][name] = value
                    return
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._transient_buffers.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    def _replace(self, table: str, name: str, value: Any) -> None:
        """Register what was assigned as an attribute, in place of what had the name before."""
        self._check(table, name, value, replaces=True)
        self.__dict__.pop(name, None)
        for other in TABLES:
            if other != table:
                self.__dict__[other].pop(name, None)
        self._transient_buffers.discard(name)
        self.__dict__[table][name] = value

    def _check(self, table: str, name: str, value: Any, replaces: bool = False) -> None:
        """Refuse what cannot be registered, before anything has changed."""
        kind, wanted, description = TABLES[table]
        title = type(self).__name__
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{title}: cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{title}: the name of a {kind} is a string, got {type(name).__name__}")
        if "." in name or not name:
            raise KeyError(f"{title}: {kind} name {name!r} is empty or contains a dot")
        taken = hasattr(type(self), name) if replaces else hasattr(self, name)
        if taken and name not in self.__dict__[table]:
            raise KeyError(f"{title}: attribute '{name}' already exists")
        if value is not None and not isinstance(value, wanted):
            raise TypeError(
                f"{title}: cannot assign {type(value).__name__} as {kind} '{name}', "
                f"expected {description}"
            )
        if isinstance(value, Parameter) and value.grad_fn is not None:
            raise ValueError(
                f"{title}: parameter '{name}' is the result of an operation "
                f"({value.grad_fn.name()}); to compute it from others, do so in forward"
            )

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Register a parameter, or None for one that is switched off.

        Raises:
            KeyError: the name is taken, empty or contains a dot.
            TypeError: not a Parameter.
            ValueError: the parameter is the result of a recorded operation.
        """
        self._check("_parameters", name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Register a tensor that is part of the state and not trained, such as a running mean.

        Args:
            name: of the attribute.
            tensor: or None, for a buffer that is switched off.
            persistent: whether it is part of `state_dict`.

        Raises:
            KeyError: the name is taken, empty or contains a dot.
            TypeError: not a Tensor.
        """
        self._check("_buffers", name, tensor)
        self._buffers[name] = tensor
        if persistent:
            self._transient_buffers.discard(name)
        else:
            self._transient_buffers.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Register a child module; `register_module` is the same.

        Raises:
            KeyError: the name is taken, empty or contains a dot.
            TypeError: not a Module.
        """
        self._check("_modules", name, module)
        self._modules[name] = module
        if module is not None:
            module._enter_scope(self._child_scope(name))

    register_module = add_module

    def _enter_scope(self, name: str) -> None:
        """Take the name under which this module is drawn."""
        self.__dict__["_scope"] = name

    def _child_scope(self, name: str) -> str:
        return name

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """The module itself, named ``""``, and all modules below it, with dotted names."""
        this = cast("Module", self)
        memo = set() if memo is None else memo
        if this in memo:
            return
        if remove_duplicate:
            memo.add(this)
        yield prefix, this
        for name, child in self._modules.items():
            if child is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from child.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """The module itself and all modules below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, each once."""
        seen: set[Module] = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, without their names."""
        for _, child in self.named_children():
            yield child

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        owners: Iterable[tuple[str, Members]] = [(prefix, self)]
        if recurse:
            owners = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        for path, module in owners:
            for name, value in module.__dict__[table].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters of this module, and of those below it, with dotted names."""
        yield from self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, as an optimizer takes them."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers of this module, and of those below it, with dotted names."""
        yield from self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, without their names."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a dotted path; ``""`` is the module itself.

        Raises:
            AttributeError: there is none.
        """
        module = cast("Module", self)
        for name in target.split(".") if target else []:
            child = module._modules.get(name)
            if child is None:
                raise AttributeError(
                    f"{type(self).__name__}: '{target}' leads to no module "
                    f"({type(module).__name__} has no child '{name}')"
                )
            module = child
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path."""
        parameter: Parameter = self._get_member("_parameters", "parameter", target)
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path."""
        buffer: Tensor = self._get_member("_buffers", "buffer", target)
        return buffer

    def _get_member(self, table: str, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        value = owner.__dict__[table].get(name)
        if value is None:
            raise AttributeError(
                f"{type(self).__name__}: '{target}' leads to no {kind} "
                f"({type(owner).__name__} has no {kind} '{name}')"
            )
        return value


TABLES: dict[str, tuple[str, Any, str]] = {
    "_parameters": ("parameter", Parameter, "a nn.Parameter or None"),
    "_buffers": ("buffer", Tensor, "an autograd.Tensor or None"),
    "_modules": ("module", Members, "a nn.Module or None"),
}
"""For each table what it holds: in words, its class, and what an attribute may be set to."""
