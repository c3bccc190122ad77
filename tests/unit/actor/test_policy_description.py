import dataclasses
import json

import numpy as np
import pytest

from steadyhand.actor.policy_description import ExportedPolicyError, PolicyDescription, probes, task_facts
from steadyhand.runtime.config import compose
from steadyhand.transport.schema import FieldSpec, Schema

POSE = FieldSpec("tcp_pose", (6,), "float32", -10.0, 10.0, "m, rad", "start pose")
WRIST = FieldSpec("wrist", (4, 4, 3), "uint8", 0.0, 255.0, "rgb", "camera")
ACTION = FieldSpec("action", (6,), "float32", -1.0, 1.0, "1", "")
SCHEMA = Schema((POSE, WRIST), ACTION, 8, ("reached",), 0.1)
INPUTS = ("observation/tcp_pose", "observation/wrist")
REACH = compose(["task=reach"])["task"]
DESCRIPTION = PolicyDescription(SCHEMA, 2, 1, 70, {"hidden": [8]}, task_facts(REACH), ((0.1,) * 6,) * 3)


def test_it_survives_the_metadata():
    metadata = DESCRIPTION.to_metadata()
    assert all(key.startswith("steadyhand.") and isinstance(value, str) for key, value in metadata.items())
    assert PolicyDescription.from_metadata(metadata | {"somebody": "else's"}) == DESCRIPTION
    assert json.loads(metadata["steadyhand.schema_hash"]) == SCHEMA.hash
    assert json.loads(metadata["steadyhand.control_period_s"]) == 0.1
    assert json.loads(metadata["steadyhand.policy_version"]) == 70
    assert json.loads(metadata["steadyhand.policy_spec"]) == {"hidden": [8]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steadyhand.format": "2"}, "expected format 1, found '2'"),
        ({"steadyhand.format": "{"}, "expected a policy's metadata"),
        ({"steadyhand.schema": "[]"}, "expected a policy's metadata"),
        ({"steadyhand.schema_hash": '"00"'}, "the schema that its hash belongs to"),
        ({"steadyhand.obs_horizon": '"many"'}, "expected a policy's metadata"),
    ],
)
def test_other_metadata_are_refused_in_one_line(change, message):
    with pytest.raises(ExportedPolicyError, match=message) as caught:
        PolicyDescription.from_metadata(DESCRIPTION.to_metadata() | change)
    assert "\n" not in str(caught.value)


def test_metadata_without_ours_are_refused():
    with pytest.raises(ExportedPolicyError, match="schema"):
        PolicyDescription.from_metadata({})


def misfits(schema=SCHEMA, task=REACH, inputs=INPUTS):
    return DESCRIPTION.misfits(inputs, schema, task)


def test_what_is_only_recorded_may_differ():
    assert misfits() == []
    more = FieldSpec("wrench", (6,), "float32", -1000.0, 1000.0, "N, Nm", "tool")
    other = dataclasses.replace(SCHEMA, observation=(more, WRIST, POSE), command_size=0, reward_terms=())
    assert misfits(other) == []
    assert misfits(dataclasses.replace(SCHEMA, observation=(POSE,)), inputs=INPUTS[:1]) == []
    assert misfits(task=REACH | {"drive": REACH["drive"] | {"max_steps": 7}}) == []


@pytest.mark.parametrize(
    ("schema", "line"),
    [
        (dataclasses.replace(SCHEMA, observation=(POSE,)), "observation wrist: expected, found only tcp_pose"),
        (dataclasses.replace(SCHEMA, control_period_s=0.05), "control_period_s: expected 0.1, found 0.05"),
        (
            dataclasses.replace(SCHEMA, observation=(dataclasses.replace(POSE, unit="mm, rad"), WRIST)),
            "observation tcp_pose: unit: expected m, rad, found mm, rad",
        ),
        (
            dataclasses.replace(SCHEMA, action=dataclasses.replace(ACTION, shape=(7,))),
            "action: shape: expected (6,), found (7,)",
        ),
    ],
)
def test_what_the_policy_sees_and_does_may_not(schema, line):
    assert misfits(schema) == [line]


def test_an_action_must_move_the_arm_as_far_as_in_training():
    faster = REACH | {"drive": REACH["drive"] | {"action_scale_m": 0.02}}
    assert misfits(task=faster) == ["task action_scale_m: expected 0.01, found 0.02"]
    (line, *_) = misfits(task=compose(["task=peg_insert"])["task"])
    assert line == (
        "task entry_point: expected steadyhand.robot_envs.tasks.reach:Reach, "
        "found steadyhand.robot_envs.tasks.peg_insert:PegInsert"
    )


def test_a_foreign_environment_has_bounds_instead():
    assert task_facts({"kind": "gym", "entry_point": "package.module:make"}) == {}


def test_probes_are_what_the_policy_reads_and_differ():
    made = list(probes([POSE, WRIST], 2))
    assert all(set(probe) == set(INPUTS) for probe in made)
    for probe in made:
        assert (probe[INPUTS[0]].shape, probe[INPUTS[0]].dtype) == ((2, 6), np.float32)
        assert (probe[INPUTS[1]].shape, probe[INPUTS[1]].dtype) == ((2, 4, 4, 3), np.uint8)
    assert len({probe[INPUTS[0]].tobytes() for probe in made}) == len(made)
    # Both are sums of powers of two: no machine rounds them otherwise.
    assert made[0][INPUTS[0]][0, :2].tolist() == [-31.5 / 32, 5.5 / 32]
    assert made[0][INPUTS[1]].ravel()[:8].tolist() == [0, 37, 74, 111, 148, 185, 222, 3]
