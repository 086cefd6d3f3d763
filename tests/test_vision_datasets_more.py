"""More data sets: clothes, CIFAR-10, SVHN, folders, noise; subsets, splits, resumed downloads."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from nn.data import DataLoader
from vision import transforms as T
from vision.datasets import (
    CIFAR10,
    MNIST,
    SVHN,
    DatasetNotFoundError,
    Digits,
    FakeData,
    FashionMNIST,
    ImageFolder,
    VisionDataset,
    stratified_split,
)
from vision.datasets.download import DownloadError, download
from vision.datasets.legacy_pickle import read_pickle

BATCHES = [f"data_batch_{i}" for i in range(1, 6)]


class Server:
    """Files on 127.0.0.1, from where a request asks; breaks off after so many bytes if told."""

    def __init__(self, files, resumes=True) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self.files, self.resumes, self.break_after = files, resumes, None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked = self.headers.get("Range")
                outer.requests.append((self.path, asked))
                content = outer.files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                start = int(asked[6:-1]) if asked and outer.resumes else 0
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                end = len(content) if outer.break_after is None else start + outer.break_after
                self.wfile.write(content[start:end])

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def names_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Downloads that are resumed

CONTENT = np.random.default_rng(0).bytes(1000)


@pytest.mark.parametrize("checksum", [md5(CONTENT), hashlib.sha256(CONTENT).hexdigest()])
def test_resume(tmp_path, checksum):
    """What has come before a transfer broke off is not fetched again."""
    with Server({"a": CONTENT}) as server:
        server.break_after = 300
        for received in (300, 600, 900):
            with pytest.raises(DownloadError, match=f"broke off after {received} of 1000 bytes"):
                download([f"{server.url}a"], tmp_path / "a", checksum)
            assert names_in(tmp_path) == [".a.part"]
        path = download([f"{server.url}a"], tmp_path / "a", checksum)
        assert path.read_bytes() == CONTENT
        asked = [request[1] for request in server.requests]
        assert asked == [None, "bytes=300-", "bytes=600-", "bytes=900-"]
    assert names_in(tmp_path) == ["a"]


def test_resume_from_another_mirror(tmp_path):
    with Server({"a": CONTENT}) as first, Server({"a": CONTENT}) as second:
        first.break_after = 400
        urls = [f"{first.url}a", f"{second.url}a"]
        assert download(urls, tmp_path / "a", md5(CONTENT)).read_bytes() == CONTENT
        assert second.requests == [("/a", "bytes=400-")]


@pytest.mark.parametrize("resumes", [True, False])
@pytest.mark.parametrize("kept", [b"something else", CONTENT[:200] + b"x" * 900, CONTENT + b"more"])
def test_a_part_that_does_not_fit_is_replaced(tmp_path, kept, resumes):
    (tmp_path / ".a.part").write_bytes(kept)
    with Server({"a": CONTENT}, resumes) as server:
        path = download([f"{server.url}a"], tmp_path / "a", md5(CONTENT))
    assert path.read_bytes() == CONTENT
    assert names_in(tmp_path) == ["a"]


def test_a_server_that_cannot_resume_is_asked_once(tmp_path):
    (tmp_path / ".a.part").write_bytes(CONTENT[:300])
    with Server({"a": CONTENT}, resumes=False) as server:
        path = download([f"{server.url}a"], tmp_path / "a", md5(CONTENT))
        assert len(server.requests) == 1
    assert path.read_bytes() == CONTENT


def test_a_part_that_is_whole_needs_no_network(tmp_path):
    (tmp_path / ".a.part").write_bytes(CONTENT)
    with Server({}) as server:
        download([f"{server.url}a"], tmp_path / "a", md5(CONTENT))
        assert server.requests == []
    assert names_in(tmp_path) == ["a"]


def test_a_part_outlives_a_server_that_is_gone(tmp_path):
    (tmp_path / ".a.part").write_bytes(CONTENT[:10])
    with Server({}) as server, pytest.raises(DownloadError, match="404"):
        download([f"{server.url}a"], tmp_path / "a", md5(CONTENT))
    assert (tmp_path / ".a.part").read_bytes() == CONTENT[:10]


def test_a_wrong_file_is_not_kept(tmp_path):
    with (
        Server({"a": b"wrong"}) as server,
        pytest.raises(DownloadError, match=f"has MD5 {md5(b'wrong')}, expected {md5(CONTENT)}"),
    ):
        download([f"{server.url}a"], tmp_path / "a", md5(CONTENT))
    assert names_in(tmp_path) == []


# Fashion-MNIST


def idx_bytes(array) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def test_fashion_mnist_fetches_with_the_published_sums(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    contents = [idx_bytes(images), idx_bytes(np.arange(5, dtype=np.uint8) + 5)]
    packed = [gzip.compress(content) for content in contents]
    names = list(FashionMNIST.checksums)
    sums = {**FashionMNIST.checksums, **dict(zip(names, map(md5, packed), strict=False))}
    monkeypatch.setattr(FashionMNIST, "checksums", sums)
    with Server({f"{name}.gz": part for name, part in zip(names, packed, strict=False)}) as server:
        monkeypatch.setattr(FashionMNIST, "mirrors", (server.url,))
        data = FashionMNIST(tmp_path, download=True)
        assert len(FashionMNIST(tmp_path, download=True)) == 5
        assert len(server.requests) == 2
    np.testing.assert_array_equal(data.data.numpy(), images)
    assert [data.classes[data[i][1]] for i in (0, 4)] == ["Sandal", "Ankle boot"]
    assert names_in(tmp_path) == ["FashionMNIST"]
    with pytest.raises(DatasetNotFoundError, match="^FashionMNIST: "):
        FashionMNIST(tmp_path, train=False)


# CIFAR-10


def small_cifar(count=4):
    """For each file its labels and pixels."""
    random = np.random.default_rng(1)
    return {
        name: (
            random.integers(0, 10, count, np.uint8),
            random.integers(0, 256, (count, 3072), np.uint8),
        )
        for name in [*BATCHES, "test_batch"]
    }


def old_pickle(labels, pixels) -> bytes:
    """A batch as Python 2 with NumPy 1 wrote it: protocol 2, strings of bytes."""

    def text(value: bytes) -> bytes:
        head = (
            b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<i", len(value))
        )
        return head + value

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x01(cnumpy\nndarray\nq\x02K\x00\x85"
        + text(b"b")
        + b"tRq\x03(K\x01"
        + b"M"
        + struct.pack("<H", len(pixels))
        + b"M\x00\x0c\x86"
        + b"cnumpy\ndtype\nq\x04"
        + text(b"u1")
        + b"K\x00K\x01\x87Rq\x05"
        + b"(K\x03"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + text(pixels.tobytes())
        + b"tb"
    )
    numbers = b"]q\x06(" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return (
        b"\x80\x02}q\x00("
        + text(b"batch_label")
        + text(b"training batch 1 of 5")
        + text(b"data")
        + array
        + text(b"labels")
        + numbers
        + text(b"filenames")
        + b"]("
        + b"".join(text(b"a.png") for _ in labels)
        + b"e"
        + b"u."
    )


def binary(labels, pixels) -> bytes:
    return np.concatenate([labels[:, None], pixels], axis=1).tobytes()


def put_cifar(folder, version) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (labels, pixels) in small_cifar().items():
        if version == "bin":
            (folder / f"{name}.bin").write_bytes(binary(labels, pixels))
        elif version == "old":
            (folder / name).write_bytes(old_pickle(labels, pixels))
        else:
            batch = {b"data": pixels, b"labels": labels.tolist(), b"batch_label": b"training"}
            (folder / name).write_bytes(pickle.dumps(batch, protocol=version))


def test_old_pickle_is_a_pickle():
    """The file that stands for Python 2's is one that Python itself understands."""
    labels, pixels = small_cifar()["test_batch"]
    batch = pickle.loads(old_pickle(labels, pixels), encoding="bytes")
    np.testing.assert_array_equal(batch[b"data"], pixels)
    assert batch[b"labels"] == labels.tolist()


