import json
import logging
from collections import Counter

import pytest

from benchmarks import bad_luck
from benchmarks.bad_luck import RESULTS, main, write_table
from benchmarks.day_processes import KINDS, ProcessTally, _kinds
from benchmarks.day_world import Tally


@pytest.fixture(autouse=True)
def logs():
    yield
    logging.disable(logging.NOTSET)


def run(tmp_path, *words):
    return main([*words, "--results", str(tmp_path)])


def written(tmp_path):
    return json.loads((tmp_path / "bad_luck.json").read_text())


def test_worlds_go_on_until_the_steps_are_made_and_their_accounts_are_added(tmp_path, monkeypatch):
    lived = []

    def live(seed, steps):
        lived.append((seed, steps))
        return Tally(recorded=steps, stored=steps - 1, quarantined=1, faults=Counter({"flip": 2}))

    monkeypatch.setattr(bad_luck, "live", live)
    monkeypatch.setattr(bad_luck, "WORLD_STEPS", 100)
    assert run(tmp_path, "--steps", "250", "--faults", "0", "--seed", "7") == 0
    assert lived == [(7, 100), (8, 100), (9, 50)]
    content = written(tmp_path)
    assert content["processes"] is None
    assert (content["simulation"]["recorded"], content["simulation"]["stored"]) == (250, 247)
    assert content["simulation"]["faults"] == {"flip": 6}


@pytest.mark.parametrize("name", ["lost", "doubled", "out_of_order", "wrong", "misnamed"])
def test_one_record_that_must_not_be_fails_the_day(tmp_path, monkeypatch, name):
    monkeypatch.setattr(bad_luck, "live", lambda seed, steps: Tally(recorded=steps, **{name: 1}))
    assert run(tmp_path, "--steps", "10", "--faults", "0") == 1


def test_a_day_that_ends_early_says_how_far_it_came(tmp_path, monkeypatch):
    monkeypatch.setattr(bad_luck, "live", lambda seed, steps: Tally(recorded=1, stored=1))
    assert run(tmp_path, "--minutes", "0", "--faults", "0") == 0
    assert "0 of 864,000 steps" in (tmp_path / "bad_luck.md").read_text()


def test_both_parts_stand_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setattr(bad_luck, "live", lambda seed, steps: Tally(recorded=steps, faults=Counter({"fill": 3})))
    real = ProcessTally(1234, 2, Counter({"cut": 4}), 61.0)
    monkeypatch.setattr(bad_luck, "live_for_real", lambda faults, seed: real)
    assert run(tmp_path, "--steps", "5", "--faults", "4") == 0
    lines = [line.split() for line in (tmp_path / "bad_luck.md").read_text().splitlines()]
    assert ["recorded", "5", "1,234"] in lines
    assert ["fill", "3", "0"] in lines
    assert ["cut", "0", "4"] in lines
    assert written(tmp_path)["processes"]["open_steps"] == 2


def test_numbers_that_make_no_day_are_refused_and_leave_nothing(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tmp_path / "results", "--steps", "0")
    assert "expected at least 1 and 0, found 0" in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_the_faults_of_real_processes_are_even_and_drawn_in_order():
    import random

    kinds = _kinds(random.Random(1), 10)
    assert {kinds.count(kind) for kind in KINDS} == {2, 3}
    assert kinds == _kinds(random.Random(1), 10) != _kinds(random.Random(2), 10)


def test_the_published_results_give_the_published_table(tmp_path):
    published = json.loads((RESULTS / "bad_luck.json").read_text())
    simulated, real = published.pop("simulation"), published.pop("processes")
    write_table(tmp_path, published, simulated, real)
    for name in ("bad_luck.json", "bad_luck.md"):
        assert (tmp_path / name).read_text() == (RESULTS / name).read_text()
    assert simulated["recorded"] == simulated["stored"] + simulated["quarantined"]
