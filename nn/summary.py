"""A table of a model's layers, their output shapes and parameters, in the manner of torchinfo."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import autograd
from autograd import Tensor
from nn.layers.conv import ConvNd
from nn.layers.linear import Linear
from nn.module import Module

__all__ = ["ModelSummary", "SummaryRow", "summary"]

HEADINGS = ("Layer (type)", "Output shape", "Params", "Mult-adds")


@dataclass
class SummaryRow:
    """One call of a module.

    Attributes:
        name: within the module that called it.
        kind: its class.
        depth: how many modules were running around it.
        output_shape: of what it returned; None where that holds no tensor.
        params: the number of values in its own parameters, without those of its children.
        mult_adds: multiplications of weights in a linear layer or a convolution.
        again: whether its parameters were counted in an earlier row.
    """

    name: str
    kind: str
    depth: int
    output_shape: Any = None
    params: int = 0
    mult_adds: int = 0
    again: bool = False
    output_bytes: int = 0


@dataclass
class ModelSummary:
    """What `summary` found; printing it gives the table.

    Attributes:
        rows: one for each call, in order.
        total_params: values in all parameters, shared ones counted once.
        trainable_params: those that require grad.
        total_mult_adds: for the given input.
        input_bytes, output_bytes, param_bytes: of memory: the inputs, what layers without
            children returned, and the parameters.
    """

    rows: list[SummaryRow] = field(default_factory=list)
    total_params: int = 0
    trainable_params: int = 0
    total_mult_adds: int = 0
    input_bytes: int = 0
    output_bytes: int = 0
    param_bytes: int = 0
    depth: int = 3

    def __str__(self) -> str:
        shown = [row for row in self.rows if row.depth <= self.depth]
        cells = [HEADINGS, *(row_cells(row) for row in shown)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
        lines = [
            "  ".join(
                cell.ljust(width) if column < 2 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        rule = "-" * max(map(len, lines))
        totals = [
            f"Total params: {self.total_params:,}",
            f"Trainable params: {self.trainable_params:,}",
            f"Non-trainable params: {self.total_params - self.trainable_params:,}",
            f"Total mult-adds: {self.total_mult_adds:,}",
            f"Input: {megabytes(self.input_bytes)}, outputs: {megabytes(self.output_bytes)}, "
            f"params: {megabytes(self.param_bytes)}",
        ]
        return "\n".join([rule, lines[0], rule, *lines[1:], rule, *totals, rule])

    __repr__ = __str__


def row_cells(row: SummaryRow) -> tuple[str, str, str, str]:
    return (
        "  " * row.depth + (f"{row.name} ({row.kind})" if row.name else row.kind),
        "--" if row.output_shape is None else str(row.output_shape),
        "(again)" if row.again else f"{row.params:,}" if row.params else "--",
        f"{row.mult_adds:,}" if row.mult_adds else "--",
    )


def megabytes(count: int) -> str:
    return f"{count / 1e6:.2f} MB"


class Tracer:
    """Hooks on every module of a model that write a row for each call."""

    def __init__(self, model: Module) -> None:
        self.paths = {module: path for path, module in model.named_modules()}
        self.rows: list[SummaryRow] = []
        self.running: list[tuple[str, SummaryRow]] = []
        self.seen: set[Module] = set()
        self.handles = [
            handle
            for module in self.paths
            for handle in (
                module.register_forward_pre_hook(self.enter, prepend=True),
                module.register_forward_hook(self.leave),
            )
        ]

    def row(self, module: Module, outer: str, depth: int) -> SummaryRow:
        path = self.paths[module]
        inside = outer and path.startswith(outer + ".")
        again = module in self.seen
        self.seen.add(module)
        return SummaryRow(
            name=path[len(outer) + 1 :] if inside else path,
            kind=type(module).__name__,
            depth=depth,
            params=sum(parameter.numel() for parameter in module.parameters(recurse=False)),
            again=again and any(True for _ in module.parameters(recurse=False)),
        )

    def enter(self, module: Module, args: Any) -> None:
        outer = self.running[-1][0] if self.running else ""
        row = self.row(module, outer, len(self.running))
        self.rows.append(row)
        self.running.append((self.paths[module], row))

    def leave(self, module: Module, args: Any, output: Any) -> None:
        row = self.running.pop()[1]
        row.output_shape = shapes_in(output)
        row.mult_adds = mult_adds(module, args, output)
        if not any(True for _ in module.children()):
            row.output_bytes = bytes_in(output)

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def shapes_in(value: Any) -> Any:
    """The shape of a tensor, or the shapes of those in a collection; None where there is none."""
    if isinstance(value, Tensor):
        return list(value.shape)
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        shapes = [shapes_in(item) for item in value]
        return shapes if any(shape is not None for shape in shapes) else None
    return None


def bytes_in(value: Any) -> int:
    """The memory of the tensors in a value."""
    if isinstance(value, Tensor):
        return int(value.nbytes)
    if isinstance(value, Mapping):
        value = list(value.values())
    return sum(map(bytes_in, value)) if isinstance(value, (list, tuple)) else 0


def mult_adds(module: Module, args: Any, output: Any) -> int:
    """How often the weights of a layer are multiplied with something."""
    if not isinstance(output, Tensor):
        return 0
    if isinstance(module, Linear):
        return module.weight.numel() * math.prod(output.shape[:-1])
    if isinstance(module, ConvNd):
        places = args[0].shape if module.transposed else output.shape
        batch = places[0] if len(places) == module.spatial + 2 else 1
        return int(module.weight.numel() * batch * math.prod(places[-module.spatial :]))
    return 0


def made_inputs(model: Module, input_size: Any, dtypes: Any) -> tuple[Tensor, ...]:
    """Zeros of the sizes given, in the dtypes given or that of the model."""
    sizes = list(input_size)
    if all(hasattr(size, "__index__") for size in sizes):
        sizes = [tuple(sizes)]
    usual = next(
        (p.dtype for p in model.parameters() if p.is_floating_point()),
        autograd.get_default_dtype(),
    )
    wanted = [usual] * len(sizes) if dtypes is None else list(dtypes)
    if len(wanted) != len(sizes):
        raise ValueError(f"summary: {len(sizes)} input sizes but {len(wanted)} dtypes")
    return tuple(
        autograd.zeros(tuple(size), dtype=dtype) for size, dtype in zip(sizes, wanted, strict=True)
    )


def summary(
    model: Module,
    input_size: Sequence[Any] | None = None,
    input_data: Any = None,
    *,
    depth: int = 3,
    dtypes: Sequence[Any] | None = None,
) -> ModelSummary:
    """Run a model once, in evaluation mode and without recording, and describe its layers.

    Args:
        model: is left as it was.
        input_size: the shape of the input with its batch dimension, or a list of shapes; zeros
            of that shape are put in.
        input_data: the input itself in its place: a tensor, or a sequence or mapping of
            arguments. Without either the layers are listed without running.
        depth: how many levels of modules to print.
        dtypes: of the inputs of `input_size`.

    Raises:
        ValueError: both `input_size` and `input_data` are given.

    >>> import nn
    >>> result = nn.summary(nn.Sequential(nn.Flatten(), nn.Linear(12, 5)), (1, 3, 4))
    >>> result.total_params, [row.output_shape for row in result.rows]
    (65, [[1, 5], [1, 12], [1, 5]])
    """
    if input_size is not None and input_data is not None:
        raise ValueError("summary: give input_size or input_data, not both")
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}
    if input_size is not None:
        args = made_inputs(model, input_size, dtypes)
    elif isinstance(input_data, Mapping):
        kwargs = dict(input_data)
    elif input_data is not None:
        args = tuple(input_data) if isinstance(input_data, (list, tuple)) else (input_data,)
    rows = traced(model, args, kwargs) if args or kwargs else listed(model)
    parameters = list(model.parameters())
    return ModelSummary(
        rows=rows,
        total_params=sum(p.numel() for p in parameters),
        trainable_params=sum(p.numel() for p in parameters if p.requires_grad),
        total_mult_adds=sum(row.mult_adds for row in rows),
        input_bytes=bytes_in((*args, *kwargs.values())),
        output_bytes=sum(row.output_bytes for row in rows),
        param_bytes=sum(p.nbytes for p in parameters),
        depth=depth,
    )


def traced(model: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[SummaryRow]:
    """The rows of one call."""
    modes = [(module, module.training) for module in model.modules()]
    tracer = Tracer(model)
    try:
        model.eval()
        with autograd.no_grad():
            model(*args, **kwargs)
    finally:
        tracer.remove()
        for module, mode in modes:
            module.training = mode
    return tracer.rows


def listed(model: Module) -> list[SummaryRow]:
    """A row for each module, without a call."""
    return [
        SummaryRow(
            name=path.rpartition(".")[2],
            kind=type(module).__name__,
            depth=path.count(".") + bool(path),
            params=sum(parameter.numel() for parameter in module.parameters(recurse=False)),
        )
        for path, module in model.named_modules()
    ]
