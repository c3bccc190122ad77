import dataclasses

import numpy as np
import pytest

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.demonstrations import record_demos
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import DemoCounted, Events
from steadyhand.actor.recording import RecordingConfig
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.learner.fit_bc import open_store
from steadyhand.transport.demo_set import read_manifest, write_manifest
from steadyhand.transport.label_log import LabelReader
from steadyhand.transport.log import LogReader
from steadyhand.transport.record import Kind, Phase, valid_starts
from steadyhand.transport.run_identity import Identity, read_identity
from steadyhand.transport.segment import LogError
from tests.events_kit import kept, on_episode
from tests.unit.actor.point_env import Helper, PointEnv

CONFIG = RecordingConfig(4, 50, 64_000, "robot-1", "scripted", {"name": "point"}, AT_ONCE)


class Clumsy(Helper):
    """Gives up in every second episode."""

    def __init__(self):
        super().__init__(lambda step: self.episode % 2 == 1)
        self.episode = 0

    def reset(self, info):
        super().reset(info)
        self.episode += 1


def record(folder, config=CONFIG, demonstrator=None, env=None, stop=None, **kwargs):
    env = env or PointEnv()
    stop = stop or StopFlag()
    return record_demos(config, env, env_schema(env), demonstrator or Helper(), folder, 0, stop, **kwargs)


def rows_of(folder):
    reader = LogReader(folder)
    return reader.read(0, len(reader))


def test_a_set_of_good_demonstrations(tmp_path):
    told = []
    manifest = record(tmp_path, events=on_episode(told.append))
    rows = rows_of(tmp_path)
    assert (manifest.episodes, manifest.successes) == (4, 4)
    assert manifest.steps == sum(summary.steps for summary in told) == len(rows) - 4
    assert (rows["phase"] == Phase.DEMO).all()
    assert rows["has_human"].sum() == manifest.steps
    assert len(np.unique(rows["episode_id"])) == 4
    assert valid_starts(rows).sum() == manifest.steps
    assert manifest == read_manifest(tmp_path)
    assert (manifest.actor_id, manifest.expert, manifest.task) == ("robot-1", "scripted", {"name": "point"})


def test_failed_episodes_are_counted_but_not_kept(tmp_path):
    manifest = record(tmp_path, demonstrator=Clumsy())
    assert (manifest.episodes, manifest.successes) == (7, 4)
    rows = rows_of(tmp_path)
    assert rows["terminated"].sum() == 4
    assert not rows["truncated"].any()
    assert np.unique(rows["episode_id"]).tolist() == [0, 2, 4, 6]


def test_failed_attempts_are_kept_in_a_set_of_their_own_and_called_failures(tmp_path):
    done, failed = tmp_path / "demos", tmp_path / "demos_failed"
    manifest = record(done, demonstrator=Clumsy(), failed=failed)
    kept, rows = read_manifest(failed), rows_of(failed)
    assert (manifest.episodes, manifest.successes) == (7, 4)
    assert (kept.episodes, kept.successes) == (3, 0)
    assert kept.steps == np.count_nonzero(rows["kind"] == Kind.STEP) > 0
    assert np.unique(rows["episode_id"]).tolist() == [1, 3, 5]
    assert not rows["success"].any()
    assert np.unique(rows_of(done)["episode_id"]).tolist() == [0, 2, 4, 6]
    labels = LabelReader(failed, kept.session_id).refresh()
    assert [label.success for label in labels] == [False] * 3
    assert [(label.first_seq, label.end_seq) for label in labels] == [
        (int(part["seq"][0]), int(part["seq"][-1]) + 1) for part in np.split(rows, np.flatnonzero(rows["kind"])[:2] + 1)
    ]


class Discarding(PointEnv):
    """Its first and third episode are discarded by the person, at their end."""

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        if (terminated or truncated) and len(self.seeds) in (1, 3):
            info["discarded"] = True
        return observation, reward, terminated, truncated, info


