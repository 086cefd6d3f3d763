"""Looking inside networks: against definitions, finite differences, and networks made by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd
import nn
from autograd import from_numpy, tensor
from nn import functional as F
from vision import interpret
from vision.interpret import (
    activation_statistics,
    activations,
    cluster_feature_maps,
    filter_ablation,
    grad_cam,
    maximally_activating,
    occlusion_sensitivity,
    saliency,
)
from vision.interpret.resizing import enlarged
from vision.models import CNN, SmallInception, TinyCNN, resnet18


class Own(nn.Module):
    """Functions beside modules, and a layer that works in place."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(3, 4, 3, padding=1)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = self.relu(self.first(x))
        x = self.relu(self.second(F.max_pool2d(x, 2)))
        return self.head(x.mean((2, 3)))


@pytest.fixture
def own():
    autograd.manual_seed(1)
    return Own().double()


@pytest.fixture
def images():
    return np.random.default_rng(2).random((3, 2, 8, 6))


def scores(model, images):
    with autograd.no_grad():
        return model(from_numpy(images)).numpy()


def test_saliency_is_the_gradient(own, images):
    heat = saliency(own, images, [0, 2, 1])
    assert heat.shape == (3, 8, 6)
    assert heat.dtype == np.float64
    step, slopes = 1e-6, np.zeros_like(images)
    for place in np.ndindex(*images.shape[1:]):
        up, down = images.copy(), images.copy()
        up[(slice(None), *place)] += step
        down[(slice(None), *place)] -= step
        rows = np.arange(3), [0, 2, 1]
        slopes[(slice(None), *place)] = (scores(own, up)[rows] - scores(own, down)[rows]) / 2 / step
    np.testing.assert_allclose(heat, np.abs(slopes).max(1), atol=1e-8)
    predicted = scores(own, images).argmax(1)
    np.testing.assert_array_equal(saliency(own, images), saliency(own, images, predicted))
    assert (saliency(own, images, 0) != saliency(own, images, 1)).any()


def test_smooth_grad(own, images):
    smooth = saliency(own, images, 0, samples=4, noise=0.1, seed=3)
    np.testing.assert_array_equal(smooth, saliency(own, images, 0, samples=4, noise=0.1, seed=3))
    assert (smooth != saliency(own, images, 0, samples=4, noise=0.1, seed=4)).any()
    np.testing.assert_allclose(
        saliency(own, images, 0, samples=3, noise=0.0), saliency(own, images, 0)
    )
    spread = 0.1 * (images.max((1, 2, 3), keepdims=True) - images.min((1, 2, 3), keepdims=True))
    random, slopes = np.random.default_rng(3), []
    for _ in range(4):
        x = tensor(images + spread * random.standard_normal(images.shape), requires_grad=True)
        slopes.append(autograd.grad(own(x.clone())[:, 0].sum(), x)[0].numpy())
    np.testing.assert_allclose(smooth, np.abs(np.mean(slopes, axis=0)).max(1))
    # of a linear network the gradient is the same everywhere
    linear = nn.Sequential(nn.Flatten(), nn.Linear(96, 2)).double()
    np.testing.assert_allclose(saliency(linear, images, 1, samples=5), saliency(linear, images, 1))


def test_grad_cam_of_a_hand_made_network():
    """Two maps, averaged, weighed by 2 and -1: their weights are 2 and -1 over the area."""
    model = nn.Sequential(
        nn.Conv2d(1, 2, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)
    )
    model[0].weight.data = tensor([1.0, 3.0]).reshape(2, 1, 1, 1)
    model[3].weight.data = tensor([[2.0, -1.0], [0.0, 1.0]])
    image = np.array([[[[1.0, -2.0], [0.5, 0.0]]]], np.float32)
    # 2 x / 4 - 3 x / 4 = -x / 4, and 3 x / 4
    np.testing.assert_allclose(grad_cam(model, image, 0), [[[0, 0.5], [0, 0]]], atol=1e-6)
    expected = [[[0.75, 0], [0.375, 0]]]
    np.testing.assert_allclose(grad_cam(model, image, 1), expected, atol=1e-6)
    np.testing.assert_allclose(grad_cam(model, image, 1, "0"), expected, atol=1e-6)
    np.testing.assert_allclose(grad_cam(model, image, 1, model[0]), expected, atol=1e-6)


