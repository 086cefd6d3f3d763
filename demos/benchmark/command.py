"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import demos.benchmark
from autograd import get_kernels, get_num_threads, use_kernels
from demos.benchmark.loader import loader
from demos.benchmark.measure import Figure, Settings
from demos.benchmark.memory import memory
from demos.benchmark.operations import operations
from demos.benchmark.overhead import chain, imports, overhead
from demos.benchmark.programs import mnist
from demos.benchmark.report import compare, draw, write
from demos.benchmark.roofline import roofline
from demos.benchmark.start import start
from demos.benchmark.steps import inference, more, training
from demos.command import Parser, positive_int
from demos.more_networks import MORE_NETWORKS
from demos.networks import NETWORKS

__all__ = ["PARTS", "main"]

PARTS: dict[str, Callable[[Settings], list[Figure]]] = {
    "overhead": overhead,
    "chain": chain,
    "imports": imports,
    "start": start,
    "training": training,
    "inference": inference,
    "more": more,
    "operations": operations,
    "memory": memory,
    "loader": loader,
    "roofline": roofline,
    "mnist": mnist,
}


def kernels_at_hand() -> tuple[str, ...]:
    """The kernels that can be used here, the fastest first."""
    return ("numba", "numpy") if importlib.util.find_spec("numba") else ("numpy",)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="python -m demos.benchmark",
        description=demos.benchmark.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all unless given")
    add("--cases", nargs="+", metavar="NAME", help="networks whose names contain one of these")
    add("--kernels", choices=("numpy", "numba"), help="both unless given")
    add("--threads", type=positive_int, default=get_num_threads(), help="default: %(default)s")
    add("--turns", type=positive_int, default=7, help="of each library (default: %(default)s)")
    add("--epochs", type=positive_int, default=3, help="of mnist (default: %(default)s)")
    add("--limit", type=positive_int, default=60_000, help="images of mnist to learn from")
    add("--data", type=Path, metavar="FOLDER", help="of mnist (default: $NDGRAD_DATA, or data)")
    add("--json", type=Path, metavar="FILE", help="write the figures here")
    add("--plot", type=Path, metavar="FILE", help="draw them here")
    add("--compare", type=Path, nargs=2, metavar=("OLD", "NEW"), help="two files of --json")
    options = parser.parse_args(argv)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    options.cases, options.more = chosen(parser, options.cases)
    if options.kernels == "numba" and "numba" not in kernels_at_hand():
        parser.error('--kernels numba needs Numba: pip install "ndgrad[fast]"')
    return options


def chosen(parser: Parser, wanted: Sequence[str] | None) -> tuple[tuple[str, ...], ...]:
    """The networks that contain a wanted word, of those that most parts have, and of more.

    One letter is the first word of a name.
    """

    def fits(name: str, word: str) -> bool:
        if len(word) == 1:
            return name.split()[0] == word
        return word.lower() in name.lower()

    names = (*NETWORKS, *MORE_NETWORKS)
    for word in wanted or ():
        if not any(fits(name, word) for name in names):
            parser.error(f"no network is called {word!r}; there are {', '.join(names)}")
    return tuple(
        tuple(name for name in table if not wanted or any(fits(name, word) for word in wanted))
        for table in (NETWORKS, MORE_NETWORKS)
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = parse(argv)
    if options.compare:
        compare(*options.compare)
        return 0
    settings = Settings(
        turns=options.turns,
        threads=options.threads,
        kernels=(options.kernels,) if options.kernels else kernels_at_hand(),
        cases=options.cases,
        more=options.more,
        epochs=options.epochs,
        limit=options.limit,
        data=options.data,
    )
    before = get_kernels()
    figures: list[Figure] = []
    try:
        for part in options.parts or PARTS:
            figures += PARTS[part](settings)
    finally:
        use_kernels(before)
    if options.json:
        write(figures, options.json)
    if options.plot:
        draw(figures, options.plot)
    return 0
