"""Metrics against their definitions, written out in plain loops."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd
from vision import metrics

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def case():
    random = np.random.default_rng(3)
    targets = random.integers(0, 4, 60)
    scores = random.normal(size=(60, 4))
    scores[np.arange(60), targets] += 1.0
    shares = np.exp(scores)
    return targets, shares / shares.sum(1, keepdims=True)


def test_accuracy(case):
    targets, scores = case
    right = sum(int(row.argmax() == label) for row, label in zip(scores, targets, strict=True))
    assert metrics.accuracy(targets, scores) == right / 60
    assert metrics.accuracy(targets.tolist(), scores.argmax(1).tolist()) == right / 60
    tensors = autograd.tensor(targets), autograd.tensor(scores, requires_grad=True)
    assert metrics.accuracy(*tensors) == right / 60
    assert 0 < right < 60


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_top_k(case, k):
    targets, scores = case
    hits = [label in np.argsort(row)[-k:] for row, label in zip(scores, targets, strict=True)]
    assert metrics.top_k_accuracy(targets, scores, k) == np.mean(hits)


def test_top_k_of_two_classes():
    scores = [[0.4, 0.6], [0.9, 0.1]]
    assert metrics.top_k_accuracy([1, 1], scores, 1) == 0.5
    assert metrics.top_k_accuracy([1, 1], scores, 2) == 1.0


def test_top_k_where_not_all_classes_occur():
    scores = np.eye(5)[[0, 1, 4]] + 0.1 * np.eye(5)[[1, 2, 3]]
    assert metrics.top_k_accuracy([0, 2, 2], scores, 2) == pytest.approx(2 / 3)


def test_report_and_confusion(case):
    targets, scores = case
    guesses = scores.argmax(1)
    matrix = metrics.confusion_matrix(targets, scores)
    report = metrics.precision_recall_f1(targets, guesses, num_classes=5)
    for label in range(4):
        for guess in range(4):
            assert matrix[label, guess] == np.sum((targets == label) & (guesses == guess))
        hits = matrix[label, label]
        precision, recall = hits / matrix[:, label].sum(), hits / matrix[label].sum()
        assert report.precision[label] == pytest.approx(precision)
        assert report.recall[label] == pytest.approx(recall)
        assert report.f1[label] == pytest.approx(2 * precision * recall / (precision + recall))
        assert report.support[label] == matrix[label].sum()
    assert [part[4] for part in report] == [0, 0, 0, 0]
    assert matrix.shape == (4, 4)
    assert metrics.confusion_matrix([0, 1], [1, 0], num_classes=3).shape == (3, 3)
    assert metrics.confusion_matrix([0, 1], [[0.9, 0.1, 0], [0.9, 0.1, 0]]).shape == (3, 3)


def pair_auc(found, column):
    """The share of pairs of one that is and one that is not in which the former scores higher."""
    higher = column[found][:, None] - column[~found]
    return np.mean((higher > 0) + 0.5 * (higher == 0))


def test_roc_auc(case):
    targets, scores = case
    areas = [pair_auc(targets == label, scores[:, label]) for label in range(4)]
    np.testing.assert_allclose(metrics.roc_auc(targets, scores, average=None), areas)
    assert metrics.roc_auc(targets, scores) == pytest.approx(np.mean(areas))
    # logits rank as probabilities do not, but are as welcome
    logits = 3 * scores - 1
    assert metrics.roc_auc(targets, logits) == pytest.approx(np.mean(areas))


def test_roc_auc_of_two_classes():
    column = np.array([0.1, 0.4, 0.4, 0.8])
    expected = pair_auc(np.array([False, False, True, True]), column)
    assert metrics.roc_auc([0, 0, 1, 1], column) == pytest.approx(expected)
    both = np.stack([1 - column, column], axis=1)
    assert metrics.roc_auc([0, 0, 1, 1], both) == pytest.approx(expected)


def test_roc_auc_without_a_class(case):
    targets, scores = case
    kept = targets != 2
    areas = metrics.roc_auc(targets[kept], scores[kept], average=None)
    assert np.isnan(areas).tolist() == [False, False, True, False]
    assert metrics.roc_auc(targets[kept], scores[kept]) == pytest.approx(np.nanmean(areas))


def test_roc_curve(case):
    targets, scores = case
    curve = metrics.roc_curve(targets, scores, positive=3)
    assert len({len(part) for part in curve}) == 1
    for false, true, threshold in zip(*curve, strict=True):
        alarm = scores[:, 3] >= threshold
        assert false == pytest.approx(alarm[targets != 3].mean())
        assert true == pytest.approx(alarm[targets == 3].mean())
    column = metrics.roc_curve(targets, scores[:, 3], positive=3)
    np.testing.assert_array_equal(column.true_positive_rate, curve.true_positive_rate)
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(metrics.roc_auc(targets, scores, average=None)[3])


def test_calibration(case):
    targets, scores = case
    curve = metrics.reliability_curve(targets, scores, bins=5)
    confidence, right = scores.max(1), scores.argmax(1) == targets
    error = 0.0
    for place in range(5):
        inside = (confidence > place / 5) & (confidence <= (place + 1) / 5)
        assert curve.counts[place] == inside.sum()
        if inside.any():
            assert curve.confidence[place] == pytest.approx(confidence[inside].mean())
            assert curve.accuracy[place] == pytest.approx(right[inside].mean())
            error += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert metrics.expected_calibration_error(targets, scores, 5) == pytest.approx(error)
    assert curve.counts[0] == 0  # the largest of four is above 0.2
    assert np.isnan(curve.accuracy[0])


def test_perfect_calibration():
    certain = np.eye(3)[[0, 1, 2, 1]]
    assert metrics.expected_calibration_error([0, 1, 2, 1], certain) == 0.0
    assert metrics.expected_calibration_error([1, 2, 0, 0], certain) == 1.0
    assert metrics.reliability_curve([0, 1, 2, 1], certain).counts[-1] == 4


TABLE = [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.accuracy([], []), r"targets has shape \(0,\), expected \(N,\)"),
        (lambda: metrics.accuracy([0, 1], [0]), "got 2 targets and 1 predictions"),
        (lambda: metrics.accuracy([0.0, 1.0], [0, 1]), "integer labels, got float64"),
        (lambda: metrics.accuracy([0, -1], [0, 1]), "labels from 0, got -1"),
        (lambda: metrics.accuracy([0, 2], TABLE), "label 2 is out of range for scores of 2"),
        (lambda: metrics.accuracy([0], TABLE), "got 1 targets and 2 predictions"),
        (lambda: metrics.top_k_accuracy([0, 1], TABLE, 3), "k is from 1 to 2, the classes, got 3"),
        (lambda: metrics.top_k_accuracy([0, 1], [0, 1], 1), r"scores have shape \(2,\)"),
        (lambda: metrics.top_k_accuracy([0], [[0.5, np.nan]], 1), "finite numbers"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 1], 3), "label 3 is out of range for 3"),
        (lambda: metrics.precision_recall_f1([0, 3], [0, 1], 2), "label 3 is out of range for 2"),
        (lambda: metrics.roc_curve([1, 1], [0.1, 0.2]), "2 of 2 labels are of class 1"),
        (lambda: metrics.roc_curve([0, 1], TABLE, 2), "positive is a class from 0 to 1, got 2"),
        (lambda: metrics.roc_auc([1, 1], TABLE), "all 2 labels are 1, expected two classes"),
        (lambda: metrics.roc_auc([0, 1], TABLE, "micro"), "average is 'macro' or None"),
        (lambda: metrics.reliability_curve([0], [[2.0, -1.0]]), "values from -1 to 2"),
        (lambda: metrics.reliability_curve([0, 1], [[0.5, 0.5], [0.5, 0.1]]), "0.6 in row 1"),
        (lambda: metrics.reliability_curve([0, 1], TABLE, 0), "bins is at least 1, got 0"),
    ],
)
def test_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(ImportError, match="accuracy: needs scikit-learn, .*pip install"):
        metrics.accuracy([0, 1], [0, 1])
    assert metrics.expected_calibration_error([0, 1], TABLE) == 0.0


def test_macro_roc_curve(case):
    targets, scores = case
    curve = metrics.macro_roc_curve(targets, scores)
    assert np.isnan(curve.thresholds).all()
    assert (np.diff(curve.false_positive_rate) >= 0).all()
    assert (np.diff(curve.true_positive_rate) >= -1e-12).all()
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(metrics.roc_auc(targets, scores))
    # between two steps the mean of the curves' heights there
    middle = (curve.false_positive_rate[:-1] + curve.false_positive_rate[1:]) / 2
    some = np.flatnonzero(np.diff(curve.false_positive_rate) > 1e-9)
    single = [metrics.roc_curve(targets, scores, label) for label in range(4)]
    heights = [np.interp(middle, one.false_positive_rate, one.true_positive_rate) for one in single]
    found = (curve.true_positive_rate[:-1] + curve.true_positive_rate[1:]) / 2
    np.testing.assert_allclose(found[some], np.mean(heights, axis=0)[some])
    kept = targets != 2
    without = metrics.macro_roc_curve(targets[kept], scores[kept])
    area = np.trapezoid(without.true_positive_rate, without.false_positive_rate)
    assert area == pytest.approx(metrics.roc_auc(targets[kept], scores[kept]))
    with pytest.raises(ValueError, match="all 2 labels are 1"):
        metrics.macro_roc_curve([1, 1], [[0.5, 0.5], [0.4, 0.6]])
