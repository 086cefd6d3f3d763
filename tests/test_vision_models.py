"""The networks: shapes, parameters, names and initialisation, transfer, and refused input."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from vision import models

SMALL = [
    models.TinyCNN,
    models.SimpleCNN,
    models.QuickStartCNN,
    models.CIFAR10CNN,
    models.LeNet5,
    models.MNISTNet,
    models.CNN,
    models.SmallInception,
    models.SmallResNet,
]
RESNET_BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
VGG_PLANS = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}
COUNTS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "vgg11": 132_863_336,
    "vgg11_bn": 132_868_840,
    "vgg13": 133_047_848,
    "vgg13_bn": 133_053_736,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "vgg19_bn": 143_678_248,
}


def count(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the memory of weights untouched, so that large networks cost nothing."""
    for layer in (nn.Conv2d, nn.Linear):
        monkeypatch.setattr(layer, "reset_parameters", lambda self: None)
    for network in (models.ResNet, models.VGG):
        monkeypatch.setattr(network, "reset_parameters", lambda self, *args: None)


def batch_norm(name: str, size: int) -> dict:
    statistics = {"running_mean": (size,), "running_var": (size,), "num_batches_tracked": ()}
    shapes = {"weight": (size,), "bias": (size,), **statistics}
    return {f"{name}.{key}": shape for key, shape in shapes.items()}


def resnet_keys(name: str) -> dict:
    """What torchvision's state_dict has, in its order."""
    deep = name == "resnet50"
    keys = {"conv1.weight": (64, 3, 7, 7), **batch_norm("bn1", 64)}
    inner = 64
    for stage, blocks in enumerate(RESNET_BLOCKS[name], start=1):
        width = 64 * 2 ** (stage - 1)
        outer = width * 4 if deep else width
        for block in range(blocks):
            path = f"layer{stage}.{block}"
            kernels = [(width, inner, 1, 1), (width, width, 3, 3), (outer, width, 1, 1)]
            if not deep:
                kernels = [(width, inner, 3, 3), (width, width, 3, 3)]
            for place, kernel in enumerate(kernels, start=1):
                keys[f"{path}.conv{place}.weight"] = kernel
                keys |= batch_norm(f"{path}.bn{place}", kernel[0])
            if block == 0 and (stage > 1 or deep):
                keys[f"{path}.downsample.0.weight"] = (outer, inner, 1, 1)
                keys |= batch_norm(f"{path}.downsample.1", outer)
            inner = outer
    return {**keys, "fc.weight": (1000, inner), "fc.bias": (1000,)}


def vgg_keys(name: str) -> dict:
    plain, normalised = name.removesuffix("_bn"), name.endswith("_bn")
    keys, place, channels = {}, 0, 3
    for entry in VGG_PLANS[plain].split():
        if entry == "M":
            place += 1
            continue
        width = int(entry)
        keys[f"features.{place}.weight"] = (width, channels, 3, 3)
        keys[f"features.{place}.bias"] = (width,)
        if normalised:
            keys |= batch_norm(f"features.{place + 1}", width)
        place, channels = place + 2 + normalised, width
    for place, (outer, inner) in {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}.items():
        keys |= {f"classifier.{place}.weight": (outer, inner), f"classifier.{place}.bias": (outer,)}
    return keys


@pytest.mark.parametrize("name", COUNTS)
def test_names_and_shapes_are_those_of_torchvision(undrawn, name):
    model = getattr(models, name)()
    expected = resnet_keys(name) if name in RESNET_BLOCKS else vgg_keys(name)
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert list(shapes.items()) == list(expected.items())
    assert count(model) == COUNTS[name]


def test_some_names_written_out(undrawn):
    names = list(models.resnet18().state_dict())
    assert names[:3] == ["conv1.weight", "bn1.weight", "bn1.bias"]
    assert "layer2.0.downsample.1.num_batches_tracked" in names
    assert len(names) == 122
    assert len(models.resnet50().state_dict()) == 320
    assert "features.40.weight" in models.vgg16_bn().state_dict()
    assert list(models.vgg16().state_dict())[-8:-6] == ["features.28.weight", "features.28.bias"]


