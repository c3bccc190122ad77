import pytest

from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.deploy import deploy
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.evaluate import evaluate
from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.onnx_runner import OnnxRunner
from steadyhand.actor.stop_flag import StopFlag
from steadyhand.robot_envs.devices.operator import NoOperator
from tests.events_kit import on_episode
from tests.unit.actor.exported import TASK, walking_file
from tests.unit.actor.point_env import Helper, PointEnv
from tests.unit.actor.policy_kit import walking_runner


@pytest.fixture(scope="module")
def policy():
    return OnnxPolicy(walking_file(), "policy.onnx")


def run(policy, env=None, operator=None, episodes=20, seed=0, **kwargs):
    env = env or PointEnv()
    schema = env_schema(env)
    runner = OnnxRunner(policy, schema, TASK)
    return deploy(env, schema, runner, operator or NoOperator(), AT_ONCE, episodes, seed, **kwargs)


def test_it_does_what_an_evaluation_with_torch_does(policy):
    seen = []
    result = run(policy, seed=4, events=on_episode(seen.append))
    env = PointEnv()
    judged = evaluate(env, env_schema(env), walking_runner(), 20, 4, NoOperator())
    assert (result.episodes, result.successes, result.helped, result.stopped) == (20, judged.successes, 0, 0)
    assert [summary.steps for summary in seen] == [row["steps"] for row in judged.rows]


def test_the_period_is_measured(policy):
    result = run(policy, episodes=3)
    assert result.period.p50_ms == pytest.approx(100.0)
    assert result.compute.max_ms > 0
    assert result.overruns == 0


def test_a_person_may_take_over(policy):
    result = run(policy, operator=Helper(engaged=lambda step: step == 0), episodes=5)
    assert result.helped == 5


def test_a_stop_waits_for_the_person(policy):
    env, operator = PointEnv(), Helper(engaged=lambda step: False)
    env.stop_at, operator.refusals = 0, 1
    result = run(policy, env, operator, episodes=2)
    assert (result.episodes, result.successes, result.stopped) == (2, 0, 2)
    assert operator.asked == ["force_limit"] * 3
    assert env.stop_reason is None


def test_without_a_number_it_goes_on_until_it_is_ended(policy):
    stop, seen = StopFlag(), []

    def note(summary):
        seen.append(summary)
        if len(seen) == 7:
            stop.set()

    assert run(policy, episodes=None, stop=stop, events=on_episode(note)).episodes == 7
