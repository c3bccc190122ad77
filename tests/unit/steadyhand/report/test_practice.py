import json

import pytest

from steadyhand.cli import main
from steadyhand.report.page import render_page
from steadyhand.report.practice import FORMER_ACTOR, merged, practice_by_actor
from steadyhand.report.records import read_run
from steadyhand.report.summary import summarise
from steadyhand.runtime.run_folder import RunFolder
from tests.unit.steadyhand.synthetic_run import make_run


def row(number, env_steps, ended, **changes):
    return {
        "episode_id": number,
        "success": True,
        "helped": False,
        "human_steps": 2,
        "steps": 10,
        "stop_reason": "",
        "env_steps": env_steps,
        "control_minutes": env_steps / 600,
        "updates": 4 * env_steps,
        "ended": f"2025-01-01T00:00:{ended:02d}Z",
    } | changes


def write(run, name, rows):
    run.actor(name).metrics.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path, "three")
    run.write_manifest({"task": {"entry_point": "tasks.pegs:Pegs"}, "seed": 3}, {"seed": 3})
    write(run, "left", [row(0, 10, 1), row(1, 20, 4, updates=200)])
    write(run, "right", [row(0, 10, 2), row(1, 20, 3), row(2, 30, 5, updates=240)])
    write(run, "far", [row(0, 10, 6, updates=240)])
    return run


def test_steps_of_the_run_are_those_of_all_actors_in_order(run):
    rows = merged(practice_by_actor(run))
    assert [one["actor"] for one in rows] == ["left", "right", "right", "left", "right", "far"]
    assert [one["env_steps"] for one in rows] == [10, 20, 30, 40, 50, 60]
    assert rows[-1]["control_minutes"] == pytest.approx(0.1)


def test_the_ratio_of_updates_is_over_the_steps_of_all_actors(run):
    summary = summarise(read_run(run))
    assert (summary["env_steps"], summary["gradient_updates"], summary["true_utd"]) == (60, 240, 4.0)
    assert [(one["actor"], one["episodes"], one["env_steps"]) for one in summary["actors"]] == [
        ("far", 1, 10),
        ("left", 2, 20),
        ("right", 3, 30),
    ]


def test_the_page_has_a_row_an_actor(run):
    records = read_run(run)
    page = render_page(records, summarise(records))
    assert "<h2>Actors</h2>" in page
    assert '<td>right</td><td class="n">3</td><td class="n">30</td>' in page


def test_runs_counts_actors_and_steps(run, capsys):
    assert main(["runs", f"run_root={run.path.parent}"]) == 0
    (line,) = [text for text in capsys.readouterr().out.splitlines() if "three" in text]
    assert line.split()[:7] == ["three", "pegs", "-", "-", "3", "3", "60"]


def test_a_run_of_an_earlier_release_reads_as_ever(tmp_path):
    run = make_run(tmp_path)
    by_actor = practice_by_actor(run)
    assert list(by_actor) == [FORMER_ACTOR]
    assert [{**one, "actor": FORMER_ACTOR} for one in by_actor[FORMER_ACTOR]] == merged(by_actor)
    records = read_run(run)
    assert "<h2>Actors</h2>" not in render_page(records, summarise(records))