@pytest.mark.parametrize("name", RESNET_BLOCKS)
def test_resnet_forward_and_backward(name):
    autograd.manual_seed(0)
    model = getattr(models, name)(num_classes=3)
    scores = model(autograd.randn(2, 3, 33, 40))
    assert tuple(scores.shape) == (2, 3)
    scores.square().sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert np.isfinite(parameter.grad.numpy()).all(), key
        assert parameter.grad.dtype == np.float32


def test_resnet_agrees_with_torch():
    """The same ResNet-18 written down in PyTorch gives the same scores for the same weights."""
    torch = pytest.importorskip("torch")
    from torch.nn import functional as T

    autograd.manual_seed(1)
    model = models.resnet18(num_classes=4).eval()
    state = {name: torch.from_numpy(value.numpy()) for name, value in model.state_dict().items()}
    images = autograd.randn(2, 3, 64, 64)

    def norm(x, name):
        part = [state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
        return T.batch_norm(x, *part)

    x = torch.from_numpy(images.numpy())
    x = norm(T.conv2d(x, state["conv1.weight"], stride=2, padding=3), "bn1").relu()
    x = T.max_pool2d(x, 3, 2, 1)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            path = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = T.conv2d(x, state[f"{path}.conv1.weight"], stride=stride, padding=1)
            y = norm(y, f"{path}.bn1").relu()
            y = norm(T.conv2d(y, state[f"{path}.conv2.weight"], padding=1), f"{path}.bn2")
            if stride == 2:
                x = T.conv2d(x, state[f"{path}.downsample.0.weight"], stride=2)
                x = norm(x, f"{path}.downsample.1")
            x = (x + y).relu()
    expected = T.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])
    np.testing.assert_allclose(
        model(images).detach().numpy(), expected.numpy(), rtol=1e-3, atol=1e-4
    )


def test_resnet_initialisation():
    autograd.manual_seed(0)
    model = models.resnet18(zero_init_residual=True, num_classes=2)
    weight = model.layer2[1].conv1.weight.detach().numpy()
    assert weight.std() == pytest.approx(np.sqrt(2 / (128 * 9)), rel=0.02)
    # out of 64 channels with windows of 7 x 7, not into them
    first = model.conv1.weight.detach().numpy()
    assert first.std() == pytest.approx(np.sqrt(2 / (64 * 49)), rel=0.05)
    assert not model.layer1[0].bn2.weight.detach().numpy().any()
    assert (model.layer1[0].bn1.weight.detach().numpy() == 1).all()
    assert (models.resnet18(num_classes=2).layer1[0].bn2.weight.detach().numpy() == 1).all()


def test_vgg_initialisation_and_forward(monkeypatch):
    autograd.manual_seed(0)
    monkeypatch.setattr(nn, "Linear", narrow_linear(nn.Linear))
    model = models.vgg11_bn(num_classes=2).eval()
    first, second = model.features[0].weight, model.features[4].weight
    assert first.detach().numpy().std() == pytest.approx(np.sqrt(2 / (64 * 9)), rel=0.1)
    assert second.detach().numpy().std() == pytest.approx(np.sqrt(2 / (128 * 9)), rel=0.05)
    assert not model.features[0].bias.detach().numpy().any()
    linear = model.classifier[0]
    assert linear.weight.detach().numpy().std() == pytest.approx(0.01, rel=0.02)
    assert not linear.bias.detach().numpy().any()
    assert tuple(model(autograd.zeros(1, 3, 32, 32)).shape) == (1, 2)


def narrow_linear(original):
    """Linear layers with 4096 hidden values shrunk to 64, so that they are drawn quickly."""

    def shrunk(size):
        return 64 if size == 4096 else size

    class Narrow(original):
        def __init__(self, in_features, out_features):
            super().__init__(shrunk(in_features), shrunk(out_features))

    return Narrow


