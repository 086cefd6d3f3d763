"""The demonstration of testing an operation of one's own."""

from __future__ import annotations

from demos import custom_op
from demos.custom_op import TestScale  # noqa: F401 (pytest runs it)


def test_it_shows_both_mistakes_and_the_mended_version(capsys):
    custom_op.main()
    shown = capsys.readouterr().out
    first, second, last = (
        shown.split(f"{name}\n")[1] for name in ("FirstTry", "SecondTry", "Scale")
    )
    assert "missing sum over a broadcast axis" in first.split("SecondTry")[0]
    assert "half of what it should be" in second
    assert "CORRECT (all derivatives up to order 2)" in last
    assert "Scale passes 11 tests" in last
