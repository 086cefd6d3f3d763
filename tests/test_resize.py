"""Interpolation, windows as columns, shuffles, distances, and norms of samples, against PyTorch."""

import numpy as np
import pytest
from oracle import assert_same, compare_modules, to_torch

import autograd
import nn
from autograd import tensor
from nn import functional as F

F32, F64 = np.float32, np.float64


def draw(*shape, dtype=F32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


LAYERS = [
    ("Upsample", (), {"scale_factor": 2}, [(2, 3, 4)]),
    ("Upsample", (), {"scale_factor": (2, 0.5)}, [(2, 3, 4, 5)]),
    ("Upsample", (), {"size": (3, 7)}, [(2, 3, 4, 5)]),
    ("Upsample", (), {"size": 3, "mode": "nearest-exact"}, [(2, 3, 4, 5, 2)]),
    ("Upsample", (), {"scale_factor": 1.7, "mode": "nearest-exact"}, [(2, 3, 7)]),
    ("Upsample", (), {"scale_factor": 2.3, "mode": "linear"}, [(2, 3, 5)]),
    ("Upsample", (), {"size": 9, "mode": "linear", "align_corners": True}, [(2, 3, 5)]),
    ("Upsample", (), {"scale_factor": (1.5, 0.6), "mode": "bilinear"}, [(2, 3, 4, 5)]),
    (
        "Upsample",
        (),
        {"scale_factor": (1.6, 0.6), "mode": "bilinear", "recompute_scale_factor": True},
        [(2, 3, 4, 5)],
    ),
    ("Upsample", (), {"size": (1, 6), "mode": "bilinear", "align_corners": True}, [(1, 2, 3, 4)]),
    ("Upsample", (), {"size": (2, 3, 5), "mode": "trilinear"}, [(1, 2, 3, 3, 2)]),
    ("Upsample", (), {"scale_factor": 2.5, "mode": "bicubic"}, [(1, 2, 4, 3)]),
    ("Upsample", (), {"size": (7, 2), "mode": "bicubic", "align_corners": True}, [(1, 2, 4, 3)]),
    ("Upsample", (), {"size": (2, 3), "mode": "area"}, [(1, 2, 5, 6)]),
    ("Upsample", (), {"size": 2, "mode": "area"}, [(1, 2, 5)]),
    ("UpsamplingNearest2d", (), {"scale_factor": 3}, [(1, 2, 3, 2)]),
    ("UpsamplingBilinear2d", ((5, 4),), {}, [(1, 2, 3, 2)]),
    ("PixelShuffle", (2,), {}, [(2, 8, 3, 4)]),
    ("PixelShuffle", (3,), {}, [(9, 1, 2)]),
    ("PixelUnshuffle", (2,), {}, [(2, 3, 4, 6)]),
    ("PixelUnshuffle", (2,), {}, [(2, 2, 1, 4, 6)]),
    ("ChannelShuffle", (3,), {}, [(2, 6, 2, 3)]),
    ("Unfold", (2,), {}, [(2, 3, 4, 5)]),
    ("Unfold", ((2, 3),), {"padding": (1, 0), "stride": (2, 1), "dilation": 2}, [(2, 3, 6, 7)]),
    ("Unfold", (2,), {"stride": 2}, [(3, 4, 5)]),
    ("Fold", ((4, 5), 2), {}, [(2, 12, 12)]),
    ("Fold", ((4, 5), (2, 3)), {"padding": (1, 0), "stride": (2, 1)}, [(2, 12, 9)]),
    ("Fold", ((6, 5), 2), {"stride": 3, "dilation": 2}, [(8, 2)]),
    ("CosineSimilarity", (), {}, [(3, 4), (3, 4)]),
    ("CosineSimilarity", (), {"dim": -1}, [(2, 3, 4), (3, 4)]),
    ("PairwiseDistance", (), {}, [(3, 4), (3, 4)]),
    ("PairwiseDistance", (), {"p": 1.0, "keepdim": True}, [(3, 4), (4,)]),
    ("InstanceNorm1d", (3,), {}, [(2, 3, 5)]),
    ("InstanceNorm1d", (3,), {"affine": True}, [(3, 5)]),
    ("InstanceNorm2d", (3,), {"affine": True, "track_running_stats": True}, [(2, 3, 4, 5)]),
    ("InstanceNorm2d", (3,), {"affine": True, "bias": False}, [(3, 4, 5)]),
    ("InstanceNorm3d", (2,), {"momentum": 0.3, "track_running_stats": True}, [(2, 2, 2, 3, 2)]),
    ("RMSNorm", (5,), {}, [(2, 3, 5)]),
    ("RMSNorm", ([3, 5],), {"eps": 0.1}, [(2, 3, 5)]),
    ("RMSNorm", (5,), {"elementwise_affine": False}, [(2, 5)]),
]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize(("name", "args", "options", "shapes"), LAYERS)
def test_layer(name, args, options, shapes, dtype):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(*args, **options).to(dtype)
    theirs = getattr(torch.nn, name)(*args, **options).to(to_torch(np.zeros(1, dtype)).dtype)
    for place, parameter in enumerate(ours.parameters()):
        parameter.data = tensor(draw(*parameter.shape, dtype=dtype, seed=place + 5))
    arrays = [draw(*shape, dtype=dtype, seed=k) for k, shape in enumerate(shapes)]
    tolerance = 1e-4 if dtype == F32 and "cubic" in str(options) else None
    compare_modules(ours, theirs, *arrays, tolerance=tolerance)
    compare_modules(ours.eval(), theirs.eval(), *arrays, tolerance=tolerance)


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.1, 1.9, 3.3])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear"])
def test_sizes_and_places_of_odd_factors(factor, mode):
    torch = pytest.importorskip("torch")
    x = draw(1, 1, 11, 23)
    assert_same(
        F.interpolate(tensor(x), scale_factor=factor, mode=mode),
        torch.nn.functional.interpolate(to_torch(x), scale_factor=factor, mode=mode),
    )


