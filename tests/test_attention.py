"""Attention and transformers, against PyTorch."""

import copy
import itertools

import numpy as np
import pytest
from oracle import assert_same, copy_state, leaf, to_torch

import autograd
import nn
from autograd import ops, tensor
from autograd.ops.attention import attention_by_steps, self_attention_by_steps
from nn import functional as F

F32, F64 = np.float32, np.float64

# PyTorch's own, about a fast way that it does not take
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")


def draw(*shape, dtype=F64, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def booleans(*shape, seed=3):
    return np.random.default_rng(seed).random(shape) < 0.7


def pair(name, *args, dtype=F64, **options):
    """The same module here and in PyTorch, with the same parameters, none of them 0."""
    torch = pytest.importorskip("torch")
    autograd.manual_seed(1)
    ours = getattr(nn, name)(*args, **options).to(dtype)
    for place, parameter in enumerate(ours.parameters()):
        parameter.data = tensor(draw(*parameter.shape, dtype=dtype, seed=place) / 3)
    theirs = getattr(torch.nn, name)(*args, **options).to(to_torch(np.zeros(1, dtype)).dtype)
    copy_state(ours, theirs)
    return ours, theirs


def compare(ours, theirs, arrays, tolerance=None, modules=()):
    """Values and gradients of functions of tensors, and those of two modules' parameters."""
    mine = [leaf(a) for a in arrays]
    yours = [to_torch(a, np.asarray(a).dtype.kind == "f") for a in arrays]
    outs, expected = ours(*mine), theirs(*yours)
    if not isinstance(outs, tuple):
        outs, expected = (outs,), (expected,)
    total = expected_total = 0.0
    for place, (one, other) in enumerate(zip(outs, expected, strict=True)):
        assert_same(one, other, tolerance, f"output {place}")
        if other is not None:
            seed = draw(*other.shape, seed=place).astype(other.detach().numpy().dtype)
            total = total + (one * tensor(seed)).sum()
            expected_total = expected_total + (other * to_torch(seed)).sum()
    total.backward()
    expected_total.backward()
    for place, (one, other) in enumerate(zip(mine, yours, strict=True)):
        assert_same(one.grad, other.grad, tolerance, f"gradient of input {place}")
    if modules:
        pairs = zip(*(module.named_parameters() for module in modules), strict=True)
        for (name, one), (_, other) in pairs:
            assert_same(one.grad, other.grad, tolerance, name)


SHAPES = [
    ((3, 4), (5, 4), (5, 6)),
    ((2, 3, 4), (2, 5, 4), (2, 5, 6)),
    ((2, 3, 4, 5), (2, 3, 2, 5), (2, 3, 2, 1)),
    ((2, 1, 4, 5), (2, 3, 2, 5), (1, 3, 2, 4)),
]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float", "scaled", "closed"])
def test_scaled_dot_product_attention(shapes, kind, dtype):
    torch = pytest.importorskip("torch")
    rows, columns = shapes[0][-2], shapes[1][-2]
    arrays = [draw(*shape, dtype=dtype, seed=k) for k, shape in enumerate(shapes)]
    options = {}
    if kind == "causal":
        options["is_causal"] = True
    elif kind == "scaled":
        options["scale"] = 0.7
    elif kind != "none":
        mask = booleans(rows, columns)
        if kind == "closed":
            mask[1] = False
        arrays.append(draw(rows, columns, dtype=dtype, seed=5) if kind == "float" else mask)
    compare(
        lambda *a: F.scaled_dot_product_attention(*a, **options),
        lambda *a: torch.nn.functional.scaled_dot_product_attention(*a, **options),
        arrays,
    )


def test_infinity_in_a_mask_of_numbers_closes_rows():
    torch = pytest.importorskip("torch")
    mask = np.zeros((3, 5))
    mask[1], mask[2, :3] = -np.inf, -np.inf
    compare(
        lambda *a: F.scaled_dot_product_attention(*a, tensor(mask)),
        lambda *a: torch.nn.functional.scaled_dot_product_attention(*a, to_torch(mask)),
        [draw(2, 3, 4), draw(2, 5, 4, seed=1), draw(2, 5, 4, seed=2)],
    )


def test_heads_that_share_keys():
    torch = pytest.importorskip("torch")
    compare(
        lambda *a: F.scaled_dot_product_attention(*a, enable_gqa=True),
        lambda *a: torch.nn.functional.scaled_dot_product_attention(*a, enable_gqa=True),
        [draw(2, 6, 4, 3), draw(2, 2, 5, 3, seed=1), draw(2, 2, 5, 3, seed=2)],
    )


def test_dropout_of_weights():
    autograd.manual_seed(0)
    x = tensor(draw(2, 300, 4))
    value = autograd.ones(2, 300, 1, dtype=F64)
    out = F.scaled_dot_product_attention(x, x, value, dropout_p=0.25)
    assert out.mean().item() == pytest.approx(1.0, abs=0.02)
    assert out.std().item() > 0.01
    assert F.scaled_dot_product_attention(x, x, value, dropout_p=1.0).abs().max().item() == 0
    autograd.manual_seed(3)
    again = F.scaled_dot_product_attention(x, x, value, dropout_p=0.25)
    autograd.manual_seed(3)
    assert autograd.equal(again, F.scaled_dot_product_attention(x, x, value, dropout_p=0.25))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, q, k, v, m: f(q, k, v, attn_mask=m > 0, is_causal=True), "exclude each other"),
        (lambda f, q, k, v, m: f(q[..., :3], k, v), "last size"),
        (lambda f, q, k, v, m: f(q, k, v[:, :4]), "last size but one"),
        (lambda f, q, k, v, m: f(q[0, 0], k, v), "two dimensions"),
        (lambda f, q, k, v, m: f(q[:1].expand(3, 3, 4), k, v), "do not broadcast"),
        (lambda f, q, k, v, m: f(q, k, v, attn_mask=m[:, :4]), "attn_mask has shape"),
    ],
)
def test_attention_that_does_not_fit_raises(call, message):
    torch = pytest.importorskip("torch")
    arrays = [draw(2, 3, 4), draw(2, 5, 4), draw(2, 5, 4), draw(3, 5)]
    with pytest.raises(ValueError, match=message):
        call(F.scaled_dot_product_attention, *map(tensor, arrays))
    with pytest.raises((RuntimeError, ValueError)):
        call(torch.nn.functional.scaled_dot_product_attention, *map(to_torch, arrays))


