"""Convolutions whose kernel covers all of the input at once: products of two matrices.

The last layer of many discriminators is one, and, transposed, the first of many generators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.kernels.windows import Windows

__all__ = ["applies", "conv", "conv_input_grad", "conv_weight_grad"]

Product = Callable[[Any, Any], Any]


def applies(windows: Windows, groups: int, *arrays: Any) -> bool:
    """Whether there is one window, without padding, and something in it."""
    whole = len(windows.whole_axes()) == len(windows.sizes)
    return whole and groups == 1 and all(array.size for array in arrays)


def conv(x: Any, weight: Any, bias: Any, linear: Callable[[Any, Any, Any], Any]) -> Any:
    """(N, C, sizes...), (O, C, sizes...), (O,) or None -> (N, O, 1...)"""
    out = linear(rows(x), rows(weight), bias)
    return out.reshape(len(x), len(weight), *(1,) * (x.ndim - 2))


def conv_input_grad(g: Any, weight: Any, matmul: Product) -> Any:
    """(N, O, 1...), (O, C, sizes...) -> (N, C, sizes...)"""
    return matmul(rows(g), rows(weight)).reshape(len(g), *weight.shape[1:])


def conv_weight_grad(x: Any, g: Any, matmul: Product) -> Any:
    """(N, C, sizes...), (N, O, 1...) -> (O, C, sizes...)"""
    return matmul(rows(g).T, rows(x)).reshape(g.shape[1], *x.shape[1:])


def rows(x: Any) -> Any:
    return x.reshape(len(x), -1)  # (N, C, sizes...) -> (N, C * P)
