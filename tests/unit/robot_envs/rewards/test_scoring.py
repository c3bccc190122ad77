"""The one place where a reward is called, in both kinds of environment."""

from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.make import Hardware, make_env
from steadyhand.robot_envs.rewards.reward import LAST_STEP, Reward, Score
from steadyhand.robot_envs.rewards.scoring import Scoring
from steadyhand.robot_envs.rewards.task import TaskReward
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.robot_envs.tasks.task import Outcome
from steadyhand.robot_envs.workpieces import NotedWorkpieces
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from tests.reward_kit import REACH, Reacher
from tests.robot_kit import make_robot_env

HERE = __name__
SPACE = spaces.Dict({"state": spaces.Box(-1, 1, (2,), np.float32)})
NEAR = (*REACH, "+reward.distance_m=0.03", "reward.entry_point=tests.reward_kit:Near")


class Line(gymnasium.Env):
    """Walks from 0 by 1 a step; reports success at 3, and again not from 4 on."""

    observation_space = spaces.Dict({"goal": spaces.Box(-20, 20, (1,), np.float32)})
    action_space = spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        return self._look(), {}

    def step(self, action):
        self.place += 1
        info = {"is_success": self.place == 3} if self.reports else {}
        return self._look(), 10.0, False, self.place == 6, info

    def _look(self):
        return {"goal": np.array([5.0 - self.place], np.float32)}

    reports = True


class SilentLine(Line):
    reports = False


def episode(env, act=None):
    """Run one episode; return (reward, terminated, truncated, info) of every step."""
    observation, info = env.reset(seed=0)
    act = act or (lambda observation, info: np.zeros(env.action_space.shape, np.float32))
    found = []
    while not (found and (found[-1][1] or found[-1][2])):
        observation, *rest = env.step(act(observation, info))
        info = rest[-1]
        found.append(tuple(rest))
    return found


def walker():
    reacher = Reacher(always=True)
    reacher.reset({})
    return lambda observation, info: reacher.act(observation, info, None)


def test_the_default_is_the_tasks_outcome_bit_for_bit():
    env = make_robot_env(*REACH)
    act = walker()
    outcomes = []

    def noted(state, workpieces):
        outcome = type(env._task).evaluate(env._task, state, workpieces)
        outcomes.append(outcome)
        return outcome

    env._task.evaluate = noted
    found = episode(env, act)
    env.close()
    assert env.reward_terms == ("reached",)
    assert found[-1][1]
    for (reward, terminated, _, info), outcome in zip(found, outcomes[1:], strict=True):
        assert (reward, terminated, info["success"]) == (outcome.reward, outcome.success, outcome.success)
        assert (info["progress"], info["reward_terms"]) == (outcome.progress, outcome.terms)
        assert (info["task_success"], info["judged_by"]) == (outcome.success, "task")


def test_a_reward_ends_the_episode_and_the_task_goes_on_being_told():
    env = make_robot_env(*NEAR)
    assert env_schema(env).reward_terms == ("reached", "nearness")
    found = episode(env, walker())
    env.close()
    reward, terminated, _, info = found[-1]
    assert terminated
    assert info["success"]
    assert -0.03 < reward < 0.0
    assert info["reward_terms"] == {"reached": 0.0, "nearness": reward}
    assert info["task_success"] is False  # 3 cm are not there yet
    assert (info["judged_by"], info["reward_confidence"]) == ("reward", 0.9)
    assert not any(step[3]["success"] for step in found[:-1])


def test_where_the_task_would_have_ended_the_episode_its_verdict_stays():
    env = make_robot_env(*NEAR[:-2], "+reward.distance_m=0.0", NEAR[-1])
    act, seen = walker(), []

    def there_and_away(observation, info):
        seen.append(bool(info["task_success"]))
        return np.array([0, 0, -1, 0, 0, 0], np.float32) if any(seen) else act(observation, info)

    found = episode(env, there_and_away)
    env.close()
    told = [step[3]["task_success"] for step in found]
    assert told[-1] is True
    assert not found[-1][3]["success"]
    assert found[-1][3]["reward_terms"]["reached"] == 0.0
    assert sorted(told) == told


def test_a_stop_is_never_a_success_whatever_the_reward_says():
    env = make_robot_env(*NEAR[:-2], "+reward.distance_m=10.0", NEAR[-1])
    env.reset(seed=0)
    env.step(np.zeros(6, np.float32))
    env.stop(StopReason.PERSON_STOP)
    _, reward, terminated, truncated, info = env.step(np.zeros(6, np.float32))
    env.close()
    assert (reward, terminated, truncated, info["success"], info["task_success"]) == (0.0, False, True, False, False)
    assert info["reward_terms"] == {"reached": 0.0, "nearness": 0.0}
    assert info["stop_reason"] == "person_stop"


