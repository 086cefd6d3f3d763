"""Layers, against PyTorch where it is installed."""

import numpy as np
import pytest
from oracle import assert_same, compare_modules, copy_state, leaf, refused_in_torch, to_torch

import autograd
import nn
from autograd import tensor

F32, F64 = np.float32, np.float64


def draw(*shape, dtype=F32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


ACTIVATIONS = [
    ("ReLU", {}),
    ("ReLU6", {}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.2}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.5}),
    ("SELU", {}),
    ("GELU", {}),
    ("GELU", {"approximate": "tanh"}),
    ("SiLU", {}),
    ("Softplus", {}),
    ("Softplus", {"beta": 3.0, "threshold": 4.0}),
    ("Hardtanh", {}),
    ("Hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("Sigmoid", {}),
    ("LogSigmoid", {}),
    ("Tanh", {}),
    ("Softmax", {"dim": 1}),
    ("LogSoftmax", {"dim": -1}),
    ("PReLU", {}),
    ("PReLU", {"num_parameters": 3}),
    ("Identity", {}),
]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize(("name", "options"), ACTIVATIONS)
def test_activation(name, options, dtype):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(**options).to(autograd.result_type(tensor(np.zeros(1, dtype)), 1.0))
    theirs = getattr(torch.nn, name)(**options).to(to_torch(np.zeros(1, dtype)).dtype)
    compare_modules(ours, theirs, draw(4, 3, 5, dtype=dtype) * 3)


@pytest.mark.parametrize(("name", "options"), ACTIVATIONS)
def test_activation_on_its_kinks_and_far_out(name, options):
    torch = pytest.importorskip("torch")
    ours, theirs = getattr(nn, name)(**options), getattr(torch.nn, name)(**options)
    edges = np.array([-90, -6, -1, -0.5, 0, 0.5, 1, 2, 6, 30, 90], F32)
    x = np.stack([edges, edges[::-1], np.zeros_like(edges)])[None]
    compare_modules(ours, theirs, x)


@pytest.mark.parametrize(
    ("name", "options"),
    [item for item in ACTIVATIONS if item[0] in ("ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU")]
    + [("SiLU", {}), ("Hardtanh", {})],
)
def test_inplace_activation_gives_the_same_gradient_and_writes(name, options):
    ours = getattr(nn, name)(inplace=True, **options)
    apart = getattr(nn, name)(**options)
    x, again = leaf(draw(3, 4)), leaf(draw(3, 4))
    before = x * 2
    out = ours(before)
    assert out is before
    expected = apart(again * 2)
    assert_same(out, expected)
    weights = tensor(draw(3, 4, seed=1))
    (out * weights).sum().backward()
    (expected * weights).sum().backward()
    assert_same(x.grad, again.grad)
    with pytest.raises(RuntimeError, match="leaf"):
        ours(leaf(draw(2)))


