"""The shape of the project: which way imports go, what they cost, and what lies where."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from importlib import metadata
from pathlib import Path

import pytest

import autograd
from autograd.graph import TensorBase

ROOT = Path(__file__).parents[1]
PACKAGES = ("autograd", "nn", "vision", "demos")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
LAYERS = (
    ("autograd.errors", "autograd.dtypes"),
    ("autograd.kernels",),
    ("autograd.graph", "autograd.views", "autograd.plans", "autograd.op", "autograd.primitive"),
    ("autograd.ops",),
    ("autograd",),
    ("nn",),
    ("vision",),
    ("demos",),
)
"""From the lowest to the highest: each may import those before it, and itself."""

TOP = {*PACKAGES, "tests", ".ci", ".gitignore", "pyproject.toml", "README.md", "LICENSE"}
TOP |= {"CHANGELOG.md", "CONTRIBUTING.md"}
INTERNAL = {name for name in TensorBase.__slots__ if not name.startswith("__")}


def layer_of(module: str) -> int:
    """The layer whose name is the longest prefix of a module's."""
    found = [
        (len(name), level)
        for level, names in enumerate(LAYERS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    return max(found)[1] if found else -1


def imports(tree: ast.AST, lazy: bool) -> set[str]:
    """The modules that run with a file, or, if `lazy`, also those imported inside functions."""
    found: set[str] = set()
    todo = list(ast.iter_child_nodes(tree))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        types_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if not types_only and (lazy or not function):
            todo.extend(ast.iter_child_nodes(node))
    return found


def upward_imports(module: str, source: str) -> list[str]:
    """What a module imports although it lies above it.

    Inside functions the engine may import operations, which are registered in it; nothing may
    import another package that lies above it.
    """
    tree, own, package = ast.parse(source), layer_of(module), module.split(".")[0]
    now, later = imports(tree, lazy=False), imports(tree, lazy=True)
    return sorted(
        {name for name in now if layer_of(name) > own}
        | {name for name in later if layer_of(name) > own and name.split(".")[0] != package}
    )


def private_uses(source: str) -> list[str]:
    """What a file uses of `autograd` that is not public."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "autograd":
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Attribute) and node.attr in INTERNAL:
            names = [] if ast.unparse(node.value) == "self" else [f"autograd.{node.attr}"]
        else:
            continue
        for name in names:
            parts = name.split(".")
            private = any(part.startswith("_") for part in parts)
            if parts[0] == "autograd" and (private or parts[1:2] in (["graph"], ["primitive"])):
                found.append(name)
    return found


def bare_exceptions(source: str) -> list[str]:
    """The comments that switch off a check without saying which, and why."""
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    switch = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:)")
    reasoned = re.compile(
        r"#\s*(noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|type:\s*ignore\[[\w, -]+\])[\s#(:]+\w+"
    )
    return [text for text in comments if switch.search(text) and not reasoned.search(text)]


@pytest.mark.parametrize("module", FILES)
def test_imports_point_downwards(module):
    assert upward_imports(module, FILES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "module", [name for name in FILES if name.split(".")[0] in ("nn", "vision")]
)
def test_packages_above_use_public_names_only(module):
    assert private_uses(FILES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "upward"),
    [
        ("autograd.kernels.pool", "import autograd.ops", ["autograd.ops"]),
        ("autograd.ops.conv", "from autograd.tensor import Tensor", ["autograd.tensor.Tensor"]),
        ("autograd.tensor", "def f():\n    import nn", ["nn"]),
        ("nn.module", "if 1:\n    from vision import datasets", ["vision.datasets"]),
        ("vision.datasets", "class A:\n    import demos.train", ["demos.train"]),
        ("autograd.graph", "def f():\n    from autograd import ops", []),
        ("autograd.graph", "from autograd import ops", ["autograd.ops"]),
        ("nn.module", "import autograd\nimport numpy", []),
        ("autograd.ops.a", "if TYPE_CHECKING:\n    import autograd.tensor", []),
    ],
)
def test_planted_imports_are_judged(module, source, upward):
    assert upward_imports(module, source) == upward


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("from autograd import graph", 1),
        ("from autograd.graph import state", 1),
        ("import autograd.primitive", 1),
        ("from autograd.tensor import _helper", 1),
        ("y = x._array", 1),
        ("self._hooks = []", 0),
        ("from autograd import Tensor, functional", 0),
        ("y = x.array", 0),
    ],
)
def test_planted_private_uses_are_found(source, count):
    assert len(private_uses(source)) == count


@pytest.mark.parametrize(
    "comment",
    ["noqa", "noqa: E501", "type: ignore", "type: ignore[attr-defined]", "pragma: no cover"],
)
def test_planted_bare_exceptions_are_found(comment):
    assert len(bare_exceptions(f"x = 1  # {comment}\n")) == 1


def test_exceptions_to_checks_give_a_reason():
    paths = [*FILES.values(), *(ROOT / "tests").glob("*.py")]
    found = {path.name: bare_exceptions(path.read_text(encoding="utf-8")) for path in paths}
    assert {name: comments for name, comments in found.items() if comments} == {}
    assert bare_exceptions("x = 1  # noqa: N801 (PyTorch's name)\n") == []
    assert bare_exceptions("x = 1  # type: ignore[misc]  # the stub is wrong\n") == []


def test_importing_the_library_imports_little():
    program = "import sys, autograd, nn; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    heavy = {"matplotlib", "graphviz", "hypothesis", "sklearn", "scipy", "torch", "PIL", "tqdm"}
    assert {"autograd", "nn", "numpy"} <= loaded
    assert loaded & (heavy | {"numba", "pytest", "safetensors", "vision", "demos"}) == set()


def test_nothing_else_lies_at_the_top():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split("/")[0] for line in done.stdout.splitlines()} <= TOP


def test_versions_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', project, re.MULTILINE)[1]
    assert re.search(r"^## (\d\S*)", changelog, re.MULTILINE)[1] == version
    assert autograd.__version__ == version
    try:
        assert metadata.version("ndgrad") == version
    except metadata.PackageNotFoundError:
        pytest.skip("ndgrad is not installed")


def test_packages_are_marked_as_typed():
    assert [
        name for name in ("autograd", "nn", "vision") if not (ROOT / name / "py.typed").exists()
    ] == []
