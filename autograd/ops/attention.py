"""Scaled dot-product attention as one operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd import kernels
from autograd.ops.elementwise import quiet, where
from autograd.ops.linalg import matmul, swap_last
from autograd.ops.loss import softmax
from autograd.ops.recurrent import derived
from autograd.ops.reduce import raw, sum
from autograd.ops.shape import permute, reshape
from autograd.primitive import Case, primitive

HALF = {"scale": 0.5, "keep": None}
KEEP = np.array([[[2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]])


def attention_by_steps(
    query: Any, key: Any, value: Any, mask: Any, *, scale: float, keep: Any
) -> Any:
    scores = matmul(query * scale, swap_last(key))
    closed: Any = False
    if mask is not None:
        scores = scores + mask
        closed = np.all(np.isneginf(raw(mask)), axis=-1, keepdims=True)
        closed = np.broadcast_to(closed, scores.shape)
        scores = where(closed, 0.0, scores)
    weights = softmax(scores, dim=len(scores.shape) - 1)
    if mask is not None:
        weights = where(closed, 0.0, weights)
    return matmul(weights if keep is None else weights * keep, value)


def attention_rule(
    g: Any,
    needs: tuple[bool, ...],
    query: Any,
    key: Any,
    value: Any,
    mask: Any,
    out: Any,
    weights: Any,
    scale: float,
    keep: Any,
) -> Sequence[Any]:
    if isinstance(g, np.ndarray):
        return kernels.attention_grad(g, needs, query, key, value, out, weights, scale, keep)
    inputs = (query, key, value, mask)
    return derived(attention_by_steps, g, needs, *inputs, scale=scale, keep=keep)


@primitive(
    joint=attention_rule,
    residuals=("weights",),
    broadcasts=True,
    case=(
        Case(shapes=((3, 2), (2, 2), (2, 3)), constants={"mask": None}, attributes=HALF),
        Case(shapes=((2, 1, 2), (2, 3, 2), (2, 3, 1), (1, 3)), attributes=HALF),
        Case(
            shapes=((1, 3, 2), (1, 2, 2), (1, 2, 2)),
            constants={"mask": np.array([[0.0, -np.inf], [0.0, 0.0], [-np.inf, -np.inf]])},
            attributes={"scale": 1.5, "keep": KEEP},
        ),
    ),
)
@quiet
def attention(query: Any, key: Any, value: Any, mask: Any, *, scale: float, keep: Any) -> Any:
    """``softmax(query @ key.T * scale + mask) * keep @ value``

    query (..., L, E), key (..., S, E), value (..., S, V); mask, added to (..., L, S), and keep,
    which drops weights, may be None. A row that the mask closes to all keys gives zeros.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.
    """
    return kernels.attention(query, key, value, mask, scale, keep)


def self_attention_by_steps(x: Any, mask: Any, *, heads: int, scale: float, keep: Any) -> Any:
    batch, rows, features = x.shape
    size = features // (3 * heads)
    # (N, L, 3 * H * E) -> (N, L, 3, H, E) -> (3, N, H, L, E)
    parts = permute(reshape(x, shape=(batch, rows, 3, heads, size)), dims=(2, 0, 3, 1, 4))
    out = attention_by_steps(parts[0], parts[1], parts[2], mask, scale=scale, keep=keep)
    # (N, H, L, E) -> (N, L, H * E)
    return reshape(permute(out, dims=(0, 2, 1, 3)), shape=(batch, rows, heads * size))


def self_attention_rule(
    g: Any,
    needs: tuple[bool, ...],
    x: Any,
    mask: Any,
    out: Any,
    weights: Any,
    heads: int,
    scale: float,
    keep: Any,
) -> Sequence[Any]:
    if isinstance(g, np.ndarray):
        x_grad, mask_grad = kernels.self_attention_grad(
            g, needs, x, out, weights, heads, scale, keep
        )
        return [x_grad, None if mask_grad is None else sum_to(mask_grad, mask.shape)]
    options = {"heads": heads, "scale": scale, "keep": keep}
    return derived(self_attention_by_steps, g, needs, x, mask, **options)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """The gradient of something that was broadcast from this shape."""
    lead = len(g.shape) - len(shape)
    axes = tuple(k for k, size in enumerate(g.shape) if k < lead or shape[k - lead] < size)
    return reshape(sum(g, dim=axes, keepdim=False), shape=shape)


@primitive(
    joint=self_attention_rule,
    residuals=("weights",),
    case=(
        Case(shapes=((2, 2, 6),), constants={"mask": None}, attributes={**HALF, "heads": 1}),
        Case(shapes=((1, 3, 6), (3, 3)), attributes={**HALF, "heads": 2}),
    ),
)
@quiet
def self_attention(x: Any, mask: Any, *, heads: int, scale: float, keep: Any) -> Any:
    """`attention` of a sequence to itself, in several heads.

    x (N, L, 3 * H * E) has queries, keys and values side by side, each of H heads; mask and keep
    broadcast to (N, H, L, L) or are None. The result is (N, L, H * E).
    """
    return kernels.self_attention(x, mask, heads, scale, keep)
