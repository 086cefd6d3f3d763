"""The tester tested: planted faults are caught, and one that is not is told honestly."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
from autograd import OPS, primitive, tensor
from autograd.testing import Verdict, alarms, mutate
from autograd.testing.faults import Fault, faults_of, with_joint, with_rule
from autograd.testing.result import CheckResult
from autograd.testing.source_faults import source_faults


def slope(op, x):
    """The derivative of a primitive's sum, as it stands with its rules."""
    leaf = tensor(x, dtype=ag.float64, requires_grad=True)
    op(leaf).sum().backward()
    return leaf.grad.tolist()


@pytest.mark.parametrize("name", ["mul", "relu", "maximum", "sum", "matmul", "cat", "getitem"])
def test_every_planted_fault_is_caught_or_equivalent(name, capsys):
    outcomes = mutate.examine_all(OPS[name])
    assert len(outcomes) > 10
    assert [o.fault.where for o in outcomes if o.missed] == []
    assert all("equivalent" in o.reason for o in outcomes if not o.caught)
    assert sum(o.caught for o in outcomes) >= 0.9 * len(outcomes)


def test_the_program_prints_what_was_caught_and_the_survivors(capsys):
    assert mutate.main(["relu", "neg"]) == 0
    shown = capsys.readouterr().out
    assert "relu                         " in shown
    assert "wrong dtype" in shown
    assert "faults planted in 2 primitives" in shown
    assert "0 missed; 100.00 % of the real caught" in shown


def test_a_blind_tester_is_found_out(monkeypatch, capsys):
    def blind(fn, *inputs, order, raise_exception):
        return CheckResult(Verdict.CORRECT, "fn", order)

    monkeypatch.setattr(mutate, "check_gradients", blind)
    assert mutate.main(["exp", "--verbose"]) == 1
    shown = capsys.readouterr().out
    assert "MISSED: another gradient on" in shown
    assert "0.00 % of the real caught" in shown


def test_right_gradients_raise_no_alarm(capsys):
    assert alarms.main(["6", "--first", "100"]) == 0
    assert "6 inputs in" in capsys.readouterr().out
    seeds = [(seed, title) for seed, title, _ in alarms.checks(3, 200, ["exp", "mul"])]
    assert [seed for seed, _ in seeds] == [200, 201, 202]
    assert {title.split(",")[0] for _, title in seeds} <= {"exp", "mul"}


@pytest.mark.parametrize("verdict", [Verdict.WRONG, Verdict.INCONCLUSIVE])
def test_a_false_alarm_is_printed_with_its_seed(verdict, monkeypatch, capsys):
    def nervous(fn, *inputs, order, seed, raise_exception):
        return CheckResult(verdict if seed == 8 else Verdict.KINK, "fn", order)

    monkeypatch.setattr(alarms, "check_gradients", nervous)
    assert alarms.main(["3", "--first", "7"]) == 1
    shown = capsys.readouterr().out
    assert "seed 8: " in shown
    assert f"{verdict.value.upper()}" in shown
    assert "2 kink" in shown


def test_unknown_primitives_are_refused(capsys):
    with pytest.raises(SystemExit):
        mutate.main(["exq"])
    assert "no such primitive: exq" in capsys.readouterr().err


def test_it_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "autograd.testing.mutate", "neg"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 primitives" in done.stdout


KINDS = {
    "conv": {"off-by-one stride", "off-by-one padding", "off-by-one dilation"},
    "div": {"saved value of the wrong input"},
    "sum": {"wrong axis", "missing sum", "extra sum"},
    "mul": {"sign", "factor", "dropped term", "wrong dtype", "transposed", "zero", "stale value"},
    "maximum": {"wrong tie", "swapped operands"},
    "getitem": {"wrong attribute"},
}


@pytest.mark.parametrize("name", KINDS)
def test_faults_are_of_every_kind(name):
    op = OPS[name]
    kinds = {fault.kind for fault in [*faults_of(op), *source_faults(op)]}
    assert KINDS[name] <= kinds


