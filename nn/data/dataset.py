"""Datasets: samples by number, or as a stream."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import floor, isclose
from typing import Any, Generic, TypeVar, overload

import numpy as np

from autograd import Generator, Tensor, from_numpy, randperm

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")


class Dataset(Generic[T_co]):
    """Base of datasets whose samples are read by number.

    A subclass defines ``__getitem__`` and, for most uses, ``__len__``. With
    ``__getitems__(indices)`` it can read a whole batch at once.

    Example:
        >>> class Squares(Dataset[int]):
        ...     def __getitem__(self, index: int) -> int:
        ...         return index**2
        ...     def __len__(self) -> int:
        ...         return 10
        >>> Squares()[3]
        9
    """

    def __getitem__(self, index: int) -> T_co:
        raise NotImplementedError(f"{type(self).__name__}: defines no __getitem__")

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co], Iterable[T_co]):
    """Base of datasets whose samples come as a stream; a subclass defines ``__iter__``."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(f"{type(self).__name__}: defines no __iter__")


class Columns(Sequence[tuple[Tensor, ...]]):
    """Samples held column by column: sample i is ``tuple(column[i] for column in columns)``.

    What a ``__getitems__`` returns that gathers whole batches; `default_collate` then has nothing
    to stack.

    Example:
        >>> from autograd import tensor
        >>> Columns([tensor([1.0, 2.0]), tensor([3, 4])])[1]
        (tensor(2.), tensor(4))
    """

    def __init__(self, columns: Sequence[Tensor]) -> None:
        self.columns = list(columns)

    @overload
    def __getitem__(self, index: int) -> tuple[Tensor, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> Columns: ...
    def __getitem__(self, index: int | slice) -> tuple[Tensor, ...] | Columns:
        picked = [column[index] for column in self.columns]
        return Columns(picked) if isinstance(index, slice) else tuple(picked)

    def __len__(self) -> int:
        return len(self.columns[0])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of one length; sample i holds element i of each.

    Raises:
        ValueError: for no tensors, or different lengths.

    Example:
        >>> from autograd import tensor
        >>> TensorDataset(tensor([[1.0], [2.0]]), tensor([0, 1]))[1]
        (tensor([2.]), tensor(1))
    """

    def __init__(self, *tensors: Tensor) -> None:
        for position, value in enumerate(tensors):
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"TensorDataset: argument {position} must be a Tensor, "
                    f"got {type(value).__name__}"
                )
        shapes = [tuple(value.shape) for value in tensors]
        if not shapes or () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise ValueError(
                "TensorDataset: tensors must have the same first dimension, got shapes "
                f"{', '.join(map(str, shapes)) or 'none'}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(value[index] for value in self.tensors)

    def __getitems__(self, indices: Sequence[int]) -> Sequence[tuple[Tensor, ...]]:
        if type(self).__getitem__ is not TensorDataset.__getitem__:
            return [self[index] for index in indices]
        if any(value.requires_grad for value in self.tensors):
            return Columns([value[list(indices)] for value in self.tensors])
        rows = np.asarray(indices, np.intp)
        return Columns([from_numpy(value.array[rows]) for value in self.tensors])

    def __len__(self) -> int:
        return len(self.tensors[0])


class ConcatDataset(Dataset[T_co]):
    """Datasets one after another, as one.

    Raises:
        ValueError: for none.
        TypeError: for a stream, which has no numbers.

    Example:
        >>> both = ConcatDataset([[1, 2], [3]])
        >>> [both[i] for i in range(len(both))]
        [1, 2, 3]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: needs at least one dataset, got none")
        for position, dataset in enumerate(self.datasets):
            if isinstance(dataset, IterableDataset):
                raise TypeError(
                    f"ConcatDataset: dataset {position} is an IterableDataset "
                    f"({type(dataset).__name__}), whose samples have no numbers"
                )
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __getitem__(self, index: int) -> T_co:
        size = len(self)
        if not -size <= index < size:
            raise IndexError(f"ConcatDataset: index {index} is out of range for {size} samples")
        index %= size
        which = bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        sample: T_co = self.datasets[which][index - before]
        return sample

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]


class Subset(Dataset[T_co]):
    """The samples of a dataset with the given numbers.

    Example:
        >>> Subset(["a", "b", "c"], [2, 0])[0]
        'c'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            numbers: Any = [self.indices[i] for i in index]
        else:
            numbers = self.indices[index]
        picked: T_co = self.dataset[numbers]
        return picked

    def __getitems__(self, indices: Sequence[int]) -> Sequence[T_co]:
        if type(self).__getitem__ is not Subset.__getitem__:
            return [self[index] for index in indices]
        return fetch(self.dataset, [self.indices[index] for index in indices])

    def __len__(self) -> int:
        return len(self.indices)


def fetch(dataset: Any, indices: Sequence[int]) -> Sequence[Any]:
    """The samples with the given numbers, in one go where the dataset can."""
    read_all = getattr(dataset, "__getitems__", None)
    if read_all is None:
        return [dataset[index] for index in indices]
    samples: Sequence[Any] = read_all(indices)
    return samples


def random_split(
    dataset: Any, lengths: Sequence[float], generator: Generator | None = None
) -> list[Subset[Any]]:
    """Split a dataset at random into parts without common samples.

    Args:
        dataset: must have a length.
        lengths: of the parts, in samples, or as fractions that add up to 1; what rounding down
            leaves over goes to the first parts, one sample each.
        generator: draws the order.

    Raises:
        ValueError: for lengths that do not add up to the dataset's, or fractions out of [0, 1].

    Example:
        >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
        [8, 2]
    """
    size = len(dataset)
    counts = [int(length) for length in lengths]
    if isclose(sum(lengths), 1.0):
        for position, fraction in enumerate(lengths):
            if not 0.0 <= fraction <= 1.0:
                raise ValueError(
                    f"random_split: fraction {position} must be in [0, 1], got {fraction}"
                )
        counts = [floor(size * fraction) for fraction in lengths]
        for position in range(size - sum(counts)):
            counts[position % len(counts)] += 1
    if sum(counts) != size or min(counts, default=0) < 0:
        raise ValueError(
            f"random_split: lengths {list(lengths)} do not add up to the {size} samples"
        )
    if 0 in counts:
        warnings.warn(
            f"random_split: part {counts.index(0)} of {len(counts)} is empty",
            UserWarning,
            stacklevel=2,
        )
    order = randperm(size, generator=generator).tolist()
    ends = list(accumulate(counts))
    return [
        Subset(dataset, order[end - count : end]) for end, count in zip(ends, counts, strict=True)
    ]
