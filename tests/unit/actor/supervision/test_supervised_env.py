"""The person's rule over an environment: the same table of behaviours for the embedded robot and a gymnasium task."""

import threading

import gymnasium
import numpy as np
import pytest

from steadyhand.actor.action_selector import ActionSelector
from steadyhand.actor.arbiter import Arbiter
from steadyhand.actor.authority import AT_ONCE
from steadyhand.actor.control_loop import ControlLoop
from steadyhand.actor.env_schema import env_schema
from steadyhand.actor.events import Countdown, EpisodeEnded, Events, MotionEnabled, VerdictGiven, Waiting
from steadyhand.actor.supervision.motion_enable import MotionEnable
from steadyhand.actor.supervision.supervised_env import SupervisedEnv
from steadyhand.robot_envs.devices.operator import NoOperator
from steadyhand.robot_envs.safety.gate import StopReason
from steadyhand.robot_envs.teachable import EndedError, teachable
from steadyhand.transport.record import Phase
from tests.events_kit import kept
from tests.robot_kit import make_robot_env
from tests.transport_kit import wait_until

PENDULUM = ("task=gym", "task.entry_point=gymnasium:make", "task.arguments={id:Pendulum-v1}", "task.success_reward=1")
ROBOTS = {"embedded": ("task=reach",), "gym": PENDULUM}


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def motion(events):
    return MotionEnable(events)


@pytest.fixture(params=ROBOTS.values(), ids=ROBOTS.keys())
def inner(request):
    inner = make_robot_env(*request.param)
    yield inner
    inner.close()


@pytest.fixture
def env(inner, motion, events):
    env = SupervisedEnv(inner, motion, lambda: False, events, "the key")
    motion.enable()
    return env


def test_a_countdown_is_between_the_enable_and_the_motion_and_a_stop_in_it_counts(inner, motion, events):
    found = kept(events, Countdown, MotionEnabled, Waiting)
    env = SupervisedEnv(inner, motion, lambda: False, events, "the key", countdown_s=1)
    started, thread = reset_on_a_thread(env)
    wait_until(lambda: any(isinstance(event, Waiting) for event in found))
    motion.enable()
    wait_until(lambda: Countdown(1) in found)
    env.stop(StopReason.PERSON_STOP)
    wait_until(lambda: found[-1] == Waiting(f"a person to enable motion with the key ({StopReason.PERSON_STOP.value})"))
    assert not started.is_set()
    motion.enable()
    assert started.wait(10.0)
    thread.join()
    assert [event for event in found if isinstance(event, Countdown)] == [Countdown(1), Countdown(0)] * 2


def test_a_countdown_ends_with_the_program(inner, motion):
    ending = threading.Event()
    env = SupervisedEnv(inner, motion, ending.is_set, countdown_s=60)
    motion.enable()
    ending.set()
    with pytest.raises(EndedError):
        env.reset()


def still(env):
    return np.zeros(env.action_space.shape, np.float32)


def reset_on_a_thread(env):
    started = threading.Event()
    thread = threading.Thread(target=lambda: (env.reset(seed=0), started.set()))
    thread.start()
    return started, thread


def test_a_reset_waits_for_the_enable_and_says_so(inner, motion, events):
    waits = kept(events, Waiting)
    env = SupervisedEnv(inner, motion, lambda: False, events, "the key")
    started, thread = reset_on_a_thread(env)
    assert not started.wait(0.2)
    motion.enable()
    assert started.wait(20.0)
    thread.join()
    reason = "a person to enable motion with the key (motion has not been enabled yet)"
    assert [event.reason for event in waits] == [reason, ""]


def test_a_stop_in_the_moment_after_the_enable_was_seen_is_not_released(env, inner, motion):
    stops = []
    resume = inner.resume

    def stopped_just_before(since=None):
        if not stops:
            stops.append(1)
            env.stop(StopReason.PERSON_STOP)
        return resume(since)

    inner.resume = stopped_just_before
    started, thread = reset_on_a_thread(env)
    assert not started.wait(0.3)
    assert inner.stop_reason == StopReason.NOT_ENABLED
    motion.enable()
    assert started.wait(20.0)
    thread.join()


