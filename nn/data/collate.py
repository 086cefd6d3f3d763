"""From a list of samples to one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor, as_tensor, from_numpy, stack
from nn.data.dataset import Columns

__all__ = ["default_collate", "default_convert"]


def default_collate(batch: Sequence[Any]) -> Any:
    """Put samples together: tensors are stacked along a new first dimension, structures kept.

    Arrays and numbers become tensors (Python floats float64, as in PyTorch), strings a list, a list
    or tuple of samples' parts a list of batches, a dict a dict of batches.

    Raises:
        ValueError: for samples whose tensors or structures differ in size.
        TypeError: for samples of a kind that does not go into a batch.

    Example:
        >>> from autograd import tensor
        >>> default_collate([(tensor([1.0, 2.0]), 3), (tensor([4.0, 5.0]), 6)])
        [tensor([[1., 2.],
                [4., 5.]]), tensor([3, 6])]
    """
    if isinstance(batch, Columns):
        return list(batch.columns)
    first = batch[0]
    if isinstance(first, Tensor):
        shapes = {tuple(sample.shape) for sample in batch}
        if len(shapes) > 1:
            raise ValueError(
                "default_collate: the tensors of a batch must have one shape, got "
                f"{' and '.join(map(str, sorted(shapes)))}; bring them to one size in the "
                "dataset, or pad them in a collate_fn"
            )
        return stack(list(batch))
    if isinstance(first, np.ndarray) and first.dtype.kind not in "OSU":
        return default_collate([as_tensor(sample) for sample in batch])
    if isinstance(first, (np.number, np.bool_)):
        return from_numpy(np.array(batch))
    if isinstance(first, float):
        return from_numpy(np.array(batch, np.float64))
    if isinstance(first, bool):
        return from_numpy(np.array(batch, np.bool_))
    if isinstance(first, int):
        return from_numpy(np.array(batch, np.int64))
    if isinstance(first, (str, bytes)):
        return list(batch)
    if isinstance(first, Mapping):
        parts = {key: default_collate([sample[key] for sample in batch]) for key in first}
        return rebuilt(first, parts)
    if isinstance(first, Sequence):
        sizes = {len(sample) for sample in batch}
        if len(sizes) > 1:
            raise ValueError(
                "default_collate: the samples of a batch must have the same number of parts, got "
                f"{' and '.join(map(str, sorted(sizes)))}"
            )
        columns = [default_collate(list(column)) for column in zip(*batch, strict=True)]
        if hasattr(first, "_fields"):
            return type(first)(*columns)
        return columns if isinstance(first, tuple) else rebuilt(first, columns)
    raise TypeError(
        "default_collate: a sample must be made of tensors, arrays, numbers, strings, dicts and "
        f"lists, found {type(first).__name__}; convert it in the dataset or give a collate_fn"
    )


def default_convert(data: Any) -> Any:
    """Turn the arrays in a sample into tensors, and keep everything else.

    Example:
        >>> import numpy as np
        >>> default_convert((np.array([1.0]), "a"))
        [tensor([1.], dtype=float64), 'a']
    """
    if isinstance(data, np.ndarray) and data.dtype.kind not in "OSU":
        return as_tensor(data)
    if isinstance(data, (np.number, np.bool_)):
        return as_tensor(np.asarray(data))
    if isinstance(data, Mapping):
        return rebuilt(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        parts = [default_convert(value) for value in data]
        if hasattr(data, "_fields"):
            return type(data)(*parts)
        return parts if isinstance(data, tuple) else rebuilt(data, parts)
    return data


def rebuilt(like: Any, parts: Any) -> Any:
    """The parts in a container of the same class, where that can be made from them."""
    make: Callable[[Any], Any] = type(like)
    try:
        return make(parts)
    except TypeError:
        return parts
