"""Random computation graphs of registered primitives, with shared results, views and writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
from hypothesis import strategies as st

from autograd.creation import from_numpy
from autograd.op import Op
from autograd.primitive import OPS
from autograd.tensor import Tensor
from autograd.testing.strategies.builder import Builder
from autograd.testing.strategies.shapes import shapes
from autograd.testing.strategies.values import values

__all__ = ["Graph", "graphs"]

Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Graph:
    """A computation: call it with tensors for its inputs, or print it as a program.

    Attributes:
        inputs: float64 arrays.
        lines: statements on ``x0, x1 ...``, ``v0, v1 ...`` and ``ops``.
        results: the names of what it returns.
        primitives: the names of the primitives it uses.
        order: up to which order it can be differentiated.
    """

    inputs: tuple[Array, ...]
    lines: tuple[str, ...]
    results: tuple[str, ...]
    primitives: frozenset[str]
    order: int

    @cached_property
    def code(self) -> Any:
        return compile("\n".join(self.lines), "<graph>", "exec")

    def __call__(self, *tensors: Any, ops: Any = None) -> tuple[Any, ...]:
        """Run it.

        Args:
            tensors: one for each input.
            ops: has another library's primitives as its attributes; those registered here if None.
        """
        scope = {"ops": SimpleNamespace(**OPS) if ops is None else ops, "OPS": OPS}
        scope.update({f"x{k}": tensor for k, tensor in enumerate(tensors)})
        exec(self.code, scope)
        return tuple(scope[name] for name in self.results)

    def tensors(self) -> tuple[Tensor, ...]:
        """Leaves with the values that the graph was drawn for."""
        return tuple(from_numpy(array.copy()).requires_grad_() for array in self.inputs)

    def __repr__(self) -> str:
        head = ["import autograd", "import numpy as np", "from autograd import OPS"]
        head += ["from types import SimpleNamespace", "ops = SimpleNamespace(**OPS)"]
        for k, array in enumerate(self.inputs):
            literal = f"np.array({array.tolist()}).reshape({array.shape})"
            head.append(f"x{k} = autograd.from_numpy({literal}).requires_grad_()")
        return "\n".join(["", *head, *self.lines, f"results = {', '.join(self.results)},"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def graphs(  # noqa: D417 (Hypothesis passes draw)
    draw: st.DrawFn,
    primitives: Sequence[str] | None = None,
    *,
    max_steps: int = 8,
    max_inputs: int = 3,
    views: bool = True,
    writes: bool = True,
    kinks: bool = True,
) -> Graph:
    """Random graphs that are well defined, and differentiable, near the values they come with.

    Args:
        primitives: the names of those to use; all of `OPS` when None.
        max_steps: how many statements at most.
        max_inputs: how many inputs to begin with; steps that fit none of them add their own.
        views: also slices and transposed views.
        writes: also in-place statements, on results and on views of them.
        kinks: also primitives with kinks, away from those.

    Example:
        >>> from hypothesis import given, settings
        >>> from autograd.testing.strategies import graphs
        >>> @settings(max_examples=5)
        ... @given(graphs(["mul", "exp", "sum"]))
        ... def test(graph):
        ...     assert all(result.array.dtype == "float64" for result in graph(*graph.tensors()))
        >>> test()
    """
    names = sorted(OPS) if primitives is None else list(primitives)
    candidates = [OPS[name] for name in names if OPS[name].cases]
    if not kinks:
        candidates = [op for op in candidates if smooth(op)]
    builder = Builder(draw)
    for _ in range(draw(st.integers(1, max_inputs))):
        shape = draw(shapes(max_dims=2, min_side=1, max_side=3))
        builder.add_input(draw(values(shape)))
    kinds: list[Callable[[Builder], None]] = [
        lambda building: building.primitive(draw(st.sampled_from(candidates)))
    ] * 4
    kinds += [Builder.view] if views else []
    kinds += [Builder.write, Builder.write] if writes else []
    for _ in range(draw(st.integers(1, max_steps))):
        draw(st.sampled_from(kinds))(builder)
    results = builder.results()
    return Graph(
        tuple(builder.inputs),
        tuple(builder.lines),
        results,
        frozenset(builder.primitives),
        builder.order,
    )


def smooth(op: Op) -> bool:
    return not any(case.avoid or case.distinct for case in op.cases)
