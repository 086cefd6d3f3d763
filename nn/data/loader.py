"""DataLoader: batches of a dataset, read ahead by threads if wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, islice, repeat, takewhile
from threading import local
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from autograd import Generator, randint
from autograd.generator import use_generator
from nn.data.collate import default_collate, default_convert
from nn.data.dataset import IterableDataset, fetch
from nn.data.sampler import BatchSampler, RandomSampler, SequentialSampler

if TYPE_CHECKING:
    from concurrent.futures import Future

T_co = TypeVar("T_co", covariant=True)


class DataLoader(Generic[T_co]):
    """Iterate over a dataset in batches.

    Args:
        dataset: samples by number (``dataset[i]`` and ``len``), or an `IterableDataset`.
        batch_size: None gives the samples one by one, not collated.
        shuffle: whether the order is drawn anew each time.
        sampler: gives the order instead; any iterable of numbers.
        batch_sampler: gives lists of numbers, one per batch; excludes the arguments before, and
            `drop_last`.
        num_workers: how many threads read ahead; 0 reads when asked. The batches come in the same
            order, and random numbers of `autograd` drawn in the dataset do not depend on how many
            threads there are, as long as there are any. A stream is read by one thread.
        collate_fn: makes a batch of a list of samples.
        drop_last: whether a smaller batch at the end is left out.
        worker_init_fn: is called in each thread, with its number, before it reads.
        generator: draws the order.
        prefetch_factor: how many batches each thread reads ahead, 2 by default.

    Raises:
        ValueError: for arguments out of range or that exclude each other.

    Example:
        >>> from autograd import arange
        >>> for batch in DataLoader(arange(5), batch_size=2):
        ...     print(batch)
        tensor([0, 1])
        tensor([2, 3])
        tensor([4])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        *,
        drop_last: bool = False,
        worker_init_fn: Callable[[int], None] | None = None,
        generator: Generator | None = None,
        prefetch_factor: int | None = None,
    ) -> None:
        self._is_stream = isinstance(dataset, IterableDataset)
        self._check(batch_size, shuffle, sampler, batch_sampler, drop_last)
        if num_workers < 0:
            raise ValueError(f"DataLoader: num_workers must be at least 0, got {num_workers}")
        if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 1):
            raise ValueError(
                "DataLoader: prefetch_factor must be a positive integer and needs num_workers "
                f"above 0, got prefetch_factor {prefetch_factor}, num_workers {num_workers}"
            )
        if batch_sampler is not None:
            batch_size = None
        elif not self._is_stream:
            if sampler is None and shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            elif sampler is None:
                sampler = SequentialSampler(dataset)
            if batch_size is not None:
                batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        elif batch_size is not None:
            BatchSampler((), batch_size, drop_last)
        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.drop_last = drop_last
        self.worker_init_fn = worker_init_fn
        self.generator = generator
        self.prefetch_factor = prefetch_factor or 2
        batched = batch_sampler is not None or batch_size is not None
        self.collate_fn = collate_fn or (default_collate if batched else default_convert)

    def _check(
        self, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
    ) -> None:
        if self._is_stream:
            given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
            for name, value in given.items():
                if value is not None:
                    raise ValueError(
                        f"DataLoader: an IterableDataset comes in its own order; got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler and shuffle exclude each other")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise ValueError(
                "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last"
            )
        if batch_sampler is None and batch_size is None and drop_last:
            raise ValueError("DataLoader: drop_last needs a batch_size, got None")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and name in self.__dict__:
            raise ValueError(f"DataLoader: {name} cannot be changed; make a new DataLoader")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        if not self._is_stream:
            order: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
            return len(order)
        size = len(self.dataset)
        return (
            size
            if self.batch_size is None
            else len(BatchSampler(range(size), self.batch_size, self.drop_last))
        )

    def __iter__(self) -> Iterator[Any]:
        # Drawn without threads too, so that they do not change the order of the samples.
        seed = int(randint(0, 2**62, (1,), generator=self.generator).item())
        batches = self._read_ahead(seed) if self.num_workers else self._read_each()
        return takewhile(lambda batch: batch is not END, batches)

    def _reads(self) -> Iterator[Callable[[], Any]]:
        """For each batch in turn a function that reads it, and returns END after the last."""
        if self._is_stream:
            yield from repeat(partial(self._read_stream, iter(self.dataset)))
        elif self.batch_sampler is not None:
            for indices in self.batch_sampler:
                yield partial(self._read_batch, indices)
        else:
            for index in self.sampler or ():
                yield partial(self._read_sample, index)

    def _read_batch(self, indices: list[int]) -> Any:
        return self.collate_fn(fetch(self.dataset, indices))

    def _read_sample(self, index: int) -> Any:
        return self.collate_fn(self.dataset[index])

    def _read_stream(self, stream: Iterator[Any]) -> Any:
        if self.batch_size is None:
            sample = next(stream, END)
            return sample if sample is END else self.collate_fn(sample)
        samples = list(islice(stream, self.batch_size))
        if not samples or (self.drop_last and len(samples) < self.batch_size):
            return END
        return self.collate_fn(samples)

    def _read_each(self) -> Iterator[Any]:
        for read in self._reads():
            yield read()

    def _read_ahead(self, seed: int) -> Iterator[Any]:
        """Read in threads, some batches ahead, and hand out in order; close to stop early."""
        from concurrent.futures import ThreadPoolExecutor  # its import is slow, and often unneeded

        numbers, worker = count(), local()

        def run(read: Callable[[], Any], batch: int) -> Any:
            if not hasattr(worker, "number"):
                worker.number = next(numbers)
                if self.worker_init_fn is not None:
                    self.worker_init_fn(worker.number)
            with use_generator(Generator().manual_seed(seed + batch)):
                return read()

        pool = ThreadPoolExecutor(1 if self._is_stream else self.num_workers, "DataLoader")
        waiting: deque[Future[Any]] = deque()
        try:
            for batch, read in enumerate(self._reads()):
                waiting.append(pool.submit(run, read, batch))
                if len(waiting) > self.num_workers * self.prefetch_factor:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


FIXED = ("batch_sampler", "batch_size", "dataset", "drop_last", "sampler")

END: Any = object()
"""Stands for the batch after the last one of a stream."""
