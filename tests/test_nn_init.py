"""nn.init, and the distributions that layers start from."""

import math

import numpy as np
import pytest
from oracle import refused_in_torch

import autograd
import nn
from autograd import tensor
from nn import init


def filled(function, shape, *args, dtype=autograd.float32, **options):
    """The values after a function has filled a tensor of a shape."""
    target = autograd.zeros(shape, dtype=dtype, requires_grad=True)
    assert function(target, *args, **options) is target
    assert target.grad_fn is None
    assert target.requires_grad
    assert target.dtype == dtype
    return target.detach().numpy()


def check_uniform(values, low, high):
    """Bounds, and the first two moments within five standard errors."""
    assert values.min() >= low - 1e-6
    assert values.max() <= high + 1e-6
    assert values.min() < low + 0.01 * (high - low)
    assert values.max() > high - 0.01 * (high - low)
    check_moments(values, (low + high) / 2, (high - low) / math.sqrt(12), kurtosis=1.8)


def check_normal(values, mean, std):
    check_moments(values, mean, std, kurtosis=3.0)
    z = (values - mean) / std
    assert abs((np.abs(z) < 1).mean() - 0.6827) < 0.02


def check_moments(values, mean, std, kurtosis):
    values = values.astype(np.float64)
    root = math.sqrt(values.size)
    assert abs(values.mean() - mean) < 5 * std / root
    spread = std * math.sqrt(kurtosis - 1) / 2
    assert abs(values.std() - std) < 5 * spread / root + 1e-9


@pytest.fixture(autouse=True)
def seeded():
    autograd.manual_seed(11)


def test_simple_fillings():
    check_uniform(filled(init.uniform_, (100, 100), -1.0, 3.0), -1, 3)
    check_uniform(filled(init.uniform_, (100, 100)), 0, 1)
    check_normal(filled(init.normal_, (100, 100), 2.0, 0.5), 2, 0.5)
    assert (filled(init.constant_, (3, 2), 0.25) == 0.25).all()
    assert (filled(init.ones_, (3,)) == 1).all()
    assert (filled(init.zeros_, ()) == 0).all()
    assert np.array_equal(filled(init.eye_, (3, 4)), np.eye(3, 4))


@pytest.mark.parametrize(
    ("mean", "std", "a", "b"),
    [(0.0, 1.0, -2.0, 2.0), (1.0, 2.0, -2.0, 2.0), (0.0, 1.0, 2.0, 3.0), (5.0, 1.0, 0.0, 2.5)],
)
def test_truncated_normal(mean, std, a, b):
    values = filled(init.trunc_normal_, (200, 200), mean, std, a, b).astype(np.float64)
    assert a <= values.min()
    assert values.max() <= b
    grid = np.linspace(a, b, 20001)
    density = np.exp(-(((grid - mean) / std) ** 2) / 2)
    density /= density.sum()
    centre = (grid * density).sum()
    spread = math.sqrt(((grid - centre) ** 2 * density).sum())
    assert abs(values.mean() - centre) < 5 * spread / 200
    assert values.std() == pytest.approx(spread, rel=0.03)


def test_dirac_hands_channels_on():
    torch = pytest.importorskip("torch")
    for shape, groups in [((3, 3, 3), 1), ((4, 2, 3, 4), 2), ((6, 2, 1, 2, 3), 3), ((2, 4, 3), 1)]:
        ours = filled(init.dirac_, shape, groups)
        theirs = torch.nn.init.dirac_(torch.empty(shape), groups)
        assert np.array_equal(ours, theirs.numpy())
    layer = nn.Conv2d(3, 3, 3, padding=1, bias=False)
    init.dirac_(layer.weight)
    x = autograd.randn(1, 3, 4, 4)
    assert layer(x).tolist() == x.tolist()


SHAPES = [(300, 200), (60, 40, 3, 3)]


@pytest.mark.parametrize("shape", SHAPES)
def test_xavier(shape):
    field = math.prod(shape[2:])
    total = field * (shape[0] + shape[1])
    for gain in (1.0, 2.5):
        bound = gain * math.sqrt(6 / total)
        check_uniform(filled(init.xavier_uniform_, shape, gain), -bound, bound)
        check_normal(filled(init.xavier_normal_, shape, gain), 0, gain * math.sqrt(2 / total))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize(("nonlinearity", "a"), [("relu", 0), ("leaky_relu", 0.5), ("tanh", 0)])
def test_kaiming(shape, mode, nonlinearity, a):
    fan = math.prod(shape[2:]) * shape[mode == "fan_in"]
    gain = {"relu": math.sqrt(2), "leaky_relu": math.sqrt(2 / 1.25), "tanh": 5 / 3}[nonlinearity]
    std = gain / math.sqrt(fan)
    options = {"a": a, "mode": mode, "nonlinearity": nonlinearity}
    bound = math.sqrt(3) * std
    check_uniform(filled(init.kaiming_uniform_, shape, **options), -bound, bound)
    check_normal(filled(init.kaiming_normal_, shape, **options), 0, std)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3), (4, 4)])
def test_orthogonal(shape):
    values = filled(init.orthogonal_, shape, 2.0, dtype=autograd.float64).reshape(shape[0], -1)
    tall = values if values.shape[0] >= values.shape[1] else values.T
    np.testing.assert_allclose(tall.T @ tall, 4 * np.eye(tall.shape[1]), atol=1e-12)


def test_orthogonal_has_no_preferred_direction():
    signs = np.array([filled(init.orthogonal_, (2, 2))[0, 0] > 0 for _ in range(400)])
    assert abs(signs.mean() - 0.5) < 0.125