def test_nearest_hands_infinity_and_nan_on():
    x = tensor(np.array([[[np.inf, np.nan]]], F32))
    out = F.interpolate(x, scale_factor=2).array.ravel()
    assert np.isinf(out[:2]).all()
    assert np.isnan(out[2:]).all()


def test_windows_hold_infinity_and_nan_where_they_stand():
    torch = pytest.importorskip("torch")
    x = np.array([[[[np.inf, 1, 2, np.nan], [3, 4, -np.inf, 5]]]], F32)
    ours, theirs = F.unfold(tensor(x), 2, padding=1), torch.nn.functional.unfold
    columns = theirs(to_torch(x), 2, padding=1)
    assert_same(ours, columns)
    images = torch.nn.functional.fold(columns, (2, 4), 2, padding=1)
    assert_same(F.fold(ours, (2, 4), 2, padding=1), images)


def test_windows_of_no_images():
    torch = pytest.importorskip("torch")
    x = draw(0, 3, 4, 5)
    columns = torch.nn.functional.unfold(to_torch(x), 2)
    assert_same(F.unfold(tensor(x), 2), columns)
    assert F.fold(F.unfold(tensor(x), 2), (4, 5), 2).shape == (0, 3, 4, 5)


def test_similarity_of_short_vectors():
    """The value is PyTorch's, the gradient that of the value, which there it is not."""
    torch = pytest.importorskip("torch")
    x, y = draw(2, 3, 4, dtype=F64), draw(3, 4, dtype=F64, seed=1)
    assert_same(
        F.cosine_similarity(tensor(x), tensor(y), -1, 2.0),
        torch.nn.functional.cosine_similarity(to_torch(x), to_torch(y), -1, 2.0),
    )
    ours = tensor(x, requires_grad=True)
    assert autograd.gradcheck(lambda a: F.cosine_similarity(a, tensor(y), -1, 2.0), (ours,))


def test_running_statistics_alone():
    torch = pytest.importorskip("torch")
    x = draw(3, 2, 5)
    means = [np.zeros(2, F32), np.zeros(2, F32)]
    ours, theirs = tensor(means[0]), to_torch(means[1])
    F.instance_norm(tensor(x), ours, tensor(np.ones(2, F32)))
    torch.nn.functional.instance_norm(to_torch(x), theirs, torch.ones(2))
    assert_same(ours, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, x: f.interpolate(x, 2, 2), "either size or scale_factor"),
        (lambda f, x: f.interpolate(x), "either size or scale_factor"),
        (lambda f, x: f.interpolate(x, 2, mode="linear"), "does not suit"),
        (lambda f, x: f.interpolate(x[0, 0], 2), "does not suit"),
        (lambda f, x: f.interpolate(x, 2, mode="cubist"), "mode is"),
        (lambda f, x: f.interpolate(x, 2, align_corners=True), "no meaning"),
        (lambda f, x: f.interpolate(x, scale_factor=0.1), "positive"),
        (lambda f, x: f.interpolate(x, scale_factor=(1.0,)), "scale_factor"),
        (lambda f, x: f.pixel_shuffle(x, 2), "multiple of 2"),
        (lambda f, x: f.pixel_unshuffle(x, 3), "multiples of 3"),
        (lambda f, x: f.channel_shuffle(x, 2), "split into 2"),
        (lambda f, x: f.unfold(x[0, 0], 2), "unfold: input has shape"),
        (lambda f, x: f.unfold(x, 9), "kernel"),
        (lambda f, x: f.unfold(x, 2, stride=0), "positive"),
        (lambda f, x: f.unfold(x, 2, padding=-1), "negative"),
        (lambda f, x: f.fold(x[0], 3, 4), "larger than the padded image"),
        (lambda f, x: f.fold(x[0], 3, 2), "fold: input has shape"),
        (lambda f, x: f.instance_norm(x[..., :1, :1]), "more than one"),
        (lambda f, x: f.rms_norm(x, (3,)), "end with"),
    ],
)
def test_what_does_not_fit_raises(call, message):
    torch = pytest.importorskip("torch")
    x = draw(1, 3, 4, 5)
    with pytest.raises(ValueError, match=message):
        call(F, tensor(x))
    with pytest.raises((RuntimeError, ValueError, AssertionError, NotImplementedError, IndexError)):
        call(torch.nn.functional, to_torch(x))


def test_wrong_channels_of_a_norm_raise():
    with pytest.raises(ValueError, match="3 channels"):
        nn.InstanceNorm2d(3)(autograd.ones(2, 4, 5, 5))
    with pytest.raises(ValueError, match="weight has shape"):
        F.rms_norm(autograd.ones(2, 3), (3,), autograd.ones(2))
