"""The transformer: stacks of layers that encode one sequence and decode another."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn import init
from nn.layers.container import ModuleList
from nn.layers.norm import LayerNorm
from nn.layers.transformer_layers import (
    Activation,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from nn.module import Module

__all__ = ["Transformer", "TransformerDecoder", "TransformerEncoder"]


def copies(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


class TransformerEncoder(Module):
    """A stack of encoder layers, each a copy of the one given.

    Args:
        encoder_layer: a `TransformerEncoderLayer`, or a module that is called in the same way.
        num_layers: how many copies.
        norm: applied to the result.
        enable_nested_tensor: accepted as in PyTorch; it makes no difference here.
        mask_check: likewise.

    >>> import nn
    >>> from autograd import ones
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), num_layers=2)
    >>> tuple(encoder(ones(10, 3, 8)).shape)
    (10, 3, 8)
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = copies(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        out = src
        for layer in self.layers:
            out = layer(
                out,
                src_mask=mask,
                is_causal=bool(is_causal),
                src_key_padding_mask=src_key_padding_mask,
            )
        return out if self.norm is None else self.norm(out)


class TransformerDecoder(Module):
    """A stack of decoder layers, each a copy of the one given.

    Args:
        decoder_layer: a `TransformerDecoderLayer`, or a module that is called in the same way.
        num_layers: how many copies.
        norm: applied to the result.

    >>> import nn
    >>> from autograd import ones
    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2), num_layers=2)
    >>> tuple(decoder(ones(5, 3, 8), ones(10, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = copies(decoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        out = tgt
        for layer in self.layers:
            out = layer(
                out,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return out if self.norm is None else self.norm(out)


class Transformer(Module):
    """An encoder of one sequence and a decoder of another that looks at its result.

    Args:
        d_model: the features.
        nhead: the heads of attention.
        num_encoder_layers: the layers of the encoder.
        num_decoder_layers: the layers of the decoder.
        dim_feedforward: the features between the two linear maps of a layer.
        dropout: the probability of dropout.
        activation: "relu", "gelu" or a function.
        custom_encoder: in place of the encoder.
        custom_decoder: in place of the decoder.
        layer_norm_eps: added to the variance in the norms.
        batch_first: whether sequences are (N, S, E) rather than (S, N, E).
        norm_first: whether the norms stand before attention and linear maps.
        bias: whether linear maps and norms have biases.

    Reference: Vaswani et al. 2017, arXiv:1706.03762.

    >>> import nn
    >>> from autograd import ones
    >>> model = nn.Transformer(8, 2, num_encoder_layers=1, num_decoder_layers=1)
    >>> tuple(model(ones(10, 3, 8), ones(5, 3, 8)).shape)
    (5, 3, 8)
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = F.relu,
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        made: dict[str, Any] = {"device": device, "dtype": dtype}
        layer = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )
        if custom_encoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
            custom_encoder = TransformerEncoder(
                TransformerEncoderLayer(*layer, **made), num_encoder_layers, norm
            )
        if custom_decoder is None:
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **made)
            custom_decoder = TransformerDecoder(
                TransformerDecoderLayer(*layer, **made), num_decoder_layers, norm
            )
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights from Glorot's uniform distribution."""
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        shapes = tuple(src.shape), tuple(tgt.shape)
        batch = 0 if self.batch_first else 1
        if len(shapes[0]) != len(shapes[1]) or (
            len(shapes[0]) == 3 and shapes[0][batch] != shapes[1][batch]
        ):
            raise ShapeError(
                f"Transformer: src {shapes[0]} and tgt {shapes[1]} must have the same batch"
            )
        if shapes[0][-1] != self.d_model or shapes[1][-1] != self.d_model:
            raise ShapeError(
                f"Transformer: src {shapes[0]} and tgt {shapes[1]} must have {self.d_model} "
                "features"
            )
        memory = self.encoder(
            src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal
        )
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """A mask that lets each position see itself and those before: (sz, sz), 0 or -infinity.

        >>> import nn
        >>> nn.Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        closed = autograd.full((sz, sz), -np.inf, device=device, dtype=dtype)
        return autograd.triu(closed, diagonal=1)