def test_sparse():
    values = filled(init.sparse_, (50, 20), 0.3, 0.1)
    assert ((values == 0).sum(axis=0) == 15).all()
    check_moments(values[values != 0], 0, 0.1, kurtosis=3.0)


def test_gains():
    torch = pytest.importorskip("torch")
    names = ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose3d"]
    for name in [*names, "sigmoid", "tanh", "relu", "leaky_relu", "selu"]:
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == pytest.approx(
        torch.nn.init.calculate_gain("leaky_relu", 0.3)
    )


def test_a_generator_repeats_the_draws():
    functions = [
        init.uniform_,
        init.normal_,
        init.trunc_normal_,
        init.xavier_uniform_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.kaiming_normal_,
        init.orthogonal_,
        lambda t, generator: init.sparse_(t, 0.5, generator=generator),
    ]
    for function in functions:
        first, second, other = (
            filled(function, (4, 3), generator=autograd.Generator().manual_seed(seed))
            for seed in (1, 1, 2)
        )
        assert np.array_equal(first, second)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (lambda: nn.Linear(64, 300), 64),
        (lambda: nn.Bilinear(64, 3, 200), 64),
        (lambda: nn.Conv1d(16, 300, 4), 64),
        (lambda: nn.Conv2d(16, 300, 2), 64),
        (lambda: nn.Conv2d(32, 300, 2, groups=2), 64),
        (lambda: nn.Conv3d(8, 300, 2), 64),
        (lambda: nn.ConvTranspose2d(300, 16, 2), 64),
        (lambda: nn.ConvTranspose2d(300, 32, 2, groups=2), 64),
    ],
)
def test_layers_start_uniform_within_the_root_of_their_fan_in(layer, fan_in):
    bound = 1 / math.sqrt(fan_in)
    made = [layer() for _ in range(3)]
    check_uniform(made[0].weight.detach().numpy(), -bound, bound)
    biases = np.concatenate([one.bias.detach().numpy() for one in made])
    assert np.abs(biases).max() <= bound
    assert biases.std() == pytest.approx(2 * bound / math.sqrt(12), rel=0.35)


def test_layers_start_like_those_of_torch():
    torch = pytest.importorskip("torch")
    pairs = [
        (
            lib.Linear(50, 400),
            lib.Conv2d(20, 100, 3),
            lib.ConvTranspose2d(100, 20, 3, groups=2),
            lib.Bilinear(20, 20, 30),
            lib.Embedding(200, 50),
        )
        for lib in (nn, torch.nn)
    ]
    for ours, theirs in zip(*pairs, strict=True):
        mine, yours = ours.weight.detach().numpy(), theirs.weight.detach().numpy()
        assert mine.std() == pytest.approx(yours.std(), rel=0.05)
        assert np.abs(mine).max() == pytest.approx(np.abs(yours).max(), rel=0.15)


def test_constant_starts():
    norm = nn.BatchNorm2d(3)
    assert norm.weight.tolist() == [1, 1, 1]
    assert norm.bias.tolist() == [0, 0, 0]
    assert nn.LayerNorm(2).weight.tolist() == [1, 1]
    assert nn.GroupNorm(1, 2).bias.tolist() == [0, 0]
    assert nn.PReLU(2, init=0.5).weight.tolist() == [0.5, 0.5]


def test_reset_parameters_draws_anew():
    for layer in (nn.Linear(3, 2), nn.Conv2d(1, 2, 3), nn.Embedding(3, 2), nn.Bilinear(2, 2, 2)):
        before = layer.weight.tolist()
        layer.reset_parameters()
        assert layer.weight.tolist() != before


BAD = [
    (lambda: init.eye_(autograd.zeros(3)), ValueError, r"eye_: expected 2 dimensions.*\(3,\)"),
    (lambda: init.dirac_(autograd.zeros(3, 3)), ValueError, r"dirac_: expected 3, 4 or 5"),
    (lambda: init.dirac_(autograd.zeros(3, 3, 3), 2), ValueError, r"no multiple of 2 groups"),
    (lambda: init.xavier_normal_(autograd.zeros(3)), ValueError, r"xavier_normal_: fans need"),
    (lambda: init.kaiming_normal_(autograd.zeros(3, 3), mode="in"), ValueError, r"mode is"),
    (lambda: init.orthogonal_(autograd.zeros(3)), ValueError, r"at least 2 dimensions"),
    (lambda: init.sparse_(autograd.zeros(3), 0.1), ValueError, r"sparse_: expected 2"),
    (lambda: init.calculate_gain("swish"), ValueError, r"unknown nonlinearity 'swish'"),
    (lambda: init.calculate_gain("leaky_relu", True), ValueError, r"is a number, got True"),
    (lambda: init.trunc_normal_(autograd.zeros(3), a=1.0, b=1.0), ValueError, r"a < b"),
    (lambda: init.trunc_normal_(autograd.zeros(3), std=0.0), ValueError, r"std > 0"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


STRICTER = {
    "a < b",  # all values are the bound there
}


@pytest.mark.parametrize("call", [row[0] for row in BAD if row[2] not in STRICTER])
def test_what_is_refused_is_refused_in_torch(call):
    assert refused_in_torch(call)


def test_a_failed_filling_changes_nothing():
    target = tensor([1.0, 2.0])
    for function in (init.xavier_uniform_, init.kaiming_uniform_, init.orthogonal_, init.eye_):
        with pytest.raises(ValueError, match="dimensions"):
            function(target)
    assert target.tolist() == [1.0, 2.0]