def test_the_wait_for_an_enable_ends_with_the_process(inner, motion):
    with pytest.raises(EndedError):
        SupervisedEnv(inner, motion, lambda: True).reset(seed=0)


def test_an_episode_that_was_never_enabled_counts_as_interrupted(inner, motion, events):
    ended = kept(events, EpisodeEnded)
    env = SupervisedEnv(inner, motion, lambda: True, events)
    summary = run(env, events)
    assert (summary.stop_reason, summary.steps) == ("interrupted", 0)
    assert [event.outcome for event in ended] == ["interrupted"]


def run(env, events, may_step=lambda: True):
    schema = env_schema(env)
    loop = ControlLoop(env, schema, lambda record: None, events=events)
    arbiter = Arbiter(teachable(env).motion_entries, AT_ONCE, schema.control_period_s)
    return loop.run_episode(0, Phase.DEMO, ActionSelector(NoOperator(), arbiter), 0, may_step)


@pytest.mark.parametrize(
    ("verdict", "expected", "outcome"),
    [
        ("success", (1.0, True, False, True), "success"),
        ("failure", (0.0, True, False, False), "failure"),
        ("reset", (None, False, True, False), "truncated"),
    ],
)
def test_a_person_judges(env, motion, events, verdict, expected, outcome):
    given, ended = kept(events, VerdictGiven), kept(events, EpisodeEnded)
    env.reset(seed=0)
    _, before, *_ = env.step(still(env))
    motion.judge(verdict)
    _, reward, terminated, truncated, info = env.step(still(env))
    assert (terminated, truncated, info["success"]) == expected[1:]
    assert info["judged_by"] == ("task" if verdict == "reset" else "operator")
    if expected[0] is not None:
        assert reward == expected[0]
    elif before == 0.0:  # the task's own reward stays
        assert reward == 0.0
    assert [event.verdict for event in given] == [verdict]
    summary = run(env, events, lambda: motion.judge(verdict) or True)
    assert (summary.steps, summary.success) == (1, verdict == "success")
    assert [event.outcome for event in ended] == [outcome]


def test_a_verdict_from_before_the_episode_counts_for_nothing(env, motion):
    motion.judge("success")
    env.reset(seed=0)
    assert not env.step(still(env))[2]


def test_a_stop_latches_disables_motion_and_outranks_a_verdict(env, motion, events):
    given = kept(events, VerdictGiven)
    env.reset(seed=0)
    motion.judge("success")
    env.stop(StopReason.PERSON_STOP)
    _, reward, terminated, truncated, info = env.step(still(env))
    assert (reward, terminated, truncated, info["stop_reason"]) == (0.0, False, True, "person_stop")
    assert not motion.enabled
    assert motion.reason == "person_stop"
    assert given == []
    motion.enable()
    env.reset(seed=1)  # the latched stop is cleared with the enable
    wait_until(lambda: not env.step(still(env))[4]["stop_reason"], 5.0)


def test_without_an_enable_a_step_moves_nothing(env, inner, motion):
    env.reset(seed=0)
    motion.disable("not_enabled")
    info = env.step(still(env))[4]
    assert info["stop_reason"] == "not_enabled"
    assert inner.stop_reason == StopReason.NOT_ENABLED


def test_a_break_needs_a_new_enable(env, inner, motion):
    env.reset(seed=0)
    env.park()
    assert (motion.enabled, motion.reason, inner.stop_reason) == (False, "parked", None)


def test_what_nobody_can_stop_is_refused(motion):
    class Endless(gymnasium.Env):
        pass

    with pytest.raises(TypeError, match="Endless: expected an environment that a person can stop"):
        SupervisedEnv(Endless(), motion, lambda: False)
