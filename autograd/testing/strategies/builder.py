"""Putting a random graph together, statement by statement, on values that are known."""

from __future__ import annotations

from functools import cache
from math import prod
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from autograd.creation import from_numpy
from autograd.modes import no_grad
from autograd.op import Op
from autograd.primitive import OPS, Case
from autograd.tensor import Tensor
from autograd.testing.grid import domains_of
from autograd.testing.strategies.values import values

__all__ = ["Builder"]

Array: TypeAlias = np.ndarray[Any, Any]

LARGEST = 10.0
"""Results with larger values are not used."""

MOST = 40
"""Nor are results with more elements."""

PLACES: dict[str, Any] = {"": ..., "[0]": 0, "[-1:]": slice(-1, None), "[..., 0]": (..., 0)}

GAP = 0.02
"""How far apart values are kept where they must differ."""


@cache
def is_elementwise(op: Op) -> bool:
    """Whether a primitive takes any shapes that broadcast, and has no attributes."""
    if op.attributes or op.variadic or any(case.constants for case in op.cases):
        return False
    domains = domains_of(op.cases[0].domain, len(op.inputs))
    for dims in ((2, 3), (2,), (1, 2, 2)):
        arrays = [
            np.full(dims[k % 2 :], 0.5 * (low + high) + 0.1)
            for k, (low, high) in enumerate(domains)
        ]
        try:
            result = op(*arrays)
        except (ValueError, IndexError, TypeError):
            return False
        if np.shape(result) != np.broadcast_shapes(*(array.shape for array in arrays)):
            return False
    return True


