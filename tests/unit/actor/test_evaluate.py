import json

import numpy as np
import pytest

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import evaluate, judge
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.runtime.clock import FakeClock
from steadyhand.transport.record import Phase
from tests.events_kit import on_episode
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import SPEC, walking_runner


def run(runner, env=None, episodes=20, seed=0, bystander=None, **kwargs):
    env = env or PointEnv()
    return evaluate(env, env_schema(env), runner, episodes, seed, bystander or Helper(), **kwargs)


def test_a_skilled_policy():
    evaluation = run(walking_runner())
    assert (evaluation.episodes, evaluation.successes, evaluation.success_rate) == (20, 20, 1.0)
    assert evaluation.wilson_low == pytest.approx(0.8389, abs=5e-4)
    assert evaluation.wilson_high == 1.0
    assert evaluation.interventions == 0
    durations = [row["duration_s"] for row in evaluation.rows]
    assert evaluation.median_cycle_time_s == pytest.approx(np.median(durations))
    assert evaluation.throughput_per_hour == pytest.approx(20 * 3600 / sum(durations))
    assert json.loads(json.dumps(evaluation.rows))[0]["success"] is True


def test_a_policy_that_stands_still():
    evaluation = run(walking_runner(skilled=False))
    assert evaluation.success_rate < 0.3
    assert evaluation.wilson_high < 0.5


def test_the_bystander_never_acts():
    evaluation = run(walking_runner(skilled=False), bystander=Helper())
    assert evaluation.interventions == 0


def test_equal_seeds_give_equal_episodes_and_others_do_not():
    envs = [PointEnv() for _ in range(3)]
    evaluations = [run(walking_runner(), env, 5, seed) for env, seed in zip(envs, (1, 1, 2), strict=True)]
    assert envs[0].seeds == envs[1].seeds
    assert not set(envs[0].seeds) & set(envs[2].seeds)
    assert evaluations[0] == evaluations[1]


def test_the_records_are_marked():
    records = []
    run(walking_runner(), episodes=2, append=lambda record: records.append(record.copy()))
    assert {int(record["phase"]) for record in records} == {Phase.EVAL}


def test_a_stop_is_a_failure_and_waits_for_a_person():
    env, bystander = PointEnv(), Helper()
    env.stop_at, bystander.refusals = 0, 1
    evaluation = run(walking_runner(), env, 3, bystander=bystander)
    assert evaluation.successes == 0
    assert bystander.asked == ["force_limit"] * 4
    assert {row["stop_reason"] for row in evaluation.rows} == {"force_limit"}


def test_an_interrupted_episode_does_not_count():
    stop = StopFlag()
    evaluation = run(walking_runner(), stop=stop, events=on_episode(lambda summary: stop.set()))
    assert evaluation.episodes == 1


def test_without_weights_nothing_is_evaluated():
    runner = PolicyRunner(SPEC, env_schema(PointEnv()), FakeClock(), seed=0)
    with pytest.raises(ValueError, match="expected a policy with weights"):
        run(runner)


def test_a_known_set_of_episodes():
    def summary(success, duration_s):
        return EpisodeSummary(0, Phase.EVAL, 10, float(success), success, 0, "", duration_s, 1)

    evaluation = judge([summary(True, 4.0), summary(True, 6.0), summary(True, 9.0), summary(False, 17.0)])
    assert (evaluation.successes, evaluation.median_cycle_time_s) == (3, 6.0)
    assert evaluation.throughput_per_hour == pytest.approx(300.0)


def test_no_success_has_no_cycle_time():
    assert judge([]).median_cycle_time_s is None
    assert judge([]).throughput_per_hour == 0.0