def test_grad_cam_before_an_in_place_layer(own, images):
    """The maps of a convolution are those it made, not what ReLU wrote over them."""
    maps = activations(own, images, ["second"])["second"]
    heat = grad_cam(own, images, 2, "second", upsample=False)
    # d score / d map = head weight / area, where the map is positive
    weight = own.head.weight.detach().numpy()[2]
    share = (maps > 0).mean((2, 3), keepdims=True) / maps[0, 0].size
    expected = np.maximum((weight[:, None, None] * share * maps).sum(1), 0)
    np.testing.assert_allclose(heat, expected, atol=1e-12)
    assert heat.shape == (3, 4, 3)
    assert grad_cam(own, images).shape == (3, 8, 6)
    relu = np.maximum((weight[:, None, None] / 12 * np.maximum(maps, 0)).sum(1), 0)
    again = grad_cam(own, images, 2, "relu", upsample=False)  # runs twice: the last time counts
    np.testing.assert_allclose(again, relu, atol=1e-12)


def test_enlarged():
    maps = np.array([[[0.0, 1.0]]])
    np.testing.assert_allclose(enlarged(maps, (1, 4)), [[[0, 0.25, 0.75, 1]]])
    np.testing.assert_allclose(enlarged(maps, (3, 2)), np.repeat(maps, 3, axis=1))
    maps = np.random.default_rng(0).random((2, 3, 5))
    places = [(np.arange(new) + 0.5) * old / new - 0.5 for old, new in ((3, 7), (5, 12))]
    for old, new in zip(maps, enlarged(maps, (7, 12)), strict=True):
        tall = np.stack([np.interp(places[0], range(3), column) for column in old.T], axis=1)
        wide = np.stack([np.interp(places[1], range(5), row) for row in tall])
        np.testing.assert_allclose(new, wide)


def test_occlusion(own, images):
    patch, stride, fill = (3, 2), (2, 2), (0.1, 0.9)
    heat = occlusion_sensitivity(own, images, 1, patch=patch, stride=stride, fill=fill)
    power = np.exp(scores(own, images))
    whole = (power / power.sum(1, keepdims=True))[:, 1]
    lost, times = np.zeros((3, 8, 6)), np.zeros((8, 6))
    for top in (0, 2, 4, 5):
        for left in (0, 2, 4):
            hidden = images.copy()
            for channel, colour in enumerate(fill):
                hidden[:, channel, top : top + 3, left : left + 2] = colour
            power = np.exp(scores(own, hidden))
            value = (power / power.sum(1, keepdims=True))[:, 1]
            lost[:, top : top + 3, left : left + 2] += (whole - value)[:, None, None]
            times[top : top + 3, left : left + 2] += 1
    np.testing.assert_allclose(heat, lost / times, atol=1e-12)
    small = occlusion_sensitivity(
        own, images, 1, patch=patch, stride=stride, fill=fill, batch_size=2
    )
    np.testing.assert_allclose(small, heat, atol=1e-12)


def test_ablation(own, images):
    labels = np.array([0, 1, 2])
    found = filter_ablation(own, images, labels, "second", filters=[3, 0])
    assert found.filters.tolist() == [3, 0]
    whole = scores(own, images)
    assert found.accuracy == (whole.argmax(1) == labels).mean()
    assert found.loss == pytest.approx(F.cross_entropy(tensor(whole), tensor(labels)).item())
    for row, number in enumerate([3, 0]):
        with autograd.no_grad():
            cut = Own().double()
            cut.load_state_dict(own.state_dict())
            autograd.writable(cut.second.weight)[number] = 0
            autograd.writable(cut.second.bias)[number] = 0
        values = scores(cut, images)
        loss = F.cross_entropy(tensor(values), tensor(labels)).item()
        assert found.loss_rise[row] == pytest.approx(loss - found.loss)
        accuracy = (values.argmax(1) == labels).mean()
        assert found.accuracy_drop[row] == pytest.approx(found.accuracy - accuracy)
    assert found.loss_rise.any()


