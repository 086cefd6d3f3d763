"""Attention with several heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, ops
from autograd.errors import DtypeError, ShapeError
from nn import functional as F
from nn import init
from nn.functional.attention import closed_where, kept_weights
from nn.layers.linear import Linear
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in several heads at once, between linear maps.

    Query, key and value are mapped to `embed_dim` features, which are split among the heads; each
    head computes ``softmax(q @ k.T / sqrt(embed_dim / num_heads)) @ v``; what the heads give, side
    by side, goes through another linear map.

    Args:
        embed_dim: the features of queries and results, a multiple of `num_heads`.
        num_heads: how many heads there are.
        dropout: the probability with which a weight is dropped in training.
        bias: whether the maps have biases.
        add_bias_kv: whether a learned key and value stand behind those given.
        add_zero_attn: whether a key and a value of zeros do.
        kdim: the features of keys, `embed_dim` when None.
        vdim: the features of values, likewise.
        batch_first: whether inputs and results are (N, L, E) rather than (L, N, E).

    Called with query (L, N, E), key (S, N, kdim) and value (S, N, vdim), perhaps without a batch,
    it returns the result (L, N, E) and, where `need_weights`, the weights (N, L, S), the mean over
    the heads, or (N, heads, L, S) unless `average_attn_weights`; else None. True in the
    `key_padding_mask` (N, S) and the `attn_mask` (L, S) or (N * heads, L, S) closes a key to
    queries; masks of numbers are added. `is_causal` only says that `attn_mask` is causal.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.

    >>> import nn
    >>> from autograd import ones
    >>> out, weights = nn.MultiheadAttention(8, 2)(ones(5, 3, 8), ones(4, 3, 8), ones(4, 3, 8))
    >>> tuple(out.shape), tuple(weights.shape)
    ((5, 3, 8), (3, 5, 4))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0 or embed_dim % num_heads:
            raise ValueError(
                "MultiheadAttention: embed_dim must be a positive multiple of num_heads, got "
                f"{embed_dim} and {num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.head_dim = embed_dim // num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        together = self.kdim == self.vdim == embed_dim
        shapes: dict[str, tuple[int, ...] | None] = {
            "in_proj_weight": (3 * embed_dim, embed_dim) if together else None,
            "q_proj_weight": None if together else (embed_dim, embed_dim),
            "k_proj_weight": None if together else (embed_dim, self.kdim),
            "v_proj_weight": None if together else (embed_dim, self.vdim),
            "in_proj_bias": (3 * embed_dim,) if bias else None,
            "bias_k": (1, 1, embed_dim) if add_bias_kv else None,
            "bias_v": (1, 1, embed_dim) if add_bias_kv else None,
        }
        for name, shape in shapes.items():
            self.register_parameter(
                name, None if shape is None else new_parameter(shape, device, dtype)
            )
        self.out_proj = Linear(embed_dim, embed_dim, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights of the inputs and the added key and value anew; set biases to 0."""
        for weight in self._input_weights():
            init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for added in (self.bias_k, self.bias_v):
            if added is not None:
                init.xavier_normal_(added)

    def _input_weights(self) -> list[Parameter]:
        """The weight of all inputs, or those of query, key and value."""
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        return [weight for weight in weights if weight is not None]

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        if is_causal and attn_mask is None:
            raise ValueError("MultiheadAttention: is_causal says that attn_mask is, give that too")
        same = query is key and key is value
        batched = query.ndim == 3
        self._check_sizes(query, key, value)
        if not batched:
            query, key, value = (part.unsqueeze(0) for part in (query, key, value))
            if key_padding_mask is not None:
                key_padding_mask = key_padding_mask.unsqueeze(0)  # (S,) -> (1, S)
        elif not self.batch_first:
            # (L, N, E) -> (N, L, E)
            query, key, value = (part.transpose(0, 1) for part in (query, key, value))
        mask = self._mask(query, key, key_padding_mask, attn_mask)
        drop = self.dropout if self.training else 0.0
        plain = self.bias_k is None and not self.add_zero_attn
        weights = None
        if same and plain and self.in_proj_weight is not None and not need_weights:
            heads = self._within(query, mask, drop)
        else:
            heads, weights = self._between(query, key, value, mask, drop, need_weights)
        out = self.out_proj(heads)
        if weights is not None and average_attn_weights:
            weights = weights.mean(dim=1)  # (N, heads, L, S) -> (N, L, S)
        if not batched:
            return out.squeeze(0), None if weights is None else weights.squeeze(0)
        return (out if self.batch_first else out.transpose(0, 1)), weights

    def _within(self, x: Tensor, mask: Tensor | None, drop: float) -> Tensor:
        """Attention of a sequence to itself: (N, L, E) -> (N, L, E)."""
        assert self.in_proj_weight is not None
        batch, rows, _ = (int(size) for size in x.shape)
        joined = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        keep = kept_weights("MultiheadAttention", (batch, self.num_heads, rows, rows), x, drop)
        scale = 1 / math.sqrt(self.head_dim)
        out: Tensor = ops.self_attention(joined, mask, heads=self.num_heads, scale=scale, keep=keep)
        return out

    def _between(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        drop: float,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """The heads side by side, (N, L, E), and the weights (N, heads, L, S) if needed."""
        weights: Sequence[Tensor] = self._input_weights()
        if len(weights) == 1:
            weights = weights[0].chunk(3)  # (3 * E, E) -> (E, E) three times
        bias = self.in_proj_bias
        biases = (None, None, None) if bias is None else bias.chunk(3)
        q, k, v = map(F.linear, (query, key, value), weights, biases)
        batch, rows, features = (int(size) for size in q.shape)
        if self.bias_k is not None and self.bias_v is not None:
            k = autograd.cat([k, self.bias_k.expand(batch, 1, features)], dim=1)
            v = autograd.cat([v, self.bias_v.expand(batch, 1, features)], dim=1)
        if self.add_zero_attn:
            nothing = autograd.zeros(batch, 1, features, dtype=k.dtype)
            k, v = autograd.cat([k, nothing], dim=1), autograd.cat([v, nothing], dim=1)
        # (N, L, E) -> (N, heads, L, E / heads)
        q, k, v = (
            part.reshape(batch, part.shape[1], self.num_heads, self.head_dim).transpose(1, 2)
            for part in (q, k, v)
        )
        if need_weights:
            scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(self.head_dim))
            weights_out = F.softmax(scores if mask is None else scores + mask, dim=-1)
            weights_out = F.dropout(weights_out, drop)
            out, shown = weights_out @ v, weights_out
        else:
            out, shown = F.scaled_dot_product_attention(q, k, v, mask, drop), None
        # (N, heads, L, E / heads) -> (N, L, E)
        return out.transpose(1, 2).reshape(batch, rows, features), shown

    def _mask(
        self, query: Tensor, key: Tensor, padding: Tensor | None, mask: Tensor | None
    ) -> Tensor | None:
        """Both masks as one to be added to (N, heads, L, S), with room for keys that are added."""
        batch, rows, columns = int(query.shape[0]), int(query.shape[1]), int(key.shape[1])
        total = None
        if mask is not None:
            whole = (batch * self.num_heads, rows, columns)
            if tuple(mask.shape) not in (whole, whole[1:]):
                raise ShapeError(
                    f"MultiheadAttention: attn_mask has shape {tuple(mask.shape)}, expected "
                    f"{whole[1:]} or {whole}"
                )
            total = self._added("attn_mask", mask, query)
            if mask.ndim == 3:
                # (N * heads, L, S) -> (N, heads, L, S)
                total = total.reshape(batch, self.num_heads, rows, columns)
        if padding is not None:
            if tuple(padding.shape) != (batch, columns):
                raise ShapeError(
                    f"MultiheadAttention: key_padding_mask has shape {tuple(padding.shape)}, "
                    f"expected {(batch, columns)}"
                )
            # (N, S) -> (N, 1, 1, S)
            also = self._added("key_padding_mask", padding, query).reshape(batch, 1, 1, columns)
            total = also if total is None else total + also
        more = (self.bias_k is not None) + self.add_zero_attn
        return F.pad(total, (0, more)) if total is not None and more else total

    @staticmethod
    def _added(name: str, mask: Tensor, like: Tensor) -> Tensor:
        if mask.dtype == np.bool:
            return closed_where(mask.array, like)
        if mask.dtype.kind != "f":
            raise DtypeError(
                f"MultiheadAttention: {name} is {mask.dtype}, expected bool or {like.dtype}"
            )
        return mask.to(like.dtype)

    def _check_sizes(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        shapes = [tuple(part.shape) for part in (query, key, value)]
        dims = {len(shape) for shape in shapes}
        told = f"query {shapes[0]}, key {shapes[1]}, value {shapes[2]}"
        if dims not in ({2}, {3}):
            raise ShapeError(
                "MultiheadAttention: inputs must all have 3 dimensions, or 2 without a batch "
                f"({told})"
            )
        sizes = (self.embed_dim, self.kdim, self.vdim)
        if tuple(shape[-1] for shape in shapes) != sizes:
            raise ShapeError(f"MultiheadAttention: expected {sizes} features ({told})")
        lead = 0 if self.batch_first else 1
        if shapes[1][:-1] != shapes[2][:-1] or (dims == {3} and shapes[0][lead] != shapes[1][lead]):
            raise ShapeError(
                "MultiheadAttention: keys and values must be as many, and all of one batch "
                f"({told})"
            )