LAYERS = [
    ("Linear", (4, 3), {}, [(2, 4)]),
    ("Linear", (4, 3), {"bias": False}, [(2, 5, 4)]),
    ("Linear", (4, 3), {}, [(4,)]),
    ("Bilinear", (3, 4, 2), {}, [(5, 3), (5, 4)]),
    ("Bilinear", (3, 4, 2), {"bias": False}, [(2, 5, 3), (2, 5, 4)]),
    ("Conv1d", (2, 3, 3), {}, [(2, 2, 7)]),
    ("Conv1d", (2, 3, 3), {"padding": "same", "dilation": 2}, [(2, 2, 7)]),
    ("Conv1d", (2, 3, 4), {"padding": "same"}, [(2, 7)]),
    ("Conv2d", (3, 4, 3), {}, [(2, 3, 6, 5)]),
    ("Conv2d", (3, 4, (3, 2)), {"stride": (2, 1), "padding": (1, 0)}, [(2, 3, 6, 5)]),
    ("Conv2d", (4, 6, 3), {"groups": 2, "bias": False, "dilation": (1, 2)}, [(2, 4, 6, 7)]),
    ("Conv2d", (4, 4, 3), {"groups": 4, "padding": "valid"}, [(2, 4, 5, 5)]),
    ("Conv2d", (3, 4, 1), {}, [(3, 4, 4)]),
    ("Conv2d", (2, 3, 3), {"padding": 1, "padding_mode": "reflect"}, [(1, 2, 4, 5)]),
    ("Conv2d", (2, 3, 3), {"padding": (2, 1), "padding_mode": "replicate"}, [(1, 2, 4, 5)]),
    ("Conv2d", (2, 3, 4), {"padding": "same", "padding_mode": "circular"}, [(1, 2, 6, 5)]),
    ("Conv3d", (2, 3, 2), {"stride": 2, "padding": 1}, [(1, 2, 4, 3, 5)]),
    ("ConvTranspose1d", (2, 3, 3), {"stride": 2, "output_padding": 1}, [(2, 2, 4)]),
    ("ConvTranspose2d", (4, 2, 3), {"stride": 2, "padding": 1}, [(2, 4, 3, 4)]),
    ("ConvTranspose2d", (4, 6, (2, 3)), {"groups": 2, "dilation": 2}, [(2, 4, 3, 4)]),
    ("ConvTranspose2d", (4, 2, 3), {"bias": False}, [(4, 3, 4)]),
    ("ConvTranspose3d", (2, 3, 2), {"stride": 2}, [(1, 2, 2, 3, 2)]),
    ("MaxPool1d", (2,), {}, [(2, 3, 7)]),
    ("MaxPool2d", (2,), {}, [(2, 3, 6, 7)]),
    ("MaxPool2d", ((3, 2),), {"stride": (2, 1), "padding": 1}, [(2, 3, 6, 7)]),
    ("MaxPool2d", (3,), {"stride": 2, "ceil_mode": True, "dilation": 2}, [(3, 8, 9)]),
    ("MaxPool3d", (2,), {"stride": 1}, [(1, 2, 3, 4, 3)]),
    ("AvgPool1d", (3,), {"stride": 2, "padding": 1}, [(2, 3, 7)]),
    ("AvgPool2d", (2,), {}, [(2, 3, 6, 7)]),
    (
        "AvgPool2d",
        (3,),
        {"stride": 2, "padding": 1, "count_include_pad": False, "ceil_mode": True},
        [(2, 3, 6, 7)],
    ),
    ("AvgPool2d", ((2, 3),), {"divisor_override": 4}, [(3, 6, 7)]),
    ("AvgPool3d", (2,), {}, [(1, 2, 4, 5, 4)]),
    ("AdaptiveAvgPool1d", (3,), {}, [(2, 3, 7)]),
    ("AdaptiveAvgPool2d", (1,), {}, [(2, 3, 6, 7)]),
    ("AdaptiveAvgPool2d", ((4, None),), {}, [(2, 3, 6, 7)]),
    ("AdaptiveAvgPool2d", ((3, 2),), {}, [(3, 6, 8)]),
    ("AdaptiveAvgPool3d", (2,), {}, [(1, 2, 3, 4, 5)]),
    ("AdaptiveMaxPool1d", (3,), {}, [(2, 3, 7)]),
    ("AdaptiveMaxPool2d", ((3, None),), {}, [(2, 3, 7, 4)]),
    ("AdaptiveMaxPool3d", (2,), {}, [(1, 2, 3, 4, 5)]),
    ("BatchNorm1d", (3,), {}, [(6, 3)]),
    ("BatchNorm1d", (3,), {"momentum": None}, [(4, 3, 5)]),
    ("BatchNorm2d", (3,), {"affine": False}, [(4, 3, 2, 5)]),
    ("BatchNorm2d", (3,), {"bias": False, "eps": 1e-2}, [(4, 3, 2, 5)]),
    ("BatchNorm2d", (3,), {"track_running_stats": False}, [(4, 3, 2, 5)]),
    ("BatchNorm3d", (2,), {}, [(3, 2, 2, 3, 2)]),
    ("LayerNorm", (5,), {}, [(2, 3, 5)]),
    ("LayerNorm", ([3, 5],), {"eps": 1e-3}, [(2, 3, 5)]),
    ("LayerNorm", (5,), {"bias": False}, [(2, 5)]),
    ("LayerNorm", (5,), {"elementwise_affine": False}, [(2, 5)]),
    ("GroupNorm", (2, 6), {}, [(3, 6, 4)]),
    ("GroupNorm", (3, 6), {"affine": False}, [(2, 6, 2, 3)]),
    ("Flatten", (), {}, [(2, 3, 4)]),
    ("Flatten", (0, 1), {}, [(2, 3, 4)]),
    ("Unflatten", (1, (2, -1)), {}, [(3, 6)]),
    ("Unflatten", (-1, [2, 3]), {}, [(3, 6)]),
    ("ZeroPad1d", (2,), {}, [(2, 3, 4)]),
    ("ZeroPad2d", (1,), {}, [(2, 3, 4, 5)]),
    ("ZeroPad2d", ((1, 0, -1, 2),), {}, [(2, 3, 4, 5)]),
    ("ZeroPad3d", (1,), {}, [(1, 2, 2, 2, 2)]),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "args", "options", "shapes"), LAYERS)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
