"""The layers of a transformer: attention, then linear maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Tensor
from nn import functional as F
from nn.layers.attention import MultiheadAttention
from nn.layers.dropout import Dropout
from nn.layers.linear import Linear
from nn.layers.norm import LayerNorm
from nn.module import Module

__all__ = ["Activation", "TransformerDecoderLayer", "TransformerEncoderLayer"]

Activation = Callable[[Tensor], Tensor]


def activation_of(name: str, activation: str | Activation) -> Activation:
    if not isinstance(activation, str):
        return activation
    known: dict[str, Activation] = {"relu": F.relu, "gelu": F.gelu}
    if activation not in known:
        raise ValueError(f"{name}: activation is 'relu', 'gelu' or a function, got {activation!r}")
    return known[activation]


class TransformerEncoderLayer(Module):
    """Attention of a sequence to itself, then two linear maps; each added to its input.

    ``x = norm1(x + attention(x))``, ``x = norm2(x + linear2(activation(linear1(x))))``; or, where
    `norm_first`, each norm before what it follows here.

    Args:
        d_model: the features.
        nhead: the heads of attention.
        dim_feedforward: the features between the two maps.
        dropout: the probability of dropout, in attention and before each addition.
        activation: "relu", "gelu" or a function.
        layer_norm_eps: added to the variance in the norms.
        batch_first: whether sequences are (N, S, E) rather than (S, N, E).
        norm_first: see above.
        bias: whether linear maps and norms have biases.

    Masks are those of `MultiheadAttention`: True, or minus infinity, closes a key to queries.

    Reference: Vaswani et al. 2017, arXiv:1706.03762; norms first: Xiong et al. 2020,
    arXiv:2002.04745.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.TransformerEncoderLayer(8, 2)(ones(10, 3, 8)).shape)
    (10, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **made
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_of("TransformerEncoderLayer", activation)

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Any:
            out, _ = self.self_attn(
                x, x, x, src_key_padding_mask, False, src_mask, is_causal=is_causal
            )
            return self.dropout1(out)

        def feed(x: Tensor) -> Any:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = src
        for norm, block in ((self.norm1, attend), (self.norm2, feed)):
            x = x + block(norm(x)) if self.norm_first else norm(x + block(x))
        return x


class TransformerDecoderLayer(Module):
    """Attention of a sequence to itself and to another, then two linear maps.

    ``x = norm1(x + attention(x))``, ``x = norm2(x + attention(x, memory))``,
    ``x = norm3(x + linear2(activation(linear1(x))))``. Arguments as of `TransformerEncoderLayer`.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.

    >>> import nn
    >>> from autograd import ones
    >>> tuple(nn.TransformerDecoderLayer(8, 2)(ones(5, 3, 8), ones(10, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **made
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout, bias, batch_first=batch_first, **made
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **made)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation_of("TransformerDecoderLayer", activation)

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        def attend(x: Tensor) -> Any:
            out, _ = self.self_attn(
                x, x, x, tgt_key_padding_mask, False, tgt_mask, is_causal=tgt_is_causal
            )
            return self.dropout1(out)

        def look(x: Tensor) -> Any:
            out, _ = self.multihead_attn(
                x,
                memory,
                memory,
                memory_key_padding_mask,
                False,
                memory_mask,
                is_causal=memory_is_causal,
            )
            return self.dropout2(out)

        def feed(x: Tensor) -> Any:
            return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = tgt
        for norm, block in ((self.norm1, attend), (self.norm2, look), (self.norm3, feed)):
            x = x + block(norm(x)) if self.norm_first else norm(x + block(x))
        return x
