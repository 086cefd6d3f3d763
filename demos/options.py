"""What `demos.train` and `demos.cifar` are asked to do, and on which data."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import autograd
from demos.command import Parser, natural, positive_float, positive_int, prepare_folder
from demos.data import CHOICES, ImageData, load
from demos.recipes import AUGMENTATIONS, CIFAR, DIGITS, HANDWRITING, Recipe, augmentation
from demos.zoo import COLOUR_ONLY, MODELS

__all__ = ["CHECKPOINT", "CIFAR_TASK", "TRAIN_TASK", "Settings", "Task", "how_to_resume"]
__all__ += ["load_checkpoint", "parse", "prepare"]

CHECKPOINT = "checkpoint.npz"


@dataclass(frozen=True)
class Task:
    """What a program does unless asked otherwise.

    Attributes:
        name: of the module in `demos`.
        description: of the program.
        wanted: the data set to begin with.
        fallback: the data set that needs neither files nor a network.
        recipes: by name, for the data set of a name; the first one is taken.
    """

    name: str
    description: str
    wanted: str
    fallback: str
    recipes: Callable[[str], Mapping[str, Recipe]]

    @property
    def program(self) -> str:
        """How to start it."""
        return f"python -m demos.{self.name}"


TRAIN_TASK = Task(
    "train",
    "Train a convolutional network on handwritten digits or other images, and write its weights, "
    "plots of the training and the graph of one step to a folder. Ctrl-C stops it; --resume goes "
    "on.",
    "mnist",
    "digits",
    lambda data: DIGITS if data == "Digits" else HANDWRITING,
)
CIFAR_TASK = Task(
    "cifar",
    "Train a convolutional network on CIFAR-10, and write its weights, plots of the training and "
    "pictures of its filters and feature maps to a folder. Ctrl-C stops it; --resume goes on.",
    "cifar10",
    "fake",
    lambda data: CIFAR,
)


@dataclass(frozen=True)
class Settings:
    """What decides about the result of a training."""

    program: str
    data: str
    recipe: str
    model: str
    augment: str
    epochs: int
    batch_size: int
    lr: float
    seed: int = 0
    limit: int | None = None


def parse(argv: Sequence[str] | None, task: Task) -> Namespace:
    """The options on the command line; those that are not given are None."""
    parser = Parser(prog=task.program, description=task.description)
    add = parser.add_argument
    wanted = f"default: auto, which is {task.wanted}, or {task.fallback} where that is not at hand"
    recipes = list(task.recipes(""))
    add("--dataset", "--data", dest="data", metavar="WHAT", help=f"{CHOICES} ({wanted})")
    add("--recipe", choices=recipes, help=f"how to train (default: {recipes[0]})")
    add("--model", choices=list(MODELS), metavar="NAME", help=f"one of {', '.join(MODELS)}")
    kinds = "; ".join(f"{name}: {what}" for name, what in AUGMENTATIONS.items())
    add("--augment", choices=list(AUGMENTATIONS), help=f"change images at random: {kinds}")
    add("--epochs", type=positive_int, help="default: the recipe's")
    add("--batch-size", type=positive_int, help="default: the recipe's")
    add("--lr", type=positive_float, help="highest learning rate; default: the recipe's")
    add("--seed", type=natural, help="of all random numbers (default: 0)")
    add("--limit", type=positive_int, metavar="N", help="use only N images to learn, N to test")
    out = Path("runs", task.name)
    add("--out", type=Path, default=out, help=f"output folder (default: {out.as_posix()})")
    add("--resume", action="store_true", help="go on from the last finished epoch in --out")
    return parser.parse_args(argv)


def prepare(args: Namespace, task: Task) -> tuple[Settings, Recipe, ImageData]:
    """The settings, how to train, and the images.

    Raises:
        ValueError, OSError: the options, the data or the output folder do not allow it.
    """
    checkpoint = load_checkpoint(args.out, task) if args.resume else None
    choice = args.data or (checkpoint["source"] if checkpoint else "auto")
    data = load(choice, wanted=task.wanted, fallback=task.fallback)
    settings = settle(args, data.name, task, checkpoint and checkpoint["settings"])
    augment = augmentation(settings.augment, data.shape)
    prepare_folder(args.out)
    data = data.transformed(augment, settings.model in COLOUR_ONLY)
    return settings, task.recipes(data.name)[settings.recipe], data.limited(settings.limit)


def settle(args: Namespace, data: str, task: Task, started_with: dict[str, Any] | None) -> Settings:
    """The settings of a run: those it was started with, else the options, else the recipe's.

    Raises:
        ValueError: an option differs from what the run was started with.
    """
    names = [field.name for field in fields(Settings) if field.name != "program"]
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    given["data"] = data
    if started_with is None:
        recipes = task.recipes(data)
        chosen = given.setdefault("recipe", next(iter(recipes)))
        recipe = {name: value for name, value in asdict(recipes[chosen]).items() if name in names}
        return Settings(**{"program": task.program, **recipe, **given})
    for name, value in given.items():
        if value != started_with[name]:
            option = "--" + name.replace("_", "-")
            raise ValueError(
                f"{option} {value} differs from the {started_with[name]} that the run in "
                f"{args.out} was started with; leave it out, or start anew without --resume"
            )
    return Settings(**started_with)


def load_checkpoint(out: Path, task: Task) -> dict[str, Any]:
    """What the last finished epoch of a run left.

    Raises:
        ValueError: there is no checkpoint, or it is damaged or something else.
    """
    path = out / CHECKPOINT
    if not path.is_file():
        raise ValueError(f"--resume: there is no {path} to go on from")
    checkpoint = autograd.load(path)
    names = {field.name for field in fields(Settings)}
    if not isinstance(checkpoint, dict) or set(checkpoint.get("settings", ())) != names:
        raise ValueError(f"--resume: {path} is no checkpoint of this program")
    if (program := checkpoint["settings"]["program"]) != task.program:
        raise ValueError(f"--resume: {path} was written by {program}; go on with that")
    return checkpoint


def how_to_resume(out: Path, task: Task) -> str:
    """What is saved of a run that was stopped, and how to go on."""
    try:
        checkpoint = load_checkpoint(out, task)
    except (ValueError, OSError):
        return "Nothing was saved yet."
    done, epochs = checkpoint["epoch"], checkpoint["settings"]["epochs"]
    return (
        f"Finished epochs: {done} of {epochs}, saved in {out / CHECKPOINT}; go on with: "
        f"{task.program} --resume --out {shlex.quote(str(out))}"
    )
