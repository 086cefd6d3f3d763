"""Steps of optimizers: a parameter, its gradient and its state, changed in place.

A step is a dozen NumPy calls, each a pass over its operands. On whole arrays every pass fetches
them from memory again; on pieces of a few thousand elements only the first one does, and the
results between the passes need no memory of the parameter's size.

All arrays of a step have one shape and dtype. `decay` times the parameter is added to the gradient,
which `maximize` turns round; `shrink` multiplies the parameter first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.threads import share

__all__ = [
    "adadelta_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "nadam_step",
    "radam_step",
    "rmsprop_step",
    "sgd_step",
]

BLOCK = 32_768
"""Elements per piece: half a dozen float32 pieces (128 KiB each) fit the second-level cache."""
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
    """``buffer = momentum * buffer + gain * g; param -= lr * buffer``; no buffer, no momentum."""

    def update(spare: Any, p: Any, g: Any, buffer: Any = None) -> None:
        step = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        if buffer is None:
            p -= np.multiply(g, lr, out=step)
            return
        if first:
            buffer[...] = g
        else:
            buffer *= momentum
            buffer += g if gain == 1.0 else np.multiply(g, gain, out=step)
        if nesterov:
            np.multiply(buffer, momentum, out=step)
            step += g
            step *= lr
        else:
            np.multiply(buffer, lr, out=step)
        p -= step

    in_blocks(update, 2, param, grad, buffer)


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
    """``param -= size * mean / (sqrt(square) + eps)``; with `largest` that of all squares."""

    def update(spare: Any, p: Any, g: Any, mean: Any, square: Any, largest: Any = None) -> None:
        work = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        if shrink != 1.0:
            p *= shrink
        average(mean, g, 1.0 - beta1, work)
        average_square(square, g, beta2, work)
        if largest is not None:
            square = np.maximum(largest, square, out=largest)
        np.sqrt(square, out=work)
        work += eps
        np.divide(mean, work, out=work)
        work *= size
        p -= work

    in_blocks(update, 2, param, grad, mean, square, largest)


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
    """``largest = max(beta2 * largest, abs(g) + eps); param -= size * mean / largest``"""

    def update(spare: Any, p: Any, g: Any, mean: Any, largest: Any) -> None:
        work = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        average(mean, g, 1.0 - beta1, work)
        np.abs(g, out=work)
        work += eps
        largest *= beta2
        np.maximum(largest, work, out=largest)
        np.divide(mean, largest, out=work)
        work *= size
        p -= work

    in_blocks(update, 2, param, grad, mean, largest)


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
    """``param -= (of_mean * mean + of_grad * g) / (sqrt(square) + eps)``"""

    def update(spare: Any, p: Any, g: Any, mean: Any, square: Any) -> None:
        _, work, change = spare
        g = descent_direction(p, g, decay, maximize, spare[0])
        if shrink != 1.0:
            p *= shrink
        average(mean, g, 1.0 - beta1, work)
        average_square(square, g, beta2, work)
        np.multiply(mean, of_mean, out=change)
        np.multiply(g, of_grad, out=work)
        change += work
        np.sqrt(square, out=work)
        work += eps
        change /= work
        p -= change

    in_blocks(update, 3, param, grad, mean, square)


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
    """As `adam_step` where `rectified`, else ``param -= size * mean``."""

    def update(spare: Any, p: Any, g: Any, mean: Any, square: Any) -> None:
        work = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        if shrink != 1.0:
            p *= shrink
        average(mean, g, 1.0 - beta1, work)
        average_square(square, g, beta2, work)
        if rectified:
            np.sqrt(square, out=work)
            work += eps
            np.divide(mean, work, out=work)
            work *= size
        else:
            np.multiply(mean, size, out=work)
        p -= work

    in_blocks(update, 2, param, grad, mean, square)


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
    """``param -= lr * g / (sqrt(square) + eps)``; a mean centres it, a buffer adds momentum."""
    centered, heavy = mean is not None, buffer is not None

    def update(spare: Any, p: Any, g: Any, square: Any, *others: Any) -> None:
        work = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        average_square(square, g, alpha, work)
        if centered:
            average(others[0], g, 1.0 - alpha, work)
            np.multiply(others[0], others[0], out=work)
            np.subtract(square, work, out=work)
            np.sqrt(work, out=work)
        else:
            np.sqrt(square, out=work)
        work += eps
        np.divide(g, work, out=work)
        if heavy:
            buffer = others[-1]
            buffer *= momentum
            buffer += work
            np.multiply(buffer, lr, out=work)
        else:
            work *= lr
        p -= work

    in_blocks(update, 2, param, grad, square, mean, buffer)


def adagrad_step(
    param: Any,
    grad: Any,
    total: Any,
    lr: float,
    eps: float,
    decay: float,
    maximize: bool,
) -> None:
    """``total += g**2; param -= lr * g / (sqrt(total) + eps)``"""

    def update(spare: Any, p: Any, g: Any, total: Any) -> None:
        work = spare[1]
        g = descent_direction(p, g, decay, maximize, spare[0])
        np.multiply(g, g, out=work)
        total += work
        np.sqrt(total, out=work)
        work += eps
        np.divide(g, work, out=work)
        work *= lr
        p -= work

    in_blocks(update, 2, param, grad, total)


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
    """``delta = sqrt(moved + eps) / sqrt(square + eps) * g; param -= lr * delta``"""

    def update(spare: Any, p: Any, g: Any, square: Any, moved: Any) -> None:
        _, work, delta = spare
        g = descent_direction(p, g, decay, maximize, spare[0])
        average_square(square, g, rho, work)
        np.add(square, eps, out=work)
        np.sqrt(work, out=work)
        np.add(moved, eps, out=delta)
        np.sqrt(delta, out=delta)
        delta /= work
        delta *= g
        average_square(moved, delta, rho, work)
        delta *= lr
        p -= delta

    in_blocks(update, 3, param, grad, square, moved)


def in_blocks(update: Callable[..., None], spare: int, param: Any, grad: Any, *state: Any) -> None:
    """Call an update on matching flat pieces; first it gets `spare` uninitialised buffers.

    State that is None is left out. Writes to the pieces of parameter and state reach the arrays.
    """
    size = param.size
    arrays = [param, grad, *(array for array in state if array is not None)]
    # (d0, d1, ...) -> (size,); a copy where the memory is not in this order
    flat = [array.reshape(-1) for array in arrays]
    if size <= BLOCK:
        update(np.empty((spare, size), param.dtype), *flat)
    else:

        def work(part: slice) -> None:
            buffers = np.empty((spare, BLOCK), param.dtype)
            for start in range(part.start, part.stop, BLOCK):
                stop = min(start + BLOCK, part.stop)
                update(buffers[:, : stop - start], *[array[start:stop] for array in flat])

        share(work, size, size * ELEMENT, blas=False)
    for array, piece in zip(arrays, flat, strict=True):
        if array is not grad and not array.flags.c_contiguous:
            array[...] = piece.reshape(array.shape)  # (size,) -> (d0, d1, ...)


def descent_direction(p: Any, g: Any, decay: float, maximize: bool, out: Any) -> Any:
    """The gradient of what is minimised: ``g + decay * p``, with ``-g`` to maximise.

    Returns `g` itself where nothing changes, else `out`.
    """
    if decay:
        np.multiply(p, decay, out=out)
        return np.subtract(out, g, out=out) if maximize else np.add(out, g, out=out)
    return np.negative(g, out=out) if maximize else g


def average(mean: Any, value: Any, weight: float, out: Any) -> None:
    """Move a running mean towards a value: ``mean += weight * (value - mean)``."""
    np.subtract(value, mean, out=out)
    out *= weight
    mean += out


def average_square(mean: Any, value: Any, decay: float, out: Any) -> None:
    """Update a running mean of squares: ``mean = decay * mean + (1 - decay) * value**2``."""
    np.multiply(value, value, out=out)
    out *= 1.0 - decay
    mean *= decay
    mean += out
