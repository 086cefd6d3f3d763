"""`python -m demos.regression` on few points."""

from __future__ import annotations

import re

from demo_checks import is_png, refuses_the_usual_mistakes

from demos import regression


def test_finds_the_coefficients(tmp_path, capsys):
    assert regression.main(["--epochs", "500", "--out", str(tmp_path)]) == 0
    assert is_png(tmp_path / "regression.png")
    said = capsys.readouterr().out
    (found,) = re.findall(r"from the constant on: (.*); true", said)
    for value, true in zip(map(float, found.split(",")), regression.TRUE, strict=True):
        assert abs(value - true) < 0.15
    assert f"Files in {tmp_path}: regression.png" in said


def test_a_straight_line_cannot_follow(tmp_path, capsys):
    assert regression.main(["--epochs", "200", "--degree", "1", "--out", str(tmp_path)]) == 0
    errors = re.findall(r"(\d\.\d+) at last", capsys.readouterr().out)
    assert float(errors[0]) > 3 * float(errors[1])


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(regression, capsys, tmp_path)
