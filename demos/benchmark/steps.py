"""How long networks take: a training step, and inference."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from demos.benchmark.measure import (
    MYGRAD,
    Contender,
    Figure,
    Settings,
    Table,
    contenders,
    take_turns,
)
from demos.more_networks import MORE_NETWORKS
from demos.networks import NETWORKS, Network

__all__ = ["inference", "more", "training", "training_step"]


def network_of(case: str) -> Network:
    """A network by its name."""
    return NETWORKS[case] if case in NETWORKS else MORE_NETWORKS[case]


def loss_of(contender: Contender, outputs: Any, labels: Any) -> Any:
    """Cross-entropy of scores (N, classes); the mean square of any other outputs."""
    if outputs.ndim == 2:
        return contender.modules.functional.cross_entropy(outputs, labels)
    return (outputs * outputs).mean()


def training_step(
    contender: Contender,
    case: str,
    batch: int | None = None,
    call: Callable[[Any, Any], Any] | None = None,
) -> Callable[[], None]:
    """Forward, backward and Adam on one batch of random numbers.

    Args:
        contender: the library.
        case: the network.
        batch: how many samples; as many as the network is timed with, unless given.
        call: gets the network and the samples, and returns the outputs.
    """
    network = network_of(case)
    count = batch or network.shape[0]
    model = network.build(contender.modules)
    samples = contender.library.randn(count, *network.shape[1:])
    labels = contender.library.randint(0, 10, (count,))
    optimizer = contender.optimizers.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        outputs = call(model, samples) if call else model(samples)
        loss_of(contender, outputs, labels).backward()
        del outputs
        optimizer.step()

    return step


def inference_step(contender: Contender, case: str) -> Callable[[], None]:
    """The scores of one batch of random numbers, in eval mode, without gradients."""
    network = network_of(case)
    model = network.build(contender.modules).eval()
    samples = contender.library.randn(*network.shape)

    def step() -> None:
        with contender.library.no_grad():
            model(samples)

    return step


def training(settings: Settings) -> list[Figure]:
    """Milliseconds per training step."""
    twins = mygrad_networks()
    return timed("training", "training step", settings, training_step, twins)


def more(settings: Settings) -> list[Figure]:
    """Milliseconds per training step of more networks."""
    others = replace(settings, cases=settings.more)
    return timed("more", "training step", others, training_step, {})


def inference(settings: Settings) -> list[Figure]:
    """Milliseconds for the scores of one batch."""
    return timed("inference", "inference", settings, inference_step, {})


def mygrad_networks() -> dict[str, Callable[[tuple[int, ...]], Callable[[], None]]]:
    """By case what makes a training step of MyGrad, where that is installed."""
    if importlib.util.find_spec("mygrad") is None:
        return {}
    module = importlib.import_module("demos.benchmark.mygrad_networks")
    networks: dict[str, Callable[[tuple[int, ...]], Callable[[], None]]] = module.NETWORKS
    return networks


def timed(
    part: str,
    title: str,
    settings: Settings,
    make: Callable[[Contender, str], Callable[[], None]],
    twins: dict[str, Callable[[tuple[int, ...]], Callable[[], None]]],
) -> list[Figure]:
    rivals = contenders(settings)
    names = [rival.name for rival in rivals]
    if any(case in twins for case in settings.cases):
        names.append(MYGRAD)
    table = Table(part, f"{title}, {settings.threads} threads", "ms", names)
    for case in settings.cases:
        steps = {rival.name: make(rival, case) for rival in rivals}
        if case in twins:
            steps[MYGRAD] = twins[case](NETWORKS[case].shape)
        begin = {rival.name: rival.begin for rival in rivals}
        medians = take_turns(steps, settings.turns, begin)
        table.add(case, {name: value * 1e3 for name, value in medians.items()})
    return table.finish()