def test_every_primitive_gets_faults_in_its_source():
    assert [name for name, op in OPS.items() if not list(faults_of(op))] == []
    poor = [name for name, op in OPS.items() if not list(source_faults(op))]
    assert len(poor) <= 0.25 * len(OPS)


def test_faults_in_the_source_change_the_rule():
    found = {fault.where: fault.op for fault in source_faults(OPS["sub"])}
    assert set(found) == {"rule for y: `g` for `-g`"}
    x = tensor(1.0, requires_grad=True)
    found["rule for y: `g` for `-g`"](tensor(2.0), x).backward()
    assert x.grad.item() == 1.0


def test_faults_in_helpers_leave_the_registered_primitive_alone():
    before = slope(lambda x: OPS["prod"](x, dim=(0,), keepdim=False), [2.0, 0.0, 3.0])
    assert before == [0.0, 6.0, 0.0]
    faults = [fault for fault in source_faults(OPS["prod"]) if "rule for" not in fault.where]
    assert len(faults) > 10
    broken = 0
    for fault in faults:
        with np.errstate(all="ignore"):
            try:
                came = slope(lambda x, op=fault.op: op(x, dim=(0,), keepdim=False), [2.0, 0.0, 3.0])
            except (TypeError, ValueError, IndexError, AttributeError):
                came = None
        broken += came != before
    assert broken > 5
    assert slope(lambda x: OPS["prod"](x, dim=(0,), keepdim=False), [2.0, 0.0, 3.0]) == before


def test_a_copy_with_another_rule_is_not_registered():
    wrong = with_rule(OPS["exp"], 0, lambda g, out: 2 * g * out)
    assert OPS["exp"] is not wrong
    assert slope(wrong, [0.0]) == [2.0]
    assert slope(OPS["exp"], [0.0]) == [1.0]
    joint = with_joint(OPS["cat"], lambda g, needs, tensors_shapes, dim: [2.0 * g])
    assert slope(lambda x: joint(x, dim=0), [0.0, 1.0]) == [2.0, 2.0]


def test_a_fault_in_the_second_derivative_only_is_not_called_equivalent():
    wrong = with_rule(OPS["exp"], 0, lambda g, out: g * getattr(out, "array", out))
    fault = Fault("cut off", "rule for x", wrong)
    assert mutate.examine(fault, OPS["exp"], mutate.trials_of(OPS["exp"])).caught
    reason, missed = mutate.reason_for(fault, OPS["exp"], [], seed=0)
    assert missed
    assert "another gradient" in reason


def test_survivors_are_said_to_be_equal_as_far_as_they_are():
    floor, maximum = (mutate.examine_all(OPS[name]) for name in ("floor", "maximum"))
    reasons = {o.fault.where: o.reason for o in (*floor, *maximum) if not o.caught}
    assert "the gradient is 0 with and without it" in reasons["gradient by x doubled"]
    assert (
        "to the last bit the same first and second" in reasons["rule for x: `x <= y` for `x < y`"]
    )


def test_distances_between_gradients():
    one, other = np.array([1.0, 2.0]), np.array([1.0, np.nan])
    assert mutate.distance([one], [one]) == 0.0
    assert mutate.distance([one], [one * 1.5]) == 1 / 3
    assert mutate.distance([one], [other]) == mutate.distance([other], [one]) == np.inf
    assert mutate.distance([other], [other]) == 0.0
    assert mutate.distance([one], [one[:1]]) == np.inf


def test_a_fault_that_only_chooses_at_a_kink_is_equivalent():
    @primitive(lambda g, x: g * (x > 0), case=ag.Case(avoid=(0.0,)))
    def ramp(x):
        return np.maximum(x, 0)

    try:
        reasons = {o.fault.where: o for o in mutate.examine_all(ramp) if not o.caught}
    finally:
        del OPS["ramp"]
    outcome = reasons["rule for x: `x >= 0` for `x > 0`"]
    assert not outcome.missed
    assert "picks another of the derivatives" in outcome.reason
