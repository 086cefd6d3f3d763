"""`python -m demos.transfer` on few images."""

from __future__ import annotations

import re

import numpy as np
from demo_checks import go_offline, is_png, refuses_the_usual_mistakes

from demos import transfer

SMALL = ["--each", "3", "--limit", "500", "--first-epochs", "8"]


def test_without_a_network(tmp_path, capsys, monkeypatch):
    """The digits 0 to 4 stand in for MNIST; a new head alone tells 5 to 9 apart."""
    go_offline(monkeypatch, tmp_path)
    out = tmp_path / "out"
    assert transfer.main([*SMALL, "--epochs", "6", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "the digits 0 to 4, then 5 to 9, because MNIST is not at hand" in said
    rows = re.findall(r"^(.*): (\d+\.\d\d)% of \d+ right, ([\d,]+) values trained", said, re.M)
    assert [name for name, *_ in rows] == [
        "from nothing",
        "new head, rest frozen",
        "new head, all layers free",
    ]
    shares = [float(share) for _, share, _ in rows]
    assert min(shares) > 40  # a guess is right in 20
    assert rows[1][2] == "425"  # 84 * 5 weights and 5 biases
    assert is_png(out / "transfer.png")


def test_digits_are_made_like_mnist():
    images = np.zeros((2, 1, 8, 8), np.float32)
    images[1] = 1
    larger = transfer.enlarged(images)
    assert larger.shape == (2, 1, 28, 28)
    assert larger[1, 0, 4:24, 4:24].min() == 1
    assert larger.sum() == 400


def test_mistakes(capsys, tmp_path, monkeypatch):
    go_offline(monkeypatch, tmp_path)
    refuses_the_usual_mistakes(transfer, capsys, tmp_path, *SMALL)