@pytest.mark.parametrize(("task", "judges"), [("pick_place", False), ("reach", True)])
def test_a_task_whose_workpieces_nobody_follows_does_not_judge(task, judges):
    inner = make_robot_env(f"task={task}")
    robot, clock = inner.robot, inner.clock
    inner.close()

    class Noted(NotedWorkpieces):
        """Notes the poses, and arranges the mock's workpieces too."""

        def place(self, name, pose_):
            super().place(name, pose_)
            robot.place(name, pose_)

    env = make_env(compose([f"task={task}"]), 0, Hardware(robot, [], Noted(), clock, True))
    _, begun = env.reset(seed=0)
    info = env.step(np.zeros(env.action_space.shape, np.float32))[-1]
    env.close()
    assert begun["judged_by"] == info["judged_by"] == ("task" if judges else "operator")
    assert info["task_success"] is (False if judges else None)


def gym_env(name, *overrides):
    return make_env(compose(["task=gym", f"task.entry_point={HERE}:{name}", *overrides]), 0)


def test_a_foreign_environment_is_scored_at_the_same_place():
    own = ("reward.entry_point=tests.reward_kit:Near", "+reward.distance_m=2.5")
    env = gym_env("Line", *own, "task.terminate_on_success=true")
    assert env_schema(env).reward_terms == ("nearness",)
    found = episode(env)
    env.close()
    assert [step[0] for step in found] == [-4.0, -3.0, -2.0, -1.0]
    assert [step[1] for step in found] == [False, False, False, True]
    info = found[-1][3]
    assert (info["judged_by"], info["task_success"], info["reward_terms"]) == ("reward", True, {"nearness": -1.0})


def test_the_default_of_a_foreign_environment_is_its_own_reward():
    env = gym_env("Line")
    found = episode(env)
    env.close()
    assert env.reward_terms == ()
    assert [(step[0], step[3]["success"]) for step in found] == [(10.0, place == 3) for place in range(1, 7)]
    assert found[2][3]["task_success"] is True
    assert found[3][3]["task_success"] is False
    assert not any(step[1] for step in found)


def test_an_environment_that_reports_no_success_does_not_judge(caplog):
    own = ("reward.entry_point=tests.reward_kit:Near", "+reward.distance_m=2.5")
    env = gym_env("SilentLine", *own)
    found = episode(env)
    env.close()
    assert {step[3]["task_success"] for step in found} == {None}
    assert found[-1][3]["success"]
    assert "no episode counts as a success" not in caplog.text


class Doubled(Reward):
    reward_terms = ("reached",)

    def score(self, observation, state, outcome, info):
        return Score(0.0, False, {"reached": 0.0})


def test_a_term_of_the_tasks_name_is_refused():
    with pytest.raises(ConfigError, match="terms that the task does not have, found reached; rename them in Doubled"):
        Scoring(Doubled(), ("reached",), SPACE, {}, 0.1, task_latches=True)


def test_the_task_that_does_not_latch_is_told_as_it_is():
    for latches, expected in ((True, [False, True, True]), (False, [False, True, False])):
        scoring = Scoring(TaskReward(), (), SPACE, {}, 0.1, latches)
        scoring.begin(Outcome(0.0, False, 0.0), True)
        told = [
            scoring.score({}, None, Outcome(0.0, success, 0.0), {}, True, False)[1]["task_success"]
            for success in (False, True, False)
        ]
        assert told == expected


class Told(Reward):
    """Notes what it is told beside the observations."""

    def __init__(self):
        self.fields, self.period_s, self.lasts = {}, None, []

    def check(self, fields):
        self.fields = dict(fields)

    def set_period(self, control_period_s):
        self.period_s = control_period_s

    def score(self, observation, state, outcome, info):
        self.lasts.append(info[LAST_STEP])
        return Score(0.0, False)


@pytest.mark.parametrize("kind", ["robot", "gym"])
def test_a_reward_is_told_the_frames_the_period_and_the_last_step(kind, monkeypatch):
    told = Told()
    monkeypatch.setattr("steadyhand.robot_envs.make.find_reward", lambda config: SimpleNamespace(make=lambda: told))
    env = gym_env("Line") if kind == "gym" else make_robot_env(*REACH)
    found = episode(env)
    env.close()
    assert told.period_s == env.control_period_s
    assert told.fields["goal"].frame == env.field_specs["goal"][1] != ""
    assert told.lasts == [step[2] for step in found]
    assert told.lasts[-1]
