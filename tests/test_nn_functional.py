"""nn.functional: what the layers do not show, second order, dtypes and PyTorch's signatures."""

import inspect

import numpy as np
import pytest
from oracle import assert_same, leaf, refused_in_torch, to_torch

import autograd
import nn
import nn.functional as F
from autograd import tensor


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def compare(call, *inputs, tolerance=None):
    """``call(functional, *tensors)`` in both libraries: outputs and gradients."""
    torch = pytest.importorskip("torch")
    mine = [leaf(value) for value in inputs]
    yours = [to_torch(value, np.asarray(value).dtype.kind == "f") for value in inputs]
    out, expected = call(F, *mine), call(torch.nn.functional, *yours)
    assert_same(out, expected, tolerance)
    if expected.requires_grad:
        weights = draw(*expected.shape, seed=8)
        with np.errstate(invalid="ignore"):  # NaN and infinity in a sum
            (out * tensor(weights)).sum().backward()
        (expected * to_torch(weights)).sum().backward()
    for one, other in zip(mine, yours, strict=True):
        assert_same(one.grad, other.grad, tolerance)


X = draw(2, 3, 6, 5)


ELEMENTWISE = ["relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"]
ELEMENTWISE += ["hardtanh", "logsigmoid", "sigmoid", "tanh"]
EDGES = np.array([-90, -6, -1, -0.5, 0, 0.5, 1, 6, 90], np.float32)
LEFT, RIGHT = draw(3, 4), draw(3, 4, seed=1)
INSIDE, SOFT = 1 / (1 + np.exp(-LEFT)), 1 / (1 + np.exp(-RIGHT))
FAR = np.array([np.inf, -np.inf, np.nan, 1, -2, 0.3], np.float32)
CLASSES = np.array([2, 0, 3])

