from dataclasses import replace

import msgspec
import pytest

from steadyhand.transport.schema import SchemaError
from steadyhand.transport.wire import Accept, Reject
from tests.transport_kit import ACTION, CONFIG, SCHEMA, STATE, WRIST, frames, hello, intake_in, session_id


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"observation": (STATE,)}, "observation wrist: expected"),
        ({"observation": (STATE, replace(WRIST, shape=(8, 8, 3)))}, "shape: expected (4, 6, 3), found (8, 8, 3)"),
        ({"action": replace(ACTION, frame="base")}, "action: frame: expected end effector, found base"),
        ({"control_period_s": 0.02}, "control_period_s: expected 0.1, found 0.02"),
    ],
)
def test_another_schema_is_rejected_with_the_difference(tmp_path, change, line):
    intake = intake_in(tmp_path, required=SCHEMA)
    answer = intake.hello(hello(schema=replace(SCHEMA, **change)))
    assert isinstance(answer, Reject)
    assert any(line in reason for reason in answer.reasons)
    assert list(tmp_path.iterdir()) == []


def test_extra_cameras_are_accepted_and_stored(tmp_path):
    intake = intake_in(tmp_path / "learner", required=SCHEMA)
    more = replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front")))
    sent = frames(tmp_path / "actor", 2, schema=more)
    assert isinstance(intake.hello(hello(schema=more)), Accept)
    intake.records(session_id(0), 0, 2, sent)
    (reader,) = intake.readers()
    assert reader.refresh() == 2
    assert reader.gather([1], "observation/front").shape == (1, 4, 6, 3)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("protocol_version", 1, "protocol_version: expected 3, found 1"),
        ("schema_hash", "0" * 64, "schema_hash"),
        ("control_period_s", 0.3, "control_period_s"),
    ],
)
def test_every_other_field_of_hello_is_checked(tmp_path, name, value, line):
    answer = intake_in(tmp_path).hello(msgspec.structs.replace(hello(), **{name: value}))
    assert isinstance(answer, Reject)
    assert line in answer.reasons[0]


def test_a_policy_that_cannot_be_built_rejects(tmp_path):
    def spec(schema):
        raise ValueError("observation wrist: the policy needs 128x128")

    answer = intake_in(tmp_path, policy_spec=spec).hello(hello())
    assert answer == Reject(["observation wrist: the policy needs 128x128"])


def test_a_record_larger_than_a_message_rejects(tmp_path):
    answer = intake_in(tmp_path, config=replace(CONFIG, max_frame_bytes=100)).hello(hello())
    assert "max_frame_bytes" in answer.reasons[0]


def test_require_takes_a_demo_set_s_schema_and_checks_the_next(tmp_path):
    intake = intake_in(tmp_path)
    intake.require(SCHEMA)
    intake.require(replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front"))))
    with pytest.raises(SchemaError, match="observation wrist"):
        intake.require(replace(SCHEMA, observation=(STATE,)))
    assert intake.schema == SCHEMA


def test_logs_that_do_not_fit_the_required_schema_are_refused(tmp_path):
    intake_in(tmp_path).hello(hello())
    with pytest.raises(SchemaError, match="command_size"):
        intake_in(tmp_path, required=replace(SCHEMA, command_size=9))