@pytest.mark.parametrize("version", ["bin", "old", 2, 3, 4])
@pytest.mark.parametrize("place", ["", "cifar-10-batches-bin", "CIFAR10/cifar-10-batches-py"])
def test_cifar_versions_and_places(tmp_path, version, place):
    put_cifar(tmp_path / place, version)
    contents = small_cifar()
    for train, names in ((True, BATCHES), (False, ["test_batch"])):
        data = CIFAR10(tmp_path, train)
        labels = np.concatenate([contents[name][0] for name in names])
        pixels = np.concatenate([contents[name][1] for name in names])
        np.testing.assert_array_equal(data.data.numpy(), pixels.reshape(-1, 3, 32, 32))
        assert data.targets.tolist() == labels.tolist()
        assert (data.data.dtype, data.targets.dtype) == (autograd.uint8, autograd.int64)
    image, label = data[2]
    assert image.dtype == autograd.float32
    np.testing.assert_array_equal(image.numpy(), data.data.numpy()[2] / np.float32(255))
    assert type(label) is int
    assert data.class_to_idx["truck"] == 9


def test_cifar_items_and_batches(tmp_path):
    """Colours are the last dimension for a transform, and whole batches are the single items."""
    put_cifar(tmp_path, "bin")
    seen = CIFAR10(tmp_path, transform=lambda image: image)
    np.testing.assert_array_equal(seen[1][0].transpose(2, 0, 1), seen.data.numpy()[1])
    for transform in (None, T.ToTensor(), T.Compose([T.CenterCrop(20), T.ToTensor(), T.Resize(8)])):
        data = CIFAR10(tmp_path, transform=transform)
        images, labels = next(iter(DataLoader(data, batch_size=7)))
        single = np.stack([data[i][0].numpy() for i in range(7)])
        np.testing.assert_array_equal(images.numpy(), single)
        assert labels.tolist() == [data[i][1] for i in range(7)]
        assert images.dtype == autograd.float32
    shifted = CIFAR10(tmp_path, target_transform=lambda label: label + 100)
    assert min(next(iter(DataLoader(shifted, batch_size=20)))[1].tolist()) >= 100


