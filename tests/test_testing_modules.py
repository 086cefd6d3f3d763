"""Every module and every loss keeps the promises of a good operation, its parameters included."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.testing import OpSpec, check_spec
from autograd.testing.properties import Redraw
from nn import functional as F
from nn import layers

CONTAINERS = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}


def spec(make, *shapes, **settings_):
    """A module's specification; made anew, with the same parameters, for each test."""
    ag.manual_seed(0)
    return OpSpec(make(), inputs=list(shapes), **settings_)


def loss(make, shape, target, **settings_):
    """A loss with a target that is not differentiated by."""
    module, goal = make(), ag.tensor(target)

    def call(x):
        return module(x, goal.to(x.dtype) if goal.is_floating_point() else goal)

    return OpSpec(call, inputs=[shape], name=type(module).__name__, **settings_)


class Alone(nn.Module):
    """Attention of a sequence to itself, without the weights."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x, x, x, need_weights=False)[0]


class Weighted(Alone):
    """Attention, and its weights."""

    def forward(self, query, key, value):
        return self.layer(query, key, value)


class Aside(Alone):
    """Similarity of vectors that are not parallel, where the slope is 0 but for rounding."""

    def forward(self, x, y):
        return self.layer(x + sideways(x), y)


def sideways(like):
    return ag.tensor([3.0, 0.0, -1.0]).to(like.dtype)


def smooth(model):
    """Norms of two values are steep; with this much added to the variance they are not."""
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 0.5
    return model


SIDES = {1: (4,), 2: (4, 3), 3: (3, 2, 2)}
HALF = (0.1, 0.9)
SPECS = {
    "Linear": lambda: spec(lambda: nn.Linear(3, 2), (2, 3)),
    "Bilinear": lambda: spec(lambda: nn.Bilinear(3, 2, 2), (2, 3), (2, 2)),
    "Embedding": lambda: OpSpec(
        nn.Embedding(4, 2),
        inputs=st.just((ag.tensor([[0, 3, 0]]),)),
    ),
    "RNN": lambda: spec(lambda: nn.RNN(2, 2), (3, 2, 2), (1, 2, 2)),
    "RNN with relu": lambda: spec(
        lambda: nn.RNN(2, 2, nonlinearity="relu", bias=False), (2, 2, 2), kinks="ties"
    ),
    "GRU": lambda: spec(lambda: nn.GRU(2, 2, bidirectional=True), (2, 2, 2), (2, 2, 2)),
    "LSTM": lambda: spec(lambda: nn.LSTM(2, 2, num_layers=2, bias=False), (2, 2, 2)),
    "LSTM with a projection": lambda: spec(lambda: nn.LSTM(2, 3, proj_size=2), (2, 1, 2)),
    "RNNCell": lambda: spec(lambda: nn.RNNCell(2, 3), (2, 2), (2, 3)),
    "GRUCell": lambda: spec(lambda: nn.GRUCell(2, 3), (2, 2), (2, 3)),
    "LSTMCell": lambda: spec(lambda: nn.LSTMCell(2, 3), (2, 2)),
    "MultiheadAttention": lambda: spec(
        lambda: Weighted(nn.MultiheadAttention(2, 1)), (2, 1, 2), (3, 1, 2), (3, 1, 2)
    ),
    "MultiheadAttention to itself": lambda: spec(
        lambda: Alone(nn.MultiheadAttention(4, 2, bias=False)), (2, 1, 4)
    ),
    "TransformerEncoderLayer": lambda: spec(
        lambda: smooth(nn.TransformerEncoderLayer(2, 1, 3, 0.0, "gelu")), (2, 1, 2)
    ),
    "TransformerDecoderLayer": lambda: spec(
        lambda: smooth(nn.TransformerDecoderLayer(2, 1, 2, 0.0, "gelu")),
        (2, 1, 2),
        (2, 1, 2),
    ),
    "TransformerEncoder": lambda: spec(
        lambda: nn.TransformerEncoder(
            smooth(nn.TransformerEncoderLayer(2, 1, 2, 0.0, "gelu", norm_first=True)), 1
        ),
        (2, 1, 2),
    ),
    "TransformerDecoder": lambda: spec(
        lambda: nn.TransformerDecoder(
            smooth(nn.TransformerDecoderLayer(2, 1, 2, 0.0, "gelu", norm_first=True)), 1
        ),
        (2, 1, 2),
        (2, 1, 2),
    ),
    "Transformer": lambda: spec(
        lambda: smooth(nn.Transformer(2, 1, 1, 1, 2, 0.0, "gelu")),
        (2, 1, 2),
        (2, 1, 2),
    ),
    "InstanceNorm2d of one image": lambda: spec(
        lambda: nn.InstanceNorm2d(2, eps=0.1, affine=True), (2, 2, 2)
    ),
    "RMSNorm": lambda: spec(lambda: nn.RMSNorm(3, eps=0.1), (2, 3)),
    "Upsample": lambda: spec(lambda: nn.Upsample(scale_factor=1.5), (1, 2, 3, 2)),
    "UpsamplingNearest2d": lambda: spec(lambda: nn.UpsamplingNearest2d(2), (1, 1, 3, 2)),
    "UpsamplingBilinear2d": lambda: spec(lambda: nn.UpsamplingBilinear2d(3), (1, 1, 2, 2)),
    "PixelShuffle": lambda: spec(lambda: nn.PixelShuffle(2), (4, 2, 1)),
    "PixelUnshuffle": lambda: spec(lambda: nn.PixelUnshuffle(2), (1, 2, 4)),
    "ChannelShuffle": lambda: spec(lambda: nn.ChannelShuffle(2), (1, 4, 2)),
    "Unfold": lambda: spec(lambda: nn.Unfold(2, padding=1, stride=2), (1, 1, 3, 3)),
    "Fold": lambda: spec(lambda: nn.Fold(3, 2), (1, 4, 4)),
    "CosineSimilarity": lambda: spec(
        lambda: Aside(nn.CosineSimilarity()), (2, 3), (2, 3), domain=((0.5, 2.0), (-2.0, -0.5))
    ),
    "PairwiseDistance": lambda: spec(
        nn.PairwiseDistance, (2, 3), (2, 3), domain=((0.5, 2.0), (-2.0, -0.5))
    ),
    "Flatten": lambda: spec(nn.Flatten, (2, 3, 2)),
    "Unflatten": lambda: spec(lambda: nn.Unflatten(1, (2, 3)), (2, 6)),
    "Identity": lambda: spec(nn.Identity, (2, 3)),
    "LayerNorm": lambda: spec(lambda: nn.LayerNorm(3), (2, 3), kinks="ties"),
    "GroupNorm": lambda: spec(lambda: nn.GroupNorm(2, 4), (2, 4, 2), kinks="ties"),
    "ReLU": lambda: spec(nn.ReLU, (2, 3), kinks={0.0: 0.0}),
    "ReLU6": lambda: spec(nn.ReLU6, (2, 3), kinks={0.0: 0.0, 6.0: 0.0}, domain=(-2.0, 8.0)),
    "Hardtanh": lambda: spec(nn.Hardtanh, (2, 3), kinks={-1.0: 0.0, 1.0: 0.0}),
    "LeakyReLU": lambda: spec(nn.LeakyReLU, (2, 3), kinks={0.0: 0.01}),
    "PReLU": lambda: spec(nn.PReLU, (2, 3), kinks=(0.0,)),
    "ELU": lambda: spec(nn.ELU, (2, 3), kinks=(0.0,)),
    "SELU": lambda: spec(nn.SELU, (2, 3), kinks=(0.0,)),
    "GELU": lambda: spec(nn.GELU, (2, 3)),
    "SiLU": lambda: spec(nn.SiLU, (2, 3)),
    "Sigmoid": lambda: spec(nn.Sigmoid, (2, 3)),
    "LogSigmoid": lambda: spec(nn.LogSigmoid, (2, 3), kinks=(0.0,)),
    "Softplus": lambda: spec(nn.Softplus, (2, 3)),
    "Tanh": lambda: spec(nn.Tanh, (2, 3)),
    "Softmax": lambda: spec(lambda: nn.Softmax(dim=1), (2, 3)),
    "LogSoftmax": lambda: spec(lambda: nn.LogSoftmax(dim=1), (2, 3)),
    "Sequential": lambda: spec(lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh()), (2, 3)),
    "MSELoss": lambda: spec(nn.MSELoss, (2, 3), (2, 3)),
    "L1Loss": lambda: spec(nn.L1Loss, (2, 3), (2, 3), kinks="ties"),
    "SmoothL1Loss": lambda: spec(nn.SmoothL1Loss, (2, 3), (2, 3), domain=(-0.4, 0.4)),
    "HuberLoss": lambda: spec(nn.HuberLoss, (2, 3), (2, 3), domain=((2, 3), (-1, 0))),
    "KLDivLoss": lambda: spec(nn.KLDivLoss, (2, 3), (2, 3), domain=((-2, -0.1), HALF)),
    "BCELoss": lambda: spec(nn.BCELoss, (2, 3), (2, 3), domain=HALF),
    "BCEWithLogitsLoss": lambda: spec(
        nn.BCEWithLogitsLoss, (2, 3), (2, 3), domain=((-2.0, 2.0), HALF)
    ),
    "NLLLoss": lambda: loss(nn.NLLLoss, (2, 3), [2, 0]),
    "CrossEntropyLoss": lambda: loss(
        lambda: nn.CrossEntropyLoss(label_smoothing=0.1), (2, 3), [2, 0]
    ),
    "CrossEntropyLoss of probabilities": lambda: loss(
        nn.CrossEntropyLoss, (2, 3), [[0.2, 0.3, 0.5], [0.9, 0.0, 0.1]]
    ),
}
for dims, sides in SIDES.items():
    x = (2, 2, *sides)
    own = {
        "BatchNorm": lambda cls, x=x: spec(lambda: cls(2), x, kinks="ties"),
        "Conv": lambda cls, x=x: spec(lambda: cls(2, 3, 2, padding=1, stride=2), x),
        "ConvTranspose": lambda cls, x=x: spec(lambda: cls(2, 3, 2, stride=2), x),
        "MaxPool": lambda cls, x=x: spec(lambda: cls(2, stride=1), x, kinks="ties"),
        "AvgPool": lambda cls, x=x: spec(lambda: cls(2, stride=1), x),
        "AdaptiveAvgPool": lambda cls, x=x: spec(lambda: cls(2), x),
        "AdaptiveMaxPool": lambda cls, x=x: spec(lambda: cls(2), x, kinks="ties"),
        "InstanceNorm": lambda cls, x=x: spec(lambda: cls(2, eps=0.1), x),
        "ZeroPad": lambda cls, x=x: spec(lambda: cls(1), x),
        "Dropout": lambda cls, x=x: spec(lambda: cls(0.5).eval(), x),
    }
    for stem, make in own.items():
        cls = getattr(nn, f"{stem}{dims}d", None)
        if cls is not None:
            SPECS[cls.__name__] = lambda cls=cls, make=make: make(cls)
SPECS["BatchNorm1d"] = lambda: spec(lambda: nn.BatchNorm1d(3), (4, 3), kinks="ties")
SPECS["BatchNorm2d in eval"] = lambda: spec(lambda: nn.BatchNorm2d(2).eval(), (2, 2, 3, 2))
SPECS["Dropout"] = lambda: spec(lambda: nn.Dropout(0.3).eval(), (2, 3))


def public_modules():
    return {
        name
        for name, value in vars(nn).items()
        if inspect.isclass(value) and issubclass(value, nn.Module) and not name.startswith("_")
    }


def untested():
    """What to do for each public module without a specification."""
    return [
        f"nn.{name} is not tested: add to SPECS in tests/test_testing_modules.py\n"
        f'    "{name}": lambda: spec(lambda: nn.{name}(...), shape, of, each, input...),\n'
        "with kinks=, domain= as OpSpec has them; a loss with a fixed target has loss(...)"
        for name in sorted(public_modules() - CONTAINERS - set(SPECS))
    ]


def test_every_module_is_tested():
    missing = untested()
    assert not missing, "\n".join(missing)


def test_a_module_that_is_added_has_to_be_tested(monkeypatch):
    monkeypatch.setattr(nn, "Planted", type("Planted", (nn.Module,), {}), raising=False)
    (message,) = untested()
    assert "nn.Planted is not tested" in message
    assert '"Planted": lambda: spec(lambda: nn.Planted(...)' in message


def test_every_loss_function_is_tested_by_its_module():
    homes = {F.mse_loss.__module__, F.cross_entropy.__module__}
    losses = {
        name
        for name in F.__all__
        if getattr(getattr(F, name), "__module__", "") in homes and name != "one_hot"
    }
    assert len(losses) > 8
    used = set(re.findall(r"F\.(\w+)\(", inspect.getsource(layers.loss)))
    assert losses - used == set(), "has no module in nn/layers/loss.py, which SPECS would test"


def drawn_check(made):
    @settings(max_examples=max(2, settings.default.max_examples // 15))
    @given(made.draws())
    def check(inputs):
        try:
            check_spec(made, inputs)
        except Redraw:
            reject()

    return check


@pytest.mark.parametrize("name", SPECS)
def test_modules_keep_all_promises(name):
    drawn_check(SPECS[name]())()


def test_a_wrong_parameter_gradient_of_a_module_is_caught():
    class Wrong(nn.Linear):
        def forward(self, input):
            return super().forward(input) + 0.1 * self.bias.detach()

    made = spec(lambda: Wrong(3, 2), (2, 3))
    x = ag.tensor(np.ones((2, 3)))
    with pytest.raises(AssertionError, match=r"d output\[\d, \d\] / d bias"):
        check_spec(made, (x,))
