"""The benchmark of the loader runs, and its ways learn from the same images."""

from __future__ import annotations

import pytest

import autograd
from demos.benchmark import loader, measure
from demos.benchmark.measure import Settings


def test_the_part_runs(monkeypatch, capsys):
    monkeypatch.setattr(measure, "TURN", 0.0)
    monkeypatch.setattr(loader, "BATCH", 4)
    monkeypatch.setattr(loader, "SHAPES", {"small": (1, 8, 8)})
    before = autograd.get_num_threads(), autograd.get_kernels()
    try:
        figures = loader.loader(Settings(turns=1, threads=1, kernels=("numpy",)), batches=2)
    finally:
        autograd.set_num_threads(before[0])
        autograd.use_kernels(before[1])
    assert {figure.who for figure in figures} == {"in memory", "0 workers", "2 workers"}
    assert len(figures) == 3 * 3
    assert all(figure.value > 0 and figure.part == "loader" for figure in figures)
    assert "with 2 workers" in capsys.readouterr().out


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8)])
def test_noise_is_a_data_set(shape):
    image, label = loader.Noise(3, shape, None)[2]
    assert tuple(image.shape) == shape
    assert 0 <= label < 10
