import sys

import numpy as np
import onnx
import pytest

from steadyhand.actor.onnx_policy import OnnxPolicy
from steadyhand.actor.policy_description import ExportedPolicyError
from steadyhand.runtime.onnx_file import BLANK, SEAL, MissingRuntimeError, sealed
from tests.unit.actor.exported import VERSION, walking_file


def changed(change) -> bytes:
    """The file after `change` of its model, with a digest that fits."""
    model = onnx.load_from_string(walking_file())
    change(model)
    for entry in model.metadata_props:
        if entry.key == SEAL:
            entry.value = BLANK
    return sealed(model.SerializeToString())


def test_it_is_loaded_and_acts(tmp_path):
    path = tmp_path / "policy.onnx"
    path.write_bytes(walking_file())
    policy = OnnxPolicy.load(path)
    assert policy.inputs == ("observation/position", "observation/to_goal")
    assert (policy.description.policy_version, policy.description.learner_epoch) == (VERSION, 3)
    still = np.zeros((3, 2), np.float32)
    action = policy.act({"observation/position": still, "observation/to_goal": still + np.float32([1.0, -1.0])})
    assert action.dtype == np.float32
    np.testing.assert_allclose(action, [np.tanh(5.0), -np.tanh(5.0)], atol=1e-6)


def test_any_damage_is_found():
    raw = walking_file()
    places = np.linspace(0, len(raw) - 1, 60).astype(int)
    for place in places:
        damaged = bytearray(raw)
        damaged[place] ^= 1
        with pytest.raises(ExportedPolicyError, match=r"damaged one|something else"):
            OnnxPolicy(bytes(damaged), "x")
    with pytest.raises(ExportedPolicyError, match="damaged one"):
        OnnxPolicy(raw[:-1], "x")


@pytest.mark.parametrize("content", [b"", b"\0" * 99, b"steadyhand.sha256"])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ExportedPolicyError, match=f"x: expected a policy .* found {len(content)} bytes"):
        OnnxPolicy.load(tmp_path / "x")


def test_an_onnx_file_of_somebody_else_is_refused():
    model = onnx.load_from_string(walking_file())
    del model.metadata_props[:]
    with pytest.raises(ExportedPolicyError, match="has written, found"):
        OnnxPolicy(model.SerializeToString(), "x")


def test_no_file_is_said(tmp_path):
    with pytest.raises(ExportedPolicyError, match=r"none\.onnx: expected a policy's ONNX file, found No such file"):
        OnnxPolicy.load(tmp_path / "none.onnx")


def test_what_onnxruntime_cannot_load_is_one_line():
    def break_graph(model):
        model.graph.node[0].op_type = "NoSuchOperator"

    with pytest.raises(ExportedPolicyError, match="x: onnxruntime cannot load it") as caught:
        OnnxPolicy(changed(break_graph), "x")
    assert "\n" not in str(caught.value)


def test_what_is_loaded_and_cannot_compute_is_one_line():
    def break_shape(model):
        shapes = [one for one in model.graph.initializer if one.data_type == onnx.TensorProto.INT64]
        broken = onnx.numpy_helper.to_array(shapes[0]) * 0 + 5
        shapes[0].CopyFrom(onnx.numpy_helper.from_array(broken, shapes[0].name))

    with pytest.raises(ExportedPolicyError, match="x: onnxruntime cannot compute it") as caught:
        OnnxPolicy(changed(break_shape), "x")
    assert "\n" not in str(caught.value)


def test_other_actions_than_those_that_were_exported_are_refused():
    def alter(model):
        for tensor in model.graph.initializer:
            values = onnx.numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and values.ndim == 2:
                tensor.raw_data = (values * 1.01).astype(np.float32).tobytes()

    with pytest.raises(ExportedPolicyError, match="expected the actions that were exported"):
        OnnxPolicy(changed(alter), "x")


def test_a_graph_that_takes_other_inputs_than_its_description_is_refused():
    def alter(model):
        for entry in model.metadata_props:
            if entry.key == "steadyhand.obs_horizon":
                entry.value = "4"

    with pytest.raises(
        ExportedPolicyError, match=r"input observation/position: expected .*\[4, 2\].* found .*\[3, 2\]"
    ):
        OnnxPolicy(changed(alter), "x")


def test_a_missing_onnxruntime_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingRuntimeError, match="python -m pip install onnxruntime"):
        OnnxPolicy(walking_file(), "x")
