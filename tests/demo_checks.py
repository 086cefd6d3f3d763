"""What the tests of demos have in common."""

from __future__ import annotations

import pytest

from vision.datasets import CIFAR10, MNIST

__all__ = ["go_offline", "is_gif", "is_png", "refused", "refuses_the_usual_mistakes"]


def is_png(path) -> bool:
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def is_gif(path) -> bool:
    return path.read_bytes().startswith(b"GIF89a")


def go_offline(monkeypatch, tmp_path) -> None:
    """Neither data sets on this machine nor a network."""
    monkeypatch.setenv("NDGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for kind in (MNIST, CIFAR10):
        monkeypatch.setattr(kind, "mirrors", ("http://127.0.0.1:1/",))


def refused(module, capsys, *arguments) -> str:
    """The one line that a demo ends with."""
    with pytest.raises(SystemExit) as caught:
        module.main(list(arguments))
    code = caught.value.code
    line = code if isinstance(code, str) else capsys.readouterr().err
    assert code not in (0, None)
    assert line.startswith(f"python -m {module.__name__}: ")
    assert line.strip().count("\n") == 0
    return line


def refuses_the_usual_mistakes(module, capsys, tmp_path, *small) -> None:
    """Options that are no numbers, and a file where the folder shall be."""
    assert "at least 1, got '-1'" in refused(module, capsys, "--epochs", "-1")
    for seed in ("x", "-1", "1.5"):
        line = refused(module, capsys, "--seed", seed)
        assert f"argument --seed: expected a whole number of at least 0, got '{seed}'" in line
    assert "unrecognized arguments: --bogus" in refused(module, capsys, "--bogus")
    (tmp_path / "file").write_text("mine")
    for place in ("file", "file/below"):
        line = refused(module, capsys, *small, "--out", str(tmp_path / place))
        assert f"{tmp_path / 'file'} is a file, expected a folder" in line
    assert (tmp_path / "file").read_text() == "mine"
