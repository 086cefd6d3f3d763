"""The benchmark runs, and writes figures that make sense."""

import json

import pytest

from demos.benchmark import PARTS, main, take_turns
from demos.networks import NETWORKS


def test_steps_and_imports(tmp_path, capsys):
    main(["steps", "imports", "--repeats", "1", "--json", str(tmp_path / "figures.json")])
    figures = json.loads((tmp_path / "figures.json").read_text())
    said = capsys.readouterr().out
    for name in NETWORKS:
        assert figures[f"ndgrad, step of {name} (ms)"] > 0
        assert name in said
    assert 0 < figures["import autograd, nn (s)"] < 10


def test_overhead(capsys):
    figures = PARTS["overhead"](2)
    assert all(value > 0 for value in figures.values())
    assert "us" in capsys.readouterr().out


def test_turns_are_taken():
    order = []
    steps = {"one": lambda: order.append(1), "two": lambda: order.append(2)}
    assert set(take_turns(steps, repeats=3)) == {"one", "two"}
    assert order == [1, 2] * 4


def test_no_such_part(capsys):
    with pytest.raises(SystemExit):
        main(["fast"])
    said = capsys.readouterr().err
    assert "no such part: fast; there are overhead, chain, imports, steps" in said
