import pytest
from rclpy.parameter import Parameter
from ros_kit import Probe

from actor_ros import actor_parameters
from actor_ros.parameters import compose_config
from steadyhand.runtime.build import ConfigError
from steadyhand.runtime.config import compose


@pytest.fixture
def declare(dds):
    probes = []

    def declare(**values):
        probe = Probe(f"given{len(probes)}")
        probes.append(probe)
        given = [Parameter(name, value=value) for name, value in values.items()]
        probe.node._parameter_overrides = {parameter.name: parameter for parameter in given}
        compose_config(probe.node)
        return probe.node, actor_parameters.declare(probe.node)

    yield declare
    for probe in probes:
        probe.close()


def test_they_become_choices_of_the_configuration(declare):
    node, given = declare(
        task="reach",
        device="scripted",
        learner_address="tcp://gpu-box:6000",
        run_name="pegs",
        overrides=["demo.demos=3"],
    )
    assert given.work == "practise"
    assert not given.autostart
    config = compose(given.choices)
    assert config["robot"]["kind"] == "ros"
    assert config["transport"]["keys"], "a learner elsewhere is reached with keys alone"
    assert config["transport"]["address"] == "tcp://gpu-box:6000"
    assert config["transport"]["weights_address"] == "tcp://gpu-box:6001"
    assert (config["run_name"], config["demo"]["demos"]) == ("pegs", 3)
    for name in actor_parameters.DESCRIPTIONS:
        assert node.describe_parameter(name).description
        assert node.describe_parameter(name).read_only


def test_a_cells_own_files_are_found_in_its_folder(declare, tmp_path, monkeypatch):
    monkeypatch.setenv("STEADYHAND_CONFIG", "")  # restored at the end
    (tmp_path / "robot").mkdir()
    (tmp_path / "robot/my_arm.yaml").write_text("defaults: [mock_ros, _self_]\n", encoding="utf-8")
    node, given = declare(robot="my_arm", config_dir=str(tmp_path))
    assert compose(given.choices)["robot"] == compose(["robot=mock_ros"])["robot"]
    assert node.describe_parameter("config_dir").read_only


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"work": "play"}, "expected one of teach, demonstrate, practise, evaluate, run, replay"),
        ({"work": "run"}, "policy: expected the file of an exported policy with work run"),
        ({"work": "replay"}, "recording: expected the folder of a demo set or log with work replay"),
        ({"recording": "runs/pegs/demos"}, "and none otherwise, found work practise"),
        ({"policy": "policy.onnx"}, "and none otherwise, found work practise"),
        ({"learner_address": "gpu-box:5555"}, "expected tcp://host:port"),
        ({"learner_address": "tcp://gpu-box:65535"}, "expected tcp://host:port"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(declare, values, message):
    with pytest.raises(ConfigError, match=message):
        declare(**values)
