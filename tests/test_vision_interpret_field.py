"""Receptive fields against brute force: change one pixel after the other and see what moves."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
from autograd import from_numpy
from nn import functional as F
from vision.interpret import receptive_field, receptive_mask
from vision.interpret.spacing import spacing
from vision.models import InceptionBlock, SmallInception, TinyCNN, resnet18
from vision.models.resnet import BasicBlock, Bottleneck


class Own(nn.Module):
    """Functions instead of modules, two branches of different kernels, and a sum."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(1, 2, (1, 5), padding=(0, 2))
        self.high = nn.Conv2d(1, 2, (5, 1), padding=(2, 0))
        self.out = nn.Identity()

    def forward(self, x):
        x = F.max_pool2d(F.relu(x), 2)
        return self.out(self.wide(x) + self.high(x))


class Strange(nn.Module):
    """Shifts, flips and crops by indexing."""

    def forward(self, x):
        return autograd.cat([x[:, :, ::2, 1:], x.flip(3)[:, :, 1::2, :-1]], dim=1)


class Mixing(nn.Module):
    """Each pixel sees itself, and the same pixel of the other images."""

    def forward(self, x):
        return x + x.mean(0, keepdim=True)


def down(planes):
    return nn.Sequential(nn.Conv2d(planes, 2 * planes, 1, 2), nn.BatchNorm2d(2 * planes))


CASES = {
    "conv": (nn.Conv2d(1, 2, 3), ""),
    "conv with padding and stride": (nn.Conv2d(1, 2, 5, stride=2, padding=2), ""),
    "uneven conv": (nn.Conv2d(1, 2, (3, 1), stride=(1, 3), padding=(1, 0)), ""),
    "dilation": (nn.Conv2d(1, 2, 3, dilation=2, padding=2), ""),
    "dilation in a row": (
        nn.Sequential(
            nn.Conv2d(1, 2, 3, padding=1),
            nn.Conv2d(2, 2, 3, dilation=2, padding=2),
            nn.Conv2d(2, 1, 3, dilation=3, padding=3),
        ),
        "2",
    ),
    "groups": (nn.Conv2d(2, 4, 3, groups=2), ""),
    "max pooling": (nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)), "2"),
    "overlapping max pooling": (nn.MaxPool2d(3, 2, 1), ""),
    "max pooling, rounded up": (nn.MaxPool2d(3, 2, ceil_mode=True), ""),
    "average pooling": (nn.AvgPool2d(3, 2, 1), ""),
    "transposed": (nn.ConvTranspose2d(1, 2, 4, stride=2, padding=1), ""),
    "transposed, gaps": (nn.ConvTranspose2d(1, 2, 2, stride=3), ""),
    "transposed after strided": (
        nn.Sequential(nn.Conv2d(1, 2, 3, 2, 1), nn.ReLU(), nn.ConvTranspose2d(2, 1, 3, 2, 1)),
        "2",
    ),
    "adaptive average": (nn.AdaptiveAvgPool2d((5, 4)), ""),
    "adaptive maximum": (nn.AdaptiveMaxPool2d((5, 3)), ""),
    "global": (nn.AdaptiveAvgPool2d(1), ""),
    "group norm": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2)), "1"),
    "batch statistics": (nn.BatchNorm2d(1, track_running_stats=False), ""),
    "flatten": (nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(30, 3)), "1"),
    "linear": (nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(30, 3)), "2"),
    "residual block": (BasicBlock(1, 1), ""),
    "residual block, inside": (BasicBlock(1, 1), "bn1"),
    "strided residual block": (BasicBlock(2, 4, 2, down(2)), ""),
    "its shortcut": (BasicBlock(2, 4, 2, down(2)), "downsample"),
    "bottleneck": (Bottleneck(4, 1), ""),
    "inception": (InceptionBlock(1, 1, 1, 1, 1, 1, 1), ""),
    "branch of inception": (InceptionBlock(1, 1, 1, 1, 1, 1, 1), "branch2"),
    "own": (Own(), "out"),
    "indexing": (Strange(), ""),
    "mean over the batch": (Mixing(), ""),
}


def positive(model):
    """All weights above 0, so that a larger pixel makes everything that sees it larger."""
    random = np.random.default_rng(0)
    for parameter in model.parameters():
        values = random.uniform(0.5, 1.0, parameter.shape)
        parameter.data = autograd.tensor(values / max(1.0, values[0].size))
    return model