def test_activations(own, images):
    found = activations(own, images)
    assert list(found) == ["first", "relu", "second", "relu (2)", "head"]
    np.testing.assert_allclose(found["relu"], np.maximum(found["first"], 0))
    assert (found["first"] < 0).any()  # as they were before ReLU wrote over them
    np.testing.assert_allclose(found["head"], scores(own, images))
    assert list(activations(own, images, "second")) == ["second"]


def test_statistics(own, images):
    own.first.bias.data = tensor([0.0, -100.0, 100.0]).double()
    found = activation_statistics(own, images, batch_size=2)
    assert list(found) == ["relu", "relu (2)"]
    values = activations(own, images)["relu"]
    np.testing.assert_allclose(found["relu"].mean, values.mean((0, 2, 3)))
    np.testing.assert_allclose(found["relu"].maximum, values.max((0, 2, 3)))
    np.testing.assert_allclose(found["relu"].inactive, (values <= 0).mean((0, 2, 3)))
    assert found["relu"].dead.tolist() == [False, True, False]
    plain = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(72, 4)).double()
    assert list(activation_statistics(plain, images)) == ["0", "2"]


def test_maximally_activating(own, images):
    best = maximally_activating(own, images, "first", top=2, batch_size=2)
    values = activations(own, images)["first"]
    for row in range(3):
        peaks = values[:, row].reshape(3, -1).max(1)
        order = np.argsort(-peaks)[:2]
        assert best.images[row].tolist() == order.tolist()
        np.testing.assert_allclose(best.values[row], peaks[order])
        for place, position in zip(order, best.positions[row], strict=True):
            assert values[(place, row, *position)] == peaks[place]
    some = maximally_activating(own, images, "first", 9, filters=[2])
    assert some.filters.tolist() == [2]
    assert some.images.shape == (1, 3)
    assert maximally_activating(own, images, "head").values.shape == (3, 3)


def test_clusters():
    pytest.importorskip("sklearn")
    model = nn.Conv2d(1, 6, 1, bias=False)
    model.weight.data = tensor([1.0, -1.0, 2.0, -3.0, 4.0, 0.5]).reshape(6, 1, 1, 1)
    random = np.random.default_rng(0)
    images = random.random((4, 1, 5, 3)).astype(np.float32)
    found = cluster_feature_maps(model, images, clusters=2)
    assert sorted(sorted(group.tolist()) for group in found.members) == [[0, 2, 4, 5], [1, 3]]
    assert found.centres.shape == (2, 4, 5, 3)
    assert found.inertia == pytest.approx(0.0, abs=1e-6)
    ramps = np.stack([image for _ in range(3) for image in (images[0], images[1])])
    ramps += 0.01 * random.random(ramps.shape).astype(np.float32)
    by_image = cluster_feature_maps(model, ramps, clusters=2, by="images")
    assert by_image.labels[::2].tolist() == [by_image.labels[0]] * 3
    assert by_image.labels[1::2].tolist() == [by_image.labels[1]] * 3
    assert by_image.labels[0] != by_image.labels[1]
    assert by_image.centres.shape == (2, 6, 5, 3)
    for group, members in enumerate(by_image.members):
        far = [distance(by_image, ramps, place, group) for place in members]
        assert far == sorted(far)
    again = cluster_feature_maps(model, ramps, clusters=2, by="images")
    np.testing.assert_array_equal(again.labels, by_image.labels)


