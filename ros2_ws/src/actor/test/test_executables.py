import ast
import importlib.util
import re
from pathlib import Path

import pytest

from actor_ros.executables import ARGUMENTS, LOCAL, ArgumentError, learner_words, link_words, programs
from steadyhand.storage import is_local

PACKAGE = Path(__file__).resolve().parent.parent
LAUNCH = PACKAGE / "launch" / "robot.launch.py"
WANTED = {
    "robot",
    "task",
    "namespace",
    "learner_address",
    "learner",
    "device",
    "params_file",
    "use_sim_time",
    "record",
}
REAL = {"robot": "crisp_fr3", "record": "bags/one"}


def names(given) -> list[str]:
    return [program.executable for program in programs(given)]


def test_the_mock_is_the_default_and_brings_itself_up():
    assert names({}) == ["mock_robot_node", "watchdog_node", "actor_node"]
    actor = programs({})[-1].parameters
    assert (actor["robot"], actor["device"], actor["autostart"]) == ("mock_ros", "scripted", True)
    assert actor["work"] == "teach", "a run without demonstrations has nothing to practise from"
    words = learner_words({})
    assert words[:2] == ["learn", "--await-demos"]
    assert f"run_name={actor['run_name']}" in words
    assert "transport.weights_address=tcp://127.0.0.1:5556" in words


def test_nothing_activates_itself_on_a_real_robot():
    assert names(REAL) == ["watchdog_node", "actor_node", "recorder_node"]
    actor = programs(REAL)[1].parameters
    assert (actor["autostart"], actor["device"], actor["work"]) == (False, "none", "practise")
    assert learner_words(REAL) is None
    assert "--await-demos" not in learner_words(REAL | {"learner": "true"})
    assert learner_words({"work": "evaluate"}) is None


def test_a_calibration_has_the_command_topics_for_itself():
    given = REAL | {"work": "calibrate"}
    assert names(given) == ["watchdog_node", "recorder_node"]
    assert names({"work": "calibrate"}) == ["mock_robot_node", "watchdog_node"]
    assert learner_words(given | {"learner": "true"}) is None


def test_a_learner_on_another_machine_is_reached_with_keys_alone():
    assert link_words("tcp://gpu-box:5000") == [
        "transport=network",
        "transport.host=gpu-box",
        "transport.address=tcp://gpu-box:5000",
        "transport.weights_address=tcp://gpu-box:5001",
    ]
    assert "transport=network" not in link_words("tcp://127.0.0.1:5555")


def test_the_learner_takes_the_choices_of_a_parameter_file_too(tmp_path):
    file = tmp_path / "cell.yaml"
    file.write_text("/**:\n  ros__parameters:\n    overrides: [safety=my_cell, demo.demos=3]\n", encoding="utf-8")
    assert learner_words({"params_file": str(file)})[-2:] == ["safety=my_cell", "demo.demos=3"]
    file.write_text("[1, 2", encoding="utf-8")
    with pytest.raises(ArgumentError, match="params_file: expected a file of ROS parameters, found"):
        learner_words({"params_file": str(file)})
    with pytest.raises(ArgumentError, match="params_file: expected a file of ROS parameters, found"):
        programs({"params_file": str(tmp_path / "gone.yaml")})


def test_every_executable_is_installed_and_its_module_has_a_main():
    setup = (PACKAGE / "setup.py").read_text(encoding="utf-8")
    scripts = dict(re.findall(r'"(\w+) = ([\w.]+):main"', setup))
    for program in (*programs({}), *programs(REAL)):
        assert scripts[program.executable] == program.module
        tree = ast.parse((PACKAGE / f"{program.module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        assert "main" in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_every_argument_is_described():
    assert set(ARGUMENTS) >= WANTED
    assert all(len(argument.description) > 20 for argument in ARGUMENTS.values())


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:1", "tcp://127.9.9.9:1", "tcp://localhost:1", "tcp://[::1]:1", "tcp://gpu-box:1"]
)
def test_a_local_address_is_what_the_core_takes_for_one(address):
    assert address.startswith(LOCAL) == is_local(address)


@pytest.mark.skipif(importlib.util.find_spec("launch_ros") is None, reason="launch comes with ROS from apt alone")
def test_the_real_launch_evaluates_it():
    from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
    from launch_ros.actions import Node

    from launch import LaunchContext

    spec = importlib.util.spec_from_file_location("robot_launch", LAUNCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    started = []
    for entity in module.generate_launch_description().entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.execute(context)
        elif isinstance(entity, OpaqueFunction):
            started += entity.execute(context)
    nodes = [entity for entity in started if isinstance(entity, Node)]
    assert [node.node_executable for node in nodes] == names({})
    assert len([entity for entity in started if type(entity) is ExecuteProcess]) == 1
