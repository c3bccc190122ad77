"""F24: an actor, a demo set or a checkpoint that does not fit is refused with the difference, before anything moves."""

import json
from contextlib import closing
from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest

from steadyhand.transport import wire
from steadyhand.transport.intake import Intake
from steadyhand.transport.local_uplink import LocalUplink
from steadyhand.transport.outbox import Rejected
from steadyhand.transport.run_identity import Identity
from steadyhand.transport.schema import FieldSpec, Schema, SchemaError
from steadyhand.transport.wire import Accept, Hello, Reject, WireError
from tests.transport_kit import ACTION, SCHEMA, STATE, WRIST, hello, intake_in, session_id
from tests.unit.actor.training_kit import Run

COMPARED = [each.name for each in fields(FieldSpec) if each.compare]  # the others belong to no schema's hash
# Another value for each of them; what one of them does not allow is left out below.
OTHER: dict[str, Any] = {
    "name": "other",
    "shape": (5,),
    "dtype": "uint8",
    "low": -7.0,
    "high": 400.0,
    "unit": "mm",
    "frame": "another frame",
    "scale": (0.5, 0.5, 0.5),
}


def changed_field(field: FieldSpec, name: str) -> FieldSpec:
    value = OTHER[name]
    if field is WRIST:
        value = {"shape": (8, 8, 3), "dtype": "float32"}.get(name, value)
    if field is ACTION and name == "scale":
        value = (0.5, 0.5)
    return replace(field, **{name: value})


def schemas() -> dict[str, Schema]:
    """Return one schema for every attribute that a schema has, with that one changed."""
    changed = {}
    for index, field in enumerate((STATE, WRIST)):
        for name in COMPARED:
            if name == "scale":
                continue  # a frame has none, and a vector's says what is typical, not what a number means
            observation = list(SCHEMA.observation)
            observation[index] = changed_field(field, name)
            changed[f"observation {field.name}: {name}"] = replace(SCHEMA, observation=tuple(observation))
    for name in COMPARED:
        if name != "dtype":  # an action has but one
            changed[f"action: {name}"] = replace(SCHEMA, action=changed_field(ACTION, name))
    changed["observation wrist: expected"] = replace(SCHEMA, observation=(STATE,))
    changed["command_size"] = replace(SCHEMA, command_size=9)
    changed["reward_terms"] = replace(SCHEMA, reward_terms=("task",))
    changed["control_period_s"] = replace(SCHEMA, control_period_s=0.02)
    return changed


SCHEMAS = schemas()
# What stands in HELLO beside the schema: a value that does not belong to the rest of it, or that no actor may send.
HELLOS: dict[str, tuple[str, Any]] = {
    "protocol_version": ("protocol_version", 1),
    "schema_hash": ("schema_hash", "0" * 64),
    "control_period_s": ("control_period_s", 0.3),
    "actor_id": ("actor_id", "../arm"),
    "session_id": ("session_id", session_id(0)[:-1] + "g"),
    "first_seq": ("first_seq", -1),
    "identity": ("identity", Identity(robot="a" * 65)),
}


def answer(intake: Intake, message: Hello) -> Accept | Reject | WireError:
    """Return what comes of a HELLO on its whole way: encoded, decoded, taken in."""
    try:
        decoded, _ = wire.decode(wire.encode(message), "actor")
    except WireError as error:
        return error
    assert isinstance(decoded, Hello)
    return intake.hello(decoded)


def test_nothing_that_hello_has_is_left_out():
    assert {name for name, _ in HELLOS.values()} | {"schema"} == set(Hello.__struct_fields__)
    attributes = {line.rpartition(": ")[2] for line in SCHEMAS if line.startswith("observation state")}
    assert attributes == {*COMPARED} - {"scale"}
    assert {line.split()[0].rstrip(":") for line in SCHEMAS} == {each.name for each in fields(Schema)}


@pytest.mark.parametrize("line", SCHEMAS)
def test_a_changed_schema_is_rejected_with_the_difference(tmp_path, line):
    # A name that changed is one field that is missing.
    expected = line.replace(": name", ": expected, found only") if line.startswith("observation") else line
    with closing(intake_in(tmp_path / "learner", required=SCHEMA)) as intake:
        found = answer(intake, hello(schema=SCHEMAS[line]))
        assert isinstance(found, Reject)
        assert any(expected in reason and "expected" in reason and "found" in reason for reason in found.reasons)
        assert list((tmp_path / "learner").iterdir()) == []


