"""The split of CIFAR-10 in three, and what a damaged file is answered with."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from nn.data import random_split
from vision.datasets import CIFAR10, MNIST, stratified_split
from vision.datasets import cifar as cifar_module


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A folder that looks like CIFAR-10: black images, labels in turn."""
    for name in (*(f"data_batch_{batch}" for batch in range(1, 6)), "test_batch"):
        (tmp_path / f"{name}.bin").touch()
    content = np.zeros((10_000, 3, 32, 32), np.uint8), (np.arange(10_000) % 10).astype(np.uint8)
    monkeypatch.setattr(cifar_module, "read_batch", lambda path, classes: content)
    return tmp_path


def test_forty_ten_and_ten_thousand(cifar):
    train, test = CIFAR10(cifar), CIFAR10(cifar, train=False)
    parts = stratified_split(train, (40_000, 10_000))
    assert [len(part) for part in (*parts, test)] == [40_000, 10_000, 10_000]
    assert len({*parts[0].indices, *parts[1].indices}) == 50_000
    for part, share in zip(parts, (4_000, 1_000), strict=True):
        labels = train.targets.numpy()[part.indices]
        np.testing.assert_array_equal(np.bincount(labels), share)
    assert [len(part) for part in random_split(train, [0.8, 0.2])] == [40_000, 10_000]
    image, label = parts[0][0]
    assert image.dtype == np.float32
    assert tuple(image.shape) == (3, 32, 32)
    assert label == int(train.targets[parts[0].indices[0]])


def test_a_damaged_file_stays_and_tells_what_to_do(tmp_path):
    image_bytes = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(784)
    whole = gzip.compress(image_bytes)
    images = tmp_path / "train-images-idx3-ubyte.gz"
    images.write_bytes(whole[: len(whole) // 2])
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]))
    with pytest.raises(ValueError, match="train-images.*; it is left as it is: remove it, and"):
        MNIST(tmp_path, download=True)
    assert images.read_bytes() == whole[: len(whole) // 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte",
    ]
