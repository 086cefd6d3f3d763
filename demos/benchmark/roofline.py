"""Each layer of the networks by itself, beside what the machine could do.

The layers are found by running the networks. The work of convolutions and linear maps is counted
in operations of the direct algorithm, that of all others in the bytes that must be read and written
at least; an algorithm that needs fewer operations can pass the roof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import autograd
import nn
from demos.benchmark.machine import machine
from demos.benchmark.measure import Contender, Figure, Settings, Table, contenders, take_turns
from demos.networks import NETWORKS

__all__ = ["layers_of", "roofline"]

FLOAT = 4


class Layer(NamedTuple):
    """A layer of a network, and what came in when the network ran.

    Attributes:
        case: the network.
        path: of the module in it.
        title: what it is.
        shape: of the input.
        out: the number of values in the output.
        fan_in: how many inputs each output is the weighted sum of; 0 for other layers.
        weights: the number of weights of such a layer.
    """

    case: str
    path: str
    title: str
    shape: tuple[int, ...]
    out: int
    fan_in: int
    weights: int

    def work(self, kind: str) -> dict[str, float]:
        """The operations of a map, and the bytes that must be read and written at least."""
        large = max(prod(self.shape), self.out)
        if not self.fan_in:
            # backward reads the gradient, and what was saved of the input or the output
            more = 0 if kind == "forward" else large
            return {"B": float(FLOAT * (prod(self.shape) + self.out + more))}
        moved = prod(self.shape) + self.out + self.weights
        return {"FLOP": 2.0 * self.out * self.fan_in, "B": float(FLOAT * moved)}


def layers_of(case: str) -> list[Layer]:
    """The layers of a network that have work of their own, each kind and size once."""
    network = NETWORKS[case]
    model = network.build(nn)
    found: dict[Any, Layer] = {}
    handles = []
    for path, module in model.named_modules():
        if any(True for _ in module.children()) or isinstance(module, (nn.Flatten, nn.Identity)):
            continue
        if getattr(module, "inplace", False) or type(module).__module__.endswith("recurrent"):
            continue

        def look(module: Any, inputs: Any, out: Any, path: str = path) -> None:
            shape = tuple(inputs[0].shape)
            weight = getattr(module, "weight", None)
            maps = isinstance(module, (nn.Linear, nn.Conv2d))
            fan_in = prod(weight.shape[1:]) if maps and weight is not None else 0
            weights = weight.numel() if fan_in and weight is not None else 0
            title = f"{type(module).__name__} {' x '.join(map(str, shape))}"
            if isinstance(module, nn.Conv2d):
                kernel, stride = module.kernel_size[0], module.stride[0]
                title += f" -> {module.out_channels}, {kernel}x{kernel}"
                title += f", stride {stride}" if stride > 1 else ""
            elif isinstance(module, nn.Linear):
                title += f" -> {module.out_features}"
            found.setdefault(title, Layer(case, path, title, shape, out.numel(), fan_in, weights))

        handles.append(module.register_forward_hook(look))
    with autograd.no_grad():
        model(autograd.randn(*network.shape))
    for handle in handles:
        handle.remove()
    return list(found.values())


class Kernel(NamedTuple):
    """Something to time: by library what to call, and the work in it."""

    name: str
    steps: dict[str, Callable[[], object]]
    work: dict[str, float]


def roofline(settings: Settings) -> list[Figure]:
    """Milliseconds of each layer forward and backward, and the share of what the machine can do."""
    figures, roof = machine(settings)
    rivals = contenders(settings)
    names = [rival.name for rival in rivals]
    begin = {rival.name: rival.begin for rival in rivals}
    shares = [f"{name} of roof" for name in names]
    table = Table("kernels", f"layer, {settings.threads} threads", "ms", names, shares, 60)
    for kernel in kernels_of(settings.cases, rivals):
        medians = take_turns(kernel.steps, settings.turns, begin)
        least = max(
            amount / (roof.flops if unit == "FLOP" else roof.bytes)
            for unit, amount in kernel.work.items()
        )
        reached = [f"{least / medians[name]:.0%}" for name in names]
        table.add(kernel.name, {name: time * 1e3 for name, time in medians.items()}, reached)
        figures += [
            Figure("kernel work", kernel.name, "work", amount, unit)
            for unit, amount in kernel.work.items()
        ]
    return [*figures, *table.finish()]


def kernels_of(cases: Sequence[str], rivals: Sequence[Contender]) -> Iterator[Kernel]:
    """Every layer of some networks, and Adam on their parameters; the same ones only once."""
    seen: set[str] = set()
    for layer in (layer for case in cases for layer in layers_of(case)):
        if layer.title in seen:
            continue
        seen.add(layer.title)
        steps = {rival.name: layer_steps(rival, layer) for rival in rivals}
        for kind in steps[rivals[0].name]:
            one = {name: each[kind] for name, each in steps.items()}
            yield Kernel(f"{layer.title}: {kind}", one, layer.work(kind))
    for case in cases:
        count, step = adam_steps(rivals, case)
        # reads the parameter, its gradient and two means, and writes all but the gradient
        yield Kernel(f"Adam, {case}, {count:,} parameters", step, {"B": 7.0 * FLOAT * count})


def layer_steps(rival: Contender, layer: Layer) -> dict[str, Callable[[], object]]:
    """What to time: forward, and the gradients of the input and of the parameters."""
    rival.begin()
    library = rival.library
    grad = library.grad if rival.kernels else library.autograd.grad
    module = dict(NETWORKS[layer.case].build(rival.modules).named_modules())[layer.path]
    x = library.randn(*layer.shape, requires_grad=True)
    parameters = list(module.parameters())
    out = module(x)
    incoming = library.randn(*out.shape)

    def forward() -> None:
        with library.no_grad():
            module(x)

    def gradients(targets: list[Any]) -> Callable[[], object]:
        return lambda: grad(out, targets, incoming, retain_graph=True)

    if layer.fan_in:
        return {
            "forward": forward,
            "input gradient": gradients([x]),
            "weight gradient": gradients(parameters[:1]),
        }
    return {"forward": forward, "backward": gradients([x, *parameters])}


def adam_steps(
    rivals: Sequence[Contender], case: str
) -> tuple[int, dict[str, Callable[[], object]]]:
    """How many parameters a network has, and a step of Adam on them for each library."""
    count, steps = 0, {}
    for rival in rivals:
        model = NETWORKS[case].build(rival.modules)
        parameters = list(model.parameters())
        for parameter in parameters:
            parameter.grad = rival.library.ones_like(parameter).detach()
        count = sum(parameter.numel() for parameter in parameters)
        steps[rival.name] = rival.optimizers.Adam(parameters).step
    return count, steps
