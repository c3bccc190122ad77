"""The person's rule over an environment, on the mock without ROS topics."""

import threading

import numpy as np
import pytest
from ros_kit import wait_until

from actor_ros.permission import Permission
from actor_ros.person_env import EndedError, LoopTimes, PersonEnv
from steadyhand.robot_envs.safety.gate import StopReason
from tests.robot_kit import make_robot_env

STILL = np.zeros(6, np.float32)


class Told:
    """Keeps what was announced."""

    def __init__(self):
        self.actions, self.episodes = [], []

    def action(self, action):
        self.actions.append(action)

    def episode(self, message, values):
        self.episodes.append((message, values["last_ended"]))


@pytest.fixture
def permission():
    return Permission()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def env(permission, told):
    inner = make_robot_env("task=reach")
    env = PersonEnv(inner, permission, told, lambda: False)
    permission.give()
    yield env
    inner.close()


def test_a_reset_waits_for_leave(permission, told):
    inner = make_robot_env("task=reach")
    env = PersonEnv(inner, permission, told, lambda: False)
    started = threading.Event()
    thread = threading.Thread(target=lambda: (env.reset(seed=0), started.set()))
    thread.start()
    assert not started.wait(0.2)
    permission.give()
    assert started.wait(20.0)
    thread.join()
    inner.close()


def test_a_stop_in_the_moment_after_leave_was_seen_is_not_released(env, permission):
    inner, stops = env.unwrapped, []
    resume = inner.resume

    def stopped_just_before() -> None:
        if not stops:
            stops.append(1)
            env.stop(StopReason.PERSON_STOP)
        resume()

    inner.resume = stopped_just_before
    started = threading.Event()
    thread = threading.Thread(target=lambda: (env.reset(seed=0), started.set()))
    thread.start()
    assert not started.wait(0.3)
    assert inner.stop_reason == StopReason.NOT_ENABLED
    permission.give()
    assert started.wait(20.0)
    thread.join()


def test_who_waits_for_leave_ends_with_the_process(permission, told):
    inner = make_robot_env("task=reach")
    with pytest.raises(EndedError):
        PersonEnv(inner, permission, told, lambda: True).reset(seed=0)
    inner.close()


@pytest.mark.parametrize(
    ("mark", "expected", "ended"),
    [
        ("success", (1.0, True, False, True), "success"),
        ("failure", (0.0, True, False, False), "failure"),
        ("reset", (0.0, False, True, False), "truncated"),
    ],
)
def test_a_person_judges(env, permission, told, mark, expected, ended):
    env.reset(seed=0)
    env.step(STILL)
    permission.mark(mark)
    _, reward, terminated, truncated, info = env.step(STILL)
    assert (reward, terminated, truncated, info["success"]) == expected
    assert info["judged_by"] == ("task" if mark == "reset" else "operator")
    assert told.episodes[-1] == ("ended", ended)
    assert len(told.actions) == 2


def test_a_mark_from_before_the_episode_counts_for_nothing(env, permission):
    permission.mark("success")
    env.reset(seed=0)
    assert not env.step(STILL)[2]


def test_a_stop_latches_takes_the_leave_and_outranks_a_mark(env, permission, told):
    env.reset(seed=0)
    permission.mark("success")
    env.stop(StopReason.PERSON_STOP)
    _, reward, terminated, truncated, info = env.step(STILL)
    assert (reward, terminated, truncated, info["stop_reason"]) == (0.0, False, True, "person_stop")
    assert not permission.given
    assert told.episodes[-1] == ("ended", "person_stop")
    permission.give()
    env.reset(seed=1)  # what was latched is released with the leave
    wait_until(lambda: not env.step(STILL)[4]["stop_reason"], "an arm that moves again", 5.0)


def test_periods_that_are_missed_and_commands_that_catch_up_are_counted():
    times = LoopTimes(0.1)
    times.begin(0)
    for now_ms in (100, 200, 360, 400, 500):
        times.look(now_ms * 1_000_000)
    assert (times.period.count, times.missed, times.bursts) == (5, 1, 1)
    assert times.period.percentiles().max_ms == pytest.approx(160.0)
