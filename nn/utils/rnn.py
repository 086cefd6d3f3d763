"""Sequences of different lengths: padded to one tensor, or packed without padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Tensor, tensor
from autograd.errors import DtypeError, ShapeError

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class PackedSequence(NamedTuple):
    """Sequences of different lengths, without padding: step by step, those that last so long.

    Attributes:
        data: (sum of all lengths, ...); first step 0 of all sequences, then step 1 of those that
            have one, and so on. The sequences are sorted by falling length.
        batch_sizes: (longest,), how many sequences have each step.
        sorted_indices: (batch,), where the sequences stood before they were sorted; None if there.
        unsorted_indices: (batch,), the inverse of that permutation; None likewise.

    Made by `pack_padded_sequence` and `pack_sequence`.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same sequences with data of another type: arguments as `Tensor.to`."""
        return self._replace(data=self.data.to(*args, **kwargs))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes one; None of None.

    >>> from autograd import tensor
    >>> invert_permutation(tensor([2, 0, 1])).tolist()
    [1, 2, 0]
    """
    return None if permutation is None else tensor(np.argsort(permutation.array))


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Leave the padding out of a padded batch of sequences.

    Args:
        input: (longest, batch, ...).
        lengths: the length of each sequence.
        batch_first: whether the input is (batch, longest, ...).
        enforce_sorted: refuse lengths that rise, rather than sort the sequences.

    Raises:
        ShapeError: there is not one length for each sequence.
        ValueError: a length is below 1 or above that of the input, or lengths rise.

    >>> from autograd import tensor
    >>> pack_padded_sequence(tensor([[1, 4], [2, 5], [3, 0]]), [3, 2]).data.tolist()
    [1, 4, 2, 5, 3]
    """
    name = "pack_padded_sequence"
    counts = whole_numbers(name, lengths)
    if input.ndim < 2:
        raise ShapeError(f"{name}: input has shape {tuple(input.shape)}, expected (T, N, ...)")
    if batch_first:
        input = input.transpose(0, 1)  # (N, T, ...) -> (T, N, ...)
    steps, batch = (int(size) for size in input.shape[:2])
    if counts.shape != (batch,):
        raise ShapeError(
            f"{name}: lengths has shape {counts.shape}, expected one for each of {batch} sequences"
        )
    if not batch or counts.min() < 1 or counts.max() > steps:
        raise ValueError(
            f"{name}: lengths must lie between 1 and {steps}, the length of the input, got "
            f"{counts.tolist()}"
        )
    order = None
    if not enforce_sorted:
        order = np.argsort(-counts, kind="stable")
        counts = counts[order]
    elif np.any(np.diff(counts) > 0):
        raise ValueError(
            f"{name}: lengths {counts.tolist()} rise; sort the sequences by falling length, or set "
            "enforce_sorted=False"
        )
    present = np.arange(counts[0])[:, None] < counts  # (T, N)
    places = np.arange(steps)[: counts[0], None] * batch + (
        np.arange(batch) if order is None else order
    )
    flat = input.reshape(steps * batch, *input.shape[2:])  # (T, N, ...) -> (T * N, ...)
    indices = None if order is None else tensor(order)
    return PackedSequence(
        flat[tensor(places[present])],
        tensor(present.sum(axis=1)),
        indices,
        invert_permutation(indices),
    )


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """The padded batch of packed sequences, in their first order, and their lengths.

    Args:
        sequence: what `pack_padded_sequence` made.
        batch_first: whether the result is (batch, longest, ...) rather than (longest, batch, ...).
        padding_value: stands behind the end of shorter sequences.
        total_length: pad to this length rather than that of the longest sequence.

    Raises:
        ValueError: `total_length` is shorter than a sequence.

    >>> from autograd import tensor
    >>> padded, lengths = pad_packed_sequence(pack_sequence([tensor([1, 2]), tensor([3])]))
    >>> padded.tolist(), lengths.tolist()
    ([[1, 3], [2, 0]], [2, 1])
    """
    sizes = sequence.batch_sizes.array
    steps, batch = len(sizes), int(sizes[0])
    if total_length is not None and total_length < steps:
        raise ValueError(
            f"pad_packed_sequence: total_length is {total_length}, the longest sequence has {steps}"
        )
    data = sequence.data
    rows = len(data)
    places = np.full((steps if total_length is None else total_length, batch), rows)
    present = np.arange(batch) < sizes[:, None]  # (T, N)
    places[:steps][present] = np.arange(rows)
    lengths = present.sum(axis=0)
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices.array
        places, lengths = places[:, order], lengths[order]
    if batch_first:
        places = places.T
    if (places == rows).any():
        padding = autograd.full((1, *data.shape[1:]), padding_value, dtype=data.dtype)
        data = autograd.cat([data, padding])
    return data[tensor(np.ascontiguousarray(places))], tensor(lengths)


def pad_sequence(
    sequences: Tensor | Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """One tensor of sequences of different lengths, (longest, batch, ...).

    Args:
        sequences: tensors (length, ...) that differ in their first size only.
        batch_first: whether the result is (batch, longest, ...).
        padding_value: fills up shorter sequences.
        padding_side: "right", behind them, or "left".

    Raises:
        ShapeError: the sequences differ in another size.
        ValueError: there is none, or the side is another word.

    >>> from autograd import tensor
    >>> pad_sequence([tensor([1, 2]), tensor([3])], batch_first=True).tolist()
    [[1, 2], [3, 0]]
    """
    parts = list(sequences)
    if padding_side not in ("left", "right"):
        raise ValueError(f"pad_sequence: padding_side is 'left' or 'right', got {padding_side!r}")
    if not parts:
        raise ValueError("pad_sequence: expected at least one sequence")
    shapes = [tuple(part.shape) for part in parts]
    if any(not shape or shape[1:] != shapes[0][1:] for shape in shapes):
        raise ShapeError(
            f"pad_sequence: sequences (length, ...) must agree in all other sizes, got {shapes}"
        )
    longest = max(shape[0] for shape in shapes)
    padded = []
    for part, shape in zip(parts, shapes, strict=True):
        missing = longest - shape[0]
        if missing:
            padding = autograd.full((missing, *shape[1:]), padding_value, dtype=part.dtype)
            part = autograd.cat([part, padding] if padding_side == "right" else [padding, part])
        padded.append(part)
    return autograd.stack(padded, dim=0 if batch_first else 1)


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False
) -> list[Tensor]:
    """The sequences of a padded batch, each without its padding.

    >>> from autograd import tensor
    >>> [part.tolist() for part in unpad_sequence(tensor([[1, 3], [2, 0]]), [2, 1])]
    [[1, 2], [3]]
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)  # (T, N, ...) -> (N, T, ...)
    counts = whole_numbers("unpad_sequence", lengths).tolist()
    return [part[:count] for part, count in zip(padded_sequences, counts, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (length, ...) of different lengths; see `pack_padded_sequence`."""
    lengths = [len(part) for part in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed.

    >>> from autograd import tensor
    >>> packed = pack_sequence([tensor([1, 2]), tensor([3])])
    >>> [part.tolist() for part in unpack_sequence(packed)]
    [[1, 2], [3]]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def whole_numbers(operation: str, lengths: Tensor | Sequence[int]) -> np.ndarray[Any, Any]:
    values = np.asarray(lengths.array if isinstance(lengths, Tensor) else lengths)
    if values.dtype.kind not in "iu":
        raise DtypeError(f"{operation}: lengths must be whole numbers, got {values.dtype}")
    return values.astype(np.int64)
