"""Attention: weights from queries and keys, and with them the means of values."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.kernels.half import in_single


@in_single
def attention(
    query: Any, key: Any, value: Any, mask: Any, scale: float, keep: Any
) -> tuple[Any, Any]:
    """``softmax(query @ key.T * scale + mask) * keep @ value``, and the softmax.

    query (..., L, E), key (..., S, E), value (..., S, V). A row that the mask closes to all keys
    gives zeros. The result lies in memory as (..., L, heads, V), so that heads are joined there
    without a copy.
    """
    weights = np.matmul(query * query.dtype.type(scale), np.swapaxes(key, -1, -2))
    if mask is not None:
        weights += mask
    top = np.max(weights, axis=-1, keepdims=True, initial=-np.inf)
    if mask is not None:
        np.copyto(top, 0, where=np.isneginf(top))
    weights -= top
    np.exp(weights, out=weights)
    total = np.sum(weights, axis=-1, keepdims=True)
    if mask is not None:
        np.copyto(total, 1, where=total == 0)
    weights /= total
    return apply(weights if keep is None else weights * keep, value), weights


def apply(weights: Any, value: Any, out: Any = None) -> Any:
    """``weights @ value``, (..., heads, L, V), laid out as (..., L, heads, V)."""
    if out is None:
        lead = np.broadcast_shapes(weights.shape[:-2], value.shape[:-2])
        rows, features = weights.shape[-2], value.shape[-1]
        if not lead:
            return np.matmul(weights, value)
        out = np.empty((*lead[:-1], rows, lead[-1], features), value.dtype).swapaxes(-2, -3)
    return np.matmul(weights, value, out=out)


@in_single
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
    """The gradients of query, key, value and mask, None where not needed.

    The mean of the gradient of the weights, which softmax takes off, is that of ``g * out``.
    """
    factor = query.dtype.type(scale)
    value_grad = query_grad = key_grad = mask_grad = None
    if needs[2]:
        kept = weights if keep is None else weights * keep
        value_grad = apply(np.swapaxes(kept, -1, -2), g, into[2])
    if needs[0] or needs[1] or needs[3]:
        change = np.matmul(g, np.swapaxes(value, -1, -2))
        if keep is not None:
            change *= keep
        change -= np.vecdot(g, out)[..., None]  # (..., L) -> (..., L, 1)
        change *= weights
        if needs[3]:
            mask_grad = change
        if needs[0]:
            query_grad = apply(change, key, into[0])
            query_grad *= factor
        if needs[1]:
            key_grad = apply(np.swapaxes(change, -1, -2), query, into[1])
            key_grad *= factor
    return query_grad, key_grad, value_grad, mask_grad


def split(x: Any, heads: int) -> tuple[Any, Any, Any]:
    """Query, key and value that lie beside each other, as views: (N, heads, L, E) each."""
    batch, rows, features = x.shape
    # (N, L, 3 * heads * E) -> (N, L, 3, heads, E) -> (3, N, heads, L, E)
    parts = x.reshape(batch, rows, 3, heads, features // (3 * heads)).transpose(2, 0, 3, 1, 4)
    return parts[0], parts[1], parts[2]


@in_single
def self_attention(x: Any, mask: Any, heads: int, scale: float, keep: Any) -> tuple[Any, Any]:
    """`attention` of the parts of x, with the heads joined: (N, L, 3 * H * E) -> (N, L, H * E)."""
    out, weights = attention(*split(x, heads), mask, scale, keep)
    # (N, H, L, E) -> (N, L, H * E), a view
    return out.swapaxes(1, 2).reshape(*x.shape[:2], x.shape[2] // 3), weights


@in_single
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
    """The gradients of x and of the mask, None where not needed."""
    batch, rows, features = g.shape
    apart = (batch, rows, heads, features // heads)
    # (N, L, H * E) -> (N, H, L, E)
    g, out = g.reshape(apart).swapaxes(1, 2), out.reshape(apart).swapaxes(1, 2)
    x_grad = np.empty(x.shape, x.dtype) if needs[0] else None
    into = (None, None, None) if x_grad is None else split(x_grad, heads)
    wanted = (needs[0],) * 3 + (needs[1],)
    gradients = attention_grad(g, wanted, *split(x, heads), out, weights, scale, keep, into)
    return x_grad, gradients[3]