def test_layer(name, args, options, shapes, dtype):
    torch = pytest.importorskip("torch")
    autograd.manual_seed(0)
    ours = getattr(nn, name)(*args, **options).to(getattr(autograd, dtype))
    theirs = getattr(torch.nn, name)(*args, **options).to(getattr(torch, dtype))
    inputs = [draw(*shape, dtype=np.dtype(dtype), seed=k) for k, shape in enumerate(shapes)]
    compare_modules(ours, theirs, *inputs)


@pytest.mark.parametrize("name", ["Linear", "Conv2d", "ConvTranspose2d", "BatchNorm2d", "PReLU"])
def test_the_dtype_of_parameters_can_be_chosen(name):
    args = {"Linear": (2, 3), "BatchNorm2d": (3,), "PReLU": ()}.get(name, (2, 3, 1))
    layer = getattr(nn, name)(*args, device="cpu", dtype=autograd.float64)
    assert {value.dtype for value in layer.parameters()} == {autograd.float64}
    with pytest.raises(ValueError, match="cuda"):
        getattr(nn, name)(*args, device="cuda")


def test_max_pool_gives_indices_and_the_first_of_equal_values_the_gradient():
    torch = pytest.importorskip("torch")
    x = np.array([[[[1, 1, 0, 2], [1, 1, 2, 0]]]], F32)
    mine, yours = leaf(x), to_torch(x, True)
    out, places = nn.MaxPool2d(2, return_indices=True)(mine)
    expected, expected_places = torch.nn.MaxPool2d(2, return_indices=True)(yours)
    assert_same(places, expected_places)
    out.sum().backward()
    expected.sum().backward()
    assert_same(mine.grad, yours.grad)


def test_adaptive_max_pool_gives_the_first_of_equal_values_the_gradient():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).integers(0, 2, (2, 3, 7, 5)).astype(F32)
    mine, yours = leaf(x), to_torch(x, True)
    nn.AdaptiveMaxPool2d((3, 2))(mine).sum().backward()
    torch.nn.AdaptiveMaxPool2d((3, 2))(yours).sum().backward()
    assert_same(mine.grad, yours.grad)


def test_transposed_convolution_to_a_wanted_size():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.ConvTranspose2d(2, 3, 3, 2), torch.nn.ConvTranspose2d(2, 3, 3, 2)
    copy_state(ours, theirs)
    x = draw(1, 2, 4, 4)
    out = ours(tensor(x), output_size=(10, 9))
    assert_same(out, theirs(to_torch(x), output_size=(10, 9)))
    with pytest.raises(ValueError, match=r"output_size \(12, 9\) is not between \(9, 9\)"):
        ours(tensor(x), output_size=(12, 9))


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
@pytest.mark.parametrize(
    ("name", "shape"), [("BatchNorm1d", (5, 3)), ("BatchNorm2d", (2, 3, 4, 2))]
)
def test_batch_norm_keeps_statistics_over_steps_and_uses_them(name, shape, momentum):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(3, momentum=momentum)
    theirs = getattr(torch.nn, name)(3, momentum=momentum)
    for step in range(4):
        x = draw(*shape, seed=step) * (step + 1) + step
        assert_same(ours(tensor(x)), theirs(to_torch(x)))
        for (key, mine), yours in zip(
            ours.state_dict().items(), theirs.state_dict().values(), strict=True
        ):
            assert_same(mine, yours, what=f"{key} after step {step}")
    assert ours.num_batches_tracked.dtype == autograd.int64
    assert ours.num_batches_tracked.item() == 4
    ours.eval()
    theirs.eval()
    compare_modules(ours, theirs, draw(*shape, seed=9))
    assert ours.num_batches_tracked.item() == 4