def test_a_discarded_attempt_is_kept_nowhere_and_repeated_from_the_same_start(tmp_path):
    done, failed, events = tmp_path / "demos", tmp_path / "demos_failed", Events()
    counted, env = kept(events, DemoCounted), Discarding()
    manifest = record(done, env=env, failed=failed, events=events)
    assert (manifest.episodes, manifest.successes) == (4, 4)
    assert not failed.exists()
    assert env.seeds[0] == env.seeds[1]
    assert env.seeds[2] == env.seeds[3]
    assert len(set(env.seeds)) == 4
    assert [event.kept for event in counted] == ["nothing", "demonstration"] * 2 + ["demonstration"] * 2


def test_every_attempt_is_counted_with_its_quality(tmp_path):
    events = Events()
    counted = kept(events, DemoCounted)
    record(tmp_path / "demos", demonstrator=Clumsy(), failed=tmp_path / "failed", events=events)
    assert [event.kept for event in counted] == ["demonstration", "failed attempt"] * 3 + ["demonstration"]
    assert [event.successes for event in counted] == [1, 1, 2, 2, 3, 3, 4]
    assert {event.wanted for event in counted} == {4}
    assert "x the median" not in counted[0].quality
    assert "x the median" in counted[1].quality
    record(tmp_path / "demos", dataclasses.replace(CONFIG, episodes=5), events=events)
    assert (counted[-1].attempt, counted[-1].successes) == (7, 5)  # a set is continued


def test_both_sets_keep_the_identity_that_they_were_begun_with(tmp_path):
    done, failed = tmp_path / "demos", tmp_path / "demos_failed"
    for robot in ("fr3", "ur"):
        config = dataclasses.replace(CONFIG, identity=Identity(robot=robot))
        record(done, config, demonstrator=Clumsy(), failed=failed)
        assert read_identity(done) == read_identity(failed) == Identity(robot="fr3")


def test_failed_attempts_are_never_imitated_and_are_prior_data_all_the_same(tmp_path):
    record(tmp_path / "demos", demonstrator=Clumsy(), failed=tmp_path / "demos_failed")
    store, readers = open_store([tmp_path / "demos", tmp_path / "demos_failed"])
    failed = read_manifest(tmp_path / "demos_failed")
    assert len(store.imitated) == read_manifest(tmp_path / "demos").steps
    assert len(store.demo) == len(store.imitated) + failed.steps
    for reader in readers:
        reader.close()


def test_a_set_of_failed_attempts_is_continued_and_made_by_the_first_of_them_alone(tmp_path):
    done, failed = tmp_path / "demos", tmp_path / "demos_failed"
    record(done, dataclasses.replace(CONFIG, episodes=2), failed=failed)
    assert not failed.exists()
    record(done, dataclasses.replace(CONFIG, episodes=4), demonstrator=Clumsy(), failed=failed)
    assert read_manifest(failed).episodes == 1
    record(done, dataclasses.replace(CONFIG, episodes=6), demonstrator=Clumsy(), failed=failed)
    assert read_manifest(failed).episodes == 2
    assert len(np.unique(rows_of(failed)["episode_id"])) == 2
    assert [label.version for label in LabelReader(failed, read_manifest(failed).session_id).refresh()] == [1, 2]


def test_an_interrupted_attempt_is_no_failure(tmp_path):
    stop = StopFlag()
    helper = Helper(lambda step: step < 2 or stop.set() or False)
    record(tmp_path / "demos", demonstrator=helper, stop=stop, failed=tmp_path / "demos_failed")
    assert not (tmp_path / "demos_failed").exists()


def test_attempts_are_bounded(tmp_path):
    config = dataclasses.replace(CONFIG, max_attempts=3)
    manifest = record(tmp_path, config, demonstrator=Helper(lambda step: False))
    assert (manifest.episodes, manifest.successes) == (3, 0)
    assert len(LogReader(tmp_path)) == 0


