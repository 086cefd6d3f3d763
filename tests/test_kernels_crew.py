"""Compiled work that is handed out without the interpreter lock: everything once, whoever helps."""

import ast
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

import autograd
from autograd.kernels import numba_crew, numba_wait, threads
from autograd.kernels.compiled import (
    Floats,
    Floats2d,
    Floats3d,
    Integers,
    Integers2d,
    compiled_exactly,
    in_order,
)
from autograd.kernels.numba_crew import share, shared
from autograd.kernels.numba_room import empty

LARGE = 1 << 30


@pytest.fixture(autouse=True)
def awake(monkeypatch):
    """Threads wait awake, as they do once a compiled kernel was used."""
    before = autograd.get_num_threads()
    monkeypatch.setattr(threads, "wait_awake", numba_wait.wait)
    yield
    autograd.set_num_threads(before)


@compiled_exactly
def mark(out: Floats, amount: float, first: int, last: int) -> None:
    shared()
    for k in range(first, last):
        out[k] += amount


@compiled_exactly
def meet(came: Integers2d, met: Floats, looks: int, first: int, last: int) -> None:
    """Each part says that it came, and waits for the other for a while."""
    shared()
    for k in range(first, last):
        numba_wait.count_up(came[k].ctypes.data)
        for _ in range(looks):
            if numba_wait.read(came[1 - k].ctypes.data) > 0:
                met[k] = 1
                break


@compiled_exactly
def exhaust(sizes: Integers, first: int, last: int) -> None:
    shared()
    for k in range(first, last):
        empty(sizes, sizes[k])[:1] = 0


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 1000])
def test_every_item_is_done_once(number, count):
    autograd.set_num_threads(number)
    out = np.zeros(count)
    for _ in range(300):
        share(mark, count, LARGE, out, 2.0)
    assert (out == 600).all()


@pytest.mark.parametrize("pause", [0, 0.01], ids=["awake", "asleep"])
def test_another_thread_takes_part(pause):
    """Not each time: one that falls asleep just now, or does not get a core, misses it."""
    autograd.set_num_threads(2)
    share(meet, 2, 0, np.zeros((2, 1), np.int64), np.zeros(2), 1)  # compiles it
    together = 0
    for _ in range(20):
        time.sleep(pause)  # threads sleep after half a millisecond
        came, met = np.zeros((2, 1), np.int64), np.zeros(2)
        share(meet, 2, LARGE, came, met, 1 << 27)
        together += met.all()
    assert together


def test_how_many_take_part(monkeypatch):
    autograd.set_num_threads(4)
    monkeypatch.setattr(threads, "WORTHWHILE", 800)
    assert [numba_crew.parts_of(10, work) for work in (0, 99, 250, 10_000)] == [1, 1, 2, 4]
    assert numba_crew.parts_of(3, 10_000) == 3


def test_several_callers_at_once():
    """One has the board; the others do all by themselves."""
    autograd.set_num_threads(2)
    arrays = [np.zeros(500) for _ in range(4)]

    def call(array):
        for _ in range(400):
            share(mark, len(array), LARGE, array, 1.0)

    callers = [threading.Thread(target=call, args=(array,)) for array in arrays]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert all((array == 400).all() for array in arrays)


@pytest.mark.parametrize("place", [0, 1])
def test_a_part_without_memory(place):
    autograd.set_num_threads(2)
    sizes = np.ones(2, np.int64)
    sizes[place] = 1 << 58
    with pytest.raises(MemoryError, match="compiled kernel"):
        share(exhaust, 2, LARGE, sizes)
    out = np.zeros(10)
    share(mark, 10, LARGE, out, 1.0)
    assert (out == 1).all()


@compiled_exactly
def weigh(
    x: Floats3d,
    y: Floats2d,
    out: Floats,
    plus: int,
    times: float,
    both: bool,
    first: int,
    last: int,
) -> None:
    shared()
    for k in range(first, last):
        total = 0.0
        for i in range(x.shape[1]):
            for j in range(x.shape[2]):
                total += x[k, i, j] * (y[i, j] if both else 1)
        out[k] = total * times + plus


