"""Convolution and its transpose against PyTorch, and what they refuse."""

from __future__ import annotations

import pytest
from agreement import DTYPES, agree, close, conv, random, torch, zeros

import autograd
from autograd import kernels, ops, tensor
from autograd.errors import DtypeError, ShapeError
from autograd.kernels import columns, windows

F = torch.nn.functional
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}

CONVOLUTIONS = [
    ((2, 3, 9), (4, 3, 3), (1,), (0,), (1,), 1),
    ((2, 4, 10), (6, 2, 3), (2,), (2,), (2,), 2),
    ((3, 2, 6, 7), (5, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    ((3, 2, 6, 7), (5, 2, 1, 1), (1, 1), (0, 0), (1, 1), 1),
    ((2, 2, 6, 7), (5, 2, 1, 1), (2, 2), (0, 0), (1, 1), 1),
    ((2, 1, 12, 11), (8, 1, 5, 5), (1, 1), (2, 2), (1, 1), 1),
    ((2, 3, 12, 11), (4, 3, 5, 2), (2, 3), (2, 0), (1, 2), 1),
    ((2, 4, 8, 8), (4, 1, 3, 3), (1, 1), (1, 1), (1, 1), 4),
    ((2, 4, 8, 8), (8, 1, 3, 3), (2, 2), (1, 1), (1, 1), 4),
    ((2, 6, 7, 5), (4, 3, 2, 3), (1, 2), (3, 4), (2, 1), 2),
    ((2, 2, 4, 4), (3, 2, 4, 4), (1, 1), (0, 0), (1, 1), 1),
    ((1, 2, 12, 13), (3, 2, 3, 3), (1, 1), (0, 0), (3, 2), 1),
    ((2, 2, 5, 4, 6), (3, 2, 3, 2, 3), (1, 1, 1), (1, 0, 1), (1, 1, 1), 1),
    ((2, 4, 5, 4, 6), (4, 2, 2, 2, 2), (2, 1, 2), (0, 1, 1), (1, 2, 1), 2),
]


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_conv(case, dtype):
    x, weight, *settings = case
    arrays = random(0, x, weight, weight[:1], dtype=dtype)
    agree(
        lambda x, w, b: conv(x, w, b, *settings),
        lambda x, w, b: CONV[x.ndim - 2](x, w, b, *settings),
        arrays,
    )


@pytest.mark.parametrize("block", [1, 1 << 11, 1 << 30])
@pytest.mark.parametrize("case", CONVOLUTIONS, ids=str)
def test_conv_is_the_same_for_any_block_size(case, block, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK", block)
    monkeypatch.setattr(windows, "BLOCK", block)
    monkeypatch.setattr(columns, "NARROW", 20)
    monkeypatch.setattr(columns, "WIDE", 7)
    x, weight, *settings = case
    agree(
        lambda x, w: conv(x, w, None, *settings),
        lambda x, w: CONV[x.ndim - 2](x, w, None, *settings),
        random(0, x, weight),
        second=False,
    )


def test_conv_with_asymmetric_padding_and_third_derivatives():
    x, weight = random(0, (2, 2, 5, 6), (3, 2, 2, 3))
    rest = {"stride": (1, 2), "dilation": (1, 1), "groups": 1}

    def ours(x, weight):
        return ops.conv(x, weight, None, padding=((0, 1), (2, 1)), **rest)

    agree(ours, lambda x, w: F.conv2d(F.pad(x, (2, 1, 0, 1)), w, stride=(1, 2)), [x, weight])

    def third(lib, x, weight, out):
        (g,) = lib.grad((out**3).sum(), [x], create_graph=True)
        (h,) = lib.grad((g * g).sum(), [weight], create_graph=True)
        return lib.grad(h.sum(), [x])[0]

    mine = [tensor(array, requires_grad=True) for array in (x, weight)]
    other = [torch.tensor(array, requires_grad=True) for array in (x, weight)]
    expected = F.conv2d(F.pad(other[0], (2, 1, 0, 1)), other[1], stride=(1, 2))
    close(third(autograd, *mine, ours(*mine)), third(torch.autograd, *other, expected), "third")


def test_conv_computes_no_gradient_that_nobody_needs(monkeypatch):
    def fail(*args):
        raise AssertionError("computed for nobody")

    x, weight = random(0, (2, 2, 5, 5), (3, 2, 3, 3))
    settings = (1, 1), (0, 0), (1, 1), 1
    monkeypatch.setattr(kernels, "conv_input_grad", fail)
    parameter = tensor(weight, requires_grad=True)
    conv(tensor(x), parameter, None, *settings).sum().backward()
    assert parameter.grad.shape == weight.shape
    monkeypatch.setattr(kernels, "conv_weight_grad", fail)
    conv(tensor(x), tensor(weight), None, *settings)


@pytest.mark.parametrize(
    "case",
    [
        ((2, 3, 5), (3, 4, 3), (1,), (0,), (0,), 1, (1,)),
        ((2, 4, 5), (4, 3, 3), (3,), (1,), (2,), 2, (2,)),
        ((2, 3, 4, 5), (3, 2, 2, 2), (2, 2), (0, 0), (0, 0), 1, (1, 1)),
        ((2, 3, 4, 5), (3, 2, 3, 3), (2, 3), (1, 2), (1, 1), 1, (1, 1)),
        ((1, 3, 4, 4), (3, 1, 3, 2), (1, 1), (1, 0), (1, 0), 3, (2, 1)),
        ((1, 8, 4, 4), (8, 1, 3, 3), (1, 1), (2, 1), (0, 0), 1, (1, 1)),
        ((2, 2, 3, 2, 3), (2, 2, 2, 2, 3), (2, 1, 2), (0, 1, 1), (1, 0, 1), 1, (1, 1, 1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_conv_transpose(case, dtype):
    x, weight, stride, padding, output_padding, groups, dilation = case
    arrays = random(0, x, weight, (weight[1] * groups,), dtype=dtype)
    agree(
        lambda x, w, b: ops.conv_transpose(
            x,
            w,
            b,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            groups=groups,
            dilation=dilation,
        ),
        lambda x, w, b: CONV_TRANSPOSE[x.ndim - 2](
            x, w, b, stride, padding, output_padding, groups, dilation
        ),
        arrays,
    )


def one_image(x, weight, bias=None, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    return conv(x, weight, bias, stride, padding, dilation, groups)


def transposed(x, weight, bias=None, groups=1, output_padding=(0, 0), padding=(0, 0)):
    ones = (1,) * (weight.ndim - 2)
    return ops.conv_transpose(
        x,
        weight,
        bias,
        stride=ones,
        padding=padding,
        output_padding=output_padding,
        dilation=ones,
        groups=groups,
    )


BAD_INPUT = [
    (
        lambda: one_image(zeros(8, 3, 32, 32), zeros(16, 4, 3, 3)),
        ShapeError,
        "conv2d: input has 3 channels, weight expects 4 (input (8, 3, 32, 32), "
        "weight (16, 4, 3, 3))",
    ),
    (
        lambda: one_image(zeros(8, 3, 32, 32), zeros(4, 3, 3, 3), groups=2),
        ShapeError,
        "conv2d: input has 3 channels, weight expects 6 (input (8, 3, 32, 32), "
        "weight (4, 3, 3, 3), groups 2)",
    ),
    (
        lambda: one_image(zeros(1, 4, 5, 5), zeros(3, 2, 3, 3), groups=2),
        ShapeError,
        "conv2d: 3 output channels cannot be split into 2 groups",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 7, 3), padding=(1, 0)),
        ShapeError,
        "conv2d: the kernel (7, 3) is larger than the padded input (6, 4)",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3), dilation=(2, 1)),
        ShapeError,
        "conv2d: the kernel (3, 3) with dilation (2, 1) is larger than the padded input (4, 4)",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3), zeros(3)),
        ShapeError,
        "conv2d: bias has shape (3,), expected (2,)",
    ),
    (lambda: one_image(zeros(3, 4, 4), zeros(2, 3, 3, 3)), ShapeError, "conv2d: input has shape"),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3, dtype="float64")),
        DtypeError,
        "conv2d: expected one floating-point type, got input float32, weight float64",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4, dtype="int64"), zeros(2, 3, 3, 3, dtype="int64")),
        DtypeError,
        "conv2d: expected one floating-point type, got input int64, weight int64",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3), stride=(0, 1)),
        ValueError,
        "conv2d: stride is (0, 1), expected at least 1",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3), stride=(1,)),
        ValueError,
        "conv2d: stride (1,) has 1 entries, not 2",
    ),
    (
        lambda: one_image(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3), groups=0),
        ValueError,
        "conv2d: groups is 0, expected at least 1",
    ),
    (
        lambda: transposed(zeros(1, 3, 4, 4), zeros(2, 3, 3, 3)),
        ShapeError,
        "conv_transpose2d: input has 3 channels, weight expects 2",
    ),
    (
        lambda: transposed(zeros(1, 3, 4, 4), zeros(3, 2, 3, 3), output_padding=(1, 0)),
        ShapeError,
        "conv_transpose2d: output_padding (1, 0) must be smaller than stride (1, 1)",
    ),
    (
        lambda: transposed(zeros(1, 3, 2, 2), zeros(3, 2, 1, 1), padding=(1, 0)),
        ShapeError,
        "conv_transpose2d: the output would have sizes (0, 2)",
    ),
    (
        lambda: transposed(zeros(1, 4, 4, 4), zeros(4, 2, 3, 3), zeros(2), groups=2),
        ShapeError,
        "conv_transpose2d: bias has shape (2,), expected (4,)",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD_INPUT, ids=[m for *_, m in BAD_INPUT])
def test_bad_input(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert message in str(caught.value)
