"""Attention whose softmax is compiled; the products of many small matrices are left to BLAS."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels import numpy_attention
from autograd.kernels.numba_softmax import softmax_grad_over, softmax_over
from autograd.kernels.numpy_attention import by_sequences

LEAST = 1 << 13
"""Weights below which the reference takes less time: it makes fewer calls."""


def attention(
    query: Any, key: Any, value: Any, mask: Any, scale: float, keep: Any
) -> tuple[Any, Any]:
    """As `numpy_attention.attention`."""
    weights = numpy_attention.room_for_weights(query, key)
    if not is_treated(weights, query, key, value, mask, keep):
        return numpy_attention.attention(query, key, value, mask, scale, keep)
    features = query.shape[-1]
    # only a mask closes rows; the compiled softmax does not tell them from rows of NaN
    top = None if mask is None else np.empty((*weights.shape[:-1], 1), weights.dtype)

    def score(query: Any, key: Any, mask: Any, weights: Any, top: Any) -> None:
        numpy_attention.score(query, key, mask, scale, weights)
        if top is not None:
            np.max(weights, axis=-1, keepdims=True, initial=-np.inf, out=top)

    by_sequences(score, features, weights, query, key, mask, weights, top)
    weights = softmax_over(weights)
    if top is not None:
        closed = np.isneginf(top[..., 0])
        if closed.any():
            weights[closed] = 0
    out = numpy_attention.room(weights, value)
    by_sequences(numpy_attention.mix, features, weights, weights, keep, value, out)
    return out, weights


def is_treated(weights: Any, *arrays: Any) -> bool:
    """Whether there are enough weights, and everything is in single precision."""
    return (
        weights.size >= LEAST
        and weights.ndim > 2
        and all(array is None or array.dtype == np.float32 for array in arrays)
    )


def attention_grad(
    g: Any,
    needs: tuple[bool, ...],
    query: Any,
    key: Any,
    value: Any,
    out: Any,
    weights: Any,
    scale: float,
    keep: Any,
    into: tuple[Any, Any, Any] = (None, None, None),
) -> tuple[Any, ...]:
    """As `numpy_attention.attention_grad`."""
    change = numpy_attention.room_for_mask(g, weights)
    if not is_treated(weights, g, query, key, value, keep) or change.shape != weights.shape:
        return numpy_attention.attention_grad(
            g, needs, query, key, value, out, weights, scale, keep, into
        )
    features = 2 * query.shape[-1]
    query_grad, key_grad, value_grad = numpy_attention.rooms(g, needs, query, key, weights, into)

    def unmix(g: Any, value: Any, weights: Any, keep: Any, value_grad: Any, change: Any) -> None:
        if value_grad is not None:
            numpy_attention.unmix(g, weights, keep, value_grad)
        np.matmul(g, np.swapaxes(value, -1, -2), out=change)
        if keep is not None:
            change *= keep

    def unscore(change: Any, query: Any, key: Any, query_grad: Any, key_grad: Any) -> None:
        numpy_attention.unscore(change, query, key, scale, query_grad, key_grad)

    by_sequences(unmix, features, weights, g, value, weights, keep, value_grad, change)
    if query_grad is not None or key_grad is not None or needs[3]:
        change = softmax_grad_over(change, weights)
        by_sequences(unscore, features, weights, change, query, key, query_grad, key_grad)
    return query_grad, key_grad, value_grad, change if needs[3] else None


def self_attention(x: Any, mask: Any, heads: int, scale: float, keep: Any) -> tuple[Any, Any]:
    """As `numpy_attention.self_attention`."""
    if x.dtype != np.float32:
        return numpy_attention.self_attention(x, mask, heads, scale, keep)
    return numpy_attention.of_parts(attention, x, mask, heads, scale, keep)


def self_attention_grad(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    out: Any,
    weights: Any,
    heads: int,
    scale: float,
    keep: Any,
) -> tuple[Any, ...]:
    """As `numpy_attention.self_attention_grad`."""
    if x.dtype != np.float32:
        return numpy_attention.self_attention_grad(g, needs, x, out, weights, heads, scale, keep)
    return numpy_attention.of_parts_back(
        attention_grad, g, needs, x, out, weights, heads, scale, keep
    )
