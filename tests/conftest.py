"""Settings of the whole test run: Hypothesis profiles, and a Matplotlib that needs no screen.

Choose a profile with ``HYPOTHESIS_PROFILE``: ``default`` (fresh examples in each run), ``ci`` (the
same examples in each run; chosen where ``CI`` is set), ``nightly`` (many examples).
"""

from __future__ import annotations

import os

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
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default")
)
