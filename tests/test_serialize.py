from __future__ import annotations

import io
import json
import os
import pickle
import stat
import struct
import sys
import zipfile
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Tensor, load, save, tensor

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
SHAPES = [(), (0,), (2, 0, 3), (1,), (3, 4), (2, 1, 5)]


def through(obj):
    file = io.BytesIO()
    save(obj, file)
    return load(io.BytesIO(file.getvalue()))


def same(a, b):
    """Equal in values, types, dtypes and the order of keys."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        keys = [(type(key), key) for key in a] == [(type(key), key) for key in b]
        return keys and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (Tensor, np.ndarray)):
        x, y = (np.asarray(value.array if isinstance(value, Tensor) else value) for value in (a, b))
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    return a == b or (a != a and b != b)


def an_array(dtype, shape):
    size = int(np.prod(shape))
    return np.arange(size).reshape(shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".npz", ".pt", "", ".safetensors"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_and_shapes(tmp_path, dtype, shape, suffix):
    path = tmp_path / f"file{suffix}"
    state = {"b.weight": autograd.from_numpy(an_array(dtype, shape)), "a": tensor([1.5])}
    save(state, path)
    assert os.listdir(tmp_path) == [path.name]
    loaded = load(str(path))
    assert same(loaded, state)
    loaded["b.weight"].array.flags.writeable = True


def test_structures():
    obj = {
        "epoch": 3,
        "best": 0.1 + 0.2,
        "huge": 2**100,
        "odd": [float("inf"), -float("inf"), float("nan"), -0.0, 5e-324],
        "flags": (True, False, None),
        "text": 'ä "quoted"\n\ud800 \0',
        "empty": [{}, [], (), "", OrderedDict()],
        "state": {7: {"step": tensor(1.0)}, 1: {}, -5: 1, "0": "text", 2.5: 1, None: 2, False: 3},
        "ordered": OrderedDict([("z", 1), ("a", tensor([1, 2])), ("m", [OrderedDict(b=1, a=2)])]),
        "array": np.arange(3.0),
        "": {"": tensor([1.0])},
    }
    assert same(through(obj), obj)
    assert same(through(tensor([[1.0]])), tensor([[1.0]]))
    assert through(None) is None


def test_names_that_clash_or_look_like_paths():
    obj = {
        "a": {"b": tensor([1.0])},
        "a.b": tensor([2.0]),
        0: tensor([3.0]),
        "0": tensor([4.0]),
        "../../etc/passwd": tensor([5.0]),
        "x" * 1000: tensor([6.0]),
        "x" * 1001: tensor([7.0]),
        "ä": tensor([8.0]),
        "structure.json": tensor([9.0]),
        "obj": tensor([10.0]),
    }
    assert same(through(obj), obj)


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
arrays = st.tuples(st.sampled_from(DTYPES), st.sampled_from(SHAPES)).map(
    lambda pair: autograd.from_numpy(an_array(*pair))
)
keys = st.text() | st.integers() | st.booleans() | st.none()
structures = st.recursive(
    plain | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


@given(structures)
def test_any_structure(obj):
    assert same(through(obj), obj)


def test_subclasses_become_their_base():
    Point = namedtuple("Point", "x y")
    assert same(through([Point(1, 2)]), [(1, 2)])
    assert same(through(defaultdict(list, a=[1])), {"a": [1]})
    assert same(
        through([np.float64(0.5), np.int64(3), np.bool_(True), np.float32(0.5)])[:2], [0.5, 3]
    )
    assert through(tensor([1.0, 2.0]).shape) == (2,)


def test_gradient_flags_and_sharing():
    weight = tensor([1.0, 2.0], requires_grad=True)
    detached = weight.detach()
    loaded = through({"a": weight, "b": weight, "c": detached, "d": tensor([1.0, 2.0])})
    assert loaded["a"].requires_grad
    assert loaded["a"].is_leaf
    assert loaded["a"] is loaded["b"]
    assert not loaded["c"].requires_grad
    file = io.BytesIO()
    big = autograd.zeros(1000)
    save([big, big, big.detach()], file)
    assert file.tell() < 6000
    with autograd.no_grad():
        loaded["a"].zero_()
    assert loaded["d"].tolist() == [1.0, 2.0]


def test_memory_in_another_order():
    x = autograd.arange(6).reshape(2, 3)
    loaded = through([x.T, x[:, ::2], x[0].expand(2, 3)])
    assert [value.tolist() for value in loaded] == [
        [[0, 3], [1, 4], [2, 5]],
        [[0, 2], [3, 5]],
        [[0, 1, 2], [0, 1, 2]],
    ]
    assert all(value.array.flags.c_contiguous for value in loaded)


def test_loaded_tensors_can_be_written(tmp_path):
    for name in ("a.npz", "a.safetensors"):
        save({"x": tensor([1.0])}, tmp_path / name)
        assert load(tmp_path / name)["x"].add_(1).tolist() == [2.0]


def test_numpy_reads_the_arrays(tmp_path):
    save({"conv.weight": tensor([1.0]), "more": [tensor(2)]}, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["conv.weight"].tolist() == [1.0]
        assert archive["more.0"] == 2


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a.npz", "a.safetensors"):
        contents = []
        for _ in range(2):
            save({"x": tensor([1.0]), "b": tensor([1])}, tmp_path / name)
            contents.append((tmp_path / name).read_bytes())
        assert contents[0] == contents[1]


# Files


def test_file_objects(tmp_path):
    with open(tmp_path / "a", "wb") as file:
        file.write(b"")
        save({"x": tensor([1.0])}, file)
    with open(tmp_path / "a", "rb") as file:
        assert load(file)["x"].tolist() == [1.0]
    save({"x": tensor([2.0])}, tmp_path / "b.safetensors")
    content = (tmp_path / "b.safetensors").read_bytes()
    assert load(io.BytesIO(content))["x"].tolist() == [2.0]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    save({"x": tensor([1.0])}, path)
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError("disk full")

    with pytest.raises(TypeError):
        save({"x": tensor([2.0]), "y": object()}, path)
    for module, name in ((np.lib.format, "write_array"), (os, "fsync"), (os, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(OSError, match="disk full"):
                save({"x": tensor([2.0])}, path)
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["weights.npz"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions and links")
def test_permissions_and_links_stay(tmp_path):
    path = tmp_path / "weights.npz"
    save(1, path)
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    save(2, link)
    assert link.is_symlink()
    assert load(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    save(3, os.devnull)
    assert not os.path.isfile(os.devnull)


def test_what_is_no_file():
    with pytest.raises(TypeError, match="save: f must be a path or an open file, got int"):
        save(1, 5)
    with pytest.raises(TypeError, match="load: f must be a path or an open file, got NoneType"):
        load(None)


def test_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder .*missing"):
        save(1, tmp_path / "missing" / "a.npz")
    with pytest.raises(OSError, match=str(tmp_path.name)):
        save(1, tmp_path)
    with pytest.raises(FileNotFoundError, match="nothing.npz"):
        load(tmp_path / "nothing.npz")


# What cannot be saved


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({"a": [1, {"b": object()}]}, r"obj\['a'\]\[1\]\['b'\] is of type object"),
        ({"f": print}, "of type builtin_function_or_method"),
        ([b"bytes"], r"obj\[0\] is of type bytes"),
        ({1, 2}, "obj is of type set"),
        ([1j], "of type complex"),
        ({(1, 2): 3}, "obj has a key of type tuple"),
        (np.array(["text"]), "array of type <U4"),
        (np.array([object()]), "array of type object"),
    ],
)
def test_what_cannot_be_saved_is_named(obj, message, tmp_path):
    with pytest.raises(TypeError, match=message):
        save(obj, tmp_path / "a.npz")
    assert os.listdir(tmp_path) == []


def test_a_structure_that_contains_itself():
    obj = {"a": []}
    obj["a"].append(obj)
    with pytest.raises(ValueError, match=r"obj\['a'\]\[0\] contains itself"):
        save(obj, io.BytesIO())
    shared = [1]
    assert through([shared, shared]) == [[1], [1]]


@pytest.mark.parametrize(
    "obj", [[tensor([1.0])], {"a": {"b": tensor([1.0])}}, {1: tensor([1.0])}, {"a": 1.0}]
)
def test_safetensors_holds_tensors_by_name_only(obj, tmp_path):
    with pytest.raises(TypeError, match="a .safetensors file holds"):
        save(obj, tmp_path / "a.safetensors")
    assert os.listdir(tmp_path) == []


# Files from elsewhere


def test_safetensors_of_others(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    path = tmp_path / "a.safetensors"
    save_file({"b": torch.arange(3), "a": torch.ones(2, dtype=torch.float16)}, path)
    loaded = load(path)
    assert loaded["b"].tolist() == [0, 1, 2]
    assert loaded["a"].dtype == np.float16
    save(OrderedDict(z=tensor([1.5]), a=tensor([True])), path)
    assert list(load(path)) == ["z", "a"]
    assert load_file(path)["a"].tolist() == [True]
    save_file({"a": torch.ones(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(ValueError, match=r"a.safetensors \(\d+ bytes\): .*types that NumPy"):
        load(path)


def test_safetensors_without_its_library(tmp_path, monkeypatch):
    save({"a": tensor([1.0])}, tmp_path / "a.safetensors")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match="pip install safetensors"):
        save({"a": tensor([1.0])}, tmp_path / "b.safetensors")
    with pytest.raises(ImportError, match="pip install safetensors"):
        load(tmp_path / "a.safetensors")
    assert os.listdir(tmp_path) == ["a.safetensors"]


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_truncated_anywhere(tmp_path, suffix):
    path = tmp_path / f"weights{suffix}"
    save({"x": autograd.arange(40), "y": tensor([1.0])}, path)
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match=rf"weights{suffix}.*\b{length} bytes"):
            load(path)


def test_damaged_anywhere(tmp_path):
    path = tmp_path / "weights.npz"
    obj = {"x": autograd.arange(40), "y": tensor([1.0])}
    save(obj, path)
    content = path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :]
        )
        try:
            loaded = load(path)
        except ValueError as raised:
            error = raised
        else:
            assert same(loaded, obj)
            continue
        assert "weights.npz" in str(error)


def archive_of(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return io.BytesIO(file.getvalue())


def an_npy(array, **options):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return file.getvalue()


def archive_with(root, **members):
    structure = json.dumps({"format": "ndgrad", "version": 1, "root": root})
    return archive_of({"structure.json": structure, **members})


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("code ran",))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (io.BytesIO(b""), "has 0 bytes and begins with b''"),
        (io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(50)), r"begins with b'.x89PNG"),
        (io.BytesIO(pickle.dumps(Bomb())), "neither an .npz archive"),
        (archive_of({}), "holds nothing"),
        (archive_of({"x.npy": an_npy(np.ones(2))}), "holds x.npy; numpy.load reads"),
        (archive_of({"archive/data.pkl": b"", "b": b""}), "can run code and are not opened"),
        (archive_of({"structure.json": "{"}), "damaged"),
        (archive_of({"structure.json": "[]"}), "damaged"),
        (archive_of({"structure.json": '{"format": "x", "version": 1}'}), "format 'x'"),
        (archive_of({"structure.json": '{"format": "ndgrad", "version": 2}'}), "version 2"),
        (archive_with({"tensor": "absent"}), "absent"),
        (archive_with({"tensor": []}), "damaged"),
        (archive_with({"eval": "print()"}), "unknown kind 'eval'"),
        (archive_with({}), "unknown kind None"),
        (archive_with([1]), "a list without a kind"),
        (archive_with({"dict": [[{}, 1]]}), "damaged"),
        (archive_with({"dict": 5}), "damaged"),
        (archive_with(1, **{"x.npy": b"text"}), "damaged"),
        (archive_with(1, **{"x.npy": an_npy(np.array([Bomb()]))}), "type object"),
        (archive_with(1, **{"x.npy": an_npy(np.array(["a"]))}), "type <U1"),
        (archive_with(1, **{"x.npy": an_npy(np.ones(3))[:-1]}), r"has 23 bytes, not 24"),
        (archive_with(1, **{"x.npy": an_npy(np.ones(3)) + b"x"}), r"has 25 bytes, not 24"),
        (
            archive_with(1, **{"x.npy": an_npy(np.ones(3)).replace(b"(3,)", b"(9**9,)")}),
            "damaged",
        ),
        (io.BytesIO(struct.pack("<Q", 2**60) + b"{}"), "truncated or damaged .safetensors"),
        (io.BytesIO(struct.pack("<Q", 2) + b"{]"), "truncated or damaged .safetensors"),
    ],
)
def test_foreign_files_are_reported(file, message):
    with pytest.raises(ValueError, match=message):
        load(file)


def test_deep_structures_are_refused_not_crashed():
    root = 1
    for _ in range(400):
        root = {"list": [root]}
    deep = (
        json.dumps({"format": "ndgrad", "version": 1, "root": root})
        .replace('"root": ', '"root": ' + '{"list": [' * 5000)
        .removesuffix("}")
        + "]}" * 5000
        + "}"
    )
    with pytest.raises(ValueError, match="damaged"):
        load(archive_of({"structure.json": deep}))


def test_another_byte_order():
    file = archive_with({"tensor": "x"}, **{"x.npy": an_npy(np.arange(3, dtype=">i4"))})
    loaded = load(file)
    assert loaded.dtype == np.int32
    assert loaded.tolist() == [0, 1, 2]
