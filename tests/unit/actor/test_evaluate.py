import json

import numpy as np
import pytest

from steadyhand.actor.control_loop import EpisodeSummary
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import Protocol, evaluate, judge
from steadyhand.actor.policy_runner import PolicyRunner
from steadyhand.actor.starts import Start
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


def summary(success, judged_by="task", task_success=None):
    return EpisodeSummary(
        0, Phase.EVAL, 10, float(success), success, 0, "", 2.0, 1, judged_by=judged_by, task_success=task_success
    )


def test_the_tasks_own_verdict_counts_and_a_learned_reward_is_not_the_truth():
    evaluation = judge([summary(True, "reward", False), summary(False, "reward", True), summary(True, "reward", True)])
    assert (evaluation.successes, evaluation.judged_by) == (2, "task")
    assert [row["success"] for row in evaluation.rows] == [False, True, True]
    assert [row["reward_success"] for row in evaluation.rows] == [True, False, True]
    assert {row["judged_by"] for row in evaluation.rows} == {"task"}


def test_where_the_task_cannot_judge_the_reward_or_a_person_does():
    evaluation = judge([summary(True, "reward", None), summary(False, "reward", None)])
    assert (evaluation.successes, evaluation.judged_by) == (1, "reward")
    evaluation = judge([summary(True, "operator", False), summary(True, "reward", None)])
    assert (evaluation.successes, evaluation.judged_by) == (2, "operator and reward")
    assert "reward_success" not in evaluation.rows[0]


def test_an_environment_that_says_nothing_of_it_is_judged_by_its_task():
    evaluation = run(walking_runner(), episodes=2)
    assert evaluation.judged_by == "task"
    assert [(row["success"], row["task_success"]) for row in evaluation.rows] == [(True, True)] * 2
    assert judge([]).judged_by == ""


class Boastful(PointEnv):
    """Its reward calls every step a success; the task knows better."""

    def step(self, action):
        observation, _, _, truncated, info = super().step(action)
        info |= {"success": True, "task_success": info["success"], "judged_by": "reward"}
        return observation, 1.0, True, truncated, info


def test_a_boastful_reward_makes_no_policy_better():
    evaluation = run(walking_runner(skilled=False), Boastful(), 20)
    assert evaluation.success_rate < 0.3
    assert all(row["reward_success"] for row in evaluation.rows)


def test_no_success_has_no_cycle_time():
    assert judge([]).median_cycle_time_s is None
    assert judge([]).throughput_per_hour == 0.0


def test_listed_starts_are_run_in_their_order():
    env, starts = PointEnv(), [Start(5), Start(9), Start(5)]
    evaluation = run(walking_runner(), env, 99, protocol=Protocol(starts=starts))
    assert env.seeds == [5, 9, 5]
    assert [row["start"]["seed"] for row in evaluation.rows] == [5, 9, 5]


def test_an_episode_with_an_intervention_is_a_failure():
    evaluation = run(walking_runner(), episodes=3, protocol=Protocol(operator=Helper(lambda step: step == 0)))
    assert (evaluation.episodes, evaluation.successes, evaluation.interventions) == (3, 0, 3)
    assert [row["machine_success"] for row in evaluation.rows] == [True] * 3


def test_an_interrupted_evaluation_continues_with_the_missing_episodes():
    whole, stop, done = run(walking_runner(), PointEnv(), 6), StopFlag(), {}
    events = on_episode(lambda summary: len(done) == 2 and stop.set())
    first = Protocol(keep=done.__setitem__)
    assert run(walking_runner(), PointEnv(), 6, stop=stop, events=events, protocol=first).episodes == 3
    del done[1]
    env = PointEnv()
    second = run(walking_runner(), env, 6, protocol=Protocol(done=done, keep=done.__setitem__))
    assert len(env.seeds) == 4
    assert sorted(done) == list(range(6))
    assert second == whole
