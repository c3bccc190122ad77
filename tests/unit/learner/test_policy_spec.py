from dataclasses import replace

import numpy as np
import pytest

from steadyhand.learner.config import ScaleFloors
from steadyhand.learner.policy_spec import build_policy_spec
from steadyhand.policies import PolicySpecError
from steadyhand.policies.config import PolicyConfig
from steadyhand.transport.record import Phase
from steadyhand.transport.schema import SchemaError
from tests.settings_kit import shipped
from tests.unit.learner.logs import PIXELS, SCHEMA, append, reader_of, write_episode, writer_in

CONFIG = shipped(PolicyConfig, "policy", obs_horizon=2, hidden=(16,), latent_size=8, log_std_max=2.0)


def test_every_vector_field_is_read_and_frames_only_with_an_encoder():
    spec = build_policy_spec(CONFIG, PIXELS, [])
    assert [(item.key, item.shape, item.dtype) for item in spec.inputs] == [("state", (3,), "float32")]
    assert (spec.obs_horizon, spec.action_size, spec.hidden, spec.normaliser) == (2, 2, (16,), {})
    both = build_policy_spec(replace(CONFIG, encoder="small_cnn"), PIXELS, [])
    assert [item.key for item in both.inputs] == ["state", "side"]


def test_gripper_entries_come_from_the_records():
    assert build_policy_spec(CONFIG, SCHEMA, []).gripper_entries == ()
    schema = replace(SCHEMA, action=replace(SCHEMA.action, kinds=("motion", "gripper")))
    spec = build_policy_spec(CONFIG, schema, [])
    assert (spec.gripper_entries, spec.decided) == ((1,), ())


def test_named_fields_alone_are_read():
    config = replace(CONFIG, encoder="small_cnn", observation_keys=("side",))
    assert [item.key for item in build_policy_spec(config, PIXELS, []).inputs] == ["side"]
    with pytest.raises(SchemaError, match="valid names: state, side"):
        build_policy_spec(replace(CONFIG, observation_keys=("pose",)), PIXELS, [])


def test_hidden_fields_are_not_read_where_there_are_any():
    config = replace(CONFIG, encoder="small_cnn", hidden_keys=("state", "goal"))
    assert [item.key for item in build_policy_spec(config, PIXELS, []).inputs] == ["side"]


def test_a_policy_that_would_read_nothing_is_refused():
    frames_only = replace(PIXELS, observation=PIXELS.observation[1:])
    with pytest.raises(PolicySpecError, match="reads no field"):
        build_policy_spec(CONFIG, frames_only, [])


def test_the_demonstrations_set_the_scaling_with_a_floor(tmp_path):
    writer = writer_in(tmp_path)
    for episode in range(4):
        write_episode(writer, episode, 5, phase=Phase.DEMO)
    write_episode(writer, 90, 5, phase=Phase.TRAIN)
    append(writer, 95, 0, phase=Phase.DEMO, valid=False)
    writer.close()
    spec = build_policy_spec(CONFIG, SCHEMA, [reader_of(writer)], ScaleFloors(0.5))
    mean, std = spec.normaliser["state"]
    states = np.array([(0, episode, step) for episode in range(4) for step in range(6)], float)
    np.testing.assert_allclose(mean, states.mean(0))
    assert std[0] == 0.5 * states[:, 2].std()  # the first component never moved
    np.testing.assert_allclose(std[1:], states.std(0)[1:])


def test_a_sensor_that_only_its_noise_moved_is_no_signal(tmp_path):
    writer = writer_in(tmp_path)
    for episode in range(4):
        write_episode(writer, episode, 5, phase=Phase.DEMO)
    writer.close()
    scaled = replace(SCHEMA, observation=(replace(SCHEMA.observation[0], scale=(0.1, 20.0, 2.0)),))
    reader = reader_of(writer)
    _, noisy = build_policy_spec(CONFIG, scaled, [reader], ScaleFloors(0.1)).normaliser["state"]
    _, std = build_policy_spec(CONFIG, scaled, [reader], ScaleFloors(0.1, 0.5)).normaliser["state"]
    assert noisy[1] < 2.0
    np.testing.assert_allclose(std, [noisy[0], 10.0, noisy[2]])


def test_without_demonstrations_typical_readings_set_the_scaling():
    scaled = replace(SCHEMA, observation=(replace(SCHEMA.observation[0], scale=(0.1, 20.0, 2.0)),))
    assert build_policy_spec(CONFIG, scaled, []).normaliser == {"state": ([0.0] * 3, [0.1, 20.0, 2.0])}
    assert build_policy_spec(CONFIG, SCHEMA, []).normaliser == {}


def test_a_field_that_never_moved_keeps_the_scale_of_its_sensor_or_its_units(tmp_path):
    writer = writer_in(tmp_path)
    append(writer, 0, 0, phase=Phase.DEMO)
    writer.close()
    scaled = replace(SCHEMA, observation=(replace(SCHEMA.observation[0], scale=(0.1, 20.0, 2.0)),))
    for schema, expected in ((SCHEMA, [1.0, 1.0, 1.0]), (scaled, [0.1, 20.0, 2.0])):
        spec = build_policy_spec(CONFIG, schema, [reader_of(writer)], ScaleFloors(0.1, 0.3))
        assert spec.normaliser["state"] == ([0.0, 0.0, 0.0], expected)
