"""Data sets: the IDX format, where files are looked for, how they are fetched, what items are."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import re
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from nn.data import DataLoader, Subset
from vision.datasets import (
    MNIST,
    DatasetNotFoundError,
    Digits,
    data_root,
    read_idx,
)
from vision.datasets import download as downloading
from vision.datasets.download import DownloadError, download
from vision.transforms import Compose, Lambda, Normalize, ToTensor

CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def idx_bytes(values) -> bytes:
    array = np.asarray(values)
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    code = CODES[array.dtype.str[1:]]
    return (
        bytes([0, 0, code, array.ndim])
        + sizes
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def small_mnist(count=6, seed=0) -> tuple[bytes, bytes]:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 28, 28), np.uint8)
    return idx_bytes(images), idx_bytes(np.arange(count, dtype=np.uint8) % 10)


def put(folder, names, contents, compress=False) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(names, contents, strict=True):
        path = folder / (f"{name}.gz" if compress else name)
        path.write_bytes(gzip.compress(content) if compress else content)


# IDX files


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 3), (0, 4)])
def test_idx_values(tmp_path, code, shape, compress):
    values = (np.arange(np.prod(shape)).reshape(shape) - 1).astype(code)
    put(tmp_path, ["file"], [idx_bytes(values)], compress)
    array = read_idx(tmp_path / ("file.gz" if compress else "file"))
    assert array.dtype == np.dtype(code)
    assert array.dtype.isnative
    assert array.flags.writeable
    np.testing.assert_array_equal(array, values)


GOOD = idx_bytes(np.zeros((2, 3), np.uint8))
BROKEN = {
    "empty": (b"", "0 bytes found, expected at least 4"),
    "two bytes": (GOOD[:2], "2 bytes found, expected at least 4"),
    "header cut": (GOOD[:9], "9 bytes found, expected a header of 12"),
    "truncated": (GOOD[:-1], r"17 bytes found, expected 18 \(12 of header, 6 of uint8"),
    "only a header": (GOOD[:12], "12 bytes found, expected 18"),
    "oversized": (GOOD + b"ab", "20 bytes found, expected 18"),
    "absurd sizes": (bytes([0, 0, 8, 2]) + b"\xff" * 8, r"12 bytes found, expected \d{20} "),
    "wrong magic": (b"PNG!" + GOOD[4:], "not an IDX file: its 18 bytes begin with 0x504e4721"),
    "unknown type": (bytes([0, 0, 7, 2]) + GOOD[4:], "not an IDX file"),
    "no dimensions": (bytes([0, 0, 8, 0]), "not an IDX file"),
    "other type": (idx_bytes(np.zeros((2, 3), np.int16)), "holds int16 in 2 .*expected uint8 in 2"),
    "other rank": (idx_bytes(np.zeros(6, np.uint8)), "holds uint8 in 1 .*expected uint8 in 2"),
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("case", BROKEN)
def test_idx_broken(tmp_path, case, compress):
    content, message = BROKEN[case]
    put(tmp_path, ["file"], [content], compress)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: {message}"):
        read_idx(path, dtype=np.uint8, ndim=2)
    assert path.read_bytes() == before


def test_idx_gzip_in_name_only(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(GOOD)
    with pytest.raises(ValueError, match=r"file\.gz: not a gzip file: its 18 bytes begin with"):
        read_idx(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"file\.gz: not a gzip file: its 0 bytes"):
        read_idx(path)


@pytest.mark.parametrize("damage", ["cut", "trailer", "middle", "junk after"])
def test_idx_gzip_damaged(tmp_path, damage):
    path = tmp_path / "file.gz"
    content = idx_bytes(np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8))
    packed = bytearray(gzip.compress(content))
    if damage == "cut":
        packed = packed[: len(packed) // 2]
    elif damage == "trailer":
        packed[-6] ^= 1
    elif damage == "middle":
        packed[10] = 0x07
    else:
        packed += b"junk"
    path.write_bytes(packed)
    expected = (
        r"file\.gz: \d+ bytes found, expected .*; the compressed file of \d+ bytes is damaged"
    )
    with pytest.raises(ValueError, match=expected):
        read_idx(path)


@given(st.binary(max_size=40))
def test_idx_any_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        assert idx_bytes(read_idx(path)) == content


def test_idx_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")


# MNIST from files

FOLDERS = ["", "raw", "MNIST", "MNIST/raw", "mnist", "mnist/raw"]


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("place", FOLDERS)
def test_mnist_places(tmp_path, place, compress):
    contents = small_mnist()
    put(tmp_path / place, TRAIN, contents, compress)
    data = MNIST(tmp_path)
    assert idx_bytes(data.data.numpy()) == contents[0]
    assert (data.data.dtype, tuple(data.data.shape)) == (autograd.uint8, (6, 28, 28))
    assert data.targets.dtype == autograd.int64
    assert data.targets.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(DatasetNotFoundError):
        MNIST(tmp_path, train=False)
    put(tmp_path / place, TEST, small_mnist(4), compress)
    assert len(MNIST(str(tmp_path), train=False)) == 4


def test_mnist_dotted_names(tmp_path):
    put(tmp_path, [name.replace("-idx", ".idx") for name in TRAIN], small_mnist())
    assert len(MNIST(tmp_path)) == 6


def test_mnist_search_order(tmp_path):
    """The first folder with both files wins; one with only one of them is passed over."""
    for count, place in enumerate(["", "raw", "MNIST", "MNIST/raw"], start=1):
        put(tmp_path / place, TRAIN, small_mnist(count))
    assert len(MNIST(tmp_path)) == 1
    (tmp_path / TRAIN[1]).unlink()
    assert len(MNIST(tmp_path)) == 2
    (tmp_path / "raw" / TRAIN[0]).unlink()
    assert len(MNIST(tmp_path)) == 3


def test_mnist_plain_before_compressed(tmp_path):
    put(tmp_path, TRAIN, small_mnist(2), compress=True)
    put(tmp_path, TRAIN, small_mnist(3))
    assert len(MNIST(tmp_path)) == 3


def test_mnist_folders_named_like_the_files(tmp_path):
    for name in TRAIN:
        (tmp_path / name).mkdir()
    put(tmp_path / "raw", TRAIN, small_mnist())
    assert len(MNIST(tmp_path)) == 6


def test_mnist_missing(tmp_path):
    with pytest.raises(DatasetNotFoundError) as caught:
        MNIST(tmp_path / "nowhere")
    message = str(caught.value)
    searched = f"searched {tmp_path / 'nowhere'} and in it {', '.join(FOLDERS[1:])}; "
    for part in (*TRAIN, searched, "download=True"):
        assert part in message
    assert isinstance(caught.value, (FileNotFoundError, RuntimeError))
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 28, 28)), np.zeros(2), r"labels.*: holds 2 labels \(10 bytes\), expected 3"),
        (np.zeros((3, 28, 28)), np.zeros(4), r"holds 4 labels \(12 bytes\), expected 3 \(11 bytes"),
        (np.zeros((3, 28, 27)), np.zeros(3), r"images.*\(3, 28, 27\), expected \(N, 28, 28\)"),
        (np.zeros((0, 28, 28)), np.zeros(0), r"images.*with at least one"),
        (np.zeros((3, 784)), np.zeros(3), r"images.*holds uint8 in 2 dimensions"),
        (
            np.zeros((3, 28, 28)),
            np.array([1, 10, 2]),
            "labels.*holds the label 10, expected 0 to 9",
        ),
    ],
)
def test_mnist_files_that_do_not_fit(tmp_path, images, labels, message):
    contents = [idx_bytes(array.astype(np.uint8)) for array in (images, labels)]
    put(tmp_path, TRAIN, contents)
    with pytest.raises(ValueError, match=message):
        MNIST(tmp_path, download=True)
    assert [(tmp_path / name).read_bytes() for name in TRAIN] == contents


def test_mnist_swapped_files(tmp_path):
    put(tmp_path, TRAIN[::-1], small_mnist())
    with pytest.raises(
        ValueError, match=r"images.*: holds uint8 in 1 dimensions.*expected uint8 in 3"
    ):
        MNIST(tmp_path)


def test_data_root(monkeypatch, tmp_path):
    monkeypatch.setenv("NDGRAD_DATA", str(tmp_path))
    assert data_root() == tmp_path
    put(tmp_path / "MNIST" / "raw", TRAIN, small_mnist())
    assert len(MNIST()) == 6
    monkeypatch.setenv("NDGRAD_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root() == tmp_path / "cache" / "ndgrad"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    places = {"linux": ".cache/ndgrad", "darwin": "Library/Caches/ndgrad", "win32": "local/ndgrad"}
    for platform, place in places.items():
        monkeypatch.setattr(sys, "platform", platform)
        assert data_root() == tmp_path / place


# Items


@pytest.fixture
def mnist(tmp_path):
    put(tmp_path, TRAIN, small_mnist(12))
    return partial(MNIST, tmp_path)


def test_items(mnist):
    data = mnist()
    image, label = data[3]
    assert (image.dtype, tuple(image.shape)) == (autograd.float32, (1, 28, 28))
    np.testing.assert_array_equal(image.numpy()[0], data.data.numpy()[3] / np.float32(255))
    assert label == 3
    assert type(label) is int
    assert data[-1][1] == data[11][1] == 1
    assert len(list(iter(data))) == len(data) == 12
    with pytest.raises(IndexError):
        data[12]


def test_transforms_get_arrays(mnist):
    seen = []
    data = mnist(transform=lambda image: seen.append(image) or 7, target_transform=lambda y: y + 1)
    assert data[4] == (7, 5)
    assert (type(seen[0]), seen[0].dtype, seen[0].shape) == (np.ndarray, np.uint8, (28, 28))


def test_batches_are_the_items(mnist):
    """Read at once, or one by one: the same batches, and changed data are seen by both."""
    plain, slow = mnist(), mnist(transform=ToTensor())
    for data in (plain, slow):
        data.data, data.targets = data.data[2:], data.targets[2:]
    batches = [list(DataLoader(Subset(data, range(1, 9)), batch_size=5)) for data in (plain, slow)]
    for (fast_images, fast_labels), (images, labels) in zip(*batches, strict=True):
        assert fast_images.dtype == images.dtype == autograd.float32
        assert fast_labels.dtype == labels.dtype == autograd.int64
        np.testing.assert_array_equal(fast_images.numpy(), images.numpy())
        assert fast_labels.tolist() == labels.tolist()
    assert batches[0][0][1].tolist() == [3, 4, 5, 6, 7]


def test_batches_of_a_subclass(tmp_path):
    class Dark(MNIST):
        def __getitem__(self, index):
            image, label = super().__getitem__(index)
            return image * 0.0, label

    put(tmp_path, TRAIN, small_mnist())
    images, _ = next(iter(DataLoader(Dark(tmp_path), batch_size=4)))
    assert float(images.sum().item()) == 0.0


def test_repr(mnist, tmp_path):
    assert repr(mnist()) == (
        "Dataset MNIST\n    Number of datapoints: 12\n"
        f"    Root location: {tmp_path}\n    Split: Train"
    )
    transform = Compose([ToTensor(), Normalize((0.5,), (0.5,))])
    assert repr(mnist(transform=transform)).endswith(
        "\n    Transform: Compose(\n        ToTensor()\n"
        "        Normalize(mean=(0.5,), std=(0.5,))\n    )"
    )
    assert mnist().class_to_idx["7 - seven"] == 7


# Fetching


class Server:
    """Files on 127.0.0.1; counts what is asked for."""

    def __init__(self, files: dict[str, bytes], cut: bool = False) -> None:
        self.requests: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                content = files.get(self.path.lstrip("/"))
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if cut else content)

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


def small_set(monkeypatch, mirrors):
    contents = dict(zip((*TRAIN, *TEST), (*small_mnist(6), *small_mnist(4)), strict=True))
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    monkeypatch.setattr(MNIST, "checksums", sums)
    monkeypatch.setattr(MNIST, "mirrors", tuple(mirrors))
    return {f"{name}.gz": gzip.compress(content) for name, content in contents.items()}


def test_mnist_download_once(tmp_path, monkeypatch):
    with Server(files := {}) as server:
        files.update(small_set(monkeypatch, [server.url]))
        assert len(MNIST(tmp_path, download=True)) == 6
        folder = tmp_path / "MNIST" / "raw"
        assert sorted(path.name for path in folder.iterdir()) == sorted(f"{n}.gz" for n in TRAIN)
        assert len(MNIST(tmp_path, download=True)) == len(MNIST(tmp_path)) == 6
        assert server.requests == [f"/{name}.gz" for name in TRAIN]
        assert len(MNIST(tmp_path, train=False, download=True)) == 4
        assert len(server.requests) == 4


def test_mnist_no_download_where_files_are(tmp_path, monkeypatch):
    with Server({}) as server:
        small_set(monkeypatch, [server.url])
        put(tmp_path / "raw", TRAIN, small_mnist(3))
        assert len(MNIST(tmp_path, download=True)) == 3
        assert server.requests == []


def test_mnist_second_mirror(tmp_path, monkeypatch):
    with Server({}) as first, Server(files := {}) as second:
        files.update(small_set(monkeypatch, [first.url, second.url]))
        assert len(MNIST(tmp_path, download=True)) == 6
        assert len(first.requests) == len(second.requests) == 2


def test_mnist_unreachable(tmp_path, monkeypatch):
    with Server({}) as server:
        closed = server.url
    small_set(monkeypatch, [closed, "http://127.0.0.1:1/"])
    with pytest.raises(DatasetNotFoundError) as caught:
        MNIST(tmp_path, download=True)
    message = str(caught.value)
    for part in (TRAIN[0], f"{closed}{TRAIN[0]}.gz: ", "http://127.0.0.1:1/", "refused", "network"):
        assert part in message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_mnist_folder_that_cannot_be_written(tmp_path, monkeypatch):
    small_set(monkeypatch, ["http://127.0.0.1:1/"])
    (tmp_path / "MNIST").write_text("a file, not a folder")
    with pytest.raises(DatasetNotFoundError, match="fetching failed"):
        MNIST(tmp_path, download=True)
    assert (tmp_path / "MNIST").read_text() == "a file, not a folder"


GOOD_SUM = hashlib.sha256(GOOD).hexdigest()


def leftovers(folder):
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(
    ("content", "cut", "message"),
    [
        (gzip.compress(GOOD, mtime=0), True, r"broke off after \d+ of \d+ bytes"),
        (
            gzip.compress(GOOD + b"x", mtime=0),
            False,
            f"has SHA-256 [0-9a-f]{{64}}, expected {GOOD_SUM}",
        ),
        (b"<html>please log in</html>", False, "Not a gzipped file"),
        (None, False, "404"),
    ],
)
def test_download_fails(tmp_path, content, cut, message):
    files = {} if content is None else {"a.gz": content}
    with Server(files, cut) as server, pytest.raises(DownloadError, match=message) as caught:
        download([f"{server.url}a.gz"], tmp_path / "a.gz", GOOD_SUM)
    assert f"{server.url}a.gz" in str(caught.value)
    assert leftovers(tmp_path) == ([".a.gz.part"] if cut else [])


def test_download_tries_the_next(tmp_path):
    packed = gzip.compress(GOOD)
    with Server({"a.gz": packed}, cut=True) as bad, Server({"a.gz": packed}) as good:
        path = download([f"{s.url}a.gz" for s in (bad, good)], tmp_path / "b" / "a.gz", GOOD_SUM)
        assert path.read_bytes() == packed
        assert leftovers(path.parent) == ["a.gz"]
        assert len(bad.requests) == len(good.requests) == 1
        download([f"{good.url}a.gz"], path, GOOD_SUM)
        assert len(good.requests) == 1


def test_download_plain_file(tmp_path):
    with Server({"a": GOOD}) as server:
        assert download([f"{server.url}a"], tmp_path / "a", GOOD_SUM).read_bytes() == GOOD


def test_download_leaves_what_is_there(tmp_path):
    (tmp_path / "a.gz").write_bytes(b"mine")
    with Server({"a.gz": gzip.compress(GOOD)}) as server:
        download([f"{server.url}a.gz"], tmp_path / "a.gz", GOOD_SUM)
        assert server.requests == []
    assert (tmp_path / "a.gz").read_bytes() == b"mine"


def test_download_interrupted_by_hand(tmp_path, monkeypatch):

    def stop(*args, **options):
        raise KeyboardInterrupt

    with Server({"a.gz": gzip.compress(GOOD)}) as server:
        with monkeypatch.context() as patch:
            patch.setattr(downloading, "check", stop)
            with pytest.raises(KeyboardInterrupt):
                download([f"{server.url}a.gz"], tmp_path / "a.gz", GOOD_SUM)
        assert leftovers(tmp_path) == [".a.gz.part"]
        download([f"{server.url}a.gz"], tmp_path / "a.gz", GOOD_SUM)
        assert leftovers(tmp_path) == ["a.gz"]
        assert len(server.requests) == 1


def test_download_does_not_wait_for_long(tmp_path, monkeypatch):
    """A server that does not answer costs the timeout; an answer that comes later is closed."""
    release, late = threading.Event(), io.BytesIO()
    slow = lambda *args, **options: release.wait(60) and late
    monkeypatch.setattr(downloading.urllib.request, "urlopen", slow)
    before = set(threading.enumerate())
    with pytest.raises(DownloadError, match=r"a\.gz: no answer within 0\.05 s"):
        download(["http://127.0.0.1/a.gz"], tmp_path / "a.gz", GOOD_SUM, timeout=0.05)
    release.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert late.closed


@pytest.mark.parametrize("progress", [True, False])
def test_download_without_tqdm(tmp_path, monkeypatch, progress):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with Server({"a": GOOD}) as server:
        download([f"{server.url}a"], tmp_path / "a", GOOD_SUM, progress=progress)


# Digits


def test_digits_split():
    datasets = pytest.importorskip("sklearn.datasets")
    parts = [Digits(train) for train in (True, False)]
    assert [len(part) for part in parts] == [1442, 355]
    everything = np.concatenate([part.data.numpy() for part in parts])
    images = (datasets.load_digits().images * 255 / 16).round().astype(np.uint8)
    assert sorted(map(bytes, everything)) == sorted(map(bytes, images))
    assert everything.min() == 0
    assert everything.max() == 255
    for part in parts:
        assert part.data.dtype == autograd.uint8
        assert part.targets.dtype == autograd.int64
        assert tuple(part.data.shape) == (len(part), 8, 8)
    share = [np.bincount(part.targets.numpy(), minlength=10) for part in parts]
    ratio = share[1] / (share[0] + share[1])
    assert (abs(ratio - 0.2) < 0.005).all()


def test_digits_are_always_split_alike():
    pytest.importorskip("sklearn")
    first, second = Digits(train=False), Digits(train=False)
    assert first.data.numpy().tobytes() == second.data.numpy().tobytes()
    digest = hashlib.sha256(first.data.numpy().tobytes() + bytes(first.targets.tolist()))
    assert digest.hexdigest()[:16] == "254467237bb7cda5"


def test_digits_items():
    pytest.importorskip("sklearn")
    image, label = Digits()[0]
    assert (tuple(image.shape), image.dtype, label) == ((1, 8, 8), autograd.float32, 0)
    data = Digits(False, Lambda(lambda image: image.shape), str)
    assert data[0] == ((8, 8), str(int(data.targets[0].item())))
    assert repr(data).startswith("Dataset Digits\n    Number of datapoints: 355\n    Split: Test")


def test_digits_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        Digits()


# Transforms


def test_to_tensor():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (4, 5, 3), np.uint8)
    out = ToTensor()(image)
    assert out.dtype == autograd.float32
    np.testing.assert_array_equal(out.numpy(), image.transpose(2, 0, 1) / np.float32(255))
    floats = random.random((4, 5))
    out = ToTensor()(floats)
    assert (out.dtype, tuple(out.shape)) == (autograd.float64, (1, 4, 5))
    out.numpy()[...] = 0
    assert floats.any()
    with pytest.raises(TypeError, match="got list"):
        ToTensor()([[1]])
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        ToTensor()(np.zeros(3))


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "F", "I"])
def test_to_tensor_of_pillow(mode):
    images = pytest.importorskip("PIL.Image")
    array = np.random.default_rng(0).integers(0, 256, (4, 5), np.uint8)
    image = images.fromarray(array).convert(mode)
    out = ToTensor()(image)
    channels = {"RGB": 3}.get(mode, 1)
    dtype = {"I": autograd.int32}.get(mode, autograd.float32)
    assert (tuple(out.shape), out.dtype) == ((channels, 4, 5), dtype)
    assert float(out.max().item()) <= (255.0 if mode in "FI" else 1.0)
    if mode == "1":
        assert set(np.unique(out.numpy())) == {0.0, 1.0}


def test_normalize():
    values = autograd.tensor(np.arange(8, dtype=np.float32).reshape(2, 2, 2))
    out = Normalize((1.0, 2.0), (2.0, 4.0))(values)
    expected = (values.numpy() - np.array([1, 2]).reshape(2, 1, 1)) / np.array([2, 4]).reshape(
        2, 1, 1
    )
    assert out.dtype == autograd.float32
    np.testing.assert_allclose(out.numpy(), expected)
    same = Normalize((1.0, 2.0), (2.0, 4.0), inplace=True)(values)
    assert same is values
    np.testing.assert_allclose(values.numpy(), expected)
    with pytest.raises(ValueError, match="divide by zero"):
        Normalize((0.0,), (0.0,))
    with pytest.raises(ValueError, match="mean of 3"):
        Normalize((0.0, 0.0, 0.0), (1.0,))(values)
    with pytest.raises(TypeError, match="uint8"):
        Normalize((0.0,), (1.0,))(autograd.tensor(np.zeros((1, 2, 2), np.uint8)))


def test_lambda():
    with pytest.raises(TypeError, match="got int"):
        Lambda(3)