@pytest.mark.parametrize("line", HELLOS)
def test_a_changed_hello_is_rejected_or_no_message_at_all(tmp_path, line):
    name, value = HELLOS[line]
    with closing(intake_in(tmp_path / "learner", required=SCHEMA)) as intake:
        found = answer(intake, msgspec.structs.replace(hello(), **{name: value}))
        assert isinstance(found, (Reject, WireError))
        assert name in (found.reasons[0] if isinstance(found, Reject) else str(found))
        assert list((tmp_path / "learner").iterdir()) == []


def test_every_change_is_found(tmp_path, record_property):
    found = detected(tmp_path)
    record_property("detected", found)
    assert found == len(SCHEMAS) + len(HELLOS)


def test_without_the_check_most_would_be_accepted(tmp_path, monkeypatch):
    monkeypatch.setattr(Intake, "_objections", lambda self, message: [])
    assert detected(tmp_path) <= 4  # what the bounds of the message's own types find


def detected(folder) -> int:
    """Return how many of all changes do not come in."""
    count = 0
    messages = [hello(schema=schema) for schema in SCHEMAS.values()]
    messages += [msgspec.structs.replace(hello(), **{name: value}) for name, value in HELLOS.values()]
    for number, message in enumerate(messages):
        with closing(intake_in(folder / f"learner{number}", required=SCHEMA)) as intake:
            count += not isinstance(answer(intake, message), Accept)
    return count


def test_the_unchanged_hello_and_an_extra_camera_are_accepted(tmp_path):
    with closing(intake_in(tmp_path / "learner", required=SCHEMA)) as intake:
        assert isinstance(answer(intake, hello()), Accept)
        more = replace(SCHEMA, observation=(*SCHEMA.observation, replace(WRIST, name="front")))
        assert isinstance(answer(intake, hello(1, more, "leg")), Accept)


@pytest.mark.parametrize("line", SCHEMAS)
def test_a_demo_set_with_a_changed_schema_is_refused(tmp_path, line):
    with closing(intake_in(tmp_path / "learner", required=SCHEMA)) as intake:
        with pytest.raises(SchemaError, match="does not fit what this run learns from"):
            intake.require(SCHEMAS[line])
        assert intake.schema == SCHEMA


@pytest.mark.parametrize("line", SCHEMAS)
def test_what_a_checkpoint_says_is_required_after_a_restart(tmp_path, line):
    """A checkpoint keeps the schema as JSON; nothing of it is lost on the way."""
    kept = Schema.from_json(json.loads(json.dumps(SCHEMA.to_json())))
    with closing(intake_in(tmp_path / "learner", required=kept)) as intake:
        assert isinstance(answer(intake, hello(schema=SCHEMAS[line])), Reject)
        assert isinstance(answer(intake, hello()), Accept)


def run_of_a_misfit(tmp_path) -> Run:
    """Return practice whose learner requires another control period than the robot has."""
    run = Run(tmp_path)
    schema = run.session.schema
    run.intake.require(replace(schema, control_period_s=schema.control_period_s / 2))
    return run


def test_nothing_has_moved_when_the_learner_refuses(tmp_path):
    run = run_of_a_misfit(tmp_path)
    with pytest.raises(Rejected, match=r"control_period_s: expected 0\.05, found 0\.1"):
        run.training.run()
    assert run.env.seeds == []  # not even a reset
    assert run.env.actions == []
    assert run.session.writer.next_seq == 0
    assert run.env.holds > 0


def test_a_robot_that_moves_before_the_answer_would_be_seen(tmp_path, monkeypatch):
    run = run_of_a_misfit(tmp_path)
    connect = LocalUplink.connect

    def impatient(self, message: Hello, timeout_s: float) -> Accept:
        run.env.reset(seed=0)
        run.env.step([0.1, 0.1])
        return connect(self, message, timeout_s)

    monkeypatch.setattr(LocalUplink, "connect", impatient)
    with pytest.raises(Rejected):
        run.training.run()
    assert run.env.seeds == [0]
    assert len(run.env.actions) == 1
