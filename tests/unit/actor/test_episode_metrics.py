from dataclasses import replace
from types import SimpleNamespace

import pytest

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.episode_metrics import EpisodeMetrics, MetricsFile, read_rows
from steadyhand.actor.events import EpisodeLogged, Events
from steadyhand.transport.record import Phase

FRESH = SimpleNamespace(steps=0, next_episode_id=0, begins_empty=False)


def summary(episode_id=0, steps=10, human_steps=0):
    return EpisodeSummary(episode_id, Phase.TRAIN, steps, 1.0, True, human_steps, "", steps / 10, 3)


def open_metrics(path, session):
    events = Events()
    events.subscribe(EpisodeLogged, MetricsFile(path).write)
    return EpisodeMetrics(path, session, events)


def play(metrics, steps=10):
    metrics.session_steps += steps
    metrics.add(summary(metrics.next_episode_id, steps), {"updates": 7})
    metrics.next_episode_id += 1


def test_rows_are_readable_at_once(tmp_path):
    path = tmp_path / "actor.jsonl"
    assert read_rows(path) == []
    metrics = open_metrics(path, FRESH)
    play(metrics)
    (row,) = read_rows(path)
    assert (row["steps"], row["env_steps"], row["success"], row["helped"], row["updates"]) == (10, 10, True, False, 7)
    assert row["control_minutes"] == pytest.approx(1 / 60)
    assert metrics.history.success_alone(20) == 1.0


def test_robot_time_counts_the_resets_and_goes_on_after_a_restart(tmp_path):
    path = tmp_path / "actor.jsonl"
    metrics = open_metrics(path, FRESH)
    metrics.add(replace(summary(steps=10), reset_s=2.0), {})
    again = open_metrics(path, SimpleNamespace(steps=10, next_episode_id=1, begins_empty=False))
    again.add(replace(summary(steps=10), reset_s=3.0), {})
    rows = read_rows(path)
    assert [row["reset_s"] for row in rows] == [2.0, 3.0]
    assert rows[-1]["control_minutes"] == pytest.approx(2.0 / 60)
    assert rows[-1]["robot_minutes"] == pytest.approx(7.0 / 60)


def test_a_restart_goes_on_counting(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_metrics(path, FRESH))
    again = open_metrics(path, SimpleNamespace(steps=10, next_episode_id=1, begins_empty=False))
    assert (again.episodes, again.env_steps, again.next_episode_id) == (1, 10, 1)
    play(again, 5)
    assert (again.env_steps, again.control_s) == (15, pytest.approx(1.5))
    assert [row["episode_id"] for row in read_rows(path)] == [0, 1]


def test_steps_of_an_episode_that_a_crash_kept_out_of_the_file_count(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_metrics(path, FRESH))
    again = open_metrics(path, SimpleNamespace(steps=14, next_episode_id=2, begins_empty=False))
    assert (again.env_steps, again.next_episode_id) == (14, 2)


def test_the_number_of_an_episode_whose_records_are_delivered_and_deleted_does_not_come_again(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_metrics(path, FRESH))  # episode 0; a kill then cut episode 1 short, and its records were deleted
    again = open_metrics(path, SimpleNamespace(steps=0, next_episode_id=0, begins_empty=True))
    assert again.next_episode_id == 2
    assert open_metrics(path, FRESH).next_episode_id == 1


def test_a_new_session_of_the_same_run_goes_on_too(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_metrics(path, FRESH))
    again = open_metrics(path, FRESH)
    play(again, 5)
    assert (again.env_steps, again.session_steps, again.next_episode_id) == (15, 5, 2)


@pytest.mark.parametrize("torn", ["", '{"steps": 4, "succ'])
def test_a_row_that_a_crash_cut_short_is_left_out(tmp_path, torn):
    path = tmp_path / "actor.jsonl"
    play(open_metrics(path, FRESH))
    path.write_text(path.read_text() + torn)
    again = open_metrics(path, FRESH)
    assert again.episodes == 1
    play(again)
    assert len(read_rows(path)) == 2


def test_a_full_disk_costs_a_row_of_the_file_and_nothing_else(tmp_path, monkeypatch):
    def full(descriptor, line):
        raise OSError(28, "No space left on device")

    path = tmp_path / "actor.jsonl"
    metrics = open_metrics(path, FRESH)
    play(metrics)
    with monkeypatch.context() as patch:
        patch.setattr("steadyhand.actor.episode_metrics.append_whole", full)
        play(metrics, 5)
    play(metrics)
    assert (metrics.episodes, metrics.env_steps) == (3, 25)
    assert [row["env_steps"] for row in read_rows(path)] == [10, 25]
