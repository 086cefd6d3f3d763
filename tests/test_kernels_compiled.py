"""Where compiled code is kept."""

from __future__ import annotations

import pytest

pytest.importorskip("numba")

import numba

from autograd.kernels import compiled, numba_select


def test_other_sources_have_another_folder(tmp_path, monkeypatch):
    """A function uses code of files that Numba does not look at."""
    monkeypatch.setattr(compiled, "HERE", tmp_path)
    (tmp_path / "first.py").write_text("x = 1\n")
    (tmp_path / "second.py").write_text("y = 1\n")
    before = compiled.folder()
    assert compiled.folder() == before
    (tmp_path / "second.py").write_text("y = 2\n")
    assert compiled.folder() != before


def test_the_folder_of_the_user_is_the_one(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiled.folder().parent == tmp_path


def test_functions_are_kept_there():
    assert str(compiled.FOLDER) in numba_select.raise_to_zero.stats.cache_path
