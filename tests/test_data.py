from __future__ import annotations

import gc
import threading
import time
from collections import namedtuple

import numpy as np
import pytest
from oracle import refused_in_torch

import autograd
from autograd import Generator, manual_seed, tensor
from nn.data import (
    BatchSampler,
    Columns,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    default_convert,
    random_split,
)


class Squares(Dataset):
    """Slow in another way for every sample, so that threads finish out of order."""

    def __init__(self, size=20):
        self.size = size

    def __getitem__(self, index):
        time.sleep(0.002 * (index % 3))
        return index**2

    def __len__(self):
        return self.size


class Stream(IterableDataset):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        for value in range(self.size):
            time.sleep(0.001 * (value % 2))
            yield value

    def __len__(self):
        return self.size


class Noise(Dataset):
    def __getitem__(self, index):
        time.sleep(0.001 * (index % 4))
        return autograd.rand(2)

    def __len__(self):
        return 16


def pairs(size=10):
    return TensorDataset(
        autograd.arange(size * 3, dtype=np.float32).reshape(size, 3), autograd.arange(size)
    )


def flat(loader):
    return [value for batch in loader for value in batch.tolist()]


def no_loader_threads():
    return not any(thread.name.startswith("DataLoader") for thread in threading.enumerate())


WORKERS = pytest.mark.parametrize("num_workers", [0, 1, 3])


# Datasets


def test_tensor_dataset():
    dataset = pairs()
    x, y = dataset[2]
    assert (x.tolist(), y.item()) == ([6.0, 7.0, 8.0], 2)
    assert len(dataset) == 10
    samples = dataset.__getitems__([3, 1])
    assert [y.item() for _, y in samples] == [3, 1]
    assert len(samples[0:1]) == 1
    with pytest.raises(IndexError):
        samples[2]


def test_tensor_dataset_keeps_gradients():
    x = tensor([1.0, 2.0, 3.0], requires_grad=True)
    for (batch,) in DataLoader(TensorDataset(x), batch_size=2):
        (batch * batch).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0, 6.0]


def test_batches_of_a_tensor_dataset_own_their_memory():
    dataset = pairs()
    x, _ = next(iter(DataLoader(dataset, batch_size=4)))
    x.zero_()
    assert dataset[1][0].tolist() == [3.0, 4.0, 5.0]


def test_a_batch_is_gathered_at_once(monkeypatch):
    def one_by_one(self, index):
        raise AssertionError("read one by one")

    monkeypatch.setattr(Columns, "__getitem__", one_by_one)
    subset = Subset(Subset(pairs(), [9, 8, 7, 6, 5]), [4, 3, 2])
    x, y = next(iter(DataLoader(subset, batch_size=3)))
    assert y.tolist() == [5, 6, 7]
    assert x.shape == (3, 3)


def test_a_changed_getitem_is_used_for_batches_too():
    class Shifted(TensorDataset):
        def __getitem__(self, index):
            return (super().__getitem__(index)[0] + 100,)

    class Negative(Subset):
        def __getitem__(self, index):
            return -super().__getitem__(index)

    batch = next(iter(DataLoader(Shifted(autograd.arange(3)), batch_size=3)))
    assert batch[0].tolist() == [100, 101, 102]
    assert flat(DataLoader(Negative(Squares(), [1, 2]), batch_size=2)) == [-1, -4]


def test_collate_fn_sees_samples():
    seen = []
    loader = DataLoader(pairs(), batch_size=4, collate_fn=lambda batch: seen.append(list(batch)))
    assert list(loader) == [None, None, None]
    assert [y.item() for _, y in seen[2]] == [8, 9]


def test_concat_and_subset():
    both = Squares(3) + Squares(2)
    assert isinstance(both, ConcatDataset)
    assert [both[i] for i in (0, 2, 3, 4, -1, -5)] == [0, 4, 0, 1, 1, 0]
    assert len(both) == 5
    for index in (5, -6):
        with pytest.raises(IndexError, match="out of range for 5 samples"):
            both[index]
    empty_between = ConcatDataset([[1], [], [2]])
    assert [empty_between[i] for i in range(2)] == [1, 2]
    subset = Subset(both, [4, 2])
    assert (subset[0], subset[1], len(subset)) == (1, 4, 2)


def test_random_split():
    parts = random_split(range(10), [7, 3], Generator().manual_seed(1))
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(value for part in parts for value in part) == list(range(10))
    again = random_split(range(10), [7, 3], Generator().manual_seed(1))
    assert [part.indices for part in parts] == [part.indices for part in again]
    other = random_split(range(10), [7, 3], Generator().manual_seed(2))
    assert [part.indices for part in parts] != [part.indices for part in other]


