"""`python -m demos.classical` on few images."""

from __future__ import annotations

import re

from demo_checks import go_offline, is_png, refuses_the_usual_mistakes

from demos import classical

SMALL = ["--dataset", "digits", "--limit", "200"]


def test_compares(tmp_path, capsys):
    assert classical.main([*SMALL, "--epochs", "4", "--out", str(tmp_path)]) == 0
    assert is_png(tmp_path / "classical.png")
    rows = re.findall(r"^(.{24}) +(\d+\.\d\d)% +\S+ s +\S+ s$", capsys.readouterr().out, re.M)
    assert len(rows) == 4
    assert all(float(share) > 60 for _, share in rows)


def test_without_a_network(tmp_path, capsys, monkeypatch):
    go_offline(monkeypatch, tmp_path)
    out = str(tmp_path / "out")
    assert classical.main(["--limit", "100", "--epochs", "1", "--out", out]) == 0
    said = capsys.readouterr().out
    assert "Data: scikit-learn's handwritten digits, because mnist is not at hand" in said


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(classical, capsys, tmp_path, *SMALL)
