"""Rows of a table, looked up by integers."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
from autograd import Tensor, ops
from autograd.errors import ShapeError
from nn.functional.linear import check_integers, check_range

__all__ = ["embedding"]


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
) -> Tensor:
    """The rows of a table at integer places: (*) -> (*, features).

    Args:
        input: integers of any shape, between 0 and the number of rows.
        weight: (rows, features).
        padding_idx: a row that gets no gradient.
        max_norm: rows that are looked up are first scaled, in place, to this norm at most.
        norm_type: the order of that norm.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up.

    Raises:
        DtypeError: the input is not of an integer type.
        IndexError: there is no such row.

    >>> from autograd import tensor
    >>> embedding(tensor([1, 0, 1]), tensor([[1.0], [2.0]])).tolist()
    [[2.0], [1.0], [2.0]]
    """
    check_integers("embedding", "input", input)
    if weight.ndim != 2:
        raise ShapeError(
            f"embedding: weight has shape {tuple(weight.shape)}, expected (rows, features)"
        )
    rows = int(weight.shape[0])
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise IndexError(f"embedding: padding_idx {padding_idx} is outside the {rows} rows")
    check_range("embedding", "input", input, rows)
    indices = input.array.astype(np.intp)  # a copy: the caller may overwrite the input
    if max_norm is not None:
        limit_rows(weight, indices, float(max_norm), float(norm_type))
    share: Any = None
    if scale_grad_by_freq:
        share = 1 / np.bincount(indices.reshape(-1), minlength=rows)[indices]
    if padding_idx is not None:
        used = indices != padding_idx % rows
        if share is not None or not used.all():
            share = used * (1.0 if share is None else share)
    if share is not None:
        share = share[..., None].astype(weight.dtype)  # (*) -> (*, 1)
    out: Tensor = ops.embedding(weight, indices=indices, share=share)
    return out


def limit_rows(weight: Tensor, indices: Any, max_norm: float, order: float) -> None:
    """Scale down, in place, the rows at the indices whose norm is larger."""
    chosen = np.unique(indices)
    norms = np.linalg.norm(weight.array[chosen], order, axis=1)
    large = norms > max_norm
    if not large.any():
        return
    with autograd.no_grad():
        table = autograd.writable(weight)
    scale = max_norm / (norms[large, None] + 1e-7)  # (n,) -> (n, 1)
    table[chosen[large]] *= scale.astype(table.dtype)