def test_augmented_batches_repeat_with_any_workers(tmp_path):
    put_cifar(tmp_path, "bin")
    augment = T.Compose([T.RandomCrop(32, 4), T.RandomHorizontalFlip(), T.ToTensor()])
    data = CIFAR10(tmp_path, transform=augment)

    def epoch(workers):
        autograd.manual_seed(0)
        loader = DataLoader(data, batch_size=6, shuffle=True, num_workers=workers)
        return np.concatenate([images.numpy() for images, _ in loader])

    np.testing.assert_array_equal(epoch(1), epoch(2))
    np.testing.assert_array_equal(epoch(0), epoch(0))


ASKED = []


class Evil:
    def __reduce__(self):
        return (ASKED.append, ("ran",))


class EvilState:
    def __reduce__(self):
        return (os.system, ("touch /tmp/never",))


@pytest.mark.parametrize("protocol", range(5))
@pytest.mark.parametrize("evil", [Evil(), EvilState(), print, np.float64(3), {1}])
def test_pickles_that_are_not_data(tmp_path, evil, protocol):
    put_cifar(tmp_path, "old")
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps({"data": evil, "labels": [1]}, protocol=protocol))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"test_batch: .*(not data|data do not need|damaged)"):
        CIFAR10(tmp_path, train=False)
    assert ASKED == []
    assert path.read_bytes() == before


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(PLAIN, st.sampled_from([2, 3, 4]))
def test_pickled_data_as_python_reads_them(value, protocol):
    content = pickle.dumps(value, protocol=protocol)
    assert read_pickle(content) == value


@pytest.mark.parametrize("dtype", ["u1", "<i4", ">f8", "<f4"])
@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickled_arrays(dtype, protocol):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for values in (array, array.T):
        result = read_pickle(pickle.dumps({"a": values}, protocol=protocol))["a"]
        np.testing.assert_array_equal(result, values)


@given(st.binary(max_size=60))
def test_any_bytes_as_a_pickle(content):
    with contextlib.suppress(ValueError):
        read_pickle(content)


