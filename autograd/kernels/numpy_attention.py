"""Attention: weights from queries and keys, and with them the means of values."""

from __future__ import annotations

from typing import Any

import numpy as np


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


def apply(weights: Any, value: Any) -> Any:
    """``weights @ value``, (..., heads, L, V), laid out as (..., L, heads, V)."""
    lead = np.broadcast_shapes(weights.shape[:-2], value.shape[:-2])
    rows, features = weights.shape[-2], value.shape[-1]
    if not lead:
        return np.matmul(weights, value)
    out = np.empty((*lead[:-1], rows, lead[-1], features), value.dtype)
    return np.matmul(weights, value, out=np.swapaxes(out, -2, -3))


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
) -> list[Any]:
    """The gradients of query, key, value and mask, None where not needed.

    The mean of the gradient of the weights, which softmax takes off, is that of ``g * out``.
    """
    scale = query.dtype.type(scale)
    value_grad = query_grad = key_grad = mask_grad = None
    if needs[2]:
        kept = weights if keep is None else weights * keep
        value_grad = apply(np.swapaxes(kept, -1, -2), g)
    if needs[0] or needs[1] or needs[3]:
        change = np.matmul(g, np.swapaxes(value, -1, -2))
        if keep is not None:
            change *= keep
        change -= np.vecdot(g, out)[..., None]  # (..., L) -> (..., L, 1)
        change *= weights
        if needs[3]:
            mask_grad = change
        if needs[0]:
            query_grad = apply(change, key)
            query_grad *= scale
        if needs[1]:
            key_grad = apply(np.swapaxes(change, -1, -2), query)
            key_grad *= scale
    return [query_grad, key_grad, value_grad, mask_grad]
