"""What `demos.train` is asked to do, and on which data."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import autograd
from demos.command import Parser, positive_float, positive_int
from vision.datasets import MNIST, DatasetNotFoundError, Digits, VisionDataset

__all__ = ["CHECKPOINT", "Settings", "how_to_resume", "parse", "prepare"]

CHECKPOINT = "checkpoint.npz"
PROGRAM = "python -m demos.train"


@dataclass(frozen=True)
class Settings:
    """What decides about the result of a training."""

    data: str
    epochs: int
    batch_size: int
    lr: float
    seed: int = 0
    limit: int | None = None


RECIPES = {
    "MNIST": Settings("MNIST", epochs=3, batch_size=100, lr=0.02),
    "Digits": Settings("Digits", epochs=15, batch_size=32, lr=0.005),
}
DESCRIPTION = """Train a small convolutional network on handwritten digits, and write its weights,
plots of the training and the graph of one step to a folder. Ctrl-C stops it; --resume goes on."""


def parse(argv: Sequence[str] | None) -> Namespace:
    """The options on the command line; those that are not given are None."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION)
    add = parser.add_argument
    add(
        "--data",
        metavar="WHAT",
        help="auto (MNIST where it is found or can be fetched, else scikit-learn's digits), "
        "mnist, digits, or a folder with MNIST (default: auto)",
    )
    add("--epochs", type=positive_int, help="default: 3 for MNIST, 15 for the digits")
    add("--batch-size", type=positive_int, help="default: 100 for MNIST, 32 for the digits")
    add(
        "--lr",
        type=positive_float,
        help="highest learning rate; default: 0.02, for the digits 0.005",
    )
    add("--seed", type=int, help="of all random numbers (default: 0)")
    add("--limit", type=positive_int, metavar="N", help="use only N images to learn, N to test")
    add("--out", type=Path, default=Path("runs/train"), help="output folder (default: runs/train)")
    add("--resume", action="store_true", help="go on from the last finished epoch in --out")
    return parser.parse_args(argv)


def prepare(
    args: Namespace,
) -> tuple[Settings, VisionDataset, VisionDataset, dict[str, Any] | None]:
    """The settings, the training and the held-out images, and the checkpoint to go on from, if any.

    Ends the program with one line if that is not possible.
    """
    try:
        checkpoint = load_checkpoint(args.out) if args.resume else None
        train, test = load_data(args.data or (checkpoint["source"] if checkpoint else "auto"))
        settings = settle(args, type(train).__name__, checkpoint and checkpoint["settings"])
        args.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise SystemExit(f"{PROGRAM}: {error}") from error
    for part in (train, test):
        part.data, part.targets = part.data[: settings.limit], part.targets[: settings.limit]
    return settings, train, test, checkpoint


def settle(args: Namespace, data: str, started_with: dict[str, Any] | None) -> Settings:
    """The settings of a run: those it was started with, else the options, else the recipe's.

    Raises:
        ValueError: an option differs from what the run was started with.
    """
    names = [field.name for field in fields(Settings)]
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    given["data"] = data
    if started_with is None:
        return Settings(**{**asdict(RECIPES[data]), **given})
    for name, value in given.items():
        if value != started_with[name]:
            option = "--" + name.replace("_", "-")
            raise ValueError(
                f"{option} {value} differs from the {started_with[name]} that the run in "
                f"{args.out} was started with; leave it out, or start anew without --resume"
            )
    return Settings(**started_with)


def load_checkpoint(out: Path) -> dict[str, Any]:
    """What the last finished epoch of a run left.

    Raises:
        ValueError: there is no checkpoint, or it is damaged or something else.
    """
    path = out / CHECKPOINT
    if not path.is_file():
        raise ValueError(f"--resume: there is no {path} to go on from")
    checkpoint = autograd.load(path)
    if not isinstance(checkpoint, dict) or "settings" not in checkpoint:
        raise ValueError(f"--resume: {path} is no checkpoint of this program")
    return checkpoint


def how_to_resume(out: Path) -> str:
    """What is saved of a run that was stopped, and how to go on."""
    try:
        checkpoint = load_checkpoint(out)
    except ValueError:
        return "Nothing was saved yet."
    done, epochs = len(checkpoint["history"]), checkpoint["settings"]["epochs"]
    return (
        f"Finished epochs: {done} of {epochs}, saved in {out / CHECKPOINT}; go on with: "
        f"python -m demos.train --resume --out {shlex.quote(str(out))}"
    )


def load_data(choice: str) -> tuple[VisionDataset, VisionDataset]:
    """The training and the held-out images; says which they are and why.

    Raises:
        DatasetNotFoundError: MNIST was asked for and can neither be found nor fetched.
        ValueError: a file of MNIST is damaged, or `choice` is no folder.
    """
    if choice == "digits":
        print("Data: scikit-learn's handwritten digits, as asked for")
        return Digits(train=True), Digits(train=False)
    root = None if choice in ("auto", "mnist") else Path(choice)
    if root is not None and not root.is_dir():
        raise ValueError(f"--data {choice}: expected auto, mnist, digits or a folder that is there")
    try:
        train, test = MNIST(root, True, download=True), MNIST(root, False, download=True)
    except DatasetNotFoundError as error:
        if choice != "auto":
            raise
        print(f"Data: scikit-learn's handwritten digits, because MNIST is not at hand:\n  {error}")
        return Digits(train=True), Digits(train=False)
    print(f"Data: MNIST, found in or fetched to {train.root}")
    return train, test