CALLS = [
    (lambda f, x, w: f.linear(x, w), [draw(2, 3), draw(4, 3)]),
    (lambda f, x, w: f.linear(x, w), [draw(2, 3), draw(3)]),
    (lambda f, x, w: f.linear(x, w), [draw(3), draw(3)]),
    (lambda f, x, w, b: f.conv2d(x, w, b, 2, 1), [X, draw(4, 3, 3, 3), draw(4)]),
    (lambda f, x, w: f.conv2d(x, w, padding="valid"), [X, draw(4, 3, 3, 3)]),
    (lambda f, x, w: f.conv2d(x, w, stride=(2,), padding=[1, 2]), [X, draw(4, 3, 3, 3)]),
    (lambda f, x, w: f.conv_transpose2d(x, w, None, 3, 1, 2), [X, draw(3, 2, 3, 3)]),
    (lambda f, x: f.max_pool2d(x, 3, 2, 1, 1, True), [X]),
    (lambda f, x: f.max_pool1d(x, 2), [draw(3, 7)]),
    (lambda f, x: f.avg_pool2d(x, (3, 2), None, (1, 0), True, False, 5), [X]),
    (lambda f, x: f.avg_pool1d(x, 2, 1), [draw(3, 7)]),
    (lambda f, x: f.adaptive_avg_pool2d(x, (None, 2)), [X]),
    (lambda f, x: f.adaptive_max_pool2d(x, (4, 2)), [X]),
    (lambda f, x: f.batch_norm(x, None, None, training=True), [X]),
    (lambda f, x, w, b: f.layer_norm(x, (5,), w, b), [X, draw(5), draw(5, seed=1)]),
    (lambda f, x, w: f.group_norm(x, 3, w), [X, draw(3)]),
    (lambda f, x: f.softmax(x, 1), [X]),
    (lambda f, x: f.log_softmax(x, dim=-1), [X]),
    (lambda f, x: f.logsigmoid(x), [np.array([-200, -1, 0, 1, 200], np.float32)]),
    (lambda f, x, w: f.prelu(x, w), [draw(2, 3), draw(3, seed=1)]),
    (lambda f, x, w: f.prelu(x, w), [draw(3), draw(1, seed=1)]),
    (lambda f, x, w: f.prelu(x, w), [draw(), draw(1)]),
    (lambda f, x: f.normalize(x), [draw(4, 3)]),
    (lambda f, x: f.normalize(x, p=1.0, dim=0), [draw(4, 3)]),
    (lambda f, x: f.pad(x, (1, 2)), [X]),
    (lambda f, x: f.pad(x, (1, -2, -1, 0), value=3.0), [X]),
    (lambda f, x: f.pad(x, (0, 0)), [X]),
    (lambda f, x: f.pad(x, (2, 1, 3, 0), mode="reflect"), [X]),
    (lambda f, x: f.pad(x, (7, 1, 3, 0), mode="replicate"), [X]),
    (lambda f, x: f.pad(x, (2, 5, 6, 0), mode="circular"), [X]),
    (lambda f, x: f.pad(x, (2, 1), mode="reflect"), [draw(3, 4)]),
    (lambda f, x, y: f.cross_entropy(x, y), [draw(4, 3), np.array([0, 2, 1, 1])]),
    (lambda f, x, y: f.mse_loss(x, y, reduction="sum"), [draw(4), draw(4, seed=1)]),
    (lambda f, x, y: f.huber_loss(x, y, "none", 0.5), [draw(4), draw(4, seed=1)]),
    (lambda f, x, y: f.kl_div(x, y, reduction="batchmean"), [draw(4, 2), np.abs(draw(4, 2))]),
    (lambda f, x, w: f.embedding(x, w, -1), [np.array([0, 2]), draw(3, 2)]),
    *[(lambda f, x, name=n: getattr(f, name)(x), [x]) for n in ELEMENTWISE for x in (X, EDGES)],
    (lambda f, x, y: f.mse_loss(x, y), [LEFT, RIGHT]),
    (lambda f, x, y: f.l1_loss(x, y), [LEFT, RIGHT]),
    (lambda f, x, y: f.smooth_l1_loss(x, y, beta=0.7), [LEFT, RIGHT]),
    (lambda f, x, y: f.smooth_l1_loss(x, y, reduction="none"), [FAR, np.zeros_like(FAR)]),
    (lambda f, x, y: f.huber_loss(x, y), [LEFT, RIGHT]),
    (lambda f, x, y: f.huber_loss(x, y, "none"), [FAR, np.zeros_like(FAR)]),
    (lambda f, x, y: f.cross_entropy(x, y), [LEFT, SOFT / SOFT.sum(1, keepdims=True)]),
    (lambda f, x, y: f.nll_loss(f.log_softmax(x, 1), y, reduction="sum"), [LEFT, CLASSES]),
    (lambda f, x, y: f.binary_cross_entropy(x, y), [INSIDE, SOFT]),
    (lambda f, x, y: f.binary_cross_entropy_with_logits(x, y), [LEFT, SOFT]),
    (lambda f, x, y: f.kl_div(x, y, reduction="batchmean"), [LEFT[:0], SOFT[:0]]),
    (lambda f, x, w: f.prelu(x, w), [FAR, draw(1)]),
    (lambda f, x, w: f.conv1d(x, w, stride=2), [draw(2, 3, 7), draw(4, 3, 3)]),
    (lambda f, x, w: f.conv3d(x, w, padding=1), [draw(1, 2, 3, 4, 3), draw(3, 2, 2, 2, 2)]),
    (lambda f, x, w: f.conv_transpose1d(x, w, stride=2), [draw(2, 3, 4), draw(3, 2, 3)]),
    (lambda f, x, w: f.conv_transpose3d(x, w), [draw(1, 2, 2, 3, 2), draw(2, 3, 2, 2, 2)]),
    (lambda f, x, y, w: f.bilinear(x, y, w), [draw(2, 3), draw(2, 4), draw(5, 3, 4)]),
    (lambda f, x: f.max_pool3d(x, 2), [draw(1, 2, 4, 5, 4)]),
    (lambda f, x: f.avg_pool3d(x, 2), [draw(1, 2, 4, 5, 4)]),
    (lambda f, x: f.adaptive_avg_pool1d(x, 3), [draw(3, 7)]),
    (lambda f, x: f.adaptive_avg_pool3d(x, (2, None, 1)), [draw(1, 2, 4, 3, 5)]),
    (lambda f, x: f.adaptive_max_pool1d(x, 3), [draw(3, 7)]),
    (lambda f, x: f.adaptive_max_pool3d(x, 2), [draw(1, 2, 4, 3, 5)]),
    (lambda f, x: f.instance_norm(x), [X]),
    (lambda f, x, w: f.rms_norm(x, (5,), w), [X, draw(5)]),
    (lambda f, x: f.interpolate(x, scale_factor=1.5, mode="bilinear"), [X]),
    (lambda f, x: f.unfold(x, (2, 3), padding=(1, 0)), [X]),
    (lambda f, x: f.fold(x, (4, 5), 2, stride=(2, 3), padding=1), [draw(2, 8, 6)]),
    (lambda f, x: f.pixel_shuffle(x, 2), [draw(2, 8, 2, 3)]),
    (lambda f, x: f.pixel_unshuffle(x, 2), [draw(2, 2, 4, 6)]),
    (lambda f, x: f.channel_shuffle(x, 3), [draw(2, 6, 2)]),
    (lambda f, x: f.pad(x, (1, 1), mode="reflect"), [draw(0, 3, 4)]),
    (lambda f, x, y: f.cosine_similarity(x, y), [LEFT, RIGHT]),
    (lambda f, x, y: f.pairwise_distance(x, y, 3.0, keepdim=True), [LEFT, RIGHT]),
    (lambda f, x: f.one_hot(x, 4), [CLASSES]),
    (lambda f, q, k: f.scaled_dot_product_attention(q, k, k), [draw(2, 3, 4), draw(2, 5, 4)]),
    *[(lambda f, x, p=p: f.dropout(x, p), [X]) for p in (0.0, 1.0)],
    *[(lambda f, x, p=p: f.dropout1d(x, p), [X[0]]) for p in (0.0, 1.0)],
    *[(lambda f, x, p=p: f.dropout2d(x, p), [X]) for p in (0.0, 1.0)],
    *[(lambda f, x, p=p: f.dropout3d(x, p), [X[None]]) for p in (0.0, 1.0)],
    (lambda f, x: f.dropout(x, 0.5, training=False), [X]),
]