@pytest.mark.parametrize(
    ("size", "fractions"),
    [(10, [0.5, 0.5]), (10, [0.3, 0.3, 0.4]), (11, [0.25] * 4), (7, [1.0])],
)
def test_random_split_by_fractions_as_in_torch(size, fractions):
    torch = pytest.importorskip("torch")
    theirs = torch.utils.data.random_split(range(size), fractions)
    mine = random_split(range(size), fractions)
    assert [len(part) for part in mine] == [len(part) for part in theirs]


def test_random_split_by_fractions_whose_sum_is_rounded_up():
    # above 1 when added from the left, as `sum` does before Python 3.12
    fractions = [0.8, 0.05, 0.05, 0.05, 0.05]
    assert [len(part) for part in random_split(range(100), fractions)] == [80, 5, 5, 5, 5]


def test_random_split_warns_of_an_empty_part():
    with pytest.warns(UserWarning, match="part 1 of 2 is empty"):
        parts = random_split(range(3), [0.9, 0.1])
    assert [len(part) for part in parts] == [3, 0]


# Samplers


def test_samplers():
    assert list(SequentialSampler("abc")) == [0, 1, 2]
    generator = Generator().manual_seed(0)
    order = list(RandomSampler(range(50), generator=generator))
    assert sorted(order) == list(range(50))
    assert order != list(range(50))
    assert order != list(RandomSampler(range(50), generator=generator))
    longer = list(RandomSampler(range(5), num_samples=12))
    assert len(longer) == 12
    assert sorted(longer[:5]) == sorted(longer[5:10]) == list(range(5))
    drawn = list(RandomSampler(range(5), replacement=True, num_samples=200))
    assert set(drawn) == set(range(5))
    assert len(drawn) == len(RandomSampler(range(5), True, 200)) == 200
    assert sorted(SubsetRandomSampler([3, 9, 4])) == [3, 4, 9]
    assert all(isinstance(index, int) for index in order + drawn)


def test_weighted_sampler():
    generator = Generator().manual_seed(0)
    drawn = list(WeightedRandomSampler([1.0, 0.0, 3.0], 4000, generator=generator))
    counts = np.bincount(drawn, minlength=3)
    assert counts[1] == 0
    assert counts[2] / 4000 == pytest.approx(0.75, abs=0.03)
    without = list(WeightedRandomSampler([1.0, 0.0, 3.0], 2, replacement=False))
    assert sorted(without) == [0, 2]


def test_batch_sampler():
    assert list(BatchSampler(range(5), 2, True)) == [[0, 1], [2, 3]]
    assert list(BatchSampler(iter([7, 8, 9]), 2, False)) == [[7, 8], [9]]
    assert [len(BatchSampler(range(5), 2, drop)) for drop in (True, False)] == [2, 3]


# Collating


def test_collate_as_in_torch():
    torch = pytest.importorskip("torch")
    from torch.utils.data import default_collate as expected

    Point = namedtuple("Point", "x y")

    def samples(make):
        array = np.arange(3, dtype=np.int16)
        for index in range(2):
            yield {
                "tensor": make([index + 0.5]),
                "array": array + index,
                "scalar": np.float32(index),
                "float": index / 3,
                "int": index,
                "bool": index == 0,
                "text": f"sample {index}",
                "pair": (index, [make(index), 2]),
                "point": Point(index, 1.0),
            }

    def plain(value):
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value), [plain(item) for item in value]
        return (str(value.numpy().dtype), value.tolist()) if hasattr(value, "numpy") else value

    mine = plain(default_collate(list(samples(tensor))))
    assert mine == plain(expected(list(samples(torch.tensor))))


def test_collate_refuses():
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        default_collate([autograd.ones(3), autograd.ones(2)])
    with pytest.raises(ValueError, match="same number of parts, got 1 and 2"):
        default_collate([(1,), (1, 2)])
    for sample in (None, object(), {1, 2}, np.array("text")):
        with pytest.raises(TypeError, match=f"found {type(sample).__name__}"):
            default_collate([sample, sample])


def test_convert():
    point = namedtuple("Point", "x y")(np.zeros(2), 1)
    converted = default_convert({"a": np.float32(1.5), "b": [point, "text"]})
    assert converted["a"].dtype == np.float32
    assert converted["b"][0].x.tolist() == [0.0, 0.0]
    assert converted["b"][1] == "text"


# DataLoader


