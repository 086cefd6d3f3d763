"""Looking up rows of a table, and the gradient of the table."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import kernels
from autograd.ops.elementwise import quiet
from autograd.primitive import Case, primitive

EXAMPLE = {"indices": np.array([[0, 2, 0]]), "share": None}


def embedding_rule(g: Any, weight_shape: tuple[int, ...], indices: Any, share: Any) -> Any:
    return embedding_grad(g, rows=weight_shape[0], indices=indices, share=share)


@primitive(embedding_rule, case=Case(shapes=((4, 2),), attributes=EXAMPLE))
def embedding(weight: Any, *, indices: Any, share: Any) -> Any:
    """The rows of weight (rows, features) at integers of any shape (*): (*, features).

    What goes back to the row at an index is the gradient times `share`, where that is given.
    """
    return np.take(weight, indices, axis=0)


def embedding_grad_rule(g: Any, indices: Any, share: Any) -> Any:
    rows = embedding(g, indices=indices, share=None)
    return rows if share is None else rows * share


@primitive(
    embedding_grad_rule,
    case=(
        Case(shapes=((1, 3, 2),), attributes={**EXAMPLE, "rows": 4}),
        Case(
            shapes=((1, 3, 2),),
            attributes={**EXAMPLE, "rows": 3, "share": np.array([[[0.5], [0.0], [0.5]]])},
        ),
    ),
)
@quiet
def embedding_grad(y: Any, *, rows: int, indices: Any, share: Any) -> Any:
    """Zeros (rows, features) with ``y * share`` (*, features) added to the rows at indices (*)."""
    if share is not None:
        y = y * share.astype(y.dtype)
    total = np.zeros((rows, y.shape[-1]), y.dtype)
    # (*, features) -> (n, features)
    return kernels.sum_rows(y.reshape(indices.size, y.shape[-1]), indices.reshape(-1), total)
