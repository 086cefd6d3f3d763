"""The README does what it says: every snippet runs and prints what stands beside it."""

from __future__ import annotations

import doctest
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def code_lines(text: str) -> list[str]:
    """The lines of a text with everything outside its Python snippets blanked out."""
    lines = []
    inside = False
    for line in text.splitlines():
        fence = line.startswith("```")
        lines.append(line if inside and not fence else "")
        inside = line == "```python" or (inside and not fence)
    return lines


def test_snippets_run_in_order_and_print_what_they_say(tmp_path):
    lines = code_lines(README)
    expected = [m[1] for line in lines if (m := re.match(r"\s*print\(.*\)  # (.*)", line))]
    script = tmp_path / "README.py"  # its line numbers are those of the README
    script.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    wanted, got = "\n".join(expected) + "\n", done.stdout
    assert doctest.OutputChecker().check_output(wanted, got, flags), f"{got}\nexpected\n{wanted}"
    assert (tmp_path / "step.dot").read_text(encoding="utf-8").startswith("digraph")


def test_tour_is_short():
    (tour,) = re.findall(r"^## Five-minute tour\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert 0 < sum(map(bool, code_lines(tour))) <= 60


def test_readme_opens_with_the_two_commands():
    commands = [line for line in README.splitlines() if line.startswith("pip install -e")]
    assert commands == [
        'pip install -e ".[demos]" && python -m demos.train',
        'pip install -e ".[test]" && pytest',
    ]
    assert README.index(commands[0]) < README.index("\n## ")


def test_names_in_the_table_exist():
    rows = re.findall(r"^\| .* \| (`.*`) \|$", README, re.MULTILINE)
    names = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
    assert len(names) > 10
    for name in names:
        pkgutil.resolve_name(name)


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    local = [target for target in targets if not target.startswith("https://")]
    assert local
    assert [target for target in local if not (ROOT / target).exists()] == []