@WORKERS
def test_order_and_sizes(num_workers):
    loader = DataLoader(Squares(), batch_size=3, num_workers=num_workers)
    assert len(loader) == 7
    assert [batch.tolist() for batch in loader][-2:] == [[225, 256, 289], [324, 361]]
    assert flat(loader) == [i**2 for i in range(20)]
    shorter = DataLoader(Squares(), batch_size=3, num_workers=num_workers, drop_last=True)
    assert [len(batch) for batch in shorter] == [3] * 6
    assert len(shorter) == 6


@WORKERS
def test_the_same_seed_gives_the_same_order(num_workers):
    loader = DataLoader(Squares(), batch_size=4, shuffle=True, num_workers=num_workers)
    manual_seed(5)
    first, second = flat(loader), flat(loader)
    manual_seed(5)
    assert [flat(loader), flat(loader)] == [first, second]
    assert first != second
    assert sorted(first) == [i**2 for i in range(20)]


def test_threads_do_not_change_the_order():
    orders = []
    for num_workers in (0, 1, 3):
        options = {"shuffle": True, "generator": Generator().manual_seed(7)}
        loader = DataLoader(Squares(), batch_size=4, num_workers=num_workers, **options)
        orders.append([flat(loader), flat(loader)])
    assert orders[0] == orders[1] == orders[2]


def test_random_numbers_in_the_dataset_do_not_depend_on_the_number_of_threads():
    drawn = []
    for num_workers in (1, 2, 5):
        manual_seed(3)
        loader = DataLoader(Noise(), batch_size=2, num_workers=num_workers)
        drawn.append([flat(loader), flat(loader)])
    assert drawn[0] == drawn[1] == drawn[2]
    values = np.array(drawn[0])
    assert len(np.unique(values)) == values.size


@WORKERS
def test_samplers_given(num_workers):
    options = {"num_workers": num_workers}
    assert flat(DataLoader(Squares(), 2, sampler=[4, 0, 2], **options)) == [16, 0, 4]
    batches = DataLoader(Squares(), batch_sampler=[[1], [2, 3]], **options)
    assert [batch.tolist() for batch in batches] == [[1], [4, 9]]
    assert len(batches) == 2
    assert batches.batch_size is None


@WORKERS
def test_without_batches(num_workers):
    loader = DataLoader(pairs(3), batch_size=None, num_workers=num_workers)
    assert [y.item() for _, y in loader] == [0, 1, 2]
    assert len(loader) == 3


@WORKERS
def test_stream(num_workers):
    options = {"num_workers": num_workers}
    loader = DataLoader(Stream(7), batch_size=3, **options)
    for _ in range(2):
        assert [batch.tolist() for batch in loader] == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(loader) == 3
    dropping = DataLoader(Stream(7), batch_size=3, drop_last=True, **options)
    assert flat(dropping) == [0, 1, 2, 3, 4, 5]
    assert len(dropping) == 2
    assert list(DataLoader(Stream(3), batch_size=None, **options)) == [0, 1, 2]
    assert list(DataLoader(Stream(0), batch_size=2, **options)) == []


@WORKERS
def test_an_error_in_the_dataset_arrives_in_its_place(num_workers):
    class Broken(Squares):
        def __getitem__(self, index):
            if index == 5:
                raise KeyError("sample 5")
            return super().__getitem__(index)

    received = []
    loader = DataLoader(Broken(), batch_size=2, num_workers=num_workers)
    with pytest.raises(KeyError, match="sample 5"):
        received.extend(batch.tolist() for batch in loader)
    assert received == [[0, 1], [4, 9]]
    assert no_loader_threads()


@pytest.mark.parametrize("dataset", [Squares(), Stream(1000)])
def test_stopping_early_leaves_no_threads(dataset):
    for batch in DataLoader(dataset, batch_size=1, num_workers=3):
        if batch.item() >= 1:
            break
    assert no_loader_threads()
    iterator = iter(DataLoader(dataset, batch_size=1, num_workers=2))
    next(iterator)
    assert not no_loader_threads()
    gc.disable()
    try:
        del iterator
        assert no_loader_threads()
    finally:
        gc.enable()


def test_reads_ahead_but_not_too_far():
    read = []

    class Recording(Squares):
        def __getitem__(self, index):
            read.append(index)
            return index

    loader = DataLoader(Recording(100), batch_size=1, num_workers=2, prefetch_factor=3)
    iterator = iter(loader)
    assert next(iterator).item() == 0
    deadline = time.monotonic() + 10
    while len(read) < 7 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert sorted(read) == list(range(7))


def test_an_endless_sampler():
    class Forever(Sampler):
        def __iter__(self):
            while True:
                yield 3

    iterator = iter(DataLoader(Squares(), sampler=Forever(), num_workers=2))
    assert [next(iterator).item() for _ in range(5)] == [9] * 5


