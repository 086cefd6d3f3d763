"""A failing example comes again: from the seed that a run prints, or in each run of a profile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = """
from hypothesis import Phase, given, settings, strategies as st

as_drawn = settings(phases=[Phase.generate])  # not shrunk to the same

@as_drawn
@given(st.integers(0, 10**9))
def test_planted(n):
    assert n % 3 != 2

def test_inside():
    @as_drawn
    @given(st.integers(0, 10**9))
    def check(n):
        assert n % 3 != 1
    check()

def test_examples():
    assert settings.default.max_examples == {examples}
"""


@pytest.fixture
def run(tmp_path):
    """Runs planted failures under this suite's conftest; what was drawn, and what was printed."""
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)

    def run(*options, examples=30):
        (tmp_path / "test_planted.py").write_text(PLANTED.format(examples=examples))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=tmp_path,
            env={**os.environ, "CI": "", "HYPOTHESIS_PROFILE": "default"},
            capture_output=True,
            text=True,
        )
        shown = done.stdout
        assert "2 failed, 1 passed" in shown, shown + done.stderr
        shutil.rmtree(tmp_path / ".hypothesis", ignore_errors=True)  # no examples from before
        return re.findall(r"\bn=(\d+)", shown), shown

    return run


def test_a_failing_example_comes_again_from_the_printed_seed(run):
    first, shown = run()
    assert len(first) == 2
    assert run()[0] != first
    (again,) = set(re.findall(r"Hypothesis draws these again: (.*)", shown))
    assert "reproduce_failure" in shown
    assert run(*again.split())[0] == first


def test_the_same_examples_in_each_run_of_the_profile_for_ci(run):
    first, shown = run("--hypothesis-profile=ci", examples=50)
    assert "draws the same examples in each run: --hypothesis-profile=ci" in shown
    assert run("--hypothesis-profile=ci", examples=50)[0] == first


def test_the_nightly_profile_digs_deeper(run):
    run("--hypothesis-profile=nightly", examples=2000)