@given(st.integers(0, 12700), st.integers(0, 255))
def test_damaged_batches(where, value):
    content = bytearray(old_pickle(*small_cifar()["test_batch"]))
    content[where % len(content)] = value
    with contextlib.suppress(ValueError):
        read_pickle(bytes(content))


LABELS, PIXELS = small_cifar()["test_batch"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "test_batch.bin",
            binary(LABELS, PIXELS)[:-1],
            "12291 bytes found, expected a multiple of",
        ),
        ("test_batch.bin", b"", "0 bytes found"),
        ("test_batch.bin", binary(0 * LABELS + 10, PIXELS), "holds the label 10, expected 0 to 9"),
        ("test_batch", old_pickle(LABELS, PIXELS)[:-300], r"\(\d+ bytes\)"),
        ("test_batch", b"", r"\(0 bytes\)"),
        ("test_batch", pickle.dumps([1], 2), "expected a dictionary with 'data'"),
        ("test_batch", pickle.dumps({"data": PIXELS, "labels": [1]}, 2), "expected a dictionary"),
        ("test_batch", pickle.dumps({"data": PIXELS, "labels": [-1] * 4}, 2), "whole numbers"),
        ("test_batch", old_pickle(0 * LABELS + 10, PIXELS), "holds the label 10, expected 0 to 9"),
    ],
)
def test_cifar_damaged_files(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        CIFAR10(tmp_path, train=False, download=True)
    assert (tmp_path / name).read_bytes() == content


def cifar_archive(version="bin", names=(*BATCHES, "test_batch"), evil=()) -> bytes:
    packed, contents = io.BytesIO(), small_cifar()
    folder = "cifar-10-batches-bin" if version == "bin" else "cifar-10-batches-py"
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entries = {
            f"{folder}/{name}.bin": binary(*contents[name])
            if version == "bin"
            else old_pickle(*contents[name])
            for name in names
        }
        if version != "bin":
            entries = {path.removesuffix(".bin"): part for path, part in entries.items()}
        for path, content in {**entries, **dict.fromkeys(evil, b"evil")}.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_cifar_download_once(tmp_path, monkeypatch):
    packed = cifar_archive()
    name = "cifar-10-binary.tar.gz"
    monkeypatch.setattr(CIFAR10, "archives", ((name, "cifar-10-batches-bin", md5(packed)),))
    with Server({name: packed}) as server:
        monkeypatch.setattr(CIFAR10, "mirrors", ("http://127.0.0.1:1/", server.url))
        assert len(CIFAR10(tmp_path, download=True)) == 20
        assert len(CIFAR10(tmp_path, train=False, download=True)) == 4
        assert server.requests == [(f"/{name}", None)]
    assert names_in(tmp_path / "CIFAR10") == ["cifar-10-batches-bin", name]


def test_cifar_download_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(CIFAR10, "mirrors", ("http://127.0.0.1:1/",))
    with pytest.raises(
        DatasetNotFoundError, match=r"fetching failed .*127\.0\.0\.1:1/cifar-10-bin"
    ):
        CIFAR10(tmp_path, download=True)
    with pytest.raises(DatasetNotFoundError, match="download=True to fetch them"):
        CIFAR10(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_cifar_archive_by_hand(tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    evil = ("cifar-10-batches-py/../escaped", "/tmp/escaped-ndgrad", "other/file")
    archive.write_bytes(cifar_archive("old", evil=evil))
    assert len(CIFAR10(tmp_path)) == 20
    assert names_in(tmp_path) == ["cifar-10-batches-py", archive.name]
    assert names_in(tmp_path / "cifar-10-batches-py") == sorted([*BATCHES, "test_batch"])
    assert not os.path.exists("/tmp/escaped-ndgrad")


def test_cifar_archives_that_do_not_help(tmp_path):
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(cifar_archive()[:9000])
    with pytest.raises(
        ValueError, match=r"cifar-10-binary.tar.gz: cannot be unpacked \(9000 bytes"
    ):
        CIFAR10(tmp_path)
    assert names_in(tmp_path) == [archive.name]
    archive.write_bytes(cifar_archive(names=BATCHES))
    with pytest.raises(ValueError, match="lacks files of the data set"):
        CIFAR10(tmp_path, train=False)


def test_cifar_archive_unpacked_by_several_at_once(tmp_path):
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(cifar_archive())
    with ThreadPoolExecutor(6) as pool:
        sizes = list(pool.map(lambda _: len(CIFAR10(tmp_path)), range(6)))
    assert sizes == [20] * 6
    assert names_in(tmp_path) == ["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]


def test_cifar_what_is_there_is_not_overwritten(tmp_path):
    put_cifar(tmp_path / "cifar-10-batches-bin", "bin")
    (tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin").unlink()
    before = names_in(tmp_path / "cifar-10-batches-bin")
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(cifar_archive())
    with pytest.raises(ValueError, match="not unpacked over what is there: move it away"):
        CIFAR10(tmp_path)
    assert names_in(tmp_path / "cifar-10-batches-bin") == before
    assert names_in(tmp_path) == ["cifar-10-batches-bin", "cifar-10-binary.tar.gz"]


# SVHN


def put_svhn(folder, images, labels, name="train_32x32.mat"):
    scipy_io = pytest.importorskip("scipy.io")
    folder.mkdir(parents=True, exist_ok=True)
    scipy_io.savemat(folder / name, {"X": images, "y": labels})


SVHN_IMAGES = np.random.default_rng(2).integers(0, 256, (32, 32, 3, 5), np.uint8)
SVHN_LABELS = np.array([[1], [10], [3], [9], [10]], np.uint8)


@pytest.mark.parametrize("place", ["", "SVHN", "svhn"])
@pytest.mark.parametrize("split", ["train", "test", "extra"])
def test_svhn(tmp_path, split, place):
    put_svhn(tmp_path / place, SVHN_IMAGES, SVHN_LABELS, f"{split}_32x32.mat")
    data = SVHN(tmp_path, split)
    assert data.targets.tolist() == [1, 0, 3, 9, 0]
    np.testing.assert_array_equal(data.data.numpy(), SVHN_IMAGES.transpose(3, 2, 0, 1))
    assert tuple(data[0][0].shape) == (3, 32, 32)
    assert data.train is (split != "test")
    assert len(SVHN(tmp_path, split, subset_size=2)) == 2


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (SVHN_IMAGES[:31], SVHN_LABELS, r"X is uint8 of shape \(31, 32, 3, 5\)"),
        (SVHN_IMAGES.astype(float), SVHN_LABELS, "X is float64"),
        (SVHN_IMAGES, SVHN_LABELS[:4], "y holds 4 labels of uint8, expected 5"),
        (SVHN_IMAGES, SVHN_LABELS + 1, "holds labels from 2 to 11, expected 1 to 10"),
    ],
)
def test_svhn_wrong_content(tmp_path, images, labels, message):
    put_svhn(tmp_path, images, labels)
    with pytest.raises(ValueError, match=f"train_32x32.mat: {message}"):
        SVHN(tmp_path)


def test_svhn_missing_and_damaged(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="split must be one of train, test, extra, got 'valid'"):
        SVHN(tmp_path, "valid")
    with pytest.raises(DatasetNotFoundError, match=r"found no test_32x32.mat; .*download=True"):
        SVHN(tmp_path, "test")
    monkeypatch.setattr(SVHN, "mirrors", ("http://127.0.0.1:1/",))
    with pytest.raises(DatasetNotFoundError, match="fetching failed"):
        SVHN(tmp_path, download=True)
    put_svhn(tmp_path, SVHN_IMAGES, SVHN_LABELS)
    path = tmp_path / "train_32x32.mat"
    for content in (path.read_bytes()[:5000], b"", b"<html>not found</html>" * 20):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=f"not a whole MATLAB file .{len(content)} bytes"):
            SVHN(tmp_path)
        assert path.read_bytes() == content


def test_svhn_download(tmp_path, monkeypatch):
    put_svhn(tmp_path / "there", SVHN_IMAGES, SVHN_LABELS)
    content = (tmp_path / "there" / "train_32x32.mat").read_bytes()
    monkeypatch.setattr(SVHN, "checksums", {"train": md5(content)})
    with Server({"train_32x32.mat": content}) as server:
        monkeypatch.setattr(SVHN, "mirrors", (server.url,))
        for _ in range(2):
            assert len(SVHN(tmp_path / "new", download=True)) == 5
        assert len(server.requests) == 1


# Folders


@pytest.fixture
def photos(tmp_path):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(3)
    for name, mode in (("dogs/b.png", "L"), ("dogs/a_old/a.PNG", "RGBA"), ("cats/c.bmp", "RGB")):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (6, 8) if mode == "L" else (6, 8, len(mode))
        image.fromarray(random.integers(0, 256, shape, np.uint8), mode=None).save(path)
    (tmp_path / "photos" / "cats" / "notes.txt").write_text("no image")
    (tmp_path / "photos" / "readme.png").write_text("not in a class")
    return tmp_path / "photos"


def test_folder(photos):
    data = ImageFolder(photos)
    assert data.classes == ("cats", "dogs")
    assert data.class_to_idx == {"cats": 0, "dogs": 1}
    assert data.targets == [0, 1, 1]
    assert [os.path.relpath(path, photos) for path, _ in data.imgs] == [
        os.path.join("cats", "c.bmp"),
        os.path.join("dogs", "a_old", "a.PNG"),
        os.path.join("dogs", "b.png"),
    ]
    for image, label in (data[i] for i in range(len(data))):
        assert (image.dtype, tuple(image.shape)) == (autograd.float32, (3, 6, 8))
        assert type(label) is int
    assert data[2][0][0].tolist() == data[2][0][2].tolist()
    images, labels = next(iter(DataLoader(data, batch_size=3)))
    assert (tuple(images.shape), labels.tolist()) == ((3, 3, 6, 8), [0, 1, 1])
    transformed = ImageFolder(photos, T.Compose([T.Resize((4, 4)), T.ToTensor()]), lambda y: -y)
    assert tuple(transformed[2][0].shape) == (3, 4, 4)
    assert transformed[2][1] == -1
    assert repr(data) == (
        f"Dataset ImageFolder\n    Number of datapoints: 3\n    Root location: {photos}"
    )


def test_folder_with_a_loader(photos):
    data = ImageFolder(
        photos,
        transform=len,
        loader=lambda path: Path(path).read_text(),
        is_valid_file=lambda path: path.endswith("txt"),
        allow_empty=True,
    )
    assert data.samples == [(str(photos / "cats" / "notes.txt"), 0)]
    assert data[0] == (8, 0)


def test_folder_errors(photos, tmp_path):
    with pytest.raises(FileNotFoundError, match="ImageFolder: there is no folder .*nowhere"):
        ImageFolder(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="found no folders in .*old, expected one for each"):
        ImageFolder(photos / "dogs" / "a_old")
    (photos / "birds").mkdir()
    with pytest.raises(FileNotFoundError, match=r"found no images \(.jpg, .* in birds of"):
        ImageFolder(photos)
    assert ImageFolder(photos, allow_empty=True).classes == ("birds", "cats", "dogs")
    path = photos / "dogs" / "b.png"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"text"):
        path.write_bytes(content)
        data = ImageFolder(photos, allow_empty=True)
        with pytest.raises(ValueError, match=rf"b.png: not a whole image \({len(content)} bytes\)"):
            data[2]
        assert path.read_bytes() == content


# Noise


def test_fake_data():
    data = FakeData(20, (3, 4, 5), num_classes=7)
    again = FakeData(20, (3, 4, 5), num_classes=7)
    for i in range(20):
        image, label = data[i]
        assert tuple(image.shape) == (3, 4, 5)
        assert 0 <= label < 7
        assert autograd.equal(image, again[i][0])
        assert label == again[i][1]
    assert len({data[i][0].numpy().tobytes() for i in range(20)}) == 20
    assert not autograd.equal(data[0][0], FakeData(20, (3, 4, 5), random_offset=1)[0][0])
    assert autograd.equal(data[-1][0], data[19][0])
    assert FakeData(5, (1, 4, 4), transform=lambda image: image.shape)[0][0] == (4, 4, 1)
    with pytest.raises(IndexError, match="index 20 is out of range for 20"):
        data[20]
    for arguments in ({"size": 0}, {"image_size": (4, 4)}, {"num_classes": 0}):
        with pytest.raises(ValueError, match="must be positive"):
            FakeData(**arguments)


# Subsets and splits


def labelled(counts) -> VisionDataset:
    data = VisionDataset()
    labels = np.repeat(np.arange(len(counts)), counts)
    data.targets = autograd.from_numpy(labels)
    data.data = autograd.from_numpy(np.arange(len(labels)).reshape(-1, 1, 1))
    return data


def numbers(part) -> list[int]:
    return [int(part.dataset.data.array[i, 0, 0]) for i in part.indices]


def test_subset_size(tmp_path):
    put_cifar(tmp_path, "bin")
    whole = CIFAR10(tmp_path)
    smaller, larger = (CIFAR10(tmp_path, subset_size=size) for size in (5, 12))
    assert (len(smaller), len(larger)) == (5, 12)
    pictures = [
        [image.tobytes() for image in part.data.numpy()] for part in (smaller, larger, whole)
    ]
    assert set(pictures[0]) < set(pictures[1]) < set(pictures[2])
    at = [pictures[2].index(picture) for picture in pictures[1]]
    assert at == sorted(at)
    assert at != list(range(12))
    assert larger.targets.tolist() == whole.targets.numpy()[at].tolist()
    assert CIFAR10(tmp_path, subset_size=5).targets.tolist() == smaller.targets.tolist()
    for size in (0, 21):
        with pytest.raises(
            ValueError, match=f"CIFAR10: subset_size must be from 1 to 20, got {size}"
        ):
            CIFAR10(tmp_path, subset_size=size)


def test_subset_size_everywhere(tmp_path):
    for kind in (MNIST, FashionMNIST):
        for name, array in zip(
            kind.checksums, (np.zeros((6, 28, 28), np.uint8), np.zeros(6, np.uint8)), strict=False
        ):
            (tmp_path / name).write_bytes(idx_bytes(array))
        assert len(kind(tmp_path, subset_size=4)) == 4
    pytest.importorskip("sklearn")
    assert len(Digits(subset_size=100)) == 100


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5).filter(lambda counts: sum(counts) >= 12),
    st.sampled_from([(0.6, 0.2, 0.2), (0.75, 0.25), (5, 4, 2), (6, 6)]),
)
def test_split_keeps_the_shares(counts, lengths):
    data = labelled(counts)
    parts = stratified_split(data, lengths)
    found = [numbers(part) for part in parts]
    together = [number for part in found for number in part]
    assert len(set(together)) == len(together)
    total = sum(counts)
    if sum(lengths) == 1:
        assert len(together) == total
    else:
        assert [len(part) for part in found] == list(lengths)
    for part in found:
        of_class = np.bincount(data.targets.numpy()[part], minlength=len(counts))
        expected = len(part) * np.array(counts) / total
        assert np.abs(of_class - expected).max() <= len(counts)