def test_batch_norm_without_statistics_uses_the_batch_in_evaluation_too():
    torch = pytest.importorskip("torch")
    ours = nn.BatchNorm2d(3, track_running_stats=False).eval()
    theirs = torch.nn.BatchNorm2d(3, track_running_stats=False).eval()
    compare_modules(ours, theirs, draw(4, 3, 2, 2))


def test_batch_norm_without_affine_in_evaluation():
    torch = pytest.importorskip("torch")
    ours, theirs = nn.BatchNorm2d(3, affine=False), torch.nn.BatchNorm2d(3, affine=False)
    ours(tensor(draw(4, 3, 2, 2)))
    compare_modules(ours.eval(), theirs.eval(), draw(1, 3, 1, 1, seed=3))


def test_batch_norm_resets():
    layer = nn.BatchNorm1d(2)
    layer(tensor(draw(4, 2)))
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0]
    assert layer.running_var.tolist() == [1, 1]
    assert layer.num_batches_tracked.item() == 0


def test_embedding():
    torch = pytest.importorskip("torch")
    places = np.array([[1, 0, 3], [3, 3, 4]])
    for padding in (None, 3, -2):
        ours = nn.Embedding(5, 2, padding_idx=padding)
        compare_modules(ours, torch.nn.Embedding(5, 2, padding_idx=padding), places)
        if padding is not None:
            assert ours.weight[3].tolist() == [0, 0]
    frozen = nn.Embedding.from_pretrained(tensor([[1.0, 2.0]]))
    assert not frozen.weight.requires_grad
    assert frozen(tensor([0, 0])).tolist() == [[1.0, 2.0], [1.0, 2.0]]


class TestDropout:
    @pytest.mark.parametrize(
        ("layer", "shape", "mask_shape"),
        [
            (nn.Dropout(0.3), (40, 50), (40, 50)),
            (nn.Dropout1d(0.3), (40, 50, 3), (40, 50, 1)),
            (nn.Dropout1d(0.3), (2000, 3), (2000, 1)),
            (nn.Dropout2d(0.3), (40, 50, 2, 3), (40, 50, 1, 1)),
            (nn.Dropout3d(0.3), (40, 50, 2, 1, 2), (40, 50, 1, 1, 1)),
        ],
    )
    def test_training(self, layer, shape, mask_shape):
        autograd.manual_seed(0)
        x = leaf(np.ones(shape, F32))
        out = layer(x)
        values = out.detach().numpy()
        assert values.dtype == F32
        first = values[tuple(slice(size) for size in mask_shape)]
        assert np.array_equal(values, np.broadcast_to(first, shape))
        assert set(np.unique(values)) == {F32(0), F32(1 / 0.7)}
        assert abs((first == 0).mean() - 0.3) < 4 * (0.21 / first.size) ** 0.5
        out.sum().backward()
        assert np.array_equal(x.grad.numpy(), values)

    def test_evaluation_hands_the_input_on(self):
        x = leaf(draw(2, 3))
        assert nn.Dropout(0.9).eval()(x) is x

    def test_the_seed_repeats_the_mask(self):
        draws = []
        for _ in range(2):
            autograd.manual_seed(5)
            draws.append(nn.Dropout()(autograd.ones(100)).tolist())
        assert draws[0] == draws[1]

    def test_probability_one_and_in_place(self):
        x = leaf(draw(4))
        out = nn.Dropout(1.0)(x)
        out.sum().backward()
        assert out.tolist() == x.grad.tolist() == [0.0] * 4
        y = autograd.ones(1000)
        assert nn.Dropout(0.5, inplace=True)(y) is y
        assert 0 < (y == 0).sum().item() < 1000

    def test_errors(self):
        with pytest.raises(ValueError, match=r"p is a probability between 0 and 1, got 1\.5"):
            nn.Dropout(1.5)
        with pytest.raises(ValueError, match="dropout2d: expected 4 dimensions"):
            nn.Dropout2d()(autograd.ones(3, 3))
        with pytest.warns(UserWarning, match=r"taken as \(N, C, L\)"):
            nn.Dropout2d()(autograd.ones(3, 3, 3))