def names_in(call):
    """The functions that a call of the table calls."""
    return {*call.__code__.co_names, *(call.__defaults__ or ())}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("call", "inputs"), CALLS, ids=[" ".join(sorted(map(str, names_in(call)))) for call, _ in CALLS]
)
def test_as_in_torch(call, inputs, dtype):
    compare(call, *[x.astype(dtype) if x.dtype == np.float32 else x for x in inputs])


def test_every_function_is_compared():
    assert set(F.__all__) <= set().union(*(names_in(call) for call, _ in CALLS))


@pytest.mark.parametrize("p", [0.0, 0.4])
def test_dropout_in_evaluation(p):
    x = tensor(X)
    assert F.dropout(x, p, training=False) is x


def test_one_hot():
    torch = pytest.importorskip("torch")
    places = np.array([[0, 2], [1, 1]])
    assert_same(F.one_hot(tensor(places)), torch.nn.functional.one_hot(to_torch(places)))
    assert_same(F.one_hot(tensor(places), 4), torch.nn.functional.one_hot(to_torch(places), 4))
    with pytest.raises(IndexError, match="one_hot: tensor holds index 2, expected 0 to 1"):
        F.one_hot(tensor(places), 2)
    with pytest.raises(TypeError, match="one_hot: tensor holds indices.*float32"):
        F.one_hot(tensor([1.0]))


def test_batch_norm_updates_what_is_given():
    torch = pytest.importorskip("torch")
    mean, var = np.zeros(3, np.float32), np.ones(3, np.float32)
    mine, yours = (tensor(mean), tensor(var)), (to_torch(mean), to_torch(var))
    F.batch_norm(tensor(X), *mine, training=True, momentum=0.3)
    torch.nn.functional.batch_norm(to_torch(X), *yours, training=True, momentum=0.3)
    assert_same(mine[0], yours[0])
    assert_same(mine[1], yours[1])
    before = mine[0].tolist()
    compare(lambda f, x: f.batch_norm(x, *(mine if f is F else yours)), X)
    assert mine[0].tolist() == before
    with pytest.raises(ValueError, match="running_mean must be given when training is False"):
        F.batch_norm(tensor(X), None, None)


def test_softmax_without_a_dimension_warns_and_chooses():
    torch = pytest.importorskip("torch")
    for shape in [(3,), (2, 3), (2, 3, 2)]:
        x = draw(*shape)
        with pytest.warns(UserWarning, match="dim was not given"):
            out = F.softmax(tensor(x))
        with pytest.warns(UserWarning, match="Implicit dimension"):
            expected = torch.nn.functional.softmax(to_torch(x))
        assert_same(out, expected)