def test_attention_of_other_types_raises():
    q, k = tensor(draw(2, 3)), tensor(draw(2, 3, dtype=F32))
    with pytest.raises(TypeError, match="one floating-point type"):
        F.scaled_dot_product_attention(q, k, k)
    with pytest.raises(TypeError, match="attn_mask is int64"):
        F.scaled_dot_product_attention(q, q, q, autograd.zeros(2, 2, dtype=autograd.int64))
    with pytest.raises(ValueError, match="dropout_p"):
        F.scaled_dot_product_attention(q, q, q, dropout_p=1.5)
    heads = tensor(draw(3, 4, 5))
    with pytest.raises(ValueError, match="do not divide"):
        F.scaled_dot_product_attention(heads, heads[:2], heads[:2], enable_gqa=True)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_kernels_agree_with_attention_in_steps(keep, masked):
    kept = booleans(2, 3, 4, 4) * 2.0 if keep else None
    mask = np.where(booleans(4, 4), 0.0, -np.inf) if masked else None
    if masked:
        mask[2] = -np.inf
    options = {"scale": 0.3, "keep": kept}
    joined = draw(2, 4, 3 * 3 * 2)
    parts = joined.reshape(2, 4, 3, 3, 2).transpose(2, 0, 3, 1, 4)
    runs = [
        (ops.attention, parts, options),
        (attention_by_steps, parts, options),
        (ops.self_attention, [joined], {**options, "heads": 3}),
        (self_attention_by_steps, [joined], {**options, "heads": 3}),
    ]
    outcomes = []
    for run, arrays, settings in runs:
        given = [leaf(array) for array in arrays]
        out = run(*given, None if mask is None else tensor(mask), **settings)
        if len(given) == 3:
            out = out.transpose(1, 2).reshape(2, 4, 6)
        gradients = autograd.grad(out, given, tensor(draw(2, 4, 6, seed=4)))
        if len(given) == 3:
            stacked = autograd.stack(gradients).permute(1, 3, 0, 2, 4).reshape(2, 4, 18)
            gradients = (stacked,)
        outcomes.append((out, *gradients))
    for outcome in outcomes[1:]:
        for one, other in zip(outcome, outcomes[0], strict=True):
            assert_same(one, other)