def test_worker_init_fn():
    numbers = []
    loader = DataLoader(Squares(40), num_workers=3, worker_init_fn=numbers.append)
    assert len(flat(loader)) == 40
    assert sorted(numbers) == list(range(len(numbers)))
    assert 1 <= len(numbers) <= 3

    def fail(number):
        raise OSError("no such worker")

    with pytest.raises(OSError, match="no such worker"):
        flat(DataLoader(Squares(), num_workers=2, worker_init_fn=fail))


def test_attributes_are_fixed():
    loader = DataLoader(Squares(), batch_size=2)
    with pytest.raises(ValueError, match="batch_size cannot be changed"):
        loader.batch_size = 4
    assert len(next(iter(loader))) == 2


BAD = [
    (lambda: DataLoader([1], batch_size=0), ValueError, "batch_size must be a positive"),
    (lambda: DataLoader([1], batch_size=2.5), ValueError, "positive integer, got 2.5"),
    (lambda: DataLoader([1], shuffle=True, sampler=[0]), ValueError, "sampler and shuffle"),
    (lambda: DataLoader([1], 4, batch_sampler=[[0]]), ValueError, "batch_sampler excludes"),
    (lambda: DataLoader([1], batch_size=None, drop_last=True), ValueError, "needs a batch"),
    (lambda: DataLoader([1], num_workers=-1), ValueError, "at least 0, got -1"),
    (lambda: DataLoader([1], prefetch_factor=2), ValueError, "needs num_workers"),
    (lambda: DataLoader([], shuffle=True), ValueError, "num_samples must be a positive"),
    (lambda: DataLoader(Stream(3), shuffle=True), ValueError, "got shuffle=True"),
    (lambda: DataLoader(Stream(3), sampler=[0]), ValueError, r"got sampler=\[0\]"),
    (lambda: DataLoader(Stream(3), batch_size=0), ValueError, "batch_size must be"),
    (lambda: DataLoader([1], pin_memory=True), TypeError, "pin_memory"),
    (lambda: TensorDataset(), ValueError, "got shapes none"),
    (
        lambda: TensorDataset(autograd.ones(2), autograd.ones(3)),
        ValueError,
        r"shapes \(2,\), \(3,\)",
    ),
    (lambda: TensorDataset(tensor(1.0)), ValueError, "same first dimension"),
    (lambda: TensorDataset([1.0]), TypeError, "argument 0 must be a Tensor, got list"),
    (lambda: ConcatDataset([]), ValueError, "at least one dataset"),
    (lambda: ConcatDataset([Stream(3)]), TypeError, "dataset 0 is an IterableDataset"),
    (lambda: RandomSampler([], num_samples=0), ValueError, "num_samples"),
    (lambda: RandomSampler([1], replacement=1), TypeError, "must be a bool, got 1"),
    (lambda: WeightedRandomSampler([1.0], 0), ValueError, "num_samples"),
    (lambda: WeightedRandomSampler([[1.0]], 1), ValueError, "one dimension"),
    (lambda: WeightedRandomSampler([-1.0, 2.0], 1), ValueError, "at least 0"),
    (lambda: WeightedRandomSampler([0.0, 0.0], 1), ValueError, "not all 0"),
    (lambda: WeightedRandomSampler([1.0, 0.0], 2, False), ValueError, "only 1 weights"),
    (lambda: BatchSampler([1], 2, drop_last=1), ValueError, "drop_last must be a bool"),
    (lambda: random_split(range(5), [3, 3]), ValueError, "do not add up to the 5 samples"),
    (lambda: random_split(range(5), [6, -1]), ValueError, "do not add up"),
    (lambda: random_split(range(5), [1.5, -0.5]), ValueError, "fraction 0"),
    (lambda: Dataset()[0], NotImplementedError, "defines no __getitem__"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


STRICTER = {
    "got shuffle=True",  # Stream is a data set of ours, which PyTorch does not know
    r"got sampler=\[0\]",  # likewise
    "dataset 0 is an IterableDataset",  # likewise
    "pin_memory",  # there is no other memory here
    "got shapes none",  # PyTorch raises when the length is asked for
    "at least 0",  # PyTorch raises when the sampler is read
    "not all 0",  # likewise
    "only 1 weights",  # likewise
    "do not add up",  # [6, -1] are 5
}


@pytest.mark.parametrize("make", [row[0] for row in BAD if row[2] not in STRICTER])
def test_what_is_refused_is_refused_in_torch(make):
    assert refused_in_torch(make)
