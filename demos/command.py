"""What the demos' command lines have in common."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Parser",
    "demo_parser",
    "natural",
    "positive_float",
    "positive_int",
    "prepare_folder",
    "run_demo",
    "write_figures",
]


class Parser(argparse.ArgumentParser):
    """A parser that ends the program with one line for a wrong option."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end with status 2."""
        self.exit(2, f"{self.prog}: {message} (--help lists the options)\n")


def positive_int(text: str) -> int:
    """A whole number of at least 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return value


def natural(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {text!r}")
    return int(text)


def positive_float(text: str) -> float:
    """A number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def demo_parser(name: str, description: str, *, epochs: int) -> Parser:
    """A parser with the options that most demos have: ``--epochs``, ``--seed`` and ``--out``.

    Args:
        name: of the module in `demos`.
        description: what the program does.
        epochs: how many unless asked otherwise.
    """
    parser = Parser(prog=f"python -m demos.{name}", description=description)
    add = parser.add_argument
    add("--epochs", type=positive_int, default=epochs, help=f"default: {epochs}")
    add("--seed", type=natural, default=0, help="of all random numbers (default: 0)")
    out = Path("runs", name)
    add("--out", type=Path, default=out, help=f"output folder (default: {out.as_posix()})")
    return parser


def run_demo(
    program: str, work: Callable[[], None], when_stopped: Callable[[], str] = lambda: ""
) -> int:
    """Do the work and return the exit status; a mistake of the user ends it with one line.

    Args:
        program: how it was started.
        work: raises OSError, ValueError or ImportError where files, data or settings are at fault.
        when_stopped: what to say after Ctrl-C.
    """
    try:
        work()
    except KeyboardInterrupt:
        print(f"\nStopped. {when_stopped()}")
        return 130
    except (OSError, ValueError, ImportError) as error:
        raise SystemExit(f"{program}: {error}") from error
    return 0


def prepare_folder(out: Path) -> Path:
    """Make the output folder before the work begins, not after it.

    Raises:
        ValueError: there is a file in its place.
        OSError: it cannot be made.
    """
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise ValueError(f"--out {out}: {place} is a file, expected a folder")
    out.mkdir(parents=True, exist_ok=True)
    return out


def write_figures(figures: Mapping[str, Figure], out: Path) -> None:
    """Write figures to files of these names, and say so."""
    for name, figure in figures.items():
        figure.savefig(out / name)
    print(f"Files in {out}: {', '.join(figures)}")
