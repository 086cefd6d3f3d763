"""`python -m demos.spiral` on few points."""

from __future__ import annotations

import pytest
from demo_checks import is_gif, is_png, refused, refuses_the_usual_mistakes

from demos import spiral

SMALL = ["--points", "60", "--frames", "3"]


@pytest.mark.parametrize("shape", spiral.SHAPES)
def test_pictures(shape, tmp_path, capsys):
    arguments = [*SMALL, "--shape", shape, "--epochs", "4", "--out", str(tmp_path)]
    assert spiral.main(arguments) == 0
    assert is_gif(tmp_path / "boundary.gif")
    assert is_png(tmp_path / "boundary.png")
    assert (
        f"Files in {tmp_path}: boundary.gif (3 pictures), boundary.png" in capsys.readouterr().out
    )


def test_it_learns(tmp_path, capsys):
    """With each picture the boundary changes, and the points end on their sides."""
    from PIL import Image, ImageSequence

    assert spiral.main([*SMALL, "--epochs", "200", "--out", str(tmp_path)]) == 0
    with Image.open(tmp_path / "boundary.gif") as animation:
        frames = [frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(animation)]
    assert len(set(frames)) == 3
    assert "spiral: 100.00% of 60 points right" in capsys.readouterr().out


def test_seed(tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        out = str(tmp_path / name)
        assert spiral.main([*SMALL, "--epochs", "3", "--seed", seed, "--out", out]) == 0
    first, same, other = (
        (tmp_path / name / "boundary.png").read_bytes() for name in ("a", "b", "c")
    )
    assert first == same
    assert first != other


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(spiral, capsys, tmp_path, *SMALL)
    assert "invalid choice: 'square'" in refused(spiral, capsys, "--shape", "square")
    assert "needs a point for each class" in refused(
        spiral, capsys, "--points", "2", "--out", str(tmp_path)
    )
