"""Attention: weights from queries and keys, and with them the means of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.kernels.half import in_single
from autograd.kernels.threads import share

ELEMENT = 32
"""Work of one weight in the softmax, in the multiplications that `share` counts."""


@in_single
def attention(
    query: Any, key: Any, value: Any, mask: Any, scale: float, keep: Any
) -> tuple[Any, Any]:
    """``softmax(query @ key.T * scale + mask) * keep @ value``, and the softmax.

    query (..., L, E), key (..., S, E), value (..., S, V). A row that the mask closes to all keys
    gives zeros. The result lies in memory as (..., L, heads, V), so that heads are joined there
    without a copy.
    """
    weights = room_for_weights(query, key)
    out = room(weights, value)

    def attend(
        query: Any, key: Any, value: Any, mask: Any, keep: Any, weights: Any, out: Any
    ) -> None:
        score(query, key, mask, scale, weights)
        top = np.max(weights, axis=-1, keepdims=True, initial=-np.inf)
        if mask is not None:
            np.copyto(top, 0, where=np.isneginf(top))
        weights -= top
        np.exp(weights, out=weights)
        total = np.sum(weights, axis=-1, keepdims=True)
        if mask is not None:
            np.copyto(total, 1, where=total == 0)
        weights /= total
        mix(weights, keep, value, out)

    by_sequences(attend, query.shape[-1], weights, query, key, value, mask, keep, weights, out)
    return out, weights


def room_for_weights(query: Any, key: Any) -> Any:
    """(..., L, S)"""
    lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    return np.empty((*lead, query.shape[-2], key.shape[-2]), query.dtype)


def score(query: Any, key: Any, mask: Any, scale: float, weights: Any) -> None:
    """What the softmax is made of."""
    np.matmul(query * query.dtype.type(scale), np.swapaxes(key, -1, -2), out=weights)
    if mask is not None:
        weights += mask


def mix(weights: Any, keep: Any, value: Any, out: Any) -> None:
    """Means of values."""
    np.matmul(weights if keep is None else weights * keep, value, out=out)


def by_sequences(work: Callable[..., None], features: int, weights: Any, *arrays: Any) -> None:
    """Call a function on parts of the first axis of arrays; those that lack it go whole."""
    ndim, count = weights.ndim, len(weights)

    def some(part: slice) -> None:
        work(
            *(
                array[part]
                if array is not None and array.ndim == ndim and len(array) > 1
                else array
                for array in arrays
            )
        )

    if ndim > 2 and count > 1:
        share(some, count, weights.size * (2 * features + ELEMENT))
    else:
        work(*arrays)


def room(weights: Any, value: Any) -> Any:
    """For ``weights @ value``, (..., heads, L, V), laid out as (..., L, heads, V)."""
    lead = np.broadcast_shapes(weights.shape[:-2], value.shape[:-2])
    rows, features = weights.shape[-2], value.shape[-1]
    if not lead:
        return np.empty((rows, features), value.dtype)
    return np.empty((*lead[:-1], rows, lead[-1], features), value.dtype).swapaxes(-2, -3)


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
    grads = rooms(g, needs, query, key, weights, into)
    mask_grad = room_for_mask(g, weights) if needs[3] else None

    def back(
        g: Any, query: Any, key: Any, value: Any, out: Any, weights: Any, keep: Any, mask_grad: Any,
        query_grad: Any, key_grad: Any, value_grad: Any,
    ) -> None:  # fmt: skip
        if value_grad is not None:
            unmix(g, weights, keep, value_grad)
        if query_grad is None and key_grad is None and mask_grad is None:
            return
        change = np.matmul(g, np.swapaxes(value, -1, -2), out=mask_grad)
        if keep is not None:
            change *= keep
        change -= np.vecdot(g, out)[..., None]  # (..., L) -> (..., L, 1)
        change *= weights
        unscore(change, query, key, scale, query_grad, key_grad)

    by_sequences(
        back, 2 * query.shape[-1], weights, g, query, key, value, out, weights, keep, mask_grad,
        *grads,
    )  # fmt: skip
    return (*grads, mask_grad)


def rooms(g: Any, needs: Any, query: Any, key: Any, weights: Any, into: Any) -> list[Any]:
    """For the gradients of query, key and value; those of `into` where it has any."""
    turned = np.swapaxes(weights, -1, -2)
    pairs = ((weights, key), (turned, query), (turned, g))
    return [
        None if not need else room(*pair) if given is None else given
        for need, given, pair in zip(needs, into, pairs, strict=False)
    ]


def room_for_mask(g: Any, weights: Any) -> Any:
    return np.empty(np.broadcast_shapes(weights.shape, (*g.shape[:-1], 1)), g.dtype)


def unmix(g: Any, weights: Any, keep: Any, value_grad: Any) -> None:
    """The gradient of `mix` in the values."""
    kept = weights if keep is None else weights * keep
    np.matmul(np.swapaxes(kept, -1, -2), g, out=value_grad)


def unscore(
    change: Any, query: Any, key: Any, scale: float, query_grad: Any, key_grad: Any
) -> None:
    """The gradients of `score` in query and key, where there is room for them."""
    factor = query.dtype.type(scale)
    if query_grad is not None:
        np.matmul(change, key, out=query_grad)
        query_grad *= factor
    if key_grad is not None:
        np.matmul(np.swapaxes(change, -1, -2), query, out=key_grad)
        key_grad *= factor


def split(x: Any, heads: int) -> tuple[Any, Any, Any]:
    """Query, key and value that lie beside each other, as views: (N, heads, L, E) each."""
    batch, rows, features = x.shape
    # (N, L, 3 * heads * E) -> (N, L, 3, heads, E) -> (3, N, heads, L, E)
    parts = x.reshape(batch, rows, 3, heads, features // (3 * heads)).transpose(2, 0, 3, 1, 4)
    return parts[0], parts[1], parts[2]


@in_single
def self_attention(x: Any, mask: Any, heads: int, scale: float, keep: Any) -> tuple[Any, Any]:
    """`attention` of the parts of x, with the heads joined: (N, L, 3 * H * E) -> (N, L, H * E)."""
    return of_parts(attention, x, mask, heads, scale, keep)


def of_parts(
    attention: Callable[..., Any], x: Any, mask: Any, heads: int, scale: float, keep: Any
) -> tuple[Any, Any]:
    """`self_attention` by some `attention`."""
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
    return of_parts_back(attention_grad, g, needs, x, out, weights, heads, scale, keep)


def of_parts_back(
    attention_grad: Callable[..., Any],
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    out: Any,
    weights: Any,
    heads: int,
    scale: float,
    keep: Any,
) -> tuple[Any, ...]:
    """`self_attention_grad` by some `attention_grad`."""
    batch, rows, features = g.shape
    apart = (batch, rows, heads, features // heads)
    # (N, L, H * E) -> (N, H, L, E)
    g, out = g.reshape(apart).swapaxes(1, 2), out.reshape(apart).swapaxes(1, 2)
    x_grad = np.empty(x.shape, x.dtype) if needs[0] else None
    into = (None, None, None) if x_grad is None else split(x_grad, heads)
    wanted = (needs[0],) * 3 + (needs[1],)
    gradients = attention_grad(g, wanted, *split(x, heads), out, weights, scale, keep, into)
    return x_grad, gradients[3]