LOSSES = [
    ("MSELoss", {}),
    ("L1Loss", {}),
    ("SmoothL1Loss", {}),
    ("SmoothL1Loss", {"beta": 0.3}),
    ("SmoothL1Loss", {"beta": 0.0}),
    ("HuberLoss", {}),
    ("HuberLoss", {"delta": 0.4}),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options"), LOSSES)
def test_regression_loss(name, options, reduction):
    torch = pytest.importorskip("torch")
    ours = getattr(nn, name)(reduction=reduction, **options)
    theirs = getattr(torch.nn, name)(reduction=reduction, **options)
    y = draw(4, 3, seed=1)
    y[0] = draw(4, 3)[0]
    compare_modules(ours, theirs, draw(4, 3), y)


WEIGHT = np.array([0.5, 2.0, 1.0], F32)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 3, 4, 2)])
def test_cross_entropy(shape, weight, smoothing, reduction):
    torch = pytest.importorskip("torch")
    options = {"reduction": reduction, "label_smoothing": smoothing}
    ours = nn.CrossEntropyLoss(None if weight is None else tensor(weight), **options)
    theirs = torch.nn.CrossEntropyLoss(None if weight is None else to_torch(weight), **options)
    classes = np.random.default_rng(3).integers(0, 3, (*shape[:1], *shape[2:]) if shape[1:] else ())
    compare_modules(ours, theirs, draw(*shape), classes)
    probabilities = np.exp(draw(*shape, seed=4))
    probabilities /= probabilities.sum(min(len(shape) - 1, 1), keepdims=True)
    compare_modules(ours, theirs, draw(*shape), probabilities)
    if shape[1:]:
        classes.flat[:2] = 1
        ours.ignore_index = theirs.ignore_index = 1
        compare_modules(ours, theirs, draw(*shape), classes)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_nll_loss(weight, reduction):
    torch = pytest.importorskip("torch")
    options = {"reduction": reduction, "ignore_index": 2}
    ours = nn.NLLLoss(None if weight is None else tensor(weight), **options)
    theirs = torch.nn.NLLLoss(None if weight is None else to_torch(weight), **options)
    compare_modules(ours, theirs, draw(5, 3), np.array([0, 1, 2, 1, 0]))
    compare_modules(ours, theirs, draw(2, 3, 2), np.array([[0, 1], [2, 1]]))
    compare_modules(ours, theirs, draw(3), np.array(1))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_binary_losses(reduction):
    torch = pytest.importorskip("torch")
    targets = np.array([[0, 1, 0.3], [1, 0, 0.5], [0, 1, 0.7]], F32)
    weight, positive = np.array([1, 2, 0.5], F32), np.array([2, 1, 3], F32)
    logits = np.array([[0, 0, 0], [-200, 200, -1], [1, -50, 30]], F32)
    for options in ({}, {"weight": weight}, {"pos_weight": positive}):
        ours = nn.BCEWithLogitsLoss(
            **{key: tensor(value) for key, value in options.items()}, reduction=reduction
        )
        theirs = torch.nn.BCEWithLogitsLoss(
            **{key: to_torch(value) for key, value in options.items()}, reduction=reduction
        )
        compare_modules(ours, theirs, logits, targets)
    probabilities = np.array([[0.2, 0.9, 0.5], [0, 1, 1e-6], [0, 1, 0.7]], F32)
    for given in (None, weight):
        ours = nn.BCELoss(None if given is None else tensor(given), reduction=reduction)
        theirs = torch.nn.BCELoss(None if given is None else to_torch(given), reduction=reduction)
        copy_state(ours, theirs)
        mine, yours = leaf(probabilities), to_torch(probabilities, True)
        out, expected = ours(mine, tensor(targets)), theirs(yours, to_torch(targets))
        assert_same(out, expected)
        out.sum().backward()
        expected.sum().backward()
        assert_same(mine.grad, yours.grad)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("log_target", [True, False])
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
def test_divergence(log_target, reduction):
    torch = pytest.importorskip("torch")
    x, y = -np.abs(draw(4, 3)), np.abs(draw(4, 3, seed=1))
    y[0, 0] = 0
    options = {"reduction": reduction, "log_target": log_target}
    mine, yours = leaf(x), to_torch(x, True)
    out = nn.KLDivLoss(**options)(mine, tensor(y))
    expected = torch.nn.KLDivLoss(**options)(yours, to_torch(y))
    assert_same(out, expected)
    out.sum().backward()
    expected.sum().backward()
    assert_same(mine.grad, yours.grad)