def arrays(dtype):
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 3, 4)).astype(dtype), rng.normal(size=(3, 4)).astype(dtype)


@pytest.mark.parametrize("both", [False, True])
def test_arguments_arrive(both):
    """Arrays of several axes, whole and other numbers, in dtypes that alternate."""
    autograd.set_num_threads(2)
    for dtype in (np.float64, np.float32, np.int64) * 2:
        x, y = arrays(dtype)
        out = np.zeros(5)
        share(weigh, 5, LARGE, x, y, out, 7, -0.5, both)
        expected = (x * (y if both else 1)).sum((1, 2), np.float64) * -0.5 + 7
        np.testing.assert_allclose(out, expected, 1e-5, 1e-5)


def test_equal_dtypes_that_are_other_objects():
    x, y = arrays(np.float64)
    known, out = np.zeros(5), np.zeros(5)
    share(weigh, 5, 1, x, y, known, 0, 1.0, True)
    other = np.dtype("f8", metadata={"of": "this test"})
    assert other == x.dtype
    share(weigh, 5, 1, x.astype(other), y, out, 0, 1.0, True)
    assert (out == known).all()


@pytest.mark.parametrize(
    "change",
    [lambda x: x.swapaxes(1, 2), lambda x: x[::2], lambda x: x[0], lambda x: x[None]],
    ids=["turned", "with gaps", "an axis less", "an axis more"],
)
def test_other_arrays_than_those_it_was_compiled_for(change):
    """They would be read as what they are not."""
    x, y = arrays(np.float64)
    out = np.zeros(5)
    share(weigh, 2, 1, x, y, out, 0, 1.0, True)
    with pytest.raises(ValueError, match="weigh: an array is not in order, or has other axes"):
        share(weigh, 2, 1, change(x), y, out, 0, 1.0, True)


@compiled_exactly
def many_axes(x: Floats, y: Floats, z: Floats, first: int, last: int) -> None:
    shared()


def test_more_words_than_there_is_room_for():
    x = np.zeros((1,) * 45)
    with pytest.raises(TypeError, match="many_axes: more arguments than 256 words hold"):
        share(many_axes, 1, 1, x, x, x)


def test_arrays_that_are_not_aligned_are_copied():
    memory = np.zeros(41, np.uint8)
    x = memory[1:].view(np.float64)
    assert not x.flags.aligned
    assert in_order(x).flags.carray
    assert in_order(x) is not x


def test_arrays_come_first():
    def wrong(x: Floats, size: int, y: Floats, first: int, last: int) -> None:
        pass

    with pytest.raises(TypeError, match="wrong: a kernel has arrays first, then numbers"):
        compiled_exactly(wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that is what is tested
def test_a_fork_that_lost_its_threads_does_all_alone():
    autograd.set_num_threads(2)
    out = np.zeros(10)
    share(mark, 10, LARGE, out, 1.0)
    child = os.fork()
    if not child:
        share(mark, 10, LARGE, out, 1.0)
        os._exit(0 if (out == 2).all() else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def taken_and_released(function):
    """The names of arrays that a function takes memory for, and of those that it gives back."""
    taken, released = [], []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            target = node.targets[-1]
            several = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            names = target.elts if several else [target]
            values = node.value.elts if several else [node.value]
            for name, value in zip(names, values, strict=True):
                if isinstance(value, ast.Call) and ast.unparse(value.func) in ("empty", "zeros"):
                    taken.append(ast.unparse(name))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "release":
            released.append(ast.unparse(node.args[0]))
    return sorted(taken), sorted(released)


def test_kernels_give_their_memory_back():
    """Numba does not count references to it."""
    total = 0
    for file in sorted(Path(numba_crew.__file__).parent.glob("numba_*.py")):
        if file.stem == "numba_room":
            continue
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef):
                taken, released = taken_and_released(function)
                assert taken == released, f"{file.name}: {function.name}"
                total += len(taken)
    assert total > 30
