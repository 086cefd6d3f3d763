"""Every public name that PyTorch has too occurs in a test that runs beside PyTorch.

The files of tests are read, not run: a test counts if it, or what it uses in its file, reaches
`torch` or the helpers that compare; and with it the attributes and words that it mentions there.
"""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from oracle import namespaces, shared

import autograd
import nn

HELPERS = {"parity", "both", "oracle", "agreement"}
AS_FUNCTIONS = {"nn.functional": {"f", "F", "functional"}, "nn.init": {"init"}}
"""How tests call the functions whose names occur elsewhere, too: as methods, in other libraries."""

CLASSES = {
    "Tensor": (autograd.Tensor, torch.Tensor),
    "Size": (autograd.Size, torch.Size),
    "Generator": (autograd.Generator, torch.Generator),
    "Function": (autograd.Function, torch.autograd.Function),
    "Module": (nn.Module, torch.nn.Module),
    "Optimizer": (nn.optim.Optimizer, torch.optim.Optimizer),
    "LRScheduler": (nn.optim.lr_scheduler.LRScheduler, torch.optim.lr_scheduler.LRScheduler),
    "GradScaler": (nn.amp.GradScaler, torch.amp.GradScaler),
    "PackedSequence": (nn.utils.rnn.PackedSequence, torch.nn.utils.rnn.PackedSequence),
    **{
        name: (getattr(nn, name), getattr(torch.nn, name))
        for name in ("Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
    },
    **{
        name: (getattr(nn.data, name), getattr(torch.utils.data, name))
        for name in ("DataLoader", "TensorDataset", "ConcatDataset", "Subset", "BatchSampler")
    },
}


def words_in(node):
    """The names, attributes and words of strings in a piece of code, and `owner.attribute`."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.FunctionDef):  # such as a method that is overridden
            found.add(part.name)
        elif isinstance(part, ast.Attribute):
            owner = part.value
            last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            found |= {part.attr, f"{last}.{part.attr}"}
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found |= set(re.findall(r"\w+", part.value)) | {f"'{part.value}'"}
    return found


def compared_in(source):
    """The words of all tests in a file that run PyTorch, with those of what they use there."""
    definitions, oracles, tests = {}, {"torch"}, []
    for part in ast.parse(source).body:
        if isinstance(part, ast.ImportFrom) and part.module in HELPERS:
            oracles |= {alias.asname or alias.name for alias in part.names}
        elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            definitions.setdefault(part.name, []).append(part)
            tests += [part] if part.name.lower().startswith("test") else []
        elif isinstance(part, (ast.Assign, ast.AugAssign)):
            for target in part.targets if isinstance(part, ast.Assign) else [part.target]:
                for name in ast.walk(target):
                    definitions.setdefault(getattr(name, "id", ""), []).append(part)
    words = {name: set().union(*map(words_in, parts)) for name, parts in definitions.items()}
    found = set()
    for test in tests:
        reached, new = set(), {test.name}
        while new:
            reached |= new
            new = set().union(*(words[name] for name in new)) & set(words) - reached
        of_test = set().union(*(words[name] for name in reached))
        found |= of_test if of_test & oracles else set()
    return found


def held_by_tables(source):
    """The functions of those modules whose tables `uncovered` holds to be complete."""
    found = set()
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "uncovered":
            module = importlib.import_module(f"autograd.functions.{call.args[0].id}")
            found |= set(module.__all__)
    return found


@cache
def compared():
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    words = set().union(*map(compared_in, sources))
    return words | set().union(*map(held_by_tables, sources))


def missing(names, owners, words):
    """The names that no test mentions; with owners, as attribute of one or as a whole string."""
    if owners is None:
        return {name for name in names if name not in words}
    return {name for name in names if not {f"'{name}'", *(f"{o}.{name}" for o in owners)} & words}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("mine", "yours"), namespaces(), ids=lambda value: getattr(value, "__name__", "")
)
def test_of_namespaces(mine, yours):
    owners = AS_FUNCTIONS.get(mine.__name__)
    assert missing(shared(mine, yours), owners, compared()) == set()


@pytest.mark.parametrize("name", CLASSES)
def test_of_classes(name):
    mine, theirs = CLASSES[name]
    assert missing(public(mine) & public(theirs), None, compared()) == set()


PLANTED = """
from both import agree
TABLE = ["first", lambda lib: lib.nn.functional.second(1)]
def helper():
    return f.third("fourth fifth")
def test_with(check):
    agree(TABLE, helper)
def test_without():
    sixth(TABLE)
"""


def test_planted_gaps_are_found():
    words = compared_in(PLANTED)
    names = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"]
    assert missing(names, None, words) == {"sixth", "seventh"}
    assert missing(names, {"functional"}, words) == {"third", "fourth", "fifth", "sixth", "seventh"}
    assert missing(["agree"], None, compared_in("def test_it():\n    agree()")) == {"agree"}
