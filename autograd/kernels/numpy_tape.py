"""Evaluating formulas of elements with NumPy, some elements at a time, shared among threads."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.numpy_select import BITS
from autograd.kernels.special import erf_into
from autograd.kernels.tape import CONDITIONS, HEAVY, Place, Tape
from autograd.kernels.threads import share

__all__ = ["Layout", "evaluate", "layout"]

BLOCK = 1 << 16
"""Elements that are worked on at a time: fewer would have threads wait for each other."""
LEAST = HEAVY
"""Weight below which NumPy is as fast on whole arrays, unless it has to choose."""
LARGE, WEIGHTY = 1 << 14, 1 << 17
"""Elements, and additions on all of them, below which it is as fast on whole arrays, too."""
ELEMENT = 8
"""Work of one element in an instruction, in the multiplications that `share` counts."""

Layout = list[tuple[int, int]]
"""Of each input two numbers: element i of the result reads number ``i // first % second``."""


def evaluate(like: Any, tape: Tape, arrays: list[Any]) -> Any:
    """The result of a formula, an array like one of its inputs; None if it is to be run itself.

    Args:
        like: an input with the shape of the result.
        tape: of the formula.
        arrays: its inputs, of one type; some may broadcast.
    """
    if like.dtype.kind != "f" or like.dtype.itemsize < 4:
        return None
    if like.size < LARGE or like.size * tape.weight < WEIGHTY:
        return None
    if tape.weight < LEAST and all(step.function != "where" for step in tape.instructions):
        return None
    arrays = [collapsed(array) for array in arrays]
    shapes = layout(like, arrays)
    if shapes is None or any(count not in (1, like.size) for _, count in shapes):
        return None
    out = np.empty(like.shape, like.dtype)
    result = out.reshape(-1)  # (d0, d1, ...) -> (size,)
    lines = [array.reshape(-1) for array in arrays]

    def work(part: slice) -> None:
        size = min(BLOCK, part.stop - part.start)
        memory = np.empty((tape.buffers, size), like.dtype)
        flags = np.empty((tape.buffers, size), bool)
        for start in range(part.start, part.stop, size):
            block = slice(start, min(start + size, part.stop))
            count = block.stop - start
            inputs = [line if line.size == 1 else line[block] for line in lines]
            for name, operands, target in tape.instructions:
                values = [
                    (
                        inputs[v.number]
                        if v.is_input
                        else (flags if condition else memory)[v.number, :count]
                    )
                    if isinstance(v, Place)
                    else v
                    for v, condition in zip(operands, conditions(name), strict=False)
                ]
                if target < 0:
                    into = result[block]
                else:
                    into = (flags if name in CONDITIONS else memory)[target, :count]
                run(name, values, into)

    with np.errstate(all="ignore"):  # infinity and NaN are results
        share(work, out.size, out.size * tape.weight * ELEMENT, blas=False)
    return out


def conditions(name: str) -> tuple[bool, bool, bool]:
    """Which operands of a function are conditions."""
    if name in ("bitwise_and", "bitwise_or", "invert"):
        return True, True, True
    return name == "where", False, False


def run(name: str, values: list[Any], out: Any) -> None:
    """One instruction."""
    if name == "where":
        condition, first, second = values
        choose(condition, first, second, out)
    elif name == "erf":
        erf_into(values[0], out)
    elif name == "sigmoid":
        np.negative(values[0], out=out)
        np.exp(out, out=out)
        out += 1
        np.divide(1, out, out=out)
    else:
        getattr(np, name)(*values, out=out)


def choose(condition: Any, x: Any, y: Any, out: Any) -> None:
    """X where the condition holds, else y, by their bits: faster than `numpy.where`."""
    bits = BITS[out.dtype.itemsize]
    mask, result = np.empty(out.shape, bits), out.view(bits)
    np.copyto(mask, condition.view(np.int8))
    np.negative(mask, out=mask)  # 1 becomes a number whose bits are all 1
    first, second = (np.asarray(value, out.dtype).view(bits) for value in (x, y))
    np.bitwise_xor(first, second, out=result)
    np.bitwise_and(result, mask, out=result)
    np.bitwise_xor(result, second, out=result)


def collapsed(array: Any) -> Any:
    """Without the repetitions of an array that was stretched along some axes."""
    if array.flags.c_contiguous:
        return array
    return array[tuple(slice(0, 1) if step == 0 else slice(None) for step in array.strides)]


def layout(like: Any, arrays: list[Any]) -> Layout | None:
    """How the inputs broadcast; None where they do not in one of the simple ways."""
    shape, found = like.shape, []
    for array in arrays:
        if array.dtype is not like.dtype or not array.flags.c_contiguous:
            return None
        if array.shape == shape:
            found.append((1, like.size))
            continue
        sizes = (1,) * (len(shape) - array.ndim) + array.shape
        if len(sizes) != len(shape):
            return None
        own = [axis for axis, size in enumerate(sizes) if size > 1]
        if not own:
            found.append((1, 1))
            continue
        first, last = own[0], own[-1] + 1
        if sizes[first:last] != shape[first:last]:
            return None
        inner = 1
        for size in shape[last:]:
            inner *= size
        found.append((inner, array.size))
    return found
