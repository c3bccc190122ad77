import math
from dataclasses import replace

import pytest

from steadyhand.transport.schema import FieldSpec, Schema, SchemaError
from tests.transport_kit import ACTION, SCHEMA, STATE, WRIST


def test_json_round_trip_keeps_infinite_bounds_and_the_hash():
    data = SCHEMA.to_json()
    assert data["observation"][0]["low"] is None
    scaled = replace(SCHEMA, observation=(replace(STATE, scale=(0.1, 2, 3.0)), WRIST))
    assert Schema.from_json(scaled.to_json()) == scaled
    again = Schema.from_json(data)
    assert again == SCHEMA
    assert again.hash == SCHEMA.hash
    assert again.observation[0].high == math.inf


def test_kinds_of_an_actions_entries_survive_json_and_old_schemas_have_none():
    schema = replace(SCHEMA, action=replace(ACTION, kinds=("motion", "gripper")))
    data = schema.to_json()
    again = Schema.from_json(data)
    assert again.action.gripper_entries == (1,)
    assert again.hash == SCHEMA.hash
    del data["action"]["kinds"]
    assert Schema.from_json(data).action.gripper_entries == ()
    with pytest.raises(SchemaError, match="expected a kind per entry"):
        replace(ACTION, kinds=("gripper",))


def test_bounds_written_as_int_or_float_have_one_hash():
    assert replace(SCHEMA, action=replace(ACTION, low=-1.0)).hash == SCHEMA.hash


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"observation": (STATE,)}, "observation wrist: expected, found only state"),
        ({"observation": (STATE, replace(WRIST, shape=(8, 6, 3)))}, "observation wrist: shape: expected (4, 6, 3)"),
        ({"observation": (replace(STATE, unit="mm"), WRIST)}, "observation state: unit: expected m, found mm"),
        ({"observation": (replace(STATE, frame="tool"), WRIST)}, "frame: expected base, found tool"),
        ({"observation": (replace(STATE, high=1.0), WRIST)}, "high: expected inf, found 1.0"),
        ({"action": replace(ACTION, shape=(3,))}, "action: shape: expected (2,), found (3,)"),
        ({"command_size": 9}, "command_size: expected 3, found 9"),
        ({"reward_terms": ("task",)}, "reward_terms"),
        ({"control_period_s": 0.05}, "control_period_s: expected 0.1, found 0.05"),
    ],
)
def test_every_difference_is_named_and_refused(change, line):
    other = replace(SCHEMA, **change)
    assert any(line in found for found in SCHEMA.diff(other))
    assert other.hash != SCHEMA.hash
    assert SCHEMA.diff(other, extras=False)


def test_an_extra_camera_may_stay_and_a_missing_one_may_not():
    more = replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front")))
    assert not SCHEMA.diff(more, extras=False)
    assert more.diff(SCHEMA, extras=False)
    assert SCHEMA.diff(more) == ["observation front: not expected, found"]


def test_another_order_is_another_layout_with_the_same_fields():
    other = replace(SCHEMA, observation=(WRIST, STATE))
    assert "order state, wrist" in SCHEMA.diff(other)[0]
    assert not SCHEMA.diff(other, extras=False)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": (1.0, 1.0)},
        {"scale": (1.0, 1.0, 0.0)},
        {"scale": (1.0, 1.0, math.nan)},
        {"name": "../x"},
        {"name": ""},
        {"shape": (0,)},
        {"shape": (-1, 3)},
        {"shape": (1 << 20, 1 << 20)},
        {"dtype": "float64"},
        {"low": 2.0, "high": 1.0},
        {"low": math.nan},
        {"unit": "m\n"},
        {"frame": "x" * 100},
    ],
)
def test_a_field_that_cannot_be_used_is_refused(change):
    with pytest.raises(SchemaError):
        replace(STATE, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"observation": ()},
        {"observation": (STATE, STATE)},
        {"action": WRIST},
        {"command_size": -1},
        {"control_period_s": 0.0},
        {"reward_terms": ("a b",)},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(change):
    with pytest.raises(SchemaError):
        replace(SCHEMA, **change)


@pytest.mark.parametrize(
    "data", [{}, {"observation": 3}, {"observation": [1]}, {"observation": [{"low": 0, "high": 1}], "action": None}]
)
def test_json_of_something_else_is_a_schema_error(data):
    with pytest.raises(SchemaError):
        Schema.from_json(data)


def test_observation_field_names_the_valid_ones():
    assert SCHEMA.observation_field("wrist") == WRIST
    with pytest.raises(SchemaError, match="state, wrist"):
        SCHEMA.observation_field("front")


def test_field_shapes_become_tuples():
    assert FieldSpec("x", [2], "float32", 0, 1, "", "").shape == (2,)  # type: ignore[arg-type]


def test_what_is_typical_is_no_difference():
    scaled = replace(SCHEMA, observation=(replace(STATE, scale=(0.1, 0.1, 0.1)), WRIST))
    assert SCHEMA.diff(scaled) == []
    assert SCHEMA.diff(replace(scaled, observation=scaled.observation[::-1])) != []
