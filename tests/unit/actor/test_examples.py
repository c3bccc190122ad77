import contextlib
import dataclasses

import numpy as np
import pytest

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import DemoCounted, Events
from steadyhand.actor.examples import record_examples
from steadyhand.actor.marks import MarkedEnv, TaskMarks
from steadyhand.actor.recording import RecordingConfig
from steadyhand.transport.demo_set import read_manifest, write_manifest
from steadyhand.transport.labelled import labelled_columns
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind
from steadyhand.transport.segment import LogError
from tests.events_kit import kept
from tests.reward_kit import REACH, Reacher
from tests.robot_kit import make_robot_env

CONFIG = RecordingConfig(2, 20, 64_000, "robot-1", "scripted", {"name": "reach"}, AT_ONCE)


@pytest.fixture(scope="module")
def env():
    env = make_robot_env(*REACH, "reward=open_ended")
    yield env
    env.close()


def record(folder, env, config=CONFIG, **kwargs):
    marked = MarkedEnv(env, TaskMarks(["success"]), 1, positives=3)
    return record_examples(config, marked, env_schema(marked), Reacher(), folder, 0, lambda: False, **kwargs)


def test_every_episode_is_kept_with_a_mark_on_each_observation(tmp_path, env):
    events, accepted = Events(), []
    told = kept(events, DemoCounted)
    manifest = record(tmp_path, env, events=events, accepted=lambda: accepted.append(1))
    assert (manifest.episodes, manifest.successes) == (3, 2)  # every second attempt fails
    assert manifest == read_manifest(tmp_path)
    assert [(event.kept, event.successes, event.wanted) for event in told] == [
        ("examples", 1, 2),
        ("examples", 1, 2),
        ("examples", 2, 2),
    ]
    assert told[1].quality.startswith("0 of 21 observations")
    assert accepted == [1]
    reader = LogReader(tmp_path)
    columns, rows = labelled_columns(reader), reader.read(0, len(reader))
    for episode, success in zip(columns.episodes(), (True, False, True), strict=True):
        stages = columns.stage[episode.seen]
        assert stages.tolist() == [0] * (len(stages) - 3 * success) + [1] * 3 * success
        assert columns.success[episode.steps[-1]] == success
        goal = np.linalg.norm(rows["observation/goal"][episode.seen], axis=1)
        assert success == (goal[-3:].max() < 0.02)
        assert rows["reward"][episode.seen].sum() == success
        assert rows["kind"][episode.seen[-1]] == Kind.FINAL
    reader.close()


def test_a_set_is_continued(tmp_path, env):
    first = record(tmp_path, env)
    assert record(tmp_path, env) == first
    more = record(tmp_path, env, dataclasses.replace(CONFIG, episodes=3))
    assert (more.session_id, more.successes) == (first.session_id, 3)
    assert more.episodes > first.episodes


def test_an_episode_that_was_stored_and_not_counted_before_a_crash_keeps_its_number(tmp_path, env):
    record(tmp_path, env)
    before = read_manifest(tmp_path)
    write_manifest(tmp_path, dataclasses.replace(before, episodes=2, successes=1, steps=1))
    manifest = record(tmp_path, env, dataclasses.replace(CONFIG, episodes=3))
    with contextlib.closing(LogReader(tmp_path)) as reader:
        rows = reader.read(0, len(reader))
    assert (manifest.episodes, manifest.successes) == (before.episodes + 1, 3)
    assert np.unique(rows["episode_id"]).tolist() == list(range(manifest.episodes))
    assert (rows["kind"] == Kind.FINAL).sum() == manifest.episodes


def test_a_recording_that_never_began_leaves_nothing(tmp_path, env):
    folder = tmp_path / "examples"
    marked = MarkedEnv(env, TaskMarks(["success"]), 1, positives=3)

    class Broken(Reacher):
        def reset(self, info):
            raise LogError("no")

    with pytest.raises(LogError):
        record_examples(CONFIG, marked, env_schema(marked), Broken(), folder, 0, lambda: False)
    assert not folder.exists()
