"""`python -m demos.train` from end to end, on few images."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd
from demos import data, options, recipes, train, zoo
from vision.datasets import MNIST, Digits

TINY = ["--data", "digits", "--limit", "50", "--epochs", "3", "--batch-size", "16"]
BATCHES = 4  # of TINY, per epoch
PICTURES = ["curves.png", "confusion.png", "classes.png", "predictions.png"]
NUMBERS = ["train_loss", "train_accuracy", "val_loss", "val_accuracy"]


def run(out, *extra) -> int:
    return train.main([*TINY, "--out", str(out), *extra])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    assert run(out) == 0
    return out


def history(out):
    return json.loads((out / "history.json").read_text(encoding="utf-8"))["epochs"]


def interrupt(monkeypatch, after: int) -> None:
    """Ctrl-C in the training step after so many."""
    original, calls = autograd.Tensor.backward, iter(range(10_000))

    def backward(self, *args, **kwargs):
        if next(calls) == after:
            raise KeyboardInterrupt
        return original(self, *args, **kwargs)

    monkeypatch.setattr(autograd.Tensor, "backward", backward)


def test_files(finished):
    names = {path.name for path in finished.iterdir()}
    expected = {"checkpoint.npz", "weights.npz", "history.json", "history.csv", "graph.dot"}
    assert {*expected, *PICTURES} <= names
    for name in PICTURES:
        assert (finished / name).read_bytes().startswith(b"\x89PNG")
        assert (finished / name).stat().st_size > 5000
    assert not [name for name in names if name.startswith(".")]


def test_history(finished):
    rows = history(finished)
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    for row in rows:
        assert 0 <= row["val_accuracy"] <= 1
        assert row["images_per_second"] > 0
    with (finished / "history.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [{key: float(value) for key, value in row.items()} for row in table] == rows
    settings = json.loads((finished / "history.json").read_text(encoding="utf-8"))["settings"]
    assert settings == {
        "program": "python -m demos.train",
        "data": "Digits",
        "recipe": "quick",
        "model": "Net",
        "augment": "none",
        "epochs": 3,
        "batch_size": 16,
        "lr": 0.005,
        "seed": 0,
        "limit": 50,
    }


def test_weights_give_the_accuracy(finished):
    model = zoo.Net((1, 8, 8))
    model.load_state_dict(autograd.load(finished / "weights.npz"))
    model.eval()
    data = Digits(train=False)
    images = autograd.tensor(data.data.numpy()[:50, None] / np.float32(255))
    right = model(images).argmax(dim=1).numpy() == data.targets.numpy()[:50]
    assert right.mean() == history(finished)[-1]["val_accuracy"]


def test_weights_as_safetensors(finished):
    pytest.importorskip("safetensors")
    first, second = (autograd.load(finished / f"weights.{kind}") for kind in ("npz", "safetensors"))
    assert list(first) == list(second)
    for name, value in first.items():
        assert value.dtype == second[name].dtype
        np.testing.assert_array_equal(value.numpy(), second[name].numpy())


def test_what_is_said(tmp_path, capsys):
    assert run(tmp_path, "--epochs", "1") == 0
    said = capsys.readouterr()
    assert "Data: scikit-learn's handwritten digits, as asked for" in said.out
    assert re.search(r"Accuracy on 50 held-out images: \d+\.\d\d% \(epoch 1 of 1\)", said.out)
    assert f"Files in {tmp_path}: checkpoint.npz, weights.npz" in said.out
    assert re.search(r"epoch 1/1: 100%.*50/50.*img/s, loss \d\.\d+, accuracy \d+\.\d\d%", said.err)


def test_it_learns(tmp_path):
    out = str(tmp_path)
    assert train.main(["--data", "digits", "--epochs", "3", "--out", out, "--lr", "0.01"]) == 0
    assert history(tmp_path)[-1]["val_accuracy"] > 0.95


def test_seed(finished, tmp_path):
    assert run(tmp_path / "same", "--seed", "0") == run(tmp_path / "other", "--seed", "1") == 0
    weights = [
        (out / "weights.npz").read_bytes() for out in (finished, *sorted(tmp_path.iterdir()))
    ]
    assert weights[0] != weights[1]
    assert weights[0] == weights[2]


# Stopping and going on


@pytest.mark.parametrize("after", [1, BATCHES, 3 * BATCHES - 1])
def test_resume_ends_as_an_uninterrupted_run(finished, tmp_path, monkeypatch, capsys, after):
    with monkeypatch.context() as patch:
        interrupt(patch, after)
        assert run(tmp_path) == 130
    said = capsys.readouterr().out
    done = after // BATCHES
    assert f"Finished epochs: {done} of 3, saved in {tmp_path / 'checkpoint.npz'}" in said
    assert f"python -m demos.train --resume --out {tmp_path}" in said
    autograd.rand(3)
    assert train.main(["--resume", "--out", str(tmp_path)]) == 0
    assert f"Going on after epoch {done} of 3" in capsys.readouterr().out
    assert (tmp_path / "weights.npz").read_bytes() == (finished / "weights.npz").read_bytes()
    for row, expected in zip(history(tmp_path), history(finished), strict=True):
        assert [row[name] for name in NUMBERS] == [expected[name] for name in NUMBERS]


def test_resume_after_the_last_epoch(finished, tmp_path, monkeypatch):
    """Nothing is trained, all files but the checkpoint are written anew."""
    shutil.copy(finished / "checkpoint.npz", tmp_path)
    monkeypatch.setattr(autograd.Tensor, "backward", None)
    assert train.main(["--resume", "--out", str(tmp_path)]) == 0
    names = {path.name for path in finished.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "weights.npz").read_bytes() == (finished / "weights.npz").read_bytes()


def test_interrupted_before_anything_is_saved(tmp_path, monkeypatch, capsys):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(options, "load", stop)
    assert run(tmp_path / "new") == 130
    assert "Stopped. Nothing was saved yet." in capsys.readouterr().out


def test_interrupted_while_saving(tmp_path, monkeypatch, capsys):
    """The checkpoint before stays whole."""
    original, calls = autograd.save, iter(range(100))

    def save(value, path):
        if next(calls) == 2:
            Path(path).with_name("half").write_bytes(b"half")
            raise KeyboardInterrupt
        original(value, path)

    monkeypatch.setattr(train.autograd, "save", save)
    assert run(tmp_path) == 130
    assert "Finished epochs: 1 of 3" in capsys.readouterr().out


def test_a_new_run_forgets_the_old_checkpoint(finished, tmp_path, monkeypatch, capsys):
    shutil.copy(finished / "checkpoint.npz", tmp_path)
    interrupt(monkeypatch, after=1)
    assert run(tmp_path) == 130
    assert "Finished epochs: 0 of 3" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")
def test_a_real_signal(tmp_path):
    command = [sys.executable, "-m", "demos.train", *TINY, "--epochs", "500", "--out", "run"]
    root = Path(train.__file__).parents[1]
    environment = {"PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1", "PATH": ""}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # the tests may run where it is ignored, as in the background of a shell
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        for line in process.stdout:
            if line.startswith(b"held out"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read().decode()
        assert process.wait(30) == 130
    assert re.search(r"Stopped\. Finished epochs: \d+ of 500, saved in", rest)
    assert "Traceback" not in rest
    assert (
        len(options.load_checkpoint(tmp_path / "run", options.TRAIN_TASK)["history"]["epoch"]) >= 1
    )


# The graph


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program dot")
def test_graph(finished):
    assert "<svg" in (finished / "graph.svg").read_text(encoding="utf-8")
    assert (finished / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_graph_without_graphviz(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    (tmp_path / "graph.svg").write_text("of an earlier run")
    assert run(tmp_path, "--epochs", "1") == 0
    source = (tmp_path / "graph.dot").read_text(encoding="utf-8")
    assert source.startswith("digraph")
    for name in ("features.0.weight", "classifier.2.bias", "Conv2d", "(16, 1, 5, 5)"):
        assert name in source
    said = capsys.readouterr().out
    dot = tmp_path / "graph.dot"
    assert f"dot -Tsvg {dot} -o {tmp_path / 'graph.svg'}" in said
    assert "apt install graphviz" in said
    assert not (tmp_path / "graph.svg").exists()


# Which data


def put_mnist(folder, count=40):
    random = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        header = [size.to_bytes(4, "big") for size in (0x803, count, 28, 28)]
        pixels = random.integers(0, 256, count * 784, np.uint8).tobytes()
        (folder / f"{part}-images-idx3-ubyte").write_bytes(b"".join(header) + pixels)
        labels = bytes(i % 10 for i in range(count))
        header = [size.to_bytes(4, "big") for size in (0x801, count)]
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"".join(header) + labels)


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("NDGRAD_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(MNIST, "mirrors", ("http://127.0.0.1:1/",))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "data"


SHORT = ["--epochs", "1", "--limit", "20", "--batch-size", "8"]


def test_auto_takes_mnist_where_it_is(offline, tmp_path, capsys):
    put_mnist(offline / "MNIST" / "raw")
    assert train.main([*SHORT, "--out", str(tmp_path / "run")]) == 0
    assert f"Data: MNIST, found in or fetched to {offline}" in capsys.readouterr().out


def test_auto_falls_back_to_digits_and_says_why(offline, tmp_path, capsys):
    assert train.main([*SHORT, "--out", str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    for part in ("scikit-learn's handwritten digits, because", str(offline), "refused"):
        assert part in said


def test_a_folder_with_mnist_and_resume(offline, tmp_path, monkeypatch, capsys):
    """Going on finds the data where they were, whatever folder that was."""
    put_mnist(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        interrupt(patch, after=4)
        arguments = ["--data", "mine", *SHORT, "--epochs", "2", "--out", str(tmp_path / "run")]
        assert train.main(arguments) == 130
    monkeypatch.chdir("/")
    assert train.main(["--resume", "--out", str(tmp_path / "run")]) == 0
    assert len(history(tmp_path / "run")) == 2


def settings_in(out):
    return json.loads((out / "history.json").read_text(encoding="utf-8"))["settings"]


@pytest.mark.parametrize("name", [name for name in zoo.MODELS if name not in zoo.COLOUR_ONLY])
def test_models(name, tmp_path):
    assert run(tmp_path, "--model", name, "--epochs", "1", "--limit", "20") == 0
    assert settings_in(tmp_path)["model"] == name


def test_models_for_colours_get_three_channels(tmp_path, monkeypatch, capsys):
    put_mnist(tmp_path / "mine", count=4)
    monkeypatch.setattr(train, "train", lambda run, out, resume: [str(run.data.shape)])
    line = refused(capsys, "--data", str(tmp_path / "mine"), "--model", "vgg11")
    assert "--model vgg11: needs images of at least 32 x 32 pixels, these have 28 x 28" in line
    arguments = ["--data", "fake", "--model", "resnet18", "--out", str(tmp_path)]
    assert train.main(arguments) == 0
    assert f"Files in {tmp_path}: (3, 32, 32)" in capsys.readouterr().out
    grey = data.load("digits").transformed([], colours=True)
    assert grey.shape == (3, 8, 8)


@pytest.mark.parametrize("kind", recipes.AUGMENTATIONS)
def test_augmentation(kind, tmp_path):
    assert run(tmp_path, "--augment", kind, "--epochs", "1", "--limit", "20") == 0
    digits = data.load("digits")
    changed = digits.transformed(recipes.augmentation(kind, digits.shape))
    images = {changed.train[0][0].numpy().tobytes() for _ in range(8)}
    assert (len(images) > 1) == (kind != "none")
    assert changed.test[0][0].numpy().tobytes() == digits.test[0][0].numpy().tobytes()


@pytest.mark.parametrize(("recipe", "model"), [("ancestor", "MNISTNet"), ("best", "Net")])
def test_recipes(recipe, model, tmp_path):
    assert run(tmp_path, "--recipe", recipe, "--epochs", "1") == 0
    settings = settings_in(tmp_path)
    assert (settings["recipe"], settings["model"]) == (recipe, model)
    assert settings["augment"] == ("affine" if recipe == "best" else "none")


def test_the_ancestors_steps(tmp_path):
    """A tenth of the learning rate after epochs 10 and 20."""
    arguments = ["--data", "digits", "--limit", "20", "--recipe", "ancestor", "--model", "TinyCNN"]
    assert train.main([*arguments, "--batch-size", "20", "--out", str(tmp_path)]) == 0
    rates = [row["lr"] for row in history(tmp_path)]
    assert rates == pytest.approx([1e-3] * 10 + [1e-4] * 10 + [1e-5] * 5)


def test_a_last_batch_of_one(tmp_path):
    """Batch norm over one image would be an error: it is left out of the epoch."""
    assert run(tmp_path, "--model", "CNN", "--epochs", "1", "--limit", "33") == 0


def test_a_folder_of_images(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    random = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in ("cats", "dogs"):
            (tmp_path / "pets" / part / name).mkdir(parents=True)
            for number in range(3):
                pixels = random.integers(0, 256, (30 + number, 40, 3), np.uint8)
                image.fromarray(pixels).save(tmp_path / "pets" / part / name / f"{number}.png")
    out = tmp_path / "out"
    arguments = ["--data", str(tmp_path / "pets"), "--augment", "strong", "--epochs", "1"]
    assert train.main([*arguments, "--out", str(out)]) == 0
    assert "2 classes, made 32 x 32 pixels" in capsys.readouterr().out
    (tmp_path / "pets" / "test" / "birds").mkdir()
    line = refused(capsys, *arguments, "--out", str(tmp_path / "new"))
    assert "found no images" in line


# Mistakes


def refused(capsys, *arguments) -> str:
    """The one line that a run ends with."""
    with pytest.raises(SystemExit) as caught:
        train.main(list(arguments))
    code = caught.value.code
    line = code if isinstance(code, str) else capsys.readouterr().err
    assert code not in (0, None)
    assert line.startswith("python -m demos.train: ")
    assert line.strip().count("\n") == 0
    return line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "argument --epochs: expected a whole number of at least 1, got '0'"),
        (["--epochs", "x"], "argument --epochs: expected a whole number of at least 1, got 'x'"),
        (["--batch-size", "-3"], "argument --batch-size: expected a whole number"),
        (["--lr", "nan"], "argument --lr: expected a number above 0, got 'nan'"),
        (["--lr", "0"], "argument --lr: expected a number above 0, got '0'"),
        (["--seed", "x"], "argument --seed: expected a whole number of at least 0"),
        (["--model", "Nonsense"], "argument --model: invalid choice: 'Nonsense'"),
        (["--recipe", "Nonsense"], "argument --recipe: invalid choice: 'Nonsense'"),
        (["--data", "digits:/tmp"], "--dataset digits:/tmp: digits is not read from a folder"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--data", "no/such/folder"], "--dataset no/such/folder: expected auto, mnist, fash"),
    ],
)
def test_bad_options(capsys, tmp_path, arguments, message):
    assert message in refused(capsys, *arguments, "--out", str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_mnist_asked_for_but_not_there(offline, capsys, tmp_path):
    assert "searched" in refused(capsys, "--data", "mnist", "--out", str(tmp_path / "run"))


def test_damaged_mnist_is_not_passed_over(offline, capsys, tmp_path):
    put_mnist(offline)
    path = offline / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    line = refused(capsys, "--out", str(tmp_path / "run"))
    assert f"{path}: 31375 bytes found, expected 31376" in line


def test_output_folder_is_a_file(capsys, tmp_path):
    (tmp_path / "run").write_text("mine")
    assert "run" in refused(capsys, *TINY, "--out", str(tmp_path / "run"))
    assert (tmp_path / "run").read_text() == "mine"


def test_resume_without_checkpoint(capsys, tmp_path):
    line = refused(capsys, "--resume", "--out", str(tmp_path / "run"))
    assert f"there is no {tmp_path / 'run' / 'checkpoint.npz'}" in line


@pytest.mark.parametrize("damage", ["cut", "text", "weights"])
def test_resume_from_a_damaged_checkpoint(capsys, finished, tmp_path, damage):
    path = tmp_path / "checkpoint.npz"
    if damage == "cut":
        path.write_bytes((finished / "checkpoint.npz").read_bytes()[:-100])
    elif damage == "text":
        path.write_text("hello")
    else:
        shutil.copy(finished / "weights.npz", path)
    before = path.read_bytes()
    assert str(path) in refused(capsys, "--resume", "--out", str(tmp_path))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "option",
    [
        ["--lr", "3"],
        ["--epochs", "4"],
        ["--batch-size", "7"],
        ["--seed", "5"],
        ["--model", "LeNet5"],
        ["--augment", "crop"],
        ["--recipe", "best"],
    ],
)
def test_resume_with_other_options(capsys, finished, option):
    before = (finished / "checkpoint.npz").read_bytes()
    line = refused(capsys, "--resume", "--out", str(finished), *option)
    assert option[0] in line
    assert "was started with; leave it out" in line
    assert (finished / "checkpoint.npz").read_bytes() == before


def test_resume_with_other_data(offline, capsys, finished, tmp_path):
    put_mnist(tmp_path / "mine")
    line = refused(capsys, "--resume", "--out", str(finished), "--data", str(tmp_path / "mine"))
    assert "--data MNIST differs from the Digits" in line


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_loss_that_is_not_finite(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match=r"try a smaller learning rate.*--lr"):
        run(tmp_path, "--lr", "1e30")
    assert options.load_checkpoint(tmp_path, options.TRAIN_TASK)["epoch"] == 0
