"""Sharing work among threads: the same results, and nothing left behind."""

import os
import platform
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import autograd
import nn
from autograd.kernels import process
from autograd.kernels.threads import Bell, Job, share


@pytest.fixture
def restored():
    before = autograd.get_num_threads()
    yield
    autograd.set_num_threads(before)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
def test_slices_cover_everything_once_and_in_order(restored, number, count):
    autograd.set_num_threads(number)
    parts = share(lambda part: list(range(part.start, part.stop)), count, 10**9)
    assert [place for part in parts for place in part] == list(range(count))
    assert len(parts) == max(1, min(number, count))


def test_small_work_stays_in_this_thread(restored):
    autograd.set_num_threads(4)
    assert share(lambda part: threading.current_thread(), 100, 10) == [threading.current_thread()]


def test_blas_is_held_to_one_thread(restored, monkeypatch):
    """For good: its threads keep cores busy for milliseconds after each product."""
    monkeypatch.setattr(process, "_settled", False)  # other tests load libraries with their own
    autograd.set_num_threads(2)
    alone = [[1] * len(blas_threads())] * 2
    assert share(lambda part: blas_threads(), 2, 10**9) == alone
    assert blas_threads() == alone[0]


def test_a_job_that_is_done_keeps_nothing_alive(restored):
    """A thread that comes too late to help still has the job in its queue."""
    autograd.set_num_threads(2)
    kept = np.zeros(3)
    alive = weakref.ref(kept)
    job = Job(lambda part, kept=kept: kept[part], [slice(0, 1), slice(1, 3)])
    del kept
    parts = job.finish(Bell())
    assert alive() is not None
    del parts
    assert alive() is None
    assert job.take() == 0


def test_an_error_in_any_part_arrives(restored):
    autograd.set_num_threads(2)

    def fail(part):
        if part.start:
            raise ArithmeticError("in the other thread")

    with pytest.raises(ArithmeticError, match="other thread"):
        share(fail, 2, 10**9)
    assert share(lambda part: part.start, 2, 10**9) == [0, 1]


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "2"])
def test_numbers_that_are_none(number):
    with pytest.raises(ValueError, match="set_num_threads"):
        autograd.set_num_threads(number)


def training_step(seed):
    autograd.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 49, 64),
    )
    loss = model(autograd.randn(32, 3, 16, 16)).square().mean()
    loss.backward()
    return [parameter.grad.numpy().copy() for parameter in model.parameters()]


def test_same_threads_same_bits_and_other_threads_nearly_the_same(restored):
    autograd.set_num_threads(2)
    first, again = training_step(0), training_step(0)
    autograd.set_num_threads(1)
    alone = training_step(0)
    for one, two, three in zip(first, again, alone, strict=True):
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, three, rtol=1e-4, atol=1e-6)


def test_models_trained_in_several_threads_at_once(restored):
    autograd.set_num_threads(2)
    results: dict[int, list] = {}
    lock = threading.Lock()  # drawing initial weights from one generator is not what is tested

    def work(number):
        with lock:
            autograd.manual_seed(number)
            model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Flatten(), nn.Linear(16 * 196, 8))
            images = autograd.randn(32, 3, 16, 16)
        for _ in range(3):
            model.zero_grad()
            model(images).square().mean().backward()
        results[number] = [parameter.grad.numpy() for parameter in model.parameters()]

    def run(numbers):
        crew = [threading.Thread(target=work, args=(number,)) for number in numbers]
        for member in crew:
            member.start()
        for member in crew:
            member.join()

    run([1, 2, 3])
    together = dict(results)
    for number in (1, 2, 3):
        run([number])
        for one, two in zip(together[number], results[number], strict=True):
            np.testing.assert_array_equal(one, two)


def test_freed_memory_is_kept():
    """A step that takes and frees large arrays fetches no pages from the system, once warm."""
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        pytest.skip("only with the GNU C library")
    code = """
import resource
import numpy as np
from autograd.kernels.threads import share
share(lambda part: None, 2, 10**9)
def step():
    kept = [np.ones(1 << 19, np.float32) for _ in range(40)]
step(); step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = {}
    for keep in "10":
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "NDGRAD_KEEP_MEMORY": keep},
        )
        faults[keep] = int(run.stdout)
    assert faults["1"] < 100 < faults["0"]