@pytest.mark.parametrize("network", SMALL)
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (2, 9, 14)])
def test_small_networks(network, shape):
    autograd.manual_seed(0)
    model = network(shape, 7)
    assert model.training
    scores = model(autograd.randn(3, *shape))
    assert tuple(scores.shape) == (3, 7)
    scores.square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert all(module.training for module in model.modules())


def test_counts_of_the_small_networks():
    assert count(models.CIFAR10CNN()) == 545_098
    assert count(models.LeNet5()) == count(models.LeNet5((1, 32, 32))) == 61_706
    mnist = 32 * 25 + 32 + 64 * 32 * 25 + 64 + 3136 * 1024 + 1024 + 1024 * 10 + 10
    assert count(models.MNISTNet()) == mnist
    convs = 32 * 9 + 32 * 32 * 9 + 64 * 32 * 9 + 64 * 64 * 9
    linear = 64 * 49 * 128 + 128 * 10 + 10
    norms = 2 * (32 + 32 + 64 + 64 + 128)
    assert count(models.CNN()) == convs + linear + norms
    assert count(models.CNN(use_batchnorm=False)) == convs + linear + norms // 2


def test_small_resnet():
    model = models.SmallResNet((1, 16, 16), 4, widths=(8, 12, 16, 20))
    pairs = [module for module in model.modules() if isinstance(module, models.ResidualPair)]
    assert [pair.inner[0].in_channels for pair in pairs] == [12, 16, 20]
    x = autograd.randn(2, 12, 5, 5)
    with autograd.no_grad():
        expected = x + pairs[0].eval().inner(x)
        np.testing.assert_array_equal(pairs[0](x).numpy(), expected.numpy())
    with pytest.raises(ValueError, match=r"widths are two or more numbers, got \(8,\)"):
        models.SmallResNet(widths=(8,))
    with pytest.raises(ValueError, match="too small"):
        models.SmallResNet((3, 4, 4), widths=(8, 8, 8, 8, 8))


def test_convolutions_of_the_small_networks():
    def convolutions(model):
        return [
            (layer.out_channels, layer.kernel_size[0])
            for layer in model.modules()
            if isinstance(layer, nn.Conv2d)
        ]

    assert convolutions(models.TinyCNN()) == [(16, 3), (32, 3)]
    assert [width for width, _ in convolutions(models.SimpleCNN())] == [32, 32, 64, 64, 128, 128]
    assert convolutions(models.MNISTNet()) == [(32, 5), (64, 5)]
    assert convolutions(models.LeNet5()) == [(6, 5), (16, 5)]


def test_cnn_has_the_layers_of_its_plan():
    model = models.CNN((1, 28, 28), 10, dropout_rate=0.1)
    stage = "conv{0} bn{0} relu{0} conv{1} bn{1} relu{1} pool{2} dropout{2}"
    names = [name for name, _ in model.features.named_children()]
    assert names == f"{stage.format(1, 2, 1)} {stage.format(3, 4, 2)}".split()
    assert isinstance(model.features.dropout1, nn.Dropout2d)
    assert model.features.dropout1.p == 0.1
    assert model.classifier.dropout.p == 0.5
    assert not any("bn" in name for name in models.CNN(use_batchnorm=False).state_dict())


def test_configured_network():
    conv = {"n_f": 3, "n_s": 2, "n_p": 1, "n_filters": 8}
    stage = {"conv": conv, "batch_norm": True, "activation": "elu", "dropout": 0.1}
    model = models.convnet_from_config(
        [{**stage, "avg_pool": {"n_f": 2}}, {"conv": {"n_f": 1, "n_filters": 4}}],
        [16, 3],
        (3, 12, 12),
        activation="leaky_relu",
        dropout_rate=0.2,
    )
    kinds = [type(layer).__name__ for layer in model.features]
    assert " ".join(kinds) == "Conv2d BatchNorm2d ELU AvgPool2d Dropout2d Conv2d LeakyReLU"
    kinds = [type(layer).__name__ for layer in model.classifier]
    assert " ".join(kinds) == "Flatten Linear LeakyReLU Dropout Linear"
    assert model.features[0].stride == (2, 2)
    assert model.classifier[1].in_features == 4 * 3 * 3
    assert tuple(model(autograd.zeros(2, 3, 12, 12)).shape) == (2, 3)


