"""`python -m demos.initialisations` on few images."""

from __future__ import annotations

import pytest
from demo_checks import is_png, refused, refuses_the_usual_mistakes

import autograd
from demos import initialisations

SMALL = ["--limit", "300", "--depth", "8"]


def test_compares(tmp_path, capsys):
    assert initialisations.main([*SMALL, "--epochs", "12", "--out", str(tmp_path)]) == 0
    assert is_png(tmp_path / "initialisations.png")
    said = capsys.readouterr().out
    rows = {line[:16].strip(): line[16:].split() for line in said.splitlines() if line[-1:] == "%"}
    assert list(rows) == list(initialisations.SCHEMES)
    assert float(rows["zeros"][2]) == pytest.approx(2.303, abs=0.01)
    assert rows["normal, 1"][2] == "nan"
    assert float(rows["Kaiming normal"][2]) < 1


def test_kaiming_keeps_the_spread():
    autograd.manual_seed(0)
    images = autograd.rand(200, 1, 8, 8)
    last = {
        name: initialisations.spread(initialisations.make_network(64, 10, 10, name), images)[-1]
        for name in initialisations.SCHEMES
    }
    assert last["zeros"] == 0
    assert last["normal, 0.01"] < 1e-9
    assert last["normal, 1"] > 1e4
    assert 0.05 < last["Kaiming normal"] < 1
    assert last["Xavier normal"] < last["Kaiming normal"] / 4


def test_mistakes(capsys, tmp_path):
    assert "expected a number above 0, got '-1'" in refused(initialisations, capsys, "--lr", "-1")
    refuses_the_usual_mistakes(initialisations, capsys, tmp_path, *SMALL)
    line = refused(initialisations, capsys, "--dataset", "no/such", "--out", str(tmp_path))
    assert "--dataset no/such: expected auto, mnist" in line