OPTIONS = [
    {},
    {"bias": False, "batch_first": True},
    {"add_bias_kv": True},
    {"add_zero_attn": True, "batch_first": True},
    {"kdim": 5, "vdim": 3},
    {"add_bias_kv": True, "add_zero_attn": True, "vdim": 3, "bias": False},
]
MASKS = ["none", "bool", "float", "heads", "padding", "both"]


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("masks", MASKS)
@pytest.mark.parametrize("need_weights", [False, True])
def test_multihead_attention(options, masks, need_weights, dtype):
    ours, theirs = pair("MultiheadAttention", 4, 2, dtype=dtype, **options)
    L, S, N = 3, 5, 2
    arrays = [
        draw(L, N, 4, dtype=dtype),
        draw(S, N, options.get("kdim", 4), dtype=dtype, seed=1),
        draw(S, N, options.get("vdim", 4), dtype=dtype, seed=2),
    ]
    if options.get("batch_first"):
        arrays = [a.swapaxes(0, 1) for a in arrays]
    given = {}
    if masks in ("bool", "both"):
        given["attn_mask"] = ~booleans(L, S)
    if masks == "float":
        given["attn_mask"] = draw(L, S, dtype=dtype, seed=7)
    if masks == "heads":
        given["attn_mask"] = draw(N * 2, L, S, dtype=dtype, seed=7)
    if masks in ("padding", "both"):
        given["key_padding_mask"] = np.arange(S) >= np.array([[S], [S - 2]])
    # PyTorch's own answer to a query without any key is not compared
    if masks == "both":
        given["attn_mask"][:, 0] = False
    for average in (True, False):
        compare(
            *(
                lambda q, k, v, module=module, give=give, average=average: module(
                    q,
                    k,
                    v,
                    need_weights=need_weights,
                    average_attn_weights=average,
                    **{name: give(mask) for name, mask in given.items()},
                )
                for module, give in ((ours, tensor), (theirs, to_torch))
            ),
            arrays,
            modules=(ours, theirs),
        )


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("masks", MASKS)
def test_multihead_attention_to_itself(batch_first, masks):
    ours, theirs = pair("MultiheadAttention", 6, 3, batch_first=batch_first)
    x = draw(4, 2, 6)
    x = x.swapaxes(0, 1) if batch_first else x
    given = {}
    if masks in ("bool", "both"):
        given["attn_mask"] = np.triu(np.ones((4, 4), bool), 1)
    if masks in ("float", "heads"):
        given["attn_mask"] = draw(*((6,) if masks == "heads" else ()), 4, 4, seed=7)
    if masks in ("padding", "both"):
        given["key_padding_mask"] = np.array([[False] * 4, [False, False, True, True]])
    for need_weights in (False, True):
        compare(
            *(
                lambda x, m, module=module, give=give, need_weights=need_weights: module(
                    x,
                    x,
                    x,
                    need_weights=need_weights,
                    **{
                        name: m if name == "attn_mask" and m.dtype == x.dtype else give(mask)
                        for name, mask in given.items()
                    },
                )
                for module, give in ((ours, tensor), (theirs, to_torch))
            ),
            [x, given.get("attn_mask", np.zeros(1, bool))],
            modules=(ours, theirs),
        )


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("padding", [False, True])
def test_multihead_attention_without_a_batch(need_weights, padding):
    ours, theirs = pair("MultiheadAttention", 4, 2)
    mask = np.array([False, True, False, False, False]) if padding else None
    compare(
        *(
            lambda q, k, module=module, give=give: module(
                q, k, k, None if mask is None else give(mask), need_weights
            )
            for module, give in ((ours, tensor), (theirs, to_torch))
        ),
        [draw(3, 4), draw(5, 4, seed=1)],
        modules=(ours, theirs),
    )