def distance(found, images, place, group):
    maps = images[place] * np.array([1, -1, 2, -3, 4, 0.5])[:, None, None]
    return np.linalg.norm(maps / np.linalg.norm(maps) - found.centres[group])


LOOKS = {
    "saliency": lambda m, x: saliency(m, x, samples=2),
    "grad_cam": lambda m, x: grad_cam(m, x),
    "occlusion": lambda m, x: occlusion_sensitivity(m, x, patch=8),
    "ablation": lambda m, x: filter_ablation(m, x, [0, 1], filters=[0]).loss_rise,
    "activations": lambda m, x: next(iter(activations(m, x).values())),
    "statistics": lambda m, x: next(iter(activation_statistics(m, x).values())).mean,
    "maximal": lambda m, x: maximally_activating(m, x, filters=[0]).values,
}
MODELS = {
    "cnn": lambda: CNN((3, 16, 16), 4),
    "inception": lambda: SmallInception((3, 16, 16), 4),
    "resnet": lambda: resnet18(num_classes=4),
}


@pytest.fixture(scope="module")
def models():
    autograd.manual_seed(0)
    return {name: make() for name, make in MODELS.items()}


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("look", LOOKS)
def test_models_stay_as_they_were(look, model_name, models):
    model = models[model_name]
    model.train()
    frozen = next(model.modules())
    last = list(model.modules())[-1]
    last.training = False
    parameters = list(model.parameters())
    parameters[0].requires_grad_(False)
    parameters[-1].grad = autograd.ones_like(parameters[-1])
    modes = [module.training for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    batch = np.random.default_rng(0).random((2, 3, 16, 16)).astype(np.float32)
    given, random = batch.copy(), autograd.get_rng_state()
    first = LOOKS[look](model, batch)
    assert np.isfinite(first).all()
    assert first.dtype in (np.float32, np.float64)
    assert [module.training for module in model.modules()] == modes
    for name, value in model.state_dict().items():
        assert autograd.equal(value, state[name]), name
    assert [p.grad is None for p in parameters] == [True] * (len(parameters) - 1) + [False]
    assert parameters[-1].grad.sum().item() == parameters[-1].numel()
    assert not parameters[0].requires_grad
    assert parameters[1].requires_grad
    assert not any(hooks(module) for module in frozen.modules())
    np.testing.assert_array_equal(batch, given)
    assert autograd.get_rng_state() == random
    np.testing.assert_array_equal(LOOKS[look](model, autograd.tensor(batch)), first)
    parameters[0].requires_grad_()
    parameters[-1].grad = None


def hooks(module):
    return [*module._forward_hooks, *module._backward_hooks, *module._forward_pre_hooks]


def test_hooks_are_removed_after_an_error():
    model = TinyCNN((1, 8, 8), 3)
    model.classifier.forward = lambda x: 1 / 0
    for look in (saliency, grad_cam, occlusion_sensitivity, activations, maximally_activating):
        with pytest.raises(ZeroDivisionError):
            look(model, np.zeros((1, 1, 8, 8)))
    assert not any(hooks(module) for module in model.modules())
    assert model.training


def test_frozen_model_and_no_grad():
    autograd.manual_seed(0)
    model = TinyCNN((1, 8, 8), 3)
    image = np.random.default_rng(0).random((1, 1, 8, 8))
    expected = saliency(model, image), grad_cam(model, image)
    model.requires_grad_(False)
    with autograd.no_grad():
        found = saliency(model, image), grad_cam(model, image)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_bytes_are_scaled():
    autograd.manual_seed(0)
    model = TinyCNN((1, 8, 8), 3)
    image = np.random.default_rng(0).integers(0, 256, (1, 1, 8, 8)).astype(np.uint8)
    scaled = (image / 255).astype(np.float32)
    np.testing.assert_array_equal(saliency(model, image), saliency(model, scaled))


ONE = np.zeros((1, 1, 8, 8), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: saliency(m, ONE[0]), ValueError, r"shape \(1, 8, 8\).*give image\[None\]"),
        (lambda m: saliency(m, ONE[:0]), ValueError, "N at least 1"),
        (lambda m: saliency(m, ONE * np.nan), ValueError, "images hold NaN"),
        (lambda m: saliency(m, [["a"]]), TypeError, "images are numbers"),
        (lambda m: saliency(m.forward, ONE), TypeError, "model is a nn.Module, got method"),
        (lambda m: saliency(m, np.zeros((1, 1, 9, 8))), ValueError, "got images of shape"),
        (lambda m: saliency(m, ONE, 3), ValueError, "class 3 is out of range, expected 0 to 2"),
        (lambda m: saliency(m, ONE, -1), ValueError, "class -1 is out of range"),
        (lambda m: saliency(m, ONE, [0, 1]), ValueError, "targets are one class or 1 of them"),
        (lambda m: saliency(m, ONE, 0.5), ValueError, "integers; got float64"),
        (lambda m: saliency(m, ONE, samples=-1), ValueError, "samples=-1"),
        (lambda m: saliency(m, ONE, noise=-1), ValueError, "noise=-1"),
        (lambda m: saliency(m, ONE, batch_size=0), ValueError, "batch_size is at least 1"),
        (lambda m: saliency(m.features, ONE), ValueError, r"expected class scores \(1, K\)"),
        (lambda m: grad_cam(m, ONE, 0, "conv9"), ValueError, "no layer 'conv9'; its layers: "),
        (lambda m: grad_cam(m, ONE, 0, m.classifier[-1]), ValueError, "expected maps"),
        (
            lambda m: grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), ONE),
            ValueError,
            "Sequential has no convolution; name a layer; its layers: '0', '1'",
        ),
        (lambda m: occlusion_sensitivity(m, ONE, patch=9), ValueError, "does not fit into images"),
        (lambda m: occlusion_sensitivity(m, ONE, patch=0), ValueError, "patch is one number"),
        (lambda m: occlusion_sensitivity(m, ONE, patch=2, stride=3), ValueError, "uncovered"),
        (lambda m: occlusion_sensitivity(m, ONE, fill=[0, 0]), ValueError, "fill is one number"),
        (lambda m: filter_ablation(m, ONE, None), ValueError, "targets are the true labels"),
        (lambda m: filter_ablation(m, ONE, [5]), ValueError, "class 5 is out of range"),
        (lambda m: filter_ablation(m, ONE, [0], filters=[99]), ValueError, "from 0 to"),
        (lambda m: filter_ablation(m, ONE, [0], filters=[]), ValueError, "numbers of filters"),
        (lambda m: activations(m, ONE, []), ValueError, "no layers to look at"),
        (lambda m: activations(m, ONE, ["x"]), ValueError, "no layer 'x'"),
        (lambda m: activation_statistics(nn.Flatten(), ONE), ValueError, "has no activations"),
        (lambda m: maximally_activating(m, ONE, top=0), ValueError, "top is at least 1"),
        (lambda m: cluster_feature_maps(m, ONE, by="layers"), ValueError, "'filters' or 'images'"),
        (lambda m: cluster_feature_maps(m, ONE, clusters=99), ValueError, "the different filters"),
        (
            lambda m: cluster_feature_maps(m, ONE, m.classifier[-1]),
            ValueError,
            "expected maps",
        ),
    ],
)
def test_refused(call, error, words):
    autograd.manual_seed(0)
    with pytest.raises(error, match=words):
        call(TinyCNN((1, 8, 8), 3))


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    with pytest.raises(ImportError, match="cluster_feature_maps: needs scikit-learn, .*install"):
        cluster_feature_maps(TinyCNN((1, 8, 8), 3), ONE + 1, clusters=1)


def test_everything_is_exported():
    for name in interpret.__all__:
        assert getattr(interpret, name).__doc__
