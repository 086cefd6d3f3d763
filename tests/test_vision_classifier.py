"""Classifier: scikit-learn's own checks, its tools, and what the checks leave open."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import autograd
import nn
from vision.models import CNN, TinyCNN
from vision.training import Classifier, CSVLog

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

IRIS = load_iris(return_X_y=True)
DIGITS, NUMBERS = load_digits(return_X_y=True)
IMAGES = (DIGITS[:300].reshape(-1, 1, 8, 8) / 16).astype(np.float32)  # (N, 64) -> (N, 1, 8, 8)


@parametrize_with_checks([Classifier()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_cross_validation_in_a_pipeline():
    model = make_pipeline(StandardScaler(), Classifier(max_epochs=10, lr=0.01, random_state=0))
    assert cross_val_score(model, *IRIS, cv=3).mean() > 0.9


def test_grid_search():
    search = GridSearchCV(
        Classifier(TinyCNN, max_epochs=3, random_state=0),
        {"lr": [1e-6, 0.01], "batch_size": [16]},
        cv=2,
    )
    search.fit(IMAGES, NUMBERS[:300])
    assert search.best_params_ == {"lr": 0.01, "batch_size": 16}
    assert isinstance(search.best_estimator_.module_, TinyCNN)
    assert search.predict(IMAGES[:5]).shape == (5,)


def test_images_and_labels_of_any_type():
    words = np.array(["zero", "one", "two"])
    chosen = NUMBERS[:300] < 3
    labels = words[NUMBERS[:300][chosen]]
    model = Classifier(max_epochs=8, lr=0.01, random_state=0).fit(IMAGES[chosen], labels)
    assert isinstance(model.module_, TinyCNN)
    assert model.classes_.tolist() == ["one", "two", "zero"]
    assert model.score(IMAGES[chosen], labels) > 0.95
    shares = model.predict_proba(IMAGES[:7])
    assert shares.shape == (7, 3)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares.sum(1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match=r"samples of shape \(1, 8, 7\), expected \(1, 8, 8\)"):
        model.predict(IMAGES[..., :7])


def test_flat_rows_as_images():
    model = Classifier(
        CNN,
        module_params={"use_batchnorm": False},
        input_shape=(1, 8, 8),
        max_epochs=1,
        random_state=0,
    ).fit(DIGITS[:100], NUMBERS[:100])
    assert model.module_.input_shape == (1, 8, 8)
    assert model.module_.num_classes == 10
    assert not model.module_.use_batchnorm
    assert model.predict_proba(DIGITS[:2]).dtype == np.float64
    with pytest.raises(ValueError, match=r"63.*expected 64 numbers for the input_shape"):
        Classifier(input_shape=(1, 8, 8)).fit(DIGITS[:, :63], NUMBERS)


def test_bytes_are_shares_of_one():
    grey = np.rint(IMAGES * 255).astype(np.uint8)
    same = [
        Classifier(max_epochs=1, random_state=0).fit(part, NUMBERS[:300]).predict_proba(part)
        for part in (grey, grey.astype(np.float32) / 255)
    ]
    np.testing.assert_allclose(*same, rtol=1e-4)


def test_the_same_seed_gives_the_same_and_disturbs_nothing():
    autograd.manual_seed(5)
    expected = autograd.rand(3)
    autograd.manual_seed(5)
    first, second, other = (
        Classifier(max_epochs=2, random_state=seed).fit(*IRIS).predict_proba(IRIS[0])
        for seed in (0, 0, 1)
    )
    assert autograd.equal(autograd.rand(3), expected)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_early_stopping_keeps_the_best():
    X, y = StandardScaler().fit_transform(IRIS[0]), IRIS[1]
    model = Classifier(
        early_stopping=True,
        n_iter_no_change=2,
        validation_fraction=0.2,
        max_epochs=200,
        lr=0.1,
        random_state=0,
    ).fit(X, y)
    losses = model.history_["val_loss"]
    assert model.n_iter_ == len(losses) < 200
    assert losses.index(min(losses)) == len(losses) - 3


def test_callbacks_and_schedules(tmp_path):
    log = CSVLog(tmp_path / "log.csv")
    model = Classifier(
        max_epochs=3,
        callbacks=[log],
        scheduler=lambda optimizer: nn.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.1),
        lr=0.01,
        label_smoothing=0.1,
        weight_decay=1e-4,
    ).fit(*IRIS)
    np.testing.assert_allclose(model.history_["lr"], [1e-2, 1e-3, 1e-4])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert model.callbacks == [log]


def test_learning_part_by_part():
    X, y = StandardScaler().fit_transform(IRIS[0]), IRIS[1]
    model = Classifier(random_state=0, lr=0.02)
    for _ in range(10):
        for label in (0, 1, 2):
            model.partial_fit(X[y == label], y[y == label], classes=[0, 1, 2])
    assert model.n_iter_ == 30
    assert set(model.predict(X)) <= {0, 1, 2}
    copy = pickle.loads(pickle.dumps(model))
    for each in (model, copy):
        each.partial_fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), copy.predict_proba(X))
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match=r"label 3 is not among the classes \[0, 1, 2\]"):
        model.partial_fit(X, y + 1)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    assert not hasattr(model.fit(X, y), "_optimizer")
    model.partial_fit(X, y)
    assert model.n_iter_ == model.max_epochs + 1


def test_clones_are_unfitted():
    model = Classifier(CNN, module_params={"dropout_rate": 0.1}).set_params(lr=0.5)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(IMAGES)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"optimizer": "adamant"}, ValueError, "optimizer is one of .*'adam'"),
        ({"module": nn.ReLU()}, TypeError, "a class or a"),
        ({"module": dict}, TypeError, "got a dict"),
        ({"module": lambda: nn.Linear(4, 7)}, ValueError, r"gives \(1, 7\).*expected \(1, 3\)"),
        ({"batch_size": 0}, ValueError, "batch_size is at least 1, got 0"),
        ({"max_epochs": -1}, ValueError, "epochs is at least 0, got -1"),
    ],
)
def test_refusals(options, error, words):
    with pytest.raises(error, match=words):
        Classifier(**options).fit(*IRIS)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match=r"of 1 class \('cat'\), expected at least 2"):
        Classifier().fit(IRIS[0][:9], ["cat"] * 9)


def test_scikit_learn_is_imported_for_it_only():
    program = "import sys, vision; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_without_scikit_learn():
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "from vision.training import Trainer\n"
        "try:\n    from vision.training import Classifier\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert 'pip install "scikit-learn>=1.6"' in done.stdout, done.stderr
