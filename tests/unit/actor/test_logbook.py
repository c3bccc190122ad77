from dataclasses import replace
from types import SimpleNamespace

import pytest

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.events import EpisodeLogged, Events
from steadyhand.actor.logbook import Logbook, MetricsFile, read_rows
from steadyhand.transport.record import Phase

FRESH = SimpleNamespace(steps=0, next_episode_id=0, begins_empty=False)


def summary(episode_id=0, steps=10, human_steps=0):
    return EpisodeSummary(episode_id, Phase.TRAIN, steps, 1.0, True, human_steps, "", steps / 10, 3)


def open_logbook(path, session):
    events = Events()
    events.subscribe(EpisodeLogged, MetricsFile(path).write)
    return Logbook(path, session, events)


def play(logbook, steps=10):
    logbook.session_steps += steps
    logbook.add(summary(logbook.next_episode_id, steps), {"updates": 7})
    logbook.next_episode_id += 1


def test_rows_are_readable_at_once(tmp_path):
    path = tmp_path / "actor.jsonl"
    assert read_rows(path) == []
    logbook = open_logbook(path, FRESH)
    play(logbook)
    (row,) = read_rows(path)
    assert (row["steps"], row["env_steps"], row["success"], row["helped"], row["updates"]) == (10, 10, True, False, 7)
    assert row["control_minutes"] == pytest.approx(1 / 60)
    assert logbook.history.success_alone(20) == 1.0


def test_robot_time_counts_the_resets_and_goes_on_after_a_restart(tmp_path):
    path = tmp_path / "actor.jsonl"
    logbook = open_logbook(path, FRESH)
    logbook.add(replace(summary(steps=10), reset_s=2.0), {})
    again = open_logbook(path, SimpleNamespace(steps=10, next_episode_id=1, begins_empty=False))
    again.add(replace(summary(steps=10), reset_s=3.0), {})
    rows = read_rows(path)
    assert [row["reset_s"] for row in rows] == [2.0, 3.0]
    assert rows[-1]["control_minutes"] == pytest.approx(2.0 / 60)
    assert rows[-1]["robot_minutes"] == pytest.approx(7.0 / 60)


def test_a_restart_goes_on_counting(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_logbook(path, FRESH))
    again = open_logbook(path, SimpleNamespace(steps=10, next_episode_id=1, begins_empty=False))
    assert (again.episodes, again.env_steps, again.next_episode_id) == (1, 10, 1)
    play(again, 5)
    assert (again.env_steps, again.control_s) == (15, pytest.approx(1.5))
    assert [row["episode_id"] for row in read_rows(path)] == [0, 1]


def test_steps_of_an_episode_that_a_crash_kept_out_of_the_file_count(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_logbook(path, FRESH))
    again = open_logbook(path, SimpleNamespace(steps=14, next_episode_id=2, begins_empty=False))
    assert (again.env_steps, again.next_episode_id) == (14, 2)


def test_the_number_of_an_episode_whose_records_are_delivered_and_deleted_does_not_come_again(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_logbook(path, FRESH))  # episode 0; a kill then cut episode 1 short, and its records were deleted
    again = open_logbook(path, SimpleNamespace(steps=0, next_episode_id=0, begins_empty=True))
    assert again.next_episode_id == 2
    assert open_logbook(path, FRESH).next_episode_id == 1


def test_a_new_session_of_the_same_run_goes_on_too(tmp_path):
    path = tmp_path / "actor.jsonl"
    play(open_logbook(path, FRESH))
    again = open_logbook(path, FRESH)
    play(again, 5)
    assert (again.env_steps, again.session_steps, again.next_episode_id) == (15, 5, 2)


@pytest.mark.parametrize("torn", ["", '{"steps": 4, "succ'])
def test_a_row_that_a_crash_cut_short_is_left_out(tmp_path, torn):
    path = tmp_path / "actor.jsonl"
    play(open_logbook(path, FRESH))
    path.write_text(path.read_text() + torn)
    again = open_logbook(path, FRESH)
    assert again.episodes == 1
    play(again)
    assert len(read_rows(path)) == 2


def test_a_full_disk_costs_a_row_of_the_file_and_nothing_else(tmp_path, monkeypatch):
    def full(descriptor, line):
        raise OSError(28, "No space left on device")

    path = tmp_path / "actor.jsonl"
    logbook = open_logbook(path, FRESH)
    play(logbook)
    with monkeypatch.context() as patch:
        patch.setattr("steadyhand.actor.logbook.append_whole", full)
        play(logbook, 5)
    play(logbook)
    assert (logbook.episodes, logbook.env_steps) == (3, 25)
    assert [row["env_steps"] for row in read_rows(path)] == [10, 25]
