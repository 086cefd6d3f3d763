"""Views, in-place writes, detach(), no_grad and backward passes in random programs.

What is checked, and against what, is in `programs`.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from programs import STEPS, Program

SEEDS, PROGRAMS, LENGTH = 8, 100, 40


class Machine(RuleBasedStateMachine):
    """Hypothesis chooses, and shortens what goes wrong."""

    def run(self, data, act):
        def choose(count):
            return data.draw(st.integers(0, count - 1))

        if hasattr(self, "program"):
            self.program.choose = choose
        else:
            self.program = Program(choose)
        said = len(self.program.lines)
        try:
            act()
            self.program.agree()
        finally:
            for line in self.program.lines[said:]:
                note(line)

    @initialize(data=st.data())
    def begin(self, data):
        self.run(data, lambda: [note(line) for line in self.program.lines])

    @rule(data=st.data(), step=st.sampled_from(STEPS))
    def take(self, data, step):
        self.run(data, lambda: getattr(self.program, step)())


TestMachine = Machine.TestCase
TestMachine.settings = settings(stateful_step_count=LENGTH, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def seen():
    return Counter()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_programs(seed, seen):
    """Many more programs than Hypothesis has time for."""
    numbers = random.Random(seed)
    for _ in range(PROGRAMS):
        program = Program(numbers.randrange, seen)
        try:
            for _ in range(LENGTH):
                getattr(program, numbers.choice(STEPS))()
                program.agree()
        except Exception:
            print(*program.lines, sep="\n")
            raise
    seen["seeds"] += 1


def test_random_programs_do_what_they_are_for(seen):
    if seen["seeds"] < SEEDS / 2:
        pytest.skip("too few random programs have run in this process")
    least = {
        "view write": 100,
        "gradient": 100,
        "backward": 50,
        "refused": 50,
        "second gradient": 9,
    }
    share = seen["seeds"] / SEEDS
    assert {name: seen[name] for name, count in least.items() if seen[name] < share * count} == {}