def channels_of(model):
    weights = [p for p in model.parameters() if p.ndim == 4]
    if isinstance(model, nn.ConvTranspose2d) or not weights:
        return 1
    groups = getattr(model, "groups", 1)
    return weights[0].shape[1] * groups


def brute_force(model, layer, shape):
    """(h, w, H, W): whether a unit moves when a pixel becomes much larger, one pixel at a time."""
    model = positive(model).double().eval()
    seen = []
    module = model.get_submodule(layer)
    handle = module.register_forward_hook(lambda m, args, out: seen.append(out.numpy().copy()))
    moved = []
    base = np.full((1, *shape), 0.5)
    with handle, autograd.no_grad():
        model(from_numpy(base.copy()))
        for row in range(shape[1]):
            for column in range(shape[2]):
                changed = base.copy()
                changed[:, :, row, column] += 100.0
                model(from_numpy(changed))
                difference = (np.abs(seen[-1] - seen[0]) > 1e-9).any((0, 1))
                moved.append(difference.reshape(difference.shape or (1, 1)))
    units = moved[0].shape
    return np.stack(moved, -1).reshape(*units, shape[1], shape[2])


@pytest.mark.parametrize("name", CASES)
def test_brute_force(name):
    model, layer = CASES[name]
    shape = (channels_of(model), 12, 10)
    truth = brute_force(model, layer, shape)
    field = receptive_field(model, layer, shape)
    assert field.units == truth.shape[:2]
    np.testing.assert_array_equal(field.seen[0], truth.any((1, 3)))
    np.testing.assert_array_equal(field.seen[1], truth.any((0, 2)))
    for unit in np.ndindex(*field.units):
        inside = np.argwhere(truth[unit])
        box = field.box(unit)
        if len(inside):
            assert [(part.start, part.stop) for part in box] == list(
                zip(inside.min(0), inside.max(0) + 1, strict=True)
            )
        else:
            assert any(part.start == part.stop for part in box)
    middle = tuple(count // 2 for count in field.units)
    np.testing.assert_array_equal(receptive_mask(model, layer, shape), truth[middle])


def test_weights_do_not_matter():
    zero = nn.Conv2d(1, 1, 3, bias=False).requires_grad_(False)
    zero.weight.zero_()
    assert receptive_field(zero, None, (1, 9, 9)).size == (3, 3)
    dead = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Conv2d(1, 1, 3)).requires_grad_(False)
    dead[0].bias.fill_(-1e6)
    assert receptive_field(dead, None, (1, 9, 9)).size == (5, 5)


# what the arithmetic of Araujo et al. gives
RESNET18 = {
    "conv1": (7, 2, -3),
    "maxpool": (11, 4, -5),
    "layer1": (43, 4, -21),
    "layer2.0.downsample": (43, 8, -21),
    "layer2": (99, 8, -49),
}


def test_resnet():
    autograd.manual_seed(0)
    model = resnet18(num_classes=3)
    for layer, expected in RESNET18.items():
        field = receptive_field(model, layer, (3, 64, 32))
        assert (field.size[0], field.jump[0], field.start[0]) == expected, layer
    assert receptive_field(model, "fc", (3, 32, 32)).size == (32, 32)
    assert receptive_field(model, model.layer4, (3, 32, 32)).jump == (0, 0)


def test_inception():
    model = SmallInception((1, 20, 20), 4)
    assert receptive_field(model, "features.2", (1, 20, 20)).size == (12, 12)
    assert receptive_field(model, "features.2.branch1", (1, 20, 20)).size == (4, 4)


def test_numbers():
    field = receptive_field(nn.Conv2d(1, 1, 3, stride=2, padding=1), "", (1, 16, 16))
    assert (field.size, field.jump, field.start) == ((3, 3), (2, 2), (-1, -1))
    assert field.centre == (0.0, 0.0)
    field = receptive_field(nn.ConvTranspose2d(1, 1, 4, stride=2, padding=1), "", (1, 8, 8))
    assert (field.size, field.jump) == ((2, 2), (0.5, 0.5))
    assert field.centre == (-0.25, -0.25)
    field = receptive_field(nn.AdaptiveAvgPool2d(3), "", (1, 9, 9))
    assert (field.size, field.jump, field.start) == ((3, 3), (3, 3), (0, 0))
    # two windows that a border could have cut, and one that is everything
    assert receptive_field(nn.MaxPool2d(4), "", (1, 8, 8)).size == (4, 4)
    assert receptive_field(nn.MaxPool2d(4), "", (1, 8, 4)).size == (4, 4)