def test_attention_is_dropped_in_training_only():
    autograd.manual_seed(0)
    layer, x = nn.MultiheadAttention(4, 2, dropout=0.5), tensor(draw(6, 2, 4, dtype=F32))
    for need_weights in (False, True):
        layer.train()
        first, second = (layer(x, x, x, need_weights=need_weights)[0] for _ in range(2))
        assert not autograd.equal(first, second)
        layer.eval()
        first, second = (layer(x, x, x, need_weights=need_weights)[0] for _ in range(2))
        assert autograd.equal(first, second)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: m(x, x, x, is_causal=True), "give that too"),
        (lambda m, x: m(x, x[0], x), "3 dimensions"),
        (lambda m, x: m(x[..., :3], x, x), "features"),
        (lambda m, x: m(x, x[:2], x), "as many"),
        (lambda m, x: m(x, x[:, :1], x[:, :1]), "one batch"),
        (lambda m, x: m(x, x, x, attn_mask=x[0] > 0), "attn_mask has shape"),
        (lambda m, x: m(x, x, x, key_padding_mask=x[0] > 0), "key_padding_mask has shape"),
    ],
)
def test_multihead_attention_that_does_not_fit_raises(call, message):
    ours, theirs = pair("MultiheadAttention", 4, 2)
    with pytest.raises(ValueError, match=message):
        call(ours, tensor(draw(3, 2, 4)))
    with pytest.raises((RuntimeError, AssertionError)):
        call(theirs, to_torch(draw(3, 2, 4)))
    with pytest.raises(ValueError, match="multiple of num_heads"):
        nn.MultiheadAttention(5, 2)


LAYER_OPTIONS = [
    {},
    {"norm_first": True, "batch_first": True},
    {"activation": "gelu", "bias": False},
    {"layer_norm_eps": 1e-2},
]


@pytest.mark.parametrize("options", LAYER_OPTIONS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("mode", [False, True])
def test_encoder(options, masked, mode):
    torch = pytest.importorskip("torch")
    first, other = pair("TransformerEncoderLayer", 4, 2, 7, dropout=0.0, **options)
    ours = nn.TransformerEncoder(first, 2, nn.LayerNorm(4).double()).train(mode)
    theirs = torch.nn.TransformerEncoder(
        other, 2, torch.nn.LayerNorm(4).double(), enable_nested_tensor=False
    ).train(mode)
    copy_state(ours, theirs)
    x = draw(3, 2, 4)
    x = x.swapaxes(0, 1) if options.get("batch_first") else x
    causal, padding = (
        np.triu(np.ones((3, 3), bool), 1),
        np.array([[False] * 3, [False, False, True]]),
    )
    compare(
        *(
            lambda x, module=module, give=give: (
                module(x, give(causal), give(padding)) if masked else module(x)
            )
            for module, give in ((ours, tensor), (theirs, to_torch))
        ),
        [x],
        modules=(ours, theirs),
    )


@pytest.mark.parametrize("options", LAYER_OPTIONS)
@pytest.mark.parametrize("masked", [False, True])
def test_transformer(options, masked):
    settings = {"num_encoder_layers": 2, "num_decoder_layers": 2, "dim_feedforward": 6}
    ours, theirs = pair("Transformer", 4, 2, dropout=0.0, **settings, **options)
    arrays = [draw(3, 2, 4), draw(5, 2, 4, seed=1)]
    if options.get("batch_first"):
        arrays = [a.swapaxes(0, 1) for a in arrays]
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=F64).array
    padding = np.array([[False] * 3, [False, False, True]])

    def run(module, give):
        if not masked:
            return module
        return lambda src, tgt: module(
            src,
            tgt,
            tgt_mask=give(mask),
            src_key_padding_mask=give(padding),
            memory_key_padding_mask=give(padding),
            tgt_is_causal=True,
        )

    compare(run(ours, tensor), run(theirs, to_torch), arrays, modules=(ours, theirs))


