"""Sensors beside the robot: an observation field of their own, watched like a camera."""

import numpy as np
import pytest

from steadyhand.actor.env_schema import env_schema
from steadyhand.robot_envs.make import make_demonstrator
from steadyhand.robot_envs.mock.touch import FingerTouch, FingerTouchConfig
from steadyhand.robot_envs.safety.sensor_watch import SensorWatch
from steadyhand.robot_envs.safety.stop_reason import StopReason
from steadyhand.robot_envs.sensor import Reading, Sensor, SensorError
from steadyhand.robot_envs.tasks.task import ObservedVector
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose
from steadyhand.settings import read_settings
from tests.robot_kit import make_robot_env

SECOND = 1_000_000_000
TOUCH = ("task=pick_place", "sensor=mock_touch")


def test_touch_is_a_field_with_unit_and_frame_of_its_source():
    field = env_schema(make_robot_env(*TOUCH, "sensor.fields.touch.scale_n=5.0")).observation_field("touch")
    assert (field.shape, field.dtype, field.unit, field.frame) == ((2,), "float32", "N", "finger")
    assert (field.low, field.high, field.scale) == (-50.0, 50.0, (5.0, 5.0))


def test_both_fingers_feel_the_cube_between_them_and_nothing_before():
    env = make_robot_env(*TOUCH)
    demonstrator = make_demonstrator(compose(list(TOUCH)), env, seed=0)
    observation, info = env.reset(seed=0)
    demonstrator.reset(info)
    assert observation["touch"].tolist() == [0.0, 0.0]
    felt = []
    terminated = truncated = False
    while not (terminated or truncated):
        observation, _, terminated, truncated, info = env.step(demonstrator.act(observation, info, None))
        felt.append(observation["touch"])
    assert env.observation_space.contains(observation)
    assert (np.array(felt).min(axis=1) > 1.0).sum() >= 5


def test_a_real_robot_has_no_simulated_touch():
    sensor = FingerTouch(FingerTouchConfig(0.2, 50.0, 10.0), "touch", None)
    with pytest.raises(SensorError, match=r"sensor\.fields\.touch\.entry_point"):
        sensor.connect()
    with pytest.raises(SensorError, match="connect"):
        sensor.latest()


class Told(Sensor):
    name, max_age_s = "force", 0.2
    vector = ObservedVector(2, 10.0, "N", "tool", (1.0, 1.0))

    def __init__(self):
        self.reading = Reading(np.ones(2, np.float32), 0)

    def connect(self):
        pass

    def latest(self):
        return self.reading

    def close(self):
        pass


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.ones(2, np.float32), None),
        (np.ones(3, np.float32), StopReason.SENSOR_UNFIT),
        (np.ones(2), StopReason.SENSOR_UNFIT),
        (np.array([1.0, np.nan], np.float32), StopReason.SENSOR_UNFIT),
    ],
)
def test_a_reading_that_is_none_stops_the_robot_and_is_not_taken(values, reason):
    sensor = Told()
    watch = SensorWatch(sensor)
    assert watch.look(0) is None
    sensor.reading = Reading(values, SECOND)
    assert watch.look(SECOND) is reason
    assert watch.values.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("now_ns", [SECOND, -SECOND])
def test_a_sensor_that_is_silent_stops_the_robot(now_ns):
    assert SensorWatch(Told()).look(now_ns) is StopReason.SENSOR_STALE


def test_a_silent_sensor_ends_an_episode_and_is_named(monkeypatch):
    env = make_robot_env("task=reach", "sensor=mock_touch")
    env.reset(seed=0)
    stands = env._sources._all[0].latest()
    monkeypatch.setattr(env._sources._all[0], "latest", lambda: stands)
    for _ in range(5):
        truncated, info = env.step(np.zeros(6, np.float32))[3:]
    assert truncated
    assert info["stop_reason"] == "sensor_stale (touch)"


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["sensor=mock_touch", "sensor.fields.touch.bound_n=0"], "sensor.fields.touch: bound_n"),
        (["sensor=mock_touch", "sensor.fields.touch.max_age_s=-1"], "max_age_s"),
        (["+sensor.fields.mine={max_age_s: 1.0}"], "sensor.fields.mine.entry_point: expected package.module:Class"),
        (["+sensor.more=1"], "sensor.more: unknown key"),
    ],
)
def test_a_wrong_setting_is_one_line(overrides, reason):
    with pytest.raises(ConfigError, match=reason):
        read_settings(compose(overrides))


def test_two_fields_of_one_name_are_refused():
    touch = "{entry_point: 'steadyhand.robot_envs.mock.touch:FingerTouch', max_age_s: 0.2, bound_n: 50.0, scale_n: 1.0}"
    with pytest.raises(ConfigError, match="observation wrench: expected one field of that name"):
        make_robot_env("task=reach", f"+sensor.fields.wrench={touch}")
