"""Generated points: where they lie, how they are labelled, and that a seed repeats them."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from nn.data import DataLoader, TensorDataset
from vision.datasets import generators as G

ALL = [G.spiral, G.circle, G.line, G.zone, G.zone_3d, G.moons, G.polynomial]
NAMES = {make.__name__ for make in ALL}


def arrays(data: TensorDataset):
    return tuple(tensor.numpy() for tensor in data.tensors)


def test_all_are_here():
    assert set(G.__all__) == NAMES


@pytest.mark.parametrize("make", ALL)
def test_kinds_and_sizes(make):
    data = make(101)
    assert isinstance(data, TensorDataset)
    points, targets = data.tensors
    assert len(data) == 101
    assert points.dtype == autograd.float32
    if make is G.polynomial:
        assert (targets.dtype, tuple(targets.shape)) == (autograd.float32, (101, 1))
        assert tuple(points.shape) == (101, 1)
    else:
        assert (targets.dtype, tuple(targets.shape)) == (autograd.int64, (101,))
        assert tuple(points.shape) == (101, 3 if make is G.zone_3d else 2)
        assert set(targets.tolist()) == set(range(3 if make is G.spiral else 2))
    batch = next(iter(DataLoader(data, batch_size=10, shuffle=True)))
    assert [len(part) for part in batch] == [10, 10]


@pytest.mark.parametrize("make", ALL)
def test_seeds(make):
    """The same seed, the same points; and nobody else's random numbers change."""
    autograd.manual_seed(0)
    state = autograd.get_rng_state()
    first, again, other = (arrays(make(50, seed=seed)) for seed in (1, 1, 2))
    assert autograd.get_rng_state() == state
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("make", [G.spiral, G.circle, G.moons])
def test_classes_are_shared_out_and_mixed(make):
    labels = arrays(make(302))[1]
    assert np.ptp(np.bincount(labels)) <= 1
    assert (np.diff(labels) == 0).mean() > 0.2


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_spiral_without_noise(classes):
    points, labels = arrays(G.spiral(500, classes, noise=0, turns=1.5))
    radius = np.hypot(*points.T)
    angle = np.arctan2(points[:, 0], points[:, 1])
    turned = angle / (2 * np.pi) - 1.5 * radius - labels / classes
    np.testing.assert_allclose(np.exp(2j * np.pi * turned), 1, atol=1e-3)
    assert radius.max() <= 1
    assert radius.min() < 0.05 < 0.9 < radius.max()


def test_spiral_noise_turns_the_points():
    calm, shaken = (arrays(G.spiral(2000, noise=noise))[0] for noise in (0, 0.3))
    np.testing.assert_allclose(np.hypot(*calm.T), np.hypot(*shaken.T), atol=1e-6)
    turn = np.angle((shaken @ [1, 1j]) / (calm @ [1, 1j]))
    assert np.std(turn) == pytest.approx(0.3, abs=0.02)


def test_circle():
    points, labels = arrays(G.circle(400, inner=0.3, noise=0))
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 1, 0.3, 1), atol=1e-6)
    assert np.abs(points.mean(axis=0)).max() < 0.15
    noisy = arrays(G.circle(4000, noise=0.1))
    spread = np.hypot(*noisy[0][noisy[1] == 0].T)
    assert np.std(spread) == pytest.approx(0.1, abs=0.01)


def test_line():
    points, labels = arrays(G.line(500, slope=-0.5, intercept=0.2))
    np.testing.assert_array_equal(labels == 1, points[:, 1] > -0.5 * points[:, 0] + 0.2)
    assert np.abs(points).max() <= 1
    noisy, doubtful = arrays(G.line(500, slope=-0.5, intercept=0.2, noise=0.1))
    wrong = doubtful != (noisy[:, 1] > -0.5 * noisy[:, 0] + 0.2)
    assert 0 < wrong.mean() < 0.15
    assert np.abs(noisy[wrong, 1] + 0.5 * noisy[wrong, 0] - 0.2).max() < 0.5


@pytest.mark.parametrize(
    ("make", "center", "measure"),
    [(G.zone, (0.1, -0.2), np.pi / 4), (G.zone_3d, (0.1, 0, -0.1), np.pi / 6)],
)
def test_zones(make, center, measure):
    points, labels = arrays(make(3000, center=center, radius=0.7))
    distance = np.linalg.norm(points - np.array(center), axis=1)
    np.testing.assert_array_equal(labels == 1, distance < 0.7)
    share = measure * 0.7 ** len(center)
    assert labels.mean() == pytest.approx(share, abs=0.03)
    noisy, doubtful = arrays(make(3000, center=center, radius=0.7, noise=0.05))
    wrong = doubtful != (np.linalg.norm(noisy - np.array(center), axis=1) < 0.7)
    assert 0 < wrong.mean() < 0.1


def test_moons_as_in_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    points, labels = arrays(G.moons(400, noise=0))
    theirs, their_labels = datasets.make_moons(4000)
    for label in (0, 1):
        others = theirs[their_labels == label]
        distance = np.linalg.norm(points[labels == label][:, None] - others, axis=2).min(axis=1)
        assert distance.max() < 2e-3
    noisy = arrays(G.moons(400, noise=0.1))[0]
    assert noisy[:, 0].min() < -1


def test_polynomial():
    x, y = arrays(G.polynomial(3000, (1, -2, 0, 4), noise=0.25))
    error = y - (1 - 2 * x + 4 * x**3)
    assert np.std(error) == pytest.approx(0.25, abs=0.01)
    np.testing.assert_allclose(np.polyfit(x[:, 0], y[:, 0], 3)[::-1], [1, -2, 0, 4], atol=0.1)
    assert np.abs(x).max() <= 1
    constant = arrays(G.polynomial(5, (2,), noise=0))[1]
    np.testing.assert_array_equal(constant, np.full((5, 1), 2, np.float32))


@pytest.mark.parametrize("make", ALL)
def test_errors(make):
    for arguments in ({"samples": 0}, {"samples": 10, "noise": -1}):
        with pytest.raises(ValueError, match=f"^{make.__name__}: needs a point for each class"):
            make(**arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: G.spiral(5, 6), "5 points, 6 classes"),
        (lambda: G.spiral(5, 0), "0 classes"),
        (lambda: G.circle(inner=1), "inner must be above 0 and below 1"),
        (lambda: G.zone(center=(0, 0, 0)), "center must have 2 coordinates"),
        (lambda: G.zone_3d(radius=0), "radius be positive"),
        (lambda: G.polynomial(coefficients=()), "needs at least one coefficient"),
    ],
)
def test_particular_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
