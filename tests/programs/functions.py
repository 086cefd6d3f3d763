"""The operations of a program: on jets, and as Functions of the user's own."""

from __future__ import annotations

import numpy as np

from autograd import Function
from programs.jets import add, chain, div, mul


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Exp(Function):
    @staticmethod
    def forward(x):
        return x.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return out * g


class PassOn(Function):
    @staticmethod
    def forward(ctx, x):
        return x.view(*x.shape)

    @staticmethod
    def backward(ctx, g):
        return g


class SineAndCosine(Function):
    @staticmethod
    def forward(ctx, x):
        sine, cosine = x.sin(), x.cos()
        ctx.save_for_backward(sine, cosine)
        return sine, cosine

    @staticmethod
    def backward(ctx, g, h):
        sine, cosine = ctx.saved_tensors
        return g * cosine - h * sine


class ScaleInPlace(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(0.5)

    @staticmethod
    def backward(ctx, g):
        return g * 0.5


def linear(scale, shift=0.0):
    def derive(x):
        v = scale * x.v + shift
        return chain(x.unsaved(), v, np.full_like(v, scale), np.zeros_like(v))

    return derive


def smooth(f, first, second):
    return lambda x: chain(x, f(x.v), first(x.v), second(x.v))


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def slope(v):
    return sigmoid(v) * (1 - sigmoid(v))


def steepness(v):
    return 1 - np.tanh(v) ** 2


UNARY = {
    "sin": smooth(np.sin, np.cos, lambda v: -np.sin(v)),
    "cos": smooth(np.cos, lambda v: -np.sin(v), lambda v: -np.cos(v)),
    "tanh": smooth(np.tanh, steepness, lambda v: -2 * np.tanh(v) * steepness(v)),
    "sigmoid": smooth(sigmoid, slope, lambda v: slope(v) * (1 - 2 * sigmoid(v))),
    "exp": smooth(np.exp, np.exp, np.exp),
    "square": smooth(np.square, lambda v: 2 * v, lambda v: np.full_like(v, 2.0)),
    "neg": linear(-1.0),
    "abs": smooth(np.abs, np.sign, np.zeros_like),
    "relu": smooth(lambda v: np.maximum(v, 0), lambda v: (v > 0) * 1.0, np.zeros_like),
    "floor": lambda x: smooth(np.floor, np.zeros_like, np.zeros_like)(x.unsaved()),
    "clamp": smooth(lambda v: np.clip(v, -1, 1), lambda v: (abs(v) < 1) * 1.0, np.zeros_like),
}
ARGUMENTS = {"clamp": (-1, 1)}
BINARY = {"add": add, "sub": lambda x, y: add(x, y, -1.0), "mul": mul, "div": div}


def lerp(x, end, weight):
    return add(x, mul(weight, add(end, x, -1.0)))


def addcmul(x, a, b):
    return add(x, mul(a, b), 0.5)