BAD = [
    (lambda: nn.Linear(4, 3)(autograd.ones(2, 5)), ValueError, r"linear.*5 features.*expects 4"),
    (
        lambda: nn.Conv2d(4, 16, 3)(autograd.ones(8, 3, 32, 32)),
        ValueError,
        r"conv2d: input has 3 channels, weight expects 4 "
        r"\(input \(8, 3, 32, 32\), weight \(16, 4, 3, 3\)\)",
    ),
    (
        lambda: nn.Conv2d(1, 1, 5, padding=1)(autograd.ones(1, 1, 2, 9)),
        ValueError,
        r"conv2d: the kernel \(5, 5\) is larger than the padded input \(4, 11\)",
    ),
    (
        lambda: nn.Conv2d(1, 1, 3)(autograd.ones(4, 4)),
        ValueError,
        r"conv2d: expected 4 dim.*\(4, 4\)",
    ),
    (lambda: nn.Conv2d(4, 6, 3, groups=3), ValueError, r"in_channels 4 .* multiples of groups.* 3"),
    (lambda: nn.Conv2d(1, 1, (3, 3, 3)), ValueError, r"kernel_size is one number or 2 of them"),
    (lambda: nn.Conv2d(1, 1, 3.0), TypeError, r"kernel_size is made of integers"),
    (lambda: nn.Conv2d(1, 1, 3, 2, "same"), ValueError, r"padding='same' needs stride 1"),
    (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), ValueError, r"padding_mode is one of"),
    (
        lambda: nn.ConvTranspose2d(2, 1, 3)(autograd.ones(1, 3, 4, 4)),
        ValueError,
        r"conv_transpose2d: input has 3 channels, weight expects 2",
    ),
    (
        lambda: nn.MaxPool2d(3)(autograd.ones(1, 1, 2, 2)),
        ValueError,
        r"max_pool2d: the kernel \(3, 3\) is larger than the padded input \(2, 2\)",
    ),
    (lambda: nn.MaxPool2d(2)(autograd.ones(4, 4)), ValueError, r"max_pool2d: expected 4 dim"),
    (lambda: nn.AvgPool2d(2, padding=2)(autograd.ones(1, 1, 9, 9)), ValueError, r"padding"),
    (lambda: nn.AdaptiveAvgPool2d(0)(autograd.ones(1, 1, 2, 2)), ValueError, r"output_size 0"),
    (
        lambda: nn.BatchNorm1d(3)(autograd.ones(1, 3)),
        ValueError,
        r"batch_norm: a channel of the input \(1, 3\) has one value",
    ),
    (
        lambda: nn.BatchNorm2d(3)(autograd.ones(2, 3)),
        ValueError,
        r"BatchNorm2d: expected 4 dimensions, got shape \(2, 3\)",
    ),
    (
        lambda: nn.BatchNorm2d(3)(autograd.ones(2, 4, 2, 2)),
        ValueError,
        r"batch_norm: running_mean has shape \(3,\).*\(2, 4, 2, 2\)",
    ),
    (
        lambda: nn.BatchNorm2d(3, track_running_stats=False)(autograd.ones(2, 4, 2, 2)),
        ValueError,
        r"batch_norm: weight has shape \(3,\), expected \(4,\)",
    ),
    (lambda: nn.LayerNorm(3)(autograd.ones(2, 4)), ValueError, r"layer_norm: .*\(2, 4\).*\(3,\)"),
    (lambda: nn.GroupNorm(4, 6), ValueError, r"num_channels 6 must be a multiple of num_groups"),
    (
        lambda: nn.CrossEntropyLoss()(autograd.ones(2, 3), tensor([0, 3])),
        IndexError,
        r"cross_entropy: class 3 is out of range for 3 classes",
    ),
    (
        lambda: nn.CrossEntropyLoss()(autograd.ones(2, 3), tensor([0, -1])),
        IndexError,
        r"cross_entropy: class -1",
    ),
    (
        lambda: nn.CrossEntropyLoss()(autograd.ones(2, 3), tensor([0.0, 1.0])),
        TypeError,
        r"cross_entropy: class indices must be integers, target is float32",
    ),
    (
        lambda: nn.CrossEntropyLoss()(autograd.ones(2, 3), tensor([0, 1, 2])),
        ValueError,
        r"cross_entropy: target has shape \(3,\), expected \(2,\)",
    ),
    (lambda: nn.CrossEntropyLoss(reduction="avg"), ValueError, r"reduction is one of"),
    (lambda: nn.CrossEntropyLoss(None, None, 3), TypeError, r"positional"),
    (
        lambda: nn.MSELoss()(autograd.ones(2, 3), autograd.ones(4)),
        ValueError,
        r"mse_loss: input \(2, 3\) and target \(4,\)",
    ),
    (lambda: nn.BCELoss()(tensor([1.5]), tensor([1.0])), RuntimeError, r"probabilities between"),
    (
        lambda: nn.BCELoss()(tensor([0.5]), tensor([1.0, 0.0])),
        ValueError,
        r"target has shape \(2,\)",
    ),
    (lambda: nn.BCEWithLogitsLoss()(tensor([0.5]), tensor([1])), TypeError, r"int64"),
    (lambda: nn.Embedding(3, 2)(tensor([0, 3])), IndexError, r"index 3, expected 0 to 2"),
    (lambda: nn.Embedding(3, 2)(tensor([-1])), IndexError, r"index -1, expected 0 to 2"),
    (lambda: nn.Embedding(3, 2)(tensor([1.0])), TypeError, r"integer type, got float32"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), ValueError, r"padding_idx 3"),
    (lambda: nn.Unflatten(1, (2, 4))(autograd.ones(2, 6)), ValueError, r"unflatten"),
    (lambda: nn.PReLU(2)(autograd.ones(1, 3)), ValueError, r"prelu: weight has shape \(2,\)"),
    (lambda: nn.Hardtanh(1.0, 1.0), ValueError, r"min_val 1.0 is not below"),
    (lambda: nn.ZeroPad2d((1, 2)), ValueError, r"padding is one number or 4"),
    (lambda: nn.Bilinear(2, 3, 1)(autograd.ones(4, 2), autograd.ones(5, 3)), ValueError, r"batch"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


STRICTER = {
    "kernel_size is one number or 2 of them",  # PyTorch raises when the layer is called
    "output_size 0",  # an output of nothing
    "reduction is one of",  # PyTorch raises when the loss is called
    "positional",  # taken for ignore_index
    "padding is one number or 4",  # PyTorch raises when the layer is called
}


@pytest.mark.parametrize("call", [row[0] for row in BAD if row[2] not in STRICTER])
def test_what_is_refused_is_refused_in_torch(call):
    assert refused_in_torch(call)


def test_a_refused_batch_leaves_the_statistics_alone():
    layer = nn.BatchNorm2d(3)
    before = {key: value.tolist() for key, value in layer.state_dict().items()}
    for shape in [(1, 3, 1, 1), (2, 4, 2, 2), (2, 3)]:
        with pytest.raises(ValueError, match=r"[Bb]atch_?[nN]orm"):
            layer(autograd.ones(*shape))
    assert {key: value.tolist() for key, value in layer.state_dict().items()} == before
