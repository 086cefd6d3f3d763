"""The process that compiles what a program will need next."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("numba")

from autograd.kernels import ahead, helper, helper_process

KERNELS = {
    "numba_optim": ("sgd", "adam", "rmsprop"),
    "numba_tape": ("run",),
    "numba_reduce": ("add_rows",),
    "numba_rows": ("forward", "backward"),
    "numba_pool": ("halve", "spread", "put_back"),
    "numba_wait": (),
}


@pytest.fixture
def compiled(monkeypatch):
    """What gets compiled, of kernels that need no time for it."""
    done = []

    def kernel(module, name):
        return SimpleNamespace(
            name=name,
            prepare=lambda dtype: done.append((module, name, dtype)),
        )

    modules = {module: [kernel(module, each) for each in own] for module, own in KERNELS.items()}
    monkeypatch.setattr(ahead, "modules", lambda: list(modules))
    monkeypatch.setattr(ahead, "kernels_of", modules.__getitem__)
    return done


@pytest.fixture
def pipe():
    """Both ends of a pipe: what a helper reads, and what a program writes."""
    ends = os.pipe()
    with open(ends[0]) as lines, open(ends[1], "w", buffering=1) as program:
        yield lines, program


def test_what_comes_soon_is_there():
    for module, name in helper_process.SOON:
        assert name in [each.name for each in ahead.kernels_of(module)]


def test_takes_the_end_of_a_module_that_was_begun_first(compiled):
    plan = helper_process.Plan()
    plan.add("numba_rows", "forward")
    plan.add("numba_pool", "halve")
    chosen = [plan.choose() for _ in range(5)]
    assert chosen == [
        ("numba_pool", "put_back"),
        ("numba_pool", "spread"),
        ("numba_rows", "backward"),
        *helper_process.SOON[:2],
    ]


def test_takes_everything_once_that_the_program_did_not_begin(compiled):
    plan = helper_process.Plan()
    plan.add("numba_pool", "spread")
    plan.add("numba_wait", "look")  # no kernel
    chosen = list(iter(plan.choose, None))
    every = {(module, name) for module, own in KERNELS.items() for name in own}
    assert len(chosen) == len(set(chosen))
    assert set(chosen) == every - {("numba_pool", "spread")}


def test_says_what_it_compiles_and_ends_when_all_is_done(compiled, pipe):
    lines, program = pipe
    program.write("numba_rows forward\n")
    out = io.StringIO()
    helper_process.work(lines, out)
    assert len(compiled) == 9
    assert compiled[0] == ("numba_rows", "backward", "float32")
    assert out.getvalue().startswith("numba_rows backward\n\nnumba_optim adam\n\n")


def becomes(condition):
    """Whether it becomes true within some seconds."""
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


def test_rests_while_the_program_does_not_compile(pipe):
    lines, program = pipe
    orders = helper_process.Orders(lines)
    assert not orders.go.is_set()
    program.write("numba_rows forward\n")
    assert becomes(orders.go.is_set)
    assert orders.begun.get() == ("numba_rows", "forward")
    program.write("\n")
    assert becomes(lambda: not orders.go.is_set())
    program.close()
    assert becomes(lambda: orders.over)


def test_ends_soon_when_there_is_nothing_to_do(compiled, pipe):
    helper_process.work(pipe[0], io.StringIO(), patience=0.05)
    assert compiled == []


def test_ends_when_the_program_has_ended(compiled, pipe):
    lines, program = pipe
    program.close()
    helper_process.work(lines, io.StringIO(), patience=60)
    assert compiled == []


def test_compiles_beside_a_program(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(helper, "get_num_threads", lambda: 2)
    beside = helper.Helper()
    beside.start()
    beside.begin("numba_select", "scale_where")
    assert becomes(lambda: beside.busy == ("numba_select", "choose"))
    beside.wait("numba_select", "choose")
    assert list(tmp_path.glob("*/numba_select.choose.*"))
    assert not list(tmp_path.glob("*/numba_select.scale_where.*"))
    beside.rest()
    beside.end()
    assert beside.process.returncode is not None
    beside.begin("numba_select", "choose")  # nobody is there, and nothing happens


def test_waits_for_what_it_is_busy_with_only_and_not_forever(monkeypatch):
    monkeypatch.setattr(helper, "PATIENCE", 0.05)
    beside = helper.Helper()
    beside.busy = ("numba_rows", "backward")
    began = time.monotonic()
    beside.wait("numba_rows", "forward")
    assert time.monotonic() - began < 0.05
    beside.wait("numba_rows", "backward")
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    "change",
    [
        lambda patch: patch.setattr(helper, "get_num_threads", lambda: 1),
        lambda patch: patch.setattr(sys, "executable", ""),
        lambda patch: patch.setattr(sys, "frozen", True, raising=False),
        lambda patch: patch.setattr(subprocess, "Popen", refuse),
    ],
)
def test_there_is_none_where_it_cannot_be(change, monkeypatch):
    monkeypatch.setattr(helper, "get_num_threads", lambda: 2)
    change(monkeypatch)
    beside = helper.Helper()
    beside.start()
    assert beside.process is None
    beside.begin("numba_select", "choose")
    beside.rest()
    beside.end()


def refuse(*arguments, **options):
    raise PermissionError("no processes here")