def test_a_loss_that_broadcasts_warns():
    with pytest.warns(UserWarning, match=r"mse_loss: input \(2, 1\) and target \(2,\)"):
        loss = F.mse_loss(tensor([[1.0], [2.0]]), tensor([1.0, 2.0]))
    assert loss.item() == 0.5


@pytest.mark.parametrize(
    "call",
    [
        lambda x: F.elu(x),
        lambda x: F.selu(x),
        lambda x: F.gelu(x),
        lambda x: F.silu(x),
        lambda x: F.softplus(x),
        lambda x: F.logsigmoid(x),
        lambda x: F.leaky_relu(x),
        lambda x: F.hardtanh(x),
        lambda x: F.softmax(x, 1),
        lambda x: F.log_softmax(x, 1),
        lambda x: F.batch_norm(x, None, None, training=True),
        lambda x: F.layer_norm(x, (4,)),
        lambda x: F.pad(x, (1, 1), mode="reflect"),
        lambda x: F.binary_cross_entropy(autograd.sigmoid(x), autograd.ones_like(x)),
        lambda x: F.binary_cross_entropy_with_logits(x, autograd.ones_like(x)),
        lambda x: F.cross_entropy(x, tensor([0, 1, 3])),
        lambda x: F.smooth_l1_loss(x, autograd.zeros_like(x), beta=0.5),
        lambda x: F.conv1d(x, x.unsqueeze(0), padding=2),
        lambda x: F.conv_transpose1d(x, x.unsqueeze(1), stride=2),
        lambda x: F.max_pool1d(x, 2),
        lambda x: F.adaptive_max_pool1d(x, 3),
        lambda x: F.adaptive_avg_pool1d(x, 3),
        lambda x: F.normalize(x),
    ],
)
def test_derivatives_of_first_and_second_order(call):
    """Both against central differences, in double precision."""
    x = tensor(draw(3, 4, seed=2, dtype=np.float64), requires_grad=True)
    weights = tensor(draw(*call(x).shape, seed=3, dtype=np.float64))
    direction = draw(3, 4, seed=4, dtype=np.float64)
    step = 1e-6

    def value(at):
        return (call(at) * weights).sum()

    def slope(at, **options):
        return (autograd.grad(value(at), at, **options)[0] * tensor(direction)).sum()

    def along(function, at):
        ends = [
            function(tensor(at.detach().numpy() + sign * step * direction, requires_grad=True))
            for sign in (1, -1)
        ]
        return (ends[0].item() - ends[1].item()) / (2 * step)

    assert slope(x).item() == pytest.approx(along(value, x), rel=1e-6, abs=1e-7)
    curve = slope(x, create_graph=True)
    if curve.requires_grad:
        second = autograd.grad(curve, x, allow_unused=True)[0]
        second = 0.0 if second is None else (second * tensor(direction)).sum().item()
    else:
        second = 0.0
    assert second == pytest.approx(along(slope, x), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("dtype", [autograd.float16, autograd.float32, autograd.float64])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_dtypes_stay(name, dtype):
    x = tensor([-1.0, 0.5, 2.0], dtype=dtype, requires_grad=True)
    out = getattr(F, name)(x)
    assert out.dtype == dtype
    out.sum().backward()
    assert x.grad.dtype == dtype


BAD = [
    (lambda: F.linear(tensor(X), tensor(X)), ValueError, r"linear: weight has shape"),
    (lambda: F.conv2d(tensor(X), autograd.ones(1, 3, 3)), ValueError, r"weight needs 4 dim"),
    (
        lambda: F.conv2d(tensor(X), autograd.ones(1, 3, 3, 3), padding=-1),
        ValueError,
        r"conv2d: padding is not negative, got -1",
    ),
    (
        lambda: F.conv2d(tensor(X), autograd.ones(1, 3, 3, 3), padding="full"),
        ValueError,
        r"conv2d: padding is a number, 'valid' or 'same', got 'full'",
    ),
    (
        lambda: F.conv2d(tensor(X), autograd.ones(1, 3, 3, 3), stride=0),
        ValueError,
        r"conv2d: stride",
    ),
    (
        lambda: F.conv2d(tensor(X), autograd.ones(1, 3, 3, 3), autograd.ones(2)),
        ValueError,
        r"conv2d: bias has shape \(2,\), expected \(1,\)",
    ),
    (
        lambda: F.conv_transpose2d(tensor(X), autograd.ones(3, 1, 2, 2), output_padding=1),
        ValueError,
        r"conv_transpose2d: output_padding",
    ),
    (lambda: F.pad(tensor(X), (1,)), ValueError, r"pad: expected pairs of widths"),
    (lambda: F.pad(tensor(X), (1, 1), mode="wrap"), ValueError, r"pad: mode is one of"),
    (lambda: F.pad(tensor(X), (5, 0), mode="reflect"), ValueError, r"pad: reflect padding"),
    (lambda: F.pad(tensor(X), (-3, -3)), ValueError, r"pad: .* cuts off more than"),
    (lambda: F.pad(tensor(X), (1, 0), "reflect", 1.0), ValueError, r"takes no value"),
    (lambda: F.gelu(tensor(X), "fast"), ValueError, r"gelu: approximate is 'none' or 'tanh'"),
    (lambda: F.huber_loss(tensor(X), tensor(X), delta=0.0), ValueError, r"delta is positive"),
    (lambda: F.smooth_l1_loss(tensor(X), tensor(X), beta=-1.0), ValueError, r"beta is not neg"),
    (lambda: F.kl_div(tensor(X), tensor(X), reduction="all"), ValueError, r"kl_div: reduction"),
    (lambda: F.dropout(tensor(X), 2.0), ValueError, r"dropout: p is a probability"),
    (lambda: F.adaptive_max_pool2d(tensor(X), (1, 2, 3)), ValueError, r"one number or 2"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("call", [row[0] for row in BAD])
def test_what_is_refused_is_refused_in_torch(call):
    assert refused_in_torch(call)


LEGACY = {"size_average", "reduce", "_stacklevel", "_weight", "_freeze"}
LEFT_OUT = {
    "Embedding": {"sparse"},
    "AdaptiveMaxPool1d": {"return_indices"},
    "AdaptiveMaxPool2d": {"return_indices"},
    "AdaptiveMaxPool3d": {"return_indices"},
    "Hardtanh": {"min_value", "max_value"},
    "embedding": {"sparse"},
    "interpolate": {"antialias"},
    "mse_loss": {"weight"},
    "l1_loss": {"weight"},
    "huber_loss": {"weight"},
    "normalize": {"out"},
}


def arguments(function, name):
    """Names and defaults, in order, without what is left out on purpose."""
    left_out = LEGACY | LEFT_OUT.get(name, set())
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in left_out or parameter.name == "self":
            continue
        found[parameter.name] = getattr(parameter.default, "__name__", parameter.default)
    return list(found.items())


def test_constructors_have_pytorch_arguments():
    torch = pytest.importorskip("torch")
    in_other_forms = {"Module", "Parameter", "Sequential", "Sigmoid", "Tanh", "LogSigmoid"}
    for name in nn.__all__:
        kind = getattr(nn, name)
        if not isinstance(kind, type) or name in in_other_forms | {"Unflatten"}:
            continue
        wanted = arguments(getattr(torch.nn, name), name)
        if wanted[0][0] == "args":
            continue  # passes its arguments on
        if name == "AvgPool1d":
            wanted[1] = ("stride", None)
        assert arguments(kind, name) == wanted, name


def test_functions_have_pytorch_arguments():
    torch = pytest.importorskip("torch")
    compared = 0
    for name in F.__all__:
        try:
            wanted = arguments(getattr(torch.nn.functional, name), name)
        except ValueError:
            continue  # written in C++
        if wanted[0][0] == "args":
            continue  # chooses between two functions by its arguments
        ours = arguments(getattr(F, name), name)
        assert ours == (wanted[:2] if name.startswith("adaptive") else wanted), name
        compared += 1
    assert compared > 25


def test_adaptive_mean_keeps_infinity_in_its_window():
    image = np.ones((1, 1, 8, 8), np.float32)
    image[0, 0, 3, 3] = np.inf
    compare(lambda f, x: f.adaptive_avg_pool2d(x, 3), image)
    means = F.adaptive_avg_pool2d(tensor(image), 3).numpy()
    assert np.isfinite(means).sum() == 8
    assert means[0, 0, 1, 1] == np.inf
