"""Attention: means of values, weighted by how well keys match queries."""

from __future__ import annotations

import math

import numpy as np

from autograd import Tensor, ops, tensor
from autograd.errors import DtypeError, ShapeError
from autograd.random import kept

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.T * scale + mask) @ value``

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: added to the (..., L, S) products; or booleans, False where a query must not see
            a key. A query that sees no key gets zeros.
        dropout_p: the probability with which a weight is dropped, in evaluation too.
        is_causal: whether query i sees the keys up to i only.
        scale: ``1 / sqrt(E)`` when None.
        enable_gqa: whether groups of heads, dimension -3 of the query, share a head of key and
            value.

    Raises:
        ShapeError: shapes do not fit.
        DtypeError: the dtypes differ, or the mask is neither boolean nor of theirs.
        ValueError: both `attn_mask` and `is_causal`, or `dropout_p` is outside [0, 1].

    Reference: Vaswani et al. 2017, arXiv:1706.03762.

    >>> from autograd import tensor
    >>> query, key = tensor([[0.0]]), tensor([[1.0], [2.0]])
    >>> scaled_dot_product_attention(query, key, tensor([[1.0], [3.0]])).tolist()
    [[2.0]]
    """
    name = "scaled_dot_product_attention"
    if enable_gqa:
        key, value = shared_heads(name, query, key), shared_heads(name, query, value)
    check_inputs(name, query, key, value)
    if attn_mask is not None and is_causal:
        raise ValueError(f"{name}: attn_mask and is_causal exclude each other")
    rows, columns = int(query.shape[-2]), int(key.shape[-2])
    mask = attn_mask
    if is_causal:
        mask = tensor(np.tri(rows, columns, dtype=bool))
    if mask is not None:
        if mask.dtype == bool:
            mask = closed_where(~mask.array, query)
        elif mask.dtype != query.dtype:
            raise DtypeError(
                f"{name}: attn_mask is {mask.dtype}, expected bool or {query.dtype} as the query"
            )
        check_mask(name, mask, query, key)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    lead = np.broadcast_shapes(tuple(query.shape)[:-2], tuple(key.shape)[:-2])
    keep = kept_weights(name, (*lead, rows, columns), query, dropout_p)
    out: Tensor = ops.attention(query, key, value, mask, scale=float(scale), keep=keep)
    return out


def kept_weights(name: str, shape: tuple[int, ...], like: Tensor, p: float) -> object:
    """Dropout of weights: an array of 0 and ``1 / (1 - p)``, or None where nothing is dropped."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: dropout_p is a probability between 0 and 1, got {p}")
    if p == 0:
        return None
    if p == 1:
        return np.zeros(shape, like.dtype)
    return kept(shape, p) * like.dtype.type(1 / (1 - p))


def closed_where(closed: np.ndarray[tuple[int, ...], np.dtype[np.bool]], like: Tensor) -> Tensor:
    """A mask to be added: minus infinity where a key must not be seen."""
    return tensor(np.where(closed, like.dtype.type(-np.inf), like.dtype.type(0)))


def shared_heads(name: str, query: Tensor, heads: Tensor) -> Tensor:
    """Keys or values with each head repeated for the group of query heads that share it."""
    if query.ndim < 3 or heads.ndim < 3 or not heads.shape[-3]:
        raise ShapeError(
            f"{name}: enable_gqa needs heads in dimension -3, got query {tuple(query.shape)} and "
            f"key or value {tuple(heads.shape)}"
        )
    groups, rest = divmod(int(query.shape[-3]), int(heads.shape[-3]))
    if rest:
        raise ShapeError(
            f"{name}: {heads.shape[-3]} heads of key or value do not divide the "
            f"{query.shape[-3]} heads of the query"
        )
    return heads if groups == 1 else heads.repeat_interleave(groups, dim=-3)


def check_inputs(name: str, query: Tensor, key: Tensor, value: Tensor) -> None:
    shapes = [tuple(part.shape) for part in (query, key, value)]
    told = f"query {shapes[0]}, key {shapes[1]}, value {shapes[2]}"
    if min(map(len, shapes)) < 2:
        raise ShapeError(f"{name}: each input needs two dimensions at least ({told})")
    if shapes[0][-1] != shapes[1][-1]:
        raise ShapeError(f"{name}: query and key differ in their last size ({told})")
    if shapes[1][-2] != shapes[2][-2]:
        raise ShapeError(f"{name}: key and value differ in their last size but one ({told})")
    try:
        np.broadcast_shapes(*(shape[:-2] for shape in shapes))
    except ValueError:
        raise ShapeError(
            f"{name}: the sizes before the last two do not broadcast ({told})"
        ) from None
    dtypes = [part.dtype for part in (query, key, value)]
    if dtypes[0].kind != "f" or len(set(dtypes)) > 1:
        raise DtypeError(
            f"{name}: expected one floating-point type, got query {dtypes[0]}, key {dtypes[1]}, "
            f"value {dtypes[2]}"
        )


def check_mask(name: str, mask: Tensor, query: Tensor, key: Tensor) -> None:
    lead = np.broadcast_shapes(tuple(query.shape)[:-2], tuple(key.shape)[:-2])
    scores = (*lead, int(query.shape[-2]), int(key.shape[-2]))
    try:
        fits = np.broadcast_shapes(tuple(mask.shape), scores) == scores
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{name}: attn_mask has shape {tuple(mask.shape)}, which does not broadcast to {scores}"
        )
