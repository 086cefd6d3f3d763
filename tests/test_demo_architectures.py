"""`python -m demos.architectures` on few images."""

from __future__ import annotations

import csv

from demo_checks import is_png, refused, refuses_the_usual_mistakes

from demos import architectures

SMALL = ["--dataset", "digits", "--limit", "80", "--models", "TinyCNN,LeNet5,SmallInception"]


def test_table_and_picture(tmp_path, capsys):
    assert architectures.main([*SMALL, "--epochs", "2", "--out", str(tmp_path)]) == 0
    assert is_png(tmp_path / "architectures.png")
    with (tmp_path / "architectures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["TinyCNN", "LeNet5", "SmallInception"]
    assert rows[0]["parameters"] == str(16 * 9 + 16 + 32 * 16 * 9 + 32 + 128 * 10 + 10)
    assert all(float(row["seconds_an_epoch"]) > 0 for row in rows)
    said = capsys.readouterr().out
    for row in rows:
        assert f"{float(row['accuracy']):.2%}" in said


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(architectures, capsys, tmp_path, *SMALL)
    out = ["--out", str(tmp_path)]
    line = refused(architectures, capsys, "--models", "TinyCNN,Nonsense", *out)
    assert "--models Nonsense: expected some of Net, TinyCNN" in line
    line = refused(architectures, capsys, "--dataset", "digits", "--models", "vgg11", *out)
    assert "needs images of at least 32 x 32 pixels, these have 8 x 8" in line