class Builder:
    """A graph in the making: its statements, and the values of all its names.

    Args:
        draw: of a composite strategy.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.inputs: list[Array] = []
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {"ops": SimpleNamespace(**OPS), "OPS": OPS}
        self.names: list[str] = []
        self.used: set[str] = set()
        self.primitives: set[str] = set()
        self.order = 2

    def add_input(self, array: Array) -> str:
        name = f"x{len(self.inputs)}"
        self.inputs.append(array)
        self.scope[name] = from_numpy(array.copy())
        self.names.append(name)
        return name

    def value(self, name: str) -> Array:
        tensor: Tensor = self.scope[name]
        return tensor.array

    def run(self, line: str) -> bool:
        """Add a statement if its result is usable."""
        with no_grad(), np.errstate(all="ignore"):
            exec(line, self.scope)
        name = line.split(" = ")[0]
        result = self.scope[name].array
        usable = result.size <= MOST and bool(np.all(np.abs(result) < LARGEST))
        if usable:
            self.lines.append(line)
            self.names.append(name)
        else:
            del self.scope[name]
        return usable

    def new_name(self) -> str:
        return f"v{len(self.lines)}"

    def pick(self, names: list[str]) -> str:
        """One of some names, the latest most simply."""
        name: str = self.draw(st.sampled_from(names[::-1]))
        return name

    def fits(self, array: Array, domain: tuple[float, float], case: Case) -> bool:
        low, high = domain
        inside = np.all((array > low + GAP) & (array < high - GAP))
        clear = all(np.all(np.abs(array - kink) > GAP) for kink in case.avoid)
        if case.distinct and array.size > 1:
            clear = clear and bool(np.diff(np.sort(array, axis=None)).min() > GAP)
        return bool(inside and clear)

    def primitive(self, op: Op) -> None:
        """A statement that calls a primitive, on results at hand where they suit it."""
        number = self.draw(st.integers(0, len(op.cases) - 1))
        case = op.cases[number]
        if is_elementwise(op):
            operands = self.elementwise_operands(op, case)
            call = ", ".join(operands)
        else:
            operands = self.case_operands(op, case)
            call = self.call_of(op, number, operands)
        if self.run(f"{self.new_name()} = ops.{op.name}({call})"):
            self.primitives.add(op.name)
            self.used.update(operands)
            self.order = min(self.order, case.order)

    def elementwise_operands(self, op: Op, case: Case) -> list[str]:
        operands: list[str] = []
        for domain in domains_of(case.domain, len(op.inputs)):
            shape = np.broadcast_shapes(*(self.value(name).shape for name in operands))
            suitable = []
            for name in self.names:
                array = self.value(name)
                try:
                    np.broadcast_shapes(array.shape, shape)
                except ValueError:
                    continue
                if self.fits(array, domain, case) and self.apart(name, operands, case):
                    suitable.append(name)
            operands.append(
                self.pick(suitable) if suitable else self.fresh(shape, domain, case, operands)
            )
        return operands

    def apart(self, name: str, operands: list[str], case: Case) -> bool:
        """Whether values differ from those of other operands, where they must."""
        if not case.distinct:
            return True
        own = self.value(name).reshape(-1, 1)  # (...) -> (n, 1)
        others = [self.value(other).reshape(1, -1) for other in operands]  # (...) -> (1, m)
        return all(bool(np.all(np.abs(own - other) > GAP)) for other in others)

    def fresh(
        self, shape: tuple[int, ...], domain: tuple[float, float], case: Case, others: list[str]
    ) -> str:
        """An input of its own for an operand that nothing at hand suits."""
        avoid = list(case.avoid)
        if case.distinct:
            avoid += [float(v) for other in others for v in self.value(other).flat]
        drawn = self.draw(values(shape, domain=domain, avoid=avoid, distinct=case.distinct))
        return self.add_input(drawn)

    def case_operands(self, op: Op, case: Case) -> list[str]:
        operands: list[str] = []
        domains = domains_of(case.domain, len(case.shapes))
        for shape, domain in zip(case.shapes, domains, strict=True):
            suitable = [
                name
                for name in self.names
                if self.value(name).size >= prod(shape) > 0
                and self.value(name).flags.c_contiguous
                and self.fits(np.ravel(self.value(name))[: prod(shape)], domain, case)
                and self.apart(name, operands, case)
            ]
            if not suitable:
                operands.append(self.fresh(shape, domain, case, operands))
                continue
            operands.append(self.shaped(self.pick(suitable), shape))
        return operands

    def shaped(self, name: str, shape: tuple[int, ...]) -> str:
        """The first elements of a result in another shape."""
        array = self.value(name)
        if array.shape == shape:
            return name
        steps = f"{name}.reshape(-1)"  # (...) -> (n,)
        if array.size > prod(shape):
            steps += f"[:{prod(shape)}]"
        self.used.add(name)
        made = self.new_name()
        self.run(f"{made} = {steps}.reshape({shape})")
        self.primitives |= {"reshape", "getitem"} if "[" in steps else {"reshape"}
        return made

    def call_of(self, op: Op, number: int, operands: list[str]) -> str:
        """The arguments of a call with the constants and attributes of a case."""
        case = op.cases[number]
        source = f'OPS["{op.name}"].cases[{number}]'
        rest = list(operands)
        arguments = []
        for name in op.inputs:
            if name in case.constants:
                arguments.append(f'{source}.constants["{name}"]')
            elif rest:
                arguments.append(rest.pop(0))
        arguments += rest
        if case.attributes:
            simple = all(type(v) in (int, bool, tuple) for v in case.attributes.values())
            if simple and "array" not in repr(dict(case.attributes)):
                arguments += [f"{key}={value!r}" for key, value in case.attributes.items()]
            else:
                arguments.append(f"**{source}.attributes")
        return ", ".join(arguments)

    def view(self) -> None:
        """A statement that makes a view."""
        name = self.pick(self.names)
        array = self.value(name)
        choices = []
        for axis, size in enumerate(array.shape):
            lead = ":, " * axis
            if size > 1:
                choices += [f"[{lead}1:]", f"[{lead}::2]", f"[{lead}{size - 1}]"]
            elif size == 1:
                choices.append(f"[{lead}0]")
        if array.ndim > 1:
            choices += [".transpose(0, 1)", f".transpose({array.ndim - 1}, 0)"]
        choices += ["[None]", ".unsqueeze(-1)"]
        if array.ndim and array.shape[0] == 1:
            choices.append(f".expand({(2, *array.shape[1:])})")
        choice = self.draw(st.sampled_from(choices))
        if self.run(f"{self.new_name()} = {name}{choice}"):
            self.used.add(name)
            self.primitives |= {"getitem"} if choice[0] == "[" else set()

    def writable(self) -> list[str]:
        """Results that no input shares memory with, and whose elements have places of their own."""
        own = []
        for name in self.names:
            array = self.value(name)
            shared = any(
                np.shares_memory(array, self.value(f"x{k}")) for k in range(len(self.inputs))
            )
            repeated = any(
                step == 0 and size > 1
                for step, size in zip(array.strides, array.shape, strict=True)
            )
            if not shared and not repeated and array.flags.writeable and array.size:
                own.append(name)
        return own

    def write(self) -> None:
        """An in-place statement; nothing, if there is nothing to write to."""
        targets = self.writable()
        if not targets:
            return
        name = self.pick(targets)
        array = self.value(name)
        index = ""
        flags: st.SearchStrategy[Any] = st.booleans()
        if array.ndim and self.draw(flags):
            index = self.draw(st.sampled_from(list(PLACES)[1:]))
        region = array[PLACES[index]]
        sources = [
            other
            for other in self.names
            if broadcasts_to(self.value(other).shape, region.shape)
            and not np.shares_memory(self.value(other), array)
        ]
        source = self.pick(sources) if sources and self.draw(flags) else "0.5"
        form = self.draw(st.sampled_from(["add_", "mul_", "sub_", "set"]))
        if form == "set":
            line = f"{name}{index or '[...]'} = {source}"
        elif index:
            line = f"{name}{index}.{form}({source})"
        else:
            line = f"{name}.{form}({source})"
        backup = {key: np.array(self.value(key)) for key in self.names}
        with no_grad():
            exec(line, self.scope)
        if np.all(np.abs(array) < LARGEST):
            self.lines.append(line)
            self.used.discard(name)
            self.used.add(source)
        else:
            for key in self.writable():
                self.value(key)[...] = backup[key]

    def results(self) -> tuple[str, ...]:
        """What nothing else uses: the outputs of the graph."""
        loose = [name for name in self.names if name not in self.used and name[0] == "v"]
        return tuple(loose[-3:]) or (self.names[-1],)


def broadcasts_to(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False
