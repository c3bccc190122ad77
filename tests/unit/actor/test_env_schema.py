import numpy as np
import pytest
from gymnasium import spaces

from steadyhand.actor.env_schema import env_schema
from steadyhand.transport.schema import SchemaError
from tests.unit.actor.point_env import PERIOD_S, PointEnv


def test_everything_is_read_off_the_environment():
    schema = env_schema(PointEnv(frames=True))
    assert {field.name: (field.shape, field.dtype) for field in schema.observation} == {
        "camera": ((8, 8, 3), "uint8"),
        "position": ((2,), "float32"),
        "to_goal": ((2,), "float32"),
    }
    position = schema.observation_field("position")
    assert (position.unit, position.frame, position.low, position.high) == ("m", "base", -2.0, 2.0)
    assert (position.scale, schema.observation_field("to_goal").scale) == ((1.0, 1.0), ())
    assert schema.observation_field("camera").unit == "1"
    assert (schema.action.shape, schema.command_size, schema.reward_terms) == ((2,), 2, ("reached",))
    assert schema.control_period_s == PERIOD_S


def test_the_same_environment_gives_the_same_hash():
    assert env_schema(PointEnv()).hash == env_schema(PointEnv()).hash != env_schema(PointEnv(frames=True)).hash


def test_the_gripper_entries_of_an_action_are_named_and_change_no_hash():
    env = PointEnv()
    assert env_schema(env).action.kinds == ()
    env.gripper_entries = (1,)
    schema = env_schema(env)
    assert schema.action.kinds == ("motion", "gripper")
    assert schema.action.gripper_entries == (1,)
    assert schema.hash == env_schema(PointEnv()).hash, "records of earlier releases still fit"
    assert schema == env_schema(PointEnv())


def test_wrappers_are_seen_through():
    from gymnasium.wrappers import TimeLimit

    assert env_schema(TimeLimit(PointEnv(), 5)) == env_schema(PointEnv())


def test_a_foreign_environment_needs_a_period_only():
    env = PointEnv()
    for name in ("field_specs", "command_size", "reward_terms"):
        delattr(env, name)
    schema = env_schema(env)
    assert (schema.command_size, schema.reward_terms, schema.observation[0].unit) == (0, (), "1")
    del env.control_period_s
    with pytest.raises(SchemaError, match="control_period_s: expected the time"):
        env_schema(env)


def test_infinite_bounds_are_kept():
    env = PointEnv()
    env.field_specs = {}
    env.observation_space = spaces.Dict({"position": spaces.Box(-np.inf, np.inf, (3,), np.float32)})
    assert env_schema(env).observation[0].high == np.inf


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(-1, 1, (2,), np.float32),
        spaces.Dict({"x": spaces.Discrete(3)}),
        spaces.Dict({"x": spaces.Box(-1, 1, (2,), np.float64)}),
        spaces.Dict({"x": spaces.Box(0, 255, (4, 4), np.uint8)}),
    ],
)
def test_an_observation_that_no_record_can_hold_is_refused(space):
    env = PointEnv()
    env.observation_space = space
    with pytest.raises(SchemaError, match=r"observation.*expected"):
        env_schema(env)


@pytest.mark.parametrize("space", [spaces.Discrete(2), spaces.Box(-2, 2, (2,), np.float32)])
def test_an_action_outside_the_unit_box_is_refused(space):
    env = PointEnv()
    env.action_space = space
    with pytest.raises(SchemaError, match="action_space: expected"):
        env_schema(env)
