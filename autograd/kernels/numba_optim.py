"""Compiled steps of optimizers: one pass over the parameter, its gradient and its state."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_optim
from autograd.kernels.compiled import Floats, Kernel, compiled_exactly, writable
from autograd.kernels.numba_crew import share, shared

TYPES = (np.dtype(np.float32), np.dtype(np.float64))
ELEMENT = 16
"""Work of one element, in the multiplications that `share` counts."""


def sgd_step(
    param: Any,
    grad: Any,
    buffer: Any,
    lr: float,
    momentum: float,
    gain: float,
    nesterov: bool,
    first: bool,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.sgd_step`."""
    own = (param, grad, buffer)
    if not treats(own):
        return numpy_optim.sgd_step(*own, lr, momentum, gain, nesterov, first, decay, maximize)
    if first:
        buffer[...] = 0
        gain = 1.0
    run(sgd, own, lr, momentum, gain, nesterov, decay, sign(maximize))
    return None


def adam_step(
    param: Any,
    grad: Any,
    mean: Any,
    square: Any,
    largest: Any,
    size: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.adam_step`."""
    own = (param, grad, mean, square, largest)
    if not treats(own):
        return numpy_optim.adam_step(*own, size, beta1, beta2, eps, shrink, decay, maximize)
    run(adam, own, size, 0.0, beta1, beta2, eps, True, shrink, decay, sign(maximize))
    return None


def nadam_step(
    param: Any,
    grad: Any,
    mean: Any,
    square: Any,
    of_grad: float,
    of_mean: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.nadam_step`."""
    own = (param, grad, mean, square)
    if not treats(own):
        return numpy_optim.nadam_step(
            *own, of_grad, of_mean, beta1, beta2, eps, shrink, decay, maximize
        )
    numbers = (of_mean, of_grad, beta1, beta2, eps, True, shrink, decay, sign(maximize))
    run(adam, (*own, None), *numbers)
    return None


def radam_step(
    param: Any,
    grad: Any,
    mean: Any,
    square: Any,
    size: float,
    beta1: float,
    beta2: float,
    eps: float,
    shrink: float,
    rectified: bool,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.radam_step`."""
    own = (param, grad, mean, square)
    if not treats(own):
        return numpy_optim.radam_step(
            *own, size, beta1, beta2, eps, shrink, rectified, decay, maximize
        )
    numbers = (size, 0.0, beta1, beta2, eps, rectified, shrink, decay, sign(maximize))
    run(adam, (*own, None), *numbers)
    return None


def adamax_step(
    param: Any,
    grad: Any,
    mean: Any,
    largest: Any,
    size: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.adamax_step`."""
    own = (param, grad, mean, largest)
    if not treats(own):
        return numpy_optim.adamax_step(*own, size, beta1, beta2, eps, decay, maximize)
    run(adamax, own, size, beta1, beta2, eps, decay, sign(maximize))
    return None


def rmsprop_step(
    param: Any,
    grad: Any,
    square: Any,
    mean: Any,
    buffer: Any,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.rmsprop_step`."""
    own = (param, grad, square, mean, buffer)
    if not treats(own):
        return numpy_optim.rmsprop_step(*own, lr, alpha, eps, momentum, decay, maximize)
    run(rmsprop, own, lr, alpha, 1.0 - alpha, eps, momentum, decay, sign(maximize))
    return None


def adagrad_step(
    param: Any, grad: Any, total: Any, lr: float, eps: float, decay: float, maximize: bool
) -> None:
    """As `numpy_optim.adagrad_step`."""
    own = (param, grad, total)
    if not treats(own):
        return numpy_optim.adagrad_step(*own, lr, eps, decay, maximize)
    run(rmsprop, (*own, None, None), lr, 1.0, 1.0, eps, 0.0, decay, sign(maximize))
    return None


def adadelta_step(
    param: Any,
    grad: Any,
    square: Any,
    moved: Any,
    lr: float,
    rho: float,
    eps: float,
    decay: float,
    maximize: bool,
) -> None:
    """As `numpy_optim.adadelta_step`."""
    own = (param, grad, square, moved)
    if not treats(own):
        return numpy_optim.adadelta_step(*own, lr, rho, eps, decay, maximize)
    run(adadelta, own, lr, rho, eps, decay, sign(maximize))
    return None


def treats(arrays: tuple[Any, ...]) -> bool:
    dtype = arrays[0].dtype
    return dtype in TYPES and all(array is None or array.dtype == dtype for array in arrays)


def sign(maximize: bool) -> float:
    return -1.0 if maximize else 1.0


def run(kernel: Kernel, arrays: tuple[Any, ...], *numbers: float) -> None:
    """Call a kernel on flat arrays and numbers; None becomes an array without elements."""
    dtype, size = arrays[0].dtype, arrays[0].size
    # (d0, d1, ...) -> (size,); a copy where the memory is not in this order
    flat = [
        np.empty(0, dtype) if array is None else writable(array).reshape(-1) for array in arrays
    ]
    share(kernel, size, size * ELEMENT, *flat, *numbers)
    for array, piece in zip(arrays, flat, strict=True):
        if array is not None and array is not arrays[1] and not array.flags.c_contiguous:
            array[...] = piece.reshape(array.shape)  # (size,) -> (d0, d1, ...)


@compiled_exactly
def sgd(
    param: Floats,
    grad: Floats,
    buffer: Floats,
    lr: float,
    momentum: float,
    gain: float,
    nesterov: bool,
    decay: float,
    turn: float,
    first: int,
    last: int,
) -> None:
    shared()
    param, grad, buffer = param[first:last], grad[first:last], buffer[first:last]
    real = param.dtype.type
    rate, fading, part = real(lr), real(momentum), real(gain)
    loss, side = real(decay), real(turn)
    heavy = buffer.size > 0
    for i in range(param.size):
        g = side * grad[i]
        if loss != 0:
            g += loss * param[i]
        if heavy:
            value = fading * buffer[i] + part * g
            buffer[i] = value
            g = fading * value + g if nesterov else value
        param[i] -= rate * g


@compiled_exactly
def adam(
    param: Floats,
    grad: Floats,
    mean: Floats,
    square: Floats,
    largest: Floats,
    of_mean: float,
    of_grad: float,
    beta1: float,
    beta2: float,
    eps: float,
    divides: bool,
    shrink: float,
    decay: float,
    turn: float,
    first: int,
    last: int,
) -> None:
    shared()
    param, grad, mean, square, largest = (
        param[first:last],
        grad[first:last],
        mean[first:last],
        square[first:last],
        largest[first:last],
    )
    real = param.dtype.type
    from_mean, from_grad, small = real(of_mean), real(of_grad), real(eps)
    rest, loss, side = real(shrink), real(decay), real(turn)
    move, keep, add = real(1 - beta1), real(beta2), real(1 - beta2)
    amsgrad = largest.size > 0
    for i in range(param.size):
        p = param[i]
        g = side * grad[i]
        if loss != 0:
            g += loss * p
        m = mean[i]
        m += move * (g - m)
        v = keep * square[i] + add * (g * g)
        mean[i] = m
        square[i] = v
        if amsgrad:
            big = largest[i]
            v = v if (v > big) | (v != v) else big
            largest[i] = v
        divisor = np.sqrt(v) + small if divides else real(1)
        step = m / divisor * from_mean
        if from_grad != 0:
            step += from_grad * g / divisor
        param[i] = p * rest - step


@compiled_exactly
def adamax(
    param: Floats,
    grad: Floats,
    mean: Floats,
    largest: Floats,
    size: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    turn: float,
    first: int,
    last: int,
) -> None:
    shared()
    param, grad, mean, largest = (
        param[first:last],
        grad[first:last],
        mean[first:last],
        largest[first:last],
    )
    real = param.dtype.type
    rate, small, loss, side = real(size), real(eps), real(decay), real(turn)
    move, keep = real(1 - beta1), real(beta2)
    for i in range(param.size):
        g = side * grad[i]
        if loss != 0:
            g += loss * param[i]
        m = mean[i]
        m += move * (g - m)
        mean[i] = m
        old, new = keep * largest[i], abs(g) + small
        big = new if (new > old) | (new != new) else old
        largest[i] = big
        param[i] -= rate * m / big


@compiled_exactly
def rmsprop(
    param: Floats,
    grad: Floats,
    square: Floats,
    mean: Floats,
    buffer: Floats,
    lr: float,
    alpha: float,
    gain: float,
    eps: float,
    momentum: float,
    decay: float,
    turn: float,
    first: int,
    last: int,
) -> None:
    shared()
    param, grad, square, mean, buffer = (
        param[first:last],
        grad[first:last],
        square[first:last],
        mean[first:last],
        buffer[first:last],
    )
    real = param.dtype.type
    rate, small, fading = real(lr), real(eps), real(momentum)
    keep, add, loss, side = real(alpha), real(gain), real(decay), real(turn)
    centered, heavy = mean.size > 0, buffer.size > 0
    for i in range(param.size):
        g = side * grad[i]
        if loss != 0:
            g += loss * param[i]
        v = keep * square[i] + add * g * g
        square[i] = v
        if centered:
            m = mean[i]
            m += add * (g - m)
            mean[i] = m
            v -= m * m
        step = g / (np.sqrt(v) + small)
        if heavy:
            step += fading * buffer[i]
            buffer[i] = step
        param[i] -= rate * step


@compiled_exactly
def adadelta(
    param: Floats,
    grad: Floats,
    square: Floats,
    moved: Floats,
    lr: float,
    rho: float,
    eps: float,
    decay: float,
    turn: float,
    first: int,
    last: int,
) -> None:
    shared()
    param, grad, square, moved = (
        param[first:last],
        grad[first:last],
        square[first:last],
        moved[first:last],
    )
    real = param.dtype.type
    rate, small, loss, side = real(lr), real(eps), real(decay), real(turn)
    keep, add = real(rho), real(1 - rho)
    for i in range(param.size):
        g = side * grad[i]
        if loss != 0:
            g += loss * param[i]
        v = keep * square[i] + add * g * g
        square[i] = v
        u = moved[i]
        delta = np.sqrt(u + small) / np.sqrt(v + small) * g
        moved[i] = keep * u + add * delta * delta
        param[i] -= rate * delta