def test_split_repeats_and_takes_transforms():
    data = labelled([50, 50])
    first, again, other = (
        numbers(stratified_split(data, (30, 70), autograd.Generator().manual_seed(seed))[0])
        for seed in (1, 1, 2)
    )
    assert first == again != other
    train, validation = stratified_split(data, (0.5, 0.5), transforms=[str, None])
    assert train.dataset.transform is str
    assert validation.dataset.transform is None
    assert data.transform is None
    assert train.dataset.data is data.data


def test_split_of_a_folder(photos):
    parts = stratified_split(ImageFolder(photos), (2, 1))
    assert sorted(parts[0].indices + parts[1].indices) == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1, 2], (1, 1)), TypeError, "a list has no targets"),
        ((labelled([5, 5]), (8, 3)), ValueError, r"lengths \(8, 3\) of 10 samples"),
        ((labelled([5, 5]), (8, 0)), ValueError, "at least one in each part"),
        ((labelled([5, 5]), ()), ValueError, "at least one in each part"),
    ],
)
def test_split_errors(arguments, error, message):
    with pytest.raises(error, match=f"^stratified_split: .*{message}"):
        stratified_split(*arguments)
    with pytest.raises(ValueError, match="got 1 transforms for 2 parts"):
        stratified_split(labelled([5, 5]), (5, 5), transforms=[None])
