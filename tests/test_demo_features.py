"""`python -m demos.features` on few images."""

from __future__ import annotations

from demo_checks import is_png, refused, refuses_the_usual_mistakes

import autograd
from demos import features
from vision.models import QuickStartCNN, TinyCNN

SMALL = ["--dataset", "digits", "--limit", "200"]


def test_pictures(tmp_path, capsys):
    assert features.main([*SMALL, "--epochs", "2", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for name in features.PICTURES:
        assert is_png(tmp_path / f"{name}.png")
        assert f"{name}.png" in said
    assert said.count("of the last convolution") == 5


def test_weights_from_a_file(tmp_path, capsys):
    """Nothing is trained then; weights of another network are refused."""
    autograd.manual_seed(1)
    path = tmp_path / "weights.npz"
    autograd.save(QuickStartCNN((1, 8, 8), 10).state_dict(), path)
    arguments = [*SMALL, "--weights", str(path), "--out", str(tmp_path / "out")]
    assert features.main(arguments) == 0
    assert "epoch" not in capsys.readouterr().err
    autograd.save(TinyCNN((1, 8, 8), 10).state_dict(), path)
    line = refused(features, capsys, *arguments)
    assert f"{path} does not fit QuickStartCNN" in line
    path.write_text("text")
    assert str(path) in refused(features, capsys, *arguments)
    path.unlink()
    assert str(path) in refused(features, capsys, *arguments)


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(features, capsys, tmp_path, *SMALL)
    assert "invalid choice: 'Nonsense'" in refused(features, capsys, "--model", "Nonsense")
