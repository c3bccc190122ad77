import numpy as np
import pytest

from steadyhand.actor.arbiter import Decision
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.episode import Episode
from steadyhand.transport.record import Kind, Phase, record_dtype, valid_starts
from tests.unit.actor.point_env import PointEnv

SCHEMA = env_schema(PointEnv(frames=True))
INFO = {"gated_command": np.array([3, 4], np.float32), "reward_terms": {"reached": 1.0}, "success": True}


def observation(step):
    vectors = {name: np.full(2, step, np.float32) for name in ("position", "to_goal")}
    return vectors | {"camera": np.full((8, 8, 3), step, np.uint8)}


def decision(value, has_human=False):
    policy_action = np.full(2, value, np.float32)
    if not has_human:
        return Decision(policy_action, policy_action, None, False)
    return Decision(-policy_action, policy_action, -policy_action, True)


class Recorder:
    def __init__(self):
        self.records = []
        self.episode = Episode(SCHEMA, lambda record: self.records.append(record.copy()))

    def rows(self):
        rows = np.stack(self.records)
        rows["seq"] = np.arange(len(rows))
        return rows


@pytest.fixture
def recorder():
    return Recorder()


def play(recorder, steps=3, episode_id=5, **step):
    values = {"reward": 0.0, "terminated": False, "truncated": False, "info": INFO, "valid": True} | step
    assert recorder.episode.begin(episode_id, Phase.TRAIN, observation(0), 100)
    for index in range(steps):
        recorder.episode.step(decision(0.1 * (index + 1)), 40 + index, **values)
        recorder.episode.advance(observation(index + 1), 101 + index)
    recorder.episode.end(valid=True)


def test_each_step_holds_the_observation_that_it_acted_on(recorder):
    play(recorder)
    rows = recorder.rows()
    assert rows.dtype == record_dtype(SCHEMA)
    assert rows["step_index"].tolist() == [0, 1, 2, 3]
    assert rows["stamp_ns"].tolist() == [100, 101, 102, 103]
    assert rows["kind"].tolist() == [Kind.STEP] * 3 + [Kind.FINAL]
    assert rows["observation/position"][:, 0].tolist() == [0, 1, 2, 3]
    assert rows["observation/camera"][:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(rows["action"][:, 0], [0.1, 0.2, 0.3, 0.0])
    assert rows["policy_version"][:3].tolist() == [40, 41, 42]
    assert rows["gated_command"].tolist() == [[3, 4]] * 3 + [[0, 0]]
    assert rows["reward_terms"][:, 0].tolist() == [1, 1, 1, 0]
    assert rows["success"].tolist() == [True, True, True, False]
    assert (rows["episode_id"] == 5).all()
    assert (rows["phase"] == Phase.TRAIN).all()
    assert rows["valid"].all()
    assert valid_starts(rows).tolist() == [True, True, True, False]


def test_the_end_flags_stay_apart(recorder):
    play(recorder, steps=1, terminated=True, reward=1.0)
    play(recorder, steps=1, truncated=True)
    rows = recorder.rows()
    assert rows["terminated"].tolist() == [True, False, False, False]
    assert rows["truncated"].tolist() == [False, False, True, False]
    assert rows["reward"].tolist() == [1, 0, 0, 0]


def test_a_human_step_keeps_both_proposals(recorder):
    episode = recorder.episode
    episode.begin(0, Phase.DEMO, observation(0), 0)
    for chosen in (decision(0.5, has_human=True), decision(0.5)):
        episode.step(chosen, 1, 0.0, False, False, INFO, valid=True)
        episode.advance(observation(1), 1)
    human, policy = recorder.rows()
    assert (human["has_human"], policy["has_human"]) == (True, False)
    assert human["action"].tolist() == human["human_action"].tolist() == [-0.5, -0.5]
    assert human["policy_action"].tolist() == [0.5, 0.5]
    assert policy["human_action"].tolist() == [0, 0]
    assert human["phase"] == Phase.DEMO


def test_a_stopped_step_is_not_valid_but_keeps_its_place(recorder):
    play(recorder, valid=False)
    rows = recorder.rows()
    assert not rows["valid"][:3].any()
    assert not rows["success"].any()
    assert not valid_starts(rows).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_stored_as_zero(recorder, bad):
    episode = recorder.episode
    assert episode.begin(0, Phase.TRAIN, observation(0), 0)
    episode.step(decision(0.5), 1, 0.0, False, False, INFO, valid=True)
    broken = observation(1)
    broken["position"][1] = bad
    assert not episode.advance(broken, 1)
    episode.end(valid=False)
    step, final = recorder.rows()
    assert step["valid"]
    assert not final["valid"]
    assert final["observation/position"].tolist() == [1, 0]
    assert not valid_starts(recorder.rows()).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["action", "reward", "reward_terms", "gated_command"])
def test_a_step_with_a_number_that_is_not_finite_is_not_valid(recorder, where, bad):
    recorder.episode.begin(0, Phase.TRAIN, observation(0), 0)
    info = dict(INFO)
    if where == "reward_terms":
        info["reward_terms"] = {"reached": bad}
    if where == "gated_command":
        info["gated_command"] = np.array([1, bad], np.float32)
    chosen = decision(bad if where == "action" else 0.5)
    recorder.episode.step(chosen, 1, bad if where == "reward" else 0.0, False, False, info, valid=True)
    (row,) = recorder.rows()
    assert not row["valid"]
    for name in ("action", "policy_action", "reward", "reward_terms", "gated_command"):
        assert np.isfinite(row[name]).all()


def test_a_missing_command_or_term_is_zero(recorder):
    play(recorder, steps=1, info={})
    step = recorder.rows()[0]
    assert step["valid"]
    assert step["gated_command"].tolist() == [0, 0]
    assert step["reward_terms"].tolist() == [0]


def test_nothing_of_one_episode_leaks_into_the_next(recorder):
    play(recorder, valid=False, reward=1.0)
    recorder.records.clear()
    play(recorder, steps=1, episode_id=6, info={})
    first = recorder.rows()[0]
    assert (first["step_index"], first["reward"], first["kind"], first["valid"]) == (0, 0, Kind.STEP, True)


def test_a_non_finite_start_is_reported(recorder):
    broken = observation(0)
    broken["to_goal"][0] = np.nan
    assert not recorder.episode.begin(0, Phase.TRAIN, broken, 0)
