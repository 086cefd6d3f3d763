"""Points in the plane and in space, to see a small network learn.

Each function draws the same points for the same seed, and nothing else is drawn from: a
`nn.data.TensorDataset` of float32 points (N, D) and int64 labels (N,), of the regression float32
values (N, 1). ``points, labels = data.tensors`` gives both at once. The points come in random
order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import from_numpy
from nn.data import TensorDataset

__all__ = ["circle", "line", "moons", "polynomial", "spiral", "zone", "zone_3d"]


def spiral(
    samples: int = 300, classes: int = 3, *, noise: float = 0.2, turns: float = 0.64, seed: int = 0
) -> TensorDataset:
    """Arms of a spiral, a class each: ``r (sin(a), cos(a))`` with ``r`` from 0 to 1.

    The angle ``a = 2 pi (turns r + k / classes) + noise z`` grows with the radius; ``z`` is normal.

    Args:
        samples: how many points in all; the first classes get what cannot be shared out.
        classes: how many arms.
        noise: the standard deviation of the angle in radians.
        turns: how often an arm goes round.
        seed: the same seed gives the same points.

    Raises:
        ValueError: fewer points than classes, no classes, or negative noise.

    Source: A. Karpathy, CS231n: convolutional neural networks for visual recognition, 2015.

    Example:
        >>> points, labels = spiral(300).tensors
        >>> tuple(points.shape), labels.bincount()
        ((300, 2), tensor([100, 100, 100]))
    """
    check("spiral", samples, classes, noise)
    random, labels = np.random.default_rng(seed), shared_out(samples, classes)
    radius = random.random(samples)
    angle = 2 * np.pi * (turns * radius + labels / classes) + noise * random.normal(size=samples)
    points = radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    return shuffled(random, points, labels)


def circle(
    samples: int = 300, *, inner: float = 0.5, noise: float = 0.08, seed: int = 0
) -> TensorDataset:
    """A circle of radius `inner` (class 1) within one of radius 1 (class 0).

    Args:
        samples: how many points in all.
        inner: above 0 and below 1.
        noise: the standard deviation of each coordinate.
        seed: the same seed gives the same points.

    Raises:
        ValueError: fewer than 2 points, an inner radius out of range, or negative noise.

    Example:
        >>> points, labels = circle(4, noise=0).tensors
        >>> (points**2).sum(dim=1).sqrt().sort().values
        tensor([0.5000, 0.5000, 1.0000, 1.0000])
    """
    check("circle", samples, 2, noise)
    if not 0 < inner < 1:
        raise ValueError(f"circle: inner must be above 0 and below 1, got {inner}")
    random, labels = np.random.default_rng(seed), shared_out(samples, 2)
    angle = 2 * np.pi * random.random(samples)
    radius = np.where(labels == 1, inner, 1.0)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return shuffled(random, points + noise * random.normal(size=points.shape), labels)


def line(
    samples: int = 300,
    *,
    slope: float = 1.0,
    intercept: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> TensorDataset:
    """Points of the square [-1, 1] x [-1, 1], above a line (class 1) or not (class 0).

    Args:
        samples: how many points.
        slope: of the line ``y = slope x + intercept``.
        intercept: likewise.
        noise: the standard deviation of the height at which a point is judged.
        seed: the same seed gives the same points.

    Raises:
        ValueError: no points, or negative noise.

    Example:
        >>> points, labels = line(100, slope=2).tensors
        >>> bool(((points[:, 1] > 2 * points[:, 0]) == (labels == 1)).all())
        True
    """
    check("line", samples, 1, noise)
    random = np.random.default_rng(seed)
    points = plane(random, samples, 2)
    height = points[:, 1] + noise * random.normal(size=samples)
    return dataset(points, height > slope * points[:, 0] + intercept)


def zone(
    samples: int = 300,
    *,
    center: Sequence[float] = (0.0, 0.0),
    radius: float = 0.6,
    noise: float = 0.0,
    seed: int = 0,
) -> TensorDataset:
    """Points of the square [-1, 1] x [-1, 1], inside a disc (class 1) or not (class 0).

    Args:
        samples: how many points.
        center: of the disc.
        radius: of the disc.
        noise: the standard deviation of the distance by which a point is judged.
        seed: the same seed gives the same points.

    Raises:
        ValueError: no points, a centre that has not 2 coordinates, a radius that is not positive,
            or negative noise.

    Example:
        >>> points, labels = zone(100).tensors
        >>> bool((((points**2).sum(dim=1) < 0.36) == (labels == 1)).all())
        True
    """
    return ball("zone", samples, center, 2, radius, noise, seed)


def zone_3d(
    samples: int = 600,
    *,
    center: Sequence[float] = (0.0, 0.0, 0.0),
    radius: float = 0.8,
    noise: float = 0.0,
    seed: int = 0,
) -> TensorDataset:
    """Points of the cube [-1, 1]^3, inside a ball (class 1) or not (class 0).

    Args:
        samples: how many points.
        center: of the ball.
        radius: of the ball.
        noise: the standard deviation of the distance by which a point is judged.
        seed: the same seed gives the same points.

    Raises:
        ValueError: no points, a centre that has not 3 coordinates, a radius that is not positive,
            or negative noise.

    Example:
        >>> points, labels = zone_3d(100).tensors
        >>> tuple(points.shape)
        (100, 3)
    """
    return ball("zone_3d", samples, center, 3, radius, noise, seed)


def moons(samples: int = 300, *, noise: float = 0.1, seed: int = 0) -> TensorDataset:
    """Two half circles that reach into each other, a class each.

    Class 0 is ``(cos a, sin a)``, class 1 ``(1 - cos a, 1/2 - sin a)``, ``a`` from 0 to pi, as in
    scikit-learn's `make_moons`.

    Args:
        samples: how many points in all.
        noise: the standard deviation of each coordinate.
        seed: the same seed gives the same points.

    Raises:
        ValueError: fewer than 2 points, or negative noise.

    Example:
        >>> points, labels = moons(100).tensors
        >>> labels.bincount()
        tensor([50, 50])
    """
    check("moons", samples, 2, noise)
    random, labels = np.random.default_rng(seed), shared_out(samples, 2)
    angle = np.pi * random.random(samples)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    points = np.where(labels[:, None] == 1, lower, upper)
    return shuffled(random, points + noise * random.normal(size=points.shape), labels)


def polynomial(
    samples: int = 200,
    coefficients: Sequence[float] = (0.5, -1.0, 0.0, 2.0),
    *,
    noise: float = 0.1,
    seed: int = 0,
) -> TensorDataset:
    """Values ``c[0] + c[1] x + c[2] x^2 + ... + noise z`` (N, 1) at ``x`` (N, 1) in [-1, 1].

    Args:
        samples: how many points.
        coefficients: ``c``, from the constant on; at least one.
        noise: the standard deviation of what is added; ``z`` is normal.
        seed: the same seed gives the same points.

    Raises:
        ValueError: no points, no coefficients, or negative noise.

    Example:
        >>> x, y = polynomial(50, (1, 0, 3), noise=0).tensors
        >>> bool((y - (1 + 3 * x**2)).abs().max() < 1e-6)
        True
    """
    check("polynomial", samples, 1, noise)
    if len(coefficients) < 1:
        raise ValueError("polynomial: needs at least one coefficient, got none")
    random = np.random.default_rng(seed)
    x = plane(random, samples, 1)
    y = sum(c * x**power for power, c in enumerate(coefficients))
    values = y + noise * random.normal(size=x.shape)
    return TensorDataset(from_numpy(x), from_numpy(np.asarray(values, np.float32)))


def ball(
    name: str,
    samples: int,
    center: Sequence[float],
    dimensions: int,
    radius: float,
    noise: float,
    seed: int,
) -> TensorDataset:
    """Points of a square or cube, labelled by whether they lie in a disc or ball."""
    check(name, samples, 1, noise)
    if len(center) != dimensions or not radius > 0:
        raise ValueError(
            f"{name}: center must have {dimensions} coordinates and radius be positive, "
            f"got {center} and {radius}"
        )
    random = np.random.default_rng(seed)
    points = plane(random, samples, dimensions)
    distance = np.sqrt(((points - np.array(center)) ** 2).sum(axis=1))
    return dataset(points, distance + noise * random.normal(size=samples) < radius)


def check(name: str, samples: int, classes: int, noise: float) -> None:
    """Refuse what gives no points."""
    if classes < 1 or samples < classes or noise < 0:
        raise ValueError(
            f"{name}: needs a point for each class and noise that is not negative, got "
            f"{samples} points, {classes} classes and noise {noise}"
        )


def plane(random: np.random.Generator, samples: int, dimensions: int) -> NDArray[np.float32]:
    """Points spread evenly over [-1, 1] in each dimension, exact in float32."""
    return (2 * random.random((samples, dimensions)) - 1).astype(np.float32)


def shared_out(samples: int, classes: int) -> NDArray[np.int64]:
    """Labels 0, 1, ... in turn."""
    return np.arange(samples) % classes


def shuffled(
    random: np.random.Generator, points: NDArray[Any], labels: NDArray[Any]
) -> TensorDataset:
    """The points in random order."""
    order = random.permutation(len(labels))
    return dataset(points[order], labels[order])


def dataset(points: NDArray[Any], labels: NDArray[Any]) -> TensorDataset:
    """Points and labels as a data set."""
    return TensorDataset(from_numpy(points.astype(np.float32)), from_numpy(labels.astype(np.int64)))
