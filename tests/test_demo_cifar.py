"""`python -m demos.cifar` on images of noise."""

from __future__ import annotations

import json
import re

import pytest
from demo_checks import go_offline, is_png, refused, refuses_the_usual_mistakes

from demos import cifar, options, train
from vision.models import CIFAR10CNN, SmallResNet

SMALL = ["--dataset", "fake", "--limit", "40"]


def settings_in(out):
    return json.loads((out / "history.json").read_text(encoding="utf-8"))["settings"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("finished")
    assert cifar.main([*SMALL, "--epochs", "2", "--batch-size", "16", "--out", str(out)]) == 0
    return out


def test_files(finished):
    pictures = ["images", "filters1", "filters2", "activations", "curves", "confusion", "classes"]
    for name in pictures:
        assert is_png(finished / f"{name}.png")
    assert settings_in(finished)["model"] == "CIFAR10CNN"


@pytest.mark.parametrize("recipe", ["ancestor", "best"])
def test_recipes(recipe, tmp_path, monkeypatch):
    """Each brings its network, its loss, its way to hold images back, and its random changes."""
    seen = []
    monkeypatch.setattr(train, "train", lambda run, out, resume: seen.append(run) or [])
    monkeypatch.setattr(cifar, "pictures", lambda run, out: [])
    assert cifar.main([*SMALL, "--recipe", recipe, "--out", str(tmp_path)]) == 0
    (run,) = seen
    names = [type(callback).__name__ for callback in run.callbacks]
    if recipe == "ancestor":
        assert type(run.model) is CIFAR10CNN
        assert sum(parameter.numel() for parameter in run.model.parameters()) == 545_098
        assert (len(run.loader.dataset), len(run.held_out), run.settings.batch_size) == (32, 8, 64)
        assert "EarlyStopping" in names
        assert run.loss.label_smoothing == 0
    else:
        assert type(run.model) is SmallResNet
        assert (len(run.loader.dataset), len(run.held_out)) == (40, 40)
        assert "EarlyStopping" not in names
        assert run.loss.label_smoothing == 0.1
        images = [run.data.train[0][0] for _ in range(8)]
        assert len({image.numpy().tobytes() for image in images}) > 1
    assert run.data.test[0][0].numpy().tobytes() == run.data.test[0][0].numpy().tobytes()


def test_the_best_epoch_is_kept(finished):
    """The ancestor's recipe ends with the weights that were best on the validation images."""
    state = options.load_checkpoint(finished, options.CIFAR_TASK)
    (best,) = [c["state"] for c in state["callbacks"] if c["kind"] == "EarlyStopping"]
    assert best["best"] == max(state["history"]["val_accuracy"])


def test_without_a_network(tmp_path, capsys, monkeypatch):
    go_offline(monkeypatch, tmp_path)
    out = str(tmp_path / "out")
    assert cifar.main(["--limit", "20", "--epochs", "1", "--out", out]) == 0
    said = capsys.readouterr().out
    assert "noise, from which nothing can be learned, because cifar10 is not at hand" in said
    assert re.search(r"Files in .*: checkpoint.npz, .*graph.*, images.png, filters1.png", said)


def test_checkpoint_of_the_other_program(finished, capsys):
    line = refused(train, capsys, "--resume", "--out", str(finished))
    assert "was written by python -m demos.cifar; go on with that" in line


def test_mistakes(capsys, tmp_path):
    refuses_the_usual_mistakes(cifar, capsys, tmp_path, *SMALL)
    assert "invalid choice: 'quick'" in refused(cifar, capsys, "--recipe", "quick")
