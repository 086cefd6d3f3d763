"""The table of the five projects: its names resolve, its programs and notebooks are there."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

from demos import options

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_, SECTION = README.read_text(encoding="utf-8").split("\n## From the five projects\n")
SECTION, _ = SECTION.split("\n</details>\n")
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split(" |"))
    for line in SECTION.splitlines()
    if line.startswith("| ") and not line.startswith("| what")
]
PACKAGES = ("autograd", "nn", "vision", "demos")


def names_in(cell: str) -> list[str]:
    """The dotted names of ours between backticks."""
    quoted = re.findall(r"`([^`]+)`", cell)
    return [name for name in quoted if name.split(".")[0] in PACKAGES]


def test_rows():
    assert len(ROWS) > 90
    assert all(len(row) == 3 for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_the_names_resolve(row):
    what, here, _ = row
    names = names_in(here)
    assert names or "not here" in here, f"{what}: no name stands there"
    for name in names:
        pkgutil.resolve_name(name)


def test_programs_and_notebooks_are_there():
    commands = set(re.findall(r"`python -m (demos\.\w+)([^`]*)`", "\n".join(r[2] for r in ROWS)))
    assert len({module for module, _ in commands}) >= 10
    for module, arguments in commands:
        program = f"{module}.__main__" if hasattr(import_module(module), "__path__") else module
        assert hasattr(import_module(program), "main")
        task = {"demos.train": options.TRAIN_TASK, "demos.cifar": options.CIFAR_TASK}.get(module)
        if task:
            options.parse(arguments.split(), task)
    links = re.findall(r"\]\(([^)]+)\)", SECTION)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_a_name_that_is_not_there_is_found_out():
    with pytest.raises(AttributeError):
        pkgutil.resolve_name("nn.optim.Nonsense")
    with pytest.raises(AttributeError):
        pkgutil.resolve_name("vision.models.CNN.nonsense")
