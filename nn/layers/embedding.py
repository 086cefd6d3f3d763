"""Tables of learned rows."""

from __future__ import annotations

from typing import Any

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn import functional as F
from nn import init
from nn.module import Module
from nn.parameter import Parameter, new_parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """A table of learned rows, looked up by integers: (*) -> (*, embedding_dim).

    Args:
        num_embeddings: the number of rows.
        embedding_dim: the size of a row.
        padding_idx: a row that starts as zeros and is not trained.
        max_norm: rows that are looked up are first scaled, in place, to this norm at most.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up.

    >>> import nn
    >>> from autograd import tensor
    >>> tuple(nn.Embedding(10, 3)(tensor([[1, 2], [9, 1]])).shape)
    (2, 2, 3)
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx {padding_idx} is outside the {num_embeddings} rows"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.weight = new_parameter((num_embeddings, embedding_dim), device, dtype)
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
    ) -> Embedding:
        """A layer on a given table of shape (rows, features), which is trained unless frozen.

        >>> import nn
        >>> from autograd import tensor
        >>> nn.Embedding.from_pretrained(tensor([[1.0, 2.0], [3.0, 4.0]]))(tensor(1)).tolist()
        [3.0, 4.0]
        """
        if embeddings.ndim != 2:
            raise ShapeError(
                "Embedding.from_pretrained: expected (rows, features), got shape "
                f"{tuple(embeddings.shape)}"
            )
        rows, features = (int(size) for size in embeddings.shape)
        layer = cls(rows, features, padding_idx, max_norm, norm_type, scale_grad_by_freq)
        layer.weight = Parameter(embeddings, requires_grad=not freeze)
        return layer

    def reset_parameters(self) -> None:
        """Draw the rows from the standard normal distribution."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with autograd.no_grad():
                self.weight[self.padding_idx] = 0.0

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.max_norm is not None:
            parts.append(f"max_norm={self.max_norm}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        return ", ".join(parts)