def test_a_set_is_continued_with_other_episodes(tmp_path):
    first, second = PointEnv(), PointEnv()
    record(tmp_path, dataclasses.replace(CONFIG, episodes=2), env=first)
    manifest = record(tmp_path, env=second)
    assert (manifest.episodes, manifest.successes) == (4, 4)
    assert not set(first.seeds) & set(second.seeds)
    assert len(np.unique(rows_of(tmp_path)["episode_id"])) == 4
    assert record(tmp_path).episodes == 4


def test_another_schema_is_refused(tmp_path):
    record(tmp_path)
    with pytest.raises(LogError, match="another one"):
        record(tmp_path, env=PointEnv(frames=True))


def test_a_stop_keeps_the_complete_episodes(tmp_path):
    stop = StopFlag()
    manifest = record(tmp_path, stop=stop, events=on_episode(lambda summary: stop.set()))
    assert (manifest.episodes, manifest.successes) == (1, 1)
    assert len(np.unique(rows_of(tmp_path)["episode_id"])) == 1


def test_after_a_stop_of_the_robot_the_person_is_asked(tmp_path):
    env, helper = PointEnv(), Helper()
    env.stop_at, helper.refusals = 0, 2
    manifest = record(tmp_path, dataclasses.replace(CONFIG, max_attempts=2), helper, env)
    assert (manifest.episodes, manifest.successes) == (2, 0)
    assert helper.asked == ["force_limit"] * 4


def test_equal_seeds_give_equal_sets(tmp_path):
    record(tmp_path / "a")
    record(tmp_path / "b")
    a, b = rows_of(tmp_path / "a"), rows_of(tmp_path / "b")
    names = [name for name in a.dtype.names if name not in ("crc", "stamp_ns")]
    assert all((a[name] == b[name]).all() for name in names)


class Broken(PointEnv):
    """Cannot be reset, as one whose start is out of reach."""

    def reset(self, **kwargs):
        raise ValueError("out of reach")


@pytest.mark.parametrize("beside", [[], ["other"]])
def test_a_set_that_was_not_begun_is_not_left_behind(tmp_path, beside):
    accepted, folder = [], tmp_path / "demos"
    for name in beside:
        (folder / name).mkdir(parents=True)
    with pytest.raises(ValueError, match="out of reach"):
        record(folder, env=Broken(), accepted=lambda: accepted.append(True))
    assert accepted == []
    assert [path.name for path in folder.glob("*")] == beside
    assert folder.exists() == bool(beside)


def test_a_set_is_accepted_once_whether_something_is_missing_or_not(tmp_path):
    accepted = []
    for _ in range(2):
        record(tmp_path, accepted=lambda: accepted.append(True))
    assert accepted == [True, True]


@pytest.mark.parametrize("whole", [True, False])
def test_a_demonstration_that_was_stored_and_not_counted_before_a_crash_keeps_its_number(tmp_path, whole):
    record(tmp_path, dataclasses.replace(CONFIG, episodes=2))
    counted = read_manifest(tmp_path)
    record(tmp_path, dataclasses.replace(CONFIG, episodes=3))
    if not whole:  # the process died while it stored the third one: its last record is missing
        path = max(tmp_path.glob("*.segment"))
        size = rows_of(tmp_path).itemsize
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - size)
    write_manifest(tmp_path, counted)
    manifest = record(tmp_path)
    rows = rows_of(tmp_path)
    assert (manifest.episodes, manifest.successes) == ((4, 4) if whole else (5, 4))
    assert np.unique(rows["episode_id"]).tolist() == list(range(manifest.episodes))
    counted_rows = rows if whole else rows[rows["episode_id"] != 2]
    assert manifest.steps == int((counted_rows["kind"] == Kind.STEP).sum())
    labels = LabelReader(tmp_path, manifest.session_id).refresh()
    assert [label.success for label in labels] == ([] if whole else [False])