def test_configured_pooling():
    pool = {"n_f": 3, "n_s": 2, "n_p": 1}
    stage = {"conv": {"n_f": 1, "n_filters": 2}, "max_pool": pool}
    model = models.convnet_from_config([stage], [4], (1, 9, 9))
    assert tuple(model.features(autograd.zeros(1, 1, 9, 9)).shape) == (1, 2, 5, 5)


def test_configured_like_the_mnist_net():
    plan = models.MNISTNet.CONV_LAYERS
    model = models.convnet_from_config(plan, [1024, 10])
    assert repr(model).partition("\n")[2] == repr(models.MNISTNet()).partition("\n")[2]


@pytest.mark.parametrize(
    ("conv_layers", "dense", "words"),
    [
        ([{"convolution": {}}], [10], r"conv_layers\[0\]: missing \['conv'\], unknown"),
        ([{"conv": {"n_f": 5}}], [10], r"conv_layers\[0\]\['conv'\]: missing \['n_filters'\]"),
        ([{"conv": {"n_f": 5, "n_filters": 4, "stride": 2}}], [10], r"unknown \['stride'\]"),
        ([{"conv": 5}], [10], r"is 5, expected a dictionary"),
        ([{"conv": {"n_f": 3, "n_filters": 4}, "activation": "wave"}], [10], "got 'wave'"),
        ([{"conv": {"n_f": 3, "n_filters": 4}, "max_pool": {}}], [10], "'max_pool'.*missing"),
        ([{"conv": {"n_f": 30, "n_filters": 4}}], [10], "too small"),
        ([], [], "dense_layers is empty"),
    ],
)
def test_refused_configurations(conv_layers, dense, words):
    with pytest.raises(ValueError, match=words):
        models.convnet_from_config(conv_layers, dense)


def test_inception_block():
    block = models.InceptionBlock(5, 1, 2, 3, 4, 5, 6)
    out = block(autograd.randn(2, 5, 7, 6))
    assert tuple(out.shape) == (2, 15, 7, 6)
    assert block.out_channels == 15
    block.eval()
    x = autograd.randn(1, 5, 7, 6)
    np.testing.assert_array_equal(
        block(x).detach().numpy()[:, 1:4], block.branch2(x).detach().numpy()
    )


@pytest.mark.parametrize("network", SMALL)
def test_refused_images(network):
    model = network((3, 12, 12), 4)
    name = type(model).__name__
    for shape in [(2, 1, 12, 12), (2, 3, 12, 13), (3, 12, 12), (2, 432)]:
        with pytest.raises(ValueError, match=rf"{name}: got images of .* expected \(N, 3, 12, 12"):
            model(autograd.zeros(*shape))
    with pytest.raises(ValueError, match="number of classes is at least 1, got 0"):
        network((3, 12, 12), 0)
    for shape in [(12, 12), (0, 12, 12), (3, 12, 2.5)]:
        with pytest.raises(ValueError, match=f"{name}: input_shape is"):
            network(shape, 4)


@pytest.mark.parametrize("network", [models.SimpleCNN, models.TinyCNN, models.CNN])
def test_images_too_small_for_the_layers(network):
    with pytest.raises(ValueError, match=r"images of shape \(1, 3, 3\) are too small"):
        network((1, 3, 3), 10)


def test_resnet_names_wrong_channels():
    with pytest.raises(ValueError, match="input has 1 channels, weight expects 3"):
        models.resnet18(num_classes=2)(autograd.zeros(2, 1, 32, 32))


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_weights_from_a_file(tmp_path, suffix):
    if suffix == "safetensors":
        pytest.importorskip("safetensors")
    autograd.manual_seed(0)
    model = models.resnet18(num_classes=5)
    state = model.state_dict()
    counts = [name for name in state if name.endswith("num_batches_tracked")]
    for kept in (state, {name: state[name] for name in state if name not in counts}):
        autograd.save(dict(kept), tmp_path / f"weights.{suffix}")
        other = models.resnet18(num_classes=5, weights=tmp_path / f"weights.{suffix}")
        for name, value in other.state_dict().items():
            np.testing.assert_array_equal(value.numpy(), state[name].numpy())


