"""`python -m demos.pytorch_twin` on few images."""

from __future__ import annotations

import re

import pytest
from demo_checks import is_png, refused, refuses_the_usual_mistakes

from demos import pytorch_twin

SMALL = ["--dataset", "digits", "--limit", "60", "--epochs", "2"]


@pytest.mark.parametrize("network", list(pytorch_twin.CHOICES))
def test_without_pytorch(network, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(pytorch_twin, "torch_if_installed", lambda threads: None)
    arguments = [*SMALL, "--network", network, "--out", str(tmp_path)]
    assert pytorch_twin.main(arguments) == 0
    said = capsys.readouterr().out
    assert "PyTorch is not installed: this library runs alone" in said
    assert "PyTorch 2" not in said
    assert is_png(tmp_path / "twin.png")


def test_curves_lie_on_each_other(tmp_path, capsys):
    pytest.importorskip("torch")
    assert pytorch_twin.main([*SMALL, "--out", str(tmp_path)]) == 0
    rows = re.findall(r"(\d+\.\d+) +(\d+\.\d+)%$", capsys.readouterr().out, re.M)
    (our_loss, our_share), (their_loss, their_share) = rows
    assert float(our_loss) == pytest.approx(float(their_loss), abs=2e-3)
    assert float(our_share) == pytest.approx(float(their_share), abs=2)
    assert is_png(tmp_path / "twin.png")


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(pytorch_twin, capsys, tmp_path, *SMALL[:4])
    line = refused(pytorch_twin, capsys, "--dataset", "fake", "--out", str(tmp_path))
    assert "grey images of at most 28 x 28 pixels" in line
