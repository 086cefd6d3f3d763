"""Settings of the whole test run: Hypothesis profiles and seed, a Matplotlib that needs no screen.

Choose a profile with ``--hypothesis-profile=`` or ``HYPOTHESIS_PROFILE=``: ``default`` (fresh
examples in each run), ``ci`` (the same examples in each run; chosen where ``CI`` is set),
``nightly`` (many examples), ``traced`` (few, for coverage, which takes twice the time). Fresh
examples follow from a seed, which is printed at the head of the run, and again at its end if a test
failed: ``--hypothesis-seed=`` draws the same ones.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

settings.register_profile(
    "default",
    parent=settings.get_profile("default"),
    deadline=None,
    max_examples=30,
    print_blob=True,
    derandomize=False,
)
settings.register_profile(
    "ci", parent=settings.get_profile("default"), max_examples=50, derandomize=True, database=None
)
settings.register_profile(
    "nightly",
    parent=settings.get_profile("default"),
    max_examples=2000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("traced", parent=settings.get_profile("default"), max_examples=10)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default")
)


def again(config: pytest.Config) -> str:
    """How to draw the examples of this run once more."""
    profile = settings.get_current_profile_name()
    if settings.default.derandomize:
        return f"Hypothesis draws the same examples in each run: --hypothesis-profile={profile}"
    seed = config.getoption("--hypothesis-seed")
    return f"Hypothesis draws these again: --hypothesis-profile={profile} --hypothesis-seed={seed}"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed before Hypothesis reads the option."""
    if config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))


def pytest_report_header(config: pytest.Config) -> str:
    return again(config)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    if exitstatus:
        terminalreporter.write_line(again(config))