def test_weights_of_another_model():
    autograd.manual_seed(0)
    model = models.TinyCNN((1, 28, 28), 10)
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"does not fit TinyCNN: it lacks .* has the unknown conv"):
        models.load_weights(model, models.resnet18(num_classes=2).state_dict())
    with pytest.raises(ValueError, match=r"classifier.1.weight has shape \(3, 1568\), expected"):
        models.load_weights(model, models.TinyCNN((1, 28, 28), 3).state_dict())
    with pytest.raises(ValueError, match="its entries are no arrays of numbers"):
        models.load_weights(model, {**before, "features.0.bias": np.full(16, "x")})
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_a_file_without_weights(tmp_path):
    autograd.save([1, 2], tmp_path / "list.npz")
    with pytest.raises(ValueError, match=r"list\.npz holds a list, no weights"):
        models.load_weights(models.TinyCNN(), tmp_path / "list.npz")


@pytest.mark.parametrize(
    ("network", "head"),
    [
        (models.CNN, "classifier.fc2"),
        (models.LeNet5, "classifier.5"),
        (models.SmallInception, "classifier.2"),
        (lambda shape, classes: models.resnet18(num_classes=classes), "fc"),
    ],
)
def test_replaced_head(network, head):
    autograd.manual_seed(0)
    model = network((3, 16, 16), 10).double().eval()
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    assert models.head_name(model) == head
    assert models.replace_head(model, 3) is model
    assert tuple(model(autograd.zeros(2, 3, 16, 16, dtype=autograd.float64)).shape) == (2, 3)
    assert getattr(model, "num_classes", 3) == 3
    assert not any(module.training for module in model.modules())
    for name, value in model.state_dict().items():
        assert value.dtype in (np.float64, np.int64)
        if not name.startswith(head):
            np.testing.assert_array_equal(value.numpy(), before[name])


def test_replaced_head_needs_a_linear_layer():
    with pytest.raises(ValueError, match="Sequential has no linear layer"):
        models.replace_head(nn.Sequential(nn.Conv2d(1, 1, 1)), 2)
    with pytest.raises(ValueError, match="num_classes is at least 1, got 0"):
        models.replace_head(models.TinyCNN(), 0)


def trainable(model) -> set:
    return {name for name, value in model.named_parameters() if value.requires_grad}


def test_freezing():
    model = models.TinyCNN()
    everything = trainable(model)
    assert models.freeze(model) is model
    assert trainable(model) == set()
    models.unfreeze(model, "classifier", "features.0.bias")
    names = {"classifier.1.weight", "classifier.1.bias", "features.0.bias"}
    assert trainable(model) == names
    models.unfreeze(model)
    assert trainable(model) == everything
    models.freeze(model, "features.3")
    assert everything - trainable(model) == {"features.3.weight", "features.3.bias"}
    assert trainable(models.freeze_backbone(model)) == names - {"features.0.bias"}
    # features.3 is no prefix of a name such as features.30
    with pytest.raises(ValueError, match="TinyCNN has no parameters in 'feat'; its parts are feat"):
        models.unfreeze(model, "features", "feat")
    assert trainable(model) == names - {"features.0.bias"}


def test_frozen_layers_stay_as_they_are():
    autograd.manual_seed(0)
    model = models.freeze_backbone(models.replace_head(models.TinyCNN((1, 8, 8), 10), 2))
    before = {name: value.numpy().copy() for name, value in model.state_dict().items()}
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    labels = autograd.tensor([0, 1])
    nn.functional.cross_entropy(model(autograd.randn(2, 1, 8, 8)), labels).backward()
    optimizer.step()
    changed = {
        name for name, value in model.state_dict().items() if (value.numpy() != before[name]).any()
    }
    assert changed == {"classifier.1.weight", "classifier.1.bias"}
