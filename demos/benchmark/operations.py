"""Single operations, forward and backward, on arrays larger than the caches of a core."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from demos.benchmark.measure import Contender, Figure, Settings, Table, contenders, take_turns

__all__ = ["OPERATIONS", "operations"]

IMAGES = (32, 64, 28, 28)
ROWS = (4096, 256)
SEQUENCES = (50, 32, 128)


class Operation(NamedTuple):
    """What is called, with a library's parts and some arrays, and the shapes of those arrays.

    If `layer` is given, it makes a module first, whose parameters get gradients as well; the call
    gets it as `library.layer`.
    """

    shapes: tuple[tuple[int, ...], ...]
    call: Callable[..., Any]
    layer: Callable[[Any], Any] | None = None


def function(name: str, *shapes: tuple[int, ...], **options: Any) -> Operation:
    """A function of the library."""
    return Operation(shapes, lambda r, *x: getattr(r.library, name)(*x, **options))


def functional(name: str, *shapes: tuple[int, ...], **options: Any) -> Operation:
    """A function of ``nn.functional``."""
    return Operation(shapes, lambda r, *x: getattr(r.modules.functional, name)(*x, **options))


def layer(make: Callable[[Any], Any], *shapes: tuple[int, ...]) -> Operation:
    """A module; of several results the first counts."""

    def call(rival: Any, module: Any, *x: Any) -> Any:
        out = module(*x)
        return out[0] if isinstance(out, tuple) else out

    return Operation(shapes, call, make)


def indices(rival: Contender, high: int, *shape: int) -> Any:
    """Whole numbers below `high`, the same in each library."""
    return made_indices(rival.library, high, shape)


@cache
def made_indices(library: Any, high: int, shape: tuple[int, ...]) -> Any:
    """Made once: their remainders would take longer than what uses them."""
    steps = library.arange(0, 7919 * shape[0], 7919).reshape(shape[0], 1)
    return (steps.expand(*shape) % high).contiguous()


def picked(rival: Contender, x: Any) -> Any:
    return x[indices(rival, len(x), len(x), 1)[:, 0]]


def gathered(rival: Contender, x: Any) -> Any:
    return rival.library.gather(x, 1, indices(rival, x.shape[1], *x.shape))


def scored(rival: Contender, x: Any) -> Any:
    return rival.modules.functional.cross_entropy(x, indices(rival, x.shape[1], len(x), 1)[:, 0])


OPERATIONS: dict[str, Operation] = {
    "x * y + z": Operation((IMAGES,) * 3, lambda r, x, y, z: x * y + z),
    "x / (1 + x * x)": Operation((IMAGES,), lambda r, x: x / (1 + x * x)),
    "exp": function("exp", IMAGES),
    "sin": function("sin", IMAGES),
    "square root of x * x + 1": Operation((IMAGES,), lambda r, x: (x * x + 1).sqrt()),
    "logarithm of x * x + 1": Operation((IMAGES,), lambda r, x: (x * x + 1).log()),
    "sigmoid": function("sigmoid", IMAGES),
    "tanh": function("tanh", IMAGES),
    "relu": function("relu", IMAGES),
    "leaky_relu": functional("leaky_relu", IMAGES),
    "elu": functional("elu", IMAGES),
    "gelu": functional("gelu", IMAGES),
    "gelu, tanh": functional("gelu", IMAGES, approximate="tanh"),
    "silu": functional("silu", IMAGES),
    "softplus": functional("softplus", IMAGES),
    "abs": function("abs", IMAGES),
    "clamp": function("clamp", IMAGES, min=-0.5, max=0.5),
    "maximum": function("maximum", IMAGES, IMAGES),
    "where": Operation((IMAGES,) * 2, lambda r, x, y: r.library.where(x > 0, x, y)),
    "dropout": functional("dropout", IMAGES),
    "add a row": Operation((ROWS, ROWS[1:]), lambda r, x, y: x + y),
    "multiply by a column": Operation((ROWS, (ROWS[0], 1)), lambda r, x, y: x * y),
    "sum": function("sum", IMAGES),
    "sum of rows": function("sum", ROWS, dim=0),
    "sum of columns": function("sum", ROWS, dim=1),
    "mean over images": function("mean", IMAGES, dim=(2, 3)),
    "var": function("var", ROWS, dim=1),
    "amax": function("amax", ROWS, dim=1),
    "cumsum": function("cumsum", ROWS, dim=1),
    "softmax": function("softmax", ROWS, dim=1),
    "log_softmax": functional("log_softmax", ROWS, dim=1),
    "cross_entropy, 10 classes": Operation(((4096, 10),), scored),
    "cross_entropy, 1000 classes": Operation(((1024, 1000),), scored),
    "mse_loss": functional("mse_loss", ROWS, ROWS),
    "transpose and copy": Operation((ROWS,), lambda r, x: x.transpose(0, 1).contiguous()),
    "cat": Operation((IMAGES,) * 2, lambda r, x, y: r.library.cat([x, y], 1)),
    "pad": functional("pad", IMAGES, pad=(1, 1, 1, 1)),
    "rows by index": Operation((ROWS,), picked),
    "gather": Operation((ROWS,), gathered),
    "embedding, 10,000 x 128": Operation(
        ((10_000, 128),),
        lambda r, w: r.modules.functional.embedding(indices(r, 10_000, 64, 64), w),
    ),
    "matmul, 8 x 256 x 256": function("matmul", (8, 256, 256), (8, 256, 256)),
    "linear": functional("linear", ROWS, (256, 256), (256,)),
    "conv1d": layer(lambda n: n.Conv1d(64, 64, 5, padding=2), (32, 64, 256)),
    "conv2d, 3x3": layer(lambda n: n.Conv2d(64, 64, 3, padding=1), IMAGES),
    "conv2d, 3x3, stride 2": layer(lambda n: n.Conv2d(64, 128, 3, 2, padding=1), IMAGES),
    "conv2d, 3x3, dilation 2": layer(lambda n: n.Conv2d(64, 64, 3, padding=2, dilation=2), IMAGES),
    "conv2d, 1x1": layer(lambda n: n.Conv2d(64, 64, 1), IMAGES),
    "conv2d, depthwise": layer(lambda n: n.Conv2d(64, 64, 3, padding=1, groups=64), IMAGES),
    "conv2d, 4 groups": layer(lambda n: n.Conv2d(64, 64, 3, padding=1, groups=4), IMAGES),
    "conv3d": layer(lambda n: n.Conv3d(8, 16, 3, padding=1), (4, 8, 16, 32, 32)),
    "conv_transpose2d": layer(
        lambda n: n.ConvTranspose2d(64, 32, 4, 2, padding=1), (32, 64, 14, 14)
    ),
    "max_pool2d, 2x2": functional("max_pool2d", IMAGES, kernel_size=2),
    "max_pool2d, 3x3, stride 2": functional(
        "max_pool2d", IMAGES, kernel_size=3, stride=2, padding=1
    ),
    "avg_pool2d, 2x2": functional("avg_pool2d", IMAGES, kernel_size=2),
    "adaptive_avg_pool2d, 1x1": functional("adaptive_avg_pool2d", IMAGES, output_size=1),
    "batch_norm": layer(lambda n: n.BatchNorm2d(64), IMAGES),
    "group_norm": layer(lambda n: n.GroupNorm(8, 64), IMAGES),
    "layer_norm": layer(lambda n: n.LayerNorm(256), ROWS),
    "LSTM": layer(lambda n: n.LSTM(128, 128), SEQUENCES),
    "GRU": layer(lambda n: n.GRU(128, 128), SEQUENCES),
    "RNN": layer(lambda n: n.RNN(128, 128), SEQUENCES),
}
"""By name; float32 throughout."""


def operations(settings: Settings) -> list[Figure]:
    """Milliseconds of each operation, forward and backward."""
    rivals = contenders(settings)
    title = f"operation, {settings.threads} threads"
    table = Table("operations", title, "ms", [rival.name for rival in rivals])
    begin = {rival.name: rival.begin for rival in rivals}
    for name, operation in OPERATIONS.items():
        steps = {rival.name: steps_of(rival, operation) for rival in rivals}
        for kind in ("forward", "backward"):
            one = {who: each[kind] for who, each in steps.items()}
            medians = take_turns(one, settings.turns, begin)
            table.add(f"{name}: {kind}", {who: time * 1e3 for who, time in medians.items()})
    return table.finish()


def steps_of(rival: Contender, operation: Operation) -> dict[str, Callable[[], object]]:
    """What to time: the results, and all gradients."""
    rival.begin()
    library = rival.library
    grad = library.grad if rival.kernels else library.autograd.grad
    arrays = [library.randn(*shape, requires_grad=True) for shape in operation.shapes]
    first: list[Any] = [operation.layer(rival.modules)] if operation.layer else []
    targets = [*arrays, *(first[0].parameters() if first else ())]
    out = operation.call(rival, *first, *arrays)
    incoming = library.randn(tuple(out.shape))

    def forward() -> None:
        with library.no_grad():
            operation.call(rival, *first, *arrays)

    def backward() -> None:
        grad(out, targets, incoming, retain_graph=True)

    return {"forward": forward, "backward": backward}