def test_decoder_without_a_batch():
    ours, theirs = pair("TransformerDecoderLayer", 4, 2, 6, dropout=0.0)
    compare(ours, theirs, [draw(3, 4), draw(5, 4, seed=1)], modules=(ours, theirs))


@pytest.mark.parametrize("masked", [False, True])
def test_decoder(masked):
    torch = pytest.importorskip("torch")
    first, other = pair("TransformerDecoderLayer", 4, 2, 6, dropout=0.0)
    ours = nn.TransformerDecoder(first, 2, nn.LayerNorm(4).double())
    theirs = torch.nn.TransformerDecoder(other, 2, torch.nn.LayerNorm(4).double())
    copy_state(ours, theirs)
    causal = np.triu(np.ones((3, 3), bool), 1)
    compare(
        *(
            lambda x, y, module=module, give=give: module(
                x, y, tgt_mask=give(causal) if masked else None
            )
            for module, give in ((ours, tensor), (theirs, to_torch))
        ),
        [draw(3, 2, 4), draw(5, 2, 4, seed=1)],
        modules=(ours, theirs),
    )


def test_state_of_pytorch_is_read():
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Transformer(4, 2, 1, 1, 6, dropout=0.0)
    ours = nn.Transformer(4, 2, 1, 1, 6, dropout=0.0)
    assert ours.load_state_dict(theirs.state_dict()) == ([], [])
    x, y = draw(3, 2, 4, dtype=F32), draw(5, 2, 4, dtype=F32, seed=1)
    assert_same(ours(tensor(x), tensor(y)), theirs(to_torch(x), to_torch(y)))


def test_layers_of_a_stack_are_copies():
    layer = nn.TransformerEncoderLayer(4, 2, 6)
    stack = nn.TransformerEncoder(layer, 2)
    first, second = stack.layers
    assert autograd.equal(first.linear1.weight, second.linear1.weight)
    assert not np.may_share_memory(first.linear1.weight.array, second.linear1.weight.array)
    assert len(list(stack.parameters())) == 2 * len(list(layer.parameters()))
    assert len(list(copy.deepcopy(stack).parameters())) == len(list(stack.parameters()))


def test_subsequent_mask():
    torch = pytest.importorskip("torch")
    for size in (0, 1, 4):
        assert_same(
            nn.Transformer.generate_square_subsequent_mask(size),
            torch.nn.Transformer.generate_square_subsequent_mask(size),
        )


def test_what_does_not_fit_a_transformer_raises():
    model = nn.Transformer(4, 2, 1, 1, 6)
    src, tgt = tensor(draw(3, 2, 4, dtype=F32)), tensor(draw(5, 2, 4, dtype=F32))
    with pytest.raises(ValueError, match="same batch"):
        model(src, tgt[:, :1])
    with pytest.raises(ValueError, match="4 features"):
        model(src[..., :3], tgt[..., :3])
    with pytest.raises(ValueError, match="activation"):
        nn.TransformerEncoderLayer(4, 2, activation="sine")


def test_glorot_initialisation():
    autograd.manual_seed(0)
    layer = nn.MultiheadAttention(64, 4)
    bound = np.sqrt(6 / (64 + 192))
    assert np.abs(layer.in_proj_weight.array).max() == pytest.approx(bound, rel=0.01)
    assert not layer.in_proj_bias.array.any()
    assert not layer.out_proj.bias.array.any()


@pytest.mark.parametrize("frozen", list(itertools.product([False, True], repeat=2)))
def test_frozen_parameters_get_no_gradient(frozen):
    layer, x = nn.MultiheadAttention(4, 2), tensor(draw(3, 2, 4, dtype=F32))
    layer.in_proj_weight.requires_grad_(not frozen[0])
    layer.out_proj.weight.requires_grad_(not frozen[1])
    layer(x, x, x, need_weights=False)[0].sum().backward()
    assert (layer.in_proj_weight.grad is None) == frozen[0]
    assert (layer.out_proj.weight.grad is None) == frozen[1]