def test_borders_that_hide_the_pattern():
    """Of four units 102 wide and 16 apart, in 64 pixels: neither number can be told."""
    ends = [(max(0, 16 * i - 43), min(63, 16 * i + 58)) for i in range(4)]
    seen = np.array([(np.arange(64) >= low) & (np.arange(64) <= high) for low, high in ends])
    size, jump, _ = spacing(seen)
    assert (size, jump) == (64, pytest.approx(5 / 3))
    # with one more unit at each end they can
    ends = [(max(0, 16 * i - 59), min(95, 16 * i + 42)) for i in range(6)]
    seen = np.array([(np.arange(96) >= low) & (np.arange(96) <= high) for low, high in ends])
    assert spacing(seen) == (102, 16, -59)


def test_one_and_three_dimensions():
    field = receptive_field(nn.Conv1d(2, 3, 5, dilation=2), "", (2, 20))
    assert (field.size, field.units, field.box((3,))) == ((9,), (12,), (slice(3, 12),))
    field = receptive_field(nn.Conv3d(1, 1, (1, 2, 3)), "", (1, 4, 5, 6))
    assert field.size == (1, 2, 3)


def test_runs_several_times():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x):
            return self.conv(self.conv(x))

    assert receptive_field(Twice(), "conv", (1, 9, 9)).size == (5, 5)


def test_stays_as_it_was():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5))
    model[2].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    receptive_field(model, "1", (1, 6, 6))
    assert [module.training for module in model.modules()] == [True, True, True, False]
    for name, value in model.state_dict().items():
        assert autograd.equal(value, before[name]), name
    calls = []
    model[1].register_forward_hook(lambda *args: calls.append(1))
    model(autograd.zeros(2, 1, 6, 6))
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda m: receptive_field(m, "features.9", (1, 8, 8)),
            ValueError,
            "no layer 'features.9",
        ),
        (
            lambda m: receptive_field(m, nn.ReLU(), (1, 8, 8)),
            ValueError,
            "this ReLU is no layer",
        ),
        (lambda m: receptive_field(m, 3, (1, 8, 8)), TypeError, "layer is a module or its name"),
        (lambda m: receptive_field(m, None, (8,)), ValueError, r"input_shape is \(C, H, W\)"),
        (lambda m: receptive_field(m, None, (1, 0, 8)), ValueError, "positive numbers"),
        (lambda m: receptive_field(m, None, (1, 9, 8)), ValueError, "got images of shape"),
        (
            lambda m: receptive_field(m, None, (1, 8, 8), batch_size=0),
            ValueError,
            "batch_size is at least 1, got 0",
        ),
        (lambda m: receptive_field(nn.ReLU(), None, (1, 8, 8)), ValueError, "has no convolution"),
        (lambda m: receptive_mask(m, None, (1, 8, 8), (9, 0)), IndexError, r"no unit \(9, 0\)"),
        (lambda m: receptive_mask(m, None, (1, 8, 8), (0,)), IndexError, r"no unit \(0,\)"),
    ],
)
def test_refused(call, error, words):
    with pytest.raises(error, match=words):
        call(TinyCNN((1, 8, 8), 2))


def test_refused_outputs():
    class Odd(nn.Module):
        def forward(self, x):
            return x.sum(1)

    with pytest.raises(ValueError, match=r"the layer '' gives \(1, 4, 4\), expected \(1, D\)"):
        receptive_field(Odd(), "", (1, 4, 4))
    lazy = nn.Sequential(nn.ReLU(), nn.ReLU())
    lazy.forward = lazy[0].forward
    with pytest.raises(ValueError, match="'1' did not run"):
        receptive_field(lazy, "1", (1, 4, 4))
    with pytest.raises(ValueError, match="gives NaN for an ordinary image"):
        receptive_field(nn.Sequential(NaN()), "0", (1, 4, 4))


class NaN(nn.Module):
    def forward(self, x):
        return x * float("nan")
